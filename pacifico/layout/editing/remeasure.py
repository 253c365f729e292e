"""Plan after an edit, with only the changed works measured again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.ground.crossing_records import all_crossings
from pacifico.layout.ground.fences import plant_fences
from pacifico.layout.model.assets import Asset, Pad
from pacifico.layout.model.racking import RACKING_WARNING
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.shortfall import explaining, reasons_in_words, why_less

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.editing.change import Change
    from pacifico.layout.editing.road_graph import RoadGraph
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.plan import Plan


def remeasured(
    change: Change, assets: tuple[Asset, ...], roads: RoadGraph, *, planes: Mapping[str, PadPlane] | None = None
) -> Plan:
    """Plan after an edit; unchanged pads and roads keep their volumes.

    Parameters
    ----------
    change : Change
        The edit under way.
    assets : tuple of Asset
        All assets after the edit.
    roads : RoadGraph
        All roads after the edit.
    planes : mapping, optional
        New pad planes, by asset_id.
    """
    plan, context = change.plan, change.context
    collection = context.cables(change.site, assets, roads.roads)
    done = _with_roads(change.edit, plan, roads)
    edits = (*plan.edits, done)
    shortfall = shortfall_after(plan, assets, len(edits))
    stale = {plan.shortfall, *plan.cable_warnings}
    kept = [w for w in plan.warnings if w not in stale and not w.startswith(RACKING_WARNING)]
    new = replace(
        plan,
        site=change.site,
        buildable=context.buildable(change.site)[1],
        asset_list=assets,
        pad_list=_pads(plan, assets, planes or {}),
        road_list=roads.roads,
        road_volumes=_volumes(change, roads),
        cable_list=collection.cables,
        cable_warnings=collection.warnings,
        shortfall=shortfall,
        warnings=(*kept, *(w for w in (*collection.warnings, done.note, shortfall) if w)),
        edits=edits,
        fence_list=plant_fences(change.site, assets, roads.roads),
        crossing_list=all_crossings(change.field, roads.roads, collection.cables, context.spec),
        racking=None,
    )
    return replace(new, metrics=context.metrics(new, collection))


def _pads(plan: Plan, assets: Sequence[Asset], planes: Mapping[str, PadPlane]) -> tuple[Pad, ...]:
    """Pads of the assets, some with new planes, new pads last."""
    present = {a.asset_id for a in assets}
    pads = [
        replace(p, plane=planes[p.asset_ids[0]]) if p.asset_ids[0] in planes else p
        for p in plan.pad_list
        if p.asset_ids[0] in present
    ]
    with_pad = {p.asset_ids[0] for p in pads}
    last = max((int(p.pad_id[1:]) for p in plan.pad_list), default=0)
    new = [i for i in planes if i not in with_pad]
    return (*pads, *(Pad(f"P{last + n:04d}", (i,), planes[i]) for n, i in enumerate(new, 1)))


def _volumes(change: Change, roads: RoadGraph) -> tuple[CorridorVolumes, ...]:
    """Volumes of all roads; those of the plan's own roads are known."""
    plan = change.plan
    known = {id(r): v for r, v in zip(plan.road_list, plan.road_volumes, strict=True)}
    new = [r for r in roads.roads if id(r) not in known]
    found = corridors(
        change.field.ground, [r.line for r in new], [r.width_m for r in new], criteria=change.context.earthwork
    )
    known |= {id(r): v for r, v in zip(new, found, strict=True)}
    return tuple(known[id(r)] for r in roads.roads)


def _with_roads(edit: Edit, plan: Plan, roads: RoadGraph) -> Edit:
    """Record of an edit with the roads that it removed and added."""
    now, before = {r.road_id for r in roads.roads}, {r.road_id for r in plan.road_list}
    return replace(
        edit,
        roads_removed=tuple(r for r in plan.road_list if r.road_id not in now),
        roads_added=tuple(r.road_id for r in roads.roads if r.road_id not in before),
    )


def shortfall_after(plan: Plan, assets: Sequence[Asset], edits: int) -> str:
    """Why an edited plan misses its target; empty if it does not.

    Parameters
    ----------
    plan : Plan
        Plan before the last edit.
    assets : sequence of Asset
        Assets after it.
    edits : int
        Number of edits so far.
    """
    got = capacity_of([a.item for a in assets], plan.profile)
    if plan.target_capacity_kw is None or got > plan.target_capacity_kw - smallest_unit_kw(plan.profile, plan.spec):
        return why_less(got, plan.target_capacity_kw, 0.0, plan.unplaced) if plan.unplaced else ""
    reasons = reasons_in_words(explaining(plan.unplaced, plan.target_capacity_kw - got, plan.spec, plan.profile))
    return (
        f"{got:,.0f} kW of the {plan.target_capacity_kw:,.0f} kW asked for stand after {edits} "
        f"{'edit' if edits == 1 else 'edits'}" + (f" ({reasons})" if reasons else "")
    )
