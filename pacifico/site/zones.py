"""Exclusion features made into zones in the site's CRS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import LONLAT, reproject
from pacifico.site.features import Feature, counted, quoted
from pacifico.site.model import ARC_SEGMENTS, Site, Zone
from pacifico.site.rings import Repairs, polygon_of, polygonal, require_few_crossings, rings_of
from pacifico.site.roles import zone_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from shapely.geometry.base import BaseGeometry

REACH_M = 1_000.0
_METRES_PER_DEGREE = 111_000.0


def zones_of(features: Sequence[Feature], site: Site) -> tuple[tuple[Zone, ...], list[str]]:
    """Zones near a site, and what was repaired or left out.

    Polygons are kept as given, their buffer beside them. A line or point has no area until it is buffered: with a
    buffer it becomes the buffered shape, whose own `buffer_m` is then 0; without one it is left out.

    Parameters
    ----------
    features : sequence of Feature
        Longitude and latitude.
    site : Site
        Zones farther from it than 1 km, or than their own buffer, are left out.

    Raises
    ------
    SiteError
        Where a rule is out of its range.
    """
    zones: list[Zone] = []
    repairs = Repairs()
    far = bare = 0
    beside: list[str] = []
    frame = _Frame(site)
    for feature in features:
        zone_type, buffer_m, cost = zone_rules(feature)
        reach = max(REACH_M, buffer_m)
        polygons = [frame.local(rings, reach) for rings in feature.polygons]
        lines = [frame.local((xy,), reach) for xy in (*feature.lines, *feature.points)]
        far += sum(not near for near in (*polygons, *lines))
        shapes = [
            p
            for r, near in zip(feature.polygons, polygons, strict=True)
            if near and (p := polygon_of(r, feature.name, repairs))
        ]
        if shapes:
            require_few_crossings(rings_of(shapes), f"{quoted(feature.name)}, its polygons together,")
            shape = polygonal(reproject(shapely.union_all(shapes), LONLAT, site.crs))
            shape = shape if shape.is_valid else polygonal(shapely.make_valid(shape))
            if shapely.dwithin(site.boundary, shape, reach):
                zones.append(Zone(shape, feature.name, zone_type, buffer_m, cost))
                if not shapely.dwithin(site.boundary, shape, buffer_m if zone_type != "cost" else 0.0):
                    beside.append(feature.name)
            else:
                far += len(shapes)
        threads = [xy for xy, near in zip((*feature.lines, *feature.points), lines, strict=True) if near]
        if threads and buffer_m == 0:
            bare += len(threads)
        elif threads:
            widened = _widened(threads, buffer_m, site)
            if shapely.dwithin(site.boundary, widened, REACH_M):
                zones.append(Zone(widened, feature.name, zone_type, 0.0, cost))
                if not widened.intersects(site.boundary):
                    beside.append(feature.name)
            else:
                far += len(threads)
    warnings = repairs.lines("exclusions")
    if far:
        warnings.append(
            f"exclusions: {counted(far, 'shape')} farther than {REACH_M / 1000:.0f} km (and than its buffer) from the site left out"
        )
    if beside:
        shown = ", ".join(quoted(n) for n in beside[:3] if n) + (", ..." if len(beside) > 3 else "")
        warnings.append(
            f"exclusions: {counted(len(beside), 'zone lies', 'zones lie')} wholly outside the site, with the buffer, and "
            f"take{'s' if len(beside) == 1 else ''} nothing from it{f' ({shown})' if shown else ''}"
        )
    if bare:
        warnings.append(
            f"exclusions: {counted(bare, 'line or point', 'lines or points')} without buffer_m left out; give one to keep ground free"
        )
    return tuple(zones), warnings


class _Frame:
    """Bounds of the site in degrees, to pass over what is far away before anything is computed."""

    def __init__(self, site: Site) -> None:
        self._bounds = reproject(shapely.box(*site.boundary.bounds), site.crs, LONLAT).bounds

    def local(self, arrays: Sequence[np.ndarray], reach_m: float) -> bool:
        """Whether the bounds of the first array meet the site's, widened by `reach_m`."""
        west, south, east, north = self._bounds
        margin = 1.05 * reach_m / _METRES_PER_DEGREE
        sideways = margin / max(math.cos(math.radians(max(abs(south), abs(north)) + margin)), 0.01)
        if not len(arrays[0]):
            return False
        low, high = arrays[0].min(axis=0), arrays[0].max(axis=0)
        return bool(
            high[0] >= west - sideways
            and low[0] <= east + sideways
            and high[1] >= south - margin
            and low[1] <= north + margin
        )


def _widened(threads: Sequence[np.ndarray], buffer_m: float, site: Site) -> Polygon | MultiPolygon:
    shapes: list[BaseGeometry] = [shapely.LineString(xy) if len(xy) > 1 else shapely.Point(xy[0]) for xy in threads]
    return polygonal(
        reproject(shapely.GeometryCollection(shapes), LONLAT, site.crs).buffer(buffer_m, quad_segs=ARC_SEGMENTS)
    )
