"""Edits of zones: ground that is closed, moved or opened by hand; roads on it are led round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from shapely.affinity import translate

from pacifico.errors import EditRefused, named
from pacifico.layout.editing import place_checks
from pacifico.layout.editing.apply import without
from pacifico.layout.editing.remeasure import edited
from pacifico.layout.editing.reroute import recomputed, rerouted
from pacifico.layout.editing.road_access import network, without_dead
from pacifico.layout.model.assets import pad_outline
from pacifico.layout.model.edits import Edit

if TYPE_CHECKING:
    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site, Zone


def add_zone(
    plan: Plan,
    zone: Zone,
    *,
    context: EditContext,
    assets: Literal["refuse", "remove"] = "refuse",
    roads: Literal["reroute", "recompute", "refuse"] = "reroute",
) -> Plan:
    """Plan with one more exclusion zone.

    Parameters
    ----------
    zone : Zone
        In the working CRS; its name is how it is called later.
    assets : 'refuse' or 'remove'
        What to do with assets on it.
    roads : 'reroute', 'recompute' or 'refuse'
        What to do where a road that is still needed runs on it: 'reroute' leads the stretches on it round, all else stays;
        'recompute' lays all roads anew where that can't be done, and says so.

    Raises
    ------
    EditRefused
        Assets or roads are in the way and may not be changed, or nothing would be left.
    """
    name = zone.name or f"zone {1 + len(plan.site.exclusions)}"
    if any(z.name == name for z in plan.site.exclusions):
        raise EditRefused(f"there is a zone {name!r} already; give another name, or remove it first")
    zone = replace(zone, name=name)
    site = replace(plan.site, exclusions=(*plan.site.exclusions, zone))
    return _zoned(plan, zone, Edit("add_zone", name), site, context, assets=assets, roads=roads)


def move_zone(
    plan: Plan,
    name: str,
    *,
    context: EditContext,
    by: tuple[float, float],
    assets: Literal["refuse", "remove"] = "refuse",
    roads: Literal["reroute", "recompute", "refuse"] = "reroute",
) -> Plan:
    """Plan with an exclusion zone moved by so much to the east and north [m]; otherwise as `add_zone`.

    Raises
    ------
    EditRefused
        There is no zone of that name, or several; or as for `add_zone`.
    """
    if not np.isfinite(by).all():
        raise EditRefused(f"the way {by} is no pair of numbers; give metres to the east and to the north")
    known = _zone_named(plan, name)
    zone = replace(known, geometry=translate(known.geometry, *by))
    site = replace(plan.site, exclusions=tuple(zone if z is known else z for z in plan.site.exclusions))
    return _zoned(plan, zone, Edit("move_zone", name), site, context, assets=assets, roads=roads)


def _zoned(plan: Plan, zone: Zone, done: Edit, site: Site, context: EditContext, *, assets: str, roads: str) -> Plan:
    """Plan on a site with a zone at its new place."""
    name = zone.name
    if zone.geometry.is_empty or not zone.geometry.is_valid:
        raise EditRefused(f"zone {name!r} is no valid polygon; repair it with shapely.make_valid")
    if zone.zone_type == "cost":
        return edited(plan, context, done, site, plan.asset_list, network(plan))
    area = zone.with_buffer
    if area.intersects(plan.entry):
        raise EditRefused(f"zone {name!r} would cover the site entry; leave the entry free, or lay the site out anew")
    closed = area.buffer(-place_checks.SLACK_M)
    hit = [a for a in plan.asset_list if closed.intersects(pad_outline(a.item) or a.footprint)]
    if hit and assets == "refuse":
        raise EditRefused(
            f"zone {name!r} would cover {len(hit)} assets ({named(a.asset_id for a in hit)}), none may be on it; "
            "move them first, or let it remove them"
        )
    left, orphans = without(plan.asset_list, hit)
    also = tuple(a.asset_id for a in (*hit, *orphans))
    if not any(a.item.capacity_kw or a.item.storage_kw for a in left) or not any(
        a.item.kind == "substation" for a in left
    ):
        raise EditRefused(
            f"zone {name!r} would leave no plant with a substation; make it smaller, or lay the site out anew"
        )
    done = replace(done, also=also)
    field = context.field(site)
    net, added = without_dead(network(plan), left, [a.service_road_id for a in (*hit, *orphans)], plan, context, field)
    strips = [r.road_id for r in net.roads if r.line.distance(area) < r.width_m / 2]
    if not strips:
        return edited(plan, context, done, site, left, net.plus(added))
    if roads == "refuse":
        raise EditRefused(
            f"zone {name!r} would cover {len(strips)} roads that are needed ({named(strips)}), none may be on it; "
            "make it smaller, or let it lead the roads round"
        )
    try:
        return rerouted(plan, context, done, site, left, net.plus(added), area)
    except EditRefused:
        if roads != "recompute":
            raise
        return recomputed(plan, context, done, site, left)


def remove_zone(plan: Plan, name: str, *, context: EditContext) -> Plan:
    """Plan without an exclusion zone; what stands stays as it is.

    Raises
    ------
    EditRefused
        There is no zone of that name, or several.
    """
    gone = _zone_named(plan, name)
    site = replace(plan.site, exclusions=tuple(z for z in plan.site.exclusions if z is not gone))
    return edited(plan, context, Edit("remove_zone", name), site, plan.asset_list, network(plan))


def _zone_named(plan: Plan, name: str) -> Zone:
    known = [z for z in plan.site.exclusions if z.name == name]
    if len(known) != 1:
        there = named(z.name for z in plan.site.exclusions) or "none"
        raise EditRefused(f"{len(known)} zones are called {name!r}, one is needed; the zones are: {there}")
    return known[0]
