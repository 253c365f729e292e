"""Kernels of the road search: costs, terminals in reach, the growing tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._clearance_kernels import (
    ClearanceArrays,
    NodataArrays,
    ShapeArrays,
    bilinear,
    crosses_nodata,
    segment_clear,
    shape_distance,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray

    Indices = NDArray[np.int32] | NDArray[np.int64]


class GridArrays(NamedTuple):
    """Smoothed heights and cost of the cells of a routing grid."""

    z: FloatArray
    """Height at each cell's centre, shape (ny, nx), rows going north [m]."""
    cost_factor: FloatArray
    """Cost multiplier of each cell, shape (ny, nx)."""
    x0: float
    """Easting of the centre of the first (south-west) cell [m]."""
    y0: float
    """Northing of the centre of the first cell [m]."""
    cell: float
    """Size of a cell [m]."""


class PositionArrays(NamedTuple):
    """Road positions, one in each cell, row by row."""

    x: FloatArray
    """Easting of each position [m]."""
    y: FloatArray
    """Northing of each position [m]."""
    z: FloatArray
    """Smoothed height of each position [m]."""
    clear: FloatArray
    """Clearance of each position [m]; 0 in cells without one."""
    nx: int
    """Cells in a row."""


class RoutingArrays(NamedTuple):
    """Tests and cost of a straight piece of road."""

    clearance: ClearanceArrays
    nodata: NodataArrays
    grid: GridArrays


class ReachArrays(NamedTuple):
    """Terminals that each road position serves (CSR)."""

    row: IntArray
    """Where the entries of each position begin."""
    item: IntArray
    """Terminal of each entry."""
    far: FloatArray
    """Distance from the position to the terminal [m]."""


class StepArrays(NamedTuple):
    """Memo of the moves from each position, shape (positions, moves)."""

    cost: FloatArray
    """Cost where the cost factor is 1 [m]; 0 when not yet known, negative when barred."""
    free: FlagArray
    """1 where a move is known to be legal."""


STEEPEST = 2.5
"""Moves over smoothed ground steeper than this many times the grade limit are barred [-]."""


@njit(cache=True, nogil=True)
def move_cost(length: float, rise: float, cost_factor: float, grade: float) -> float:
    """Cost of a move [m of level road]; negative where it is barred.

    A gentle rise adds little. Above 90 % of the grade limit the cost rises steeply, for the earthwork that it takes.
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
    """Cost of a bend [m].

    It is 0 up to 30°, 12 m at a right angle and 38 m at a hairpin.
    """
    c = (ux * vx + uy * vy) / np.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy))
    return 15.0 * (0.866 - c) ** 1.5 if c < 0.866 else 0.0


@njit(cache=True, nogil=True)
def line_cost(grid: GridArrays, ax: float, ay: float, bx: float, by: float, grade: float) -> float:
    """Cost of a straight road over the smoothed ground; negative where it is barred.

    The road is priced piece by piece, each about a cell long.
    """
    z, cost_factor, x0, y0, step = grid.z, grid.cost_factor, grid.x0, grid.y0, grid.cell
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
def line_cost_or(
    grid: GridArrays, ax: float, ay: float, bx: float, by: float, grade: float, barred_cost: float
) -> float:
    """Cost of a straight road, at `barred_cost` per metre where it is barred."""
    cost = line_cost(grid, ax, ay, bx, by, grade)
    return cost if cost >= 0.0 else barred_cost * np.hypot(bx - ax, by - ay)


@njit(cache=True, nogil=True)
def reach_table(
    positions: PositionArrays, x0: float, y0: float, cell: float, shapes: ShapeArrays
) -> tuple[IntArray, IntArray, FloatArray]:
    """Terminals within reach of each road position (CSR: start, terminal, distance).

    (x0, y0) is the south-west corner of the grid, `shapes` are the terminals.
    """
    px, py, clear, nx = positions.x, positions.y, positions.clear, positions.nx
    coords, start, reach = shapes.coords, shapes.start, shapes.reach
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
                    # to its bounds; for an upright rectangle that is the distance
                    d = np.sqrt(ex * ex + ey * ey)
                    if not upright:
                        d = shape_distance(shapes, t, px[n], py[n], px[n], py[n])
                    if d <= r:
                        if turn == 0:
                            row[n + 1] += 1
                        else:
                            item[fill[n]], far[fill[n]] = t, d
                            fill[n] += 1
    return row, item, far


@njit(cache=True, nogil=True)
def heap_up(heap: Indices, place: Indices, dist: FloatArray, k: int) -> None:
    """Restore the order of an indexed binary heap upwards from k.

    Ties are broken by node number.
    """
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
    """Remove and return the first node of a heap of `size` nodes."""
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
    positions: PositionArrays, cost_factor: FloatArray, moves: IntArray, clearance: ClearanceArrays, nodata: NodataArrays,
    grade: float, seeds: IntArray, reach: ReachArrays, priority: IntArray, stop_at: FlagArray, steps: StepArrays,
) -> tuple[IntArray, FlagArray, IntArray, FloatArray, int]:  # fmt: skip
    """Grow a shared network from the seeds to all terminals.

    Takahashi and Matsuyama's (1980) shortest-path heuristic: each path found becomes a source of the running search.
    Low priorities come first, near terminals first among equals. Without terminals it is a plain search that ends at
    the first position flagged in `stop_at`. `steps` is filled, and shared with other searches on the same positions.

    Returns
    -------
    parent : (n,) int
        Position before each one; -1 at seeds and where none was reached.
    member : (n,) uint8
        1 for positions of the network.
    server : (t,) int
        Position that serves each terminal; -1 where none does.
    dist : (n,) float
        Cost from the network of each position, infinite where none was reached.
    hit : int
        First position met that `stop_at` flags, or -1.
    """
    px, py, nz, clear, nx = positions.x, positions.y, positions.z, positions.clear, positions.nx
    row, item, far = reach.row, reach.item, reach.far
    step_cost, free = steps.cost, steps.free
    radius, any_nodata = clearance.radius, nodata.any
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
            for n in range(nodes):  # positions reached in earlier phases may serve terminals of this one
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
                if dist[v] <= here or step_cost[u, m] < 0.0:
                    continue
                price = 0.5 * (cost_factor[u] + cost_factor[v])
                if step_cost[u, m] == 0.0:
                    east, north = abs(px[v] - x), abs(py[v] - y)
                    # most moves are no improvement: compare a lower bound of their cost first
                    if here + 0.999999 * max(east, north, 0.7071 * (east + north)) * price >= dist[v]:
                        continue
                    length = np.hypot(px[v] - x, py[v] - y)
                    step_cost[u, m] = -1.0
                    if clear[v] > 0.0 and length >= 0.5:
                        step_cost[u, m] = move_cost(length, nz[v] - nz[u], 1.0, grade)
                        if clear[u] + clear[v] - length >= 2.0 * radius and not any_nodata:
                            free[u, m] = 1
                    if step_cost[u, m] < 0.0:
                        continue
                cost = step_cost[u, m] * price
                if here + cost >= dist[v]:
                    continue
                if before >= 0:
                    cost += turn_cost(x - px[before], y - py[before], px[v] - x, py[v] - y)
                    if here + cost >= dist[v]:
                        continue
                if free[u, m] == 0:
                    length = np.hypot(px[v] - x, py[v] - y)
                    if (
                        clear[u] + clear[v] - length < 2.0 * radius and not segment_clear(clearance, x, y, px[v], py[v])
                    ) or crosses_nodata(nodata, x, y, px[v], py[v]):
                        step_cost[u, m] = -1.0
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
