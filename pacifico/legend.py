"""Colours and labels of a layout, shared by maps and figures."""

from __future__ import annotations

ASSETS: dict[str, tuple[str, str]] = {
    "solar_array": ("Solar array", "#0072b2"),
    "inverter_skid": ("Inverter skid", "#f0e442"),
    "battery": ("Battery", "#cc79a7"),
    "generator": ("Generator", "#e69f00"),
    "gas_turbine": ("Gas turbine", "#d55e00"),
    "cooling_system": ("Cooling system", "#56b4e9"),
    "control_center": ("Control centre", "#7a5195"),
    "substation": ("Substation", "#1a1a1a"),
    "wind_turbine": ("Wind turbine", "#009e73"),
}
"""Label and colour of each asset type: the palette of Okabe and Ito, safe for colour-blind readers.

https://jfly.uni-koeln.de/color/
"""
OTHER_ASSET = ("Asset", "#666666")

BOUNDARY = "#111111"
BUILDABLE = "#7fbf7b"
EXCLUSION = "#b2182b"
PAD = "#8c6d4f"
ROAD = "#ffffff"
ROAD_EDGE = "#3d2b1f"
CABLE = "#7a0177"
ENTRY = "#d00000"
CROSSING = "#0096c7"

ROADS: dict[str, tuple[str, float]] = {
    "spine": ("Spine road", 4.5),
    "secondary": ("Secondary road", 3.5),
    "spur": ("Spur", 2.5),
}
"""Label and line width on the map [px] of each road class."""
