"""Battery blocks: whole blocks up to the storage power, or as many as fit."""

import math

import pytest

from pacifico.layout.placement.batteries import place_batteries
from pacifico.layout.placement.draft import Draft
from pacifico.layout.placement.equipment import slope_and_distance


def placed(make, storage_kw, size=300.0):
    context, draft = make.context(make.site(size, size), make.ground(make.level, size, size), setback_m=10.0), Draft()
    place_batteries(context, draft, storage_kw, slope_and_distance(context.field, (make.west, make.south), 0.0))
    return draft


@pytest.mark.parametrize(("storage_kw", "blocks"), [(0.0, 0), (5000.0, 1), (20_100.0, 4), (25_000.0, 5)])
def test_whole_blocks_up_to_the_power(make, storage_kw, blocks):
    draft = placed(make, storage_kw)
    assert [i.kind for i in draft.items] == ["battery"] * blocks
    assert {i.storage_kw for i in draft.items} <= {5000.0}
    assert draft.unplaced == []


@pytest.mark.parametrize(("storage_kw", "power"), [(1250.0, [1250.0]), (3000.0, [2500.0]), (8_800.0, [5000.0, 3750.0])])
def test_the_last_block_holds_the_containers_that_remain(make, storage_kw, power):
    draft = placed(make, storage_kw)
    assert [i.storage_kw for i in draft.items] == power
    last = draft.items[-1]
    assert last.storage_kwh == 4 * last.storage_kw
    assert last.rect[2] - last.rect[0] == pytest.approx(30.0 * last.storage_kw / 5000.0)
    assert draft.unplaced == []


def test_less_than_a_container_is_recorded(make):
    draft = placed(make, 1000.0)
    assert draft.items == []
    assert "1,250 kW" in draft.unplaced[0].reason


def test_blocks_without_a_place_are_counted(make):
    draft = placed(make, 1_000_000.0)
    (unplaced,) = draft.unplaced
    assert len(draft.items) + unplaced.count == 200


def test_unlimited_storage_leaves_nothing_unplaced(make):
    draft = placed(make, math.inf)
    assert len(draft.items) == len(placed(make, 1_000_000.0).items) > 0
    assert draft.unplaced == []
