"""Risks of a road network: what hangs on one crossing, and branches that serve little."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from shapely import LineString, Point

from pacifico.analysis.road_risks import DEAR_USD_PER_KW, MIN_BEHIND, MIN_BRANCH_M, MIN_SAVED, dear_branches, road_risks
from pacifico.layout.economics.civil_costs import civil_works
from pacifico.layout.economics.leave_out import removals_over
from pacifico.layout.model.crossings import Crossing
from pacifico.layout.model.roads import make_road


def road(name, *xy):
    points = np.array([(x, y, 0.0) for x, y in xy], dtype=float)
    return make_road(name, "spine", points, 6.1)


def asset(road_id, kw, kind="solar_array"):
    return SimpleNamespace(item=SimpleNamespace(kind=kind, capacity_kw=kw, storage_kw=0.0), service_road_id=road_id)


ENTRIES = (Point(0, 0),)


def plan_of(roads, assets, crossings=()):
    return SimpleNamespace(
        road_list=roads, asset_list=assets, crossing_list=crossings, entries=ENTRIES, profile="solar_farm"
    )


def crossing(of_id):
    return Crossing("X1", "culvert", of_id, "Mill Creek", "water", LineString([(0, 0), (1, 0)]))


LINE = (road("R1", (0, 0), (100, 0)), road("R2", (100, 0), (200, 0)), road("R3", (200, 0), (900, 0)))


def test_capacity_behind_the_only_crossing_is_at_stake():
    plan = plan_of(LINE, [asset("R1", 400.0), asset("R2", 100.0), asset("R3", 500.0)], [crossing("R2")])
    (risk,) = road_risks(plan)
    assert risk.stake == pytest.approx(0.6)
    assert risk.text == "60% of the capacity hangs on one culvert over Mill Creek"


def test_a_second_way_leaves_no_risk():
    other = road("R4", (0, 0), (50, 80), (200, 0))
    plan = plan_of((*LINE[:2], other), [asset("R2", 500.0), asset("R4", 500.0)], [crossing("R2")])
    assert all("hangs on" not in risk.text or risk.stake == 0.5 for risk in road_risks(plan))
    through = plan_of((*LINE, other), [asset("R3", 500.0), asset("R1", 500.0)], [crossing("R2")])
    assert not any("hangs on" in risk.text for risk in road_risks(through))


def test_crossings_of_cables_and_of_little_capacity_are_none():
    assets = [asset("R1", 1000.0), asset("R3", MIN_BEHIND * 1000 / 2)]
    assert not any("hangs" in r.text for r in road_risks(plan_of(LINE, assets, [crossing("R3"), crossing("F01-01")])))


def test_a_long_branch_that_serves_little_is_named():
    plan = plan_of(LINE, [asset("R1", 950.0), asset("R3", 50.0)])
    (risk,) = road_risks(plan)
    assert risk.text == "a branch of 0.8 km, 89% of all roads, serves 5% of the capacity"


@pytest.mark.parametrize(("length_m", "named"), [(MIN_BRANCH_M - 1, False), (MIN_BRANCH_M + 1, True)])
def test_a_turnaround_at_the_end_is_no_branch(length_m, named):
    roads = (road("R1", (0, 0), (100, 0)), road("R2", (100, 0), (100 + length_m, 0)))
    assert bool(road_risks(plan_of(roads, [asset("R1", 1000.0)]))) is named


@pytest.mark.parametrize("kind", ["substation", "control_center"])
def test_a_branch_to_what_the_whole_plant_needs_is_no_risk(kind):
    assert road_risks(plan_of(LINE, [asset("R1", 1000.0), asset("R3", 0.0, kind)])) == []
    assert len(road_risks(plan_of(LINE, [asset("R1", 1000.0, kind), asset("R3", 0.0, "inverter_skid")]))) == 1


def test_without_roads_or_capacity_there_is_no_risk():
    assert road_risks(plan_of((), [])) == []
    assert road_risks(plan_of(LINE, [])) == []


def dearer(plan, factor):
    """Plan whose roads cost more."""
    surface = factor * plan.spec.number("costs", "road_surface")
    return replace(plan, spec=plan.spec.with_rules("costs", {"road_surface": surface}))


def test_a_plan_of_cheap_roads_has_none(dumbbell):
    assert dear_branches(dearer(dumbbell.plan, 0.0)) == []


def test_dear_branches_are_named_with_the_limit_that_leaves_them_out(dumbbell):
    plan = dearer(dumbbell.plan, 40.0)
    (risk,) = dear_branches(plan)
    works = civil_works(plan)
    out = removals_over(works, DEAR_USD_PER_KW)
    assert risk.stake == pytest.approx(sum(r.usd for r in out) / works.usd)
    assert risk.stake >= MIN_SAVED
    assert f"max_marginal_usd_per_kw of {DEAR_USD_PER_KW:g} leaves them out" in risk.text
    assert risk.text.startswith(f"{sum(r.kw for r in out) / 1000:,.2f} MW on ")


def test_a_plan_with_a_limit_of_its_own_has_none(dumbbell):
    plan = dearer(dumbbell.plan, 40.0)
    limited = replace(plan, spec=plan.spec.with_rules("economics", {"max_marginal_usd_per_kw": 5000.0}))
    assert dear_branches(limited) == []


def test_without_assets_there_is_none(dumbbell):
    assert dear_branches(replace(dumbbell.plan, asset_list=(), cable_list=(), pad_list=())) == []
