"""Arrays put up elsewhere beside roads as they run, in place of what others gave up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.draft import of_units
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M, CLEAR_OF_BLOCKS_M, solar_grounds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.roads import Road
    from pacifico.layout.placement.solar_arrays import SolarGround


BESIDE_M = 5.0
"""Kept free beside roads, so that bends and turns keep their room."""
ABOUT_ENDS_M = 16.0
"""Kept free about junctions and ends of roads, where vehicles swing out."""


def backfill(
    field: Field, spec: Spec, items: Sequence[Item], roads: Sequence[Road], kw: float, reach_m: float
) -> list[tuple[Item, str]]:
    """Arrays of up to `kw` on free ground, each within reach of a road, and of a skid that has room for it.

    Parameters
    ----------
    field : Field
        Ground of the site.
    spec : Spec
    items : sequence of Item
        What stands.
    roads : sequence of Road
        What must stay free, and whatever is put up must be near to.
    kw : float
        AC capacity to make up for [kW].
    reach_m : float
        Between an array and a road [m].

    Returns
    -------
    list of (Item, str)
        Arrays, and the road that serves each.
    """
    out: list[tuple[Item, str]] = []
    skid = asset_type(spec, "inverter_skid")
    rooms = {i.block: skid.rating_kva for i in items if i.kind == "inverter_skid"}
    blocks = np.array([i.block for i in items if i.kind == "inverter_skid"], dtype=np.int64)
    homes = np.array([i.centre for i in items if i.kind == "inverter_skid"]).reshape(-1, 2)
    for i in items:
        if i.block in rooms:
            rooms[i.block] -= i.capacity_kw
    lines = MultiLineString([r.line for r in roads])
    shapely.prepare(lines)
    tree = shapely.STRtree([r.line for r in roads])
    for ground in solar_grounds(field, spec):
        if kw < ground.unit.ac_kw - 1e-6:
            break
        runs = ground.runs(_taken(spec, [*items, *(i for i, _ in out)], roads))
        near = np.flatnonzero(shapely.dwithin(shapely.box(*runs.rects.T), lines, reach_m))
        order = near[np.lexsort((near, -runs.units[near]))]
        for k in order.tolist():
            made = _at(ground, runs.rects[k], int(runs.units[k]), kw, rooms, (blocks, homes))
            # a shorter one may lie too far away
            if made is None or not lines.dwithin(shapely.box(*made.rect), reach_m):
                continue
            kw -= made.capacity_kw
            rooms[made.block] -= made.capacity_kw
            box = shapely.box(*made.rect)
            out.append((made, roads[int(tree.query_nearest(box).min())].road_id))
            if kw < ground.unit.ac_kw - 1e-6:
                break
    return out


def _at(
    ground: SolarGround,
    rect: FloatArray,
    units: int,
    kw: float,
    rooms: dict[int, float],
    skids: tuple[IntArray, FloatArray],
) -> Item | None:
    """As much of an array as is asked for and the nearest skid with room for it takes."""
    unit = ground.unit
    x, y = (rect[:2] + rect[2:]) / 2
    blocks, homes = skids
    far = np.hypot(*(homes - (x, y)).T)
    near = np.flatnonzero(far <= BLOCK_REACH_M)
    for block in blocks[near[np.lexsort((blocks[near], far[near]))]].tolist():
        n = min(units, int((min(kw, rooms[block]) + 1e-6) // unit.ac_kw))
        if n > 0:
            west, south, _, north = (float(v) for v in rect)
            part = (west, south, west + n * unit.pitch_x_m - unit.gap_x_m, north)
            return of_units(Item("solar_array", part, ground.slope_limit_deg, block=block), part, n, unit)
    return None


def _taken(spec: Spec, items: Sequence[Item], roads: Sequence[Road]) -> FloatArray:
    """Rectangles that arrays must not touch: what stands, with the gaps that arrays keep, and roads."""
    own = {"solar_array", "inverter_skid"}
    gap = spec.number("solar", "pair_gap_m")
    by = [[gap if i.kind in own else max(CLEAR_OF_BLOCKS_M, i.clearance_m)] for i in items]
    rects = np.array([i.rect for i in items]) + np.array(by) * np.array([-1.0, -1.0, 1.0, 1.0])
    strips = [rects]
    for road in roads:
        xy = shapely.get_coordinates(road.line)
        legs = np.hstack([np.minimum(xy[:-1], xy[1:]), np.maximum(xy[:-1], xy[1:])])
        strips.append(expand_rects(legs, road.width_m / 2 + BESIDE_M))
        strips.append(expand_rects(np.tile(xy[[0, -1]], 2), ABOUT_ENDS_M))
    return np.concatenate(strips)
