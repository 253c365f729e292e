"""Kernels of profiles: the least-cost grade line on a tree, and ranges of heights.

The grade line is found by dynamic programming over piecewise-linear costs, with two meldable heaps at each station.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


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
def heap_meld(
    key: FloatArray, lazy: FloatArray, left: IntArray, right: IntArray, rank: IntArray, a: int, b: int
) -> int:
    """Merge two leftist heaps, least key first, and return the root.

    -1 is the empty heap. `lazy` holds what is still to be added to the keys below a node.
    """
    if a < 0:
        return b
    if b < 0:
        return a
    if key[b] < key[a] or (key[b] == key[a] and b < a):
        a, b = b, a
    push_down(key, lazy, left, right, a)
    right[a] = heap_meld(key, lazy, left, right, rank, right[a], b)
    low = rank[left[a]] if left[a] >= 0 else 0
    if low < rank[right[a]]:
        left[a], right[a] = right[a], left[a]
    rank[a] = (rank[right[a]] if right[a] >= 0 else 0) + 1
    return a


@njit(cache=True, nogil=True)
def push_down(key: FloatArray, lazy: FloatArray, left: IntArray, right: IntArray, a: int) -> None:
    """Pass a pending addition on to the children."""
    if lazy[a] != 0.0:
        if left[a] >= 0:
            key[left[a]] += lazy[a]
            lazy[left[a]] += lazy[a]
        if right[a] >= 0:
            key[right[a]] += lazy[a]
            lazy[right[a]] += lazy[a]
        lazy[a] = 0.0


@njit(cache=True, nogil=True)
def tree_profile(
    parent: IntArray,
    bound: FloatArray,
    ground: FloatArray,
    start: IntArray,
    keys: FloatArray,
    weights: FloatArray,
    rising: FlagArray,
) -> FloatArray:
    """Minimise the sum of hinges over a tree under abs(z[k] - z[parent[k]]) <= bound[k].

    A hinge of station k is weights x max(0, z - key) where `rising`, else weights x max(0, key - z). The cost of a
    subtree as a function of its root's height is kept as two heaps: falling hinges (keys negated) and rising ones.
    """
    n = parent.size
    pool = 8 * keys.size + 16
    key, weight, lazy = np.zeros(pool), np.zeros(pool), np.zeros(pool)
    left, right, rank = np.full(pool, -1, np.int64), np.full(pool, -1, np.int64), np.zeros(pool, np.int64)
    fall, rise = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    used = 0
    for k in range(n - 1, -1, -1):
        a, b = fall[k], rise[k]
        for h in range(start[k], start[k + 1]):
            if used == key.size:
                grown = 2 * used
                key, weight, lazy = extended(key, grown), extended(weight, grown), extended(lazy, grown)
                left, right, rank = extended_int(left, grown), extended_int(right, grown), extended_int(rank, grown)
            key[used] = keys[h] if rising[h] else -keys[h]
            weight[used], rank[used] = weights[h], 1
            if rising[h]:
                b = heap_meld(key, lazy, left, right, rank, b, used)
            else:
                a = heap_meld(key, lazy, left, right, rank, a, used)
            used += 1
        # a falling hinge above a rising one: the same sum with the keys exchanged, plus a constant
        while a >= 0 and b >= 0 and -key[a] > key[b]:
            push_down(key, lazy, left, right, a)
            push_down(key, lazy, left, right, b)
            moved = min(weight[a], weight[b])
            ka, kb = key[a], key[b]
            top_a, top_b = a, b
            rest_a, rest_b = weight[a] - moved, weight[b] - moved
            a = heap_meld(key, lazy, left, right, rank, left[a], right[a])
            b = heap_meld(key, lazy, left, right, rank, left[b], right[b])
            for node in (top_a, top_b):
                left[node], right[node], rank[node], lazy[node], weight[node] = -1, -1, 1, 0.0, moved
            key[top_a], key[top_b] = -kb, -ka
            a = heap_meld(key, lazy, left, right, rank, a, top_a)
            b = heap_meld(key, lazy, left, right, rank, b, top_b)
            if (rest_a > 0.0 or rest_b > 0.0) and used == key.size:
                grown = 2 * used
                key, weight, lazy = extended(key, grown), extended(weight, grown), extended(lazy, grown)
                left, right, rank = extended_int(left, grown), extended_int(right, grown), extended_int(rank, grown)
            if rest_a > 0.0:
                key[used], weight[used], rank[used] = ka, rest_a, 1
                a = heap_meld(key, lazy, left, right, rank, a, used)
                used += 1
            elif rest_b > 0.0:
                key[used], weight[used], rank[used] = kb, rest_b, 1
                b = heap_meld(key, lazy, left, right, rank, b, used)
                used += 1
        if a >= 0:
            low[k] = -key[a]
        if b >= 0:
            high[k] = key[b]
        p = parent[k]
        if p >= 0:
            if a >= 0:
                key[a] += bound[k]
                lazy[a] += bound[k]
            if b >= 0:
                key[b] += bound[k]
                lazy[b] += bound[k]
            fall[p] = heap_meld(key, lazy, left, right, rank, fall[p], a)
            rise[p] = heap_meld(key, lazy, left, right, rank, rise[p], b)
    z = np.zeros(n)
    for k in range(n):
        p = parent[k]
        if p < 0:
            z[k] = min(max(ground[k], low[k]), high[k])
        else:
            least, most = z[p] - bound[k], z[p] + bound[k]
            z[k] = min(max(min(max(z[p], low[k]), high[k]), least), most)
    return z


@njit(cache=True, nogil=True)
def extended(values: FloatArray, size: int) -> FloatArray:
    """Longer copy, padded with zeros."""
    out = np.zeros(size)
    out[: values.size] = values
    return out


@njit(cache=True, nogil=True)
def extended_int(values: IntArray, size: int) -> IntArray:
    """Longer copy, padded with -1 (no child)."""
    out = np.full(size, -1, np.int64)
    out[: values.size] = values
    return out


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
    """Range of road heights at the end of a chord.

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
