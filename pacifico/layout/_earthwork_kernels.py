"""Compiled kernels of earthwork: polygons and strips cut into tiles, prisms between two surfaces, side slopes.

A tile is a convex quadrilateral with its four corners and its centre; the residual (ground minus design) is linear on
each of its four triangles, so that cut and fill are closed forms, also where the sign changes inside a triangle.
One module, because numba's cache of a caller does not notice a changed callee in another file.
Coordinates are local (metres from the pad's centroid or the line's first point): UTM northings would cost digits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

PAD_COLUMNS = 12
"""cut, fill, batter cut, batter fill, deepest cut, highest fill, open edge, nodata share, elevation, grade east,
grade north, optimality gap."""
CORRIDOR_COLUMNS = 7
"""cut, fill, batter cut, batter fill, depth, nodata share, open edge."""
GAUSS = 0.5773502691896258  # 1/sqrt(3): two points integrate a cubic exactly, and a side slope's section is a square


@njit(cache=True, nogil=True)
def bilinear(z: F64, grid: F64, x: float, y: float) -> float:
    """Height at (x, y); NaN off the grid or beside nodata; the same rule as `Ground.at`."""
    ny, nx = z.shape
    column = (x - grid[0]) / grid[2] - 0.5
    row = (grid[1] - y) / grid[3] - 0.5
    if not (-0.5 <= column <= nx - 0.5 and -0.5 <= row <= ny - 0.5):
        return math.nan
    c0 = min(max(math.floor(column), 0), nx - 2)
    r0 = min(max(math.floor(row), 0), ny - 2)
    fc = min(max(column - c0, 0.0), 1.0)
    fr = min(max(row - r0, 0.0), 1.0)
    upper = z[r0, c0] * (1 - fc) + z[r0, c0 + 1] * fc
    lower = z[r0 + 1, c0] * (1 - fc) + z[r0 + 1, c0 + 1] * fc
    return float(upper * (1 - fr) + lower * fr)


# --- tiles ---------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def tile_polygon(edges: F64, step: float) -> tuple[F64, F64]:
    """Cut a polygon (edges (n, 4): x0, y0, x1, y1 of all rings) into tiles no longer than `step`, x and y (m, 5).

    Level cuts at every vertex leave trapezoids, which are divided evenly: the tiles cover the polygon exactly.
    """
    n = len(edges)
    levels = np.sort(edges[:, 1])  # every vertex starts an edge
    across = np.empty((n, 3))
    order = np.empty(n, dtype=np.int64)
    total = 0
    px = np.empty((0, 5))
    py = np.empty((0, 5))
    for fill in (False, True):
        if fill:
            px = np.empty((total, 5))
            py = np.empty((total, 5))
        k = 0
        for i in range(len(levels) - 1):
            height = levels[i + 1] - levels[i]
            if height < 1e-9:
                continue
            slabs = math.ceil(height / step)
            for j in range(slabs):
                low = levels[i] + height * j / slabs
                high = levels[i] + height * (j + 1) / slabs
                middle = 0.5 * (low + high)
                m = 0
                for e in range(n):
                    xa, ya, xb, yb = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                    if (ya < middle) == (yb < middle):
                        continue
                    run = (xb - xa) / (yb - ya)
                    across[m, 0] = xa + run * (middle - ya)
                    across[m, 1] = xa + run * (low - ya)
                    across[m, 2] = xa + run * (high - ya)
                    place = m  # insertion: a slab crosses few edges
                    while place > 0 and across[order[place - 1], 0] > across[m, 0]:
                        order[place] = order[place - 1]
                        place -= 1
                    order[place] = m
                    m += 1
                for p in range(0, m - 1, 2):
                    left, right = across[order[p]], across[order[p + 1]]
                    columns = max(math.ceil(max(right[1] - left[1], right[2] - left[2]) / step), 1)
                    if not fill:
                        k += columns
                        continue
                    for c in range(columns):
                        a, b = c / columns, (c + 1) / columns
                        px[k, 0] = left[1] + (right[1] - left[1]) * a
                        px[k, 1] = left[1] + (right[1] - left[1]) * b
                        px[k, 2] = left[2] + (right[2] - left[2]) * b
                        px[k, 3] = left[2] + (right[2] - left[2]) * a
                        py[k, 0] = py[k, 1] = low
                        py[k, 2] = py[k, 3] = high
                        px[k, 4] = 0.25 * (px[k, 0] + px[k, 1] + px[k, 2] + px[k, 3])
                        py[k, 4] = middle
                        k += 1
        total = k
    return px, py


@njit(cache=True, nogil=True)
def _area(x: F64, y: F64) -> float:
    """Area of a tile."""
    return float(0.5 * abs((x[2] - x[0]) * (y[3] - y[1]) - (x[3] - x[1]) * (y[2] - y[0])))


@njit(cache=True, nogil=True)
def _triangle(
    out: F64, xa: float, ya: float, a: float, xb: float, yb: float, b: float, xc: float, yc: float, c: float
) -> None:
    """Add the part of a triangle where the linear residual (a, b, c) is positive: volume, area, moments in x and y."""
    area = 0.5 * abs((xb - xa) * (yc - ya) - (xc - xa) * (yb - ya))
    positive = (a > 0) + (b > 0) + (c > 0)
    if positive == 0 or area == 0:
        return
    if positive == 3:
        out[0] += area * (a + b + c) / 3
        out[1] += area
        out[2] += area * (xa + xb + xc) / 3
        out[3] += area * (ya + yb + yc) / 3
        return
    # Turn the corner whose sign is alone into the first.
    lone = positive == 1
    if lone == (b > 0):
        xa, ya, a, xb, yb, b = xb, yb, b, xa, ya, a
    elif lone == (c > 0):
        xa, ya, a, xc, yc, c = xc, yc, c, xa, ya, a
    p, q = a / (a - b), a / (a - c)
    part = area * p * q
    volume = part * a / 3
    mx = part * (xa + (p * (xb - xa) + q * (xc - xa)) / 3)
    my = part * (ya + (p * (yb - ya) + q * (yc - ya)) / 3)
    if lone:
        out[0] += volume
        out[1] += part
        out[2] += mx
        out[3] += my
    else:
        out[0] += area * (a + b + c) / 3 - volume
        out[1] += area - part
        out[2] += area * (xa + xb + xc) / 3 - mx
        out[3] += area * (ya + yb + yc) / 3 - my


@njit(cache=True, nogil=True)
def _tile(out: F64, x: F64, y: F64, r: F64) -> None:
    """Add one tile with residuals `r` (5): positive volume, area, moments; negative volume; whole area."""
    area = _area(x, y)
    out[5] += area
    if r[0] <= 0 and r[1] <= 0 and r[2] <= 0 and r[3] <= 0 and r[4] <= 0:
        for i in range(4):
            j = (i + 1) % 4
            part = 0.5 * abs((x[i] - x[4]) * (y[j] - y[4]) - (x[j] - x[4]) * (y[i] - y[4]))
            out[4] -= part * (r[i] + r[j] + r[4]) / 3
        return
    before = out[0]
    whole = 0.0
    for i in range(4):
        j = (i + 1) % 4
        part = 0.5 * abs((x[i] - x[4]) * (y[j] - y[4]) - (x[j] - x[4]) * (y[i] - y[4]))
        whole += part * (r[i] + r[j] + r[4]) / 3
        _triangle(out, x[i], y[i], r[i], x[j], y[j], r[j], x[4], y[4], r[4])
    out[4] += max(out[0] - before - whole, 0.0)


@njit(cache=True, nogil=True)
def prism(px: F64, py: F64, pz: F64, elevation: float, east: float, north: float) -> F64:
    """Cut, cut area, its moments (x, y), fill, whole area between ground `pz` and a plane."""
    out = np.zeros(6)
    r = np.empty(5)
    for k in range(len(px)):
        for i in range(5):
            r[i] = pz[k, i] - elevation - east * px[k, i] - north * py[k, i]
        _tile(out, px[k], py[k], r)
    return out


# --- the balanced plane ----------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def balance(px: F64, py: F64, pz: F64, east: float, north: float, start: float, shrink: float) -> tuple[float, F64]:
    """Elevation at which cut x (1 - shrink) = fill for a given grade, with the volumes there.

    The difference falls strictly with the elevation: Newton's method, held inside a bracket.
    """
    low, high = math.inf, -math.inf
    for k in range(len(px)):
        for i in range(5):
            r = pz[k, i] - east * px[k, i] - north * py[k, i]
            low, high = min(low, r), max(high, r)
    e = min(max(start, low), high)
    v = prism(px, py, pz, e, east, north)
    span = high - low
    for _ in range(80):
        f = (1 - shrink) * v[0] - v[4]
        if abs(f) <= 1e-10 * v[5] * span or high - low <= 1e-13 * max(span, 1e-9):
            break
        if f > 0:
            low = e
        else:
            high = e
        e += f / ((1 - shrink) * v[1] + (v[5] - v[1]))
        if not low < e < high:
            e = 0.5 * (low + high)
        v = prism(px, py, pz, e, east, north)
    return e, v


@njit(cache=True, nogil=True)
def _clip(polygon: F64, n: int, ox: float, oy: float, gx: float, gy: float) -> int:
    """Keep the part of a small convex polygon where (p - o) . g <= 0, in place; the new number of corners."""
    kept = np.empty((n + 2, 2))
    m = 0
    for i in range(n):
        j = (i + 1) % n
        ax, ay, bx, by = polygon[i, 0], polygon[i, 1], polygon[j, 0], polygon[j, 1]
        sa = (ax - ox) * gx + (ay - oy) * gy
        sb = (bx - ox) * gx + (by - oy) * gy
        if sa <= 0:
            kept[m, 0], kept[m, 1] = ax, ay
            m += 1
        if (sa < 0 < sb) or (sb < 0 < sa):
            t = sa / (sa - sb)
            kept[m, 0], kept[m, 1] = ax + t * (bx - ax), ay + t * (by - ay)
            m += 1
    for i in range(m):
        polygon[i, 0], polygon[i, 1] = kept[i, 0], kept[i, 1]
    return m


@njit(cache=True, nogil=True)
def _centroid(polygon: F64, n: int) -> tuple[float, float, float]:
    """Centroid and area of a small convex polygon."""
    ox, oy = polygon[0, 0], polygon[0, 1]
    area = sx = sy = 0.0
    for i in range(1, n - 1):
        ax, ay = polygon[i, 0] - ox, polygon[i, 1] - oy
        bx, by = polygon[i + 1, 0] - ox, polygon[i + 1, 1] - oy
        part = 0.5 * (ax * by - bx * ay)
        area += part
        sx += part * (ax + bx) / 3
        sy += part * (ay + by) / 3
    if area <= 0:
        return ox, oy, 0.0
    return ox + sx / area, oy + sy / area, area


@njit(cache=True, nogil=True)
def _least_squares(px: F64, py: F64, pz: F64) -> tuple[float, float, float]:
    """Mean height and grades of the area-weighted least-squares plane."""
    sw = sx = sy = sz = sxx = sxy = syy = sxz = syz = 0.0
    for k in range(len(px)):
        x, y, z = px[k, 4], py[k, 4], pz[k, 4] - pz[0, 4]
        w = _area(px[k], py[k])
        sw += w
        sx += w * x
        sy += w * y
        sz += w * z
        sxx += w * x * x
        sxy += w * x * y
        syy += w * y * y
        sxz += w * x * z
        syz += w * y * z
    mx, my, mz = sx / sw, sy / sw, sz / sw
    xx, xy, yy = sxx - mx * sx, sxy - mx * sy, syy - my * sy
    xz, yz = sxz - mx * sz, syz - my * sz
    det = xx * yy - xy * xy
    if det <= 1e-12 * xx * yy:
        return mz + pz[0, 4], 0.0, 0.0
    return mz + pz[0, 4], (xz * yy - yz * xy) / det, (yz * xx - xz * xy) / det


@njit(cache=True, nogil=True)
def plane(px: F64, py: F64, pz: F64, shrink: float, limit: float, rounds: int) -> tuple[float, float, float, float]:
    """Balanced plane with the least cut + fill whose grade is within `limit`: elevation, grades, optimality gap [m3].

    With the balance held, the cut is a convex function of the grade (see `balanced_pad`), so a cutting-plane search
    (centres of gravity; Levin 1965, Newman 1965) in the disk of grades finds the optimum and bounds its own gap.
    """
    e, east, north = _least_squares(px, py, pz)
    steep = math.hypot(east, north)
    if steep > limit:
        east, north = east * limit / steep, north * limit / steep
    corners = 16
    polygon = np.empty((corners + 2 * rounds + 4, 2))
    for i in range(corners):
        angle = 2 * math.pi * i / corners
        radius = limit / math.cos(math.pi / corners)
        polygon[i, 0], polygon[i, 1] = radius * math.cos(angle), radius * math.sin(angle)
    n = len(polygon) - 2 * rounds - 4
    best_e, best_east, best_north, best = e, east, north, math.inf
    bound = 0.0
    for step in range(rounds + 1):
        e, v = balance(px, py, pz, east, north, e, shrink)
        weight = 1 - shrink * v[1] / v[5]
        gx, gy = -v[2] / weight, -v[3] / weight
        if v[0] < best:
            best_e, best_east, best_north, best = e, east, north, v[0]
        # The tangent plane bounds the optimum from below: over the disk, and over what is left of it.
        lowest = math.inf
        for i in range(n):
            lowest = min(lowest, v[0] + gx * (polygon[i, 0] - east) + gy * (polygon[i, 1] - north))
        bound = max(bound, lowest, v[0] - limit * math.hypot(gx, gy) - gx * east - gy * north)
        # 0.1 % of the volume, or a fifth of a millimetre over the pad: finer than any ground model
        if best - bound <= max(1e-3 * best, 1e-4 * v[5]) or step == rounds:
            break
        n = _clip(polygon, n, east, north, gx, gy)
        last_east, last_north = east, north
        east, north, area = 0.0, 0.0, 0.0
        for _ in range(8):
            if n < 3:
                break
            east, north, area = _centroid(polygon, n)
            steep = math.hypot(east, north)
            if steep <= limit:
                break
            n = _clip(polygon, n, east * limit / steep, north * limit / steep, east, north)
        if n < 3 or area <= 1e-14 * limit * limit:
            break
        steep = math.hypot(east, north)
        if steep > limit:
            east, north = east * limit / steep, north * limit / steep
        e += (shrink / v[5]) * -(gx * (east - last_east) + gy * (north - last_north))
    return best_e, best_east, best_north, max(best - bound, 0.0) * (2 - shrink)


# --- side slopes -----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _distance(edges: F64, x: float, y: float) -> float:
    """Distance from a point to the nearest of a polygon's edges."""
    best = math.inf
    for e in range(len(edges)):
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        dx, dy = bx - ax, by - ay
        t = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-18)
        t = min(max(t, 0.0), 1.0)
        best = min(best, math.hypot(x - ax - t * dx, y - ay - t * dy))
    return best


@njit(cache=True, nogil=True)
def _ray(
    z: F64, grid: F64, x: float, y: float, ux: float, uy: float, design: float, side: F64, edges: F64
) -> tuple[float, float, float, float]:
    """March from an edge point outwards to daylight.

    Returns the section's signed area [m2] and first moment about the edge [m3/rad] (cut > 0), the distance reached and
    1.0 where daylight was found. With `edges`, the ray ends where another edge is nearer (there the slopes meet).
    """
    slope, step, reach = side[0], side[1], side[2]
    h = bilinear(z, grid, x, y) - design
    if math.isnan(h):
        return 0.0, 0.0, 0.0, 0.0
    sign = 1.0 if h > 0 else -1.0
    a = abs(h)
    if a < 1e-12:
        return 0.0, 0.0, 0.0, 1.0
    area = moment = t = 0.0
    while t < reach:
        u = t + step
        owned = True
        if len(edges) and _distance(edges, x + ux * u, y + uy * u) < u - 1e-6:
            owned = False
            inside, outside = t, u
            for _ in range(30):
                u = 0.5 * (inside + outside)
                if _distance(edges, x + ux * u, y + uy * u) < u - 1e-6:
                    outside = u
                else:
                    inside = u
            u = inside
        height = bilinear(z, grid, x + ux * u, y + uy * u)
        if math.isnan(height):
            return sign * area, sign * moment, t, 0.0
        b = sign * (height - design) - u / slope
        if b <= 0:
            u = t + (u - t) * a / (a - b)
            b = 0.0
        # a linear depth over [t, u]: its integral, and that of depth times distance
        length = u - t
        area += 0.5 * (a + b) * length
        moment += length * (t * (a + b) / 2 + length * (a + 2 * b) / 6)
        t, a = u, b
        if b == 0.0 or not owned:
            return sign * area, sign * moment, t, 1.0
    return sign * area, sign * moment, t, 0.0


@njit(cache=True, nogil=True)
def edge_batter(out: F64, z: F64, grid: F64, edge: F64, heights: F64, pieces: int, side: F64, others: F64) -> None:
    """Add the side slope right of an edge (x0, y0, x1, y1) between two design heights: cut, fill, open length."""
    ax, ay = edge[0], edge[1]
    dx, dy = edge[2] - ax, edge[3] - ay
    length = math.hypot(dx, dy)
    if length < 1e-9:
        return
    ux, uy = dy / length, -dx / length
    h0 = bilinear(z, grid, ax, ay) - heights[0]
    for p in range(pieces):
        b = (p + 1) / pieces
        a = p / pieces
        h1 = bilinear(z, grid, ax + dx * b, ay + dy * b) - (heights[0] + (heights[1] - heights[0]) * b)
        # a sign change inside the piece is its own end: sections grow with the square of the depth
        split = a + (b - a) * h0 / (h0 - h1) if h0 * h1 < 0 else b
        for part in range(2):
            lo, hi = (a, split) if part == 0 else (split, b)
            if hi - lo <= 0:
                continue
            for g in (-GAUSS, GAUSS):
                s = 0.5 * (lo + hi) + 0.5 * g * (hi - lo)
                weight = 0.5 * (hi - lo) * length
                design = heights[0] + (heights[1] - heights[0]) * s
                area, _, _, found = _ray(z, grid, ax + dx * s, ay + dy * s, ux, uy, design, side, others)
                out[0] += max(area, 0.0) * weight
                out[1] += max(-area, 0.0) * weight
                out[2] += (1.0 - found) * weight
        h0 = h1


@njit(cache=True, nogil=True)
def pad_batter(z: F64, grid: F64, edges: F64, following: I64, pad: F64, side: F64) -> F64:
    """Side slopes of a pad plane (elevation, grades): cut, fill [m3], length of edge without daylight [m].

    `edges` run with the pad on their left; `following[i]` is the edge that starts where edge i ends.
    """
    out = np.zeros(3)
    convex = True
    for e in range(len(edges)):
        f = following[e]
        turn = (edges[e, 2] - edges[e, 0]) * (edges[f, 3] - edges[f, 1]) - (edges[e, 3] - edges[e, 1]) * (
            edges[f, 2] - edges[f, 0]
        )
        # a second ring (hole or part) shows as an edge that is not followed by the next one
        convex = convex and turn >= -1e-9 and (f == e + 1 or e == len(edges) - 1)
    others = edges[:0] if convex else edges
    heights = np.empty(2)
    for e in range(len(edges)):
        heights[0] = pad[0] + pad[1] * edges[e, 0] + pad[2] * edges[e, 1]
        heights[1] = pad[0] + pad[1] * edges[e, 2] + pad[2] * edges[e, 3]
        length = math.hypot(edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1])
        pieces = max(math.ceil(length / side[1]), 1)
        edge_batter(out, z, grid, edges[e], heights, pieces, side, others)
        # the sector of a cone between this edge's normal and the next one's, at an outer corner
        f = following[e]
        ax, ay = edges[e, 3] - edges[e, 1], edges[e, 0] - edges[e, 2]
        bx, by = edges[f, 3] - edges[f, 1], edges[f, 0] - edges[f, 2]
        angle = math.atan2(ax * by - ay * bx, ax * bx + ay * by)
        if angle <= 1e-9:
            continue
        first = math.atan2(ay, ax)
        sectors = math.ceil(angle / 0.27)
        for i in range(sectors):
            for g in (-GAUSS, GAUSS):
                phi = first + angle * (i + 0.5 + 0.5 * g) / sectors
                ux, uy = math.cos(phi), math.sin(phi)
                _, moment, _, _ = _ray(z, grid, edges[e, 2], edges[e, 3], ux, uy, heights[1], side, others)
                out[0] += max(moment, 0.0) * 0.5 * angle / sectors
                out[1] += max(-moment, 0.0) * 0.5 * angle / sectors
    return out


@njit(cache=True, nogil=True)
def daylight_points(z: F64, grid: F64, edges: F64, following: I64, pad: F64, side: F64) -> F64:
    """Where the side slopes of a pad end, edge by edge and round its outer corners: x, y, edge (n, 3)."""
    most = 0
    apart = min(side[1], 1.0)
    for e in range(len(edges)):
        most += math.ceil(math.hypot(edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]) / apart) + 16
    points = np.empty((most, 3))
    n = 0
    for e in range(len(edges)):
        dx, dy = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
        length = math.hypot(dx, dy)
        pieces = max(math.ceil(length / apart), 1)
        f = following[e]
        fx, fy = edges[f, 2] - edges[f, 0], edges[f, 3] - edges[f, 1]
        angle = math.atan2(dx * fy - dy * fx, dx * fx + dy * fy)
        sectors = math.ceil(max(angle, 0.0) / 0.27)
        first = math.atan2(-dx, dy)
        for i in range(pieces + 1 + sectors):
            s = min(i / pieces, 1.0)
            x, y = edges[e, 0] + dx * s, edges[e, 1] + dy * s
            phi = first + (angle * (i - pieces) / sectors if i > pieces else 0.0)
            ux, uy = math.cos(phi), math.sin(phi)
            design = pad[0] + pad[1] * x + pad[2] * y
            _, _, reach, _ = _ray(z, grid, x, y, ux, uy, design, side, edges)
            points[n, 0], points[n, 1], points[n, 2] = x + ux * reach, y + uy * reach, e
            n += 1
    return points[:n]


# --- many at once ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def grade_pads(
    z: F64,
    grid: F64,
    edges: F64,
    following: I64,
    starts: I64,
    origins: F64,
    steps: F64,
    planes: F64,
    rule: F64,
    side: F64,
) -> F64:
    """Plane and volumes of many pads; where `planes` is NaN the balanced one is found. Rows as `PAD_COLUMNS`.

    `rule`: shrink, grade limit, rounds of the search. `side`: run per rise (0: no side slopes), step, reach [m].
    A pad with a sample on nodata gets its share of such samples and NaN elsewhere.
    """
    out = np.full((len(starts) - 1, PAD_COLUMNS), math.nan)
    local = grid.copy()
    for p in range(len(starts) - 1):
        ring = edges[starts[p] : starts[p + 1]]
        local[0], local[1] = grid[0] - origins[p, 0], grid[1] - origins[p, 1]
        px, py = tile_polygon(ring, steps[p])
        pz = np.empty_like(px)
        blind = 0
        for k in range(len(px)):
            for i in range(5):
                pz[k, i] = bilinear(z, local, px[k, i], py[k, i])
                blind += math.isnan(pz[k, i])
        out[p, 7] = blind / max(px.size, 1)
        if blind or len(px) == 0:
            continue
        gap = 0.0
        e, east, north = planes[p, 0], planes[p, 1], planes[p, 2]
        if math.isnan(e):
            e, east, north, gap = plane(px, py, pz, rule[0], rule[1], int(rule[2]))
        v = prism(px, py, pz, e, east, north)
        deepest = highest = 0.0
        for k in range(len(px)):
            for i in range(5):
                r = pz[k, i] - e - east * px[k, i] - north * py[k, i]
                deepest, highest = max(deepest, r), max(highest, -r)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = v[0], v[4], 0.0, 0.0
        out[p, 4], out[p, 5], out[p, 6] = deepest, highest, 0.0
        out[p, 8], out[p, 9], out[p, 10], out[p, 11] = e, east, north, gap
        if side[0] > 0:
            pad = np.array([e, east, north])
            b = pad_batter(z, local, ring, following[starts[p] : starts[p + 1]], pad, side)
            out[p, 2], out[p, 3], out[p, 6] = b[0], b[1], b[2]
    return out


@njit(cache=True, nogil=True)
def _mitre(a: F64, b: F64, c: F64, half: float) -> float:
    """How far the strip's edge moves along at the bend b (left turn > 0), held within half of either segment."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]
    room = 0.5 * min(math.hypot(ux, uy), math.hypot(vx, vy))
    turn = math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)
    return min(max(half * math.tan(0.5 * min(max(turn, -3.1), 3.1)), -room), room)


@njit(cache=True, nogil=True)
def _trim(line: F64, i: int, half: float) -> F64:
    """How far the strip's edge moves along at either end of segment i."""
    trim = np.zeros(2)
    if i > 0:
        trim[0] = _mitre(line[i - 1], line[i], line[i + 1], half)
    if i < len(line) - 2:
        trim[1] = _mitre(line[i], line[i + 1], line[i + 2], half)
    return trim


@njit(cache=True, nogil=True)
def tile_strip(line: F64, i: int, half: float, step: float) -> tuple[F64, F64, F64, F64]:
    """Tiles of the mitred strip along segment i of a line (n, 3): x, y, design z (m, 5), and its trim at both ends.

    The trim moves the left edge by its amount and the right edge by as much the other way: area is length x width.
    """
    a, b = line[i], line[i + 1]
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    trim = _trim(line, i, half)
    along, across = math.ceil(length / step), max(math.ceil(2 * half / step), 2)
    x = np.empty((along * across, 5))
    y = np.empty((along * across, 5))
    d = np.empty((along * across, 5))
    for j in range(along):
        for k in range(across):
            t = j * across + k
            x[t, 4] = y[t, 4] = d[t, 4] = 0.0
            for corner in range(4):
                u = (j + (corner in {1, 2})) / along
                v = 2.0 * (k + (corner >= 2)) / across - 1.0
                s = (1 - u) * trim[0] * v + u * (length - trim[1] * v)
                x[t, corner] = a[0] + ux * s - uy * half * v
                y[t, corner] = a[1] + uy * s + ux * half * v
                d[t, corner] = a[2] + (b[2] - a[2]) * s / length
                x[t, 4] += 0.25 * x[t, corner]
                y[t, 4] += 0.25 * y[t, corner]
                d[t, 4] += 0.25 * d[t, corner]
    return x, y, d, trim


@njit(cache=True, nogil=True)
def grade_corridors(
    z: F64, grid: F64, lines: F64, starts: I64, origins: F64, widths: F64, steps: F64, side: F64
) -> F64:
    """Volumes of many corridors; rows as `CORRIDOR_COLUMNS`. Tiles with a sample on nodata are left out and counted."""
    out = np.zeros((len(starts) - 1, CORRIDOR_COLUMNS))
    local = grid.copy()
    r, x, y = np.empty(5), np.empty(5), np.empty(5)
    row = np.empty((2, 3, 4))  # corners at the near and the far end of the tiles in hand: x, y, design z, residual
    none = np.empty((0, 4))
    edge, heights = np.empty(4), np.empty(2)
    for p in range(len(starts) - 1):
        line = lines[starts[p] : starts[p + 1]]
        local[0], local[1] = grid[0] - origins[p, 0], grid[1] - origins[p, 1]
        half = 0.5 * widths[p]
        sums, batter = np.zeros(6), np.zeros(3)
        blind = whole = depth = 0.0
        for i in range(len(line) - 1):
            # the tiles of `tile_strip`, the corners that two share measured once
            a, b = line[i], line[i + 1]
            length = math.hypot(b[0] - a[0], b[1] - a[1])
            ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
            trim = _trim(line, i, half)
            along, across = math.ceil(length / steps[p]), max(math.ceil(2 * half / steps[p]), 2)
            if row.shape[1] < across + 1:
                row = np.empty((2, across + 1, 4))
            for j in range(along + 1):
                far = row[j % 2]
                for k in range(across + 1):
                    u, v = j / along, 2.0 * k / across - 1.0
                    s = (1 - u) * trim[0] * v + u * (length - trim[1] * v)
                    far[k, 0], far[k, 1] = a[0] + ux * s - uy * half * v, a[1] + uy * s + ux * half * v
                    far[k, 2] = a[2] + (b[2] - a[2]) * s / length
                    far[k, 3] = bilinear(z, local, far[k, 0], far[k, 1]) - far[k, 2]
                if j == 0:
                    continue
                near = row[1 - j % 2]
                for k in range(across):
                    x[0], x[1], x[2], x[3] = near[k, 0], far[k, 0], far[k + 1, 0], near[k + 1, 0]
                    y[0], y[1], y[2], y[3] = near[k, 1], far[k, 1], far[k + 1, 1], near[k + 1, 1]
                    r[0], r[1], r[2], r[3] = near[k, 3], far[k, 3], far[k + 1, 3], near[k + 1, 3]
                    x[4] = 0.25 * x[0] + 0.25 * x[1] + 0.25 * x[2] + 0.25 * x[3]
                    y[4] = 0.25 * y[0] + 0.25 * y[1] + 0.25 * y[2] + 0.25 * y[3]
                    design = 0.25 * near[k, 2] + 0.25 * far[k, 2] + 0.25 * far[k + 1, 2] + 0.25 * near[k + 1, 2]
                    r[4] = bilinear(z, local, x[4], y[4]) - design
                    area = _area(x, y)
                    whole += area
                    if math.isnan(r[0] + r[1] + r[2] + r[3] + r[4]):
                        blind += area
                        continue
                    _tile(sums, x, y, r)
                    for c in range(5):
                        depth = max(depth, abs(r[c]))
            if side[0] > 0:
                pieces = math.ceil(length / side[1])
                for hand in (-1.0, 1.0):
                    s0, s1 = trim[0] * hand, length - trim[1] * hand
                    if hand > 0:  # run back along the left edge, so that outside is on the right
                        s0, s1 = s1, s0
                    edge[0], edge[1] = a[0] + ux * s0 - uy * half * hand, a[1] + uy * s0 + ux * half * hand
                    edge[2], edge[3] = a[0] + ux * s1 - uy * half * hand, a[1] + uy * s1 + ux * half * hand
                    heights[0] = a[2] + (b[2] - a[2]) * s0 / length
                    heights[1] = a[2] + (b[2] - a[2]) * s1 / length
                    edge_batter(batter, z, local, edge, heights, pieces, side, none)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = sums[0], sums[4], batter[0], batter[1]
        out[p, 4], out[p, 5], out[p, 6] = depth, blind / max(whole, 1e-12), batter[2]
    return out


@njit(cache=True, nogil=True)
def spread(total: F64, weight: F64, grid: F64, px: F64, py: F64, value: F64) -> None:
    """Add tile values (at tile centres), weighted by area, to the cells that hold them."""
    ny, nx = total.shape
    for k in range(len(px)):
        column = math.floor((px[k, 4] - grid[0]) / grid[2])
        row = math.floor((grid[1] - py[k, 4]) / grid[3])
        if 0 <= row < ny and 0 <= column < nx and not math.isnan(value[k]):
            w = _area(px[k], py[k])
            total[row, column] += w * value[k]
            weight[row, column] += w
