"""GeoJSON (RFC 7946), also one feature a line, and Esri JSON."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.crs import LONLAT
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.esri import is_esri, read_esri
from pacifico.site.features import (
    MAX_COORDINATE,
    MAX_TEXT_BYTES,
    MAX_VERTICES,
    Budget,
    Coords,
    Feature,
    Layer,
    Reading,
    clean_name,
    counted,
    feature_name,
    one_line,
    parse_crs,
    quoted,
    quoted_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyproj import CRS

# A tuple: what a file holds in its place may not be hashable.
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
_MAX_NESTING = 64
_CRS_TEXT = re.compile(r"\s*(\w+[:\[]|\+proj)", re.ASCII)
"""Start of an authority code, URN, address, WKT or PROJ string."""
_RECORD_SEPARATOR = "\x1e"
"""Starts each feature of a GeoJSON text sequence (RFC 8142)."""
_OWN_MEMBER = "pacifico"
"""Top-level member of the files that pacifico writes."""


def read_geojson(data: bytes) -> Reading:
    """Features of a GeoJSON text in any of its forms.

    Esri JSON is read too: many services and programs write it under the same file name.

    Parameters
    ----------
    data : bytes
        The text, UTF-8, or UTF-16 with a byte order mark.

    Raises
    ------
    SiteError
        Where it is not JSON, not GeoJSON, or a limit is passed.
    CRSMismatchError
        Where its `crs` member names no known CRS.
    """
    warnings: list[str] = []
    document = _parsed(data, warnings)
    if is_esri(document):
        reading = read_esri(document)
        warnings.append("read as Esri JSON")
    else:
        reading = read_collection(document)
    return replace(reading, warnings=(*warnings, *reading.warnings))


def read_collection(document: dict[str, object]) -> Reading:
    """Features of a parsed GeoJSON document.

    Raises
    ------
    SiteError, CRSMismatchError
        As for `read_geojson`.
    """
    warnings: list[str] = []
    crs = _document_crs(document, warnings)
    members = _members(document)
    budget = Budget()
    budget.spend("features", len(members))
    features, empty = [], 0
    blank: dict[str, None] = {}
    for number, member in enumerate(members, start=1):
        feature = _feature(member, number, budget, blank)
        if feature is None:
            empty += 1
        else:
            features.append(feature)
    if empty:
        warnings.append(f"{counted(empty, 'feature')} without geometry skipped")
    if blank:
        warnings.append(f"NaN or Infinity in {quoted_list(blank)}, which JSON does not have: read as empty")
    title = document.get("name") if document.get("type") == "FeatureCollection" else None
    title = clean_name(title) if isinstance(title, str) else ""
    return Reading(
        (Layer(title, crs, tuple(features)),),
        title=title,
        warnings=tuple(warnings),
        marked=isinstance(document.get(_OWN_MEMBER), dict),
    )


def _members(document: dict[str, object]) -> list[object]:
    """Features of a document, or its single feature or geometry."""
    kind = document.get("type")
    if kind == "Topology":
        raise SiteError("this is TopoJSON, not GeoJSON; convert it (mapshaper, ogr2ogr) and try again")
    if kind == "FeatureCollection":
        members = document.get("features")
        if not isinstance(members, list):
            raise SiteError("the FeatureCollection has no list of features; export it again")
        return members
    if kind == "Feature" or kind in _GEOMETRIES:
        return [document]
    raise SiteError(
        f"its type is {_described(kind)}, not FeatureCollection, Feature or a geometry; export it as GeoJSON"
    )


def _parsed(data: bytes, warnings: list[str]) -> dict[str, object]:
    """Document of a text; line-delimited features become one collection."""
    if len(data) > MAX_TEXT_BYTES:
        raise SiteError(f"{len(data) / 1e6:.0f} MB of GeoJSON; the limit is {MAX_TEXT_BYTES / 1e6:.0f} MB: simplify it")
    if data.count(b"[") + data.count(b"{") > 2 * MAX_VERTICES:
        raise SiteError(f"the GeoJSON holds more than {MAX_VERTICES:,} vertices, the limit; simplify it")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
        documents = _documents(text)
    except UnicodeDecodeError as error:
        raise SiteError(f"byte {error.start} of the GeoJSON is not {encoding[:6].upper()}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise SiteError(
            f"the GeoJSON is not valid JSON at line {error.lineno}, column {error.colno} ({error.msg}); export it again"
        ) from None
    except RecursionError:
        raise SiteError(
            "the GeoJSON is nested too deeply to be one (4 levels of brackets are usual); export it again"
        ) from None
    except ValueError as error:
        raise SiteError(
            f"the GeoJSON holds a number of absurd length ({clean_name(str(error))[:60]}); export it again"
        ) from None
    if len(documents) == 1:
        document = documents[0]
        if not isinstance(document, dict):
            raise SiteError(f"the JSON holds a {type(document).__name__}, not a GeoJSON object; export it as GeoJSON")
        return document
    return _one_collection(documents, warnings)


def _documents(text: str) -> list[object]:
    """JSON values of a text, one after the other."""
    decoder = json.JSONDecoder()
    found: list[object] = []
    at = 0
    while True:
        while at < len(text) and (text[at].isspace() or text[at] == _RECORD_SEPARATOR):
            at += 1
        if at >= len(text) and found:
            return found
        value, at = decoder.raw_decode(text, at)
        found.append(value)


def _one_collection(documents: list[object], warnings: list[str]) -> dict[str, object]:
    """Features of a text with one feature a line, as a collection."""
    features: list[object] = []
    for number, document in enumerate(documents, start=1):
        kind = document.get("type") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not (kind == "Feature" or kind in _GEOMETRIES) or "crs" in document:
            raise SiteError(
                f"the file holds {len(documents):,} JSON texts, and number {number} is not a plain Feature; with one feature "
                "a line each must be one: export it as one FeatureCollection"
            )
        features.append(document)
    warnings.append(f"read as {counted(len(features), 'GeoJSON feature')}, one a line")
    return {"type": "FeatureCollection", "features": features}


def _described(value: object) -> str:
    """Value of the wrong type, for a message."""
    return (
        quoted(value) if isinstance(value, str) else "nothing (null)" if value is None else f"a {type(value).__name__}"
    )


def _document_crs(document: dict[str, object], warnings: list[str]) -> CRS:
    """CRS that the `crs` member names; WGS 84 without one."""
    if "crs" not in document:
        return LONLAT
    member = document["crs"]
    if member is None:
        warnings.append("the crs member is null; longitude and latitude (WGS 84) assumed, as RFC 7946 says")
        return LONLAT
    name = _crs_name(member)
    if not name:
        raise CRSMismatchError(
            "the crs member names no CRS (a linked one is never fetched); reproject the file to EPSG:4326"
        )
    if name.upper().endswith((":CRS84", "EPSG::4326", "EPSG:4326")):
        return LONLAT
    crs = parse_crs(name, "the crs member")
    warnings.append(f"coordinates read in {crs.name}, as the crs member says")
    return crs


def _crs_name(member: object) -> str:
    """Name, code, URN or WKT in a crs member; empty without one."""
    if isinstance(member, str):
        # PROJ searches its database for any other text, and takes a similar name for the one meant.
        return member.strip() if _CRS_TEXT.match(member) else ""
    properties = member.get("properties") if isinstance(member, dict) else None
    if not isinstance(member, dict) or not isinstance(properties, dict) or member.get("type") == "link":
        return ""
    for key in ("name", "urn", "wkt"):
        if isinstance(properties.get(key), str):
            return str(properties[key]).strip()
    code = properties.get("code")
    if isinstance(code, bool) or not isinstance(code, int | str):
        return ""
    # 'type' is the authority in this form of GeoJSON 2008: {"type": "EPSG", "properties": {"code": 3857}}.
    return str(code) if ":" in str(code) else f"{member.get('type')}:{code}"


def _feature(member: object, number: int, budget: Budget, blank: dict[str, None]) -> Feature | None:
    """Feature of a member, None where it has no geometry.

    Parameters
    ----------
    member : object
        A Feature or a geometry.
    number : int
        Its number in the file, for messages.
    budget : Budget
        Counts vertices.
    blank : dict
        Gets the names of properties that hold NaN or Infinity.
    """
    if not isinstance(member, dict):
        raise SiteError(f"feature {number} is not an object; export the file again")
    properties: object = {}
    geometry: object = member
    if member.get("type") == "Feature":
        properties, geometry = member.get("properties"), member.get("geometry")
    elif member.get("type") not in _GEOMETRIES:
        raise SiteError(
            f"the type of feature {number} is {_described(member.get('type'))}, not Feature; export the file again"
        )
    if geometry is None:
        return None
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise SiteError(f"the properties of feature {number} are not an object; export the file again")
    lowered: dict[str, object] = {}
    for key, value in properties.items():
        is_blank = isinstance(value, float) and not math.isfinite(value)
        if is_blank:
            blank[str(key)] = None
        lowered[str(key).lower()] = None if is_blank else value
    polygons: list[tuple[Coords, ...]] = []
    lines: list[Coords] = []
    points: list[Coords] = []
    for kind, coordinates in _simple_geometries(geometry, number):
        where = f"feature {number}, {kind}"
        items = _items(coordinates, where) if kind.startswith("Multi") else [coordinates]
        if kind.endswith("Polygon"):
            polygons.extend(tuple(_vertices(ring, where, budget) for ring in _items(rings, where)) for rings in items)
        elif kind.endswith("LineString"):
            lines.extend(_vertices(line, where, budget) for line in items)
        else:
            found = _vertices(items, where, budget)
            points.extend(found[i : i + 1] for i in range(len(found)))
    return Feature(feature_name(lowered), (), lowered, tuple(filter(None, polygons)), tuple(lines), tuple(points))


def _simple_geometries(geometry: object, number: int) -> Iterator[tuple[str, object]]:
    """Type and coordinates of each geometry, collections unpacked."""
    waiting = [(geometry, 0)]
    while waiting:
        item, depth = waiting.pop()
        kind = item.get("type") if isinstance(item, dict) else None
        if not isinstance(item, dict) or kind not in _GEOMETRIES or depth > _MAX_NESTING:
            raise SiteError(
                f"the geometry of feature {number} is {_described(kind)}, which GeoJSON does not know; export it again"
            )
        if kind == "GeometryCollection":
            members = _items(item.get("geometries"), f"feature {number}, GeometryCollection")
            waiting.extend((m, depth + 1) for m in reversed(members))
        else:
            yield str(kind), item.get("coordinates")


def _items(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise SiteError(
            f"{where}: coordinates are nested wrongly (a list expected, {_described(value)} found); export it again"
        )
    return value


def _vertices(value: object, where: str, budget: Budget) -> Coords:
    """Vertices of a list of positions; heights are dropped unread."""
    items = _items(value, where)
    budget.spend("vertices", len(items))
    found = np.empty((len(items), 2))
    for i, position in enumerate(items):
        if not isinstance(position, list) or len(position) < 2:
            raise SiteError(f"{where}: vertex {i + 1} is not a list of two or three numbers; export it again")
        x, y = position[0], position[1]
        if type(x) not in {int, float} or type(y) not in {int, float}:
            wrong = x if type(x) not in {int, float} else y
            raise SiteError(f"{where}: vertex {i + 1} holds {_described(wrong)} where a number must be")
        if not (abs(x) < MAX_COORDINATE and abs(y) < MAX_COORDINATE):
            is_nan = any(isinstance(v, float) and math.isnan(v) for v in (x, y))
            problem = "NaN, which is no coordinate" if is_nan else "a number too large to be a coordinate"
            raise SiteError(f"{where}: vertex {i + 1} holds {problem}; write finite numbers")
        found[i] = x, y
    return found


def geojson_bytes(source: Any) -> bytes:
    """GeoJSON text of geometry in memory.

    Parameters
    ----------
    source : GeoDataFrame, GeoSeries, dict or object with `__geo_interface__`
        A frame has a CRS and is reprojected. Dicts are GeoJSON, and other objects such as shapely geometry have longitude and latitude [°].

    Returns
    -------
    bytes
        Text in longitude and latitude.

    Raises
    ------
    CRSMismatchError
        If a frame has no CRS.
    SiteError
        If it is none of these.
    """
    if hasattr(source, "to_crs"):
        if source.crs is None:
            raise CRSMismatchError("the frame has no CRS: set the one of its coordinates, such as frame.set_crs(32616)")
        source = source.to_crs(LONLAT)
    found = source if isinstance(source, dict) else getattr(source, "__geo_interface__", None)
    if not isinstance(found, dict):
        kind = type(source).__name__
        raise SiteError(
            f"a site is read from a path, bytes, a GeoDataFrame, a GeoJSON dict or a shapely geometry, not from {kind}"
        )
    try:
        return json.dumps(found, default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SiteError(f"no GeoJSON can be made of it: {one_line(str(error))}") from None


def _plain(value: Any) -> Any:
    """Property for JSON: numbers of numpy as numbers, dates as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)
