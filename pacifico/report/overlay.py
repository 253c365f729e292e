"""The hillshade as an image for a web map, which is in Web Mercator."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from pacifico.crs import LONLAT, transformer
from pacifico.grid import Grid
from pacifico.report.mapframe import stretched
from pacifico.run.html import OVERLAY
from pacifico.terrain.surface import hillshade

if TYPE_CHECKING:
    import xarray as xr

MOST_PIXELS = 1400
"""On the image's longer side."""


@dataclass(frozen=True)
class MapOverlay:
    """An image with its place; shown in a notebook it becomes a layer of the report's map."""

    name: str
    bounds: tuple[tuple[float, float], tuple[float, float]]
    """South-west and north-east corner, latitude before longitude [°]."""
    image: str
    """PNG as a data URI."""
    opacity: float = 1.0

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002 (IPython's)
        south_west, north_east = self.bounds
        content = {
            "name": self.name,
            "bounds": [list(south_west), list(north_east)],
            "image": self.image,
            "opacity": self.opacity,
        }
        return {OVERLAY: content, "text/plain": f"map layer: {self.name}"}


def hillshade_overlay(dem: xr.DataArray) -> MapOverlay:
    """Hillshade of a DEM, warped to the grid of web maps; nodata is transparent."""
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from PIL import Image  # noqa: PLC0415 (comes with matplotlib)
    from rasterio import crs as raster_crs  # noqa: PLC0415
    from rasterio.warp import Resampling, calculate_default_transform, reproject  # noqa: PLC0415

    grid = Grid.of(dem)
    source, web = raster_crs.CRS.from_wkt(grid.crs.to_wkt()), raster_crs.CRS.from_epsg(3857)
    west, south, east, north = grid.bounds
    transform, width, height = calculate_default_transform(
        source, web, grid.nx, grid.ny, left=west, bottom=south, right=east, top=north
    )
    # Drawn finer than coarse cells, so that the map need not show them as blocks; coarser than very fine ones.
    factor = min(MOST_PIXELS / max(width, height), 4.0)
    columns, rows = max(int(width * factor), 1), max(int(height * factor), 1)
    transform = Affine(transform.a * width / columns, 0.0, transform.c, 0.0, transform.e * height / rows, transform.f)
    light = np.full((rows, columns), np.nan, dtype=np.float32)
    reproject(
        hillshade(dem).values.astype(np.float32),
        light,
        src_transform=Affine(*grid.transform),
        src_crs=source,
        src_nodata=np.nan,
        dst_transform=transform,
        dst_crs=web,
        dst_nodata=np.nan,
        resampling=Resampling.bilinear,
    )
    known = np.isfinite(light)
    grey = np.clip(90 + 165 * stretched(np.nan_to_num(light), known), 0, 255).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(np.dstack([grey, np.where(known, 255, 0).astype(np.uint8)])).save(png, format="PNG", optimize=True)
    x0, y1 = transform.c, transform.f
    x1, y0 = x0 + columns * transform.a, y1 + rows * transform.e
    lonlat = transformer(CRS.from_epsg(3857), LONLAT)
    lon0, lat0 = lonlat.transform(x0, y0)
    lon1, lat1 = lonlat.transform(x1, y1)
    image = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return MapOverlay("Hillshade", ((lat0, lon0), (lat1, lon1)), image)
