"""Kernel of the least-cost grade line on a tree, by dynamic programming over piecewise-linear costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


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
