"""Compiled loops of rows on a lattice of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._table_kernels import share
from pacifico.layout.placement._packing_kernels import blocked_intervals

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, Int32Array, IntArray
    from pacifico.layout.placement._packing_kernels import SlopeTables

FITS, JOINS, NEAR = 1, 2, 4
"""Bits of a place: a row fits, the ground up to the next column is free too, a road reaches the row."""


class ColumnShape(NamedTuple):
    """Columns of rows, and the kinds of rows in them."""

    west: float
    """Western edge of the first column [m]."""
    pitch: float
    """From one column to the next [m]."""
    width: float
    """Width of a row [m]."""
    heights: FloatArray
    """Length of the rows of each kind [m]."""
    steps: IntArray
    """Places from a row of each kind to the next row."""
    worth: FloatArray
    """Capacity of a row of each kind [kW]."""
    least: IntArray
    """Fewest rows in an array of each kind."""
    most: IntArray
    """Most rows in an array of each kind."""


@njit(cache=True, nogil=True)
def clear_ahead(edges: FloatArray, x0: float, x1: float, ys: FloatArray, north: float) -> FloatArray:
    """Free length north of each place in a column, 0 where it is blocked [m].

    Parameters
    ----------
    edges : (n, 4) float
        Edges of the free ground, turned: y0, x0, y1, x1 [m].
    x0, x1 : float
        Western and eastern edge of the column [m].
    ys : (m,) float
        Places, ascending [m].
    north : float
        Northern bound of the ground [m].
    """
    out = np.zeros(ys.size)
    blocked = blocked_intervals(edges, x0, x1, ys[0] - 1.0, north)
    k = 0
    for j in range(ys.size):
        while k < blocked.shape[0] and blocked[k, 1] < ys[j]:
            k += 1
        if k < blocked.shape[0]:
            out[j] = max(blocked[k, 0] - ys[j], 0.0)
    return out


@njit(cache=True, nogil=True)
def mark_places(
    free: FloatArray,
    far: FloatArray,
    places: tuple[FloatArray, float],
    columns: int,
    tables: SlopeTables,
    shape: ColumnShape,
) -> FlagArray:
    """What holds at each place, as bits, shape (columns, kinds, places).

    Parameters
    ----------
    free, far : (n, 4) float
        Edges of the free ground and of the ground out of reach of roads, turned: y0, x0, y1, x1 [m].
    places : ((m,) float, float)
        Places along a column, and the northern bound of the ground [m].
    columns : int
        Number of columns.
    tables : SlopeTables
        Ground.
    shape : ColumnShape
        Columns and kinds of rows.
    """
    ys, end = places
    out = np.zeros((columns, shape.heights.size, ys.size), np.uint8)
    step = ys[1] - ys[0] if ys.size > 1 else shape.heights.max()
    unfit = np.zeros((2, ys.size + int(np.ceil(shape.heights.max() / step)) + 1))
    unfit_gap = np.zeros_like(unfit)
    for c in range(columns):
        x = shape.west + c * shape.pitch
        clear = clear_ahead(free, x, x + shape.width, ys, end)
        if clear.max() < shape.heights.min():
            continue
        gap = clear_ahead(free, x + shape.width, x + shape.pitch, ys, end)
        away = clear_ahead(far, x, x + shape.width, ys, end)
        _count_unfit(tables, x, x + shape.width, ys, clear, unfit)
        _count_unfit(tables, x + shape.width, x + shape.pitch, ys, gap, unfit_gap)
        for k in range(shape.heights.size):
            h = shape.heights[k]
            # counted over whole steps, so that a row is rather too long than too short
            ahead = int(np.ceil(h / step - 1e-9))
            limits = tables.max_shares[0] * h * shape.width, tables.max_shares[1] * h * shape.width
            for j in range(ys.size):
                if clear[j] < h or not _fits(unfit, j, ahead, limits):
                    continue
                bits = FITS
                if gap[j] >= h and _fits(unfit_gap, j, ahead, limits):
                    bits |= JOINS
                if away[j] < h:
                    bits |= NEAR
                out[c, k, j] = bits
    return out


@njit(cache=True, nogil=True)
def _fits(unfit: FloatArray, j: int, ahead: int, limits: tuple[float, float]) -> bool:
    """Whether a row has little enough steep and unknown ground.

    Parameters
    ----------
    unfit : (2, n) float
        Steep and unknown ground south of each place [m²].
    j : int
        Place of its southern end.
    ahead : int
        Places from there to its northern end.
    limits : (float, float)
        Most steep and most unknown ground [m²].
    """
    end = min(j + ahead, unfit.shape[1] - 1)
    return bool(unfit[0, end] - unfit[0, j] <= limits[0] and unfit[1, end] - unfit[1, j] <= limits[1])


@njit(cache=True, nogil=True)
def _count_unfit(tables: SlopeTables, x0: float, x1: float, ys: FloatArray, clear: FloatArray, out: FloatArray) -> None:
    """Steep and unknown ground of a column south of each place, shape (2, n) [m²].

    Parameters
    ----------
    tables : SlopeTables
        Ground.
    x0, x1 : float
        Western and eastern edge of the column [m].
    ys : (m,) float
        Places [m].
    clear : (m,) float
        Free length north of each place [m].
    out : (2, n) float
        Filled in place; its places go on beyond the last one by the longest row.
    """
    out[:] = 0.0
    first, last = np.inf, -np.inf
    for j in range(ys.size):
        if clear[j] > 0:
            first, last = min(first, ys[j]), max(last, ys[j] + clear[j])
    if first >= last:
        return
    step = ys[1] - ys[0] if ys.size > 1 else last - first
    for t, sums in enumerate((tables.steep, tables.nodata)):
        if share(sums, tables.frame, x0, first, x1, last) <= 0.0:
            continue
        for j in range(1, out.shape[1]):
            north = ys[0] + j * step
            out[t, j] = share(sums, tables.frame, x0, ys[0], x1, north) * (x1 - x0) * (north - ys[0])


@njit(cache=True, nogil=True)
def _add_column(bits: FlagArray, before: FlagArray, runs: Int32Array, least: int, most: int) -> None:
    """Add a column to the counts of a segment, for one kind.

    Parameters
    ----------
    bits, before : (n,) uint8
        Places of the column, and of the one before it; 0 for the first one.
    runs : (5, n) int32
        Counts at each place: rows in the run, rows of it in arrays that roads reach, rows since the last one that a road
        reaches, whether there is one, and rows of all runs before. Changed in place.
    least, most : int
        Fewest and most rows of an array.
    """
    for j in range(bits.size):
        here = bits[j]
        if runs[0, j] > 0 and not (here & FITS and before[j] & JOINS):
            if runs[0, j] >= least:
                runs[4, j] += runs[1, j]
            runs[0, j] = runs[1, j] = runs[2, j] = runs[3, j] = 0
        if not here & FITS:
            continue
        runs[0, j] += 1
        if here & NEAR:
            gap = runs[2, j]
            more = min(gap, most - 1)
            if runs[3, j]:
                more = min(gap, 2 * (most - 1)) - min(gap, most - 1)
            runs[1, j] += 1 + more
            runs[2, j], runs[3, j] = 0, 1
        else:
            runs[2, j] += 1
            if runs[3, j] and runs[2, j] < most:
                runs[1, j] += 1


@njit(cache=True, nogil=True)
def _stack(runs: Int32Array, shape: ColumnShape, best: FloatArray) -> float:
    """Largest worth of the strips of a segment [kW].

    Parameters
    ----------
    runs : (kinds, 5, n) int32
        Counts, as `_add_column` leaves them.
    shape : ColumnShape
        Kinds of rows.
    best : (n + 1,) float
        Worth of the strips from each place on; filled in place.
    """
    n = runs.shape[2]
    best[n] = 0.0
    for j in range(n - 1, -1, -1):
        best[j] = best[j + 1]
        for k in range(runs.shape[0]):
            rows = runs[k, 4, j] + (runs[k, 1, j] if runs[k, 0, j] >= shape.least[k] else 0)
            if rows > 0:
                worth = rows * shape.worth[k] + best[min(j + shape.steps[k], n)]
                best[j] = max(best[j], worth)
    return float(best[0])


@njit(cache=True, nogil=True)
def cut_segments(marks: FlagArray, shape: ColumnShape, stride: int, longest: int) -> tuple[IntArray, float]:
    """Ends of the segments of columns that hold the most, ascending, and what they hold [kW].

    All strips of a segment have places of their own. Segments follow each other without a gap.

    Parameters
    ----------
    marks : (columns, kinds, n) uint8
        What holds at each place.
    shape : ColumnShape
        Kinds of rows.
    stride : int
        Ends of segments lie at every how many columns.
    longest : int
        Most columns of a segment.
    """
    columns, kinds, n = marks.shape
    ends = -(-columns // stride)
    best, parent = np.full(ends + 1, -1.0), np.zeros(ends + 1, np.int64)
    best[0] = 0.0
    none = np.zeros(n, np.uint8)
    runs, scratch = np.empty((kinds, 5, n), np.int32), np.empty(n + 1)
    for a in range(ends):
        runs[:] = 0
        start = a * stride
        for c in range(start, min(start + longest, columns)):
            for k in range(kinds):
                before = none if c == start else marks[c - 1, k]
                _add_column(marks[c, k], before, runs[k], shape.least[k], shape.most[k])
            if (c + 1) % stride == 0 or c + 1 == columns:
                b = -(-(c + 1) // stride)
                worth = best[a] + _stack(runs, shape, scratch)
                if worth > best[b] + 1e-9:
                    best[b], parent[b] = worth, a
    out, b = np.empty(ends + 1, np.int64), ends
    m = 0
    while b > 0:
        out[m] = min(b * stride, columns)
        m, b = m + 1, parent[b]
    return out[:m][::-1].copy(), best[ends]


@njit(cache=True, nogil=True)
def strips_of_segment(marks: FlagArray, shape: ColumnShape) -> tuple[IntArray, IntArray]:
    """Places and kinds of the strips of one segment that hold the most, from south to north.

    Parameters
    ----------
    marks : (columns, kinds, n) uint8
        What holds at each place of the segment.
    shape : ColumnShape
        Kinds of rows.
    """
    columns, kinds, n = marks.shape
    runs, best = np.zeros((kinds, 5, n), np.int32), np.empty(n + 1)
    none = np.zeros(n, np.uint8)
    for c in range(columns):
        for k in range(kinds):
            _add_column(marks[c, k], none if c == 0 else marks[c - 1, k], runs[k], shape.least[k], shape.most[k])
    _stack(runs, shape, best)
    at, kind = np.empty(n, np.int64), np.empty(n, np.int64)
    m = j = 0
    while j < n and best[j] > 0:
        chosen = -1
        for k in range(kinds):
            rows = runs[k, 4, j] + (runs[k, 1, j] if runs[k, 0, j] >= shape.least[k] else 0)
            if (
                rows > 0
                and best[j] > best[j + 1]
                and rows * shape.worth[k] + best[min(j + shape.steps[k], n)] == best[j]
            ):
                chosen = k
                break
        if chosen < 0:
            j += 1
            continue
        at[m], kind[m] = j, chosen
        j += shape.steps[chosen]
        m += 1
    return at[:m].copy(), kind[:m].copy()


@njit(cache=True, nogil=True)
def cut_run(near: IntArray, least: int, most: int) -> tuple[IntArray, IntArray]:
    """First rows and sizes of the arrays that hold the most rows of a run.

    A road reaches a row of each.

    Parameters
    ----------
    near : (n,) int
        1 where a road reaches the row.
    least, most : int
        Fewest and most rows of an array.
    """
    n = near.size
    reached = np.zeros(n + 1, np.int64)
    for i in range(n):
        reached[i + 1] = reached[i] + near[i]
    best, size = np.zeros(n + 1), np.zeros(n + 1, np.int64)
    for i in range(n - 1, -1, -1):
        best[i] = best[i + 1]
        for s in range(least, min(most, n - i) + 1):
            # of equal choices the one with fewer arrays
            worth = s - 1e-3 + best[i + s]
            if reached[i + s] > reached[i] and worth > best[i] + 1e-9:
                best[i], size[i] = worth, s
    first, sizes = np.empty(n, np.int64), np.empty(n, np.int64)
    m = i = 0
    while i < n:
        if size[i] == 0:
            i += 1
            continue
        first[m], sizes[m] = i, size[i]
        i += size[i]
        m += 1
    return first[:m].copy(), sizes[:m].copy()
