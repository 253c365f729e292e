"""Kernels of height ranges: along a chord, and at the stations of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


STATION_M = 8.0
"""Largest distance between points where heights are checked [m]."""


class TerrainArrays(NamedTuple):
    """Ground that a road follows, with the limits of its profile."""

    z: FloatArray
    """Heights at cell centres, rows going south [m]; NaN without elevation."""
    frame: FloatArray
    """West and north edge, and cell size in x and y [m]."""
    grade: float
    """Largest grade, rise over run [-]."""
    depth: float
    """Largest cut or fill [m]."""


@njit(cache=True, nogil=True)
def height_at(ground: FloatArray, frame: FloatArray, x: float, y: float) -> float:
    """Bilinear height of a grid whose rows go south.

    `frame` is its west and north edge, and the cell size in x and y.
    """
    ny, nx = ground.shape
    c, r = (x - frame[0]) / frame[2] - 0.5, (frame[1] - y) / frame[3] - 0.5
    i, j = min(max(int(np.floor(c)), 0), nx - 2), min(max(int(np.floor(r)), 0), ny - 2)
    fx, fy = min(max(c - i, 0.0), 1.0), min(max(r - j, 0.0), 1.0)
    return float(
        (ground[j, i] * (1 - fx) + ground[j, i + 1] * fx) * (1 - fy)
        + (ground[j + 1, i] * (1 - fx) + ground[j + 1, i + 1] * fx) * fy
    )


@njit(cache=True, nogil=True)
def range_after(
    terrain: TerrainArrays, px: float, py: float, qx: float, qy: float, low: float, high: float
) -> tuple[float, float]:
    """Range of road heights at the end q of a chord, from the range at its start p.

    It is (1, 0), low above high, where no height is possible.
    """
    ground, frame, grade, depth = terrain.z, terrain.frame, terrain.grade, terrain.depth
    length = np.hypot(qx - px, qy - py)
    n = max(int(np.ceil(length / STATION_M)), 1)
    for k in range(1, n + 1):
        here = height_at(ground, frame, px + (qx - px) * k / n, py + (qy - py) * k / n)
        if np.isnan(here):
            return 1.0, 0.0
        low, high = max(low - grade * length / n, here - depth), min(high + grade * length / n, here + depth)
        if low > high:
            return 1.0, 0.0
    return low, high


@njit(cache=True, nogil=True)
def tree_ranges(
    parent: IntArray, rise: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Height ranges of the stations of a tree, seen from each side.

    `rise` is the largest difference to the parent, `low` and `high` are the limits of each station by itself. The
    first result holds what the subtree of each station leaves, the second what all the rest leaves, the third what all
    but its subtree leaves of its parent. A profile within all limits exists where the first two meet everywhere.
    """
    n = parent.size
    below, above, beside = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    first_child, next_sibling = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for k in range(n):
        below[k, 0], below[k, 1] = low[k], high[k]
    for k in range(n - 1, 0, -1):
        p = parent[k]
        below[p, 0] = max(below[p, 0], below[k, 0] - rise[k])
        below[p, 1] = min(below[p, 1], below[k, 1] + rise[k])
        next_sibling[k], first_child[p] = first_child[p], k
    above[0, 0], above[0, 1] = low[0], high[0]
    beside[0, 0], beside[0, 1] = low[0], high[0]
    for k in range(1, n):
        p = parent[k]
        a, b = above[p, 0], above[p, 1]
        other = first_child[p]
        while other >= 0:
            if other != k:
                a, b = max(a, below[other, 0] - rise[other]), min(b, below[other, 1] + rise[other])
            other = next_sibling[other]
        beside[k, 0], beside[k, 1] = a, b
        above[k, 0], above[k, 1] = max(low[k], a - rise[k]), min(high[k], b + rise[k])
    return below, above, beside
