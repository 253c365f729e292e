"""Compiled earthwork of many pads and roads at once, and depths spread over cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.earthwork._batter_kernels import bilinear, edge_batter, pad_batter
from pacifico.layout.earthwork._plane_kernels import plane
from pacifico.layout.earthwork._tile_kernels import add_tile, mitred, polygon_area, prism, tile_polygon

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


PAD_COLUMNS = 12
"""cut, fill, batter cut, batter fill, deepest cut, highest fill, open edge, nodata share, elevation, grade east,
grade north, optimality gap."""

CORRIDOR_COLUMNS = 7
"""cut, fill, batter cut, batter fill, depth, nodata share, open edge."""


@njit(cache=True, nogil=True)
def grade_pads(
    z: FloatArray,
    grid: FloatArray,
    edges: FloatArray,
    following: IntArray,
    starts: IntArray,
    origins: FloatArray,
    steps: FloatArray,
    planes: FloatArray,
    rule: FloatArray,
    side: FloatArray,
) -> FloatArray:
    """Plane and volumes of many pads; where `planes` is NaN the balanced one is found. Rows as `PAD_COLUMNS`.

    `rule`: shrink, grade limit, rounds of the search. `side`: run per rise (0: no side slopes), step, reach [m].
    A pad with a sample on nodata gets its share of such samples and NaN elsewhere.
    """
    out = np.full((len(starts) - 1, PAD_COLUMNS), math.nan)
    local = grid.copy()
    for p in range(len(starts) - 1):
        ring = edges[starts[p] : starts[p + 1]]
        local[0], local[1] = grid[0] - origins[p, 0], grid[1] - origins[p, 1]
        px, py = tile_polygon(ring, steps[p])
        pz = np.empty_like(px)
        blind = 0
        for k in range(len(px)):
            for i in range(5):
                pz[k, i] = bilinear(z, local, px[k, i], py[k, i])
                blind += math.isnan(pz[k, i])
        out[p, 7] = blind / max(px.size, 1)
        if blind or len(px) == 0:
            continue
        gap = 0.0
        e, east, north = planes[p, 0], planes[p, 1], planes[p, 2]
        if math.isnan(e):
            e, east, north, gap = plane(px, py, pz, rule[0], rule[1], int(rule[2]))
        v = prism(px, py, pz, e, east, north)
        deepest = highest = 0.0
        for k in range(len(px)):
            for i in range(5):
                r = pz[k, i] - e - east * px[k, i] - north * py[k, i]
                deepest, highest = max(deepest, r), max(highest, -r)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = v[0], v[4], 0.0, 0.0
        out[p, 4], out[p, 5], out[p, 6] = deepest, highest, 0.0
        out[p, 8], out[p, 9], out[p, 10], out[p, 11] = e, east, north, gap
        if side[0] > 0:
            pad = np.array([e, east, north])
            b = pad_batter(z, local, ring, following[starts[p] : starts[p + 1]], pad, side)
            out[p, 2], out[p, 3], out[p, 6] = b[0], b[1], b[2]
    return out


@njit(cache=True, nogil=True)
def grade_corridors(
    z: FloatArray,
    grid: FloatArray,
    lines: FloatArray,
    starts: IntArray,
    origins: FloatArray,
    widths: FloatArray,
    steps: FloatArray,
    side: FloatArray,
) -> FloatArray:
    """Volumes of many corridors; rows as `CORRIDOR_COLUMNS`. Tiles with a sample on nodata are left out and counted."""
    out = np.zeros((len(starts) - 1, CORRIDOR_COLUMNS))
    local = grid.copy()
    r, x, y = np.empty(5), np.empty(5), np.empty(5)
    row = np.empty((2, 3, 4))  # corners at the near and the far end of the tiles in hand: x, y, design z, residual
    none = np.empty((0, 4))
    edge, heights = np.empty(4), np.empty(2)
    for p in range(len(starts) - 1):
        line = lines[starts[p] : starts[p + 1]]
        local[0], local[1] = grid[0] - origins[p, 0], grid[1] - origins[p, 1]
        half = 0.5 * widths[p]
        sums, batter = np.zeros(6), np.zeros(3)
        blind = whole = depth = 0.0
        for i in range(len(line) - 1):
            # the tiles of `tile_strip`, the corners that two share measured once
            a, b = line[i], line[i + 1]
            length = math.hypot(b[0] - a[0], b[1] - a[1])
            ux, uy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
            trim = mitred(line, i, half)
            along, across = math.ceil(length / steps[p]), max(math.ceil(2 * half / steps[p]), 2)
            if row.shape[1] < across + 1:
                row = np.empty((2, across + 1, 4))
            for j in range(along + 1):
                far = row[j % 2]
                for k in range(across + 1):
                    u, v = j / along, 2.0 * k / across - 1.0
                    s = (1 - u) * trim[0] * v + u * (length - trim[1] * v)
                    far[k, 0], far[k, 1] = a[0] + ux * s - uy * half * v, a[1] + uy * s + ux * half * v
                    far[k, 2] = a[2] + (b[2] - a[2]) * s / length
                    far[k, 3] = bilinear(z, local, far[k, 0], far[k, 1]) - far[k, 2]
                if j == 0:
                    continue
                near = row[1 - j % 2]
                for k in range(across):
                    x[0], x[1], x[2], x[3] = near[k, 0], far[k, 0], far[k + 1, 0], near[k + 1, 0]
                    y[0], y[1], y[2], y[3] = near[k, 1], far[k, 1], far[k + 1, 1], near[k + 1, 1]
                    r[0], r[1], r[2], r[3] = near[k, 3], far[k, 3], far[k + 1, 3], near[k + 1, 3]
                    x[4] = 0.25 * x[0] + 0.25 * x[1] + 0.25 * x[2] + 0.25 * x[3]
                    y[4] = 0.25 * y[0] + 0.25 * y[1] + 0.25 * y[2] + 0.25 * y[3]
                    design = 0.25 * near[k, 2] + 0.25 * far[k, 2] + 0.25 * far[k + 1, 2] + 0.25 * near[k + 1, 2]
                    r[4] = bilinear(z, local, x[4], y[4]) - design
                    area = polygon_area(x, y)
                    whole += area
                    if math.isnan(r[0] + r[1] + r[2] + r[3] + r[4]):
                        blind += area
                        continue
                    add_tile(sums, x, y, r)
                    for c in range(5):
                        depth = max(depth, abs(r[c]))
            if side[0] > 0:
                pieces = math.ceil(length / side[1])
                for hand in (-1.0, 1.0):
                    s0, s1 = trim[0] * hand, length - trim[1] * hand
                    if hand > 0:  # run back along the left edge, so that outside is on the right
                        s0, s1 = s1, s0
                    edge[0], edge[1] = a[0] + ux * s0 - uy * half * hand, a[1] + uy * s0 + ux * half * hand
                    edge[2], edge[3] = a[0] + ux * s1 - uy * half * hand, a[1] + uy * s1 + ux * half * hand
                    heights[0] = a[2] + (b[2] - a[2]) * s0 / length
                    heights[1] = a[2] + (b[2] - a[2]) * s1 / length
                    edge_batter(batter, z, local, edge, heights, pieces, side, none)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = sums[0], sums[4], batter[0], batter[1]
        out[p, 4], out[p, 5], out[p, 6] = depth, blind / max(whole, 1e-12), batter[2]
    return out


@njit(cache=True, nogil=True)
def spread(
    total: FloatArray, weight: FloatArray, grid: FloatArray, px: FloatArray, py: FloatArray, value: FloatArray
) -> None:
    """Add tile values (at tile centres), weighted by area, to the cells that hold them."""
    ny, nx = total.shape
    for k in range(len(px)):
        column = math.floor((px[k, 4] - grid[0]) / grid[2])
        row = math.floor((grid[1] - py[k, 4]) / grid[3])
        if 0 <= row < ny and 0 <= column < nx and not math.isnan(value[k]):
            w = polygon_area(px[k], py[k])
            total[row, column] += w * value[k]
            weight[row, column] += w
