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
    from rasterio.warp import Resampling, reproject  # noqa: PLC0415

    grid = Grid.of(dem)
    mercator = CRS.from_epsg(3857)
    west, south, east, north = transformer(grid.crs, mercator).transform_bounds(*grid.bounds, densify_pts=21)
    # Drawn finer than coarse cells, so that the map need not show them as blocks; coarser than very fine ones.
    factor = min(MOST_PIXELS / max(grid.shape), 4.0)
    rows, columns = max(round(grid.ny * factor), 1), max(round(grid.nx * factor), 1)
    transform = Affine((east - west) / columns, 0.0, west, 0.0, (south - north) / rows, north)
    light = np.full((rows, columns), np.nan, dtype=np.float32)
    reproject(
        hillshade(dem).values.astype(np.float32),
        light,
        src_transform=Affine(*grid.transform),
        src_crs=raster_crs.CRS.from_wkt(grid.crs.to_wkt()),
        src_nodata=np.nan,
        dst_transform=transform,
        dst_crs=raster_crs.CRS.from_epsg(3857),
        dst_nodata=np.nan,
        resampling=Resampling.bilinear,
    )
    known = np.isfinite(light)
    grey = np.clip(90 + 165 * stretched(np.nan_to_num(light), known), 0, 255).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(np.dstack([grey, np.where(known, 255, 0).astype(np.uint8)])).save(png, format="PNG", optimize=True)
    lonlat = transformer(mercator, LONLAT)
    lon0, lat0 = lonlat.transform(west, south)
    lon1, lat1 = lonlat.transform(east, north)
    image = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return MapOverlay("Hillshade", ((lat0, lon0), (lat1, lon1)), image)
