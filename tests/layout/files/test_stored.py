import json

import pytest

from pacifico.errors import CRSMismatchError, InputError
from pacifico.layout.files.geojson import schema
from pacifico.layout.files.stored import StoredLayout, columns, read_layout
from pacifico.layout.generate import generate_layout


def asset(layout):
    return next(f for f in layout["features"] if f["properties"]["kind"] == "asset")


def test_a_layout_of_the_engine_is_read_whole(layout, tmp_path):
    path = tmp_path / "layout.geojson"
    path.write_text(json.dumps(layout))
    assert read_layout(path) == layout
    stored = StoredLayout.of(layout)
    assert len(stored.features) == len(layout["features"])
    assert stored.name == "Test ridge"
    assert stored.crs.to_epsg() == 32615


def test_a_layout_that_was_checked_is_not_read_again(layout):
    stored = StoredLayout.of(layout)
    assert StoredLayout.of(stored) is stored


def test_geometry_is_in_the_working_crs(layout, site):
    boundary = StoredLayout.of(layout).of_kind("boundary")[0]
    assert boundary.geometry.hausdorff_distance(site.boundary) < 0.002


def test_columns_are_those_of_the_schema():
    for kind in ("asset", "pad", "road"):
        assert ["kind", *columns(kind)] == list(schema()["$defs"][kind]["required"])


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000, b'{"a": NaN}', b"null", b"[]", b"3"])
def test_a_file_that_is_no_layout_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "odd.geojson"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_layout(path)
    assert "\n" not in str(caught.value)
    assert "odd.geojson" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="can't be read"):
        read_layout(tmp_path / "none.geojson")


def set_(where, key, value):
    def change(layout):
        where(layout)[key] = value

    return change


def about(layout):
    return layout["pacifico"]


def properties(layout):
    return asset(layout)["properties"]


def geometry(layout):
    return asset(layout)["geometry"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_(about, "schema_version", 3), "schema_version 3"),
        (set_(about, "schema_version", True), "schema_version True"),
        (set_(about, "metrics", {}), "metrics"),
        (set_(about, "metrics", None), "metrics"),
        (set_(about, "dem", {"source": "x"}), "dem"),
        (set_(about, "warnings", [1]), "warnings"),
        (set_(about, "unplaced", [{"asset_type": "castle", "count": 1, "reason": "none"}]), "unplaced"),
        (set_(about, "profile", "castle"), "profile"),
        (set_(lambda c: c, "features", {}), "'features'"),
        (set_(lambda c: c, "features", []), "boundary"),
        (set_(lambda c: c, "features", [None]), "feature 1"),
        (set_(lambda c: c, "type", "Feature"), "FeatureCollection"),
        (set_(properties, "kind", "castle"), "'castle'"),
        (set_(properties, "kind", ["asset"]), "a list"),
        (set_(properties, "capacity_kw", "12"), "capacity_kw '12'"),
        (set_(properties, "capacity_kw", -1), "capacity_kw -1"),
        (set_(properties, "capacity_kw", True), "capacity_kw True"),
        (set_(properties, "capacity_kw", float("inf")), "capacity_kw inf"),
        (set_(properties, "elevation_m", 10**400), "elevation_m"),
        (set_(properties, "length_m", 0), "length_m 0"),
        (set_(properties, "asset_type", "castle"), "asset_type 'castle'"),
        (set_(properties, "asset_id", ""), "asset_id ''"),
        (lambda c: properties(c).pop("slope_deg"), "no slope_deg"),
        (set_(geometry, "type", "Point"), "'Point'"),
        (set_(geometry, "type", ["Polygon"]), "a list"),
        (set_(geometry, "coordinates", []), "coordinates"),
        (set_(geometry, "coordinates", [[[0, 0], [1, 0], [1, 1]]]), "coordinates"),
        (set_(geometry, "coordinates", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), "coordinates"),
        (set_(geometry, "coordinates", [[[0, 0], [1, 0], [1, 1, 5], [0, 0]]]), "coordinates"),
        (set_(geometry, "coordinates", [[[200, 0], [1, 0], [1, 1], [200, 0]]]), "coordinates"),
        (set_(geometry, "coordinates", [[["0", 0], [1, 0], [1, 1], ["0", 0]]]), "coordinates"),
        (set_(geometry, "coordinates", [[[float("nan"), 0], [1, 0], [1, 1], [0, 0]]]), "coordinates"),
    ],
)
def test_each_violation_of_the_contract_is_named(layout, change, said):
    change(layout)
    with pytest.raises(InputError) as caught:
        StoredLayout.of(layout)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "crs", ["EPSG:4326", "EPSG:2263", "EPSG:1", "+proj=utm +zone=15", "/etc/passwd", "", 32615, None]
)
def test_a_working_crs_not_in_metres_or_unknown_is_refused(layout, crs):
    layout["pacifico"]["crs"] = crs
    with pytest.raises((CRSMismatchError, InputError), match=r"crs|CRS"):
        StoredLayout.of(layout)


def test_roads_need_heights(layout):
    road = next(f for f in layout["features"] if f["properties"]["kind"] == "road")
    road["geometry"]["coordinates"] = [p[:2] for p in road["geometry"]["coordinates"]]
    with pytest.raises(InputError, match="with heights"):
        StoredLayout.of(layout)


def test_cables_are_read_where_there_are_some(layout):
    ends = [layout["features"][0]["geometry"]["coordinates"][0][k][:2] for k in (0, 1)]
    said = {"cable_id": "C1", "from_id": "a", "to_id": "b", "voltage_kv": 33.0, "length_m": 9.0, "in_road_trench": True}
    cable = {
        "type": "Feature",
        "geometry": {"type": "LineString", "coordinates": ends},
        "properties": {"kind": "cable", **said},
    }
    layout["features"].append(cable)
    assert dict(StoredLayout.of(layout).of_kind("cable")[-1].properties) == said


def test_a_file_and_its_content_give_the_same_layout(layout, tmp_path):
    path = tmp_path / "layout.geojson"
    path.write_text(json.dumps(layout))
    stored = StoredLayout.read(path)
    assert stored.metrics == layout["pacifico"]["metrics"]
    assert [f.kind for f in stored.features] == [f["properties"]["kind"] for f in layout["features"]]
    assert [f.geometry for f in stored.features] == [f.geometry for f in StoredLayout.of(layout).features]


def test_the_boundary_is_the_union_of_its_features(layout, site):
    assert StoredLayout.of(layout).boundary.area == pytest.approx(site.boundary.area, rel=1e-5)


@pytest.mark.parametrize(("resolution_m", "coarse"), [(10.0, False), (10.1, True)])
def test_cells_over_10_m_are_coarse(layout, resolution_m, coarse):
    layout["pacifico"]["dem"]["resolution_m"] = resolution_m
    assert StoredLayout.of(layout).coarse == coarse


@pytest.mark.parametrize("content", [{}, {"type": "FeatureCollection", "features": []}, []])
def test_another_geojson_is_refused(content):
    with pytest.raises(InputError, match="no FeatureCollection with a member 'pacifico'"):
        StoredLayout.of(content)


def test_the_content_of_a_plan_is_read_without_a_file(site, dem):
    plan = generate_layout(site, dem, profile="bess", target_capacity_kw=5_000)
    stored = StoredLayout.of(plan.to_geojson())
    assert [f["asset_id"] for f in stored.of_kind("asset")] == [a.asset_id for a in plan.asset_list]


def test_a_layout_nested_too_deeply_is_refused(layout):
    deep = {}
    for _ in range(100_000):
        deep = {"a": deep}
    changed = {**layout, "pacifico": {**layout["pacifico"], "metrics": {**layout["pacifico"]["metrics"], "more": deep}}}
    with pytest.raises(InputError, match="nested too deeply"):
        StoredLayout.of(changed)
