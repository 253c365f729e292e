"""Yards: places to build them at, and blocks built beside roads that are there."""

from collections import Counter

import numpy as np
import pytest
import shapely
from shapely import LineString, Point, box

from pacifico.layout.access.connect import ServedLayout
from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.criteria.spec import STRATEGIES, make_spec
from pacifico.layout.model.roads import Network, Road
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.level_ground import flattest_place
from pacifico.layout.placement.seed_area import surroundings_ha
from pacifico.layout.search.candidate_yards import candidate_yards
from pacifico.layout.search.candidates import topped_up
from pacifico.layout.search.objectives import objective_value
from pacifico.layout.search.problem import DesignProblem
from pacifico.layout.search.relocate_branch import relocate_branch
from pacifico.layout.search.relocate_yard import relocate_yard, yard_of
from pacifico.layout.search.select import best_layout

RULES = make_spec()
BATTERY = asset_type(RULES, "battery")
REACH_M = RULES.number("site", "road_reach_m")


def gentle(x, y):
    return 100.0 + 0.01 * x + 1.5 * np.sin(x / 155.0) * np.cos(y / 175.0)


def block(make, x, y):
    """Battery with its south-western corner there."""
    west, south = make.west + x, make.south + y
    return item_of(BATTERY, np.array([west, south, west + BATTERY.length_m, south + BATTERY.width_m]))


def served(make, items, *ways):
    roads = tuple(
        Road(
            f"R{k:03d}",
            "spur",
            LineString([(make.west + x, make.south + y, 100.0) for x, y in way]),
            6.1,
            1.0,
            0.0,
            0.0,
        )
        for k, way in enumerate(ways)
    )
    entry = Point(make.west + ways[0][0][0], make.south + ways[0][0][1])
    return ServedLayout(tuple(items), tuple(items), (None,) * len(items), Network(roads, entry), ())


def legal(items):
    """Whether blocks keep their clearances and stand off each other's pads."""
    pads = shapely.box(*np.array([i.pad_rect for i in items]).T)
    pairs = shapely.STRtree(pads).query(pads, predicate="intersects").T
    feet = shapely.box(*np.array([i.rect for i in items]).T)
    near = shapely.STRtree(feet).query(feet, predicate="dwithin", distance=BATTERY.clearance_m - 1e-6).T
    return all(i == j for i, j in (*pairs, *near))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_places_are_the_usual_one_first_and_each_once(make, strategy):
    field = make.field(make.site(1500, 1500), make.ground(gentle, 1500, 1500), setback_m=10.0)
    found = candidate_yards(field, RULES, 60_000.0, strategy, None)
    assert found[0].middle == flattest_place(field, RULES, 60_000.0)
    assert len(found) > 4
    assert len({(f.middle, f.metres_per_degree) for f in found}) == len(found)
    assert found == candidate_yards(field, RULES, 60_000.0, strategy, None)
    assert all(field.placeable.buffer(60.0).contains(Point(f.middle)) for f in found)


def test_a_yard_of_little_road_is_sought_near_the_entry(make):
    """Level ground all over: nothing else tells places apart."""
    field = make.field(make.site(2000, 2000), make.ground(make.level, 2000, 2000), setback_m=10.0)
    entry = (make.west, make.south + 1000.0)
    places = candidate_yards(field, RULES, 60_000.0, "clustered", entry)
    far = [np.hypot(f.middle[0] - entry[0], f.middle[1] - entry[1]) for f in places]
    assert min(far) < 300.0 < far[0]


def test_what_no_road_reached_is_built_beside_roads(make):
    field = make.field(make.site(), make.ground(make.level), setback_m=10.0)
    row = [block(make, 100.0 + 40.0 * k, 200.0) for k in range(4)]
    far = [block(make, 500.0, 500.0), block(make, 540.0, 500.0)]
    draft = Draft([*row, *far])
    roads = served(make, row, [(0.0, 190.0), (300.0, 190.0)])
    site = make.site()
    problem = DesignProblem(
        site, field, requested_capacities("bess", 30_000.0, RULES), None, RULES, "bess", 30_000.0, 5_000.0
    )
    more = topped_up(problem, draft, roads)
    assert more is not None
    assert Counter(i.kind for i in more.items) == {"battery": 6}
    assert set(row) < set(more.items)
    assert not set(far) & set(more.items)
    assert legal(more.items)
    line = roads.network.roads[0].line
    for item in set(more.items) - set(row):
        assert box(*item.rect).distance(line) <= REACH_M
        assert box(*item.pad_rect).distance(line) > 3.05
    assert not any(box(*i.rect).intersects(box(*r)) for i in set(more.items) - set(row) for r in more.banned)


def test_nothing_is_topped_up_where_something_else_is_missing(make):
    field = make.field(make.site(), make.ground(make.level), setback_m=10.0)
    row = [block(make, 100.0, 200.0)]
    lost = item_of(asset_type(RULES, "control_center"), np.array([make.west + 400, make.south + 400, 20.0, 20.0]))
    problem = DesignProblem(
        make.site(), field, requested_capacities("bess", 10_000.0, RULES), None, RULES, "bess", 10_000.0, 5_000.0
    )
    assert topped_up(problem, Draft([*row, lost]), served(make, row, [(0.0, 190.0), (300.0, 190.0)])) is None


def test_blocks_that_stick_out_move_in(make):
    field = make.field(make.site(), make.ground(make.level), setback_m=10.0)
    gap = 2 * max(BATTERY.clearance_m, PAD_APRON_M + 0.1)
    row = [block(make, 60.0 + (BATTERY.length_m + gap) * k, 200.0) for k in range(4)]
    alone = block(make, 480.0, 200.0)
    roads = served(make, [*row, alone], [(0.0, 190.0), (560.0, 190.0)])
    yard = yard_of(field, RULES, Draft([*row, alone]), roads)
    assert yard is not None
    after = relocate_yard(yard).items
    assert len(after) == 5
    assert alone not in after
    assert surroundings_ha(after) < surroundings_ha([*row, alone]) - 0.2
    assert legal(after)
    assert all(box(*i.rect).distance(roads.network.roads[0].line) <= REACH_M for i in after)


def test_a_dear_branch_is_given_up(make):
    field = make.field(make.site(), make.ground(make.level), setback_m=10.0)
    row = [block(make, 60.0 + 40.0 * k, 200.0) for k in range(4)]
    alone = block(make, 60.0, 520.0)
    items = [*row, alone]
    roads = served(
        make, items, [(0.0, 190.0), (20.0, 190.0), (220.0, 190.0)], [(20.0, 190.0), (20.0, 510.0), (90.0, 510.0)]
    )
    yard = yard_of(field, RULES, Draft(items), roads)
    assert yard is not None
    moved = next(relocate_branch(field, RULES, yard.movable(), roads, "clustered"))
    assert len(moved.items) == 5
    assert alone not in moved.items
    assert set(row) <= set(moved.items)
    assert legal(moved.items)


@pytest.mark.parametrize(
    ("profile", "target_kw"), [("solar_farm", 9_000.0), ("bess", 60_000.0), ("gas_bess", 40_000.0)]
)
def test_no_strategy_beats_another_at_its_own_measure(make, profile, target_kw):
    site = make.site(900, 900)
    field = make.field(site, make.ground(make.rolling, 900, 900), setback_m=10.0)
    unit = smallest_unit_kw(profile, RULES)
    found = {}
    for strategy in ("density", "low_earthwork", "clustered"):
        problem = DesignProblem(
            site, field, requested_capacities(profile, target_kw, RULES), None, RULES, profile, target_kw, unit
        )
        found[strategy] = best_layout(problem, strategy).served
    for strategy, mine in found.items():
        for other in found.values():
            assert objective_value(problem, mine, strategy) <= objective_value(problem, other, strategy) + 1e-9
