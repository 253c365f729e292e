"""What stands where, before pads, roads and numbers: the placement modules' common currency."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetKind, AssetType, SolarUnit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Profile


@dataclass(frozen=True)
class Item:
    """One asset: an upright rectangle with its ratings."""

    kind: AssetKind
    rect: tuple[float, float, float, float]
    """West, south, east, north in the working CRS [m]."""
    slope_limit_deg: float
    capacity_kw: float = 0.0
    capacity_dc_kw: float = 0.0
    storage_kw: float = 0.0
    storage_kwh: float = 0.0
    rating_kva: float = 0.0
    block: int = -1
    """Power block of a solar array or skid; -1 without."""
    rotation_deg: float = 0.0
    clearance_m: float = 0.0
    """What its kind keeps free around it, whoever comes later [m]."""

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the rectangle."""
        west, south, east, north = self.rect
        return (west + east) / 2, (south + north) / 2

    @property
    def pad_rect(self) -> tuple[float, float, float, float]:
        """Rectangle of its pad."""
        west, south, east, north = self.rect
        return west - PAD_APRON_M, south - PAD_APRON_M, east + PAD_APRON_M, north + PAD_APRON_M


@dataclass(frozen=True)
class Unplaced:
    """Assets that were asked for and do not stand, and why."""

    kind: AssetKind
    count: int
    reason: str


@dataclass
class Draft:
    """Items placed so far; grows while a programme runs, and never leaves the engine."""

    items: list[Item] = field(default_factory=list)
    unplaced: list[Unplaced] = field(default_factory=list)
    banned: FloatArray = field(default_factory=lambda: np.empty((0, 4)))
    """Rectangles that no road reaches, learnt from an earlier draft."""
    _taken: tuple[list[Item], FloatArray] = field(default=([], np.empty((0, 5))), compare=False, repr=False)
    """Items whose rectangles and clearances are in an array already, and that array."""

    def copy(self) -> Draft:
        """Draft that can grow without this one."""
        return Draft(list(self.items), list(self.unplaced), self.banned, self._taken)

    def solar_kw(self) -> float:
        """AC capacity of the solar arrays so far [kW]."""
        return sum(i.capacity_kw for i in self.items if i.kind == "solar_array")

    def blocked(self, clearance: float) -> FloatArray:
        """Rectangles of what stands, grown by a clearance or its own if that is larger, and what is banned."""
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
    """What the target counts [kW]."""
    return sum(i.storage_kw if profile == "bess" else i.capacity_kw for i in items)


def useful(items: Sequence[Item]) -> bool:
    """Whether anything generates or stores: a substation alone is no plant."""
    return any(i.capacity_kw or i.storage_kw for i in items)
