"""Blocks near an anchor and yards: pads whole, both ways round, nearest and most level first."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from pacifico.layout.criteria.asset_types import asset_type, substation_type
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.equipment import cheapest_first, place_near, place_yard
from pacifico.layout.placement.level_ground import densest_place
from pacifico.site.model import Zone

SPEC = make_spec()
BATTERY = asset_type(SPEC, "battery")


def field_of(make, height=None, size=600.0, setback=10.0, **site):
    return make.field(make.site(size, size, **site), make.ground(height or make.level, size, size), setback_m=setback)


def check(field, draft, clearance):
    pads = np.array([box(*i.pad_rect) for i in draft.items])
    assert shapely.covers(field.placeable, pads).all()
    feet = np.array([box(*i.rect) for i in draft.items])
    pairs = shapely.STRtree(feet).query(feet, predicate="dwithin", distance=clearance - 1e-6).T
    assert all(i == j for i, j in pairs)
    for item in draft.items:
        sieve = field.sieve(item.slope_limit_deg)
        assert sieve.by_ground(np.array([item.rect, item.pad_rect])).all()


def test_a_block_stands_at_its_anchor_on_level_ground(make):
    field, draft = field_of(make), Draft()
    assert place_near(field, draft, BATTERY, (make.west + 300, make.south + 300)) == 1
    (item,) = draft.items
    assert np.hypot(item.centre[0] - make.west - 300, item.centre[1] - make.south - 300) < 15
    check(field, draft, BATTERY.clearance_m)
    assert draft.unplaced == []


def test_a_block_turns_where_it_fits_one_way_alone(make):
    """A strip 31 m wide: a block of 30 x 20 m stands upright."""
    strip = make.at(100, 0, 131, 600)
    field, draft = make.field(make.site(boundary=strip), make.ground(make.level), setback_m=0.0), Draft()
    assert place_near(field, draft, BATTERY, (make.west + 110, make.south + 300)) == 1
    (item,) = draft.items
    assert item.rotation_deg == 90.0
    west, south, east, north = item.rect
    assert (east - west, north - south) == pytest.approx((20, 30))


def test_what_does_not_fit_is_counted_with_the_limit(make):
    field, draft = field_of(make, size=60.0), Draft()
    placed = place_near(field, draft, BATTERY, (make.west, make.south), 5)
    assert placed == len(draft.items)
    (lost,) = draft.unplaced
    assert (lost.kind, lost.count) == ("battery", 5 - placed)
    assert "4 deg" in lost.reason


def test_steep_ground_carries_none(make):
    draft = Draft()
    assert place_near(field_of(make, lambda x, y: 0.1 * x), draft, BATTERY, (make.west, make.south), 3) == 0
    assert draft.unplaced[0].count == 3


@pytest.mark.parametrize("count", [0, -1])
def test_none_asked_for_is_none_missing(make, count):
    field, draft = field_of(make), Draft()
    assert place_near(field, draft, BATTERY, (make.west, make.south), count) == 0
    assert place_yard(field, draft, BATTERY, 14.0, (make.west, make.south), count, metres_per_degree=0.0) == 0
    assert draft.items == draft.unplaced == []


def test_the_level_hollow_is_worth_a_walk(make):
    """3 degrees everywhere but for a level bench 100 m off."""
    ground = lambda x, y: np.where(x < 400, np.tan(np.radians(3.5)) * np.minimum(x, 400), 24.465)  # noqa: E731
    field, draft = field_of(make, ground), Draft()
    place_near(field, draft, BATTERY, (make.west + 330, make.south + 300))
    assert draft.items[0].rect[0] > make.west + 390


def test_exclusions_and_banned_ground_stay_free(make):
    zone = Zone(make.at(250, 250, 350, 350), zone_type="buffered", buffer_m=30.0)
    banned = np.array([[make.west + 100, make.south + 200, make.west + 215, make.south + 400]])
    field, draft = field_of(make, exclusions=(zone,)), Draft(banned=banned)
    place_near(field, draft, BATTERY, (make.west + 200, make.south + 300), 6)
    assert len(draft.items) == 6
    for item in draft.items:
        assert box(*item.pad_rect).distance(zone.geometry) >= 30.0 - 0.1  # a buffer's arc is drawn by chords
        assert not box(*item.rect).intersection(box(*banned[0])).area
    check(field, draft, BATTERY.clearance_m)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.floats(0, 600), st.floats(0, 600), st.sampled_from(["battery", "generator"]))
def test_yards_hold_on_rolling_ground(make, count, x, y, kind):
    field, draft = field_of(make, make.rolling), Draft()
    kind = asset_type(SPEC, kind)
    placed = place_yard(field, draft, kind, 14.0, (make.west + x, make.south + y), count, metres_per_degree=40.0)
    assert placed == len(draft.items) == count - sum(u.count for u in draft.unplaced)
    check(field, draft, kind.clearance_m)


def test_a_yard_has_an_aisle_beside_every_block(make):
    field, draft = field_of(make), Draft()
    place_yard(field, draft, BATTERY, 14.0, (make.west + 300, make.south + 300), 24, metres_per_degree=0.0)
    feet = shapely.union_all([box(*i.rect) for i in draft.items])
    for item in draft.items:
        west, south, east, north = item.rect
        above, below = box(west, north, east, north + 14), box(west, south - 14, east, south)
        assert min(above.intersection(feet).area, below.intersection(feet).area) == 0


def test_substation_and_yard_keep_their_distance(make):
    field, draft = field_of(make), Draft()
    anchor = (make.west + 300, make.south + 300)
    place_near(field, draft, substation_type(SPEC, 100.0), anchor)
    place_yard(field, draft, BATTERY, 14.0, anchor, 10, metres_per_degree=40.0)
    station = box(*draft.items[0].rect)
    assert min(station.distance(box(*i.rect)) for i in draft.items[1:]) >= 14.0


@pytest.mark.parametrize("first", ["battery", "control_center"])
def test_the_larger_of_two_clearances_holds_whoever_comes_first(make, first):
    """A control centre keeps 14 m, a battery block 3.05 m: between them it is 14 m."""
    field, draft = field_of(make), Draft()
    anchor = (make.west + 300, make.south + 300)
    second = "control_center" if first == "battery" else "battery"
    place_near(field, draft, asset_type(SPEC, first), anchor)
    place_near(field, draft, asset_type(SPEC, second), anchor)
    a, b = (box(*i.rect) for i in draft.items)
    assert 14.0 <= a.distance(b) < 40.0


def test_cheapest_first_weighs_slope_by_its_price(make):
    field = field_of(make, lambda x, y: np.where(x < 300, 0.0, 0.05 * (x - 300)))
    near_and_steep = [make.west + 400, make.south + 300, make.west + 420, make.south + 320]
    far_and_level = [make.west + 100, make.south + 300, make.west + 120, make.south + 320]
    rects, anchor = np.array([near_and_steep, far_and_level]), (make.west + 400, make.south + 300)
    assert cheapest_first(field, rects, anchor, 0.0).tolist() == [0, 1]
    assert cheapest_first(field, rects, anchor, 1000.0).tolist() == [1, 0]


def test_densest_place_is_in_the_larger_of_two_crowds():
    crowd = [(1000 + 10 * i, 10 * j) for i in range(5) for j in range(5)]
    lone = [(200 * i, 0) for i in range(4)]
    rects = np.array([(x, y, x + 5, y + 5) for x, y in lone + crowd], dtype=float)
    x, y = densest_place(rects, np.ones(len(rects)), 20.0)
    assert 1000 <= x <= 1045
    assert 0 <= y <= 45


def test_densest_place_of_too_little_is_its_centroid():
    rects = np.array([[0, 0, 2, 2], [10, 0, 12, 2]], dtype=float)
    assert densest_place(rects, np.array([1.0, 3.0]), 100.0) == pytest.approx((8.5, 1.0))


def test_grown_and_item_of():
    assert expand_rects(np.array([[0.0, 0, 2, 3]]), 1.0).tolist() == [[-1, -1, 3, 4]]
    item = item_of(BATTERY, np.array([0.0, 0, 30, 20]))
    assert item.pad_rect == (-1, -1, 31, 21)
    assert (item.storage_kw, item.storage_kwh, item.capacity_kw) == (5000, 20000, 0)
