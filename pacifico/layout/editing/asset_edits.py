"""Edits of single assets: move, rotate, add and remove."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np

from pacifico.errors import EditRefused, named
from pacifico.layout.editing.apply import place_asset
from pacifico.layout.editing.change import Change
from pacifico.layout.editing.place_checks import new_item, resolve_place
from pacifico.layout.editing.remeasure import remeasured
from pacifico.layout.editing.road_access import without_unneeded
from pacifico.layout.model.assets import move_item, rotate_item
from pacifico.layout.model.edits import Edit, pose
from pacifico.vocabulary import AssetKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan


def move_asset(
    plan: Plan,
    asset_id: str,
    *,
    context: EditContext,
    to: tuple[float, float] | None = None,
    to_lonlat: tuple[float, float] | None = None,
) -> Plan:
    """Plan with an asset moved.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    asset_id : str
        Identifier of the asset.
    context : EditContext
        Ground and criteria of the edits.
    to : (float, float), optional
        New centre in the working CRS [m].
    to_lonlat : (float, float), optional
        New centre as longitude and latitude [°]; give one of the two.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    here = context.in_frame(plan)
    asset = asset_of(here, asset_id)
    item = move_item(asset.item, context.place_in_frame(resolve_place(plan, to, to_lonlat, ("to", "to_lonlat"))))
    return context.on_map(place_asset(here, context, "move", item, asset_id=asset_id, old=asset))


def rotate_asset(plan: Plan, asset_id: str, *, context: EditContext, to_deg: float) -> Plan:
    """Plan with an asset rotated about its centre.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    asset_id : str
        Identifier of the asset.
    context : EditContext
        Ground and criteria of the edits.
    to_deg : float
        New angle, anticlockwise from length due east [°].

    Raises
    ------
    EditRefused
        The asset breaks a rule at that angle.
    """
    if not np.isfinite(to_deg):
        raise EditRefused(f"the angle {to_deg} is no number; give degrees, such as 30")
    here = context.in_frame(plan)
    asset = asset_of(here, asset_id)
    item = rotate_item(asset.item, context.rotation_in_frame(float(to_deg)))
    return context.on_map(place_asset(here, context, "rotate", item, asset_id=asset_id, old=asset))


def add_asset(
    plan: Plan,
    kind: AssetKind,
    *,
    context: EditContext,
    at: tuple[float, float] | None = None,
    at_lonlat: tuple[float, float] | None = None,
    rotation_deg: float | None = None,
    units: int | None = None,
) -> Plan:
    """Plan with one more asset.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    kind : str
        Asset type, in the catalog's size. A substation gets the size of the largest in the layout.
    context : EditContext
        Ground and criteria of the edits.
    at : (float, float), optional
        Centre in the working CRS [m].
    at_lonlat : (float, float), optional
        Centre as longitude and latitude [°]; give one of the two.
    rotation_deg : float, optional
        Angle, anticlockwise from length due east [°]; by default that of the layout's row azimuth.
    units : int, optional
        Number of row units of a solar array; by default the most.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    if kind not in get_args(AssetKind):
        raise EditRefused(f"asset type {kind!r} is unknown; choose from {', '.join(get_args(AssetKind))}")
    if units is not None and kind != "solar_array":
        raise EditRefused(f"units = {units} is for solar arrays; leave it out for a {kind}")
    rotation = 0.0 if rotation_deg is None else context.rotation_in_frame(rotation_deg)
    item = rotate_item(new_item(plan, kind, units), rotation)
    item = move_item(item, context.place_in_frame(resolve_place(plan, at, at_lonlat, ("at", "at_lonlat"))))
    if kind == "inverter_skid":
        item = replace(item, block=1 + max((a.item.block for a in plan.asset_list), default=-1))
    used = {i for e in plan.edits for i in (e.subject, *e.also)} | {a.asset_id for a in plan.asset_list}
    last = max((int(i.rpartition("-")[2]) for i in used if i.startswith(f"{kind}-")), default=0)
    here = context.in_frame(plan)
    return context.on_map(place_asset(here, context, "add", item, asset_id=f"{kind}-{last + 1:04d}", old=None))


def remove_asset(plan: Plan, asset_id: str, *, context: EditContext, with_block: bool = False) -> Plan:
    """Plan without an asset and without the roads that only it needed.

    The last array of a block takes its inverter skid with it.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    asset_id : str
        Identifier of the asset.
    context : EditContext
        Ground and criteria of the edits.
    with_block : bool
        Remove the arrays of an inverter skid with it; otherwise a skid with arrays is refused.

    Raises
    ------
    EditRefused
        Other assets need it.
    """
    plan = context.in_frame(plan)
    asset = asset_of(plan, asset_id)
    also = _removed_with(plan, asset, with_block=with_block)
    return _without(plan, context, asset, also)


def remove_arrays(plan: Plan, asset_ids: Collection[str], *, context: EditContext) -> Plan:
    """Plan without some solar arrays, and without the roads that only they needed.

    The last array of a block takes its inverter skid with it.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    asset_ids : collection of str
        Identifiers of the arrays, at least one.
    context : EditContext
        Ground and criteria of the edits.

    Raises
    ------
    EditRefused
        They are all that stands.
    """
    first, *rest = (a for a in plan.asset_list if a.asset_id in asset_ids)
    stay = {a.item.block for a in plan.asset_list if a.item.kind == "solar_array" and a.asset_id not in asset_ids}
    empty = {a.item.block for a in (first, *rest)} - stay
    skids = [a for a in plan.asset_list if a.item.kind == "inverter_skid" and a.item.block in empty]
    return _without(plan, context, first, [*rest, *skids])


def _without(plan: Plan, context: EditContext, asset: Asset, also: Sequence[Asset]) -> Plan:
    """Plan without an asset and others that go with it.

    Parameters
    ----------
    plan : Plan
        Plan before the edit.
    context : EditContext
        Ground and criteria of the edits.
    asset : Asset
        Asset to remove.
    also : sequence of Asset
        Assets that go with it.

    Raises
    ------
    EditRefused
        They are all that stands.
    """
    removed = {asset.asset_id, *(a.asset_id for a in also)}
    if len(removed) == len(plan.asset_list):
        raise EditRefused(
            f"{asset.asset_id} is all that stands, a layout needs one asset; generate another layout instead"
        )
    assets = tuple(a for a in plan.asset_list if a.asset_id not in removed)
    done = Edit(
        "remove", asset.asset_id, asset.item.kind, before=pose(asset.item), also=tuple(a.asset_id for a in also)
    )
    change = Change(plan, context, done, plan.site)
    roads = without_unneeded(change, change.roads, assets, [a.service_road_id for a in (asset, *also)])
    return context.on_map(remeasured(change, assets, roads))


def _removed_with(plan: Plan, asset: Asset, *, with_block: bool) -> list[Asset]:
    """Assets that must go with one.

    Raises
    ------
    EditRefused
        It is the only substation, or the skid of arrays that stay.
    """
    kind, block_id = asset.item.kind, asset.block_id
    block = [a for a in plan.asset_list if a.item.block == asset.item.block >= 0 and a is not asset]
    if kind == "inverter_skid" and block:
        if not with_block:
            raise EditRefused(
                f"{asset.asset_id} serves {len(block)} solar arrays of power block {block_id}, a block needs one skid; "
                "remove them with it (with_block), or move it"
            )
        return block
    if kind == "substation" and sum(a.item.kind == "substation" for a in plan.asset_list) == 1:
        raise EditRefused(f"{asset.asset_id} is the only substation, a plant needs one; move it, or add another first")
    return block if kind == "solar_array" and len(block) == 1 else []


def asset_of(plan: Plan, asset_id: str) -> Asset:
    """Asset of a plan by its identifier.

    Raises
    ------
    EditRefused
        The plan has no such asset.
    """
    found = next((a for a in plan.asset_list if a.asset_id == asset_id), None)
    if found is None:
        alike = [a.asset_id for a in plan.asset_list if a.asset_id.startswith(asset_id.partition("-")[0])]
        raise EditRefused(
            f"there is no asset {asset_id!r}; there are {named(alike or [a.asset_id for a in plan.asset_list])}"
        )
    return found
