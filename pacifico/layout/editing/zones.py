"""Zone edits: ground that is closed, moved or opened by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from shapely.affinity import translate

from pacifico.errors import EditRefused, named
from pacifico.layout.editing.apply import without_assets
from pacifico.layout.editing.change import Change
from pacifico.layout.editing.place_checks import SLACK_M
from pacifico.layout.editing.remeasure import remeasured
from pacifico.layout.editing.reroute import recomputed, rerouted
from pacifico.layout.editing.road_access import without_unneeded
from pacifico.layout.model.assets import pad_outline
from pacifico.layout.model.edits import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.editing.road_graph import RoadGraph
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Zone

OnAssets = Literal["refuse", "remove"]
OnRoads = Literal["reroute", "recompute", "refuse"]


def add_zone(
    plan: Plan, zone: Zone, *, context: EditContext, assets: OnAssets = "refuse", roads: OnRoads = "reroute"
) -> Plan:
    """Plan with one more exclusion zone.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    zone : Zone
        In the working CRS. Later edits find it by its name.
    context : EditContext
        Ground and criteria of the edits.
    assets : 'refuse' or 'remove'
        What to do with assets on the zone.
    roads : 'reroute', 'recompute' or 'refuse'
        What to do if a road that is still needed runs on the zone. 'reroute' leads the stretches on it around and keeps
        the rest; 'recompute' makes all roads again if that fails, and notes it.

    Raises
    ------
    EditRefused
        Assets or roads are in the way and may not change, or no plant would be left.
    """
    name = zone.name or f"zone {1 + len(plan.site.exclusions)}"
    if any(z.name == name for z in plan.site.exclusions):
        raise EditRefused(f"there is a zone {name!r} already; give another name, or remove it first")
    here, zone = context.in_frame(plan), context.zone_in_frame(replace(zone, name=name))
    site = replace(here.site, exclusions=(*here.site.exclusions, zone))
    return context.on_map(_with_zone(Change(here, context, Edit("add_zone", name), site), zone, assets, roads))


def move_zone(
    plan: Plan,
    name: str,
    *,
    context: EditContext,
    by: tuple[float, float],
    assets: OnAssets = "refuse",
    roads: OnRoads = "reroute",
) -> Plan:
    """Plan with an exclusion zone moved.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    name : str
        Name of the zone.
    context : EditContext
        Ground and criteria of the edits.
    by : (float, float)
        Distance to the east and to the north [m].
    assets, roads : str
        As for `add_zone`.

    Raises
    ------
    EditRefused
        No zone has that name, or several have it; or as for `add_zone`.
    """
    if not np.isfinite(by).all():
        raise EditRefused(f"the way {by} is no pair of numbers; give metres to the east and to the north")
    here = context.in_frame(plan)
    old = _zone_named(here, name)
    zone = replace(old, geometry=translate(old.geometry, *context.way_in_frame(by)))
    site = replace(here.site, exclusions=tuple(zone if z is old else z for z in here.site.exclusions))
    return context.on_map(_with_zone(Change(here, context, Edit("move_zone", name), site), zone, assets, roads))


def remove_zone(plan: Plan, name: str, *, context: EditContext) -> Plan:
    """Plan without an exclusion zone; assets and roads stay as they are.

    Raises
    ------
    EditRefused
        No zone has that name, or several have it.
    """
    here = context.in_frame(plan)
    old = _zone_named(here, name)
    site = replace(here.site, exclusions=tuple(z for z in here.site.exclusions if z is not old))
    change = Change(here, context, Edit("remove_zone", name), site)
    return context.on_map(remeasured(change, here.asset_list, change.roads))


def _with_zone(change: Change, zone: Zone, on_assets: OnAssets, on_roads: OnRoads) -> Plan:
    """Plan with a zone at its new place.

    Parameters
    ----------
    change : Change
        The edit; its site holds the zone.
    zone : Zone
        The zone at its new place.
    on_assets, on_roads : str
        As for `add_zone`.

    Raises
    ------
    EditRefused
    """
    plan, name = change.plan, zone.name
    if zone.geometry.is_empty or not zone.geometry.is_valid:
        raise EditRefused(f"zone {name!r} is no valid polygon; repair it with shapely.make_valid")
    if zone.zone_type == "cost":
        return remeasured(change, plan.asset_list, change.roads)
    area = zone.with_buffer
    if any(area.intersects(e) for e in plan.entries):
        raise EditRefused(f"zone {name!r} would cover the site entry; leave the entry free, or generate another layout")
    covered = _assets_on(plan, area)
    if covered and on_assets == "refuse":
        raise EditRefused(
            f"zone {name!r} would cover {len(covered)} assets ({named(a.asset_id for a in covered)}), none may be on it; "
            "move them first, or let it remove them"
        )
    left, orphans = without_assets(plan.asset_list, covered)
    _require_plant(left, name)
    removed = (*covered, *orphans)
    change = replace(change, edit=replace(change.edit, also=tuple(a.asset_id for a in removed)))
    roads = without_unneeded(change, change.roads, left, [a.service_road_id for a in removed])
    on_zone = _roads_on(roads, area)
    if not on_zone:
        return remeasured(change, left, roads)
    if on_roads == "refuse":
        raise EditRefused(
            f"zone {name!r} would cover {len(on_zone)} roads that are needed ({named(on_zone)}), none may be on it; "
            "make it smaller, or let it lead the roads round"
        )
    try:
        return rerouted(change, left, roads, area)
    except EditRefused:
        if on_roads != "recompute":
            raise
        return recomputed(change, left)


def _assets_on(plan: Plan, area: BaseGeometry) -> list[Asset]:
    """Assets whose pad or footprint an area covers in part, beyond rounding."""
    closed = area.buffer(-SLACK_M)
    return [a for a in plan.asset_list if closed.intersects(pad_outline(a.item) or a.footprint)]


def _roads_on(roads: RoadGraph, area: BaseGeometry) -> list[str]:
    """Roads whose strip an area covers in part."""
    return [r.road_id for r in roads.roads if r.line.distance(area) < r.width_m / 2]


def _require_plant(assets: Sequence[Asset], name: str) -> None:
    """Refuse a zone that leaves no generation or storage, or no substation."""
    if not any(a.item.capacity_kw or a.item.storage_kw for a in assets) or not any(
        a.item.kind == "substation" for a in assets
    ):
        raise EditRefused(
            f"zone {name!r} would leave no plant with a substation; make it smaller, or generate another layout"
        )


def _zone_named(plan: Plan, name: str) -> Zone:
    """The one zone of a name."""
    found = [z for z in plan.site.exclusions if z.name == name]
    if len(found) != 1:
        known = named(z.name for z in plan.site.exclusions) or "none"
        raise EditRefused(f"{len(found)} zones are called {name!r}, one is needed; the zones are: {known}")
    return found[0]
