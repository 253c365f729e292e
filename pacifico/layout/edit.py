"""Edits of a plan: move, turn, remove or add an asset, add or remove a zone; only what that touches is computed again.

Plans are immutable: an edit that breaks no rule gives a new one, any other is refused with its reason and leaves nothing
behind. What an edit measures is the same, to the last digit that is stated, as measuring the whole plan again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import shapely

from pacifico.errors import EditRefused
from pacifico.layout import edit_place as place_
from pacifico.layout.catalog import AssetKind
from pacifico.layout.edit_apply import (
    Edit,
    edited,
    named,
    network,
    placed,
    pose,
    recomputed,
    shares,
    without,
    without_dead,
)
from pacifico.layout.edit_bench import Bench

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.plan import Asset, Plan
    from pacifico.site.model import Zone

__all__ = [
    "Bench",
    "Edit",
    "Editor",
    "add_asset",
    "add_zone",
    "asset_of",
    "edit",
    "move_asset",
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
    bench : Bench
        Ground and caches, for the functions of this module.

    Examples
    --------
    >>> editor = pacifico.edit(plan, dem)                                       # doctest: +SKIP
    >>> editor.move("battery-0003", to_lonlat=(-93.68, 41.95))                  # doctest: +SKIP
    >>> editor.undo()                                                           # doctest: +SKIP
    """

    def __init__(self, plan: Plan, dem: xr.DataArray) -> None:
        self.bench = Bench.of(plan, dem)
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
        return self._took(move_asset(self.plan, asset_id, bench=self.bench, to=to, to_lonlat=to_lonlat))

    def rotate(self, asset_id: str, *, to_deg: float) -> Plan:
        """See `rotate_asset`."""
        return self._took(rotate_asset(self.plan, asset_id, bench=self.bench, to_deg=to_deg))

    def remove(self, asset_id: str, *, with_block: bool = False) -> Plan:
        """See `remove_asset`."""
        return self._took(remove_asset(self.plan, asset_id, bench=self.bench, with_block=with_block))

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
                self.plan, kind, bench=self.bench, at=at, at_lonlat=at_lonlat, rotation_deg=rotation_deg, units=units
            )
        )

    def add_zone(
        self,
        zone: Zone,
        *,
        assets: Literal["refuse", "remove"] = "refuse",
        roads: Literal["refuse", "recompute"] = "refuse",
    ) -> Plan:
        """See `add_zone`."""
        return self._took(add_zone(self.plan, zone, bench=self.bench, assets=assets, roads=roads))

    def remove_zone(self, name: str) -> Plan:
        """See `remove_zone`."""
        return self._took(remove_zone(self.plan, name, bench=self.bench))

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
    bench: Bench,
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
    item = place_.moved(asset.item, place_.place_of(plan, to, to_lonlat, ("to", "to_lonlat")))
    return placed(plan, bench, "move", asset_id, item, asset)


def rotate_asset(plan: Plan, asset_id: str, *, bench: Bench, to_deg: float) -> Plan:
    """Plan with an asset turned about its middle to an angle, anticlockwise from where its length runs east [°].

    Raises
    ------
    EditRefused
        It breaks a rule there.
    """
    if not np.isfinite(to_deg):
        raise EditRefused(f"the angle {to_deg} is no number; give degrees, such as 30")
    asset = asset_of(plan, asset_id)
    return placed(plan, bench, "rotate", asset_id, place_.turned(asset.item, float(to_deg)), asset)


def add_asset(
    plan: Plan,
    kind: AssetKind,
    *,
    bench: Bench,
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
    item = place_.turned(place_.new_item(plan, kind, units), rotation_deg)
    item = place_.moved(item, place_.place_of(plan, at, at_lonlat, ("at", "at_lonlat")))
    if kind == "inverter_skid":
        item = replace(item, block=1 + max((a.item.block for a in plan.asset_list), default=-1))
    used = {i for e in plan.edits for i in (e.subject, *e.also)} | {a.asset_id for a in plan.asset_list}
    last = max((int(i.rpartition("-")[2]) for i in used if i.startswith(f"{kind}-")), default=0)
    return placed(plan, bench, "add", f"{kind}-{last + 1:04d}", item, None)


def remove_asset(plan: Plan, asset_id: str, *, bench: Bench, with_block: bool = False) -> Plan:
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
        net, assets, [a.service_road_id for a in (asset, *also)], plan, bench, bench.field(plan.site)
    )
    done = Edit("remove", asset_id, asset.item.kind, before=pose(asset.item), also=tuple(a.asset_id for a in also))
    return edited(plan, bench, done, plan.site, assets, left.plus(added))


def add_zone(
    plan: Plan,
    zone: Zone,
    *,
    bench: Bench,
    assets: Literal["refuse", "remove"] = "refuse",
    roads: Literal["refuse", "recompute"] = "refuse",
) -> Plan:
    """Plan with one more exclusion zone.

    Parameters
    ----------
    zone : Zone
        In the working CRS; its name is how it is called later.
    assets : 'refuse' or 'remove'
        What to do with assets on it.
    roads : 'refuse' or 'recompute'
        What to do where a road that is still needed runs on it: 'recompute' lays all roads anew, and says so.

    Raises
    ------
    EditRefused
        Assets or roads are in the way and may not be changed, or nothing would be left.
    """
    name = zone.name or f"zone {1 + len(plan.site.exclusions)}"
    if any(z.name == name for z in plan.site.exclusions):
        raise EditRefused(f"there is a zone {name!r} already; give another name, or remove it first")
    zone = replace(zone, name=name)
    if zone.geometry.is_empty or not zone.geometry.is_valid:
        raise EditRefused(f"zone {name!r} is no valid polygon; repair it with shapely.make_valid")
    site = replace(plan.site, exclusions=(*plan.site.exclusions, zone))
    if zone.zone_type == "cost":
        return edited(plan, bench, Edit("add_zone", name), site, plan.asset_list, network(plan))
    area = zone.geometry.buffer(zone.buffer_m) if zone.buffer_m else zone.geometry
    if area.intersects(plan.entry):
        raise EditRefused(f"zone {name!r} would cover the site entry; leave the entry free, or lay the site out anew")
    hit = [a for a in plan.asset_list if shares(place_.pad_outline(a.item) or a.footprint, area)]
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
    done = Edit("add_zone", name, also=also)
    field = bench.field(site)
    net, added = without_dead(network(plan), left, [a.service_road_id for a in (*hit, *orphans)], plan, bench, field)
    strips = [r.road_id for r in net.roads if r.line.distance(area) < r.width_m / 2]
    if not strips:
        return edited(plan, bench, done, site, left, net.plus(added))
    if roads == "refuse":
        raise EditRefused(
            f"zone {name!r} would cover {len(strips)} roads that are needed ({named(strips)}), none may be on it; "
            "make it smaller, or let it lay the roads anew"
        )
    return recomputed(plan, bench, done, site, left)


def remove_zone(plan: Plan, name: str, *, bench: Bench) -> Plan:
    """Plan without an exclusion zone; what stands stays as it is.

    Raises
    ------
    EditRefused
        There is no zone of that name, or several.
    """
    known = [z.name for z in plan.site.exclusions]
    if known.count(name) != 1:
        raise EditRefused(
            f"{known.count(name)} zones are called {name!r}, one is needed; the zones are: {named(known) or 'none'}"
        )
    site = replace(plan.site, exclusions=tuple(z for z in plan.site.exclusions if z.name != name))
    return edited(plan, bench, Edit("remove_zone", name), site, plan.asset_list, network(plan))


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
