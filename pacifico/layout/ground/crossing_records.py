"""Crossings of finished roads and cables."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import shapely
from shapely import LineString
from shapely.ops import substring

from pacifico.layout.criteria.crossings import CrossingCriteria, crossing_criteria, road_crossing_type
from pacifico.layout.criteria.water import water_criteria
from pacifico.layout.ground.channel_crossings import ChannelCrossings
from pacifico.layout.model.crossings import Crossing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.channels import SiteDrainage
    from pacifico.layout.ground.crossings import Barrier
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.roads import Road

TOUCH_M = 0.5
"""Shorter stretches only touch the edge of what they would cross [m]."""
UPGRADE_PIECE_M = 149.0
"""Longest piece of an upgraded road that is one feature [m]: a crossing is at most 150 m long."""
IN_ROAD_M = 2.0
"""Cables this near to a road's crossing lie in the road [m]."""
SAME_BORE_M = 1.0
"""Cables whose crossings differ by less share one bore [m]."""


def all_crossings(field: Field, roads: Sequence[Road], cables: Sequence[Cable], spec: Spec) -> tuple[Crossing, ...]:
    """Crossings of roads and cables over drawn zones and channels.

    Parameters
    ----------
    field : Field
        Barriers and channels.
    roads : sequence of Road
        Roads of the layout.
    cables : sequence of Cable
        Collection cables.
    spec : Spec
        Limits of crossings and of channels.
    """
    criteria, drained = crossing_criteria(spec), field.drainage
    drawn = [_drained(c, drained) for c in crossings_of(roads, cables, field.barriers, criteria)]
    if drained.area.is_empty:
        return tuple(drawn)
    over_water = [c.line for c in drawn if c.zone_type == "water"]
    channels = ChannelCrossings(drained, water_criteria(spec), criteria.max_length_m, over_water)
    channels.add_roads(roads)
    channels.add_cables(cables)
    return tuple(replace(c, crossing_id=f"X{n:03d}") for n, c in enumerate([*drawn, *channels.found], 1))


def _drained(crossing: Crossing, drained: SiteDrainage) -> Crossing:
    """Crossing with the area that drains through it, where it is over water."""
    if crossing.zone_type != "water" or not len(drained.channels.segments):
        return crossing
    area = drained.channels.drained_at(crossing.line, drained.half_width_m)
    return replace(crossing, drained_area_ha=round(area, 2)) if area > 0 else crossing


def crossings_of(
    roads: Sequence[Road], cables: Sequence[Cable], barriers: Sequence[Barrier], criteria: CrossingCriteria
) -> tuple[Crossing, ...]:
    """Crossings of roads and cables over barriers.

    Cables that share a bore, or lie in a road that crosses, have none of their own. A public road along which a site road
    runs is no crossing; an existing road that the plant uses is an upgrade along the whole stretch.

    Parameters
    ----------
    roads : sequence of Road
        Roads of the layout.
    cables : sequence of Cable
        Collection cables.
    barriers : sequence of Barrier
        Ground that roads and cables may only cross.
    criteria : CrossingCriteria
        Limits of crossings.
    """
    found: list[Crossing] = []
    # existing roads so far: where two overlap, one of them is upgraded
    counted: BaseGeometry = shapely.Polygon()
    for barrier in barriers:
        shapely.prepare(barrier.area)
        over: list[LineString] = []
        for road in roads:
            if barrier.existing:
                used = _stretches(road.line, barrier.area.buffer(road.width_m / 2).difference(counted))
                over += used
                found += _upgrades(used, road, barrier, len(found))
                continue
            for line in _stretches(road.line, barrier.area):
                over.append(line)
                if not (barrier.drivable and line.length > criteria.max_length_m):
                    kind = road_crossing_type(barrier.zone_type, line.length, criteria)
                    found.append(Crossing(_name(found), kind, road.road_id, barrier.name, barrier.zone_type, line))
        if barrier.existing:
            counted = counted.union(barrier.area.buffer(max(r.width_m for r in roads) / 2) if roads else barrier.area)
        in_road = shapely.union_all([line.buffer(IN_ROAD_M) for line in over])
        bores: list[LineString] = []
        for cable in cables:
            for line in _stretches(cable.line, barrier.area):
                if in_road.covers(line) or any(line.hausdorff_distance(b) < SAME_BORE_M for b in bores):
                    continue
                bores.append(line)
                if line.length <= criteria.max_length_m or not barrier.drivable:
                    found.append(Crossing(_name(found), "bore", cable.cable_id, barrier.name, barrier.zone_type, line))
    return tuple(found)


def _upgrades(used: Sequence[LineString], road: Road, barrier: Barrier, before: int) -> list[Crossing]:
    """Stretches of a road on an existing road, cut into equal pieces of the longest length of a crossing.

    Parameters
    ----------
    used : sequence of LineString
        Stretches on the existing road.
    road : Road
        Road that they are part of.
    barrier : Barrier
        The existing road.
    before : int
        Crossings found before.
    """
    pieces = []
    for line in used:
        count = math.ceil(line.length / UPGRADE_PIECE_M)
        pieces += [substring(line, k / count, (k + 1) / count, normalized=True) for k in range(count)]
    return [
        Crossing(f"X{n:03d}", "upgrade", road.road_id, barrier.name, barrier.zone_type, line, existing=True)
        for n, line in enumerate(pieces, before + 1)
    ]


def _name(found: Sequence[Crossing]) -> str:
    """Identifier of the next crossing."""
    return f"X{len(found) + 1:03d}"


def _stretches(line: LineString, area: BaseGeometry) -> list[LineString]:
    """Stretches of a line on an area, in plan."""
    if not area.intersects(line):
        return []
    flat = shapely.force_2d(line)
    on = shapely.intersection(flat, area)
    whole = shapely.line_merge(on) if on.geom_type != "LineString" else on
    parts = [p for p in shapely.get_parts(whole) if isinstance(p, LineString) and p.length > TOUCH_M]
    return sorted(parts, key=lambda p: flat.project(p.interpolate(0.5, normalized=True)))
