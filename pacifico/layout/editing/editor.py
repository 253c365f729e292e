"""Edit a plan by hand: assets and zones, with undo and redo.

Plans are immutable. An edit returns a new plan, or is refused and changes nothing. The metrics equal those of a new plan.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import shapely

from pacifico.errors import EditRefused, named
from pacifico.layout.editing.apply import place_asset
from pacifico.layout.editing.change import Change
from pacifico.layout.editing.context import EditContext
from pacifico.layout.editing.place_checks import new_item, resolve_place
from pacifico.layout.editing.remeasure import remeasured
from pacifico.layout.editing.reroute import recompute_roads
from pacifico.layout.editing.road_access import without_unneeded
from pacifico.layout.editing.zones import add_zone, move_zone, remove_zone
from pacifico.layout.model.assets import move_item, rotate_item
from pacifico.layout.model.edits import Edit, pose
from pacifico.vocabulary import AssetKind

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.editing.zones import OnAssets, OnRoads
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Zone

__all__ = [
    "Edit",
    "EditContext",
    "Editor",
    "add_asset",
    "add_zone",
    "asset_of",
    "edit",
    "move_asset",
    "move_zone",
    "recompute_roads",
    "remove_asset",
    "remove_zone",
    "rotate_asset",
]


class Editor:
    """Editor of one plan, with undo and redo.

    Attributes
    ----------
    plan : Plan
        The plan as it is now.
    context : EditContext
        Ground and criteria, for the functions of this module.

    Examples
    --------
    >>> editor = pacifico.edit(plan, dem)                                       # doctest: +SKIP
    >>> editor.move("battery-0003", to_lonlat=(-93.68, 41.95))                  # doctest: +SKIP
    >>> editor.undo()                                                           # doctest: +SKIP
    """

    def __init__(self, plan: Plan, dem: xr.DataArray) -> None:
        self.context = EditContext.of(plan, dem)
        self._past: list[Plan] = [plan]
        self._future: list[Plan] = []

    def __repr__(self) -> str:
        return f"<Editor of {self.plan!r}, {len(self._past) - 1} edits>"

    @property
    def plan(self) -> Plan:
        """The plan as it is now."""
        return self._past[-1]

    def move(
        self, asset_id: str, *, to: tuple[float, float] | None = None, to_lonlat: tuple[float, float] | None = None
    ) -> Plan:
        """Move an asset: see `move_asset`."""
        return self._record(move_asset(self.plan, asset_id, context=self.context, to=to, to_lonlat=to_lonlat))

    def rotate(self, asset_id: str, *, to_deg: float) -> Plan:
        """Rotate an asset: see `rotate_asset`."""
        return self._record(rotate_asset(self.plan, asset_id, context=self.context, to_deg=to_deg))

    def remove(self, asset_id: str, *, with_block: bool = False) -> Plan:
        """Remove an asset: see `remove_asset`."""
        return self._record(remove_asset(self.plan, asset_id, context=self.context, with_block=with_block))

    def add(
        self,
        kind: AssetKind,
        *,
        at: tuple[float, float] | None = None,
        at_lonlat: tuple[float, float] | None = None,
        rotation_deg: float = 0.0,
        units: int | None = None,
    ) -> Plan:
        """Add an asset: see `add_asset`.

        Parameters
        ----------
        kind : str
            Asset type, or kind of edit.
        at, at_lonlat : (float, float), optional
            Centre in the working CRS [m], or as longitude and latitude [°].
        rotation_deg : float
            Angle [°].
        units : int, optional
            Number of row units of a solar array.
        """
        return self._record(
            add_asset(
                self.plan,
                kind,
                context=self.context,
                at=at,
                at_lonlat=at_lonlat,
                rotation_deg=rotation_deg,
                units=units,
            )
        )

    def add_zone(self, zone: Zone, *, assets: OnAssets = "refuse", roads: OnRoads = "reroute") -> Plan:
        """Add an exclusion zone: see `add_zone`."""
        return self._record(add_zone(self.plan, zone, context=self.context, assets=assets, roads=roads))

    def move_zone(
        self, name: str, *, by: tuple[float, float], assets: OnAssets = "refuse", roads: OnRoads = "reroute"
    ) -> Plan:
        """Move an exclusion zone: see `move_zone`.

        Parameters
        ----------
        name : str
            Name of the zone.
        by : (float, float)
            Distance to the east and to the north [m].
        assets, roads : str
            As for `add_zone`.
        """
        return self._record(move_zone(self.plan, name, context=self.context, by=by, assets=assets, roads=roads))

    def remove_zone(self, name: str) -> Plan:
        """Remove an exclusion zone: see `remove_zone`."""
        return self._record(remove_zone(self.plan, name, context=self.context))

    def recompute_roads(self) -> Plan:
        """Make all roads and pads again: see `recompute_roads`."""
        return self._record(recompute_roads(self.plan, context=self.context))

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to undo."""
        return len(self._past) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone edit to redo."""
        return bool(self._future)

    def undo(self) -> Plan:
        """Undo the last edit.

        Raises
        ------
        EditRefused
            There is none.
        """
        if not self.can_undo:
            raise EditRefused("there is no edit to take back; the plan is as it was opened")
        self._future.append(self._past.pop())
        return self.plan

    def redo(self) -> Plan:
        """Redo the last edit that was undone.

        Raises
        ------
        EditRefused
            There is none.
        """
        if not self.can_redo:
            raise EditRefused("there is no edit to make again; undo one first")
        self._past.append(self._future.pop())
        return self.plan

    def asset_at(
        self, *, place: tuple[float, float] | None = None, lonlat: tuple[float, float] | None = None
    ) -> Asset | None:
        """Asset at a place in the working CRS [m] or in degrees."""
        point = shapely.Point(resolve_place(self.plan, place, lonlat, ("place", "lonlat")))
        return next((a for a in self.plan.asset_list if a.footprint.covers(point)), None)

    def _record(self, plan: Plan) -> Plan:
        """Make a plan the current one."""
        self._past.append(plan)
        self._future.clear()
        return plan


def edit(plan: Plan, dem: xr.DataArray) -> Editor:
    """Open a plan for edits.

    Parameters
    ----------
    plan : Plan
        As `generate_layout` returns it.
    dem : DataArray
        The DEM that the plan was made on.

    Raises
    ------
    InputError
        The DEM is another one.
    """
    return Editor(plan, dem)


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
    asset = asset_of(plan, asset_id)
    item = move_item(asset.item, resolve_place(plan, to, to_lonlat, ("to", "to_lonlat")))
    return place_asset(plan, context, "move", item, asset_id=asset_id, old=asset)


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
    asset = asset_of(plan, asset_id)
    return place_asset(plan, context, "rotate", rotate_item(asset.item, float(to_deg)), asset_id=asset_id, old=asset)


def add_asset(
    plan: Plan,
    kind: AssetKind,
    *,
    context: EditContext,
    at: tuple[float, float] | None = None,
    at_lonlat: tuple[float, float] | None = None,
    rotation_deg: float = 0.0,
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
    rotation_deg : float
        Angle, anticlockwise from length due east [°].
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
    item = rotate_item(new_item(plan, kind, units), rotation_deg)
    item = move_item(item, resolve_place(plan, at, at_lonlat, ("at", "at_lonlat")))
    if kind == "inverter_skid":
        item = replace(item, block=1 + max((a.item.block for a in plan.asset_list), default=-1))
    used = {i for e in plan.edits for i in (e.subject, *e.also)} | {a.asset_id for a in plan.asset_list}
    last = max((int(i.rpartition("-")[2]) for i in used if i.startswith(f"{kind}-")), default=0)
    return place_asset(plan, context, "add", item, asset_id=f"{kind}-{last + 1:04d}", old=None)


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
    asset = asset_of(plan, asset_id)
    also = _removed_with(plan, asset, with_block=with_block)
    removed = {asset_id, *(a.asset_id for a in also)}
    if len(removed) == len(plan.asset_list):
        raise EditRefused(f"{asset_id} is all that stands, a layout needs one asset; generate another layout instead")
    assets = tuple(a for a in plan.asset_list if a.asset_id not in removed)
    done = Edit("remove", asset_id, asset.item.kind, before=pose(asset.item), also=tuple(a.asset_id for a in also))
    change = Change(plan, context, done, plan.site)
    roads = without_unneeded(change, change.roads, assets, [a.service_road_id for a in (asset, *also)])
    return remeasured(change, assets, roads)


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
