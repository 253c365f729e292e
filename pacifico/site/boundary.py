"""Read a site boundary: sort features by role, repair, reproject."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import LONLAT, MAX_SCALE_ERROR, reproject, scale_error, utm
from pacifico.data import SAMPLE, sample_site_path
from pacifico.errors import PacificoError, SiteError
from pacifico.escaping import decoded
from pacifico.site.features import Feature, Reading, clean_name, counted, one_line, quoted_list, to_lonlat
from pacifico.site.formats import read_features, read_file
from pacifico.site.geojson import geojson_bytes
from pacifico.site.model import Anchor, NamedLine, Site
from pacifico.site.parcels import (
    Parcel,
    merge_polygons,
    require_hemisphere,
    require_one_site,
    select_parcels,
    simplify_boundary,
)
from pacifico.site.rings import Repairs, make_polygon, polygonal
from pacifico.site.roles import Role, feature_role, is_entry, is_own
from pacifico.site.services.addresses import is_url
from pacifico.site.zone_types import is_poi, is_substation_name, use_by_name
from pacifico.site.zones import make_zones

ANCHOR_REACH_M = 5_000.0
"""Points and named lines farther from the site than this are ignored [m]."""


def read_site(source: Any, *, layer: str | None = None, name: str | None = None) -> Site:
    """Site boundary from a file, an address or geometry in memory.

    Parameters
    ----------
    source : str, Path, bytes, GeoDataFrame, GeoSeries, dict or shapely geometry
        A KML, KMZ, GeoJSON, Esri JSON, GeoPackage or shapefile, its address (http or https, up to 64 MB), or ``"sample"`` for the
        site that ships. The content of a file decides how it is read. Files that belong to it are read too: the parts of a .shp, the -wal of a GeoPackage that is open in another
        program. Bytes are those of one file. A frame has a CRS; dicts (GeoJSON) and shapely geometry have longitude and latitude [°].
    layer : str, optional
        Name of the layer, folder or parcel that is the site, where the file holds several.
    name : str, optional
        Name of the site; by default the name in the file, else the file's name.

    Returns
    -------
    Site
        In the UTM zone of its centroid [m]. Its `warnings` list assumptions and repairs.

    Raises
    ------
    SiteError
        Where the file can't be read, holds no site, or holds several that can't be one; or beyond the limits (100,000 ha,
        400 km, 200 parcels).
    CRSMismatchError
        Where coordinates do not fit their CRS, or the CRS is missing.
    OutsideServiceError
        Where the server of an address fails or refuses.

    Examples
    --------
    >>> site = read_site("sample")
    >>> round(site.area_ha)
    291
    >>> from shapely import box
    >>> round(read_site(box(-84.30, 36.55, -84.29, 36.56)).area_ha)
    99
    """
    if isinstance(source, bytes):
        return read_site_bytes(source, "bytes", layer=layer, name=name)
    if not isinstance(source, str | Path):
        return read_site_bytes(geojson_bytes(source), type(source).__name__, layer=layer, name=name)
    if is_url(str(source)):
        from pacifico.site.services.files import fetch_file  # noqa: PLC0415 (requests takes 0.2 s)

        found = fetch_file(str(source))
        return read_site_bytes(found.data, found.name, layer=layer, name=name)
    path = sample_site_path() if str(source) == SAMPLE else Path(source)
    label = clean_name(decoded(path.name))
    try:
        reading, data = read_file(path)
        return _site(reading, _Origin(label, hashlib.sha256(data).hexdigest(), name), layer)
    except PacificoError as error:
        raise type(error)(f"{label}: {error}") from None


def read_site_bytes(data: bytes, filename: str, *, layer: str | None = None, name: str | None = None) -> Site:
    """Site boundary from a file's bytes, as `read_site` reads it.

    Parameters
    ----------
    data : bytes
        Content of the file.
    filename : str
        A label; nothing is opened.
    layer, name : str, optional
        As for `read_site`, whose errors are raised.
    """
    filename = filename.replace("\\", "/").rpartition("/")[2]
    source = clean_name(filename)
    try:
        reading = read_features(data, filename)
        return _site(reading, _Origin(source, hashlib.sha256(data).hexdigest(), name), layer)
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None


@dataclass(frozen=True)
class _Origin:
    """Source file of a site, and the user's name for it."""

    source: str
    sha256: str
    name: str | None


@dataclass(frozen=True)
class _Sorted:
    """Features in longitude and latitude with their layer and role."""

    items: tuple[tuple[Feature, str, Role], ...]

    def features(self, *roles: Role) -> list[Feature]:
        return [f for f, _, role in self.items if role in roles]

    @property
    def named_lines(self) -> list[Feature]:
        """Features whose lines a setback may name."""
        return [
            f
            for f, _, role in self.items
            if role in {"parcel", "boundary"} or (role == "exclusion" and f.lines and use_by_name(f.name))
        ]


def _sorted_features(reading: Reading, *, own: bool) -> _Sorted:
    """Features of a file with their roles.

    A polygon named as a substation is the site where the file has no other.
    """
    items = [
        (f, item.name, feature_role(f, item.name, own=own))
        for item in map(to_lonlat, reading.layers)
        for f in item.features
    ]
    if not any(f.polygons and role in {"parcel", "boundary"} for f, _, role in items):
        items = [
            (f, layer, "parcel" if f.polygons and is_substation_name(f.name) else role) for f, layer, role in items
        ]
    return _Sorted(tuple(items))


def _site(reading: Reading, origin: _Origin, layer: str | None) -> Site:
    """Site of a file's features.

    Parameters
    ----------
    reading : Reading
        Features of the file.
    origin : _Origin
        File and given name.
    layer : str, optional
        Which layer, folder or parcel is the site.
    """
    own = is_own(reading)
    found = _sorted_features(reading, own=own)
    warnings = [*reading.warnings, *_role_warnings(found)]
    parcels = select_parcels(_parcels(found), layer, _no_polygon(reading, found))
    lonlat, kept = _outline(parcels, warnings)
    centre = lonlat.centroid
    # Rounded, so that the order of vertices can't tip a centroid on the edge of two zones (1e-9° is 0.1 mm).
    crs = utm(round(centre.x, 9), round(centre.y, 9))
    error = scale_error(lonlat, crs)
    if error > MAX_SCALE_ERROR:
        warnings.append(
            f"the site reaches so far beyond its zone ({crs.name}) that lengths are off by up to {error:.2%} (limit "
            f"{MAX_SCALE_ERROR:.1%}): lay out its parts as separate sites"
        )
    boundary = simplify_boundary(polygonal(reproject(lonlat, LONLAT, crs)), warnings)
    name = clean_name(origin.name or "") or _site_name(kept, reading, origin.source)
    site = Site(name, crs, boundary, source=origin.source, sha256=origin.sha256)
    zones, zone_warnings = make_zones(found.features("exclusion"), site, own=own)
    anchors, anchor_warnings = _anchors(found.features("parcel", "boundary", "other"), site)
    return replace(
        site,
        exclusions=zones,
        anchors=anchors,
        lines=_named_lines(found.named_lines, site),
        warnings=tuple(one_line(line) for line in (*warnings, *zone_warnings, *anchor_warnings)),
    )


def _outline(parcels: list[Parcel], warnings: list[str]) -> tuple[Polygon | MultiPolygon, list[Parcel]]:
    """Union of the parcels in degrees, and those with an area."""
    vertices = np.concatenate([ring for p in parcels for rings in p.feature.polygons for ring in rings])
    if len(vertices):
        require_hemisphere(vertices[:, 0], vertices[:, 1])
    repairs = Repairs()
    shapes: list[Polygon | MultiPolygon] = []
    kept: list[Parcel] = []
    for parcel in parcels:
        parts = [make_polygon(rings, parcel.name, repairs) for rings in parcel.feature.polygons]
        if found := [part for part in parts if part is not None]:
            shapes += found
            kept.append(parcel)
    if not shapes:
        raise SiteError(
            f"the {'polygons have' if len(parcels) > 1 else 'polygon has'} no area (fewer than three corners, or all on one "
            "line); draw the site as an area"
        )
    warnings += repairs.warnings("boundary")
    lonlat = merge_polygons(shapes, warnings)
    require_one_site(kept, lonlat, warnings)
    return lonlat, kept


def _parcels(found: _Sorted) -> list[Parcel]:
    """Features that may be the site, numbered in file order."""
    items = [(f, layer) for f, layer, role in found.items if role in {"parcel", "boundary"} and f.polygons]
    return [Parcel(f, layer, number) for number, (f, layer) in enumerate(items, start=1)]


def _role_warnings(found: _Sorted) -> list[str]:
    """Warnings on features that are not read as the boundary."""
    warnings = []
    exclusions = [f.name or next(iter(f.labels), layer) for f, layer, role in found.items if role == "exclusion"]
    with_lines = [(f, role) for f, _, role in found.items if f.lines and role != "exclusion"]
    named = [f.name for f, role in with_lines if f.name and role != "other"]
    unnamed = len(with_lines) - len(named)
    derived = len(found.features("other"))
    if exclusions:
        warnings.append(
            f"{counted(len(exclusions), 'feature')} read as exclusions, by name or property ({quoted_list(exclusions)})"
        )
    if unnamed:
        warnings.append(f"{counted(unnamed, 'line')} ignored: a boundary is an area")
    if named:
        warnings.append(
            f"{counted(len(named), 'named line')} ignored as boundary ({quoted_list(named)}); a setback may choose the edges "
            "along one by its name"
        )
    if derived:
        warnings.append(
            f"{counted(derived, 'feature')} of an earlier layout (buildable area, asset, pad, road, cable) ignored"
        )
    return warnings


def _no_polygon(reading: Reading, found: _Sorted) -> str:
    """Message for a file without a parcel."""
    excluded = sum(bool(f.polygons) for f in found.features("exclusion"))
    if excluded:
        return (
            f"no boundary found: its {counted(excluded, 'polygon')} {'is an exclusion' if excluded == 1 else 'are all exclusions'} by "
            "name or property; name the site's own polygon 'boundary', or put it in a folder of its own"
        )
    points, lines = sum(len(f.points) for f, _, _ in found.items), sum(len(f.lines) for f, _, _ in found.items)
    held = [
        *([counted(points, "point")] if points else []),
        *([counted(lines, "line")] if lines else []),
        *reading.skipped,
    ]
    notes = "".join(f"{warning}; " for warning in reading.warnings[:2])
    return f"no polygon found (it holds {', '.join(held) or 'no features'}); {notes}draw the site as a polygon and export that"


def _site_name(parcels: list[Parcel], reading: Reading, source: str) -> str:
    stem = source.rpartition(".")[0] or source
    if len(parcels) == 1:
        return parcels[0].feature.name or reading.title or stem
    return reading.title or stem


def _named_lines(features: list[Feature], site: Site) -> tuple[NamedLine, ...]:
    """Named lines near the site."""
    found = [
        NamedLine(line, f.name)
        for f in features
        if f.name
        for xy in f.lines
        if len(xy) > 1
        for line in [shapely.LineString(reproject(shapely.LineString(xy), LONLAT, site.crs).coords)]
        if line.length > 0 and shapely.dwithin(site.boundary, line, ANCHOR_REACH_M)
    ]
    return tuple(found)


def _anchors(features: list[Feature], site: Site) -> tuple[tuple[Anchor, ...], list[str]]:
    """Points near the site, and a warning on those far away."""
    found: list[Anchor] = []
    far = 0
    shapely.prepare(site.boundary)
    for feature in features:
        for xy in feature.points:
            point = shapely.Point(reproject(shapely.Point(xy[0]), LONLAT, site.crs).coords[0])
            poi = is_poi(feature)
            if poi or shapely.dwithin(site.boundary, point, ANCHOR_REACH_M):
                found.append(Anchor(point, feature.name, is_entry(feature), poi))
            else:
                far += 1
    if not far:
        return tuple(found), []
    return tuple(found), [f"{counted(far, 'point')} more than {ANCHOR_REACH_M / 1000:.0f} km from the site ignored"]
