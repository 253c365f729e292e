"""Reading the part of a raster that a site needs, and no more."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pyproj import CRS

from pacifico.crs import LONLAT, swapped_hint, transformer
from pacifico.errors import DEMError, OutsideServiceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Affine6 = tuple[float, float, float, float, float, float]
Bounds = tuple[float, float, float, float]

MARGIN_CELLS = 3
"""Source cells read beyond the bounds, so that interpolation has its neighbours."""
REMOTE = ("http://", "https://", "s3://", "gs://", "az://", "/vsicurl/", "/vsis3/")


@dataclass(frozen=True)
class RasterWindow:
    """Part of an elevation raster as it was stored: values in the file's own unit, NaN for nodata."""

    values: NDArray[np.floating[Any]]
    transform: Affine6
    """Affine coefficients of the window, column and row to x and y; may be rotated or south-up."""
    crs: CRS
    """Horizontal and, where there is one, vertical CRS."""
    band_unit: str | None
    declared_nodata: bool
    raster_shape: tuple[int, int]
    """Rows and columns of the whole raster."""
    raster_transform: Affine6
    warnings: tuple[str, ...] = ()
    surface_model: bool = False
    """Whether it runs over trees and roofs."""

    @property
    def sha256(self) -> str:
        """Hash of values, place and CRS: the same for the same ground, whatever file it sits in."""
        digest = hashlib.sha256()
        digest.update(f"{self.values.shape} {self.values.dtype.str} {self.band_unit or ''} ".encode())
        digest.update(np.asarray(self.transform, dtype="<f8").tobytes())
        digest.update(self.crs.to_wkt().encode())
        digest.update(np.ascontiguousarray(np.where(np.isnan(self.values), np.nan, self.values)).data)
        return digest.hexdigest()

    @property
    def horizontal(self) -> CRS:
        """CRS without its vertical part: heights are converted by us, never shifted by the warper."""
        return horizontal_crs(self.crs)


def horizontal_crs(crs: CRS) -> CRS:
    """Horizontal part of a compound or 3D CRS."""
    if crs.is_compound:
        return crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) == 3 else crs


def lonlat_text(bounds: Bounds, crs: CRS) -> str:
    """Bounds in degrees, for messages: `93.7 to 93.6° W, ...` is left to readers; signs are kept."""
    west, south, east, north = transformer(crs, LONLAT).transform_bounds(*bounds, densify_pts=21)
    return f"lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"


def outline(transform: Affine6, shape: tuple[int, int], *, points: int = 21) -> NDArray[np.float64]:
    """Ring around a raster, (n, 2) x and y, with `points` on each side so that it survives reprojection."""
    ny, nx = shape
    t = np.linspace(0.0, 1.0, points)[:-1]
    column = np.concatenate([t, np.ones_like(t), 1 - t, np.zeros_like(t)]) * nx
    row = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1 - t]) * ny
    a, b, c, d, e, f = transform
    return np.column_stack([a * column + b * row + c, d * column + e * row + f])


def cell_window(
    transform: Affine6, shape: tuple[int, int], ring: NDArray[np.float64]
) -> tuple[int, int, int, int] | None:
    """Rows and columns (r0, r1, c0, c1; ends excluded) of a raster that a ring of x, y needs; None if it misses."""
    a, b, c, d, e, f = transform
    det = a * e - b * d
    dx, dy = ring[:, 0] - c, ring[:, 1] - f
    column, row = (e * dx - b * dy) / det, (a * dy - d * dx) / det
    if not (np.isfinite(column).all() and np.isfinite(row).all()):
        return None
    ny, nx = shape
    c0, c1 = max(int(np.floor(column.min())) - MARGIN_CELLS, 0), min(int(np.ceil(column.max())) + MARGIN_CELLS, nx)
    r0, r1 = max(int(np.floor(row.min())) - MARGIN_CELLS, 0), min(int(np.ceil(row.max())) + MARGIN_CELLS, ny)
    return (r0, r1, c0, c1) if r0 < r1 and c0 < c1 else None


def moved(transform: Affine6, row: int, column: int) -> Affine6:
    """Affine coefficients of the window that starts at a row and column."""
    a, b, c, d, e, f = transform
    return a, b, a * column + b * row + c, d, e, d * column + e * row + f


def is_remote(source: str) -> bool:
    """Whether GDAL would read the source over a network."""
    return source.lower().startswith(REMOTE)


def display_name(source: str) -> str:
    """Last part of a path or address: no folders, credentials or query."""
    bare = source.split("?", 1)[0].split("#", 1)[0] if is_remote(source) else source
    return bare.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or "raster"


def read_window(source: str, bounds: Bounds, crs: CRS, *, env: dict[str, Any] | None = None) -> RasterWindow:
    """Read what lies in `bounds` of a raster that GDAL opens.

    Parameters
    ----------
    source : str
        Path, address (http, https, s3) or VRT.
    bounds : tuple of float
        West, south, east, north in `crs`.
    crs : CRS
        CRS of `bounds`.
    env : dict, optional
        GDAL configuration for the read.

    Raises
    ------
    DEMError
        Where the file is missing, is no elevation raster, is damaged, or does not meet the bounds.
    OutsideServiceError
        Where a remote source fails.
    """
    import rasterio  # noqa: PLC0415 (0.3 s)
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    name = display_name(source)
    try:
        with rasterio.Env(**(env or {})), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(source) as raster:
                return _read(raster, name, bounds, crs)
    except (RasterioError, OSError) as error:
        if isinstance(error, (DEMError, OutsideServiceError)):
            raise
        reason = _one_line(error)
        if is_remote(source):
            raise OutsideServiceError(f"{name} could not be read from its server: {reason}") from error
        if "No such file" in reason:
            raise DEMError(f"{name}: no such file") from error
        if "not recognized" in reason:
            raise DEMError(f"{name} is not a raster that GDAL reads; give a GeoTIFF or the like") from error
        raise DEMError(f"{name} can't be read, it may be cut short or damaged: {reason}") from error


def _read(raster: Any, name: str, bounds: Bounds, crs: CRS) -> RasterWindow:
    """Window of an open dataset."""
    ny, nx = raster.height, raster.width
    said = _check_bands(raster, name)
    if raster.crs is None:
        raise DEMError(f"{name} has no CRS; set one, for instance with gdal_edit.py -a_srs EPSG:...")
    transform = cast("Affine6", tuple(float(v) for v in raster.transform[:6]))
    if transform == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0):
        raise DEMError(f"{name} has no geotransform; place it with gdal_translate -a_ullr or gdalwarp")
    if min(ny, nx) < 3:
        raise DEMError(f"{name} has {ny} x {nx} cells; slope needs at least 3 x 3")
    own_crs = CRS.from_wkt(raster.crs.to_wkt())
    flat = horizontal_crs(own_crs)
    west, south, east, north = bounds
    ring = outline((east - west, 0.0, west, 0.0, south - north, north), (1, 1))
    x, y = transformer(crs, flat).transform(ring[:, 0], ring[:, 1])
    window = cell_window(transform, (ny, nx), np.column_stack([x, y]))
    if window is None:
        raise DEMError(no_overlap(name, transform, (ny, nx), flat, bounds, crs))
    r0, r1, c0, c1 = window
    masked = raster.read(1, window=((r0, r1), (c0, c1)), masked=True)
    kind = np.result_type(masked.dtype, np.float32)
    values = masked.astype(kind).filled(np.nan)
    scale, offset = raster.scales[0], raster.offsets[0]
    if (scale, offset) != (1.0, 0.0):
        values = values * kind.type(scale) + kind.type(offset)
    values[~np.isfinite(values)] = np.nan
    declared = raster.nodata is not None or "all_valid" not in {flag.name for flag in raster.mask_flag_enums[0]}
    return RasterWindow(values, moved(transform, r0, c0), own_crs, raster.units[0], declared, (ny, nx), transform, said)


def no_overlap(name: str, transform: Affine6, shape: tuple[int, int], flat: CRS, bounds: Bounds, crs: CRS) -> str:
    """Say where the raster lies and where the site does."""
    ring = outline(transform, shape)
    extent = (ring[:, 0].min(), ring[:, 1].min(), ring[:, 0].max(), ring[:, 1].max())
    swapped = swapped_hint(bounds, crs, extent, flat)
    remedy = f"{swapped}: write longitude first" if swapped else "give a DEM of the site's place"
    return f"{name} does not cover the site: it spans {lonlat_text(extent, flat)}, the site {lonlat_text(bounds, crs)}; {remedy}"


def _check_bands(raster: Any, name: str) -> tuple[str, ...]:
    """Refuse pictures and complex numbers; say when only the first of several bands is read."""
    kind = np.dtype(raster.dtypes[0]) if "complex" not in raster.dtypes[0] else np.dtype("c8")
    if kind.kind == "c":
        raise DEMError(f"{name} holds complex numbers ({raster.dtypes[0]}); elevation must be real")
    colours = {interpretation.name for interpretation in raster.colorinterp}
    if colours & {"red", "green", "blue", "palette", "cyan", "hue"}:
        raise DEMError(f"{name} is a picture ({raster.count} bands, {raster.dtypes[0]}), not an elevation raster")
    if raster.count > 1:
        return (f"{name} has {raster.count} bands: the first is taken as elevation",)
    return ()


def _one_line(error: BaseException) -> str:
    cause = error.__cause__ if error.__cause__ is not None else error
    return " ".join(str(cause).split())[:200]
