"""Arrays give up their ends where a road has no room to turn: as few units as it takes, and none where there is room."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS
from shapely import Point, box

from pacifico import generate_layout
from pacifico.errors import NoBuildableGroundError
from pacifico.grid import Grid, Ground
from pacifico.layout.access.connect import _left
from pacifico.layout.alignment.horizontal import rounded
from pacifico.layout.alignment.smoothing import NOTHING, smooth
from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.roads import Network, RoadCriteria, Terminal
from pacifico.layout.placement.draft import item_of
from pacifico.layout.roads.network import _case, route_network
from pacifico.layout.routing.problem import SmoothingMemo

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
RULES = RoadCriteria()
UNIT, GAP = 23.0, 1.5


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def level(size=600.0):
    n = int(size / 10) + 20
    return Ground(Grid(UTM, WEST - 100, SOUTH + size + 100, 10.0, 10.0, n, n), np.zeros((n, n)))


def array(key, west, south, units, *, height=60.0, reach=60.0):
    """Array of units from its western end."""
    return Terminal(
        key, at(west, south, west + units * UNIT - GAP, south + height), reach, units=units, unit_m=UNIT
    )  # fmt: skip


def rest(one, given_up):
    """What is left of an array."""
    west, south, east, north = one.footprint.bounds
    a, b = given_up.get(one.key, (0, 0))
    return None if a + b >= one.units else box(west + a * UNIT, south, east - b * UNIT, north)


def laid(arrays, walls, entry, **more):
    return route_network(
        level(), at(0, 0, 600, 400), arrays, entry=entry, criteria=RULES,
        obstacles=[*(a.footprint for a in arrays), *walls], **more,
    )  # fmt: skip


def assert_clear(net, left, walls):
    strips = [r.line.buffer(r.width_m / 2, cap_style="flat") for r in net.roads]
    for one in [*(x for x in left if x is not None), *walls]:
        assert max(strip.intersection(one).area for strip in strips) < 1e-6


def lane(units=4):
    """A lane of 13 m between two arrays, closed at its end, and two arrays at its end that call the road in."""
    arrays = [array("s", 173, 133.5, units), array("n", 173, 206.5, units)]
    last = [Terminal("e", at(258, 270, 262, 275), 74.0)]
    walls = [at(0, 0, 173, 193.5), at(0, 206.5, 173, 400), at(263.5, 0, 600, 400)]
    return arrays, last, walls


def test_a_lane_that_ends_between_two_arrays_takes_one_unit():
    arrays, last, walls = lane()
    net = laid([*arrays, *last], walls, Point(WEST + 1, SOUTH + 200))
    assert net.warnings == ()
    assert sum(map(sum, net.given_up.values())) == 1
    assert not net.unreached
    (arm,) = [r for r in net.roads if r.length_m == pytest.approx(18.3)]
    assert_clear(net, [rest(a, net.given_up) for a in arrays], walls)
    assert any(arm.line.intersects(a.footprint) for a in arrays)


def test_arrays_without_units_to_give_up_keep_theirs():
    arrays, last, walls = lane()
    whole = [replace(a, units=0) for a in arrays]
    net = laid([*whole, *last], walls, Point(WEST + 1, SOUTH + 200))
    assert net.given_up == {}
    assert net.warnings == ("dead ends over 45 m without room for a turnaround: 1",)


def test_a_lane_with_room_at_its_end_takes_none():
    arrays, last, walls = lane()
    net = laid([*arrays, *last], walls[:2], Point(WEST + 1, SOUTH + 200))
    assert net.given_up == {}
    assert net.warnings == ()


def corner(aisle):
    """An aisle from the south that turns east between two arrays and walls."""
    h = aisle / 2
    arrays = [array("in", 300 + h, 140 - h, 4, reach=30.0)]
    walls = [at(0, 0, 300 - h, 400), at(300 + h, 0, 600, 140 - h), at(300 - h, 200 + h, 600, 400), at(400, 140 - h, 600, 200 - h)]  # fmt: skip
    goal = [Terminal("goal", at(560, 201 - h, 570, 202 - h), 20.0)]
    return arrays, goal, walls


def test_an_aisle_too_narrow_to_turn_takes_the_corner_of_an_array():
    arrays, goal, walls = corner(8.0)
    site = {"entry": Point(WEST + 300, SOUTH + 1)}
    fixed = laid([*(replace(a, units=0) for a in arrays), *goal], walls, **site)
    assert [w for w in fixed.warnings if "bends tighter" in w]
    net = laid([*arrays, *goal], walls, **site)
    assert not [w for w in net.warnings if "bends tighter" in w or "turns at" in w]
    assert net.given_up == {"in": (1, 0)}
    assert_clear(net, [rest(a, net.given_up) for a in arrays], walls)


def test_what_was_found_out_about_bends_holds_beside_what_was_given_up():
    """One memory for the fences before and after gives what a new one for each does, and these differ."""
    arrays, goal, walls = corner(8.0)
    terminals = [*arrays, *goal]
    obstacles = [*(a.footprint for a in arrays), *walls]
    problem = _case(
        level(), at(0, 0, 600, 400), terminals=terminals, obstacles=obstacles, criteria=RULES, cost_zones=()
    )
    less = problem.shortenable.shorter(0, 1, 0)
    smaller = replace(problem, road_grid=less.road_grid(), shortenable=less)
    line = np.add([[300.2, 3.3], [300.2, 196.0], [303.0, 200.3], [541.2, 200.3]], (WEST, SOUTH))

    def bent(problem):
        (out,) = smooth(problem, [line], [-1], [[1]], np.array([15.05]), fixed=(), keep=NOTHING)
        corner = line[[0, 1, 3]]
        return out, rounded(problem, out, [1], NOTHING, 15.05), rounded(problem, corner, [1], NOTHING, 15.05)

    once, twice, again = (bent(c) for c in (problem, smaller, problem))
    for one, other in ((once, problem), (twice, smaller), (again, problem)):
        for a, b in zip(one, bent(replace(other, eased=SmoothingMemo())), strict=True):
            assert np.array_equal(a, b)
    assert not any(np.array_equal(a, b) for a, b in zip(once, twice, strict=True))


def test_a_junction_too_narrow_to_turn_takes_the_corner_of_an_array():
    """North along an aisle and off to the east: the branch leaves it at a right angle."""
    arrays, goal, walls = corner(8.0)
    walls[2] = at(304, 204, 600, 400)
    on = Terminal("on", at(297, 390, 303, 395), 20.0, 0)
    site = {"entry": Point(WEST + 300, SOUTH + 1)}
    fixed = laid([*(replace(a, units=0) for a in arrays), *goal, on], walls, **site)
    assert [w for w in fixed.warnings if "bends tighter" in w or "turns at" in w]
    net = laid([*arrays, *goal, on], walls, **site)
    assert not [w for w in net.warnings if "bends tighter" in w or "turns at" in w]
    assert sum(map(sum, net.given_up.values())) <= 2
    assert_clear(net, [rest(a, net.given_up) for a in arrays], walls)


def test_a_block_of_a_yard_gives_way_to_a_turnaround_where_no_target_is_missed_by_it(make, road_faults):
    site, dem = make.site(320, 100), make.dem(make.ground(make.level, 320, 100))
    full = generate_layout(site, dem, profile="bess", setback_m=5)
    batteries = [a for a in full.asset_list if a.item.kind == "battery"]
    assert [(u.kind, u.count) for u in full.unplaced if "for vehicles to turn" in u.reason] == [("battery", 1)]
    assert road_faults(full.to_geojson()).dead_ends == 0
    assert len(full.pad_list) == len(full.asset_list)
    # asked for one more it stands, however vehicles turn
    more = 5000 * (len(batteries) + 1)
    plan = generate_layout(site, dem, profile="bess", setback_m=5, target_capacity_kw=more)
    assert sum(a.item.storage_kw for a in plan.asset_list) == more
    assert not [u for u in plan.unplaced if u.kind == "battery"]


@pytest.mark.parametrize("target", [None, 9_000.0])
def test_what_was_given_up_is_taken_off_the_plan_and_made_up_for(make, target, road_faults):
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
    """What is measured is what is said."""
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
def test_every_bend_and_dead_end_has_room_or_is_warned_of(make, road_faults, width, depth, waves, share):
    def height(x, y):
        return 100.0 + waves[2] * np.sin(x / waves[0]) * np.cos(y / waves[1])

    site, dem = make.site(width, depth), make.dem(make.ground(height, width, depth))
    target = None if share is None else share * 40.0 * width * depth / 1e3
    try:
        plan = generate_layout(site, dem, target_capacity_kw=target)
    except NoBuildableGroundError:
        return
    assert_warned(plan.warnings, road_faults(plan.to_geojson()))


def test_who_stays_keeps_its_road_under_its_new_number():
    spot = item_of(asset_type(make_spec(), "battery"), np.array([0.0, 0.0, 30.0, 20.0]))
    items = [replace(spot, block=k) for k in range(4)]
    network = Network((), None, {"0": "R1", "2": "R2", "3": "R1"}, {"1": "too steep"}, given_up={"3": (1, 0)})
    left, renumbered = _left(items, network, {1: "too steep", 2: "of no use"})
    assert [i.block for i in left] == [0, 3]
    assert renumbered.served == {"0": "R1", "1": "R1"}
    assert renumbered.given_up == {"1": (1, 0)}
    assert renumbered.unreached == {}
