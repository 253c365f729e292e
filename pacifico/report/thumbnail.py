"""Small SVG picture of a layout, without a map library."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pacifico import legend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Place = Callable[[list[float]], tuple[float, float]]

_MARGIN = 4.0
"""Space around the site [pixels]."""


def thumbnail(layout: Mapping[str, Any], *, width_px: int = 240, height_px: int = 170) -> str:
    """Picture of a layout: boundary, buildable ground, roads, assets and entry.

    Parameters
    ----------
    layout : mapping
        Content of a layout.geojson.
    width_px, height_px : int
        Size of the picture; the site is centred, north up.
    """
    features = layout["features"]
    place = _frame([f for f in features if f["properties"]["kind"] == "boundary"] or features, width_px, height_px)
    kinds = {
        kind: [f for f in features if f["properties"]["kind"] == kind] for kind in ("buildable", "exclusion", "road")
    }
    boundary = [f for f in features if f["properties"]["kind"] == "boundary"]
    parts = [
        _area(kinds["buildable"], place, f"fill='{legend.BUILDABLE}' fill-opacity='0.45'"),
        _area(kinds["exclusion"], place, f"fill='{legend.EXCLUSION}' fill-opacity='0.3'"),
    ]
    types = {f["properties"]["asset_type"] for f in features if f["properties"]["kind"] == "asset"}
    for name in [n for n in legend.ASSETS if n in types] + sorted(types - set(legend.ASSETS)):
        colour = legend.ASSETS.get(name, legend.OTHER_ASSET)[1]
        own = [f for f in features if f["properties"].get("asset_type") == name]
        # the stroke keeps a turbine pad visible on a site of kilometres
        parts.append(_area(own, place, f"fill='{colour}' stroke='{colour}' stroke-width='0.8'"))
    parts += [
        _area(kinds["road"], place, f"fill='none' stroke='{legend.ROAD_EDGE}' stroke-width='1.1'"),
        _area(boundary, place, f"fill='none' stroke='{legend.BOUNDARY}' stroke-width='1.3'"),
    ]
    for feature in features:
        if feature["properties"]["kind"] == "entry":
            x, y = place(feature["geometry"]["coordinates"])
            parts.append(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{legend.ENTRY}' stroke='white'/>")
    name = next((str(f["properties"].get("name") or "") for f in boundary), "")
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width_px} {height_px}' width='{width_px}' "
        f"height='{height_px}' role='img'><title>{escape(name)}</title>{''.join(parts)}</svg>"
    )


def _frame(features: list[Mapping[str, Any]], width_px: int, height_px: int) -> Place:
    """Function from degrees to pixels, true to scale at the centre."""
    corners = [point for f in features for line in _lines(f["geometry"]) for point in line]
    lons, lats = [p[0] for p in corners], [p[1] for p in corners]
    lon0, lat0 = (min(lons) + max(lons)) / 2, (min(lats) + max(lats)) / 2
    squeeze = math.cos(math.radians(lat0))
    wide, high = max((max(lons) - min(lons)) * squeeze, 1e-9), max(max(lats) - min(lats), 1e-9)
    scale = min((width_px - 2 * _MARGIN) / wide, (height_px - 2 * _MARGIN) / high)

    def place(point: list[float]) -> tuple[float, float]:
        return (point[0] - lon0) * squeeze * scale + width_px / 2, (lat0 - point[1]) * scale + height_px / 2

    return place


def _area(features: list[Mapping[str, Any]], place: Place, look: str) -> str:
    """Features as one path; inner rings are holes."""
    lines = []
    for feature in features:
        closed = "Z" if "Polygon" in feature["geometry"]["type"] else ""
        for line in _lines(feature["geometry"]):
            points = [f"{x:.1f} {y:.1f}" for x, y in map(place, line)]
            kept = [points[0], *(b for a, b in pairwise(points) if b != a)]
            lines.append(f"M{'L'.join(kept)}{closed}")
    return f"<path d='{''.join(lines)}' fill-rule='evenodd' {look}/>" if lines else ""


def _lines(geometry: Mapping[str, Any]) -> Iterator[list[list[float]]]:
    """Lines and rings of a geometry."""
    found = geometry["coordinates"]
    depth = {"Point": 0, "LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}
    for _ in range(depth[geometry["type"]] - 2):
        found = [ring for part in found for ring in part]
    yield from ([[found]] if geometry["type"] == "Point" else [found] if depth[geometry["type"]] == 1 else found)
