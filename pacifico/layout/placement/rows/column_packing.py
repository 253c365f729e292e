"""Pack rows in columns, in segments with strips of their own.

Roads stand already, so that strips need no aisles. Full, half and third rows share the columns. The ground is cut into
segments of some columns, and each segment has strips at places of its own: dynamic programming finds the segments and
strips that hold the most. Segments follow each other without a gap.

::

    | | | | |  | | | |
    | | | | |  | | | |  half rows beside a slanting edge
    | | | | |  | | | | | | |
    | | | | |          | | |
    segment    segment
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.placement.rows._column_kernels import (
    FITS,
    JOINS,
    ColumnShape,
    cut_segments,
    mark_places,
    strips_of_segment,
)
from pacifico.layout.placement.rows.row_runs import RowKinds, RowRuns, cut_runs, shift_runs
from pacifico.layout.placement.strip_packing import EDGE_CLEARANCE_M, edges_of, slope_tables

if TYPE_CHECKING:
    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.layout.ground.buildable import Sieve

STEP_M = 1.0
"""Step between southern edges of strips [m]: a third of the gap between row ends."""
STRIDE = 2
"""Ends of segments lie at every how many columns: half of the shortest array of full rows."""
LONGEST = 40
"""Most columns of a segment: two of the longest arrays. Strips of equal places join across segments."""
MAX_PLACES = 4000
"""Most places along a column: bounds the run time on sites of many kilometres."""
PHASE_STEPS = 1000.0
"""Steps to which the phases of standing arrays are rounded [1/m]."""
MOST_PHASES = 1
"""Phases of standing arrays that are compared, besides the edges of the ground."""
BEYOND_M = 5.0
"""How far ground out of reach of roads is looked at beyond the free ground [m]."""


def pack_columns(free: Polygon, near: BaseGeometry, sieve: Sieve, kinds: RowKinds, standing: FloatArray) -> RowRuns:
    """Arrays that hold the most on free ground beside roads.

    Parameters
    ----------
    free : Polygon
        Ground for arrays.
    near : geometry
        Ground within reach of roads, prepared: each array touches it.
    sieve : Sieve
        Slope test of arrays.
    kinds : RowKinds
        Units whose rows share columns.
    standing : (n, 4) float
        Arrays that stand on the ground now, whose lattice is tried too [m].
    """
    west, south, east, north = free.bounds
    ys = _places(south, north, kinds, standing)
    if not ys.size:
        return RowRuns.join([])
    around = shapely.box(west - BEYOND_M, south - BEYOND_M, east + BEYOND_M, north + BEYOND_M)
    edges = _turned(free), _turned(shapely.difference(around, near))
    tables, best, best_kw = slope_tables(sieve), RowRuns.join([]), 0.0
    for phase in _phases(standing, west, east, kinds):
        shape = kinds.shape(west + phase, STEP_M)
        columns = int((east - shape.west - shape.width) // shape.pitch) + 1
        if columns < 1:
            continue
        marks = mark_places(*edges, (ys, north + BEYOND_M), columns, tables, shape)
        ends, kw = cut_segments(marks, shape, STRIDE, LONGEST)
        if kw > best_kw:
            best, best_kw = _runs(marks, ends, ys, shape), kw
    return cut_runs(shift_runs(best, kinds, free, near, sieve), kinds, near)


def _turned(area: BaseGeometry) -> FloatArray:
    """Edges of an area with x and y exchanged, shape (n, 4) [m]."""
    edges = edges_of(area) if not area.is_empty else np.empty((0, 4))
    return np.ascontiguousarray(edges[:, [1, 0, 3, 2]])


def _places(south: float, north: float, kinds: RowKinds, standing: FloatArray) -> FloatArray:
    """Southern edges of strips that are compared [m].

    Parameters
    ----------
    south, north : float
        Bounds of the ground [m].
    kinds : RowKinds
        Length of rows.
    standing : (n, 4) float
        Arrays that stand on the ground now [m].
    """
    first = south + EDGE_CLEARANCE_M
    if len(standing):
        first += _most_common(standing[:, 1] - first, STEP_M)[0]
    step = STEP_M * max(np.ceil((north - south) / STEP_M / MAX_PLACES), 1.0)
    places: FloatArray = np.arange(first, north - min(u.height_m for u in kinds.units), step)
    return places


def _most_common(values: FloatArray, period: float) -> list[float]:
    """Remainders by a period, the most frequent first."""
    steps, counts = np.unique(np.round(values % period * PHASE_STEPS).astype(np.int64), return_counts=True)
    common: list[float] = (steps[np.lexsort((steps, -counts))] / PHASE_STEPS).tolist()
    return common


def _phases(standing: FloatArray, west: float, east: float, kinds: RowKinds) -> list[float]:
    """Distances of the first column from the western edge that are compared [m].

    Parameters
    ----------
    standing : (n, 4) float
        Arrays that stand on the ground now [m].
    west, east : float
        Bounds of the ground [m].
    kinds : RowKinds
        Pitch and width of rows.
    """
    out = [EDGE_CLEARANCE_M, (east - west - kinds.width_m - EDGE_CLEARANCE_M) % kinds.pitch_m]
    if len(standing):
        out += _most_common(standing[:, 0] - west, kinds.pitch_m)[:MOST_PHASES]
    return list(dict.fromkeys(round(v, 4) for v in out))


def _runs(marks: FlagArray, ends: IntArray, ys: FloatArray, shape: ColumnShape) -> RowRuns:
    """Runs of rows in the strips of segments.

    Parameters
    ----------
    marks : (columns, kinds, n) uint8
        What holds at each place.
    ends : (m,) int
        Ends of the segments [columns].
    ys : (n,) float
        Places [m].
    shape : ColumnShape
        Columns and kinds of rows.
    """
    strips: dict[tuple[int, int], list[tuple[int, int]]] = {}
    start = 0
    for end in ends.tolist():
        at, kind = strips_of_segment(marks[start:end], shape)
        for key in zip(at.tolist(), kind.tolist(), strict=True):
            spans = strips.setdefault(key, [])
            # strips of equal places join across segments
            if spans and spans[-1][1] == start:
                spans[-1] = spans[-1][0], end
            else:
                spans.append((start, end))
        start = end
    rows = [
        (shape.west + (a + first) * shape.pitch, float(ys[j]), size, k)
        for (j, k), spans in strips.items()
        for a, b in spans
        for first, size in _joined(marks[a:b, k, j])
    ]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    size, kind = table[:, 2].astype(np.int64), table[:, 3].astype(np.int64)
    east = table[:, 0] + (size - 1) * shape.pitch + shape.width
    rects = np.column_stack([table[:, 0], table[:, 1], east, table[:, 1] + shape.heights[kind]])
    return RowRuns(rects, size, kind)


def _joined(bits: FlagArray) -> list[tuple[int, int]]:
    """First columns and sizes of the runs of a strip, from what holds at its columns."""
    fits = (bits & FITS) > 0
    joins = fits[1:] & fits[:-1] & ((bits[:-1] & JOINS) > 0)
    runs = np.split(np.arange(bits.size), np.flatnonzero(~joins) + 1)
    return [(int(run[0]), run.size) for run in runs if fits[run[0]]]
