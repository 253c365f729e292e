"""Figure of the supply curve."""

from types import SimpleNamespace

import pandas as pd

from pacifico.layout.criteria.spec import make_spec
from pacifico.report.supply import supply_figure

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
