"""Edits are made again where their asset is, and refused with a reason where they can't be."""

from __future__ import annotations

import math

import pytest
from shapely import Point

from pacifico.crs import LONLAT, transformer
from pacifico.explorer.engine.replay import Replay, find_asset
from pacifico.explorer.state.document import EditStep
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def plan(terrain):
    return generate_layout(terrain.site, terrain.dem, target_capacity_kw=4000.0)


@pytest.fixture(scope="module")
def other(terrain):
    return generate_layout(terrain.site, terrain.dem, target_capacity_kw=4000.0, setback_m=25.0)


def lonlat(plan, place):
    return transformer(plan.crs, LONLAT).transform(*place)


def last_array(plan):
    return [a for a in plan.asset_list if a.item.kind == "solar_array"][-1]


def removal(plan, asset):
    return EditStep("remove", asset.item.kind, lonlat(plan, asset.item.centre), asset.asset_id)


def test_without_edits_the_plan_is_itself(plan, terrain):
    found = Replay(plan, terrain.dem).run(())
    assert found.plan is plan
    assert found.refused == ()


def test_one_more_edit_applies_one_step(plan, terrain):
    replay = Replay(plan, terrain.dem)
    array = last_array(plan)
    first = removal(plan, array)
    one = replay.run((first,))
    substation = next(a for a in plan.asset_list if a.item.kind == "substation")
    two = replay.run((first, removal(plan, substation)))
    assert two.plan is one.plan  # refused, and the first edit was not made again
    assert [(r.position, r.words) for r in two.refused] == [(1, f"remove {substation.asset_id}")]
    assert "only substation" in two.refused[0].reason
    assert replay.run(()).plan is plan
    assert replay.run((first,)).plan is one.plan


def test_a_removal_holds_on_another_layout(plan, other, terrain):
    array = last_array(plan)
    step = removal(plan, array)
    found = Replay(other, terrain.dem).run((step,))
    assert found.refused == ()
    place = array.item.centre
    assert not [
        a for a in found.plan.asset_list if a.item.kind == "solar_array" and a.footprint.contains_properly(Point(place))
    ]


def test_a_removed_asset_that_is_not_there_changes_nothing(plan, terrain):
    x, y = plan.site.boundary.bounds[:2]
    step = EditStep("remove", "battery", lonlat(plan, (x + 5, y + 5)), "battery-0001")
    found = Replay(plan, terrain.dem).run((step,))
    assert found.plan is plan
    assert found.refused == ()


def test_a_move_without_its_asset_is_refused(plan, terrain):
    step = EditStep(
        "move", "wind_turbine", lonlat(plan, plan.asset_list[0].item.centre), "wind_turbine-0001", to=(0.0, 0.0)
    )
    (refusal,) = Replay(plan, terrain.dem).run((step,)).refused
    assert "no wind turbine stands within 60 m" in refusal.reason


def test_the_asset_of_the_same_name_counts_only_at_its_place(plan):
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    first, last = arrays[0], arrays[-1]
    at = lonlat(plan, first.item.centre)
    assert find_asset(plan, EditStep("rotate", "solar_array", at, first.asset_id, to_deg=1.0)) is first
    assert find_asset(plan, EditStep("rotate", "solar_array", at, last.asset_id, to_deg=1.0)) is first
    x, y = first.item.centre
    near = lonlat(plan, (x - 1.0, y))
    found = find_asset(plan, EditStep("rotate", "solar_array", near, "", to_deg=1.0))
    assert math.dist(found.item.centre, (x - 1.0, y)) < 60
