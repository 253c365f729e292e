"""Runs of joined rows: shift them to make room, and cut them into arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.placement._packing_kernels import blocked_intervals
from pacifico.layout.placement.rows._column_kernels import ColumnShape, cut_run
from pacifico.layout.placement.strip_packing import edges_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.asset_types import SolarUnit
    from pacifico.layout.ground.buildable import Sieve

ROUNDING_M = 1e-6
"""Lengths that differ by less count as equal [m]."""
INSIDE_M = 0.1
"""Distance from the western edge of a run of a point that is certainly in it [m]."""


@dataclass(frozen=True)
class RowKinds:
    """Units whose rows share columns."""

    units: tuple[SolarUnit, ...]
    gap_m: float
    """Gap between row ends [m]."""

    @classmethod
    def of(cls, units: Sequence[SolarUnit], gap_m: float) -> RowKinds:
        """Those of some units that have the columns of the first one; the gap between row ends [m]."""
        first = units[0]
        same = [u for u in units if (u.pitch_x_m, u.gap_x_m) == (first.pitch_x_m, first.gap_x_m)]
        return cls(tuple(same), gap_m)

    @property
    def pitch_m(self) -> float:
        """Distance from one column to the next [m]."""
        return self.units[0].pitch_x_m

    @property
    def width_m(self) -> float:
        """Width of a unit [m]."""
        return self.units[0].pitch_x_m - self.units[0].gap_x_m

    def shape(self, west: float, step_m: float) -> ColumnShape:
        """Columns from a western edge, with places at a step [m]."""
        heights = np.array([u.height_m for u in self.units])
        return ColumnShape(
            west,
            self.pitch_m,
            self.width_m,
            heights,
            np.ceil((heights + self.gap_m) / step_m - ROUNDING_M).astype(np.int64),
            np.array([u.ac_kw for u in self.units]),
            np.array([u.least_units for u in self.units]),
            np.array([u.most_units for u in self.units]),
        )


@dataclass(frozen=True)
class RowRuns:
    """Runs of joined rows, or arrays, one per row of each array."""

    rects: FloatArray
    """West, south, east, north, shape (n, 4) [m]."""
    rows: IntArray
    """Units that join."""
    kind: IntArray
    """Index of the unit."""

    @classmethod
    def join(cls, parts: Sequence[RowRuns]) -> RowRuns:
        """Runs of several parts."""
        none = np.zeros(0, np.int64)
        return cls(
            np.concatenate([np.empty((0, 4)), *(p.rects for p in parts)]),
            np.concatenate([none, *(p.rows for p in parts)]),
            np.concatenate([none, *(p.kind for p in parts)]),
        )

    def take(self, which: IntArray) -> RowRuns:
        """Some of the runs, in the order of their indices."""
        return RowRuns(self.rects[which], self.rows[which], self.kind[which])

    def kw(self, kinds: RowKinds) -> FloatArray:
        """AC capacity of each [kW]."""
        return np.asarray(self.rows * np.array([u.ac_kw for u in kinds.units])[self.kind], dtype=np.float64)


def shift_runs(runs: RowRuns, kinds: RowKinds, free: Polygon, near: BaseGeometry, sieve: Sieve) -> RowRuns:
    """Runs moved to the west as far as they can, and longer where that makes room.

    A run stays where the move takes it to steep ground or away from roads.

    Parameters
    ----------
    runs : RowRuns
        Runs that keep their distance.
    kinds : RowKinds
        Units of the runs.
    free : Polygon
        Ground of the runs.
    near : geometry
        Ground within reach of roads, prepared.
    sieve : Sieve
        Slope test of arrays.
    """
    runs = runs.take(np.argsort(runs.rects[:, 0], kind="stable"))
    rects, rows, edges = runs.rects.copy(), runs.rows.copy(), edges_of(free)
    bounds = free.bounds
    gap_x = kinds.pitch_m - kinds.width_m
    for i, kind in enumerate(runs.kind.tolist()):
        x, south, _, north = rects[i].tolist()
        blocked = blocked_intervals(edges, south, north, bounds[0], bounds[2])
        k = int(np.searchsorted(blocked[:, 0], x + INSIDE_M)) - 1
        beside = (rects[:, 1] < north + kinds.gap_m - ROUNDING_M) & (rects[:, 3] > south - kinds.gap_m + ROUNDING_M)
        beside[i] = False
        # those farther west have moved already
        limits = np.where(np.arange(rows.size) < i, rects[:, 2], -np.inf)[beside]
        west = max(float(blocked[k, 1]), float(limits.max(initial=-np.inf)) + gap_x)
        starts = np.where(np.arange(rows.size) > i, rects[:, 0], np.inf)[beside]
        east = min(float(blocked[k + 1, 0]), float(starts.min(initial=np.inf)) - gap_x)
        size = int((east - west + gap_x) / kinds.pitch_m + ROUNDING_M)
        if west > x + ROUNDING_M or size < rows[i]:
            continue
        moved = np.array([west, south, west + (size - 1) * kinds.pitch_m + kinds.width_m, north])
        served = _served(moved, size, kind, kinds, near) >= _served(rects[i], int(rows[i]), kind, kinds, near)
        if served and sieve.by_ground(np.vstack([_units_of(moved, size, kinds), moved])).all():
            rects[i], rows[i] = moved, size
    return RowRuns(rects, rows, runs.kind)


def cut_runs(runs: RowRuns, kinds: RowKinds, near: BaseGeometry) -> RowRuns:
    """Arrays of the rows of runs, each within reach of a road.

    Parameters
    ----------
    runs : RowRuns
        Runs of joined rows.
    kinds : RowKinds
        Units of the runs.
    near : geometry
        Ground within reach of roads, prepared.
    """
    parts = []
    for rect, size, kind in zip(runs.rects, runs.rows.tolist(), runs.kind.tolist(), strict=True):
        first, rows = _cut(rect, size, kind, kinds, near)
        west = rect[0] + first * kinds.pitch_m
        rects = np.tile(rect, (rows.size, 1))
        rects[:, 0], rects[:, 2] = west, west + (rows - 1) * kinds.pitch_m + kinds.width_m
        parts.append(RowRuns(rects, rows, np.full(rows.size, kind)))
    return RowRuns.join(parts)


def _cut(rect: FloatArray, size: int, kind: int, kinds: RowKinds, near: BaseGeometry) -> tuple[IntArray, IntArray]:
    """First rows and sizes of the arrays of a run.

    Parameters
    ----------
    rect : (4,) float
        Rectangle of the run [m].
    size : int
        Units in it.
    kind : int
        Index of the unit.
    kinds : RowKinds
        Units.
    near : geometry
        Ground within reach of roads, prepared.
    """
    reached = shapely.intersects(near, shapely.box(*_units_of(rect, size, kinds).T)).astype(np.int64)
    unit = kinds.units[kind]
    return cut_run(reached, unit.least_units, unit.most_units)


def _served(rect: FloatArray, size: int, kind: int, kinds: RowKinds, near: BaseGeometry) -> int:
    """Units of a run in arrays that roads reach.

    Parameters
    ----------
    rect, size, kind, kinds, near
        As for `_cut`.
    """
    return int(_cut(rect, size, kind, kinds, near)[1].sum())


def _units_of(rect: FloatArray, size: int, kinds: RowKinds) -> FloatArray:
    """Rectangles of the units of a run, shape (size, 4) [m]."""
    units = np.tile(rect, (size, 1))
    units[:, 0] += np.arange(size) * kinds.pitch_m
    units[:, 2] = units[:, 0] + kinds.width_m
    return units
