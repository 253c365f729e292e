"""Warnings about the ground: level patches, seams, absurd slopes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.grid import Grid, Ground, warnings_of
from pacifico.terrain.dem import open_dem
from pacifico.terrain.ground_checks import height_step, level_patches

CENTRE = (446_000.0, 4_650_000.0)
UTM15 = CRS.from_epsg(32615)


def slope(x, y):
    return 300 + 0.03 * (x - CENTRE[0]) + 0.01 * (y - CENTRE[1])


def lake(x, y, level=305.27):
    return np.where((np.abs(x - CENTRE[0] - 5) < 125) & (np.abs(y - CENTRE[1] - 5) < 100), level, slope(x, y))


def about(site, path, word, **options):
    return [w for w in warnings_of(open_dem(site, path, **options)) if word in w]


def test_steps_of_rounded_heights():
    z = np.random.default_rng(0).uniform(100, 400, (50, 60))
    assert height_step(z) == 0.0
    assert height_step(z.astype("float32")) == 0.0
    for step in (1.0, 0.5, 0.1, 0.01):
        assert height_step((np.round(z / step) * step).astype("float32")) == step
    assert height_step(np.full((3, 3), np.nan)) == 0.0
    assert height_step(np.array([1.7e308, -1.7e308, np.inf, 300.37])) == 0.01


def test_a_level_patch_is_its_polygon():
    grid = Grid(UTM15, CENTRE[0], CENTRE[1], 10.0, 10.0, 60, 70)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    z = slope(x, y)
    z[20:30, 15:35] = 301.5
    (patch,) = level_patches(Ground(grid, z))
    want = shapely.box(CENTRE[0] + 150, CENTRE[1] - 300, CENTRE[0] + 350, CENTRE[1] - 200)
    assert patch.polygon.symmetric_difference(want).area == pytest.approx(0, abs=1e-6)
    assert patch.elevation_m == 301.5
    half = shapely.box(CENTRE[0], CENTRE[1] - 250, CENTRE[0] + 700, CENTRE[1])
    (cut,) = level_patches(Ground(grid, z), half)
    assert cut.polygon.area == pytest.approx(want.area / 2)


def test_slopes_and_terraces_are_no_level_patches():
    grid = Grid(UTM15, CENTRE[0], CENTRE[1], 10.0, 10.0, 100, 100)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    plane = Ground(grid, 0.03 * x)  # columns of one height
    assert level_patches(plane) == []
    rounded = Ground(grid, np.round(0.005 * x + 0.004 * y + 3 * np.sin(x / 90) * np.sin(y / 110)))
    assert level_patches(rounded, step_m=1.0) == []
    assert level_patches(Ground(grid, np.full(grid.shape, np.nan))) == []


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16"])
@pytest.mark.parametrize("units", [None, "ft"])
def test_a_lake_is_told_with_its_area(site, make_raster, dtype, units):
    factor = 0.3048 if units else 1.0
    level = 310.0 if dtype == "int16" else 305.27
    path = make_raster(lambda x, y: lake(x, y, level) / factor, dtype=dtype, units=units)
    (told,) = about(site, path, "level")
    assert "water" in told
    assert float(told.split()[0]) == pytest.approx(5.0, abs=0.6)


def test_a_lake_is_told_on_other_grids(site, make_raster):
    fine = {"transform": (4.0, 0.0, CENTRE[0] - 1101.3, 0.0, -4.0, CENTRE[1] + 1101.7), "shape": (550, 550)}
    assert len(about(site, make_raster(lake, **fine), "level")) == 1
    assert len(about(site, make_raster(lake, **fine), "level", resolution_m=7)) == 1
    assert about(site, make_raster(slope, **fine), "level") == []


def test_water_outside_the_site_is_not_told(site, make_raster):
    def away(x, y):
        return np.where(np.abs(x - CENTRE[0] - 650) < 100, 310.0, slope(x, y))

    assert about(site, make_raster(away), "level") == []


def seamed(x, y, *, wide=5.1, slant=0.0):
    return np.where(np.abs(x - CENTRE[0] - slant * (y - CENTRE[1])) < wide, -9999.0, slope(x, y))


@pytest.mark.parametrize("nodata", [-9999.0, None])
@pytest.mark.parametrize("slant", [0.0, 0.3])
def test_a_seam_that_cuts_the_site_is_named(site, make_raster, nodata, slant):
    (told,) = about(site, make_raster(lambda x, y: seamed(x, y, slant=slant), nodata=nodata), "strip")
    assert "one cell wide" in told
    assert "2 parts" in told


@pytest.mark.parametrize("slant", [0.0, 0.3])
@pytest.mark.parametrize("height", [40.0, -25.0])
def test_a_seam_of_wrong_heights_is_named(site, make_raster, height, slant):
    def wall(x, y):
        on = np.abs(x - CENTRE[0] - slant * (y - CENTRE[1])) < 5.1
        return slope(x, y) + np.where(on, height, 0.0)

    (told,) = about(site, make_raster(wall), "strip")
    assert "above or below" in told
    assert "2 parts" in told


def test_steep_ground_is_no_seam(site, make_raster):
    def cliff(x, y):
        return slope(x, y) + np.where(x > CENTRE[0], 40.0, 0.0)

    def bank(x, y):
        return slope(x, y) + np.where(np.abs(x - CENTRE[0]) < 5.1, 8.0, 0.0)

    assert about(site, make_raster(cliff), "strip") == []
    assert about(site, make_raster(bank), "strip") == []


@pytest.mark.parametrize("height", [0.0, 280.0, 305.27])
def test_a_constant_is_told(site, make_raster, height):
    (told,) = about(site, make_raster(lambda x, _: np.full(x.shape, height)), "exactly")
    assert f"exactly {height:.2f} m" in told


def test_heights_below_dry_land_are_told(site, make_raster):
    (told,) = about(site, make_raster(lambda x, y: -slope(x, y)), "Dead Sea")
    assert "-3" in told
    assert about(site, make_raster(lambda x, y: slope(x, y) - 420), "Dead Sea") == []


def test_what_is_no_seam_is_not_named_so(site, make_raster):
    wide = make_raster(lambda x, y: seamed(x, y, wide=45), nodata=-9999.0)
    assert about(site, wide, "strip") == []
    short = make_raster(lambda x, y: np.where(y < CENTRE[1], seamed(x, y), slope(x, y)), nodata=-9999.0)
    assert about(site, short, "strip") == []


def test_slopes_that_no_terrain_has_are_told(site, make_raster):
    (told,) = about(site, make_raster(lambda x, y: slope(x, y) * 100 - 28_000, dtype="int32"), "centimetres")
    assert "steeper" in told
    assert about(site, make_raster(slope), "steeper") == []
