"""Plans in a turned frame and back on the map."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from shapely import box

from pacifico.layout.files.geojson import text
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Asset, Item, Pad
from pacifico.layout.model.earthwork import PadPlane
from pacifico.layout.model.edits import Edit
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.layout.orientation.plans import PlanTurner, turned_asset, turned_edit, turned_pad

FRAME = TurnedFrame(30.0, (500_000.0, 4_600_000.0))


@pytest.fixture(scope="module")
def plan(make):
    dem = make.dem(make.ground(make.level, 500, 400))
    return generate_layout(make.site(500, 400), dem, target_capacity_kw=3000)


def turner(plan):
    return PlanTurner(FRAME, plan.spec, plan.spec, plan.dem, plan.dem)


@pytest.mark.parametrize("rotation", [0.0, 90.0, 25.0])
def test_an_asset_turns_about_the_origin(rotation):
    item = Item("battery", (500_100.0, 4_600_200.0, 500_130.0, 4_600_220.0), 4.0, rotation_deg=rotation)
    before = Asset("battery-0001", item, box(*item.rect), 1.0, 100.0, 50.0, 0.9, "", "R1")
    turned = turned_asset(before, FRAME)
    assert turned.item.centre == pytest.approx(FRAME.point(*item.centre))
    assert turned.item.rotation_deg == rotation + 30.0
    assert turned.aspect_deg == 70.0
    sizes = [before.properties()[name] for name in ("length_m", "width_m")]
    assert [turned.properties()[name] for name in ("length_m", "width_m")] == sizes
    assert turned.footprint.area == pytest.approx(600.0)
    assert FRAME.inverse.geometry(turned.footprint).centroid.distance(before.footprint.centroid) < 1e-6


def test_level_ground_keeps_having_no_aspect():
    item = Item("battery", (500_100.0, 4_600_200.0, 500_130.0, 4_600_220.0), 4.0)
    turned = turned_asset(Asset("battery-0001", item, box(*item.rect), 0.0, np.nan, 50.0, 1.0, "", "R1"), FRAME)
    assert np.isnan(turned.aspect_deg)


def test_a_pad_keeps_its_heights():
    pad = Pad(
        "P0001", ("battery-0001",), PadPlane(box(500_100, 4_600_200, 500_140, 4_600_230), 50.0, 0.01, -0.015, 5, 6)
    )
    turned = turned_pad(pad, FRAME)
    corners = shapely.get_coordinates(pad.plane.polygon)
    moved = FRAME.turned(corners)
    assert turned.plane.height_at(*moved.T) == pytest.approx(pad.plane.height_at(*corners.T), abs=1e-9)


def test_poses_of_an_edit_turn():
    edit = Edit("move", "battery-0001", before=(500_000.0, 4_600_000.0, 160.0), after=(500_000.0, 4_600_010.0, 0.0))
    turned = turned_edit(edit, FRAME)
    assert turned.before == (500_000.0, 4_600_000.0, 10.0)
    assert turned.after == pytest.approx((*FRAME.point(500_000.0, 4_600_010.0), 30.0))


def test_a_plan_comes_back_as_the_same_object(plan):
    turns = turner(plan)
    assert turns.on_map(turns.in_frame(plan)) is plan
    assert turns.in_frame(plan) is turns.in_frame(plan)


def test_records_that_stay_come_back_as_the_same_objects(plan):
    turns = turner(plan)
    here = turns.in_frame(plan)
    changed = replace(here, asset_list=here.asset_list[1:], road_list=here.road_list[:-1])
    back = turns.on_map(changed)
    assert all(a is b for a, b in zip(back.asset_list, plan.asset_list[1:], strict=True))
    assert all(a is b for a, b in zip(back.road_list, plan.road_list[:-1], strict=True))
    assert all(a is b for a, b in zip(back.pad_list, plan.pad_list, strict=True))
    assert back.site is plan.site


def test_another_turner_brings_back_the_same_layout(plan):
    here = turner(plan).in_frame(plan)
    there = replace(here)  # no turner knows it
    for name in ("asset_list", "pad_list", "road_list", "cable_list", "fence_list"):
        there = replace(there, **{name: tuple(replace(r) for r in getattr(there, name))})
    assert text(turner(plan).on_map(there).to_geojson()) == text(plan.to_geojson())
