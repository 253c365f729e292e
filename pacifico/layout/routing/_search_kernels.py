"""Compiled search: what moves cost, which terminals a place serves, and the shared network that grows to all of them."""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.ground._clearance_kernels import bilinear, polygon_distance, sees_blind, segment_clear

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray

    Indices = NDArray[np.int32] | NDArray[np.int64]

STEEPEST = 2.5
"""Moves over smoothed ground steeper than this many times the grade limit are barred."""


@njit(cache=True, nogil=True)
def move_cost(length: float, rise: float, cost_factor: float, grade: float) -> float:
    """Cost of a move [m of level road]; negative: barred.

    A gentle rise costs a little; beyond the limit the earthwork that bridges it costs steeply more.
    """
    u = abs(rise) / (length * grade)
    if u > STEEPEST:
        return -1.0
    factor = 1.0 + 0.3 * u * u
    if u > 0.9:
        factor += 10.0 * (u - 0.9)
    return length * factor * cost_factor


@njit(cache=True, nogil=True)
def turn_cost(ux: float, uy: float, vx: float, vy: float) -> float:
    """Cost of a bend [m]: nothing up to 30 degrees, 12 m for a right angle, 38 m for a hairpin."""
    c = (ux * vx + uy * vy) / np.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy))
    return 15.0 * (0.866 - c) ** 1.5 if c < 0.866 else 0.0


@njit(cache=True, nogil=True)
def line_cost(
    z: FloatArray,
    cost_factor: FloatArray,
    x0: float,
    y0: float,
    step: float,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    grade: float,
) -> float:
    """Cost of a straight road over the smoothed ground, cell by cell; negative: barred."""
    length = np.hypot(bx - ax, by - ay)
    if length < 1e-9:
        return 0.0
    n = int(np.ceil(length / (1.5 * step)))
    ny, nx = z.shape
    before = bilinear(z, x0, y0, step, ax, ay)
    total = 0.0
    for s in range(n):
        x, y = ax + (bx - ax) * (s + 1) / n, ay + (by - ay) * (s + 1) / n
        here = bilinear(z, x0, y0, step, x, y)
        mx, my = ax + (bx - ax) * (s + 0.5) / n, ay + (by - ay) * (s + 0.5) / n
        i = min(max(int(np.floor((mx - x0) / step + 0.5)), 0), nx - 1)
        j = min(max(int(np.floor((my - y0) / step + 0.5)), 0), ny - 1)
        cost = move_cost(length / n, here - before, cost_factor[j, i], grade)
        if cost < 0.0:
            return -1.0
        total += cost
        before = here
    return total


@njit(cache=True, nogil=True)
def reach_table(
    px: FloatArray,
    py: FloatArray,
    clear: FloatArray,
    nx: int,
    x0: float,
    y0: float,
    cell: float,
    coords: FloatArray,
    start: IntArray,
    reach: FloatArray,
) -> tuple[IntArray, IntArray, FloatArray]:
    """Which terminals each node serves (CSR by node: start, terminal, distance)."""
    nodes = px.size
    ny = nodes // nx
    row = np.zeros(nodes + 1, np.int64)
    item = np.zeros(0, np.int64)
    far = np.zeros(0)
    for turn in range(2):
        if turn == 1:
            for n in range(nodes):
                row[n + 1] += row[n]
            item, far = np.zeros(row[nodes], np.int64), np.zeros(row[nodes])
            fill = row[:-1].copy()
        for t in range(reach.size):
            first, last = start[t], start[t + 1]
            west, east = np.min(coords[first:last, 0]), np.max(coords[first:last, 0])
            south, north = np.min(coords[first:last, 1]), np.max(coords[first:last, 1])
            r = reach[t]
            upright = last - first == 5
            for k in range(first, last):
                upright &= coords[k, 0] in {west, east} and coords[k, 1] in {south, north}
            i0, i1 = max(int(np.floor((west - r - x0) / cell)), 0), min(int(np.floor((east + r - x0) / cell)), nx - 1)
            j0, j1 = max(int(np.floor((south - r - y0) / cell)), 0), min(int(np.floor((north + r - y0) / cell)), ny - 1)
            for j in range(j0, j1 + 1):
                for i in range(i0, i1 + 1):
                    n = j * nx + i
                    if clear[n] <= 0.0:
                        continue
                    ex = max(west - px[n], px[n] - east, 0.0)
                    ey = max(south - py[n], py[n] - north, 0.0)
                    if ex * ex + ey * ey > r * r:
                        continue
                    if upright:  # of a rectangle it is known by now
                        d = np.sqrt(ex * ex + ey * ey)
                    else:
                        d = polygon_distance(coords, first, last, px[n], py[n], px[n], py[n])
                    if d <= r:
                        if turn == 0:
                            row[n + 1] += 1
                        else:
                            item[fill[n]], far[fill[n]] = t, d
                            fill[n] += 1
    return row, item, far


@njit(cache=True, nogil=True)
def heap_up(heap: Indices, place: Indices, dist: FloatArray, k: int) -> None:
    """Restore the order of an indexed binary heap upwards from k; ties go by node number."""
    n = heap[k]
    while k > 0:
        up = (k - 1) >> 1
        m = heap[up]
        if dist[n] < dist[m] or (dist[n] == dist[m] and n < m):
            heap[k], place[m] = m, k
            k = up
        else:
            break
    heap[k], place[n] = n, k


@njit(cache=True, nogil=True)
def heap_pop(heap: Indices, place: Indices, dist: FloatArray, size: int) -> int:
    """Take the first node off a heap of `size` nodes."""
    top = heap[0]
    place[top] = -1
    n = heap[size - 1]
    size -= 1
    k = 0
    while 2 * k + 1 < size:
        c = 2 * k + 1
        if c + 1 < size:
            a, b = heap[c], heap[c + 1]
            if dist[b] < dist[a] or (dist[b] == dist[a] and b < a):
                c += 1
        m = heap[c]
        if dist[m] < dist[n] or (dist[m] == dist[n] and m < n):
            heap[k], place[m] = m, k
            k = c
        else:
            break
    if size > 0:
        heap[k], place[n] = n, k
    return int(top)


@njit(cache=True, nogil=True)
def grow(
    px: FloatArray,
    py: FloatArray,
    clear: FloatArray,
    nz: FloatArray,
    cost_factor: FloatArray,
    nx: int,
    moves: IntArray,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    nodata_mask: FlagArray,
    blind_frame: FloatArray,
    any_blind: bool,
    radius: float,
    grade: float,
    seeds: IntArray,
    row: IntArray,
    item: IntArray,
    far: FloatArray,
    priority: IntArray,
    stop_at: FlagArray,
    steps: FloatArray,
    free: FlagArray,
) -> tuple[IntArray, FlagArray, IntArray, FloatArray, int]:
    """Grow a shared network from the seeds to all terminals, nearest first within each priority.

    Takahashi and Matsuyama's (1980) shortest-path heuristic: a path found becomes part of the source of the same,
    still running search. Without terminals it is a plain search that ends at the first node flagged in `stop_at`.

    What a move costs where ground is not dear is kept in `steps`, shape (nodes, moves), for this search and others on
    the same positions: 0 as long as it is not known, less where it is barred; 1 in `free` where nothing stands in it.

    Returns
    -------
    parent : of every node, -1 at a seed or where not reached
    member : 1 for nodes of the network
    server : node that serves each terminal, -1: not reached
    dist : cost from the network of each node, as last known
    hit : the first node met that `stop_at` flags, or -1
    """
    nodes = px.size
    ny = nodes // nx
    dist = np.full(nodes, np.inf)
    parent = np.full(nodes, -1, np.int64)
    member = np.zeros(nodes, np.uint8)
    place = np.full(nodes, -1, np.int32)
    heap = np.zeros(nodes + 1, np.int32)
    server = np.full(priority.size, -1, np.int64)
    best = np.full(priority.size, np.inf)
    path = np.zeros(priority.size, np.int64)
    size, paths = 0, 0
    for s in seeds:
        dist[s], member[s] = 0.0, 1
        heap[size] = s
        place[s] = size
        size += 1
        heap_up(heap, place, dist, size - 1)
        for q in range(row[s], row[s + 1]):
            if far[q] < best[item[q]]:
                server[item[q]], best[item[q]] = s, far[q]
    phases = np.unique(priority) if priority.size else np.zeros(1, np.int64)
    for phase in phases:
        remaining = 0
        for t in range(priority.size):
            if priority[t] == phase and server[t] < 0:
                remaining += 1
        if priority.size:
            if remaining == 0:
                continue
            for n in range(nodes):  # what earlier phases passed by is met again in order of cost
                if dist[n] < np.inf and place[n] < 0:
                    for q in range(row[n], row[n + 1]):
                        if priority[item[q]] == phase and server[item[q]] < 0:
                            heap[size] = n
                            place[n] = size
                            size += 1
                            heap_up(heap, place, dist, size - 1)
                            break
        while size > 0 and (remaining > 0 or priority.size == 0):
            u = heap_pop(heap, place, dist, size)
            size -= 1
            if stop_at.size and stop_at[u]:
                return parent, member, server, dist, u
            wanted = False
            for q in range(row[u], row[u + 1]):
                if server[item[q]] < 0 and priority[item[q]] == phase:
                    wanted = True
                    break
            if wanted:
                n = u
                count = 0
                while member[n] == 0:
                    count += 1
                    n = parent[n]
                fresh = np.zeros(count, np.int64)
                n = u
                for c in range(count):
                    fresh[c] = n
                    n = parent[n]
                paths += 1
                for c in range(count):
                    n = fresh[c]
                    member[n], dist[n] = 1, 0.0
                    if place[n] < 0:
                        heap[size] = n
                        place[n] = size
                        size += 1
                    heap_up(heap, place, dist, place[n])
                    for q in range(row[n], row[n + 1]):
                        t = item[q]
                        if server[t] < 0:
                            if priority[t] == phase:
                                remaining -= 1
                            server[t], best[t], path[t] = n, far[q], paths
                        elif path[t] == paths and far[q] < best[t]:
                            server[t], best[t] = n, far[q]
                continue
            uj, ui = u // nx, u % nx
            here, before, x, y = dist[u], parent[u], px[u], py[u]
            for m in range(moves.shape[0]):
                j, i = uj + moves[m, 0], ui + moves[m, 1]
                if i < 0 or j < 0 or i >= nx or j >= ny:
                    continue
                v = j * nx + i
                if dist[v] <= here or steps[u, m] < 0.0:
                    continue
                price = 0.5 * (cost_factor[u] + cost_factor[v])
                if steps[u, m] == 0.0:
                    east, north = abs(px[v] - x), abs(py[v] - y)
                    # most moves bring nothing: told from less than they can cost, before that is reckoned
                    if here + 0.999999 * max(east, north, 0.7071 * (east + north)) * price >= dist[v]:
                        continue
                    length = np.hypot(px[v] - x, py[v] - y)
                    steps[u, m] = -1.0
                    if clear[v] > 0.0 and length >= 0.5:
                        steps[u, m] = move_cost(length, nz[v] - nz[u], 1.0, grade)
                        if clear[u] + clear[v] - length >= 2.0 * radius and not any_blind:
                            free[u, m] = 1
                    if steps[u, m] < 0.0:
                        continue
                cost = steps[u, m] * price
                if here + cost >= dist[v]:
                    continue
                if before >= 0:
                    cost += turn_cost(x - px[before], y - py[before], px[v] - x, py[v] - y)
                    if here + cost >= dist[v]:
                        continue
                if free[u, m] == 0:
                    length = np.hypot(px[v] - x, py[v] - y)
                    if (
                        clear[u] + clear[v] - length < 2.0 * radius
                        and not segment_clear(edges, frame, start, items, x, y, px[v], py[v], radius)
                    ) or (any_blind and sees_blind(nodata_mask, blind_frame, x, y, px[v], py[v])):
                        steps[u, m] = -1.0
                        continue
                    free[u, m] = 1
                dist[v] = here + cost
                parent[v] = u
                if place[v] < 0:
                    heap[size] = v
                    place[v] = size
                    size += 1
                heap_up(heap, place, dist, place[v])
    return parent, member, server, dist, -1


@njit(cache=True, nogil=True)
def components(
    px: FloatArray,
    py: FloatArray,
    clear: FloatArray,
    nx: int,
    moves: IntArray,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    radius: float,
) -> IntArray:
    """Label the connected part each node is in, whatever the grade; -1 where no road fits."""
    nodes = px.size
    ny = nodes // nx
    part = np.full(nodes, -1, np.int64)
    stack = np.zeros(nodes, np.int64)
    count = 0
    for s in range(nodes):
        if clear[s] <= 0.0 or part[s] >= 0:
            continue
        part[s], stack[0], size = count, s, 1
        while size > 0:
            size -= 1
            u = stack[size]
            for m in range(moves.shape[0]):
                j, i = u // nx + moves[m, 0], u % nx + moves[m, 1]
                if i < 0 or j < 0 or i >= nx or j >= ny:
                    continue
                v = j * nx + i
                if clear[v] <= 0.0 or part[v] >= 0:
                    continue
                length = np.hypot(px[v] - px[u], py[v] - py[u])
                if clear[u] + clear[v] - length >= 2.0 * radius or segment_clear(
                    edges, frame, start, items, px[u], py[u], px[v], py[v], radius
                ):
                    part[v] = count
                    stack[size] = v
                    size += 1
        count += 1
    return part
