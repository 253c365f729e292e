"""Solving a routing problem: detours around tight bends, dropped terminals, and steps that the caller decides."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import NO_TURNAROUNDS, SQUARE, messages, square_ground, terminal
from fixtures.routing import flat, road_grid
from numpy.testing import assert_array_equal
from shapely import MultiPolygon, Point

from pacifico.layout.model.roads import Terminal
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.network import route_network, search_network
from pacifico.layout.roads.solve import drop_terminals, finish_roads, raise_penalty, settle_roads
from pacifico.layout.routing.problem import RoadSite

TIGHT = "too tight: on the way a road would bend tighter than an inner radius of 12 m"
LEVEL = square_ground(lambda x, y: 0.0)
FAR = 16


def goal(key, x, y, *, priority=1, reach=14.0):
    return Terminal(key, at(x, y, x + 4, y + 4), reach, priority)


def along(count):
    """Terminals beside a road from west to east."""
    return [goal(k, 20 + 40 * k, 158, priority=0) for k in range(count)]


def walls(aisle, *, lane=8.0, second_aisle=False):
    """A lane from west to east, and an aisle that leaves it to the north between two blocks."""
    half, north = aisle / 2, 150 + lane / 2
    west = at(40 if second_aisle else 0, north, 400 - half, 360)
    return [west, at(400 + half, north, 700, 360), at(0, 0, 700, 150 - lane / 2)]


def closed_walls(aisle, *, lane=8.0):
    """The same with the aisle closed in the north: its mouth is the only way in."""
    return [*walls(aisle, lane=lane), at(0, 360, 700, 400)]


SITE = RoadSite(LEVEL, at(0, 0, 700, 400), Point(WEST + 1, SOUTH + 150))


def search(terminals, obstacles):
    return search_network(SITE, terminals, obstacles=obstacles, criteria=NO_TURNAROUNDS)


def route(terminals, obstacles):
    return route_network(
        SITE.ground, SITE.allowed, terminals, entry=SITE.entry, obstacles=obstacles, criteria=NO_TURNAROUNDS
    )


def overlaps(net, blocks):
    strips = [r.line.buffer(r.width_m / 2, cap_style="flat") for r in net.roads]
    return any(s.intersection(b).area > 1e-6 for s in strips for b in blocks)


@pytest.mark.parametrize(("aisle", "served"), [(24.0, True), (7.5, False)])
def test_few_terminals_behind_an_illegal_bend_are_dropped(aisle, served):
    ends = [*along(16), goal(FAR, 398, 340, reach=5.0)]
    blocks = closed_walls(aisle, lane=30.0 if served else 8.0)
    net = route(ends, blocks)
    assert set(net.served) == set(range(16)) | ({FAR} if served else set())
    assert net.unreached == ({} if served else {FAR: Unreached(UnreachedCause.TOO_TIGHT, TIGHT)})
    assert not [w for w in net.warnings if "tighter" in w]
    top = max(r.line.bounds[3] for r in net.roads)
    assert (top > SOUTH + 300) == served, "no road leads to a dropped terminal"
    assert not overlaps(net, blocks)


def test_illegal_bend_stays_with_a_warning_where_many_terminals_need_it():
    net = route([*along(4), goal(FAR, 398, 340, reach=5.0)], closed_walls(7.5))
    assert FAR in net.served
    assert [w for w in net.warnings if "tighter than an inner radius of 12 m" in w]


def test_terminal_behind_a_tight_bend_is_reached_another_way():
    blocks = walls(7.5, second_aisle=True)
    net = route([*along(4), goal(FAR, 398, 340, reach=5.0)], blocks)
    assert FAR in net.served
    assert not [w for w in net.warnings if "tighter" in w]
    assert min(r.line.bounds[0] for r in net.roads if r.line.bounds[3] > SOUTH + 200) < WEST + 40
    assert not overlaps(net, blocks)


def test_caller_drops_terminals_that_are_useless_without_others():
    roads = settle_roads(search([*along(16), goal(FAR, 398, 340, reach=5.0)], closed_walls(7.5)))
    assert roads.unreached == {FAR: Unreached(UnreachedCause.TOO_TIGHT, TIGHT)}
    assert roads.served == set(range(16))
    useless = Unreached(UnreachedCause.BLOCK_INCOMPLETE, "it is useless without the other")
    roads = drop_terminals(roads, {15: useless})
    net = finish_roads(roads)
    assert messages(net) == {15: useless.message, FAR: TIGHT}
    assert set(net.served) == roads.served == set(range(15))
    assert max(r.line.bounds[2] for r in net.roads) < WEST + 615, "no farther than the last terminal served"


def test_steps_give_the_network_of_one_call():
    ends = along(4)
    assert finish_roads(settle_roads(search(ends, walls(24.0)))) == route(ends, walls(24.0))


def test_search_names_what_it_does_not_reach_before_roads_are_finished():
    allowed = MultiPolygon([at(0, 0, 480, 1000), at(520, 0, 1000, 1000)])
    ends = [terminal(3, 300, 500, priority=0), terminal(5, 700, 500)]
    obstacles = [t.footprint for t in ends]
    found = search_network(RoadSite(LEVEL, allowed), ends, obstacles=obstacles, criteria=NO_TURNAROUNDS)
    net = found.without_roads()
    assert (net.roads, net.served) == ((), {})
    assert messages(net) == {5: "no legal route: this part of the site is not connected to the entry"}
    whole = search_network(RoadSite(LEVEL, SQUARE), ends, obstacles=obstacles, criteria=NO_TURNAROUNDS)
    assert whole.unreached == {}


def test_penalty_rises_around_places_and_the_input_stays():
    grid = road_grid(flat(100, 100), at(0, 0, 100, 100), cell=5.0)
    penalty = np.full(grid.px.size, 2.0)
    place = np.array([[grid.x0 + 10 * grid.cell, grid.y0 + 10 * grid.cell]])
    raised = raise_penalty(grid, penalty, place, 3.0).reshape(grid.ny, grid.nx)
    assert (penalty == 2.0).all()
    assert (raised[8:13, 8:13] == 6.0).all()
    assert (raised == 6.0).sum() == 25
    twice = raise_penalty(grid, penalty, np.vstack([place, place]), 3.0).reshape(grid.ny, grid.nx)
    assert_array_equal(twice, raised)


def test_search_starts_from_the_penalty_of_an_earlier_one():
    ends = along(2)
    start = search(ends, walls(24.0)).tree.penalty * 7.0
    found = search_network(SITE, ends, obstacles=walls(24.0), criteria=NO_TURNAROUNDS, penalty=start)
    assert (found.tree.penalty >= 7.0).all()
