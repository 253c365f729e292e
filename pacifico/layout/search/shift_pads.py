"""Local search move: shift inverter skids and substations by up to 12 m to reduce earthwork or covered area."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import PAD_APRON_M
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.placement.seed_area import SURROUNDINGS_M
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.solar_arrays import SKID_CLEARANCE_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Strategy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.draft import Draft

SHIFTS_M = np.array([-12.0, -8.0, -5.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0])
LEAST_GAIN_M3, LEAST_GAIN_M2 = 0.5, 5.0
OFF_ROADS_M = 0.6
"""Clearance between a pad and the strip of a road, so that roads stay as they are [m]."""
NUDGED = ("inverter_skid", "substation")
"""Assets that are shifted to reduce earthwork; yard blocks gain nothing, the ground beside them is as steep."""


def shift_pads(field: Field, draft: Draft, served: ServedLayout, strategy: Strategy) -> Draft:
    """Shift pads one at a time while that reduces the objective; roads stay.

    Parameters
    ----------
    field : Field
    draft : Draft
        Not changed.
    served : Served
        With its roads, which stay open.
    strategy : str
        'density' saves surroundings, any other cut and fill.
    """
    items: list[Item] = list(served.untrimmed)
    strips = shapely.union_all(
        [shapely.buffer(shapely.force_2d(r.line), r.width_m / 2 + OFF_ROADS_M) for r in served.network.roads]
    )
    shapely.prepare(strips)
    east, north = (s.ravel() for s in np.meshgrid(SHIFTS_M, SHIFTS_M))
    shifts = np.column_stack([east, north, east, north])
    for k, item in enumerate(items):
        if item.kind == "solar_array" or (item.kind not in NUDGED and strategy != "density"):
            continue
        rects = np.array(item.rect) + shifts
        if strategy == "density":
            wants, gain = _alone_m2(items, k, rects), LEAST_GAIN_M2
        else:
            wants, gain = pad_earth_m3(field, expand_rects(rects, PAD_APRON_M)), LEAST_GAIN_M3
        here = wants[(shifts == 0).all(axis=1)][0]
        clear = np.array([max(i.clearance_m, item.clearance_m, SKID_CLEARANCE_M) for i in items])
        others = np.array([i.rect for i in items]) + clear[:, None] * np.array([-1.0, -1.0, 1.0, 1.0])
        better = np.flatnonzero(wants < here - gain)
        better = better[~touching(rects[better], np.delete(others, k, axis=0))]
        better = better[~shapely.intersects(strips, shapely.box(*expand_rects(rects[better], PAD_APRON_M).T))]
        better = better[np.argsort(wants[better], kind="stable")]
        fits = (
            better[field.sieve(item.slope_limit_deg).passes(rects[better], apron=PAD_APRON_M)]
            if len(better)
            else better
        )
        if len(fits):
            west, south, e, n = (float(v) for v in rects[fits[0]])
            items[k] = replace(item, rect=(west, south, e, n))
    return replace(draft, items=items)


def _alone_m2(items: Sequence[Item], k: int, rects: FloatArray) -> FloatArray:
    """Surroundings of one item at each place that no other item covers [m²]."""
    boxes = shapely.box(*np.array([i.rect for i in items]).T)
    every = shapely.box(*rects[:, :2].min(axis=0), *rects[:, 2:].max(axis=0))
    near = shapely.dwithin(boxes, every, 2 * SURROUNDINGS_M)
    near[k] = False
    others = shapely.union_all(shapely.buffer(boxes[near], SURROUNDINGS_M))
    if shapely.covers(others, shapely.buffer(boxes[k], SURROUNDINGS_M)):
        return np.zeros(len(rects))
    out: FloatArray = shapely.area(shapely.difference(shapely.buffer(shapely.box(*rects.T), SURROUNDINGS_M), others))
    return out
