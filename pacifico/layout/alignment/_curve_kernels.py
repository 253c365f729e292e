"""Kernels of drivable curves: Dubins words, arcs as chords, and the Hybrid A* search.

A *pose* is a place and a heading. A curve is a list of *pieces*: curvature [1/m], positive to the left, and length [m].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.alignment._profile_kernels import range_after
from pacifico.layout.ground._clearance_kernels import segment_legal, shape_distance
from pacifico.layout.routing._search_kernels import heap_pop, heap_up, line_cost_or

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment._profile_kernels import TerrainArrays
    from pacifico.layout.ground._clearance_kernels import ShapeArrays
    from pacifico.layout.routing._search_kernels import RoutingArrays


CHORD = 0.2
"""Largest turn of a curve between two vertices [rad]."""
HEADINGS = 24
"""Number of headings that the search tells apart."""
STEP = 1.6
"""Length of a move [cells]: over a cell's diagonal, so that every move leaves its cell."""
STEEP_COST = 25.0
"""Cost per metre where the ground is steeper than the search allows."""
TURNING, SWERVING_M = 0.04, 0.6
"""Extra cost of a turning move, per length [-], and of a change of curvature [m]."""
MAX_TURN = 1.15 * np.pi
"""Turn of one piece beyond which a curve meets itself [rad]."""
NEAR_GOAL = 5.0
"""Distance to the goal within which every pose tries a Dubins word [radii]."""
SELDOM = 8
"""Farther away, one in so many poses tries a Dubins word."""


class Pose(NamedTuple):
    """Place and heading of a vehicle."""

    x: float
    """Easting [m]."""
    y: float
    """Northing [m]."""
    heading: float
    """Counterclockwise from east [rad]."""


class SearchLimits(NamedTuple):
    """Limits of a search for a curve."""

    radius: float
    """Smallest radius [m]."""
    length: float
    """Largest length of the curve [m]."""
    margin: float
    """Distance that poses may leave the bounding box of both ends [m]."""
    cell: float
    """Size of the search's cells [m]."""
    expansions: int
    """Most poses that are expanded; 0 tries Dubins words only."""
    weight: float
    """Weight of the remaining length in the estimate of a pose [-]."""


@njit(cache=True, nogil=True)
def positive_angle(angle: float) -> float:
    """Angle from 0 to just below a full turn."""
    out = float(angle % (2.0 * np.pi))
    return 0.0 if out > 2.0 * np.pi - 1e-7 else out


@njit(cache=True, nogil=True)
def dubins_word(d: float, a: float, b: float, word: int) -> tuple[float, float, float]:
    """Lengths of the pieces of a Dubins word, radius 1.

    The word leads from heading `a` at 0 to heading `b` at distance `d` ahead. Words are LSL, RSR, LSR, RSL, RLR, LRL.
    The first length is negative where the word has no solution.
    """
    sa, ca, sb, cb = np.sin(a), np.cos(a), np.sin(b), np.cos(b)
    cab = np.cos(a - b)
    if word == 0:
        p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sa - sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        heading = np.arctan2(cb - ca, d + sa - sb)
        return positive_angle(heading - a), np.sqrt(p), positive_angle(b - heading)
    if word == 1:
        p = 2.0 + d * d - 2.0 * cab + 2.0 * d * (sb - sa)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        heading = np.arctan2(ca - cb, d - sa + sb)
        return positive_angle(a - heading), np.sqrt(p), positive_angle(heading - b)
    if word == 2:
        p = d * d - 2.0 + 2.0 * cab + 2.0 * d * (sa + sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        p = np.sqrt(p)
        heading = np.arctan2(-ca - cb, d + sa + sb) - np.arctan2(-2.0, p)
        return positive_angle(heading - a), p, positive_angle(heading - b)
    if word == 3:
        p = d * d - 2.0 + 2.0 * cab - 2.0 * d * (sa + sb)
        if p < 0.0:
            return -1.0, 0.0, 0.0
        p = np.sqrt(p)
        heading = np.arctan2(ca + cb, d - sa - sb) - np.arctan2(2.0, p)
        return positive_angle(a - heading), p, positive_angle(b - heading)
    across = (sa - sb) if word == 4 else (sb - sa)
    c = (6.0 - d * d + 2.0 * cab + 2.0 * d * across) / 8.0
    if abs(c) > 1.0:
        return -1.0, 0.0, 0.0
    p = 2.0 * np.pi - np.arccos(c)
    heading = np.arctan2(ca - cb, d - across)
    if word == 4:
        t = positive_angle(a - heading + p / 2.0)
        return t, p, positive_angle(a - b - t + p)
    t = positive_angle(p / 2.0 - a - heading)
    return t, p, positive_angle(b - a - t + p)


@njit(cache=True, nogil=True)
def turn_direction(word: int, piece: int) -> int:
    """Turn of a piece: left (1), right (-1), none (0)."""
    if piece == 1:
        return 0 if word < 4 else (1 if word == 4 else -1)
    left = word in {0, 2, 5} if piece == 0 else word in {0, 3, 5}
    return 1 if left else -1


@njit(cache=True, nogil=True)
def relative(start: Pose, goal: Pose, radius: float) -> tuple[float, float, float]:
    """Distance between two poses in radii, and relative headings."""
    d, theta = np.hypot(goal.x - start.x, goal.y - start.y) / radius, np.arctan2(goal.y - start.y, goal.x - start.x)
    return d, start.heading - theta, goal.heading - theta


@njit(cache=True, nogil=True)
def dubins_length(start: Pose, goal: Pose, radius: float) -> float:
    """Length of the shortest forward curve between poses [m]."""
    d, a, b = relative(start, goal, radius)
    best = np.inf
    for word in range(6):
        t, p, q = dubins_word(d, a, b, word)
        if t >= 0.0:
            best = min(best, t + p + q)
    return float(best * radius)


@njit(cache=True, nogil=True)
def advance(pose: Pose, curvature: float, length: float) -> Pose:
    """Pose at the end of a piece that starts at a pose."""
    x, y, h = pose.x, pose.y, pose.heading
    if curvature == 0.0:
        return Pose(x + length * np.cos(h), y + length * np.sin(h), h)
    to = h + curvature * length
    return Pose(x + (np.sin(to) - np.sin(h)) / curvature, y - (np.cos(to) - np.cos(h)) / curvature, to)


@njit(cache=True, nogil=True)
def chord_count(curvature: float, length: float, chord: float) -> int:
    """Number of chords of a piece."""
    return max(int(np.ceil(abs(curvature) * length / chord - 1e-9)), 1)


@njit(cache=True, nogil=True)
def piece_cost(
    pose: Pose, curvature: float, length: float,
    low: float, high: float, routing: RoutingArrays, grade: float, terrain: TerrainArrays,
) -> tuple[float, float, float]:  # fmt: skip
    """Cost of a piece, and road heights at its end.

    `low` and `high` are the range at its start. The cost is negative where a chord is not legal, or no height is left.
    """
    n = chord_count(curvature, length, CHORD)
    total, px, py = 0.0, pose.x, pose.y
    for k in range(1, n + 1):
        q = advance(pose, curvature, length * k / n)
        if not segment_legal(routing.clearance, routing.nodata, px, py, q.x, q.y):
            return -1.0, low, high
        low, high = range_after(terrain, px, py, q.x, q.y, low, high)
        if low > high:
            return -1.0, low, high
        total += line_cost_or(routing.grid, px, py, q.x, q.y, grade, STEEP_COST)
        px, py = q.x, q.y
    return float(total), low, high


@njit(cache=True, nogil=True)
def cheapest_word(
    start: Pose, goal: Pose, radius: float, max_length: float, max_cost: float,
    routing: RoutingArrays, grade: float, terrain: TerrainArrays, span: FloatArray,
) -> tuple[int, float]:  # fmt: skip
    """Cheapest legal Dubins word and its cost; -1 without one.

    `span` is the range of road heights at the start, then at the goal.
    """
    d, a, b = relative(start, goal, radius)
    best, cost = -1, max_cost
    for word in range(6):
        t, p, q = dubins_word(d, a, b, word)
        whole = (t + p + q) * radius
        if t < 0.0 or whole > max_length or whole >= cost or max(t, q) > MAX_TURN or (word > 3 and p > MAX_TURN):
            continue
        total, pose = 0.0, start
        low, high = span[0], span[1]
        for k in range(3):
            length = (t if k == 0 else p if k == 1 else q) * radius
            if length < 1e-6:
                continue
            curvature = turn_direction(word, k) / radius
            part, low, high = piece_cost(pose, curvature, length, low, high, routing, grade, terrain)
            if part < 0.0 or total + part >= cost:
                total = np.inf
                break
            total += part * (1.0 + TURNING) if curvature != 0.0 else part
            pose = advance(pose, curvature, length)
        if total < cost and low <= span[3] and high >= span[2]:
            best, cost = word, total
    return best, cost


@njit(cache=True, nogil=True)
def append_word(start: Pose, goal: Pose, radius: float, word: int, out: FloatArray, n: int) -> int:
    """Append the pieces of a word to the first n of `out`, and return their number."""
    d, a, b = relative(start, goal, radius)
    t, p, q = dubins_word(d, a, b, word)
    for k in range(3):
        length = (t if k == 0 else p if k == 1 else q) * radius
        if length >= 1e-6:
            n = append_piece(out, n, turn_direction(word, k) / radius, length)
    return n


@njit(cache=True, nogil=True)
def append_piece(out: FloatArray, n: int, curvature: float, length: float) -> int:
    """Append a piece, or lengthen the last one."""
    if n > 0 and out[n - 1, 0] == curvature:
        out[n - 1, 1] += length
        return n
    out[n, 0], out[n, 1] = curvature, length
    return n + 1


@njit(cache=True, nogil=True)
def chords(start: Pose, pieces: FloatArray, chord: float) -> FloatArray:
    """Polyline of a curve, turning at most `chord` per vertex."""
    count = 1
    for k in range(pieces.shape[0]):
        count += chord_count(pieces[k, 0], pieces[k, 1], chord)
    out = np.zeros((count, 2))
    out[0, 0], out[0, 1] = start.x, start.y
    m, pose = 1, start
    for k in range(pieces.shape[0]):
        curvature, length = pieces[k, 0], pieces[k, 1]
        n = chord_count(curvature, length, chord)
        for c in range(1, n + 1):
            here = advance(pose, curvature, length * c / n)
            out[m, 0], out[m, 1] = here.x, here.y
            m += 1
        pose = advance(pose, curvature, length)
    return out


@njit(cache=True, nogil=True)
def passed(bits: int, ax: float, ay: float, bx: float, by: float, shapes: ShapeArrays) -> int:
    """Bits of the shapes passed by a move."""
    for t in range(shapes.reach.size):
        if not bits >> t & 1 and shape_distance(shapes, t, ax, ay, bx, by) <= shapes.reach[t]:
            bits |= 1 << t
    return bits


@njit(cache=True, nogil=True)
def remaining_length(
    pose: Pose, goal: Pose, radius: float, bits: int, shapes: ShapeArrays, beyond: FloatArray
) -> float:
    """Lower bound of the remaining length to the goal [m].

    `beyond` is the least distance from each shape's reach to the goal.
    """
    most = dubins_length(pose, goal, radius)
    for t in range(shapes.reach.size):
        if not bits >> t & 1:
            away = shape_distance(shapes, t, pose.x, pose.y, pose.x, pose.y)
            most = max(most, away - shapes.reach[t] + beyond[t])
    return most


@njit(cache=True, nogil=True)
def hybrid_search(
    start: Pose, goal: Pose, limits: SearchLimits,
    routing: RoutingArrays, grade: float, terrain: TerrainArrays, span: FloatArray, shapes: ShapeArrays,
) -> FloatArray:  # fmt: skip
    """Pieces of a drivable curve; none where none was found.

    Hybrid A*: a state is a cell of place and heading, held by the cheapest pose that reached it, together with the
    shapes that were passed. Moves are straight, or arcs of the radius or twice that. The remaining length is estimated
    by the Dubins curve. Each pose carries the range of road heights there; `span` is the range at the start, then at
    the goal. The curve passes each of the shapes within its reach.
    """
    radius, cell, most = limits.radius, limits.cell, limits.expansions
    need = (1 << shapes.reach.size) - 1
    beyond = np.zeros(shapes.reach.size)
    for t in range(shapes.reach.size):
        beyond[t] = max(shape_distance(shapes, t, goal.x, goal.y, goal.x, goal.y) - shapes.reach[t], 0.0)
    begun = passed(0, start.x, start.y, start.x, start.y, shapes)
    last, last_word, last_cost = -1, -1, np.inf
    if begun == need:
        last_word, last_cost = cheapest_word(start, goal, radius, limits.length, np.inf, routing, grade, terrain, span)
        last = 0 if last_word >= 0 else -1
    if most == 0:
        out = np.zeros((3, 2))
        return out[: append_word(start, goal, radius, last_word, out, 0) if last == 0 else 0].copy()
    wx, wy = min(start.x, goal.x) - limits.margin, min(start.y, goal.y) - limits.margin
    nx = int((abs(goal.x - start.x) + 2 * limits.margin) / cell) + 1
    ny = int((abs(goal.y - start.y) + 2 * limits.margin) / cell) + 1
    holder = np.full((need + 1) * nx * ny * HEADINGS, -1, np.int32)
    room = 5 * most + 1
    px, py, ph = np.zeros(room), np.zeros(room), np.zeros(room)
    paid, run, left, rank = np.zeros(room), np.zeros(room), np.zeros(room), np.zeros(room)
    low, high, span_here = np.zeros(room), np.zeros(room), span.copy()
    came, how = np.full(room, -1, np.int64), np.zeros(room, np.int64)
    state, bits = np.zeros(room, np.int64), np.zeros(room, np.int64)
    heap, place = np.zeros(room, np.int64), np.full(room, -1, np.int64)
    curvatures = np.array([0.0, 1.0 / radius, -1.0 / radius, 0.5 / radius, -0.5 / radius])
    length = STEP * cell

    px[0], py[0], ph[0] = start.x, start.y, start.heading
    low[0], high[0] = span[0], span[1]
    left[0], bits[0] = remaining_length(start, goal, radius, begun, shapes, beyond), begun
    rank[0] = limits.weight * left[0]
    state[0] = -1
    count, heap_size, expanded = 1, 1, 0
    heap[0], place[0] = 0, 0
    while heap_size > 0 and expanded < most:
        v = heap_pop(heap, place, rank, heap_size)
        heap_size -= 1
        if rank[v] >= last_cost:
            break
        if state[v] >= 0 and holder[state[v]] != v:
            continue  # a cheaper pose reached its cell
        expanded += 1
        here = Pose(px[v], py[v], ph[v])
        if v > 0 and bits[v] == need and (left[v] < NEAR_GOAL * radius or expanded % SELDOM == 0):
            span_here[0], span_here[1] = low[v], high[v]
            word, cost = cheapest_word(
                here, goal, radius, limits.length - run[v], last_cost - paid[v], routing, grade, terrain, span_here
            )
            if word >= 0:
                last, last_word, last_cost = v, word, paid[v] + cost
        for k in range(5):
            x, y, h = advance(here, curvatures[k], length)
            i, j = int(np.floor((x - wx) / cell)), int(np.floor((y - wy) / cell))
            if i < 0 or j < 0 or i >= nx or j >= ny:
                continue
            h = h % (2.0 * np.pi)
            now = passed(bits[v], px[v], py[v], x, y, shapes)
            s = ((now * ny + j) * nx + i) * HEADINGS + int(h / (2.0 * np.pi) * HEADINGS + 0.5) % HEADINGS
            before = holder[s]
            if before >= 0 and paid[before] <= paid[v] + length:
                continue
            ahead = remaining_length(Pose(x, y, h), goal, radius, now, shapes, beyond)
            if run[v] + length + ahead > limits.length:
                continue
            cost, a, b = piece_cost(here, curvatures[k], length, low[v], high[v], routing, grade, terrain)
            if cost < 0.0:
                continue
            if curvatures[k] != 0.0:
                cost *= 1.0 + TURNING
            if v > 0 and how[v] != k:
                cost += SWERVING_M
            cost += paid[v]
            if (before >= 0 and paid[before] <= cost) or cost + ahead >= last_cost:
                continue
            w = count
            count += 1
            px[w], py[w], ph[w], low[w], high[w] = x, y, h, a, b
            paid[w], run[w], left[w], rank[w] = cost, run[v] + length, ahead, cost + limits.weight * ahead
            came[w], how[w], state[w], bits[w] = v, k, s, now
            holder[s] = w
            heap[heap_size], place[w] = w, heap_size
            heap_up(heap, place, rank, heap_size)
            heap_size += 1
    if last < 0:
        return np.zeros((0, 2))
    path = np.zeros(expanded + 2, np.int64)
    steps, v = 0, last
    while came[v] >= 0:
        path[steps] = v
        steps, v = steps + 1, came[v]
    out, n = np.zeros((steps + 3, 2)), 0
    for k in range(steps - 1, -1, -1):
        n = append_piece(out, n, curvatures[how[path[k]]], length)
    n = append_word(Pose(px[last], py[last], ph[last]), goal, radius, last_word, out, n)
    return out[:n].copy()
