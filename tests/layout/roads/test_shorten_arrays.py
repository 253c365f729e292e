"""Arrays lose as few units as roads need to bend and turn, and none where there is room."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, UTM, WEST, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point, box

from pacifico import generate_layout
from pacifico.errors import NoBuildableGroundError
from pacifico.grid import Grid, Ground
from pacifico.layout.grade_lines.side_slopes import side_slope_lines
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.roads.network import route_network
from pacifico.layout.roads.shorten_arrays import shorten_for_side_slopes
from pacifico.layout.routing.problem import RoadSite, make_routing_problem

CRITERIA = RoadCriteria()
UNIT, GAP = 23.0, 1.5


def level(size=600.0):
    n = int(size / 10) + 20
    return Ground(Grid(UTM, WEST - 100, SOUTH + size + 100, 10.0, 10.0, n, n), np.zeros((n, n)))


def array(key, west, south, units, *, height=60.0, reach=60.0):
    """Array of so many units from its western end."""
    return Terminal(
        key, at(west, south, west + units * UNIT - GAP, south + height), reach, units=units, unit_m=UNIT
    )  # fmt: skip


def remaining(one, removed_units):
    """Rectangle that is left of an array."""
    west, south, east, north = one.footprint.bounds
    a, b = removed_units.get(one.key, (0, 0))
    return None if a + b >= one.units else box(west + a * UNIT, south, east - b * UNIT, north)


def route(arrays, walls, entry, **more):
    return route_network(
        level(), at(0, 0, 600, 400), arrays, entry=entry, criteria=CRITERIA,
        obstacles=[*(a.footprint for a in arrays), *walls], **more,
    )  # fmt: skip


def assert_clear(net, left, walls):
    strips = [r.line.buffer(r.width_m / 2, cap_style="flat") for r in net.roads]
    for one in [*(x for x in left if x is not None), *walls]:
        assert max(strip.intersection(one).area for strip in strips) < 1e-6


def lane(units=4):
    """A lane of 13 m between two arrays, closed at its end, and a terminal that draws the road in."""
    arrays = [array(0, 173, 133.5, units), array(1, 173, 206.5, units)]
    last = [Terminal(2, at(258, 270, 262, 275), 74.0)]
    walls = [at(0, 0, 173, 193.5), at(0, 206.5, 173, 400), at(263.5, 0, 600, 400)]
    return arrays, last, walls


def test_lane_that_ends_between_two_arrays_removes_one_unit():
    arrays, last, walls = lane()
    net = route([*arrays, *last], walls, Point(WEST + 1, SOUTH + 200))
    assert net.warnings == ()
    assert sum(map(sum, net.removed_units.values())) == 1
    assert not net.unreached
    (arm,) = [r for r in net.roads if r.length_m == pytest.approx(18.3)]
    assert_clear(net, [remaining(a, net.removed_units) for a in arrays], walls)
    assert any(arm.line.intersects(a.footprint) for a in arrays)


def road_beside_an_array(z, *, units=6, least=1, south=210.0):
    """Units that an array loses whose side is 10 m north of a level road at a height over level ground."""
    one = replace(array(0, 100.0, south, units), least_units=least)
    problem = make_routing_problem(
        RoadSite(level(), at(0, 0, 600, 400)), [one], obstacles=[one.footprint], criteria=CRITERIA
    )
    line = np.array([(WEST + 20.0, SOUTH + 200.0, z), (WEST + 120.0, SOUTH + 200.0, z)])
    slopes = side_slope_lines([line], problem.ground, width_m=6.0, side_slope=2.0)
    return shorten_for_side_slopes(slopes, [line], problem.shortenable)


@pytest.mark.parametrize("z", [4.0, -4.0])
def test_side_slopes_take_the_units_that_they_reach(z):
    """The road ends 20 m along the array, within its first unit; slopes of 8 m reach it over 7 m."""
    assert road_beside_an_array(z).removed.tolist() == [[1, 0]]


@pytest.mark.parametrize("z", [0.0, 3.6, -3.6])
def test_arrays_beyond_the_side_slopes_stay_whole(z):
    assert road_beside_an_array(z).removed_units == 0


def test_an_array_that_would_be_too_short_beside_a_side_slope_goes():
    found = road_beside_an_array(4.0, least=6)
    assert found.removed_terminals == {0}


def test_arrays_without_units_are_not_shortened():
    arrays, last, walls = lane()
    whole = [replace(a, units=0) for a in arrays]
    net = route([*whole, *last], walls, Point(WEST + 1, SOUTH + 200))
    assert net.removed_units == {}
    assert net.warnings == ("dead ends over 45 m without room for a turnaround: 1",)


def test_lane_with_room_at_its_end_removes_nothing():
    arrays, last, walls = lane()
    net = route([*arrays, *last], walls[:2], Point(WEST + 1, SOUTH + 200))
    assert net.removed_units == {}
    assert net.warnings == ()


def corner(aisle):
    """An aisle from the south that turns east between two arrays and walls."""
    h = aisle / 2
    arrays = [array(0, 300 + h, 140 - h, 4, reach=30.0)]
    walls = [at(0, 0, 300 - h, 400), at(300 + h, 0, 600, 140 - h), at(300 - h, 200 + h, 600, 400), at(400, 140 - h, 600, 200 - h)]  # fmt: skip
    goal = [Terminal(1, at(560, 201 - h, 570, 202 - h), 20.0)]
    return arrays, goal, walls


def test_bend_in_a_narrow_aisle_removes_the_corner_of_an_array():
    arrays, goal, walls = corner(8.0)
    site = {"entry": Point(WEST + 300, SOUTH + 1)}
    fixed = route([*(replace(a, units=0) for a in arrays), *goal], walls, **site)
    assert [w for w in fixed.warnings if "bends tighter" in w]
    net = route([*arrays, *goal], walls, **site)
    assert not [w for w in net.warnings if "bends tighter" in w or "turns at" in w]
    assert net.removed_units == {0: (1, 0)}
    assert_clear(net, [remaining(a, net.removed_units) for a in arrays], walls)


def test_turn_at_a_narrow_junction_removes_the_corner_of_an_array():
    """The branch leaves an aisle to the east at a right angle."""
    arrays, goal, walls = corner(8.0)
    walls[2] = at(304, 204, 600, 400)
    on = Terminal(2, at(297, 390, 303, 395), 20.0, 0)
    site = {"entry": Point(WEST + 300, SOUTH + 1)}
    fixed = route([*(replace(a, units=0) for a in arrays), *goal, on], walls, **site)
    assert [w for w in fixed.warnings if "bends tighter" in w or "turns at" in w]
    net = route([*arrays, *goal, on], walls, **site)
    assert not [w for w in net.warnings if "bends tighter" in w or "turns at" in w]
    assert sum(map(sum, net.removed_units.values())) <= 2
    assert_clear(net, [remaining(a, net.removed_units) for a in arrays], walls)


def test_block_of_a_yard_is_removed_for_a_turnaround_unless_the_target_needs_it(make, road_faults):
    site, dem = make.site(240, 110), make.dem(make.ground(make.level, 240, 110))
    full = generate_layout(site, dem, profile="bess", setback_m=5)
    batteries = [a for a in full.asset_list if a.item.kind == "battery"]
    assert [(u.kind, u.count) for u in full.unplaced if "for vehicles to turn" in u.reason] == [("battery", 1)]
    assert road_faults(full.to_geojson()).dead_ends == 0
    assert len(full.pad_list) == len(full.asset_list)
    # a target of one block more keeps it, turnaround or not
    more = 5000 * (len(batteries) + 1)
    plan = generate_layout(site, dem, profile="bess", setback_m=5, target_capacity_kw=more)
    assert sum(a.item.storage_kw for a in plan.asset_list) == more
    assert not [u for u in plan.unplaced if u.kind == "battery"]


@pytest.mark.parametrize("target", [None, 9_000.0])
def test_removed_units_leave_the_plan_and_are_built_elsewhere(make, target, road_faults):
    site = make.site(900, 600)
    plan = generate_layout(site, make.dem(make.ground(make.rolling, 900, 600)), target_capacity_kw=target)
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    assert sum(a.item.capacity_kw for a in arrays) == pytest.approx(plan.metrics["total_capacity_kw"])
    boxes = np.array([a.footprint for a in arrays])
    pairs = shapely.STRtree(boxes).query(boxes, predicate="intersects").T
    assert all(i == j for i, j in pairs.tolist())
    roads = {r.road_id: r for r in plan.road_list}
    assert all(roads[a.service_road_id].line.distance(a.footprint) <= 80 for a in arrays)
    if target:
        assert target - 105 < plan.metrics["total_capacity_kw"] <= target
    faults = road_faults(plan.to_geojson())
    assert_warned(plan.warnings, faults)


def assert_warned(warnings, faults):
    """Check that warnings count the faults that are measured."""
    said = {w.split(":")[0][:9]: int(w.rsplit(":", 1)[1]) for w in warnings if w.startswith(("road bend", "dead ends"))}
    assert said.get("dead ends", 0) == faults.dead_ends
    assert len(faults.bends) <= said.get("road bend", 0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(350, 900),
    depth=st.integers(350, 700),
    waves=st.tuples(st.floats(40, 160), st.floats(40, 160), st.floats(0, 8)),
    share=st.sampled_from([None, 0.5]),
)
def test_every_tight_bend_and_dead_end_is_reported(make, road_faults, width, depth, waves, share):
    def height(x, y):
        return 100.0 + waves[2] * np.sin(x / waves[0]) * np.cos(y / waves[1])

    site, dem = make.site(width, depth), make.dem(make.ground(height, width, depth))
    target = None if share is None else share * 40.0 * width * depth / 1e3
    try:
        plan = generate_layout(site, dem, target_capacity_kw=target)
    except NoBuildableGroundError:
        return
    assert_warned(plan.warnings, road_faults(plan.to_geojson()))
