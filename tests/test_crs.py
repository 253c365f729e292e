"""Working CRS, reprojection and units of height."""

from __future__ import annotations

import pytest
import shapely
from pyproj import CRS

from pacifico.crs import (
    LONLAT,
    METRES_PER_FOOT,
    METRES_PER_US_SURVEY_FOOT,
    geodesic_area_m2,
    geojson_geometries,
    metres_per_factor,
    metres_per_unit,
    reproject,
    reproject_all,
    scale_error,
    swapped_hint,
    transformer,
    unit_name,
    utm,
)
from pacifico.errors import CRSMismatchError


@pytest.mark.parametrize(
    ("lon", "lat", "code"),
    [(-93, 42, 32615), (3.5, 60, 32632), (10, 75, 32633), (180, 0, 32660), (-180, -10, 32701), (19, -33.9, 32734)],
)
def test_utm_zones(lon, lat, code):
    assert utm(lon, lat) == CRS.from_epsg(code)


def test_polar_sites_have_no_zone():
    with pytest.raises(CRSMismatchError, match="beyond the limits of UTM"):
        utm(0, 85)


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        *((t, 1.0) for t in ("m", "M", "metre", "Meters", "metre (m)", "1")),
        *((t, METRES_PER_FOOT) for t in ("ft", "Feet", "International Foot", "ft (international)", "0.3048", "0.305")),
        *((t, METRES_PER_US_SURVEY_FOOT) for t in ("us-ft", "US_survey_foot", "ftUS", "foot (US survey)", "0.30480061", "sft")),
        ("cm", 0.01), ("mm", 0.001), ("dm", 0.1), ("km", 1000.0),
        *((t, None) for t in ("", "fathom", "m NAVD88", "degree", "0.9144", "-1", "1e-3")),
    ],
)  # fmt: skip
def test_units_by_name_or_factor(text, metres):
    assert metres_per_unit(text) == metres


def test_rounded_factors():
    assert metres_per_factor(0.304800609601) == METRES_PER_US_SURVEY_FOOT
    assert metres_per_factor(0.30480000001) == METRES_PER_FOOT
    assert metres_per_factor(1.0000001) == 1.0
    assert metres_per_factor(0.0) is None
    assert unit_name(METRES_PER_US_SURVEY_FOOT) == "US survey feet"
    assert unit_name(1.8288) == "units of 1.8288 m"


def test_a_local_crs_has_no_transformation():
    local = CRS.from_wkt('LOCAL_CS["Plant grid",UNIT["metre",1]]')
    with pytest.raises(CRSMismatchError, match="Plant grid"):
        transformer(local, LONLAT)


def test_z_survives_reprojection():
    line = shapely.LineString([(-93, 42, 5), (-92.99, 42, 7)])
    moved = reproject(line, LONLAT, utm(-93, 42))
    assert [z for *_, z in moved.coords] == [5, 7]
    assert moved.length == pytest.approx(828, abs=1)
    assert scale_error(line, utm(-93, 42)) < 0.0005


def test_many_geometries_are_moved_as_one_by_one():
    target = utm(-93, 42)
    given = [shapely.Point(-93, 42), shapely.LineString([(-93, 42, 5), (-92.99, 42, 7)]), shapely.box(-93, 42, -92, 43)]
    moved = reproject_all(given, LONLAT, target)
    assert [g.wkb for g in moved] == [reproject(g, LONLAT, target).wkb for g in given]
    assert reproject_all(given, LONLAT, LONLAT) == given
    assert reproject_all([], LONLAT, target) == []


def test_area_and_geojson():
    square = shapely.box(-93, 42, -92.99, 42.01)
    assert geodesic_area_m2(square) == pytest.approx(1110.5 * 828.1, rel=1e-3)
    (geometry,) = geojson_geometries([reproject(square, LONLAT, utm(-93, 42))], utm(-93, 42))
    assert geometry["type"] == "Polygon"
    assert geometry["coordinates"][0][0] == pytest.approx(geometry["coordinates"][0][-1])
    assert geojson_geometries([], LONLAT) == []


DEM = (-87.01, 35.99, -86.99, 36.01)


@pytest.mark.parametrize(
    ("site", "swapped"),
    [
        ((35.999, -87.001, 36.001, -86.999), True),
        ((36.02, -87.0, 36.021, -86.999), True),  # the DEM would miss the site by less than its own size
        ((-87.001, 35.999, -86.999, 36.001), False),
        ((-93.0, 42.0, -92.9, 42.1), False),
        ((100.0, 36.0, 100.1, 36.1), False),
    ],
)
def test_a_boundary_looks_swapped_where_the_swap_brings_it_to_the_dem(site, swapped):
    assert bool(swapped_hint(site, LONLAT, DEM, LONLAT)) is swapped


def test_the_hint_names_the_place_and_works_in_any_crs():
    site = (498_000.0, 7_550_000.0, 502_000.0, 7_560_000.0)  # 68.1 N, 15 E
    dem = (68.0, 14.9, 68.2, 15.1)
    assert "(swapped, it is at lon 68." in swapped_hint(site, utm(15.0, 68.1), dem, LONLAT)
    assert swapped_hint(site, utm(15.0, 68.1), site, utm(15.0, 68.1)) == ""
    assert swapped_hint(site, utm(15.0, 68.1), (0.0, 0.0, 1.0, 1.0), CRS.from_epsg(4269)) == ""
