import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from pacifico.errors import InputError
from pacifico.export import FORMATS, export
from pacifico.export.dxf import pad_corners, write_dxf
from pacifico.export.gpkg import write_gpkg
from pacifico.export.kmz import write_kmz
from pacifico.export.tables import PLACE, write_csv
from pacifico.layout.files.stored import StoredLayout, columns
from pacifico.site.boundary import read_site

KML = "{http://www.opengis.net/kml/2.2}"


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def kml_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml"]
        return archive.read("doc.kml")


# -- every format ------------------------------------------------------------------------------------------------------


def test_same_layout_same_bytes_in_another_process(layout, tmp_path):
    source = tmp_path / "layout.geojson"
    source.write_text(json.dumps(layout))
    script = (
        "import json, pathlib, sys; from pacifico.export import FORMATS, export; "
        "layout = json.loads(pathlib.Path(sys.argv[1]).read_text()); "
        "[export(layout, fmt, pathlib.Path(sys.argv[2]) / f'a.{fmt}') for fmt in FORMATS]"
    )
    digests = []
    for seed in ("here", "1", "4"):
        folder = tmp_path / seed
        folder.mkdir()
        if seed == "here":
            for fmt in FORMATS:
                export(layout, fmt, folder / f"a.{fmt}")
        else:
            other = {**os.environ, "PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
            subprocess.run([sys.executable, "-c", script, source, folder], check=True, env=other)
        digests.append({p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()})
    assert digests[0] == digests[1] == digests[2]
    assert len(digests[0]) == len(FORMATS) + 2  # a table of roads, and one of cables


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_layout_that_is_none_leaves_the_file_that_was_there(fmt, layout, tmp_path):
    path = tmp_path / f"kept.{fmt}"
    path.write_text("before")
    next(f for f in layout["features"] if f["properties"]["kind"] == "road")["properties"]["width_m"] = "wide"
    with pytest.raises(InputError, match="width_m"):
        export(layout, fmt, path)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_missing_folder_is_said(fmt, layout, tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        export(layout, fmt, tmp_path / "none" / f"a.{fmt}")


def test_the_inputs_are_left_as_they_were(layout, made, tmp_path):
    for fmt in FORMATS:
        export(layout, fmt, tmp_path / f"a.{fmt}")
    assert layout == made


def test_an_unknown_format_names_those_there_are(layout, tmp_path):
    with pytest.raises(InputError, match="kmz, csv, dxf, gpkg"):
        export(layout, "dwg", tmp_path / "a.dwg")


# -- KMZ ---------------------------------------------------------------------------------------------------------------


def test_kmz_reads_back_as_the_site(layout, site, tmp_path):
    again = read_site(write_kmz(layout, tmp_path / "layout.kmz"))
    assert again.name == site.name
    assert again.crs == site.crs
    assert again.boundary.symmetric_difference(site.boundary).area < 0.5
    assert [(z.name, z.zone_type, z.buffer_m) for z in again.exclusions] == [("pond", "buffered", 5.0)]
    assert len(again.entries) == 1
    assert again.entries[0].point.distance(site.entries[0].point) < 15


def test_kmz_holds_every_feature_in_folders_by_kind_with_a_style_each(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    placemarks = root.findall(f".//{KML}Placemark")
    assert len(placemarks) == len(layout["features"])
    styles = {f"#{s.get('id')}" for s in root.iter(f"{KML}Style")}
    assert {p.findtext(f"{KML}styleUrl") for p in placemarks} <= styles
    folders = [f.findtext(f"{KML}name") for f in root.findall(f"{KML}Document/{KML}Folder")]
    assert folders == ["Site", "Buildable ground", "Exclusions", "Entry", "Assets", "Pads", "Roads", "Cables"]
    assert {m.text for m in root.iter(f"{KML}altitudeMode")} == {"clampToGround"}
    assert all(len(p.split(",")) == 2 for c in root.iter(f"{KML}coordinates") for p in c.text.split())


def test_kmz_carries_the_contracts_properties(layout, tmp_path):
    root = ET.fromstring(kml_of(write_kmz(layout, tmp_path / "layout.kmz")))
    found = [
        {d.get("name"): d.findtext(f"{KML}value") for d in p.iter(f"{KML}Data")} for p in root.iter(f"{KML}Placemark")
    ]
    substation = next(f for f in found if f.get("asset_type") == "substation")
    said = next(f["properties"] for f in layout["features"] if f["properties"].get("asset_type") == "substation")
    assert substation == {k: str(v) for k, v in said.items() if v is not None}


def test_kmz_is_read_by_gdal(layout, tmp_path):
    path = write_kmz(layout, tmp_path / "layout.kmz")
    names = [str(name) for name, _ in pyogrio.list_layers(path)]
    assert "Roads" in names
    roads = [f for f in layout["features"] if f["properties"]["kind"] == "road"]
    assert len(pyogrio.read_dataframe(path, layer="Roads")) == len(roads)


def test_kmz_escapes_names_and_leaves_out_what_xml_forbids(hostile, tmp_path):
    document = kml_of(write_kmz(hostile, tmp_path / "layout.kmz"))
    assert b"<script" not in document
    name = ET.fromstring(document).findtext(f"{KML}Document/{KML}name")
    assert '<script>alert("1")</script> ../../etc/passwd' in name
    assert not {"\x00", "\x1b", "\u202e", "\n"} & set(name)


def test_kmz_fetches_nothing(layout, tmp_path):
    document = kml_of(write_kmz(layout, tmp_path / "layout.kmz")).replace(b"http://www.opengis.net/kml/2.2", b"")
    assert b"href" not in document
    assert b"://" not in document


def test_kmz_bears_no_time(layout, tmp_path):
    with zipfile.ZipFile(write_kmz(layout, tmp_path / "layout.kmz")) as archive:
        assert {i.date_time for i in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


# -- CSV ---------------------------------------------------------------------------------------------------------------


def tables_of(layout, folder):
    return write_csv(layout, folder / "assets.csv", folder / "roads.csv", folder / "cables.csv")


def test_csv_tells_every_asset_road_and_cable_as_the_contract_has_it(layout, tmp_path):
    for path, kind in zip(tables_of(layout, tmp_path), ("asset", "road", "cable"), strict=True):
        said = [f["properties"] for f in layout["features"] if f["properties"]["kind"] == kind]
        rows = rows_of(path)
        assert list(rows[0]) == [*columns(kind), *PLACE]
        assert len(rows) == len(said) > 0
        for row, properties in zip(rows, said, strict=True):
            assert {k: row[k] for k in columns(kind)} == {k: as_cell(properties[k]) for k in columns(kind)}


def as_cell(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_csv_cables_end_at_assets_of_the_table(layout, tmp_path):
    assets, _, cables = (rows_of(path) for path in tables_of(layout, tmp_path))
    known = {row["asset_id"] for row in assets}
    assert cables
    assert all({row["from_id"], row["to_id"]} <= known for row in cables)
    total = sum(float(row["length_m"]) for row in cables)
    assert total == pytest.approx(layout["pacifico"]["metrics"]["cable_length_m"], abs=0.01 * len(cables))


def test_csv_of_a_layout_without_cables_has_their_header(layout, tmp_path):
    layout["features"] = [f for f in layout["features"] if f["properties"]["kind"] != "cable"]
    *_, path = tables_of(layout, tmp_path)
    assert path.read_text() == ",".join([*columns("cable"), *PLACE]) + "\n"


def test_csv_places_lie_in_footprints_and_on_lines(layout, tmp_path):
    parts = StoredLayout.of(layout)
    for path, kind in zip(tables_of(layout, tmp_path), ("asset", "road", "cable"), strict=True):
        for row, part in zip(rows_of(path), parts.of_kind(kind), strict=True):
            assert part.geometry.distance(shapely.Point(float(row["x"]), float(row["y"]))) < 0.001
            assert part.lonlat.distance(shapely.Point(float(row["lon"]), float(row["lat"]))) < 2e-8


def test_csv_is_utf8_without_carriage_returns_whatever_the_names(hostile, tmp_path):
    for path in tables_of(hostile, tmp_path)[:2]:
        data = path.read_bytes()
        assert b"\r" not in data
        assert not data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert data.count(b"\n") == len(rows)
        texts = [cell for row in rows[1:] for cell in row if "cmd" in cell]
        assert texts
        assert all(cell.startswith("'=cmd") for cell in texts)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(1)", "  =1", "\t=1", "\r\n=1", "＝1", "\u200b=1"])
def test_csv_no_text_is_a_formula(name, layout, tmp_path):
    asset = next(f for f in layout["features"] if f["properties"]["kind"] == "asset")
    asset["properties"]["name"] = name
    path, *_ = tables_of(layout, tmp_path)
    assert rows_of(path)[0]["name"].startswith("'")


def test_csv_negative_numbers_stay_numbers(layout, tmp_path):
    asset = next(f for f in layout["features"] if f["properties"]["kind"] == "asset")
    asset["properties"]["elevation_m"] = -12.5
    path, *_ = tables_of(layout, tmp_path)
    assert rows_of(path)[0]["elevation_m"] == "-12.5"


def test_csv_to_a_folder_and_to_a_file(layout, tmp_path):
    assert [p.name for p in export(layout, "csv", tmp_path)] == ["assets.csv", "roads.csv", "cables.csv"]
    names = ["hill.csv", "hill-roads.csv", "hill-cables.csv"]
    assert [p.name for p in export(layout, "csv", tmp_path / "hill.csv")] == names


# -- GeoPackage --------------------------------------------------------------------------------------------------------


def test_gpkg_has_one_layer_a_kind_in_the_working_crs(layout, tmp_path):
    path = write_gpkg(layout, tmp_path / "layout.gpkg")
    parts = StoredLayout.of(layout)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    assert layers == ["boundary", "buildable", "exclusion", "entry", "asset", "pad", "road", "cable"]
    for name in layers:
        found = gpd.read_file(path, layer=name)
        said = parts.of_kind(name)
        assert found.crs.to_epsg() == 32615
        assert list(found.columns[:-1]) == ["kind", *columns(name)]
        for ours, theirs in zip(said, found.geometry, strict=True):
            alike = (
                shapely.MultiPolygon([ours.geometry])
                if ours.geometry.geom_type == "Polygon" and theirs.geom_type == "MultiPolygon"
                else ours.geometry
            )
            assert shapely.normalize(theirs).equals_exact(shapely.normalize(alike), 1e-6)


def test_gpkg_roads_keep_their_heights(layout, tmp_path):
    roads = gpd.read_file(write_gpkg(layout, tmp_path / "layout.gpkg"), layer="road")
    assert roads.geometry.has_z.all()
    said = [f["geometry"]["coordinates"] for f in layout["features"] if f["properties"]["kind"] == "road"]
    np.testing.assert_allclose(
        shapely.get_coordinates(roads.geometry[0], include_z=True)[:, 2], [p[2] for p in said[0]]
    )


def test_gpkg_reads_back_as_the_site_whatever_the_names(hostile, site, tmp_path):
    again = read_site(write_gpkg(hostile, tmp_path / "layout.gpkg"))
    assert again.boundary.symmetric_difference(site.boundary).area < 0.5
    assert len(again.exclusions) == 1
    assert again.name.startswith("=cmd|' /C calc'!A0 <script>")


def test_gpkg_gives_gdal_its_own_clock_back(layout, tmp_path):
    write_gpkg(layout, tmp_path / "layout.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


# -- DXF ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawing(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    return ezdxf.readfile(write_dxf(layout, tmp_path / "layout.dxf"))


def test_dxf_is_sound_and_in_metres(drawing):
    assert drawing.audit().errors == []
    assert drawing.units == 6
    assert list(drawing.header.custom_vars.properties) == [("CRS", "EPSG:32615")]


def test_dxf_layers_are_by_kind_and_type(drawing, layout):
    held = {e.dxf.layer for e in drawing.modelspace()}
    types = {
        f"ASSET-{f['properties']['asset_type'].upper()}"
        for f in layout["features"]
        if f["properties"]["kind"] == "asset"
    }
    classes = {
        f"ROAD-{f['properties']['road_class'].upper()}" for f in layout["features"] if f["properties"]["kind"] == "road"
    }
    site = {"SITE-BOUNDARY", "SITE-BUILDABLE", "SITE-EXCLUSION", "SITE-ENTRY", "PAD", "CABLE"}
    texts = {"ASSET-TEXT", "PAD-TEXT", "ROAD-TEXT", "SITE-TEXT"}
    assert held == types | classes | site | texts


def test_dxf_roads_are_3d_polylines_at_design_height(drawing, layout):
    lines = [e for e in drawing.modelspace().query("POLYLINE") if e.dxf.layer.startswith("ROAD-")]
    roads = StoredLayout.of(layout).of_kind("road")
    assert len(lines) == len(roads)
    for line, road in zip(lines, roads, strict=True):
        assert line.is_3d_polyline
        xyz = np.array([tuple(v.dxf.location) for v in line.vertices])
        np.testing.assert_allclose(xyz, shapely.get_coordinates(road.geometry, include_z=True), atol=1e-6)


def test_dxf_pads_lie_in_their_plane_and_say_their_height(drawing, layout):
    pads = StoredLayout.of(layout).of_kind("pad")
    lines = [e for e in drawing.modelspace().query("POLYLINE") if e.dxf.layer == "PAD"]
    for line, pad in zip(lines, pads, strict=True):
        assert line.is_closed
        np.testing.assert_allclose([tuple(v.dxf.location) for v in line.vertices], pad_corners(pad), atol=1e-6)
        # Around the centroid of a rectangle the heights of a plane even out.
        assert np.mean([z for _, _, z in pad_corners(pad)]) == pytest.approx(pad["elevation_m"], abs=1e-4)
    texts = {e.dxf.text for e in drawing.modelspace().query("TEXT") if e.dxf.layer == "PAD-TEXT"}
    assert texts == {f"{p['pad_id']} EL {p['elevation_m']:.2f}" for p in pads}


def test_ground_that_is_dear_to_cross_is_told_from_exclusions(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    zone = next(f for f in layout["features"] if f["properties"]["kind"] == "exclusion")
    zone["properties"].update(zone_type="cost", cost_multiplier=3.0, buffer_m=0.0)
    held = {e.dxf.layer for e in ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")).modelspace()}
    assert "SITE-COST" in held
    assert "SITE-EXCLUSION" not in held
    path = write_kmz(layout, tmp_path / "a.kmz")
    assert b"#cost" in kml_of(path)
    assert [(z.zone_type, z.cost_multiplier) for z in read_site(path).exclusions] == [("cost", 3.0)]


def test_dxf_keeps_holes(drawing):
    rings = [e for e in drawing.modelspace().query("LWPOLYLINE") if e.dxf.layer == "SITE-BOUNDARY"]
    assert [len(r) for r in rings] == [4, 4]
    assert all(r.closed for r in rings)


def test_dxf_whatever_the_names(hostile, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    drawing = ezdxf.readfile(write_dxf(hostile, tmp_path / "layout.dxf"))
    assert drawing.audit().errors == []
    texts = [e.dxf.text for e in drawing.modelspace().query("TEXT")]
    assert any("東京" in t for t in texts)
    assert not any("%%" in t or "^J" in t or "\n" in t or len(t) > 210 for t in texts)


def test_dxf_without_ezdxf_names_the_extra(layout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezdxf", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[cad\]'"):
        write_dxf(layout, tmp_path / "layout.dxf")
    assert list(tmp_path.iterdir()) == []


def test_dxf_leaves_ezdxfs_options_as_they_were(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    write_dxf(layout, tmp_path / "layout.dxf")
    assert ezdxf.options.write_fixed_meta_data_for_testing is False
