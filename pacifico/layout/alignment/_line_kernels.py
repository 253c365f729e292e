"""Compiled lines: shorten paths and round their bends."""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.ground._clearance_kernels import polygon_distance, sees_blind, segment_clear
from pacifico.layout.routing._search_kernels import line_cost, turn_cost

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def shortcut_holds(
    ax: float,
    ay: float,
    bx: float,
    by: float,
    i: int,
    j: int,
    bound_at: IntArray,
    bound: IntArray,
    coords: FloatArray,
    poly_start: IntArray,
    reach: FloatArray,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    nodata_mask: FlagArray,
    blind_frame: FloatArray,
    any_blind: bool,
    radius: float,
) -> bool:
    """Whether a straight line may replace path points i..j: legal, and still serving their terminals."""
    if not segment_clear(edges, frame, start, items, ax, ay, bx, by, radius):
        return False
    if any_blind and sees_blind(nodata_mask, blind_frame, ax, ay, bx, by):
        return False
    for b in range(bound.size):
        if i < bound_at[b] < j:
            t = bound[b]
            if polygon_distance(coords, poly_start[t], poly_start[t + 1], ax, ay, bx, by) > reach[t]:
                return False
    return True


@njit(cache=True, nogil=True)
def pull(
    xy: FloatArray,
    bound_at: IntArray,
    bound: IntArray,
    coords: FloatArray,
    poly_start: IntArray,
    reach: FloatArray,
    z: FloatArray,
    cost_factor: FloatArray,
    x0: float,
    y0: float,
    step: float,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    nodata_mask: FlagArray,
    blind_frame: FloatArray,
    any_blind: bool,
    radius: float,
    grade: float,
) -> IntArray:
    """Shorten a path where that costs no more; returns the indices of the remaining points."""
    n = xy.shape[0]
    along = np.zeros(n)
    for k in range(1, n):
        cost = line_cost(z, cost_factor, x0, y0, step, xy[k - 1, 0], xy[k - 1, 1], xy[k, 0], xy[k, 1], grade)
        if cost < 0.0:  # legal on the nodes' own heights: priced as the steepest grade
            cost = 20.0 * np.hypot(xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1])
        along[k] = along[k - 1] + cost
        if k < n - 1:
            ux, uy, vx, vy = (
                xy[k, 0] - xy[k - 1, 0],
                xy[k, 1] - xy[k - 1, 1],
                xy[k + 1, 0] - xy[k, 0],
                xy[k + 1, 1] - xy[k, 1],
            )
            along[k] += 2.0 * turn_cost(ux, uy, vx, vy)  # trade a little earthwork for fewer small bends
    keep = np.zeros(n, np.int64)
    count, i = 1, 0
    while i < n - 1:
        hop = min(n - 1 - i, 256)
        chosen = i + 1
        while hop > 1:
            j = i + hop
            cost = line_cost(z, cost_factor, x0, y0, step, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1], grade)
            if 0.0 <= cost <= (along[j] - along[i]) * 1.002 + 0.02 and shortcut_holds(
                xy[i, 0],
                xy[i, 1],
                xy[j, 0],
                xy[j, 1],
                i,
                j,
                bound_at,
                bound,
                coords,
                poly_start,
                reach,
                edges,
                frame,
                start,
                items,
                nodata_mask,
                blind_frame,
                any_blind,
                radius,
            ):
                chosen = j
                break
            hop = min(hop - 1, int(hop * 0.85))
        keep[count] = chosen
        count += 1
        i = chosen
    changed = True
    while changed:
        changed = False
        k = 1
        while k < count - 1:
            i, j = keep[k - 1], keep[k + 1]
            cost = line_cost(z, cost_factor, x0, y0, step, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1], grade)
            if 0.0 <= cost <= (along[j] - along[i]) * 1.01 + 0.05 and shortcut_holds(
                xy[i, 0],
                xy[i, 1],
                xy[j, 0],
                xy[j, 1],
                i,
                j,
                bound_at,
                bound,
                coords,
                poly_start,
                reach,
                edges,
                frame,
                start,
                items,
                nodata_mask,
                blind_frame,
                any_blind,
                radius,
            ):
                for q in range(k, count - 1):
                    keep[q] = keep[q + 1]
                count -= 1
                changed = True
            else:
                k += 1
    return keep[:count].copy()


@njit(cache=True, nogil=True)
def turn_angle(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Change of direction at b on the way from a to c [rad], 0 to pi."""
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    return float(abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)))


@njit(cache=True, nogil=True)
def tangent(angle: float, size: float) -> float:
    """Tangent length of an arc of radius `size`; very large beyond 160 degrees."""
    return float(size * np.tan(0.5 * angle)) if angle < 2.8 else 1e6


@njit(cache=True, nogil=True)
def is_bend(angle: float, size: float) -> bool:
    """Whether a corner is a bend: one within 0.1 m of its arc is not."""
    return bool(size * (1.0 / np.cos(min(angle, 3.0) / 2) - 1.0) > 0.1)


@njit(cache=True, nogil=True)
def round_bends(
    xy: FloatArray,
    least: float,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    nodata_mask: FlagArray,
    blind_frame: FloatArray,
    any_blind: bool,
    radius: float,
    full: bool,
    share: FloatArray,
) -> tuple[FloatArray, int]:
    """Replace corners by arcs of radius `least` where they fit, else smaller ones; count the tighter bends.

    `share` of the radius is tried first at each point; where it is negative, legs are shared by halves though `full`.
    """
    n = xy.shape[0]
    out = np.zeros((n * 16 + 2, 2))
    out[0] = xy[0]
    m, tight, taken = 1, 0, 0.0
    for k in range(1, n - 1):
        ux, uy = xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1]
        vx, vy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
        lu, lv = np.hypot(ux, uy), np.hypot(vx, vy)
        turn = abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy))
        if turn < 0.01:
            out[m] = xy[k]
            m, taken = m + 1, 0.0
            continue
        # an end leg may be used in full; a leg between two bends by half, or by what the other arc leaves
        before, behind = lu * (0.9 if k == 1 else 0.49), lv * (0.9 if k == n - 2 else 0.49)
        own = full and share[k] > 0.0
        if own:
            before, behind = lu - taken - 0.3, lv - 0.3
        elif full:
            before = min(before, lu - taken - 0.3)
        if own and k < n - 2:
            other = turn_angle(xy[k, 0], xy[k, 1], xy[k + 1, 0], xy[k + 1, 1], xy[k + 2, 0], xy[k + 2, 1])
            behind = max(lv - tangent(other, least), 0.5 * lv) - 0.3
        room = min(before, behind)
        taken = 0.0
        size = least * abs(share[k])
        done = False
        while size >= 2.0 and turn < 3.0:
            need = size * np.tan(turn / 2)
            if need <= room:
                chords = min(max(int(np.ceil(turn / 0.2)), 2), 14)
                # chords are at least 0.6 m long
                while chords > 1 and size * turn / chords < 0.6:
                    chords -= 1
                ax, ay = xy[k, 0] - ux / lu * need, xy[k, 1] - uy / lu * need
                side = 1.0 if ux * vy - uy * vx > 0 else -1.0
                cx, cy = ax - side * uy / lu * size, ay + side * ux / lu * size
                legal = True
                qx, qy = out[m - 1, 0], out[m - 1, 1]
                for c in range(chords + 1):
                    phi = side * turn * c / chords
                    x = cx + (ax - cx) * np.cos(phi) - (ay - cy) * np.sin(phi)
                    y = cy + (ax - cx) * np.sin(phi) + (ay - cy) * np.cos(phi)
                    out[m + c, 0], out[m + c, 1] = x, y
                    if c > 0 and (
                        not segment_clear(edges, frame, start, items, qx, qy, x, y, radius)
                        or (any_blind and sees_blind(nodata_mask, blind_frame, qx, qy, x, y))
                    ):
                        legal = False
                        break
                    qx, qy = x, y
                if legal:
                    m += chords + 1
                    done, taken = True, need
                    break
            size *= 0.8
        if not done:
            out[m] = xy[k]
            m += 1
        # a corner within 0.1 m of its arc is no bend
        if (not done or size < least * 0.999) and is_bend(turn, least):
            tight += 1
    out[m] = xy[n - 1]
    return out[: m + 1].copy(), tight


@njit(cache=True, nogil=True)
def arc_clear(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, size: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
) -> bool:  # fmt: skip
    """Whether an arc of radius `size` in the corner at b is clear; the legs are long enough."""
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    lu = np.hypot(ux, uy)
    turn = abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy))
    t = tangent(turn, size)
    side = 1.0 if ux * vy - uy * vx > 0 else -1.0
    px, py = bx - ux / lu * t, by - uy / lu * t
    ox, oy = px - side * uy / lu * size, py + side * ux / lu * size
    chords = min(max(int(np.ceil(turn / 0.2)), 2), 14)
    qx, qy = px, py
    for c in range(1, chords + 1):
        phi = side * turn * c / chords
        x = ox + (px - ox) * np.cos(phi) - (py - oy) * np.sin(phi)
        y = oy + (px - ox) * np.sin(phi) + (py - oy) * np.cos(phi)
        if not segment_clear(edges, frame, start, items, qx, qy, x, y, radius):
            return False
        qx, qy = x, y
    return True
