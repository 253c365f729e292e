"""Arrays find another block when their skid is removed, or are removed too."""

import pytest

from pacifico.layout.editing.apply import without_assets


@pytest.fixture
def blocks(hybrid):
    """Skids of the plan and the arrays of each."""
    skids = [a for a in hybrid.asset_list if a.item.kind == "inverter_skid"]
    return {
        s: [a for a in hybrid.asset_list if a.item.kind == "solar_array" and a.item.block == s.item.block]
        for s in skids
    }


def test_nothing_else_goes_with_a_battery(gas):
    battery = next(a for a in gas.asset_list if a.item.kind == "battery")
    left, also = without_assets(gas.asset_list, [battery])
    assert also == ()
    assert len(left) == len(gas.asset_list) - 1


def test_a_skid_without_arrays_is_removed(hybrid, blocks):
    skid, arrays = next(iter(blocks.items()))
    left, also = without_assets(hybrid.asset_list, arrays)
    assert also == (skid,)
    assert skid not in left


def test_arrays_without_a_skid_join_a_block_with_room_or_are_removed(hybrid, blocks):
    skid, arrays = next(iter(blocks.items()))
    left, also = without_assets(hybrid.asset_list, [skid])
    by_id = {a.asset_id: a for a in left}
    kept = {a.item.block for a in left if a.item.kind == "inverter_skid"}
    for array in arrays:
        assert array in also or by_id[array.asset_id].item.block in kept
