"""Civil costs part by part: their sum is that of the bill."""

from dataclasses import replace

import pytest

from pacifico.layout.add_racking import add_racking
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.economics.civil_costs import CIVIL_ITEMS, civil_works
from pacifico.layout.generate import generate_layout


def of_bill(plan):
    return sum(line.cost for line in plan.bill_of_quantities().lines if line.item in CIVIL_ITEMS)


def test_parts_sum_to_the_bill(dumbbell):
    assert civil_works(dumbbell.plan).usd == pytest.approx(of_bill(dumbbell.plan), rel=1e-9)


def test_parts_sum_to_the_bill_with_ground_graded_under_rows(dumbbell):
    plan = add_racking(dumbbell.plan, dumbbell.dem)
    plan = replace(plan, metrics={**plan.metrics, "array_cut_m3": 500.0, "array_fill_m3": 100.0})
    assert civil_works(plan).usd == pytest.approx(of_bill(plan), rel=1e-9)


@pytest.mark.parametrize("profile", ["bess", "gas_bess", "wind_hybrid", "hybrid"])
def test_parts_sum_to_the_bill_of_every_profile(make, profile):
    dem = make.dem(make.ground(make.rolling, 900, 900))
    plan = generate_layout(make.site(900, 900), dem, profile=profile, target_capacity_kw=20_000)
    found = civil_works(plan)
    assert found.units
    assert found.usd == pytest.approx(of_bill(plan), rel=1e-9)


def test_prices_of_the_user_count(dumbbell):
    costs = {"costs": {item: 0.0 for item in CIVIL_ITEMS if item != "road_surface"}}
    plan = replace(dumbbell.plan, spec=dumbbell.plan.spec.with_rules("costs", costs["costs"]))
    road_m2 = sum(r.length_m * r.width_m for r in plan.road_list)
    assert civil_works(plan).usd == pytest.approx(25.0 * road_m2)


def test_civil_items_are_unit_costs_of_the_catalog():
    assert set(CIVIL_ITEMS) <= catalog()["costs"].keys()
    assert len(set(CIVIL_ITEMS)) == len(CIVIL_ITEMS)
