"""Names and degrees of features."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.crs import LONLAT
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.features import Budget, Feature, Layer, counted, parse_crs, quoted_list, to_lonlat

BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]


@pytest.mark.parametrize(
    "text",
    [
        "+proj=longlat +nadgrids=/etc/passwd",
        "+proj=longlat +ellps=GRS80 +nadgrids=@null,@http://127.0.0.1:9/x.tif",
        "+proj=longlat +datum=WGS84 +geoidgrids=..\\\\x.gtx",
        'BOUNDCRS[..., PARAMETERFILE["Latitude and longitude difference file", "/etc/passwd"]]',
    ],
)
def test_grids_are_never_opened_at_a_place_that_a_file_names(text):
    with pytest.raises(CRSMismatchError, match="never opened"):
        parse_crs(text, "the file")


def test_a_crs_with_a_grid_of_proj_is_read():
    web = "+proj=merc +a=6378137 +b=6378137 +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +k=1 +units=m +nadgrids=@null +wktext"
    assert parse_crs(web, "the file").is_projected
    assert parse_crs(CRS.from_epsg(3857).to_wkt("WKT1_GDAL"), "the file").is_projected
    assert parse_crs("+proj=longlat +ellps=clrk66 +nadgrids=conus", "the file").is_geographic


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("x" * 5000, "x" * 200),
        ("a\tb\n c", "a b c"),
        ("a\u202eb\u2066c", "abc"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("<b>=1+1</b>", "<b>=1+1</b>"),
        ("\ud800lone", "lone"),
        ("nul\x00bel\x07", "nulbel"),
    ],
)
def test_names(read, name, kept):
    feature = {"type": "Feature", "properties": {"Name": name}, "geometry": {"type": "Polygon", "coordinates": [BOX]}}
    assert read(json.dumps(feature), "a.geojson").name == kept


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        ("45.3,110 45.3,110.1 45.4,110", "look swapped"),
        ("110,92 110,92.1 110.1,92", "latitude 92.1 is beyond ±90"),
        ("190,2 190,2.1 190.1,2", "longitude 190.1 is beyond ±180"),
        (
            "442000,4650000 443000,4650000 443000,4651000",
            "must be, and GeoJSON without a crs is, longitude/latitude degrees",
        ),
        ("10,85 10.1,85 10.1,85.1", "beyond the limits of UTM"),
        ("0,89.99 90,89.99 180,89.99 -90,89.99", "beyond the limits of UTM"),
    ],
)
def test_impossible_degrees(read, kml, ring, message):
    with pytest.raises(CRSMismatchError, match=message):
        read(kml.document(kml.placemark(kml.polygon(ring))))


@pytest.mark.parametrize(
    ("crs", "xy"),
    [("EPSG:32632", (4_983_000.0, 578_000.0)), ("EPSG:4269", (42.0, -75.0)), ("EPSG:2193", (5.4e6, 1.7e6))],
)
def test_swapped_coordinates_show_in_the_area_of_their_crs(crs, xy):
    layer = Layer("", CRS.from_user_input(crs), (Feature(points=(np.array([xy]),)),))
    with pytest.raises(CRSMismatchError, match="x and y look swapped"):
        to_lonlat(layer)
    straight = Layer("", CRS.from_user_input(crs), (Feature(points=(np.array([xy[::-1]]),)),))
    assert to_lonlat(straight).crs == LONLAT


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32616", "EPSG:2274"])
def test_degrees_under_a_projected_crs_are_named(read, geojson, crs):
    ring = [[-87.01, 36.0], [-87.0, 36.0], [-87.0, 36.01], [-87.01, 36.0]]
    named = {"type": "name", "properties": {"name": crs}}
    with pytest.raises(CRSMismatchError, match=r"look like degrees.*correct the file's CRS to EPSG:4326"):
        read(geojson(ring, crs=named), "site.geojson")


def test_a_grid_derived_from_a_projected_crs_is_read(read, geojson, plant_grid):
    ring = [[0, 0], [1000, 0], [1000, 1000], [0, 1000], [0, 0]]
    site = read(geojson(ring, crs={"type": "name", "properties": {"name": plant_grid}}), "plant.geojson")
    assert_allclose(site.boundary.bounds, (578_000, 4_983_000, 579_000, 4_984_000), atol=1e-3)


@pytest.mark.parametrize("text", ["\ud800", "EPSG:\x00", "x" * 9000, ""])
def test_any_text_that_names_no_crs_is_refused(text):
    with pytest.raises(CRSMismatchError, match="not known"):
        parse_crs(text, "the file")


@pytest.mark.parametrize("text", ['LOCAL_CS["plant",UNIT["m",1]]', "EPSG:4978", "EPSG:5703"])
def test_a_crs_without_a_place_on_the_map_is_refused(text):
    with pytest.raises(CRSMismatchError, match="a geographic or projected CRS is needed"):
        parse_crs(text, "the file")


def test_lists_in_messages():
    assert quoted_list(["a", "b"]) == "'a', 'b'"
    assert quoted_list("abcd") == "'a', 'b', 'c', ..."
    assert (counted(1, "hole"), counted(2000, "hole"), counted(2, "is", "are")) == ("1 hole", "2,000 holes", "2 are")


def test_a_budget_is_spent_once():
    budget = Budget("cut it")
    budget.spend("features", 50_000)
    with pytest.raises(SiteError, match=r"more than 50,000 features, the limit; cut it"):
        budget.spend("features", 1)
