"""Working CRS and units: metres inside, degrees only at the edges."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS, Geod, Proj, Transformer
from shapely.geometry import mapping

from pacifico.errors import CRSMismatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

LONLAT = CRS.from_epsg(4326)
METRES_PER_FOOT = 0.3048
METRES_PER_US_SURVEY_FOOT = 1200 / 3937
MAX_SCALE_ERROR = 0.001
"""That a working CRS should keep; the edge of a UTM zone comes to it on the equator."""
UTM_SOUTH, UTM_NORTH = -80.0, 84.0

_WGS84 = Geod(ellps="WGS84")


def utm(lon: float, lat: float) -> CRS:
    """UTM zone of a place, with the exceptions for Norway and Svalbard.

    Parameters
    ----------
    lon, lat : float
        Longitude and latitude, WGS 84 [°].

    Raises
    ------
    CRSMismatchError
        Beyond 80° S or 84° N, where UTM is not defined.

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
    """Coordinate transformer, x before y; kept, as building one costs milliseconds."""
    return Transformer.from_crs(source, target, always_xy=True)


def reproject(geometry: BaseGeometry, source: CRS, target: CRS) -> BaseGeometry:
    """Geometry in another CRS, vertex by vertex; a third ordinate is kept as it is."""
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
    """Largest error of lengths at the vertices of a geometry in longitude and latitude, as a share [-]."""
    at = shapely.get_coordinates(lonlat)
    factors = Proj(crs).get_factors(at[:, 0], at[:, 1])
    return float(np.abs(np.asarray([factors.meridional_scale, factors.parallel_scale]) - 1).max())


def geodesic_area_m2(lonlat: BaseGeometry) -> float:
    """Area on the WGS 84 ellipsoid [m²] of a polygon in longitude and latitude.

    References
    ----------
    Karney (2013), https://doi.org/10.1007/s00190-012-0578-z
    """
    oriented = shapely.orient_polygons(lonlat)
    return abs(float(_WGS84.geometry_area_perimeter(oriented)[0]))


def geojson_geometries(geometries: Sequence[BaseGeometry], source: CRS) -> list[dict[str, Any]]:
    """GeoJSON geometries (RFC 7946): EPSG:4326 to 8 decimals, heights to 0.1 mm, outer rings counter-clockwise."""
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
