"""Heights on the grid of a site."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS

from pacifico.grid import Grid
from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def holed(x, y):
    inside = (abs(x - CENTRE[0]) < 250) & (abs(y - CENTRE[1]) < 100)
    return np.where(inside, -9999.0, hill(x, y))


def test_averaged_when_much_coarser(site, make_raster, tmp_path):
    noise = np.random.default_rng(0)
    path = make_raster(
        lambda x, y: 100 + noise.normal(size=x.shape), transform=(10.0, 0, CENTRE[0] - 1100, 0, -10.0, CENTRE[1] + 1100)
    )
    fine = open_dem(site, path).values
    coarse = open_dem(site, path, resolution_m=100).values
    assert fine.std() == pytest.approx(1.0, abs=0.05)
    assert coarse[4:-4, 4:-4].std() == pytest.approx(0.1, abs=0.03)


def test_interpolation_carries_no_height_into_a_hole(site, make_raster):
    shifted = (9.0, 0.0, CENTRE[0] - 1103, 0.0, -9.0, CENTRE[1] + 1101)
    dem = open_dem(site, make_raster(holed, nodata=-9999.0, transform=shifted, shape=(245, 245)), resolution_m=9)
    grid = Grid.of(dem)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    deep = (abs(x - CENTRE[0]) < 250 - 4.51) & (abs(y - CENTRE[1]) < 100 - 4.51)  # half a source cell
    assert np.isnan(dem.values[deep]).all()
