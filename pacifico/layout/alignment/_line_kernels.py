"""Kernels of lines: pull paths tight, round bends, and find bends that are too tight."""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._clearance_kernels import segment_clear, segment_legal, shape_distance
from pacifico.layout.routing._search_kernels import line_cost, line_cost_or, turn_cost

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.ground._clearance_kernels import ClearanceArrays, NodataArrays, ShapeArrays
    from pacifico.layout.routing._search_kernels import RoutingArrays

BARRED_COST = 20.0
"""Cost per metre of a legal line over ground steeper than the search allows: about that of the steepest move."""
MIN_CHORD_M = 1.2
"""Shortest chord of an arc [m]: the turn between shorter ones would be lost in rounded coordinates."""
CHORD_TURN = 0.2
"""Largest turn of an arc at a vertex [rad], for up to `MAX_CHORDS` chords."""
MAX_CHORDS = 14
"""Most chords of an arc."""
KINK_M = 0.1
"""A corner within this distance of its arc is a slight kink, not a bend [m]."""
STRAIGHT = 0.01
"""A vertex that turns less counts as straight [rad]."""
SPARE, SPARE_M = 1.03, 0.15
"""Tolerance for chords, which are shorter than their arc [-], and for rounded coordinates [m]."""


@njit(cache=True, nogil=True)
def keeps_terminals(xy: FloatArray, i: int, j: int, bound_at: IntArray, bound: IntArray, shapes: ShapeArrays) -> bool:
    """Whether a shortcut serves the terminals of the skipped points."""
    for b in range(bound.size):
        if i < bound_at[b] < j:
            t = bound[b]
            if shape_distance(shapes, t, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1]) > shapes.reach[t]:
                return False
    return True


@njit(cache=True, nogil=True)
def is_shortcut(
    xy: FloatArray, i: int, j: int, max_cost: float, bound_at: IntArray, bound: IntArray,
    shapes: ShapeArrays, routing: RoutingArrays, grade: float,
) -> bool:  # fmt: skip
    """Whether a straight line may replace a path section.

    It must cost no more than `max_cost`, be legal, and serve the same terminals.
    """
    cost = line_cost(routing.grid, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1], grade)
    if not 0.0 <= cost <= max_cost:
        return False
    if not segment_legal(routing.clearance, routing.nodata, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1]):
        return False
    return bool(keeps_terminals(xy, i, j, bound_at, bound, shapes))


@njit(cache=True, nogil=True)
def path_cost(xy: FloatArray, routing: RoutingArrays, grade: float) -> FloatArray:
    """Cost of a path at each point, with bends [m].

    Bends count twice: fewer of them are worth a little earthwork.
    """
    n = xy.shape[0]
    along = np.zeros(n)
    for k in range(1, n):
        cost = line_cost_or(routing.grid, xy[k - 1, 0], xy[k - 1, 1], xy[k, 0], xy[k, 1], grade, BARRED_COST)
        along[k] = along[k - 1] + cost
        if k < n - 1:
            ux, uy = xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1]
            vx, vy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
            along[k] += 2.0 * turn_cost(ux, uy, vx, vy)
    return along


@njit(cache=True, nogil=True)
def pull(
    xy: FloatArray, bound_at: IntArray, bound: IntArray, shapes: ShapeArrays, routing: RoutingArrays, grade: float
) -> IntArray:
    """Indices of the points left after shortening a path.

    `bound` are terminals that the path serves, `bound_at` the points that serve them. Long shortcuts are tried first,
    then single points are dropped until none can be.
    """
    n = xy.shape[0]
    along = path_cost(xy, routing, grade)
    keep = np.zeros(n, np.int64)
    count, i = 1, 0
    while i < n - 1:
        hop = min(n - 1 - i, 256)
        chosen = i + 1
        while hop > 1:
            j = i + hop
            if is_shortcut(xy, i, j, (along[j] - along[i]) * 1.002 + 0.02, bound_at, bound, shapes, routing, grade):
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
            if is_shortcut(xy, i, j, (along[j] - along[i]) * 1.01 + 0.05, bound_at, bound, shapes, routing, grade):
                for q in range(k, count - 1):
                    keep[q] = keep[q + 1]
                count -= 1
                changed = True
            else:
                k += 1
    return keep[:count].copy()


@njit(cache=True, nogil=True)
def turn_angle(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> float:
    """Change of direction at b, 0 to pi [rad]."""
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    return float(abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)))


@njit(cache=True, nogil=True)
def tangent(angle: float, radius: float) -> float:
    """Length of leg that an arc takes on each side of a corner [m].

    Beyond 160° it is longer than any leg.
    """
    return float(radius * np.tan(0.5 * angle)) if angle < 2.8 else 1e6


@njit(cache=True, nogil=True)
def is_bend(angle: float, radius: float) -> bool:
    """Whether a corner is a bend, not a slight kink."""
    return bool(radius * (1.0 / np.cos(min(angle, 3.0) / 2) - 1.0) > KINK_M)


@njit(cache=True, nogil=True)
def round_bends(
    xy: FloatArray, radius: float, share: FloatArray, full: bool, clearance: ClearanceArrays, nodata: NodataArrays
) -> tuple[FloatArray, int]:
    """Line with rounded corners, and its number of tighter bends.

    At each corner the `share` of the radius is tried first, then smaller ones, down to 2 m. A leg between two bends is
    shared by halves; where `full` and the share is positive, it is shared as the arcs need.
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
            behind = max(lv - tangent(other, radius), 0.5 * lv) - 0.3
        room = min(before, behind)
        taken = 0.0
        size = radius * abs(share[k])
        done = False
        while size >= 2.0 and turn < 3.0:
            need = size * np.tan(turn / 2)
            if need <= room:
                chords = min(max(int(np.ceil(turn / CHORD_TURN)), 2), MAX_CHORDS)
                while chords > 1 and size * turn / chords < MIN_CHORD_M:
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
                    if c > 0 and not segment_legal(clearance, nodata, qx, qy, x, y):
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
        if (not done or size < radius * 0.999) and is_bend(turn, radius):
            tight += 1
    out[m] = xy[n - 1]
    return out[: m + 1].copy(), tight


@njit(cache=True, nogil=True)
def arc_clear(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, radius: float, clearance: ClearanceArrays
) -> bool:
    """Whether an arc in the corner at b is clear of edges.

    The legs from a and to c are taken to be long enough.
    """
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    lu = np.hypot(ux, uy)
    turn = abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy))
    t = tangent(turn, radius)
    side = 1.0 if ux * vy - uy * vx > 0 else -1.0
    px, py = bx - ux / lu * t, by - uy / lu * t
    ox, oy = px - side * uy / lu * radius, py + side * ux / lu * radius
    chords = min(max(int(np.ceil(turn / CHORD_TURN)), 2), MAX_CHORDS)
    qx, qy = px, py
    for c in range(1, chords + 1):
        phi = side * turn * c / chords
        x = ox + (px - ox) * np.cos(phi) - (py - oy) * np.sin(phi)
        y = oy + (px - ox) * np.sin(phi) + (py - oy) * np.cos(phi)
        if not segment_clear(clearance, qx, qy, x, y):
            return False
        qx, qy = x, y
    return True


@njit(cache=True, nogil=True)
def line_legal(xy: FloatArray, clearance: ClearanceArrays, nodata: NodataArrays) -> bool:
    """Whether every leg of a polyline is clear of edges and nodata."""
    for k in range(xy.shape[0] - 1):
        if not segment_legal(clearance, nodata, xy[k, 0], xy[k, 1], xy[k + 1, 0], xy[k + 1, 1]):
            return False
    return True


@njit(cache=True, nogil=True)
def sharp_bends(xy: FloatArray, start: IntArray, radii: FloatArray) -> tuple[IntArray, IntArray]:
    """First vertex and line of each bend that is too tight.

    Lines are xy[start[c]:start[c + 1]]. Between two vertices where a line turns the same way, it may turn no more than
    an arc of that length. Half the turn at these two vertices lies outside the stretch between them.
    """
    vertex, of_line = np.zeros(len(xy), np.int64), np.zeros(len(xy), np.int64)
    found = 0
    longest = 0
    for c in range(len(radii)):
        longest = max(longest, start[c + 1] - start[c])
    # vertices where a line turns: their number, angle, distance along the line, and total turn so far
    at, angle, along, total = np.zeros(longest, np.int64), np.zeros(longest), np.zeros(longest), np.zeros(longest)
    left = np.zeros(longest, np.bool_)
    for c in range(len(radii)):
        radius = radii[c]
        kink = 2.0 * np.arccos(radius / (radius + KINK_M))
        count = 0
        run = 0.0
        for k in range(start[c] + 1, start[c + 1] - 1):
            ux, uy = xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1]
            vx, vy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
            run += np.hypot(ux, uy)
            turn = np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)
            if abs(turn) > STRAIGHT:
                at[count], angle[count], along[count], left[count] = k, abs(turn), run, turn > 0
                total[count] = angle[count] + (total[count - 1] if count else 0.0)
                count += 1
        last = -np.inf
        for i in range(count):
            sharp = angle[i] > kink
            j = i + 1
            while not sharp and j < count and left[j] == left[i]:
                turned = total[j] - total[i]
                inner = turned + 0.5 * (angle[i] - angle[j])
                sharp = inner * radius > (along[j] - along[i]) * SPARE + SPARE_M and turned + angle[i] > kink
                j += 1
            if sharp and along[i] - last > radius:
                vertex[found], of_line[found] = at[i], c
                found += 1
                last = along[i]
    return vertex[:found].copy(), of_line[:found].copy()
