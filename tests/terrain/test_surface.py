from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS

from pacifico.errors import CRSMismatchError, DEMError
from pacifico.grid import Grid
from pacifico.terrain import surface

GOLDEN = Path(__file__).parent / "golden"


def on(grid, function):
    x, y = np.meshgrid(grid.x_centres() - grid.x0, grid.y_centres() - grid.y0)
    return grid.data_array(function(x, y), name="elevation", units="m")


@pytest.mark.parametrize("degrees", range(0, 360, 15))
@pytest.mark.parametrize("grade", [0.001, 0.05, 0.6, 3.0])
def test_planes_are_exact_in_every_direction_up_to_the_border(grid, degrees, grade):
    east, north = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    dem = on(grid, lambda x, y: 100 - grade * (x * east + y * north))  # falls towards `degrees`
    assert_allclose(surface.slope(dem), math.degrees(math.atan(grade)), rtol=1e-9)
    assert_allclose(surface.slope(dem, units="percent"), 100 * grade, rtol=1e-9)
    turned = (surface.aspect(dem).values - degrees + 180) % 360 - 180
    assert_allclose(turned, 0, atol=1e-6)
    light = math.cos(math.radians(45)) * np.array([math.sin(math.radians(315)), math.cos(math.radians(315))])
    normal = np.array([grade * east, grade * north, 1]) / math.hypot(1, grade)
    assert_allclose(surface.hillshade(dem), max(normal @ [*light, math.sin(math.radians(45))], 0), atol=1e-9)
    assert_allclose(surface.curvature(dem, kind="plan").values[1:-1, 1:-1], 0, atol=1e-8 / grade)
    assert_allclose(surface.curvature(dem, kind="profile").values[1:-1, 1:-1], 0, atol=1e-8)


def test_level_ground_has_no_aspect_and_no_curvature(grid):
    dem = on(grid, lambda x, _: np.full(x.shape, 7.0))
    assert (surface.slope(dem) == 0).all()
    assert surface.aspect(dem).isnull().all()
    assert_allclose(surface.hillshade(dem, altitude_deg=30), 0.5)
    assert (surface.curvature(dem, kind="plan").values[1:-1, 1:-1] == 0).all()
    assert (surface.roughness(dem).values[1:-1, 1:-1] == 0).all()


def test_hillshade_depends_on_the_cell_size(grid):
    steep = on(grid, lambda x, y: x)
    wide = Grid(grid.crs, grid.x0, grid.y0, 40.0, 70.0, grid.ny, grid.nx)
    assert not np.allclose(surface.hillshade(steep), surface.hillshade(wide.data_array(steep.values, name="z")))


def test_curvature_of_a_hill_is_that_of_its_equations(grid):
    # z = 100 - (x² + 3 y²) / 2R about the grid's centre: the derivatives are exact for the stencil, being quadratic.
    radius = 500.0
    cx, cy = grid.nx * grid.dx / 2, -grid.ny * grid.dy / 2
    dem = on(grid, lambda x, y: 100 - ((x - cx) ** 2 + 3 * (y - cy) ** 2) / (2 * radius))
    x, y = np.meshgrid(grid.x_centres() - grid.x0 - cx, grid.y_centres() - grid.y0 - cy)
    p, q, r, t = -x / radius, -3 * y / radius, -1 / radius, -3 / radius
    g = p**2 + q**2
    profile = -(p**2 * r + q**2 * t) / (g * (1 + g) ** 1.5)
    plan = -(q**2 * r + p**2 * t) / g**1.5
    inner = np.s_[1:-1, 1:-1]
    assert_allclose(surface.curvature(dem, kind="profile").values[inner], profile[inner], rtol=1e-6)
    assert_allclose(surface.curvature(dem, kind="plan").values[inner], plan[inner], rtol=1e-6)
    assert (profile > 0).all()
    assert (plan > 0).all()


def test_a_summit_has_no_fall_line():
    z = np.zeros((5, 5))
    z[2, 2] = 1.0
    out = surface.surface_arrays(z, 1.0, 1.0, ["plan_curvature", "profile_curvature"])
    assert np.isnan(out["plan_curvature"][2, 2])
    assert np.isnan(out["profile_curvature"][2, 2])


def test_roughness_family_by_hand():
    z = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 30]])
    out = surface.surface_arrays(z, 2.0, 3.0, ["roughness", "tri", "tpi"])
    assert out["roughness"][1, 1] == 29
    assert out["tri"][1, 1] == math.sqrt(16 + 9 + 4 + 1 + 1 + 4 + 9 + 625)
    assert out["tpi"][1, 1] == 5 - (61 / 8)
    assert np.isnan(out["roughness"]).sum() == 8


@pytest.mark.parametrize("name", surface.PRODUCTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_hole_blinds_its_neighbours_and_no_others(name, dtype):
    z = np.random.default_rng(1).normal(size=(12, 14)).astype(dtype)
    whole = surface.surface_arrays(z, 2.0, 3.0, [name])[name]
    z[5, 6] = np.nan
    holed = surface.surface_arrays(z, 2.0, 3.0, [name])[name]
    assert holed.dtype == z.dtype
    blind = np.zeros(z.shape, dtype=bool)
    blind[4:7, 5:8] = True
    assert np.isnan(holed[blind]).all()
    assert_array_equal(holed[~blind], whole[~blind])


def test_border_can_be_left_open(grid):
    dem = on(grid, lambda x, y: x + y)
    open_border = surface.slope(dem, border="nan")
    assert np.isnan(open_border.values).sum() == 2 * grid.nx + 2 * grid.ny - 4
    assert_array_equal(open_border.values[1:-1, 1:-1], surface.slope(dem).values[1:-1, 1:-1])


def test_input_and_grid_are_kept(grid):
    dem = on(grid, lambda x, y: np.sin(x / 30) * 5 + y)
    before = dem.copy(deep=True)
    for result in (surface.slope(dem), surface.aspect(dem), surface.hillshade(dem), surface.roughness(dem, kind="tri")):
        assert Grid.of(result) == grid
    xr.testing.assert_identical(dem, before)


def test_geographic_and_misshapen_input_is_refused(grid):
    degrees = Grid(CRS.from_epsg(4326), -93.0, 42.0, 0.001, 0.001, 5, 5).data_array(np.zeros((5, 5)), name="z")
    for function in (surface.slope, surface.aspect, surface.hillshade, surface.curvature, surface.roughness):
        with pytest.raises(CRSMismatchError, match="open_dem"):
            function(degrees)
    with pytest.raises(DEMError, match="at least 2 x 2"):
        surface.slope_deg(np.zeros((1, 9)), 1.0, 1.0)
    with pytest.raises(DEMError, match="both must be over 0"):
        surface.slope_deg(np.zeros((9, 9)), 1.0, 0.0)


def test_threads_and_blocks_give_the_same_bytes():
    z = (np.random.default_rng(2).normal(size=(700, 300)).cumsum(0)).astype("float32")
    z[333, 77] = np.nan
    one = surface.surface_arrays(z, 2.0, 3.0, surface.PRODUCTS, threads=1)
    two = surface.surface_arrays(z, 2.0, 3.0, surface.PRODUCTS, threads=2)
    part = surface.surface_arrays(z, 2.0, 3.0, surface.PRODUCTS, rows=(131, 402))
    for name in surface.PRODUCTS:
        assert one[name].tobytes() == two[name].tobytes()
        assert one[name][131:402].tobytes() == part[name].tobytes()
        alone = surface.surface_arrays(z, 2.0, 3.0, [name], threads=1)[name]
        assert alone.tobytes() == one[name].tobytes()


def test_slopes_are_those_of_the_arc_tangent():
    for grade in np.linspace(0, 3, 601):
        z = np.arange(4.0)[None, :] * grade + np.zeros((4, 1))
        assert abs(surface.slope_deg(z, 1.0, 1.0)[1, 1] - math.degrees(math.atan(grade))) <= 1e-13


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lift=st.floats(-500, 500), dx=st.floats(0.5, 40), dy=st.floats(0.5, 40))
def test_lifting_turning_and_mirroring(seed, lift, dx, dy):
    z = np.random.default_rng(seed).normal(size=(9, 11)) * 10
    out = surface.surface_arrays(z, dx, dy, surface.PRODUCTS)
    lifted = surface.surface_arrays(z + lift, dx, dy, surface.PRODUCTS)
    for name in set(surface.PRODUCTS) - {"aspect", "plan_curvature"}:  # near-level cells turn with the last digit
        assert_allclose(lifted[name], out[name], rtol=1e-6, atol=1e-7)
    mirrored = surface.surface_arrays(z[:, ::-1].copy(), dx, dy, ["slope", "aspect"])
    assert_allclose(mirrored["slope"][:, ::-1], out["slope"], rtol=1e-9, atol=1e-9)
    assert_allclose(np.cos(np.radians(mirrored["aspect"][:, ::-1] + out["aspect"])), 1, atol=1e-9)
    turned = surface.surface_arrays(np.rot90(z).copy(), dy, dx, ["slope", "tri"])  # a quarter turn to the left
    assert_allclose(turned["slope"], np.rot90(out["slope"]), rtol=1e-9, atol=1e-9)
    assert_allclose(turned["tri"], np.rot90(out["tri"]), rtol=1e-9)


@pytest.mark.parametrize("name", ["slope", "aspect", "hillshade", "tri", "tpi", "roughness"])
def test_agrees_with_gdaldem(name):
    """The golden arrays say in golden/README.md by which version and command they were made."""
    with np.load(GOLDEN / "gdaldem.npz") as stored:
        z, dx, dy, want = stored["dem"], float(stored["dx"]), float(stored["dy"]), stored[name].astype(float)
    want[want == -9999] = np.nan
    if name == "aspect":
        dx = dy = 5.0
    got = surface.surface_arrays(z, dx, dy, [name], border="nan")[name].astype(float)
    if name == "hillshade":
        want[want == 0] = np.nan  # gdaldem writes bytes: 1 + 254 x shade, 0 for nodata
        got = 1 + 254 * got
    assert_array_equal(np.isnan(got), np.isnan(want))
    tolerance = {"hillshade": 0.51, "aspect": 0.02}.get(name, 4e-4)
    assert_allclose(got, want, atol=tolerance)
    assert np.isfinite(want).mean() > 0.8


def test_border_agrees_with_gdaldem_compute_edges():
    with np.load(GOLDEN / "gdaldem.npz") as stored:
        z, dx, dy, want = stored["dem"], float(stored["dx"]), float(stored["dy"]), stored["slope_edges"].astype(float)
    got = surface.slope_deg(z, dx, dy)
    rim = np.ones(z.shape, dtype=bool)
    rim[1:-1, 1:-1] = False
    rim[[0, 0, -1, -1], [0, -1, 0, -1]] = False  # gdaldem continues corners otherwise, not exactly on planes
    rim &= np.isfinite(got)
    assert rim.sum() > 100
    assert_allclose(got[rim], want[rim], atol=2e-3)
