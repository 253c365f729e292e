"""Names that every room shares: profiles, strategies, asset types and elevation sources.

Files, commands and jobs use these names, so none of them may change its spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Profile = Literal["solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess"]
"""A kind of plant."""
PROFILES: tuple[Profile, ...] = get_args(Profile)
"""All profiles, in the order in which they are listed."""

Strategy = Literal["balanced", "density", "low_earthwork", "clustered"]
"""What a layout minimises."""
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
"""All strategies, in the order in which they are listed and tried."""

AssetKind = Literal[
    "solar_array",
    "inverter_skid",
    "battery",
    "generator",
    "gas_turbine",
    "cooling_system",
    "control_center",
    "substation",
    "wind_turbine",
]
"""An asset type."""
ASSET_KINDS: tuple[AssetKind, ...] = get_args(AssetKind)
"""All asset types: each has a section in the catalog with a slope limit, and a unit cost."""

Racking = Literal["straight_tracker", "terrain_following", "fixed_tilt"]
"""What the rows of solar arrays stand on."""
RACKINGS: tuple[Racking, ...] = get_args(Racking)
"""All rackings: each has a section in the catalog."""

BACKTRACKING = ("standard", "terrain")
"""How trackers turn from shade: as on level ground, or row by row as the heights of neighbours ask for."""

NAMED_DEMS = ("3dep", "3dep-30", "glo30", "sample")
"""Elevation sources that need no address."""


class AssetName(NamedTuple):
    """How an asset type is named and drawn."""

    label: str
    colour: str
    on_bill: str
    """Name of its line on the bill of quantities."""


ASSET_NAMES: Mapping[AssetKind, AssetName] = {
    "solar_array": AssetName("Solar array", "#0072b2", "Solar arrays"),
    "inverter_skid": AssetName("Inverter skid", "#f0e442", "Inverter skids"),
    "battery": AssetName("Battery", "#cc79a7", "Batteries with conversion"),
    "generator": AssetName("Generator", "#e69f00", "Generator sets"),
    "gas_turbine": AssetName("Gas turbine", "#d55e00", "Gas turbines"),
    "cooling_system": AssetName("Cooling system", "#56b4e9", "Cooling systems"),
    "control_center": AssetName("Control centre", "#7a5195", "Control centres"),
    "substation": AssetName("Substation", "#1a1a1a", "Substations"),
    "wind_turbine": AssetName("Wind turbine", "#009e73", "Wind turbines"),
}
"""Names and colours of the asset types: the palette of Okabe and Ito, safe for colour-blind readers.

https://jfly.uni-koeln.de/color/
"""
