"""Colours and labels of a layout, shared by maps and figures."""

from __future__ import annotations

from pacifico.vocabulary import ASSET_NAMES

ASSETS: dict[str, tuple[str, str]] = {kind: (name.label, name.colour) for kind, name in ASSET_NAMES.items()}
"""Label and colour of each asset type."""
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
FENCE = "#555555"

EARTHWORK_PARTS = {"pad": "pads", "road": "roads", "batter": "side slopes", "array": "ground under arrays"}
"""Parts of cut and fill, by the prefix of their metrics."""

ROADS: dict[str, tuple[str, float]] = {
    "spine": ("Spine road", 4.5),
    "secondary": ("Secondary road", 3.5),
    "spur": ("Spur", 2.5),
}
"""Label and line width on the map [px] of each road class."""
