"""Compiled sums under rectangles, from summed-area tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, Int32Array


@njit(cache=True, nogil=True)
def _sum_at(sums: Int32Array, row: float, column: float) -> float:
    """Marked cells north-west of a place, interpolated between cell corners."""
    r, c = min(int(row), sums.shape[0] - 2), min(int(column), sums.shape[1] - 2)
    fr, fc = row - r, column - c
    north = sums[r, c] * (1 - fc) + sums[r, c + 1] * fc
    south = sums[r + 1, c] * (1 - fc) + sums[r + 1, c + 1] * fc
    return float(north * (1 - fr) + south * fr)


@njit(cache=True, nogil=True)
def share(sums: Int32Array, frame: FloatArray, west: float, south: float, east: float, north: float) -> float:
    """Exact share of a rectangle on marked cells or off the grid.

    Parameters
    ----------
    sums : ndarray of int32, shape (ny + 1, nx + 1)
        Summed-area table: marked cells north-west of each cell corner.
    frame : ndarray, shape (4,)
        Western and northern edge and cell sizes of the grid [m].
    west, south, east, north : float
        Edges of the rectangle [m].
    """
    ny, nx = sums.shape[0] - 1, sums.shape[1] - 1
    a, b = (west - frame[0]) / frame[2], (east - frame[0]) / frame[2]
    c, d = (frame[1] - north) / frame[3], (frame[1] - south) / frame[3]
    total = (b - a) * (d - c)
    a, b = min(max(a, 0.0), nx), min(max(b, 0.0), nx)
    c, d = min(max(c, 0.0), ny), min(max(d, 0.0), ny)
    off = total - (b - a) * (d - c)
    marked = 0.0
    if sums[ny, nx] > 0:  # a table without marks, as most of unknown ground are, needs no look-up
        marked = _sum_at(sums, d, b) - _sum_at(sums, c, b) - _sum_at(sums, d, a) + _sum_at(sums, c, a)
    return float((marked + off) / total)


@njit(cache=True, nogil=True)
def shares(sums: Int32Array, frame: FloatArray, rects: FloatArray) -> FloatArray:
    """Share of each rectangle on marked cells, shape (n,)."""
    out = np.empty(rects.shape[0])
    for k in range(rects.shape[0]):
        out[k] = share(sums, frame, rects[k, 0], rects[k, 1], rects[k, 2], rects[k, 3])
    return out
