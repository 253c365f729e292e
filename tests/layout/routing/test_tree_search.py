"""Plan geometry: clearances against shapely, the search against straight distances."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import LineString, MultiPolygon, Point, Polygon, box

from pacifico.grid import Grid, Ground
from pacifico.layout.alignment import lines
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing import routing_grid, tree_search

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
ORIGIN = np.array([WEST, SOUTH])


def flat(width=1000.0, height=1000.0, dx=10.0, z=0.0):
    nx, ny = round(width / dx), round(height / dx)
    return Ground(Grid(UTM, WEST, SOUTH + height, dx, dx, ny, nx), np.full((ny, nx), z))


def at(*bounds):
    x0, y0, x1, y1 = bounds
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def road_grid(ground, allowed, obstacles=(), tolls=(), cell=4.0):
    return routing_grid.make_routing_grid(
        ground, allowed, obstacles, tolls, half_width_m=3.0, clearance_m=0.25, cell=cell
    )


def search(lat, start, goals, max_grade=0.1):
    nodes = np.flatnonzero(lat.clear > 0)
    node = nodes[np.argmin(np.hypot(lat.px[nodes] - WEST - start[0], lat.py[nodes] - SOUTH - start[1]))]
    shapes = routing_grid.Shapes.of(goals)
    reach = np.full(len(goals), 15.0)
    table = tree_search.Reach.of(lat, shapes, reach)
    growth = tree_search.search(
        lat, np.array([node]), reach=table, priority=np.ones(len(goals), np.int64), max_grade=max_grade
    )
    return int(node), growth


def track(lat, growth, node):
    path = [node]
    while growth.parent[path[-1]] >= 0:
        path.append(int(growth.parent[path[-1]]))
    return np.column_stack([lat.px[path], lat.py[path]])


def length(xy):
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


@given(st.lists(st.integers(0, 1000).map(lambda v: v / 10), min_size=8, max_size=8))
@settings(max_examples=150, deadline=None)
def test_segment_distance_is_shapelys(c):
    assume(c[:2] != c[2:4] and c[4:6] != c[6:])
    d = np.sqrt(_clearance_kernels.segments_sq(*c))
    assert d == pytest.approx(LineString([c[:2], c[2:4]]).distance(LineString([c[4:6], c[6:]])), abs=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_clear_segments_are_exactly_those_whose_strip_keeps_clear(seed):
    rng = np.random.default_rng(seed)
    allowed = Polygon([(WEST, SOUTH), (WEST + 300, SOUTH + 20), (WEST + 280, SOUTH + 260), (WEST + 30, SOUTH + 300)])
    blocks = [
        shapely.affinity.rotate(at(x, y, x + rng.uniform(5, 40), y + rng.uniform(5, 40)), rng.uniform(0, 90))
        for x, y in rng.uniform(20, 240, (6, 2))
    ]
    lat = road_grid(flat(), allowed, blocks)
    free = allowed.difference(shapely.union_all(blocks))
    nodes = np.flatnonzero(lat.clear > 0)
    assert shapely.contains_xy(free, lat.px[nodes], lat.py[nodes]).all()
    edge = free.boundary
    for n in nodes[:: max(nodes.size // 40, 1)]:
        a = np.array([lat.px[n], lat.py[n]])
        assert Point(a).distance(edge) >= 3.25 - 1e-9
        b = a + rng.uniform(-80, 80, 2)
        line = LineString([a, b])
        distance = line.distance(edge)
        if abs(distance - 3.25) > 1e-6:
            assert lat.clearance_index.clear(a, b) == (distance > 3.25)


def test_positions_are_found_in_aisles_narrower_than_a_cell():
    """A 12 m aisle leaves 5.5 m for the centreline: a 12 m cell finds it wherever the lattice falls."""
    for shift in np.arange(0.0, 12.0, 1.7):
        blocks = [at(100 + shift, 0, 200 + shift, 1000), at(212 + shift, 0, 300 + shift, 1000)]
        lat = road_grid(flat(), at(0, 0, 1000, 1000), blocks, cell=12.0)
        here = (lat.clear > 0) & (lat.px > WEST + 200 + shift) & (lat.px < WEST + 212 + shift)
        ys = np.sort(lat.py[here])
        assert ys.size > 60
        assert np.diff(ys).max() < 30
        part = tree_search.parts(lat)[here]
        assert (part == part[0]).all()


@pytest.mark.parametrize("angle", [0, 7, 13, 22.5, 31, 45, 63, 90, 117, 160])
def test_sixteen_neighbours_overestimate_by_less_than_3_percent_and_pulling_ends_it(angle):
    lat = road_grid(flat(2000, 2000), at(0, 0, 2000, 2000), cell=5.0)
    goal = np.array([1000 + 800 * np.cos(np.radians(angle)), 1000 + 800 * np.sin(np.radians(angle))])
    target = at(goal[0] - 1, goal[1] - 1, goal[0] + 1, goal[1] + 1)
    _, growth = search(lat, (1000, 1000), [target])
    xy = track(lat, growth, int(growth.server[0]))
    straight = float(np.hypot(*(xy[0] - xy[-1])))
    assert length(xy) <= straight * 1.0275 + 1e-6
    none = np.zeros(0, np.int64)
    pulled = lines.pull(
        lat, xy, bound_at=none, bound=none, shapes=routing_grid.Shapes.of([]), reach=np.zeros(0), max_grade=0.1
    )
    assert pulled.shape == (2, 2)
    assert length(pulled) == pytest.approx(straight)


def test_route_passes_the_gap_in_a_wall():
    wall = [at(480, 0, 520, 600), at(480, 620, 520, 1000)]
    lat = road_grid(flat(), at(0, 0, 1000, 1000), wall)
    _, growth = search(lat, (100, 100), [at(900, 90, 920, 110)])
    xy = track(lat, growth, int(growth.server[0]))
    inside = xy[(xy[:, 0] > WEST + 480) & (xy[:, 0] < WEST + 520)]
    assert inside.size
    assert inside[:, 1].min() > SOUTH + 600
    assert inside[:, 1].max() < SOUTH + 620


def test_positions_by_terminal_are_those_within_reach():
    goals = [at(300, 300, 310, 310), at(302, 318, 312, 328), at(2000, 2000, 2010, 2010), at(500, 500, 510, 520)]
    lat = road_grid(flat(), at(0, 0, 1000, 1000), goals[:1])
    nodes = np.flatnonzero(lat.clear > 0)
    places = shapely.points(lat.px[nodes], lat.py[nodes])
    found = tree_search.Reach.of(lat, routing_grid.Shapes.of(goals), np.full(4, 14.0)).by_terminal(4)
    assert len(found) == 4
    for goal, own in zip(goals, found, strict=True):
        np.testing.assert_array_equal(own, nodes[shapely.distance(places, goal) <= 14.0])


def test_a_closed_wall_is_not_passed():
    lat = road_grid(flat(), at(0, 0, 1000, 1000), [at(480, -10, 520, 1010)])
    node, growth = search(lat, (100, 100), [at(900, 90, 920, 110)])
    assert growth.server[0] == -1
    assert np.nanmax(np.where(np.isfinite(growth.dist), lat.px, np.nan)) < WEST + 480
    parts = tree_search.parts(lat)
    assert len(set(parts[parts >= 0].tolist())) == 2
    assert parts[node] >= 0


def test_a_ridge_is_crossed_at_its_saddle():
    ground = flat()
    x, y = np.meshgrid(ground.grid.x_centres() - WEST, ground.grid.y_centres() - SOUTH)
    crest = np.exp(-(((x - 500) / 60) ** 2)) * np.where(np.abs(y - 800) < 60, 0.0, 60.0)
    lat = road_grid(Ground(ground.grid, crest), at(0, 0, 1000, 1000))
    _, growth = search(lat, (100, 200), [at(890, 190, 910, 210)])
    xy = track(lat, growth, int(growth.server[0]))
    over = xy[np.abs(xy[:, 0] - WEST - 500) < 30]
    assert over.size
    assert (np.abs(over[:, 1] - SOUTH - 800) < 75).all()


def test_nodata_is_gone_round():
    ground = flat()
    ground.z[10:95, 48:52] = np.nan
    lat = road_grid(ground, at(0, 0, 1000, 1000))
    _, growth = search(lat, (100, 500), [at(890, 490, 910, 510)])
    xy = track(lat, growth, int(growth.server[0]))
    dense = shapely.get_coordinates(shapely.segmentize(LineString(xy), 0.5))
    assert np.isfinite(ground.at(dense[:, 0], dense[:, 1])).all()
    strip = shapely.get_coordinates(shapely.segmentize(LineString(xy).buffer(3.0, cap_style="flat"), 0.5))
    assert np.isfinite(ground.at(strip[:, 0], strip[:, 1])).all()


def test_roads_keep_off_heights_that_reach_farther_than_the_source_knows():
    ground = flat()
    ground.z[10:95, 48:52] = np.nan
    unsure = replace(ground, unsure_m=9.0)
    near = []
    for g in (ground, unsure):
        lat = road_grid(g, at(0, 0, 1000, 1000))
        _, growth = search(lat, (100, 500), [at(890, 490, 910, 510)])
        way = LineString(track(lat, growth, int(growth.server[0]))).buffer(3.0, cap_style="flat")
        near.append(way.distance(at(480, 50, 520, 900)))
    assert near[1] > near[0] + 6.0 > 18.0


def test_dear_ground_is_gone_round_and_crossed_where_it_must_be():
    dear = at(400, 300, 600, 1000)
    target = [at(890, 690, 910, 710)]
    free = road_grid(flat(), at(0, 0, 1000, 1000))
    tolled = road_grid(flat(), at(0, 0, 1000, 1000), tolls=[(dear, 10.0)])
    barred = road_grid(flat(), at(0, 0, 1000, 1000), tolls=[(at(400, 0, 600, 1000), 10.0)])
    crossed = [
        LineString(track(lat, g, int(g.server[0]))).intersection(dear).length
        for lat, g in ((lat, search(lat, (100, 700), target)[1]) for lat in (free, tolled, barred))
    ]
    assert crossed[0] > 190
    assert crossed[1] < 10
    assert crossed[2] > 190


def test_pulling_keeps_what_inner_points_serve():
    lat = road_grid(flat(), at(0, 0, 1000, 1000))
    detour = np.array([[100.0, 100.0], [300.0, 300.0], [500.0, 100.0]]) + ORIGIN
    goal = [at(290, 310, 310, 320)]
    shapes, reach = routing_grid.Shapes.of(goal), np.array([15.0])
    one, none = np.array([0], np.int64), np.zeros(0, np.int64)
    kept = lines.pull(lat, detour, bound_at=one + 1, bound=one, shapes=shapes, reach=reach, max_grade=0.1)
    assert LineString(kept).distance(goal[0]) <= 15.0
    freed = lines.pull(lat, detour, bound_at=none, bound=none, shapes=shapes, reach=reach, max_grade=0.1)
    assert len(freed) == 2


@pytest.mark.parametrize("turn", [30, 60, 90, 120])
def test_bends_get_their_radius_where_there_is_room(turn):
    lat = road_grid(flat(), at(0, 0, 1000, 1000))
    end = np.array([300 + 200 * np.cos(np.radians(turn)), 300 + 200 * np.sin(np.radians(turn))])
    xy = np.array([[100.0, 300.0], [300.0, 300.0], end]) + ORIGIN
    line, tight = lines.round_bends(lat, xy, radius_m=15.0)
    assert tight == 0
    assert_allclose(line[[0, -1]], xy[[0, -1]])
    centre = np.array([300 - 15 * np.tan(np.radians(turn / 2)), 315.0]) + ORIGIN
    assert_allclose(np.hypot(*(line[1:-1] - centre).T), 15.0, atol=1e-6)


def test_bends_without_room_stay_legal_and_are_counted():
    blocks = [at(0, 0, 494, 494), at(506, 0, 1000, 494), at(0, 506, 1000, 1000)]
    lat = road_grid(flat(), at(0, 0, 1000, 1000), blocks)
    xy = np.array([[500.0, 300.0], [500.0, 500.0], [700.0, 500.0]]) + ORIGIN
    line, tight = lines.round_bends(lat, xy, radius_m=15.0)
    assert tight == 1
    assert len(line) > 3
    strip = LineString(line).buffer(3.0, cap_style="flat")
    assert not any(strip.intersects(b) for b in blocks)


def test_allowed_ground_may_have_holes_and_parts():
    hole = at(300, 300, 700, 700)
    allowed = MultiPolygon([at(0, 0, 900, 900).difference(hole), at(950, 0, 1000, 900)])
    lat = road_grid(flat(), allowed)
    nodes = np.flatnonzero(lat.clear > 0)
    inner = allowed.buffer(-3.25 + 1e-6)
    assert shapely.contains_xy(inner, lat.px[nodes], lat.py[nodes]).all()
    assert len(set(tree_search.parts(lat)[nodes].tolist())) == 2
