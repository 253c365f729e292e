"""Features of a layout as map layers, with styles, legend and details."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico import legend as known
from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREA_STYLES: dict[str, dict[str, Any]] = {
    "boundary": {"color": known.BOUNDARY, "weight": 2.5, "fill": False},
    "buildable": {"color": "#3f9b46", "weight": 0.5, "fillColor": known.BUILDABLE, "fillOpacity": 0.25},
    "exclusion": {
        "color": known.EXCLUSION,
        "weight": 1.5,
        "dashArray": "4 4",
        "fillColor": known.EXCLUSION,
        "fillOpacity": 0.25,
    },
    "pad": {"color": known.PAD, "weight": 1, "fillColor": known.PAD, "fillOpacity": 0.6},
    "cable": {"color": known.CABLE, "weight": 1.5, "dashArray": "2 4", "fill": False},
    "crossing": {"color": known.CROSSING, "weight": 6, "fill": False},
    "fence": {"color": known.FENCE, "weight": 1.5, "dashArray": "8 3 2 3", "fill": False},
}
ROAD_STYLES: dict[str, dict[str, Any]] = {
    "spine": {"color": known.ROAD_EDGE, "weight": 4, "fill": False},
    "secondary": {"color": known.ROAD_EDGE, "weight": 2.5, "fill": False},
    "spur": {"color": known.ROAD_EDGE, "weight": 1.5, "fill": False},
}
ENTRY_STYLE: dict[str, Any] = {
    "radius": 7,
    "color": "#ffffff",
    "weight": 2,
    "fillColor": known.ENTRY,
    "fillOpacity": 1.0,
}

LAYERS: dict[str, tuple[str, ...]] = {
    "Buildable area": ("buildable",),
    "Exclusions": ("exclusion",),
    "Boundary": ("boundary",),
    "Pads": ("pad",),
    "Roads": ("road",),
    "Cables": ("cable",),
    "Crossings": ("crossing",),
    "Fences": ("fence",),
}
"""Layers below the assets, bottom first, with the kinds of feature they show.

Each asset type has a layer of its own above these, and the entry is on top.
"""

SLOPE_CLASSES_DEG: tuple[tuple[float, float, str], ...] = (
    (3.0, 5.0, "#fff7bc"),
    (5.0, 10.0, "#fec44f"),
    (10.0, 15.0, "#d95f0e"),
    (15.0, 90.0, "#7f2704"),
)
"""Lower edge [°], upper edge [°] and colour of each class; flatter ground is transparent."""
DEPTH_EDGES_M = (0.1, 0.5)
"""Edges of the classes of graded depth [m]: about one pass of a grader, a few passes of a dozer, and more."""
CUT_COLOURS, FILL_COLOURS = ("#fdb863", "#e08214", "#b35806"), ("#b2abd2", "#8073ac", "#542788")
"""Colours of the classes of depth, shallow to deep."""
ROW_COLOURS = ("#ffffff", "#ffe08a", "#ffa600", "#d4006a")
"""Colours of rows by how far the reveal varies along them: thirds of the window, and outside."""
BEYOND_RACKING = "#d4006a"
"""Outline of arrays that can't be graded."""

_TITLE_KEYS = ("asset_id", "road_id", "pad_id", "cable_id", "crossing_id", "fence_id", "name")
_UNITS = (
    ("_kw", " kW"),
    ("_kwh", " kWh"),
    ("_kva", " kVA"),
    ("_m3", " m³"),
    ("_m", " m"),
    ("_deg", "°"),
    ("_pct", " %"),
    ("_ha", " ha"),
)


def display_name(name: str) -> str:
    """Name of a type, profile or strategy in words, as 'Solar array'."""
    if name in known.ASSETS:
        return known.ASSETS[name][0]
    text = name.replace("_", " ").capitalize()
    return text.replace("Bess", "BESS").replace("bess", "BESS")


def split(layout: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """FeatureCollection of each layer, styled, in drawing order.

    Parameters
    ----------
    layout : dict
        Content of a layout.geojson.

    Returns
    -------
    dict
        FeatureCollection by layer name, without empty layers.
    """
    by_layer: dict[str, list[dict[str, Any]]] = {name: [] for name in LAYERS}
    by_layer |= {display_name(name): [] for name in known.ASSETS}
    entries: list[dict[str, Any]] = []
    layer_of = {kind: name for name, kinds in LAYERS.items() for kind in kinds}
    for feature in layout["features"]:
        properties = feature["properties"]
        kind = properties["kind"]
        drawn = {
            "type": "Feature",
            "geometry": _flat(feature["geometry"]),
            "properties": {**properties, "style": style(properties)},
        }
        if kind == "asset":
            by_layer.setdefault(display_name(properties["asset_type"]), []).append(drawn)
        elif kind == "entry":
            entries.append(drawn)
        elif kind in layer_of:
            by_layer[layer_of[kind]].append(drawn)
    by_layer["Entry"] = entries
    return {name: {"type": "FeatureCollection", "features": found} for name, found in by_layer.items() if found}


def style(properties: dict[str, Any]) -> dict[str, Any]:
    """Leaflet path options of a feature."""
    kind = properties["kind"]
    if kind == "asset":
        colour = known.ASSETS.get(properties["asset_type"], known.OTHER_ASSET)[1]
        return {"color": "#1b1b1b", "weight": 0.6, "fillColor": colour, "fillOpacity": 0.9}
    if kind == "road":
        return ROAD_STYLES.get(properties.get("road_class", ""), ROAD_STYLES["spur"])
    return ENTRY_STYLE if kind == "entry" else AREA_STYLES[kind]


def legend(names: list[str]) -> str:
    """Legend of the layers on the map, as HTML."""
    fills = {name: (colour, "#1b1b1b") for name, colour in known.ASSETS.values()}
    fills |= {
        name: (_faint(AREA_STYLES[kinds[0]]), AREA_STYLES[kinds[0]]["color"])
        for name, kinds in LAYERS.items()
        if kinds[0] in AREA_STYLES
    }
    rows = []
    for name in names:
        fill, edge = fills.get(name, (known.OTHER_ASSET[1], "#1b1b1b"))
        if name in {"Roads", "Cables"}:
            edge = (ROAD_STYLES["spine"] if name == "Roads" else AREA_STYLES["cable"])["color"]
            look = f"height:0;border-top:3px {'solid' if name == 'Roads' else 'dotted'} {edge}"
        elif name == "Entry":
            look = f"height:9px;width:9px;margin-left:2px;margin-right:9px;border:1px solid #888;border-radius:50%;background:{known.ENTRY}"
        else:
            look = f"height:11px;border:1.5px solid {edge};background:{fill}"
        rows.append(_swatch(look, name))
    return "".join(rows)


def slope_classes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Slope [°] as RGBA in class colours, shape (rows, columns, 4)."""
    rgba = np.zeros((*values.shape, 4), dtype=np.uint8)
    for low, high, colour in SLOPE_CLASSES_DEG:
        rgba[(values >= low) & (values < high)] = (*bytes.fromhex(colour[1:]), 255)
    return rgba


def slope_legend(classes: tuple[tuple[float, float, str], ...] = SLOPE_CLASSES_DEG) -> str:
    """Legend of the slope classes, as HTML."""
    last = classes[-1]
    rows = [(colour, f"{low:g}–{high:g}°") for low, high, colour in classes[:-1]] + [(last[2], f"over {last[0]:g}°")]
    return "".join(_swatch(f"height:11px;background:{colour}", f"slope {text}") for colour, text in rows)


def details(properties: dict[str, Any]) -> str:
    """Properties of a feature, as HTML."""
    title = str(next((properties[key] for key in _TITLE_KEYS if properties.get(key)), ""))
    what = properties.get("asset_type") or properties.get("road_class") or ""
    parts = [properties["kind"], "" if what and title.startswith(what) else what.replace("_", " "), title]
    heading = " · ".join(for_markup(part) for part in parts if part)
    skip = {"kind", "style", "asset_type", "road_class", *_TITLE_KEYS}
    rows = [
        f"<tr><td style='padding-right:8px;color:#666'>{for_markup(_label(key))}</td><td>{for_markup(_value(key, value))}</td></tr>"
        for key, value in properties.items()
        if key not in skip
        and value not in (None, "", [])
        and not (value == 0 and key.endswith(("_kw", "_kwh", "_kva")))
    ]
    return f"<b>{heading}</b><table>{''.join(rows)}</table>"


def _faint(area: dict[str, Any]) -> str:
    """CSS colour of an area's fill, with its opacity on the map."""
    if "fillColor" not in area:
        return "transparent"
    return f"{area['fillColor']}{round(area['fillOpacity'] * 255):02x}"


def _swatch(look: str, text: str) -> str:
    """Line of the legend."""
    mark = (
        f"<span style='display:inline-block;width:16px;margin-right:6px;flex:none;box-sizing:border-box;{look}'></span>"
    )
    return f"<div style='display:flex;align-items:center;line-height:16px'>{mark}{for_markup(text)}</div>"


def _flat(geometry: dict[str, Any]) -> dict[str, Any]:
    """Geometry without heights, which Leaflet does not draw."""

    def without(part: Any) -> Any:
        return part[:2] if part and isinstance(part[0], (int, float)) else [without(inner) for inner in part]

    return {"type": geometry["type"], "coordinates": without(geometry["coordinates"])}


def _label(key: str) -> str:
    """Property name without its unit."""
    for ending, _ in _UNITS:
        if key.endswith(ending):
            key = key.removesuffix(ending)
            break
    return key.replace("_", " ")


def _value(key: str, value: Any) -> str:
    """Property value with its unit."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        unit = next((unit for ending, unit in _UNITS if key.endswith(ending)), "")
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
        return f"{value:,.{digits}f}{unit}" if isinstance(value, float) else f"{value:,}{unit}"
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


def zoom_to(west: float, south: float, east: float, north: float, *, width_px: int, height_px: int) -> float:
    """Zoom at which a box fills a map, in quarter steps.

    Parameters
    ----------
    west, south, east, north : float
        Box in degrees.
    width_px, height_px : int
        Size of the map [pixels].
    """
    # at zoom 0 the world is 256 pixels wide
    wide = (east - west) / 360
    high = (_mercator(north) - _mercator(south)) / (2 * math.pi)
    room = 0.92
    fits = min(math.log2(room * width_px / 256 / wide), math.log2(room * height_px / 256 / high))
    return math.floor(min(fits, 19.0) * 4) / 4


def _mercator(lat: float) -> float:
    """Mercator ordinate of a latitude [rad]."""
    return math.asinh(math.tan(math.radians(lat)))
