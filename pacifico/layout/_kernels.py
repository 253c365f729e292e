"""Compiled parts of road routing: exact clearances, the least-cost search, path pulling.

All coordinates are metres in the working CRS. A *fence* is every edge that a road keeps its distance from (rings of the
allowed ground and of obstacles), sorted into square bins so that a test looks only at what is near.
"""

# ruff: noqa: FBT001 (kernels take plain arrays and numbers, by position)

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Indices = NDArray[np.int32] | NDArray[np.int64]
    Flags = NDArray[np.uint8]

STEEPEST = 2.5
"""Moves over smoothed ground steeper than this many times the grade limit are barred."""


@njit(cache=True, nogil=True)
def point_segment_sq(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Squared distance from a point to a segment."""
    dx, dy = bx - ax, by - ay
    length = dx * dx + dy * dy
    t = 0.0
    if length > 0.0:
        t = ((px - ax) * dx + (py - ay) * dy) / length
        t = min(max(t, 0.0), 1.0)
    ex, ey = px - ax - t * dx, py - ay - t * dy
    return ex * ex + ey * ey


@njit(cache=True, nogil=True)
def segments_sq(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> float:
    """Squared distance between two segments; 0 where they cross."""
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    s1 = ux * (cy - ay) - uy * (cx - ax)
    s2 = ux * (dy - ay) - uy * (dx - ax)
    s3 = vx * (ay - cy) - vy * (ax - cx)
    s4 = vx * (by - cy) - vy * (bx - cx)
    if ((s1 > 0.0) != (s2 > 0.0)) and ((s3 > 0.0) != (s4 > 0.0)):
        return 0.0
    return min(
        point_segment_sq(ax, ay, cx, cy, dx, dy),
        point_segment_sq(bx, by, cx, cy, dx, dy),
        point_segment_sq(cx, cy, ax, ay, bx, by),
        point_segment_sq(dx, dy, ax, ay, bx, by),
    )


@njit(cache=True, nogil=True)
def bin_edges(edges: Floats, frame: Floats, reach: float) -> tuple[Ints, Ints]:
    """Bins (CSR) with all edges within `reach` of any point of the bin.

    `frame` is west, south, bin size, columns, rows.
    """
    x0, y0, size = frame[0], frame[1], frame[2]
    nx, ny = int(frame[3]), int(frame[4])
    start = np.zeros(nx * ny + 1, np.int64)
    items = np.zeros(0, np.int64)
    limit = (reach + 0.7072 * size) ** 2
    for turn in range(2):
        if turn == 1:
            for k in range(nx * ny):
                start[k + 1] += start[k]
            items = np.zeros(start[nx * ny], np.int64)
            fill = start[:-1].copy()
        for e in range(edges.shape[0]):
            ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
            i0 = max(int(np.floor((min(ax, bx) - reach - x0) / size)), 0)
            i1 = min(int(np.floor((max(ax, bx) + reach - x0) / size)), nx - 1)
            j0 = max(int(np.floor((min(ay, by) - reach - y0) / size)), 0)
            j1 = min(int(np.floor((max(ay, by) + reach - y0) / size)), ny - 1)
            for j in range(j0, j1 + 1):
                for i in range(i0, i1 + 1):
                    cx, cy = x0 + (i + 0.5) * size, y0 + (j + 0.5) * size
                    if point_segment_sq(cx, cy, ax, ay, bx, by) <= limit:
                        if turn == 0:
                            start[j * nx + i + 1] += 1
                        else:
                            items[fill[j * nx + i]] = e
                            fill[j * nx + i] += 1
    return start, items


@njit(cache=True, nogil=True)
def point_clearance(edges: Floats, frame: Floats, start: Ints, items: Ints, x: float, y: float, cap: float) -> float:
    """Distance from a point to the fence, at most `cap` (which is at most the reach of the bins)."""
    i, j = int(np.floor((x - frame[0]) / frame[2])), int(np.floor((y - frame[1]) / frame[2]))
    nx = int(frame[3])
    if i < 0 or j < 0 or i >= nx or j >= int(frame[4]):
        return 0.0
    best = cap * cap
    for k in range(start[j * nx + i], start[j * nx + i + 1]):
        e = items[k]
        best = min(best, point_segment_sq(x, y, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]))
    return float(np.sqrt(best))


@njit(cache=True, nogil=True)
def segment_clear(
    edges: Floats, frame: Floats, start: Ints, items: Ints, ax: float, ay: float, bx: float, by: float, radius: float
) -> bool:
    """Whether the whole segment keeps `radius` from the fence: exact, for a radius up to the reach of the bins."""
    x0, y0, size = frame[0], frame[1], frame[2]
    nx, ny = int(frame[3]), int(frame[4])
    limit = radius * radius
    pieces = int(np.ceil(np.hypot(bx - ax, by - ay) / size)) + 1
    for p in range(pieces):
        px, py = ax + (bx - ax) * p / pieces, ay + (by - ay) * p / pieces
        qx, qy = ax + (bx - ax) * (p + 1) / pieces, ay + (by - ay) * (p + 1) / pieces
        i0, i1 = int(np.floor((min(px, qx) - x0) / size)), int(np.floor((max(px, qx) - x0) / size))
        j0, j1 = int(np.floor((min(py, qy) - y0) / size)), int(np.floor((max(py, qy) - y0) / size))
        if i0 < 0 or j0 < 0 or i1 >= nx or j1 >= ny:
            return False
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                for k in range(start[j * nx + i], start[j * nx + i + 1]):
                    e = items[k]
                    if segments_sq(px, py, qx, qy, edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]) < limit:
                        return False
    return True


@njit(cache=True, nogil=True)
def fill_rings(
    out: Flags, coords: Floats, ring_start: Ints, part_start: Ints, x0: float, y0: float, step: float, value: int
) -> None:
    """Set the samples (x0 + i step, y0 + j step) inside each part; a part is a set of rings taken even-odd."""
    ny, nx = out.shape
    for part in range(part_start.size - 1):
        first, last = ring_start[part_start[part]], ring_start[part_start[part + 1]]
        if last <= first:
            continue
        low, high = coords[first, 1], coords[first, 1]
        for k in range(first, last):
            low, high = min(low, coords[k, 1]), max(high, coords[k, 1])
        crossings = np.empty(last - first, np.float64)
        j0 = max(int(np.ceil((low - y0) / step)), 0)
        j1 = min(int(np.floor((high - y0) / step)), ny - 1)
        for j in range(j0, j1 + 1):
            y = y0 + j * step
            n = 0
            for ring in range(part_start[part], part_start[part + 1]):
                for k in range(ring_start[ring], ring_start[ring + 1] - 1):
                    ya, yb = coords[k, 1], coords[k + 1, 1]
                    if (ya <= y) != (yb <= y):
                        crossings[n] = coords[k, 0] + (y - ya) / (yb - ya) * (coords[k + 1, 0] - coords[k, 0])
                        n += 1
            found = np.sort(crossings[:n])
            for c in range(0, n - 1, 2):
                i0 = max(int(np.ceil((found[c] - x0) / step)), 0)
                i1 = min(int(np.floor((found[c + 1] - x0) / step)), nx - 1)
                for i in range(i0, i1 + 1):
                    out[j, i] = value


@njit(cache=True, nogil=True)
def place_nodes(
    free: Flags,
    k: int,
    step: float,
    x0: float,
    y0: float,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    radius: float,
    cap: float,
) -> tuple[Floats, Floats, Floats]:
    """One road position a cell: its centre in the open, else the sample with the most clearance; clearance 0: none.

    A cell has k x k samples, k odd. Narrow aisles are found where a sample falls into them, whatever the cell's centre.
    """
    ny, nx = free.shape[0] // k, free.shape[1] // k
    px, py = np.zeros(ny * nx), np.zeros(ny * nx)
    clear = np.zeros(ny * nx)
    half = k // 2
    for j in range(ny):
        for i in range(nx):
            best, bx, by = 0.0, 0.0, 0.0
            if free[j * k + half, i * k + half]:
                bx, by = x0 + (i * k + half) * step, y0 + (j * k + half) * step
                best = point_clearance(edges, frame, start, items, bx, by, cap)
            if best < min(radius + 0.75 * k * step, cap):
                for b in range(k):
                    for a in range(k):
                        if not free[j * k + b, i * k + a]:
                            continue
                        x, y = x0 + (i * k + a) * step, y0 + (j * k + b) * step
                        c = point_clearance(edges, frame, start, items, x, y, cap)
                        if c > best + 1e-9:
                            best, bx, by = c, x, y
            if best >= radius:
                n = j * nx + i
                px[n], py[n], clear[n] = bx, by, best
    return px, py, clear


@njit(cache=True, nogil=True)
def bilinear(z: Floats, x0: float, y0: float, step: float, x: float, y: float) -> float:
    """Value of a south-up grid with its first sample at (x0, y0), clamped to its edge."""
    c, r = (x - x0) / step, (y - y0) / step
    ny, nx = z.shape
    i, j = min(max(int(np.floor(c)), 0), nx - 2), min(max(int(np.floor(r)), 0), ny - 2)
    fx, fy = min(max(c - i, 0.0), 1.0), min(max(r - j, 0.0), 1.0)
    return float(
        (z[j, i] * (1 - fx) + z[j, i + 1] * fx) * (1 - fy) + (z[j + 1, i] * (1 - fx) + z[j + 1, i + 1] * fx) * fy
    )


@njit(cache=True, nogil=True)
def sees_blind(blind: Flags, frame: Floats, ax: float, ay: float, bx: float, by: float) -> bool:
    """Whether a segment passes a flagged cell; `frame` is west, north, cell x, cell y; off the grid is flagged."""
    ny, nx = blind.shape
    steps = int(np.hypot(bx - ax, by - ay) / (0.9 * min(frame[2], frame[3]))) + 1
    for s in range(steps + 1):
        x, y = ax + (bx - ax) * s / steps, ay + (by - ay) * s / steps
        i, j = int(np.floor((x - frame[0]) / frame[2])), int(np.floor((frame[1] - y) / frame[3]))
        if i < 0 or j < 0 or i >= nx or j >= ny or blind[j, i]:
            return True
    return False


@njit(cache=True, nogil=True)
def move_cost(length: float, rise: float, toll: float, grade: float) -> float:
    """Cost of a move [m of level road]; negative: barred.

    A gentle rise costs a little; beyond the limit the earthwork that bridges it costs steeply more.
    """
    u = abs(rise) / (length * grade)
    if u > STEEPEST:
        return -1.0
    factor = 1.0 + 0.3 * u * u
    if u > 0.9:
        factor += 10.0 * (u - 0.9)
    return length * factor * toll


@njit(cache=True, nogil=True)
def turn_cost(ux: float, uy: float, vx: float, vy: float) -> float:
    """Cost of a bend [m]: nothing up to 30 degrees, 12 m for a right angle, 38 m for a hairpin."""
    c = (ux * vx + uy * vy) / np.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy))
    return 15.0 * (0.866 - c) ** 1.5 if c < 0.866 else 0.0


@njit(cache=True, nogil=True)
def line_cost(
    z: Floats, toll: Floats, x0: float, y0: float, step: float, ax: float, ay: float, bx: float, by: float, grade: float
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
        cost = move_cost(length / n, here - before, toll[j, i], grade)
        if cost < 0.0:
            return -1.0
        total += cost
        before = here
    return total


@njit(cache=True, nogil=True)
def polygon_distance(coords: Floats, first: int, last: int, ax: float, ay: float, bx: float, by: float) -> float:
    """Distance from a segment (or point) to a ring coords[first:last], closed; 0 where it lies inside."""
    best = np.inf
    inside = False
    for k in range(first, last - 1):
        cx, cy, dx, dy = coords[k, 0], coords[k, 1], coords[k + 1, 0], coords[k + 1, 1]
        best = min(best, segments_sq(ax, ay, bx, by, cx, cy, dx, dy))
        if (cy <= ay) != (dy <= ay) and ax < cx + (ay - cy) / (dy - cy) * (dx - cx):
            inside = not inside
    return 0.0 if inside else np.sqrt(best)


@njit(cache=True, nogil=True)
def reach_table(
    px: Floats,
    py: Floats,
    clear: Floats,
    nx: int,
    x0: float,
    y0: float,
    cell: float,
    coords: Floats,
    start: Ints,
    reach: Floats,
) -> tuple[Ints, Ints, Floats]:
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
def heap_up(heap: Indices, place: Indices, dist: Floats, k: int) -> None:
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
def heap_pop(heap: Indices, place: Indices, dist: Floats, size: int) -> int:
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
    px: Floats,
    py: Floats,
    clear: Floats,
    nz: Floats,
    toll: Floats,
    nx: int,
    moves: Ints,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    blind: Flags,
    blind_frame: Floats,
    any_blind: bool,
    radius: float,
    grade: float,
    seeds: Ints,
    row: Ints,
    item: Ints,
    far: Floats,
    priority: Ints,
    stop_at: Flags,
    steps: Floats,
    free: Flags,
) -> tuple[Ints, Flags, Ints, Floats, int]:
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
                price = 0.5 * (toll[u] + toll[v])
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
                    ) or (any_blind and sees_blind(blind, blind_frame, x, y, px[v], py[v])):
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
    px: Floats,
    py: Floats,
    clear: Floats,
    nx: int,
    moves: Ints,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    radius: float,
) -> Ints:
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


@njit(cache=True, nogil=True)
def shortcut_holds(
    ax: float,
    ay: float,
    bx: float,
    by: float,
    i: int,
    j: int,
    bound_at: Ints,
    bound: Ints,
    coords: Floats,
    poly_start: Ints,
    reach: Floats,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    blind: Flags,
    blind_frame: Floats,
    any_blind: bool,
    radius: float,
) -> bool:
    """Whether a straight line may replace path points i..j: legal, and still serving what those points serve."""
    if not segment_clear(edges, frame, start, items, ax, ay, bx, by, radius):
        return False
    if any_blind and sees_blind(blind, blind_frame, ax, ay, bx, by):
        return False
    for b in range(bound.size):
        if i < bound_at[b] < j:
            t = bound[b]
            if polygon_distance(coords, poly_start[t], poly_start[t + 1], ax, ay, bx, by) > reach[t]:
                return False
    return True


@njit(cache=True, nogil=True)
def pull(
    xy: Floats,
    bound_at: Ints,
    bound: Ints,
    coords: Floats,
    poly_start: Ints,
    reach: Floats,
    z: Floats,
    toll: Floats,
    x0: float,
    y0: float,
    step: float,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    blind: Flags,
    blind_frame: Floats,
    any_blind: bool,
    radius: float,
    grade: float,
) -> Ints:
    """Pull a path tight where that costs no more; returns the indices of the points that remain."""
    n = xy.shape[0]
    along = np.zeros(n)
    for k in range(1, n):
        cost = line_cost(z, toll, x0, y0, step, xy[k - 1, 0], xy[k - 1, 1], xy[k, 0], xy[k, 1], grade)
        if cost < 0.0:  # legal on the nodes' own heights: priced as the steepest
            cost = 20.0 * np.hypot(xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1])
        along[k] = along[k - 1] + cost
        if k < n - 1:
            ux, uy, vx, vy = (
                xy[k, 0] - xy[k - 1, 0],
                xy[k, 1] - xy[k - 1, 1],
                xy[k + 1, 0] - xy[k, 0],
                xy[k + 1, 1] - xy[k, 1],
            )
            along[k] += 2.0 * turn_cost(ux, uy, vx, vy)  # wriggles give way to a little earthwork
    keep = np.zeros(n, np.int64)
    count, i = 1, 0
    while i < n - 1:
        hop = min(n - 1 - i, 256)
        chosen = i + 1
        while hop > 1:
            j = i + hop
            cost = line_cost(z, toll, x0, y0, step, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1], grade)
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
                blind,
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
            cost = line_cost(z, toll, x0, y0, step, xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1], grade)
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
                blind,
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
    """By how much the direction changes at b on the way from a to c [rad], 0 to pi."""
    ux, uy, vx, vy = bx - ax, by - ay, cx - bx, cy - by
    return float(abs(np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)))


@njit(cache=True, nogil=True)
def tangent(angle: float, size: float) -> float:
    """Length of leg that an arc of radius `size` takes up on either side of a corner; beyond 160 degrees more than any."""
    return float(size * np.tan(0.5 * angle)) if angle < 2.8 else 1e6


@njit(cache=True, nogil=True)
def is_bend(angle: float, size: float) -> bool:
    """Whether a corner is more than a slight kink: one less than 0.1 m off the arc is none."""
    return bool(size * (1.0 / np.cos(min(angle, 3.0) / 2) - 1.0) > 0.1)


@njit(cache=True, nogil=True)
def round_bends(
    xy: Floats,
    least: float,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    blind: Flags,
    blind_frame: Floats,
    any_blind: bool,
    radius: float,
    full: bool,
    share: Floats,
) -> tuple[Floats, int]:
    """Replace corners by arcs of radius `least` where they fit, smaller ones else; counts bends left tighter.

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
        # the whole of an end leg may be used; of one between two bends half, or else what the other's arc leaves
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
                # a chord is never shorter than 0.6 m
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
                        or (any_blind and sees_blind(blind, blind_frame, qx, qy, x, y))
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
        # a slight kink is no bend: its corner is less than 0.1 m off the arc
        if (not done or size < least * 0.999) and is_bend(turn, least):
            tight += 1
    out[m] = xy[n - 1]
    return out[: m + 1].copy(), tight


@njit(cache=True, nogil=True)
def nearest_on_line(coords: Floats, first: int, last: int, xy: Floats) -> tuple[float, int, float]:
    """Least distance between a polyline and a ring; the polyline's point nearest the ring, and how near it is."""
    best = np.inf
    at, least = 0, np.inf
    for k in range(xy.shape[0]):
        if k + 1 < xy.shape[0]:
            best = min(best, polygon_distance(coords, first, last, xy[k, 0], xy[k, 1], xy[k + 1, 0], xy[k + 1, 1]))
        d = polygon_distance(coords, first, last, xy[k, 0], xy[k, 1], xy[k, 0], xy[k, 1])
        if d < least:
            at, least = k, d
    return min(best, least), at, least


@njit(cache=True, nogil=True)
def clearances(
    px: Floats, py: Floats, clear: Floats, edges: Floats, frame: Floats, start: Ints, items: Ints, cap: float
) -> Floats:
    """Distance of each road position to a set of edges, at most `cap`; infinite where there is no position."""
    out = np.full(px.size, np.inf)
    for n in range(px.size):
        if clear[n] > 0.0:
            out[n] = point_clearance(edges, frame, start, items, px[n], py[n], cap)
    return out


@njit(cache=True, nogil=True)
def tree_chains(parent: Ints, root: int, servers: Ints) -> tuple[Ints, Ints, Ints]:
    """Chains of the tree from `root` to `servers`: nodes one chain after the other, where each starts, and its `up`.

    Parents come first, then the branch whose first node has the lowest number.
    """
    used = np.zeros(parent.size, np.uint8)
    used[root] = 1
    count = 1
    for s in servers:
        n = s
        while used[n] == 0:
            used[n] = 1
            count += 1
            n = parent[n]
    first, after = np.full(parent.size, -1, np.int64), np.full(parent.size, -1, np.int64)
    for n in range(parent.size - 1, -1, -1):
        if used[n] and n != root:
            after[n], first[parent[n]] = first[parent[n]], n
    nodes, start, ups = np.zeros(2 * count, np.int64), np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    todo, above_it = np.zeros(count, np.int64), np.zeros(count, np.int64)
    waiting, chains, size = 0, 0, 0
    n, up = root, -1
    while True:
        # those that branch off here, the first on top
        low = waiting
        c = first[n]
        while c >= 0:
            todo[waiting], above_it[waiting] = c, up
            waiting += 1
            c = after[c]
        todo[low:waiting] = todo[low:waiting][::-1].copy()
        if waiting == 0:
            break
        waiting -= 1
        n, ups[chains] = todo[waiting], above_it[waiting]
        start[chains] = size
        nodes[size], nodes[size + 1] = parent[n], n
        size += 2
        while first[n] >= 0 and after[first[n]] < 0:
            n = first[n]
            nodes[size] = n
            size += 1
        up = chains
        chains += 1
    start[chains] = size
    return nodes[:size].copy(), start[: chains + 1].copy(), ups[:chains].copy()


@njit(cache=True, nogil=True)
def above(parent: Ints, v: int, top: int) -> bool:
    """Whether `top` is `v` or one of those before it."""
    while v >= 0:
        if v == top:
            return True
        v = parent[v]
    return False


@njit(cache=True, nogil=True)
def uncross(
    px: Floats,
    py: Floats,
    nx: int,
    parent: Ints,
    member: Flags,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    radius: float,
) -> int:
    """Let moves of a tree that cross meet at a node instead, in place; the number of crossings that could not be mended."""
    nodes = px.size
    ny = nodes // nx
    left = 0
    for _ in range(8):
        found, left = 0, 0
        for v in range(nodes):
            if member[v] == 0 or parent[v] < 0:
                continue
            vj, vi = v // nx, v % nx
            columns = min(vi + 4, nx) - max(vi - 3, 0)
            for c in range((min(vj + 4, ny) - max(vj - 3, 0)) * columns):
                w = (max(vj - 3, 0) + c // columns) * nx + max(vi - 3, 0) + c % columns
                if w == v or member[w] == 0 or parent[w] < 0:
                    continue
                u, p = parent[v], parent[w]
                if u in (w, p) or p == v:
                    continue
                if segments_sq(px[u], py[u], px[v], py[v], px[p], py[p], px[w], py[w]) > 1e-6:
                    continue
                # the end of one move joins an end of the other, which must not lie beyond it
                done = False
                for q in (p, w):
                    if not above(parent, q, v) and segment_clear(
                        edges, frame, start, items, px[q], py[q], px[v], py[v], radius
                    ):
                        parent[v] = q
                        done = True
                        break
                if not done:
                    for q in (u, v):
                        if not above(parent, q, w) and segment_clear(
                            edges, frame, start, items, px[q], py[q], px[w], py[w], radius
                        ):
                            parent[w] = q
                            done = True
                            break
                if done:
                    found += 1
                else:
                    left += 1
        if found == 0:
            break
    return left


# --- bends of a whole tree -------------------------------------------------------------------------------------------
#
# A tree of vertices: `up` is the vertex before each (-1 at the root), `first` and `after` its children as linked lists.
# A *turn* is the way from up[v] through v to a child of v: at a junction there are several, along a road there is one.


@njit(cache=True, nogil=True)
def arc_clear(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, size: float,
    edges: Floats, frame: Floats, start: Ints, items: Ints, radius: float,
) -> bool:  # fmt: skip
    """Whether an arc of radius `size` in the corner at b keeps clear; the legs are taken to be long enough."""
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


@njit(cache=True, nogil=True)
def half_turn(xy: Floats, u: int, v: int, w: int) -> float:
    """Tangent of half the turn u, v, w: an arc takes that times its radius of either leg; beyond 160 degrees more than any."""
    ax, ay, bx, by = xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1], xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]
    along = ax * bx + ay * by
    both = np.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
    return float(abs(ax * by - ay * bx) / (both + along)) if along > -0.9422 * both else 1e6


@njit(cache=True, nogil=True)
def short_fault(xy: Floats, u: int, v: int, w: int, size: float) -> float:
    """`turn_fault` as far as the legs tell it; -1 where they have room for the arc, and the ground has to."""
    half = half_turn(xy, u, v, w)
    if size * (np.sqrt(1.0 + half * half) - 1.0) <= 0.1:  # a slight kink, as for `is_bend`
        return 0.0
    legs = min(np.hypot(xy[v, 0] - xy[u, 0], xy[v, 1] - xy[u, 1]), np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    need = size * half + 0.6
    return float(1.0 + 0.5 * min((need - legs) / size, 1.0)) if need > legs else -1.0


@njit(cache=True, nogil=True)
def turn_fault(
    xy: Floats, u: int, v: int, w: int, size: float,
    edges: Floats, frame: Floats, start: Ints, items: Ints, radius: float,
) -> float:  # fmt: skip
    """0 where the turn u, v, w has room for an arc of radius `size`, 1 where it has none for half of it, more for short legs."""
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
def longest_tangent(xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, v: int, sizes: Floats) -> float:
    """The most that arcs at v take of the leg that leads to it."""
    most = 0.0
    if up[v] < 0:
        return most
    w = first[v]
    while w >= 0:
        most = max(most, sizes[strand[w]] * half_turn(xy, up[v], v, w))
        w = after[w]
    return most


@njit(cache=True, nogil=True)
def leg_fault(xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, w: int, sizes: Floats) -> float:
    """0 where the leg that leads to w has room for the arcs at both its ends, up to 1 where it has not."""
    v = up[w]
    if v < 0 or up[v] < 0:
        return 0.0
    size = sizes[strand[w]]
    need = size * half_turn(xy, up[v], v, w) + longest_tangent(xy, up, first, after, strand, w, sizes)
    leg = float(np.hypot(xy[w, 0] - xy[v, 0], xy[w, 1] - xy[v, 1]))
    return 0.0 if need + 0.6 <= leg or need < 1.0 else float(min(0.3 + (need + 0.6 - leg) / size, 1.0))


@njit(cache=True, nogil=True)
def fault_of(
    xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, some: Ints, count: int, sizes: Floats,
    edges: Floats, frame: Floats, start: Ints, items: Ints, radius: float,
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
    xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, v: int, sizes: Floats, limit: float,
    edges: Floats, frame: Floats, start: Ints, items: Ints, radius: float,
) -> float:  # fmt: skip
    """The part of `fault_of` that hangs on where v is: its turns and legs, and those beside; given up past `limit`."""
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
    # the ground is asked last: it takes longest to answer
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
def unlink(up: Ints, first: Ints, after: Ints, c: int) -> None:
    """Take a vertex with one child out of the tree: the child takes its place (`up` of the vertex is then -2)."""
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
def relink(up: Ints, first: Ints, after: Ints, c: int, p: int, w: int) -> None:
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
    xy: Floats, up: Ints, own_start: Ints, s: int,
    bound: Ints, bound_start: Ints, coords: Floats, poly_start: Ints, reach: Floats,
) -> bool:  # fmt: skip
    """Whether the legs of a strand come within reach of all that it serves."""
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
    """How many vertices a way of `unbend` takes out."""
    return 0 if way == 0 else 2 if way in {2, 4} else 1


@njit(cache=True, nogil=True)
def way_vertex(up: Ints, first: Ints, after: Ints, v: int, way: int, k: int) -> int:
    """Vertex near v that a way of `unbend` takes out as its k-th; -1 where there is none such."""
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
    xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, frozen: Flags, c: int, x: float, y: float
) -> bool:
    """Whether c is a vertex along one strand, near (x, y), that may be taken out of it."""
    if up[c] < 0 or first[c] < 0 or frozen[c]:
        return False
    if after[first[c]] >= 0 or strand[first[c]] != strand[c]:
        return False
    return bool(np.hypot(xy[c, 0] - x, xy[c, 1] - y) <= 45.0)


@njit(cache=True, nogil=True)
def change_at(
    xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, frozen: Flags, v: int, own_start: Ints,
    bound: Ints, bound_start: Ints, offsets: Floats, finer: Floats, coords: Floats, poly_start: Ints, reach: Floats,
    z: Floats, toll: Floats, x0: float, y0: float, step: float, edges: Floats, frame: Floats, start: Ints, items: Ints,
    blind: Flags, blind_frame: Floats, any_blind: bool, radius: float, grade: float, sizes: Floats,
    some: Ints, gone: Ints, came: Ints, went: Ints,
) -> tuple[int, float, float]:  # fmt: skip
    """What to do about a vertex at fault: a way to join it with others, -1 for nothing, and the place to shift it to.

    It is tried at `offsets` around it, then at `finer` ones about the best, as it is or with a neighbour or two taken
    out of the line. What makes the sum of faults near it least is taken, if it is legal, serves the same and costs
    little more. Vertices that are `frozen`, roots and ends stay. The tree is left as it was; `some` and what follows are
    room to work in.
    """
    # the vertices whose faults a change at v can change: two up, three down
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
        # 0: as it is; 1, 2: without the next one, two vertices; 3: without the one before; 4: without both;
        # 5, 6, 7: at a junction without the next one on one of its arms
        out = 0
        old_cost, possible = 0.0, True
        for k in range(way_steps(way)):
            c = way_vertex(up, first, after, v, way, k)
            if c < 0 or not joinable(xy, up, first, after, strand, frozen, c, ox, oy):
                possible = False
                break
            gone[out], came[out], went[out] = c, up[c], first[c]
            part = line_cost(z, toll, x0, y0, step, xy[up[c], 0], xy[up[c], 1], xy[c, 0], xy[c, 1], grade)
            old_cost += part if part >= 0.0 else 20.0 * np.hypot(xy[up[c], 0] - xy[c, 0], xy[up[c], 1] - xy[c, 1])
            unlink(up, first, after, c)
            out += 1
        if possible:
            # what is left of the old way is priced between the same ends
            u = up[v]
            w = -1
            while True:
                fx, fy = xy[v, 0], xy[v, 1]
                if w < 0:
                    tx, ty = xy[u, 0], xy[u, 1]
                else:
                    tx, ty = xy[w, 0], xy[w, 1]
                part = line_cost(z, toll, x0, y0, step, fx, fy, tx, ty, grade)
                old_cost += part if part >= 0.0 else 20.0 * np.hypot(fx - tx, fy - ty)
                w = first[v] if w < 0 else after[w]
                if w < 0:
                    break
            # what does not hang on where v is
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
                            any_blind and sees_blind(blind, blind_frame, x, y, tx, ty)
                        ):
                            legal = False
                            break
                        part = line_cost(z, toll, x0, y0, step, x, y, tx, ty, grade)
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
def mixed(h: np.uint64, k: np.uint64) -> np.uint64:
    """Hash h with k mixed in."""
    h = (h ^ k) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True)
def strand_state(
    h: np.uint64, bits: NDArray[np.uint64], up: Ints, own_start: Ints, s: int, bound: Ints, bound_start: Ints,
    sizes: Floats, coords: NDArray[np.uint64], poly_start: Ints,
) -> np.uint64:  # fmt: skip
    """Hash with the legs of a strand, its radius and what it serves mixed in."""
    h = mixed(h, np.uint64(sizes[s] * 1e3))
    for v in range(own_start[s], own_start[s + 1]):
        if up[v] >= 0:
            h = mixed(mixed(h, bits[v, 0]), bits[v, 1])
            h = mixed(mixed(h, bits[up[v], 0]), bits[up[v], 1])
    for b in range(bound_start[s], bound_start[s + 1]):
        h = mixed(h, np.uint64(bound[b]))
        for k in range(poly_start[bound[b]], poly_start[bound[b] + 1]):
            h = mixed(mixed(h, coords[k, 0]), coords[k, 1])
    return mixed(h, np.uint64(0xFFFF))


@njit(cache=True, nogil=True)
def leg_meets(boxes: Floats, xy: Floats, u: int, v: int) -> bool:
    """Whether a leg, by its bounds, meets one of some boxes (west, south, east, north)."""
    for k in range(boxes.shape[0]):
        if (
            min(xy[u, 0], xy[v, 0]) <= boxes[k, 2]
            and max(xy[u, 0], xy[v, 0]) >= boxes[k, 0]
            and min(xy[u, 1], xy[v, 1]) <= boxes[k, 3]
            and max(xy[u, 1], xy[v, 1]) >= boxes[k, 1]
        ):
            return True
    return False


@njit(cache=True, nogil=True)
def meets(boxes: Floats, xy: Floats) -> bool:
    """Whether a leg of a line, by its bounds, meets one of some boxes."""
    for k in range(1, xy.shape[0] if boxes.shape[0] else 0):  # noqa: SIM110 (numba)
        if leg_meets(boxes, xy, k - 1, k):
            return True
    return False


@njit(cache=True, nogil=True)
def state_at(
    xy: Floats, up: Ints, first: Ints, after: Ints, strand: Ints, frozen: Flags, v: int, own_start: Ints,
    bound: Ints, bound_start: Ints, some: Ints, sizes: Floats, coords: Floats, poly_start: Ints, boxes: Floats,
    version: np.uint64,
) -> np.uint64:  # fmt: skip
    """Hash of all that `change_at` looks at near v: four vertices up, their children, four down, and the strands at v.

    Where one of their legs meets one of the `boxes` the fence is another `version` than elsewhere.
    """
    bits, corners = xy.view(np.uint64), coords.view(np.uint64)
    h = np.uint64(1)
    other = False
    a = v
    for k in range(4):
        if up[a] < 0:
            break
        same = strand[a] == strand[up[a]]
        other = other or leg_meets(boxes, xy, a, up[a])
        a = up[a]
        h = mixed(mixed(mixed(h, bits[a, 0]), bits[a, 1]), np.uint64(sizes[strand[a]] * 1e3))
        h = mixed(h, np.uint64(16 + 4 * int(up[a] < 0) + 2 * int(frozen[a] != 0) + int(same)))
        if k < 3:
            w = first[a]
            while w >= 0:
                h = mixed(mixed(mixed(h, bits[w, 0]), bits[w, 1]), np.uint64(sizes[strand[w]] * 1e3))
                other = other or leg_meets(boxes, xy, a, w)
                w = after[w]
    h = mixed(h, np.uint64(2))
    some[0] = v
    count, done = 1, 0
    for level in range(5):
        head = count
        while done < head:
            x = some[done]
            done += 1
            h = mixed(mixed(mixed(h, bits[x, 0]), bits[x, 1]), np.uint64(sizes[strand[x]] * 1e3))
            same = strand[x] == strand[up[x]]
            h = mixed(h, np.uint64(64 + 4 * level + 2 * int(frozen[x] != 0) + int(same)))
            w = first[x]
            while w >= 0 and count < some.size:
                some[count] = w
                count += 1
                other = other or leg_meets(boxes, xy, x, w)
                w = after[w]
                h = mixed(h, np.uint64(3))
    h = strand_state(h, bits, up, own_start, strand[v], bound, bound_start, sizes, corners, poly_start)
    w = first[v]
    while w >= 0:
        if strand[w] != strand[v]:
            h = strand_state(h, bits, up, own_start, strand[w], bound, bound_start, sizes, corners, poly_start)
        w = after[w]
    return (mixed(h, version) if other else h) | np.uint64(1)


@njit(cache=True, nogil=True)
def unbend(
    xy: Floats,
    up: Ints,
    first: Ints,
    after: Ints,
    strand: Ints,
    frozen: Flags,
    own_start: Ints,
    bound: Ints,
    bound_start: Ints,
    offsets: Floats,
    finer: Floats,
    coords: Floats,
    poly_start: Ints,
    reach: Floats,
    z: Floats,
    toll: Floats,
    x0: float,
    y0: float,
    step: float,
    edges: Floats,
    frame: Floats,
    start: Ints,
    items: Ints,
    blind: Flags,
    blind_frame: Floats,
    any_blind: bool,
    radius: float,
    grade: float,
    sizes: Floats,
    rounds: int,
    known: NDArray[np.uint64],
    found: Floats,
    boxes: Floats,
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
                    poly_start, reach, z, toll, x0, y0, step, edges, frame, start, items, blind, blind_frame, any_blind,
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


@njit(cache=True, nogil=True)
def swings_wide(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, size: float, offsets: Floats,
    edges: Floats, frame: Floats, start: Ints, items: Ints, radius: float,
) -> bool:  # fmt: skip
    """Whether a vehicle can turn at the junction b, off the centrelines if need be, on an arc of radius `size`.

    It leaves the legs no more than 45 m from the junction, by no more than 20 degrees.
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
