"""Capacity that skids have left, and the nearest skids."""

import pytest

from pacifico.layout.access.skids import SkidCapacity
from pacifico.layout.model.assets import Item
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
