"""Kernels of cable routing: legal straight trenches, and shortest paths along them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._clearance_kernels import ClearanceArrays, NodataArrays, segment_legal
from pacifico.layout.routing._search_kernels import heap_pop, heap_up

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def clear_segments(a: FloatArray, b: FloatArray, clearance: ClearanceArrays, nodata: NodataArrays) -> FlagArray:
    """1 for each segment from a[k] to b[k] that keeps clear of edges and nodata."""
    out = np.zeros(a.shape[0], np.uint8)
    for k in range(a.shape[0]):
        if segment_legal(clearance, nodata, a[k, 0], a[k, 1], b[k, 0], b[k, 1]):
            out[k] = 1
    return out


@njit(cache=True, nogil=True)
def shortest(row: IntArray, col: IntArray, cost: FloatArray, seeds: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Shortest paths from seeds to the nodes of a graph (CSR).

    Of each node: the distance from its nearest seed, the node before, and that seed. The node before and the seed are -1 where no path leads. Ties go to the lower node, so that results are the same on
    every machine.
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
