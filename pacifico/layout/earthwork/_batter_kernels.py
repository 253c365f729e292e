"""Compiled side slopes: from edges of pads and roads to daylight."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.earthwork._kernel_types import GridFrame, Plane, SideSlope


GAUSS = 0.5773502691896258
"""Gauss point 1/sqrt(3): two points integrate a cubic exactly; the section of a side slope is quadratic."""
SECTOR_RAD = 0.27
"""Largest angle of a cone sector at an outer corner [rad]: about 15°."""
SAME_EDGE_M = 1e-6
"""Tolerance for which of two edges is nearer [m]."""


@njit(cache=True, nogil=True)
def bilinear(z: FloatArray, grid: GridFrame, x: float, y: float) -> float:
    """Height at a place [m], as `Ground.at`; NaN off the grid."""
    ny, nx = z.shape
    column = (x - grid.west) / grid.dx - 0.5
    row = (grid.north - y) / grid.dy - 0.5
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
    """Distance from a point to the nearest edge of a polygon [m]."""
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
    grid: GridFrame,
    x: float,
    y: float,
    ux: float,
    uy: float,
    design: float,
    side: SideSlope,
    edges: FloatArray,
) -> tuple[float, float, float, float]:
    """Trace a side slope from an edge point to daylight.

    Parameters
    ----------
    x, y, ux, uy : float
        Point on the edge [m] and direction of the ray.
    design : float
        Design height at the edge [m].
    edges : ndarray, shape (n, 4)
        All edges of the pad: the ray ends where another edge is nearer. Empty: no other edge can be.

    Returns
    -------
    tuple of float
        Signed area of the section [m²] and its first moment about the edge [m³/rad], cut positive; distance reached
        [m]; 1.0 with daylight, else 0.0.
    """
    h = bilinear(z, grid, x, y) - design
    if math.isnan(h):
        return 0.0, 0.0, 0.0, 0.0
    sign = 1.0 if h > 0 else -1.0
    a = abs(h)
    if a < 1e-12:
        return 0.0, 0.0, 0.0, 1.0
    area = moment = t = 0.0
    while t < side.reach:
        u = t + side.step
        nearest = True
        if len(edges) and _distance(edges, x + ux * u, y + uy * u) < u - SAME_EDGE_M:
            nearest = False
            inside, outside = t, u
            for _ in range(30):
                u = 0.5 * (inside + outside)
                if _distance(edges, x + ux * u, y + uy * u) < u - SAME_EDGE_M:
                    outside = u
                else:
                    inside = u
            u = inside
        height = bilinear(z, grid, x + ux * u, y + uy * u)
        if math.isnan(height):
            return sign * area, sign * moment, t, 0.0
        b = sign * (height - design) - u / side.run
        if b <= 0:
            u = t + (u - t) * a / (a - b)
            b = 0.0
        # the depth is linear over [t, u]: integrate it, and its product with distance
        length = u - t
        area += 0.5 * (a + b) * length
        moment += length * (t * (a + b) / 2 + length * (a + 2 * b) / 6)
        t, a = u, b
        if b == 0.0 or not nearest:
            return sign * area, sign * moment, t, 1.0
    return sign * area, sign * moment, t, 0.0


@njit(cache=True, nogil=True)
def edge_batter(
    out: FloatArray,
    z: FloatArray,
    grid: GridFrame,
    edge: FloatArray,
    heights: FloatArray,
    pieces: int,
    side: SideSlope,
    others: FloatArray,
) -> None:
    """Add the side slope on the right of an edge to `out`.

    Parameters
    ----------
    out : ndarray, shape (3,)
        Sums of cut and fill [m³] and of length without daylight [m]; changed in place.
    edge : ndarray, shape (4,)
        Start and end of the edge [m].
    heights : ndarray, shape (2,)
        Design heights at both ends [m].
    pieces : int
        Number of equal pieces that are integrated.
    others : ndarray, shape (n, 4)
        All edges of the pad; empty where no other edge can be nearer.
    """
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
        # split where cut turns to fill: sections grow with the square of the depth
        split = a + (b - a) * h0 / (h0 - h1) if h0 * h1 < 0 else b
        for lo, hi in ((a, split), (split, b)):
            if lo == hi:
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
    z: FloatArray, grid: GridFrame, edges: FloatArray, following: IntArray, pad: Plane, side: SideSlope
) -> FloatArray:
    """Cut and fill of a pad's side slopes [m³], and edge without daylight [m].

    Parameters
    ----------
    edges : ndarray, shape (n, 4)
        Start and end of each edge, the pad on its left [m].
    following : ndarray of int, shape (n,)
        Edge that starts where each edge ends.
    """
    out = np.zeros(3)
    convex = True
    for e in range(len(edges)):
        f = following[e]
        turn = (edges[e, 2] - edges[e, 0]) * (edges[f, 3] - edges[f, 1]) - (edges[e, 3] - edges[e, 1]) * (
            edges[f, 2] - edges[f, 0]
        )
        # an edge that is not followed by the next one belongs to a second ring
        convex = convex and turn >= -1e-9 and (f == e + 1 or e == len(edges) - 1)
    others = edges[:0] if convex else edges
    heights = np.empty(2)
    for e in range(len(edges)):
        heights[0] = pad.elevation + pad.east * edges[e, 0] + pad.north * edges[e, 1]
        heights[1] = pad.elevation + pad.east * edges[e, 2] + pad.north * edges[e, 3]
        length = math.hypot(edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1])
        pieces = math.ceil(length / side.step)
        edge_batter(out, z, grid, edges[e], heights, pieces, side, others)
        # at an outer corner: cone sector between the normals of this edge and the next
        f = following[e]
        ax, ay = edges[e, 3] - edges[e, 1], edges[e, 0] - edges[e, 2]
        bx, by = edges[f, 3] - edges[f, 1], edges[f, 0] - edges[f, 2]
        angle = math.atan2(ax * by - ay * bx, ax * bx + ay * by)
        if angle <= 1e-9:
            continue
        first = math.atan2(ay, ax)
        sectors = math.ceil(angle / SECTOR_RAD)
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
    z: FloatArray, grid: GridFrame, edges: FloatArray, following: IntArray, pad: Plane, side: SideSlope
) -> FloatArray:
    """Ends of a pad's side slopes: x, y [m] and edge, shape (n, 3)."""
    count = 0
    spacing = min(side.step, 1.0)
    for e in range(len(edges)):
        count += math.ceil(math.hypot(edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]) / spacing) + 16
    points = np.empty((count, 3))
    n = 0
    for e in range(len(edges)):
        dx, dy = edges[e, 2] - edges[e, 0], edges[e, 3] - edges[e, 1]
        length = math.hypot(dx, dy)
        pieces = math.ceil(length / spacing)
        f = following[e]
        fx, fy = edges[f, 2] - edges[f, 0], edges[f, 3] - edges[f, 1]
        angle = math.atan2(dx * fy - dy * fx, dx * fx + dy * fy)
        sectors = math.ceil(max(angle, 0.0) / SECTOR_RAD)
        first = math.atan2(-dx, dy)
        for i in range(pieces + 1 + sectors):
            s = min(i / pieces, 1.0)
            x, y = edges[e, 0] + dx * s, edges[e, 1] + dy * s
            phi = first + (angle * (i - pieces) / sectors if i > pieces else 0.0)
            ux, uy = math.cos(phi), math.sin(phi)
            design = pad.elevation + pad.east * x + pad.north * y
            _, _, reach, _ = _ray(z, grid, x, y, ux, uy, design, side, edges)
            points[n, 0], points[n, 1], points[n, 2] = x + ux * reach, y + uy * reach, e
            n += 1
    return points[:n]
