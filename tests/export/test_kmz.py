"""KMZ files read back as the site, with every feature and no network address."""

import xml.etree.ElementTree as ET
import zipfile

import pyogrio
import pytest

from pacifico.export.dxf import write_dxf
from pacifico.export.kmz import write_kmz
from pacifico.site.boundary import read_site

KML = "{http://www.opengis.net/kml/2.2}"


def kml_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml"]
        return archive.read("doc.kml")


def test_a_kmz_reads_back_as_the_site(layout, site, tmp_path):
    again = read_site(write_kmz(layout, tmp_path / "layout.kmz"))
    assert again.name == site.name
    assert again.crs == site.crs
    assert again.boundary.symmetric_difference(site.boundary).area < 0.5
    assert [(z.name, z.zone_type, z.buffer_m) for z in again.exclusions] == [("pond", "buffered", 5.0)]
    assert len(again.entries) == 1
    assert again.entries[0].point.distance(site.entries[0].point) < 15


def test_every_feature_is_in_the_folder_of_its_kind_with_a_style(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    placemarks = root.findall(f".//{KML}Placemark")
    assert len(placemarks) == len(layout["features"])
    styles = {f"#{s.get('id')}" for s in root.iter(f"{KML}Style")}
    assert {p.findtext(f"{KML}styleUrl") for p in placemarks} <= styles
    folders = [f.findtext(f"{KML}name") for f in root.findall(f"{KML}Document/{KML}Folder")]
    assert folders == ["Site", "Buildable ground", "Exclusions", "Entry", "Assets", "Pads", "Roads", "Cables", "Fences"]
    assert {m.text for m in root.iter(f"{KML}altitudeMode")} == {"clampToGround"}
    assert all(len(p.split(",")) == 2 for c in root.iter(f"{KML}coordinates") for p in c.text.split())


def test_placemarks_hold_the_properties_of_the_layout(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    found = [
        {d.get("name"): d.findtext(f"{KML}value") for d in p.iter(f"{KML}Data")} for p in root.iter(f"{KML}Placemark")
    ]
    substation = next(f for f in found if f.get("asset_type") == "substation")
    text = next(f["properties"] for f in layout["features"] if f["properties"].get("asset_type") == "substation")
    assert substation == {k: str(v) for k, v in text.items() if v is not None}


def test_gdal_reads_the_kmz(layout, tmp_path):
    path = write_kmz(layout, tmp_path / "layout.kmz")
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    assert "Roads" in names
    roads = [f for f in layout["features"] if f["properties"]["kind"] == "road"]
    assert len(pyogrio.read_dataframe(path, layer="Roads")) == len(roads)


def test_names_are_escaped_and_control_characters_dropped(hostile, tmp_path):
    document = kml_of(write_kmz(hostile, tmp_path / "layout.kmz"))
    assert b"<script" not in document
    name = ET.fromstring(document).findtext(f"{KML}Document/{KML}name")
    assert '<script>alert("1")</script> ../../etc/passwd' in name
    assert not {"\x00", "\x1b", "\u202e", "\n"} & set(name)


def test_a_kmz_holds_no_network_address(layout, tmp_path):
    document = kml_of(write_kmz(layout, tmp_path / "layout.kmz")).replace(b"http://www.opengis.net/kml/2.2", b"")
    assert b"href" not in document
    assert b"://" not in document


def test_the_archive_records_a_fixed_time(layout, tmp_path):
    with zipfile.ZipFile(write_kmz(layout, tmp_path / "layout.kmz")) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_cost_zones_differ_from_exclusions(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    zone = next(f for f in layout["features"] if f["properties"]["kind"] == "exclusion")
    zone["properties"].update(zone_type="cost", cost_multiplier=3.0, buffer_m=0.0)
    held = {e.dxf.layer for e in ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")).modelspace()}
    assert "SITE-COST" in held
    assert "SITE-EXCLUSION" not in held
    path = write_kmz(layout, tmp_path / "a.kmz")
    assert b"#cost" in kml_of(path)
    assert [(z.zone_type, z.cost_multiplier) for z in read_site(path).exclusions] == [("cost", 3.0)]


def test_roads_are_the_widest_lines_but_crossings_and_areas_have_thin_outlines(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    widths = {
        s.get("id"): float(s.findtext(f"{KML}LineStyle/{KML}width"))
        for s in root.iter(f"{KML}Style")
        if s.find(f"{KML}LineStyle") is not None
    }
    assert {k: widths[k] for k in ("boundary", "buildable", "exclusion", "pad", "cable", "fence")} == {
        "boundary": 3,
        "buildable": 1,
        "exclusion": 2,
        "pad": 1.5,
        "cable": 1.5,
        "fence": 1.5,
    }
    assert {widths[k] for k in widths if k.startswith("asset-")} == {1}
    assert all(widths[k] > 1.5 for k in widths if k.startswith("road-"))


def test_an_area_in_parts_is_one_placemark_of_several_polygons(layout, tmp_path):
    boundary = next(f for f in layout["features"] if f["properties"]["kind"] == "boundary")
    ring = boundary["geometry"]["coordinates"]
    apart = [[[x + 0.05, y] for x, y in part] for part in ring]
    boundary["geometry"] = {"type": "MultiPolygon", "coordinates": [ring, apart]}
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    (shape,) = root.iter(f"{KML}MultiGeometry")
    assert len(shape.findall(f"{KML}Polygon")) == 2
