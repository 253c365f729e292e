"""DXF drawings are valid, in metres, with a layer per kind and type."""

import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico import legend
from pacifico.errors import CRSMismatchError, InputError
from pacifico.export.dxf import pad_corners, write_dxf
from pacifico.export.kmz import write_kmz
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout
from pacifico.site.boundary import read_site


def other_crs():
    grid = Grid(CRS.from_epsg(32616), 500_000.0, 4_600_500.0, 5.0, 5.0, 4, 4)
    return grid.data_array(np.zeros((4, 4)), name="elevation", units="m")


def kml_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml"]
        return archive.read("doc.kml")


@pytest.fixture
def drawing(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    return ezdxf.readfile(write_dxf(layout, tmp_path / "layout.dxf"))


def test_the_drawing_is_valid_and_in_metres(drawing):
    assert drawing.audit().errors == []
    assert drawing.units == 6
    assert list(drawing.header.custom_vars.properties) == [("CRS", "EPSG:32615")]


def test_layers_are_by_kind_and_type(drawing, layout):
    held = {e.dxf.layer for e in drawing.modelspace()}
    types = {
        f"ASSET-{f['properties']['asset_type'].upper()}"
        for f in layout["features"]
        if f["properties"]["kind"] == "asset"
    }
    classes = {
        f"ROAD-{f['properties']['road_class'].upper()}" for f in layout["features"] if f["properties"]["kind"] == "road"
    }
    classes.add("ROAD-EDGE")
    site = {"SITE-BOUNDARY", "SITE-BUILDABLE", "SITE-EXCLUSION", "SITE-ENTRY", "PAD", "CABLE", "FENCE"}
    texts = {"ASSET-TEXT", "PAD-TEXT", "ROAD-TEXT", "SITE-TEXT"}
    assert held == types | classes | site | texts


def test_roads_are_3d_polylines_at_design_height(drawing, layout):
    lines = [e for e in drawing.modelspace().query("POLYLINE") if e.dxf.layer.startswith("ROAD-")]
    roads = StoredLayout.of(layout).of_kind("road")
    assert len(lines) == len(roads)
    for line, road in zip(lines, roads, strict=True):
        assert line.is_3d_polyline
        xyz = np.array([tuple(v.dxf.location) for v in line.vertices])
        np.testing.assert_allclose(xyz, shapely.get_coordinates(road.geometry, include_z=True), atol=1e-6)


def test_pads_are_in_their_plane_with_their_height_as_text(drawing, layout):
    pads = StoredLayout.of(layout).of_kind("pad")
    lines = [e for e in drawing.modelspace().query("POLYLINE") if e.dxf.layer == "PAD"]
    for line, pad in zip(lines, pads, strict=True):
        assert line.is_closed
        np.testing.assert_allclose([tuple(v.dxf.location) for v in line.vertices], pad_corners(pad), atol=1e-6)
        # Around the centroid of a rectangle the heights of a plane even out.
        assert np.mean([z for _, _, z in pad_corners(pad)]) == pytest.approx(pad["elevation_m"], abs=1e-4)
    texts = {e.dxf.text for e in drawing.modelspace().query("TEXT") if e.dxf.layer == "PAD-TEXT"}
    assert texts == {f"{p['pad_id']} EL {p['elevation_m']:.2f}" for p in pads}


def test_road_edges_are_half_a_width_from_the_centreline(drawing, layout):
    roads = StoredLayout.of(layout).of_kind("road")
    rings = [
        shapely.LinearRing(e.get_points("xy")) for e in drawing.modelspace().query('LWPOLYLINE[layer=="ROAD-EDGE"]')
    ]
    assert rings
    surface = shapely.union_all([shapely.force_2d(r.geometry).buffer(r["width_m"] / 2) for r in roads])
    middle = shapely.force_2d(roads[0].geometry).interpolate(0.5, normalized=True)
    nearest = min(ring.distance(middle) for ring in rings)
    assert nearest == pytest.approx(roads[0]["width_m"] / 2, abs=0.02)
    assert all(surface.buffer(0.02).contains(ring) for ring in rings)


def test_contours_are_lines_at_their_height_within_the_site(layout, dem, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    space = ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf", ground=dem)).modelspace()
    lines = [e for e in space.query("LWPOLYLINE") if e.dxf.layer.startswith("CONTOUR")]
    assert {e.dxf.layer for e in lines} == {"CONTOUR", "CONTOUR-INDEX"}
    site = StoredLayout.of(layout).boundary.buffer(0.01)
    for line in lines:
        xy = np.array(line.get_points("xy"))
        np.testing.assert_allclose(
            100 + 0.02 * (xy[:, 0] - 500_000) + 0.01 * (xy[:, 1] - 4_600_000), line.dxf.elevation, atol=1e-3
        )
        assert site.contains(shapely.LineString(xy))
    assert [t.dxf.text for t in space.query('TEXT[layer=="CONTOUR-TEXT"]')]


def test_ground_in_another_crs_is_refused(layout, tmp_path):
    with pytest.raises(CRSMismatchError):
        write_dxf(layout, tmp_path / "a.dxf", ground=other_crs())


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


def test_holes_are_kept(drawing):
    rings = [e for e in drawing.modelspace().query("LWPOLYLINE") if e.dxf.layer == "SITE-BOUNDARY"]
    assert [len(r) for r in rings] == [4, 4]
    assert all(r.closed for r in rings)


def test_any_name_gives_a_valid_drawing(hostile, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    drawing = ezdxf.readfile(write_dxf(hostile, tmp_path / "layout.dxf"))
    assert drawing.audit().errors == []
    texts = [e.dxf.text for e in drawing.modelspace().query("TEXT")]
    assert any("東京" in t for t in texts)
    assert not any("%%" in t or "^J" in t or "\n" in t or len(t) > 210 for t in texts)


def test_without_ezdxf_the_error_names_the_extra(layout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ezdxf", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[cad\]'"):
        write_dxf(layout, tmp_path / "layout.dxf")
    assert list(tmp_path.iterdir()) == []


def test_options_of_ezdxf_are_restored(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    write_dxf(layout, tmp_path / "layout.dxf")
    assert ezdxf.options.write_fixed_meta_data_for_testing is False


def texts_of(drawing):
    """Text, height, alignment and place of every text, by layer."""
    found = {}
    for e in drawing.modelspace().query("TEXT"):
        align, at, _ = e.get_placement()
        found.setdefault(e.dxf.layer, []).append((e.dxf.text, e.dxf.height, align.name, tuple(at)))
    return found


def test_labels_are_at_their_features_in_the_height_of_their_layer(drawing, layout):
    stored = StoredLayout.of(layout)
    texts = texts_of(drawing)

    def expected(rows, height):
        return [(text, height, "MIDDLE_CENTER", pytest.approx((x, y, z), abs=1e-6)) for text, x, y, z in rows]

    roads = []
    for p in stored.of_kind("road"):
        middle = p.geometry.interpolate(0.5, normalized=True)
        text = f"{p['road_id']} {p['width_m']:g} m wide, up to {p['max_grade_pct']:.1f} %"
        roads.append((text, middle.x, middle.y, middle.z))
    assert texts["ROAD-TEXT"] == expected(roads, 3.0)
    pads = [
        (f"{p['pad_id']} EL {p['elevation_m']:.2f}", p.geometry.centroid.x, p.geometry.centroid.y - 3, p["elevation_m"])
        for p in stored.of_kind("pad")
    ]
    assert texts["PAD-TEXT"] == expected(pads, 1.5)
    assets = [
        (p["asset_id"], p.geometry.centroid.x, p.geometry.centroid.y, p["elevation_m"]) for p in stored.of_kind("asset")
    ]
    assert texts["ASSET-TEXT"] == expected(assets, 2.0)
    (zone,), (gate,) = stored.of_kind("exclusion"), stored.of_kind("entry")
    site = [("pond", zone.geometry.centroid.x, zone.geometry.centroid.y, 0)]
    site += [(gate["name"], gate.geometry.x, gate.geometry.y + 6, 0)] if gate["name"] else []
    assert texts["SITE-TEXT"] == expected(site, 5.0)


def test_an_exclusion_without_a_name_has_no_label(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    for feature in layout["features"]:
        if feature["properties"]["kind"] in ("exclusion", "entry"):
            feature["properties"]["name"] = "" if feature["properties"]["kind"] == "exclusion" else "north gate"
    texts = texts_of(ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")))
    assert [t[0] for t in texts["SITE-TEXT"]] == ["north gate"]


def test_layers_have_the_colours_of_the_legend(drawing):
    def rgb(colour):
        return tuple(bytes.fromhex(colour[1:]))

    layers = {layer.dxf.name: layer for layer in drawing.layers}
    assert layers["SITE-BUILDABLE"].rgb == rgb(legend.BUILDABLE)
    assert layers["SITE-EXCLUSION"].rgb == rgb(legend.EXCLUSION)
    assert layers["SITE-ENTRY"].rgb == rgb(legend.ENTRY)
    assert layers["PAD"].rgb == rgb(legend.PAD)
    assert layers["CABLE"].rgb == rgb(legend.CABLE)
    assert layers["FENCE"].rgb == rgb(legend.FENCE)
    for kind in ("battery", "generator"):
        if f"ASSET-{kind.upper()}" in layers:
            assert layers[f"ASSET-{kind.upper()}"].rgb == rgb(legend.ASSETS[kind][1])
    plain = [
        name
        for name in layers
        if name.startswith(("ROAD-", "SITE-BOUNDARY", "ASSET-SUBSTATION")) or name.endswith("-TEXT")
        if not name.startswith("CONTOUR")
    ]
    assert {layers[name].rgb for name in plain} == {None}
    assert {layers[name].dxf.color for name in plain} == {7}


def test_footprints_are_closed_at_their_elevation_and_lines_are_open(drawing, layout):
    stored = StoredLayout.of(layout)
    lines = drawing.modelspace().query("LWPOLYLINE")
    assets = [e for e in lines if e.dxf.layer.startswith("ASSET-")]
    for line, asset in zip(assets, stored.of_kind("asset"), strict=True):
        assert line.closed
        assert line.dxf.elevation == pytest.approx(asset["elevation_m"])
        ring = shapely.get_coordinates(asset.geometry.exterior)[:-1]
        np.testing.assert_allclose([(x, y) for x, y, *_ in line.get_points()], ring, atol=1e-6)
    cables = [e for e in lines if e.dxf.layer == "CABLE"]
    for line, cable in zip(cables, stored.of_kind("cable"), strict=True):
        assert not line.closed
        assert line.dxf.elevation == 0
        np.testing.assert_allclose(
            [(x, y) for x, y, *_ in line.get_points()], shapely.get_coordinates(cable.geometry), atol=1e-6
        )
    fences = [e for e in lines if e.dxf.layer == "FENCE"]
    assert fences
    assert all(e.closed for e in fences)
    (point,) = drawing.modelspace().query("POINT")
    gate = stored.of_kind("entry")[0].geometry
    assert tuple(point.dxf.location) == pytest.approx((gate.x, gate.y, 0), abs=1e-6)


def test_pad_corners_rise_with_the_grades_from_the_centroid(layout):
    pad = StoredLayout.of(layout).of_kind("pad")[0]
    graded = replace(pad, properties={**pad.properties, "elevation_m": 50.0, "grade_east": 0.1, "grade_north": -0.2})
    centre = pad.geometry.centroid
    ring = shapely.get_coordinates(pad.geometry.exterior)[:-1]
    found = pad_corners(graded)
    assert len(found) == len(ring)
    np.testing.assert_allclose(
        found, [(x, y, 50 + 0.1 * (x - centre.x) - 0.2 * (y - centre.y)) for x, y in ring], atol=1e-9
    )


def test_a_crossing_is_labelled_with_its_type(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    road = next(f for f in layout["features"] if f["properties"]["kind"] == "road")
    line = [xyz[:2] for xyz in road["geometry"]["coordinates"]]
    properties = {
        "kind": "crossing", "crossing_id": "X001", "crossing_type": "culvert", "of_id": road["properties"]["road_id"],
        "over": "creek", "zone_type": "water", "drained_area_ha": None, "length_m": 20.0,
    }  # fmt: skip
    layout["features"].append(
        {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": properties}
    )
    drawing = ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf"))
    centre = StoredLayout.of(layout).of_kind("crossing")[0].geometry.centroid
    labels = [t for t in texts_of(drawing)["ROAD-TEXT"] if t[0].startswith("X001")]
    assert labels == [("X001 culvert", 3.0, "MIDDLE_CENTER", pytest.approx((centre.x, centre.y, 0), abs=1e-6))]
    (crossing,) = [e for e in drawing.modelspace().query("LWPOLYLINE") if e.dxf.layer == "CROSSING"]
    assert not crossing.closed
    assert len(crossing) == len(line)


def test_codes_of_cad_programs_lose_their_effect(layout, tmp_path):
    ezdxf = pytest.importorskip("ezdxf")
    zone = next(f for f in layout["features"] if f["properties"]["kind"] == "exclusion")
    zone["properties"]["name"] = "50%%%d at 3^J"
    texts = texts_of(ezdxf.readfile(write_dxf(layout, tmp_path / "a.dxf")))["SITE-TEXT"]
    assert "50% % %d at 3^ J" in [t[0] for t in texts]
