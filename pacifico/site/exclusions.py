"""Exclusion files, and the ground that exclusions leave free."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import LONLAT, geodesic_area_m2, reproject
from pacifico.errors import PacificoError, SiteError
from pacifico.escaping import decoded
from pacifico.site.features import Feature, clean_name, counted, one_line, quoted_list, to_lonlat
from pacifico.site.formats import read_file
from pacifico.site.rings import polygonal
from pacifico.site.roles import feature_role, is_no_road, is_own
from pacifico.site.zone_types import stated_width_m
from pacifico.site.zones import make_zones

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.site.model import Site, Zone

ROADS_SHARE = 0.5
"""Existing roads that cover more of a site than this are no roads, but its outline or its fields [-]."""
BOUNDARY_SHARE = 0.9
"""A polygon named boundary that covers this share of the site is the site's own boundary, not an exclusion [-]."""
_NOT_OF_ROADS = frozenset({"kind", "zone_type", "cost_multiplier", "crossable"})
"""Properties that a road in a file of roads may have by chance."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exclusions:
    """Zones of an exclusion file, with warnings."""

    zones: tuple[Zone, ...]
    """In the site's CRS [m]."""
    warnings: tuple[str, ...] = ()
    """Repairs and left-out shapes, one line each."""


@dataclass(frozen=True)
class ExclusionFeatures:
    """Features of a file that are exclusions, before they become zones."""

    features: tuple[Feature, ...]
    """In longitude and latitude."""
    own: bool
    """Whether pacifico wrote the file."""
    warnings: tuple[str, ...]


def load_exclusions(path: str | Path, site: Site) -> Exclusions:
    """Zones of an exclusion file, with warnings on repairs and left-out shapes.

    Every polygon is a zone; lines and points are zones where they have a `buffer_m`. A polygon named boundary that covers
    the site is skipped, and so are derived parts of a layout in a file that pacifico wrote. zone_type, buffer_m,
    cost_multiplier and name come from GeoJSON properties, KML ExtendedData or attribute columns; a zone_type other than
    hard, buffered or cost is another program's column and is ignored. Zones are not clipped; those farther from the site
    than 1 km and than their buffer are left out.

    Parameters
    ----------
    path : str or Path
        Any file that `read_site` reads.
    site : Site
        Gives the CRS and the place.

    Returns
    -------
    Exclusions
        The zones and the warnings.

    Raises
    ------
    SiteError
        Where the file can't be read, holds no shape, or a rule is out of its range.
    CRSMismatchError
        Where coordinates do not fit their CRS, or the CRS is missing.
    """
    path = Path(path)
    source = clean_name(decoded(path.name))
    found = read_exclusion_features(path, site)
    try:
        zones, warnings = make_zones(found.features, site, own=found.own)
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None
    return Exclusions(zones, tuple(f"{source}: {one_line(line)}" for line in (*found.warnings, *warnings)))


def read_exclusion_features(path: Path, site: Site) -> ExclusionFeatures:
    """Exclusion features of a file; errors name the file, warnings do not.

    Raises
    ------
    SiteError, CRSMismatchError
        As for `load_exclusions`.
    """
    try:
        reading, _ = read_file(path)
        own = is_own(reading)
        found = [(layer.name, f) for item in reading.layers for layer in [to_lonlat(item)] for f in layer.features]
        if not found:
            raise SiteError("no features found; draw each exclusion as a polygon, or leave the file out")
    except PacificoError as error:
        raise type(error)(f"{clean_name(decoded(path.name))}: {error}") from None
    roles = [feature_role(f, label, own=own) for label, f in found]
    features = [f for _, f in found]
    skipped = {k for k, role in enumerate(roles) if role == "other"}
    boundaries = [k for k, role in enumerate(roles) if role == "boundary" and (own or features[k].polygons)]
    warnings = list(reading.warnings)
    if own or _cover([features[k] for k in boundaries], site):
        skipped.update(boundaries)
    elif boundaries:
        names = quoted_list(features[k].name for k in boundaries)
        warnings.append(
            f"{counted(len(boundaries), 'polygon')} named boundary ({names}) kept free: not the site's boundary"
        )
    if skipped:
        warnings.append(f"{counted(len(skipped), 'feature')} skipped: the site's boundary, or part of a layout")
    return ExclusionFeatures(tuple(f for k, f in enumerate(features) if k not in skipped), own, tuple(warnings))


def _cover(features: Sequence[Feature], site: Site) -> bool:
    """Whether polygons together cover the site, and so are its boundary."""
    shapes = [shapely.make_valid(Polygon(rings[0])) for f in features for rings in f.polygons if len(rings[0]) > 2]
    if not shapes:
        return False
    boundary = reproject(site.boundary, site.crs, LONLAT)
    return bool(boundary.intersection(shapely.union_all(shapes)).area >= BOUNDARY_SHARE * boundary.area)


def load_roads(path: str | Path, site: Site) -> Exclusions:
    """Existing roads of a file as zones that site roads may run along.

    Lines and polygons are roads; `width_m` states the width of a line. Shapes that `role`, `zone_type`, `kind` or the name
    state to be something else, such as a creek or a transmission line, are left out with a warning; the role `road` keeps
    them. Of a layout that pacifico wrote, its roads are taken.

    Parameters
    ----------
    path : str or Path
        Any file that `read_site` reads.
    site : Site
        Gives the CRS and the place.

    Returns
    -------
    Exclusions
        The roads and the warnings.

    Raises
    ------
    SiteError
        Where the file can't be read, holds no road, the roads cover more than half the site, or a value is out of its
        range.
    CRSMismatchError
        Where coordinates do not fit their CRS, or the CRS is missing.

    Examples
    --------
    >>> roads = load_roads("tracks.kml", site).zones  # doctest: +SKIP
    """
    path = Path(path)
    source = clean_name(decoded(path.name))
    try:
        reading, _ = read_file(path)
        own = is_own(reading)
        features = [f for item in reading.layers for f in to_lonlat(item).features]
        if own:
            features = [f for f in features if f.properties.get("kind") == "road"]
        roads, left_out = _roads_of(features)
        if not roads:
            why = f" ({'; '.join(left_out)})" if left_out else ""
            raise SiteError(f"no road found{why}; draw existing roads as lines, or leave the file out")
        zones, warnings = make_zones(roads, site, what="roads")
        _require_roads(zones, site)
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None
    warnings.extend(f"roads: {line}" for line in left_out)
    if not zones:
        warnings.append("roads: none lies near the site")
    return Exclusions(zones, tuple(f"{source}: {one_line(line)}" for line in (*reading.warnings, *warnings)))


def _roads_of(features: Sequence[Feature]) -> tuple[list[Feature], list[str]]:
    """Existing roads among features, and what is left out or ignored, one line each."""
    roads: list[Feature] = []
    points, bare, foreign, widths = 0, 0, [], []
    for feature in features:
        lines = tuple(xy for xy in feature.lines if len(xy) and bool((xy != xy[0]).any()))
        points += len(feature.points)
        bare += len(feature.lines) - len(lines)
        if not lines and not feature.polygons:
            continue
        if is_no_road(feature):
            foreign.append(feature.name or str(feature.properties.get("role") or "unnamed"))
            continue
        if lines and "width_m" in feature.properties and stated_width_m(feature) is None:
            widths.append(str(feature.properties["width_m"]))
        kept = {k: v for k, v in feature.properties.items() if k not in _NOT_OF_ROADS}
        roads.append(replace(feature, properties={**kept, "role": "road"}, lines=lines, points=()))
    said = []
    if points:
        said.append(f"{counted(points, 'point')} left out; draw existing roads as lines")
    if bare:
        said.append(f"{counted(bare, 'line')} without length left out")
    if foreign:
        shapes = counted(len(foreign), "shape that is no road", "shapes that are no roads")
        said.append(f"{shapes} left out ({quoted_list(foreign)}); the role road keeps one")
    if widths:
        said.append(
            f"width_m of {counted(len(widths), 'line')} is no number over 0 and below 1000 m ({quoted_list(widths)}) and is ignored"
        )
    return roads, said


def _require_roads(zones: Sequence[Zone], site: Site) -> None:
    """Refuse areas that cover most of a site: nothing could stand there."""
    covered = shapely.union_all([z.with_buffer for z in zones]).intersection(site.boundary).area
    if covered > ROADS_SHARE * site.boundary.area:
        raise SiteError(
            f"the roads cover {covered / site.boundary.area:.0%} of the site, more than {ROADS_SHARE:.0%}; give the lines of "
            "existing roads, or the areas of their surface alone"
        )


def with_roads(site: Site, path: str | Path) -> Site:
    """Site with the existing roads of a file, and its warnings.

    Parameters
    ----------
    site : Site
        The site.
    path : str or Path
        As for `load_roads`, whose errors are raised.
    """
    return with_exclusions(site, load_roads(path, site))


def read_exclusions(path: str | Path, site: Site) -> tuple[Zone, ...]:
    """Zones of an exclusion file; the warnings go to the log."""
    loaded = load_exclusions(path, site)
    for line in loaded.warnings:
        _log.warning("%s", line)
    return loaded.zones


def with_exclusions(site: Site, zones: Exclusions | tuple[Zone, ...]) -> Site:
    """Site with more zones, and with the warnings of `load_exclusions`."""
    more = zones if isinstance(zones, Exclusions) else Exclusions(tuple(zones))
    return replace(site, exclusions=(*site.exclusions, *more.zones), warnings=(*site.warnings, *more.warnings))


def free_ground(site: Site) -> Polygon | MultiPolygon:
    """Boundary without hard and buffered exclusions [m]; may be empty."""
    taken = [z.with_buffer for z in site.exclusions if z.zone_type != "cost"]
    return polygonal(site.boundary.difference(shapely.union_all(taken))) if taken else site.boundary


def net_area_ha(site: Site) -> float:
    """Geodesic area of the boundary without hard and buffered exclusions [ha]."""
    ground = free_ground(site)
    return 0.0 if ground.is_empty else geodesic_area_m2(reproject(ground, site.crs, LONLAT)) / 1e4
