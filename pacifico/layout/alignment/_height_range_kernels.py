"""Compiled ranges of road heights: along a chord, and at the stations of a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


STATION_M = 8.0
"""Largest distance between points where heights are checked [m]."""


@njit(cache=True, nogil=True)
def height_at(ground: FloatArray, tile: FloatArray, x: float, y: float) -> float:
    """Bilinear height of north-up ground; `tile` is west, north, cell x, cell y."""
    ny, nx = ground.shape
    c, r = (x - tile[0]) / tile[2] - 0.5, (tile[1] - y) / tile[3] - 0.5
    i, j = min(max(int(np.floor(c)), 0), nx - 2), min(max(int(np.floor(r)), 0), ny - 2)
    fx, fy = min(max(c - i, 0.0), 1.0), min(max(r - j, 0.0), 1.0)
    return float(
        (ground[j, i] * (1 - fx) + ground[j, i + 1] * fx) * (1 - fy)
        + (ground[j + 1, i] * (1 - fx) + ground[j + 1, i + 1] * fx) * fy
    )


@njit(cache=True, nogil=True)
def levels_after(
    ground: FloatArray, tile: FloatArray, px: float, py: float, qx: float, qy: float, low: float, high: float, grade: float,
    depth: float,
) -> tuple[float, float]:  # fmt: skip
    """Range of road heights at the end of a straight piece, from the range at its start; low above high: none."""
    length = np.hypot(qx - px, qy - py)
    n = max(int(np.ceil(length / STATION_M)), 1)
    for k in range(1, n + 1):
        here = height_at(ground, tile, px + (qx - px) * k / n, py + (qy - py) * k / n)
        if np.isnan(here):
            return 1.0, 0.0
        low, high = max(low - grade * length / n, here - depth), min(high + grade * length / n, here + depth)
        if low > high:
            return 1.0, 0.0
    return low, high


@njit(cache=True, nogil=True)
def tree_levels(
    parent: IntArray, rise: FloatArray, low: FloatArray, high: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Range of heights of each station of a tree, as seen from its subtree and from the rest.

    `rise` is the most to the station before, `low` and `high` what each may have by itself. The first result is what
    its subtree leaves of each, the second what all the rest leaves of each, the third what all but its own subtree
    leaves of the station before it. Together they leave what a profile within all limits may have.
    """
    n = parent.size
    below, above, beside = np.empty((n, 2)), np.empty((n, 2)), np.empty((n, 2))
    first, after = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for k in range(n):
        below[k, 0], below[k, 1] = low[k], high[k]
    for k in range(n - 1, 0, -1):
        p = parent[k]
        below[p, 0] = max(below[p, 0], below[k, 0] - rise[k])
        below[p, 1] = min(below[p, 1], below[k, 1] + rise[k])
        after[k], first[p] = first[p], k
    above[0, 0], above[0, 1] = low[0], high[0]
    beside[0, 0], beside[0, 1] = low[0], high[0]
    for k in range(1, n):
        p = parent[k]
        a, b = above[p, 0], above[p, 1]
        other = first[p]
        while other >= 0:
            if other != k:
                a, b = max(a, below[other, 0] - rise[other]), min(b, below[other, 1] + rise[other])
            other = after[other]
        beside[k, 0], beside[k, 1] = a, b
        above[k, 0], above[k, 1] = max(low[k], a - rise[k]), min(high[k], b + rise[k])
    return below, above, beside
