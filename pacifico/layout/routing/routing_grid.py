"""Routing grid: positions where roads fit, and the cost between them.

A centreline keeps half the road's width plus a clearance from every edge of the allowed ground and of every obstacle.
The distance is tested exactly, segment by segment. The search, the pulled lines and the rounded bends all use the same
test, so every road strip is legal by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing._search_kernels import GridArrays, PositionArrays, RoutingArrays, StepArrays
from pacifico.layout.routing.cost_factors import cost_factors, earthwork_per_metre, ring_starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.grid import Ground


MOVES = np.array(
    [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1),
     (1, 2), (2, 1), (-1, 2), (-2, 1), (1, -2), (2, -1), (-1, -2), (-2, -1)],
    dtype=np.int64,
)  # fmt: skip
"""Moves (rows, columns) to 16 neighbours; path lengths are overestimated by 2.8 % at most, until lines are pulled."""
SMOOTHED_OVER_M = 10.0
"""Half width of the box over which ground is averaged for the search: earthwork levels out smaller bumps [m]."""
MIN_BIN_CAP_M = 9.0
"""Edges are binned at least this far around them [m]."""
MIN_BIN_M = 12.0
"""Smallest bin of the clearance index [m]."""
FINE_CELL_M = 7.5
"""Cells up to this size are searched for a position in 3 x 3 places, larger ones in 5 x 5 [m]."""


@dataclass(frozen=True)
class ClearanceIndex:
    """Edges of the allowed ground and of obstacles, sorted into square bins."""

    edges: FloatArray
    """Ends of each edge: x, y, x, y [m]."""
    frame: FloatArray
    """West and south of the bins [m], their size [m], columns and rows."""
    start: IntArray
    """Where the edges of each bin begin in `items`."""
    items: IntArray
    radius: float
    """Distance that a centreline keeps from every edge [m]."""

    @cached_property
    def arrays(self) -> _clearance_kernels.ClearanceArrays:
        """Arrays for the kernels."""
        return _clearance_kernels.ClearanceArrays(self.edges, self.frame, self.start, self.items, self.radius)

    def clear(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether the segment from a to b is clear of edges."""
        return bool(_clearance_kernels.segment_clear(self.arrays, a[0], a[1], b[0], b[1]))


@dataclass(frozen=True)
class NodataMask:
    """Ground without elevation, widened by half a road; no centreline crosses it."""

    flags: FlagArray
    """1 in cells without elevation, rows going south."""
    frame: FloatArray
    """West and north of the cells, and their size in x and y [m]."""
    any: bool
    """Whether any cell is flagged."""

    @cached_property
    def arrays(self) -> _clearance_kernels.NodataArrays:
        """Arrays for the kernels."""
        return _clearance_kernels.NodataArrays(self.flags, self.frame, self.any)

    def crossed(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether the segment from a to b crosses it."""
        return self.any and bool(_clearance_kernels.crosses_nodata(self.arrays, a[0], a[1], b[0], b[1]))


@dataclass(frozen=True)
class RoutingGrid:
    """Road positions, one in each cell, and their cost."""

    x0: float
    """Easting of the centre of the first (south-west) cell [m]."""
    y0: float
    """Northing of the centre of the first cell [m]."""
    cell: float
    """Size of a cell [m]."""
    nx: int
    ny: int
    px: FloatArray
    """Easting of each position [m]."""
    py: FloatArray
    """Northing of each position [m]."""
    clear: FloatArray
    """Clearance of each position [m]; 0 in cells without one."""
    z: FloatArray
    """Smoothed ground at cell centres, shape (ny, nx), rows going north [m]."""
    cost_factor: FloatArray
    """Cost multiplier of each cell, shape (ny, nx)."""
    clearance_index: ClearanceIndex
    nodata_mask: NodataMask

    step_memo: dict[float, StepArrays] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Costs of moves so far, by grade limit; a copy with other edges starts with none."""

    @cached_property
    def arrays(self) -> RoutingArrays:
        """Arrays for the kernels that test and price straight roads."""
        grid = GridArrays(self.z, self.cost_factor, self.x0, self.y0, self.cell)
        return RoutingArrays(self.clearance_index.arrays, self.nodata_mask.arrays, grid)

    @cached_property
    def positions(self) -> PositionArrays:
        """Arrays of the road positions for the kernels."""
        return PositionArrays(self.px, self.py, self.heights, self.clear, self.nx)

    def steps(self, max_grade: float) -> StepArrays:
        """Memo of the cost and legality of moves, filled by `_search_kernels.grow`."""
        if max_grade not in self.step_memo:
            shape = (self.px.size, len(MOVES))
            self.step_memo[max_grade] = StepArrays(np.zeros(shape), np.zeros(shape, np.uint8))
        return self.step_memo[max_grade]

    @cached_property
    def heights(self) -> FloatArray:
        """Smoothed ground at the road positions [m]."""
        c = np.clip((self.px - self.x0) / self.cell, 0, self.nx - 1)
        r = np.clip((self.py - self.y0) / self.cell, 0, self.ny - 1)
        i = np.minimum(c.astype(np.int64), self.nx - 2)
        j = np.minimum(r.astype(np.int64), self.ny - 2)
        fx, fy, z = c - i, r - j, self.z
        south = z[j, i] * (1 - fx) + z[j, i + 1] * fx
        north = z[j + 1, i] * (1 - fx) + z[j + 1, i + 1] * fx
        return np.asarray(south * (1 - fy) + north * fy)


@dataclass(frozen=True)
class Shapes:
    """Outer rings of polygons in one array."""

    coords: FloatArray
    """Coordinates of all rings, one ring after the other [m]."""
    start: IntArray
    """Where each ring begins."""

    @classmethod
    def of(cls, polygons: Sequence[Polygon]) -> Shapes:
        """Outer rings of polygons, in their order."""
        rings = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in polygons]
        start = np.cumsum([0, *(len(r) for r in rings)]).astype(np.int64)
        return cls(np.concatenate(rings) if rings else np.zeros((0, 2)), start)

    def within(self, reach_m: FloatArray) -> _clearance_kernels.ShapeArrays:
        """Arrays for the kernels, with the distance [m] within which roads must pass each shape."""
        return _clearance_kernels.ShapeArrays(self.coords, self.start, reach_m)

    def nearest(self, k: int, line: FloatArray) -> tuple[float, int, float]:
        """Distance from a line to one shape, its nearest vertex, and that vertex's distance [m]."""
        ends = self.start[k], self.start[k + 1]
        distance, vertex, vertex_distance = _clearance_kernels.nearest_on_line(self.coords, *ends, line)
        return float(distance), int(vertex), float(vertex_distance)

    def ring(self, k: int) -> FloatArray:
        """Coordinates of one ring."""
        return self.coords[self.start[k] : self.start[k + 1]]


def cell_size(area_m2: float) -> float:
    """Cell size that suits a site of this area [m].

    3 m on small sites, 12 m on the largest: search time stays in proportion. The DEM's cell size doesn't matter.
    """
    side = float(np.sqrt(area_m2))
    return float(np.clip(2.6 + 1.0e-3 * side + 4e-4 * max(side - 2500.0, 0.0), 3.0, 12.0))


def parts_of(geometry: BaseGeometry) -> list[Polygon]:
    """Polygons of a geometry, in their order; lines and points are dropped."""
    return [p for p in shapely.get_parts(geometry) if isinstance(p, Polygon) and not p.is_empty]


def make_routing_grid(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    obstacles: Sequence[Polygon],
    cost_zones: Sequence[tuple[BaseGeometry, float]],
    *,
    half_width_m: float,
    clearance_m: float,
    cell: float,
    earth_price: float = 0.0,
) -> RoutingGrid:
    """Routing grid over the allowed ground.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS.
    allowed : Polygon or MultiPolygon
        Ground on which roads may lie.
    obstacles : sequence of Polygon
        Footprints and pads that no road touches.
    cost_zones : sequence of (geometry, float)
        Ground that costs so many times as much to cross; below 1 for existing roads, whose earthwork exists.
    half_width_m : float
        Half the road's width [m].
    clearance_m : float
        Distance between a road strip and every edge [m].
    cell : float
        Size of a cell [m].
    earth_price : float
        Road length that is worth a cubic metre of cut and fill [m/m³].
    """
    rings = [[shapely.get_coordinates(r) for r in shapely.get_rings(p)] for p in parts_of(allowed)]
    blocks = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in obstacles]
    west, south, east, north = allowed.bounds
    nx, ny = int((east - west) / cell) + 2, int((north - south) / cell) + 2
    radius = half_width_m + clearance_m
    cap = bin_cap_m(radius, cell)
    size = max(cell * 1.5, MIN_BIN_M)
    columns, rows = np.ceil((nx * cell) / size) + 3, np.ceil((ny * cell) / size) + 3
    frame = np.array([west - size, south - size, size, columns, rows])
    edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in [*(r for part in rings for r in part), *blocks]])
    clearance_index = ClearanceIndex(edges, frame, *_clearance_kernels.bin_edges(edges, frame, cap), radius)
    # the place in each cell with the most clearance, among k x k places
    k = 3 if cell <= FINE_CELL_M else 5
    step = cell / k
    xs, ys = west + step / 2, south + step / 2
    free = _free_places((ny * k, nx * k), rings, blocks, (xs, ys, step))
    px, py, clear = _clearance_kernels.place_nodes(free, k, step, xs, ys, clearance_index.arrays, cap)
    nodata_mask = _nodata_mask(ground, half_width_m)
    clear = _without_nodata(px, py, clear, nodata_mask)
    x0, y0 = west + cell / 2, south + cell / 2
    cx, cy = np.meshgrid(x0 + np.arange(nx) * cell, y0 + np.arange(ny) * cell)
    z = _smoothed(ground.at(cx, cy), max(round(SMOOTHED_OVER_M / cell), 1))
    earth = None
    if earth_price:
        earth = 1.0 + earth_price * earthwork_per_metre(z, ground.at(cx, cy), cell, 2 * half_width_m)
    cost_factor = cost_factors((ny, nx), cost_zones, (x0, y0, cell), earth)
    return RoutingGrid(x0, y0, cell, nx, ny, px, py, clear, z, cost_factor, clearance_index, nodata_mask)


def bin_cap_m(radius_m: float, cell: float) -> float:
    """Distance up to which the clearance index finds edges [m].

    It exceeds the clearance of a road by the largest distance between a position and its cell's centre.
    """
    return max(MIN_BIN_CAP_M, radius_m + 0.75 * cell + 0.1)


def _free_places(
    shape: tuple[int, int],
    rings: Sequence[Sequence[FloatArray]],
    blocks: Sequence[FloatArray],
    places: tuple[float, float, float],
) -> FlagArray:
    """Places inside the allowed ground and outside all obstacles, flagged 1.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of places.
    rings : sequence of sequences of (k, 2) float
        Rings of each part of the allowed ground, holes included [m].
    blocks : sequence of (k, 2) float
        Outer ring of each obstacle [m].
    places : (float, float, float)
        Easting and northing of the first place, and the distance between places [m].
    """
    free = np.zeros(shape, np.uint8)
    flat = [r for part in rings for r in part]
    part_start = np.cumsum([0, *(len(p) for p in rings)]).astype(np.int64)
    _clearance_kernels.fill_rings(free, np.concatenate(flat), ring_starts(flat), part_start, *places, 1)
    if blocks:
        each = np.arange(len(blocks) + 1, dtype=np.int64)
        _clearance_kernels.fill_rings(free, np.concatenate(blocks), ring_starts(blocks), each, *places, 0)
    return free


def _smoothed(z: FloatArray, reach: int) -> FloatArray:
    """Mean over boxes of 2 `reach` + 1 cells.

    NaN doesn't count, and is filled where at least one cell of its box has a value.
    """
    finite = np.isfinite(z)
    if not finite.any():
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
    count = box(finite.astype(np.float64))
    total = box(np.where(finite, z - base, 0.0))
    return base + np.where(count > 0.5, total / np.maximum(count, 1.0), 0.0)


def _nodata_mask(ground: Ground, half_width_m: float) -> NodataMask:
    """Squares between cell centres that touch nodata, widened by half a road.

    The margin covers what the source doesn't resolve, so that heights under a whole strip are measured.
    """
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


def _without_nodata(px: FloatArray, py: FloatArray, clear: FloatArray, nodata_mask: NodataMask) -> FloatArray:
    """Clearances, set to 0 at positions on ground without elevation.

    Parameters
    ----------
    px, py : (m,) float
        Easting and northing of each position [m].
    clear : (m,) float
        Clearance of each position [m].
    nodata_mask : NodataMask
        Ground without elevation.
    """
    column = np.floor((px - nodata_mask.frame[0]) / nodata_mask.frame[2]).astype(np.int64)
    row = np.floor((nodata_mask.frame[1] - py) / nodata_mask.frame[3]).astype(np.int64)
    ny, nx = nodata_mask.flags.shape
    flagged = nodata_mask.flags[np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)] == 1
    return np.where(flagged, 0.0, clear)
