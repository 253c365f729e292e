"""Compiled hashes of everything that smoothing reads near a vertex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def mixed(h: np.uint64, k: np.uint64) -> np.uint64:
    """Hash h with k mixed in."""
    h = (h ^ k) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True)
def strand_state(
    h: np.uint64, bits: NDArray[np.uint64], up: IntArray, own_start: IntArray, s: int, bound: IntArray, bound_start: IntArray,
    sizes: FloatArray, coords: NDArray[np.uint64], poly_start: IntArray,
) -> np.uint64:  # fmt: skip
    """Hash with the legs, radius and terminals of a strand mixed in."""
    h = mixed(h, np.uint64(sizes[s] * 1e3))
    for v in range(own_start[s], own_start[s + 1]):
        if up[v] >= 0:
            h = mixed(mixed(h, bits[v, 0]), bits[v, 1])
            h = mixed(mixed(h, bits[up[v], 0]), bits[up[v], 1])
    for b in range(bound_start[s], bound_start[s + 1]):
        h = mixed(h, np.uint64(bound[b]))
        for k in range(poly_start[bound[b]], poly_start[bound[b] + 1]):
            h = mixed(mixed(h, coords[k, 0]), coords[k, 1])
    return mixed(h, np.uint64(0xFFFF))


@njit(cache=True, nogil=True)
def leg_meets(boxes: FloatArray, xy: FloatArray, u: int, v: int) -> bool:
    """Whether the bounds of a leg meet one of some boxes (west, south, east, north)."""
    for k in range(boxes.shape[0]):
        if (
            min(xy[u, 0], xy[v, 0]) <= boxes[k, 2]
            and max(xy[u, 0], xy[v, 0]) >= boxes[k, 0]
            and min(xy[u, 1], xy[v, 1]) <= boxes[k, 3]
            and max(xy[u, 1], xy[v, 1]) >= boxes[k, 1]
        ):
            return True
    return False


@njit(cache=True, nogil=True)
def meets(boxes: FloatArray, xy: FloatArray) -> bool:
    """Whether the bounds of a leg of a line meet one of some boxes."""
    for k in range(1, xy.shape[0] if boxes.shape[0] else 0):  # noqa: SIM110 (numba)
        if leg_meets(boxes, xy, k - 1, k):
            return True
    return False


@njit(cache=True, nogil=True)
def state_at(
    xy: FloatArray, up: IntArray, first: IntArray, after: IntArray, strand: IntArray, frozen: FlagArray, v: int, own_start: IntArray,
    bound: IntArray, bound_start: IntArray, some: IntArray, sizes: FloatArray, coords: FloatArray, poly_start: IntArray, boxes: FloatArray,
    version: np.uint64,
) -> np.uint64:  # fmt: skip
    """Hash of everything that `change_at` reads near v.

    Four vertices up, their children, four down, and the strands at v; with `version` where a leg meets one of the
    `boxes`.
    """
    bits, corners = xy.view(np.uint64), coords.view(np.uint64)
    h = np.uint64(1)
    other = False
    a = v
    for k in range(4):
        if up[a] < 0:
            break
        same = strand[a] == strand[up[a]]
        other = other or leg_meets(boxes, xy, a, up[a])
        a = up[a]
        h = mixed(mixed(mixed(h, bits[a, 0]), bits[a, 1]), np.uint64(sizes[strand[a]] * 1e3))
        h = mixed(h, np.uint64(16 + 4 * int(up[a] < 0) + 2 * int(frozen[a] != 0) + int(same)))
        if k < 3:
            w = first[a]
            while w >= 0:
                h = mixed(mixed(mixed(h, bits[w, 0]), bits[w, 1]), np.uint64(sizes[strand[w]] * 1e3))
                other = other or leg_meets(boxes, xy, a, w)
                w = after[w]
    h = mixed(h, np.uint64(2))
    some[0] = v
    count, done = 1, 0
    for level in range(5):
        head = count
        while done < head:
            x = some[done]
            done += 1
            h = mixed(mixed(mixed(h, bits[x, 0]), bits[x, 1]), np.uint64(sizes[strand[x]] * 1e3))
            same = strand[x] == strand[up[x]]
            h = mixed(h, np.uint64(64 + 4 * level + 2 * int(frozen[x] != 0) + int(same)))
            w = first[x]
            while w >= 0 and count < some.size:
                some[count] = w
                count += 1
                other = other or leg_meets(boxes, xy, x, w)
                w = after[w]
                h = mixed(h, np.uint64(3))
    h = strand_state(h, bits, up, own_start, strand[v], bound, bound_start, sizes, corners, poly_start)
    w = first[v]
    while w >= 0:
        if strand[w] != strand[v]:
            h = strand_state(h, bits, up, own_start, strand[w], bound, bound_start, sizes, corners, poly_start)
        w = after[w]
    return (mixed(h, version) if other else h) | np.uint64(1)
