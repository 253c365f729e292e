"""Edits of a plan: move, turn, remove or add an asset; add, move or remove a zone; only what that touches is computed again.

Plans are immutable: an edit that breaks no rule gives a new one, any other is refused with its reason and leaves nothing
behind. What an edit measures is the same, to the last digit that is stated, as measuring the whole plan again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import shapely

from pacifico.errors import EditRefused, named
from pacifico.layout.criteria.asset_types import AssetKind
from pacifico.layout.editing import place_checks as place_
from pacifico.layout.editing.apply import placed
from pacifico.layout.editing.context import EditContext
from pacifico.layout.editing.remeasure import edited
from pacifico.layout.editing.road_access import network, without_dead
from pacifico.layout.editing.zones import add_zone, move_zone, remove_zone
from pacifico.layout.model.assets import move_item, rotate_item
from pacifico.layout.model.edits import Edit, pose

if TYPE_CHECKING:
    import xarray as xr

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
    "remove_asset",
    "remove_zone",
    "rotate_asset",
]


class Editor:
    """Edits of one plan, one after the other, with undo and redo.

    Attributes
    ----------
    plan : Plan
        As it stands now.
    context : Bench
        Ground and caches, for the functions of this module.

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

    @property
    def plan(self) -> Plan:
        """The plan as it stands now."""
        return self._past[-1]

    def move(
        self, asset_id: str, *, to: tuple[float, float] | None = None, to_lonlat: tuple[float, float] | None = None
    ) -> Plan:
        """See `move_asset`."""
        return self._took(move_asset(self.plan, asset_id, context=self.context, to=to, to_lonlat=to_lonlat))

    def rotate(self, asset_id: str, *, to_deg: float) -> Plan:
        """See `rotate_asset`."""
        return self._took(rotate_asset(self.plan, asset_id, context=self.context, to_deg=to_deg))

    def remove(self, asset_id: str, *, with_block: bool = False) -> Plan:
        """See `remove_asset`."""
        return self._took(remove_asset(self.plan, asset_id, context=self.context, with_block=with_block))

    def add(
        self,
        kind: AssetKind,
        *,
        at: tuple[float, float] | None = None,
        at_lonlat: tuple[float, float] | None = None,
        rotation_deg: float = 0.0,
        units: int | None = None,
    ) -> Plan:
        """See `add_asset`."""
        return self._took(
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

    def add_zone(
        self,
        zone: Zone,
        *,
        assets: Literal["refuse", "remove"] = "refuse",
        roads: Literal["reroute", "recompute", "refuse"] = "reroute",
    ) -> Plan:
        """See `add_zone`."""
        return self._took(add_zone(self.plan, zone, context=self.context, assets=assets, roads=roads))

    def move_zone(
        self,
        name: str,
        *,
        by: tuple[float, float],
        assets: Literal["refuse", "remove"] = "refuse",
        roads: Literal["reroute", "recompute", "refuse"] = "reroute",
    ) -> Plan:
        """See `move_zone`."""
        return self._took(move_zone(self.plan, name, context=self.context, by=by, assets=assets, roads=roads))

    def remove_zone(self, name: str) -> Plan:
        """See `remove_zone`."""
        return self._took(remove_zone(self.plan, name, context=self.context))

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return len(self._past) > 1

    @property
    def can_redo(self) -> bool:
        """Whether there is an edit that was taken back."""
        return bool(self._future)

    def undo(self) -> Plan:
        """Take the last edit back.

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
        """Make the last edit that was taken back again.

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
        """Asset whose footprint covers a place in the working CRS [m] or in degrees; None where there is none."""
        point = shapely.Point(place_.place_of(self.plan, place, lonlat, ("place", "lonlat")))
        return next((a for a in self.plan.asset_list if a.footprint.covers(point)), None)

    def _took(self, plan: Plan) -> Plan:
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
        The one that the plan was made on.

    Raises
    ------
    InputError
        For another DEM.
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
    """Plan with an asset's middle at another place: in the working CRS [m], or longitude and latitude [°].

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    asset = asset_of(plan, asset_id)
    item = move_item(asset.item, place_.place_of(plan, to, to_lonlat, ("to", "to_lonlat")))
    return placed(plan, context, "move", asset_id, item, asset)


def rotate_asset(plan: Plan, asset_id: str, *, context: EditContext, to_deg: float) -> Plan:
    """Plan with an asset turned about its middle to an angle, anticlockwise from where its length runs east [°].

    Raises
    ------
    EditRefused
        It breaks a rule there.
    """
    if not np.isfinite(to_deg):
        raise EditRefused(f"the angle {to_deg} is no number; give degrees, such as 30")
    asset = asset_of(plan, asset_id)
    return placed(plan, context, "rotate", asset_id, rotate_item(asset.item, float(to_deg)), asset)


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
    """Plan with one more asset, its middle at a place in the working CRS [m] or in degrees.

    Parameters
    ----------
    kind : str
        Asset type, in the catalog's size; a substation has the size of the first that stands.
    units : int, optional
        Of a solar array: how many units of rows join in it; by default the most.

    Raises
    ------
    EditRefused
        The place breaks a rule, or no road reaches it.
    """
    if kind not in get_args(AssetKind):
        raise EditRefused(f"asset type {kind!r} is unknown; choose from {', '.join(get_args(AssetKind))}")
    if units is not None and kind != "solar_array":
        raise EditRefused(f"units = {units} is for solar arrays; leave it out for a {kind}")
    item = rotate_item(place_.new_item(plan, kind, units), rotation_deg)
    item = move_item(item, place_.place_of(plan, at, at_lonlat, ("at", "at_lonlat")))
    if kind == "inverter_skid":
        item = replace(item, block=1 + max((a.item.block for a in plan.asset_list), default=-1))
    used = {i for e in plan.edits for i in (e.subject, *e.also)} | {a.asset_id for a in plan.asset_list}
    last = max((int(i.rpartition("-")[2]) for i in used if i.startswith(f"{kind}-")), default=0)
    return placed(plan, context, "add", f"{kind}-{last + 1:04d}", item, None)


def remove_asset(plan: Plan, asset_id: str, *, context: EditContext, with_block: bool = False) -> Plan:
    """Plan without an asset, and without the roads that led to it alone.

    An inverter skid whose last array goes, goes with it.

    Parameters
    ----------
    with_block : bool
        With an inverter skid its arrays go too; else a skid with arrays is refused.

    Raises
    ------
    EditRefused
        Others need it.
    """
    asset = asset_of(plan, asset_id)
    block = [a for a in plan.asset_list if a.item.block == asset.item.block >= 0 and a is not asset]
    also: list[Asset] = []
    if asset.item.kind == "inverter_skid" and block:
        if not with_block:
            raise EditRefused(
                f"{asset_id} serves {len(block)} solar arrays of power block {asset.block_id}, a block needs one skid; "
                "remove them with it (with_block), or move it"
            )
        also = block
    elif asset.item.kind == "solar_array" and len(block) == 1:
        also = block
    elif asset.item.kind == "substation" and sum(a.item.kind == "substation" for a in plan.asset_list) == 1:
        raise EditRefused(f"{asset_id} is the only substation, a plant needs one; move it, or add another first")
    gone = {asset_id, *(a.asset_id for a in also)}
    if len(gone) == len(plan.asset_list):
        raise EditRefused(f"{asset_id} is all that stands, a layout needs one asset; lay the site out anew instead")
    assets = tuple(a for a in plan.asset_list if a.asset_id not in gone)
    net = network(plan)
    left, added = without_dead(
        net, assets, [a.service_road_id for a in (asset, *also)], plan, context, context.field(plan.site)
    )
    done = Edit("remove", asset_id, asset.item.kind, before=pose(asset.item), also=tuple(a.asset_id for a in also))
    return edited(plan, context, done, plan.site, assets, left.plus(added))


def asset_of(plan: Plan, asset_id: str) -> Asset:
    """Asset of an identifier.

    Raises
    ------
    EditRefused
        There is none.
    """
    found = next((a for a in plan.asset_list if a.asset_id == asset_id), None)
    if found is None:
        alike = [a.asset_id for a in plan.asset_list if a.asset_id.startswith(asset_id.partition("-")[0])]
        raise EditRefused(
            f"there is no asset {asset_id!r}; there are {named(alike or [a.asset_id for a in plan.asset_list])}"
        )
    return found
