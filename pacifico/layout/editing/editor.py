"""Edit a plan by hand: assets and zones, with undo and redo.

Plans are immutable. An edit returns a new plan, or is refused and changes nothing. The metrics equal those of a new plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from pacifico.errors import EditRefused
from pacifico.layout.editing.asset_edits import add_asset, asset_of, move_asset, remove_asset, rotate_asset
from pacifico.layout.editing.context import EditContext
from pacifico.layout.editing.place_checks import resolve_place
from pacifico.layout.editing.reroute import recompute_roads
from pacifico.layout.editing.zones import add_zone, move_zone, remove_zone
from pacifico.layout.model.edits import Edit

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.editing.zones import OnAssets, OnRoads
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan
    from pacifico.site.model import Zone
    from pacifico.vocabulary import AssetKind

__all__ = [
    "Edit", "EditContext", "Editor", "add_asset", "add_zone", "asset_of", "edit", "move_asset", "move_zone",
    "recompute_roads", "remove_asset", "remove_zone", "rotate_asset",
]  # fmt: skip


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
        """Move an asset; its roads, pad and cables follow.

        Parameters
        ----------
        asset_id : str
            Identifier of the asset.
        to, to_lonlat : (float, float), optional
            New centre in the working CRS [m], or as longitude and latitude [°].

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.move("battery-0003", to_lonlat=(-93.68, 41.95))              # doctest: +SKIP
        """
        return self._record(move_asset(self.plan, asset_id, context=self.context, to=to, to_lonlat=to_lonlat))

    def rotate(self, asset_id: str, *, to_deg: float) -> Plan:
        """Rotate an asset about its centre.

        Parameters
        ----------
        asset_id : str
            Identifier of the asset.
        to_deg : float
            New angle, anticlockwise from east [°].

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.rotate("battery-0003", to_deg=90.0)                          # doctest: +SKIP
        """
        return self._record(rotate_asset(self.plan, asset_id, context=self.context, to_deg=to_deg))

    def remove(self, asset_id: str, *, with_block: bool = False) -> Plan:
        """Remove an asset, and roads that only it needs.

        Parameters
        ----------
        asset_id : str
            Identifier of the asset.
        with_block : bool
            Remove the whole power block of an inverter skid.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.remove("inverter_skid-0002", with_block=True)                # doctest: +SKIP
        """
        return self._record(remove_asset(self.plan, asset_id, context=self.context, with_block=with_block))

    def add(
        self,
        kind: AssetKind,
        *,
        at: tuple[float, float] | None = None,
        at_lonlat: tuple[float, float] | None = None,
        rotation_deg: float | None = None,
        units: int | None = None,
    ) -> Plan:
        """Add an asset, with a road to it.

        Parameters
        ----------
        kind : str
            Asset type.
        at, at_lonlat : (float, float), optional
            Centre in the working CRS [m], or as longitude and latitude [°].
        rotation_deg : float, optional
            Angle [°]; by default that of the layout's row azimuth.
        units : int, optional
            Number of row units of a solar array.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.add("battery", at_lonlat=(-93.68, 41.95))                    # doctest: +SKIP
        """
        place = {"at": at, "at_lonlat": at_lonlat}
        made = add_asset(self.plan, kind, context=self.context, rotation_deg=rotation_deg, units=units, **place)
        return self._record(made)

    def add_zone(self, zone: Zone, *, assets: OnAssets = "refuse", roads: OnRoads = "reroute") -> Plan:
        """Add an exclusion zone.

        Parameters
        ----------
        zone : Zone
            In the working CRS. Later edits find it by its name.
        assets : {"refuse", "remove"}
            What to do with assets on the zone.
        roads : {"reroute", "recompute", "refuse"}
            What to do if a road that is still needed runs on the zone.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.add_zone(Zone(polygon, "pond", "buffered", 10.0))            # doctest: +SKIP
        """
        return self._record(add_zone(self.plan, zone, context=self.context, assets=assets, roads=roads))

    def move_zone(
        self, name: str, *, by: tuple[float, float], assets: OnAssets = "refuse", roads: OnRoads = "reroute"
    ) -> Plan:
        """Move an exclusion zone.

        Parameters
        ----------
        name : str
            Name of the zone.
        by : (float, float)
            Distance to the east and to the north [m].
        assets, roads : str
            As for `add_zone`.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.move_zone("pond", by=(20.0, 0.0))                            # doctest: +SKIP
        """
        return self._record(move_zone(self.plan, name, context=self.context, by=by, assets=assets, roads=roads))

    def remove_zone(self, name: str) -> Plan:
        """Remove an exclusion zone; nothing is placed on its ground.

        Parameters
        ----------
        name : str
            Name of the zone.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.remove_zone("pond")                                          # doctest: +SKIP
        """
        return self._record(remove_zone(self.plan, name, context=self.context))

    def recompute_roads(self) -> Plan:
        """Make all roads and pads again around the assets as they are.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            The result would break a limit, which the message names; the plan is unchanged.

        Examples
        --------
        >>> editor.recompute_roads()                                            # doctest: +SKIP
        """
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

        Returns
        -------
        Plan
            The plan before it, which is now `plan`.

        Raises
        ------
        EditRefused
            There is none.

        Examples
        --------
        >>> editor.undo()                                                       # doctest: +SKIP
        """
        if not self.can_undo:
            raise EditRefused("there is no edit to take back; the plan is as it was opened")
        self._future.append(self._past.pop())
        return self.plan

    def redo(self) -> Plan:
        """Redo the last edit that was undone.

        Returns
        -------
        Plan
            The plan after it, which is now `plan`.

        Raises
        ------
        EditRefused
            There is none.

        Examples
        --------
        >>> editor.redo()                                                       # doctest: +SKIP
        """
        if not self.can_redo:
            raise EditRefused("there is no edit to make again; undo one first")
        self._past.append(self._future.pop())
        return self.plan

    def asset_at(
        self, *, place: tuple[float, float] | None = None, lonlat: tuple[float, float] | None = None
    ) -> Asset | None:
        """Asset at a place.

        Parameters
        ----------
        place, lonlat : (float, float), optional
            Place in the working CRS [m], or as longitude and latitude [°].

        Returns
        -------
        Asset or None
            None where there is none.

        Raises
        ------
        EditRefused
            Neither place is given, or both are.

        Examples
        --------
        >>> editor.asset_at(lonlat=(-93.68, 41.95))                             # doctest: +SKIP
        """
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

    Returns
    -------
    Editor
        Editor with undo and redo; the plan itself never changes.

    Raises
    ------
    InputError
        The DEM is another one.

    Examples
    --------
    >>> editor = pacifico.edit(plan, dem)                                       # doctest: +SKIP
    """
    return Editor(plan, dem)
