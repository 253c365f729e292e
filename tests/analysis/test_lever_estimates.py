"""Estimates of levers: arrays that fit the ground with a limit relaxed."""

from dataclasses import replace

import numpy as np
import pytest

from pacifico.analysis.cell_reasons import field_of
from pacifico.analysis.lever_estimates import FitEstimate
from pacifico.grid import Ground
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Zone


def zone(make, west, south, east, north, name):
    return Zone(make.at(west, south, east, north), name)


@pytest.fixture(scope="module")
def made(make):
    """Plan and DEM of a level site with a farm in its east and a pond in its west."""
    zones = (zone(make, 250, 0, 500, 400, "farm"), zone(make, 80, 150, 130, 200, "pond"))
    dem = make.dem(make.ground(make.level, 500, 400))
    return generate_layout(make.site(500, 400, exclusions=zones), dem, target_capacity_kw=60_000), dem


def estimate_of(plan, dem):
    return FitEstimate.of(field_of(plan, dem), plan.spec, Ground.of(dem))


def without(plan, name):
    return replace(plan.site, exclusions=tuple(z for z in plan.site.exclusions if z.name != name))


def test_the_plan_itself_gains_nothing(made):
    plan, dem = made
    assert estimate_of(plan, dem).gained_share(plan.site, {}) == 0.0


def test_a_small_exclusion_adds_the_arrays_in_its_place(made):
    """No strip moves, so that nothing but the exclusion counts."""
    plan, dem = made
    estimate = estimate_of(plan, dem)
    share = estimate.gained_share(without(plan, "pond"), {})
    unit_kw = estimate.ground.unit.ac_kw
    units = share * estimate.kw / unit_kw
    assert units == pytest.approx(round(units), abs=1e-6)
    assert 1 <= units <= 12


def test_a_large_exclusion_adds_as_much_as_its_layout(made, make):
    plan, dem = made
    share = estimate_of(plan, dem).gained_share(without(plan, "farm"), {})
    free = generate_layout(without(plan, "farm"), dem, target_capacity_kw=60_000)
    gain = free.metrics["total_capacity_kw"] / plan.metrics["total_capacity_kw"] - 1
    assert share == pytest.approx(gain, rel=0.2)


def test_a_stricter_rule_is_no_loss(made):
    plan, dem = made
    assert estimate_of(plan, dem).gained_share(plan.site, {"site": {"setback_m": 40.0}}) == 0.0


def test_a_smaller_setback_adds_arrays(made):
    plan, dem = made
    assert 0.0 < estimate_of(plan, dem).gained_share(plan.site, {"site": {"setback_m": 0.0}}) < 0.5


def test_a_site_without_room_has_no_gain(make):
    site, ground = make.site(60, 40), make.ground(make.level, 60, 40)
    context = make.context(site, ground, setback_m=10.0)
    estimate = FitEstimate.of(context.field, context.spec, ground)
    assert estimate.kw == 0.0
    assert not np.isnan(estimate.gained_share(site, {}))
