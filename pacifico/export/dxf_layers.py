"""Layers of the DXF drawing: colours, line types and line weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico import legend

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXT_M = {
    "ASSET-TEXT": 2.0,
    "PAD-TEXT": 1.5,
    "ROAD-TEXT": 3.0,
    "SITE-TEXT": 5.0,
    "CONTOUR-TEXT": 3.0,
}
"""Text height of each text layer [m]."""
LINE_TYPES = {
    "DASHED": ("dashed __ __ __", (8.0, 5.0, -3.0)),
    "CENTER": ("centreline ____ _ ____", (20.0, 12.0, -3.0, 2.0, -3.0)),
    "DASHDOT": ("dash dot __ . __ .", (12.0, 8.0, -2.0, 0.0, -2.0)),
    "PHANTOM": ("boundary ____ _ _ ____", (26.0, 14.0, -2.0, 3.0, -2.0, 3.0, -2.0)),
    "DOTTED": ("dotted . . . .", (3.0, 0.0, -3.0)),
}
"""Description and pattern of each line type: its length, then dashes, gaps (negative) and dots (0) [m]."""
_COLOURS = {
    "SITE-BOUNDARY": None,
    "SITE-BUILDABLE": legend.BUILDABLE,
    "SITE-EXCLUSION": legend.EXCLUSION,
    "SITE-COST": "#7a5195",
    "SITE-ENTRY": legend.ENTRY,
    "PAD": legend.PAD,
    "CABLE": legend.CABLE,
    "CROSSING": legend.CROSSING,
    "FENCE": legend.FENCE,
    "CONTOUR": "#b39b86",
    "CONTOUR-INDEX": "#8a6d55",
    "CONTOUR-TEXT": "#8a6d55",
}
"""Layer colours. Layers without one have index 7, which is black on white and white on black."""
PILE_COLOURS = {"ROW": legend.ASSETS["solar_array"][1], "PILE": "#555555", "PILE-OUTSIDE": "#d62728"}
"""Layer colours of rows and piles."""
_LINES = {
    "SITE-BOUNDARY": "PHANTOM",
    "SITE-BUILDABLE": "DOTTED",
    "SITE-EXCLUSION": "DASHED",
    "SITE-COST": "DASHED",
    "CABLE": "DASHDOT",
    "FENCE": "DASHED",
    "ROAD-SPINE": "CENTER",
    "ROAD-SECONDARY": "CENTER",
    "ROAD-SPUR": "CENTER",
}
"""Line types; other layers are continuous. Roads are centrelines, their edges are on ROAD-EDGE."""
_WEIGHTS = {"SITE-BOUNDARY": 50, "CONTOUR": 9, "CONTOUR-INDEX": 25, "ROAD-EDGE": 25}
"""Line weights in hundredths of a millimetre, of the weights that DXF knows."""


def add_layers(drawing: Any, names: Iterable[str]) -> None:
    """Add layers with their colours, line types and line weights.

    Parameters
    ----------
    drawing : ezdxf.document.Drawing
        Drawing that gets them.
    names : iterable of str
        Names of the layers.
    """
    for name, (description, pattern) in LINE_TYPES.items():
        drawing.linetypes.add(name, pattern=list(pattern), description=description)
    colours = {**_COLOURS, **{f"ASSET-{kind.upper()}": colour for kind, (_, colour) in legend.ASSETS.items()}}
    colours["ASSET-SUBSTATION"] = None  # black in the legend
    for name in sorted(names):
        layer = drawing.layers.add(
            name, color=7, linetype=_LINES.get(name, "CONTINUOUS"), lineweight=_WEIGHTS.get(name, -3)
        )
        if colour := colours.get(name):
            layer.rgb = tuple(bytes.fromhex(colour.removeprefix("#")))
