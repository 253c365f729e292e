"""Supply curve: sums, order and knee."""

import numpy as np
import pytest

from pacifico.analysis.supply_curve import knee_of
from pacifico.layout.economics.civil_costs import CIVIL_ITEMS, civil_works
from pacifico.layout.generate import generate_layout


def test_the_last_step_is_the_whole_plan(dumbbell):
    curve, bill = dumbbell.plan.supply_curve(), dumbbell.plan.bill_of_quantities()
    assert curve["capacity_kw"].iloc[-1] == pytest.approx(dumbbell.plan.metrics["total_capacity_kw"], abs=0.01)
    civil = sum(line.cost for line in bill.lines if line.item in CIVIL_ITEMS)
    assert curve["civil_cost_usd"].iloc[-1] == pytest.approx(civil, abs=0.01)


def test_every_block_is_in_one_step(dumbbell):
    named = ", ".join(dumbbell.plan.supply_curve()["units"]).split(", ")
    assert sorted(named) == sorted(u.name for u in civil_works(dumbbell.plan).units)


def test_marginal_costs_are_differences(dumbbell):
    curve = dumbbell.plan.supply_curve()
    kw, usd = (np.diff(curve[of], prepend=0.0) for of in ("capacity_kw", "civil_cost_usd"))
    np.testing.assert_allclose(curve["usd_per_kw"], usd / kw, rtol=1e-3)


def test_a_limit_keeps_the_first_steps(dumbbell):
    """The curve's steps above a limit are those that the limit leaves out, from the last on."""
    curve = dumbbell.plan.supply_curve()
    held = dumbbell.under(190.0).metrics["total_capacity_kw"]
    assert held in np.round(curve["capacity_kw"], 3).tolist()
    assert curve["usd_per_kw"].iloc[-1] > 190.0


def test_the_knee_is_where_the_curve_turns_up():
    kw, usd = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([1.0, 2.0, 3.0, 9.0, 15.0])
    assert knee_of(kw, usd) == 2


@pytest.mark.parametrize("usd", [[1.0, 2.0, 3.0, 4.0], [1.0, 5.0, 8.0, 10.0], [1.0, 1.0, 1.0, 1.0]])
def test_a_straight_or_hollow_curve_has_no_knee(usd):
    assert knee_of(np.array([1.0, 2.0, 3.0, 4.0]), np.array(usd)) is None
    assert knee_of(np.array([1.0, 2.0]), np.array(usd[:2])) is None


def test_a_plan_without_units_has_an_empty_curve(make):
    dem = make.dem(make.ground(make.level, 500, 500))
    plan = generate_layout(make.site(500, 500), dem, profile="gas_bess", target_capacity_kw=50_000)
    curve = plan.supply_curve()
    assert len(curve) == len(civil_works(plan).units)
