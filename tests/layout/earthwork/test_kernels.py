"""Kernels of earthwork on small cases with known values; fast also where numba compiles nothing."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose, assert_array_equal
from shapely import affinity

from pacifico.layout.earthwork import _batter_kernels as batters
from pacifico.layout.earthwork import _earthwork_kernels as earthwork
from pacifico.layout.earthwork import _plane_kernels as planes
from pacifico.layout.earthwork import _tile_kernels as tiles
from pacifico.layout.earthwork._kernel_types import (
    GridFrame,
    PadOutlines,
    Plane,
    PlaneSearch,
    RoadLines,
    SideSlope,
)

GRID = GridFrame(-40.0, 40.0, 1.0, 2.0)
"""80 columns of 1 m and 40 rows of 2 m about the origin."""
SQUARE = [(-5.0, -5.0), (5.0, -5.0), (5.0, 5.0), (-5.0, 5.0)]
ELL = [(-6.0, -6.0), (6.0, -6.0), (6.0, 0.0), (0.0, 0.0), (0.0, 6.0), (-6.0, 6.0)]
SIDE = SideSlope(2.0, 0.5, 30.0)
NONE = np.empty((0, 4))


def ground(height):
    """Heights at the cells' centres of a function of x and y."""
    x, y = np.meshgrid(-39.5 + np.arange(80.0), 39.0 - 2 * np.arange(40.0))
    return np.broadcast_to(np.asarray(height(x, y), float), x.shape).copy()


def edges_of(*rings):
    """Edges of rings, and the edge that follows each."""
    edges, following, start = [], [], 0
    for ring in rings:
        edges += [(*a, *b) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
        following += [start + (k + 1) % len(ring) for k in range(len(ring))]
        start += len(ring)
    return np.array(edges), np.array(following, dtype=np.int64)


def areas(px, py):
    return np.array([shapely.Polygon(np.column_stack([x[:4], y[:4]])).area for x, y in zip(px, py, strict=True)])


def integral(corners):
    """Area, volume and moments of the positive part of a triangle, by clipping: corners of x, y and residual."""
    kept = []
    for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
        if a[2] >= 0:
            kept.append(a)
        if a[2] * b[2] < 0:
            t = a[2] / (a[2] - b[2])
            kept.append(tuple(p + t * (q - p) for p, q in zip(a, b, strict=True)))
    sums = np.zeros(4)
    for p, q in itertools.pairwise(kept[1:]):
        three = np.array([kept[0], p, q])
        u, v = three[1] - three[0], three[2] - three[0]
        area = abs(u[0] * v[1] - u[1] * v[0]) / 2
        sums += area * np.array([three[:, 2].mean(), 1.0, three[:, 0].mean(), three[:, 1].mean()])
    return sums


def parts(x, y, r):
    """What `prism` sums over one tile, by clipping its four triangles."""
    triangles = [[(x[i], y[i], r[i]) for i in (k, (k + 1) % 4, 4)] for k in range(4)]
    cut = sum(integral(t) for t in triangles)
    fill = sum(integral([(a, b, -c) for a, b, c in t])[0] for t in triangles)
    return [*cut, fill]


# tiles


def test_a_rectangle_is_cut_into_even_tiles():
    edges, _ = edges_of([(0, 0), (4, 0), (4, 3), (0, 3)])
    px, py = tiles.tile_polygon(edges, 2.0)
    assert_array_equal(px, [[0, 2, 2, 0, 1], [2, 4, 4, 2, 3], [0, 2, 2, 0, 1], [2, 4, 4, 2, 3]])
    assert_array_equal(py, [[0, 0, 1.5, 1.5, 0.75]] * 2 + [[1.5, 1.5, 3, 3, 2.25]] * 2)


@pytest.mark.parametrize(
    "rings",
    [
        [SQUARE],
        [ELL],
        [[(0, 0), (7, 1), (3, 8)]],
        [[(0, 0), (9, 0), (9, 9), (0, 9)], [(3, 3), (3, 6), (6, 6), (6, 3)]],
        [[(0, 0), (4, 0), (4, 5), (3, 5), (3, 1), (2, 1), (2, 5), (1, 5), (1, 1), (0, 1)]],
    ],
)
@pytest.mark.parametrize("step", [0.9, 2.5, 50.0])
def test_tiles_cover_a_polygon_exactly(rings, step):
    edges, _ = edges_of(*rings)
    px, py = tiles.tile_polygon(edges, step)
    polygon = shapely.Polygon(rings[0], rings[1:])
    assert areas(px, py).sum() == pytest.approx(polygon.area)
    assert_allclose(px[:, 4], px[:, :4].mean(axis=1))
    assert_allclose(py[:, 4], py[:, :4].mean(axis=1))
    assert polygon.buffer(1e-9).contains(shapely.points(px.ravel(), py.ravel())).all()
    assert np.abs(px[:, 1] - px[:, 0]).max() <= step + 1e-12
    assert np.abs(px[:, 2] - px[:, 3]).max() <= step + 1e-12
    assert np.abs(py[:, 2] - py[:, 1]).max() <= step + 1e-12


def test_area_of_a_tile():
    assert tiles.polygon_area(np.array([0.0, 4, 5, 1, 0]), np.array([0.0, 1, 4, 3, 0])) == pytest.approx(
        shapely.Polygon([(0, 0), (4, 1), (5, 4), (1, 3)]).area
    )


@pytest.mark.parametrize("signs", list(itertools.product((-1, 1), repeat=5)))
def test_cut_and_fill_of_a_tile(signs):
    x, y = np.array([1.0, 5, 6, 2, 3.5]), np.array([-2.0, -1, 3, 2, 0.5])
    r = np.array(signs) * [1.0, 2.5, 0.5, 3.0, 1.5]
    out = np.zeros(6)
    tiles.add_tile(out, x, y, r)
    assert_allclose(out[:5], parts(x, y, r), atol=1e-12)
    assert out[5] == pytest.approx(tiles.polygon_area(x, y))


def test_corners_at_the_design_height_count_for_neither():
    x, y = np.array([0.0, 2, 2, 0, 1]), np.array([0.0, 0, 2, 2, 1])
    for r in ([0, 0, 1, 1, 0.5], [0, 0, -1, -1, -0.5], [1, 0, -1, 0, 0]):
        out = np.zeros(6)
        tiles.add_tile(out, x, y, np.array(r, float))
        assert_allclose(out[:5], parts(x, y, np.array(r, float)), atol=1e-12)
    out = np.zeros(6)
    tiles.add_tile(out, x, y, np.zeros(5))
    assert_array_equal(out, [0, 0, 0, 0, 0, 4])


def test_volumes_of_a_prism_are_about_its_plane():
    px, py = tiles.tile_polygon(edges_of(SQUARE)[0], 3.0)
    pz = 7 + 0.1 * px - 0.2 * py + 0.02 * px * py
    found = tiles.prism(px, py, pz, 6.9, 0.05, -0.1)
    r = pz - 6.9 - 0.05 * px + 0.1 * py
    assert_allclose(found[:5], np.sum([parts(*t) for t in zip(px, py, r, strict=True)], axis=0), atol=1e-10)
    assert found[5] == pytest.approx(100)


# strips

BENT = np.array([[0.0, 0, 10], [10, 0, 11], [10, 10, 13], [22, 15, 12]])


def test_a_strip_is_mitred_at_its_bends():
    assert_allclose(tiles.mitred(BENT, 0, 2.0), [0, 2])
    turn = math.atan2(5, 12) - math.pi / 2
    assert_allclose(tiles.mitred(BENT, 1, 2.0), [2, 2 * math.tan(turn / 2)])
    assert_allclose(tiles.mitred(BENT, 2, 2.0), [2 * math.tan(turn / 2), 0])
    assert_allclose(tiles.mitred(BENT, 1, 30.0), [5, -5])  # half the shorter segment
    back = np.array([[0.0, 0, 0], [10, 0, 0], [0, 0.1, 0]])
    assert_allclose(tiles.mitred(back, 0, 0.1), [0, 0.1 * math.tan(1.55)])
    assert_allclose(tiles.mitred(back * [1, -1, 1], 0, 0.1), [0, -0.1 * math.tan(1.55)])


def test_tiles_of_a_straight_strip():
    line = np.array([[1.0, 2, 10], [5, 2, 12]])
    x, y, d, trim = tiles.tile_strip(line, 0, 1.5, 2.0)
    assert_array_equal(trim, [0, 0])
    assert_allclose(x, [[1, 3, 3, 1, 2]] * 2 + [[3, 5, 5, 3, 4]] * 2)
    assert_allclose(y, [[0.5, 0.5, 2, 2, 1.25], [2, 2, 3.5, 3.5, 2.75]] * 2)
    assert_allclose(d, [[10, 11, 11, 10, 10.5]] * 2 + [[11, 12, 12, 11, 11.5]] * 2)


@pytest.mark.parametrize("i", [0, 1, 2])
def test_a_mitred_strip_keeps_length_times_width(i):
    x, y, d, trim = tiles.tile_strip(BENT, i, 1.5, 0.8)
    length = math.dist(BENT[i, :2], BENT[i + 1, :2])
    assert areas(x, y).sum() == pytest.approx(3 * length)
    along = (BENT[i + 1, :2] - BENT[i, :2]) / length
    s = (x - BENT[i, 0]) * along[0] + (y - BENT[i, 1]) * along[1]
    aside = (y - BENT[i, 1]) * along[0] - (x - BENT[i, 0]) * along[1]
    assert_allclose(d, BENT[i, 2] + (BENT[i + 1, 2] - BENT[i, 2]) * s / length)
    assert np.abs(aside).max() == pytest.approx(1.5)
    left = aside > 1.5 - 1e-9
    assert s[left].min() == pytest.approx(trim[0])
    assert s[left].max() == pytest.approx(length - trim[1])


# ground and rays


def test_heights_between_cells():
    z = np.array([[1.0, 2, 4], [10, 20, 40]])
    grid = GridFrame(100.0, 200.0, 2.0, 4.0)

    def at(x, y):
        return batters.bilinear(z, grid, x, y)

    assert [at(101, 198), at(105, 194), at(103, 194)] == [1, 40, 20]
    assert at(102, 196) == pytest.approx((1 + 2 + 10 + 20) / 4)
    assert at(104.5, 197) == pytest.approx(0.75 * (0.25 * 2 + 0.75 * 4) + 0.25 * (0.25 * 20 + 0.75 * 40))
    assert [at(100, 200), at(106, 192), at(100, 192)] == [1, 40, 10]  # level beyond the outer centres
    assert all(math.isnan(at(x, y)) for x, y in [(99.99, 198), (106.01, 198), (103, 200.01), (103, 191.99)])


@pytest.mark.parametrize(
    ("point", "distance"), [((2, 3), 3), ((-3, 4), 5), ((13, -4), 5), ((10, 1), 1), ((0, -2), 2), ((5, 0), 0)]
)
def test_distance_to_edges(point, distance):
    edges = np.array([[0.0, 0, 10, 0], [100, 100, 100, 100]])
    assert batters._distance(edges, *map(float, point)) == pytest.approx(distance)
    assert batters._distance(edges[::-1].copy(), *map(float, point)) == pytest.approx(distance)
    assert batters._distance(edges, 100.0, 103.0) == pytest.approx(3)
    short = np.array([[0.0, 0, 0.3, 0.4]])
    assert batters._distance(short, 0.3 + 0.6, 0.4 + 0.8) == pytest.approx(1)
    assert batters._distance(short, 0.15 + 0.8, 0.2 - 0.6) == pytest.approx(1)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_slope_ends_at_daylight(sign):
    z = ground(lambda x, y: 2 * sign)
    area, moment, reach, found = batters._ray(z, GRID, 1.0, 2.0, 0.6, 0.8, 0.0, SIDE, NONE)
    assert_allclose([area, moment, reach, found], [sign * 4, sign * (16 - 64 / 6), 4, 1])


def test_a_slope_on_rising_ground_reaches_farther():
    z = ground(lambda x, y: 2 + 0.25 * x)
    area, moment, reach, found = batters._ray(z, GRID, 0.0, 0.0, 1.0, 0.0, 0.0, SIDE, NONE)
    assert_allclose([area, reach, found], [8, 8, 1])
    assert moment == pytest.approx(2 * 8**2 / 6)


def test_a_slope_without_daylight_ends_at_its_reach_or_at_nodata():
    z = ground(lambda x, y: 2.0)
    assert_allclose(
        batters._ray(z, GRID, 0.0, 0.0, 1.0, 0.0, 0.0, SIDE._replace(reach=2.0), NONE), [3, 4 - 8 / 6, 2, 0]
    )
    z[:, 42:] = np.nan  # east of x = 1.5
    assert_allclose(
        batters._ray(z, GRID, 0.0, 0.0, 1.0, 0.0, 0.0, SIDE, NONE), [1.75, 0.5**2 * 4 - 1 / 6, 1, 0], atol=1e-12
    )
    assert batters._ray(z, GRID, 3.0, 0.0, 1.0, 0.0, 0.0, SIDE, NONE) == (0, 0, 0, 0)
    assert batters._ray(z, GRID, 0.0, 0.0, 1.0, 0.0, 2.0, SIDE, NONE) == (0, 0, 0, 1)


def test_a_slope_ends_where_another_edge_is_nearer():
    z = ground(lambda x, y: 2.0)
    edges = np.array([[0.0, -9, 0, 9], [3, 9, 3, -9]])
    area, moment, reach, found = batters._ray(z, GRID, 0.0, 0.0, 1.0, 0.0, 0.0, SIDE, edges)
    assert_allclose([reach, found], [1.5, 1], atol=1e-5)
    assert_allclose([area, moment], [3 - 1.5**2 / 4, 1.5**2 - 1.5**3 / 6], atol=1e-5)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_side_slope_along_an_edge(sign):
    out = np.zeros(3)
    edge = np.array([0.0, 0, 6, 8])
    batters.edge_batter(out, ground(lambda x, y: sign * 2), GRID, edge, np.zeros(2), 7, SIDE, NONE)
    assert_allclose(out, [40, 0, 0] if sign > 0 else [0, 40, 0], atol=1e-9)
    batters.edge_batter(out, ground(lambda x, y: sign * 2), GRID, edge, np.zeros(2), 7, SIDE._replace(reach=2.0), NONE)
    assert_allclose(out, [70, 0, 10] if sign > 0 else [0, 70, 10], atol=1e-9)
    batters.edge_batter(out, ground(lambda x, y: 9), GRID, np.array([1.0, 1, 1, 1]), np.zeros(2), 7, SIDE, NONE)
    assert_allclose(out[2], 10)


@pytest.mark.parametrize("pieces", [1, 3])
def test_an_edge_splits_where_cut_turns_to_fill(pieces):
    out = np.zeros(3)
    heights = np.array([-1.0, 3.0])  # ground 0: cut over the first quarter, fill over the rest
    batters.edge_batter(out, ground(lambda x, y: 0), GRID, np.array([0.0, 0, 12, 0]), heights, pieces, SIDE, NONE)
    # the section of a depth h is h² at 2:1
    assert_allclose(out, [3 * 1 / 3, 9 * 9 / 3, 0], atol=1e-9)


def test_side_slopes_lie_on_the_right_of_an_edge():
    out = np.zeros(3)
    z = ground(lambda x, y: np.where(y < 1, 0.0, 5.0))
    batters.edge_batter(out, z, GRID, np.array([0.0, -3, 9, -3]), np.zeros(2), 9, SIDE, NONE)
    assert_array_equal(out, 0)


def test_side_slopes_of_a_square_have_cones_at_their_corners():
    edges, following = edges_of(SQUARE)
    out = batters.pad_batter(ground(lambda x, y: 2), GRID, edges, following, Plane(0.0, 0.0, 0.0), SIDE)
    assert_allclose(out, [4 * 40 + math.pi * 4**2 * 2 / 3, 0, 0], atol=1e-9)
    out = batters.pad_batter(ground(lambda x, y: -2), GRID, edges, following, Plane(0.0, 0.0, 0.0), SIDE)
    assert_allclose(out, [0, 4 * 40 + math.pi * 4**2 * 2 / 3, 0], atol=1e-9)


@pytest.mark.parametrize("ring", [SQUARE, ELL])
def test_side_slopes_of_a_tilted_pad_are_the_space_between_slopes_and_ground(ring):
    pad = Plane(0.5, 0.02, -0.01)
    edges, following = edges_of(ring)
    out = batters.pad_batter(ground(lambda x, y: 2), GRID, edges, following, pad, SIDE)
    polygon = shapely.Polygon(ring)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-12, 12, 0.1) + 0.05, np.arange(-12, 12, 0.1) + 0.05))
    points = shapely.points(x, y)
    outside = ~shapely.contains(polygon, points)
    near = shapely.line_interpolate_point(polygon.exterior, shapely.line_locate_point(polygon.exterior, points))
    edge_height = pad.elevation + pad.east * shapely.get_x(near) + pad.north * shapely.get_y(near)
    depth = 2 - edge_height - shapely.distance(points, near) / SIDE.run
    assert out[0] == pytest.approx(0.01 * np.maximum(depth, 0)[outside].sum(), rel=0.01)
    assert_allclose(out[1:], 0, atol=1e-9)


@pytest.mark.parametrize("degrees", [0, 30, 90, 145, 270])
@pytest.mark.parametrize("ring", [SQUARE, ELL])
def test_side_slopes_are_the_same_wherever_a_pad_lies_and_however_it_turns(ring, degrees):
    turned = affinity.translate(affinity.rotate(shapely.Polygon(ring), degrees, origin=(0, 0)), 3, -5)
    edges, following = edges_of(shapely.get_coordinates(turned)[:-1])
    plain, order = edges_of(ring)
    level = Plane(0.0, 0.0, 0.0)
    z = ground(lambda x, y: 2)
    assert_allclose(
        batters.pad_batter(z, GRID, edges, following, level, SIDE),
        batters.pad_batter(z, GRID, plain, order, level, SIDE),
        atol=1e-6,
    )


def test_daylight_of_a_square():
    edges, following = edges_of(SQUARE)
    points = batters.daylight_points(ground(lambda x, y: 2), GRID, edges, following, Plane(0.0, 0.0, 0.0), SIDE)
    distance = shapely.distance(shapely.Polygon(SQUARE), shapely.points(points[:, :2]))
    assert_allclose(distance, 4)
    assert_array_equal(points[:, 2], np.repeat(np.arange(4), 20 + 1 + 6))
    assert_allclose(points[0, :2], [-5, -9])
    assert_allclose(points[10, :2], [0, -9], atol=1e-12)
    assert_allclose(points[20, :2], [5, -9])
    assert_allclose(points[26, :2], [9, -5])
    ring = shapely.Polygon(points[:, :2])
    assert ring.is_valid
    assert ring.area == pytest.approx(100 + 160 + math.pi * 16, rel=0.01)


def test_an_inner_corner_has_no_cone_of_daylight():
    edges, following = edges_of(ELL)
    points = batters.daylight_points(ground(lambda x, y: 2), GRID, edges, following, Plane(0.0, 0.0, 0.0), SIDE)
    pieces = np.array([24, 12, 12, 12, 12, 24])
    assert_array_equal(np.bincount(points[:, 2].astype(int)), pieces + 1 + np.array([6, 6, 0, 6, 6, 6]))
    distance = shapely.distance(shapely.Polygon(ELL), shapely.points(points[:, :2]))
    assert distance.max() == pytest.approx(4)
    inner = points[points[:, 2] == 2]  # the slopes of both edges meet on the bisector of the corner
    assert_allclose(inner[-1, :2], [0, 0], atol=1e-5)


# planes


def test_balance_makes_shrunken_cut_equal_fill():
    px, py = tiles.tile_polygon(edges_of(SQUARE)[0], 2.0)
    pz = 3 + 0.2 * px + 0.03 * px * py
    for shrink, start in itertools.product((0.0, 0.12), (-90.0, 3.0, 90.0)):
        e, v = planes.balance(px, py, pz, 0.01, -0.02, start, shrink)
        assert_allclose(v, tiles.prism(px, py, pz, e, 0.01, -0.02))
        assert (1 - shrink) * v[0] == pytest.approx(v[4], rel=1e-6)
    assert planes.balance(px, py, 3 + 0.2 * px, 0.0, 0.0, 5.0, 0.0)[0] == pytest.approx(3)
    assert planes.balance(px, py, 3 + 0.2 * px, 0.0, 0.0, 5.0, 0.5)[0] < 2.9
    level, v = planes.balance(px, py, np.full(px.shape, 4.0), 0.0, 0.0, 9.0, 0.12)
    assert level == 4
    assert_allclose(v[[0, 4]], 0, atol=1e-12)


def test_clip_keeps_one_side_of_a_line():
    polygon = np.zeros((10, 2))
    polygon[:4] = [(0, 0), (2, 0), (2, 2), (0, 2)]
    n = planes._clip(polygon, 4, 1.5, 7.0, 1.0, 0.0)
    assert n == 4
    assert shapely.Polygon(polygon[:n]).equals(shapely.box(0, 0, 1.5, 2))
    n = planes._clip(polygon, n, 1.5, 2.0, 1.0, 1.0)  # touches a corner
    assert n == 4
    assert shapely.Polygon(polygon[:n]).equals(shapely.box(0, 0, 1.5, 2))
    n = planes._clip(polygon, n, 0.5, 0.5, 1.0, 1.0)
    assert n == 3
    assert shapely.Polygon(polygon[:n]).equals(shapely.Polygon([(0, 0), (1, 0), (0, 1)]))
    n = planes._clip(polygon, n, 0.0, 0.0, 1.0, -1.0)  # through a corner
    assert n == 3
    assert shapely.Polygon(polygon[:n]).equals(shapely.Polygon([(0, 0), (0.5, 0.5), (0, 1)]))
    assert planes._clip(polygon, n, -1.0, 0.0, 1.0, 0.0) == 0


def test_centroid_and_area():
    polygon = np.array([(1.0, 1.0), (5, 1), (6, 4), (2, 5)])
    expected = shapely.Polygon(polygon)
    assert_allclose(planes._centroid(polygon, 4), [expected.centroid.x, expected.centroid.y, expected.area])
    assert planes._centroid(polygon[[0, 1, 1]], 3) == (1, 1, 0)


def test_least_squares_of_a_plane_and_of_rough_ground():
    px, py = tiles.tile_polygon(edges_of([(0, 0), (7, 1), (3, 8)])[0], 1.0)
    assert_allclose(
        planes._least_squares(px, py, 50 + 0.1 * px - 0.3 * py),
        [50 + 0.1 * _mean(px, py, px) - 0.3 * _mean(px, py, py), 0.1, -0.3],
    )
    pz = 50 + 0.1 * px + 0.02 * px * py
    weight = np.sqrt(areas(px, py))
    columns = np.column_stack([np.ones(len(px)), px[:, 4], py[:, 4]])
    fit = np.linalg.lstsq(columns * weight[:, None], pz[:, 4] * weight, rcond=None)[0]
    assert_allclose(planes._least_squares(px, py, pz), [_mean(px, py, pz), *fit[1:]])


def _mean(px, py, values):
    return np.average(values[:, 4], weights=areas(px, py))


def test_points_on_a_line_have_no_grade():
    px, py = tiles.tile_polygon(edges_of([(0, 0), (2, 0), (2, 1), (0, 1)])[0], 1.0)
    assert_array_equal(planes._least_squares(px, py, 5 + px), [6, 0, 0])


SEARCH = PlaneSearch(0.12, 0.02, 60)


def test_ground_within_the_grade_limit_needs_no_earthwork():
    px, py = tiles.tile_polygon(edges_of(SQUARE)[0], 2.0)
    assert_allclose(planes.balanced_plane(px, py, 9 + 0.01 * px - 0.015 * py, SEARCH), [9, 0.01, -0.015, 0], atol=1e-6)


def test_steeper_ground_gets_the_steepest_plane():
    px, py = tiles.tile_polygon(edges_of(SQUARE)[0], 2.0)
    e, east, north, gap = planes.balanced_plane(px, py, 9 + 0.3 * px - 0.4 * py, SEARCH)
    assert_allclose([east, north], [0.012, -0.016], atol=2e-4)
    assert math.hypot(east, north) <= 0.02 + 1e-12
    v = tiles.prism(px, py, 9 + 0.3 * px - 0.4 * py, e, east, north)
    assert 0.88 * v[0] == pytest.approx(v[4], rel=1e-6)
    assert 0 <= gap <= 0.004 * (v[0] + v[4])


@pytest.mark.parametrize("shrink", [0.0, 0.12])
def test_no_balanced_plane_needs_less_than_the_one_found(shrink):
    px, py = tiles.tile_polygon(edges_of(ELL)[0], 2.0)
    pz = 5 + 0.03 * px - 0.01 * py + 0.01 * px * py + 0.3 * np.sin(px)
    e, east, north, gap = planes.balanced_plane(px, py, pz, SEARCH._replace(shrink=shrink))
    v = tiles.prism(px, py, pz, e, east, north)
    found = v[0] + v[4]
    assert (1 - shrink) * v[0] == pytest.approx(v[4], rel=1e-6)
    others = []
    for a, b in itertools.product(np.linspace(-0.02, 0.02, 9), repeat=2):
        if math.hypot(a, b) <= 0.02:
            other = planes.balance(px, py, pz, a, b, e, shrink)[1]
            others.append(other[0] + other[4])
    assert found <= min(others) + max(0.004 * found, 3e-4 * v[5])
    assert found - gap <= min(others) + 1e-9
    assert 0 <= gap <= max(0.002 * found, 2e-4 * v[5]) * 1.01


# whole pads and roads


def outlines(rings, origins):
    edges, following = zip(*(edges_of(r) for r in rings), strict=True)
    starts = np.cumsum([0, *map(len, edges)])
    return PadOutlines(np.vstack(edges), np.concatenate(following), starts, np.array(origins, float))


def test_pads_have_a_row_each():
    z = ground(lambda x, y: 10 + 0.0 * x)
    given = np.array([[8.0, 0, 0], [math.nan] * 3, [11.0, 0.02, 0]])
    pads = outlines([SQUARE, ELL, SQUARE], [(0, 0), (20, 20), (-15, -15)])
    rows = earthwork.grade_pads(z, GRID, pads, np.full(3, 2.0), given, SEARCH, SIDE)
    cone = math.pi * 4**2 * 2 / 3
    assert_allclose(rows[0], [200, 0, 160 + cone, 0, 2, 0, 0, 0, 8, 0, 0, 0], atol=1e-9)
    assert_allclose(rows[1], [0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0], atol=1e-6)
    assert_allclose(rows[2, [0, 1, 4, 5, 7, 8, 9, 10]], [0, 100, 0, 1.1, 0, 11, 0.02, 0], atol=1e-9)
    assert rows[2, 3] > 0
    (steep,) = earthwork.grade_pads(
        z, GRID, outlines([SQUARE], [(0, 0)]), np.array([2.0]), given[:1], SEARCH, SIDE._replace(run=1.0)
    )
    assert steep[2] == pytest.approx(4 * 10 * 2 + math.pi * 2**2 * 2 / 3)
    without = earthwork.grade_pads(z, GRID, pads, np.full(3, 2.0), given, SEARCH, SIDE._replace(run=0.0))
    assert_array_equal(without[:, [2, 3, 6]], 0)
    assert_array_equal(without[:, :2], rows[:, :2])


def test_the_deepest_cut_and_fill_of_a_pad():
    z = ground(lambda x, y: 10 + 0.1 * x)
    (row,) = earthwork.grade_pads(
        z, GRID, outlines([SQUARE], [(0, 0)]), np.array([2.0]), np.array([[10.0, 0, 0.02]]), SEARCH, SIDE
    )
    assert_allclose(row[[4, 5]], [0.6, 0.6])


def test_a_pad_on_nodata_has_its_share_alone():
    z = ground(lambda x, y: np.where(x < 0, 1.0, np.nan))
    (row,) = earthwork.grade_pads(
        z, GRID, outlines([SQUARE], [(0, 0)]), np.array([10.0]), np.full((1, 3), math.nan), SEARCH, SIDE
    )
    assert row[7] == pytest.approx(3 / 5)
    assert np.isnan(np.delete(row, 7)).all()


def roads(*lines):
    xyz = [np.array(line, float) for line in lines]
    return RoadLines(
        np.vstack([x - [*x[0, :2], 0] for x in xyz]), np.cumsum([0, *map(len, xyz)]), np.array([x[0, :2] for x in xyz])
    )


def test_corridors_have_a_row_each():
    z = ground(lambda x, y: 10.0)
    lines = roads([(-10, 0, 8), (10, 0, 8)], [(-10, 20, 11), (0, 20, 11), (0, 5, 11)])
    rows = earthwork.grade_corridors(z, GRID, lines, np.array([4.0, 3.0]), np.array([1.0, 0.7]), SIDE)
    assert_allclose(rows[0], [4 * 20 * 2, 0, 2 * 20 * 4, 0, 2, 0, 0], atol=1e-9)
    assert_allclose(rows[1, [0, 1, 2, 4, 5, 6]], [0, 3 * 25, 0, 1, 0, 0], atol=1e-9)
    assert rows[1, 3] == pytest.approx(2 * 25 * 1, rel=0.2)
    steep = earthwork.grade_corridors(
        z, GRID, lines, np.array([4.0, 3.0]), np.array([1.0, 0.7]), SIDE._replace(run=1.0)
    )
    assert steep[0, 2] == pytest.approx(2 * 20 * 2)
    without = earthwork.grade_corridors(
        z, GRID, lines, np.array([4.0, 3.0]), np.array([1.0, 0.7]), SIDE._replace(run=0.0)
    )
    assert_array_equal(without[:, [2, 3, 6]], 0)
    assert_array_equal(without[:, :2], rows[:, :2])


def test_a_corridor_is_the_sum_of_its_tiles():
    z = ground(lambda x, y: 10 + 0.1 * x + 0.02 * x * y)
    line = BENT - [8, 4, 0]
    (row,) = earthwork.grade_corridors(z, GRID, roads(line), np.array([3.0]), np.array([0.8]), SIDE)
    sums = np.zeros(6)
    deepest = 0.0
    for i in range(3):
        x, y, d, _ = tiles.tile_strip(line, i, 1.5, 0.8)
        r = np.vectorize(lambda a, b: batters.bilinear(z, GRID, a, b))(x, y) - d
        deepest = max(deepest, np.abs(r).max())
        for t in zip(x, y, r, strict=True):
            tiles.add_tile(sums, *t)
    assert_allclose(row[[0, 1, 4, 5]], [sums[0], sums[4], deepest, 0], rtol=1e-9, atol=1e-9)
    edge = np.zeros(3)
    for i in range(3):
        a, b = line[i], line[i + 1]
        length = math.dist(a[:2], b[:2])
        u, trim = (b - a) / length, tiles.mitred(line, i, 1.5)
        right = [
            a + u * -trim[0] + [u[1] * 1.5, -u[0] * 1.5, 0],
            a + u * (length + trim[1]) + [u[1] * 1.5, -u[0] * 1.5, 0],
        ]
        left = [
            a + u * (length - trim[1]) - [u[1] * 1.5, -u[0] * 1.5, 0],
            a + u * trim[0] - [u[1] * 1.5, -u[0] * 1.5, 0],
        ]
        for p, q in (right, left):
            batters.edge_batter(
                edge,
                z,
                GRID,
                np.array([*p[:2], *q[:2]]),
                np.array([p[2], q[2]]),
                math.ceil(length / SIDE.step),
                SIDE,
                NONE,
            )
    assert_allclose(row[[2, 3, 6]], edge, rtol=1e-9, atol=1e-9)


def test_tiles_on_nodata_are_left_out_and_their_share_is_told():
    z = ground(lambda x, y: np.where(x < 0, 10.0, np.nan))
    (row,) = earthwork.grade_corridors(
        z, GRID, roads([(-10, 0, 9), (10, 0, 9)]), np.array([4.0]), np.array([1.0]), SIDE
    )
    assert 0.5 <= row[5] <= 0.56
    assert row[0] == pytest.approx(4 * 20 * (1 - row[5]))


def test_tile_values_are_added_to_the_cells_under_their_centres():
    total, weight = np.zeros((2, 3)), np.zeros((2, 3))
    grid = GridFrame(0.0, 4.0, 1.0, 2.0)
    tile_x, tile_y = np.array([0.0, 1, 1, 0, 0.5]), np.array([0.0, 0, 2, 2, 1])
    shifts = [(0, 0), (2, 0), (2, 2), (2, 2), (3, 0), (0, 4), (-1, 0), (0, -2), (1, 2)]
    px, py = (np.array([t + s[k] for s in shifts]) for k, t in enumerate((tile_x, tile_y)))
    values = np.array([1.0, 2, 3, 5, 100, 100, 100, 100, math.nan])
    earthwork.add_to_cells(total, weight, grid, px, py, values)
    assert_array_equal(total, [[0, 0, 16], [2, 0, 4]])
    assert_array_equal(weight, [[0, 0, 4], [2, 0, 2]])


@pytest.mark.parametrize(("heap", "limit"), [((-4.0, 0.0), 0.1), ((0.0, 4.0), 0.1)])
def test_the_search_finds_the_plane_that_leaves_heap_and_hole_out(heap, limit):
    # Least squares tilts the plane towards them; the least volume is nearly level.
    px, py = tiles.tile_polygon(edges_of(SQUARE)[0], 2.5)
    pz = 0.001 * px * py
    for sign in (1, -1):
        pz[np.hypot(px[:, 4] - sign * heap[0], py[:, 4] - sign * heap[1]) < 2.5] = 2.0 * sign
    search = PlaneSearch(0.12, limit, 60)
    e, east, north, gap = planes.balanced_plane(px, py, pz, search)
    v = tiles.prism(px, py, pz, e, east, north)
    found = v[0] + v[4]
    least = math.inf
    for a, b in itertools.product(np.linspace(-limit, limit, 11), repeat=2):
        if math.hypot(a, b) <= limit:
            other = planes.balance(px, py, pz, a, b, e, 0.12)[1]
            least = min(least, other[0] + other[4])
    assert 0.88 * v[0] == pytest.approx(v[4], rel=1e-6)
    assert math.hypot(east, north) <= limit * (1 + 1e-9)
    assert found <= 1.003 * least
    assert found - gap <= least
    assert gap <= 0.0021 * found
    squares = planes._least_squares(px, py, pz)
    steep = max(math.hypot(*squares[1:]), limit)
    start = planes.balance(px, py, pz, squares[1] * limit / steep, squares[2] * limit / steep, e, 0.12)[1]
    assert found < 0.995 * (start[0] + start[4])


def test_tiles_fall_in_cells_of_any_size_and_place():
    total, weight = np.zeros((2, 3)), np.zeros((2, 3))
    grid = GridFrame(100.0, 50.0, 4.0, 5.0)
    px = np.array([[109.0, 110, 110, 109, 109.5], [101, 102, 102, 101, 101.5]])
    py = np.array([[41.0, 41, 42, 42, 41.5], [46, 46, 48, 48, 47]])
    earthwork.add_to_cells(total, weight, grid, px, py, np.array([3.0, 5.0]))
    assert_array_equal(total, [[10, 0, 0], [0, 0, 3]])
    assert_array_equal(weight, [[2, 0, 0], [0, 0, 1]])


def test_pads_are_the_same_whatever_their_origin():
    z = ground(lambda x, y: 10 + 0.02 * x - 0.01 * y + 0.002 * x * y)
    here = outlines([[(x + 7, y - 4) for x, y in ELL]], [(0, 0)])
    there = outlines([ELL], [(7, -4)])
    free = np.full((1, 3), math.nan)
    (a,), (b,) = (earthwork.grade_pads(z, GRID, p, np.array([1.5]), free, SEARCH, SIDE) for p in (here, there))
    assert_allclose(np.delete(a, 8), np.delete(b, 8), atol=1e-6)
    assert a[8] + 7 * a[9] - 4 * a[10] == pytest.approx(b[8])
    given = np.array([[10.3, 0.01, -0.015]])
    moved = np.array([[10.3 + 7 * 0.01 + 4 * 0.015, 0.01, -0.015]])
    (a,) = earthwork.grade_pads(z, GRID, here, np.array([1.5]), given, SEARCH, SIDE)
    (b,) = earthwork.grade_pads(z, GRID, there, np.array([1.5]), moved, SEARCH, SIDE)
    assert a[2] + a[3] > 1
    assert_allclose(np.delete(a, 8), np.delete(b, 8), atol=1e-9)


# closed forms: side slopes on a plane, and where they end


OCTAGON = [(7 + 5 * math.cos(a), -3 + 5 * math.sin(a)) for a in np.radians(np.arange(0, 360, 45) + 10)]
OFFSIDE = [(2.0, 3.0), (9.0, 4.0), (8.0, 9.5), (3.5, 8.0)]


def slopes_of_a_plane(ring, pad, ground_plane, run):
    """Side slopes of a convex pad on a plane that it cuts into, or lies above, all around: cut or fill, by integration.

    At a depth h and a rise k of the ground away from the edge, daylight is at t = h / (1 / run - k); the section is
    h t / 2, and its moment about the edge h t**2 / 6.
    """
    level, east, north = ground_plane
    depth = {p: level + east * p[0] + north * p[1] - (pad.elevation + pad.east * p[0] + pad.north * p[1]) for p in ring}
    sign = 1 if depth[ring[0]] > 0 else -1
    volume = 0.0
    for before, start, end in zip([ring[-1], *ring[:-1]], ring, [*ring[1:], ring[0]], strict=True):
        normals = [
            math.atan2(-(b[0] - a[0]), b[1] - a[1]) for a, b in ((before, start), (start, end))
        ]  # of the edges before and after the corner, outwards
        rise = sign * (east * math.cos(normals[1]) + north * math.sin(normals[1]))
        h0, h1 = sign * depth[start], sign * depth[end]
        assert min(h0, h1) > 0
        volume += math.dist(start, end) * (h0**2 + h0 * h1 + h1**2) / 6 / (1 / run - rise)
        turn = (normals[1] - normals[0]) % (2 * math.pi)
        around = normals[0] + turn * (np.arange(20_000) + 0.5) / 20_000
        rises = sign * (east * np.cos(around) + north * np.sin(around))
        volume += turn * np.mean(h0**3 / (6 * (1 / run - rises) ** 2))
    return volume


@pytest.mark.parametrize("ring", [SQUARE, OCTAGON, OFFSIDE, OFFSIDE[2:] + OFFSIDE[:2]])
@pytest.mark.parametrize(
    ("pad", "ground_plane", "run"),
    [
        (Plane(0.5, 0.0, 0.0), (2.0, 0.0, 0.0), 2.0),
        (Plane(0.5, 0.03, -0.05), (2.0, 0.0, 0.0), 2.0),
        (Plane(0.5, -0.02, 0.04), (1.6, 0.05, 0.08), 2.0),
        (Plane(0.5, 0.02, 0.04), (3.0, -0.1, 0.06), 1.0),
        (Plane(4.0, 0.02, 0.05), (2.0, 0.04, -0.08), 3.0),
    ],
)
def test_side_slopes_on_a_plane_are_wedges_and_cones(ring, pad, ground_plane, run):
    level, east, north = ground_plane
    edges, following = edges_of(ring)
    z = ground(lambda x, y: level + east * x + north * y)
    out = batters.pad_batter(z, GRID, edges, following, pad, SideSlope(run, 0.5, 60.0))
    expected = slopes_of_a_plane(ring, pad, ground_plane, run)
    cut = level > pad.elevation
    assert_allclose(out, [expected, 0, 0] if cut else [0, expected, 0], rtol=1e-6, atol=1e-9)


def test_cones_of_wide_corners_on_steep_ground_are_exact_to_a_thousandth():
    narrow = [(0.0, 0.0), (0.4, 0.0), (0.2, 0.4)]
    pad, level = Plane(-2.0, 0.0, 0.0), (2.0, 0.25, -0.2)
    edges, following = edges_of(narrow)
    z = ground(lambda x, y: level[0] + level[1] * x + level[2] * y)
    out = batters.pad_batter(z, GRID, edges, following, pad, SideSlope(2.0, 0.25, 60.0))
    assert out[0] == pytest.approx(slopes_of_a_plane(narrow, pad, level, 2.0), rel=1e-4)


def test_an_edge_shorter_than_a_metre_and_a_shallow_depth_count():
    out = np.zeros(3)
    edge = np.array([0.0, 0, 0.6, 0])
    batters.edge_batter(out, ground(lambda x, y: 0.3), GRID, edge, np.zeros(2), 1, SIDE, NONE)
    assert_allclose(out, [0.6 * 0.3**2, 0, 0], atol=1e-12)


def test_two_parts_of_a_pad_end_each_others_slopes():
    near = [(7.0, -5.0), (12.0, -5.0), (12.0, 5.0), (7.0, 5.0)]  # 2 m beside the square; slopes of 4 m
    edges, following = edges_of(SQUARE, near)
    out = batters.pad_batter(ground(lambda x, y: 2), GRID, edges, following, Plane(0.0, 0.0, 0.0), SIDE)
    both = shapely.MultiPolygon([shapely.Polygon(SQUARE), shapely.Polygon(near)])
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-10, 17, 0.1) + 0.05, np.arange(-10, 10, 0.1) + 0.05))
    distance = shapely.distance(both, shapely.points(x, y))
    depth = np.where(distance > 0, 2 - distance / SIDE.run, 0)
    assert out[0] == pytest.approx(0.01 * np.maximum(depth, 0).sum(), rel=0.01)


@pytest.mark.parametrize("degrees", [0, 50, 130, 200, 290])
def test_other_edges_are_looked_at_only_where_one_can_be_nearer(monkeypatch, degrees):
    measured = []
    distance = batters._distance

    def counted(*arguments):
        measured.append(arguments)
        return distance(*arguments)

    for name in ("pad_batter", "edge_batter", "_ray"):
        function = getattr(batters, name)
        monkeypatch.setattr(batters, name, getattr(function, "py_func", function))
    monkeypatch.setattr(batters, "_distance", counted)

    def looks(*rings):
        measured.clear()
        turned = [affinity.rotate(shapely.Polygon(r), degrees, origin=(0, 0)) for r in rings]
        edges, following = edges_of(*(shapely.get_coordinates(t)[:-1] for t in turned))
        side = SideSlope(2.0, 2.0, 8.0)
        batters.pad_batter(ground(lambda x, y: 1), GRID, edges, following, Plane(0.0, 0.0, 0.0), side)
        return len(measured) > 0

    assert not looks(SQUARE)
    assert not looks(OFFSIDE)
    assert not looks([(0, 0), (4, 0), (8, 0), (9, 5)])  # a corner on a straight edge
    assert looks(ELL)
    assert looks([(0, 0), (8, 1), (7, 6), (5, 3)])
    assert looks(SQUARE, [(x + 13, y) for x, y in SQUARE])


@pytest.mark.parametrize("ring", [SQUARE, OCTAGON, OFFSIDE])
@pytest.mark.parametrize(
    ("pad", "ground_plane"),
    [(Plane(0.5, 0.03, -0.05), (2.0, 0.0, 0.0)), (Plane(0.5, 0.02, 0.04), (2.5, -0.1, 0.06)), (Plane(4.0, 0.02, 0.05), (2.0, 0.04, -0.08))],
)  # fmt: skip
def test_daylight_is_where_slopes_meet_the_ground(ring, pad, ground_plane):
    level, east, north = ground_plane
    edges, following = edges_of(ring)
    z = ground(lambda x, y: level + east * x + north * y)
    side = SideSlope(2.0, 0.5, 40.0)
    points = batters.daylight_points(z, GRID, edges, following, pad, side)
    polygon = shapely.Polygon(ring)
    there = shapely.points(points[:, :2])
    distance = shapely.distance(polygon, there)
    foot = shapely.get_coordinates(
        shapely.line_interpolate_point(polygon.exterior, shapely.line_locate_point(polygon.exterior, there))
    )
    design = pad.elevation + pad.east * foot[:, 0] + pad.north * foot[:, 1]
    height = level + east * points[:, 0] + north * points[:, 1]
    assert_allclose(np.abs(height - design), distance / side.run, atol=1e-6)
    assert (distance > 0.5).all()
    # every corner has its cone, and rays leave an edge at most a spacing apart
    corners = np.hypot(foot[:, None, 0] - edges[:, 0], foot[:, None, 1] - edges[:, 1]) < 1e-6
    assert (corners.sum(axis=0) >= 3).all()
    along = np.hypot(*np.diff(foot, axis=0).T)
    assert along.max() <= side.step + 1e-6
    assert len(points) == sum(
        math.ceil(math.dist(a, b) / 0.5) + 1 + math.ceil(turn / 0.27)
        for a, b, turn in zip(ring, [*ring[1:], ring[0]], turns(ring), strict=True)
    )


def turns(ring):
    """Angle by which a ring turns at the end of each edge [rad]."""
    points = np.array([*ring, *ring[:2]])
    ahead = np.arctan2(*np.diff(points, axis=0).T[::-1])
    return (np.diff(ahead) + math.pi) % (2 * math.pi) - math.pi


def test_rays_of_daylight_are_at_most_a_metre_apart():
    edges, following = edges_of(SQUARE)
    side = SideSlope(2.0, 3.0, 40.0)
    points = batters.daylight_points(ground(lambda x, y: 2), GRID, edges, following, Plane(0.0, 0.0, 0.0), side)
    assert len(points) == 4 * (10 + 1 + 6)


# balance off the origin, and the effort that it takes


AWAY = [(12.0, 20.0), (20.0, 21.0), (19.0, 30.0)]


@pytest.mark.parametrize(("east", "north"), [(0.3, 0.0), (0.0, 0.3), (-0.2, 0.25), (0.1, -0.4)])
@pytest.mark.parametrize("start", [-500.0, 0.0, 500.0])
def test_ground_that_is_the_plane_balances_at_its_height(east, north, start):
    px, py = tiles.tile_polygon(edges_of(AWAY)[0], 3.0)
    e, v = planes.balance(px, py, 7 + east * px + north * py, east, north, start, 0.12)
    assert e == pytest.approx(7, abs=1e-9)
    assert_allclose(v[[0, 4]], 0, atol=1e-7)


@pytest.mark.parametrize("lift", [0.0, 1000.0])
@pytest.mark.parametrize("shrink", [0.0, 0.12, 0.5])
def test_balance_holds_for_a_low_relief_at_any_height(lift, shrink):
    px, py = tiles.tile_polygon(edges_of(AWAY)[0], 3.0)
    pz = lift + 0.003 * px + 0.0004 * px * py
    _, v = planes.balance(px, py, pz, 0.0, 0.0, lift, shrink)
    assert (1 - shrink) * v[0] == pytest.approx(v[4], rel=1e-6)


def counted(monkeypatch):
    """Let the search run as plain Python; the list that comes back gets an entry for each evaluated plane."""
    evaluated = []
    prism = planes.prism

    def note(*arguments):
        evaluated.append(arguments[3:])
        return prism(*arguments)

    for name in ("balance", "balanced_plane"):
        function = getattr(planes, name)
        monkeypatch.setattr(planes, name, getattr(function, "py_func", function))
    monkeypatch.setattr(planes, "prism", note)
    return evaluated


@pytest.mark.parametrize(("shrink", "most"), [(0.0, 2), (0.12, 4), (0.4, 5)])
def test_a_plane_is_balanced_in_few_steps(monkeypatch, shrink, most):
    """Newton's method: without shrinkage the difference is linear in the elevation."""
    evaluated = counted(monkeypatch)
    px, py = tiles.tile_polygon(edges_of(AWAY)[0], 3.0)
    steps = []
    for pz in (3 + 0.2 * px, 3 + 0.2 * px - 0.3 * py + 0.02 * px * py, 5 + np.sin(px) + np.cos(0.7 * py)):
        for start in (0.0, 1.0):
            evaluated.clear()
            planes.balance(px, py, pz, 0.01, -0.02, pz.min() + start * np.ptp(pz), shrink)
            steps.append(len(evaluated))
    assert max(steps) <= most


def test_the_search_needs_few_planes(monkeypatch):
    evaluated = counted(monkeypatch)
    px, py = tiles.tile_polygon(edges_of(AWAY)[0], 3.0)
    for pz, grades, planes_in_all in (
        (9 + 0.3 * px - 0.4 * py, 7, 27),
        (5 + 0.03 * px - 0.01 * py + 0.01 * px * py + 0.3 * np.sin(px), 6, 20),
        (5 + 0.2 * np.sin(px) * np.cos(py), 8, 33),
        (5 + 0.01 * px + 0.0003 * np.sin(px), 1, 7),  # finer than any ground model
    ):
        evaluated.clear()
        planes.balanced_plane(px, py, pz, SEARCH)
        assert len({e[1:] for e in evaluated}) <= grades
        assert len(evaluated) <= planes_in_all
