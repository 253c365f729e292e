"""Read the part of a raster that a site needs."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import DEMError, OutsideServiceError
from pacifico.escaping import for_gdal
from pacifico.terrain.raster.addresses import display_name, is_remote, redacted
from pacifico.terrain.raster.checks import check_bands, missing_file, placement
from pacifico.terrain.raster.mosaic import merged
from pacifico.terrain.raster.window import (
    RasterWindow,
    cell_window,
    ground_cell,
    horizontal_crs,
    moved,
    no_overlap,
    ring_of,
    shifted,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

    from pacifico.terrain.raster.window import Affine6, Bounds

_SMALLER = "use a coarser --resolution-m, a smaller site, or a DEM cut to the site with gdalwarp -te"
"""Remedy where memory is short."""
MOST_READ = 40_000_000
"""Cells of a window held in memory (160 MB as float32); larger windows are averaged while reading."""
MOST_SCANNED = 10_000_000_000
"""Cells that averaging may read from disk: 2 cm cells over 2 km x 2 km, some minutes."""
WHOLE_STEP = 1e-6
"""Difference below which a number of averaged cells is a whole one: rounding of measured cell sizes."""
MOST_REASON = 200
"""Characters of GDAL's message that are shown."""


@dataclass(frozen=True)
class ReadRequest:
    """Part of a raster to read."""

    bounds: Bounds
    """West, south, east, north."""
    crs: CRS
    """CRS of the bounds, in metres."""
    finest_m: float = 0.0
    """Cell size below which detail is not needed [m]: windows too large for memory are averaged up to it."""

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the bounds."""
        west, south, east, north = self.bounds
        return (west + east) / 2, (south + north) / 2


def read_window(source: str, request: ReadRequest, *, env: dict[str, Any] | None = None) -> RasterWindow:
    """Read part of a raster that GDAL opens.

    Parameters
    ----------
    source : str
        Path, GDAL name (`NETCDF:file.nc:name`), address or VRT.
    request : ReadRequest
        What to read.
    env : dict, optional
        GDAL configuration for the read.

    Raises
    ------
    DEMError
        The file is missing, is no elevation raster, is damaged or too large, or does not meet the bounds.
    OutsideServiceError
        A remote source fails.
    """
    import rasterio  # noqa: PLC0415 (0.3 s)
    from rasterio._err import CPLE_BaseError  # noqa: PLC0415 (rasterio lets GDAL's own errors pass from some properties)
    from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

    name = display_name(source)
    try:
        with rasterio.Env(**(env or {})), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(for_gdal(source)) as raster:
                return _read(raster, name, request)
    except (RasterioError, CRSError, CPLE_BaseError, OSError, UnicodeDecodeError) as error:  # text that is not UTF-8
        if isinstance(error, (DEMError, OutsideServiceError)):
            raise
        reason = _one_line(error)
        if is_remote(source):
            raise OutsideServiceError(f"{name} could not be read from its server: {reason}") from error
        if "No such file" in reason or "does not exist" in reason:
            raise missing_file(source, _one_line(error, most=2000)) from error
        if "cannot allocate" in reason:
            raise DEMError(f"{name}: its cells around the site do not fit into memory; {_SMALLER}") from error
        if "not recognized" in reason:
            raise DEMError(f"{name} is not a raster that GDAL reads; give a GeoTIFF or the like") from error
        raise DEMError(f"{name} can't be read, it may be cut short or damaged: {reason}") from error


def _read(raster: Any, name: str, request: ReadRequest) -> RasterWindow:
    """Read a window of an open dataset."""
    said = check_bands(raster, name)
    crs, transform, more = placement(raster, name)
    shape = raster.height, raster.width
    flat = horizontal_crs(crs)
    ring = ring_of(request.bounds, request.crs, flat)
    parts = []
    # Longitudes may run from 0 to 360, and a site may lie across the raster's edge at 180 or 0 degrees.
    for turn in (0.0, -360.0, 360.0) if flat.is_geographic else (0.0,):
        place = shifted(transform, turn) if turn else transform
        cells = cell_window(place, shape, ring)
        if cells is not None:
            parts.append((place, cells))
    if not parts:
        raise DEMError(no_overlap(name, transform, shape, flat, (request.bounds, request.crs)))
    windows = []
    for place, cells in parts:
        cell_m = ground_cell(place, flat, request.centre, request.crs)
        step = _step(name, cells, cell_m, request.finest_m)
        values, used = _values(raster, name, cells, step)
        corner = moved(place, used[0], used[2])
        windows.append(
            RasterWindow(
                values,
                _coarser(corner, (used[1] - used[0]) / values.shape[0], (used[3] - used[2]) / values.shape[1])
                if step > 1
                else corner,
                crs,
                raster.units[0],
                _declares_nodata(raster),
                shape,
                place,
                (*said, *more, *_averaged(step, cell_m)),
            )
        )
    return merged(windows)


def _declares_nodata(raster: Any) -> bool:
    """Whether a raster declares a nodata value or a mask."""
    return raster.nodata is not None or "all_valid" not in {flag.name for flag in raster.mask_flag_enums[0]}


def _coarser(transform: Affine6, rows: float, columns: float) -> Affine6:
    """Affine coefficients of cells that span so many rows and columns."""
    a, b, c, d, e, f = transform
    return a * columns, b * rows, c, d * columns, e * rows, f


def _averaged(step: float, cell_m: tuple[float, float]) -> tuple[str, ...]:
    """Warning that cells were averaged while reading."""
    if step == 1.0:
        return ()
    finest = min(cell_m)
    return (
        (
            f"too many cells of {finest:.3g} m lie around the site: averaged over {step:.3g} x {step:.3g} to "
            f"{finest * step:.3g} m while reading"
        ),
    )


def _step(name: str, cells: tuple[int, int, int, int], cell_m: tuple[float, float], finest_m: float) -> float:
    """Cells averaged along each axis so that a window fits into memory.

    Parameters
    ----------
    name : str
        Of the raster, for the message.
    cells : (int, int, int, int)
        First row, row after the last, first column, column after the last.
    cell_m : (float, float)
        Size of a cell on the ground [m].
    finest_m : float
        Cell size below which detail is not needed [m].

    Raises
    ------
    DEMError
        The window is too large at the resolution needed.
    """
    rows, columns = cells[1] - cells[0], cells[3] - cells[2]
    if rows * columns <= MOST_READ:
        return 1.0
    finest = min(cell_m)
    step = max(finest_m / finest, 1.0)
    if abs(step - round(step)) < WHOLE_STEP:
        step = float(round(step))
    if rows * columns / step**2 > MOST_READ:
        needed = math.ceil(math.sqrt(rows * columns / MOST_READ)) * finest
        raise DEMError(
            f"{name} holds {rows * columns / 1e6:,.0f} million cells of {finest:.3g} m around the site, more than the "
            f"{MOST_READ / 1e6:.0f} million that fit into memory; use --resolution-m {rounded_up(needed):g}, or a smaller site"
        )
    if rows * columns > MOST_SCANNED:
        raise DEMError(
            f"{name} holds {rows * columns / 1e9:,.0f} billion cells of {finest:.3g} m around the site, more than the "
            f"{MOST_SCANNED / 1e9:.0f} billion that can be averaged; coarsen it first with gdalwarp -tr, or give a smaller site"
        )
    return step


def rounded_up(resolution_m: float) -> float:
    """Resolution rounded up to 0.1 m, or 1 m if coarse."""
    return math.ceil(resolution_m * 10 - 1e-6) / 10 if resolution_m < 10 else float(math.ceil(resolution_m - 1e-6))


def _values(
    raster: Any, name: str, cells: tuple[int, int, int, int], step: float
) -> tuple[NDArray[np.floating[Any]], tuple[int, int, int, int]]:
    """Values of a window, and the rows and columns used.

    Parameters
    ----------
    raster : rasterio dataset
        Open for reading.
    name : str
        Of the raster, for the message.
    cells : (int, int, int, int)
        First row, row after the last, first column, column after the last.
    step : float
        Cells averaged along each axis.
    """
    from rasterio.enums import Resampling  # noqa: PLC0415

    r0, r1, c0, c1 = cells
    kind = np.result_type(np.dtype(raster.dtypes[0]), np.float32)
    try:
        if step == 1.0:
            masked = raster.read(1, window=((r0, r1), (c0, c1)), masked=True).astype(kind)
        else:
            rows, columns = int((r1 - r0) / step), int((c1 - c0) / step)
            if step.is_integer():  # cells of whole numbers of cells; the rest is in the halo
                r1, c1 = r0 + rows * int(step), c0 + columns * int(step)
            masked = raster.read(
                1,
                window=((r0, r1), (c0, c1)),
                out_shape=(rows, columns),
                out_dtype=kind,
                masked=True,
                resampling=Resampling.average,
            )
        values = masked.filled(np.nan)
        scale, offset = raster.scales[0], raster.offsets[0]
        if (scale, offset) != (1.0, 0.0):
            values = values * kind.type(scale) + kind.type(offset)
    except MemoryError as error:
        raise DEMError(
            f"{name}: {r1 - r0:,} x {c1 - c0:,} cells around the site do not fit into memory; {_SMALLER}"
        ) from error
    values[~np.isfinite(values)] = np.nan
    return values, (r0, r1, c0, c1)


def _one_line(error: BaseException, *, most: int = MOST_REASON) -> str:
    """Message of an error or its cause on one line, without secrets."""
    cause = error.__cause__ if error.__cause__ is not None else error
    return redacted(" ".join(str(cause).split()))[:most]
