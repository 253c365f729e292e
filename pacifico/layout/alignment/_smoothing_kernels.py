"""Kernels that shift and remove vertices of a road tree until turns have room for their radius."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.alignment._line_kernels import BARRED_COST
from pacifico.layout.alignment._state_hash_kernels import state_hash
from pacifico.layout.alignment._turn_kernels import deficit_around, leg_deficit, total_deficit, turn_deficit
from pacifico.layout.ground._clearance_kernels import point_clearance, segment_legal, shape_distance
from pacifico.layout.routing._search_kernels import line_cost_or

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.layout.alignment._state_hash_kernels import ChangedEdges, TerminalArrays
    from pacifico.layout.alignment._turn_kernels import TreeArrays
    from pacifico.layout.ground._clearance_kernels import ClearanceArrays, ShapeArrays
    from pacifico.layout.routing._search_kernels import RoutingArrays


DEFICIT_SCORE = 100.0
"""Score of a deficit of 1."""
COST_SCORE = 0.2
"""Score of a metre of extra cost."""
MIN_GAIN = 0.04
"""Smallest reduction of the deficit that is worth a change."""
GOOD_SCORE = 2.0
"""Score below which no other removal is tried."""
COST_SHARE, COST_M = 1.1, 25.0
"""Largest cost of the changed legs: a share of the old cost [-], and a length on top of it [m]."""
REMOVED_WITHIN_M = 45.0
"""Distance from a vertex within which its neighbours may be removed [m]."""
MAX_NEAR = 64
"""Most vertices near a change whose deficits count."""
MAX_PROBES = 32
"""Most slots of the memo that are tried for a hash."""


class Offsets(NamedTuple):
    """Places to shift a vertex to, nearest first [m]."""

    coarse: FloatArray
    """Around its place now."""
    fine: FloatArray
    """Around the best coarse place."""


class MemoArrays(NamedTuple):
    """Hash table of known changes; a power of two long."""

    known: NDArray[np.uint64]
    """Hash of each slot; 0 where the slot is empty."""
    found: FloatArray
    """Removal, easting and northing of each slot."""


class WorkArrays(NamedTuple):
    """Work arrays of `best_change`."""

    near: IntArray
    """Vertices whose deficits a change may affect."""
    removed: IntArray
    """Vertices that are taken out, with their parent and child before."""
    parent: IntArray
    child: IntArray


@njit(cache=True, nogil=True)
def unlink(tree: TreeArrays, c: int) -> None:
    """Remove a vertex with one child from the tree."""
    parent, first_child, next_sibling = tree.parent, tree.first_child, tree.next_sibling
    p, w = parent[c], first_child[c]
    if first_child[p] == c:
        first_child[p] = w
    else:
        s = first_child[p]
        while next_sibling[s] != c:
            s = next_sibling[s]
        next_sibling[s] = w
    next_sibling[w] = next_sibling[c]
    parent[w], parent[c] = p, -2


@njit(cache=True, nogil=True)
def relink(tree: TreeArrays, c: int, p: int, w: int) -> None:
    """Undo `unlink` of a vertex between parent p and child w."""
    parent, first_child, next_sibling = tree.parent, tree.first_child, tree.next_sibling
    if first_child[p] == w:
        first_child[p] = c
    else:
        s = first_child[p]
        while next_sibling[s] != w:
            s = next_sibling[s]
        next_sibling[s] = c
    next_sibling[c] = next_sibling[w]
    next_sibling[w] = -1
    parent[c], parent[w] = p, c


@njit(cache=True, nogil=True)
def line_serves(tree: TreeArrays, c: int, terminals: TerminalArrays, shapes: ShapeArrays) -> bool:
    """Whether the legs of a line come within reach of all its terminals."""
    xy, parent = tree.xy, tree.parent
    for b in range(terminals.start[c], terminals.start[c + 1]):
        t = terminals.item[b]
        near = False
        for v in range(tree.line_start[c], tree.line_start[c + 1]):
            u = parent[v]
            if u < 0:
                continue
            if shape_distance(shapes, t, xy[u, 0], xy[u, 1], xy[v, 0], xy[v, 1]) <= shapes.reach[t]:
                near = True
                break
        if not near:
            return False
    return True


@njit(cache=True, nogil=True)
def lines_serve(tree: TreeArrays, v: int, terminals: TerminalArrays, shapes: ShapeArrays) -> bool:
    """Whether all lines at v serve their terminals."""
    holds = line_serves(tree, tree.line[v], terminals, shapes)
    w = tree.first_child[v]
    while w >= 0 and holds:
        holds = tree.line[w] == tree.line[v] or line_serves(tree, tree.line[w], terminals, shapes)
        w = tree.next_sibling[w]
    return holds


@njit(cache=True, nogil=True)
def removal_count(removal: int) -> int:
    """Number of vertices that a removal takes out.

    Removals are 0: none; 1, 2: the next vertex, or the next two; 3: the previous one; 4: the previous and the next;
    5, 6, 7: the next vertex on one arm of a junction.
    """
    return 0 if removal == 0 else 2 if removal in {2, 4} else 1


@njit(cache=True, nogil=True)
def removed_vertex(tree: TreeArrays, v: int, removal: int, k: int) -> int:
    """The k-th vertex of a removal; -1 without one."""
    first_child, next_sibling = tree.first_child, tree.next_sibling
    single = first_child[v] >= 0 and next_sibling[first_child[v]] < 0
    if removal in {1, 2} or (removal == 4 and k == 1):
        return int(first_child[v]) if single else -1
    if removal in {3, 4}:
        return int(tree.parent[v])
    if single:
        return -1
    w = first_child[v]
    for _ in range(removal - 5):
        if w >= 0:
            w = next_sibling[w]
    return int(w)


@njit(cache=True, nogil=True)
def is_removable(tree: TreeArrays, frozen: FlagArray, c: int, x: float, y: float) -> bool:
    """Whether a vertex may be removed."""
    child = tree.first_child[c]
    if tree.parent[c] < 0 or child < 0 or frozen[c]:
        return False
    if tree.next_sibling[child] >= 0 or tree.line[child] != tree.line[c]:
        return False
    return bool(np.hypot(tree.xy[c, 0] - x, tree.xy[c, 1] - y) <= REMOVED_WITHIN_M)


@njit(cache=True, nogil=True)
def vertices_near(tree: TreeArrays, v: int, near: IntArray) -> int:
    """Collect the vertices that a change at v affects.

    These are two vertices up, v itself, and three levels down.
    """
    count = 0
    a = v
    for _ in range(2):
        if tree.parent[a] >= 0:
            a = tree.parent[a]
            near[count] = a
            count += 1
    near[count] = v
    count += 1
    tail = count - 1
    for _ in range(3):
        head = count
        for k in range(tail, head):
            w = tree.first_child[near[k]]
            while w >= 0 and count < MAX_NEAR:
                near[count] = w
                count += 1
                w = tree.next_sibling[w]
        tail = head
    return count


@njit(cache=True, nogil=True)
def cost_with_legs(tree: TreeArrays, v: int, total: float, routing: RoutingArrays, grade: float) -> float:
    """Cost `total` plus that of all legs at v [m of level road]."""
    xy = tree.xy
    x, y = xy[v, 0], xy[v, 1]
    u = tree.parent[v]
    total += line_cost_or(routing.grid, x, y, xy[u, 0], xy[u, 1], grade, BARRED_COST)
    w = tree.first_child[v]
    while w >= 0:
        total += line_cost_or(routing.grid, x, y, xy[w, 0], xy[w, 1], grade, BARRED_COST)
        w = tree.next_sibling[w]
    return total


@njit(cache=True, nogil=True)
def legs_legal(tree: TreeArrays, v: int, routing: RoutingArrays) -> bool:
    """Whether all legs at v are clear of edges and nodata."""
    xy = tree.xy
    x, y = xy[v, 0], xy[v, 1]
    u = tree.parent[v]
    if not segment_legal(routing.clearance, routing.nodata, x, y, xy[u, 0], xy[u, 1]):
        return False
    w = tree.first_child[v]
    while w >= 0:
        if not segment_legal(routing.clearance, routing.nodata, x, y, xy[w, 0], xy[w, 1]):
            return False
        w = tree.next_sibling[w]
    return True


@njit(cache=True, nogil=True)
def deficit_at(tree: TreeArrays, v: int, clearance: ClearanceArrays) -> float:
    """Deficit of the turns at v and of the legs that meet there."""
    total = leg_deficit(tree, v)
    w = tree.first_child[v]
    while w >= 0:
        total += turn_deficit(tree.xy, tree.parent[v], v, w, tree.radii[tree.line[w]], clearance)
        total += leg_deficit(tree, w)
        w = tree.next_sibling[w]
    return total


@njit(cache=True, nogil=True)
def best_change(
    tree: TreeArrays, v: int, frozen: FlagArray, terminals: TerminalArrays, shapes: ShapeArrays,
    offsets: Offsets, routing: RoutingArrays, grade: float, work: WorkArrays,
) -> tuple[int, float, float]:  # fmt: skip
    """Best change of a vertex; removal -1 where none helps.

    The vertex is shifted to `offsets` around it, with and without each removal of neighbours. The change with the
    lowest sum of deficits is taken, if it is legal, serves the same terminals and costs little more. The tree is left as
    it was.
    """
    xy, parent, first_child = tree.xy, tree.parent, tree.first_child
    clearance, radius = routing.clearance, routing.clearance.radius
    near, removed, old_parent, old_child = work.near, work.removed, work.parent, work.child
    count = vertices_near(tree, v, near)
    if deficit_at(tree, v, clearance) <= 0.0:
        return -1, xy[v, 0], xy[v, 1]
    before = total_deficit(tree, near, count, clearance)
    ox, oy = xy[v, 0], xy[v, 1]
    best_score, best_removal, bx, by = DEFICIT_SCORE * (before - MIN_GAIN), -1, ox, oy
    for removal in range(8):
        out = 0
        old_cost, possible = 0.0, True
        for k in range(removal_count(removal)):
            c = removed_vertex(tree, v, removal, k)
            if c < 0 or not is_removable(tree, frozen, c, ox, oy):
                possible = False
                break
            p = parent[c]
            removed[out], old_parent[out], old_child[out] = c, p, first_child[c]
            old_cost += line_cost_or(routing.grid, xy[p, 0], xy[p, 1], xy[c, 0], xy[c, 1], grade, BARRED_COST)
            unlink(tree, c)
            out += 1
        rest = 0.0
        if possible:
            old_cost = cost_with_legs(tree, v, old_cost, routing, grade)
            # the part of the deficit that does not depend on the place of v
            rest = total_deficit(tree, near, count, clearance)
            rest -= deficit_around(tree, v, 1e9, clearance)
            possible = DEFICIT_SCORE * rest < best_score
        if possible:
            cx, cy = ox, oy
            for fine in range(2):
                places = offsets.coarse if fine == 0 else offsets.fine
                if fine == 1 and best_removal != removal:
                    break
                if fine == 1:
                    cx, cy = bx, by
                for q in range(places.shape[0]):
                    x, y = cx + places[q, 0], cy + places[q, 1]
                    if point_clearance(clearance, x, y, radius) < radius:
                        continue
                    xy[v, 0], xy[v, 1] = x, y
                    limit = best_score / DEFICIT_SCORE - rest
                    score = DEFICIT_SCORE * (rest + deficit_around(tree, v, limit, clearance))
                    if score >= best_score or not legs_legal(tree, v, routing):
                        continue
                    new_cost = cost_with_legs(tree, v, 0.0, routing, grade)
                    if new_cost > COST_SHARE * old_cost + COST_M:
                        continue
                    score += COST_SCORE * max(new_cost - old_cost, 0.0)
                    if score < best_score and lines_serve(tree, v, terminals, shapes):
                        best_score, best_removal, bx, by = score, removal, x, y
            xy[v, 0], xy[v, 1] = ox, oy
        for k in range(out - 1, -1, -1):
            relink(tree, removed[k], old_parent[k], old_child[k])
        if best_removal >= 0 and best_score < GOOD_SCORE:
            break
    return best_removal, bx, by


@njit(cache=True, nogil=True)
def smooth_vertices(
    tree: TreeArrays, frozen: FlagArray, terminals: TerminalArrays, shapes: ShapeArrays, offsets: Offsets,
    routing: RoutingArrays, grade: float, rounds: int, memo: MemoArrays, changed: ChangedEdges,
) -> None:  # fmt: skip
    """Shift and remove vertices until turns have room, in place.

    Frozen vertices, the root and dead ends stay. A change depends only on what lies near its vertex, so it is kept in
    `memo` under a hash of that. Rounds and alignments of one network share the memo, and so do problems whose edges
    differ inside the boxes of `changed` only.
    """
    n = tree.xy.shape[0]
    known, found = memo.known, memo.found
    work = WorkArrays(np.zeros(MAX_NEAR, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64))
    queue = np.zeros(512, np.int64)
    mask = known.size - 1
    for _ in range(rounds):
        any_change = False
        for v in range(n):
            if tree.parent[v] < 0 or tree.first_child[v] < 0 or frozen[v]:
                continue
            h = state_hash(tree, v, frozen, terminals, shapes, changed, queue)
            k = np.int64(h & np.uint64(mask))
            probes = 0
            while known[k] != 0 and known[k] != h and probes < MAX_PROBES:
                k = (k + 1) & mask
                probes += 1
            if known[k] == h:
                removal, x, y = int(found[k, 0]), found[k, 1], found[k, 2]
            else:
                removal, x, y = best_change(tree, v, frozen, terminals, shapes, offsets, routing, grade, work)
                if known[k] == 0:
                    known[k] = h
                    found[k, 0], found[k, 1], found[k, 2] = removal, x, y
            if removal >= 0:
                for c in range(removal_count(removal)):
                    unlink(tree, removed_vertex(tree, v, removal, c))
                tree.xy[v, 0], tree.xy[v, 1] = x, y
                any_change = True
        if not any_change:
            break
