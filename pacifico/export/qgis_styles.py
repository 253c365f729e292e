"""QGIS styles of the layers of a GeoPackage, with the colours of the maps in reports.

QGIS reads the table `layer_styles` of a GeoPackage and styles its layers when they are opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pacifico import legend

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = "layer_styles"
"""Table in which QGIS looks for styles."""
_VERSION = "3.28.0"
"""Version of QGIS whose style files these are; later ones read them."""


@dataclass(frozen=True)
class _Look:
    """Colours and lines of a symbol."""

    symbol: str
    """`fill`, `line` or `marker`."""
    colour: str
    """Fill of areas, colour of lines and points, as `#rrggbb`; empty for no fill."""
    edge: str = "#333333"
    """Outline of areas."""
    width_mm: float = 0.3
    """Width of lines and outlines [mm]."""
    dash: str = "solid"
    """QGIS name of the pen."""
    opacity: float = 1.0
    """Opacity of the symbol, 0 to 1."""


_LOOKS = {
    "boundary": _Look("fill", "", legend.BOUNDARY, 0.7, "dash dot"),
    "buildable": _Look("fill", legend.BUILDABLE, legend.BUILDABLE, 0.2, opacity=0.3),
    "exclusion": _Look("fill", legend.EXCLUSION, legend.EXCLUSION, 0.4, "dash", 0.35),
    "entry": _Look("marker", legend.ENTRY),
    "asset": _Look("fill", legend.OTHER_ASSET[1]),
    "pad": _Look("fill", legend.PAD, legend.PAD, 0.3, opacity=0.6),
    "road": _Look("line", legend.ROAD_EDGE, width_mm=0.6),
    "cable": _Look("line", legend.CABLE, width_mm=0.4, dash="dash"),
    "crossing": _Look("line", legend.CROSSING, width_mm=0.9),
    "fence": _Look("line", legend.FENCE, width_mm=0.3, dash="dot"),
}


def style_of(kind: str) -> str:
    """QML style of a layer: assets by type, roads by class, one symbol for the others.

    Parameters
    ----------
    kind : str
        Kind of feature, which is the layer's name.
    """
    root = ET.Element("qgis", version=_VERSION, styleCategories="Symbology")
    look = _LOOKS[kind]
    if kind == "asset":
        by_type = {name: (label, replace(look, colour=colour)) for name, (label, colour) in legend.ASSETS.items()}
        _write_categories(root, "asset_type", {**by_type, "": (legend.OTHER_ASSET[0], look)})
    elif kind == "road":
        by_class = {name: (label, replace(look, width_mm=px / 5)) for name, (label, px) in legend.ROADS.items()}
        _write_categories(root, "road_class", {**by_class, "": ("Road", look)})
    else:
        renderer = ET.SubElement(root, "renderer-v2", type="singleSymbol")
        _write_symbol(ET.SubElement(renderer, "symbols"), "0", look)
    return ET.tostring(root, encoding="unicode")


def styles_table(kinds: list[str]) -> Mapping[str, list[str | bool]]:
    """Columns of the table of styles, a row for each layer.

    Parameters
    ----------
    kinds : list of str
        Layers of the GeoPackage.
    """
    count = len(kinds)
    return {
        "f_table_catalog": [""] * count,
        "f_table_schema": [""] * count,
        "f_table_name": list(kinds),
        "f_geometry_column": ["geom"] * count,
        "styleName": ["pacifico"] * count,
        "styleQML": [style_of(kind) for kind in kinds],
        "styleSLD": [""] * count,
        "useAsDefault": [True] * count,
        "description": ["Colours of the maps in reports"] * count,
        "owner": [""] * count,
        "ui": [""] * count,
    }


def _write_categories(root: ET.Element, attribute: str, looks: Mapping[str, tuple[str, _Look]]) -> None:
    """Write a renderer with a symbol for each value of an attribute.

    Parameters
    ----------
    root : Element
        Style.
    attribute : str
        Column whose values choose the symbol.
    looks : mapping of str to tuple
        Label and look of each value; '' for all other values.
    """
    renderer = ET.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=attribute)
    categories, symbols = ET.SubElement(renderer, "categories"), ET.SubElement(renderer, "symbols")
    for number, (value, (label, look)) in enumerate(looks.items()):
        known = {"value": value, "symbol": str(number), "label": label, "render": "true", "type": "string"}
        ET.SubElement(categories, "category", known)
        _write_symbol(symbols, str(number), look)


def _write_symbol(symbols: ET.Element, name: str, look: _Look) -> None:
    """Write a symbol of one layer."""
    symbol = ET.SubElement(symbols, "symbol", type=look.symbol, name=name, alpha=f"{look.opacity:g}")
    if look.symbol == "line":
        kind = "SimpleLine"
        known = {"line_color": _rgba(look.colour), "line_width": f"{look.width_mm:g}", "line_style": look.dash}
    elif look.symbol == "marker":
        kind = "SimpleMarker"
        known = {"color": _rgba(look.colour), "name": "triangle", "size": "4", "outline_color": _rgba("#ffffff")}
    else:
        kind = "SimpleFill"
        known = {
            "color": _rgba(look.colour or "#ffffff"), "style": "solid" if look.colour else "no",
            "outline_color": _rgba(look.edge), "outline_width": f"{look.width_mm:g}", "outline_style": look.dash,
        }  # fmt: skip
    layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "pass": "0", "locked": "0"})
    options = ET.SubElement(layer, "Option", type="Map")
    for key, value in known.items():
        ET.SubElement(options, "Option", name=key, value=value, type="QString")


def _rgba(colour: str) -> str:
    """Opaque colour as QGIS writes it: red, green, blue, alpha."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"{red},{green},{blue},255"
