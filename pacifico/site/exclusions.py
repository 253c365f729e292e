"""Exclusion files, and the ground that exclusions leave."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import LONLAT, geodesic_area_m2, reproject
from pacifico.errors import PacificoError, SiteError
from pacifico.site.boundary import clean_line, sidecars_of
from pacifico.site.features import clean_name, counted, in_lonlat
from pacifico.site.formats import read_bytes_of, read_features
from pacifico.site.rings import polygonal
from pacifico.site.roles import role_of
from pacifico.site.zones import zones_of

if TYPE_CHECKING:
    from pacifico.site.model import Site, Zone

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exclusions:
    """What an exclusion file gives."""

    zones: tuple[Zone, ...]
    """In the site's CRS [m]."""
    warnings: tuple[str, ...] = ()
    """What was repaired or left out, one line each."""


def load_exclusions(path: str | Path, site: Site) -> Exclusions:
    """Zones of an exclusion file, with what is to be said about them.

    Every polygon is a zone, save those that say boundary or are derived parts of a layout; lines and points are where
    they have a `buffer_m`. Zone type, buffer_m, cost_multiplier and name come from GeoJSON properties, KML ExtendedData
    or attribute columns. Zones are not clipped; those farther from the site than 1 km and than their buffer are left out.

    Parameters
    ----------
    path : str or Path
        Any file that `read_site` reads.
    site : Site
        Gives the CRS and what is near.

    Raises
    ------
    SiteError
        Where the file can't be read, holds no shape, or a rule is out of its range.
    CRSMismatchError
        Where coordinates and CRS don't fit or the CRS is missing.
    """
    path = Path(path)
    source = clean_name(path.name)
    try:
        reading = read_features(read_bytes_of(path), path.name, sidecars=sidecars_of(path))
        found = [(layer.name, f) for item in reading.layers for layer in [in_lonlat(item)] for f in layer.features]
        if not found:
            raise SiteError("no features found; draw each exclusion as a polygon, or leave the file out")
        meant = [f for label, f in found if role_of(f, label) not in {"boundary", "other"}]
        zones, said = zones_of(meant, site)
    except PacificoError as error:
        raise type(error)(f"{source}: {error}") from None
    warnings = [*reading.warnings, *said]
    if len(meant) < len(found):
        warnings.append(
            f"{counted(len(found) - len(meant), 'feature')} passed over that say boundary or belong to a layout"
        )
    return Exclusions(zones, tuple(f"{source}: {clean_line(line)}" for line in warnings))


def read_exclusions(path: str | Path, site: Site) -> tuple[Zone, ...]:
    """Zones of an exclusion file, as `load_exclusions` reads it; its warnings go to the log."""
    loaded = load_exclusions(path, site)
    for line in loaded.warnings:
        _log.warning("%s", line)
    return loaded.zones


def with_exclusions(site: Site, zones: Exclusions | tuple[Zone, ...]) -> Site:
    """Site with more zones, and with their warnings where they come from `load_exclusions`."""
    more = zones if isinstance(zones, Exclusions) else Exclusions(tuple(zones))
    return replace(site, exclusions=(*site.exclusions, *more.zones), warnings=(*site.warnings, *more.warnings))


def free_ground(site: Site) -> Polygon | MultiPolygon:
    """Boundary less hard and buffered exclusions, their buffers included [m]; may be empty."""
    taken = [z.with_buffer for z in site.exclusions if z.zone_type != "cost"]
    return polygonal(site.boundary.difference(shapely.union_all(taken))) if taken else site.boundary


def net_area_ha(site: Site) -> float:
    """Geodesic area of the boundary less hard and buffered exclusions [ha]."""
    ground = free_ground(site)
    return 0.0 if ground.is_empty else geodesic_area_m2(reproject(ground, site.crs, LONLAT)) / 1e4
