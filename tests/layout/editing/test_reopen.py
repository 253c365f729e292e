"""A stored layout read back: equal to the plan that was written, and ready for edits, prices and exports."""

import json

import numpy as np
import pytest

import pacifico
from pacifico.errors import CRSMismatchError, EditRefused, InputError
from pacifico.export import export
from pacifico.layout.editing.reopen import plan_of, read_plan, site_of
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Anchor, Zone

SPEC = {"site": {"setbacks": [{"edges": ["north"], "setback_m": 30.0}]}, "road": {"width_m": 7.0}}


@pytest.fixture(scope="module")
def gentle(make):
    zones = (Zone(make.at(250, 200, 300, 260), name="pond", zone_type="buffered", buffer_m=5.0),)
    site = make.site(500, 400, exclusions=zones)
    dem = make.dem(make.ground(lambda x, y: 100 + 0.01 * x + 1.5 * np.sin(y / 60), 500, 400))
    return site, dem


@pytest.fixture(scope="module")
def plans(gentle):
    site, dem = gentle
    return {
        "hybrid": generate_layout(site, dem, profile="hybrid", target_capacity_kw=6_000),
        "gas_bess": generate_layout(
            site, dem, profile="gas_bess", target_capacity_kw=10_000, spec=SPEC, setback_m=15.0
        ),
    }


@pytest.fixture(params=["hybrid", "gas_bess"])
def both(request, plans, gentle, tmp_path):
    """Plan, the same read back from its file, the file and the DEM."""
    plan = plans[request.param]
    path = plan.write(tmp_path / "layout.geojson")
    return plan, read_plan(path, dem=gentle[1]), path, gentle[1]


def test_a_plan_comes_back_equal_and_is_written_in_the_same_bytes(both, tmp_path):
    plan, again, path, _ = both
    assert again == plan
    assert hash(again) == hash(plan)
    assert again.write(tmp_path / "again.geojson").read_bytes() == path.read_bytes()
    assert again.spec == plan.spec
    assert (again.shortfall, again.cable_warnings) == (plan.shortfall, plan.cable_warnings)
    assert [c.load_mva for c in again.cable_list] == pytest.approx([c.load_mva for c in plan.cable_list])


def test_it_costs_the_same(both):
    plan, again, *_ = both
    assert again.bill_of_quantities().total == pytest.approx(plan.bill_of_quantities().total, rel=1e-4)


def test_it_is_edited_as_the_plan_itself(both):
    plan, again, _, dem = both
    last = next(a.asset_id for a in reversed(plan.asset_list) if a.item.kind in ("solar_array", "generator"))
    one, other = pacifico.edit(plan, dem).remove(last), pacifico.edit(again, dem).remove(last)
    assert [a.asset_id for a in one.asset_list] == [a.asset_id for a in other.asset_list]
    for name, value in one.metrics.items():
        if isinstance(value, float):
            assert other.metrics[name] == pytest.approx(value, rel=1e-3, abs=1.0), name


def test_an_asset_may_stay_where_it_stands(both):
    _, again, _, dem = both
    editor = pacifico.edit(again, dem)
    for asset in again.asset_list[:8]:
        assert len(editor.move(asset.asset_id, to=asset.item.centre).asset_list) == len(again.asset_list)


def test_edits_are_kept_over_a_file(both, tmp_path):
    _, again, _, dem = both
    last = next(a.asset_id for a in reversed(again.asset_list) if a.item.kind in ("solar_array", "generator"))
    edited = pacifico.edit(again, dem).remove(last)
    reread = read_plan(edited.write(tmp_path / "edited.geojson"), dem=dem)
    assert reread == edited
    with pytest.raises(EditRefused, match="there is no asset"):
        pacifico.edit(reread, dem).remove(last)
    kind = last.rpartition("-")[0]
    added = pacifico.edit(reread, dem)
    largest = max((a for a in reread.asset_list if a.item.kind == kind), key=lambda a: a.footprint.area)
    added.remove(largest.asset_id)
    new = added.add(kind, at=largest.item.centre, units=1 if kind == "solar_array" else None)
    assert last not in {a.asset_id for a in new.asset_list}


def test_it_is_exported(both, tmp_path):
    _, again, *_ = both
    assert export(again.to_geojson(), "kmz", tmp_path / "layout.kmz")


def test_another_dem_is_refused_in_one_line(both, make, gentle):
    _, _, path, dem = both
    other = dem.assign_attrs(sha256="0" * 64)
    with pytest.raises(InputError, match="made on another DEM"):
        read_plan(path, dem=other)
    import rioxarray  # noqa: F401 (the accessor)

    moved = dem.rio.write_crs("EPSG:32616")
    with pytest.raises(CRSMismatchError, match="give the DEM that the plan was made on"):
        read_plan(path, dem=moved)


@pytest.mark.parametrize(
    ("member", "value"),
    [("spec", {"solar": 3}), ("spec", {"solar": {"no_such": 1}}), ("edits", [{"kind": "move"}]), ("edits", "none")],
)
def test_a_faulty_member_is_refused_in_one_line(both, tmp_path, member, value):
    _, _, path, dem = both
    content = json.loads(path.read_text(encoding="utf-8"))
    content["pacifico"][member] = value
    faulty = tmp_path / "faulty.geojson"
    faulty.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError) as said:
        read_plan(faulty, dem=dem)
    assert "\n" not in str(said.value)


def test_the_site_of_a_layout_has_its_zones(both):
    plan, _, path, dem = both
    stored = StoredLayout.read(path)
    site = site_of(stored)
    assert site.area_ha == pytest.approx(plan.site.area_ha, rel=1e-6)
    assert [(z.name, z.zone_type, z.buffer_m) for z in site.exclusions] == [("pond", "buffered", 5.0)]
    assert plan_of(stored, dem) == plan


def test_zones_keep_whether_they_may_be_crossed_or_driven_on(make, tmp_path):
    zones = (
        Zone(make.at(250, 200, 300, 260), name="creek", zone_type="water", crossable=False),
        Zone(make.at(50, 200, 90, 260), name="lane", zone_type="road", drivable=True),
        Zone(make.at(100, 20, 140, 60), name="pond", zone_type="water"),
    )
    site = make.site(500, 400, exclusions=zones)
    dem = make.dem(make.ground(lambda x, y: 100 + 0 * x, 500, 400))
    path = generate_layout(site, dem, target_capacity_kw=2_000).write(tmp_path / "layout.geojson")
    again = site_of(StoredLayout.read(path)).exclusions
    assert [(z.crossable, z.drivable) for z in again] == [(False, False), (None, True), (None, False)]
    content = json.loads(path.read_text())
    next(f for f in content["features"] if f["properties"].get("name") == "creek")["properties"]["crossable"] = "no"
    with pytest.raises(InputError, match="crossable 'no', not true or false"):
        StoredLayout.of(content)


def test_crossings_and_entries_are_read_back(make, tmp_path):
    creek = Zone(make.at(-50, 190, 550, 210), "creek", "water")
    gates = (make.at(0, 90, 2, 92), make.at(498, 90, 500, 92))
    anchors = tuple(Anchor(g.centroid, n, is_entry=True) for g, n in zip(gates, ("west", "east"), strict=True))
    site = make.site(500, 400, exclusions=(creek,), anchors=anchors)
    dem = make.dem(make.ground(make.level, 500, 400))
    plan = generate_layout(site, dem)
    again = read_plan(plan.write(tmp_path / "layout.geojson"), dem=dem)
    assert len(again.entries) == 2
    assert {c.over for c in again.crossing_list} == {"creek"}
    assert again == plan
    assert again.bill_of_quantities().total == pytest.approx(plan.bill_of_quantities().total, rel=1e-6)
