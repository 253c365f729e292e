"""Place single blocks near an anchor and equal blocks in yards."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetType
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, item_of, rects_of
from pacifico.layout.placement.strips import Slots, StripPattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.placement.context import PlacementContext

    Cost = Callable[[FloatArray], FloatArray]
    """Cost of each of some rectangles."""

MAX_PLACES = 40_000
"""Most places compared on a site: bounds the run time on large sites."""
MIN_SPACING_M = 5.0
"""Smallest distance between places [m]."""
CHUNK = 256
"""Places that are tested exactly at a time, cheapest first."""
CLEAR_OF_OTHERS_M = 16.0
"""Distance of yard blocks from blocks of other types, so that a road passes and turns [m]."""
CROSS_AISLE_EVERY_M = 150.0
"""Distance between cross aisles of a yard [m]; engineering judgement."""
YARD_SEEDS = 60
"""Most slots around which a compact yard is tried: bounds the run time on large sites."""
TURNAROUND_M = 40.0
"""Road of a turnaround at the end of an aisle [m]: two legs of a hammerhead."""
SAME_COST_M = 1e-6
"""Difference of cost that is rounding [m]."""
METRES_PER_DEGREE = 60.0
"""Distance that equals a degree of slope when a single block is placed [m/°]; engineering judgement."""


def slope_and_distance(field: Field, anchor: tuple[float, float], metres_per_degree: float) -> Cost:
    """Cost of rectangles: distance to an anchor, and slope.

    Parameters
    ----------
    field : Field
        Ground of the site.
    anchor : (float, float)
        Easting and northing [m].
    metres_per_degree : float
        Distance that equals a degree of slope [m/°].
    """

    def cost(rects: FloatArray) -> FloatArray:
        x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
        total: FloatArray = np.hypot(x - anchor[0], y - anchor[1]) + metres_per_degree * mean_slope(field, rects)
        return total

    return cost


def place_near(
    field: Field,
    draft: Draft,
    kind: AssetType,
    anchor: tuple[float, float],
    count: int = 1,
    *,
    within: FloatArray | None = None,
    cost: Cost | None = None,
) -> int:
    """Add blocks to a draft at the cheapest places.

    Parameters
    ----------
    field : Field
        Ground of the site.
    draft : Draft
        Grows by the blocks placed, and by a record of those that found no place.
    kind : AssetType
        Asset type of the blocks.
    anchor : (float, float)
        Easting and northing to stay near [m].
    count : int
        Most blocks to place.
    within : (n, 2) float, optional
        Centres to choose from; by default a grid over the placeable ground [m].
    cost : callable, optional
        Cost of rectangles; by default distance to the anchor and slope.

    Returns
    -------
    int
        Number of blocks placed.
    """
    if count <= 0:
        return 0
    sieve = field.sieve(kind.slope_limit_deg)
    rects, rotated = _candidate_rects(field, kind, within)
    if len(rects):
        fits = sieve.by_ground(expand_rects(rects, PAD_APRON_M))
        rects, rotated = rects[fits], rotated[fits]
        fits = ~touching(rects, draft.blocked(kind.clearance_m))
        rects, rotated = rects[fits], rotated[fits]
    cost = cost or slope_and_distance(field, anchor, METRES_PER_DEGREE)
    order = np.argsort(cost(rects), kind="stable")
    rects, rotated = rects[order], rotated[order]
    placed, start = 0, 0
    while placed < count and start < len(rects):
        chunk = slice(start, start + CHUNK)
        for i in np.flatnonzero(sieve.passes(rects[chunk], apron=PAD_APRON_M)) + start:
            if placed < count and not touching(rects[i : i + 1], draft.blocked(kind.clearance_m))[0]:
                draft.items.append(item_of(kind, rects[i], rotation_deg=90.0 if rotated[i] else 0.0))
                placed += 1
        start += CHUNK
    if placed < count:
        reason = f"no free ground within {kind.slope_limit_deg:g} deg for its whole pad"
        draft.unplaced.append(Unplaced(kind.kind, count - placed, reason))
    return placed


def place_yard(context: PlacementContext, draft: Draft, kind: AssetType, count: int, *, cost: Cost) -> int:
    """Add equal blocks to a draft, side by side in rows between aisles.

    Parameters
    ----------
    context : PlacementContext
        Ground, and the aisles of the asset type.
    draft : Draft
        Grows by the blocks placed, and by a record of those that found no place.
    kind : AssetType
        Asset type of the blocks.
    count : int
        Most blocks to place.
    cost : callable
        Cost of rectangles.

    Returns
    -------
    int
        Number of blocks placed.
    """
    if count <= 0:
        return 0
    slots = yard_slots(context, draft, kind)
    order = compact_slots(slots, cost(slots.rects), count)
    draft.items.extend(item_of(kind, slots.rects[i]) for i in order)
    if len(order) < count:
        reason = f"no free ground left within {kind.slope_limit_deg:g} deg for its whole pad"
        draft.unplaced.append(Unplaced(kind.kind, count - len(order), reason))
    return len(order)


def compact_slots(slots: Slots, costs: FloatArray, count: int) -> IntArray:
    """Indices of slots that make one compact yard at low cost.

    A yard is the nearest slots along one or several neighbouring aisles. The one is chosen whose mean cost, extent and road
    along its aisles are least together, so that a yard beside a substation stays whole instead of closing round it.

    Parameters
    ----------
    slots : Slots
        Free places in the rows of a yard.
    costs : (n,) float
        Cost of each slot [m].
    count : int
        Most slots to choose.
    """
    cheapest = np.argsort(costs, kind="stable")
    if count >= len(cheapest):
        return cheapest
    best, least = cheapest[:count], np.inf
    x = (slots.rects[:, 0] + slots.rects[:, 2]) / 2
    seeds = cheapest[: 4 * count + 4 * YARD_SEEDS]
    for seed in seeds[:: -(-len(seeds) // YARD_SEEDS)].tolist():
        for aisles in range(1, math.ceil(math.sqrt(count)) + 1):
            first = slots.lane[seed]
            inside = np.flatnonzero((slots.lane >= first) & (slots.lane < first + aisles))
            if len(inside) < count:
                continue
            yard = inside[np.lexsort((costs[inside], np.round(np.abs(x[inside] - x[seed]), 2)))[:count]]
            total = costs[yard].mean() + _extent_m(slots.take(yard))
            if total < least - SAME_COST_M:
                best, least = yard, total
    return best


def _extent_m(yard: Slots) -> float:
    """Perimeter of a yard, and the roads along its aisles with a turnaround each [m]."""
    west, south, east, north = yard.rects.T
    aisles = np.unique(yard.lane)
    roads = sum(east[yard.lane == k].max() - west[yard.lane == k].min() + TURNAROUND_M for k in aisles)
    return float(2 * (east.max() - west.min() + north.max() - south.min()) + roads)


def yard_slots(context: PlacementContext, draft: Draft, kind: AssetType) -> Slots:
    """Free places in the rows of a yard of equal blocks."""
    gap = 2 * max(kind.clearance_m, PAD_APRON_M + 0.1)
    pitch = kind.length_m + gap
    aisle_m = context.spec.number(kind.kind, "aisle_m")
    every = max(int(CROSS_AISLE_EVERY_M // pitch), 1)
    pattern = StripPattern(pitch, gap, kind.width_m, gap, aisle_m, cross_every=every)
    packing = context.packing(pattern, kind.slope_limit_deg, margin_m=PAD_APRON_M)
    same = rects_of([i for i in draft.items if i.kind == kind.kind])
    others = replace(draft, items=[i for i in draft.items if i.kind != kind.kind])
    blocked = others.blocked(max(kind.clearance_m, CLEAR_OF_OTHERS_M))
    return packing.slots(np.concatenate([blocked, expand_rects(same, gap - 0.01)]))


def places(field: Field, spacing_m: float = MIN_SPACING_M) -> FloatArray:
    """Places on a grid over the placeable ground, shape (n, 2) [m].

    They lie farther apart than asked for where there would be too many.
    """
    west, south, east, north = field.placeable.bounds
    fewest = np.sqrt((east - west) * (north - south) / MAX_PLACES)
    step = max(spacing_m, fewest, MIN_SPACING_M)
    x, y = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
    return np.column_stack([x.ravel(), y.ravel()])


def _candidate_rects(field: Field, kind: AssetType, within: FloatArray | None) -> tuple[FloatArray, BoolArray]:
    """Rectangles in both orientations, and which are rotated by 90°."""
    if within is None:
        within = places(field, min(kind.length_m, kind.width_m) / 2)
    sides = [(kind.length_m, kind.width_m), (kind.width_m, kind.length_m)]
    rects = [
        np.column_stack([within[:, 0] - a / 2, within[:, 1] - b / 2, within[:, 0] + a / 2, within[:, 1] + b / 2])
        for a, b in sides
    ]
    return np.concatenate(rects), np.repeat([False, True], len(within))
