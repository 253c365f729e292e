"""Shifted pads: onto level ground, closer together, and never onto roads or other items."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from fixtures.placement import BATTERY, SKID, item_at, keeps_clearance, layout_of
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, box

from pacifico.layout.criteria.asset_types import PAD_APRON_M
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.placement.power_blocks import SKID_CLEARANCE_M
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.surroundings import surroundings_ha
from pacifico.layout.search.shift_pads import OFF_ROADS_M, SHIFTED_FOR_EARTHWORK, shift_pads


def skid_at(x, y):
    """Skid with its centre at a place."""
    return item_at(SKID, x - SKID.length_m / 2, y - SKID.width_m / 2)


def bench(x, y):
    """Level west of x = 300, a slope of 4 % east of it."""
    return 100.0 + 0.04 * np.maximum(x - 300.0, 0.0)


def pad_earth(field, items):
    return pad_earth_m3(field, expand_rects(rects_of(items), PAD_APRON_M))


def test_a_skid_moves_to_level_ground_beside_it(make):
    field, item = make.field(make.site(), make.ground(bench, dx=2.0)), skid_at(303.0, 300.0)
    (after,) = shift_pads(field, Draft([item]), layout_of([item]), "earthwork").items
    assert pad_earth(field, [item]) > 1.0
    assert pad_earth(field, [after]) == pytest.approx(0.0, abs=0.3)
    assert after.rect[2] < make.west + 303.0
    assert replace(after, rect=item.rect) == item


def test_a_road_stops_a_shift(make):
    field, item = make.field(make.site(), make.ground(bench, dx=2.0)), skid_at(303.0, 300.0)
    edge = item.pad_rect[0] - make.west
    road = [(edge - 4.0, 0.0), (edge - 4.0, 600.0)]
    (after,) = shift_pads(field, Draft([item]), layout_of([item], road), "earthwork").items
    assert after.pad_rect[0] >= make.west + edge - 4.0 + 3.05 + OFF_ROADS_M - 1e-6


@pytest.mark.parametrize("measure", ["earthwork", "surroundings"])
def test_nothing_moves_without_a_gain(make, measure):
    """Level ground, and items whose surroundings don't overlap in part."""
    field = make.field(make.site(), make.ground(make.level))
    items = [skid_at(200.0, 200.0), skid_at(400.0, 200.0)]
    assert shift_pads(field, Draft(items), layout_of(items), measure).items == items


def test_surroundings_shrink_as_blocks_move_together(make):
    field = make.field(make.site(), make.ground(make.level))
    items = [item_at(BATTERY, 200.0, 200.0), item_at(BATTERY, 250.0, 200.0)]
    after = shift_pads(field, Draft(items), layout_of(items), "surroundings").items
    assert surroundings_ha(after) < surroundings_ha(items)
    assert keeps_clearance(after, BATTERY.clearance_m)


def test_yard_blocks_stay_for_earthwork(make):
    field, item = make.field(make.site(), make.ground(bench, dx=2.0)), item_at(BATTERY, 290.0, 300.0)
    assert shift_pads(field, Draft([item]), layout_of([item]), "earthwork").items == [item]
    assert "battery" not in SHIFTED_FOR_EARTHWORK


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(40, 560), st.integers(40, 560)), min_size=1, max_size=8), st.integers(50, 550))
def test_shifted_pads_take_less_earthwork_and_stay_legal(make, places, northing):
    field = make.field(make.site(), make.ground(make.rolling))
    sieve = field.sieve(SKID.slope_limit_deg)
    road = [(0.0, northing), (600.0, northing)]
    strip = shapely.buffer(LineString([(make.west + x, make.south + y) for x, y in road]), 3.05)
    items = []
    for x, y in places:
        new = skid_at(float(x), float(y))
        near = expand_rects(np.array([new.rect]), SKID_CLEARANCE_M)
        free = not any(touching(np.array([i.rect]), near)[0] for i in items)
        on_road = strip.intersects(box(*new.pad_rect))
        if free and not on_road and sieve.passes(np.array([new.rect]), apron=PAD_APRON_M)[0]:
            items.append(new)
    if not items:
        return
    after = shift_pads(field, Draft(items), layout_of(items, road), "earthwork").items
    assert (pad_earth(field, after) <= pad_earth(field, items) + 1e-9).all()
    rects = rects_of(after)
    assert sieve.passes(rects, apron=PAD_APRON_M).all()
    assert not any(strip.intersects(box(*i.pad_rect)) for i in after)
    for k in range(len(after)):
        others = np.delete(rects, k, axis=0)
        assert not touching(rects[k : k + 1], expand_rects(others, SKID_CLEARANCE_M - 1e-6)).any()
