"""Room that assets give up where a bend or a turnaround has none: whole units from an array's western or eastern end.

::

     ================                    ============
     [  ][  ][  ][  ]  lane's end        [  ][  ]  |     one unit less, and a long vehicle turns
     ---------------+         ->         ----------+--+
     [  ][  ][  ][  ]                    [  ][  ][  ][  ]
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import box

from pacifico.layout.ground import _clearance_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.model.roads import Terminal
    from pacifico.layout.routing.routing_grid import ClearanceIndex, RoutingGrid


NOWHERE = 1e9
"""Coordinate of the sides of what is given up altogether [m]."""
BINNED_M = 9.0
"""Edges are looked for this far from a place, as where a lattice is made."""


@dataclass(frozen=True)
class ShortenableObstacles:
    """Obstacles that may be shortened, one a row, and by how many units they are so far."""

    who: IntArray
    """Terminal of each."""
    edge: IntArray
    """Row of the first of its four edges in the fence."""
    rect: FloatArray
    """West, south, east, north before anything is given up [m]."""
    unit: FloatArray
    """Length of a unit with its gap [m]."""
    units: IntArray
    reach: FloatArray
    """How far a road may be from it [m]."""
    cut: IntArray
    """Units given up in the west and in the east, shape (n, 2)."""
    base: RoutingGrid
    """As it is before anything is given up."""
    bins: dict[str, tuple[IntArray, IntArray]] = field(default_factory=dict)
    """Of the fence, once they are asked for: they hold for whatever is given up."""

    @classmethod
    def of(
        cls, terminals: Sequence[Terminal], obstacles: Sequence[Polygon], road_grid: RoutingGrid
    ) -> ShortenableObstacles:
        """Those of the terminals that are obstacles themselves and have units to give up."""
        edges = len(road_grid.clearance_index.edges)
        size = [len(shapely.get_coordinates(shapely.get_exterior_ring(o))) - 1 for o in obstacles]
        first = edges - sum(size) + np.cumsum([0, *size])
        row = {id(o): int(first[k]) for k, o in enumerate(obstacles) if size[k] == 4}
        taken = [one.footprint if one.pad is None else one.pad for one in terminals]
        own = [t for t, one in enumerate(terminals) if one.units > 0 and id(taken[t]) in row]
        some = [terminals[t] for t in own]
        return cls(
            np.array(own, dtype=np.int64),
            np.array([row[id(taken[t])] for t in own], dtype=np.int64),
            np.array([taken[t].bounds for t in own]).reshape(-1, 4),
            np.array([t.unit_m for t in some], dtype=np.float64),
            np.array([t.units for t in some], dtype=np.int64),
            np.array([t.reach_m for t in some], dtype=np.float64),
            np.zeros((len(own), 2), np.int64),
            road_grid,
        )

    @property
    def count(self) -> int:
        """Units given up in all."""
        return int(self.cut.sum())

    @cached_property
    def left(self) -> IntArray:
        """Units that still stand."""
        return np.asarray(self.units - self.cut.sum(axis=1))

    @cached_property
    def _changed(self) -> tuple[FloatArray, np.uint64]:
        some = self.cut.any(axis=1)
        digest = hashlib.blake2b(self.cut[some].tobytes() + np.flatnonzero(some).tobytes(), digest_size=8).digest()
        return self.rect[some], np.frombuffer(digest, np.uint64)[0]

    def changed(self, near_m: float) -> tuple[FloatArray, np.uint64]:
        """Boxes about what gave up something, beyond which all is as it was, and a number for how it is within."""
        rects, version = self._changed
        return rects + near_m * np.array([-1.0, -1.0, 1.0, 1.0]), version

    @property
    def gone(self) -> set[int]:
        """Terminals that gave up all their units."""
        return set(self.who[self.left <= 0].tolist())

    def rects(self) -> FloatArray:
        """Rectangles as they are now; of what is given up altogether, NaN."""
        out = self.rect.copy()
        out[:, 0] += self.cut[:, 0] * self.unit
        out[:, 2] -= self.cut[:, 1] * self.unit
        out[self.left <= 0] = np.nan
        return out

    def shorter(self, k: int, west: int, east: int) -> ShortenableObstacles:
        """One of them with so many units less."""
        cut = self.cut.copy()
        cut[k] += (west, east)
        return replace(self, cut=cut)

    def given_up(self) -> dict[int, tuple[int, int]]:
        """Units given up in the west and in the east by terminal, where there are any."""
        some = np.flatnonzero(self.cut.any(axis=1))
        return {int(self.who[k]): (int(self.cut[k, 0]), int(self.cut[k, 1])) for k in some}

    def road_grid(self, *, without: bool = False) -> RoutingGrid:
        """Lattice whose fence leaves out what has been given up, or all that could be."""
        f = self.base.clearance_index
        edges = f.edges.copy()
        rects = np.full_like(self.rect, NOWHERE) if without else np.nan_to_num(self.rects(), nan=NOWHERE)
        some = np.flatnonzero((rects != self.rect).any(axis=1))
        west, south, east, north = rects[some].T
        for side, ends in enumerate(
            (
                (east, south, east, north),
                (east, north, west, north),
                (west, north, west, south),
                (west, south, east, south),
            )
        ):
            edges[self.edge[some] + side] = np.column_stack(ends)
        if "wide" not in self.bins:
            self.bins["wide"] = self._wide()
        start, items = self.bins["wide"]
        clearance_index: ClearanceIndex = replace(f, edges=edges, start=start, items=items)
        return replace(self.base, clearance_index=clearance_index)

    def _wide(self) -> tuple[IntArray, IntArray]:
        """Bins of the fence in which an obstacle's western and eastern sides lie wherever they may move to."""
        f = self.base.clearance_index
        cap = max(BINNED_M, f.radius + 0.75 * self.base.cell + 0.1)
        start, items = _clearance_kernels.bin_edges(f.edges, f.frame, cap)
        west, south, east, north = self.rect.T
        middle = (south + north) / 2
        half = float((north - south).max(initial=0.0)) / 2
        start_of, which = _clearance_kernels.bin_edges(
            np.column_stack([west, middle, east, middle]), f.frame, cap + half
        )
        bins, across = (np.repeat(np.arange(len(s) - 1), np.diff(s)) for s in (start, start_of))
        rows = self.edge[which]
        all_bins = np.concatenate([bins, across, across])
        order = np.argsort(all_bins, kind="stable")
        counts = np.bincount(all_bins, minlength=len(start) - 1)
        return np.concatenate([[0], np.cumsum(counts)]), np.concatenate([items, rows, rows + 2])[order]

    def clear_of(self, lines: BaseGeometry, far: float, roads: BaseGeometry) -> ShortenableObstacles:
        """Give up the fewest units that leave lines this distance; all, where what is left would lie beyond its reach."""
        rects = self.rects()
        bounds = np.asarray(lines.bounds) + np.array([-far, -far, far, far])
        near = (rects[:, 0] < bounds[2]) & (rects[:, 2] > bounds[0])
        near &= (rects[:, 1] < bounds[3]) & (rects[:, 3] > bounds[1])
        out = self
        for k in np.flatnonzero(near).tolist():
            if lines.distance(box(*rects[k])) >= far:
                continue
            out = out.shorter(k, *self._least(k, rects[k], lines, far, roads))
        return out

    def _least(self, k: int, rect: FloatArray, lines: BaseGeometry, far: float, roads: BaseGeometry) -> tuple[int, int]:
        """Fewest units of one, at one of its ends, of which what is left is still reached by a road; else all."""
        left = int(self.left[k])
        for n in range(1, left):
            for west, east in ((0, n), (n, 0)):
                rest = box(rect[0] + west * self.unit[k], rect[1], rect[2] - east * self.unit[k], rect[3])
                if lines.distance(rest) >= far and roads.distance(rest) <= self.reach[k]:
                    return west, east
        return 0, left
