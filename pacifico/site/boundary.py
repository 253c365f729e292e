"""Site boundary from a file: read, sorted by role, repaired, put in the working CRS."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import LONLAT, MAX_SCALE_ERROR, reproject, scale_error, utm
from pacifico.errors import PacificoError, SiteError
from pacifico.site.features import Feature, Layer, Reading, clean_name, counted, in_lonlat, quoted
from pacifico.site.formats import read_bytes_of, read_features
from pacifico.site.model import Anchor, NamedLine, Site
from pacifico.site.parcels import Parcel, chosen, joined, require_hemisphere, require_one_site, simplified
from pacifico.site.rings import Repairs, polygon_of, polygonal
from pacifico.site.roles import is_entry, role_of
from pacifico.site.zones import zones_of

ANCHOR_REACH_M = 5_000.0


def read_site(path: str | Path, *, layer: str | None = None, name: str | None = None) -> Site:
    """Site boundary of a KML, KMZ, GeoJSON, GeoPackage or (zipped) shapefile.

    Parameters
    ----------
    path : str or Path
        The file; of a bare .shp the files beside it are read too. Its content decides how it is read.
    layer : str, optional
        Which layer, folder or parcel is the site, by name, where the file holds several.
    name : str, optional
        Name of the site; by default what the file says, else the file's name.

    Returns
    -------
    Site
        In the UTM zone of its centroid [m]. Its `warnings` tell what was assumed and repaired.

    Raises
    ------
    SiteError
        Where the file can't be read, holds no site, several that can't be one, or one past the limits
        (100,000 ha, 400 km, 200 parcels).
    CRSMismatchError
        Where coordinates and CRS don't fit or the CRS is missing.

    Examples
    --------
    >>> site = read_site("site.kml")  # doctest: +SKIP
    >>> round(site.area_ha, 2)  # doctest: +SKIP
    785.64
    """
    path = Path(path)
    data = read_bytes_of(path)
    return _read(data, path.name, layer, name, sidecars_of(path))


def read_site_bytes(data: bytes, filename: str, *, layer: str | None = None, name: str | None = None) -> Site:
    """Site boundary of a file's bytes, as `read_site` reads it; the filename is a label, never opened."""
    return _read(data, filename.replace("\\", "/").rpartition("/")[2], layer, name, {})


def sidecars_of(path: Path) -> dict[str, bytes]:
    """Files beside a bare .shp, by extension in lower case."""
    if path.suffix.lower() != ".shp":
        return {}
    beside = {
        e: path.with_suffix(f".{spelt}")
        for e in ("shx", "dbf", "prj", "cpg")
        for spelt in (e.upper(), e)
        if path.with_suffix(f".{spelt}").is_file()
    }
    return {extension: read_bytes_of(file) for extension, file in beside.items()}


def _read(data: bytes, filename: str, layer: str | None, name: str | None, sidecars: dict[str, bytes]) -> Site:
    source = clean_name(filename)
    try:
        reading = read_features(data, filename, sidecars=sidecars)
        return _site(reading, layer, name, source, hashlib.sha256(data).hexdigest())
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None


def _site(reading: Reading, layer: str | None, name: str | None, source: str, sha256: str) -> Site:
    layers = [in_lonlat(item) for item in reading.layers]
    warnings = list(reading.warnings)
    parcels = chosen(_parcels(layers, warnings), layer, _no_polygon(reading, layers))
    vertices = np.concatenate([ring for p in parcels for rings in p.feature.polygons for ring in rings])
    if len(vertices):
        require_hemisphere(vertices[:, 0], vertices[:, 1])
    repairs = Repairs()
    shapes: list[Polygon | MultiPolygon] = []
    kept: list[Parcel] = []
    for parcel in parcels:
        parts = [polygon_of(rings, parcel.name, repairs) for rings in parcel.feature.polygons]
        if found := [part for part in parts if part is not None]:
            shapes += found
            kept.append(parcel)
    if not shapes:
        raise SiteError(
            f"the {'polygons have' if len(parcels) > 1 else 'polygon has'} no area (fewer than three corners, or all on one "
            "line); draw the site as an area"
        )
    warnings += repairs.lines("boundary")
    lonlat = joined(shapes, warnings)
    require_one_site(kept, lonlat, warnings)
    centre = lonlat.centroid
    # Rounded, so that the order of vertices can't tip a centroid on the edge of two zones (1e-9° is 0.1 mm).
    crs = utm(round(centre.x, 9), round(centre.y, 9))
    error = scale_error(lonlat, crs)
    if error > MAX_SCALE_ERROR:
        warnings.append(
            f"the site reaches so far beyond its zone ({crs.name}) that lengths are off by up to {error:.2%}, where "
            f"{MAX_SCALE_ERROR:.1%} is meant: lay out its parts as sites of their own"
        )
    boundary = simplified(polygonal(reproject(lonlat, LONLAT, crs)), warnings)
    site = Site(clean_name(name or "") or _name_of(kept, reading, source), crs, boundary, source=source, sha256=sha256)
    sorted_out = [(item.name, f) for item in layers for f in item.features]
    zones, said = zones_of([f for label, f in sorted_out if role_of(f, label) == "exclusion"], site)
    warnings += said
    others = [f for label, f in sorted_out if role_of(f, label) != "exclusion"]
    anchors = _anchors(others, site, warnings)
    lines = _named_lines([f for label, f in sorted_out if role_of(f, label) in {"parcel", "boundary"}], site)
    return replace(
        site, exclusions=zones, anchors=anchors, lines=lines, warnings=tuple(clean_line(line) for line in warnings)
    )


def clean_line(text: str) -> str:
    """Warning on one line."""
    return " ".join(text.split())


def _parcels(layers: list[Layer], warnings: list[str]) -> list[Parcel]:
    found: list[Parcel] = []
    exclusions: list[str] = []
    named: list[str] = []
    others = lines = 0
    for layer in layers:
        for feature in layer.features:
            role = role_of(feature, layer.name)
            if role == "exclusion":
                exclusions.append(feature.name or next(iter(feature.labels), layer.name))
                continue
            if feature.name and feature.lines and role != "other":
                named.append(feature.name)
            else:
                lines += bool(feature.lines)
            if role == "other":
                others += 1
            elif feature.polygons:
                found.append(Parcel(feature, layer.name, len(found) + 1))
    if exclusions:
        shown = ", ".join(quoted(n) for n in exclusions[:3]) + (", ..." if len(exclusions) > 3 else "")
        warnings.append(f"{counted(len(exclusions), 'feature')} read as exclusions, as they say so ({shown})")
    if lines:
        warnings.append(f"{counted(lines, 'line')} ignored: a boundary is an area")
    if named:
        shown = ", ".join(quoted(n) for n in named[:3]) + (", ..." if len(named) > 3 else "")
        warnings.append(
            f"{counted(len(named), 'named line')} ignored as boundary ({shown}); a setback may choose the edges along one by its name"
        )
    if others:
        warnings.append(
            f"{counted(others, 'feature')} of an earlier layout (buildable, asset, pad, road, cable) ignored"
        )
    return found


def _no_polygon(reading: Reading, layers: list[Layer]) -> str:
    """Message for a file without a parcel."""
    features: list[tuple[str, Feature]] = [(layer.name, f) for layer in layers for f in layer.features]
    excluded = sum(bool(f.polygons) and role_of(f, label) == "exclusion" for label, f in features)
    if excluded:
        return (
            f"no boundary found: its {counted(excluded, 'polygon')} all say exclusion; name the site's own polygon 'boundary', "
            "or put it in a folder of its own"
        )
    points, lines = sum(len(f.points) for _, f in features), sum(len(f.lines) for _, f in features)
    held = [
        *([counted(points, "point")] if points else []),
        *([counted(lines, "line")] if lines else []),
        *reading.passed_over,
    ]
    said = "".join(f"{warning}; " for warning in reading.warnings[:2])
    return f"no polygon found (it holds {', '.join(held) or 'no features'}); {said}draw the site as a polygon and export that"


def _name_of(parcels: list[Parcel], reading: Reading, source: str) -> str:
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


def _anchors(features: list[Feature], site: Site, warnings: list[str]) -> tuple[Anchor, ...]:
    found: list[Anchor] = []
    far = 0
    shapely.prepare(site.boundary)
    for feature in features:
        for xy in feature.points:
            point = shapely.Point(reproject(shapely.Point(xy[0]), LONLAT, site.crs).coords[0])
            if shapely.dwithin(site.boundary, point, ANCHOR_REACH_M):
                found.append(Anchor(point, feature.name, is_entry(feature)))
            else:
                far += 1
    if far:
        warnings.append(f"{counted(far, 'point')} more than {ANCHOR_REACH_M / 1000:.0f} km from the site ignored")
    return tuple(found)
