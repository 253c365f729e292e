"""The draft: placed items before pads, roads and identifiers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.model.assets import Item, Unplaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.asset_types import AssetType, SolarUnit
    from pacifico.layout.criteria.spec import Profile


@dataclass
class Draft:
    """Items placed so far; it grows during placement and stays inside the engine."""

    items: list[Item] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    banned: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    """Rectangles that no road reached in an earlier draft."""
    _taken: tuple[list[Item], FloatArray] = field(default=([], np.empty((0, 5))), compare=False, repr=False)
    """Items already in the cached array of rectangles and clearances, and that array."""

    def copy(self) -> Draft:
        """Independent copy of the draft."""
        return Draft(list(self.items), list(self.unplaced), self.banned, self._taken)

    def solar_kw(self) -> float:
        """AC capacity of the solar arrays so far [kW]."""
        return sum(i.capacity_kw for i in self.items if i.kind == "solar_array")

    def blocked(self, clearance: float) -> FloatArray:
        """Rectangles of all items, grown by the larger clearance, and the blocked ones."""
        known, table = self._taken
        if self.items[: len(known)] != known:
            known, table = [], table[:0]
        fresh = self.items[len(known) :]
        if fresh:
            table = np.concatenate([table, [(*i.rect, i.clearance_m) for i in fresh]])
            self._taken = (list(self.items), table)
        by = np.maximum(clearance, table[:, 4:])
        return np.concatenate([table[:, :4] + by * np.array([-1.0, -1.0, 1.0, 1.0]), self.banned])


def item_of(kind: AssetType, rect: FloatArray, *, rotation_deg: float = 0.0) -> Item:
    """Item of a fixed-size type at a rectangle."""
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
    """Array of n units at a rectangle."""
    return replace(
        array, rect=rect, capacity_kw=round(n * unit.ac_kw, 3), capacity_dc_kw=round(n * unit.dc_kw, 3)
    )  # fmt: skip


def capacity_of(items: Sequence[Item], profile: Profile) -> float:
    """Capacity that counts towards the target of a profile [kW]."""
    return sum(i.storage_kw if profile == "bess" else i.capacity_kw for i in items)


def has_plant(items: Sequence[Item]) -> bool:
    """Whether any item generates or stores: a substation alone is no plant."""
    return any(i.capacity_kw or i.storage_kw for i in items)


SAME_M = 0.01
"""Lengths that differ by less are equal [m]."""


def unit_of(item: Item, shapes: Sequence[SolarUnit]) -> SolarUnit | None:
    """Unit that a solar array consists of; None for other items and other units."""
    if item.kind != "solar_array":
        return None
    height = item.rect[3] - item.rect[1]
    return next((u for u in shapes if abs(u.height_m - height) < SAME_M and _whole(item, u)), None)


def units_of(item: Item, unit: SolarUnit) -> int:
    """Number of units of a solar array."""
    return round((item.rect[2] - item.rect[0] + unit.gap_x_m) / unit.pitch_x_m)


def _whole(item: Item, unit: SolarUnit) -> bool:
    n = units_of(item, unit)
    return n > 0 and abs(item.rect[2] - item.rect[0] + unit.gap_x_m - n * unit.pitch_x_m) < SAME_M
