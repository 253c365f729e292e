"""Kernels of connected positions: parts of the grid, chains of a tree, and its crossings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit
from pacifico.layout.ground._clearance_kernels import ClearanceArrays, segment_clear, segments_sq

if TYPE_CHECKING:
    from pacifico.array_types import FlagArray, IntArray
    from pacifico.layout.routing._search_kernels import PositionArrays


@njit(cache=True, nogil=True)
def components(positions: PositionArrays, moves: IntArray, clearance: ClearanceArrays) -> IntArray:
    """Label of the connected part of each position; -1 where no road fits.

    Grades don't count.
    """
    px, py, clear, nx = positions.x, positions.y, positions.clear, positions.nx
    radius = clearance.radius
    nodes = px.size
    ny = nodes // nx
    part = np.full(nodes, -1, np.int64)
    stack = np.zeros(nodes, np.int64)
    count = 0
    for s in range(nodes):
        if clear[s] <= 0.0 or part[s] >= 0:
            continue
        part[s], stack[0], size = count, s, 1
        while size > 0:
            size -= 1
            u = stack[size]
            for m in range(moves.shape[0]):
                j, i = u // nx + moves[m, 0], u % nx + moves[m, 1]
                if i < 0 or j < 0 or i >= nx or j >= ny:
                    continue
                v = j * nx + i
                if clear[v] <= 0.0 or part[v] >= 0:
                    continue
                length = np.hypot(px[v] - px[u], py[v] - py[u])
                if clear[u] + clear[v] - length >= 2.0 * radius or segment_clear(clearance, px[u], py[u], px[v], py[v]):
                    part[v] = count
                    stack[size] = v
                    size += 1
        count += 1
    return part


@njit(cache=True, nogil=True)
def tree_chains(parent: IntArray, root: int, servers: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Chains of the tree from `root` to `servers`: their nodes, where each starts, and its parent.

    Upstream chains come first, then the one whose first node has the lowest number.
    """
    used = np.zeros(parent.size, np.uint8)
    used[root] = 1
    count = 1
    for s in servers:
        n = s
        while used[n] == 0:
            used[n] = 1
            count += 1
            n = parent[n]
    first, after = np.full(parent.size, -1, np.int64), np.full(parent.size, -1, np.int64)
    for n in range(parent.size - 1, -1, -1):
        if used[n] and n != root:
            after[n], first[parent[n]] = first[parent[n]], n
    nodes, start, parents = np.zeros(2 * count, np.int64), np.zeros(count + 1, np.int64), np.zeros(count, np.int64)
    todo, todo_parent = np.zeros(count, np.int64), np.zeros(count, np.int64)
    waiting, chains, size = 0, 0, 0
    n, up = root, -1
    while True:
        # chains that start here, the first on top of the stack
        low = waiting
        c = first[n]
        while c >= 0:
            todo[waiting], todo_parent[waiting] = c, up
            waiting += 1
            c = after[c]
        todo[low:waiting] = todo[low:waiting][::-1].copy()
        if waiting == 0:
            break
        waiting -= 1
        n, parents[chains] = todo[waiting], todo_parent[waiting]
        start[chains] = size
        nodes[size], nodes[size + 1] = parent[n], n
        size += 2
        while first[n] >= 0 and after[first[n]] < 0:
            n = first[n]
            nodes[size] = n
            size += 1
        up = chains
        chains += 1
    start[chains] = size
    return nodes[:size].copy(), start[: chains + 1].copy(), parents[:chains].copy()


@njit(cache=True, nogil=True)
def is_ancestor(parent: IntArray, v: int, top: int) -> bool:
    """Whether `top` is `v` or an ancestor of it."""
    while v >= 0:
        if v == top:
            return True
        v = parent[v]
    return False


@njit(cache=True, nogil=True)
def uncross(positions: PositionArrays, parent: IntArray, member: FlagArray, clearance: ClearanceArrays) -> int:
    """Make crossing moves of a tree meet at a node, in place.

    The number of crossings that remain is returned.
    """
    px, py, nx = positions.x, positions.y, positions.nx
    nodes = px.size
    ny = nodes // nx
    left = 0
    for _ in range(8):
        found, left = 0, 0
        for v in range(nodes):
            if member[v] == 0 or parent[v] < 0:
                continue
            vj, vi = v // nx, v % nx
            columns = min(vi + 4, nx) - max(vi - 3, 0)
            for c in range((min(vj + 4, ny) - max(vj - 3, 0)) * columns):
                w = (max(vj - 3, 0) + c // columns) * nx + max(vi - 3, 0) + c % columns
                if w == v or member[w] == 0 or parent[w] < 0:
                    continue
                u, p = parent[v], parent[w]
                if u in (w, p) or p == v:
                    continue
                if segments_sq(px[u], py[u], px[v], py[v], px[p], py[p], px[w], py[w]) > 1e-6:
                    continue
                # one move starts at an end of the other instead, unless that end is downstream of it
                done = False
                for q in (p, w):
                    if not is_ancestor(parent, q, v) and segment_clear(clearance, px[q], py[q], px[v], py[v]):
                        parent[v] = q
                        done = True
                        break
                if not done:
                    for q in (u, v):
                        if not is_ancestor(parent, q, w) and segment_clear(clearance, px[q], py[q], px[w], py[w]):
                            parent[w] = q
                            done = True
                            break
                if done:
                    found += 1
                else:
                    left += 1
        if found == 0:
            break
    return left
