"""Lanes over barriers, at the price of a crossing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.ground.crossings import NO_LINES, OVERLAP_M, CrossingLines
from pacifico.layout.routing.routing_grid import bin_cap_m, parts_of

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.routing.routing_grid import RoutingGrid

LEAD_CELLS = 2.0
"""Length before and after a lane on which road positions lie on its line [cells]."""


@dataclass(frozen=True)
class Lanes:
    """Lanes over barriers, and their prices."""

    lines: CrossingLines
    half_width_m: float
    cost_factor: FloatArray
    """Cost of a metre of road on each lane, relative to open ground."""

    def added_to(self, allowed: Polygon | MultiPolygon) -> Polygon | MultiPolygon:
        """Allowed ground with the lanes."""
        if not len(self.lines.start):
            return allowed
        whole = shapely.union_all([allowed, *self.lines.strips(self.half_width_m, OVERLAP_M)])
        parts = parts_of(whole)
        return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)

    @property
    def closed(self) -> BaseGeometry | None:
        """Area of the lanes between both banks."""
        if not len(self.lines.start):
            return None
        area = shapely.union_all(self.lines.strips(self.half_width_m, 0.0))
        shapely.prepare(area)
        return area


NO_LANES = Lanes(NO_LINES, 0.0, np.zeros(0))


def with_lanes(road_grid: RoutingGrid, lanes: Lanes) -> RoutingGrid:
    """Routing grid with road positions along lanes.

    A lane is too narrow for the usual positions of cells. Neighbouring positions on a line are joined by moves.
    """
    if not len(lanes.lines.start):
        return road_grid
    places = [_places(road_grid, lanes, k) for k in range(len(lanes.lines.start))]
    node, xy, factor = (np.concatenate([p[k] for p in places]) for k in range(3))
    clear = _clearance(road_grid, xy)
    usable = clear >= road_grid.clearance_index.radius
    usable &= (road_grid.clear[node] > 0) | (factor > 0)
    node, xy, clear, factor = node[usable], xy[usable], clear[usable], factor[usable]
    px, py, all_clear = road_grid.px.copy(), road_grid.py.copy(), road_grid.clear.copy()
    px[node], py[node], all_clear[node] = xy[:, 0], xy[:, 1], clear
    cost_factor = road_grid.cost_factor.copy()
    across = factor > 0
    np.maximum.at(cost_factor.ravel(), node[across], factor[across])
    return replace(road_grid, px=px, py=py, clear=all_clear, cost_factor=cost_factor)


def _places(road_grid: RoutingGrid, lanes: Lanes, k: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Cells on a lane's line, with places and cost factors."""
    lines, cell = lanes.lines, road_grid.cell
    length = float(lines.length_m[k])
    lead = LEAD_CELLS * cell
    along = np.arange(-lead, length + lead, cell / 4)
    xy = lines.start[k] + along[:, None] * lines.direction[k]
    column = np.floor((xy[:, 0] - road_grid.x0) / cell + 0.5).astype(np.int64)
    row = np.floor((xy[:, 1] - road_grid.y0) / cell + 0.5).astype(np.int64)
    inside = (column >= 0) & (row >= 0) & (column < road_grid.nx) & (row < road_grid.ny)
    centre = np.column_stack([road_grid.x0 + column * cell, road_grid.y0 + row * cell])
    off = np.hypot(*(xy - centre).T)
    node = row * road_grid.nx + column
    order = np.lexsort((off, node))
    order = order[inside[order]]
    first = order[np.unique(node[order], return_index=True)[1]]
    crossed = (along[first] > 0) & (along[first] < length)
    return node[first], xy[first], np.where(crossed, lanes.cost_factor[k], 0.0)


def _clearance(road_grid: RoutingGrid, xy: FloatArray) -> FloatArray:
    """Distance of places from the nearest edge [m]."""
    index, mask = road_grid.clearance_index, road_grid.nodata_mask
    arrays = index.arrays._replace(radius=bin_cap_m(index.radius, road_grid.cell))
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    clear: FloatArray = _clearance_kernels.clearances(x, y, np.ones(len(x)), arrays)
    known: BoolArray = np.array([not mask.crossed(p, p) for p in xy], dtype=bool)
    return np.where(known, clear, 0.0)
