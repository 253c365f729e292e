"""Compiled earthwork of many pads and roads at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit
from pacifico.layout.earthwork._batter_kernels import bilinear, edge_batter, pad_batter
from pacifico.layout.earthwork._kernel_types import CORRIDOR_COLUMNS, PAD_COLUMNS, GridFrame, Plane
from pacifico.layout.earthwork._plane_kernels import balanced_plane
from pacifico.layout.earthwork._tile_kernels import add_tile, mitred, polygon_area, prism, tile_polygon

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.earthwork._kernel_types import PadOutlines, PlaneSearch, RoadLines, SideSlope


@njit(cache=True, nogil=True)
def grade_pads(
    z: FloatArray,
    grid: GridFrame,
    outlines: PadOutlines,
    steps: FloatArray,
    planes: FloatArray,
    search: PlaneSearch,
    side: SideSlope,
) -> FloatArray:
    """Planes and volumes of many pads, one row (`PadRow`) for each.

    A pad with a sample on nodata has its share of such samples, and NaN elsewhere.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Heights [m].
    steps : ndarray, shape (n,)
        Longest tile edge of each pad [m].
    planes : ndarray, shape (n, 3)
        Elevation at the centroid [m] and grades [rise/run]; NaN: find the balanced plane.
    """
    starts, origins = outlines.starts, outlines.origins
    out = np.full((len(starts) - 1, PAD_COLUMNS), math.nan)
    for p in range(len(starts) - 1):
        ring = outlines.edges[starts[p] : starts[p + 1]]
        local = GridFrame(grid.west - origins[p, 0], grid.north - origins[p, 1], grid.dx, grid.dy)
        px, py = tile_polygon(ring, steps[p])
        pz = np.empty_like(px)
        unknown = 0
        for k in range(len(px)):
            for i in range(5):
                pz[k, i] = bilinear(z, local, px[k, i], py[k, i])
                unknown += math.isnan(pz[k, i])
        out[p, 7] = unknown / max(px.size, 1)
        if unknown or len(px) == 0:
            continue
        gap = 0.0
        e, east, north = planes[p, 0], planes[p, 1], planes[p, 2]
        if math.isnan(e):
            e, east, north, gap = balanced_plane(px, py, pz, search)
        v = prism(px, py, pz, e, east, north)
        deepest = highest = 0.0
        for k in range(len(px)):
            for i in range(5):
                r = pz[k, i] - e - east * px[k, i] - north * py[k, i]
                deepest, highest = max(deepest, r), max(highest, -r)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = v[0], v[4], 0.0, 0.0
        out[p, 4], out[p, 5], out[p, 6] = deepest, highest, 0.0
        out[p, 8], out[p, 9], out[p, 10], out[p, 11] = e, east, north, gap
        if side.run > 0:
            pad = Plane(e, east, north)
            b = pad_batter(z, local, ring, outlines.following[starts[p] : starts[p + 1]], pad, side)
            out[p, 2], out[p, 3], out[p, 6] = b[0], b[1], b[2]
    return out


@njit(cache=True, nogil=True)
def grade_corridors(
    z: FloatArray,
    grid: GridFrame,
    lines: RoadLines,
    widths: FloatArray,
    steps: FloatArray,
    side: SideSlope,
) -> FloatArray:
    """Volumes of many corridors, one row (`CorridorVolumes`) for each.

    Tiles with a sample on nodata are left out of the volumes; their share of the area is in the row.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Heights [m].
    widths, steps : ndarray, shape (n,)
        Carriageway width and longest tile edge of each road [m].
    """
    starts, origins = lines.starts, lines.origins
    out = np.zeros((len(starts) - 1, CORRIDOR_COLUMNS))
    r, x, y = np.empty(5), np.empty(5), np.empty(5)
    row = np.empty((2, 3, 4))  # corners at the near and far end of a row of tiles: x, y, design height, residual
    none = np.empty((0, 4))
    edge, heights = np.empty(4), np.empty(2)
    for p in range(len(starts) - 1):
        line = lines.xyz[starts[p] : starts[p + 1]]
        local = GridFrame(grid.west - origins[p, 0], grid.north - origins[p, 1], grid.dx, grid.dy)
        half = 0.5 * widths[p]
        sums, batter = np.zeros(6), np.zeros(3)
        unknown = whole = depth = 0.0
        for i in range(len(line) - 1):
            # the tiles of `tile_strip`; corners shared by two rows are measured once
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
                    if math.isnan(r.sum()):
                        unknown += area
                        continue
                    add_tile(sums, x, y, r)
                    for c in range(5):
                        depth = max(depth, abs(r[c]))
            if side.run > 0:
                pieces = math.ceil(length / side.step)
                for hand in (-1.0, 1.0):
                    s0, s1 = trim[0] * hand, length - trim[1] * hand
                    if hand > 0:  # back along the left edge, so that the slope is on the right
                        s0, s1 = s1, s0
                    edge[0], edge[1] = a[0] + ux * s0 - uy * half * hand, a[1] + uy * s0 + ux * half * hand
                    edge[2], edge[3] = a[0] + ux * s1 - uy * half * hand, a[1] + uy * s1 + ux * half * hand
                    heights[0] = a[2] + (b[2] - a[2]) * s0 / length
                    heights[1] = a[2] + (b[2] - a[2]) * s1 / length
                    edge_batter(batter, z, local, edge, heights, pieces, side, none)
        out[p, 0], out[p, 1], out[p, 2], out[p, 3] = sums[0], sums[4], batter[0], batter[1]
        out[p, 4], out[p, 5], out[p, 6] = depth, unknown / max(whole, 1e-12), batter[2]
    return out


@njit(cache=True, nogil=True)
def add_to_cells(
    total: FloatArray, weight: FloatArray, grid: GridFrame, px: FloatArray, py: FloatArray, value: FloatArray
) -> None:
    """Add tile values, weighted by area, to the cells under them.

    Parameters
    ----------
    total, weight : ndarray, shape (ny, nx)
        Sums of value x area and of area [m²]; changed in place.
    px, py : ndarray, shape (n, 5)
        Corners and centre of each tile [m].
    value : ndarray, shape (n,)
        Value of each tile; NaN is skipped.
    """
    ny, nx = total.shape
    for k in range(len(px)):
        column = math.floor((px[k, 4] - grid.west) / grid.dx)
        row = math.floor((grid.north - py[k, 4]) / grid.dy)
        if 0 <= row < ny and 0 <= column < nx and not math.isnan(value[k]):
            w = polygon_area(px[k], py[k])
            total[row, column] += w * value[k]
            weight[row, column] += w
