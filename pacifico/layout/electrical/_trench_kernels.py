"""Kernels of cable routing: which straight trenches are legal, and shortest ways through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.ground._clearance_kernels import sees_blind, segment_clear
from pacifico.layout.routing._search_kernels import heap_pop, heap_up

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def clear_segments(
    a: FloatArray,
    b: FloatArray,
    edges: FloatArray,
    frame: FloatArray,
    start: IntArray,
    items: IntArray,
    radius: float,
    nodata_mask: FlagArray,
    blind_frame: FloatArray,
    any_blind: np.bool_,
) -> FlagArray:
    """1 for each segment from a[k] to b[k] that keeps `radius` from every edge and off flagged cells."""
    out = np.zeros(a.shape[0], np.uint8)
    for k in range(a.shape[0]):
        if not segment_clear(edges, frame, start, items, a[k, 0], a[k, 1], b[k, 0], b[k, 1], radius):
            continue
        if any_blind and sees_blind(nodata_mask, blind_frame, a[k, 0], a[k, 1], b[k, 0], b[k, 1]):
            continue
        out[k] = 1
    return out


@njit(cache=True, nogil=True)
def shortest(row: IntArray, col: IntArray, cost: FloatArray, seeds: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Distance from the nearest seed, the node before and that seed, of each node of a graph in CSR; -1: not reached.

    Ties go to the lower node, so that the ways are the same everywhere.
    """
    n = row.size - 1
    far = np.full(n, np.inf)
    before = np.full(n, -1, np.int64)
    root = np.full(n, -1, np.int64)
    heap = np.empty(n, np.int64)
    place = np.full(n, -1, np.int64)
    size = 0
    for s in seeds:
        if root[s] < 0:
            far[s], root[s] = 0.0, s
            heap[size], place[s] = s, size
            size += 1
            heap_up(heap, place, far, size - 1)
    while size > 0:
        u = heap_pop(heap, place, far, size)
        size -= 1
        for k in range(row[u], row[u + 1]):
            v = col[k]
            d = far[u] + cost[k]
            if d < far[v]:
                far[v], before[v], root[v] = d, u, root[u]
                if place[v] < 0:
                    heap[size], place[v] = v, size
                    size += 1
                heap_up(heap, place, far, place[v])
    return far, before, root
