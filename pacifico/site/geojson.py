"""GeoJSON (RFC 7946), read strictly; the legacy `crs` member is honoured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from pacifico.crs import LONLAT
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.features import (
    MAX_TEXT_BYTES,
    MAX_VERTICES,
    Budget,
    Coords,
    Feature,
    Layer,
    Reading,
    clean_name,
    counted,
    crs_of,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyproj import CRS

# A tuple: what a file holds in its place may not be hashable.
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
_NAME_KEYS = ("name", "title", "label")
_MAX_NESTING = 64


def read_geojson(data: bytes) -> Reading:
    """Features of a GeoJSON text: a FeatureCollection, a Feature or a bare geometry.

    Parameters
    ----------
    data : bytes
        The text, UTF-8, or UTF-16 with a byte order mark.

    Raises
    ------
    SiteError
        Where it is not JSON, not GeoJSON, or past a limit.
    CRSMismatchError
        Where its `crs` member can't be honoured.
    """
    document = _parsed(data)
    kind = document.get("type")
    if kind == "Topology":
        raise SiteError("this is TopoJSON, not GeoJSON; convert it (mapshaper, ogr2ogr) and try again")
    warnings: list[str] = []
    crs = _crs_of(document, warnings)
    if kind == "FeatureCollection":
        members = document.get("features")
        if not isinstance(members, list):
            raise SiteError("the FeatureCollection has no list of features; export it again")
    elif kind == "Feature" or kind in _GEOMETRIES:
        members = [document]
    else:
        raise SiteError(
            f"its type is {_shown(kind)}, not FeatureCollection, Feature or a geometry; export it as GeoJSON"
        )
    budget = Budget()
    budget.spend("features", len(members))
    features, empty = [], 0
    for number, member in enumerate(members, start=1):
        feature = _feature(member, number, budget)
        if feature is None:
            empty += 1
        else:
            features.append(feature)
    if empty:
        warnings.append(f"{counted(empty, 'feature')} without geometry passed over")
    title = document.get("name") if kind == "FeatureCollection" else None
    title = clean_name(title) if isinstance(title, str) else ""
    return Reading((Layer(title, crs, tuple(features)),), title=title, warnings=tuple(warnings))


def _parsed(data: bytes) -> dict[str, object]:
    if len(data) > MAX_TEXT_BYTES:
        raise SiteError(f"{len(data) / 1e6:.0f} MB of GeoJSON; the limit is {MAX_TEXT_BYTES / 1e6:.0f} MB: simplify it")
    if data.count(b"[") + data.count(b"{") > 2 * MAX_VERTICES:
        raise SiteError(f"the GeoJSON holds more than {MAX_VERTICES:,} vertices, the limit; simplify it")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        document = json.loads(data.decode(encoding), parse_constant=_refuse_constant)
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
        if isinstance(error, SiteError):
            raise
        raise SiteError(
            f"the GeoJSON holds a number of absurd length ({clean_name(str(error))[:60]}); export it again"
        ) from None
    if not isinstance(document, dict):
        raise SiteError(f"the JSON holds a {type(document).__name__}, not a GeoJSON object; export it as GeoJSON")
    return document


def _refuse_constant(constant: str) -> float:
    raise SiteError(f"{constant} is not JSON, and no coordinate; write finite decimal degrees")


def _shown(value: object) -> str:
    return (
        quoted(value) if isinstance(value, str) else "nothing (null)" if value is None else f"a {type(value).__name__}"
    )


def _crs_of(document: dict[str, object], warnings: list[str]) -> CRS:
    if "crs" not in document:
        return LONLAT
    member = document["crs"]
    if member is None:
        warnings.append("the crs member is null; longitude and latitude (WGS 84) assumed, as RFC 7946 says")
        return LONLAT
    properties = member.get("properties") if isinstance(member, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(member, dict) or member.get("type") != "name" or not isinstance(name, str):
        raise CRSMismatchError(
            "the crs member names no CRS (a linked one is never fetched); reproject the file to EPSG:4326"
        )
    if name.upper().endswith((":CRS84", "EPSG::4326", "EPSG:4326")):
        return LONLAT
    crs = crs_of(name, "the crs member")
    warnings.append(f"coordinates read in {crs.name}, as the legacy crs member says")
    return crs


def _feature(member: object, number: int, budget: Budget) -> Feature | None:
    if not isinstance(member, dict):
        raise SiteError(f"feature {number} is not an object; export the file again")
    properties: object = {}
    geometry: object = member
    if member.get("type") == "Feature":
        properties, geometry = member.get("properties"), member.get("geometry")
    elif member.get("type") not in _GEOMETRIES:
        raise SiteError(
            f"the type of feature {number} is {_shown(member.get('type'))}, not Feature; export the file again"
        )
    if geometry is None:
        return None
    if properties is None:
        properties = {}
    if not isinstance(properties, dict):
        raise SiteError(f"the properties of feature {number} are not an object; export the file again")
    lowered = {str(key).lower(): value for key, value in properties.items()}
    name = next((clean_name(str(lowered[key])) for key in _NAME_KEYS if isinstance(lowered.get(key), str | int)), "")
    polygons: list[tuple[Coords, ...]] = []
    lines: list[Coords] = []
    points: list[Coords] = []
    for kind, coordinates in _simple_geometries(geometry, number):
        where = f"feature {number}, {kind}"
        if kind.endswith("Polygon"):
            polygons.extend(
                tuple(_vertices(ring, where, budget) for ring in _items(rings, where))
                for rings in ([coordinates] if kind == "Polygon" else _items(coordinates, where))
            )
        elif kind.endswith("LineString"):
            lines.extend(
                _vertices(line, where, budget)
                for line in ([coordinates] if kind == "LineString" else _items(coordinates, where))
            )
        else:
            found_points = _vertices([coordinates] if kind == "Point" else coordinates, where, budget)
            points.extend(found_points[i : i + 1] for i in range(len(found_points)))
    return Feature(name, (), lowered, tuple(filter(None, polygons)), tuple(lines), tuple(points))


def _simple_geometries(geometry: object, number: int) -> Iterator[tuple[str, object]]:
    waiting = [(geometry, 0)]
    while waiting:
        item, depth = waiting.pop()
        kind = item.get("type") if isinstance(item, dict) else None
        if not isinstance(item, dict) or kind not in _GEOMETRIES or depth > _MAX_NESTING:
            raise SiteError(
                f"the geometry of feature {number} is {_shown(kind)}, which GeoJSON does not know; export it again"
            )
        if kind == "GeometryCollection":
            members = _items(item.get("geometries"), f"feature {number}, GeometryCollection")
            waiting.extend((m, depth + 1) for m in reversed(members))
        else:
            yield str(kind), item.get("coordinates")


def _items(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise SiteError(
            f"{where}: coordinates are nested wrongly (a list expected, {_shown(value)} found); export it again"
        )
    return value


def _vertices(value: object, where: str, budget: Budget) -> Coords:
    items = _items(value, where)
    budget.spend("vertices", len(items))
    found = np.empty((len(items), 2))
    for i, position in enumerate(items):
        if not isinstance(position, list) or len(position) < 2:
            raise SiteError(f"{where}: vertex {i + 1} is not a list of two or three numbers; export it again")
        x, y = position[0], position[1]
        if type(x) not in {int, float} or type(y) not in {int, float}:
            raise SiteError(
                f"{where}: vertex {i + 1} holds {_shown(x if type(x) not in {int, float} else y)} where a number must stand"
            )
        if not (-1e300 < x < 1e300 and -1e300 < y < 1e300):
            raise SiteError(f"{where}: vertex {i + 1} holds a number too large to be a coordinate")
        found[i] = x, y
    return found
