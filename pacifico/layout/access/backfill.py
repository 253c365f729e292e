"""Build arrays beside existing roads, in place of units that roads removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.draft import of_units
from pacifico.layout.placement.skids import SkidCapacity
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M, solar_grounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.roads import Road
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.solar_arrays import SolarGround


BESIDE_M = 5.0
"""Distance kept from roads, so that bends and turns keep their room [m]."""
AROUND_ENDS_M = 16.0
"""Distance kept from junctions and ends of roads, where vehicles swing out [m]."""
SLACK_KW = 1e-6
"""Capacities that differ by less count as equal [kW]."""


def backfill(
    context: PlacementContext, items: Sequence[Item], roads: Sequence[Road], kw: float, reach_m: float
) -> list[tuple[Item, str]]:
    """Arrays beside roads, of up to `kw`.

    Each is within reach of a road, and of a skid with spare capacity.

    Parameters
    ----------
    context : PlacementContext
        Ground, and the spec's rules of arrays and skids.
    items : sequence of Item
        Items of the layout; arrays keep their distance from them.
    roads : sequence of Road
        Roads of the layout; arrays keep off them and within reach of one.
    kw : float
        AC capacity to build [kW].
    reach_m : float
        Largest distance from an array to a road [m].

    Returns
    -------
    list of (Item, str)
        Arrays, and the road that serves each.
    """
    spec = context.spec
    out: list[tuple[Item, str]] = []
    skids = SkidCapacity.of(items, asset_type(spec, "inverter_skid").rating_kva)
    lines = MultiLineString([r.line for r in roads])
    shapely.prepare(lines)
    tree = shapely.STRtree([r.line for r in roads])
    for ground in solar_grounds(context):
        if kw < ground.unit.ac_kw - SLACK_KW:
            break
        slots = ground.slots(_occupied(spec, [*items, *(i for i, _ in out)], roads))
        near = np.flatnonzero(shapely.dwithin(shapely.box(*slots.rects.T), lines, reach_m))
        order = near[np.lexsort((near, -slots.units[near]))]
        for k in order.tolist():
            array = _array_at(ground, slots.rects[k], int(slots.units[k]), kw, skids)
            # an array shorter than its place may be out of reach
            if array is None or not lines.dwithin(shapely.box(*array.rect), reach_m):
                continue
            kw -= array.capacity_kw
            skids.take(array)
            out.append((array, roads[int(tree.query_nearest(shapely.box(*array.rect)).min())].road_id))
            if kw < ground.unit.ac_kw - SLACK_KW:
                break
    return out


def _array_at(ground: SolarGround, rect: FloatArray, units: int, kw: float, skids: SkidCapacity) -> Item | None:
    """Longest array that fits a place and a skid, or None.

    The nearest skid with spare capacity takes it.

    Parameters
    ----------
    ground : SolarGround
        Ground for arrays of one unit.
    rect : (4,) float
        West, south, east and north of the place [m].
    units : int
        Units that fit there.
    kw : float
        AC capacity that is still missing [kW].
    skids : SkidCapacity
        Capacity that skids have left.
    """
    unit = ground.unit
    x, y = (rect[:2] + rect[2:]) / 2
    for block in skids.nearest(x, y):
        n = min(units, int((min(kw, skids.left_kw[block]) + SLACK_KW) // unit.ac_kw))
        if n > 0:
            west, south, _, north = (float(v) for v in rect)
            part = (west, south, west + n * unit.pitch_x_m - unit.gap_x_m, north)
            return of_units(Item("solar_array", part, ground.slope_limit_deg, block=block), part, n, unit)
    return None


def _occupied(spec: Spec, items: Sequence[Item], roads: Sequence[Road]) -> FloatArray:
    """Rectangles that arrays must not touch: items and roads, with gaps."""
    own = {"solar_array", "inverter_skid"}
    gap = spec.number("solar", "pair_gap_m")
    by = [[gap if i.kind in own else max(CLEAR_OF_BLOCKS_M, i.clearance_m)] for i in items]
    rects = np.array([i.rect for i in items]) + np.array(by) * np.array([-1.0, -1.0, 1.0, 1.0])
    strips = [rects]
    for road in roads:
        xy = shapely.get_coordinates(road.line)
        legs = np.hstack([np.minimum(xy[:-1], xy[1:]), np.maximum(xy[:-1], xy[1:])])
        strips.append(expand_rects(legs, road.width_m / 2 + BESIDE_M))
        strips.append(expand_rects(np.tile(xy[[0, -1]], 2), AROUND_ENDS_M))
    return np.concatenate(strips)
