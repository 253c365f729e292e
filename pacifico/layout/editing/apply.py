"""Apply asset edits to a plan: place or remove assets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import EditRefused
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.editing.change import Change
from pacifico.layout.editing.place_checks import Surroundings, check_place, find_block, no_block, statistics
from pacifico.layout.editing.remeasure import remeasured
from pacifico.layout.editing.road_access import serve_asset
from pacifico.layout.editing.road_graph import RoadTarget, turnarounds_of
from pacifico.layout.model.assets import Asset, outline, pad_outline
from pacifico.layout.model.edits import SAME_M, Edit, EditKind, pose
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.plan import Plan


def place_asset(
    plan: Plan, context: EditContext, kind: EditKind, item: Item, *, asset_id: str, old: Asset | None
) -> Plan:
    """Plan with an asset moved or added.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    context : EditContext
        Ground and criteria of the edits.
    kind : str
        Kind of edit to record.
    item : Item
        The asset at its new place.
    asset_id : str
        Identifier of the asset.
    old : Asset, optional
        The asset at its old place; None for a new one.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    field = context.field(plan.site)
    others = [a for a in plan.asset_list if a.asset_id != asset_id]
    pads = [p for p in plan.pad_list if asset_id not in p.asset_ids]
    check_place(asset_id, item, Surroundings(plan.site, field, context.spec, others, pads))
    item = _with_block(item, others, asset_id, old)
    pad = pad_outline(item)
    plane = balanced_pads(field.ground, [pad], criteria=context.earthwork)[0] if pad is not None else None
    reach_m = context.spec.number("site", "array_reach_m" if item.kind == "solar_array" else "road_reach_m")
    edit = Edit(kind, asset_id, item.kind, before=pose(old.item) if old else None, after=pose(item))
    change = Change(plan, context, edit, plan.site)
    served = serve_asset(change, RoadTarget(asset_id, outline(item), reach_m, pad, plane), item, others, old)
    turnarounds = turnarounds_of(change.roads, Counter(a.service_road_id for a in plan.asset_list))
    if served.road_id in turnarounds:
        change = replace(change, edit=replace(edit, borrowed=served.road_id))
    asset = _measured(asset_id, item, field, served.road_id)
    if old is None:
        assets = (*plan.asset_list, asset)
    else:
        assets = tuple(asset if a.asset_id == asset_id else a for a in plan.asset_list)
    return remeasured(change, assets, served.roads, planes={} if plane is None else {asset_id: plane})


def _measured(asset_id: str, item: Item, field: Field, road_id: str) -> Asset:
    """Asset with what lies under its footprint.

    Parameters
    ----------
    asset_id : str
        Identifier of the asset.
    item : Item
        The asset at its new place.
    field : Field
        Ground of the site.
    road_id : str
        Road that serves it.
    """
    under = statistics(field, item)
    return Asset(
        asset_id,
        item,
        outline(item),
        float(under.slope_deg[0]),
        float(under.aspect_deg[0]),
        float(under.elevation_m[0]),
        float(np.clip(1 - under.mean_slope_deg[0] / item.slope_limit_deg, 0, 1)),
        _block_id(item.block),
        road_id,
    )


def _block_id(block: int) -> str:
    """Identifier of a power block; '' without one."""
    return f"B{block + 1:03d}" if block >= 0 else ""


def _with_block(item: Item, others: Sequence[Asset], asset_id: str, old: Asset | None) -> Item:
    """Item in the power block that fits its new place.

    Parameters
    ----------
    item : Item
        The asset at its new place.
    others : sequence of Asset
        All other assets.
    asset_id : str
        Asset of the item.
    old : Asset, optional
        The asset at its old place.

    Raises
    ------
    EditRefused
        An array has no skid with room, or a skid is too far from an array of its block.
    """
    if item.kind == "inverter_skid" and old is not None:
        _check_cables(item, others, asset_id, old)
    if item.kind != "solar_array":
        return item
    reach_m = 0.0
    if old is not None:
        skid = next((a for a in others if a.item.kind == "inverter_skid" and a.item.block == item.block), None)
        if skid is not None:
            reach_m = float(np.hypot(*np.subtract(skid.item.centre, old.item.centre)))
    block = find_block(item, others, reach_m=reach_m)
    if block is None:
        raise EditRefused(no_block(asset_id, item))
    return replace(item, block=block)


def _check_cables(item: Item, others: Sequence[Asset], asset_id: str, old: Asset) -> None:
    """Refuse a skid too far from an array of its block.

    Parameters
    ----------
    item : Item
        The skid at its new place.
    others : sequence of Asset
        All other assets.
    asset_id : str
        Identifier of the asset.
    old : Asset
        The skid at its old place; that distance is allowed again.

    Raises
    ------
    EditRefused
    """
    for a in others:
        if a.item.kind == "solar_array" and a.item.block == item.block:
            distance = float(np.hypot(*np.subtract(a.item.centre, item.centre)))
            most = max(BLOCK_REACH_M, float(np.hypot(*np.subtract(a.item.centre, old.item.centre))))
            if distance > most + SAME_M:
                raise EditRefused(
                    f"{asset_id} would stand {distance:.0f} m from {a.asset_id} of its power block, low-voltage cables reach "
                    f"{most:.0f} m; stay nearer, or move the array to another block first"
                )


def without_assets(assets: Sequence[Asset], removed: Sequence[Asset]) -> tuple[tuple[Asset, ...], tuple[Asset, ...]]:
    """Assets that remain, and those that go with the removed ones.

    An array whose skid is removed joins another block, or goes too. A skid whose last array goes is removed.
    """
    removed_ids = {a.asset_id for a in removed}
    left = [a for a in assets if a.asset_id not in removed_ids]
    skid_blocks = {a.item.block for a in left if a.item.kind == "inverter_skid"}
    orphans: list[Asset] = []
    for a in [x for x in left if x.item.kind == "solar_array" and x.item.block not in skid_blocks]:
        others = [x for x in left if x is not a]
        block = find_block(replace(a.item, block=-1), others)
        if block is None:
            orphans.append(a)
            left = others
        else:
            moved = replace(a, item=replace(a.item, block=block), block_id=_block_id(block))
            left = [moved if x is a else x for x in left]
    used = {a.item.block for a in left if a.item.kind == "solar_array"}
    idle = [a for a in left if a.item.kind == "inverter_skid" and a.item.block not in used]
    return tuple(a for a in left if a not in idle), (*orphans, *idle)
