"""Edits of layouts whose rows run along an azimuth."""

import math

import pytest
import shapely

import pacifico
from pacifico.errors import EditRefused
from pacifico.layout.editing.context import EditContext
from pacifico.layout.editing.editor import add_asset
from pacifico.layout.editing.reopen import read_plan
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Zone

AZIMUTH = 20.0
SPEC = {"solar": {"row_azimuth_deg": AZIMUTH}}


@pytest.fixture(scope="module")
def plan(site, dem):
    return generate_layout(site, dem, profile="hybrid", target_capacity_kw=6000, spec=SPEC)


@pytest.fixture
def editor(plan, dem):
    return pacifico.edit(plan, dem)


def check(editor, plan_tools):
    """Check all invariants of the edited plan in its own frame, and that the map shows the same plan."""
    here = editor.context.in_frame(editor.plan)
    plan_tools.check_invariants(here, editor.context, editor.context.dem)
    assert editor.context.on_map(here) is editor.plan
    assert {a.item.rotation_deg for a in here.asset_list} <= {0.0, 90.0}


def unchanged(before, after, kind):
    known = {id(record) for record in getattr(before, kind)}
    return sum(id(record) in known for record in getattr(after, kind))


def shift(asset, along_m, across_m):
    """Place along and across the rows of an asset."""
    angle, (x, y) = math.radians(AZIMUTH), asset.item.centre
    return (
        x + along_m * math.sin(angle) + across_m * math.cos(angle),
        y + along_m * math.cos(angle) - across_m * math.sin(angle),
    )


def test_an_array_moves_along_its_rows_and_the_rest_stays(editor, plan, plan_tools):
    array = plan_tools.first(plan, "solar_array", -1)
    moved = editor.move(array.asset_id, to=shift(array, 1.0, 0.0))
    after = next(a for a in moved.asset_list if a.asset_id == array.asset_id)
    assert after.item.centre == pytest.approx(shift(array, 1.0, 0.0), abs=1e-6)
    assert after.item.rotation_deg == array.item.rotation_deg == 160.0
    assert unchanged(plan, moved, "asset_list") == len(plan.asset_list) - 1
    assert unchanged(plan, moved, "road_list") >= len(plan.road_list) - 2
    assert moved.edits[-1].after == pytest.approx((*shift(array, 1.0, 0.0), 160.0))
    check(editor, plan_tools)


def test_places_in_degrees_are_places_on_the_map(editor, plan, plan_tools):
    from pacifico.crs import LONLAT, transformer

    array = plan_tools.first(plan, "solar_array", -1)
    lonlat = transformer(plan.crs, LONLAT).transform(*shift(array, 1.0, 0.0))
    moved = editor.move(array.asset_id, to_lonlat=lonlat)
    after = next(a for a in moved.asset_list if a.asset_id == array.asset_id)
    assert after.item.centre == pytest.approx(shift(array, 1.0, 0.0), abs=0.01)


def test_a_new_array_stands_with_the_others(editor, plan, dem, plan_tools):
    array = plan_tools.first(plan, "solar_array", -1)
    editor.remove(array.asset_id)
    added = editor.add("solar_array", at=array.item.centre, units=4)
    assert added.asset_list[-1].item.rotation_deg == 160.0
    check(editor, plan_tools)
    by_function = add_asset(
        editor.undo(),
        "solar_array",
        context=EditContext.of(plan, dem),
        at=array.item.centre,
        units=4,
        rotation_deg=-20.0,
    )
    assert by_function == added


def test_an_asset_turns_to_an_angle_of_the_map(editor, plan, plan_tools):
    array = plan_tools.first(plan, "solar_array", -1)
    editor.remove(array.asset_id)
    added = editor.add("solar_array", at=array.item.centre, units=4, rotation_deg=161.0)
    name = added.asset_list[-1].asset_id
    rotated = editor.rotate(name, to_deg=159.0)
    assert rotated.asset_list[-1].item.rotation_deg == 159.0
    assert editor.context.in_frame(rotated).asset_list[-1].item.rotation_deg == 179.0


def test_a_removed_array_leaves_the_rest(editor, plan, plan_tools):
    array = plan_tools.first(plan, "solar_array")
    removed = editor.remove(array.asset_id)
    assert len(removed.asset_list) == len(plan.asset_list) - 1
    assert removed.site is plan.site
    check(editor, plan_tools)


def test_a_zone_moves_to_the_east_of_the_map(editor, make, plan_tools):
    zone = Zone(make.at(820, 20, 840, 40), "drawn")
    editor.add_zone(zone, assets="remove")
    assert editor.plan.site.exclusions[-1].geometry.equals(zone.geometry)
    moved = editor.move_zone("drawn", by=(10.0, 0.0), assets="remove")
    distance = moved.site.exclusions[-1].geometry.symmetric_difference(make.at(830, 20, 850, 40)).area
    assert distance < 1e-3
    check(editor, plan_tools)
    editor.remove_zone("drawn")
    assert [z.name for z in editor.plan.site.exclusions] == ["pond"]
    check(editor, plan_tools)


def test_roads_lead_round_a_zone(editor, plan, plan_tools):
    zone = plan_tools.zone_on_road(plan, 0.5, 3.0)
    edited = editor.add_zone(zone, assets="remove", roads="recompute")
    assert plan_tools.clear_of(edited, zone)
    check(editor, plan_tools)


def test_all_roads_can_be_made_again(editor, plan_tools):
    editor.recompute_roads()
    check(editor, plan_tools)


def test_an_edited_layout_is_read_back(editor, plan, dem, tmp_path, plan_tools):
    array = plan_tools.first(plan, "solar_array", -1)
    moved = editor.move(array.asset_id, to=shift(array, 1.0, 0.0))
    again = read_plan(moved.write(tmp_path / "layout.geojson"), dem=dem)
    assert again == moved
    back = pacifico.edit(again, dem).remove(array.asset_id)
    assert len(back.asset_list) == len(plan.asset_list) - 1
    assert shapely.union_all([a.footprint for a in back.asset_list]).is_valid


def test_graded_slopes_are_named_with_their_directions_on_the_map(editor, make, plan, plan_tools):
    array = plan_tools.first(plan, "solar_array", -1)
    with pytest.raises(EditRefused, match=r"graded for its rows: .* % towards 20° and .* % towards 110°"):
        editor.move(array.asset_id, to=(make.west + 800, make.south + 600))
