"""Arrays without the units that roads removed."""

import pytest
from shapely import Point

from pacifico.layout.access.shortening import remove_units, removed_rect, shorten_items
from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.model.roads import Network

UNIT = solar_unit(make_spec())
PITCH = UNIT.pitch_x_m


def array(units, *, west=0.0, block=0):
    rect = (west, 0.0, west + units * PITCH - UNIT.gap_x_m, UNIT.height_m)
    return Item("solar_array", rect, 10.0, capacity_kw=round(units * UNIT.ac_kw, 3), block=block)


def skid(block=0):
    return Item("inverter_skid", (0.0, -20.0, 6.0, -10.0), 5.0, block=block)


def test_units_are_removed_at_both_ends():
    shorter = remove_units(array(5), UNIT, 1, 2)
    assert shorter.rect == pytest.approx((PITCH, 0.0, 3 * PITCH - UNIT.gap_x_m, UNIT.height_m))
    assert shorter.capacity_kw == pytest.approx(2 * UNIT.ac_kw, abs=1e-3)


@pytest.mark.parametrize(("removed", "x"), [((1, 0), (0.0, PITCH)), ((0, 1), (3 * PITCH, 4 * PITCH))])
def test_freed_rectangle_is_at_the_end_that_loses_units(removed, x):
    west, south, east, north = removed_rect(array(4), removed, [UNIT])
    assert (west, east) == pytest.approx(x, abs=UNIT.gap_x_m)
    assert (south, north) == (0.0, UNIT.height_m)


def test_freed_rectangle_is_the_pad_when_both_ends_lose_units():
    item = array(4)
    assert removed_rect(item, (1, 1), [UNIT]) == item.pad_rect
    assert removed_rect(skid(), (0, 1), [UNIT]) == skid().pad_rect


def test_items_are_renumbered_after_the_removal():
    items = [skid(), array(6), array(5), Item("battery", (0, 0, 9, 9), 5.0)]
    served = {0: "R001", 1: "R002", 3: "R003"}
    network = Network((), Point(0, 0), served, removed_units={1: (1, 0), 2: (0, 2)})
    left, renumbered = shorten_items(items, network, [UNIT])
    assert left == [items[0], remove_units(items[1], UNIT, 1, 0), items[3]]
    assert renumbered.served == {0: "R001", 1: "R002", 2: "R003"}
    assert renumbered.removed_units == {}


def test_a_skid_goes_with_its_last_array():
    items = [skid(0), array(5, block=0), skid(1), array(5, block=1)]
    network = Network((), Point(0, 0), dict.fromkeys(range(4), "R001"), removed_units={1: (2, 0)})
    left, renumbered = shorten_items(items, network, [UNIT])
    assert left == items[2:]
    assert renumbered.served == {0: "R001", 1: "R001"}
