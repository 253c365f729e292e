"""Tiles of one source put together before anything is interpolated, so that no seam shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import OutsideServiceError
from pacifico.terrain.raster import moved

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.terrain.raster import RasterWindow


def merged(windows: list[RasterWindow]) -> RasterWindow:
    """One window from north-up windows of one CRS whose rows lie on one lattice; gaps are NaN.

    Where columns differ in width (GLO-30 halves them at 50° and on towards the poles), the finest are kept and the
    others interpolated along their rows.

    Raises
    ------
    OutsideServiceError
        Where CRS or rows do not match.
    """
    first = windows[0]
    if len(windows) == 1:
        return first
    dx = min(window.transform[0] for window in windows)
    dy = -first.transform[4]
    for window in windows:
        a, b, _, d, e, f = window.transform
        rows_off = (first.transform[5] - f) / dy
        if (
            window.crs != first.crs
            or b != 0
            or d != 0
            or a <= 0
            or abs(-e / dy - 1) > 1e-6
            or abs(rows_off - round(rows_off)) > 0.01
        ):
            raise OutsideServiceError("the tiles of the elevation service do not fit together: CRS or rows differ")
    finest = next(window for window in windows if window.transform[0] == dx)
    west = min(window.transform[2] for window in windows)
    east = max(window.transform[2] + window.transform[0] * window.values.shape[1] for window in windows)
    north = max(window.transform[5] for window in windows)
    south = min(window.transform[5] - dy * window.values.shape[0] for window in windows)
    start = round((west - finest.transform[2]) / dx)
    columns = round((east - finest.transform[2]) / dx) - start
    rows = round((north - south) / dy)
    out = np.full((rows, columns), np.nan, dtype=np.result_type(*(window.values.dtype for window in windows)))
    # Coarser tiles first: where edges meet, the finest has the last word.
    for window in sorted(windows, key=lambda w: (-w.transform[0], w.transform[2], w.transform[5])):
        values, at = _on_columns(window, finest.transform[2], dx)
        row = round((north - window.transform[5]) / dy)
        c0, c1 = max(at - start, 0), min(at - start + values.shape[1], columns)
        piece = values[:, c0 - (at - start) : c1 - (at - start)]
        target = out[row : row + values.shape[0], c0:c1]
        target[...] = np.where(np.isnan(piece), target, piece)
    top = round((north - finest.transform[5]) / dy)
    warnings = tuple(dict.fromkeys(w for window in windows for w in window.warnings))
    place = moved(finest.transform, -top, start)
    return replace(
        first,
        values=out,
        transform=place,
        raster_shape=out.shape,
        raster_transform=place,
        declared_nodata=any(window.declared_nodata for window in windows),
        warnings=warnings,
    )


def _on_columns(window: RasterWindow, origin: float, dx: float) -> tuple[NDArray[np.floating[Any]], int]:
    """Values on columns of width dx counted from an origin, and the number of the first."""
    width, west = window.transform[0], window.transform[2]
    if abs(width / dx - 1) < 1e-6:
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
