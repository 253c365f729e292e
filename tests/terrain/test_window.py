"""Windows as values."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_array_equal
from pyproj import CRS

from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


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
