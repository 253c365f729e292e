"""Exact cases of the boundary reader, on KML and GeoJSON of our own making."""

import hashlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.crs import LONLAT, reproject
from pacifico.errors import CRSMismatchError, SiteError
from pacifico.site.boundary import read_site, read_site_bytes


def box_area_ha(west, south, east, north):
    """Closed form for an ellipsoidal quadrangle (Snyder 1987, eq. 3-12), independent of the geodesic library."""
    a, f = 6378137.0, 1 / 298.257223563
    e = math.sqrt(f * (2 - f))

    def q(lat):
        s = math.sin(math.radians(lat))
        return (1 - e**2) * (s / (1 - e**2 * s**2) + math.atanh(e * s) / e)

    return math.radians(east - west) * a**2 / 2 * (q(north) - q(south)) / 1e4


WHOLE = box_area_ha(10, 45, 10.02, 45.01)
HOLE = "10.005,45.002 10.010,45.002 10.010,45.006 10.005,45.006 10.005,45.002"


def geojson(*rings, **members):
    return json.dumps({"type": "Polygon", "coordinates": list(rings), **members})


BOX = [[10, 45], [10.02, 45], [10.02, 45.01], [10, 45.01], [10, 45]]


def test_box(read, kml):
    text = kml.document(kml.placemark(kml.polygon(), "North field"))
    site = read(text, "plan.kml")
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert site.crs.to_epsg() == 32632
    assert site.name == "North field"
    assert site.source == "plan.kml"
    assert site.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert site.warnings == ()
    assert site.boundary.is_valid
    assert not site.boundary.has_z


def test_hole_is_kept(read, kml):
    site = read(kml.document(kml.placemark(kml.polygon(kml.box, HOLE))))
    assert_allclose(site.area_ha, WHOLE - box_area_ha(10.005, 45.002, 10.010, 45.006), rtol=1e-6)
    assert len(site.boundary.interiors) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("http://www.opengis.net/kml/2.2", "http://earth.google.com/kml/2.1"),
        ("http://www.opengis.net/kml/2.2", "urn:some:thing"),
        (' xmlns="http://www.opengis.net/kml/2.2"', ""),
    ],
)
def test_any_namespace(read, kml, old, new):
    site = read(kml.document(kml.placemark(kml.polygon(), "n")).replace(old, new))
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)


def test_any_prefix_declared_or_not(read, kml):
    text = kml.document(kml.placemark(kml.polygon(), "n"))
    for tag in ("kml", "Document", "Placemark", "Polygon", "LinearRing", "coordinates", "outerBoundaryIs", "name"):
        text = text.replace(f"<{tag}", f"<k:{tag}").replace(f"</{tag}", f"</k:{tag}")
    site = read(text)
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert site.name == "n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(read, kml, encoding):
    text = kml.document(kml.placemark(kml.polygon(), "Größe")).replace("UTF-8", encoding[:6].upper().rstrip("-"))
    assert read(text.encode(encoding)).name == "Größe"


@pytest.mark.parametrize(
    "coordinates",
    ["10,45,0 10.02,45,0 10.02,45.01,0 10,45.01,0 10,45,0", "10, 45\n10.02 ,45 10.02,45.01,7 10,45.01 10,45"],
)
def test_heights_and_spaces(read, kml, coordinates):
    assert_allclose(read(kml.document(kml.placemark(kml.polygon(coordinates)))).area_ha, WHOLE, rtol=1e-6)


def test_unclosed_ring_is_closed_and_said(read, kml):
    site = read(kml.document(kml.placemark(kml.polygon("10,45 10.02,45 10.02,45.01 10,45.01"))))
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert any("1 ring was not closed" in w for w in site.warnings)


def test_bowtie_is_repaired_and_said(read):
    site = read(geojson([[10, 45], [10.02, 45.01], [10.02, 45], [10, 45.01], [10, 45]]), "a.geojson")
    assert_allclose(site.area_ha, WHOLE / 2, rtol=1e-4)
    assert any("crosses or touches itself; repaired" in w and "0.00 ha as drawn" in w for w in site.warnings)
    assert site.boundary.is_valid


def test_ring_wound_twice_is_no_hole(read):
    inner = [[10.005, 45.002], [10.015, 45.002], [10.015, 45.008], [10.005, 45.008], [10.005, 45.002]]
    ring = [*BOX[:4], [10, 45], *inner, [10, 45]]
    site = read(geojson(ring), "a.geojson")
    assert_allclose(site.area_ha, WHOLE, rtol=1e-3)
    assert site.warnings


def test_spike_is_cut_and_said(read):
    ring = [*BOX[:2], [10.3, 45.0], [10.02, 45], *BOX[2:]]
    site = read(geojson(ring), "a.geojson")
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert any("repaired" in w for w in site.warnings)
    assert site.boundary.bounds[2] - site.boundary.bounds[0] < 1700


def test_thin_spike_is_said(read):
    ring = [*BOX[:2], [10.3, 45.0], [10.02, 45.00001], *BOX[2:]]
    site = read(geojson(ring), "a.geojson")
    assert any("1 spike" in w for w in site.warnings)


def test_hole_that_swallows_the_shell(read):
    big = [[9, 44], [11, 44], [11, 46], [9, 46], [9, 44]]
    with pytest.raises(SiteError, match="holes of 'parcel 1' cover the whole polygon"):
        read(geojson(BOX, big), "a.geojson")


def test_hole_across_the_shell_is_cut_not_turned(read):
    across = [[10.01, 45.002], [10.05, 45.002], [10.05, 45.008], [10.01, 45.008], [10.01, 45.002]]
    site = read(geojson(BOX, across), "a.geojson")
    assert_allclose(site.area_ha, WHOLE - box_area_ha(10.01, 45.002, 10.02, 45.008), rtol=1e-6)
    assert any("reach beyond its outer ring" in w for w in site.warnings)


def test_several_placemarks_are_one_site(read, kml):
    east = "10.03,45 10.05,45 10.05,45.01 10.03,45.01 10.03,45"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(east), "B")))
    assert_allclose(site.area_ha, 2 * WHOLE, rtol=1e-6)
    assert site.boundary.geom_type == "MultiPolygon"
    assert site.name == "plan"
    assert "2 parcels read as one site" in site.warnings


def test_neighbours_are_dissolved_and_slivers_closed(read, kml):
    # The western edge of B leaves a gap of 1e-6 degrees (0.08 m) that is closed at both ends.
    b = "10.02,45 10.04,45 10.04,45.01 10.02,45.01 10.02,45.009 10.020001,45.009 10.020001,45.001 10.02,45.001 10.02,45"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(b), "B")))
    assert site.boundary.geom_type == "Polygon"
    assert len(site.boundary.interiors) == 0
    assert any("1 sliver under 0.5 m wide" in w for w in site.warnings)


def test_overlap_counts_once(read, kml):
    east = "10.01,45 10.03,45 10.03,45.01 10.01,45.01 10.01,45"
    site = read(kml.document(kml.placemark(f"<MultiGeometry>{kml.polygon()}{kml.polygon(east)}</MultiGeometry>", "A")))
    assert_allclose(site.area_ha, 1.5 * WHOLE, rtol=1e-6)
    assert any("counted once" in w for w in site.warnings)


def test_parcels_too_far_apart_are_listed(read, kml):
    far = "20,45 20.02,45 20.02,45.01 20,45.01 20,45"
    text = kml.document(
        kml.placemark(kml.polygon(), "A"), kml.placemark(kml.polygon(far), "B & C".replace("&", "&amp;"))
    )
    with pytest.raises(SiteError, match=r"'A' 175\.\d+ ha, 'B & C' 175\.\d+ ha \(350\.\d+ ha in all\)") as caught:
        read(text)
    assert "layer=" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert read(text, layer="B & C").crs.to_epsg() == 32634


def test_unknown_layer_lists_what_there_is(read, kml):
    with pytest.raises(SiteError, match="no layer, folder or parcel is named 'X'; its parcels: 'A'"):
        read(kml.document(kml.placemark(kml.polygon(), "A")), layer="X")


def test_folder_can_be_chosen(read, kml):
    far = "20,45 20.02,45 20.02,45.01 20,45.01 20,45"
    text = kml.document(
        f"<Folder>{kml.placemark(kml.polygon(), 'A')}<name>Option 1</name></Folder>",
        f"<Folder><name>Option 2</name>{kml.placemark(kml.polygon(far), 'B')}</Folder>",
    )
    assert read(text, layer="Option 1").name == "A"
    assert read(text, layer="Option 2").name == "B"


def test_more_than_200_parcels_ask(read, kml):
    rows = [f"{10 + i / 1000},45 {10 + i / 1000 + 5e-4},45 {10 + i / 1000},45.001" for i in range(201)]
    with pytest.raises(SiteError, match=r"201 parcels are more than one site has \(limit 200\).*and 193 more"):
        read(kml.document(*(kml.placemark(kml.polygon(r)) for r in rows)))
    assert (
        "200 parcels read as one site"
        in read(kml.document(*(kml.placemark(kml.polygon(r)) for r in rows[:200]))).warnings
    )


def test_anchors_and_entries(read, kml):
    def point(name, xy="10.01,45.005"):
        return kml.placemark(f"<Point><coordinates>{xy}</coordinates></Point>", name)

    names = ["Main Gate", "access_road_1", "Gateway substation", "No access", "Met mast", "Entrance2"]
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), *map(point, names), point("far gate", "11,46")))
    assert [a.name for a in site.anchors] == names
    assert [a.name for a in site.entries] == ["Main Gate", "access_road_1", "Entrance2"]
    assert any("1 point more than 5 km from the site ignored" in w for w in site.warnings)
    assert site.boundary.contains(site.anchors[0].point)


def test_linear_ring_without_polygon(read, kml):
    site = read(kml.document(kml.placemark(f"<LinearRing><coordinates>{kml.box}</coordinates></LinearRing>", "A")))
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert any("1 ring stands outside a Polygon" in w for w in site.warnings)


def test_lines_are_ignored_and_said(read, kml):
    line = "<LineString><coordinates>10,45 10.1,45.1</coordinates></LineString>"
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), kml.placemark(line, "")))
    assert "1 line ignored: a boundary is an area" in site.warnings
    assert site.lines == ()


def test_named_lines_are_kept_for_setbacks_and_said(read, kml):
    line = "<LineString><coordinates>10,45 10.01,45.01</coordinates></LineString>"
    far = "<LineString><coordinates>11,46 11.1,46.1</coordinates></LineString>"
    spot = "<LineString><coordinates>10,45 10,45</coordinates></LineString>"
    exclusion = kml.placemark(line, "exclusion: creek")
    named = [kml.placemark(shape, name) for shape, name in ((line, "County road"), (far, "rail"), (spot, "spot"))]
    site = read(kml.document(kml.placemark(kml.polygon(), "A"), *named, exclusion))
    assert [n.name for n in site.lines] == ["County road"]
    ends = shapely.get_coordinates(reproject(site.lines[0].line, site.crs, LONLAT))
    assert_allclose(ends, [[10, 45], [10.01, 45.01]], atol=1e-9)
    assert any(w.startswith("3 named lines ignored as boundary ('County road', 'rail', 'spot')") for w in site.warnings)
    assert not any("a boundary is an area" in w for w in site.warnings)


def test_links_are_told_never_followed(read):
    text = "<kml><NetworkLink><Link><href>http://127.0.0.1:9/a.kml</href></Link></NetworkLink></kml>"
    with pytest.raises(SiteError, match=r"1 network link \(never followed\)"):
        read(text)


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


def test_name_option_and_file_name(read):
    assert read(geojson(BOX), "west field.geojson").name == "west field"
    assert read(geojson(BOX), "a.geojson", name="Given").name == "Given"
    assert read_site_bytes(geojson(BOX).encode(), "/etc/../up.geojson").source == "up.geojson"


@pytest.mark.parametrize("name", ["EPSG:32632", "urn:ogc:def:crs:EPSG::32632"])
def test_legacy_crs_member(read, name):
    ring = [[578_000, 4_983_000], [579_000, 4_983_000], [579_000, 4_984_000], [578_000, 4_984_000]]
    site = read(geojson([*ring, ring[0]], crs={"type": "name", "properties": {"name": name}}), "a.geojson")
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
        "EPSG:4326",
        7,
    ],
)
def test_crs_members_that_cannot_be_honoured(read, crs):
    with pytest.raises(CRSMismatchError, match="reproject the file"):
        read(geojson(BOX, crs=crs), "a.geojson")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("hello", "none of those that are read"),
        ("[1, 2]", "not a GeoJSON object"),
        ('{"type": "Topology"}', "TopoJSON"),
        ('{"type": "FeatureCollection"}', "no list of features"),
        ('{"type": "FeatureCollection", "features": [1]}', "feature 1 is not an object"),
        ('{"type": "Polygon", "coordinates": [[[10, true], [1, 2], [3, 4]]]}', "vertex 1 holds a bool"),
        ('{"type": "Polygon", "coordinates": [[[10, 1e999], [1, 2], [3, 4]]]}', "too large to be a coordinate"),
        ('{"type": "Polygon", "coordinates": [[[10, ' + "9" * 5000 + "]]]}", "absurd length"),
        ('{"type": "Polygon", "coordinates": [[[10, ' + "9" * 400 + "]]]}", "too large to be a coordinate"),
        ('{"type": "Polygon", "coordinates": null}', "nested wrongly"),
        ('{"type": "Polygon", "coordinates": [[[10, NaN]]]}', "NaN is not JSON"),
        ('{"type": "Polygon", "coordinates": []}', "no polygon found"),
        ('{"type": "Polygon", "coordinates": [[[1, 2]],]}', "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("<gpx></gpx>", "starts with <gpx>"),
        ("<kml><Document></kml>", "not well-formed XML"),
        ('<!DOCTYPE kml [<!ENTITY a "b">]><kml/>', "DTD"),
        ('<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/x.dtd"><kml/>', "DTD"),
        ("<kml>" + "<Folder>" * 1001, "1,000 levels"),
        ('<?xml version="1.0" encoding="shift_jis"?><kml/>', "encoding"),
        ('<?xml version="1.0" encoding="nonsense"?><kml/>', "not well-formed|encoding"),
        (b'<?xml version="1.0" encoding="UTF-8"?><kml>\xe9</kml>', "not UTF-8"),
        (b"PK\x03\x04broken", "damaged or cut off"),
        (b"SQLite format 3\x00" + bytes(500), "damaged or no GeoPackage"),
        (b"\x00\x00\x27\x0a" + bytes(20), "cut off"),
    ],
)
@pytest.mark.parametrize("filename", ["site.kml", "site.geojson", "site"])
def test_one_clear_line(read, content, message, filename):
    with pytest.raises(SiteError, match=message) as caught:
        read(content, filename)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(filename)


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


def test_tangle_is_refused(read):
    ring = np.random.default_rng(7).random((3000, 2)) * 0.01 + [10, 45]
    with pytest.raises(SiteError, match="crosses itself more than 41,000 times"):
        read(geojson(ring.tolist()), "a.geojson")


def test_dense_outline_is_simplified_within_its_tolerance(read):
    angle = np.linspace(0, 2 * np.pi, 60_001)[:-1]
    ring = np.column_stack([10 + 0.01 * np.cos(angle), 45 + 0.007 * np.sin(angle)])
    site = read(geojson([*ring.tolist(), ring[0].tolist()]), "a.geojson")
    assert shapely.get_num_coordinates(site.boundary) < 10_000
    assert any("60,001 vertices simplified" in w and "within 0.05 m" in w for w in site.warnings)
    whole = reproject(shapely.Polygon(ring), LONLAT, site.crs)
    assert shapely.hausdorff_distance(whole, site.boundary) < 0.06
    assert_allclose(site.boundary.area, whole.area, rtol=1e-4)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(SiteError, match="does not exist"):
        read_site(tmp_path / "none.kml")
    with pytest.raises(SiteError, match="is not a file"):
        read_site(tmp_path)
    with pytest.raises(SiteError, match=r"can't be opened|does not exist"):
        read_site("a\x00b.kml")


def test_content_wins_over_extension(read):
    site = read(geojson(BOX), "site.kml")
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert any("content is GeoJSON" in w for w in site.warnings)


def test_layout_is_read_as_its_boundary(read):
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
    assert_allclose(site.area_ha, WHOLE, rtol=1e-6)
    assert (len(site.exclusions), len(site.entries)) == (1, 1)
    assert any("2 features of an earlier layout" in w for w in site.warnings)


def test_plain_files_need_no_heavy_imports(tmp_path, kml):
    path = tmp_path / "site.kml"
    path.write_text(kml.document(kml.placemark(kml.polygon())), encoding="utf-8")
    script = (
        "import sys; from pacifico import read_site; read_site(sys.argv[1]); "
        "sys.exit(str({'geopandas', 'pandas', 'pyogrio', 'rasterio', 'xarray'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, path], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(
    ("box", "error"), [("9,45 13.2,45 13.2,45.001 9,45.001", None), ("10,45 13.8,45 13.8,45.001 10,45.001", "0.14%")]
)
def test_a_site_far_beyond_its_zone_is_told_what_lengths_are_off_by(read, kml, box, error):
    """UTM 32 is true within 0.1 % up to 13.3 E at 45 N: 0.9996 (1 + d2 / 2), d the angle from its meridian."""
    said = [
        w
        for w in read(kml.document(kml.placemark(kml.polygon(f"{box} {box.split()[0]}"), "strip"))).warnings
        if "lengths" in w
    ]
    assert bool(said) == bool(error)
    assert not said or f"up to {error}" in said[0]
