"""Free ground for arrays around roads that are designed."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.access.backfill import long_side_slopes, occupied_ground
from pacifico.layout.criteria.asset_types import solar_units
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.placement.draft import rects_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.placement.context import PlacementContext

CLOSED_M = 2.4
"""Half of the widest gap between arrays that becomes free ground [m]: more than the gaps of rows and their ends."""
ROOM_M = 3e-3
"""How much standing arrays are expanded, so that others fit in their place in spite of rounding [m]."""
BAND_STEP_M = 1.0
"""Step at which aisles are looked for [m]."""
AISLE_SHARE = 0.85
"""Least height of a gap between arrays that counts as an aisle, as a share of an aisle's width."""
AISLE_COVERED = 0.1
"""Share of the arrays of the fullest line across the site that may stand in an aisle."""


def free_ground(context: PlacementContext, layout: ServedLayout, placeable: BaseGeometry) -> BaseGeometry:
    """Ground where arrays may stand beside the roads and other assets of a layout.

    It is what arrays stand on now, with their gaps, and what keeps clear of roads by enough for bends and turns.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    layout : ServedLayout
        Layout with its roads.
    placeable : geometry
        Ground on which assets may stand.
    """
    spec, roads = context.spec, layout.network.roads
    unit = solar_units(spec)[0]
    others = [i for i in layout.items if i.kind != "solar_array"]
    arrays = rects_of([i for i in layout.items if i.kind == "solar_array"])
    occupied = shapely.union(occupied_ground(spec, unit, others, roads), long_side_slopes(context, roads))
    standing = shapely.union_all(shapely.box(*expand_rects(arrays, ROOM_M).T))
    closed = shapely.buffer(shapely.buffer(standing, CLOSED_M, join_style="mitre"), -CLOSED_M, join_style="mitre")
    closed = shapely.difference(closed, occupied_ground(spec, unit, others, ()))
    inside = shapely.intersection(shapely.union(closed, standing), placeable)
    return shapely.union(shapely.difference(placeable, occupied), inside)


def bands_of(ground: Polygon | MultiPolygon, arrays: FloatArray, aisle_m: float) -> list[Polygon]:
    """Parts of some ground between aisles that cross the site.

    Parameters
    ----------
    ground : Polygon or MultiPolygon
        Ground for arrays.
    arrays : (n, 4) float
        Standing arrays [m].
    aisle_m : float
        Width of an aisle [m].
    """
    west, south, east, north = ground.bounds
    ends = [south, *_aisles(arrays, aisle_m), north]
    boxes = [shapely.box(west, a, east, b) for a, b in pairwise(ends)]
    parts = shapely.get_parts(shapely.intersection(ground, boxes))
    return [p for p in shapely.get_parts(parts) if p.geom_type == "Polygon"]


def _aisles(arrays: FloatArray, aisle_m: float) -> Sequence[float]:
    """Northings of the middle of aisles between some arrays, ascending [m]."""
    low, high = float(arrays[:, 1].min()), float(arrays[:, 3].max())
    at = np.arange(low, high, BAND_STEP_M)
    covered = np.zeros(at.size + 1)
    widths = arrays[:, 2] - arrays[:, 0]
    np.add.at(covered, np.searchsorted(at, arrays[:, 1]), widths)
    np.add.at(covered, np.searchsorted(at, arrays[:, 3]), -widths)
    total = np.cumsum(covered)[:-1]
    empty = np.concatenate([[False], total < AISLE_COVERED * total.max(), [False]])
    first, last = (
        np.flatnonzero(np.diff(empty.astype(np.int64)) > 0),
        np.flatnonzero(np.diff(empty.astype(np.int64)) < 0),
    )
    wide = (last - first >= AISLE_SHARE * aisle_m / BAND_STEP_M) & (first > 0) & (last < at.size)
    middle: list[float] = (low + (first + last)[wide] / 2 * BAND_STEP_M).tolist()
    return middle
