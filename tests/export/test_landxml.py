"""LandXML files keep the schema's order and attributes, and hold the layout's roads and surfaces."""

import os
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

from pacifico.export.dxf import pad_corners
from pacifico.export.landxml import NAMESPACE, write_landxml
from pacifico.layout.files.stored import StoredLayout

NS = {"x": NAMESPACE}
#: Attributes that LandXML 1.2 requires, of the elements that are written.
REQUIRED = {
    "LandXML": {"date", "time", "version"},
    "Metric": {"areaUnit", "linearUnit", "volumeUnit", "temperatureUnit", "pressureUnit"},
    "Project": {"name"},
    "Application": {"name"},
    "Surface": {"name"},
    "Definition": {"surfType"},
    "P": {"id"},
    "Alignment": {"name", "length", "staStart"},
    "Curve": {"rot"},
    "ProfSurf": {"name"},
    "ProfAlign": {"name"},
}
#: Children that LandXML 1.2 allows, in its order where it has one.
CHILDREN = {
    "Units": ["Metric"],
    "Surfaces": ["Surface"],
    "Surface": ["Definition"],
    "Definition": ["Pnts", "Faces"],
    "Pnts": ["P"],
    "Faces": ["F"],
    "Alignments": ["Alignment"],
    "Alignment": ["CoordGeom", "Profile"],
    "CoordGeom": ["Line", "Curve"],
    "Line": ["Start", "End"],
    "Curve": ["Start", "Center", "End"],
    "Profile": ["ProfSurf", "ProfAlign"],
    "ProfSurf": ["PntList2D"],
    "ProfAlign": ["PVI"],
    "LandXML": ["Units", "CoordinateSystem", "Project", "Application", "Surfaces", "Alignments"],
}
IN_ANY_ORDER = {"CoordGeom"}


def name_of(element):
    assert element.tag.startswith(f"{{{NAMESPACE}}}")
    return element.tag.rpartition("}")[2]


def points(surface):
    return {int(p.get("id")): [float(v) for v in p.text.split()] for p in surface.iterfind(".//x:P", NS)}


def faces(surface):
    return [[int(v) for v in f.text.split()] for f in surface.iterfind(".//x:F", NS)]


@pytest.fixture
def root(layout, dem, tmp_path):
    return ET.parse(write_landxml(layout, tmp_path / "a.xml", ground=dem)).getroot()


def test_elements_have_the_attributes_and_the_order_of_the_schema(root):
    for element in root.iter():
        name = name_of(element)
        assert REQUIRED.get(name, set()) <= set(element.attrib), name
        allowed = CHILDREN.get(name, [])
        order = [allowed.index(name_of(child)) for child in element]
        assert name in IN_ANY_ORDER or order == sorted(order)


def test_a_file_is_valid_against_the_schema_where_one_is_at_hand(layout, hostile, dem, tmp_path):
    """Give the schema's path as `LANDXML_SCHEMA`: its licence doesn't let us ship it."""
    etree = pytest.importorskip("lxml.etree")
    given = os.environ.get("LANDXML_SCHEMA")
    if not given or not Path(given).is_file():
        pytest.skip("LANDXML_SCHEMA names no file")
    schema = etree.XMLSchema(etree.parse(given))
    for number, (content, ground) in enumerate([(layout, None), (layout, dem), (hostile, dem)]):
        path = write_landxml(content, tmp_path / f"{number}.xml", ground=ground)
        schema.assertValid(etree.parse(str(path)))


def test_units_and_reference_system_are_named(root):
    assert root.find("x:Units/x:Metric", NS).get("linearUnit") == "meter"
    assert root.find("x:CoordinateSystem", NS).get("epsgCode") == "32615"


def test_alignments_run_through_every_vertex_of_their_roads(root, layout):
    roads = StoredLayout.of(layout).of_kind("road")
    written = root.findall("x:Alignments/x:Alignment", NS)
    assert [a.get("name") for a in written] == [r["road_id"] for r in roads]
    for alignment, road in zip(written, roads, strict=True):
        geometry = list(alignment.find("x:CoordGeom", NS))
        lines = []
        for part in geometry:
            start, end = ([float(v) for v in part.find(f"x:{n}", NS).text.split()][::-1] for n in ("Start", "End"))
            if name_of(part) == "Line":
                lines += [start, end]
                continue
            centre = np.array([float(v) for v in part.find("x:Center", NS).text.split()][::-1])
            radius = float(part.get("radius"))
            np.testing.assert_allclose([np.hypot(*(centre - p)) for p in (start, end)], radius, atol=0.002)
            a, b = (np.arctan2(*(np.array(p) - centre)[::-1]) for p in (start, end))
            turn = (b - a) % (2 * np.pi) if part.get("rot") == "ccw" else -((a - b) % (2 * np.pi))
            assert abs(turn) * radius == pytest.approx(float(part.get("length")), abs=0.01)
            angles = np.linspace(a, a + turn, 40)
            lines += (centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])).tolist()
        path = shapely.LineString(lines)
        vertices = shapely.points(shapely.get_coordinates(road.geometry))
        assert max(path.distance(v) for v in vertices) < 0.02
        assert float(alignment.get("length")) == pytest.approx(sum(float(p.get("length")) for p in geometry), abs=0.001)
        starts = [float(p.get("staStart")) for p in geometry]
        np.testing.assert_allclose(np.diff(starts), [float(p.get("length")) for p in geometry[:-1]], atol=0.001)


def test_profiles_hold_design_heights_and_the_ground(root, layout, dem):
    for alignment, road in zip(
        root.findall("x:Alignments/x:Alignment", NS), StoredLayout.of(layout).of_kind("road"), strict=True
    ):
        pvi = np.array([[float(v) for v in p.text.split()] for p in alignment.iterfind(".//x:PVI", NS)])
        z = shapely.get_coordinates(road.geometry, include_z=True)[:, 2]
        np.testing.assert_allclose(pvi[[0, -1], 1], z[[0, -1]], atol=0.001)
        assert pvi[0, 0] == 0
        assert pvi[-1, 0] == pytest.approx(float(alignment.get("length")), abs=0.001)
        ground = np.array([float(v) for v in alignment.find(".//x:PntList2D", NS).text.split()]).reshape(-1, 2)
        x, y = shapely.get_coordinates(road.geometry)[0]
        assert ground[0, 1] == pytest.approx(100 + 0.02 * (x - 500_000) + 0.01 * (y - 4_600_000), abs=0.01)


def test_the_ground_is_one_surface_in_its_plane(root, layout):
    surface = root.find("x:Surfaces/x:Surface[@name='Existing ground']", NS)
    found = points(surface)
    nez = np.array(list(found.values()))
    np.testing.assert_allclose(
        nez[:, 2], 100 + 0.02 * (nez[:, 1] - 500_000) + 0.01 * (nez[:, 0] - 4_600_000), atol=0.002
    )
    whole = shapely.union_all([shapely.Polygon([found[k][1::-1] for k in f]) for f in faces(surface)])
    outside = StoredLayout.of(layout).boundary.difference(whole)
    assert outside.area < 1.0


def test_pads_are_a_surface_in_their_design_planes(root, layout):
    surface = root.find("x:Surfaces/x:Surface[@name='Pads']", NS)
    pads = StoredLayout.of(layout).of_kind("pad")
    found = points(surface)
    area = sum(shapely.Polygon([found[k][1::-1] for k in f]).area for f in faces(surface))
    assert area == pytest.approx(sum(p.geometry.area for p in pads), rel=1e-3)
    corners = np.array([c for p in pads for c in pad_corners(p)])
    np.testing.assert_allclose(sorted(z for _, _, z in found.values()), sorted(corners[:, 2]), atol=0.001)


def test_without_ground_there_are_pads_and_design_profiles_alone(layout, tmp_path):
    root = ET.parse(write_landxml(layout, tmp_path / "a.xml")).getroot()
    assert [s.get("name") for s in root.iterfind(".//x:Surface", NS)] == ["Pads"]
    assert root.findall(".//x:ProfSurf", NS) == []


def test_a_site_without_roads_and_pads_has_neither_list(layout, tmp_path):
    layout["features"] = [f for f in layout["features"] if f["properties"]["kind"] == "boundary"]
    root = ET.parse(write_landxml(layout, tmp_path / "a.xml")).getroot()
    assert [name_of(e) for e in root] == ["Units", "CoordinateSystem", "Project", "Application"]


def test_alignments_of_one_name_are_told_apart(hostile, dem, tmp_path):
    root = ET.parse(write_landxml(hostile, tmp_path / "a.xml", ground=dem)).getroot()
    names = [a.get("name") for a in root.iterfind(".//x:Alignment", NS)]
    assert len(set(names)) == len(names) > 1
