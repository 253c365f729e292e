"""DXF drawings are valid, in metres, with a layer per kind and type."""

import sys
import zipfile

import numpy as np
import pytest
import shapely

from pacifico.errors import InputError
from pacifico.export.dxf import pad_corners, write_dxf
from pacifico.export.kmz import write_kmz
from pacifico.layout.files.stored import StoredLayout
from pacifico.site.boundary import read_site


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
