"""Kernels that hash everything that smoothing reads near a vertex."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.layout.alignment._turn_kernels import TreeArrays
    from pacifico.layout.ground._clearance_kernels import ShapeArrays


class TerminalArrays(NamedTuple):
    """Terminals that each line of a tree serves."""

    item: IntArray
    """Terminals of all lines, one line after the other."""
    start: IntArray
    """Where the terminals of each line begin."""


class ChangedEdges(NamedTuple):
    """Where obstacles were shortened, and how."""

    boxes: FloatArray
    """West, south, east, north of the places outside which all edges are as before, shape (n, 4) [m]."""
    version: np.uint64
    """Number of this state of the edges inside the boxes."""


@njit(cache=True, nogil=True)
def mixed(h: np.uint64, k: np.uint64) -> np.uint64:
    """Hash h with k mixed in."""
    h = (h ^ k) * np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True)
def line_hash(
    h: np.uint64, bits: NDArray[np.uint64], tree: TreeArrays, c: int,
    terminals: TerminalArrays, corners: NDArray[np.uint64], corner_start: IntArray,
) -> np.uint64:  # fmt: skip
    """Hash with a line's legs, radius and terminals mixed in.

    `bits` and `corners` are the bits of the coordinates of the tree and of the terminals' shapes.
    """
    h = mixed(h, np.uint64(tree.radii[c] * 1e3))
    for v in range(tree.line_start[c], tree.line_start[c + 1]):
        u = tree.parent[v]
        if u >= 0:
            h = mixed(mixed(h, bits[v, 0]), bits[v, 1])
            h = mixed(mixed(h, bits[u, 0]), bits[u, 1])
    for b in range(terminals.start[c], terminals.start[c + 1]):
        t = terminals.item[b]
        h = mixed(h, np.uint64(t))
        for k in range(corner_start[t], corner_start[t + 1]):
            h = mixed(mixed(h, corners[k, 0]), corners[k, 1])
    return mixed(h, np.uint64(0xFFFF))


@njit(cache=True, nogil=True)
def leg_meets(boxes: FloatArray, xy: FloatArray, u: int, v: int) -> bool:
    """Whether the bounds of a leg meet a box."""
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
def line_meets(boxes: FloatArray, xy: FloatArray) -> bool:
    """Whether the bounds of any leg meet a box."""
    for k in range(1, xy.shape[0] if boxes.shape[0] else 0):  # noqa: SIM110 (numba)
        if leg_meets(boxes, xy, k - 1, k):
            return True
    return False


@njit(cache=True, nogil=True)
def state_hash(
    tree: TreeArrays, v: int, frozen: FlagArray,
    terminals: TerminalArrays, shapes: ShapeArrays, changed: ChangedEdges, queue: IntArray,
) -> np.uint64:  # fmt: skip
    """Hash of everything that `best_change` reads near v; never 0.

    It covers four vertices up and their children, four levels down, and the lines at v. The version of changed edges
    counts where a leg meets one of their boxes. `queue` is a work array.
    """
    xy, parent, first_child, next_sibling = tree.xy, tree.parent, tree.first_child, tree.next_sibling
    line, radii = tree.line, tree.radii
    boxes = changed.boxes
    bits, corners = xy.view(np.uint64), shapes.coords.view(np.uint64)
    h = np.uint64(1)
    near_change = False
    a = v
    for k in range(4):
        if parent[a] < 0:
            break
        same = line[a] == line[parent[a]]
        near_change = near_change or leg_meets(boxes, xy, a, parent[a])
        a = parent[a]
        h = mixed(mixed(mixed(h, bits[a, 0]), bits[a, 1]), np.uint64(radii[line[a]] * 1e3))
        h = mixed(h, np.uint64(16 + 4 * int(parent[a] < 0) + 2 * int(frozen[a] != 0) + int(same)))
        if k < 3:
            w = first_child[a]
            while w >= 0:
                h = mixed(mixed(mixed(h, bits[w, 0]), bits[w, 1]), np.uint64(radii[line[w]] * 1e3))
                near_change = near_change or leg_meets(boxes, xy, a, w)
                w = next_sibling[w]
    h = mixed(h, np.uint64(2))
    queue[0] = v
    count, done = 1, 0
    for level in range(5):
        head = count
        while done < head:
            x = queue[done]
            done += 1
            h = mixed(mixed(mixed(h, bits[x, 0]), bits[x, 1]), np.uint64(radii[line[x]] * 1e3))
            same = line[x] == line[parent[x]]
            h = mixed(h, np.uint64(64 + 4 * level + 2 * int(frozen[x] != 0) + int(same)))
            w = first_child[x]
            while w >= 0 and count < queue.size:
                queue[count] = w
                count += 1
                near_change = near_change or leg_meets(boxes, xy, x, w)
                w = next_sibling[w]
                h = mixed(h, np.uint64(3))
    h = line_hash(h, bits, tree, line[v], terminals, corners, shapes.start)
    w = first_child[v]
    while w >= 0:
        if line[w] != line[v]:
            h = line_hash(h, bits, tree, line[w], terminals, corners, shapes.start)
        w = next_sibling[w]
    return (mixed(h, changed.version) if near_change else h) | np.uint64(1)
