"""Blocks near an anchor and in yards: whole pads, both orientations, cheapest place first."""

import numpy as np
import pytest
import shapely
from fixtures.placement import BATTERY, SPEC
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from pacifico.layout.criteria.asset_types import asset_type, substation_type
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.equipment import place_near, place_yard, slope_and_distance, yard_slots
from pacifico.site.model import Zone


def context_of(make, height=None, size=600.0, setback=10.0, **site):
    return make.context(make.site(size, size, **site), make.ground(height or make.level, size, size), setback_m=setback)


def near(make, context, x=300.0, y=300.0, metres_per_degree=0.0):
    """Cost by distance to (x, y) from the site's corner, and slope."""
    return slope_and_distance(context.field, (make.west + x, make.south + y), metres_per_degree)


def assert_legal(context, draft, clearance):
    pads = np.array([box(*i.pad_rect) for i in draft.items])
    assert shapely.covers(context.field.placeable, pads).all()
    feet = np.array([box(*i.rect) for i in draft.items])
    pairs = shapely.STRtree(feet).query(feet, predicate="dwithin", distance=clearance - 1e-6).T
    assert all(i == j for i, j in pairs)
    for item in draft.items:
        sieve = context.field.sieve(item.slope_limit_deg)
        assert sieve.by_ground(np.array([item.rect, item.pad_rect])).all()


def test_a_block_stands_at_its_anchor_on_level_ground(make):
    context, draft = context_of(make), Draft()
    assert place_near(context.field, draft, BATTERY, (make.west + 300, make.south + 300)) == 1
    (item,) = draft.items
    assert np.hypot(item.centre[0] - make.west - 300, item.centre[1] - make.south - 300) < 15
    assert_legal(context, draft, BATTERY.clearance_m)
    assert draft.unplaced == []


def test_a_block_is_rotated_where_only_that_fits(make):
    """A strip 31 m wide: a block of 30 x 20 m stands upright."""
    strip = make.at(100, 0, 131, 600)
    field, draft = make.field(make.site(boundary=strip), make.ground(make.level), setback_m=0.0), Draft()
    assert place_near(field, draft, BATTERY, (make.west + 110, make.south + 300)) == 1
    (item,) = draft.items
    assert item.rotation_deg == 90.0
    west, south, east, north = item.rect
    assert (east - west, north - south) == pytest.approx((20, 30))


def test_blocks_without_a_place_are_counted_with_the_limit(make):
    context, draft = context_of(make, size=60.0), Draft()
    placed = place_near(context.field, draft, BATTERY, (make.west, make.south), 5)
    assert placed == len(draft.items)
    (unplaced,) = draft.unplaced
    assert (unplaced.kind, unplaced.count) == ("battery", 5 - placed)
    assert "4 deg" in unplaced.reason


def test_steep_ground_carries_no_block(make):
    context, draft = context_of(make, lambda x, y: 0.1 * x), Draft()
    assert place_near(context.field, draft, BATTERY, (make.west, make.south), 3) == 0
    assert draft.unplaced[0].count == 3


@pytest.mark.parametrize("count", [0, -1])
def test_no_block_is_requested_and_none_is_missing(make, count):
    context, draft = context_of(make), Draft()
    assert place_near(context.field, draft, BATTERY, (make.west, make.south), count) == 0
    assert place_yard(context, draft, BATTERY, count, cost=near(make, context)) == 0
    assert draft.items == draft.unplaced == []


def test_a_level_bench_is_worth_the_distance(make):
    """3 degrees everywhere but for a level bench 100 m away."""
    ground = lambda x, y: np.where(x < 400, np.tan(np.radians(3.5)) * np.minimum(x, 400), 24.465)  # noqa: E731
    context, draft = context_of(make, ground), Draft()
    place_near(context.field, draft, BATTERY, (make.west + 330, make.south + 300))
    assert draft.items[0].rect[0] > make.west + 390


def test_exclusions_and_excluded_rectangles_stay_free(make):
    zone = Zone(make.at(250, 250, 350, 350), zone_type="buffered", buffer_m=30.0)
    excluded = np.array([[make.west + 100, make.south + 200, make.west + 215, make.south + 400]])
    context, draft = context_of(make, exclusions=(zone,)), Draft(excluded=excluded)
    place_near(context.field, draft, BATTERY, (make.west + 200, make.south + 300), 6)
    assert len(draft.items) == 6
    for item in draft.items:
        assert box(*item.pad_rect).distance(zone.geometry) >= 30.0 - 0.1  # chords approximate the buffer's arcs
        assert not box(*item.rect).intersection(box(*excluded[0])).area
    assert_legal(context, draft, BATTERY.clearance_m)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.floats(0, 600), st.floats(0, 600), st.sampled_from(["battery", "generator"]))
def test_yards_are_legal_on_rolling_ground(make, count, x, y, kind):
    context, draft = context_of(make, make.rolling), Draft()
    kind = asset_type(SPEC, kind)
    placed = place_yard(context, draft, kind, count, cost=near(make, context, x, y, 40.0))
    assert placed == len(draft.items) == count - sum(u.count for u in draft.unplaced)
    assert_legal(context, draft, kind.clearance_m)


def test_a_yard_has_an_aisle_beside_every_block(make):
    context, draft = context_of(make), Draft()
    place_yard(context, draft, BATTERY, 24, cost=near(make, context))
    feet = shapely.union_all([box(*i.rect) for i in draft.items])
    for item in draft.items:
        west, south, east, north = item.rect
        above, below = box(west, north, east, north + 16), box(west, south - 16, east, south)
        assert min(above.intersection(feet).area, below.intersection(feet).area) == 0


def test_free_slots_of_a_yard_leave_out_its_blocks(make):
    context = context_of(make)
    slots = yard_slots(context, Draft(), BATTERY)
    block = item_of(BATTERY, slots.rects[0])
    left = yard_slots(context, Draft([block]), BATTERY)
    assert len(left.units) == len(slots.units) - 1
    assert not (left.rects == slots.rects[0]).all(axis=1).any()


def test_substation_and_yard_keep_their_distance(make):
    context, draft = context_of(make), Draft()
    place_near(context.field, draft, substation_type(SPEC, 100.0), (make.west + 300, make.south + 300))
    place_yard(context, draft, BATTERY, 10, cost=near(make, context, metres_per_degree=40.0))
    station = box(*draft.items[0].rect)
    assert min(station.distance(box(*i.rect)) for i in draft.items[1:]) >= 14.0


@pytest.mark.parametrize("first", ["battery", "control_center"])
def test_the_larger_of_two_clearances_holds_in_either_order(make, first):
    """A control center keeps 16 m, a battery block 3.05 m: between them it is 16 m."""
    context, draft = context_of(make), Draft()
    anchor = (make.west + 300, make.south + 300)
    second = "control_center" if first == "battery" else "battery"
    place_near(context.field, draft, asset_type(SPEC, first), anchor)
    place_near(context.field, draft, asset_type(SPEC, second), anchor)
    a, b = (box(*i.rect) for i in draft.items)
    assert 16.0 <= a.distance(b) < 40.0


def test_cost_weighs_slope_against_distance(make):
    context = context_of(make, lambda x, y: np.where(x < 300, 0.0, 0.05 * (x - 300)))
    near_and_steep = [make.west + 400, make.south + 300, make.west + 420, make.south + 320]
    far_and_level = [make.west + 100, make.south + 300, make.west + 120, make.south + 320]
    rects = np.array([near_and_steep, far_and_level])
    distance = near(make, context, 400, 300)(rects)
    assert distance == pytest.approx([np.hypot(10, 10), np.hypot(290, 10)])
    assert np.argsort(near(make, context, 400, 300, 1000.0)(rects)).tolist() == [1, 0]
