"""Strips of full, half and third rows together.

Aisles and cross aisles stay where full rows have them. They cut the site into cells, and each cell has strips at places
of its own, of the row lengths that hold the most capacity there: beside a diagonal edge or channel, short rows follow it
where full rows leave a wedge.

::

    ==============  aisle  ==============
    [full ][full ] |cross| [full ][full ]
    [half ][half ] |aisle| [full ][full ]
    [full ][full ] |     | [third]
    ==============  aisle  ==============
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.placement.rows._row_kernels import Reach, count_in_column, stack_rows
from pacifico.layout.placement.strip_packing import EDGE_CLEARANCE_M, StripCells, StripPacking, edges_of, slope_tables
from pacifico.layout.placement.strips import NORTH, SOUTH, Slots

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.placement.strips import StripPattern

_NONE = np.zeros(0, np.int64)
STEP_M = 1.0
"""Step between southern edges of strips [m]: a third of the gap between row ends."""
FAR_SHARE = 0.7
"""Worth of units that cross aisles serve, relative to those beside aisles: shorter arrays, some of which no road reaches. The
best of 0 to 1 on seven real sites."""
MAX_COUNTED = 2000
"""Most southern edges at which units are counted in a column: bounds the run time on sites of many kilometres."""


@dataclass(frozen=True)
class MixedPacking:
    """Strips of several units that don't overlap."""

    parts: tuple[StripPacking, ...]
    """Strips of each unit."""

    def slots(self, blocked: FloatArray) -> Slots:
        """Slots of the largest possible arrays of all units.

        Parameters
        ----------
        blocked : (n, 4) float
            Rectangles to keep clear of: west, south, east, north [m].
        """
        found = [p.slots(blocked) for p in self.parts]
        first = np.cumsum([0, *(len(p.y) for p in self.parts[:-1])])
        strips = [s.strip + n for s, n in zip(found, first.tolist(), strict=True)]
        return Slots(
            np.concatenate([s.rects for s in found]),
            np.concatenate([s.units for s in found]),
            np.concatenate(strips),
            np.concatenate([s.lane for s in found]),
            np.concatenate([s.side for s in found]),
            np.concatenate([s.depth for s in found]),
        )


@dataclass(frozen=True)
class _Strips:
    """Strips of one cell, one per row of each array."""

    y: FloatArray
    """Southern edges [m]."""
    kind: IntArray
    """Index of the unit."""
    lane: IntArray
    side: IntArray
    depth: IntArray
    by_cross_aisle: BoolArray
    """Whether the aisles are out of reach."""
    spans: FloatArray
    """Western and eastern end, shape (n, 2) [m]."""
    band: IntArray


@dataclass(frozen=True)
class _Cell:
    """Ground between two aisles and two cross aisles."""

    band: int
    """Number of aisles south of it."""
    y: tuple[float, float]
    """Southern and northern end [m]."""
    x: tuple[float, float]
    """Western and eastern end [m]."""


def pack_mixed(packing: StripPacking, patterns: Sequence[StripPattern], unit_kw: Sequence[float]) -> MixedPacking:
    """Strips of several units in the cells between the aisles of a packing.

    Parameters
    ----------
    packing : StripPacking
        Strips of the first unit, whose aisles and cross aisles stay.
    patterns : sequence of StripPattern
        Dimensions of strips of each unit. Arrays in strips farther from the centre of
        an aisle than their reach are reached from cross aisles.
    unit_kw : sequence of float
        Capacity of each unit [kW].
    """
    bands, worth = _bands(packing), np.asarray(unit_kw)[:, None]
    found = [s for column in _columns(packing) for s in _strips_of(packing, patterns, worth, column, bands)]
    parts = []
    for k, pattern in enumerate(patterns):
        own = [_take(s, np.flatnonzero(s.kind == k)) for s in found]
        parts.append(
            replace(
                packing,
                pattern=pattern,
                y=np.concatenate([np.zeros(0), *(s.y for s in own)]),
                lane=np.concatenate([_NONE, *(s.lane for s in own)]),
                side=np.concatenate([_NONE, *(s.side for s in own)]),
                depth=np.concatenate([_NONE, *(s.depth for s in own)]),
                band=np.concatenate([_NONE, *(s.band for s in own)]),
                cells=StripCells(
                    np.concatenate([np.empty((0, 2)), *(s.spans for s in own)]),
                    np.concatenate([_NONE > 0, *(s.by_cross_aisle for s in own)]),
                ),
                _memo={},
            )
        )
    return MixedPacking(tuple(parts))


def _take(strips: _Strips, which: IntArray) -> _Strips:
    """Some of the strips of a cell."""
    return _Strips(**{f.name: getattr(strips, f.name)[which] for f in fields(strips)})


def _bands(packing: StripPacking) -> list[tuple[float, float]]:
    """Southern and northern end of the ground between aisles [m]."""
    _, south, _, north = packing.sieve.placeable.bounds
    firsts = [float(packing.y[packing.band == b].min()) for b in np.unique(packing.band)]
    lows = [south + EDGE_CLEARANCE_M, *firsts[1:]]
    highs = [*(y - packing.pattern.aisle for y in firsts[1:]), north - EDGE_CLEARANCE_M]
    return list(zip(lows, highs, strict=True))


def _columns(packing: StripPacking) -> list[tuple[float, float]]:
    """Western and eastern end of the ground between cross aisles [m]."""
    west, _, east, _ = packing.sieve.placeable.bounds
    pattern, first = packing.pattern, packing.first
    start = first + np.floor((west - first) / pattern.period) * pattern.period
    ends = np.arange(start, east, pattern.period)
    columns = [(max(a + pattern.aisle, west), min(a + pattern.period, east)) for a in ends.tolist()]
    return [(a, b) for a, b in columns if b - a > pattern.width]


def _strips_of(
    packing: StripPacking,
    patterns: Sequence[StripPattern],
    worth: FloatArray,
    column: tuple[float, float],
    bands: Sequence[tuple[float, float]],
) -> Iterator[_Strips]:
    """Strips of one column, band by band.

    Parameters
    ----------
    packing, patterns
        As for `pack_mixed`.
    worth : (k, 1) float
        Capacity of each unit [kW].
    column : (float, float)
        Western and eastern end of the column [m].
    bands : sequence of (float, float)
        Southern and northern end of each band [m].
    """
    area = packing.sieve.placeable
    _, south, _, north = area.bounds
    part = shapely.intersection(area, shapely.box(column[0], south, column[1], north))
    part = shapely.multipolygons([p for p in shapely.get_parts(part) if p.geom_type == "Polygon" and not p.is_empty])
    if part.is_empty:
        return
    places = south + STEP_M * np.arange(int((north - south) / STEP_M) + 1)
    counted = np.array([_units_at(packing, part, pattern, column, places) for pattern in patterns])
    steps = np.array([int(np.ceil((p.height + p.pair_gap) / STEP_M - 1e-9)) for p in patterns])
    heights = np.array([p.height for p in patterns])
    _, edge_south, _, edge_north = part.bounds
    for band, (low, high) in enumerate(bands):
        own = np.flatnonzero((places >= low - 1e-9) & (places < high))
        if not own.size:
            continue
        # the strips begin right at the aisle, and there is a place for one right at the next
        y = places[own] + (low - places[own[0]])
        cell = _Cell(band, (max(low, edge_south), min(high, edge_north)), column)
        far = _is_far(y, heights[:, None], cell, patterns[0].reach - packing.pattern.aisle / 2)
        values = np.where(far, FAR_SHARE * counted[:, 1, own], counted[:, 0, own]) * worth
        at, kind = stack_rows(np.where(y + heights[:, None] <= high + 1e-6, values, 0.0), steps)
        yield _beside_aisles(y[at], kind, heights[kind], cell, far[kind, at])


def _units_at(
    packing: StripPacking,
    part: shapely.MultiPolygon,
    pattern: StripPattern,
    column: tuple[float, float],
    places: FloatArray,
) -> FloatArray:
    """Number of units of a strip over a column at each place, shape (2, n).

    The first row counts all units, the second those near cross aisles. They are counted at every second or third place on tall sites.

    Parameters
    ----------
    packing : StripPacking
        Ground.
    part : MultiPolygon
        Placeable ground of the column.
    pattern : StripPattern
        Dimensions.
    column : (float, float)
        Western and eastern end of the column [m].
    places : (n,) float
        Southern edges [m].
    """
    site_west, _, site_east, _ = packing.sieve.placeable.bounds
    west, _, east, _ = part.bounds
    reach = Reach(
        column[0] - pattern.aisle / 2 if column[0] - pattern.aisle > site_west else -np.inf,
        column[1] + pattern.aisle / 2 if column[1] + pattern.aisle < site_east else np.inf,
        pattern.reach,
        pattern.least_units,
        pattern.most_units,
    )
    ys = places[:: -(-places.size // MAX_COUNTED)]
    shape, bounds = pattern.shape(packing.margin_m), np.array([west, east])
    units = count_in_column(ys, edges_of(part), slope_tables(packing.sieve), shape, bounds, reach)
    return np.array([np.interp(places, ys, u) for u in units])


def _is_far(y: FloatArray, height: FloatArray, cell: _Cell, reach_m: float) -> BoolArray:
    """Whether strips are out of reach of the aisles, or of roads along the edge of the site.

    Parameters
    ----------
    y : (n,) float
        Southern edges [m].
    height : (k, 1) float
        Heights [m].
    cell : _Cell
        Ground.
    reach_m : float
        Largest distance from the edge of an aisle [m].
    """
    far: BoolArray = (y - cell.y[0] > reach_m) & (cell.y[1] - y - height > reach_m)
    return far


def _beside_aisles(y: FloatArray, kind: IntArray, height: FloatArray, cell: _Cell, far: BoolArray) -> _Strips:
    """Strips of a cell, each with the nearer aisle.

    Parameters
    ----------
    y : (n,) float
        Southern edges, ascending [m].
    kind : (n,) int
        Index of the unit.
    height : (n,) float
        Height of each [m].
    cell : _Cell
        Ground.
    far : (n,) bool
        Whether cross aisles serve the strip.
    """
    north, rank = cell.y[1] - y - height < y - cell.y[0], np.arange(y.size)
    return _Strips(
        y=y,
        kind=kind,
        lane=cell.band + north,
        side=np.where(north, NORTH, SOUTH),
        depth=np.where(north, y.size - 1 - rank, rank),
        by_cross_aisle=far,
        spans=np.tile(cell.x, (y.size, 1)),
        band=np.full(y.size, cell.band),
    )
