"""Window of a DEM as a file, to reproduce a layout from.

A clip holds the source's own cells in the source's CRS, neither resampled nor converted: opening it gives exactly the
heights that opening the source gave. It is an ordinary GeoTIFF. Tags hold what GeoTIFF can't store exactly (some CRS, the
name and extent of the source).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from pacifico.errors import DEMError
from pacifico.escaping import for_gdal
from pacifico.terrain.dem import DemOptions, dem_from_window, memory_errors_told, source_window
from pacifico.terrain.raster.addresses import display_name
from pacifico.terrain.raster.window import RasterWindow

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.site.model import Site
    from pacifico.terrain.heights import Units
    from pacifico.terrain.remote.settings import SourceSettings

TAG = "PACIFICO_CLIP"
VERSION = 1
"""Version of the tag's content."""


def clip_source(
    site: Site,
    source: str | Path,
    out_path: str | Path,
    *,
    resolution_m: float | None = None,
    settings: SourceSettings | None = None,
) -> Path:
    """Write the part of a DEM that a site needs.

    Parameters
    ----------
    site : Site
        Site to cover.
    source : str or Path
        As for `open_dem`.
    out_path : str or Path
        File to write.
    resolution_m : float, optional
        Resolution that the clip will be opened with [m]: the halo depends on it.
    settings : SourceSettings, optional
        As for `open_dem`.

    Raises
    ------
    DEMError, OutsideServiceError
        As `open_dem`, if the raster can't be read or does not meet the site.
    """
    name = display_name(str(source))
    with memory_errors_told(site, name):
        return _write(source_window(site, str(source), DemOptions(resolution_m), settings), name, Path(out_path))


def _write(window: RasterWindow, source: str, path: Path) -> Path:
    """Write a window as a clip."""
    import rasterio  # noqa: PLC0415 (0.3 s)
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)

    about = {
        "version": VERSION,
        "source": source,
        "transform": list(window.transform),
        "crs_wkt": window.crs.to_wkt(),
        "band_unit": window.band_unit,
        "declared_nodata": window.declared_nodata,
        "raster_shape": list(window.raster_shape),
        "raster_transform": list(window.raster_transform),
        "warnings": list(window.warnings),
        "surface_model": window.surface_model,
        "sha256": window.sha256,
    }
    profile = {
        "driver": "GTiff",
        "height": window.values.shape[0],
        "width": window.values.shape[1],
        "count": 1,
        "dtype": window.values.dtype.name,
        "crs": rasterio.crs.CRS.from_wkt(window.crs.to_wkt()),
        "transform": Affine(*window.transform),
        "nodata": float("nan"),
        "compress": "deflate",
        "predictor": 3,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with rasterio.open(for_gdal(path), "w", **profile) as out:
        out.write(window.values, 1)
        if window.band_unit:
            out.set_band_unit(1, window.band_unit)
        out.update_tags(**{TAG: json.dumps(about)})
    return path


def is_clip(path: str | Path) -> bool:
    """Whether a file is a clip that this package wrote."""
    return _about(Path(path)) is not None if Path(path).is_file() else False


def open_clip(
    site: Site, path: str | Path, *, resolution_m: float | None = None, units: Units | None = None
) -> xr.DataArray:
    """Elevation from a clip, as `open_dem` gives it for the source.

    Parameters
    ----------
    site, resolution_m, units
        As for `open_dem`, and as when the clip was made.
    path : str or Path
        Clip that `clip_source` wrote.

    Raises
    ------
    DEMError
        The file is no clip, or one of a newer version.
    """
    import rasterio  # noqa: PLC0415

    about = _about(Path(path))
    if about is None:
        raise DEMError(f"{Path(path).name} is not a clip; open it with pacifico.open_dem")
    if about.get("version") != VERSION:
        raise DEMError(f"{Path(path).name} is a clip of version {about.get('version')}; this pacifico reads {VERSION}")
    with rasterio.open(for_gdal(path)) as raster:
        values = raster.read(1)
    window = RasterWindow(
        np.ascontiguousarray(values),
        tuple(about["transform"]),
        CRS.from_wkt(about["crs_wkt"]),
        about["band_unit"],
        about["declared_nodata"],
        tuple(about["raster_shape"]),
        tuple(about["raster_transform"]),
        tuple(about["warnings"]),
        surface_model=about.get("surface_model", False),
    )
    with memory_errors_told(site, about["source"]):
        dem = dem_from_window(site, window, about["source"], DemOptions(resolution_m, units))
    dem.attrs["sha256"] = about["sha256"]  # WKT that is written, read and written again may differ in its words
    return dem


def _about(path: Path) -> dict[str, Any] | None:
    """Content of the tag of a clip; None for other files."""
    import rasterio  # noqa: PLC0415

    try:
        with rasterio.open(for_gdal(path)) as raster:
            text = raster.tags().get(TAG)
    except rasterio.errors.RasterioError:
        return None
    about: dict[str, Any] | None = json.loads(text) if text else None
    return about
