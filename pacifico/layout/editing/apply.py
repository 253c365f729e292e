"""What an edit does to a plan: roads pruned, spurs drawn, works measured, everything else carried over."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import EditRefused
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.editing import place_checks as place_
from pacifico.layout.editing import road_graph as roads_
from pacifico.layout.editing.remeasure import edited
from pacifico.layout.editing.road_access import _served, network
from pacifico.layout.editing.road_graph import Wanted
from pacifico.layout.model.assets import Asset, outline, pad_outline
from pacifico.layout.model.edits import SAME_M, Edit, EditKind, pose
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.plan import Plan


def placed(plan: Plan, context: EditContext, kind: EditKind, asset_id: str, item: Item, old: Asset | None) -> Plan:
    """Plan with an asset at a new place, or a new one.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    site, spec = plan.site, context.spec
    field = context.field(site)
    others = [a for a in plan.asset_list if a.asset_id != asset_id]
    pads = [p for p in plan.pad_list if asset_id not in p.asset_ids]
    place_.check_place(asset_id, item, site=site, field=field, spec=spec, others=others, pads=pads)
    if item.kind == "solar_array":
        item = replace(item, block=_block(item, others, asset_id, old))
    elif item.kind == "inverter_skid" and old is not None:
        _check_cables(item, others, asset_id, old)
    footprint, pad = outline(item), pad_outline(item)
    plane = balanced_pads(field.ground, [pad], criteria=context.earthwork)[0] if pad is not None else None
    reach = spec.number("site", "array_reach_m" if item.kind == "solar_array" else "road_reach_m")
    wanted = Wanted(asset_id, footprint, reach, pad, plane)
    road_id, net = _served(plan, context, field, wanted, item, others, old)
    under = place_.statistics(field, item)
    asset = Asset(
        asset_id,
        item,
        footprint,
        float(under.slope_deg[0]),
        float(under.aspect_deg[0]),
        float(under.elevation_m[0]),
        float(np.clip(1 - under.mean_slope_deg[0] / item.slope_limit_deg, 0, 1)),
        f"B{item.block + 1:03d}" if item.block >= 0 else "",
        road_id,
    )
    if old is None:
        assets = (*plan.asset_list, asset)
    else:
        assets = tuple(asset if a.asset_id == asset_id else a for a in plan.asset_list)
    idle = roads_.turnarounds_of(network(plan), Counter(a.service_road_id for a in plan.asset_list))
    done = Edit(
        kind,
        asset_id,
        item.kind,
        before=pose(old.item) if old else None,
        after=pose(item),
        borrowed=road_id if road_id in idle else "",
    )
    fresh = {} if plane is None else {asset_id: plane}
    return edited(plan, context, done, site, assets, net, planes=fresh)


def _block(item: Item, others: Sequence[Asset], name: str, old: Asset | None) -> int:
    kept = 0.0
    if old is not None:
        skid = next((a for a in others if a.item.kind == "inverter_skid" and a.item.block == item.block), None)
        if skid is not None:
            kept = float(np.hypot(*np.subtract(skid.item.centre, old.item.centre)))
    return place_.block_of(item, others, name=name, kept=kept)


def _check_cables(item: Item, others: Sequence[Asset], name: str, old: Asset) -> None:
    """Refuse a skid too far from its arrays."""
    for a in others:
        if a.item.kind == "solar_array" and a.item.block == item.block:
            far = float(np.hypot(*np.subtract(a.item.centre, item.centre)))
            most = max(BLOCK_REACH_M, float(np.hypot(*np.subtract(a.item.centre, old.item.centre))))
            if far > most + SAME_M:
                raise EditRefused(
                    f"{name} would stand {far:.0f} m from {a.asset_id} of its power block, low-voltage cables reach "
                    f"{most:.0f} m; stay nearer, or move the array to another block first"
                )


def without(assets: Sequence[Asset], hit: Sequence[Asset]) -> tuple[tuple[Asset, ...], tuple[Asset, ...]]:
    """Assets less some; what is of no use without them goes too, unless another skid has room for it."""
    gone = {a.asset_id for a in hit}
    left = [a for a in assets if a.asset_id not in gone]
    orphans: list[Asset] = []
    skids = {a.item.block for a in left if a.item.kind == "inverter_skid"}
    for a in [x for x in left if x.item.kind == "solar_array" and x.item.block not in skids]:
        others = [x for x in left if x is not a]
        try:
            block = place_.block_of(replace(a.item, block=-1), others, name=a.asset_id)
        except EditRefused:
            orphans.append(a)
            left = others
        else:
            home = replace(a, item=replace(a.item, block=block), block_id=f"B{block + 1:03d}")
            left = [home if x is a else x for x in left]
    used = {a.item.block for a in left if a.item.kind == "solar_array"}
    idle = [a for a in left if a.item.kind == "inverter_skid" and a.item.block not in used]
    return tuple(a for a in left if a not in idle), (*orphans, *idle)
