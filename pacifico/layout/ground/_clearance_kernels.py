"""Kernels of clearance: distances to edges, ground without elevation, and road positions.

All coordinates are metres in the working CRS. Edges are sides of the rings of allowed ground and of obstacles. They are
sorted into square bins, so that a test reads only the edges nearby.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


class ClearanceArrays(NamedTuple):
    """Edges from which a centreline keeps its distance, in bins."""

    edges: FloatArray
    """Ends of each edge: x, y, x, y, shape (n, 4) [m]."""
    frame: FloatArray
    """West and south of the bins [m], their size [m], columns and rows."""
    start: IntArray
    """Where the edges of each bin begin in `items`."""
    items: IntArray
    """Edges of all bins, one bin after the other."""
    radius: float
    """Distance that a centreline keeps from every edge [m], at most the reach of the bins."""


class NodataArrays(NamedTuple):
    """Cells without elevation, which no centreline may cross."""

    flags: FlagArray
    """1 in cells without elevation, rows going south."""
    frame: FloatArray
    """West and north of the cells, and their size in x and y [m]."""
    any: bool
    """Whether any cell is flagged."""


class ShapeArrays(NamedTuple):
    """Outer rings of shapes that roads must pass within a distance."""

    coords: FloatArray
    """Coordinates of all rings, one ring after the other, each closed [m]."""
    start: IntArray
    """Where each ring begins."""
    reach: FloatArray
    """Largest distance from a road to each shape [m]."""


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
def bin_edges(edges: FloatArray, frame: FloatArray, reach: float) -> tuple[IntArray, IntArray]:
    """Edges within `reach` of any point of each bin (CSR: start, edge).

    `frame` is west and south of the bins, their size, columns and rows.
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
def point_clearance(clearance: ClearanceArrays, x: float, y: float, cap: float) -> float:
    """Distance from a point to the nearest edge, `cap` at most.

    `cap` must not exceed the reach of the bins. Outside the bins the distance is 0.
    """
    edges, frame, start, items = clearance.edges, clearance.frame, clearance.start, clearance.items
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
def segment_clear(clearance: ClearanceArrays, ax: float, ay: float, bx: float, by: float) -> bool:
    """Whether a whole segment keeps the clearance from every edge.

    The test is exact: the segment is cut into pieces of a bin's size, and each piece is compared with the edges near it.
    """
    edges, frame, start, items = clearance.edges, clearance.frame, clearance.start, clearance.items
    x0, y0, size = frame[0], frame[1], frame[2]
    nx, ny = int(frame[3]), int(frame[4])
    limit = clearance.radius * clearance.radius
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
def crosses_nodata(nodata: NodataArrays, ax: float, ay: float, bx: float, by: float) -> bool:
    """Whether a segment passes a cell without elevation, or leaves the cells."""
    if not nodata.any:
        return False
    flags, frame = nodata.flags, nodata.frame
    ny, nx = flags.shape
    steps = int(np.hypot(bx - ax, by - ay) / (0.9 * min(frame[2], frame[3]))) + 1
    for s in range(steps + 1):
        x, y = ax + (bx - ax) * s / steps, ay + (by - ay) * s / steps
        i, j = int(np.floor((x - frame[0]) / frame[2])), int(np.floor((frame[1] - y) / frame[3]))
        if i < 0 or j < 0 or i >= nx or j >= ny or flags[j, i]:
            return True
    return False


@njit(cache=True, nogil=True)
def segment_legal(clearance: ClearanceArrays, nodata: NodataArrays, ax: float, ay: float, bx: float, by: float) -> bool:
    """Whether a straight road keeps clear of edges and of ground without elevation."""
    return segment_clear(clearance, ax, ay, bx, by) and not crosses_nodata(nodata, ax, ay, bx, by)


@njit(cache=True, nogil=True)
def fill_rings(
    out: FlagArray,
    coords: FloatArray,
    ring_start: IntArray,
    part_start: IntArray,
    x0: float,
    y0: float,
    step: float,
    value: int,
) -> None:
    """Set the samples inside each part to a value.

    Samples lie at (x0 + i step, y0 + j step). A part is a set of rings under the even-odd rule.
    """
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
    free: FlagArray, k: int, step: float, x0: float, y0: float, clearance: ClearanceArrays, cap: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Easting, northing and clearance of one road position in each cell.

    A cell has k x k samples, k odd. In the open the position is the cell's centre, else the sample with the most
    clearance: an aisle is found wherever a sample falls into it. The clearance is 0 in cells without a position.
    """
    radius = clearance.radius
    ny, nx = free.shape[0] // k, free.shape[1] // k
    px, py = np.zeros(ny * nx), np.zeros(ny * nx)
    clear = np.zeros(ny * nx)
    half = k // 2
    for j in range(ny):
        for i in range(nx):
            best, bx, by = 0.0, 0.0, 0.0
            if free[j * k + half, i * k + half]:
                bx, by = x0 + (i * k + half) * step, y0 + (j * k + half) * step
                best = point_clearance(clearance, bx, by, cap)
            if best < min(radius + 0.75 * k * step, cap):
                for b in range(k):
                    for a in range(k):
                        if not free[j * k + b, i * k + a]:
                            continue
                        x, y = x0 + (i * k + a) * step, y0 + (j * k + b) * step
                        c = point_clearance(clearance, x, y, cap)
                        if c > best + 1e-9:
                            best, bx, by = c, x, y
            if best >= radius:
                n = j * nx + i
                px[n], py[n], clear[n] = bx, by, best
    return px, py, clear


@njit(cache=True, nogil=True)
def bilinear(z: FloatArray, x0: float, y0: float, step: float, x: float, y: float) -> float:
    """Bilinear value of a grid whose rows go north.

    Its first sample lies at (x0, y0); beyond the outer samples the nearest value holds.
    """
    c, r = (x - x0) / step, (y - y0) / step
    ny, nx = z.shape
    i, j = min(max(int(np.floor(c)), 0), nx - 2), min(max(int(np.floor(r)), 0), ny - 2)
    fx, fy = min(max(c - i, 0.0), 1.0), min(max(r - j, 0.0), 1.0)
    return float(
        (z[j, i] * (1 - fx) + z[j, i + 1] * fx) * (1 - fy) + (z[j + 1, i] * (1 - fx) + z[j + 1, i + 1] * fx) * fy
    )


@njit(cache=True, nogil=True)
def polygon_distance(coords: FloatArray, first: int, last: int, ax: float, ay: float, bx: float, by: float) -> float:
    """Distance from a segment or point to a closed ring, 0 inside it.

    The ring is coords[first:last].
    """
    best = np.inf
    inside = False
    for k in range(first, last - 1):
        cx, cy, dx, dy = coords[k, 0], coords[k, 1], coords[k + 1, 0], coords[k + 1, 1]
        best = min(best, segments_sq(ax, ay, bx, by, cx, cy, dx, dy))
        if (cy <= ay) != (dy <= ay) and ax < cx + (ay - cy) / (dy - cy) * (dx - cx):
            inside = not inside
    return 0.0 if inside else np.sqrt(best)


@njit(cache=True, nogil=True)
def nearest_on_line(coords: FloatArray, first: int, last: int, xy: FloatArray) -> tuple[float, int, float]:
    """Distance from a polyline to a ring, its nearest vertex, and that vertex's distance."""
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
def clearances(px: FloatArray, py: FloatArray, clear: FloatArray, clearance: ClearanceArrays) -> FloatArray:
    """Distance from each road position to the nearest edge.

    It is capped at the radius of `clearance`, and infinite where there is no position.
    """
    out = np.full(px.size, np.inf)
    for n in range(px.size):
        if clear[n] > 0.0:
            out[n] = point_clearance(clearance, px[n], py[n], clearance.radius)
    return out


@njit(cache=True, nogil=True)
def shape_distance(shapes: ShapeArrays, t: int, ax: float, ay: float, bx: float, by: float) -> float:
    """Distance from a segment or point to one of the shapes."""
    return polygon_distance(shapes.coords, shapes.start[t], shapes.start[t + 1], ax, ay, bx, by)
