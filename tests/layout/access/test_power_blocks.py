"""Power blocks: arrays need their skid, and a skid needs an array."""

from dataclasses import replace

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


def with_kw(*blocks):
    """Items of blocks, each a skid and two arrays of a capacity."""
    out = []
    for b, kw in enumerate(blocks):
        out += [item("inverter_skid", b), *(replace(item("solar_array", b), capacity_kw=kw) for _ in range(2))]
    return out


def test_too_small_a_rest_of_a_block_goes_with_its_skid():
    """Of 2 x 300 kW one array is reached: less than 420 kW, while another block is large enough."""
    found = incomplete_blocks(with_kw(300.0, 300.0), {1: STEEP}, 420.0)
    assert {k: u.message for k, u in found.items()} == dict.fromkeys(
        (0, 2), "what is reached of its power block is less than 420 kW"
    )


def test_a_small_block_stays_where_no_other_is_large_enough():
    assert incomplete_blocks(with_kw(300.0), {1: STEEP}, 420.0) == {}


def test_a_block_that_was_small_before_stays():
    assert incomplete_blocks(with_kw(300.0, 150.0), {1: STEEP, 0: STEEP}, 420.0).keys() == {2}


def test_items_outside_power_blocks_stand_alone():
    assert incomplete_blocks(ITEMS, {5: STEEP}) == {}
