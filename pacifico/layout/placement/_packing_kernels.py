"""Compiled loops of strip packing and of exchanges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._table_kernels import share

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, Int32Array, IntArray


EDGE_M = 1e-3
"""Distance that units keep from the edge of the site, so that rounding can't put them outside [m]."""


class SlopeTables(NamedTuple):
    """Summed-area tables by which rectangles are tested."""

    steep: Int32Array
    """Cells steeper than the slope limit."""
    nodata: Int32Array
    frame: FloatArray
    """Western and northern edge of the grid and its cell sizes [m]."""
    max_shares: FloatArray
    """Largest shares of steep cells and of nodata under a rectangle."""


class StripShape(NamedTuple):
    """Dimensions of a strip and of the units in it [m]."""

    height: float
    width: float
    """Unit without the gap to the next."""
    pitch: float
    """Unit with the gap to the next."""
    margin: float
    step: float
    """How far a unit moves on where it doesn't fit."""
    period: float
    """Distance from one cross aisle to the next."""
    aisle: float


@njit(cache=True, nogil=True)
def blocked_intervals(edges: FloatArray, y0: float, y1: float, west: float, east: float) -> FloatArray:
    """Intervals of x where a strip leaves a polygon [m].

    Between the polygon's edges that cross the strip, a column is inside throughout or outside throughout: the parity of
    the edges west of it decides.

    Parameters
    ----------
    edges : (n, 4) float
        Edges of the polygon's rings: x0, y0, x1, y1 [m].
    y0, y1 : float
        Southern and northern edge of the strip [m].
    west, east : float
        Bounds of the polygon [m]; all beyond is blocked.
    """
    hits = np.empty((edges.shape[0] + 2, 2))
    hits[0, 0], hits[0, 1] = west - 1.0, west
    n = 1
    for k in range(edges.shape[0]):
        xa, ya, xb, yb = edges[k, 0], edges[k, 1], edges[k, 2], edges[k, 3]
        if max(ya, yb) <= y0 or min(ya, yb) >= y1:
            continue
        if ya == yb:
            hits[n, 0], hits[n, 1] = min(xa, xb), max(xa, xb)
        else:
            slope = (xb - xa) / (yb - ya)
            p = xa + slope * (min(max(ya, y0), y1) - ya)
            q = xa + slope * (min(max(yb, y0), y1) - ya)
            hits[n, 0], hits[n, 1] = min(p, q), max(p, q)
        n += 1
    hits[n, 0], hits[n, 1] = east, east + 1.0
    n += 1
    order = np.argsort(hits[:n, 0])
    out = np.empty((n, 2))
    m = 0
    middle = (y0 + y1) / 2
    for o in order:
        a, b = hits[o, 0] - EDGE_M, hits[o, 1] + EDGE_M
        if m and a <= out[m - 1, 1]:
            out[m - 1, 1] = max(out[m - 1, 1], b)
            continue
        if m:
            x = (out[m - 1, 1] + a) / 2
            inside = False
            for k in range(edges.shape[0]):
                ya, yb = edges[k, 1], edges[k, 3]
                if (ya > middle) != (yb > middle):
                    at = edges[k, 0] + (middle - ya) * (edges[k, 2] - edges[k, 0]) / (yb - ya)
                    if at < x:
                        inside = not inside
            if not inside:
                out[m - 1, 1] = b
                continue
        out[m, 0], out[m, 1] = a, b
        m += 1
    return out[:m]


@njit(cache=True, nogil=True)
def is_buildable(tables: SlopeTables, west: float, south: float, east: float, north: float) -> bool:
    """Whether a rectangle [m] lies on known ground within limits."""
    return bool(
        share(tables.steep, tables.frame, west, south, east, north) <= tables.max_shares[0]
        and share(tables.nodata, tables.frame, west, south, east, north) <= tables.max_shares[1]
    )


@njit(cache=True, nogil=True)
def pack(blocked: FloatArray, tables: SlopeTables, y: float, shape: StripShape) -> tuple[FloatArray, IntArray]:
    """Western edges of a strip's units, and which join the next.

    Placing each unit as far west as it fits gives the most units, to within `shape.step`.

    Parameters
    ----------
    blocked : (n, 2) float
        Blocked intervals of x, sorted and apart [m].
    tables : SlopeTables
        Ground.
    y : float
        Southern edge of the strip [m].
    shape : StripShape
        Dimensions.
    """
    capacity = max(int((blocked[-1, 1] - blocked[0, 0]) / shape.pitch) + 2, 1)
    at, joins = np.empty(capacity), np.zeros(capacity, np.int64)
    n = 0
    north, width, margin = y + shape.height, shape.width, shape.margin
    limit = tables.max_shares[0]
    for k in range(blocked.shape[0] - 1):
        x, end = blocked[k, 1], blocked[k + 1, 0]
        if n and x < at[n - 1] + shape.pitch:
            x = at[n - 1] + shape.pitch
        # where no cell under the strip is steep or unknown, all places fit
        around = x - margin, y - margin, end + margin, north + margin
        gentle = end > x and share(tables.steep, tables.frame, *around) <= 0.0
        gentle = gentle and share(tables.nodata, tables.frame, *around) <= 0.0
        while x + width <= end + 1e-9:
            steep = 0.0 if gentle else share(tables.steep, tables.frame, x, y, x + width, north)
            fits = gentle or (
                steep <= limit and share(tables.nodata, tables.frame, x, y, x + width, north) <= tables.max_shares[1]
            )
            if fits and not gentle and margin > 0.0:
                fits = is_buildable(tables, x - margin, y - margin, x + width + margin, north + margin)
            if not fits:
                # steep ground leaves at the western edge at most as fast as the unit moves: skip what can't be enough
                skip = x + (steep - limit - 1e-6) * width
                x += shape.step
                while x < skip:
                    x += shape.step
                continue
            beside = n > 0 and x - at[n - 1] - shape.pitch < 1e-6 and x - shape.pitch >= blocked[k, 1] - 1e-9
            if beside and shape.pitch > width and (gentle or is_buildable(tables, at[n - 1] + width, y, x, north)):
                joins[n - 1] = 1
            at[n] = x
            n += 1
            x += shape.pitch
    return at[:n], joins[:n]


@njit(cache=True, nogil=True)
def merge_intervals(intervals: FloatArray) -> FloatArray:
    """Intervals sorted, with those that overlap merged."""
    order = np.argsort(intervals[:, 0])
    out = np.empty(intervals.shape)
    m = 0
    for o in order:
        if m and intervals[o, 0] <= out[m - 1, 1]:
            out[m - 1, 1] = max(out[m - 1, 1], intervals[o, 1])
        else:
            out[m] = intervals[o]
            m += 1
    return out[:m]


@njit(cache=True, nogil=True)
def block_cross_aisles(intervals: FloatArray, first: float, shape: StripShape) -> FloatArray:
    """Blocked intervals with a margin, and with cross aisles.

    Parameters
    ----------
    intervals : (n, 2) float
        Blocked intervals of x [m].
    first : float
        Western edge of one cross aisle [m].
    shape : StripShape
        Margin, and period and width of cross aisles.
    """
    west, east = intervals[0, 0], intervals[-1, 1]
    k0 = int(np.floor((west - first) / shape.period))
    k1 = int(np.ceil((east - first) / shape.period))
    n = intervals.shape[0]
    out = np.empty((n + k1 - k0 + 1, 2))
    for i in range(n):
        out[i, 0], out[i, 1] = intervals[i, 0] - shape.margin, intervals[i, 1] + shape.margin
    m = n
    for k in range(k0, k1 + 1):
        a = first + k * shape.period
        if a > west and a + shape.aisle < east:
            out[m, 0], out[m, 1] = a, a + shape.aisle
            m += 1
    return merge_intervals(out[:m])


@njit(cache=True, nogil=True)
def count_units(
    ys: FloatArray, firsts: FloatArray, edges: FloatArray, tables: SlopeTables, shape: StripShape, bounds: FloatArray
) -> FloatArray:
    """Units in a strip at each place, shape (firsts, ys).

    Parameters
    ----------
    ys : (n,) float
        Southern edges of the strip [m].
    firsts : (m,) float
        Western edges of one cross aisle [m].
    edges : (k, 4) float
        Edges of the placeable ground [m].
    tables : SlopeTables
        Ground.
    shape : StripShape
        Dimensions.
    bounds : (2,) float
        Western and eastern bound of the placeable ground [m].
    """
    out = np.zeros((firsts.size, ys.size))
    for j in range(ys.size):
        south = ys[j] - shape.margin - EDGE_M
        north = ys[j] + shape.height + shape.margin + EDGE_M
        blocked = blocked_intervals(edges, south, north, bounds[0], bounds[1])
        if blocked.shape[0] < 2:
            continue
        for i in range(firsts.size):
            out[i, j] = pack(block_cross_aisles(blocked, firsts[i], shape), tables, ys[j], shape)[0].size
    return out


@njit(cache=True, nogil=True)
def stack_strips(
    ys: FloatArray, units: FloatArray, height: float, gap: float, aisle: float, most: int
) -> tuple[IntArray, IntArray]:
    """Strips that hold the most units together, from south to north.

    Returns indices of `ys` and, for each, whether an aisle lies south of it. The dynamic programme keeps, for each strip
    and its rank above the last aisle, the best total that ends there.

    Parameters
    ----------
    ys : (n,) float
        Southern edges that a strip may have, ascending [m].
    units : (n,) float
        Units of a strip there.
    height : float
        Height of a strip [m].
    gap : float
        Gap between strips without an aisle [m].
    aisle : float
        Width of an aisle [m].
    most : int
        Most strips between two aisles.
    """
    n = ys.size
    total = np.full((n, most), -1.0)
    parent = np.full((n, most, 2), -1, np.int64)
    # best of all strips that end a gap south of this one, by rank, and of all that end an aisle south of it
    run_best = np.full(most, -1.0)
    run_at = np.full(most, -1, np.int64)
    all_best, all_i, all_k = 0.0, -1, -1
    near, far = 0, 0
    for i in range(n):
        while near < i and ys[near] + height + gap <= ys[i] + 1e-9:
            for k in range(most):
                if total[near, k] > run_best[k]:
                    run_best[k], run_at[k] = total[near, k], near
            near += 1
        while far < i and ys[far] + height + aisle <= ys[i] + 1e-9:
            for k in range(most):
                if total[far, k] > all_best:
                    all_best, all_i, all_k = total[far, k], far, k
            far += 1
        if units[i] <= 0:
            continue
        total[i, 0] = units[i] + all_best
        parent[i, 0, 0], parent[i, 0, 1] = all_i, all_k
        for k in range(1, most):
            if run_best[k - 1] >= 0:
                total[i, k] = units[i] + run_best[k - 1]
                parent[i, k, 0], parent[i, k, 1] = run_at[k - 1], k - 1
    best, i, k = 0.0, -1, -1
    for a in range(n):
        for b in range(most):
            if total[a, b] > best:
                best, i, k = total[a, b], a, b
    chosen = np.empty(n, np.int64)
    starts = np.empty(n, np.int64)
    m = 0
    while i >= 0:
        chosen[m], starts[m] = i, 1 if k == 0 else 0
        m += 1
        i, k = parent[i, k, 0], parent[i, k, 1]
    return chosen[:m][::-1].copy(), starts[:m][::-1].copy()


@njit(cache=True, nogil=True)
def _count_cells(times: Int32Array, span: IntArray, value: int) -> int:
    """Cells of a span that are covered `value` times."""
    n = 0
    for i in range(span[0], span[2]):
        for j in range(span[1], span[3]):
            if times[i, j] == value:
                n += 1
    return n


@njit(cache=True, nogil=True)
def _toggle(k: int, spans: IntArray, chosen: BoolArray, times: Int32Array, cells: IntArray) -> None:
    """Choose or drop a span, and update its neighbours' cells."""
    add = not chosen[k]
    chosen[k] = add
    west, south, east, north = spans[k, 0], spans[k, 1], spans[k, 2], spans[k, 3]
    for i in range(west, east):
        for j in range(south, north):
            times[i, j] += 1 if add else -1
    for o in range(spans.shape[0]):
        if spans[o, 0] < east and spans[o, 2] > west and spans[o, 1] < north and spans[o, 3] > south:
            cells[o] = _count_cells(times, spans[o], 1 if chosen[o] else 0)


@njit(cache=True, nogil=True)
def exchange_spans(spans: IntArray, units: IntArray, chosen: BoolArray, times: Int32Array, needed: float) -> BoolArray:
    """Spans that cover fewer cells with the units needed, shape (n,).

    Each step drops the chosen span that alone covers the most cells per unit, and adds spans that cover the fewest new
    cells per unit. A step that saves no cell is undone, and its span is not tried again.

    Parameters
    ----------
    spans : (n, 4) int
        First and last column and row of the cells that each rectangle covers.
    units : (n,) int
        Units of each rectangle.
    chosen : (n,) bool
        Rectangles chosen at first.
    times : (columns, rows) int
        How often fixed rectangles cover each cell.
    needed : float
        Units needed.
    """
    chosen, times = chosen.copy(), times.copy()
    n = units.size
    total = 0
    cells = np.zeros(n, np.int64)
    for k in range(n):
        if chosen[k]:
            total += units[k]
            times[spans[k, 0] : spans[k, 2], spans[k, 1] : spans[k, 3]] += 1
    for k in range(n):
        cells[k] = _count_cells(times, spans[k], 1 if chosen[k] else 0)
    tried = np.zeros(n, np.bool_)
    added = np.empty(n, np.int64)
    for _ in range(2 * n):
        worst = -1
        for k in range(n):
            if chosen[k] and not tried[k] and (worst < 0 or cells[k] * units[worst] > cells[worst] * units[k]):
                worst = k
        if worst < 0:
            break
        change = -cells[worst]
        _toggle(worst, spans, chosen, times, cells)
        total -= units[worst]
        m = 0
        while total < needed:
            best = -1
            for k in range(n):
                if not chosen[k] and k != worst and (best < 0 or cells[k] * units[best] < cells[best] * units[k]):
                    best = k
            if best < 0:
                break
            change += cells[best]
            _toggle(best, spans, chosen, times, cells)
            total += units[best]
            added[m] = best
            m += 1
        if change < 0 and total >= needed:
            continue
        for i in range(m):
            _toggle(added[i], spans, chosen, times, cells)
            total -= units[added[i]]
        _toggle(worst, spans, chosen, times, cells)
        total += units[worst]
        tried[worst] = True
    return chosen
