"""Compiled side slopes: from the edges of pads and roads to where they meet the ground."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


GAUSS = 0.5773502691896258  # 1/sqrt(3): two points integrate a cubic exactly, and a side slope's section is a square


@njit(cache=True, nogil=True)
def bilinear(z: FloatArray, grid: FloatArray, x: float, y: float) -> float:
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


@njit(cache=True, nogil=True)
def _distance(edges: FloatArray, x: float, y: float) -> float:
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
    z: FloatArray,
    grid: FloatArray,
    x: float,
    y: float,
    ux: float,
    uy: float,
    design: float,
    side: FloatArray,
    edges: FloatArray,
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
def edge_batter(
    out: FloatArray,
    z: FloatArray,
    grid: FloatArray,
    edge: FloatArray,
    heights: FloatArray,
    pieces: int,
    side: FloatArray,
    others: FloatArray,
) -> None:
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
def pad_batter(
    z: FloatArray, grid: FloatArray, edges: FloatArray, following: IntArray, pad: FloatArray, side: FloatArray
) -> FloatArray:
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
def daylight_points(
    z: FloatArray, grid: FloatArray, edges: FloatArray, following: IntArray, pad: FloatArray, side: FloatArray
) -> FloatArray:
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
