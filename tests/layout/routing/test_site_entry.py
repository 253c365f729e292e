"""The site entry: on the boundary, near what is requested, and where roads are short."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, UTM, WEST, at
from shapely import MultiPolygon, Point

from pacifico.errors import InputError
from pacifico.grid import Grid, Ground
from pacifico.layout.routing.routing_grid import Shapes, make_routing_grid
from pacifico.layout.routing.site_entry import (
    NO_ROAD_AT_EDGE,
    Edge,
    cheapest_entry,
    entry_nodes,
    entry_point,
    given_entry,
)
from pacifico.layout.routing.tree_search import Reach, parts

SITE = at(0, 0, 400, 400)
GROUND = Ground(Grid(UTM, WEST - 50, SOUTH + 450, 10.0, 10.0, 50, 50), np.zeros((50, 50)))


def grid_of(allowed=SITE, obstacles=()):
    return make_routing_grid(GROUND, allowed, obstacles, [], half_width_m=3.0, clearance_m=0.25, cell=4.0)


def request(x, y, *, allowed=SITE, wanted=()):
    grid = grid_of(allowed)
    wanted = np.array(wanted, dtype=np.int64)
    return given_entry(grid, Edge.of(grid, SITE), Point(WEST + x, SOUTH + y), allowed, wanted=wanted, parts=parts(grid))


def node_at(grid, x, y):
    nodes = np.flatnonzero(grid.clear > 0)
    return int(nodes[np.argmin(np.hypot(grid.px[nodes] - WEST - x, grid.py[nodes] - SOUTH - y))])


def test_edge_has_outer_rings_only():
    grid = grid_of()
    edge = Edge.of(grid, SITE.difference(at(100, 100, 200, 200)))
    assert edge.line.length == pytest.approx(1600)
    assert edge.far[node_at(grid, 20, 200)] == pytest.approx(20, abs=4)


def test_entry_point_keeps_half_a_road_from_the_boundary():
    grid = grid_of()
    point = entry_point(grid, Edge.of(grid, SITE), node_at(grid, 10, 200))
    assert point[0] - WEST == pytest.approx(3.3)


def test_entry_nodes_lie_in_the_narrowest_band_with_any():
    grid = grid_of()
    edge = Edge.of(grid, SITE)
    assert edge.far[entry_nodes(grid, edge) == 1].max() <= 3.25 + 6.0
    ring = SITE.difference(at(30, 30, 370, 370)).buffer(0)
    inner = grid_of(at(20, 20, 380, 380))
    far = Edge.of(inner, ring)
    assert far.far[entry_nodes(inner, far) == 1].max() <= 30.0


def test_cheapest_entry_is_nearest_the_first_terminal():
    grid = grid_of()
    reach = Reach.of(grid, Shapes.of([at(350, 195, 360, 205), at(20, 20, 30, 30)]), np.full(2, 10.0))
    entry = cheapest_entry(grid, Edge.of(grid, SITE), np.array([0, 1]), reach, max_grade=0.1)
    assert entry.point[0] - WEST > 395
    assert entry.warnings == ()


def test_no_entry_where_nothing_is_in_reach():
    grid = grid_of()
    reach = Reach.of(grid, Shapes.of([at(900, 900, 910, 910)]), np.array([10.0]))
    assert cheapest_entry(grid, Edge.of(grid, SITE), np.array([0]), reach, max_grade=0.1) is None


def test_requested_entry_on_the_edge_stays():
    entry = request(5, 200)
    assert entry.point == pytest.approx((WEST + 5, SOUTH + 200))
    assert entry.warnings == ()


def test_requested_entry_off_the_edge_is_moved_with_a_warning():
    entry = request(40, 200)
    assert 3.25 < entry.point[0] - WEST < 3.8
    assert entry.warnings == (
        "the entry was moved 37 m, to the nearest place on the site's edge where a road can start",
    )


@pytest.mark.parametrize(("x", "where"), [(-75, "75 m outside"), (200, "200 m inside")])
def test_requested_entry_far_from_the_edge_is_refused(x, where):
    with pytest.raises(InputError, match=f"the entry lies {where} the site's edge"):
        request(x, 200)


def test_requested_entry_prefers_the_part_with_the_first_terminals():
    allowed = MultiPolygon([at(0, 0, 400, 180), at(0, 200, 400, 400)])
    grid = grid_of(allowed)
    north = node_at(grid, 200, 300)
    assert request(-5, 175, allowed=allowed).point[1] - SOUTH < 180
    assert request(-5, 175, allowed=allowed, wanted=[north]).point[1] - SOUTH > 200


def test_request_without_any_position_nearby_is_refused():
    with pytest.raises(InputError, match="no road can start within 60 m"):
        request(-5, 20, allowed=at(0, 300, 400, 400))


def entry_with(*roads):
    grid = grid_of()
    reach = Reach.of(grid, Shapes.of([at(350, 195, 360, 205)]), np.full(1, 10.0))
    return cheapest_entry(grid, Edge.of(grid, SITE), np.array([0]), reach, max_grade=0.1, existing=roads)


def test_the_entry_lies_on_an_existing_road():
    found = entry_with(at(-50, 95, 100, 105), at(-20, -30, 420, -20))
    assert found.point[0] - WEST < 5
    assert 95 <= found.point[1] - SOUTH <= 105
    assert found.warnings == ()


def test_without_a_road_into_the_site_the_entry_lies_beside_one():
    found = entry_with(at(-50, -30, 450, -20))
    assert found.point[1] - SOUTH < 5


def test_roads_that_do_not_reach_the_edge_leave_the_entry_to_its_cost():
    found = entry_with(at(100, 100, 200, 110))
    assert found.point[0] - WEST > 395
    assert found.warnings == (NO_ROAD_AT_EDGE,)
