"""Results that drafts share are computed once and belong to their context."""

import gc
import weakref

import numpy as np
import pytest
from fixtures.placement import BATTERY, array_at, item_at

from pacifico.layout.placement.strips import StripPattern

PATTERN = StripPattern(27.0, 4.0, 64.0, 3.0, 13.0, 12, most_units=4)


def test_a_packing_is_made_once_for_each_pattern_limit_and_margin(make):
    context = make.context(make.site(), make.ground(make.level))
    first = context.packing(PATTERN, 10.0, margin_m=0.0)
    assert context.packing(PATTERN, 10.0, margin_m=0.0) is first
    assert context.packing(PATTERN, 5.0, margin_m=0.0) is not first
    assert context.packing(PATTERN, 10.0, margin_m=1.0) is not first


def test_contexts_do_not_share_results(make):
    site, ground = make.site(), make.ground(make.level)
    one, other = make.context(site, ground), make.context(site, ground)
    assert one.packing(PATTERN, 10.0, margin_m=0.0) is not other.packing(PATTERN, 10.0, margin_m=0.0)


def test_pads_are_level_on_level_ground_and_arrays_have_none(make):
    context = make.context(make.site(), make.ground(make.level))
    block, array = item_at(BATTERY, 100, 100), array_at(200, 100)
    planes = context.pad_planes([block, array])
    assert list(planes) == [block]
    assert planes[block].elevation_m == pytest.approx(100.0)
    assert context.pad_planes([block])[block] is planes[block]


def test_edge_distance_is_exact_between_points_along_a_side(make):
    context = make.context(make.site(400, 400), make.ground(make.level, 400, 400))
    x, y = make.west + np.array([10.0, 200.0]), make.south + np.array([200.0, 200.0])
    assert context.edge_distance.at(x, y) == pytest.approx([10.0, 200.0])


def test_a_field_is_freed_with_its_context(make):
    """Nothing refers back to the field, so that its rasters are freed without garbage collection."""
    context = make.context(make.site(), make.ground(make.level))
    context.packing(PATTERN, 10.0, margin_m=0.0).slots(np.empty((0, 4)))
    field = weakref.ref(context.field)
    gc.disable()
    try:
        del context
        assert field() is None
    finally:
        gc.enable()
