"""Esri's own JSON of features (rings, paths, points), for services that do not speak GeoJSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.crs import LONLAT
from pacifico.errors import SiteError
from pacifico.site.features import Budget, Coords, Feature, Layer, Reading, counted, crs_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyproj import CRS


def is_esri(document: Mapping[str, Any]) -> bool:
    """Whether a document is Esri JSON, not GeoJSON."""
    return document.get("type") != "FeatureCollection" and isinstance(document.get("features"), list)


def read_esri(document: Mapping[str, Any]) -> Reading:
    """Features of a feature set.

    Raises
    ------
    SiteError
        Where a geometry is none, or past a limit.
    CRSMismatchError
        Where its spatial reference is unknown.

    References
    ----------
    Esri, ArcGIS REST API, Geometry objects: shells run clockwise, holes counter-clockwise.
    """
    budget = Budget("cut the layer down to the site, and give the file")
    members = document["features"]
    budget.spend("features", len(members))
    features, empty = [], 0
    for number, member in enumerate(members, start=1):
        geometry = member.get("geometry") if isinstance(member, dict) else None
        attributes = member.get("attributes") if isinstance(member, dict) else None
        if not isinstance(geometry, dict):
            empty += 1
            continue
        if "curveRings" in geometry or "curvePaths" in geometry:
            raise SiteError(f"feature {number} has true curves, which are not read; export the layer as GeoJSON")
        properties = {str(k).lower(): v for k, v in attributes.items()} if isinstance(attributes, dict) else {}
        where = f"feature {number}"
        rings = [_vertices(r, where, budget) for r in _list(geometry.get("rings", []), where)]
        paths = [_vertices(p, where, budget) for p in _list(geometry.get("paths", []), where)]
        points = [_vertices([p], where, budget) for p in _list(geometry.get("points", []), where)]
        if "x" in geometry and geometry["x"] not in (None, "NaN"):
            points.append(_vertices([[geometry["x"], geometry.get("y")]], where, budget))
        polygons = polygons_of([r for r in rings if len(r) > 2])
        lines = tuple(p for p in paths if len(p) > 1)
        if polygons or lines or points:
            features.append(Feature("", (), properties, polygons, lines, tuple(points)))
        else:
            empty += 1
    warnings = (f"{counted(empty, 'feature')} without geometry passed over",) if empty else ()
    return Reading((Layer("", _crs(document), tuple(features)),), warnings=warnings)


def _crs(document: Mapping[str, Any]) -> CRS:
    said = document.get("spatialReference")
    if not isinstance(said, dict):
        return LONLAT
    code = said.get("latestWkid") or said.get("wkid")
    if type(code) is int:
        # numbers above EPSG's own are Esri's
        return LONLAT if code == 4326 else crs_of(f"{'ESRI' if code > 32767 else 'EPSG'}:{code}", "the layer")
    return crs_of(str(said.get("wkt") or said.get("wkt2") or ""), "the layer")


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise SiteError(f"{where}: its coordinates are no list; export the layer as GeoJSON")
    return value


def _vertices(value: Any, where: str, budget: Budget) -> Coords:
    items = _list(value, where)
    budget.spend("vertices", len(items))
    found = np.empty((len(items), 2))
    for k, item in enumerate(items):
        if not isinstance(item, list) or len(item) < 2 or any(type(v) not in {int, float} for v in item[:2]):
            raise SiteError(f"{where}: vertex {k + 1} is no pair of numbers; export the layer as GeoJSON")
        found[k] = item[0], item[1]
    if not np.isfinite(found).all():
        raise SiteError(f"{where}: a coordinate is not finite; export the layer as GeoJSON")
    return found


def polygons_of(rings: Sequence[Coords]) -> tuple[tuple[Coords, ...], ...]:
    """Rings of polygons, shell first: clockwise rings are shells, the others holes of the smallest shell around them.

    A hole that lies in no shell is taken as a shell: ground is not lost by a ring drawn the wrong way round.
    """
    areas = [_signed_area(r) for r in rings]
    shells = [k for k, a in enumerate(areas) if a <= 0] or list(range(len(rings)))
    polygons: dict[int, list[Coords]] = {k: [rings[k]] for k in shells}
    shapes = {k: shapely.make_valid(shapely.Polygon(rings[k])) for k in shells}
    for k in range(len(rings)):
        if k in shapes:
            continue
        point = shapely.make_valid(shapely.Polygon(rings[k])).representative_point()
        around = [s for s in shells if shapes[s].covers(point)]
        if around:
            polygons[min(around, key=lambda s: abs(areas[s]))].append(rings[k])
        else:
            polygons[k] = [rings[k]]
    return tuple(tuple(polygons[k]) for k in sorted(polygons))


def _signed_area(ring: Coords) -> float:
    """Positive where the ring runs counter-clockwise."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
