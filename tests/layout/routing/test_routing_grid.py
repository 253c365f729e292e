"""Routing grid: positions, clearance, nodata and cost."""

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, WEST, at
from fixtures.routing import flat, road_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon

from pacifico.layout.routing import tree_search
from pacifico.layout.routing.routing_grid import Shapes, cell_size, make_routing_grid, parts_of


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_segments_are_clear_exactly_when_their_distance_from_edges_suffices(seed):
    rng = np.random.default_rng(seed)
    allowed = Polygon([(WEST, SOUTH), (WEST + 300, SOUTH + 20), (WEST + 280, SOUTH + 260), (WEST + 30, SOUTH + 300)])
    blocks = [
        shapely.affinity.rotate(at(x, y, x + rng.uniform(5, 40), y + rng.uniform(5, 40)), rng.uniform(0, 90))
        for x, y in rng.uniform(20, 240, (6, 2))
    ]
    grid = road_grid(flat(), allowed, blocks)
    free = allowed.difference(shapely.union_all(blocks))
    nodes = np.flatnonzero(grid.clear > 0)
    assert shapely.contains_xy(free, grid.px[nodes], grid.py[nodes]).all()
    edge = free.boundary
    for n in nodes[:: max(nodes.size // 40, 1)]:
        a = np.array([grid.px[n], grid.py[n]])
        assert Point(a).distance(edge) >= 3.25 - 1e-9
        b = a + rng.uniform(-80, 80, 2)
        line = LineString([a, b])
        distance = line.distance(edge)
        if abs(distance - 3.25) > 1e-6:
            assert grid.clearance_index.clear(a, b) == (distance > 3.25)


def test_allowed_ground_may_have_holes_and_parts():
    hole = at(300, 300, 700, 700)
    allowed = MultiPolygon([at(0, 0, 900, 900).difference(hole), at(950, 0, 1000, 900)])
    grid = road_grid(flat(), allowed)
    nodes = np.flatnonzero(grid.clear > 0)
    inner = allowed.buffer(-3.25 + 1e-6)
    assert shapely.contains_xy(inner, grid.px[nodes], grid.py[nodes]).all()
    assert len(set(tree_search.parts(grid)[nodes].tolist())) == 2


@pytest.mark.parametrize(("area_m2", "cell_m"), [(0.0, 3.0), (1e6, 3.6), (9e6, 5.8), (1e9, 12.0)])
def test_cell_size_grows_with_the_site(area_m2, cell_m):
    assert cell_size(area_m2) == pytest.approx(cell_m)


def test_rings_of_shapes_are_outer_rings_in_order():
    first, second = at(0, 0, 10, 10), at(20, 0, 30, 10).difference(at(22, 2, 24, 4))
    shapes = Shapes.of([first, second])
    assert_allclose(shapes.ring(0), shapely.get_coordinates(first.exterior))
    assert_allclose(shapes.ring(1), shapely.get_coordinates(second.exterior))


def test_parts_of_a_geometry_are_its_polygons():
    part = at(0, 0, 10, 10)
    assert parts_of(GeometryCollection([Point(0, 0), part, LineString([(0, 0), (1, 1)])])) == [part]


def test_overlapping_cost_zones_count_the_largest_multiplier():
    zones = [(at(0, 0, 60, 100), 2.0), (at(40, 0, 100, 100), 5.0)]
    grid = road_grid(flat(200, 200), at(0, 0, 200, 200), cost_zones=zones)
    row = grid.cost_factor[10]
    x = grid.x0 - WEST + grid.cell * np.arange(grid.nx)
    assert set(row[x < 40]) == {2.0}
    assert set(row[(x > 40) & (x < 100)]) == {5.0}
    assert set(row[x > 100]) == {1.0}


def test_earthwork_on_a_slope_raises_the_cost():
    """A road of 6 m across a slope of 10 % moves 0.1 x 6² / 4 m³ a metre."""
    ground = flat(400, 400)
    ground.z[:] = 0.1 * (ground.grid.x_centres() - WEST)
    site = at(100, 100, 300, 300)
    grid = make_routing_grid(ground, site, [], [], half_width_m=3.0, clearance_m=0.25, cell=4.0, earth_price=2.0)
    inner = grid.cost_factor[10:-10, 10:-10]
    assert_allclose(inner, 1.0 + 2.0 * 0.1 * 6.0**2 / 4, rtol=1e-6)


def test_nodata_has_no_positions():
    ground = flat(400, 400)
    ground.z[15:25, 15:25] = np.nan
    grid = road_grid(ground, at(0, 0, 400, 400))
    free = grid.clear > 0
    hole = at(150, 150, 250, 250)
    assert shapely.distance(hole, shapely.points(grid.px[free], grid.py[free])).min() >= 3.0
    assert grid.nodata_mask.crossed(np.array([WEST + 100, SOUTH + 200]), np.array([WEST + 300, SOUTH + 200]))
    assert not grid.nodata_mask.crossed(np.array([WEST + 100, SOUTH + 50]), np.array([WEST + 300, SOUTH + 50]))


def test_heights_at_positions_follow_a_plane():
    ground = flat(400, 400)
    ground.z[:] = 0.05 * (ground.grid.x_centres() - WEST)
    grid = road_grid(ground, at(100, 100, 300, 300))
    free = (grid.clear > 0) & (np.abs(grid.px - WEST - 200) < 60)
    assert_allclose(grid.heights[free], 0.05 * (grid.px[free] - WEST), atol=1e-9)
