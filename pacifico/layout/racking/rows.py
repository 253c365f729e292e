r"""Rows of solar arrays: tracker tubes or fixed tables, and their piles.

::

      across ->                 azimuth: direction of `along`, clockwise from north [°]
      |  |  |  |   ^            pitch: distance between the centrelines of rows [m]
      |  |  |  |   | along      fixed tables: rows run across the slope of the tables, several tables to a row
      |  |  |  |   |            piles: evenly spaced from one end of a table to the other
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import TABLE_GAP_M

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Asset

MOUNTING_AZIMUTH_DEG = {"tracker": 0.0, "fixed": 90.0}
"""Direction of the rows of an unrotated array, clockwise from north [°]."""
SAME_AZIMUTH_DEG = 1e-6
"""Difference of azimuths that is rounding [°]."""


@dataclass(frozen=True)
class RowFrame:
    """Coordinates along and across rows [m]."""

    azimuth_deg: float
    """Direction of `along`, clockwise from north [°]."""

    @cached_property
    def _axes(self) -> tuple[float, float]:
        """East and north part of a metre along the rows."""
        angle = math.radians(self.azimuth_deg)
        east, north = math.sin(angle), math.cos(angle)
        # right angles are exact
        return (float(round(east)), float(round(north))) if self.azimuth_deg % 90.0 == 0.0 else (east, north)

    def to_rows(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Along and across, of easting and northing [m]."""
        east, north = self._axes
        return x * east + y * north, x * north - y * east

    def to_map(self, along: FloatArray, across: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Easting and northing, of along and across [m]."""
        east, north = self._axes
        return along * east + across * north, along * north - across * east


@dataclass(frozen=True)
class ArrayRows:
    """Rectangle of one array in the direction of its rows, with its rows."""

    array_id: str
    centre: tuple[float, float]
    """Easting and northing [m]."""
    azimuth_deg: float
    """Direction of the rows, clockwise from north, 0 to below 180 [°]."""
    along_m: float
    across_m: float
    rows: int
    """Rows side by side."""
    tables: int
    """Tables one behind the other in a row; 1 for trackers."""
    table_m: float
    """Length of a table [m]."""
    pitch_m: float
    collector_m: float
    """Width of a row [m]."""


@dataclass(frozen=True)
class Rows:
    """Rows of arrays with one azimuth, and their piles, in the order of arrays."""

    frame: RowFrame
    arrays: tuple[ArrayRows, ...]
    array_of: IntArray
    """Array of each row."""
    number: IntArray
    """Number of each row in its array, from 1; tables of a row follow each other."""
    start: FloatArray
    """Start of each row along [m]."""
    end: FloatArray
    across: FloatArray
    """Place of each row across [m]."""
    first_pile: IntArray
    """First pile of each row, and the number of all piles."""
    pile_along: FloatArray

    @cached_property
    def row_of(self) -> IntArray:
        """Row of each pile."""
        return np.repeat(np.arange(len(self.start)), np.diff(self.first_pile))

    @cached_property
    def pile_xy(self) -> tuple[FloatArray, FloatArray]:
        """Easting and northing of each pile [m]."""
        return self.frame.to_map(self.pile_along, self.across[self.row_of])

    def neighbours(self) -> tuple[IntArray, IntArray, BoolArray]:
        """Pairs of piles beside each other, and whether each pair lies along a row.

        Across rows, piles with the same number of neighbouring rows of an array make a pair.
        """
        k = np.arange(len(self.pile_along) - 1)
        k = k[self.row_of[k] == self.row_of[k + 1]]
        tables = np.array([a.tables for a in self.arrays])[self.array_of]
        row = np.arange(len(self.start))
        beside = row + tables
        beside = np.where(beside < len(row), beside, row)
        row = row[(beside > row) & (self.array_of[beside] == self.array_of)]
        count = np.diff(self.first_pile)[row]
        first = np.repeat(self.first_pile[row] - np.concatenate([[0], np.cumsum(count)[:-1]]), count)
        a = first + np.arange(count.sum())
        b = a + np.repeat(self.first_pile[row + tables[row]] - self.first_pile[row], count)
        along = np.repeat([True, False], [len(k), len(a)])
        return np.concatenate([k, a]), np.concatenate([k + 1, b]), along

    @cached_property
    def array_bounds(self) -> FloatArray:
        """Along and across of each array's lowest and highest corner, shape (n, 4) [m]."""
        s, n = self.frame.to_rows(*np.array([a.centre for a in self.arrays]).T)
        half = np.array([(a.along_m / 2, a.across_m / 2) for a in self.arrays]).T
        return np.stack([s - half[0], n - half[1], s + half[0], n + half[1]], axis=1)

    def ends_xy(self) -> FloatArray:
        """Easting and northing of both ends of each row, shape (n, 2, 2) [m]."""
        ends = [np.stack(self.frame.to_map(s, self.across), axis=-1) for s in (self.start, self.end)]
        return np.stack(ends, axis=1)


def array_rows(assets: Iterable[Asset], spec: Spec) -> list[ArrayRows]:
    """Rows of each solar array, from its rectangle and the spec's unit."""
    mounting = spec.choice("solar", "mounting")
    collector = spec.number("solar", f"{mounting}_collector_m")
    pitch = collector / spec.number("solar", f"{mounting}_gcr")
    dc_per_m = collector * spec.number("solar", "module_efficiency")
    found = []
    for a in assets:
        item = a.item
        if item.kind != "solar_array":
            continue
        west, south, east, north = item.rect
        # the rectangle of an array at 90° is drawn turned already, see `Item.rotation_deg`
        turned = (mounting == "fixed") != (item.rotation_deg == 90.0)
        along, across = (east - west, north - south) if turned else (north - south, east - west)
        rows = max(round((across - collector) / pitch) + 1, 1)
        # each table has a gap of one metre behind it, but the last: what the rows hold says how many there are
        tables = round(along + TABLE_GAP_M - item.capacity_dc_kw / (rows * dc_per_m)) if mounting == "fixed" else 1
        tables = max(tables, 1)
        table_m = (along + TABLE_GAP_M) / tables - TABLE_GAP_M
        azimuth = (MOUNTING_AZIMUTH_DEG[mounting] - item.rotation_deg) % 180.0
        found.append(
            ArrayRows(a.asset_id, item.centre, azimuth, along, across, rows, tables, table_m, pitch, collector)
        )
    return found


def rows_by_azimuth(arrays: Sequence[ArrayRows], criteria: RackingCriteria) -> list[Rows]:
    """Rows and piles of arrays, one entry for each azimuth in the order of the arrays."""
    groups: dict[int, list[ArrayRows]] = {}
    for a in arrays:
        groups.setdefault(round(a.azimuth_deg / SAME_AZIMUTH_DEG), []).append(a)
    return [make_rows(group, criteria) for group in groups.values()]


def make_rows(arrays: Sequence[ArrayRows], criteria: RackingCriteria) -> Rows:
    """Rows and piles of arrays with the same azimuth.

    Piles are spaced evenly and no farther apart than the criteria say.
    """
    frame = RowFrame(arrays[0].azimuth_deg)
    array_of, number, start, end, across = [], [], [], [], []
    places = np.stack(frame.to_rows(*np.array([a.centre for a in arrays]).T), axis=1).tolist()
    for i, (a, (s, n)) in enumerate(zip(arrays, places, strict=True)):
        first = n - ((a.rows - 1) * a.pitch_m) / 2
        for row in range(a.rows):
            for table in range(a.tables):
                array_of.append(i)
                number.append(row * a.tables + table + 1)
                start.append(s - a.along_m / 2 + table * (a.table_m + TABLE_GAP_M))
                end.append(start[-1] + a.table_m)
                across.append(first + row * a.pitch_m)
    piles = [pile_places(e - s, criteria) + s for s, e in zip(start, end, strict=True)]
    return Rows(
        frame,
        tuple(arrays),
        np.array(array_of, dtype=np.int64),
        np.array(number, dtype=np.int64),
        np.array(start),
        np.array(end),
        np.array(across),
        np.concatenate([[0], np.cumsum([len(p) for p in piles])]).astype(np.int64),
        np.concatenate(piles),
    )


def pile_places(length_m: float, criteria: RackingCriteria) -> FloatArray:
    """Distances of a row's piles from its start [m]."""
    overhang = min(criteria.end_overhang_m, length_m / 4)
    span = length_m - 2 * overhang
    return overhang + np.linspace(0.0, span, max(math.ceil(span / criteria.pile_spacing_m - 1e-9), 1) + 1)
