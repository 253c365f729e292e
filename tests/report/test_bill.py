"""The bill of quantities as a table and as a file."""

from pacifico.layout.model.bill import Bill, Line
from pacifico.report.bill import bill_table, write_costs


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
