"""."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.model.assets import Asset, Pad
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.shortfall import why_less

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.editing.road_graph import Net
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Site


def edited(
    plan: Plan,
    context: EditContext,
    done: Edit,
    site: Site,
    assets: tuple[Asset, ...],
    net: Net,
    *,
    planes: dict[str, PadPlane] | None = None,
) -> Plan:
    """Plan after an edit: works that it did not touch keep their planes, profiles and volumes."""
    planes = planes or {}
    field = context.field(site)
    there = {a.asset_id for a in assets}
    pads = [
        replace(p, plane=planes[p.asset_ids[0]]) if p.asset_ids[0] in planes else p
        for p in plan.pad_list
        if p.asset_ids[0] in there
    ]
    known = {p.asset_ids[0] for p in pads}
    past = max((int(p.pad_id[1:]) for p in plan.pad_list), default=0)
    fresh = [i for i in planes if i not in known]
    pads += [Pad(f"P{past + n:04d}", (i,), planes[i]) for n, i in enumerate(fresh, 1)]
    volume = {id(r): v for r, v in zip(plan.road_list, plan.road_volumes, strict=True)}
    new = [r for r in net.roads if id(r) not in volume]
    found = corridors(field.ground, [r.line for r in new], [r.width_m for r in new], criteria=context.earthwork)
    volume |= {id(r): v for r, v in zip(new, found, strict=True)}
    volumes = tuple(volume[id(r)] for r in net.roads)
    collection = context.cables(site, assets, net.roads)
    ids, was = {r.road_id for r in net.roads}, {r.road_id for r in plan.road_list}
    done = replace(
        done,
        roads_removed=tuple(r for r in plan.road_list if r.road_id not in ids),
        roads_added=tuple(r.road_id for r in net.roads if r.road_id not in was),
    )
    edits = (*plan.edits, done)
    short = shortfall(plan, assets, len(edits))
    kept = [w for w in plan.warnings if w != plan.shortfall and not w.startswith("no legal cable trench")]
    return replace(
        plan,
        site=site,
        buildable=context.buildable(site)[1],
        asset_list=assets,
        pad_list=tuple(pads),
        road_list=net.roads,
        road_volumes=volumes,
        cable_list=collection.cables,
        metrics=context.metrics(plan, site, assets, pads, net.roads, volumes, collection),
        shortfall=short,
        warnings=(*kept, *collection.warnings, *([done.note] if done.note else []), *([short] if short else [])),
        edits=edits,
    )


def shortfall(plan: Plan, assets: Sequence[Asset], edits: int) -> str:
    """Why less stands than was asked for, after edits."""
    got = capacity_of([a.item for a in assets], plan.profile)
    if plan.target_capacity_kw is None or got > plan.target_capacity_kw - smallest_unit_kw(plan.profile, plan.spec):
        return why_less(got, plan.target_capacity_kw, 0.0, plan.unplaced) if plan.unplaced else ""
    said = "; ".join(f"{u.count} x {u.kind}: {u.reason}" for u in plan.unplaced)
    return (
        f"{got:,.0f} kW of the {plan.target_capacity_kw:,.0f} kW asked for stand after {edits} "
        f"{'edit' if edits == 1 else 'edits'}" + (f" ({said})" if said else "")
    )
