"""Zones from text that a user types or pastes: WKT, GeoJSON or coordinates."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import mapping

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError
from pacifico.explorer.state.document import DrawnZone
from pacifico.site.features import clean_name, to_lonlat
from pacifico.site.geojson import read_geojson
from pacifico.site.zone_types import USE_TYPES
from pacifico.site.zones import make_zones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.site.model import Site

MAX_TEXT = 1_000_000
"""Longest text of a zone [characters]."""
_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"\s*({_NUMBER})\s*(?:,\s*|\s+)({_NUMBER})\s*")
_WKT = re.compile(r"\s*(SRID\s*=|POINT|LINESTRING|POLYGON|MULTI|GEOMETRYCOLLECTION)", re.IGNORECASE)
_HELP = "give WKT, GeoJSON, or one 'longitude, latitude' a line"


def parse_zones(
    text: str, site: Site, *, buffer_m: float = 0.0, name: str = "typed", role: str = ""
) -> tuple[DrawnZone, ...]:
    """Zones of a text.

    Parameters
    ----------
    text : str
        WKT or GeoJSON in longitude and latitude, or one pair a line: a point, a line, or a polygon of three or more.
    site : Site
        Zones near it count.
    buffer_m : float
        Distance that is kept free around shapes that state none [m]; points and lines without a role need one.
    name : str
        Name of zones that have none.
    role : str
        What shapes are that state none: a zone type, such as "road" for existing roads; empty for ground to keep free.

    Raises
    ------
    InputError
        The text is no geometry, or has no area near the site.
    """
    if not text.strip():
        raise InputError(f"there is no text; {_HELP}")
    if len(text) > MAX_TEXT:
        raise InputError(f"the text has {len(text):,} characters, {MAX_TEXT:,} at most are read; give a file instead")
    reading = read_geojson(json.dumps(_collection(text, buffer_m, name, role)).encode())
    features = [f for layer in map(to_lonlat, reading.layers) for f in layer.features]
    zones, warnings = make_zones(features, site)
    if not zones:
        raise InputError(f"no zone was found: {'; '.join(warnings) or _HELP}")
    return tuple(
        DrawnZone(
            clean_name(z.name) or name,
            _area(reproject(z.geometry, site.crs, LONLAT)),
            z.buffer_m,
            z.zone_type if z.zone_type in USE_TYPES else None,
            z.existing,
        )
        for z in zones
    )


def parse_place(text: str) -> tuple[float, float]:
    """Longitude and latitude of a typed place [°].

    Raises
    ------
    InputError
        The text is no pair of degrees.
    """
    found = _PAIR.fullmatch(text.strip().replace("°", ""))
    if found is None:
        raise InputError(
            f"{clean_name(text)[:60]!r} is no place; give longitude, latitude in degrees, as -84.20, 36.60"
        )
    return _checked(float(found[1]), float(found[2]))


def _collection(text: str, buffer_m: float, name: str, role: str) -> dict[str, Any]:
    """Text as a GeoJSON collection, with buffers and roles."""
    if text.lstrip().startswith("{"):
        features = _features(_json(text))
    elif _WKT.match(text):
        features = [{"type": "Feature", "properties": {}, "geometry": mapping(_wkt(text))}]
    else:
        features = [{"type": "Feature", "properties": {}, "geometry": _coordinates(text)}]
    for feature in features:
        properties = {"name": name, **(feature.get("properties") or {})}
        if buffer_m and "buffer_m" not in properties:
            properties["buffer_m"] = buffer_m
        if role and not {"role", "zone_type"} & set(properties):
            properties["role"] = role
        feature["properties"] = properties
    return {"type": "FeatureCollection", "features": features}


def _json(text: str) -> dict[str, Any]:
    """Object of a JSON text."""
    try:
        found: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError(f"the text starts as GeoJSON but is no JSON; {_HELP}") from None
    return found


def _features(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Features of a GeoJSON object."""
    if found.get("type") == "FeatureCollection":
        listed = found.get("features")
        features = listed if isinstance(listed, list) else []
        if not features or not all(isinstance(f, dict) for f in features):
            raise InputError(f"the collection holds no features; {_HELP}")
        return [{**f} for f in features]
    if found.get("type") == "Feature":
        return [{**found}]
    return [{"type": "Feature", "properties": {}, "geometry": dict(found)}]


def _wkt(text: str) -> shapely.Geometry:
    """Geometry of a WKT text, without its SRID."""
    body = re.sub(r"^\s*SRID\s*=\s*4326\s*;", "", text, flags=re.IGNORECASE)
    if body.upper().lstrip().startswith("SRID"):
        raise InputError("the WKT has another SRID than 4326; give longitude and latitude in degrees")
    try:
        return shapely.force_2d(shapely.from_wkt(body))
    except shapely.errors.ShapelyError as error:
        raise InputError(f"the WKT can't be read: {str(error).splitlines()[0]}; {_HELP}") from None


def _coordinates(text: str) -> dict[str, Any]:
    """Geometry of coordinate pairs, one a line or between semicolons."""
    pairs: list[tuple[float, float]] = []
    for line in filter(str.strip, re.split(r"[;\n]", text)):
        found = _PAIR.fullmatch(line.replace("°", ""))
        if found is None:
            raise InputError(f"{clean_name(line)[:60]!r} is no pair of coordinates; {_HELP}")
        pairs.append(_checked(float(found[1]), float(found[2])))
    if len(pairs) == 1:
        return {"type": "Point", "coordinates": pairs[0]}
    if len(pairs) == 2:
        return {"type": "LineString", "coordinates": pairs}
    ring = pairs if pairs[0] == pairs[-1] else [*pairs, pairs[0]]
    return {"type": "Polygon", "coordinates": [ring]}


def _checked(lon: float, lat: float) -> tuple[float, float]:
    """Longitude and latitude in their range."""
    if not (math.isfinite(lon) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise InputError(f"{lon:g}, {lat:g} is no longitude and latitude; give degrees, longitude first")
    return lon, lat


def _area(geometry: Any) -> Any:
    """Polygon with valid rings in degrees."""
    return geometry if geometry.is_valid else shapely.make_valid(geometry, method="structure", keep_collapsed=False)
