"""Esri JSON features (rings, paths, points), from services and from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.crs import LONLAT
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.features import (
    MAX_COORDINATE,
    Budget,
    Coords,
    Feature,
    Layer,
    Reading,
    counted,
    feature_name,
    parse_crs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS

_GEOMETRY_KEYS = frozenset({"rings", "paths", "points", "curveRings", "curvePaths"})
_LARGEST_EPSG_CODE = 32767
"""Codes above it are Esri's own, such as 102100 for Web Mercator."""
_ROUNDING_SHARE = 1e-3
"""Share of a ring's area that may lie outside the ring around it, from rounded coordinates [-]."""


def is_esri(document: Mapping[str, Any]) -> bool:
    """Whether a document is an Esri feature set, feature or geometry."""
    if "type" in document:
        return False
    features, geometry = document.get("features"), document.get("geometry")
    if isinstance(features, list):
        return not any(isinstance(f, dict) and "type" in f for f in features[:1])
    return not _GEOMETRY_KEYS.isdisjoint(document) or (isinstance(geometry, dict) and "type" not in geometry)


def read_esri(document: Mapping[str, Any], *, default_crs: CRS | None = None) -> Reading:
    """Features of an Esri feature set, feature or geometry.

    Parameters
    ----------
    document : mapping
        The parsed JSON.
    default_crs : CRS, optional
        CRS of geometries that name none: of a service, the one that was asked for.

    Raises
    ------
    SiteError
        Where a geometry is malformed, or a limit is passed.
    CRSMismatchError
        Where a spatial reference is unknown, or missing without a default.

    References
    ----------
    Esri, ArcGIS REST API, Geometry objects: shells run clockwise, holes counter-clockwise.
    """
    budget = Budget("cut the layer down to the site, and give the file")
    members = document.get("features")
    if not isinstance(members, list):
        members = [document if "geometry" in document else {"geometry": document}]
    budget.spend("features", len(members))
    shared = _spatial_reference(document)
    by_crs: dict[CRS, list[Feature]] = {}
    empty = 0
    for number, member in enumerate(members, start=1):
        geometry = member.get("geometry") if isinstance(member, dict) else None
        feature = _feature(member, geometry, f"feature {number}", budget) if isinstance(geometry, dict) else None
        if feature is None or not isinstance(geometry, dict):
            empty += 1
            continue
        # A geometry may name a spatial reference of its own, which then counts before the layer's.
        crs = _spatial_reference(geometry) or shared or default_crs
        if crs is None:
            raise CRSMismatchError(
                f"feature {number} of the Esri JSON has no spatialReference, and none is guessed; add its wkid, or export "
                "the layer as GeoJSON"
            )
        by_crs.setdefault(crs, []).append(feature)
    warnings = (f"{counted(empty, 'feature')} without geometry skipped",) if empty else ()
    return Reading(tuple(Layer("", crs, tuple(found)) for crs, found in by_crs.items()), warnings=warnings)


def _feature(member: Mapping[str, Any], geometry: Mapping[str, Any], where: str, budget: Budget) -> Feature | None:
    """Feature of a member, None where its geometry is empty.

    Parameters
    ----------
    member : mapping
        Holds the attributes.
    geometry : mapping
        Holds rings, paths, points, or x and y.
    where : str
        Which feature it is, for messages.
    budget : Budget
        Counts vertices.
    """
    if "curveRings" in geometry or "curvePaths" in geometry:
        raise SiteError(f"{where} has true curves, which are not read; export the layer as GeoJSON")
    attributes = member.get("attributes")
    properties = {str(k).lower(): v for k, v in attributes.items()} if isinstance(attributes, dict) else {}
    rings = [_vertices(r, where, budget) for r in _list(geometry.get("rings", []), where)]
    paths = [_vertices(p, where, budget) for p in _list(geometry.get("paths", []), where)]
    points = [_vertices([p], where, budget) for p in _list(geometry.get("points", []), where)]
    if "x" in geometry and geometry["x"] not in (None, "NaN"):
        points.append(_vertices([[geometry["x"], geometry.get("y")]], where, budget))
    polygons = nest_rings([r for r in rings if len(r) > 2])
    lines = tuple(p for p in paths if len(p) > 1)
    if not (polygons or lines or points):
        return None
    return Feature(feature_name(properties), (), properties, polygons, lines, tuple(points))


def _spatial_reference(holder: Mapping[str, Any]) -> CRS | None:
    """CRS that a feature set or geometry names, or None."""
    reference = holder.get("spatialReference")
    if not isinstance(reference, dict):
        return None
    code = reference.get("latestWkid") or reference.get("wkid")
    if type(code) is int:
        authority = "ESRI" if code > _LARGEST_EPSG_CODE else "EPSG"
        return LONLAT if code == 4326 else parse_crs(f"{authority}:{code}", "the spatialReference")
    text = reference.get("wkt2") or reference.get("wkt")
    return parse_crs(str(text), "the spatialReference") if text else None


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SiteError(f"{where}: its coordinates are not a list; export the layer as GeoJSON")
    return value


def _vertices(value: Any, where: str, budget: Budget) -> Coords:
    items = _list(value, where)
    budget.spend("vertices", len(items))
    found = np.empty((len(items), 2))
    for k, item in enumerate(items):
        if not isinstance(item, list) or len(item) < 2 or any(type(v) not in {int, float} for v in item[:2]):
            raise SiteError(f"{where}: vertex {k + 1} is not a pair of numbers; export the layer as GeoJSON")
        if not (abs(item[0]) < MAX_COORDINATE and abs(item[1]) < MAX_COORDINATE):
            raise SiteError(
                f"{where}: vertex {k + 1} holds NaN or a number too large to be a coordinate; export the layer as GeoJSON"
            )
        found[k] = item[0], item[1]
    return found


def nest_rings(rings: Sequence[Coords]) -> tuple[tuple[Coords, ...], ...]:
    """Polygons of a geometry's rings, shell first.

    A hole belongs to the smallest shell that wholly contains it, so an island in a lake is a polygon of its own. Shells
    run clockwise. Inside an outermost ring that runs the other way (some writers ignore the rule), rings alternate by
    depth: shell, hole, shell. A hole in no shell is taken as a shell: excluded ground is never lost.
    """
    if len(rings) < 2:
        return tuple((ring,) for ring in rings)
    areas = np.array([abs(_signed_area(r)) for r in rings])
    clockwise = [_signed_area(r) <= 0 for r in rings]
    around = _containing(rings, areas)
    shells = set()
    for k, outer in enumerate(around):
        outermost = max(outer, key=lambda s: areas[s], default=k)
        if clockwise[k] if clockwise[outermost] else len(outer) % 2 == 0:
            shells.add(k)
    polygons: dict[int, list[Coords]] = {k: [rings[k]] for k in sorted(shells)}
    for k in range(len(rings)):
        if k in shells:
            continue
        outer = [s for s in around[k] if s in shells]
        if outer:
            polygons[min(outer, key=lambda s: areas[s])].append(rings[k])
        else:
            polygons[k] = [rings[k]]
    return tuple(tuple(polygons[k]) for k in sorted(polygons))


def _containing(rings: Sequence[Coords], areas: np.ndarray) -> list[list[int]]:
    """For each ring, the larger rings that wholly contain it."""
    shapes = [shapely.make_valid(shapely.Polygon(ring)) for ring in rings]
    tree = shapely.STRtree(shapes)
    found: list[list[int]] = [[] for _ in rings]

    def is_larger(other: int, k: int) -> bool:
        # Equal rings cover each other: the first counts as the outer one.
        return k != other and bool((areas[other], -other) > (areas[k], -k))

    for k, other in np.transpose(tree.query(shapes, predicate="covered_by")).tolist():
        if is_larger(other, k):
            found[k].append(other)
    for k, shape in enumerate(shapes):
        if found[k]:
            continue
        # Rounding may push a vertex on a shared edge outside by a hair.
        for other in tree.query(shape, predicate="intersects").tolist():
            if is_larger(other, k) and shape.difference(shapes[other]).area < _ROUNDING_SHARE * shape.area:
                found[k].append(other)
    return found


def _signed_area(ring: Coords) -> float:
    """Signed area, positive where the ring runs counter-clockwise."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
