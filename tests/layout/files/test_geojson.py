"""layout.geojson: schema, RFC 7946, order, and metrics recomputed from features."""

import json
import re
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from pacifico import crs
from pacifico.layout.files import geojson
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Zone

PROFILES = [("solar_farm", 8000), ("bess", 60_000), ("gas_bess", 60_000), ("hybrid", 11_000), ("wind_hybrid", 25_000)]


@pytest.fixture(scope="module", params=PROFILES, ids=[p for p, _ in PROFILES])
def plan(request, make):
    profile, target = request.param
    size = 1300.0 if profile == "wind_hybrid" else 600.0
    hole = make.at(20, 300, 60, 340)
    zones = (
        Zone(make.at(250, 200, 300, 260), name="pond"),
        Zone(make.at(0, 0, 600, 40), name="wood", zone_type="cost", cost_multiplier=4.0),
        Zone(make.at(400, 500, 420, 520), name="well", zone_type="buffered", buffer_m=12.0),
    )
    site = make.site(boundary=make.at(0, 0, size, size).difference(hole), exclusions=zones)
    return generate_layout(
        site, make.dem(make.ground(make.rolling, size, size)), profile=profile, target_capacity_kw=target
    )


@pytest.fixture(scope="module")
def layout(plan):
    return json.loads(geojson.text(plan.to_geojson()))


def of_kind(layout, kind):
    return [f for f in layout["features"] if f["properties"]["kind"] == kind]


def metres(feature, plan):
    return crs.reproject(shape(feature["geometry"]), crs.LONLAT, plan.crs)


def test_the_schema_is_valid_and_the_layout_keeps_it(layout):
    jsonschema.Draft202012Validator.check_schema(geojson.schema())
    jsonschema.Draft202012Validator(geojson.schema()).validate(layout)


@pytest.mark.parametrize("spoil", ["kind", "asset_type", "geometry", "extra", "metrics", "target"])
def test_the_schema_refuses_invalid_layouts(layout, spoil):
    wrong = json.loads(json.dumps(layout))
    asset = of_kind(wrong, "asset")[0]
    if spoil == "kind":
        asset["properties"]["kind"] = "thing"
    elif spoil == "asset_type":
        asset["properties"]["asset_type"] = "reactor"
    elif spoil == "geometry":
        asset["geometry"] = {"type": "Point", "coordinates": [0, 0]}
    elif spoil == "extra":
        asset["properties"]["colour"] = "red"
    elif spoil == "metrics":
        del wrong["pacifico"]["metrics"]["served_share"]
    else:
        wrong["pacifico"]["target_capacity_kw"] = 50
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(geojson.schema()).validate(wrong)


def test_features_are_in_a_fixed_order(layout):
    kinds = [f["properties"]["kind"] for f in layout["features"]]
    assert kinds == sorted(kinds, key=geojson.KINDS.index)
    assert [kinds.count(k) for k in ("boundary", "buildable", "exclusion", "entry")] == [1, 1, 3, 1]
    assert list(layout) == ["type", "pacifico", "features"]
    assert all(list(f) == ["type", "geometry", "properties"] for f in layout["features"])
    for kind, name in (("asset", "asset_id"), ("pad", "pad_id"), ("road", "road_id")):
        ids = [f["properties"][name] for f in of_kind(layout, kind)]
        assert len(set(ids)) == len(ids)


def test_coordinates_are_degrees_with_at_most_8_decimals(plan):
    for line in geojson.text(plan.to_geojson()).splitlines()[1:-1]:
        coordinates = line[line.index('"coordinates"') : line.index('"properties"')]
        numbers = re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", coordinates)
        assert numbers
        assert all(len(n.partition(".")[2]) <= 8 and "e" not in n for n in numbers)


def test_rings_are_closed_and_oriented_by_rfc_7946(layout):
    polygons = 0
    for feature in layout["features"]:
        geometry = shape(feature["geometry"])
        for part in shapely.get_parts(geometry):
            if part.geom_type != "Polygon":
                continue
            polygons += 1
            assert part.is_valid
            assert shapely.is_ccw(part.exterior)
            assert not any(shapely.is_ccw(ring) for ring in part.interiors)
    assert polygons > 10
    assert len(shape(of_kind(layout, "boundary")[0]["geometry"]).interiors) == 1


def test_only_roads_have_heights(layout):
    for feature in layout["features"]:
        assert shape(feature["geometry"]).has_z == (feature["properties"]["kind"] == "road")


def test_metrics_can_be_recomputed_from_features(layout, plan):
    m = layout["pacifico"]["metrics"]
    assets = [f["properties"] for f in of_kind(layout, "asset")]
    pads = [f["properties"] for f in of_kind(layout, "pad")]
    roads = [f["properties"] for f in of_kind(layout, "road")]
    for metric, name in (
        ("total_capacity_kw", "capacity_kw"), ("total_capacity_dc_kw", "capacity_dc_kw"),
        ("storage_kw", "storage_kw"), ("storage_kwh", "storage_kwh"),
    ):  # fmt: skip
        assert m[metric] == pytest.approx(sum(a[name] for a in assets), abs=1e-2)
    assert m["asset_count"] == len(assets) == sum(m["assets_by_type"].values())
    types = [a["asset_type"] for a in assets]
    assert m["assets_by_type"] == {t: types.count(t) for t in sorted(set(types))}
    for what in ("cut", "fill"):
        assert m[f"pad_{what}_m3"] == pytest.approx(sum(p[f"{what}_m3"] for p in pads), abs=0.1 + 0.005 * len(pads))
        assert m[f"road_{what}_m3"] == pytest.approx(sum(r[f"{what}_m3"] for r in roads), abs=0.1 + 0.005 * len(roads))
        parts = sum(m[f"{part}_{what}_m3"] for part in ("pad", "road", "batter"))
        assert m[f"{what}_volume_m3"] == pytest.approx(parts, abs=0.21)
    assert m["net_earthwork_m3"] == pytest.approx(m["cut_volume_m3"] - m["fill_volume_m3"], abs=0.21)
    assert m["max_road_grade_pct"] == max(r["max_grade_pct"] for r in roads)
    assert m["road_length_m"] == pytest.approx(sum(r["length_m"] for r in roads), abs=0.01 * len(roads))
    length = sum(metres(f, plan).length for f in of_kind(layout, "road"))
    assert m["road_length_m"] == pytest.approx(length, rel=1e-4)
    area = crs.geodesic_area_m2(shape(of_kind(layout, "boundary")[0]["geometry"])) / 1e4
    assert m["site_area_ha"] == pytest.approx(area, rel=1e-5)
    assert m["capacity_kw_per_ha"] == pytest.approx(m["total_capacity_kw"] / m["site_area_ha"], abs=2e-3)
    buildable = crs.geodesic_area_m2(shape(of_kind(layout, "buildable")[0]["geometry"])) / 1e4
    # cells are counted by their centre, the feature is cut along the outline
    assert m["buildable_area_ha"] == pytest.approx(buildable, rel=0.03)
    low, high = m["buildable_area_p10_p90_ha"]
    assert low <= m["buildable_area_ha"] == m["buildable_area_p50_ha"] <= high
    low, high = m["earthwork_p10_p90_m3"]
    assert low <= m["earthwork_p50_m3"] <= high
    assert low <= m["cut_volume_m3"] + m["fill_volume_m3"] <= high
    out = sum(u["count"] for u in layout["pacifico"]["unplaced"])
    assert m["served_share"] == 1.0 if not out else 0 < m["served_share"] <= 1.0


def test_footprints_have_the_stated_size_and_rotation(layout, plan):
    """The side along the rotation is the length, in metres of the working CRS."""
    for feature in of_kind(layout, "asset"):
        p, ring = feature["properties"], shapely.get_coordinates(metres(feature, plan))
        assert len(ring) == 5
        east, north = np.ptp(ring[:, 0]), np.ptp(ring[:, 1])
        assert p["rotation_deg"] in (0.0, 90.0)
        length, width = (north, east) if p["rotation_deg"] == 90.0 else (east, north)
        assert (p["length_m"], p["width_m"]) == pytest.approx((length, width), abs=0.005)


def test_a_rotated_block_keeps_its_length_and_width(plan):
    """20 m from west to east and 30 m from south to north, turned: 30 m long, 20 m wide."""
    item = replace(plan.asset_list[0].item, rect=(0.0, 0.0, 20.0, 30.0), rotation_deg=90.0)
    turned = replace(plan.asset_list[0], item=item, footprint=shapely.box(0, 0, 20, 30))
    (row,), (footprint,) = replace(plan, asset_list=(turned,)).feature_rows("asset")
    assert (row["length_m"], row["width_m"], row["rotation_deg"]) == (30.0, 20.0, 90.0)
    assert footprint.bounds == (0, 0, 20, 30)


def test_pads_are_under_their_assets(layout, plan):
    assets = {f["properties"]["asset_id"]: f for f in of_kind(layout, "asset")}
    for pad in of_kind(layout, "pad"):
        ground = shapely.buffer(metres(pad, plan), 0.01)
        assert all(ground.covers(metres(assets[name], plan)) for name in pad["properties"]["asset_ids"])


def test_service_roads_and_blocks_exist(layout):
    roads = {f["properties"]["road_id"] for f in of_kind(layout, "road")}
    assets = [f["properties"] for f in of_kind(layout, "asset")]
    skids = {a["block_id"] for a in assets if a["asset_type"] == "inverter_skid"}
    for a in assets:
        assert a["service_road_id"] in roads
        if a["asset_type"] == "solar_array":
            assert a["block_id"] in skids


def test_the_request_is_in_the_file(layout, plan):
    head = layout["pacifico"]
    assert (head["profile"], head["strategy"]) == (plan.profile, "balanced")
    assert head["crs"] == "EPSG:32615"
    assert head["dem"] == {
        "source": "memory",
        "sha256": "",
        "resolution_m": 10.0,
        "source_resolution_m": 10.0,
        "units": "metres",
        "nodata_share": 0.0,
    }
    exclusions = [f["properties"] for f in of_kind(layout, "exclusion")]
    assert [(e["name"], e["zone_type"], e["buffer_m"], e["cost_multiplier"]) for e in exclusions] == [
        ("pond", "hard", 0.0, 1.0), ("wood", "cost", 0.0, 4.0), ("well", "buffered", 12.0, 1.0),
    ]  # fmt: skip


def test_a_crs_without_a_code_has_its_name(plan):
    from pyproj import CRS

    own = CRS.from_proj4("+proj=tmerc +lat_0=41.5 +lon_0=-93 +k=1 +x_0=500000 +y_0=4600000 +datum=WGS84 +units=m")
    named = replace(plan, site=replace(plan.site, crs=own)).to_geojson()["pacifico"]["crs"]
    assert named == own.name


def test_writing_is_atomic_and_reproducible(plan, tmp_path):
    out = plan.write(tmp_path / "layout.geojson")
    first = out.read_bytes()
    assert plan.write(out).read_bytes() == first
    assert first.endswith(b"]}\n")
    assert b"\r" not in first
    assert list(tmp_path.iterdir()) == [out]
    assert json.loads(first) == json.loads(json.dumps(plan.to_geojson()))


def test_tables_hold_the_same_rows(plan, layout):
    for frame, kind in ((plan.assets, "asset"), (plan.pads, "pad"), (plan.roads, "road")):
        assert len(frame) == len(of_kind(layout, kind))
        assert frame.crs == plan.crs
    assert plan.assets["capacity_kw"].sum() == pytest.approx(plan.metrics["total_capacity_kw"], abs=1e-2)
