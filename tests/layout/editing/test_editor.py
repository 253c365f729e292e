"""Edits of a plan: invariants over random sequences, inverses and refusals."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Point

from pacifico import crs as crs_
from pacifico.errors import EditRefused
from pacifico.layout.editing import editor as edits
from pacifico.layout.files.stored import StoredLayout
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Anchor, Zone

WIDE, HIGH = 900.0, 700.0  # size of the site [m]


def test_a_generated_plan_keeps_the_invariants(hybrid, gas, open_, dem, plan_tools):
    for plan in (hybrid, gas):
        plan_tools.check_invariants(plan, open_(plan).context, dem)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["move", "nudge", "rotate", "remove", "add", "zone", "free"]),
        st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1), st.booleans(),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def step(editor, make, what, n, u, v, flag):
    plan = editor.plan
    asset = plan.asset_list[n % len(plan.asset_list)]
    place = (make.west + u * WIDE, make.south + v * HIGH)
    x, y = asset.item.centre
    if what == "move":
        editor.move(asset.asset_id, to=place)
    elif what == "nudge":
        editor.move(asset.asset_id, to=(x + 60 * (u - 0.5), y + 60 * (v - 0.5)))
    elif what == "rotate":
        editor.rotate(asset.asset_id, to_deg=90 if flag else 180 * u)
    elif what == "remove":
        editor.remove(asset.asset_id, with_block=flag)
    elif what == "add":
        editor.add(asset.item.kind, at=place, rotation_deg=0 if flag else 180 * u)
    elif what == "zone":
        zone = Zone(Point(place).buffer(5 + 40 * u), f"zone {n}", "buffered", 4.0 if flag else 0.0)
        editor.add_zone(zone, assets="remove" if flag else "refuse", roads="recompute" if n % 2 else "refuse")
    elif what == "free":
        names = [z.name for z in plan.site.exclusions]
        editor.remove_zone(names[n % len(names)] if names else "none")


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, which=st.booleans())
def test_any_sequence_of_edits_keeps_the_invariants(plans, open_, make, dem, steps, which, plan_tools):
    editor, text = open_(plans["hybrid" if which else "gas_bess"]), []
    for one in steps:
        before = editor.plan
        try:
            step(editor, make, *one)
        except EditRefused as refusal:
            text.append(str(refusal))
        if text:
            refused = text.pop()
            assert editor.plan is before
            assert "\n" not in refused
            assert ";" in refused or "," in refused
    plan_tools.check_invariants(editor.plan, editor.context, dem)
    assert len(editor.plan.edits) <= len(steps)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n=st.integers(0, 10_000), u=st.floats(0, 1), v=st.floats(0, 1), near=st.booleans(), which=st.booleans())
def test_moving_there_and_back_restores_the_plan(plans, open_, make, n, u, v, near, which, plan_tools):
    plan = plans["hybrid" if which else "gas_bess"]
    editor = open_(plan)
    asset = plan.asset_list[n % len(plan.asset_list)]
    x, y = asset.item.centre
    to = (x + 40 * (u - 0.5), y + 40 * (v - 0.5)) if near else (make.west + u * WIDE, make.south + v * HIGH)
    try:
        editor.move(asset.asset_id, to=to)
    except EditRefused:
        return
    editor.move(asset.asset_id, to=(x, y))
    assert plan_tools.geometry(editor.plan) == plan_tools.geometry(plan)
    for name, value in plan.metrics.items():
        same = value if isinstance(value, dict) else pytest.approx(value, abs=0.11)
        assert editor.plan.metrics[name] == same, name


def test_rotating_there_and_back_restores_the_plan(gas, open_, plan_tools):
    editor = open_(gas)
    asset = plan_tools.first(gas, "substation")
    for angle in (90.0, 30.0, asset.item.rotation_deg):
        try:
            editor.rotate(asset.asset_id, to_deg=angle)
        except EditRefused:
            continue
    assert plan_tools.geometry(editor.plan) == plan_tools.geometry(gas)


def test_undo_and_redo_return_the_same_plans(gas, open_, plan_tools):
    editor = open_(gas)
    asset = plan_tools.first(gas, "battery")
    changed = editor.remove(asset.asset_id)
    assert editor.undo() is gas
    assert editor.redo() is changed
    with pytest.raises(EditRefused, match="no edit to make again"):
        editor.redo()
    editor.undo()
    with pytest.raises(EditRefused, match="no edit to take back"):
        editor.undo()


def test_edits_are_pure_and_repeatable(gas, open_, plan_tools):
    context = open_(gas).context
    asset = plan_tools.first(gas, "generator")
    before = plan_tools.geometry(gas)
    one, two = (edits.remove_asset(gas, asset.asset_id, context=context) for _ in range(2))
    assert plan_tools.geometry(gas) == before
    assert one.to_geojson() == two.to_geojson()


def test_places_in_degrees_and_in_metres_agree(gas, open_, make):
    at = (make.west + 820, make.south + 60)
    lonlat = crs_.transformer(make.crs, crs_.LONLAT).transform(*at)
    one = open_(gas).add("battery", at=at)
    two = open_(gas).add("battery", at_lonlat=lonlat)
    assert np.allclose(one.asset_list[-1].item.rect, two.asset_list[-1].item.rect, atol=1e-3)
    editor = open_(one)
    assert editor.asset_at(lonlat=lonlat).asset_id == one.asset_list[-1].asset_id
    assert editor.asset_at(place=(make.west - 50, make.south)) is None


REFUSED = [
    (lambda e, m, a: e.move(a, to=(m.west - 30, m.south + 300)), "outside the boundary with .* m²"),
    (lambda e, m, a: e.move(a, to=(m.west + 450, m.south + 14)), "m from the boundary, the setback is 10 m; move it"),
    (lambda e, m, a: e.move(a, to=(m.west + 405, m.south + 325)), "0.0 m from exclusion zone 'pond', which keeps 5 m"),
    (lambda e, m, a: e.move(a, to=(m.west + 820, m.south + 600)), "too steep: .*% of its footprint is over 4°, 4% may be"),
    (lambda e, m, a: e.move(a, to=(m.west + 40, m.south + 670)), "without elevation: .*% of its footprint"),
    (lambda e, m, a: e.move(a, to=(m.west + 450, m.south + 300), to_lonlat=(1, 2)), "give one place, to="),
    (lambda e, m, a: e.move(a, to_lonlat=(200, 2)), "200,2 is no longitude and latitude"),
    (lambda e, m, a: e.move("battery-9999", to=(0, 0)), "there is no asset 'battery-9999'; there are battery-0001"),
    (lambda e, m, a: e.rotate(a, to_deg=float("nan")), "the angle nan is no number"),
    (lambda e, m, a: e.add("reactor", at=(0, 0)), "asset type 'reactor' is unknown"),
    (lambda e, m, a: e.add("battery", at=(0, 0), units=2), "units = 2 is for solar arrays"),
    (lambda e, m, a: e.add("solar_array", at=(m.west + 820, m.south + 60)), "no inverter skid with that much to spare"),
    (lambda e, m, a: e.remove("substation-0001"), "the only substation, a plant needs one"),
    (lambda e, m, a: e.remove_zone("lake"), "0 zones are called 'lake', one is needed; the zones are: pond"),
    (lambda e, m, a: e.add_zone(Zone(m.at(0, 0, 5, 5), "pond")), "there is a zone 'pond' already"),
    (lambda e, m, a: e.add_zone(Zone(m.at(0, 0, WIDE, HIGH), "all")), "would cover"),
]  # fmt: skip


@pytest.mark.parametrize(("attempt", "text"), REFUSED)
def test_refusals_name_value_limit_and_remedy(gas, open_, make, attempt, text, plan_tools):
    editor = open_(gas)
    with pytest.raises(EditRefused, match=text) as caught:
        attempt(editor, make, plan_tools.first(gas, "battery").asset_id)
    assert "\n" not in str(caught.value)
    assert editor.plan is gas


def test_a_skid_is_removed_only_with_its_block(hybrid, open_, dem, plan_tools):
    editor = open_(hybrid)
    skid = plan_tools.first(hybrid, "inverter_skid")
    block = [a for a in hybrid.asset_list if a.item.block == skid.item.block and a is not skid]
    with pytest.raises(EditRefused, match=f"serves {len(block)} solar arrays of power block {skid.block_id}"):
        editor.remove(skid.asset_id)
    plan = editor.remove(skid.asset_id, with_block=True)
    assert set(plan.edits[-1].also) == {a.asset_id for a in block}
    plan_tools.check_invariants(plan, editor.context, dem)
    assert "of the 9,000 kW asked for stand after 1 edit" in plan.shortfall
    assert plan.shortfall in plan.warnings


def test_the_last_array_of_a_block_takes_its_skid(hybrid, open_, plan_tools):
    editor = open_(hybrid)
    block = plan_tools.first(hybrid, "inverter_skid").item.block
    arrays = [a.asset_id for a in hybrid.asset_list if a.item.block == block and a.item.kind == "solar_array"]
    for asset_id in arrays:
        plan = editor.remove(asset_id)
    assert plan.edits[-1].also == (plan_tools.first(hybrid, "inverter_skid").asset_id,)
    assert not [a for a in plan.asset_list if a.item.block == block]


def test_geojson_lists_edits_only_if_there_are_any(gas, open_, plan_tools):
    assert "edits" not in gas.to_geojson()["pacifico"]
    editor = open_(gas)
    battery = plan_tools.first(gas, "battery")
    editor.remove(battery.asset_id)
    plan = editor.add_zone(Zone(shapely.box(*battery.footprint.bounds), "stays free"))
    removed, zone = plan.to_geojson()["pacifico"]["edits"]
    lon, lat = crs_.transformer(plan.crs, crs_.LONLAT).transform(*battery.item.centre)
    assert removed["kind"] == "remove"
    assert removed["asset_id"] == battery.asset_id
    assert removed["from"]["lonlat"] == pytest.approx([lon, lat], abs=1e-8)
    assert removed["to"] is None
    assert (zone["kind"], zone["zone"], zone["asset_id"]) == ("add_zone", "stays free", None)


@pytest.fixture(scope="module")
def crossed(make):
    """Plan with a creek and an entry on the west, and one with two parcels and an entry each; with their DEM."""
    dem = make.dem(make.ground(make.level, 600, 400))
    creek = Zone(make.at(290, -50, 310, 450), "creek", "water")
    gates = [Anchor(Point(make.west + x, make.south + 200), f"gate {x}", is_entry=True) for x in (1, 599)]
    parts = shapely.MultiPolygon([make.at(0, 0, 280, 400), make.at(320, 0, 600, 400)])
    over = generate_layout(make.site(600, 400, exclusions=(creek,), anchors=gates[:1]), dem)
    apart = generate_layout(make.site(boundary=parts, anchors=tuple(gates)), dem)
    return {"over": over, "apart": apart}, dem


@pytest.mark.parametrize("which", ["over", "apart"])
def test_edits_keep_crossings_and_all_entries(which, crossed, make, plan_tools):
    plans, dem = crossed
    plan = plans[which]
    editor = edits.edit(plan, dem)
    plan_tools.check_invariants(plan, editor.context, dem)
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    east = max(arrays, key=lambda a: a.item.centre[0])
    editor.remove(east.asset_id)
    plan_tools.check_invariants(editor.plan, editor.context, dem)
    assert editor.plan.entries == plan.entries
    assert {c.over for c in editor.plan.crossing_list} == {c.over for c in plan.crossing_list}
    editor.undo()
    assert editor.plan.road_list == plan.road_list
    assert [c.properties() for c in editor.plan.crossing_list] == [c.properties() for c in plan.crossing_list]


def test_all_roads_are_made_again_across_a_creek(crossed, make, plan_tools):
    plans, dem = crossed
    editor = edits.edit(plans["over"], dem)
    road = max(editor.plan.road_list, key=lambda r: r.length_m)
    spot = road.line.interpolate(0.5, normalized=True)
    editor.add_zone(Zone(spot.buffer(4), "well", "hard"), assets="remove", roads="recompute")
    plan_tools.check_invariants(editor.plan, editor.context, dem)
    assert {a.item.centre[0] > make.west + 300 for a in editor.plan.asset_list} == {True, False}


def test_the_content_of_an_edited_plan_passes_the_checks_of_stored_layouts(hybrid, open_):
    editor = open_(hybrid)
    array = next(a for a in hybrid.asset_list if a.item.kind == "solar_array")
    editor.remove(array.asset_id)
    (edit,) = StoredLayout.of(editor.plan.to_geojson()).about["edits"]
    assert (edit["kind"], len(edit["from"]["lonlat"])) == ("remove", 2)
