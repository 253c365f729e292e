"""Working grid and its budget."""

from __future__ import annotations

import pytest
import shapely
from pyproj import CRS

from pacifico.grid import Grid, warnings_of
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


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
