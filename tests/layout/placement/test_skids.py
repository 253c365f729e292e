"""Capacity that skids have left, and the nearest skids."""

import numpy as np
import pytest

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.skids import (
    SkidCapacity,
    block_loads,
    least_block_kw,
    skid_rating,
    with_sized_skids,
)
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M


def skid(block, x):
    return Item("inverter_skid", (x - 5.0, -5.0, x + 5.0, 5.0), 5.0, block=block)


def array(block, kw):
    return Item("solar_array", (0.0, 0.0, 20.0, 10.0), 5.0, capacity_kw=kw, block=block)


def test_arrays_use_the_capacity_of_their_skid():
    items = [skid(0, 0.0), skid(1, 50.0), array(0, 300.0), array(0, 200.0), array(1, 100.0)]
    assert SkidCapacity.of(items, 1000.0).left_kw == pytest.approx({0: 500.0, 1: 900.0})


def test_another_array_takes_more():
    skids = SkidCapacity.of([skid(0, 0.0)], 1000.0)
    skids.take(array(0, 400.0))
    assert skids.left_kw == {0: 600.0}


def test_nearest_skids_within_reach_come_first():
    skids = SkidCapacity.of([skid(4, 0.0), skid(5, 100.0), skid(6, BLOCK_REACH_M + 90.0)], 1000.0)
    assert skids.nearest(80.0, 0.0) == [5, 4]
    assert skids.nearest(50.0, 0.0) == [4, 5], "the lower number first at the same distance"
    assert SkidCapacity.of([], 1000.0).nearest(0.0, 0.0) == []


def test_the_nearest_skid_with_capacity_takes_an_array():
    skids = SkidCapacity.of([skid(0, 0.0), skid(1, 100.0), array(0, 900.0)], 1000.0)
    rect = np.array([0.0, -5.0, 20.0, 5.0])
    assert skids.block_for(rect, 100.0) == 0
    assert skids.block_for(rect, 101.0) == 1
    assert skids.block_for(rect, 1001.0) is None


@pytest.mark.parametrize(
    ("load_kw", "rating_kva"),
    [(0, 150), (150, 150), (151, 300), (500, 500), (501, 1050), (1050, 1050), (1051, 2100), (3200, 4200), (4200, 4200)],
)
def test_a_skid_is_as_large_as_its_load_needs(load_kw, rating_kva):
    """4200 kVA are four modules of 1050 kVA; smaller skids have standard ratings."""
    assert skid_rating(load_kw, make_spec()) == rating_kva


def test_no_small_skid_is_larger_than_a_module():
    spec = make_spec({"inverter_skid": {"rating_kva": 1600.0, "modules": 4}})
    assert [skid_rating(kw, spec) for kw in (120.0, 300.0, 350.0, 500.0)] == [150.0, 300.0, 400.0, 800.0]


def test_the_smallest_block_loads_one_module_to_40_percent():
    assert least_block_kw(make_spec()) == pytest.approx(420)


def test_skids_are_sized_by_their_own_arrays():
    items = [skid(0, 0.0), array(0, 900.0), array(0, 900.0), skid(1, 50.0), array(1, 600.0)]
    assert block_loads(items) == {0: 1800.0, 1: 600.0}
    assert [i.rating_kva for i in with_sized_skids(items, make_spec()) if i.kind == "inverter_skid"] == [2100, 1050]
