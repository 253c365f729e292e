"""Obstacles that may be shortened to make room for roads.

Solar arrays lose whole units at their western or eastern end; blocks of a yard are removed altogether.

::

     ================                    ============
     [  ][  ][  ][  ]  end of lane       [  ][  ]  |     one unit less, and a long vehicle can turn
     ---------------+         ->         ----------+--+
     [  ][  ][  ][  ]                    [  ][  ][  ][  ]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import box

from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing.routing_grid import bin_cap_m

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.model.roads import Terminal
    from pacifico.layout.routing.routing_grid import RoutingGrid


FAR_AWAY = 1e9
"""Coordinate to which the edges of removed obstacles are moved [m]."""


@dataclass(frozen=True)
class ObstacleTable:
    """Obstacles that may be shortened, one in each row, at full length."""

    terminal: IntArray
    """Terminal whose obstacle it is."""
    first_edge: IntArray
    """Row of the first of its four edges in the clearance index."""
    rect: FloatArray
    """West, south, east, north [m]."""
    unit_m: FloatArray
    """Length of a unit with its gap [m]; 0 for what is removed as one."""
    units: IntArray
    """Number of units."""
    least: IntArray
    """Fewest units that may be left of each."""
    reach_m: FloatArray
    """Largest distance from a road [m]."""
    road_grid: RoutingGrid
    """Routing grid with all obstacles at full length."""

    @classmethod
    def of(cls, terminals: Sequence[Terminal], obstacles: Sequence[Polygon], road_grid: RoutingGrid) -> ObstacleTable:
        """Terminals that are obstacles themselves and have units to remove.

        Parameters
        ----------
        terminals : sequence of Terminal
            All terminals of the problem.
        obstacles : sequence of Polygon
            Obstacles of the routing grid; a terminal's pad or footprint is found among them by identity.
        road_grid : RoutingGrid
            Grid made with these obstacles.
        """
        edges = len(road_grid.clearance_index.edges)
        sides = [len(shapely.get_coordinates(shapely.get_exterior_ring(o))) - 1 for o in obstacles]
        first = edges - sum(sides) + np.cumsum([0, *sides])
        row = {id(o): int(first[k]) for k, o in enumerate(obstacles) if sides[k] == 4}
        ground = [one.footprint if one.pad is None else one.pad for one in terminals]
        own = [t for t, one in enumerate(terminals) if one.units > 0 and id(ground[t]) in row]
        some = [terminals[t] for t in own]
        return cls(
            np.array(own, dtype=np.int64),
            np.array([row[id(ground[t])] for t in own], dtype=np.int64),
            np.array([ground[t].bounds for t in own]).reshape(-1, 4),
            np.array([t.unit_m for t in some], dtype=np.float64),
            np.array([t.units for t in some], dtype=np.int64),
            np.array([t.least_units for t in some], dtype=np.int64),
            np.array([t.reach_m for t in some], dtype=np.float64),
            road_grid,
        )

    @cached_property
    def bins(self) -> tuple[IntArray, IntArray]:
        """Bins of the clearance index that hold for any shortening.

        Western and eastern edges are in all bins near the obstacle, wherever they may move to.
        """
        f = self.road_grid.clearance_index
        cap = bin_cap_m(f.radius, self.road_grid.cell)
        start, items = _clearance_kernels.bin_edges(f.edges, f.frame, cap)
        west, south, east, north = self.rect.T
        middle = (south + north) / 2
        half = float((north - south).max(initial=0.0)) / 2
        across_start, which = _clearance_kernels.bin_edges(
            np.column_stack([west, middle, east, middle]), f.frame, cap + half
        )
        bins, across = (np.repeat(np.arange(len(s) - 1), np.diff(s)) for s in (start, across_start))
        rows = self.first_edge[which]
        all_bins = np.concatenate([bins, across, across])
        order = np.argsort(all_bins, kind="stable")
        counts = np.bincount(all_bins, minlength=len(start) - 1)
        return np.concatenate([[0], np.cumsum(counts)]), np.concatenate([items, rows, rows + 2])[order]

    def road_grid_with(self, rects: FloatArray) -> RoutingGrid:
        """Routing grid with other rectangles for the obstacles.

        Obstacles whose rectangle is NaN are left out.
        """
        f = self.road_grid.clearance_index
        edges = f.edges.copy()
        rects = np.nan_to_num(rects, nan=FAR_AWAY)
        some = np.flatnonzero((rects != self.rect).any(axis=1))
        west, south, east, north = rects[some].T
        sides = (
            (east, south, east, north),
            (east, north, west, north),
            (west, north, west, south),
            (west, south, east, south),
        )
        for side, ends in enumerate(sides):
            edges[self.first_edge[some] + side] = np.column_stack(ends)
        start, items = self.bins
        return replace(self.road_grid, clearance_index=replace(f, edges=edges, start=start, items=items))


@dataclass(frozen=True)
class ShortenableObstacles:
    """Obstacles that may be shortened, with the units removed so far."""

    table: ObstacleTable
    removed: IntArray
    """Units removed in the west and in the east, shape (n, 2)."""

    @classmethod
    def of(
        cls, terminals: Sequence[Terminal], obstacles: Sequence[Polygon], road_grid: RoutingGrid
    ) -> ShortenableObstacles:
        """Shortenable obstacles of a routing grid, all at full length."""
        table = ObstacleTable.of(terminals, obstacles, road_grid)
        return cls(table, np.zeros((len(table.terminal), 2), np.int64))

    @property
    def removed_units(self) -> int:
        """Units removed in all."""
        return int(self.removed.sum())

    @cached_property
    def units_left(self) -> IntArray:
        """Units that are left of each; none where too few are left to stand."""
        left = self.table.units - self.removed.sum(axis=1)
        return np.where(left >= self.table.least, left, 0)

    @property
    def removed_terminals(self) -> set[int]:
        """Terminals that have lost all their units."""
        return set(self.table.terminal[self.units_left <= 0].tolist())

    @cached_property
    def _changed(self) -> tuple[FloatArray, np.uint64]:
        """Full rectangles of what has been shortened, and a hash of how."""
        some = self.removed.any(axis=1)
        digest = hashlib.blake2b(self.removed[some].tobytes() + np.flatnonzero(some).tobytes(), digest_size=8).digest()
        return self.table.rect[some], np.frombuffer(digest, np.uint64)[0]

    def changed(self, near_m: float) -> tuple[FloatArray, np.uint64]:
        """Rectangles around what has been shortened, and a hash of how.

        Results found farther than `near_m` from all of it hold for any shortening.
        """
        rects, version = self._changed
        return rects + near_m * np.array([-1.0, -1.0, 1.0, 1.0]), version

    def rects(self) -> FloatArray:
        """Rectangles as they are now, shape (n, 4) [m].

        They are NaN where all units are removed.
        """
        out = self.table.rect.copy()
        out[:, 0] += self.removed[:, 0] * self.table.unit_m
        out[:, 2] -= self.removed[:, 1] * self.table.unit_m
        out[self.units_left <= 0] = np.nan
        return out

    def shorten(self, k: int, west: int, east: int) -> ShortenableObstacles:
        """Obstacles with units removed from one of them."""
        removed = self.removed.copy()
        removed[k] += (west, east)
        return replace(self, removed=removed)

    def removed_by_terminal(self) -> dict[int, tuple[int, int]]:
        """Units removed in the west and east of shortened terminals."""
        some = np.flatnonzero(self.removed.any(axis=1))
        return {int(self.table.terminal[k]): (int(self.removed[k, 0]), int(self.removed[k, 1])) for k in some}

    def road_grid(self) -> RoutingGrid:
        """Routing grid with obstacles as long as they are now."""
        return self.table.road_grid_with(self.rects())

    def road_grid_without(self) -> RoutingGrid:
        """Routing grid without any of these obstacles."""
        return self.table.road_grid_with(np.full_like(self.table.rect, np.nan))

    def shortened_for(self, lines: BaseGeometry, distance_m: float, roads: BaseGeometry) -> ShortenableObstacles:
        """Obstacles with the fewest units removed that keep a distance from lines.

        All units go where the rest would be out of reach of the roads.

        Parameters
        ----------
        lines : geometry
            Lines to keep clear of.
        distance_m : float
            Distance from them [m].
        roads : geometry
            Roads within whose reach an obstacle must stay.
        """
        rects = self.rects()
        bounds = np.asarray(lines.bounds) + np.array([-distance_m, -distance_m, distance_m, distance_m])
        near = (rects[:, 0] < bounds[2]) & (rects[:, 2] > bounds[0])
        near &= (rects[:, 1] < bounds[3]) & (rects[:, 3] > bounds[1])
        out = self
        for k in np.flatnonzero(near).tolist():
            out = out.shortened_at(k, lines, distance_m, roads)
        return out

    def shortened_at(self, k: int, lines: BaseGeometry, distance_m: float, roads: BaseGeometry) -> ShortenableObstacles:
        """One obstacle with the fewest units removed that keeps a distance from lines.

        Parameters
        ----------
        k : int
            Row of the obstacle.
        lines, distance_m, roads
            As for `shortened_for`.
        """
        if lines.distance(box(*self.rects()[k])) >= distance_m:
            return self
        return self.shorten(k, *self._fewest_units(k, lines, distance_m, roads))

    def _fewest_units(self, k: int, lines: BaseGeometry, distance_m: float, roads: BaseGeometry) -> tuple[int, int]:
        """Fewest units to remove at one end, else all units.

        Parameters
        ----------
        k : int
            Row of the obstacle.
        lines, distance_m, roads
            As for `shortened_for`.
        """
        west, south, east, north = self.rects()[k]
        unit_m, left = self.table.unit_m[k], int(self.units_left[k])
        for n in range(1, left - int(self.table.least[k]) + 1):
            for a, b in ((0, n), (n, 0)):
                rest = box(west + a * unit_m, south, east - b * unit_m, north)
                if lines.distance(rest) >= distance_m and roads.distance(rest) <= self.table.reach_m[k]:
                    return a, b
        return 0, left
