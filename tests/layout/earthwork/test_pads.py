"""Pads: exact on planes, balanced with least earthwork, against meshes that share no code."""

import math

import numpy as np
import pytest
import shapely
from fixtures.earthwork import (
    EAST,
    NORTH,
    SHAPES,
    WALLS,
    cells,
    fine_reference,
    ground_of,
    here,
    plane,
    rough,
    seeds,
    shapes,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq
from shapely import Polygon, box
from shapely.affinity import rotate, translate

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.layout.earthwork.criteria import EarthworkCriteria
from pacifico.layout.earthwork.pads import balanced_pad, balanced_pads, daylight, graded_pads, pad_volumes


def least_squares(ground, polygon):
    west, south, right, top = polygon.bounds
    x, y = np.meshgrid(np.linspace(west, right, 200), np.linspace(south, top, 200))
    inside = shapely.contains_xy(polygon, x, y)
    x, y = x[inside], y[inside]
    basis = np.column_stack((np.ones_like(x), x - polygon.centroid.x, y - polygon.centroid.y))
    return np.linalg.lstsq(basis, ground.at(x, y), rcond=None)[0]


def batter_reference(ground, polygon, elevation, slope, *, reach=15.0, step=0.1):
    """Side slopes by distance: at each point outside, the design is the pad's height give or take distance / slope."""
    west, south, east, north = polygon.buffer(reach).bounds
    x, y = np.meshgrid(np.arange(west, east, step) + step / 2, np.arange(south, north, step) + step / 2)
    outside = ~shapely.contains_xy(polygon, x, y)
    x, y = x[outside], y[outside]
    distance = shapely.distance(polygon, shapely.points(x, y))
    depth = ground.at(x, y) - elevation
    cut = np.maximum(depth - distance / slope, 0).sum() * step**2
    fill = np.maximum(-depth - distance / slope, 0).sum() * step**2
    return cut, fill


def brute_force(ground, polygon, *, shrink, limit):
    """Least cut + fill of balanced planes over a dense disk of grades, refined twice, on mesh samples."""
    west, south, east, north = polygon.bounds
    x, y = np.meshgrid(np.linspace(west, east, 46)[:-1], np.linspace(south, north, 46)[:-1])
    x, y = x + (east - west) / 90, y + (north - south) / 90
    inside = shapely.contains_xy(polygon, x, y)
    x, y = x[inside] - polygon.centroid.x, y[inside] - polygon.centroid.y
    z = ground.at(x + polygon.centroid.x, y + polygon.centroid.y)
    share = polygon.area / inside.sum()

    def total(ge, gn):
        r = z - ge * x - gn * y
        unbalance = lambda e: (1 - shrink) * np.maximum(r - e, 0).sum() - np.maximum(e - r, 0).sum()  # noqa: E731
        return float(np.abs(r - brentq(unbalance, r.min(), r.max(), xtol=1e-9)).sum() * share)

    best, at, span = math.inf, (0.0, 0.0), limit
    for _ in range(3):
        centre = at
        for ge in np.linspace(-span, span, 17) + centre[0]:
            for gn in np.linspace(-span, span, 17) + centre[1]:
                if math.hypot(ge, gn) <= limit and (value := total(ge, gn)) < best:
                    best, at = value, (float(ge), float(gn))
        span /= 6
    return best


@pytest.mark.parametrize("name", SHAPES)
def test_volume_over_level_ground_is_area_times_depth(name):
    pad = here(SHAPES[name])
    assert_allclose(pad_volumes(ground_of(plane(0, 0)), pad, 97.5), (2.5 * pad.area, 0.0), rtol=1e-9, atol=1e-6)
    assert_allclose(pad_volumes(ground_of(plane(0, 0)), pad, 101.0), (0.0, pad.area), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("name", SHAPES)
def test_the_elevation_of_a_pad_is_that_of_its_centroid(name):
    pad = here(SHAPES[name])
    cut, fill = pad_volumes(ground_of(plane(0.07, -0.11)), pad, 98.0, 0.01, -0.015)
    at_centroid = 100 + 0.07 * (pad.centroid.x - EAST) - 0.11 * (pad.centroid.y - NORTH)
    assert_allclose(cut - fill, pad.area * (at_centroid - 98.0), rtol=1e-9)


def test_level_pad_on_a_plane():
    # the residual is 0.05 x over 40 m x 20 m: two wedges of 20 m x 20 m x 1 m / 2
    cut, fill = pad_volumes(ground_of(plane(0.05, 0.0)), here(SHAPES["rectangle"]), 100.0)
    assert_allclose((cut, fill), (200.0, 200.0), rtol=1e-9)


def test_rotated_level_pad_on_a_plane_splits_along_the_contour():
    # along its own axis the rotated rectangle sees the same wedge
    angle = math.radians(33.0)
    slope = plane(0.05 * math.cos(angle), 0.05 * math.sin(angle))
    assert_allclose(pad_volumes(ground_of(slope), here(SHAPES["rotated"]), 100.0), (200.0, 200.0), rtol=1e-9)


@pytest.mark.parametrize("name", SHAPES)
def test_a_pad_in_the_plane_of_the_ground_needs_no_earthwork(name):
    pad = balanced_pad(ground_of(plane(0.012, -0.009)), here(SHAPES[name]))
    assert_allclose((pad.grade_east, pad.grade_north), (0.012, -0.009), atol=1e-9)
    centre = pad.polygon.centroid
    assert_allclose(pad.elevation_m, 100 + 0.012 * (centre.x - EAST) - 0.009 * (centre.y - NORTH), atol=1e-9)
    assert_allclose((pad.cut_m3, pad.fill_m3, pad.batter_cut_m3, pad.batter_fill_m3), 0.0, atol=1e-6)


def test_on_steep_ground_the_pad_has_the_grade_limit():
    # 4 % ground, 2 % pad, shrink 0: wedges of the 2 % left over 20 m x 20 m
    pad = balanced_pad(
        ground_of(plane(0.04, 0.0)), here(SHAPES["rectangle"]), criteria=EarthworkCriteria(shrink=0.0, side_slope=0.0)
    )
    assert_allclose((pad.grade_east, pad.grade_north), (0.02, 0.0), atol=1e-6)
    assert_allclose((pad.cut_m3, pad.fill_m3), (80.0, 80.0), rtol=1e-6)
    assert_allclose((pad.max_cut_m, pad.max_fill_m), (0.4, 0.4), rtol=1e-6)


def test_small_pads_on_coarse_cells_are_as_exact_as_large_ones():
    for dx, shape in ((30.0, SHAPES["skid"]), (1.0, rotate(box(-38, -39, 38, 39), 25.0))):
        ground = ground_of(plane(0.03, 0.02), dx=dx, dy=dx, n=120)
        pad = here(shape)
        cut, fill = pad_volumes(ground, pad, 100.0)
        assert_allclose(cut - fill, 0.0, atol=1e-6 * pad.area)
        assert_allclose((cut, fill), fine_reference(ground, pad, 100.0), rtol=4e-3)


@pytest.mark.parametrize("depth", [2.0, -2.0])
def test_side_slopes_of_a_level_pad_in_level_ground_are_wedges_and_a_cone(depth):
    square = here(box(-10, -10, 10, 10))
    pad = graded_pads(ground_of(plane(0, 0)), [square], np.array([[100 - depth, 0, 0]]))[0]
    h, run = 2.0, 4.0
    expected = 80 * run * h / 2 + math.pi * run**2 * h / 3  # the four corners make one whole cone
    got = (pad.batter_cut_m3, pad.batter_fill_m3)
    assert_allclose(got, (expected, 0.0) if depth > 0 else (0.0, expected), rtol=1e-6)
    assert pad.open_edge_m == 0.0


def test_side_slopes_on_a_plane_depend_on_its_slope():
    # a long pad across a 10 % slope: section h**2 / (2 (1/s -+ 0.1)) on the uphill and downhill edge
    strip = here(box(-10, -150, 10, 150))
    ends = here(box(-10, -100, 10, 100))
    ground = ground_of(plane(0.1, 0.0))
    long, short = graded_pads(ground, [strip, ends], np.array([[100.0, 0, 0]] * 2))
    section = 1.0**2 / (2 * (0.5 - 0.1))
    assert_allclose(long.batter_cut_m3 - short.batter_cut_m3, 100 * section, rtol=1e-6)
    assert_allclose(long.batter_fill_m3 - short.batter_fill_m3, 100 * section, rtol=1e-6)


@pytest.mark.parametrize("name", ["rotated", "ell", "holed", "two parts"])
def test_side_slopes_follow_the_nearest_edge_also_in_inner_corners_and_holes(name):
    pad = here(SHAPES[name])
    for slopes, elevation in (((0.0, 0.0), 97.0), ((0.04, -0.03), 104.0)):
        ground = ground_of(plane(*slopes))
        graded = graded_pads(ground, [pad], np.array([[elevation, 0, 0]]), criteria=EarthworkCriteria(sample_m=1.0))[0]
        expected = batter_reference(ground, pad, elevation, 2.0)
        assert_allclose((graded.batter_cut_m3, graded.batter_fill_m3), expected, rtol=0.01, atol=0.5)


def test_side_slopes_without_daylight_are_reported():
    steep = ground_of(plane(0.6, 0.0))  # steeper than 2:1: the uphill slope never ends
    pad = graded_pads(steep, [here(box(-10, -10, 10, 10))], np.array([[100.0, 0, 0]]))[0]
    assert pad.open_edge_m > 19.0
    ground = ground_of(plane(0, 0))
    ground.z[:, :39] = np.nan  # 10 m and more west of the middle
    pad = graded_pads(ground, [here(box(0, -10, 10, 10))], np.array([[90.0, 0, 0]]))[0]
    assert_allclose(pad.open_edge_m, 20.0, rtol=1e-6)
    assert pad.batter_cut_m3 < pad.max_cut_m**2 * 40 + math.pi * 40 * pad.max_cut_m**3 / 30


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["rotated", "ell"])
def test_no_balanced_plane_has_less_earthwork(seed, name):
    ground, polygon = rough(6.0, seed=seed), here(SHAPES[name])
    pad = balanced_pad(ground, polygon, criteria=WALLS)
    total = pad.cut_m3 + pad.fill_m3
    assert total <= 1.01 * brute_force(ground, polygon, shrink=0.12, limit=0.02)
    assert pad.gap_m3 <= 0.002 * total + 2e-4 * polygon.area


def test_the_search_improves_on_least_squares():
    start, best = [], []
    for seed in range(12):
        ground, polygon = rough(4.0, seed=seed), here(box(-40, -30, 40, 30))
        for rounds, found in ((0, start), (40, best)):
            pad = balanced_pad(ground, polygon, criteria=EarthworkCriteria(search_rounds=rounds, side_slope=0.0))
            found.append(pad.cut_m3 + pad.fill_m3)
    assert (np.array(best) <= np.array(start) + 1e-6).all()
    assert sum(best) < sum(start)


@given(shapes, seeds, cells, st.floats(0, 0.4), st.floats(0, 0.05, allow_subnormal=False))
@settings(max_examples=60, deadline=None)
def test_balance_and_grade_limit_hold(name, seed, dx, shrink, limit):
    rules = EarthworkCriteria(shrink=shrink, max_pad_grade=limit)
    pad = balanced_pad(rough(dx, seed=seed), here(SHAPES[name]), criteria=rules)
    assert_allclose(pad.cut_m3 * (1 - shrink), pad.fill_m3, rtol=1e-6, atol=1e-6)
    assert math.hypot(pad.grade_east, pad.grade_north) <= limit * (1 + 1e-12) + 1e-15
    assert min(pad.cut_m3, pad.fill_m3, pad.batter_cut_m3, pad.batter_fill_m3, pad.max_cut_m, pad.max_fill_m) >= 0


@given(shapes, seeds, cells, st.floats(-50, 50))
@settings(max_examples=40, deadline=None)
def test_a_constant_added_to_the_ground_shifts_the_pad_with_the_same_volumes(name, seed, dx, lift):
    ground, polygon = rough(dx, seed=seed), here(SHAPES[name])
    low = balanced_pad(ground, polygon)
    high = balanced_pad(Ground(ground.grid, ground.z + lift), polygon)
    tol = 1e-3 * (low.cut_m3 + low.fill_m3) + 1e-4 * polygon.area  # what the search may leave
    assert_allclose(high.cut_m3, low.cut_m3, atol=tol)
    cut, fill = pad_volumes(
        Ground(ground.grid, ground.z + lift), polygon, low.elevation_m + lift, low.grade_east, low.grade_north
    )
    assert_allclose((cut, fill), (low.cut_m3, low.fill_m3), rtol=1e-6, atol=1e-6)


@given(shapes, seeds, cells, st.floats(-1, 1), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
@settings(max_examples=40, deadline=None)
def test_swapping_ground_and_design_swaps_cut_and_fill(name, seed, dx, level, ge, gn):
    ground, polygon = rough(dx, seed=seed), here(SHAPES[name])
    centre = polygon.centroid
    mirrored = Ground(ground.grid, 2 * 200.0 - ground.z)
    given_plane = np.array([[200 + level, ge, gn]])
    mirror_plane = np.array([[200 - level, -ge, -gn]])
    a = graded_pads(ground, [polygon], given_plane)[0]
    b = graded_pads(mirrored, [polygon], mirror_plane)[0]
    assert centre.equals(b.polygon.centroid)
    assert_allclose(
        (a.cut_m3, a.fill_m3, a.batter_cut_m3, a.batter_fill_m3),
        (b.fill_m3, b.cut_m3, b.batter_fill_m3, b.batter_cut_m3),
        rtol=1e-6,
        atol=1e-6,
    )


@given(shapes, seeds, st.floats(-4, 4))
@settings(max_examples=40, deadline=None)
def test_splitting_a_polygon_adds_its_volumes(name, seed, at):
    ground, polygon = rough(3.0, seed=seed), here(SHAPES[name])
    half = here(box(-100, -100, at, 100))
    parts = [p for p in (polygon.intersection(half), polygon.difference(half)) if p.area > 1e-6]
    fine = EarthworkCriteria(sample_m=0.5)
    whole = pad_volumes(ground, polygon, 200.2, criteria=fine)
    summed = np.sum([pad_volumes(ground, p, 200.2, criteria=fine) for p in parts], axis=0)
    assert_allclose(summed, whole, rtol=2e-3, atol=2e-3 * polygon.area)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dx", [1.0, 3.0, 10.0, 30.0])
def test_within_one_percent_of_a_fine_mesh_on_rough_ground(name, dx):
    ground, polygon = rough(dx, n=140), here(SHAPES[name])
    elevation, east, north = least_squares(ground, polygon)
    expected = fine_reference(ground, polygon, elevation, east, north)
    got = pad_volumes(ground, polygon, elevation, east, north)
    assert_allclose(sum(got), sum(expected), rtol=0.01)
    assert_allclose(got, expected, atol=0.01 * sum(expected))


def test_many_pads_equal_one_by_one():
    ground = rough(5.0)
    polygons = [here(translate(rotate(s, 13.0 * i), 20.0 * i - 70, 5.0 * i)) for i, s in enumerate(SHAPES.values())]
    together = balanced_pads(ground, polygons)
    for polygon, pad in zip(polygons, together, strict=True):
        assert pad == balanced_pad(ground, polygon)
    assert balanced_pads(ground, []) == []


def test_daylight_of_a_level_pad_in_level_ground_is_its_buffer():
    ground = ground_of(plane(0, 0))
    for name, depth in (("rotated", 2.0), ("ell", -2.0), ("holed", 1.5)):
        pad = graded_pads(ground, [here(SHAPES[name])], np.array([[100 - depth, 0, 0]]))[0]
        taken = daylight(ground, pad)
        expected = pad.polygon.buffer(2 * abs(depth), quad_segs=32)
        assert taken.is_valid
        assert taken.symmetric_difference(expected).area < 0.01 * expected.area
        assert len(shapely.get_rings(taken)) == len(shapely.get_rings(pad.polygon))


def test_daylight_is_farther_downhill():
    # 1 m of fill: 1 / (1/2 - 0.1) m down the slope, 1 m of cut the same way up
    pad = graded_pads(ground_of(plane(0.1, 0.0)), [here(box(-10, -10, 10, 10))], np.array([[100.0, 0, 0]]))[0]
    west, _, east, _ = daylight(ground_of(plane(0.1, 0.0)), pad).bounds
    assert_allclose((west - EAST, east - EAST), (-12.5, 12.5), atol=1e-6)
    same = graded_pads(ground_of(plane(0, 0)), [here(box(-10, -10, 10, 10))], np.array([[100.0, 0, 0]]))[0]
    assert daylight(ground_of(plane(0, 0)), same).equals(same.polygon)


def test_pads_on_nodata_are_refused_with_their_share():
    ground = ground_of(plane(0, 0))
    ground.z[38:42, 38:42] = np.nan
    with pytest.raises(InputError, match=r"no ground height under \d+\.\d% of it \(1 such of 2 pads\)"):
        balanced_pads(ground, [here(translate(SHAPES["skid"], 150, 150)), here(SHAPES["rectangle"])])
    with pytest.raises(InputError, match=r"100\.0% of it"):
        balanced_pad(ground, translate(here(SHAPES["skid"]), 5_000, 0))


@pytest.mark.parametrize(
    ("polygon", "message"),
    [
        (Polygon(), "no area"),
        (Polygon([(0, 0), (10, 10), (10, 0), (0, 10)]), "Self-intersection|no area"),
    ],
)
def test_a_polygon_that_cannot_be_graded_is_refused(polygon, message):
    with pytest.raises(InputError, match=message):
        balanced_pad(ground_of(plane(0, 0)), here(polygon))
