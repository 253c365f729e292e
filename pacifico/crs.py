"""Working CRS, reprojection and units of height."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Geod, Proj, Transformer
from pyproj.exceptions import ProjError
from shapely.geometry import mapping

from pacifico.errors import CRSMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

LONLAT = CRS.from_epsg(4326)
METRES_PER_FOOT = 0.3048
METRES_PER_US_SURVEY_FOOT = 1200 / 3937
MAX_SCALE_ERROR = 0.001
"""Largest scale error of a working CRS [-]: that of a UTM zone at its edge on the equator."""
UTM_SOUTH, UTM_NORTH = -80.0, 84.0
"""Latitudes between which UTM is defined [°]."""
SAME_UNIT = 1e-5
"""Relative difference below which two factors are one unit: the two feet differ by 2e-6."""
ROUNDED_UNIT = 1e-3
"""Relative difference within which a factor is a rounded foot, such as 0.305."""

_UNIT_PATTERNS = (
    (r"m|mtr|met(re|er)s?m?", 1.0),
    (r"(international|intl|i)?(ft|foot|feet)(international|intl)?(ft)?", METRES_PER_FOOT),
    (r"sft|(us|american)(survey)?(ft|foot|feet)(ftus|usft)?|survey(ft|foot|feet)(us)?", METRES_PER_US_SURVEY_FOOT),
    (r"(ft|foot|feet)(us(survey)?|survey(us)?)", METRES_PER_US_SURVEY_FOOT),
    (r"dm|decimet(re|er)s?", 0.1),
    (r"cm|centimet(re|er)s?", 0.01),
    (r"mm|millimet(re|er)s?", 0.001),
    (r"km|kilomet(re|er)s?", 1000.0),
)
"""Names of units without case, spaces and punctuation, and their metres."""

_WGS84 = Geod(ellps="WGS84")


def metres_per_unit(text: str) -> float | None:
    """Metres in a unit of length, by its name or factor.

    Parameters
    ----------
    text : str
        Unit as files spell it: `m`, `ft`, `US survey foot`, `us-ft`, `Foot_US`, `0.3048`, `cm`.

    Returns
    -------
    float or None
        Factor [m]; None for a unit that is not known.
    """
    plain = re.sub(r"[^a-z0-9.-]", "", text.lower())
    letters = re.sub(r"[.-]", "", plain)
    for pattern, factor in _UNIT_PATTERNS:
        if re.fullmatch(pattern, letters):
            return factor
    return metres_per_factor(float(plain)) if re.fullmatch(r"\d*\.?\d+", plain) else None


def metres_per_factor(factor: float) -> float | None:
    """Exact metres per unit for a possibly rounded factor.

    0.3048 is the international foot, 0.30480061 the US survey foot, 0.305 a rounded foot. None for other units.
    """
    known = (1.0, METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT, 0.1, 0.01, 0.001, 1000.0)
    nearest = min(known, key=lambda exact: abs(factor / exact - 1))
    if abs(factor / nearest - 1) < SAME_UNIT:
        return nearest
    return METRES_PER_FOOT if abs(factor / METRES_PER_FOOT - 1) < ROUNDED_UNIT else None


def unit_name(factor: float) -> str:
    """Name of the unit that holds so many metres."""
    names = {
        1.0: "metres",
        METRES_PER_FOOT: "feet",
        METRES_PER_US_SURVEY_FOOT: "US survey feet",
        0.1: "decimetres",
        0.01: "centimetres",
        0.001: "millimetres",
        1000.0: "kilometres",
    }
    return names.get(factor, f"units of {factor:g} m")


def utm(lon: float, lat: float) -> CRS:
    """UTM zone at a place, with the exceptions for Norway and Svalbard.

    Parameters
    ----------
    lon, lat : float
        Longitude and latitude, WGS 84 [°].

    Raises
    ------
    CRSMismatchError
        The place is beyond 80° S or 84° N, where UTM is not defined.

    References
    ----------
    NGA.SIG.0012 (2014), "The Universal Grids and the Transverse Mercator Projection".
    """
    if not UTM_SOUTH <= lat <= UTM_NORTH:
        raise CRSMismatchError(
            f"the site is at latitude {lat:.2f}°, beyond the limits of UTM ({UTM_SOUTH:.0f}° to {UTM_NORTH:.0f}°); "
            "pacifico has no working CRS for polar sites"
        )
    zone = min(int((lon + 180) // 6) + 1, 60)
    if 56 <= lat < 64 and 3 <= lon < 12:
        zone = 32
    elif lat >= 72 and 0 <= lon < 42:
        zone = 31 + 2 * int((lon + 3) // 12)
    return CRS.from_epsg((32600 if lat >= 0 else 32700) + zone)


@lru_cache(maxsize=64)
def transformer(source: CRS, target: CRS) -> Transformer:
    """Coordinate transformer with x before y; cached, since building one takes milliseconds.

    Raises
    ------
    CRSMismatchError
        No transformation connects the two systems.
    """
    try:
        return Transformer.from_crs(source, target, always_xy=True)
    except ProjError as error:
        raise CRSMismatchError(
            f"no transformation leads from '{source.name}' to '{target.name}'; set the CRS that the data is in"
        ) from error


def reproject(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """Reproject a geometry vertex by vertex; z values stay unchanged."""
    if source == target:
        return geometry
    change = transformer(source, target)

    def moved(xy: np.ndarray) -> np.ndarray:
        x, y = change.transform(xy[:, 0], xy[:, 1])
        return np.column_stack([x, y])

    if geometry.has_z:
        heights = shapely.get_coordinates(geometry, include_z=True)[:, 2]
        return shapely.set_coordinates(
            shapely.force_3d(geometry), np.column_stack([moved(shapely.get_coordinates(geometry)), heights])
        )
    return shapely.transform(geometry, moved)


def reproject_all(geometries: Sequence[BaseGeometry], source: CRS, target: CRS) -> list[BaseGeometry]:
    """Reproject geometries in one call, as `reproject` does each."""
    if source == target:
        return list(geometries)
    change = transformer(source, target)

    def moved(xyz: np.ndarray) -> np.ndarray:
        x, y = change.transform(xyz[:, 0], xyz[:, 1])
        return np.column_stack([x, y, *xyz[:, 2:].T])

    found = np.array(list(geometries), dtype=object)
    raised = shapely.has_z(found)
    for own, with_z in ((~raised, False), (raised, True)):
        if own.any():
            found[own] = shapely.transform(found[own], moved, include_z=with_z)
    return list(found)


def swapped_hint(
    site: tuple[float, float, float, float], site_crs: CRS, extent: tuple[float, float, float, float], extent_crs: CRS
) -> str:
    """Hint that a boundary has longitude and latitude swapped; empty where it has not.

    It looks swapped where the site lies outside an extent (of a DEM, say), and inside it once swapped.

    Parameters
    ----------
    site, extent : tuple of float
        West, south, east, north.
    site_crs, extent_crs : CRS
        Their CRS.
    """
    west, south, east, north = transformer(site_crs, LONLAT).transform_bounds(*site, densify_pts=21)
    lon, lat = (west + east) / 2, (south + north) / 2
    if abs(lon) > 90:
        return ""
    low_x, low_y, high_x, high_y = transformer(extent_crs, LONLAT).transform_bounds(*extent, densify_pts=21)
    # The margin lets a DEM that misses part of the site still show the swap.
    margin_x, margin_y = high_x - low_x, high_y - low_y
    inside = low_x - margin_x <= lat <= high_x + margin_x and low_y - margin_y <= lon <= high_y + margin_y
    if not inside or (low_x <= lon <= high_x and low_y <= lat <= high_y):
        return ""
    return f"longitude and latitude look swapped in the boundary (swapped, it is at lon {lat:.4f}, lat {lon:.4f})"


def scale_error(lonlat: BaseGeometry, crs: CRS) -> float:
    """Largest scale error of a CRS at a geometry's vertices [-].

    The geometry is in longitude and latitude.
    """
    at = shapely.get_coordinates(lonlat)
    factors = Proj(crs).get_factors(at[:, 0], at[:, 1])
    return float(np.abs(np.asarray([factors.meridional_scale, factors.parallel_scale]) - 1).max())


def geodesic_area_m2(lonlat: BaseGeometry) -> float:
    """Area of a polygon in longitude and latitude on the ellipsoid [m²].

    References
    ----------
    Karney (2013), https://doi.org/10.1007/s00190-012-0578-z
    """
    oriented = shapely.orient_polygons(lonlat)
    return abs(float(_WGS84.geometry_area_perimeter(oriented)[0]))


def geojson_geometries(geometries: Sequence[BaseGeometry], source: CRS) -> list[dict[str, Any]]:
    """GeoJSON geometries (RFC 7946) in EPSG:4326.

    Degrees have 8 decimals, heights 4 (0.1 mm). Outer rings run counter-clockwise.
    """
    if not len(geometries):
        return []
    shapes = np.array(list(geometries), dtype=object)
    flat = shapely.get_coordinates(shapes)
    lon, lat = transformer(source, LONLAT).transform(flat[:, 0], flat[:, 1])
    columns = [np.round(lon, 8), np.round(lat, 8)]
    if shapely.has_z(shapes).any():
        columns.append(np.round(shapely.get_coordinates(shapes, include_z=True)[:, 2], 4))
    moved = shapely.set_coordinates(shapes.copy(), np.column_stack(columns))
    polygons = np.isin(shapely.get_type_id(moved), (3, 6))
    moved[polygons] = shapely.orient_polygons(moved[polygons])
    return [mapping(g) for g in moved]
