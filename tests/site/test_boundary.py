"""Exact cases of the boundary reader."""

import datetime as dt
import hashlib
import json

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.boundary import read_site, read_site_bytes
from pacifico.site.exclusions import (
    net_area_ha,
)

BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]
HOLE = "10.005,45.002 10.010,45.002 10.010,45.006 10.005,45.006 10.005,45.002"
INNER = "10.005,45.002 10.010,45.002 10.010,45.006 10.005,45.006 10.005,45.002"


def test_box(read, kml, whole):
    text = kml.document(kml.placemark(kml.polygon(), "North field"))
    site = read(text, "plan.kml")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert site.crs.to_epsg() == 32632
    assert site.name == "North field"
    assert site.source == "plan.kml"
    assert site.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert site.warnings == ()
    assert site.boundary.is_valid
    assert not site.boundary.has_z


def test_hole_is_kept(read, kml, box_area_ha, whole):
    site = read(kml.document(kml.placemark(kml.polygon(kml.box, HOLE))))
    assert_allclose(site.area_ha, whole - box_area_ha(10.005, 45.002, 10.010, 45.006), rtol=1e-6)
    assert len(site.boundary.interiors) == 1


def test_anchors_and_entries(read, kml):
    def point(name, xy="10.01,45.005"):
        return kml.placemark(f"<Point><coordinates>{xy}</coordinates></Point>", name)

    names = ["Main Gate", "access_road_1", "Gateway substation", "No access", "Met mast", "Entrance2"]
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), *map(point, names), point("far gate", "11,46")))
    assert [a.name for a in site.anchors] == names
    assert [a.name for a in site.entries] == ["Main Gate", "access_road_1", "Entrance2"]
    assert any("1 point more than 5 km from the site ignored" in w for w in site.warnings)
    assert site.boundary.contains(site.anchors[0].point)


def test_lines_are_ignored_with_a_warning(read, kml):
    line = "<LineString><coordinates>10,45 10.1,45.1</coordinates></LineString>"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(line, "")))
    assert "1 line ignored: a boundary is an area" in site.warnings
    assert site.lines == ()


def test_named_lines_are_kept_for_setbacks_with_a_warning(read, kml):
    line = "<LineString><coordinates>10,45 10.01,45.01</coordinates></LineString>"
    far = "<LineString><coordinates>11,46 11.1,46.1</coordinates></LineString>"
    spot = "<LineString><coordinates>10,45 10,45</coordinates></LineString>"
    exclusion = kml.placemark(line, "exclusion: creek")
    named = [kml.placemark(shape, name) for shape, name in ((line, "County road"), (far, "rail"), (spot, "spot"))]
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), *named, exclusion))
    assert [n.name for n in site.lines] == ["County road", "exclusion: creek"]
    ends = shapely.get_coordinates(reproject(site.lines[0].line, site.crs, LONLAT))
    assert_allclose(ends, [[10, 45], [10.01, 45.01]], atol=1e-9)
    assert any(w.startswith("1 named line ignored as boundary ('spot')") for w in site.warnings)
    assert any("'County road' 5 m" in w for w in site.warnings)
    assert not any("a boundary is an area" in w for w in site.warnings)


def test_name_option_and_file_name(read, geojson):
    assert read(geojson(BOX), "west field.geojson").name == "west field"
    assert read(geojson(BOX), "a.geojson", name="Given").name == "Given"
    assert read_site_bytes(geojson(BOX).encode(), "/etc/../up.geojson").source == "up.geojson"


@pytest.mark.parametrize(
    ("ring", "message"),
    [
        ("179.99,-16.8 -179.99,-16.8 -179.99,-16.79 179.99,-16.79", "crosses the antimeridian"),
        ("-180,-60 180,-60 180,60 -180,60", "too large for one site"),
        ("-104,37 -94.6,37 -94.6,40 -104,40", r"too large for one site \(limits 100,000 ha and 400 km\)"),
        ("10,45 10.000005,45 10.000005,45.000005", "at least 100 m²"),
        ("10,45 10.1,45", "no area"),
        ("10,45 10.1,45 10.2,45 10,45", "no area"),
        ("10,45 10,45 10,45 10,45", "no area"),
        ("", "no area"),
        ("10,45,0,1 10.1,45 10.1,46", "4 numbers, not 2 or 3"),
        ("10;45 10.1;45", "not numbers"),
        ("1_0,45 10.1,45", "not numbers"),
        ("nan,45 10.1,45", "not numbers"),
        ("1e999,45 10.1,45", "too large to be one"),
        ("-93,7,42,0,0 -93,688,42,0005,0", "not a comma"),
    ],
)
def test_outlines_that_are_no_site(read, kml, ring, message):
    with pytest.raises(SiteError, match=message):
        read(kml.document(kml.placemark(kml.polygon(ring))))


def test_layout_is_read_as_its_boundary(read, whole):
    def feature(kind, ring):
        return {"type": "Feature", "properties": {"kind": kind}, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    small = [[10.005, 45.002], [10.01, 45.002], [10.01, 45.006], [10.005, 45.002]]
    entry = {
        "type": "Feature",
        "properties": {"kind": "entry", "name": "x"},
        "geometry": {"type": "Point", "coordinates": [10, 45]},
    }
    members = [
        feature("boundary", BOX),
        feature("buildable", small),
        feature("exclusion", small),
        feature("asset", small),
        entry,
    ]
    site = read(json.dumps({"type": "FeatureCollection", "features": members}), "layout.geojson")
    assert_allclose(site.area_ha, whole, rtol=1e-6)
    assert (len(site.exclusions), len(site.entries)) == (1, 1)
    assert any("2 features of an earlier layout" in w for w in site.warnings)


@pytest.mark.parametrize(
    ("box", "error"), [("9,45 13.2,45 13.2,45.001 9,45.001", None), ("10,45 13.8,45 13.8,45.001 10,45.001", "0.14%")]
)
def test_a_site_far_beyond_its_zone_warns_of_the_error_in_lengths(read, kml, box, error):
    """UTM 32 is true within 0.1 % up to 13.3 E at 45 N: 0.9996 (1 + d2 / 2), d the angle from its meridian."""
    said = [
        w
        for w in read(kml.document(kml.placemark(kml.polygon(f"{box} {box.split()[0]}"), "strip"))).warnings
        if "lengths" in w
    ]
    assert bool(said) == bool(error)
    assert not said or f"up to {error}" in said[0]


def test_kml_exclusions_are_zones_not_holes(read, kml):
    text = kml.document(
        kml.placemark(kml.polygon(), "Boundary"),
        "<Folder><name>Exclusions</name>" + kml.placemark(kml.polygon(INNER), "pond", {"buffer_m": "20"}) + "</Folder>",
    )
    site = read(text)
    (zone,) = site.exclusions
    assert (zone.name, zone.zone_type, zone.buffer_m) == ("pond", "buffered", 20.0)
    assert len(site.boundary.interiors) == 0
    assert any("1 feature read as exclusions" in w for w in site.warnings)
    ground = site.boundary.area - zone.geometry.buffer(20).area
    assert_allclose(net_area_ha(site) / site.area_ha, ground / site.boundary.area, rtol=1e-5)


def test_only_exclusions_is_no_site(read, kml):
    with pytest.raises(SiteError, match="its 1 polygon is an exclusion by name or property"):
        read(kml.document(kml.placemark(kml.polygon(), "exclusion")))


def test_columns_of_other_programs_drop_no_parcel(read, whole):
    def parcel(kind, west):
        ring = [[west, 45], [west + 0.02, 45], [west + 0.02, 45.01], [west, 45.01], [west, 45]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "properties": {"KIND": kind, "ZONE_TYPE": "AG-1"}, "geometry": geometry}

    members = [parcel("farm", 10), parcel("pad", 10.02), parcel("road", 10.04)]
    site = read(json.dumps({"type": "FeatureCollection", "features": members}), "parcels.geojson")
    assert_allclose(site.area_ha, 3 * whole, rtol=1e-6)
    assert site.exclusions == ()
    assert site.warnings == ("3 parcels read as one site",)


def test_repairs_of_the_boundary_are_warnings_of_the_site(read, geojson):
    touching = [*BOX[:4], [10, 45.005], [10.01, 45.004], [10.01, 45.006], [10, 45.005], [10, 45]]
    site = read(geojson(touching), "a.geojson")
    assert any("boundary: the ring of 'parcel 1' crosses or touches itself; repaired" in w for w in site.warnings)


def test_swapped_coordinates_that_land_near_a_pole_are_named(read, kml):
    with pytest.raises(CRSMismatchError, match=r"Swapped, the site is at longitude -87\.\d+°, latitude 36\.0\d°"):
        read(kml.document(kml.placemark(kml.polygon("36,-87 36.005,-87 36.005,-86.99 36,-86.99 36,-87"))))


def test_the_sample_site_has_a_name():
    site = read_site("sample")
    assert site.area_ha == pytest.approx(291.3, abs=0.1)


def test_the_grid_and_the_substation_are_no_parcels(read, kml):
    point = "<Point><coordinates>10,45</coordinates></Point>"
    line = "<LineString><coordinates>10,45 10.01,45.01</coordinates></LineString>"
    site = read(
        kml.document(
            kml.placemark(kml.polygon(), "A"),
            kml.placemark(kml.polygon(), "Existing substation"),
            kml.placemark(point, "POI"),
            kml.placemark(line, "Transmission line 138 kV"),
            kml.placemark(line, "Existing road"),
        )
    )
    assert [(z.name, z.zone_type, z.drivable) for z in site.exclusions] == [
        ("Existing substation", "substation", False),
        ("Transmission line 138 kV", "line", False),
        ("Existing road", "road", True),
    ]
    assert [(a.name, a.is_poi) for a in site.anchors] == [("POI", True)]
    assert any("kept free by what they are, on each side ('Transmission line 138 kV' 15 m" in w for w in site.warnings)


def test_a_lone_polygon_named_substation_is_the_site(read, kml):
    site = read(kml.document(kml.placemark(kml.polygon(), "Substation")))
    assert site.exclusions == ()


class TestGeometryInMemory:
    """A site is the same from a file and from the objects that hold its geometry."""

    square = shapely.box(-84.30, 36.55, -84.29, 36.56)

    def frame(self, **columns):
        geopandas = pytest.importorskip("geopandas")
        return geopandas.GeoDataFrame({"name": ["Farm"], **columns}, geometry=[self.square], crs=4326)

    def same(self, site):
        expected = read_site_bytes(json.dumps(shapely.geometry.mapping(self.square)).encode(), "square.geojson")
        assert site.boundary.symmetric_difference(expected.boundary).area < 1e-3
        assert site.crs == expected.crs

    def test_of_shapely_a_dict_and_bytes(self):
        self.same(read_site(self.square))
        geometry = shapely.geometry.mapping(self.square)
        self.same(read_site(geometry))
        self.same(read_site({"type": "Feature", "properties": {}, "geometry": geometry}))
        self.same(read_site(json.dumps(geometry).encode()))

    def test_of_a_frame_in_any_crs_with_its_name(self):
        frame = self.frame(rows=np.array([3]), since=[dt.date(2026, 1, 2)], share=[float("nan")])
        self.same(read_site(frame))
        site = read_site(frame.to_crs(32616))
        self.same(site)
        assert site.name == "Farm"
        self.same(read_site(frame.geometry))
        assert read_site(self.square, name="Field").name == "Field"

    def test_of_a_frame_without_a_crs_says_how_to_set_it(self):
        with pytest.raises(CRSMismatchError, match=r"^the frame has no CRS: set the one"):
            read_site(self.frame().set_crs(None, allow_override=True))

    def test_of_metres_without_a_crs_is_refused(self):
        with pytest.raises(CRSMismatchError):
            read_site(shapely.box(500_000, 4_600_000, 501_000, 4_601_000))

    @pytest.mark.parametrize("source", [7, None, [1, 2], object()])
    def test_of_anything_else_names_what_is_read(self, source):
        with pytest.raises(SiteError, match=r"not from (int|NoneType|list|object)$"):
            read_site(source)

    def test_of_a_dict_that_is_no_json_is_one_line(self):
        loop = {"type": "FeatureCollection"}
        loop["features"] = [loop]
        with pytest.raises(SiteError, match=r"^no GeoJSON can be made of it"):
            read_site(loop)
