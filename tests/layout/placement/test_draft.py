"""Drafts and their items: blocked rectangles, units of arrays, capacities."""

import numpy as np
import pytest
from fixtures.placement import BATTERY, SPEC, item_at
from numpy.testing import assert_allclose

from pacifico.layout.criteria.asset_types import solar_unit, substation_type
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.draft import (
    Draft,
    below_one_unit,
    capacity_of,
    has_plant,
    item_of,
    of_units,
    rects_of,
    unit_of,
    units_of,
)

UNIT, POCKET = solar_unit(SPEC), solar_unit(SPEC, pocket=True)


def array_of(n, unit=UNIT):
    rect = (0.0, 0.0, n * unit.pitch_x_m - unit.gap_x_m, unit.height_m)
    return of_units(Item("solar_array", rect, 10.0), rect, n, unit)


def test_an_item_has_the_ratings_of_its_type():
    item = item_of(BATTERY, np.array([0.0, 0, 30, 20]))
    assert item.pad_rect == (-1, -1, 31, 21)
    assert (item.storage_kw, item.storage_kwh, item.capacity_kw) == (5000, 20000, 0)


def test_items_block_their_clearance_or_the_other_if_larger():
    draft = Draft([item_of(BATTERY, np.array([0.0, 0, 30, 20]))])
    assert_allclose(draft.blocked(1.0), [[-3.05, -3.05, 33.05, 23.05]])
    assert_allclose(draft.blocked(10.0), [[-10, -10, 40, 30]])


def test_excluded_rectangles_are_blocked_as_they_are():
    draft = Draft(excluded=np.array([[0.0, 0, 5, 5]]))
    assert draft.blocked(10.0).tolist() == [[0, 0, 5, 5]]


def test_blocked_follows_items_added_and_replaced():
    first, second = item_at(BATTERY, 0, 0), item_at(BATTERY, 100, 0)
    draft = Draft([first])
    assert len(draft.blocked(0.0)) == 1
    draft.items.append(second)
    assert len(draft.blocked(0.0)) == 2
    draft.items = [second]
    assert_allclose(draft.blocked(0.0)[0, 0], second.rect[0] - 3.05)


def test_a_copy_grows_independently():
    draft = Draft([item_at(BATTERY, 0, 0)])
    copy = draft.copy()
    copy.items.append(item_at(BATTERY, 100, 0))
    assert (len(draft.items), len(copy.items)) == (1, 2)


@pytest.mark.parametrize("n", [1, 3, 4])
@pytest.mark.parametrize("unit", [UNIT, POCKET])
def test_arrays_know_their_unit_and_number(n, unit):
    array = array_of(n, unit)
    assert unit_of(array, (UNIT, POCKET)) == unit
    assert units_of(array, unit) == n
    assert array.capacity_kw == pytest.approx(n * unit.ac_kw, abs=1e-3)


def test_other_items_and_other_units_have_no_unit():
    assert unit_of(item_at(BATTERY, 0, 0), (UNIT,)) is None
    assert unit_of(array_of(2, POCKET), (UNIT,)) is None
    assert unit_of(Item("solar_array", (0, 0, 1.5 * UNIT.pitch_x_m, UNIT.height_m), 10.0), (UNIT,)) is None


def test_storage_counts_for_bess_and_generation_otherwise():
    items = [item_at(BATTERY, 0, 0), array_of(2)]
    assert capacity_of(items, "bess") == 5000
    assert capacity_of(items, "hybrid") == pytest.approx(2 * UNIT.ac_kw, abs=1e-3)
    assert Draft(items).solar_kw() == capacity_of(items, "hybrid")


def test_a_substation_alone_is_no_plant():
    station = item_at(substation_type(SPEC, 50.0), 0, 0)
    assert not has_plant([station])
    assert has_plant([station, item_at(BATTERY, 100, 0)])


def test_rectangles_of_no_items_are_an_empty_table():
    assert rects_of([]).shape == (0, 4)
    assert rects_of([array_of(1)]).tolist() == [list(array_of(1).rect)]


def test_less_than_a_unit_is_recorded_with_both_numbers():
    unplaced = below_one_unit("battery", 900.0, 5000.0)
    assert (unplaced.kind, unplaced.count) == ("battery", 1)
    assert "900 kW" in unplaced.reason
    assert "5,000 kW" in unplaced.reason
