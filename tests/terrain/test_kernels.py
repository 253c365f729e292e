"""Kernels on small grids against plain formulas; fast also where numba compiles nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pacifico.terrain import _kernels as kernels

DX, DY = 2.0, 5.0
LIGHT = np.array([-0.5, 0.5, math.sqrt(0.5)])
NAMES = ("slope", "aspect", "shade", "profile", "plan", "roughness", "tri", "tpi")
ROUGH = np.array(
    [
        [10.0, 11.5, 13.0, 12.0, 14.0],
        [9.0, 12.0, 15.5, 13.0, 11.0],
        [8.5, 10.0, 11.0, 18.0, 12.5],
        [14.0, 7.0, 9.5, 16.0, 13.0],
    ]
)


def products(z, *, first=0, last=None, names=NAMES, dx=DX, dy=DY):
    last = len(z) if last is None else last
    shape = (last - first, z.shape[1])
    out = {n: np.full(shape, -7.0) if n in names else np.empty((shape[0], 0)) for n in NAMES}
    kernels.surface(z, first, last, dx, dy, LIGHT, *out.values())
    return {n: out[n] for n in names}


def padded(z):
    """Grid with one more cell on each side, continued linearly."""
    z = np.vstack([2 * z[0] - z[1], z, 2 * z[-1] - z[-2]])
    return np.column_stack([2 * z[:, 0] - z[:, 1], z, 2 * z[:, -1] - z[:, -2]])


def windows(z):
    w = np.lib.stride_tricks.sliding_window_view(padded(z), (3, 3))
    return w.reshape(*z.shape, 9)


def gradient(z):
    """Horn's gradient: east, north."""
    w = windows(z)
    east = (w[..., 2] + 2 * w[..., 5] + w[..., 8] - w[..., 0] - 2 * w[..., 3] - w[..., 6]) / (8 * DX)
    north = (w[..., 0] + 2 * w[..., 1] + w[..., 2] - w[..., 6] - 2 * w[..., 7] - w[..., 8]) / (8 * DY)
    return east, north


def bordered(values):
    values = values.copy()
    values[[0, -1]] = np.nan
    values[:, [0, -1]] = np.nan
    return values


@pytest.mark.parametrize("t", [0.0, 0.1, 0.4, math.tan(math.pi / 8), 0.42, 0.7, 1.0])
def test_arc_tangent(t):
    assert_allclose(kernels.arctan_to_one(t), math.atan(t), rtol=3e-16, atol=0)


def test_slope_and_aspect_are_those_of_horns_gradient():
    east, north = gradient(ROUGH)
    found = products(ROUGH, names=("slope", "aspect"))
    assert_allclose(found["slope"], np.degrees(np.arctan(np.hypot(east, north))), rtol=1e-13)
    assert_allclose(found["aspect"], np.degrees(np.arctan2(-east, -north)) % 360, rtol=1e-13)
    assert found["slope"].max() > 45
    assert found["slope"].min() < 45


def test_shade_is_the_cosine_to_the_light_and_never_negative():
    east, north = gradient(ROUGH)
    lit = (LIGHT[2] - LIGHT[0] * east - LIGHT[1] * north) / np.sqrt(1 + east**2 + north**2)
    assert (lit < 0).any()
    assert (lit > 0).any()
    assert_allclose(products(ROUGH, names=("shade",))["shade"], np.maximum(lit, 0), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("east", "north", "aspect"),
    [
        (0, 1, 180),
        (0, -1, 0),
        (1, 0, 270),
        (-1, 0, 90),
        (-1, -1, 45),
        (1, 1, 225),
        (-2, 1, 116.56505),
        (1, -2, 333.43495),
    ],
)
def test_aspect_of_planes(east, north, aspect):
    y, x = np.mgrid[0:3, 0:4]
    z = east * x * DX - north * y * DY
    assert_allclose(products(z.astype(float), names=("aspect",))["aspect"], aspect, atol=1e-5)


def test_level_ground_has_no_aspect_and_no_slope():
    found = products(np.full((3, 3), 5.0))
    assert np.isnan(found["aspect"]).all()
    assert_array_equal(found["slope"], 0)
    assert_allclose(found["shade"], LIGHT[2])
    for name in ("profile", "plan", "roughness", "tri", "tpi"):
        assert_array_equal(found[name], bordered(np.zeros((3, 3))))


def test_relief_is_that_of_the_window():
    w = windows(ROUGH)
    centre = w[..., 4]
    found = products(ROUGH, names=("roughness", "tri", "tpi"))
    assert_allclose(found["roughness"], bordered(w.max(axis=-1) - w.min(axis=-1)), rtol=1e-13)
    assert_allclose(found["tri"], bordered(np.sqrt(((w - centre[..., None]) ** 2).sum(axis=-1))), rtol=1e-13)
    assert_allclose(found["tpi"], bordered(centre - (w.sum(axis=-1) - centre) / 8), rtol=1e-13)


def test_curvature_is_that_of_the_derivatives():
    w = windows(ROUGH)
    nw, n, ne, west, c, e, sw, s, se = np.moveaxis(w, -1, 0)
    p, q = (e - west) / (2 * DX), (n - s) / (2 * DY)
    r, t, m = (west - 2 * c + e) / DX**2, (n - 2 * c + s) / DY**2, (ne - nw - se + sw) / (4 * DX * DY)
    g = p**2 + q**2
    profile = -(p**2 * r + 2 * p * q * m + q**2 * t) / (g * (1 + g) ** 1.5)
    plan = -(q**2 * r - 2 * p * q * m + p**2 * t) / g**1.5
    found = products(ROUGH, names=("profile", "plan"))
    assert_allclose(found["profile"], bordered(profile), rtol=1e-12)
    assert_allclose(found["plan"], bordered(plan), rtol=1e-12)


def test_a_summit_has_no_fall_line():
    z = np.array([[0.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 0.0]])
    found = products(z, names=("profile", "plan"))
    assert np.isnan(found["profile"][1, 1])
    assert np.isnan(found["plan"][1, 1])
    y, x = np.mgrid[-1.0:2, -1.0:2]
    for saddle in (x * y, x**2 - y**2, x**2, y**2):
        assert np.isnan(products(saddle, names=("plan",), dx=1.0, dy=1.0)["plan"][1, 1])


def test_a_hole_is_nan_in_every_window_that_holds_it():
    z = np.add.outer(np.arange(6.0), 2 * np.arange(7.0))
    z[1, 2] = np.nan
    near = np.zeros(z.shape, bool)
    near[0:3, 1:4] = True
    for name, values in products(z, names=("slope", "shade", "roughness", "tri", "tpi")).items():
        assert np.isnan(values[1:3, 1:4]).all(), name
        assert np.isfinite(values[1:-1, 1:-1][~near[1:-1, 1:-1]]).all(), name


@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, 3), (2, 4), (3, 4), (0, 4)])
def test_a_block_of_rows_is_that_part_of_the_whole(first, last):
    whole, part = products(ROUGH), products(ROUGH, first=first, last=last)
    for name in NAMES:
        assert_array_equal(part[name], whole[name][first:last])


@pytest.mark.parametrize(("first", "last"), [(0, 3), (4, 6), (5, 9), (6, 7), (8, 9)])
def test_a_block_of_rows_of_a_tall_grid_is_that_part_of_the_whole(first, last):
    tall = np.vstack([ROUGH, ROUGH[::-1] + 1, ROUGH[:1] * 1.5])
    whole, part = products(tall), products(tall, first=first, last=last)
    for name in NAMES:
        assert_array_equal(part[name], whole[name][first:last])


def test_aspect_is_below_360_also_where_the_ground_faces_north_by_a_hair_of_west():
    tilted = 1e-20 * np.array([[0.0, 1, 2, 3]] * 3) + np.array([[0.0], [1e-3], [2e-3]])
    assert_array_equal(products(tilted, names=("aspect",), dx=1.0, dy=1.0)["aspect"], 0.0)


def test_ground_that_bends_both_ways_without_a_fall_line_has_no_curvature():
    y, x = np.mgrid[-1.0:2, -1.0:2]
    for bent in (x**2 + 2 * x * y, y**2 - 2 * x * y):
        found = products(bent, names=("profile", "plan"), dx=1.0, dy=1.0)
        assert np.isnan([found["profile"][1, 1], found["plan"][1, 1]]).all()


@pytest.mark.parametrize("name", NAMES)
def test_each_product_alone_alone_is_that_of_all_together(name):
    assert_array_equal(products(ROUGH, names=(name,))[name], products(ROUGH)[name])


def test_counts_of_gentle_cells():
    noise = np.array([[0.5, -0.25, 0.0, 1.0, 0.125]] * 4) * np.arange(1, 5)[:, None]
    usable = np.ones(ROUGH.shape, np.uint8)
    usable[1, 1:3] = usable[3, 4] = 0
    east, north = gradient(ROUGH + noise)
    squared = east**2 + north**2
    ordered = np.sort(squared.ravel())
    limits = np.array([0.0, *ordered * (1 - 1e-12), *ordered * (1 + 1e-12), 1e9])
    counts = np.full(len(limits), -1.0)
    kernels.gentle_counts(ROUGH, noise, usable, DX, DY, limits, counts)
    assert_array_equal(counts, [((squared <= limit) & (usable == 1)).sum() for limit in limits])
    assert len(set(counts)) == usable.sum() + 1


def test_a_cell_at_its_limit_counts_and_one_without_elevation_does_not():
    z = np.tile(np.arange(5.0), (4, 1))  # a plane with the gradient 1 / dx
    counts = np.empty(2)
    usable = np.ones(z.shape, np.uint8)
    kernels.gentle_counts(z, np.zeros(z.shape), usable, 1.0, 1.0, np.array([1.0, 0.99]), counts)
    assert_array_equal(counts, [20, 0])
    z[1, 2] = np.nan
    kernels.gentle_counts(z, np.zeros(z.shape), usable, 1.0, 1.0, np.array([1.0, 1e9]), counts)
    assert counts[0] == counts[1] <= 11


def test_only_a_cell_without_elevation_and_its_neighbours_within_a_window_are_lost():
    z = ROUGH.copy()
    z[2, 3] = np.nan
    east, north = gradient(z)
    usable = np.ones(z.shape, np.uint8)
    gone = np.isnan(east + north + z)
    counts = np.empty(1)
    for cell in np.argwhere(usable):
        alone = np.zeros(z.shape, np.uint8)
        alone[tuple(cell)] = 1
        kernels.gentle_counts(z, np.zeros(z.shape), alone, DX, DY, np.array([1e9]), counts)
        assert counts[0] == (not gone[tuple(cell)]), cell


def test_spread_is_the_weighted_sum_over_columns_and_rows():
    rng = np.random.default_rng(1)
    white, rows, columns = rng.normal(size=(7, 7)), rng.normal(size=(3, 3)), rng.normal(size=(5, 3))
    row_from, column_from = np.array([0, 2, 4]), np.array([0, 1, 1, 3, 4])
    out = np.full((3, 5), -9.0)
    kernels.spread(white, rows, row_from, columns, column_from, out)
    for i in range(3):
        for j in range(5):
            part = white[row_from[i] : row_from[i] + 3, column_from[j] : column_from[j] + 3]
            assert out[i, j] == pytest.approx(rows[i] @ part @ columns[j])
