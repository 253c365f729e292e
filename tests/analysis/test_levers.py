"""Levers: one layout for each limit, compared with the plan."""

import pytest

from pacifico.analysis.levers import (
    FEW_CHANGES,
    MORE_DEG,
    MOST_EXCLUSIONS,
    changes,
    in_frame,
    shadow_prices_of,
    solve_levers,
)
from pacifico.errors import InputError
from pacifico.layout.add_racking import add_racking
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.land_use import Reason
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.site.model import Zone

ONE_SPEC = {"inverter_skid": {"slope_limit_deg": 15.0}, "road": {"max_grade_pct": 20.0}, "site": {"setback_m": 0.0}}


@pytest.fixture(scope="module")
def made(make):
    site = make.site(300, 300, exclusions=(Zone(make.at(150, 0, 300, 300), "farm"),))
    dem = make.dem(make.ground(make.level, 300, 300))
    return generate_layout(site, dem, target_capacity_kw=50_000), dem


def test_every_limit_has_a_change(made):
    found = {c.name: c for c in changes(made[0])}
    assert list(found) == [
        "site.setback_m", "solar_array.slope_limit_deg", "inverter_skid.slope_limit_deg", "road.max_grade_pct",
        "exclusion:farm",
    ]  # fmt: skip
    steep = found["solar_array.slope_limit_deg"]
    assert steep.label == "slope limit of solar arrays 12° instead of 10°"
    assert steep.spec["solar_array"]["slope_limit_deg"] == 10.0 + MORE_DEG
    assert found["exclusion:farm"].site.exclusions == ()


def test_storage_relaxes_the_limit_of_its_batteries(make):
    dem = make.dem(make.ground(make.level, 300, 300))
    plan = generate_layout(make.site(300, 300), dem, profile="bess", target_capacity_kw=10_000)
    assert {c.label for c in changes(plan) if c.reason is Reason.TOO_STEEP} == {
        "slope limit of batteries 6° instead of 4°"
    }


def test_a_limit_at_the_end_of_its_range_has_no_change(make):
    dem = make.dem(make.ground(make.level, 300, 300))
    at_end = ONE_SPEC | {"solar_array": {"slope_limit_deg": 20.0}}
    plan = generate_layout(make.site(300, 300), dem, spec=at_end)
    assert [c.name for c in changes(plan) if c.name != "road.max_grade_pct"] == []


def test_many_exclusions_have_no_lever_each(make):
    zones = tuple(Zone(make.at(30 * n, 200, 30 * n + 10, 210), f"zone {n}") for n in range(MOST_EXCLUSIONS + 2))
    dem = make.dem(make.ground(make.level, 300, 300))
    plan = generate_layout(make.site(300, 300, exclusions=zones), dem, target_capacity_kw=1000)
    assert sum(c.reason is Reason.EXCLUSION for c in changes(plan)) == MOST_EXCLUSIONS


def test_giving_up_an_exclusion_adds_what_a_layout_without_it_holds(made, make):
    plan, dem = made
    seen = []
    found = solve_levers(plan, dem, on_stage=lambda *a: seen.append(a))
    assert found.items[0].name == "exclusion:farm"
    free = generate_layout(make.site(300, 300), dem, target_capacity_kw=50_000)
    gain = free.metrics["total_capacity_kw"] - plan.metrics["total_capacity_kw"]
    assert found.items[0].gain_kw == pytest.approx(gain, abs=0.1)
    assert found.best_for("exclusion:farm") is found.items[0]
    assert all(lever.gain_kw >= 0 for lever in found.items)
    assert [s[1] for s in seen] == [0, 20, 40, 60, 80]


def test_costs_are_compared_with_racking_where_the_plan_has_it(made, make):
    plan, dem = made
    found = solve_levers(add_racking(plan, dem), dem).best_for("exclusion:farm")
    free = add_racking(generate_layout(make.site(300, 300), dem, target_capacity_kw=50_000), dem)
    more = free.bill_of_quantities().total - add_racking(plan, dem).bill_of_quantities().total
    assert found.more_usd == pytest.approx(more, abs=1000.0)


def test_each_setback_of_single_edges_has_a_change(make):
    dem = make.dem(make.ground(make.level, 300, 300))
    spec = {"site": {"setbacks": [{"edges": "north", "setback_m": 40.0}, {"edges": ["east", 3], "setback_m": 8.0}]}}
    plan = generate_layout(make.site(300, 300), dem, spec=spec)
    (north,) = [c for c in changes(plan) if c.name.startswith("site.setbacks")]
    assert north.name == "site.setbacks:1"
    assert north.label == "setback from north 20 m instead of 40 m"
    assert [dict(e) for e in north.spec["site"]["setbacks"]] == [
        {"edges": ["north"], "setback_m": 20.0},
        {"edges": ["east", 3], "setback_m": 8.0},  # no more than the setback of all edges
    ]


def test_limits_that_no_ground_exceeds_have_no_effect_and_no_layout(made, monkeypatch):
    from pacifico.analysis import levers

    plan, dem = made
    solved = []
    real = levers.layout_of
    monkeypatch.setattr(levers, "layout_of", lambda request, *a: (solved.append(request), real(request, *a))[1])
    found = solve_levers(plan, dem)
    assert len(found.items) == 5
    assert len(solved) == 2  # setback and farm: level ground is under every slope and grade limit
    assert found.best_for("too_steep").gain_kw == 0.0


def test_a_limit_whose_layout_is_refused_gains_nothing(made, monkeypatch):
    def refuse(*_):
        raise InputError("no road can start within 60 m of the entry given")

    monkeypatch.setattr("pacifico.analysis.levers.layout_of", refuse)
    plan, dem = made
    found = solve_levers(plan, dem)
    assert len(found.items) == 5
    assert {(lever.gain_kw, lever.more_usd) for lever in found.items} == {(0.0, 0.0)}


def test_shadow_prices_are_those_of_layouts_without_racking(made, make):
    plan, dem = made
    prices = shadow_prices_of(add_racking(plan, dem), dem)
    assert prices.equals(plan.shadow_prices(dem))
    free = generate_layout(make.site(300, 300), dem, target_capacity_kw=50_000)
    gain = free.metrics["total_capacity_kw"] - plan.metrics["total_capacity_kw"]
    more = free.bill_of_quantities().total - plan.bill_of_quantities().total
    farm = prices.loc["exclusion:farm"]
    assert farm["gain_kw"] == pytest.approx(gain, abs=0.1)
    assert farm["more_usd"] == pytest.approx(more, abs=1000.0)
    assert farm["usd_per_kw"] == pytest.approx(more / gain, abs=1.0)
    assert prices["usd_per_kw"].isna().sum() == (prices["gain_kw"] == 0).sum()


def test_every_exclusion_has_a_shadow_price(make):
    zones = tuple(Zone(make.at(30 * n, 200, 30 * n + 10, 210), f"zone {n}") for n in range(MOST_EXCLUSIONS + 2))
    dem = make.dem(make.ground(make.level, 300, 300))
    plan = generate_layout(make.site(300, 300, exclusions=zones), dem, target_capacity_kw=1000)
    assert sum(name.startswith("exclusion:") for name in shadow_prices_of(plan, dem).index) == len(zones)


def test_layouts_side_by_side_are_those_one_after_another(make):
    """Rough ground and several levers: threads share nothing that changes a layout."""
    zones = (Zone(make.at(100, 100, 160, 180), "pond"),)
    dem = make.dem(make.ground(make.rolling, 320, 300))
    plan = generate_layout(make.site(320, 300, exclusions=zones), dem)
    found = {lever.name: lever for lever in solve_levers(plan, dem).items}
    for change in changes(plan):
        alone = generate_layout(change.site, dem, spec=change.spec)
        gain = max(alone.metrics["total_capacity_kw"] - plan.metrics["total_capacity_kw"], 0.0)
        assert found[change.name].gain_kw == pytest.approx(gain, abs=0.06)


def test_of_many_limits_the_most_promising_have_a_layout_and_the_rest_an_estimate(make, monkeypatch):
    from pacifico.analysis import levers

    sides = [10, 12, 14, 16, 18, 60]
    zones = tuple(Zone(make.at(30 + 45 * n, 120, 30 + 45 * n + s, 120 + s), f"zone {n}") for n, s in enumerate(sides))
    dem = make.dem(make.ground(make.level, 350, 300))
    plan = generate_layout(make.site(350, 300, exclusions=zones), dem)
    solved = []
    real = levers.layout_of
    monkeypatch.setattr(levers, "layout_of", lambda request, *a: (solved.append(request), real(request, *a))[1])
    found = {lever.name: lever for lever in solve_levers(plan, dem).items}
    assert len(solved) == levers.MOST_SOLVED
    estimated = {name for name, lever in found.items() if lever.estimated}
    assert len(estimated) == 1 + len(zones) - levers.MOST_SOLVED  # the setback is a limit too
    assert "exclusion:zone 5" not in estimated, "it is the largest"
    assert all(found[name].gain_kw >= 0 for name in estimated)
    usd_per_kw = plan.bill_of_quantities().total / plan.metrics["total_capacity_kw"]
    for name in estimated:
        assert found[name].more_usd == pytest.approx(usd_per_kw * found[name].gain_kw, abs=1000.0)


def test_limits_of_a_plan_that_meets_its_target_have_a_layout_each(make):
    zones = tuple(Zone(make.at(30 * n, 200, 30 * n + 10, 210), f"zone {n}") for n in range(FEW_CHANGES + 1))
    dem = make.dem(make.ground(make.level, 300, 300))
    plan = generate_layout(make.site(300, 300, exclusions=zones), dem, target_capacity_kw=1000)
    assert not plan.shadow_prices(dem)["estimated"].any()


def test_limits_of_a_turned_layout_are_estimated_along_its_rows(make):
    zones = tuple(Zone(make.at(30 + 45 * n, 120, 44 + 45 * n, 134), f"zone {n}") for n in range(6))
    dem = make.dem(make.ground(make.level, 350, 300))
    plan = generate_layout(make.site(350, 300, exclusions=zones), dem, spec={"solar": {"row_azimuth_deg": 90.0}})
    found = solve_levers(plan, dem).items
    assert any(lever.estimated for lever in found)
    assert all(lever.gain_kw >= 0 for lever in found)


def test_a_request_in_a_frame_is_turned_whole(make):
    frame = TurnedFrame(90.0, (make.west, make.south))
    site, overrides = in_frame(make.site(300, 200), {"solar": {"tracker_gcr": 0.4}}, frame)
    assert site.boundary.equals(make.at(-200, 0, 0, 300))
    assert overrides["wind_turbine"]["wind_from_deg"] == 180.0
    assert overrides["solar"] == {"tracker_gcr": 0.4}
