"""DXF drawings are valid, in metres, with a layer per kind and type."""

import sys
import zipfile

import numpy as np
import pytest
import shapely
from pyproj import CRS

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
