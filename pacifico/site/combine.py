"""Combine exclusions from several files and services into one file."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.errors import InputError, PacificoError
from pacifico.escaping import decoded
from pacifico.site.exclusions import load_exclusions, read_exclusion_features, with_exclusions
from pacifico.site.features import Feature, clean_name, quoted_list
from pacifico.site.roles import MAX_BUFFER_M, ZoneRules, foreign_zone_type, lenient_zone_rules, zone_rules
from pacifico.site.services.addresses import is_url
from pacifico.site.zone_types import is_existing_road
from pacifico.site.zones import REACH_M
from pacifico.stages import begin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.site.model import Site
    from pacifico.site.services.fetch import FetchSettings
    from pacifico.stages import OnStage

_SEGMENT_M = 5000.0
"""Longest edge of the box around the site before it is reprojected: straight in UTM is curved in degrees [m]."""


@dataclass(frozen=True)
class CombinedExclusions:
    """Exclusions of all sources as one file."""

    path: Path | None
    """File for `load_exclusions`: the only one given, or GeoJSON of all; None where services have nothing near the site."""
    sources: tuple[dict[str, Any], ...]
    """For each source its file or url, layer, and count of features."""
    warnings: tuple[str, ...] = ()
    """Warnings of reading that loading the file at `path` does not repeat, one line each."""


@dataclass(frozen=True)
class _Source:
    """Exclusion features of one source with their rules."""

    features: list[tuple[Feature, ZoneRules]]
    about: dict[str, Any]
    warnings: list[str]


def combine_exclusions(
    sources: Sequence[str | Path],
    site: Site,
    folder: Path,
    *,
    buffer_m: float | None = None,
    settings: FetchSettings | None = None,
    on_stage: OnStage | None = None,
) -> CombinedExclusions:
    """Combine exclusions of files and services into one file.

    A single file without a buffer is used as it is. Everything else becomes `exclusions.geojson` in `folder`, in longitude
    and latitude.

    Parameters
    ----------
    sources : sequence of str or Path
        Files that `load_exclusions` reads, and addresses that `fetch_layer` knows.
    site : Site
        Services are asked for features within 1 km of its bounds, or a larger buffer.
    folder : Path
        Where the file is written.
    buffer_m : float, optional
        Buffer of features that state none and are not cost zones [m]; lines and points need one.
    settings : FetchSettings, optional
        Time and size limits for services.
    on_stage : callable, optional
        Called with name, percentage and message as each source begins.

    Raises
    ------
    InputError
        For a file that can't be read, an address of no known form, or a buffer out of range.
    OutsideServiceError
        Where a service fails, or does not give the whole layer.
    """
    if not sources:
        raise InputError("no exclusions are given; name a file or the address of a layer")
    if buffer_m is not None and not 0 <= buffer_m <= MAX_BUFFER_M:
        raise InputError(f"an exclusion buffer of {buffer_m:g} m is out of range; give 0 to {MAX_BUFFER_M:g} m")
    if len(sources) == 1 and not buffer_m and not is_url(str(sources[0])):
        return CombinedExclusions(Path(sources[0]), ({"file": Path(sources[0]).name},))
    read = [
        _fetch(source, site, buffer_m or 0.0, settings) if is_url(source) else _read(Path(source), site)
        for source in _told(sources, on_stage)
    ]
    about = tuple({**source.about, "features": len(source.features)} for source in read)
    warnings = tuple(w for source in read for w in source.warnings)
    members = [_member(f, rules, buffer_m or 0.0) for source in read for f, rules in source.features]
    if not members:
        return CombinedExclusions(None, about, warnings)
    path = folder / "exclusions.geojson"
    content = {"type": "FeatureCollection", "sources": about, "features": members}
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return CombinedExclusions(path, about, warnings)


def _told(sources: Sequence[str | Path], on_stage: OnStage | None) -> Iterator[str]:
    """Sources in their order, each told as it begins."""
    for number, source in enumerate(map(str, sources)):
        begin(on_stage, "reading_exclusions", 100 * number // len(sources), f"reading {clean_name(source)}")
        yield source


def _read(path: Path, site: Site) -> _Source:
    """Exclusion features of a file."""
    name = clean_name(decoded(path.name))
    found = read_exclusion_features(path, site)
    try:
        features = [(f, zone_rules(f, own=found.own)) for f in found.features]
    except PacificoError as error:
        raise type(error)(f"{name}: {error}") from None
    warnings = [f"{name}: {line}" for line in found.warnings]
    if foreign := list(dict.fromkeys(text for f in found.features if (text := foreign_zone_type(f)))):
        warnings.append(
            f"{name}: zone_type {quoted_list(foreign)} is not hard, buffered or cost: taken as another program's column and "
            "ignored, the ground is kept free"
        )
    return _Source(features, {"file": name}, warnings)


def _fetch(url: str, site: Site, buffer_m: float, settings: FetchSettings | None) -> _Source:
    """Exclusion features of a service's layer near the site.

    Parameters
    ----------
    url : str
        Address of the layer.
    site : Site
        Gives the place.
    buffer_m : float
        Buffer of features that state none [m].
    settings : FetchSettings, optional
        Time and size limits.
    """
    from pacifico.site.services.layers import fetch_layer  # noqa: PLC0415 (see above)

    layer = fetch_layer(url, _bounds(site, max(REACH_M, buffer_m)), settings=settings)
    warnings = [f"{layer.url}: {line}" for line in layer.warnings]
    if not layer.features:
        warnings.append(f"{layer.url}: the layer has nothing near the site")
    features = [(f, lenient_zone_rules(f)) for f in layer.features]
    return _Source(features, {"url": layer.url, "layer": layer.name}, warnings)


def _bounds(site: Site, reach_m: float) -> tuple[float, float, float, float]:
    """Bounds of the site widened by `reach_m`: west, south, east, north [°]."""
    west, south, east, north = site.boundary.bounds
    box = shapely.segmentize(shapely.box(west - reach_m, south - reach_m, east + reach_m, north + reach_m), _SEGMENT_M)
    w, s, e, n = reproject(box, site.crs, LONLAT).bounds
    return float(w), float(s), float(e), float(n)


def _member(feature: Feature, rules: ZoneRules, buffer_m: float) -> dict[str, Any]:
    """GeoJSON of an exclusion with its name and rules only."""
    properties: dict[str, Any] = {"kind": "exclusion"}
    if feature.name:
        properties["name"] = feature.name
    if rules.zone_type is not None:
        properties["zone_type"] = rules.zone_type
    if is_existing_road(feature, rules.effective_type):
        properties["existing"] = True
    if rules.crossable is not None:
        properties["crossable"] = rules.crossable
    if rules.cost_multiplier is not None:
        properties["cost_multiplier"] = rules.cost_multiplier
    if rules.buffer_m is not None:
        properties["buffer_m"] = rules.buffer_m
    elif buffer_m and rules.effective_type != "cost":
        properties["buffer_m"] = buffer_m
    geometries: list[dict[str, Any]] = [
        {"type": "Polygon", "coordinates": [ring.tolist() for ring in rings]} for rings in feature.polygons
    ]
    geometries += [{"type": "LineString", "coordinates": line.tolist()} for line in feature.lines]
    geometries += [{"type": "Point", "coordinates": point[0].tolist()} for point in feature.points]
    geometry = geometries[0] if len(geometries) == 1 else {"type": "GeometryCollection", "geometries": geometries}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def with_combined(
    site: Site,
    sources: Sequence[str | Path],
    *,
    buffer_m: float | None = None,
    settings: FetchSettings | None = None,
    on_stage: OnStage | None = None,
) -> Site:
    """Site with the zones and warnings of files and services.

    Parameters
    ----------
    site : Site
        The site.
    sources, buffer_m, settings, on_stage
        As for `combine_exclusions`, whose errors are raised.
    """
    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        combined = combine_exclusions(
            sources, site, Path(folder), buffer_m=buffer_m, settings=settings, on_stage=on_stage
        )
        if combined.path is not None:
            site = with_exclusions(site, load_exclusions(combined.path, site))
    return replace(site, warnings=(*site.warnings, *combined.warnings))
