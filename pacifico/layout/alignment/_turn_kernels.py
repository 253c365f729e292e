"""Kernels of turns: how much room the bends and junctions of a road tree lack for their radius.

A *leg* leads from the parent of a vertex to the vertex. A *turn* leads from the leg of a vertex into the leg of one of
its children: at a junction there are several, along a road there is one. A *deficit* is 0 with room for the radius, and
at most 1 for a leg, 1.5 for a turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.alignment._line_kernels import KINK_M, arc_clear, tangent, turn_angle
from pacifico.layout.ground._clearance_kernels import segment_clear

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.ground._clearance_kernels import ClearanceArrays


SPARE_M = 0.6
"""Length of leg that arcs leave free [m]."""
SWING_M = 45.0
"""Distance from a junction within which a vehicle may leave the centrelines [m]."""
SWING_ANGLE = 0.35
"""Largest angle between a centreline and the path of such a vehicle [rad]."""


class TreeArrays(NamedTuple):
    """Lines of a road tree as one set of vertices; smoothing changes them in place."""

    xy: FloatArray
    """Coordinates of each vertex, shape (n, 2) [m]."""
    parent: IntArray
    """Vertex before each one; -1 at the root, -2 for one that was removed."""
    first_child: IntArray
    """First vertex after each one; -1 at a dead end."""
    next_sibling: IntArray
    """Next child of the same parent; -1 after the last."""
    line: IntArray
    """Line that the leg of each vertex is part of; -1 at the root."""
    line_start: IntArray
    """First vertex of each line, without the one it starts from."""
    radii: FloatArray
    """Centreline radius that each line needs [m]."""


@njit(cache=True, nogil=True)
def half_turn(xy: FloatArray, u: int, v: int, w: int) -> float:
    """Tangent of half the turn from u through v to w.

    An arc takes that share of its radius of each leg. Beyond 160° it is larger than for any arc that fits.
    """
    ax, ay, bx, by = xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1], xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]
    along = ax * bx + ay * by
    both = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
    return float(abs(ax * by - ay * bx) / (both + along)) if along > -0.9422 * both else 1e6


@njit(cache=True, nogil=True)
def short_leg_deficit(xy: FloatArray, u: int, v: int, w: int, radius: float) -> float:
    """Deficit of a turn by leg lengths; -1 where they suffice."""
    half = half_turn(xy, u, v, w)
    if radius * (np.sqrt(1.0 + half * half) - 1.0) <= KINK_M:
        return 0.0
    legs = min(np.hypot(xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1]), np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    need = radius * half + SPARE_M
    return float(1.0 + 0.5 * min((need - legs) / radius, 1.0)) if need > legs else -1.0


@njit(cache=True, nogil=True)
def turn_deficit(xy: FloatArray, u: int, v: int, w: int, radius: float, clearance: ClearanceArrays) -> float:
    """Deficit of the turn from u through v to w.

    0 with room for an arc of the radius, 1 without room for half of it, up to 1.5 for short legs.
    """
    short = short_leg_deficit(xy, u, v, w, radius)
    if short >= 0.0:
        return short
    for share, deficit in ((1.0, 0.0), (0.75, 0.5), (0.5, 0.75)):
        if arc_clear(xy[u, 0], xy[u, 1], xy[v, 0], xy[v, 1], xy[w, 0], xy[w, 1], share * radius, clearance):
            return deficit
    return 1.0


@njit(cache=True, nogil=True)
def longest_tangent(tree: TreeArrays, v: int) -> float:
    """Largest length that arcs at v take of its leg [m]."""
    most = 0.0
    u = tree.parent[v]
    if u < 0:
        return most
    w = tree.first_child[v]
    while w >= 0:
        most = max(most, tree.radii[tree.line[w]] * half_turn(tree.xy, u, v, w))
        w = tree.next_sibling[w]
    return most


@njit(cache=True, nogil=True)
def leg_deficit(tree: TreeArrays, w: int) -> float:
    """Deficit of the leg of w, 0 to 1."""
    xy = tree.xy
    v = tree.parent[w]
    if v < 0 or tree.parent[v] < 0:
        return 0.0
    radius = tree.radii[tree.line[w]]
    need = radius * half_turn(xy, tree.parent[v], v, w) + longest_tangent(tree, w)
    leg = float(np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    return 0.0 if need + SPARE_M <= leg or need < 1.0 else float(min(0.3 + (need + SPARE_M - leg) / radius, 1.0))


@njit(cache=True, nogil=True)
def total_deficit(tree: TreeArrays, some: IntArray, count: int, clearance: ClearanceArrays) -> float:
    """Sum of the deficits at vertices and their legs."""
    total = 0.0
    for k in range(count):
        v = some[k]
        if tree.parent[v] == -2:
            continue
        total += leg_deficit(tree, v)
        if tree.parent[v] >= 0:
            w = tree.first_child[v]
            while w >= 0:
                total += turn_deficit(tree.xy, tree.parent[v], v, w, tree.radii[tree.line[w]], clearance)
                w = tree.next_sibling[w]
    return total


@njit(cache=True, nogil=True)
def deficit_around(tree: TreeArrays, v: int, limit: float, clearance: ClearanceArrays) -> float:
    """Part of `total_deficit` that depends on the position of v.

    It covers the turns and legs at v and next to it. Once the sum passes `limit`, the rest is left out.
    """
    xy, parent, first_child, next_sibling = tree.xy, tree.parent, tree.first_child, tree.next_sibling
    line, radii = tree.line, tree.radii
    u = parent[v]
    total = leg_deficit(tree, u) + leg_deficit(tree, v)
    if parent[u] >= 0:
        total += max(short_leg_deficit(xy, parent[u], u, v, radii[line[v]]), 0.0)
    w = first_child[v]
    while w >= 0:
        total += leg_deficit(tree, w)
        total += max(short_leg_deficit(xy, u, v, w, radii[line[w]]), 0.0)
        x = first_child[w]
        while x >= 0:
            total += leg_deficit(tree, x)
            total += max(short_leg_deficit(xy, v, w, x, radii[line[x]]), 0.0)
            x = next_sibling[x]
        w = next_sibling[w]
    # check the clearance last: it takes longest
    if parent[u] >= 0 and total < limit and short_leg_deficit(xy, parent[u], u, v, radii[line[v]]) < 0.0:
        total += turn_deficit(xy, parent[u], u, v, radii[line[v]], clearance)
    w = first_child[v]
    while w >= 0 and total < limit:
        if short_leg_deficit(xy, u, v, w, radii[line[w]]) < 0.0:
            total += turn_deficit(xy, u, v, w, radii[line[w]], clearance)
        x = first_child[w]
        while x >= 0 and total < limit:
            if short_leg_deficit(xy, v, w, x, radii[line[x]]) < 0.0:
                total += turn_deficit(xy, v, w, x, radii[line[x]], clearance)
            x = next_sibling[x]
        w = next_sibling[w]
    return total


@njit(cache=True, nogil=True)
def swing_fits(
    xy: FloatArray, u: int, v: int, w: int, radius: float, offsets: FloatArray, clearance: ClearanceArrays
) -> bool:
    """Whether a vehicle can turn at a junction.

    Corners at `offsets` from v are tried. The vehicle leaves the centrelines at most 45 m from the junction, by at most
    20°.
    """
    ax, ay, bx, by, cx, cy = xy[u, 0], xy[u, 1], xy[v, 0], xy[v, 1], xy[w, 0], xy[w, 1]
    lu, lv = np.hypot(bx - ax, by - ay), np.hypot(cx - bx, cy - by)
    su, sv = min(lu, SWING_M) / lu, min(lv, SWING_M) / lv
    px, py, qx, qy = bx + (ax - bx) * su, by + (ay - by) * su, bx + (cx - bx) * sv, by + (cy - by) * sv
    for k in range(offsets.shape[0]):
        x, y = bx + offsets[k, 0], by + offsets[k, 1]
        off_u, off_v = turn_angle(bx, by, px, py, x, y), turn_angle(bx, by, qx, qy, x, y)
        off_u, off_v = np.pi - off_u, np.pi - off_v
        if off_u > SWING_ANGLE or off_v > SWING_ANGLE:
            continue
        turn = turn_angle(px, py, x, y, qx, qy)
        need = tangent(turn, radius)
        if need + tangent(off_u, radius) > np.hypot(x - px, y - py) or need + tangent(off_v, radius) > np.hypot(
            x - qx, y - qy
        ):
            continue
        if not segment_clear(clearance, px, py, x, y):
            continue
        if not segment_clear(clearance, x, y, qx, qy):
            continue
        if arc_clear(px, py, x, y, qx, qy, radius, clearance):
            return True
    return False
