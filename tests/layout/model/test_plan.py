"""A plan: its tables, its file, and methods that higher rooms implement."""

import copy
import json
import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from pacifico.layout.editing.editor import edit
from pacifico.layout.files.geojson import KINDS
from pacifico.layout.files.versions import SCHEMA_VERSION
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Zone


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


def test_equal_plans_are_equal_and_hash_alike(plan, make, dem):
    twin = generate_layout(make.site(400, 400), dem, profile="bess", target_capacity_kw=10_000)
    assert twin == plan
    assert hash(twin) == hash(plan)
    other = generate_layout(make.site(400, 400), dem, profile="bess", target_capacity_kw=5_000)
    assert other != plan
    assert plan != "a plan"
    assert len({plan, twin, other}) == 2


def test_a_plan_is_pickled(plan):
    again = pickle.loads(pickle.dumps(plan))  # noqa: S301 (our own bytes)
    assert again == plan
    assert again.spec == plan.spec
    assert copy.deepcopy(plan) == plan


def test_nothing_in_a_plan_can_be_changed(plan):
    with pytest.raises(FrozenInstanceError):
        plan.profile = "hybrid"
    with pytest.raises(TypeError, match="can't be changed"):
        plan.metrics["cut_volume_m3"] = 0.0
    with pytest.raises(TypeError, match="can't be changed"):
        plan.metrics["assets_by_type"]["battery"] = 0
    with pytest.raises(TypeError, match="can't be changed"):
        plan.dem.update(source="another")
    with pytest.raises(TypeError, match="can't be changed"):
        plan.metrics["earthwork_p10_p90_m3"][0] = 0.0
    content = plan.to_geojson()
    content["pacifico"]["metrics"]["assets_by_type"]["battery"] = 99
    assert plan.metrics["assets_by_type"]["battery"] == 2


def test_reprs_are_one_short_line(plan, dem):
    records = (plan, plan.site, plan.asset_list[0], plan.bill_of_quantities(), edit(plan, dem), zone := Zone(plan.buildable, "pond"))  # fmt: skip
    for record in records:
        assert len(repr(record)) < 200
        assert "\n" not in repr(record)
    assert "10 MWh" not in repr(plan)
    assert "bess" in repr(plan)
    assert repr(zone).startswith("<Zone 'pond': hard, ")


def test_overrides_are_in_the_file_in_alphabetical_order(make, dem, plan):
    spec = {"site": {"setback_m": 20.0}, "road": {"width_m": 7.0, "max_grade_pct": 8.0}}
    own = generate_layout(make.site(400, 400), dem, profile="bess", target_capacity_kw=10_000, spec=spec)
    assert list(own.to_geojson()["pacifico"]["spec"].items()) == [
        ("road", {"max_grade_pct": 8.0, "width_m": 7.0}),
        ("site", {"setback_m": 20.0}),
    ]
    assert "spec" not in plan.to_geojson()["pacifico"]
