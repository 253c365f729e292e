"""Drafts: items placed so far, before pads and roads."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.model.assets import Item, Unplaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.asset_types import AssetType, SolarUnit
    from pacifico.vocabulary import AssetKind, Profile

SAME_M = 0.01
"""Difference below which lengths count as equal [m]."""


@dataclass
class Draft:
    """Items placed so far; it grows while a plant is placed."""

    items: list[Item] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    excluded: FloatArray = field(default_factory=lambda: NO_RECTS)
    """Rectangles to keep free: kept for roads, or out of their reach in an earlier draft, shape (n, 4) [m]."""
    _table: tuple[list[Item], FloatArray] = field(default=([], np.empty((0, 5))), compare=False, repr=False)
    """Items, and their rectangles and clearances as an array, that `blocked` has built."""

    def copy(self) -> Draft:
        """Draft that grows independently of this one."""
        return Draft(list(self.items), list(self.unplaced), self.excluded, self._table)

    def solar_kw(self) -> float:
        """AC capacity of the solar arrays [kW]."""
        return sum(i.capacity_kw for i in self.items if i.kind == "solar_array")

    def blocked(self, clearance_m: float) -> FloatArray:
        """Rectangles to keep clear of, shape (n, 4) [m].

        Each item is expanded by a clearance, or by its own where that is larger.
        """
        listed, table = self._table
        if self.items[: len(listed)] != listed:
            listed, table = [], table[:0]
        fresh = self.items[len(listed) :]
        if fresh:
            table = np.concatenate([table, [(*i.rect, i.clearance_m) for i in fresh]])
            self._table = (list(self.items), table)
        by = np.maximum(clearance_m, table[:, 4:])
        return np.concatenate([table[:, :4] + by * np.array([-1.0, -1.0, 1.0, 1.0]), self.excluded])


def rects_of(items: Sequence[Item]) -> FloatArray:
    """Rectangles of items, shape (n, 4) [m]."""
    return np.array([i.rect for i in items], dtype=np.float64).reshape(-1, 4)


def item_of(kind: AssetType, rect: FloatArray, *, rotation_deg: float = 0.0) -> Item:
    """Item of an asset type at a rectangle."""
    west, south, east, north = (float(v) for v in rect)
    return Item(
        kind.kind,
        (west, south, east, north),
        kind.slope_limit_deg,
        capacity_kw=kind.capacity_kw,
        storage_kw=kind.storage_kw,
        storage_kwh=kind.storage_kwh,
        rating_kva=kind.rating_kva,
        rotation_deg=rotation_deg,
        clearance_m=kind.clearance_m,
    )


def of_units(array: Item, rect: tuple[float, float, float, float], n: int, unit: SolarUnit) -> Item:
    """Solar array of n units at a rectangle.

    Parameters
    ----------
    array : Item
        Array whose other properties are kept.
    rect : (float, float, float, float)
        West, south, east, north [m].
    n : int
        Number of units.
    unit : SolarUnit
        Unit that it is made of.
    """
    ac_kw, dc_kw = round(n * unit.ac_kw, 3), round(n * unit.dc_kw, 3)
    return replace(array, rect=rect, capacity_kw=ac_kw, capacity_dc_kw=dc_kw)


def unit_of(item: Item, shapes: Sequence[SolarUnit]) -> SolarUnit | None:
    """Unit that a solar array is made of, or None.

    Other items, and arrays of none of the shapes, have none.
    """
    if item.kind != "solar_array":
        return None
    height = item.rect[3] - item.rect[1]
    return next((u for u in shapes if abs(u.height_m - height) < SAME_M and _has_whole_units(item, u)), None)


def units_of(item: Item, unit: SolarUnit) -> int:
    """Number of units in a solar array."""
    return round((item.rect[2] - item.rect[0] + unit.gap_x_m) / unit.pitch_x_m)


def _has_whole_units(item: Item, unit: SolarUnit) -> bool:
    """Whether the width of an array is a whole number of units."""
    n = units_of(item, unit)
    return n > 0 and abs(item.rect[2] - item.rect[0] + unit.gap_x_m - n * unit.pitch_x_m) < SAME_M


def capacity_of(items: Sequence[Item], profile: Profile) -> float:
    """Capacity towards the target: storage power for bess, else generation [kW]."""
    return sum(i.storage_kw if profile == "bess" else i.capacity_kw for i in items)


def has_plant(items: Sequence[Item]) -> bool:
    """Whether any item generates or stores: a substation alone doesn't."""
    return any(i.capacity_kw or i.storage_kw for i in items)


def below_one_unit(kind: AssetKind, requested_kw: float, unit_kw: float) -> Unplaced:
    """Record of a request that is smaller than one unit.

    Parameters
    ----------
    kind : str
        Asset type.
    requested_kw : float
        Capacity requested [kW].
    unit_kw : float
        Capacity of one unit [kW].
    """
    reason = f"the {requested_kw:,.0f} kW asked for are less than one unit of {unit_kw:,.0f} kW; ask for that or more"
    return Unplaced(kind, 1, reason)
