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


@pytest.mark.parametrize(("storage_kw", "blocks"), [(0.0, 0), (5000.0, 1), (24_999.0, 4), (25_000.0, 5)])
def test_whole_blocks_up_to_the_power(make, storage_kw, blocks):
    draft = placed(make, storage_kw)
    assert [i.kind for i in draft.items] == ["battery"] * blocks
    assert draft.unplaced == []


def test_less_than_a_block_is_recorded(make):
    draft = placed(make, 3000.0)
    assert draft.items == []
    assert "5,000 kW" in draft.unplaced[0].reason


def test_blocks_without_a_place_are_counted(make):
    draft = placed(make, 1_000_000.0)
    (unplaced,) = draft.unplaced
    assert len(draft.items) + unplaced.count == 200


def test_unlimited_storage_leaves_nothing_unplaced(make):
    draft = placed(make, math.inf)
    assert len(draft.items) == len(placed(make, 1_000_000.0).items) > 0
    assert draft.unplaced == []
