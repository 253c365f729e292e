"""Styles that QGIS finds in a GeoPackage."""

import sqlite3
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest

from pacifico import legend
from pacifico.export.gpkg import write_gpkg
from pacifico.export.qgis_styles import TABLE, style_of, styles_table
from pacifico.layout.files.stored import GEOMETRIES


@pytest.mark.parametrize("kind", GEOMETRIES)
def test_each_kind_has_a_renderer_with_a_symbol_of_its_geometry(kind):
    root = ET.fromstring(style_of(kind))
    expected = {"Polygon": "fill", "MultiPolygon": "fill", "LineString": "line", "Point": "marker"}
    symbols = root.findall("renderer-v2/symbols/symbol")
    assert {s.get("type") for s in symbols} == {expected[GEOMETRIES[kind][0]]}
    assert all(s.find("layer/Option").get("type") == "Map" for s in symbols)


def test_assets_are_coloured_by_type_as_on_the_maps():
    root = ET.fromstring(style_of("asset"))
    assert root.find("renderer-v2").get("attr") == "asset_type"
    values = [c.get("value") for c in root.iterfind(".//category")]
    assert values == [*legend.ASSETS, ""]
    battery = values.index("battery")
    colour = root.findall(".//symbol")[battery].find(".//Option[@name='color']").get("value")
    assert colour == ",".join(map(str, bytes.fromhex(legend.ASSETS["battery"][1][1:]))) + ",255"


def test_a_row_for_each_layer():
    table = styles_table(["road", "pad"])
    assert table["f_table_name"] == ["road", "pad"]
    assert {len(column) for column in table.values()} == {2}


def test_a_geopackage_has_a_default_style_for_each_layer(layout, tmp_path):
    path = write_gpkg(layout, tmp_path / "a.gpkg")
    with closing(sqlite3.connect(path)) as file:
        styled = file.execute('SELECT f_table_name, f_geometry_column, "useAsDefault" FROM layer_styles').fetchall()
        geometries = file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns").fetchall()
        (kind,) = file.execute("SELECT data_type FROM gpkg_contents WHERE table_name = ?", [TABLE]).fetchone()
    assert sorted(row[:2] for row in styled) == sorted(geometries)
    assert all(row[2] for row in styled)
    assert kind == "attributes"
