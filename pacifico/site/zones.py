"""Exclusion zones in the site's CRS, made from exclusion features."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.site.features import Feature, counted, quoted, quoted_list
from pacifico.site.model import ARC_SEGMENTS, Site, Zone
from pacifico.site.rings import Repairs, make_polygon, polygonal, require_few_crossings, ring_coordinates
from pacifico.site.roles import ZoneRules, foreign_zone_type, zone_rules
from pacifico.site.zone_types import HALF_WIDTH_M, USE_TYPES, half_width_m, is_existing_road, states

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

REACH_M = 1_000.0
"""Zones farther from the site than this, and than their buffer, are left out [m]."""
_FAR_DEG = 2.0
"""Parts of a shape farther from the site than this are cut off [°]: at least 20 km where UTM ends, the largest buffer is 10 km."""
_STEP_DEG = 0.01
"""Longest edge of a shape that was cut [°]: straight in degrees, an edge of a kilometre bends by 2 cm in UTM."""
_DENSE_VERTICES = 2_000
"""Vertices of a drawn line's area beyond which it is simplified: tracks of receivers have one a second."""
_PIECE_VERTICES = 10
"""Edges of a piece of a dense line, which is widened on its own: least time for a line that zigzags."""
_SIMPLIFIED_M = 0.05
"""Largest distance by which a simplified area is off [m]: less than a line is drawn to."""
_METRES_PER_DEGREE = 111_000.0
"""A little less than a degree of latitude, so that the quick check never leaves out a near zone [m]."""


def make_zones(
    features: Sequence[Feature], site: Site, *, own: bool = False, what: Literal["exclusions", "roads"] = "exclusions"
) -> tuple[tuple[Zone, ...], list[str]]:
    """Zones near a site, and warnings on repairs and left-out shapes.

    Polygons keep their shape, with the buffer as a property. A line or point with a buffer becomes the buffered shape, whose
    `buffer_m` is then 0. Without a buffer it has no area and is left out.

    Parameters
    ----------
    features : sequence of Feature
        Longitude and latitude.
    site : Site
        Zones farther from it than 1 km, and than their own buffer, are left out.
    own : bool
        Whether pacifico wrote the file, as for `zone_rules`.
    what : {'exclusions', 'roads'}
        What the warnings call the features.

    Raises
    ------
    SiteError
        Where a rule is out of its range.
    """
    zones: list[Zone] = []
    notes = _Notes(what)
    bounds = _SiteBounds(site)
    for feature in features:
        rules = zone_rules(feature, own=own)
        if text := foreign_zone_type(feature):
            notes.foreign_types[text] = None
        for zone in (_area_zone(feature, rules, site, bounds, notes), _line_zone(feature, rules, site, bounds, notes)):
            if zone is None:
                continue
            zones.append(zone)
            if not shapely.dwithin(site.boundary, zone.geometry, zone.buffer_m if zone.zone_type != "cost" else 0.0):
                notes.beside.append(feature.name)
    return tuple(zones), notes.warnings()


@dataclass
class _Notes:
    """Repairs and left-out shapes, for the warnings."""

    what: str
    repairs: Repairs = field(default_factory=Repairs)
    far: int = 0
    without_buffer: int = 0
    beside: list[str] = field(default_factory=list)
    foreign_types: dict[str, None] = field(default_factory=dict)
    usual: list[tuple[str, float]] = field(default_factory=list)
    """Names of drawn lines without a stated buffer, with the ground kept free on each side [m]."""

    def warnings(self) -> list[str]:
        found = self.repairs.warnings(self.what)
        if self.far:
            found.append(
                f"{self.what}: {counted(self.far, 'shape')} farther than {REACH_M / 1000:.0f} km (and than its buffer) from the "
                "site left out"
            )
        # a road beside the site leads to it, and is meant to take nothing from it
        if self.beside and self.what != "roads":
            names = quoted_list(n for n in self.beside if n)
            found.append(
                f"{self.what}: {counted(len(self.beside), 'zone lies', 'zones lie')} wholly outside the site, with the buffer, and "
                f"take{'s' if len(self.beside) == 1 else ''} nothing from it{f' ({names})' if names else ''}"
            )
        if self.without_buffer:
            found.append(
                f"{self.what}: {counted(self.without_buffer, 'line or point', 'lines or points')} without buffer_m left out; give "
                "one to keep ground free"
            )
        if self.usual:
            found.append(self._usual_widths())
        if self.foreign_types:
            found.append(
                f"{self.what}: zone_type {quoted_list(self.foreign_types)} is not hard, buffered or cost: taken as another "
                "program's column and ignored, the ground is kept free"
            )
        return found

    def _usual_widths(self) -> str:
        """Widths of drawn lines that state no buffer."""
        widths = list(dict.fromkeys(self.usual))
        factor = 2 if self.what == "roads" else 1
        listed = ", ".join(f"{quoted(name) if name else 'unnamed'} {factor * half:g} m" for name, half in widths[:3])
        more = ", ..." if len(widths) > 3 else ""
        if self.what == "roads":
            return f"roads: {counted(len(self.usual), 'road')} taken as wide as a site road needs, or as width_m states ({listed}{more})"
        return (
            f"{self.what}: {counted(len(self.usual), 'line')} kept free by what {'it is' if len(self.usual) == 1 else 'they are'}, "
            f"on each side ({listed}{more}); buffer_m states another width"
        )


class _SiteBounds:
    """Bounds of the site in degrees, for a quick distance check."""

    def __init__(self, site: Site) -> None:
        self._bounds = reproject(shapely.box(*site.boundary.bounds), site.crs, LONLAT).bounds

    def widened(self, by_deg: float) -> tuple[float, float, float, float]:
        """West, south, east, north with so many degrees more on each side."""
        west, south, east, north = self._bounds
        return west - by_deg, south - by_deg, east + by_deg, north + by_deg

    def are_near(self, xy: np.ndarray, reach_m: float) -> bool:
        """Whether the bounds of vertices meet the site's, widened by `reach_m`."""
        west, south, east, north = self._bounds
        margin = 1.05 * reach_m / _METRES_PER_DEGREE
        sideways = margin / max(math.cos(math.radians(max(abs(south), abs(north)) + margin)), 0.01)
        if not len(xy):
            return False
        low, high = xy.min(axis=0), xy.max(axis=0)
        return bool(
            high[0] >= west - sideways
            and low[0] <= east + sideways
            and high[1] >= south - margin
            and low[1] <= north + margin
        )


def _area_zone(feature: Feature, rules: ZoneRules, site: Site, bounds: _SiteBounds, notes: _Notes) -> Zone | None:
    """Zone of a feature's polygons, None where none is near.

    Parameters
    ----------
    feature : Feature
        Longitude and latitude.
    rules : ZoneRules
        Its type, buffer and cost.
    site : Site
        Gives the CRS and the boundary.
    bounds : _SiteBounds
        Bounds of the site in degrees.
    notes : _Notes
        Gets repairs and left-out shapes.
    """
    buffer_m = rules.buffer_m or 0.0
    reach = max(REACH_M, buffer_m)
    near = [rings for rings in feature.polygons if bounds.are_near(rings[0], reach)]
    notes.far += len(feature.polygons) - len(near)
    shapes = [p for rings in near if (p := make_polygon(rings, feature.name, notes.repairs))]
    if not shapes:
        return None
    require_few_crossings(ring_coordinates(shapes), f"{quoted(feature.name)}, its polygons together,")
    shape = polygonal(_projected(shapely.union_all(shapes), site, bounds))
    shape = shape if shape.is_valid else polygonal(shapely.make_valid(shape))
    if not shapely.dwithin(site.boundary, shape, reach):
        notes.far += len(shapes)
        return None
    existing = is_existing_road(feature, rules.effective_type)
    return Zone(
        shape,
        feature.name,
        rules.effective_type,
        buffer_m,
        rules.cost_multiplier or 1.0,
        rules.crossable,
        drivable=states(feature, "drivable") or existing,
        existing=existing,
    )


def _line_zone(feature: Feature, rules: ZoneRules, site: Site, bounds: _SiteBounds, notes: _Notes) -> Zone | None:
    """Zone of a feature's lines and points, widened by the buffer.

    Lines that state none are as wide as what they stand for usually is: a creek, a transmission line by its voltage.

    Parameters
    ----------
    feature, rules, site, bounds, notes
        As for `_area_zone`.
    """
    kind = rules.effective_type
    usual_m = half_width_m(kind, feature) if kind in USE_TYPES and feature.lines and rules.buffer_m is None else 0.0
    existing = is_existing_road(feature, kind)
    if existing and feature.lines:
        # a site road must fit between what stands on both sides, however narrow the track is
        usual_m = max(usual_m, rules.buffer_m or 0.0, HALF_WIDTH_M["road"])
    buffer_m = usual_m or rules.buffer_m or 0.0
    drawn = feature.lines if usual_m else (*feature.lines, *feature.points)
    near = [xy for xy in drawn if bounds.are_near(xy, max(REACH_M, buffer_m))]
    notes.far += len(drawn) - len(near)
    if not near:
        return None
    if buffer_m == 0:
        notes.without_buffer += len(near)
        return None
    shape = _widened(_projected(_lines_and_points(near), site, bounds), buffer_m)
    if not shapely.dwithin(site.boundary, shape, REACH_M):
        notes.far += len(near)
        return None
    if usual_m and rules.buffer_m is None:
        notes.usual.append((feature.name, usual_m))
    cost = rules.cost_multiplier or 1.0
    return Zone(shape, feature.name, kind, 0.0, cost, rules.crossable, drivable=kind == "road", existing=existing)


def _widened(drawn: BaseGeometry, buffer_m: float) -> Polygon | MultiPolygon:
    """Area of drawn lines and points; where they are dense, without vertices that change nothing.

    Each later step pays for the vertices of a zone.
    """
    if shapely.get_num_coordinates(drawn) <= _DENSE_VERTICES:
        return polygonal(drawn.buffer(buffer_m, quad_segs=ARC_SEGMENTS))
    parts = shapely.get_parts(shapely.get_parts(shapely.simplify(drawn, _SIMPLIFIED_M)))
    # the time of a buffer grows with the square of the vertices where a line folds back on itself
    pieces = [
        xy[start : start + _PIECE_VERTICES + 1]
        for xy in map(shapely.get_coordinates, parts)
        for start in range(0, max(len(xy) - 1, 1), _PIECE_VERTICES)
    ]
    areas = shapely.buffer([_line_or_point(xy) for xy in pieces], buffer_m, quad_segs=ARC_SEGMENTS)
    return polygonal(shapely.make_valid(shapely.simplify(shapely.union_all(areas), _SIMPLIFIED_M)))


def _lines_and_points(drawn: Sequence[np.ndarray]) -> BaseGeometry:
    """Lines and points as one geometry in degrees."""
    return shapely.GeometryCollection([_line_or_point(xy) for xy in drawn])


def _line_or_point(xy: np.ndarray) -> BaseGeometry:
    """Line through vertices; a point where there is one."""
    return shapely.LineString(xy) if len(xy) > 1 else shapely.Point(xy[0])


def _projected(lonlat: BaseGeometry, site: Site, bounds: _SiteBounds) -> BaseGeometry:
    """Shape in the site's CRS.

    A shape that spans the world, such as an inverse mask, is first clipped to the site's surroundings: far from its zone
    the CRS has no coordinates.
    """
    surroundings = shapely.box(*bounds.widened(_FAR_DEG))
    if not surroundings.covers(lonlat):
        lonlat = shapely.segmentize(shapely.intersection(lonlat, surroundings), _STEP_DEG)
    return reproject(lonlat, LONLAT, site.crs)
