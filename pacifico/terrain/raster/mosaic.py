"""Merge tiles of one source before interpolation, without seams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster.window import moved, shifted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.terrain.raster.window import RasterWindow

ROW_TOLERANCE = 0.01
"""Largest offset between the rows of two tiles [cells]."""
SAME_SIZE = 1e-6
"""Largest relative difference of two cell sizes that count as equal."""


def merged(windows: list[RasterWindow]) -> RasterWindow:
    """Merge north-up windows of one CRS with aligned rows; gaps are NaN.

    Where columns differ in width (GLO-30 widens them at 50° latitude and beyond), the finest are kept and the others are
    interpolated along their rows. Longitudes run on across the antimeridian.

    Raises
    ------
    OutsideServiceError
        CRS or rows of the tiles do not match.
    """
    if len(windows) == 1:
        return windows[0]
    windows = _unwrapped(windows)
    _require_aligned(windows)
    first = windows[0]
    dx, dy = min(window.transform[0] for window in windows), -first.transform[4]
    finest = next(window for window in windows if window.transform[0] == dx)
    origin = finest.transform[2]
    west = min(window.transform[2] for window in windows)
    east = max(window.transform[2] + window.transform[0] * window.values.shape[1] for window in windows)
    north = max(window.transform[5] for window in windows)
    south = min(window.transform[5] - dy * window.values.shape[0] for window in windows)
    start = round((west - origin) / dx)
    columns = round((east - origin) / dx) - start
    rows = round((north - south) / dy)
    out = np.full((rows, columns), np.nan, dtype=np.result_type(*(window.values.dtype for window in windows)))
    # Coarser tiles first, so that the finest one overwrites them where edges meet.
    for window in sorted(windows, key=lambda w: (-w.transform[0], w.transform[2], w.transform[5])):
        values, at = _on_columns(window, origin, dx)
        row = round((north - window.transform[5]) / dy)
        c0, c1 = max(at - start, 0), min(at - start + values.shape[1], columns)
        piece = values[:, c0 - (at - start) : c1 - (at - start)]
        target = out[row : row + values.shape[0], c0:c1]
        target[...] = np.where(np.isnan(piece), target, piece)
    place = moved(finest.transform, -round((north - finest.transform[5]) / dy), start)
    return replace(
        first,
        values=out,
        transform=place,
        raster_shape=out.shape,
        raster_transform=place,
        declared_nodata=any(window.declared_nodata for window in windows),
        warnings=tuple(dict.fromkeys(w for window in windows for w in window.warnings)),
    )


def _unwrapped(windows: list[RasterWindow]) -> list[RasterWindow]:
    """Windows in degrees with longitudes within 180° of the first one's."""
    first = windows[0].transform[2]
    if not windows[0].horizontal.is_geographic:
        return windows
    turns = [360.0 * round((first - window.transform[2]) / 360.0) for window in windows]
    return [replace(w, transform=shifted(w.transform, by)) if by else w for w, by in zip(windows, turns, strict=True)]


def _require_aligned(windows: list[RasterWindow]) -> None:
    """Refuse tiles whose CRS or rows differ."""
    first = windows[0]
    dy = -first.transform[4]
    for window in windows:
        a, b, _, d, e, f = window.transform
        rows_off = (first.transform[5] - f) / dy
        north_up = b == 0 and d == 0 and a > 0
        same_rows = abs(-e / dy - 1) <= SAME_SIZE and abs(rows_off - round(rows_off)) <= ROW_TOLERANCE
        if window.crs != first.crs or not north_up or not same_rows:
            raise OutsideServiceError("the tiles of the elevation service do not fit together: CRS or rows differ")


def _on_columns(window: RasterWindow, origin: float, dx: float) -> tuple[NDArray[np.floating[Any]], int]:
    """Values on columns of width dx, and the first column's number."""
    width, west = window.transform[0], window.transform[2]
    if abs(width / dx - 1) < SAME_SIZE:
        return window.values, round((west - origin) / dx)
    n = window.values.shape[1]
    first = round((west - origin) / dx)
    last = round((west + n * width - origin) / dx)
    centres = (origin + (np.arange(first, last) + 0.5) * dx - west) / width - 0.5
    centres = np.clip(centres, 0, n - 1)
    left = np.minimum(np.floor(centres).astype(np.intp), max(n - 2, 0))
    right = np.minimum(left + 1, n - 1)
    share = (centres - left).astype(window.values.dtype)
    return window.values[:, left] * (1 - share) + window.values[:, right] * share, first
