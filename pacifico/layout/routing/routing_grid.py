"""Where a road can go: plan geometry only.

A road's centreline keeps half its width plus a clearance from every edge of the allowed ground and of every obstacle.
That distance is tested exactly, segment by segment, so a strip is legal by construction: the search, the pulled lines
and the rounded bends all pass the same test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.ground import _clearance_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.grid import Ground


# 16 neighbours: king's and knight's moves. Length is overestimated by at most 2.8 % before pulling.
MOVES = np.array(
    [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1),
     (1, 2), (2, 1), (-1, 2), (-2, 1), (1, -2), (2, -1), (-1, -2), (-2, -1)],
    dtype=np.int64,
)  # fmt: skip
SMOOTHED_OVER_M = 10.0
"""The search sees ground averaged over this half width: what earthwork of a few metres levels out."""
BUMPS = 0.3
"""Share of a bump's height that a road cuts or fills."""


@dataclass(frozen=True)
class ClearanceIndex:
    """Edges to keep from, sorted into bins: rings of the allowed ground and of obstacles."""

    edges: FloatArray
    frame: FloatArray
    start: IntArray
    items: IntArray
    radius: float
    """Distance that a centreline keeps [m]."""

    def clear(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether the segment from a to b keeps the distance."""
        return bool(
            _clearance_kernels.segment_clear(
                self.edges, self.frame, self.start, self.items, a[0], a[1], b[0], b[1], self.radius
            )
        )


@dataclass(frozen=True)
class NodataMask:
    """Ground without elevation, widened by half a road: no centreline crosses it."""

    flags: FlagArray
    frame: FloatArray
    any: bool

    def crossed(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether the segment from a to b passes it."""
        return self.any and bool(_clearance_kernels.sees_blind(self.flags, self.frame, a[0], a[1], b[0], b[1]))


@dataclass(frozen=True)
class RoutingGrid:
    """Road positions, one a cell, with what a move between them costs."""

    x0: float
    """Easting of the centre of the first (south-west) cell [m]."""
    y0: float
    cell: float
    nx: int
    ny: int
    px: FloatArray
    py: FloatArray
    clear: FloatArray
    """Clearance of each position [m]; 0 where the cell holds none."""
    z: FloatArray
    """Smoothed ground at cell centres, shape (ny, nx), rows going north [m]."""
    cost_factor: FloatArray
    """Cost multiplier of each cell, shape (ny, nx)."""
    clearance_index: ClearanceIndex
    nodata_mask: NodataMask

    known_steps: dict[float, tuple[FloatArray, FlagArray]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )
    """What moves cost, by grade limit, as far as searches found out; a copy with another fence finds out anew."""

    def steps(self, max_grade: float) -> tuple[FloatArray, FlagArray]:
        """Cost of each move from each position, and whether it is free: see `_search_kernels.grow`."""
        if max_grade not in self.known_steps:
            size = (self.px.size, len(MOVES))
            self.known_steps[max_grade] = (np.zeros(size), np.zeros(size, np.uint8))
        return self.known_steps[max_grade]

    @cached_property
    def heights(self) -> FloatArray:
        """Smoothed ground at the road positions [m]."""
        c = np.clip((self.px - self.x0) / self.cell, 0, self.nx - 1)
        r = np.clip((self.py - self.y0) / self.cell, 0, self.ny - 1)
        i = np.minimum(c.astype(np.int64), self.nx - 2)
        j = np.minimum(r.astype(np.int64), self.ny - 2)
        fx, fy, z = c - i, r - j, self.z
        at_nodes: FloatArray = (z[j, i] * (1 - fx) + z[j, i + 1] * fx) * (1 - fy) + (
            z[j + 1, i] * (1 - fx) + z[j + 1, i + 1] * fx
        ) * fy
        return at_nodes


@dataclass(frozen=True)
class Shapes:
    """Outer rings of polygons, one after the other."""

    coords: FloatArray
    start: IntArray

    @classmethod
    def of(cls, polygons: Sequence[Polygon]) -> Shapes:
        """Rings of polygons in their order."""
        rings = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in polygons]
        start = np.cumsum([0, *(len(r) for r in rings)]).astype(np.int64)
        return cls(np.concatenate(rings) if rings else np.zeros((0, 2)), start)

    def ring(self, k: int) -> FloatArray:
        """Coordinates of one."""
        return self.coords[self.start[k] : self.start[k + 1]]


def cell_size(area_m2: float) -> float:
    """Routing cell for a site of this area [m]: 3 m on small sites, 12 m on the largest, whatever the DEM's cell."""
    side = float(np.sqrt(area_m2))
    return float(np.clip(2.6 + 1.0e-3 * side + 4e-4 * max(side - 2500.0, 0.0), 3.0, 12.0))


def parts_of(geometry: BaseGeometry) -> list[Polygon]:
    """Polygons of a geometry, in their order; anything else is dropped."""
    return [p for p in shapely.get_parts(geometry) if isinstance(p, Polygon) and not p.is_empty]


def make_routing_grid(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    obstacles: Sequence[Polygon],
    tolls: Sequence[tuple[BaseGeometry, float]],
    *,
    half_width_m: float,
    clearance_m: float,
    cell: float,
    earth_price: float = 0.0,
) -> RoutingGrid:
    """Road positions on the allowed ground, at least half a width and the clearance from every edge."""
    radius = half_width_m + clearance_m
    parts = parts_of(allowed)
    rings = [[shapely.get_coordinates(r) for r in shapely.get_rings(p)] for p in parts]
    flat = [r for part in rings for r in part]
    blocks = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in obstacles]
    edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in [*flat, *blocks]])
    west, south, east, north = allowed.bounds
    k = 3 if cell <= 7.5 else 5
    step = cell / k
    nx, ny = int((east - west) / cell) + 2, int((north - south) / cell) + 2
    cap = max(9.0, radius + 0.75 * cell + 0.1)
    size = max(cell * 1.5, 12.0)
    frame = np.array(
        [west - size, south - size, size, np.ceil((nx * cell) / size) + 3, np.ceil((ny * cell) / size) + 3]
    )
    start, items = _clearance_kernels.bin_edges(edges, frame, cap)
    clearance_index = ClearanceIndex(edges, frame, start, items, radius)

    free = np.zeros((ny * k, nx * k), np.uint8)
    xs, ys = west + step / 2, south + step / 2
    ring_start = np.cumsum([0, *(len(r) for r in flat)]).astype(np.int64)
    part_start = np.cumsum([0, *(len(p) for p in rings)]).astype(np.int64)
    _clearance_kernels.fill_rings(free, np.concatenate(flat), ring_start, part_start, xs, ys, step, 1)
    if blocks:
        block_start = np.cumsum([0, *(len(r) for r in blocks)]).astype(np.int64)
        each = np.arange(len(blocks) + 1, dtype=np.int64)
        _clearance_kernels.fill_rings(free, np.concatenate(blocks), block_start, each, xs, ys, step, 0)
    px, py, clear = _clearance_kernels.place_nodes(free, k, step, xs, ys, edges, frame, start, items, radius, cap)

    x0, y0 = west + cell / 2, south + cell / 2
    cx, cy = np.meshgrid(x0 + np.arange(nx) * cell, y0 + np.arange(ny) * cell)
    z = _smoothed(ground.at(cx, cy), max(round(SMOOTHED_OVER_M / cell), 1))
    nodata_mask = _blind(ground, half_width_m)
    clear = _off_blind(px, py, clear, nodata_mask)
    cost_factor = np.ones((ny, nx))
    for geometry, price in tolls:
        for polygon in parts_of(geometry):
            marked = np.zeros((ny, nx), np.uint8)
            own = [shapely.get_coordinates(r) for r in shapely.get_rings(polygon)]
            own_start = np.cumsum([0, *(len(r) for r in own)]).astype(np.int64)
            whole = np.array([0, len(own)], np.int64)
            _clearance_kernels.fill_rings(marked, np.concatenate(own), own_start, whole, x0, y0, cell, 1)
            cost_factor[marked == 1] = np.maximum(cost_factor[marked == 1], price)
    if earth_price:
        cost_factor *= 1.0 + earth_price * _moved(z, ground.at(cx, cy), cell, 2 * half_width_m)
    return RoutingGrid(x0, y0, cell, nx, ny, px, py, clear, z, cost_factor, clearance_index, nodata_mask)


def _moved(smooth: FloatArray, z: FloatArray, cell: float, width_m: float) -> FloatArray:
    """Cut and fill of a metre of road on each cell, about [m³/m]: a level bench across the slope, and bumps."""
    north, east = np.gradient(smooth, cell)
    bumps = np.nan_to_num(np.abs(z - smooth))
    moved: FloatArray = np.hypot(north, east) * width_m**2 / 4 + BUMPS * bumps * width_m
    return moved


def _smoothed(z: FloatArray, reach: int) -> FloatArray:
    """Box mean over 2 reach + 1 cells either way; NaN does not count, and is filled where its surroundings know more."""
    known = np.isfinite(z)
    if not known.any():
        return np.zeros_like(z)

    def box(a: FloatArray) -> FloatArray:
        for axis in (0, 1):
            pad = [(reach + 1, reach) if i == axis else (0, 0) for i in (0, 1)]
            total = np.cumsum(np.pad(a, pad), axis=axis)
            n = a.shape[axis]
            width = 2 * reach + 1
            a = np.take(total, np.arange(width, width + n), axis) - np.take(total, np.arange(n), axis)
        return a

    base = float(np.nanmean(z))
    count = box(known.astype(np.float64))
    total = box(np.where(known, z - base, 0.0))
    return base + np.where(count > 0.5, total / np.maximum(count, 1.0), 0.0)


def _blind(ground: Ground, half_width_m: float) -> NodataMask:
    """Squares between cell centres that touch nodata, widened so that a strip beside them is known to the source."""
    g = ground.grid
    frame = np.array([g.x0 - g.dx / 2, g.y0 + g.dy / 2, g.dx, g.dy])
    if ground.complete:
        return NodataMask(np.zeros((1, 1), np.uint8), frame, any=False)
    corner = np.pad(~np.isfinite(ground.z), 1, mode="edge")
    quad = corner[:-1, :-1] | corner[1:, :-1] | corner[:-1, 1:] | corner[1:, 1:]  # (ny + 1, nx + 1), half a cell out
    for axis, size in ((0, g.dy), (1, g.dx)):
        reach = int(np.ceil((half_width_m + 0.5 + ground.unsure_m) / size))
        wide = quad.copy()
        for d in range(1, reach + 1):
            ahead = np.zeros_like(quad)
            behind = np.zeros_like(quad)
            if axis == 0:
                ahead[d:], behind[:-d] = quad[:-d], quad[d:]
            else:
                ahead[:, d:], behind[:, :-d] = quad[:, :-d], quad[:, d:]
            wide |= ahead | behind
        quad = wide
    return NodataMask(quad.astype(np.uint8), frame, any=True)


def _off_blind(px: FloatArray, py: FloatArray, clear: FloatArray, nodata_mask: NodataMask) -> FloatArray:
    """Clearances with 0 at positions on ground without elevation."""
    column = np.floor((px - nodata_mask.frame[0]) / nodata_mask.frame[2]).astype(np.int64)
    row = np.floor((nodata_mask.frame[1] - py) / nodata_mask.frame[3]).astype(np.int64)
    ny, nx = nodata_mask.flags.shape
    seen = nodata_mask.flags[np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)] == 1
    return np.where(seen, 0.0, clear)
