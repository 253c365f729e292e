"""Plans whose roads are led around closed ground, or made again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.errors import EditRefused, named
from pacifico.layout.access.connect import connect_roads
from pacifico.layout.editing.change import Change
from pacifico.layout.editing.detours import lead_around
from pacifico.layout.editing.remeasure import remeasured
from pacifico.layout.editing.road_graph import RoadGraph, RoadTarget
from pacifico.layout.editing.stretches import Detour
from pacifico.layout.model.assets import pad_outline
from pacifico.layout.model.edits import Edit
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan


def rerouted(change: Change, assets: Sequence[Asset], roads: RoadGraph, area: BaseGeometry) -> Plan:
    """Plan with its roads led around an area; other roads stay.

    Parameters
    ----------
    change : Change
        The edit under way.
    assets : sequence of Asset
        Assets that remain.
    roads : RoadGraph
        Roads that are still needed.
    area : geometry
        Ground that is closed.

    Raises
    ------
    EditRefused
        No road leads around it.
    """
    spec, planes = change.context.spec, {p.asset_ids[0]: p.plane for p in change.plan.pad_list}
    targets = {
        a.asset_id: RoadTarget(
            a.asset_id,
            a.footprint,
            spec.number("site", "array_reach_m" if a.item.kind == "solar_array" else "road_reach_m"),
            pad_outline(a.item),
            planes.get(a.asset_id),
        )
        for a in assets
    }
    detour = Detour(area, targets, change.constraints(assets))
    served = {a.asset_id: a.service_road_id for a in assets}
    now, serving = lead_around(roads, detour, served, change.next_road_number(roads))
    moved = tuple(
        a if serving[a.asset_id] == a.service_road_id else replace(a, service_road_id=serving[a.asset_id])
        for a in assets
    )
    return remeasured(change, moved, now)


def recomputed(change: Change, assets: Sequence[Asset]) -> Plan:
    """Plan with all roads and pads made again.

    Assets that no road reaches are taken out and named in a note.

    Raises
    ------
    EditRefused
        No substation would be reached, or an asset is at an angle that the road search can't handle.
    """
    angled = [a.asset_id for a in assets if a.item.rotation_deg not in (0.0, 90.0)]
    if angled:
        raise EditRefused(
            f"roads can't be made again around assets at an angle ({named(angled)}); turn them to 0° or 90° first"
        )
    plan = change.plan
    ground = PlacementContext(change.field, change.context.spec)
    draft = Draft([a.item for a in assets])
    served = connect_roads(
        ground, change.site, draft, plan.entry, plan.profile, give_way=(), further=plan.further_entries
    )
    by_item = {a.item: a for a in assets}
    reached = set(served.items)
    unreached = [a.asset_id for item, a in by_item.items() if item not in reached]
    if not any(i.kind == "substation" for i in served.items):
        raise EditRefused("no road would reach a substation any more; choose another zone, or generate another layout")
    road_of = served.network.served
    left = tuple(replace(by_item[i], service_road_id=road_of[k]) for k, i in enumerate(served.items))
    planes = {a.asset_id: p for a, p in zip(left, served.pads, strict=True) if p is not None}
    note = "edit: all roads were laid anew" + (f"; no road reaches {named(unreached)}: taken out" if unreached else "")
    entry = served.network.entry or plan.entry
    further = served.network.further_entries
    roads = RoadGraph(served.network.roads, (entry.x, entry.y), tuple((e.x, e.y) for e in further))
    done = replace(change.edit, also=(*change.edit.also, *unreached), note=note)
    without_roads = replace(plan, road_list=(), road_volumes=(), entry=entry, further_entries=further)
    new = remeasured(replace(change, plan=without_roads, edit=done), left, roads, planes=planes)
    record = replace(done, roads_removed=plan.road_list, roads_added=tuple(r.road_id for r in roads.roads))
    return replace(new, edits=(*plan.edits, record))


def recompute_roads(plan: Plan, *, context: EditContext) -> Plan:
    """Plan with all roads and pads made again for its assets.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    context : EditContext
        Ground and criteria of the edits.

    Raises
    ------
    EditRefused
        No substation would be reached, or an asset is at an angle that the road search can't handle.
    """
    here = context.in_frame(plan)
    return context.on_map(recomputed(Change(here, context, Edit("roads", ""), here.site), here.asset_list))
