"""Compiled parts of the search for drivable curves: Dubins words, arcs as chords, Hybrid A*.

A *pose* is a place and a heading [rad, counterclockwise from east]. A curve is a list of *pieces*: curvature [1/m],
positive to the left, and length [m].
"""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.alignment._height_range_kernels import levels_after
from pacifico.layout.ground._clearance_kernels import polygon_distance, sees_blind, segment_clear
from pacifico.layout.routing._search_kernels import heap_pop, heap_up, line_cost

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


CHORD = 0.2
"""Largest turn of a curve between two vertices [rad]."""
HEADINGS = 24
STEP = 1.6
"""Length of a move [cells]: over a cell's diagonal, so that every move leaves its cell."""
DEAR = 25.0
"""Cost per metre where the ground is steeper than a search allows."""
TURNING, SWERVING_M = 0.04, 0.6
"""Extra cost of a turning move, per length [-], and of a change of curvature [m]."""
ROUND = 1.15 * np.pi
"""Turn of one piece beyond which a curve meets itself [rad]."""
SHOT = 5.0
"""Distance to the goal, in radii, within which every pose tries a direct curve."""
SELDOM = 8


@njit(cache=True, nogil=True)
def whole(angle: float) -> float:
    """Angle from 0 to a full turn; rounding just below a full turn gives 0."""
    out = float(angle % (2.0 * np.pi))
    return 0.0 if out > 2.0 * np.pi - 1e-7 else out


@njit(cache=True, nogil=True)
def dubins_word(d: float, a: float, b: float, word: int) -> tuple[float, float, float]:
    """Three pieces of a Dubins word for radius 1; the first is negative where there is none.

    From heading `a` at 0 to heading `b` at distance `d` ahead. Words are LSL, RSR, LSR, RSL, RLR, LRL.
    """
    sa, ca, sb, cb = np.sin(a), np.cos(a), np.sin(b), np.cos(b)
    cab = np.cos(a - b)
    if word == 0:
        p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sa - sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        way = np.arctan2(cb - ca, d + sa - sb)
        return whole(way - a), np.sqrt(p), whole(b - way)
    if word == 1:
        p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sb - sa)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        way = np.arctan2(ca - cb, d - sa + sb)
        return whole(a - way), np.sqrt(p), whole(way - b)
    if word == 2:
        p = d * d - 2.0 + 2.0 * cab + 2.0 * d * (sa + sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        p = np.sqrt(p)
        way = np.arctan2(-ca - cb, d + sa + sb) - np.arctan2(-2.0, p)
        return whole(way - a), p, whole(way - b)
    if word == 3:
        p = d * d - 2.0 + 2.0 * cab - 2.0 * d * (sa + sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        p = np.sqrt(p)
        way = np.arctan2(ca + cb, d - sa - sb) - np.arctan2(2.0, p)
        return whole(a - way), p, whole(b - way)
    across = (sa - sb) if word == 4 else (sb - sa)
    c = (6.0 - d * d + 2.0 * cab + 2.0 * d * across) / 8.0
    if abs(c) > 1.0:
        return -1.0, 0.0, 0.0
    p = 2.0 * np.pi - np.arccos(c)
    way = np.arctan2(ca - cb, d - across)
    if word == 4:
        t = whole(a - way + p / 2.0)
        return t, p, whole(a - b - t + p)
    t = whole(p / 2.0 - a - way)
    return t, p, whole(b - a - t + p)


@njit(cache=True, nogil=True)
def bending_of(word: int, piece: int) -> int:
    """Whether a piece of a word turns left (1), right (-1) or not (0)."""
    if piece == 1:
        return 0 if word < 4 else (1 if word == 4 else -1)
    left = word in {0, 2, 5} if piece == 0 else word in {0, 3, 5}
    return 1 if left else -1


@njit(cache=True, nogil=True)
def dubins_length(x: float, y: float, h: float, gx: float, gy: float, gh: float, size: float) -> float:
    """Length of the shortest forward curve between two poses with radius `size` [m]."""
    d, theta = np.hypot(gx - x, gy - y) / size, np.arctan2(gy - y, gx - x)
    best = np.inf
    for word in range(6):
        t, p, q = dubins_word(d, h - theta, gh - theta, word)
        if t >= 0.0:
            best = min(best, t + p + q)
    return float(best * size)


@njit(cache=True, nogil=True)
def advanced(x: float, y: float, h: float, bend: float, length: float) -> tuple[float, float, float]:
    """Pose at the end of a piece."""
    if bend == 0.0:
        return x + length * np.cos(h), y + length * np.sin(h), h
    to = h + bend * length
    return x + (np.sin(to) - np.sin(h)) / bend, y - (np.cos(to) - np.cos(h)) / bend, to


@njit(cache=True, nogil=True)
def piece_cost(
    x: float, y: float, h: float, bend: float, length: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
    nodata_mask: FlagArray, blind_frame: FloatArray, any_blind: bool,
    z: FloatArray, cost_factor: FloatArray, x0: float, y0: float, step: float, grade: float,
    ground: FloatArray, tile: FloatArray, low: float, high: float, climb: float, depth: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Cost of a piece as chords, and the heights a road may have at its end.

    The cost is negative where a chord is not legal.
    """
    n = max(int(np.ceil(abs(bend) * length / CHORD - 1e-9)), 1)
    total, px, py = 0.0, x, y
    for k in range(1, n + 1):
        qx, qy, _ = advanced(x, y, h, bend, length * k / n)
        if not segment_clear(edges, frame, start, items, px, py, qx, qy, radius):
            return -1.0, low, high
        if any_blind and sees_blind(nodata_mask, blind_frame, px, py, qx, qy):
            return -1.0, low, high
        low, high = levels_after(ground, tile, px, py, qx, qy, low, high, climb, depth)
        if low > high:
            return -1.0, low, high
        part = line_cost(z, cost_factor, x0, y0, step, px, py, qx, qy, grade)
        total += part if part >= 0.0 else DEAR * np.hypot(qx - px, qy - py)
        px, py = qx, qy
    return float(total), low, high


@njit(cache=True, nogil=True)
def shot(
    x: float, y: float, h: float, gx: float, gy: float, gh: float, size: float, longest: float, dearest: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
    nodata_mask: FlagArray, blind_frame: FloatArray, any_blind: bool,
    z: FloatArray, cost_factor: FloatArray, x0: float, y0: float, step: float, grade: float,
    ground: FloatArray, tile: FloatArray, levels: FloatArray, climb: float, depth: float,
) -> tuple[int, float]:  # fmt: skip
    """Cheapest legal Dubins word to the goal within length and cost limits, and its cost; -1 without one."""
    d, theta = np.hypot(gx - x, gy - y) / size, np.arctan2(gy - y, gx - x)
    best, cost = -1, dearest
    for word in range(6):
        t, p, q = dubins_word(d, h - theta, gh - theta, word)
        far = (t + p + q) * size
        if t < 0.0 or far > longest or far >= cost or max(t, q) > ROUND or (word > 3 and p > ROUND):
            continue
        total, cx, cy, ch = 0.0, x, y, h
        low, high = levels[0], levels[1]
        for k in range(3):
            length = (t if k == 0 else p if k == 1 else q) * size
            if length < 1e-6:
                continue
            bend = bending_of(word, k) / size
            part, low, high = piece_cost(
                cx, cy, ch, bend, length, edges, frame, start, items, radius, nodata_mask, blind_frame, any_blind,
                z, cost_factor, x0, y0, step, grade, ground, tile, low, high, climb, depth,
            )  # fmt: skip
            if part < 0.0 or total + part >= cost:
                total = np.inf
                break
            total += part * (1.0 + TURNING) if bend != 0.0 else part
            cx, cy, ch = advanced(cx, cy, ch, bend, length)
        if total < cost and low <= levels[3] and high >= levels[2]:
            best, cost = word, total
    return best, cost


@njit(cache=True, nogil=True)
def pieces_to(
    x: float, y: float, h: float, gx: float, gy: float, gh: float, size: float, word: int, out: FloatArray, n: int
) -> int:
    """Append the pieces of a word to `out` and return their number."""
    d, theta = np.hypot(gx - x, gy - y) / size, np.arctan2(gy - y, gx - x)
    t, p, q = dubins_word(d, h - theta, gh - theta, word)
    for k in range(3):
        length = (t if k == 0 else p if k == 1 else q) * size
        if length >= 1e-6:
            n = joined(out, n, bending_of(word, k) / size, length)
    return n


@njit(cache=True, nogil=True)
def joined(out: FloatArray, n: int, bend: float, length: float) -> int:
    """Append a piece to `out`, or lengthen the last one of the same curvature."""
    if n > 0 and out[n - 1, 0] == bend:
        out[n - 1, 1] += length
        return n
    out[n, 0], out[n, 1] = bend, length
    return n + 1


@njit(cache=True, nogil=True)
def chords(x: float, y: float, h: float, pieces: FloatArray, chord: float) -> FloatArray:
    """Curve from a pose as a polyline that turns at most `chord` per vertex."""
    count = 1
    for k in range(pieces.shape[0]):
        count += max(int(np.ceil(abs(pieces[k, 0]) * pieces[k, 1] / chord - 1e-9)), 1)
    out = np.zeros((count, 2))
    out[0, 0], out[0, 1] = x, y
    m = 1
    for k in range(pieces.shape[0]):
        bend, length = pieces[k, 0], pieces[k, 1]
        n = max(int(np.ceil(abs(bend) * length / chord - 1e-9)), 1)
        for c in range(1, n + 1):
            out[m, 0], out[m, 1], _ = advanced(x, y, h, bend, length * c / n)
            m += 1
        x, y, h = advanced(x, y, h, bend, length)
    return out


@njit(cache=True, nogil=True)
def all_clear(
    xy: FloatArray, edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
    nodata_mask: FlagArray, blind_frame: FloatArray, any_blind: bool,
) -> bool:  # fmt: skip
    """Whether every leg of a polyline is legal."""
    for k in range(xy.shape[0] - 1):
        ax, ay, bx, by = xy[k, 0], xy[k, 1], xy[k + 1, 0], xy[k + 1, 1]
        if not segment_clear(edges, frame, start, items, ax, ay, bx, by, radius):
            return False
        if any_blind and sees_blind(nodata_mask, blind_frame, ax, ay, bx, by):
            return False
    return True


@njit(cache=True, nogil=True)
def passed(
    bits: int, ax: float, ay: float, bx: float, by: float, rings: FloatArray, first: IntArray, reach: FloatArray
) -> int:
    """Bits of the shapes passed within their reach after a move from a to b."""
    for t in range(reach.size):
        if not bits >> t & 1 and polygon_distance(rings, first[t], first[t + 1], ax, ay, bx, by) <= reach[t]:
            bits |= 1 << t
    return bits


@njit(cache=True, nogil=True)
def left_to(
    x: float, y: float, h: float, gx: float, gy: float, gh: float, size: float, bits: int,
    rings: FloatArray, first: IntArray, reach: FloatArray, beyond: FloatArray,
) -> float:  # fmt: skip
    """Lower bound of the remaining length to the goal, past all shapes not yet served [m]."""
    most = dubins_length(x, y, h, gx, gy, gh, size)
    for t in range(reach.size):
        if not bits >> t & 1:
            most = max(most, polygon_distance(rings, first[t], first[t + 1], x, y, x, y) - reach[t] + beyond[t])
    return most


@njit(cache=True, nogil=True)
def hybrid_search(
    sx: float, sy: float, sh: float, gx: float, gy: float, gh: float, size: float, longest: float, margin: float,
    cell: float, most: int, weight: float,
    edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray, radius: float,
    nodata_mask: FlagArray, blind_frame: FloatArray, any_blind: bool,
    z: FloatArray, cost_factor: FloatArray, x0: float, y0: float, step: float, grade: float,
    ground: FloatArray, tile: FloatArray, levels: FloatArray, climb: float, depth: float,
    rings: FloatArray, first: IntArray, reach: FloatArray,
) -> FloatArray:  # fmt: skip
    """Pieces of a drivable curve between two poses, none where none was found.

    Hybrid A*: a state is a cell of position and heading, held by the cheapest pose that came there; moves are straight,
    or arcs of radius `size` or twice that. Its estimate of what is left is the length of the Dubins curve, `weight`
    times. Poses stay within `margin` of the box about both ends, curves within the length `longest`, expansions
    within `most`. The heights that a road may have go with each pose: `levels` are the least and the most at the start,
    then at the goal, within the grade `climb` and `depth` of the `ground`. A curve passes each of some shapes within its
    reach; what it has passed is part of a state.
    """
    need = (1 << reach.size) - 1
    beyond = np.zeros(reach.size)
    for t in range(reach.size):
        beyond[t] = max(polygon_distance(rings, first[t], first[t + 1], gx, gy, gx, gy) - reach[t], 0.0)
    begun = passed(0, sx, sy, sx, sy, rings, first, reach)
    goal, goal_word, goal_cost = -1, -1, np.inf
    if begun == need:
        goal_word, goal_cost = shot(
        sx, sy, sh, gx, gy, gh, size, longest, np.inf, edges, frame, start, items, radius, nodata_mask, blind_frame, any_blind,
        z, cost_factor, x0, y0, step, grade, ground, tile, levels, climb, depth,
    )  # fmt: skip
        goal = 0 if goal_word >= 0 else -1
    if most == 0:
        out = np.zeros((3, 2))
        return out[: pieces_to(sx, sy, sh, gx, gy, gh, size, goal_word, out, 0) if goal == 0 else 0].copy()
    wx, wy = min(sx, gx) - margin, min(sy, gy) - margin
    nx, ny = int((abs(gx - sx) + 2 * margin) / cell) + 1, int((abs(gy - sy) + 2 * margin) / cell) + 1
    holder = np.full((need + 1) * nx * ny * HEADINGS, -1, np.int32)
    room = 5 * most + 1
    px, py, ph = np.zeros(room), np.zeros(room), np.zeros(room)
    paid, run, left, rank = np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room)
    low, high, span = np.zeros(room), np.zeros(room), levels.copy()
    came, how = np.full(room, -1, np.int64), np.zeros(room, np.int64)
    state, bits = np.zeros(room, np.int64), np.zeros(room, np.int64)
    heap, place = np.zeros(room, np.int64), np.full(room, -1, np.int64)
    bends = np.array([0.0, 1.0 / size, -1.0 / size, 0.5 / size, -0.5 / size])
    length = STEP * cell

    px[0], py[0], ph[0] = sx, sy, sh
    low[0], high[0] = levels[0], levels[1]
    left[0], bits[0] = left_to(sx, sy, sh, gx, gy, gh, size, begun, rings, first, reach, beyond), begun
    rank[0] = weight * left[0]
    state[0] = -1
    count, size_heap, expanded = 1, 1, 0
    heap[0], place[0] = 0, 0
    while size_heap > 0 and expanded < most:
        v = heap_pop(heap, place, rank, size_heap)
        size_heap -= 1
        if rank[v] >= goal_cost:
            break
        if state[v] >= 0 and holder[state[v]] != v:
            continue  # a cheaper pose reached its cell
        expanded += 1
        if v > 0 and bits[v] == need and (left[v] < SHOT * size or expanded % SELDOM == 0):
            span[0], span[1] = low[v], high[v]
            word, cost = shot(
                px[v], py[v], ph[v], gx, gy, gh, size, longest - run[v], goal_cost - paid[v], edges, frame, start, items,
                radius, nodata_mask, blind_frame, any_blind, z, cost_factor, x0, y0, step, grade, ground, tile, span, climb, depth,
            )  # fmt: skip
            if word >= 0:
                goal, goal_word, goal_cost = v, word, paid[v] + cost
        for k in range(5):
            x, y, h = advanced(px[v], py[v], ph[v], bends[k], length)
            i, j = int(np.floor((x - wx) / cell)), int(np.floor((y - wy) / cell))
            if i < 0 or j < 0 or i >= nx or j >= ny:
                continue
            h = h % (2.0 * np.pi)
            now = passed(bits[v], px[v], py[v], x, y, rings, first, reach)
            s = ((now * ny + j) * nx + i) * HEADINGS + int(h / (2.0 * np.pi) * HEADINGS + 0.5) % HEADINGS
            before = holder[s]
            if before >= 0 and paid[before] <= paid[v] + length:
                continue
            ahead = left_to(x, y, h, gx, gy, gh, size, now, rings, first, reach, beyond)
            if run[v] + length + ahead > longest:
                continue
            cost, a, b = piece_cost(
                px[v], py[v], ph[v], bends[k], length, edges, frame, start, items, radius, nodata_mask, blind_frame,
                any_blind, z, cost_factor, x0, y0, step, grade, ground, tile, low[v], high[v], climb, depth,
            )  # fmt: skip
            if cost < 0.0:
                continue
            if bends[k] != 0.0:
                cost *= 1.0 + TURNING
            if v > 0 and how[v] != k:
                cost += SWERVING_M
            cost += paid[v]
            if (before >= 0 and paid[before] <= cost) or cost + ahead >= goal_cost:
                continue
            w = count
            count += 1
            px[w], py[w], ph[w], low[w], high[w] = x, y, h, a, b
            paid[w], run[w], left[w], rank[w] = cost, run[v] + length, ahead, cost + weight * ahead
            came[w], how[w], state[w], bits[w] = v, k, s, now
            holder[s] = w
            heap[size_heap], place[w] = w, size_heap
            heap_up(heap, place, rank, size_heap)
            size_heap += 1
    if goal < 0:
        return np.zeros((0, 2))
    path = np.zeros(expanded + 2, np.int64)
    steps, v = 0, goal
    while came[v] >= 0:
        path[steps] = v
        steps, v = steps + 1, came[v]
    out, n = np.zeros((steps + 3, 2)), 0
    for k in range(steps - 1, -1, -1):
        n = joined(out, n, bends[how[path[k]]], length)
    n = pieces_to(px[goal], py[goal], ph[goal], gx, gy, gh, size, goal_word, out, n)
    return out[:n].copy()
