"""Reading of windows."""

from __future__ import annotations

import numpy as np
from affine import Affine
from pyproj import CRS

from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def test_a_huge_raster_costs_its_window(site, tmp_path):
    import rasterio

    path = tmp_path / "huge.tif"
    transform = Affine(10.0, 0.0, CENTRE[0] - 1_000_000, 0.0, -10.0, CENTRE[1] + 1_000_000)
    with rasterio.open(path, "w", driver="GTiff", height=200_000, width=200_000, count=1, dtype="float32", crs="EPSG:32615",
                       transform=transform, sparse_ok=True, tiled=True, blockxsize=4096, blockysize=4096) as out:  # fmt: skip
        out.write(np.full((1, 200, 200), 7, dtype="float32"), window=((99_900, 100_100), (99_900, 100_100)))
    dem = open_dem(site, path)
    assert dem.size < 40_000
    assert float(np.nanmax(dem)) == 7
