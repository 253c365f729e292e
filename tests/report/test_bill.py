"""The bill of quantities as a table and as a file, and the supply curve as a figure."""

from types import SimpleNamespace

import pandas as pd

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.bill import Bill, Line
from pacifico.report.bill import bill_table, supply_figure, write_costs


def line(**more):
    values = {
        "item": "road", "what": "Road", "quantity": 1200.0, "quantity_low": 1100.0, "quantity_high": 1300.0, "unit": "m",
        "tag": "measured", "basis": "centrelines", "unit_cost": 50.0, "unit_cost_low": 40.0, "unit_cost_high": 70.0,
        "price": "catalog", "year": 2024, "source": "made",
    }  # fmt: skip
    return Line(**values | more)


def test_a_line_shows_quantity_price_and_cost():
    rows = bill_table(Bill((line(), line(what="Pad", price="given")), (0.2, 0.1, 0.3), "assumed")).rows
    assert rows[0][3:5] == ("1\u202f200", "m")
    assert rows[0][5:] == ("50 (40–70) 2024", "measured")
    assert rows[0][:2] == ("Road", "60")
    assert rows[1][5].endswith(", given")


def test_totals_come_last():
    bill = Bill((line(),), (0.2, 0.1, 0.3), "assumed")
    *_, indirect, independent, together = bill_table(bill).rows
    assert indirect[5] == "20% (10%–30%)"
    assert independent[1] == together[1] == "72"


def test_an_empty_bill_says_so_in_its_file(tmp_path):
    path = write_costs(Bill((), (0.2, 0.1, 0.3), "assumed"), tmp_path / "costs.csv")
    assert path.read_text().startswith("item,what,quantity")


COLUMNS = ["units", "capacity_kw", "civil_cost_usd", "usd_per_kw", "is_knee"]


def plan_of(rows, limit=0.0):
    curve = pd.DataFrame(rows, columns=COLUMNS)
    spec = make_spec({"economics": {"max_marginal_usd_per_kw": limit}})
    return SimpleNamespace(supply_curve=lambda: curve, spec=spec)


ROWS = [
    ("B001", 4000.0, 800_000.0, 200.0, False),
    ("B002", 8000.0, 1_400_000.0, 150.0, True),
    ("B003", 9000.0, 2_900_000.0, 1500.0, False),
]


def test_curve_knee_and_limit_are_drawn():
    above, below = supply_figure(plan_of(ROWS, 400.0)).axes
    assert above.lines[0].get_xydata().tolist() == [[0.0, 0.0], [4.0, 0.8], [8.0, 1.4], [9.0, 2.9]]
    assert [t.get_text() for t in above.texts] == ["knee: 8.0 MW, 1.40 million USD"]
    assert [bar.get_height() for bar in below.patches] == [200.0, 150.0, 1500.0]
    assert [t.get_text() for t in below.texts] == ["limit 400"]


def test_without_knee_and_limit_neither_is_drawn():
    above, below = supply_figure(plan_of(ROWS[:1])).axes
    assert not above.texts
    assert not below.texts


def test_a_plan_without_units_has_no_figure():
    assert supply_figure(plan_of([])) is None


def test_a_real_plan_has_a_figure(dumbbell):
    assert len(supply_figure(dumbbell.plan).axes) == 2
