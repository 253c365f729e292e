"""Window of a DEM as a file, to reproduce a layout from.

A clip holds the source's own cells in the source's CRS, neither resampled nor converted: opening it gives exactly the
heights that opening the source gave. It is an ordinary GeoTIFF. Tags hold what GeoTIFF can't store exactly (some CRS, the
name and extent of the source).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import DEMError
from pacifico.escaping import for_gdal
from pacifico.terrain.dem import DemOptions, dem_from_window, memory_errors_told, source_window
from pacifico.terrain.raster.addresses import display_name
from pacifico.terrain.raster.clip_tag import TAG, ClipTag
from pacifico.terrain.raster.read import MOST_READ

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from pacifico.site.model import Site
    from pacifico.terrain.heights import Units
    from pacifico.terrain.raster.window import Affine6, RasterWindow
    from pacifico.terrain.remote.settings import SourceSettings


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
        out.update_tags(**{TAG: ClipTag.of(window, source).to_json()})
    return path


def is_clip(path: str | Path) -> bool:
    """Whether a file has the tag of a clip."""
    return bool(_tag(Path(path))) if Path(path).is_file() else False


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
        The file is no clip, one of a newer version, too large, damaged, or was changed after it was written.
    """
    name = Path(path).name
    text = _tag(Path(path))
    if not text:
        raise DEMError(f"{name} is not a clip; open it with pacifico.open_dem")
    tag = ClipTag.parse(text, name)
    with memory_errors_told(site, tag.source):
        dem = dem_from_window(site, tag.window(*_cells(path, name), name), tag.source, DemOptions(resolution_m, units))
    dem.attrs["sha256"] = tag.sha256  # WKT that is written, read and written again may differ in its words
    return dem


def _tag(path: Path) -> str:
    """Text of the tag of a clip; empty for other files."""
    import rasterio  # noqa: PLC0415

    try:
        with rasterio.open(for_gdal(path)) as raster:
            return str(raster.tags().get(TAG, ""))
    except (rasterio.errors.RasterioError, UnicodeDecodeError):
        return ""


def _cells(path: str | Path, name: str) -> tuple[NDArray[np.floating[Any]], Affine6]:
    """Cells of a clip and their place, within the limit for windows that are read."""
    import rasterio  # noqa: PLC0415

    with rasterio.open(for_gdal(path)) as raster:
        count = raster.width * raster.height
        if raster.count != 1 or raster.dtypes[0] not in ("float32", "float64") or count > MOST_READ:
            raise DEMError(
                f"{name} has {raster.count} bands of {raster.dtypes[0]} and {count:,} cells; a clip has one of float32 or float64 "
                f"and {MOST_READ:,} at most: make it again with `pacifico report`"
            )
        try:
            return np.ascontiguousarray(raster.read(1)), tuple(raster.transform)[:6]
        except rasterio.errors.RasterioError as error:
            raise DEMError(
                f"{name} can't be read, it may be cut short or damaged: {' '.join(str(error).split())[:200]}"
            ) from error
