"""Compiled strip packing: blocked intervals, units per strip, strips per site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.ground._table_kernels import share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, Int32Array, IntArray


EDGE_M = 1e-3
"""Distance that units keep from the site's edge, for rounding [m]."""


@njit(cache=True, nogil=True)
def blocked_x(edges: FloatArray, y0: float, y1: float, west: float, east: float) -> FloatArray:
    """Intervals of x in which a strip between y0 and y1 leaves a polygon, shape (n, 2).

    `edges` are the polygon's (x0, y0, x1, y1), shape (n, 4). Between the edges that cross the strip a column is inside
    throughout or outside throughout: the parity of the edges west of it tells.
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
def good(
    steep: Int32Array, unknown: Int32Array, frame: FloatArray, limits: FloatArray,
    west: float, south: float, east: float, north: float,
) -> bool:  # fmt: skip
    """Whether a rectangle lies on known ground within the slope limit, as `Sieve.by_ground`."""
    return bool(
        share(steep, frame, west, south, east, north) <= limits[0]
        and share(unknown, frame, west, south, east, north) <= limits[1]
    )


@njit(cache=True, nogil=True)
def pack(
    blocked: FloatArray, steep: Int32Array, unknown: Int32Array, frame: FloatArray, limits: FloatArray,
    y: float, height: float, width: float, pitch: float, margin: float, step: float,
) -> tuple[FloatArray, IntArray]:  # fmt: skip
    """Western edges of the most units that fit a strip, and which join the next.

    Each unit stands as far west as it can: that is optimal for one strip, to within `step`.
    """
    room = max(int((blocked[-1, 1] - blocked[0, 0]) / pitch) + 2, 1)
    at, joins = np.empty(room), np.zeros(room, np.int64)
    n = 0
    north = y + height
    for k in range(blocked.shape[0] - 1):
        x, end = blocked[k, 1], blocked[k + 1, 0]
        if n and x < at[n - 1] + pitch:
            x = at[n - 1] + pitch
        while x + width <= end + 1e-9:
            slope = share(steep, frame, x, y, x + width, north)
            ok = slope <= limits[0] and share(unknown, frame, x, y, x + width, north) <= limits[1]
            if ok and margin > 0.0:
                ok = good(steep, unknown, frame, limits, x - margin, y - margin, x + width + margin, north + margin)
            if not ok:
                # the ground stays too steep within this move: continue from there
                short = x + (slope - limits[0] - 1e-6) * width
                x += step
                while x < short:
                    x += step
                continue
            beside = n > 0 and x - at[n - 1] - pitch < 1e-6 and x - pitch >= blocked[k, 1] - 1e-9
            if beside and pitch > width and good(steep, unknown, frame, limits, at[n - 1] + width, y, x, north):
                joins[n - 1] = 1
            at[n] = x
            n += 1
            x += pitch
    return at[:n], joins[:n]


@njit(cache=True, nogil=True)
def merged(intervals: FloatArray) -> FloatArray:
    """Sorted intervals with overlapping ones merged."""
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
def widened(intervals: FloatArray, margin: float, first: float, period: float, aisle: float) -> FloatArray:
    """Intervals widened by a margin, with cross aisles at `first` and every `period` after it."""
    west, east = intervals[0, 0], intervals[-1, 1]
    k0 = int(np.floor((west - first) / period))
    k1 = int(np.ceil((east - first) / period))
    n = intervals.shape[0]
    out = np.empty((n + k1 - k0 + 1, 2))
    for i in range(n):
        out[i, 0], out[i, 1] = intervals[i, 0] - margin, intervals[i, 1] + margin
    m = n
    for k in range(k0, k1 + 1):
        a = first + k * period
        if a > west and a + aisle < east:
            out[m, 0], out[m, 1] = a, a + aisle
            m += 1
    return merged(out[:m])


@njit(cache=True, nogil=True)
def worth(
    ys: FloatArray, edges: FloatArray, steep: Int32Array, unknown: Int32Array, frame: FloatArray, limits: FloatArray, dims: FloatArray,
    firsts: FloatArray,
) -> FloatArray:  # fmt: skip
    """Number of units of a strip at each y and each position of the cross aisles, shape (firsts, ys)."""
    height, width, pitch, margin, step, period, aisle, west, east = dims
    out = np.zeros((firsts.size, ys.size))
    for j in range(ys.size):
        free = blocked_x(edges, ys[j] - margin - EDGE_M, ys[j] + height + margin + EDGE_M, west, east)
        if free.shape[0] < 2:
            continue
        for i in range(firsts.size):
            out[i, j] = pack(
                widened(free, margin, firsts[i], period, aisle), steep, unknown, frame, limits,
                ys[j], height, width, pitch, margin, step,
            )[0].size  # fmt: skip
    return out


@njit(cache=True, nogil=True)
def stacked(
    ys: FloatArray, value: FloatArray, height: float, gap: float, aisle: float, most: int
) -> tuple[IntArray, IntArray]:
    """Strips with the most units, from the south: indices of ys, and whether each follows an aisle.

    At most `most` strips lie between two aisles.
    """
    n = ys.size
    total = np.full((n, most), -1.0)
    before = np.full((n, most, 2), -1, np.int64)
    # best stack of strips that ends in time: for each position in the module, and overall
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
        if value[i] <= 0:
            continue
        total[i, 0] = value[i] + all_best
        before[i, 0, 0], before[i, 0, 1] = all_i, all_k
        for k in range(1, most):
            if run_best[k - 1] >= 0:
                total[i, k] = value[i] + run_best[k - 1]
                before[i, k, 0], before[i, k, 1] = run_at[k - 1], k - 1
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
        i, k = before[i, k, 0], before[i, k, 1]
    return chosen[:m][::-1].copy(), starts[:m][::-1].copy()


@njit(cache=True, nogil=True)
def _cells(covered: IntArray, span: IntArray, value: int) -> int:
    """Number of cells of a span with the given coverage."""
    n = 0
    for i in range(span[0], span[2]):
        for j in range(span[1], span[3]):
            if covered[i, j] == value:
                n += 1
    return n


@njit(cache=True, nogil=True)
def _set(k: int, spans: IntArray, chosen: NDArray[np.bool_], covered: IntArray, cells: IntArray) -> None:
    """Choose a span, or release it, and update the cell counts of its neighbours."""
    on = not chosen[k]
    chosen[k] = on
    west, south, east, north = spans[k, 0], spans[k, 1], spans[k, 2], spans[k, 3]
    for i in range(west, east):
        for j in range(south, north):
            covered[i, j] += 1 if on else -1
    for o in range(spans.shape[0]):
        if spans[o, 0] < east and spans[o, 2] > west and spans[o, 1] < north and spans[o, 3] > south:
            cells[o] = _cells(covered, spans[o], 1 if chosen[o] else 0)


@njit(cache=True, nogil=True)
def exchange(spans: IntArray, units: IntArray, chosen: NDArray[np.bool_], covered: IntArray, needed: float) -> None:
    """Exchange chosen spans while that covers fewer cells with enough units; changes `chosen`.

    The span that covers most cells alone, per unit, is replaced by those that cover least anew.
    """
    n = units.size
    total = 0
    cells = np.zeros(n, np.int64)
    for k in range(n):
        if chosen[k]:
            total += units[k]
            covered[spans[k, 0] : spans[k, 2], spans[k, 1] : spans[k, 3]] += 1
    for k in range(n):
        cells[k] = _cells(covered, spans[k], 1 if chosen[k] else 0)
    tried = np.zeros(n, np.bool_)
    added = np.empty(n, np.int64)
    for _ in range(2 * n):
        worst = -1
        for k in range(n):
            if chosen[k] and not tried[k] and (worst < 0 or cells[k] * units[worst] > cells[worst] * units[k]):
                worst = k
        if worst < 0:
            return
        change = -cells[worst]
        _set(worst, spans, chosen, covered, cells)
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
            _set(best, spans, chosen, covered, cells)
            total += units[best]
            added[m] = best
            m += 1
        if change < 0 and total >= needed:
            continue
        # no gain: restore it and do not try it again
        for i in range(m):
            _set(added[i], spans, chosen, covered, cells)
            total -= units[added[i]]
        _set(worst, spans, chosen, covered, cells)
        total += units[worst]
        tried[worst] = True
