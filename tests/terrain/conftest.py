"""Sites and rasters that the terrain tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS

from pacifico.crs import transformer
from pacifico.grid import Grid
from pacifico.site.model import Site

UTM15 = CRS.from_epsg(32615)
LONLAT = CRS.from_epsg(4326)
CENTRE = (446_000.0, 4_650_000.0)


@pytest.fixture
def site():
    """100 ha, 1 km square, near Ames, Iowa."""
    x, y = CENTRE
    return Site("square", UTM15, shapely.box(x - 500, y - 500, x + 500, y + 500))


@pytest.fixture
def field_data():
    """Folder of real files that are not part of the project."""
    root = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
    if not root.is_dir():
        pytest.skip("no field data on this machine")
    return root


def raster(path, z, transform, crs, **options):
    """Write a single-band GeoTIFF; options go to the profile, but units, scale and offset to the band."""
    units, scale, offset = options.pop("units", None), options.pop("scale", None), options.pop("offset", None)
    bands = z if z.ndim == 3 else z[np.newaxis]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=bands.shape[0],
        dtype=z.dtype,
        crs=crs,
        transform=Affine(*transform[:6]),
        **options,
    ) as out:
        out.write(bands)
        if units is not None:
            out.units = [units] * bands.shape[0]
        if scale is not None:
            out.scales = [scale]
        if offset is not None:
            out.offsets = [offset]
    return path


def hill(x, y):
    """Smooth heights [m] on the ground around the site: 300 m, 2 % up to the east, 1 % up to the north, and a hill."""
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def plane(x, y):
    """Heights [m] of a plane: 3 % up to the east, 4 % up to the south."""
    return 300 + 0.03 * (x - CENTRE[0]) - 0.04 * (y - CENTRE[1])


def sampled(surface, transform, shape, crs=UTM15):
    """Heights of a surface, given in UTM 15, at the cell centres of a raster in any CRS."""
    a, b, c, d, e, f = transform[:6]
    column, row = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    x, y = a * column + b * row + c, d * column + e * row + f
    if crs != UTM15:
        x, y = transformer(crs, UTM15).transform(x, y)
    return surface(x, y)


@pytest.fixture
def make_raster(tmp_path):
    """Write a raster of a surface and give its path."""

    def make(surface=hill, *, transform=None, shape=(220, 220), crs=UTM15, name="dem.tif", dtype="float64", **options):
        if transform is None:
            transform = (10.0, 0.0, CENTRE[0] - 1100, 0.0, -10.0, CENTRE[1] + 1100)
        z = sampled(surface, transform, shape, crs).astype(dtype)
        return raster(tmp_path / name, z, transform, crs, **options)

    return make


@pytest.fixture
def grid():
    """Uneven cells, so that x and y can't be swapped unseen."""
    return Grid(UTM15, CENTRE[0], CENTRE[1], 4.0, 7.0, 40, 50)
