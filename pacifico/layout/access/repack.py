"""Pack arrays again around roads that are designed.

Aisles and cross aisles that no road uses are free then, and rows shift to where roads leave room.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.access.free_ground import bands_of, free_ground
from pacifico.layout.access.skid_assignment import assign_to_skids
from pacifico.layout.criteria.asset_types import POWER_FACTOR, asset_type, solar_units, strip_gap_m
from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.placement.draft import of_units, rects_of, unit_of, units_of
from pacifico.layout.placement.rows.column_packing import pack_columns
from pacifico.layout.placement.rows.row_runs import RowKinds, RowRuns
from pacifico.layout.placement.skids import block_loads, least_block_kw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon

    from pacifico.array_types import IntArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext

SAME_M = 1e-2
"""Distance by which standing arrays may lie outside a piece of ground because of rounding [m]."""
LEAST_GAIN_KW = 1.0
"""Least capacity that is worth another layout: less is rounding of single arrays [kW]."""


def repack(context: PlacementContext, layout: ServedLayout, reach_m: float) -> ServedLayout:
    """Layout with its arrays packed again around its roads, if they hold more.

    Roads, skids and all other assets stay.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    layout : ServedLayout
        Layout with its roads.
    reach_m : float
        Largest distance from an array to a road [m].
    """
    arrays = [i for i in layout.items if i.kind == "solar_array"]
    skids = [i for i in layout.items if i.kind == "inverter_skid"]
    units = solar_units(context.spec)
    kinds = RowKinds.of(units, strip_gap_m(context.spec))
    if not (layout.network.roads and arrays and skids) or any(unit_of(i, kinds.units) is None for i in arrays):
        return layout
    places = _pack(context, layout, arrays, kinds, reach_m)
    found = _within_substations(_with_blocks(context, places, kinds, arrays[0], skids), layout.items)
    if sum(i.capacity_kw for i in found) < sum(i.capacity_kw for i in arrays) + LEAST_GAIN_KW:
        return layout
    loads, least_kw = block_loads(found), least_block_kw(context.spec)
    if any(loads.get(s.block, 0.0) < least_kw for s in skids):
        return layout
    return _with_arrays(layout, found)


def _pack(
    context: PlacementContext, layout: ServedLayout, arrays: Sequence[Item], kinds: RowKinds, reach_m: float
) -> RowRuns:
    """Places of arrays around the roads: on each piece of ground the standing ones, or new ones that hold more.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    layout : ServedLayout
        Layout with its roads.
    arrays : sequence of Item
        Its arrays.
    kinds : RowKinds
        Units of the arrays.
    reach_m : float
        Largest distance from an array to a road [m].
    """
    sieve = context.field.sieve(array_slopes(context.spec))
    near = shapely.buffer(shapely.MultiLineString([r.line for r in layout.network.roads]), reach_m)
    shapely.prepare(near)
    standing = _standing(arrays, kinds)
    boxes = shapely.box(*standing.rects.T)
    parts = []
    for piece in bands_of(
        free_ground(context, layout, sieve.placeable), standing.rects, context.spec.number("solar", "aisle_m")
    ):
        within = np.flatnonzero(shapely.covers(shapely.buffer(piece, SAME_M), boxes))
        own = standing.take(within)
        new = pack_columns(piece, near, sieve, kinds, own.rects) if _holds_an_array(piece, kinds) else RowRuns.join([])
        new = new.take(np.flatnonzero(sieve.passes(new.rects)))
        parts.append(new if new.kw(kinds).sum() > own.kw(kinds).sum() + LEAST_GAIN_KW else own)
    return RowRuns.join(parts)


def _standing(arrays: Sequence[Item], kinds: RowKinds) -> RowRuns:
    """Places of the arrays of a layout."""
    units = [unit_of(i, kinds.units) for i in arrays]
    kind: IntArray = np.array([kinds.units.index(u) for u in units if u is not None], dtype=np.int64)
    rows = [units_of(i, u) for i, u in zip(arrays, units, strict=True) if u is not None]
    return RowRuns(rects_of(arrays), np.array(rows, dtype=np.int64), kind)


def _holds_an_array(piece: Polygon, kinds: RowKinds) -> bool:
    """Whether the bounds of a piece of ground hold the smallest array."""
    west, south, east, north = piece.bounds
    return any(
        east - west >= u.least_units * u.pitch_x_m - u.gap_x_m and north - south >= u.height_m for u in kinds.units
    )


def _with_blocks(
    context: PlacementContext, places: RowRuns, kinds: RowKinds, like: Item, skids: Sequence[Item]
) -> list[Item]:
    """Arrays at places for which a skid has capacity.

    Parameters
    ----------
    context : PlacementContext
        Rating of skids.
    places : RowRuns
        Places of arrays.
    kinds : RowKinds
        Units of the arrays.
    like : Item
        Array whose other properties they get.
    skids : sequence of Item
        Inverter skids.
    """
    centres = (places.rects[:, :2] + places.rects[:, 2:]) / 2
    rating_kw = asset_type(context.spec, "inverter_skid").rating_kva
    home = assign_to_skids(centres, places.kw(kinds), np.array([i.centre for i in skids]), rating_kw)
    out = []
    for i in np.flatnonzero(home >= 0).tolist():
        west, south, east, north = (float(v) for v in places.rects[i])
        array = replace(like, block=skids[home[i]].block)
        out.append(of_units(array, (west, south, east, north), int(places.rows[i]), kinds.units[places.kind[i]]))
    return out


def _within_substations(arrays: list[Item], items: Sequence[Item]) -> list[Item]:
    """Arrays without the smallest ones that exceed the rating of the substations, if there are any."""
    able_kw = POWER_FACTOR * sum(i.rating_kva for i in items if i.kind == "substation")
    excess_kw = sum(i.capacity_kw for i in arrays) - able_kw
    if not able_kw or excess_kw <= 0:
        return arrays
    order = sorted(range(len(arrays)), key=lambda k: arrays[k].capacity_kw)
    removed_kw = np.cumsum([arrays[k].capacity_kw for k in order])
    out = set(order[: int(np.searchsorted(removed_kw, excess_kw)) + 1])
    return [a for k, a in enumerate(arrays) if k not in out]


def _with_arrays(layout: ServedLayout, arrays: Sequence[Item]) -> ServedLayout:
    """Layout with other arrays, each served by the nearest road."""
    stay = [k for k, i in enumerate(layout.items) if i.kind != "solar_array"]
    items = (*(layout.items[k] for k in stay), *arrays)
    roads, boxes = layout.network.roads, shapely.box(*rects_of(arrays).T)
    served = {n: layout.network.served[k] for n, k in enumerate(stay)}
    tree = shapely.STRtree([r.line for r in roads])
    nearest = [int(tree.query_nearest(b).min()) for b in boxes]
    served |= {k: roads[r].road_id for k, r in enumerate(nearest, len(stay))}
    pads = (*(layout.pads[k] for k in stay), *[None] * len(arrays))
    return replace(layout, items=items, untrimmed=items, pads=pads, network=replace(layout.network, served=served))
