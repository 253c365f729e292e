"""Tiles of one source."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import CRS

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster.mosaic import merged
from pacifico.terrain.raster.window import RasterWindow

LONLAT = CRS.from_epsg(4326)


def tile(west, north, values, dx=0.5, dy=0.5, crs=LONLAT):
    values = np.array(values, dtype=float)
    place = (dx, 0.0, west, 0.0, -dy, north)
    return RasterWindow(values, place, crs, "m", False, values.shape, place)


def test_tiles_side_by_side():
    whole = merged([tile(10, 50, [[1, 2]]), tile(11, 50, [[3, 4]]), tile(10, 49.5, [[5, 6]])])
    np.testing.assert_array_equal(whole.values, [[1, 2, 3, 4], [5, 6, np.nan, np.nan]])
    assert whole.transform == (0.5, 0.0, 10.0, 0.0, -0.5, 50.0)


def test_across_the_antimeridian():
    whole = merged([tile(179, 1, [[1, 2]]), tile(-180, 1, [[3, 4]])])
    np.testing.assert_array_equal(whole.values, [[1, 2, 3, 4]])
    assert whole.transform[2] == 179


def test_a_gap_in_one_tile_is_filled_by_another():
    whole = merged([tile(10, 50, [[1, np.nan]]), tile(10.5, 50, [[7, 8]])])
    np.testing.assert_array_equal(whole.values, [[1, 7, 8]])


@pytest.mark.parametrize(
    "other", [tile(11, 50.2, [[3, 4]]), tile(11, 50, [[3, 4]], dy=0.4), tile(11, 50, [[3, 4]], crs=CRS.from_epsg(4269))]
)
def test_tiles_that_do_not_fit_are_refused(other):
    with pytest.raises(OutsideServiceError, match="do not fit together"):
        merged([tile(10, 50, [[1, 2]]), other])
