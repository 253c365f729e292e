"""Units of a plant: the smallest parts that can be left out alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.placement.draft import capacity_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.assets import Asset
    from pacifico.vocabulary import AssetKind, Profile

LONE_KINDS: tuple[AssetKind, ...] = ("wind_turbine", "battery", "generator")
"""Asset types that are units by themselves, where their capacity counts. Gas turbines share coolers and stay."""


@dataclass(frozen=True)
class PlantUnit:
    """Arrays of a power block along one road, or a turbine, generator or battery."""

    name: str
    """Power block, with its road where it has several; or asset."""
    assets: tuple[int, ...]
    """Indices of its assets."""
    kw: float
    """Capacity that counts towards the target [kW]."""


def plant_units(assets: Sequence[Asset], profile: Profile) -> tuple[PlantUnit, ...]:
    """Units of a plant that hold capacity, in the order of their assets.

    Arrays of one power block that one road serves are a unit. Skids, substations and other assets that units share are
    in none.

    Parameters
    ----------
    assets : sequence of Asset
        All assets of a layout.
    profile : str
        Kind of plant, which decides what capacity counts.
    """
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for k, asset in enumerate(assets):
        if asset.item.kind == "solar_array" and asset.block_id:
            members[asset.block_id, asset.service_road_id].append(k)
        elif asset.item.kind in LONE_KINDS:
            members[asset.asset_id, ""].append(k)
    roads = Counter(name for name, _ in members)
    units = [
        PlantUnit(
            f"{name} {road}" if roads[name] > 1 else name,
            tuple(own),
            capacity_of([assets[k].item for k in own], profile),
        )
        for (name, road), own in members.items()
    ]
    return tuple(u for u in units if u.kw > 0)
