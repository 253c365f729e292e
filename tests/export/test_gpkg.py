"""GeoPackages have a layer per kind in the working CRS."""

import geopandas as gpd
import numpy as np
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
