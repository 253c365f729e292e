"""GeoJSON and its relatives."""

import json

import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.geojson import read_collection, read_geojson

BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": {"name": "EPSG:32632"}},
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32632"}},
        {"type": "EPSG", "properties": {"code": 32632}},
        {"type": "EPSG", "properties": {"code": "32632"}},
        {"type": "OGC", "properties": {"urn": "urn:ogc:def:crs:EPSG::32632"}},
        "EPSG:32632",
        CRS.from_epsg(32632).to_wkt(),
    ],
)
def test_every_form_of_a_crs_member_is_read(read, crs, geojson):
    ring = [[578_000, 4_983_000], [579_000, 4_983_000], [579_000, 4_984_000], [578_000, 4_984_000]]
    site = read(geojson([*ring, ring[0]], crs=crs), "a.geojson")
    assert site.crs.to_epsg() == 32632
    assert_allclose(shapely.get_coordinates(site.boundary)[:4], ring, atol=1e-4)
    # Ground is 1/k² of the grid: k = 0.9996 (1 + x²/2R²), x the distance from the central meridian.
    scale = 0.9996 * (1 + 78_500**2 / (2 * 6_379_000**2))
    assert_allclose(site.area_ha, 100 / scale**2, rtol=1e-5)


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "link", "properties": {"href": "http://127.0.0.1:9/"}},
        {"type": "name", "properties": {"name": "EPSG:999999"}},
        {"type": "name", "properties": {"name": 'LOCAL_CS["plant",UNIT["m",1]]'}},
        {"type": "EPSG", "properties": {"code": [1]}},
        "plant grid",
        7,
    ],
)
def test_crs_members_that_name_no_crs_are_refused(read, crs, geojson):
    with pytest.raises(CRSMismatchError, match="reproject"):
        read(geojson(BOX, crs=crs), "a.geojson")


def feature(ring=None, **properties):
    geometry = {"type": "Polygon", "coordinates": [ring or BOX]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


EAST = [[x + 0.02, y] for x, y in BOX]


@pytest.mark.parametrize("start", ["", "\x1e"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_one_feature_a_line_is_read_whole(read, whole, start, end):
    text = "".join(f"{start}{json.dumps(feature(ring))}{end}" for ring in (BOX, EAST))
    site = read(text, "site.geojsonl")
    assert_allclose(site.area_ha, 2 * whole, rtol=1e-6)
    assert "read as 2 GeoJSON features, one a line" in site.warnings


def test_lines_that_are_no_features_are_refused_by_their_number(read):
    with pytest.raises(SiteError, match=r"holds 2 JSON texts, and number 2 is not a plain Feature"):
        read(f"{json.dumps(feature())}\n[1, 2]", "site.geojsonl")
    with pytest.raises(SiteError, match="not valid JSON at line 2"):
        read(f"{json.dumps(feature())}\n{json.dumps(feature())[:-5]}", "site.geojsonl")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_lacks_are_empty_attributes(read, whole, value):
    text = json.dumps(feature(name="A", yield_t=7)).replace("7", value)
    site = read(text, "site.geojson")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert (site.name, site.warnings) == (
        "A",
        ("NaN or Infinity in 'yield_t', which JSON does not have: read as empty",),
    )


def test_a_height_that_is_no_number_is_not_read(read, whole, geojson):
    ring = [[*xy, float("nan")] for xy in BOX]
    assert_allclose(read(geojson(ring), "a.geojson").area_ha, whole, rtol=1e-6)


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("NaN", "feature 1, Polygon: vertex 2 holds NaN, which is no coordinate"),
        ("Infinity", "too large to be a coordinate"),
    ],
)
def test_coordinates_that_are_no_numbers_are_named(read, number, message, geojson):
    with pytest.raises(SiteError, match=message):
        read(geojson(BOX).replace("10.02", number, 1), "a.geojson")


def test_esri_json_in_a_file_is_read(read, whole):
    rings = [BOX[::-1]]
    features = [{"attributes": {"NAME": "North"}, "geometry": {"rings": rings}}]
    site = read(json.dumps({"spatialReference": {"wkid": 4326}, "features": features}), "site.json")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert (site.name, site.warnings) == ("North", ("read as Esri JSON",))


def test_our_own_member_marks_a_file():
    assert read_geojson(json.dumps({"type": "FeatureCollection", "pacifico": {}, "features": []}).encode()).marked
    assert not read_collection({"type": "FeatureCollection", "features": []}).marked
