"""Compiled tiles of polygons and strips, with volumes over each.

A tile is a convex quadrilateral: four corners and a centre. The residual (ground minus design) is linear on each of its
four triangles, so cut and fill have closed forms, also where the sign changes inside a triangle. Coordinates are
metres from the pad's centroid or the line's first point: with UTM northings, digits would be lost.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray


@njit(cache=True, nogil=True)
def tile_polygon(edges: FloatArray, step: float) -> tuple[FloatArray, FloatArray]:
    """Cut a polygon into tiles: x and y of shape (m, 5) [m].

    East-west cuts at every vertex leave trapezoids, which are divided evenly: the tiles cover the polygon exactly.
    `edges` are the edges of all rings, shape (n, 4).
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
                    place = m  # insertion sort: a slab crosses few edges
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
def polygon_area(x: FloatArray, y: FloatArray) -> float:
    """Area of a tile [m²]."""
    return float(0.5 * abs((x[2] - x[0]) * (y[3] - y[1]) - (x[3] - x[1]) * (y[2] - y[0])))


@njit(cache=True, nogil=True)
def _triangle(
    out: FloatArray, xa: float, ya: float, a: float, xb: float, yb: float, b: float, xc: float, yc: float, c: float
) -> None:
    """Add the positive part of a triangle: volume, area and moments.

    Parameters
    ----------
    out : ndarray, shape (6,)
        Sums; changed in place.
    xa, ya, a, xb, yb, b, xc, yc, c : float
        Position [m] and residual [m] of each corner.
    """
    area = 0.5 * abs((xb - xa) * (yc - ya) - (xc - xa) * (yb - ya))
    positive = int(a > 0) + int(b > 0) + int(c > 0)  # without int, NumPy's booleans would add up to True
    if positive == 0 or area == 0:
        return
    if positive == 3:
        out[0] += area * (a + b + c) / 3
        out[1] += area
        out[2] += area * (xa + xb + xc) / 3
        out[3] += area * (ya + yb + yc) / 3
        return
    # Make the corner with the single sign the first.
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
def add_tile(out: FloatArray, x: FloatArray, y: FloatArray, r: FloatArray) -> None:
    """Add one tile: positive volume, area and moments, negative volume, whole area.

    Parameters
    ----------
    out : ndarray, shape (6,)
        Sums; changed in place.
    x, y, r : ndarray, shape (5,)
        Corners and centre [m], with residuals [m].
    """
    area = polygon_area(x, y)
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
def prism(px: FloatArray, py: FloatArray, pz: FloatArray, elevation: float, east: float, north: float) -> FloatArray:
    """Volumes between ground and a plane.

    Parameters
    ----------
    px, py, pz : ndarray, shape (n, 5)
        Corners and centre of each tile, with ground heights [m].
    elevation, east, north : float
        Height at the origin [m] and grades [rise/run] of the plane.

    Returns
    -------
    ndarray, shape (6,)
        Cut [m³], area of cut [m²], its moments in x and y [m³], fill [m³], whole area [m²].
    """
    out = np.zeros(6)
    r = np.empty(5)
    for k in range(len(px)):
        for i in range(5):
            r[i] = pz[k, i] - elevation - east * px[k, i] - north * py[k, i]
        add_tile(out, px[k], py[k], r)
    return out


@njit(cache=True, nogil=True)
def _mitre(a: FloatArray, b: FloatArray, c: FloatArray, half: float) -> float:
    """Shift of a strip's edge along the line at a bend [m]; left turns > 0."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]
    room = 0.5 * min(math.hypot(ux, uy), math.hypot(vx, vy))
    turn = math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)
    return min(max(half * math.tan(0.5 * min(max(turn, -3.1), 3.1)), -room), room)


@njit(cache=True, nogil=True)
def mitred(line: FloatArray, i: int, half: float) -> FloatArray:
    """Shift of a strip's edge at both ends of a segment [m]."""
    trim = np.zeros(2)
    if i > 0:
        trim[0] = _mitre(line[i - 1], line[i], line[i + 1], half)
    if i < len(line) - 2:
        trim[1] = _mitre(line[i], line[i + 1], line[i + 2], half)
    return trim


@njit(cache=True, nogil=True)
def tile_strip(
    line: FloatArray, i: int, half: float, step: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Tiles of the mitred strip along segment i of a line.

    The left edge is shifted by the trim and the right edge by the opposite, so that the area is length x width.

    Parameters
    ----------
    line : ndarray, shape (n, 3)
        Vertices with design heights [m].
    i : int
        Segment of the line.
    half : float
        Half the width of the strip [m].
    step : float
        Longest tile edge [m].

    Returns
    -------
    tuple of ndarray
        x, y and design height of each tile, shape (m, 5) [m]; trim at both ends [m].
    """
    a, b = line[i], line[i + 1]
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
    trim = mitred(line, i, half)
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
