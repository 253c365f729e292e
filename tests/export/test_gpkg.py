"""GeoPackages have a layer per kind in the working CRS."""

import sqlite3

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from pacifico.export.gpkg import write_gpkg
from pacifico.layout.files.stored import StoredLayout, columns
from pacifico.site.boundary import read_site


def test_each_kind_has_a_layer_in_the_working_crs(layout, tmp_path):
    path = write_gpkg(layout, tmp_path / "layout.gpkg")
    parts = StoredLayout.of(layout)
    layers = [str(name) for name, _ in pyogrio.list_layers(path)]
    assert layers == [
        "boundary",
        "buildable",
        "exclusion",
        "entry",
        "asset",
        "pad",
        "road",
        "cable",
        "fence",
        "layer_styles",
    ]
    for name in layers[:-1]:
        found = gpd.read_file(path, layer=name)
        text = parts.of_kind(name)
        assert found.crs.to_epsg() == 32615
        assert list(found.columns[:-1]) == ["kind", *columns(name)]
        for ours, theirs in zip(text, found.geometry, strict=True):
            alike = (
                shapely.MultiPolygon([ours.geometry])
                if ours.geometry.geom_type == "Polygon" and theirs.geom_type == "MultiPolygon"
                else ours.geometry
            )
            assert shapely.normalize(theirs).equals_exact(shapely.normalize(alike), 1e-6)


def test_roads_keep_their_heights(layout, tmp_path):
    roads = gpd.read_file(write_gpkg(layout, tmp_path / "layout.gpkg"), layer="road")
    assert roads.geometry.has_z.all()
    text = [f["geometry"]["coordinates"] for f in layout["features"] if f["properties"]["kind"] == "road"]
    np.testing.assert_allclose(
        shapely.get_coordinates(roads.geometry[0], include_z=True)[:, 2], [p[2] for p in text[0]]
    )


def test_a_geopackage_reads_back_as_the_site_for_any_name(hostile, site, tmp_path):
    again = read_site(write_gpkg(hostile, tmp_path / "layout.gpkg"))
    assert again.boundary.symmetric_difference(site.boundary).area < 0.5
    assert len(again.exclusions) == 1
    assert again.name.startswith("=cmd|' /C calc'!A0 <script>")


def test_gdal_keeps_its_own_clock_afterwards(layout, tmp_path):
    write_gpkg(layout, tmp_path / "layout.gpkg")
    assert pyogrio.get_gdal_config_option("OGR_CURRENT_DATE") is None


def test_cells_hold_the_values_of_the_layout_in_columns_of_their_type(layout, tmp_path):
    path = write_gpkg(layout, tmp_path / "layout.gpkg")
    for kind in ("asset", "pad", "road", "cable"):
        found = pyogrio.read_dataframe(path, layer=kind)
        for row, feature in zip(found.to_dict("records"), StoredLayout.of(layout).of_kind(kind), strict=True):
            assert row["kind"] == kind
            for name in columns(kind):
                value = feature[name]
                if value is None:
                    assert pd.isna(row[name]), name
                else:
                    assert row[name] == (", ".join(value) if isinstance(value, list) else value), name
    types = pyogrio.read_info(path, layer="cable")
    of_field = dict(zip(types["fields"], types["dtypes"], strict=True))
    assert (of_field["in_road_trench"], of_field["length_m"], of_field["from_id"]) == ("bool", "float64", "object")


def test_areas_that_may_have_parts_are_multipolygons_and_all_else_is_plain(layout, tmp_path):
    path = write_gpkg(layout, tmp_path / "layout.gpkg")
    kinds = {name: pyogrio.read_info(path, layer=name)["geometry_type"] for name, _ in pyogrio.list_layers(path)}
    assert {k: kinds[k] for k in ("boundary", "asset", "pad")} == {
        "boundary": "MultiPolygon",
        "asset": "Polygon",
        "pad": "Polygon",
    }
    assert (kinds["entry"], kinds["cable"]) == ("Point", "LineString")
    assert kinds["road"].replace("2.5D ", "").startswith("LineString")


def test_a_file_records_a_fixed_time_and_a_long_text_is_cut(layout, tmp_path):
    zone = next(f for f in layout["features"] if f["properties"]["kind"] == "exclusion")
    zone["properties"]["name"] = "x" * 5000
    path = write_gpkg(layout, tmp_path / "layout.gpkg")
    with sqlite3.connect(path) as file:
        changes = {row[0] for row in file.execute("select last_change from gpkg_contents")}
    assert changes == {"2000-01-01T00:00:00.000Z"}
    (name,) = pyogrio.read_dataframe(path, layer="exclusion")["name"]
    assert name == "x" * 3999 + "…"
