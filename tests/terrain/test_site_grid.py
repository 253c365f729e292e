"""Working grid and its budget."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import xarray as xr
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.errors import DEMError
from pacifico.grid import Grid, warnings_of
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground, open_dem
from pacifico.terrain.site_grid import (
    cells_in,
    default_resolution,
    finest_default,
    require_budget,
    require_resolution,
    site_grid,
)

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


@pytest.mark.parametrize(("cell", "resolution"), [(0.5, 1.0), (10.0, 10.0), (60.0, 30.0)])
def test_default_resolution_is_held_between_1_and_30_m(make_raster, cell, resolution):
    x, y = CENTRE
    small = Site("small", UTM15, shapely.box(x - 60, y - 60, x + 60, y + 60))
    n = int(900 / cell)
    path = make_raster(transform=(cell, 0.0, x - 450, 0.0, -cell, y + 450), shape=(n, n), dtype="float32")
    dem = open_dem(small, path)
    assert dem.attrs["resolution_m"] == resolution
    assert any("too coarse" in w for w in warnings_of(dem)) == (cell > 30)


def test_halo_can_be_asked_for(site, make_raster):
    west, south, east, north = Grid.of(open_dem(site, make_raster(), halo_m=50)).bounds
    assert (west, east) == (CENTRE[0] - 550, CENTRE[0] + 550)
    assert (south, north) == (CENTRE[1] - 550, CENTRE[1] + 550)


def parcels(apart_m):
    """Two parcels of 20 ha, so far apart along a diagonal."""
    x, y = CENTRE
    d = apart_m / math.sqrt(2)
    boxes = [shapely.box(x + s, y + s, x + s + 447, y + s + 447) for s in (0, d)]
    return Site("parcels", UTM15, shapely.MultiPolygon(boxes))


def test_parcels_far_apart_get_coarser_cells_by_default(make_raster):
    site = parcels(9_000)
    n = 7_800
    path = make_raster(
        lambda x, y: 300 + 0.01 * (x - CENTRE[0]), transform=(1.0, 0.0, CENTRE[0] - 500, 0.0, -1.0, CENTRE[1] + n - 500),
        shape=(n, n), dtype="float32", tiled=True,
    )  # fmt: skip
    dem = open_dem(site, path)
    assert dem.attrs["resolution_m"] == pytest.approx(2.0, abs=2e-3)
    assert dem.size <= 16_000_000
    assert any("too many cells of 1 m" in w and "averaged over 2 x 2" in w for w in warnings_of(dem))
    x, _ = np.meshgrid(dem.x.values, dem.y.values)
    assert_allclose(dem.values, 300 + 0.01 * (x - CENTRE[0]), atol=0.01)


def test_a_site_that_is_too_large_for_its_default_is_told(make_raster):
    resolution, (told,) = default_resolution(parcels(9_000), 1.2, None)
    assert resolution == 2.0
    assert "cells of 2 m are used instead of 1.2 m" in told
    assert default_resolution(parcels(100), 1.2, None) == (1.2, ())


def test_too_many_cells_are_refused_before_any_work(tmp_path):
    with pytest.raises(DEMError, match=r"use --resolution-m 3.9, ") as caught:
        open_dem(parcels(20_000), tmp_path / "absent.tif", resolution_m=1.0)
    assert "\n" not in str(caught.value)
    require_resolution(parcels(20_000), 3.9, None)
    with pytest.raises(DEMError, match="million"):
        level_ground(parcels(400_000))
    with pytest.raises(DEMError, match=r"use --resolution-m 7\d, "):
        finest_default(parcels(400_000), None)


def test_the_budget_holds_for_the_resolution_named():
    for apart in (9_000, 20_000, 100_000):
        site = parcels(apart)
        finest = finest_default(site, None)
        grid = site_grid(site, finest)
        assert grid.ny * grid.nx <= 16_000_000 * 1.001


def test_a_dem_of_too_many_cells_is_refused_before_any_work():
    vast = xr.DataArray(np.broadcast_to(np.float32(100.0), (21_000, 21_000)), dims=("y", "x"))
    with pytest.raises(DEMError, match=r"441 million cells, a layout takes 16 million; .* 6 times"):
        require_budget(vast)
    with pytest.raises(DEMError, match="441 million"):
        generate_layout(Site("two", UTM15, shapely.box(0, 0, 100, 100)), vast)
    require_budget(xr.DataArray(np.zeros((10, 10)), dims=("y", "x")))


def test_cells_by_centre_and_by_touch():
    grid = Grid(UTM15, 0.0, 30.0, 10.0, 10.0, 3, 3)
    assert cells_in(shapely.box(2, 2, 18, 18), grid).sum() == 4
    assert cells_in(shapely.box(12, 12, 13, 13), grid).sum() == 0
    assert cells_in(shapely.box(12, 12, 13, 13), grid, all_touched=True).sum() == 1
    assert cells_in(shapely.Polygon(), grid).sum() == 0
