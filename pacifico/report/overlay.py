"""Raster images for web maps in Web Mercator, and heights for the 3D view."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from pacifico.crs import LONLAT, transformer
from pacifico.grid import Grid, elevations
from pacifico.png import png_bytes
from pacifico.report.mapframe import stretched
from pacifico.run.html import OVERLAY, RELIEF
from pacifico.terrain.surface import hillshade

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr
    from numpy.typing import NDArray

    Paint = Callable[[NDArray[np.float64]], NDArray[np.uint8]]

MOST_PIXELS = 1_400_000
"""Largest number of pixels of an image, so that a report stays small."""
MOST_SIDE = 200
"""Most heights along a side: 40,000 in all, which 16-bit indices of a mesh still number."""
NOTHING = 65_535
"""Mark of ground without elevation."""

_WEB_MERCATOR = CRS.from_epsg(3857)
_EARTH_RADIUS_M = 6378137.0
"""Radius of the sphere that EPSG:3857 is computed on."""
_FINER = 4.0
"""Pixels across a cell of a smooth image, so that coarse cells don't show as blocks."""


@dataclass(frozen=True)
class MapOverlay:
    """Image with its place, a layer of the report's map."""

    name: str
    bounds: tuple[tuple[float, float], tuple[float, float]]
    """South-west and north-east corner, latitude first [°]."""
    pixels: NDArray[np.uint8]
    """Shape (rows, columns, 4: RGBA, or 2: grey and alpha), north up."""
    opacity: float = 1.0
    ground: xr.DataArray | None = None
    """DEM of the report's 3D view."""

    @property
    def image(self) -> str:
        """PNG as a data URI, which needs no file or server."""
        return "data:image/png;base64," + base64.b64encode(png_bytes(self.pixels)).decode("ascii")

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002 (called by IPython)
        south_west, north_east = self.bounds
        content = {
            "name": self.name,
            "bounds": [list(south_west), list(north_east)],
            "image": self.image,
            "opacity": self.opacity,
        }
        found = None if self.ground is None else relief(self.ground)
        seen = {} if found is None else {RELIEF: found}
        return {OVERLAY: content, **seen, "text/plain": f"map layer: {self.name}"}


def hillshade_overlay(dem: xr.DataArray) -> MapOverlay:
    """Hillshade of a DEM, transparent at nodata; a report shows its heights in 3D too."""
    return replace(web_mercator(hillshade(dem), grey, name="Hillshade", smooth=True), ground=dem)


def web_mercator(
    raster: xr.DataArray, paint: Paint, *, name: str, smooth: bool = False, max_pixels: int = MOST_PIXELS
) -> MapOverlay:
    """Raster reprojected to Web Mercator and painted.

    A web map stretches an image evenly between its corners in EPSG:3857, so only an image in that projection fits the map.
    The site's own grid is rotated against it by the meridian convergence.

    Parameters
    ----------
    raster : DataArray
        On a projected grid in metres, NaN for nodata.
    paint : callable
        Turns values (rows, columns) into bytes (rows, columns, 4: RGBA, or 2: grey and alpha). NaN is made transparent.
    name : str
        Name of the layer.
    smooth : bool
        Interpolate between cells, for images to look at. Otherwise each pixel shows the cell it lies in.
    max_pixels : int
        Largest number of pixels; a larger raster is made coarser.
    """
    from rasterio.transform import Affine  # noqa: PLC0415 (half a second)
    from rasterio.warp import Resampling, reproject, transform_bounds  # noqa: PLC0415

    grid = Grid.of(raster)
    west, south, east, north = transform_bounds(grid.crs.to_wkt(), _WEB_MERCATOR.to_wkt(), *grid.bounds, densify_pts=51)
    middle = math.atan(math.sinh((south + north) / 2 / _EARTH_RADIUS_M))
    # a metre on the ground is 1 / cos(lat) metres in Web Mercator
    cell = min(grid.dx, grid.dy) / math.cos(middle) / (_FINER if smooth else 1.0)
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
        resampling=Resampling.bilinear if smooth else Resampling.nearest,
        tolerance=0.05,
    )
    pixels = paint(values)
    pixels[np.isnan(values)] = 0
    return MapOverlay(name, (_latlon(west, south), _latlon(east, north)), pixels)


def grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Hillshade [0-1] as opaque greys, stretched so that gentle relief shows."""
    known = np.isfinite(values)
    level = np.clip(90 + 165 * stretched(np.nan_to_num(values), known), 0, 255).astype(np.uint8)
    return np.dstack([level, np.full_like(level, 255)])


def _latlon(x: float, y: float) -> tuple[float, float]:
    """Latitude and longitude [°] of a place in Web Mercator."""
    lon, lat = transformer(_WEB_MERCATOR, LONLAT).transform(x, y)
    return float(lat), float(lon)


def relief(dem: xr.DataArray) -> dict[str, Any] | None:
    """Heights of a DEM for the page, at most 200 by 200; None where it has none.

    Members: `corners` (longitude and latitude [°] of the heights in the north-west, north-east and south-west), `columns`, `rows`,
    `size_m` (from the first to the last height, east and south), `low_m`, `high_m`, and `heights`: 16-bit steps from low to high,
    row by row from the north, 65535 where there is no elevation, in base64.

    Parameters
    ----------
    dem : DataArray
        Elevation model.
    """
    grid, values = Grid.of(dem), elevations(dem)
    step = max(-(-max(values.shape) // MOST_SIDE), 1)
    start = step // 2
    shown = values[start::step, start::step]
    known = np.isfinite(shown)
    if min(shown.shape) < 2 or not known.any():
        return None
    low, high = float(shown[known].min()), float(shown[known].max())
    scaled = np.full(shown.shape, NOTHING, dtype="<u2")
    scaled[known] = np.round((shown[known] - low) / max(high - low, 1e-6) * (NOTHING - 1))
    rows, columns = shown.shape
    x, y = grid.x_centres()[start::step], grid.y_centres()[start::step]
    lon, lat = transformer(grid.crs, LONLAT).transform([x[0], x[-1], x[0]], [y[0], y[0], y[-1]])
    return {
        "corners": [[round(float(a), 8), round(float(b), 8)] for a, b in zip(lon, lat, strict=True)],
        "columns": columns,
        "rows": rows,
        "size_m": [round(float(x[-1] - x[0]), 2), round(float(y[0] - y[-1]), 2)],
        "low_m": round(low, 2),
        "high_m": round(high, 2),
        "heights": base64.b64encode(scaled.tobytes()).decode("ascii"),
    }
