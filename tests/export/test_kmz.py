"""KMZ files read back as the site, with every feature and no network address."""

import xml.etree.ElementTree as ET
import zipfile

import pyogrio
import pytest

from pacifico import legend
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


def placemarks_of(layout, path):
    root = ET.fromstring(kml_of(write_kmz(layout, path)))
    return [(p.findtext(f"{KML}name"), p.findtext(f"{KML}styleUrl"), p) for p in root.iter(f"{KML}Placemark")]


def test_colours_are_those_of_the_legend_with_their_opacity(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    styles = {s.get("id"): s for s in root.iter(f"{KML}Style")}

    def colours(name):
        return tuple(styles[name].findtext(f"{KML}{part}/{KML}color") for part in ("LineStyle", "PolyStyle"))

    def abgr(colour, alpha):
        return f"{alpha}{colour[5:7]}{colour[3:5]}{colour[1:3]}"

    assert colours("boundary") == ("ff00ffff", None)  # yellow: alpha, blue, green, red
    assert colours("buildable") == (abgr(legend.BUILDABLE, "ff"), abgr(legend.BUILDABLE, "2e"))
    assert colours("exclusion") == (abgr(legend.EXCLUSION, "ff"), abgr(legend.EXCLUSION, "59"))
    assert colours("cost") == ("ff95517a", "3395517a")
    assert colours("pad") == (abgr(legend.PAD, "ff"), abgr(legend.PAD, "80"))
    assert colours("cable") == (abgr(legend.CABLE, "ff"), None)
    assert colours("asset-substation") == ("ffffffff", abgr(legend.ASSETS["substation"][1], "d9"))
    assert colours("road-main" if "road-main" in styles else next(s for s in styles if s.startswith("road-"))) == (
        abgr(legend.ROAD, "ff"),
        None,
    )
    for name in ("boundary", "cable", *(s for s in styles if s.startswith("road-"))):
        assert styles[name].findtext(f"{KML}PolyStyle/{KML}fill") == "0"
    assert styles["entry"].findtext(f"{KML}IconStyle/{KML}color") == abgr(legend.ENTRY, "ff")
    assert styles["entry"].findtext(f"{KML}IconStyle/{KML}scale") == "1.2"
    assert float(styles["cost"].findtext(f"{KML}LineStyle/{KML}width")) == 2
    assert {s: float(styles[s].findtext(f"{KML}LineStyle/{KML}width")) for s in styles if s.startswith("road-")} == {
        f"road-{road_class}": width for road_class, (_, width) in legend.ROADS.items()
    }


def test_styles_of_crossings_and_fences_are_there_where_these_are(layout, tmp_path):
    def styles():
        root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
        return {s.get("id"): s for s in root.iter(f"{KML}Style")}

    assert "fence" in styles()
    assert "crossing" not in styles()
    road = next(f for f in layout["features"] if f["properties"]["kind"] == "road")
    line = [xyz[:2] for xyz in road["geometry"]["coordinates"]]
    properties = {
        "kind": "crossing", "crossing_id": "X001", "crossing_type": "culvert", "of_id": road["properties"]["road_id"],
        "over": "creek", "zone_type": "water", "drained_area_ha": None, "length_m": 20.0,
    }  # fmt: skip
    layout["features"] = [f for f in layout["features"] if f["properties"]["kind"] != "fence"]
    layout["features"].append(
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": properties}
    )
    found = styles()
    assert "fence" not in found
    assert float(found["crossing"].findtext(f"{KML}LineStyle/{KML}width")) == 5
    assert [(name, style) for name, style, _ in placemarks_of(layout, tmp_path / "b.kmz") if style == "#crossing"] == [
        ("X001", "#crossing")
    ]


def test_each_placemark_has_its_own_name_and_style(layout, tmp_path):
    found = placemarks_of(layout, tmp_path / "layout.kmz")
    named = {"pad": "pad_id", "road": "road_id", "cable": "cable_id", "fence": "fence_id"}
    expected = set()
    for feature in layout["features"]:
        p = feature["properties"]
        kind = p["kind"]
        style = {"asset": f"asset-{p.get('asset_type')}", "road": f"road-{p.get('road_class')}"}.get(kind, kind)
        without = {"boundary": "Site", "buildable": "Buildable ground"}
        name = p[named[kind]] if kind in named else p.get("name") or without.get(kind) or {"entry": "Entry"}.get(kind)
        expected.add((name, f"#{style}"))
    assert {(name, style) for name, style, _ in found} == expected
    assert ("pond", "#exclusion") in expected


def test_points_and_lines_are_at_their_places(layout, tmp_path):
    found = {style: p for _, style, p in placemarks_of(layout, tmp_path / "layout.kmz")}
    entry = next(f for f in layout["features"] if f["properties"]["kind"] == "entry")
    lon, lat = (float(v) for v in found["#entry"].findtext(f"{KML}Point/{KML}coordinates").split(","))
    assert (lon, lat) == pytest.approx(entry["geometry"]["coordinates"][:2], abs=1e-8)
    cables = [f["geometry"]["coordinates"] for f in layout["features"] if f["properties"]["kind"] == "cable"]
    line = found["#cable"].find(f"{KML}LineString")
    assert line.findtext(f"{KML}tessellate") == "1"
    places = [tuple(map(float, c.split(","))) for c in line.findtext(f"{KML}coordinates").split()]
    assert places == [pytest.approx(xy[:2], abs=1e-8) for xy in cables[-1]]


def test_the_assets_are_listed_by_type_with_their_number(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    folders = {f.findtext(f"{KML}name"): f for f in root.findall(f"{KML}Document/{KML}Folder")}
    types = [f["properties"]["asset_type"] for f in layout["features"] if f["properties"]["kind"] == "asset"]
    expected = [f"{name}: {types.count(kind)}" for kind, (name, _) in legend.ASSETS.items() if kind in types]
    found = folders["Assets"].findall(f"{KML}Folder")
    assert [f.findtext(f"{KML}name") for f in found] == expected
    assert [len(f.findall(f"{KML}Placemark")) for f in found] == [int(e.rpartition(" ")[2]) for e in expected]


def test_lists_and_truth_values_are_text_and_missing_values_are_left_out(layout, tmp_path):
    found = placemarks_of(layout, tmp_path / "layout.kmz")
    pads = [f["properties"] for f in layout["features"] if f["properties"]["kind"] == "pad"]
    pad = next(p for name, _, p in found if name == pads[0]["pad_id"])
    data = {d.get("name"): d.findtext(f"{KML}value") for d in pad.iter(f"{KML}Data")}
    assert data["asset_ids"] == ", ".join(pads[0]["asset_ids"])
    cable = next(p for _, style, p in found if style == "#cable")
    values = {d.get("name"): d.findtext(f"{KML}value") for d in cable.iter(f"{KML}Data")}
    assert values["in_road_trench"] in ("true", "false")
    boundary = next(p for _, style, p in found if style == "#boundary")
    assert all(d.findtext(f"{KML}value") != "None" for d in boundary.iter(f"{KML}Data"))


def test_the_archive_is_that_of_a_unix_file_that_all_can_read(layout, tmp_path):
    with zipfile.ZipFile(write_kmz(layout, tmp_path / "layout.kmz")) as archive:
        (entry,) = archive.infolist()
    assert (entry.create_system, entry.external_attr >> 16, entry.external_attr & 0xFFFF) == (3, 0o644, 0)
    assert entry.compress_type == zipfile.ZIP_DEFLATED
    assert entry.compress_size < 0.5 * entry.file_size


def test_degrees_have_up_to_eight_decimals(layout, tmp_path):
    entry = next(f for f in layout["features"] if f["properties"]["kind"] == "entry")
    entry["geometry"]["coordinates"] = [-92.5, 42.123456789]
    document = kml_of(write_kmz(layout, tmp_path / "layout.kmz"))
    assert b"<Point><coordinates>-92.5,42.12345679</coordinates></Point>" in document
