"""Build arrays beside existing roads, in place of units that roads removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, MultiPolygon

from pacifico.layout.criteria.asset_types import asset_type, solar_units, strip_gap_m
from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.grade_lines.side_slopes import SECTION_M, side_slope_lines
from pacifico.layout.ground.rects import NO_RECTS, expand_rects
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.draft import of_units
from pacifico.layout.placement.skids import SkidCapacity
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M
from pacifico.layout.placement.strip_packing import pack_strips
from pacifico.layout.placement.strips import StripPattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.asset_types import SolarUnit
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.roads import Road
    from pacifico.layout.placement.context import PlacementContext


BESIDE_M = 5.0
"""Distance kept from roads, so that bends and turns keep their room [m]."""
AROUND_ENDS_M = 16.0
"""Distance kept from junctions and ends of roads, where vehicles swing out [m]."""
ENDLESS, ENDLESS_STRIPS = 1_000_000, 64
"""Units and strips between aisles where the roads stand already: more than any piece of free ground holds."""
PLAIN_M = 0.3
"""Largest distance of a simplified road from the true one: little beside what is kept free [m]."""
SLACK_KW = 1e-6
"""Capacities that differ by less count as equal [kW]."""


@dataclass(frozen=True)
class _ArrayShape:
    """Unit of arrays, and their slope limit."""

    unit: SolarUnit
    slope_limit_deg: float


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
    out: list[tuple[Item, str]] = []
    skids = SkidCapacity.of(items, asset_type(context.spec, "inverter_skid").rating_kva)
    lines = MultiLineString([r.line for r in roads])
    shapely.prepare(lines)
    tree = shapely.STRtree([r.line for r in roads])
    limit_deg = context.spec.number("solar_array", "slope_limit_deg")
    slopes = long_side_slopes(context, roads) if kw >= SLACK_KW else MultiPolygon()
    for ground in (_ArrayShape(unit, limit_deg) for unit in solar_units(context.spec)):
        least_kw = ground.unit.least_units * ground.unit.ac_kw
        if kw < least_kw - SLACK_KW:
            break
        occupied = occupied_ground(context.spec, ground.unit, [*items, *(i for i, _ in out)], roads)
        rects, units = _free_slots(context, ground, occupied.union(slopes), roads, reach_m)
        near = np.flatnonzero(shapely.dwithin(shapely.box(*rects.T), lines, reach_m))
        order = near[np.lexsort((near, -units[near]))]
        for k in order.tolist():
            array = _array_at(ground, rects[k], int(units[k]), kw, skids)
            # an array shorter than its place may be out of reach
            if array is None or not lines.dwithin(shapely.box(*array.rect), reach_m):
                continue
            kw -= array.capacity_kw
            skids.take(array)
            out.append((array, roads[int(tree.query_nearest(shapely.box(*array.rect)).min())].road_id))
            if kw < least_kw - SLACK_KW:
                break
    return out


def _array_at(ground: _ArrayShape, rect: FloatArray, units: int, kw: float, skids: SkidCapacity) -> Item | None:
    """Longest array that fits a place and a skid, or None.

    The nearest skid with capacity for all of it takes it, else the one with the most.

    Parameters
    ----------
    ground : _ArrayShape
        Unit of the array, and its slope limit.
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
    fits = {b: min(units, int((min(kw, skids.left_kw[b]) + SLACK_KW) // unit.ac_kw)) for b in skids.nearest(x, y)}
    block = max(fits, key=lambda b: fits[b], default=None)
    if block is None or fits[block] < unit.least_units:
        return None
    west, south, _, north = (float(v) for v in rect)
    part = (west, south, west + fits[block] * unit.pitch_x_m - unit.gap_x_m, north)
    return of_units(Item("solar_array", part, ground.slope_limit_deg, block=block), part, fits[block], unit)


def _free_slots(
    context: PlacementContext, ground: _ArrayShape, occupied: BaseGeometry, roads: Sequence[Road], reach_m: float
) -> tuple[FloatArray, IntArray]:
    """Places for arrays on free ground near roads, and the units of each.

    Each piece of free ground has strips of its own, so that they fit between what is built.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    ground : _ArrayShape
        Unit of the arrays, and its slope limit.
    occupied : geometry
        Ground that arrays must not touch.
    roads : sequence of Road
        Roads of the layout.
    reach_m : float
        Largest distance from an array to a road [m].
    """
    unit, gap = ground.unit, strip_gap_m(context.spec)
    sieve = context.field.sieve(array_slopes(context.spec))
    legs = np.concatenate([np.hstack([xy[:-1], xy[1:]]) for xy in map(shapely.get_coordinates, plain_lines(roads))])
    boxes = np.hstack([np.minimum(legs[:, :2], legs[:, 2:]), np.maximum(legs[:, :2], legs[:, 2:])])
    within = shapely.union_all(shapely.box(*expand_rects(boxes, reach_m + unit.height_m).T))
    free = shapely.difference(shapely.intersection(sieve.placeable, within), occupied)
    least = np.array([unit.least_units * unit.pitch_x_m - unit.gap_x_m, unit.height_m])
    pattern = StripPattern(
        unit.pitch_x_m,
        unit.gap_x_m,
        unit.height_m,
        gap,
        gap,
        ENDLESS,
        unit.most_units,
        unit.least_units,
        ENDLESS_STRIPS,
    )
    rects, units = [NO_RECTS], [np.zeros(0, np.int64)]
    for piece in shapely.get_parts(free):
        west, south, east, north = piece.bounds
        if piece.geom_type != "Polygon" or ((east - west, north - south) < least).any() or piece.area < least.prod():
            continue
        slots = pack_strips(pattern, replace(sieve, placeable=piece), margin_m=0.0).slots(NO_RECTS)
        rects.append(slots.rects)
        units.append(slots.units)
    return np.concatenate(rects), np.concatenate(units)


def plain_lines(roads: Sequence[Road]) -> NDArray[np.object_]:
    """Roads in plan, without vertices that hardly matter for their strips."""
    lines: NDArray[np.object_] = shapely.simplify([shapely.force_2d(r.line) for r in roads], PLAIN_M)
    return lines


def occupied_ground(spec: Spec, unit: SolarUnit, items: Sequence[Item], roads: Sequence[Road]) -> BaseGeometry:
    """Ground of items and roads, with gaps.

    Parameters
    ----------
    spec : Spec
        Gaps.
    unit : SolarUnit
        Unit of the new arrays.
    items : sequence of Item
        Items of the layout.
    roads : sequence of Road
        Roads of the layout.
    """
    gap = spec.number("solar", "pair_gap_m")
    around = {"solar_array": (max(unit.gap_x_m, gap), strip_gap_m(spec)), "inverter_skid": (gap, gap)}
    by = np.array([around.get(i.kind, (max(CLEAR_OF_BLOCKS_M, i.clearance_m),) * 2) for i in items])
    rects = np.array([i.rect for i in items]) + np.hstack([-by, by])
    if not roads:
        return shapely.union_all(shapely.box(*rects.T))
    ends = np.concatenate([shapely.get_coordinates(r.line)[[0, -1]] for r in roads])
    boxes = np.concatenate([rects, expand_rects(np.tile(ends, 2), AROUND_ENDS_M)])
    widths = np.array([r.width_m for r in roads])
    lanes = shapely.buffer(plain_lines(roads), widths / 2 + BESIDE_M, quad_segs=2, join_style="mitre")
    return shapely.union_all([*shapely.box(*boxes.T), *lanes])


def long_side_slopes(context: PlacementContext, roads: Sequence[Road]) -> BaseGeometry:
    """Ground of side slopes longer than the distance that arrays keep from roads."""
    slopes = side_slope_lines(
        [shapely.get_coordinates(r.line, include_z=True) for r in roads],
        context.field.ground,
        width_m=roads[0].width_m,
        side_slope=earthwork_criteria(context.spec).side_slope,
    )
    long = slopes[shapely.length(slopes) > BESIDE_M]
    return shapely.union_all(shapely.buffer(long, SECTION_M / 2, cap_style="flat"))
