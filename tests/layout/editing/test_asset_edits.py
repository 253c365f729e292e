"""Edits of single assets as functions: a new plan, or a refusal that changes nothing."""

from dataclasses import replace

import pytest

from pacifico.errors import EditRefused
from pacifico.layout.editing.asset_edits import (
    add_asset,
    asset_of,
    move_asset,
    remove_arrays,
    remove_asset,
    rotate_asset,
)
from pacifico.layout.generate import generate_layout


@pytest.fixture(scope="module")
def solar(site, dem):
    return generate_layout(site, dem, target_capacity_kw=6_000)


def test_an_asset_is_found_by_its_identifier(gas, plan_tools):
    battery = plan_tools.first(gas, "battery")
    assert asset_of(gas, battery.asset_id) is battery
    with pytest.raises(EditRefused, match="nothing-0001"):
        asset_of(gas, "nothing-0001")


def test_functions_return_new_plans_and_leave_the_old_one(gas, open_, plan_tools):
    context, battery = open_(gas).context, plan_tools.first(gas, "battery")
    x, y = battery.item.centre
    without = remove_asset(gas, battery.asset_id, context=context)
    assert len(without.asset_list) == len(gas.asset_list) - 1
    again = add_asset(without, "battery", context=context, at=(x, y), rotation_deg=battery.item.rotation_deg)
    assert any(a.item.centre == pytest.approx((x, y)) for a in again.asset_list)
    assert asset_of(gas, battery.asset_id) is battery


def test_an_edit_that_breaks_a_limit_is_refused(gas, open_, plan_tools):
    context, battery = open_(gas).context, plan_tools.first(gas, "battery")
    with pytest.raises(EditRefused):
        move_asset(gas, battery.asset_id, context=context, to=(0.0, 0.0))
    turned = rotate_asset(gas, battery.asset_id, context=context, to_deg=battery.item.rotation_deg)
    assert asset_of(turned, battery.asset_id).item.centre == pytest.approx(battery.item.centre)


def test_arrays_go_together_with_the_skids_of_their_blocks(solar, open_):
    block = next(a.item.block for a in solar.asset_list if a.item.kind == "inverter_skid")
    names = {a.asset_id for a in solar.asset_list if a.item.kind == "solar_array" and a.item.block == block}
    left = remove_arrays(solar, names, context=open_(solar).context)
    gone = {a.asset_id for a in solar.asset_list} - {a.asset_id for a in left.asset_list}
    skids = {a.asset_id for a in solar.asset_list if a.item.kind == "inverter_skid" and a.item.block == block}
    assert gone == names | skids
    assert left.metrics["road_length_m"] <= solar.metrics["road_length_m"]


def test_a_plan_keeps_an_asset(solar, open_):
    arrays = {a.asset_id for a in solar.asset_list if a.item.kind == "solar_array"}
    bare = replace(solar, asset_list=tuple(a for a in solar.asset_list if a.asset_id in arrays))
    with pytest.raises(EditRefused, match="is all that stands"):
        remove_arrays(bare, arrays, context=open_(solar).context)
