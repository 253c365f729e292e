"""Compiled search for the balanced plane of least earthwork."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit
from pacifico.layout.earthwork._tile_kernels import polygon_area, prism

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.earthwork._kernel_types import PlaneSearch


@njit(cache=True, nogil=True)
def balance(
    px: FloatArray, py: FloatArray, pz: FloatArray, east: float, north: float, start: float, shrink: float
) -> tuple[float, FloatArray]:
    """Elevation at which a plane of given grade balances, with its volumes.

    The difference falls strictly with the elevation, so Newton's method is kept inside a bracket.

    Parameters
    ----------
    px, py, pz : ndarray, shape (n, 5)
        Corners and centre of each tile, with ground heights [m].
    east, north : float
        Grades of the plane [rise/run].
    start : float
        First guess of the elevation [m].
    shrink : float
        Bank volume lost when cut is compacted as fill [-].
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
def _clip(polygon: FloatArray, n: int, ox: float, oy: float, gx: float, gy: float) -> int:
    """Clip a convex polygon in place by a half-plane; return its corner count."""
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
def _centroid(polygon: FloatArray, n: int) -> tuple[float, float, float]:
    """Centroid and area of a convex polygon with `n` corners."""
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
def _least_squares(px: FloatArray, py: FloatArray, pz: FloatArray) -> tuple[float, float, float]:
    """Mean height [m] and grades of the area-weighted least-squares plane."""
    sw = sx = sy = sz = sxx = sxy = syy = sxz = syz = 0.0
    for k in range(len(px)):
        x, y, z = px[k, 4], py[k, 4], pz[k, 4] - pz[0, 4]
        w = polygon_area(px[k], py[k])
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
def balanced_plane(
    px: FloatArray, py: FloatArray, pz: FloatArray, search: PlaneSearch
) -> tuple[float, float, float, float]:
    """Balanced plane of least cut + fill within a grade limit.

    The cut of balanced planes is a convex function of the grade (see `balanced_pad`). A cutting-plane search by
    centres of gravity (Levin 1965, Newman 1965) over the disk of grades finds its minimum and bounds the gap.

    Parameters
    ----------
    px, py, pz : ndarray, shape (n, 5)
        Corners and centre of each tile, with ground heights [m].

    Returns
    -------
    tuple of float
        Elevation at the centroid [m], grades east and north [rise/run], optimality gap [m³].
    """
    shrink, limit, rounds = search.shrink, search.max_grade, search.rounds
    e, east, north = _least_squares(px, py, pz)
    steep = math.hypot(east, north)
    if steep > limit:
        east, north = east * limit / steep, north * limit / steep
    corners = 16
    # a cut adds one corner at most: one cut in each round, and up to eight along the limit
    polygon = np.empty((corners + 9 * rounds, 2))
    for i in range(corners):
        angle = 2 * math.pi * i / corners
        radius = limit / math.cos(math.pi / corners)
        polygon[i, 0], polygon[i, 1] = radius * math.cos(angle), radius * math.sin(angle)
    n = corners
    best_e, best_east, best_north, best = e, east, north, math.inf
    bound = 0.0
    for step in range(rounds + 1):
        e, v = balance(px, py, pz, east, north, e, shrink)
        weight = 1 - shrink * v[1] / v[5]
        gx, gy = -v[2] / weight, -v[3] / weight
        if v[0] < best:
            best_e, best_east, best_north, best = e, east, north, v[0]
        # The tangent plane bounds the optimum from below: over the disk, and over its remaining part.
        lowest = math.inf
        for i in range(n):
            lowest = min(lowest, v[0] + gx * (polygon[i, 0] - east) + gy * (polygon[i, 1] - north))
        bound = max(bound, lowest, v[0] - limit * math.hypot(gx, gy) - gx * east - gy * north)
        # 0.1 % of the volume, or 0.2 mm over the pad: finer than any ground model
        if best - bound <= max(1e-3 * best, 1e-4 * v[5]) or step == rounds:
            break
        n = _clip(polygon, n, east, north, gx, gy)
        last_east, last_north = east, north
        for _ in range(8):
            east, north, area = _centroid(polygon, n)
            steep = math.hypot(east, north)
            if steep <= limit:
                break
            n = _clip(polygon, n, east * limit / steep, north * limit / steep, east, north)
        # nothing, or next to nothing, is left within the limit
        if steep > limit or area <= 1e-14 * limit * limit:
            break
        e += (shrink / v[5]) * -(gx * (east - last_east) + gy * (north - last_north))
    return best_e, best_east, best_north, max(best - bound, 0.0) * (2 - shrink)
