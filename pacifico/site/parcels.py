"""Parcels of a site: selection, checks and their common outline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LinearRing, MultiPolygon, Polygon

from pacifico.crs import UTM_NORTH, UTM_SOUTH, geodesic_area_m2, utm
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.features import Feature, counted, quoted
from pacifico.site.rings import Repairs, make_polygon, planar_m2, polygonal, require_few_crossings, ring_coordinates

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_AREA_HA = 100_000.0
"""Largest site [ha]."""
MAX_SPAN_KM = 400.0
"""Widest site [km]: UTM keeps its scale within 0.1 % over about this width."""
MAX_PARCELS = 200
"""Most parcels of a site; more is a parcel map, and the user must choose."""
MAX_POLYGONS = 5_000
"""Most polygons of a site."""
MIN_AREA_M2 = 100.0
"""Smallest site [m²]."""
SLIVER_M = 0.5
"""Gaps between neighbouring parcels narrower than this are closed [m]."""
WIDE_KM = 30.0
"""Sites wider than this get a warning [km]."""
MAX_BOUNDARY_VERTICES = 10_000
"""Boundaries with more vertices are simplified."""
TOLERANCES_M = (0.05, 0.2, 1.0)
"""Tolerances of the simplification, tried in this order [m]."""
_KM_PER_DEGREE = 111.32
_SHOWN = 8


@dataclass(frozen=True)
class Parcel:
    """Feature with polygons that is not an exclusion."""

    feature: Feature
    layer: str
    number: int

    @property
    def name(self) -> str:
        """Its own name, or its number in the file."""
        return self.feature.name or f"parcel {self.number}"

    def answers_to(self, name: str) -> bool:
        """Whether it, its layer or one of its folders has a name."""
        return name in {self.name, self.layer, *self.feature.labels}


def select_parcels(parcels: list[Parcel], layer: str | None, none_found: str) -> list[Parcel]:
    """Parcels of the site: all, or those that `layer` names.

    Raises
    ------
    SiteError
        Where there are none, `layer` matches none, or several layers have parcels and none is named.
    """
    if not parcels:
        raise SiteError(none_found)
    layers = list(dict.fromkeys(p.layer for p in parcels))
    if layer is not None:
        if found := [p for p in parcels if p.answers_to(layer)]:
            return _require_plausible(found)
        what = "layers" if len(layers) > 1 else "parcels"
        raise SiteError(
            f"no layer, folder or parcel is named {quoted(layer)}; its {what}: {_listed(parcels, by_layer=len(layers) > 1)}"
        )
    if len(layers) > 1:
        raise SiteError(
            f"polygons in {len(layers)} layers; choose the site's with layer=, or save it alone: {_listed(parcels, by_layer=True)}"
        )
    return _require_plausible(parcels)


def _require_plausible(parcels: list[Parcel]) -> list[Parcel]:
    if len(parcels) > MAX_PARCELS:
        raise SiteError(
            f"{counted(len(parcels), 'parcel')} are more than one site has (limit {MAX_PARCELS}); {_ask(parcels)}"
        )
    return parcels


def _ask(parcels: Sequence[Parcel]) -> str:
    return f"choose with layer=, or save the site's alone: {_listed(parcels, by_layer=False)}"


def _listed(parcels: Sequence[Parcel], *, by_layer: bool) -> str:
    """Names and areas, the largest first where there are many."""
    areas: dict[str, float] = {}
    counts: dict[str, int] = {}
    for parcel in parcels:
        key = parcel.layer if by_layer else parcel.name
        areas[key] = areas.get(key, 0.0) + _area_ha(parcel)
        counts[key] = counts.get(key, 0) + 1
    keys = sorted(areas, key=lambda k: -areas[k])[:_SHOWN] if len(areas) > _SHOWN else list(areas)
    items = [f"{quoted(k)} {f'({counts[k]} parcels) ' if counts[k] > 1 else ''}{areas[k]:,.2f} ha" for k in keys]
    more = f", and {len(areas) - len(keys):,} more" if len(areas) > len(keys) else ""
    return f"{', '.join(items)}{more} ({sum(areas.values()):,.2f} ha in all)"


def _area_ha(parcel: Parcel) -> float:
    repairs = Repairs()
    shapes = [make_polygon(rings, parcel.name, repairs) for rings in parcel.feature.polygons]
    return sum(geodesic_area_m2(s) for s in shapes if s is not None) / 1e4


def require_hemisphere(longitudes: np.ndarray, latitudes: np.ndarray) -> None:
    """Refuse polar sites and sites across the antimeridian: no working CRS fits.

    Raises
    ------
    CRSMismatchError
        Beyond the limits of UTM.
    SiteError
        Where longitudes jump from +180 to -180.
    """
    south, north = float(latitudes.min()), float(latitudes.max())
    if south < UTM_SOUTH or north > UTM_NORTH:
        lon, lat = float(longitudes.mean()), south if south < UTM_SOUTH else north
        try:
            utm(0.0, lat)
        except CRSMismatchError as error:
            if not UTM_SOUTH <= lon <= UTM_NORTH:
                raise
            raise CRSMismatchError(
                f"{error}. Are longitude and latitude swapped? Swapped, the site is at longitude {lat:.2f}°, latitude "
                f"{lon:.2f}°: write longitude first"
            ) from None
    if float(np.ptp(longitudes)) > 180:
        last, first = float(longitudes[longitudes > 0].min()), float(longitudes[longitudes < 0].max())
        if 0 < first + 360 - last < 90:
            raise SiteError(
                f"the site crosses the antimeridian (from longitude {last:.5g} to {first:.5g}), which is not supported; "
                "cut it at 180° and give each side a file of its own"
            )


def merge_polygons(shapes: list[Polygon | MultiPolygon], warnings: list[str]) -> Polygon | MultiPolygon:
    """Union of polygons in longitude and latitude, slivers between neighbours closed."""
    if len(shapes) == 1:
        return shapes[0]
    if len(shapes) > MAX_POLYGONS:
        raise SiteError(
            f"{len(shapes):,} polygons are more than one site has (limit {MAX_POLYGONS:,}); save the site's alone"
        )
    require_few_crossings(ring_coordinates(shapes), "the site's polygons together: their outline")
    union = polygonal(shapely.union_all(shapes))
    share = 1 - union.area / sum(s.area for s in shapes)
    if share > 1e-4:
        total = sum(geodesic_area_m2(s) for s in shapes) / 1e4
        warnings.append(
            f"polygons overlap on {share * total:,.2f} ha, counted once: their union has {geodesic_area_m2(union) / 1e4:,.2f} ha"
        )
    drawn = {ring for shape in shapes for ring in _holes(shape)}
    slivers = [ring for ring in _holes(union) if ring not in drawn and _width_m(ring) < SLIVER_M]
    if slivers:
        area = sum(planar_m2(Polygon(ring)) for ring in slivers)
        warnings.append(
            f"{counted(len(slivers), 'sliver')} under {SLIVER_M:g} m wide between neighbouring polygons closed ({area:,.0f} m² in all)"
        )
        union = polygonal(shapely.union_all([union, *(Polygon(ring) for ring in slivers)]))
    return union


def _holes(shape: Polygon | MultiPolygon) -> list[LinearRing]:
    return [ring for part in shapely.get_parts(shape) for ring in part.interiors]


def _width_m(ring: LinearRing) -> float:
    """Mean width of the area that a ring in degrees encloses [m]."""
    scale = math.cos(math.radians(ring.centroid.y))
    metres = shapely.transform(ring, lambda xy: xy * (scale * _KM_PER_DEGREE * 1000, _KM_PER_DEGREE * 1000))
    return float(2 * Polygon(metres).area / metres.length)


def require_one_site(parcels: list[Parcel], lonlat: Polygon | MultiPolygon, warnings: list[str]) -> None:
    """Refuse a site that is too wide, too large or too small.

    Raises
    ------
    SiteError
        Beyond a limit; the message lists names and areas of several parcels.
    """
    west, south, east, north = lonlat.bounds
    high = (north - south) * _KM_PER_DEGREE
    wide = (east - west) * _KM_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    area_m2 = geodesic_area_m2(lonlat)
    span = f"{wide:,.0f} x {high:,.0f} km"
    if area_m2 / 1e4 > MAX_AREA_HA or max(wide, high) > MAX_SPAN_KM:
        many = len(parcels) > 1
        raise SiteError(
            f"{counted(len(parcels), 'parcel')} on {span} with {area_m2 / 1e4:,.2f} ha: too large for one site "
            f"(limits {MAX_AREA_HA:,.0f} ha and {MAX_SPAN_KM:.0f} km); "
            + (_ask(parcels) if many else "check the coordinates, or cut out the part that is the site")
        )
    if area_m2 < MIN_AREA_M2:
        raise SiteError(
            f"the site has {area_m2:.2f} m²; at least {MIN_AREA_M2:.0f} m² are needed: check the coordinates"
        )
    if len(parcels) > 1:
        warnings.append(f"{counted(len(parcels), 'parcel')} read as one site")
    if max(wide, high) > WIDE_KM:
        warnings.append(f"the site spans {span}; check that its parcels belong together")


def simplify_boundary(boundary: Polygon | MultiPolygon, warnings: list[str]) -> Polygon | MultiPolygon:
    """Simplify a boundary to 10,000 vertices, within 1 m."""
    before = shapely.get_num_coordinates(boundary)
    found = boundary
    if before > MAX_BOUNDARY_VERTICES:
        for tolerance in TOLERANCES_M:
            found = polygonal(shapely.make_valid(boundary.simplify(tolerance, preserve_topology=True)))
            if shapely.get_num_coordinates(found) <= MAX_BOUNDARY_VERTICES:
                break
        change = 100 * (found.area / boundary.area - 1)
        warnings.append(
            f"{before:,} vertices simplified to {shapely.get_num_coordinates(found):,} within {tolerance:g} m (area {change:+.4f} %)"
        )
    return found if found.is_valid else polygonal(shapely.make_valid(found))
