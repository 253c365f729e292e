"""Rasters as images that lie true on a web map."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pyproj import CRS

from pacifico.crs import LONLAT, transformer
from pacifico.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from numpy.typing import NDArray

_WEB_MERCATOR = CRS.from_epsg(3857)
_EARTH_RADIUS_M = 6378137.0
"""Radius of the sphere that EPSG:3857 is computed on."""

SLOPE_CLASSES_DEG: tuple[tuple[float, float, str], ...] = (
    (3.0, 5.0, "#fff7bc"),
    (5.0, 10.0, "#fec44f"),
    (10.0, 15.0, "#d95f0e"),
    (15.0, 90.0, "#7f2704"),
)
"""From [°], to [°], colour; flatter ground is left clear."""


@dataclass(frozen=True)
class Overlay:
    """An image in Web Mercator and where it goes."""

    rgba: NDArray[np.uint8]
    """Shape (rows, columns, 4), north up."""
    bounds: tuple[tuple[float, float], tuple[float, float]]
    """South-west and north-east corner, (latitude, longitude) [°]."""

    def data_uri(self) -> str:
        """Image as PNG in a `data:` address, so that no file or server is needed."""
        from matplotlib.image import imsave  # noqa: PLC0415 (half a second)

        png = io.BytesIO()
        imsave(png, self.rgba, format="png")
        return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode("ascii")


def web_mercator(
    raster: xr.DataArray, paint: Callable[[NDArray[np.float64]], NDArray[np.uint8]], *, max_pixels: int = 1_000_000
) -> Overlay:
    """Raster reprojected to Web Mercator and painted.

    A web map stretches an image evenly between its corners in EPSG:3857, so only an image made in that projection registers:
    the site's own grid is turned against it by the meridian convergence.

    Parameters
    ----------
    raster : DataArray
        On a projected grid in metres, NaN for nodata.
    paint : callable
        Values (rows, columns) to RGBA bytes (rows, columns, 4); NaN stays transparent whatever it says.
    max_pixels : int
        Coarser than the raster's own cells where these would be more.
    """
    from rasterio.transform import Affine  # noqa: PLC0415 (explorer only)
    from rasterio.warp import Resampling, reproject, transform_bounds  # noqa: PLC0415

    grid = Grid.of(raster)
    west, south, east, north = transform_bounds(grid.crs.to_wkt(), _WEB_MERCATOR.to_wkt(), *grid.bounds, densify_pts=51)
    middle = math.atan(math.sinh((south + north) / 2 / _EARTH_RADIUS_M))
    cell = min(grid.dx, grid.dy) / math.cos(
        middle
    )  # Web Mercator's metres are longer than the ground's by 1 / cos(lat)
    cell = max(cell, math.sqrt((east - west) * (north - south) / max_pixels))
    columns, rows = math.ceil((east - west) / cell), math.ceil((north - south) / cell)
    east, south = west + columns * cell, north - rows * cell

    values = np.full((rows, columns), np.nan)
    reproject(
        np.ascontiguousarray(raster.values, dtype=np.float64),
        values,
        src_transform=Affine(*grid.transform),
        src_crs=grid.crs.to_wkt(),
        src_nodata=math.nan,
        dst_transform=Affine(cell, 0.0, west, 0.0, -cell, north),
        dst_crs=_WEB_MERCATOR.to_wkt(),
        dst_nodata=math.nan,
        resampling=Resampling.nearest,
        tolerance=0.05,
    )
    rgba = paint(values)
    rgba[np.isnan(values)] = 0
    return Overlay(rgba, (_latlon(west, south), _latlon(east, north)))


def grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Values as opaque greys, stretched so that gentle ground shows too: 2nd percentile dark grey, 98th white."""
    known = values[~np.isnan(values)]
    low, high = np.percentile(known, (2, 98)) if known.size else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.full_like(values, 0.5)
    level = np.clip(np.nan_to_num(share) * 135 + 120, 120, 255).astype(np.uint8)
    return np.dstack([level, level, level, np.full_like(level, 255)])


def slope_classes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Slope [°] in the colours of `SLOPE_CLASSES_DEG`."""
    rgba = np.zeros((*values.shape, 4), dtype=np.uint8)
    for low, high, colour in SLOPE_CLASSES_DEG:
        rgba[(values >= low) & (values < high)] = (*bytes.fromhex(colour[1:]), 255)
    return rgba


def _latlon(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude [°] of a place in Web Mercator."""
    lon, lat = transformer(_WEB_MERCATOR, LONLAT).transform(x, y)
    return float(lat), float(lon)
