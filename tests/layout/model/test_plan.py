"""A plan: its tables, its file, and methods that higher rooms implement."""

import json

import numpy as np
import pytest

from pacifico.layout.files.geojson import KINDS
from pacifico.layout.files.versions import SCHEMA_VERSION
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(make.level, 400, 400))


@pytest.fixture(scope="module")
def plan(make, dem):
    return generate_layout(make.site(400, 400), dem, profile="bess", target_capacity_kw=10_000)


def test_tables_have_the_properties_of_the_file(plan):
    features = plan.to_geojson()["features"]
    for kind, table in (("asset", plan.assets), ("pad", plan.pads), ("road", plan.roads), ("cable", plan.cables)):
        rows = [
            {k: v for k, v in f["properties"].items() if k != "kind"}
            for f in features
            if f["properties"]["kind"] == kind
        ]
        assert len(table) == len(rows) > 0
        assert list(table.columns) == [*rows[0], "geometry"]
        assert table.crs == plan.crs


def test_the_file_lists_kinds_in_their_order(plan):
    content = plan.to_geojson()
    order = [KINDS.index(f["properties"]["kind"]) for f in content["features"]]
    assert order == sorted(order)
    assert content["pacifico"]["schema_version"] == SCHEMA_VERSION
    assert content["pacifico"]["crs"] == "EPSG:32615"
    assert "edits" not in content["pacifico"]


def test_the_written_file_is_the_plan(plan, tmp_path):
    path = plan.write(tmp_path / "layout.geojson")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(plan.to_geojson()))


def test_a_plan_has_its_bill(plan):
    assert plan.bill_of_quantities().total > 0


def test_a_plan_has_its_cut_and_fill(plan, dem, tmp_path):
    raster = plan.cut_fill(dem)
    assert raster.shape == dem.shape
    assert np.isnan(raster).any()
    assert plan.write_cut_fill(dem, tmp_path / "cut_fill.tif").is_file()
