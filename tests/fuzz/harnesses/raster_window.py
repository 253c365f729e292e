"""Fuzz harness of elevation rasters, read as the window of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from fuzz.harnesses.sites import LAT, LON
from fuzz.scaffold import BreachError, Harness, written

import pacifico
from pacifico.crs import LONLAT, reproject, utm
from pacifico.grid import warnings_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CELL_DEG = 0.0003
SIZE = 24
SITE = pacifico.Site(
    "site",
    utm(LON, LAT),
    reproject(shapely.box(LON, LAT, LON + 0.001, LAT + 0.001), LONLAT, utm(LON, LAT)),
    source="",
    sha256="",
)
"""Site of about a hectare in the middle of the rasters."""


def read(data: bytes) -> Iterator[str]:
    """Open the bytes as the DEM of a small site; yields source and warnings."""
    dem = pacifico.open_dem(SITE, written(data, "dem.tif"), resolution_m=10, halo_m=50)
    heights = dem.to_numpy()
    if np.isinf(heights).any() or np.isnan(heights).all():
        raise BreachError("heights that are infinite, or nodata everywhere")
    yield str(dem.attrs["source"])
    yield from warnings_of(dem)


def tiff(kind: str, *, crs: str = "EPSG:4326", driver: str = "GTiff", **profile: Any) -> bytes:
    """Raster of a slope around the site, as a file's bytes."""
    from affine import Affine
    from rasterio.io import MemoryFile

    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    heights = (200 + 2.5 * rows + columns + (rows * columns % 3)).astype(kind)
    corner = Affine(CELL_DEG, 0, LON - 0.003, 0, -CELL_DEG, LAT + 0.0042)
    if crs != "EPSG:4326":
        x, y = SITE.boundary.centroid.coords[0]
        corner = Affine(30, 0, x - 12 * 30, 0, -30, y + 12 * 30)
    with MemoryFile() as memory:
        with memory.open(
            driver=driver, width=SIZE, height=SIZE, count=1, dtype=kind, crs=crs, transform=corner, **profile
        ) as out:
            out.write(heights, 1)
        return memory.read()


def seeds() -> dict[str, bytes]:
    """GeoTIFFs of several types, one compressed, one tiled, one in metres."""
    return {
        "float32": tiff("float32", nodata=-9999.0),
        "int16": tiff("int16", nodata=-32768),
        "metres": tiff("float32", crs=SITE.crs.to_string()),
        "deflate": tiff("float64", compress="deflate", predictor=3),
        "tiled": tiff("int16", tiled=True, blockxsize=16, blockysize=16),
    }


HARNESS = Harness(
    read,
    seeds,
    words=("II*\x00", "MM\x00*", "ncols", "nrows", "cellsize", "NODATA_value", "nan", "1e38", "\x0e\x83", "\x87\xaf"),
)
