"""Windows as values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pyproj import CRS

from pacifico.crs import transformer
from pacifico.terrain.dem import open_dem
from pacifico.terrain.raster.window import RasterWindow, cell_window, ground_cell, horizontal_crs, moved, ring_of

UTM15 = CRS.from_epsg(32615)
CENTRE = (446_000.0, 4_650_000.0)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def test_hash_is_of_the_ground_read_and_not_of_the_file(site, make_raster):
    whole = open_dem(site, make_raster(name="a.tif"))
    again = open_dem(site, make_raster(name="b.tif", compress="deflate", tiled=True, blockxsize=64, blockysize=64))
    wider = (10.0, 0.0, CENTRE[0] - 1300, 0.0, -10.0, CENTRE[1] + 1300)
    inside = open_dem(site, make_raster(name="c.tif", transform=wider, shape=(260, 260)))
    other = open_dem(site, make_raster(lambda x, y: hill(x, y) + 0.01, name="d.tif"))
    assert whole.attrs["sha256"] == again.attrs["sha256"] == inside.attrs["sha256"] != other.attrs["sha256"]
    assert len(whole.attrs["sha256"]) == 64
    assert_array_equal(whole.values, inside.values)


def window_of(values, transform, crs=UTM15):
    values = np.asarray(values, dtype=float)
    return RasterWindow(values, transform, crs, None, False, values.shape, transform)


def test_cells_that_a_ring_covers():
    place = (10.0, 0.0, 1000.0, 0.0, -10.0, 2000.0)
    inside = ring_of((1100.0, 1800.0, 1150.0, 1900.0), UTM15, UTM15)
    assert cell_window(place, (50, 50), inside) == (7, 23, 7, 18)
    assert cell_window(place, (50, 50), inside + 10_000) is None
    assert cell_window(place, (50, 50), inside * np.nan) is None
    assert moved(place, 7, 7) == (10.0, 0.0, 1070.0, 0.0, -10.0, 1930.0)


@pytest.mark.parametrize("size", [1e-300, 5e-324, 0.0, 1e300])
def test_absurd_cells_cover_no_ring(size):
    ring = np.array([[0.0, 0.0], [1e5, 0.0], [1e5, 1e5]])
    assert cell_window((size, 0.0, 1e10, 0.0, -size, -1e10), (40, 30), ring) is None


def test_longitudes_of_a_ring_run_on():
    crs = CRS.from_epsg(32660)
    x, y = transformer(CRS.from_epsg(4326), crs).transform(180.0, 10.0)
    ring = ring_of((x - 1000, y - 1000, x + 1000, y + 1000), crs, CRS.from_epsg(4326))
    assert ring[:, 0].max() - ring[:, 0].min() < 0.03


def test_aligned_cells():
    square = window_of(np.zeros((3, 3)), (10.0, 0.0, 0.0, 0.0, -10.0, 0.0))
    assert square.is_aligned(UTM15, 10.0)
    assert not square.is_aligned(UTM15, 5.0)
    assert not square.is_aligned(CRS.from_epsg(32616), 10.0)
    assert not window_of(np.zeros((3, 3)), (10.0, 0.0, 0.0, 0.0, 10.0, 0.0)).is_aligned(UTM15, 10.0)


def test_the_hash_is_of_values_and_place():
    place = (10.0, 0.0, 0.0, 0.0, -10.0, 0.0)
    one = window_of([[1.0, np.nan]], place)
    assert one.sha256 == window_of([[1.0, -np.nan]], place).sha256
    assert one.sha256 != window_of([[1.0, 2.0]], place).sha256
    assert one.sha256 != window_of([[1.0, np.nan]], moved(place, 0, 1)).sha256


def test_cells_on_the_ground():
    degree = (0.01, 0.0, -93.0, 0.0, -0.01, 42.0)
    x, y = transformer(CRS.from_epsg(4326), UTM15).transform(-93.0, 42.0)
    wide, high = ground_cell(degree, CRS.from_epsg(4326), (x, y), UTM15)
    assert wide == pytest.approx(828, abs=1)
    assert high == pytest.approx(1110, abs=1.5)


def test_the_horizontal_part_of_a_crs():
    assert horizontal_crs(CRS.from_user_input("EPSG:32615+5703")) == UTM15
    assert horizontal_crs(CRS.from_epsg(4979)).is_geographic
    assert len(horizontal_crs(CRS.from_epsg(4979)).axis_info) == 2
