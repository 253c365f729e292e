"""Compiled faults of bends: how much room the turns of a tree of lines lack for their radius.

A tree of vertices: `up` is the vertex before each (-1 at the root), `first` and `after` its children as linked lists.
A *turn* is the way from up[v] through v to a child of v: at a junction there are several, along a road there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.alignment._line_kernels import arc_clear, tangent, turn_angle
from pacifico.layout.ground._clearance_kernels import segment_clear

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


@njit(cache=True, nogil=True)
def half_turn(xy: FloatArray, u: int, v: int, w: int) -> float:
    """Tangent of half the turn u, v, w; very large beyond 160 degrees."""
    ax, ay, bx, by = xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1], xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]
    along = ax * bx + ay * by
    both = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
    return float(abs(ax * by - ay * bx) / (both + along)) if along > -0.9422 * both else 1e6


@njit(cache=True, nogil=True)
def short_fault(xy: FloatArray, u: int, v: int, w: int, size: float) -> float:
    """`turn_fault` from the legs alone; -1 where the ground decides."""
    half = half_turn(xy, u, v, w)
    if size * (np.sqrt(1.0 + half * half) - 1.0) <= 0.1:  # a slight kink, as for `is_bend`
        return 0.0
    legs = min(np.hypot(xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1]), np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    need = size * half + 0.6
    return float(1.0 + 0.5 * min((need - legs) / size, 1.0)) if need > legs else -1.0


@njit(cache=True, nogil=True)
def turn_fault(
    xy: FloatArray, u: int, v: int, w: int, size: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
) -> float:  # fmt: skip
    """Fault of the turn u, v, w: 0 with room for radius `size`, 1 without room for half of it, more for short legs."""
    short = short_fault(xy, u, v, w, size)
    if short >= 0.0:
        return short
    for share, fault in ((1.0, 0.0), (0.75, 0.5), (0.5, 0.75)):
        if arc_clear(
            xy[u, 0], xy[u, 1], xy[v, 0], xy[v, 1], xy[w, 0], xy[w, 1], share * size, edges, frame, start, items, radius
        ):
            return fault
    return 1.0


@njit(cache=True, nogil=True)
def longest_tangent(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, v: int, sizes: FloatArray
) -> float:
    """Longest tangent that arcs at v need of the leg that leads to it [m]."""
    most = 0.0
    if up[v] < 0:
        return most
    w = first[v]
    while w >= 0:
        most = max(most, sizes[strand[w]] * half_turn(xy, up[v], v, w))
        w = after[w]
    return most


@njit(cache=True, nogil=True)
def leg_fault(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, w: int, sizes: FloatArray
) -> float:
    """Fault of the leg to w: 0 with room for the arcs at both ends, up to 1 without."""
    v = up[w]
    if v < 0 or up[v] < 0:
        return 0.0
    size = sizes[strand[w]]
    need = size * half_turn(xy, up[v], v, w) + longest_tangent(xy, up, first, after, strand, w, sizes)
    leg = float(np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    return 0.0 if need + 0.6 <= leg or need < 1.0 else float(min(0.3 + (need + 0.6 - leg) / size, 1.0))


@njit(cache=True, nogil=True)
def fault_of(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, some: IntArray, count: int, sizes: FloatArray,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
) -> float:  # fmt: skip
    """Sum of the faults at some vertices and of the legs that lead to them."""
    total = 0.0
    for k in range(count):
        v = some[k]
        if up[v] == -2:
            continue
        total += leg_fault(xy, up, first, after, strand, v, sizes)
        if up[v] >= 0:
            w = first[v]
            while w >= 0:
                total += turn_fault(xy, up[v], v, w, sizes[strand[w]], edges, frame, start, items, radius)
                w = after[w]
    return total


@njit(cache=True, nogil=True)
def fault_about(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, v: int, sizes: FloatArray, limit: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
) -> float:  # fmt: skip
    """Part of `fault_of` that depends on the position of v; stops past `limit`."""
    u = up[v]
    total = leg_fault(xy, up, first, after, strand, u, sizes) + leg_fault(xy, up, first, after, strand, v, sizes)
    if up[u] >= 0:
        total += max(short_fault(xy, up[u], u, v, sizes[strand[v]]), 0.0)
    w = first[v]
    while w >= 0:
        total += leg_fault(xy, up, first, after, strand, w, sizes)
        total += max(short_fault(xy, u, v, w, sizes[strand[w]]), 0.0)
        x = first[w]
        while x >= 0:
            total += leg_fault(xy, up, first, after, strand, x, sizes)
            total += max(short_fault(xy, v, w, x, sizes[strand[x]]), 0.0)
            x = after[x]
        w = after[w]
    # check the ground last: it takes longest
    if up[u] >= 0 and total < limit and short_fault(xy, up[u], u, v, sizes[strand[v]]) < 0.0:
        total += turn_fault(xy, up[u], u, v, sizes[strand[v]], edges, frame, start, items, radius)
    w = first[v]
    while w >= 0 and total < limit:
        if short_fault(xy, u, v, w, sizes[strand[w]]) < 0.0:
            total += turn_fault(xy, u, v, w, sizes[strand[w]], edges, frame, start, items, radius)
        x = first[w]
        while x >= 0 and total < limit:
            if short_fault(xy, v, w, x, sizes[strand[x]]) < 0.0:
                total += turn_fault(xy, v, w, x, sizes[strand[x]], edges, frame, start, items, radius)
            x = after[x]
        w = after[w]
    return total


@njit(cache=True, nogil=True)
def swings_wide(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, size: float, offsets: FloatArray,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
) -> bool:  # fmt: skip
    """Whether a vehicle can turn at junction b on an arc of radius `size`, off the centrelines if needed.

    It leaves the legs at most 45 m from the junction, by at most 20 degrees.
    """
    lu, lv = np.hypot(bx - ax, by - ay), np.hypot(cx - bx, cy - by)
    su, sv = min(lu, 45.0) / lu, min(lv, 45.0) / lv
    px, py, qx, qy = bx + (ax - bx) * su, by + (ay - by) * su, bx + (cx - bx) * sv, by + (cy - by) * sv
    for k in range(offsets.shape[0]):
        x, y = bx + offsets[k, 0], by + offsets[k, 1]
        off_u, off_v = turn_angle(bx, by, px, py, x, y), turn_angle(bx, by, qx, qy, x, y)
        off_u, off_v = np.pi - off_u, np.pi - off_v
        if off_u > 0.35 or off_v > 0.35:
            continue
        turn = turn_angle(px, py, x, y, qx, qy)
        need = tangent(turn, size)
        if need + tangent(off_u, size) > np.hypot(x - px, y - py) or need + tangent(off_v, size) > np.hypot(
            x - qx, y - qy
        ):
            continue
        if not segment_clear(edges, frame, start, items, px, py, x, y, radius):
            continue
        if not segment_clear(edges, frame, start, items, x, y, qx, qy, radius):
            continue
        if arc_clear(px, py, x, y, qx, qy, size, edges, frame, start, items, radius):
            return True
    return False
