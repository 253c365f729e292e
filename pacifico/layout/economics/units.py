"""Units of a plant: the smallest parts that can be left out alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import POWER_BLOCK_KINDS
from pacifico.layout.placement.draft import capacity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.assets import Asset
    from pacifico.vocabulary import AssetKind, Profile

LONE_KINDS: tuple[AssetKind, ...] = ("wind_turbine", "battery", "generator")
"""Asset types that are units by themselves, where their capacity counts. Gas turbines share coolers and stay."""


@dataclass(frozen=True)
class PlantUnit:
    """Power block, turbine, generator or battery that can be left out."""

    name: str
    """Power block or asset."""
    assets: tuple[int, ...]
    """Indices of its assets."""
    kw: float
    """Capacity that counts towards the target [kW]."""


def plant_units(assets: Sequence[Asset], profile: Profile) -> tuple[PlantUnit, ...]:
    """Units of a plant that hold capacity, in the order of their assets.

    Substations and other assets that all units share are in none.

    Parameters
    ----------
    assets : sequence of Asset
        All assets of a layout.
    profile : str
        Kind of plant, which decides what capacity counts.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for k, asset in enumerate(assets):
        if asset.item.kind in POWER_BLOCK_KINDS and asset.block_id:
            members[asset.block_id].append(k)
        elif asset.item.kind in LONE_KINDS:
            members[asset.asset_id].append(k)
    units = [
        PlantUnit(name, tuple(own), capacity_of([assets[k].item for k in own], profile))
        for name, own in members.items()
    ]
    return tuple(u for u in units if u.kw > 0)
