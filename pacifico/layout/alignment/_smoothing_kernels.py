"""Compiled smoothing: shift and join vertices of a road tree until turns fit their radius."""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.alignment._state_hash_kernels import state_at
from pacifico.layout.alignment._turn_kernels import fault_about, fault_of, leg_fault, turn_fault
from pacifico.layout.ground._clearance_kernels import point_clearance, polygon_distance, sees_blind, segment_clear
from pacifico.layout.routing._search_kernels import line_cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def unlink(up: IntArray, first: IntArray, after: IntArray, c: int) -> None:
    """Remove a vertex with one child from the tree; the child takes its place (`up` becomes -2)."""
    p, w = up[c], first[c]
    if first[p] == c:
        first[p] = w
    else:
        s = first[p]
        while after[s] != c:
            s = after[s]
        after[s] = w
    after[w] = after[c]
    up[w], up[c] = p, -2


@njit(cache=True, nogil=True)
def relink(up: IntArray, first: IntArray, after: IntArray, c: int, p: int, w: int) -> None:
    """Undo `unlink`."""
    if first[p] == w:
        first[p] = c
    else:
        s = first[p]
        while after[s] != w:
            s = after[s]
        after[s] = c
    after[c] = after[w]
    after[w] = -1
    up[c], up[w] = p, c


@njit(cache=True, nogil=True)
def strand_serves(
    xy: FloatArray, up: IntArray, own_start: IntArray, s: int,
    bound: IntArray, bound_start: IntArray, coords: FloatArray, poly_start: IntArray, reach: FloatArray,
) -> bool:  # fmt: skip
    """Whether the legs of a strand come within reach of all its terminals."""
    for b in range(bound_start[s], bound_start[s + 1]):
        t = bound[b]
        near = False
        for v in range(own_start[s], own_start[s + 1]):
            if up[v] < 0:
                continue
            u = up[v]
            if (
                polygon_distance(coords, poly_start[t], poly_start[t + 1], xy[u, 0], xy[u, 1], xy[v, 0], xy[v, 1])
                <= reach[t]
            ):
                near = True
                break
        if not near:
            return False
    return True


@njit(cache=True, nogil=True)
def way_steps(way: int) -> int:
    """Number of vertices that a change removes."""
    return 0 if way == 0 else 2 if way in {2, 4} else 1


@njit(cache=True, nogil=True)
def way_vertex(up: IntArray, first: IntArray, after: IntArray, v: int, way: int, k: int) -> int:
    """The k-th vertex near v that a change removes; -1 where there is none."""
    single = first[v] >= 0 and after[first[v]] < 0
    if way in {1, 2} or (way == 4 and k == 1):
        return int(first[v]) if single else -1
    if way in {3, 4}:
        return int(up[v])
    if single:
        return -1
    w = first[v]
    for _ in range(way - 5):
        if w >= 0:
            w = after[w]
    return int(w)


@njit(cache=True, nogil=True)
def joinable(
    xy: FloatArray,
    up: IntArray,
    first: IntArray,
    after: IntArray,
    strand: IntArray,
    frozen: FlagArray,
    c: int,
    x: float,
    y: float,
) -> bool:
    """Whether vertex c, along one strand and near (x, y), may be removed."""
    if up[c] < 0 or first[c] < 0 or frozen[c]:
        return False
    if after[first[c]] >= 0 or strand[first[c]] != strand[c]:
        return False
    return bool(np.hypot(xy[c, 0] - x, xy[c, 1] - y) <= 45.0)


@njit(cache=True, nogil=True)
def change_at(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, frozen: FlagArray, v: int, own_start: IntArray,
    bound: IntArray, bound_start: IntArray, offsets: FloatArray, finer: FloatArray, coords: FloatArray, poly_start: IntArray, reach: FloatArray,
    z: FloatArray, cost_factor: FloatArray, x0: float, y0: float, step: float, edges: FloatArray, frame: FloatArray, start: IntArray, items: IntArray,
    nodata_mask: FlagArray, blind_frame: FloatArray, any_blind: bool, radius: float, grade: float, sizes: FloatArray,
    some: IntArray, gone: IntArray, came: IntArray, went: IntArray,
) -> tuple[int, float, float]:  # fmt: skip
    """What to do about a vertex at fault: a way to join it with others, -1 for nothing, and the place to shift it to.

    It is tried at `offsets` around it, then at `finer` ones about the best, as it is or with a neighbour or two taken
    out of the line. What makes the sum of faults near it least is taken, if it is legal, serves the same and costs
    little more. Vertices that are `frozen`, roots and ends stay. The tree is left as it was; `some` and what follows are
    room to work in.
    """
    # vertices whose faults a change at v can affect: two up, three down
    count = 0
    a = v
    for _ in range(2):
        if up[a] >= 0:
            a = up[a]
            some[count] = a
            count += 1
    some[count] = v
    count += 1
    tail = count - 1
    for _ in range(3):
        head = count
        for k in range(tail, head):
            w = first[some[k]]
            while w >= 0 and count < 64:
                some[count] = w
                count += 1
                w = after[w]
        tail = head
    own_fault = leg_fault(xy, up, first, after, strand, v, sizes)
    w = first[v]
    while w >= 0:
        own_fault += turn_fault(xy, up[v], v, w, sizes[strand[w]], edges, frame, start, items, radius)
        own_fault += leg_fault(xy, up, first, after, strand, w, sizes)
        w = after[w]
    if own_fault <= 0.0:
        return -1, xy[v, 0], xy[v, 1]
    before = fault_of(xy, up, first, after, strand, some, count, sizes, edges, frame, start, items, radius)
    ox, oy = xy[v, 0], xy[v, 1]
    best_score, best_way, bx, by = 100.0 * (before - 0.04), -1, ox, oy
    for way in range(8):
        # 0: unchanged; 1, 2: without the next one or two vertices; 3: without the previous one; 4: without both; 5, 6,
        # 7: at a junction, without the next one on one of its arms
        out = 0
        old_cost, possible = 0.0, True
        for k in range(way_steps(way)):
            c = way_vertex(up, first, after, v, way, k)
            if c < 0 or not joinable(xy, up, first, after, strand, frozen, c, ox, oy):
                possible = False
                break
            gone[out], came[out], went[out] = c, up[c], first[c]
            part = line_cost(z, cost_factor, x0, y0, step, xy[up[c], 0], xy[up[c], 1], xy[c, 0], xy[c, 1], grade)
            old_cost += part if part >= 0.0 else 20.0 * np.hypot(xy[up[c], 0] - xy[c, 0], xy[up[c], 1] - xy[c, 1])
            unlink(up, first, after, c)
            out += 1
        if possible:
            # price the rest of the old path between the same ends
            u = up[v]
            w = -1
            while True:
                fx, fy = xy[v, 0], xy[v, 1]
                if w < 0:
                    tx, ty = xy[u, 0], xy[u, 1]
                else:
                    tx, ty = xy[w, 0], xy[w, 1]
                part = line_cost(z, cost_factor, x0, y0, step, fx, fy, tx, ty, grade)
                old_cost += part if part >= 0.0 else 20.0 * np.hypot(fx - tx, fy - ty)
                w = first[v] if w < 0 else after[w]
                if w < 0:
                    break
            # the part that does not depend on the position of v
            rest = fault_of(xy, up, first, after, strand, some, count, sizes, edges, frame, start, items, radius)
            rest -= fault_about(xy, up, first, after, strand, v, sizes, 1e9, edges, frame, start, items, radius)
            if 100.0 * rest >= best_score:
                possible = False
        if possible:
            cx, cy = ox, oy
            for fine in range(2):
                spots = offsets if fine == 0 else finer
                if fine == 1 and best_way != way:
                    break
                if fine == 1:
                    cx, cy = bx, by
                for q in range(spots.shape[0]):
                    x, y = cx + spots[q, 0], cy + spots[q, 1]
                    if point_clearance(edges, frame, start, items, x, y, radius) < radius:
                        continue
                    xy[v, 0], xy[v, 1] = x, y
                    score = 100.0 * (
                        rest
                        + fault_about(
                            xy, up, first, after, strand, v, sizes, best_score / 100.0 - rest, edges, frame, start,
                            items, radius,
                        )
                    )  # fmt: skip
                    if score >= best_score:
                        continue
                    new_cost, legal = 0.0, True
                    w = -1
                    while True:
                        tx, ty = (xy[u, 0], xy[u, 1]) if w < 0 else (xy[w, 0], xy[w, 1])
                        if not segment_clear(edges, frame, start, items, x, y, tx, ty, radius) or (
                            any_blind and sees_blind(nodata_mask, blind_frame, x, y, tx, ty)
                        ):
                            legal = False
                            break
                        part = line_cost(z, cost_factor, x0, y0, step, x, y, tx, ty, grade)
                        if part < 0.0:
                            part = 20.0 * np.hypot(x - tx, y - ty)
                        new_cost += part
                        w = first[v] if w < 0 else after[w]
                        if w < 0:
                            break
                    if not legal or new_cost > 1.1 * old_cost + 25.0:
                        continue
                    score += 0.2 * max(new_cost - old_cost, 0.0)
                    if score >= best_score:
                        continue
                    holds = strand_serves(xy, up, own_start, strand[v], bound, bound_start, coords, poly_start, reach)
                    w = first[v]
                    while w >= 0 and holds:
                        holds = strand[w] == strand[v] or strand_serves(
                            xy, up, own_start, strand[w], bound, bound_start, coords, poly_start,
                            reach,
                        )  # fmt: skip
                        w = after[w]
                    if holds:
                        best_score, best_way, bx, by = score, way, x, y
            xy[v, 0], xy[v, 1] = ox, oy
        for k in range(out - 1, -1, -1):
            relink(up, first, after, gone[k], came[k], went[k])
        if best_way >= 0 and best_score < 2.0:
            break
    return best_way, bx, by


@njit(cache=True, nogil=True)
def unbend(
    xy: FloatArray,
    up: IntArray,
    first: IntArray,
    after: IntArray,
    strand: IntArray,
    frozen: FlagArray,
    own_start: IntArray,
    bound: IntArray,
    bound_start: IntArray,
    offsets: FloatArray,
    finer: FloatArray,
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
    sizes: FloatArray,
    rounds: int,
    known: NDArray[np.uint64],
    found: FloatArray,
    boxes: FloatArray,
    version: np.uint64,
) -> None:
    """Shift and join vertices of a tree, in place: each turn gets room for the radius of the strand it leads into (`sizes`).

    What is found out near a vertex depends on nothing but what lies near it: it is kept by a hash of that, way and place
    in the rows of `found` beside its `known` hashes, of which there are a power of two; 0 where there is none yet. The
    rounds and the drawings of one network, between which little changes, share them; so do fences that differ within
    `boxes` alone, each with a `version` of its own.
    """
    n = xy.shape[0]
    some, gone, came, went = np.zeros(64, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64)
    wide = np.zeros(512, np.int64)
    mask = known.size - 1
    for _ in range(rounds):
        changed = False
        for v in range(n):
            if up[v] < 0 or first[v] < 0 or frozen[v]:
                continue
            h = state_at(
                xy,
                up,
                first,
                after,
                strand,
                frozen,
                v,
                own_start,
                bound,
                bound_start,
                wide,
                sizes,
                coords,
                poly_start,
                boxes,
                version,
            )
            k = np.int64(h & np.uint64(mask))
            tries = 0
            while known[k] != 0 and known[k] != h and tries < 32:
                k = (k + 1) & mask
                tries += 1
            if known[k] == h:
                way, bx, by = int(found[k, 0]), found[k, 1], found[k, 2]
            else:
                way, bx, by = change_at(
                    xy, up, first, after, strand, frozen, v, own_start, bound, bound_start, offsets, finer, coords,
                    poly_start, reach, z, cost_factor, x0, y0, step, edges, frame, start, items, nodata_mask, blind_frame, any_blind,
                    radius, grade, sizes, some, gone, came, went,
                )  # fmt: skip
                if known[k] == 0:
                    known[k] = h
                    found[k, 0], found[k, 1], found[k, 2] = way, bx, by
            if way >= 0:
                for c in range(way_steps(way)):
                    unlink(up, first, after, way_vertex(up, first, after, v, way, c))
                xy[v, 0], xy[v, 1] = bx, by
                changed = True
        if not changed:
            break
