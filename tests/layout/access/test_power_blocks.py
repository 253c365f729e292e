"""Power blocks: arrays need their skid, and a skid needs an array."""

from pacifico.layout.access.power_blocks import incomplete_blocks
from pacifico.layout.model.assets import Item
from pacifico.layout.model.unreached import Unreached, UnreachedCause

STEEP = Unreached(UnreachedCause.TOO_STEEP, "too steep")


def item(kind, block=-1):
    return Item(kind, (0.0, 0.0, 10.0, 10.0), 5.0, block=block)


ITEMS = [
    item("inverter_skid", 0),
    item("solar_array", 0),
    item("solar_array", 0),
    item("inverter_skid", 1),
    item("solar_array", 1),
    item("battery"),
]


def test_arrays_without_their_skid_are_useless():
    found = incomplete_blocks(ITEMS, {0: STEEP})
    assert set(found) == {1, 2}
    assert {u.message for u in found.values()} == {"its inverter skid is not reached: too steep"}
    assert {u.cause for u in found.values()} == {UnreachedCause.BLOCK_INCOMPLETE}


def test_a_skid_without_any_array_is_useless():
    assert incomplete_blocks(ITEMS, {1: STEEP}) == {}
    found = incomplete_blocks(ITEMS, {1: STEEP, 2: STEEP})
    assert {k: u.message for k, u in found.items()} == {0: "no array of its power block is reached"}


def test_items_outside_power_blocks_stand_alone():
    assert incomplete_blocks(ITEMS, {5: STEEP}) == {}
