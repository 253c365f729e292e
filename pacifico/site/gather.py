"""Exclusions from several files and services, gathered into one file that stands for them all."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError, PacificoError
from pacifico.site.boundary import sidecars_of
from pacifico.site.features import Feature, clean_name, in_lonlat
from pacifico.site.formats import read_bytes_of, read_features
from pacifico.site.roles import MAX_BUFFER_M, MAX_COST
from pacifico.site.zones import REACH_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.site.fetch import FetchSettings
    from pacifico.site.model import Site

_ZONE_TYPES = ("hard", "buffered", "cost")


@dataclass(frozen=True)
class Gathered:
    """What stands for the sources."""

    path: Path | None
    """File for `load_exclusions`: the one given, or GeoJSON of all; None where services have nothing near the site."""
    sources: tuple[dict[str, Any], ...]
    """What each was: file or url, layer, count of features."""
    warnings: tuple[str, ...] = ()
    """What reading said that the file at `path` can't say again, one line each."""


def gather_exclusions(
    sources: Sequence[str | Path],
    site: Site,
    folder: Path,
    *,
    buffer_m: float | None = None,
    settings: FetchSettings | None = None,
) -> Gathered:
    """Exclusions of files and services as one file.

    One file without a buffer is itself. All else becomes `exclusions.geojson` in `folder`: features as they were read, in
    longitude and latitude.

    Parameters
    ----------
    sources : sequence of str or Path
        Files that `load_exclusions` reads, and addresses that `fetch_layer` knows.
    site : Site
        Services are asked for what lies within 1 km of its bounds, or within the buffer where that is larger.
    folder : Path
        Where the file is written.
    buffer_m : float, optional
        For features that state no buffer of their own and are no cost zones [m]; lines and points need one.
    settings : FetchSettings, optional
        Patience and limits with services.

    Raises
    ------
    InputError
        For a file that can't be read, an address of no known form, a buffer out of range.
    OutsideServiceError
        Where a service fails.
    """
    if not sources:
        raise InputError("no exclusions are given; name a file or the address of a layer")
    if buffer_m is not None and not 0 <= buffer_m <= MAX_BUFFER_M:
        raise InputError(f"an exclusion buffer of {buffer_m:g} m is out of range; give 0 to {MAX_BUFFER_M:g} m")
    from pacifico.site.services import is_url  # noqa: PLC0415 (requests: 0.2 s, where there is a file alone)

    if len(sources) == 1 and not buffer_m and not is_url(str(sources[0])):
        return Gathered(Path(sources[0]), ({"file": Path(sources[0]).name},))
    features: list[Feature] = []
    told: list[dict[str, Any]] = []
    warnings: list[str] = []
    for source in sources:
        found, about, said = (
            _fetched(str(source), site, buffer_m or 0.0, settings) if is_url(str(source)) else _read(Path(source))
        )
        features += found
        told.append({**about, "features": len(found)})
        warnings += said
    if not features:
        return Gathered(None, tuple(told), tuple(warnings))
    path = folder / "exclusions.geojson"
    members = [_member(f, buffer_m or 0.0) for f in features]
    content = {"type": "FeatureCollection", "sources": told, "features": members}
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return Gathered(path, tuple(told), tuple(warnings))


def _read(path: Path) -> tuple[list[Feature], dict[str, Any], list[str]]:
    name = clean_name(path.name)
    try:
        reading = read_features(read_bytes_of(path), path.name, sidecars=sidecars_of(path))
        found = [f for layer in reading.layers for f in in_lonlat(layer).features]
    except PacificoError as error:
        raise type(error)(f"{name}: {error}") from None
    if not found:
        raise InputError(f"{name}: no features found; draw each exclusion as a polygon, or leave the file out")
    return found, {"file": name}, [f"{name}: {line}" for line in reading.warnings]


def _fetched(
    url: str, site: Site, buffer_m: float, settings: FetchSettings | None
) -> tuple[list[Feature], dict[str, Any], list[str]]:
    from pacifico.site.services import fetch_layer  # noqa: PLC0415

    layer = fetch_layer(url, _bounds(site, max(REACH_M, buffer_m)), settings=settings)
    said = [f"{layer.url}: {line}" for line in layer.warnings]
    if not layer.features:
        said.append(f"{layer.url}: the layer has nothing near the site")
    return [_as_exclusion(f) for f in layer.features], {"url": layer.url, "layer": layer.name}, said


def _bounds(site: Site, reach_m: float) -> tuple[float, float, float, float]:
    west, south, east, north = site.boundary.bounds
    box = shapely.segmentize(shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m), 5000.0)
    w, s, e, n = reproject(box, site.crs, LONLAT).bounds
    return float(w), float(s), float(e), float(n)


def _as_exclusion(feature: Feature) -> Feature:
    """Feature of a service, with such rules as are ours: another's column of that name may mean anything."""
    kept: dict[str, object] = {"kind": "exclusion"}
    said = feature.properties.get("zone_type")
    if isinstance(said, str) and said.strip().lower() in _ZONE_TYPES:
        kept["zone_type"] = said.strip().lower()
    for key, low, high in (("buffer_m", 0.0, MAX_BUFFER_M), ("cost_multiplier", 1.0, MAX_COST)):
        value = feature.properties.get(key)
        if type(value) in {int, float} and low <= float(value) <= high:  # type: ignore[arg-type]
            kept[key] = value
    return replace(feature, labels=(), properties=kept)


def _member(feature: Feature, buffer_m: float) -> dict[str, Any]:
    """GeoJSON of a feature, with the buffer that it lacks."""
    properties = {k: v for k, v in feature.properties.items() if _plain(v)}
    if feature.name:
        properties["name"] = feature.name
    own = properties.get("buffer_m")
    dear = str(properties.get("zone_type", "")).strip().lower() == "cost" or (
        not properties.get("zone_type") and properties.get("cost_multiplier") not in (None, "", 1, 1.0, "1")
    )
    if buffer_m and not dear and (own is None or (isinstance(own, str) and not own.strip())):
        properties["buffer_m"] = buffer_m
    geometries: list[dict[str, Any]] = [
        {"type": "Polygon", "coordinates": [ring.tolist() for ring in rings]} for rings in feature.polygons
    ]
    geometries += [{"type": "LineString", "coordinates": line.tolist()} for line in feature.lines]
    geometries += [{"type": "Point", "coordinates": point[0].tolist()} for point in feature.points]
    geometry = geometries[0] if len(geometries) == 1 else {"type": "GeometryCollection", "geometries": geometries}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _plain(value: object) -> bool:
    """What JSON can hold, and a property may be."""
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def with_gathered(
    site: Site,
    sources: Sequence[str | Path],
    *,
    buffer_m: float | None = None,
    settings: FetchSettings | None = None,
) -> Site:
    """Site with the zones of files and services, and with what is to be said about them; raises as `gather_exclusions`."""
    from pacifico.site.exclusions import load_exclusions, with_exclusions  # noqa: PLC0415 (it imports much of this room)

    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        gathered = gather_exclusions(sources, site, Path(folder), buffer_m=buffer_m, settings=settings)
        if gathered.path is not None:
            site = with_exclusions(site, load_exclusions(gathered.path, site))
    return replace(site, warnings=(*site.warnings, *gathered.warnings))
