"""Pads moved some metres aside: onto level ground where there is some, and never into the way of anything."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, box

from pacifico.layout.access.connect import ServedLayout
from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.roads import Network, Road
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.solar_arrays import SKID_CLEARANCE_M
from pacifico.layout.search.objectives import earthwork_m3
from pacifico.layout.search.shift_pads import NUDGED, shift_pads

RULES = make_spec()
SKID = asset_type(RULES, "inverter_skid")


def skid_at(make, x, y):
    half = np.array([SKID.length_m / 2, SKID.width_m / 2])
    middle = np.array([make.west + x, make.south + y])
    return item_of(SKID, np.concatenate([middle - half, middle + half]))


def served(field, items, *ways):
    rules = earthwork_criteria(RULES)
    pads = balanced_pads(field.ground, [box(*i.pad_rect) for i in items], criteria=rules)
    roads = [
        Road(f"R{k:03d}", "spur", LineString([(x, y, 0.0) for x, y in way]), 6.1, 1.0, 0.0, 0.0)
        for k, way in enumerate(ways)
    ]
    return ServedLayout(tuple(items), tuple(items), tuple(pads), Network(tuple(roads), None), ())


def context(x, y):
    """Level west of x = 300, a slope of 4 % east of it."""
    return 100.0 + 0.04 * np.maximum(x - 300.0, 0.0)


def test_a_skid_goes_to_the_level_ground_beside_it(make):
    field = make.field(make.site(), make.ground(context, dx=2.0))
    item = skid_at(make, 303.0, 300.0)
    before = served(field, [item])
    after = shift_pads(field, Draft([item]), before, "low_earthwork")
    assert earthwork_m3(field, before, RULES) > 1.0
    assert earthwork_m3(field, served(field, after.items), RULES) == pytest.approx(0.0, abs=0.3)
    assert after.items[0].rect[2] < make.west + 303.0
    assert replace(after.items[0], rect=item.rect) == item


def test_what_stands_or_drives_there_stops_it(make):
    field = make.field(make.site(), make.ground(context, dx=2.0))
    item = skid_at(make, 303.0, 300.0)
    edge = item.pad_rect[0]
    wall = [(edge - 4.0, make.south), (edge - 4.0, make.south + 600)]
    after = shift_pads(field, Draft([item]), served(field, [item], wall), "low_earthwork").items[0]
    # 3.05 m of the road's strip and the rest between
    assert after.pad_rect[0] >= edge - 4.0 + 3.05 + 0.6 - 1e-6


def test_on_level_ground_nothing_moves(make):
    field = make.field(make.site(), make.ground(make.level))
    items = [skid_at(make, 200.0, 200.0), skid_at(make, 300.0, 200.0)]
    assert shift_pads(field, Draft(list(items)), served(field, items), "low_earthwork").items == items


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(40, 560), st.integers(40, 560)), min_size=1, max_size=8), st.integers(50, 550))
def test_pads_move_less_and_keep_their_distance(make, places, northing):
    field = make.field(make.site(), make.ground(make.rolling))
    sieve = field.sieve(SKID.slope_limit_deg)
    items = []
    way = [(make.west, make.south + northing), (make.west + 600, make.south + northing)]
    strip = shapely.buffer(LineString(way), 3.05)
    for x, y in places:
        new = skid_at(make, float(x), float(y))
        clear = expand_rects(np.array([new.rect]), SKID_CLEARANCE_M)
        free = not any(touching(np.array([i.rect]), clear)[0] for i in items)
        if (
            free
            and not strip.intersects(box(*new.pad_rect))
            and sieve.passes(np.array([new.rect]), apron=PAD_APRON_M)[0]
        ):
            items.append(new)
    if not items:
        return
    after = shift_pads(field, Draft(list(items)), served(field, items, way), "low_earthwork").items
    rects, old = np.array([i.rect for i in after]), np.array([i.rect for i in items])
    moved, were = (
        pad_earth_m3(field, expand_rects(rects, PAD_APRON_M)),
        pad_earth_m3(field, expand_rects(old, PAD_APRON_M)),
    )
    assert (moved <= were + 1e-9).all()
    assert sieve.passes(rects, apron=PAD_APRON_M).all()
    assert not any(strip.intersects(box(*i.pad_rect)) for i in after)
    for k in range(len(after)):
        others = np.delete(rects, k, axis=0)
        assert not touching(rects[k : k + 1], expand_rects(others, SKID_CLEARANCE_M - 1e-6)).any()
    assert all(i.kind in NUDGED for i in after)
