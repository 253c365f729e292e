"""Local search move: shift pads to reduce earthwork or covered area."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import PAD_APRON_M
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.placement.draft import rects_of
from pacifico.layout.placement.power_blocks import SKID_CLEARANCE_M
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.surroundings import SURROUNDINGS_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.strategies import PadMeasure
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.draft import Draft
    from pacifico.vocabulary import AssetKind

SHIFTS_M = np.array([-12.0, -8.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0])
"""Shifts along either axis: fine near the place, coarse farther away [m]."""
MIN_GAIN: dict[PadMeasure, float] = {"earthwork": 0.5, "surroundings": 5.0}
"""Smallest reduction for which a pad moves [m³, m²]."""
OFF_ROADS_M = 0.6
"""Distance between a pad and a road, so that the roads may stay [m]."""
SHIFTED_FOR_EARTHWORK: tuple[AssetKind, ...] = ("inverter_skid", "substation")
"""Asset types that are shifted to save earthwork: blocks of a yard find equally steep ground some metres away."""


def shift_pads(field: Field, draft: Draft, served: ServedLayout, measure: PadMeasure) -> Draft:
    """Draft with pads shifted as long as each shift reduces a measure.

    Parameters
    ----------
    field : Field
        Ground of the site.
    draft : Draft
        Draft to improve; it is not changed.
    served : ServedLayout
        Layout with its roads, which stay free.
    measure : str
        What shifts reduce: 'surroundings' or 'earthwork'.
    """
    roads = [shapely.buffer(shapely.force_2d(r.line), r.width_m / 2 + OFF_ROADS_M) for r in served.network.roads]
    shift = _Shift(field, shapely.union_all(roads), measure)
    shapely.prepare(shift.roads)
    items: list[Item] = list(served.untrimmed)
    for k, item in enumerate(items):
        if item.kind == "solar_array" or (measure == "earthwork" and item.kind not in SHIFTED_FOR_EARTHWORK):
            continue
        items[k] = shift.best(items, k)
    return replace(draft, items=items)


@dataclass(frozen=True)
class _Shift:
    """Ground and measure for shifts of single pads."""

    field: Field
    roads: BaseGeometry
    """Roads with their clearance; prepared."""
    measure: PadMeasure

    def best(self, items: Sequence[Item], k: int) -> Item:
        """Item k at the best legal place around it."""
        item = items[k]
        east, north = (s.ravel() for s in np.meshgrid(SHIFTS_M, SHIFTS_M))
        shifts = np.column_stack([east, north, east, north])
        rects = np.array(item.rect) + shifts
        if self.measure == "surroundings":
            costs = _covered_alone_m2(items, k, rects)
        else:
            costs = pad_earth_m3(self.field, expand_rects(rects, PAD_APRON_M))
        here = costs[(shifts == 0).all(axis=1)][0]
        better = self._clear(items, k, rects, np.flatnonzero(costs < here - MIN_GAIN[self.measure]))
        better = better[np.argsort(costs[better], kind="stable")]
        if not len(better):
            return item
        legal = better[self.field.sieve(item.slope_limit_deg).passes(rects[better], apron=PAD_APRON_M)]
        if not len(legal):
            return item
        west, south, x1, y1 = (float(v) for v in rects[legal[0]])
        return replace(item, rect=(west, south, x1, y1))

    def _clear(self, items: Sequence[Item], k: int, rects: FloatArray, which: IntArray) -> IntArray:
        """Places for item k that are clear of items and roads.

        Parameters
        ----------
        items : sequence of Item
            All items.
        k : int
            Index of the item that moves.
        rects : (n, 4) float
            Places [m].
        which : (m,) int
            Indices of the places to test.
        """
        clearance = np.array([max(i.clearance_m, items[k].clearance_m, SKID_CLEARANCE_M) for i in items])
        others = rects_of(items) + clearance[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])
        which = which[~touching(rects[which], np.delete(others, k, axis=0))]
        on_road = shapely.intersects(self.roads, shapely.box(*expand_rects(rects[which], PAD_APRON_M).T))
        out: IntArray = which[~on_road]
        return out


def _covered_alone_m2(items: Sequence[Item], k: int, rects: FloatArray) -> FloatArray:
    """Area that item k alone covers at each of some places [m²]."""
    boxes = shapely.box(*rects_of(items).T)
    all_places = shapely.box(*rects[:, :2].min(axis=0), *rects[:, 2:].max(axis=0))
    near = shapely.dwithin(boxes, all_places, 2 * SURROUNDINGS_M)
    near[k] = False
    others = shapely.union_all(shapely.buffer(boxes[near], SURROUNDINGS_M))
    if shapely.covers(others, shapely.buffer(boxes[k], SURROUNDINGS_M)):
        return np.zeros(len(rects))
    surroundings = shapely.buffer(shapely.box(*rects.T), SURROUNDINGS_M)
    out: FloatArray = shapely.area(shapely.difference(surroundings, others))
    return out
