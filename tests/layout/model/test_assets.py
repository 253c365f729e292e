"""Records of assets: outlines, moves, rotations, and properties of the file."""

import math

import pytest
from numpy.testing import assert_allclose
from shapely import box

from pacifico.layout.criteria.asset_types import PAD_APRON_M
from pacifico.layout.model.assets import (
    Asset,
    Item,
    Pad,
    Unplaced,
    asset_names,
    merge_unplaced,
    move_item,
    outline,
    pad_outline,
    rotate_item,
)
from pacifico.layout.model.earthwork import PadPlane

BATTERY = Item("battery", (0.0, 0.0, 30.0, 20.0), 4.0, storage_kw=5000.0)
ARRAY = Item("solar_array", (0.0, 0.0, 50.0, 20.0), 10.0, block=2)


def asset(item, **more):
    base = {"slope_deg": 1.23456, "aspect_deg": math.nan, "elevation_m": 100.0, "suitability": 0.5}
    given = base | {"block_id": "", "service_road_id": "R001"} | more
    return Asset("battery-0001", item, outline(item), **given)


def test_outline_of_an_upright_item_is_its_rectangle():
    assert outline(BATTERY).equals(box(0, 0, 30, 20))
    assert outline(rotate_item(BATTERY, 90.0)).equals(box(5, -5, 25, 25))


def test_outline_expands_with_square_corners():
    assert outline(BATTERY, 2.0).equals(box(-2, -2, 32, 22))


def test_outline_at_an_angle_keeps_its_sides_and_centre():
    turned = outline(rotate_item(BATTERY, 30.0))
    assert turned.area == pytest.approx(600.0)
    assert_allclose([turned.centroid.x, turned.centroid.y], [15.0, 10.0])


def test_arrays_have_no_pad_and_all_others_an_apron():
    assert pad_outline(ARRAY) is None
    assert pad_outline(BATTERY).equals(box(*BATTERY.pad_rect))
    assert BATTERY.pad_rect == (-PAD_APRON_M, -PAD_APRON_M, 30 + PAD_APRON_M, 20 + PAD_APRON_M)


def test_an_item_moves_with_its_size():
    moved = move_item(BATTERY, (115.0, 210.0))
    assert moved.rect == (100.0, 200.0, 130.0, 220.0)
    assert moved.centre == (115.0, 210.0)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 179.0])
def test_a_rotation_and_its_reverse_give_the_item_back(angle):
    back = rotate_item(rotate_item(BATTERY, angle), 0.0)
    assert_allclose(back.rect, BATTERY.rect)
    assert rotate_item(BATTERY, angle + 180.0).rotation_deg == pytest.approx(angle)


def test_length_runs_along_the_rotation():
    properties = asset(rotate_item(BATTERY, 90.0)).properties()
    assert (properties["length_m"], properties["width_m"], properties["rotation_deg"]) == (30.0, 20.0, 90.0)


def test_properties_are_rounded_and_level_ground_has_no_aspect():
    properties = asset(BATTERY).properties()
    assert properties["slope_deg"] == 1.235
    assert properties["aspect_deg"] is None
    assert properties["block_id"] is None
    assert properties["name"] == "battery 0001"
    assert asset(BATTERY, block_id="B001", aspect_deg=12.345).properties()["aspect_deg"] == 12.35


def test_properties_of_a_pad():
    plane = PadPlane(box(0, 0, 10, 10), 100.123456, 0.01, -0.02, 1.005, 2.0, 3.0, 4.0)
    properties = Pad("P0001", ("battery-0001",), plane).properties()
    assert list(properties) == [
        "pad_id", "asset_ids", "elevation_m", "grade_east", "grade_north", "cut_m3", "fill_m3", "batter_cut_m3",
        "batter_fill_m3",
    ]  # fmt: skip
    assert properties["asset_ids"] == ["battery-0001"]
    assert properties["elevation_m"] == 100.1235


def test_unplaced_assets_of_one_type_and_reason_are_merged():
    merged = merge_unplaced([Unplaced("battery", 2, "a"), Unplaced("battery", 1, "b"), Unplaced("battery", 3, "a")])
    assert merged == (Unplaced("battery", 5, "a"), Unplaced("battery", 1, "b"))


def test_names_count_each_asset_type():
    items = [Item(kind, (0.0, 0.0, 1.0, 1.0), 5.0) for kind in ("battery", "substation", "battery")]
    assert asset_names(items) == ["battery-0001", "substation-0001", "battery-0002"]
