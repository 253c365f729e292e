"""Strips of units: how units join, what separates them, and the phase that holds the most."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.layout.ground.rects import NO_RECTS, touching
from pacifico.layout.placement.strip_packing import blocked_intervals, pack_strips, stack_strips
from pacifico.layout.placement.strips import EAST, NORTH, SOUTH, WEST, StripPattern
from pacifico.site.model import Zone

PATTERN = StripPattern(pitch_x=27.0, gap_x=4.0, height=64.0, pair_gap=3.0, aisle=13.0, cross_every=12, most_units=4)


def packing_of(make, width, height=64.0, *, pattern=PATTERN, margin=0.0, **more):
    site = make.site(width, height, **more)
    field = make.field(site, make.ground(make.level, max(width, 200), max(height, 200), dx=5.0))
    return pack_strips(pattern, field.sieve(10.0), margin_m=margin)


def all_slots(packing):
    return packing.slots(NO_RECTS)


@pytest.mark.parametrize(
    ("room", "expected"), [(1, [1]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [4, 3]), (9, [3, 3, 3]), (10, [4, 3, 3])]
)
def test_units_join_into_arrays_as_equal_as_possible(make, room, expected):
    """So many units in a row: five make 3 + 2, not 4 + 1."""
    slots = all_slots(packing_of(make, 27.0 * room - 4.0 + 0.1, 64.1))
    assert slots.units.tolist() == expected
    assert_allclose(slots.rects[:, 2] - slots.rects[:, 0], slots.units * 27.0 - 4.0)
    assert_allclose(slots.rects[0, 0], make.west, atol=0.01)


@pytest.mark.parametrize("height", [64.1, 70.0])
def test_a_strip_barely_as_high_as_its_rows_holds_them(make, height):
    slots = all_slots(packing_of(make, 5 * 27.0, height))
    assert slots.units.sum() == 5
    assert_allclose(slots.rects[:, 3] - slots.rects[:, 1], 64.0)


def test_no_array_crosses_an_aisle(make):
    packing = packing_of(make, 800.0, 400.0)
    slots = all_slots(packing)
    assert slots.units.max() <= 4
    for strip in np.unique(slots.strip):
        rects = slots.rects[slots.strip == strip]
        rects = rects[np.argsort(rects[:, 0])]
        gaps = rects[1:, 0] - rects[:-1, 2]
        assert np.isclose(gaps, 4.0).any()
        assert (np.isclose(gaps, 4.0) | (gaps >= 13.0)).all()
    lower = np.unique(slots.rects[:, 1])
    steps = np.diff(lower) - 64.0
    assert (np.isclose(steps, 3.0) | np.isclose(steps, 13.0)).all()


def test_a_ditch_in_the_gap_between_units_splits_the_array(make):
    """Two metres of exclusion between two units: each stands, but not as one array."""
    before = all_slots(packing_of(make, 5 * 27.0 + 10, 70.0))
    first = before.rects[0]
    x = first[0] + 27.0 - 3.0 - make.west
    ditch = Zone(make.at(x, -10, x + 2.0, 80))
    after = packing_of(make, 5 * 27.0 + 10, 70.0, exclusions=(ditch,))
    slots = all_slots(after)
    assert slots.units.sum() == 5
    assert not touching(slots.rects, np.array([ditch.geometry.bounds])).any()


def test_steep_ground_in_the_gap_splits_the_array(make):
    """One column of cells is too steep: in the gap it splits the array, under a unit it would move the unit."""
    field = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    rect = all_slots(pack_strips(PATTERN, field.sieve(10.0), margin_m=0.0)).rects[0]
    x = round(rect[0] + 23.0 - field.grid.x0)
    steep = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    steep.slope[:, x + 1 : x + 3] = 30.0
    slots = all_slots(pack_strips(PATTERN, steep.sieve(10.0), margin_m=0.0))
    assert slots.units[0] == 1
    assert slots.units.sum() == all_slots(pack_strips(PATTERN, field.sieve(10.0), margin_m=0.0)).units.sum()
    assert (steep.sieve(10.0).steep.share(slots.rects) <= 0.04).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.02))
def test_units_join_on_buildable_ground_only(make, seed, share):
    field = make.field(make.site(), make.ground(make.level))
    field.slope[np.random.default_rng(seed).random(field.slope.shape) < share] = 30.0
    slots = all_slots(pack_strips(PATTERN, field.sieve(10.0), margin_m=0.0))
    assert field.sieve(10.0).passes(slots.rects).all()


def test_blocked_rectangles_remove_their_units_alone(make):
    packing = packing_of(make, 600.0, 300.0)
    whole = all_slots(packing)
    blocked = np.array([[make.west + 200, make.south + 100, make.west + 210, make.south + 110]])
    left = packing.slots(blocked)
    assert not touching(left.rects, blocked).any()
    assert 0 < whole.units.sum() - left.units.sum() <= 2


def test_the_phase_fills_a_site_made_for_the_pattern(make):
    """Four strips of two groups of 12 fit a site of exactly their size, aisles between."""
    width = 2 * 12 * 27.0 - 4.0 + 13.0
    height = 4 * 64.0 + 2 * 3.0 + 13.0
    slots = all_slots(packing_of(make, width + 12, height + 12))
    assert slots.units.sum() >= 0.9 * 4 * 24


SPINES = replace(PATTERN, strips=12, cross_every=12, reach=77.0)
QUADS = replace(PATTERN, strips=4)


def test_no_more_strips_stand_without_an_aisle_than_the_pattern_allows(make):
    slots = all_slots(packing_of(make, 300.0, 900.0, pattern=QUADS))
    lower = np.unique(slots.rects[:, 1])
    steps = np.diff(lower) - 64.0
    assert (steps >= 3.0 - 1e-6).all()
    wide = np.flatnonzero(steps >= 13.0 - 1e-6)
    between = np.diff([-1, *wide, len(lower) - 1])
    assert between.max() == 4


def test_every_strip_is_next_to_its_aisle_or_second(make):
    slots = all_slots(packing_of(make, 300.0, 900.0, pattern=QUADS))
    assert slots.depth.max() == 1
    for lane in np.unique(slots.lane):
        north, south = (
            slots.rects[(slots.lane == lane) & (slots.side == SOUTH)],
            slots.rects[(slots.lane == lane) & (slots.side == NORTH)],
        )
        if len(north) and len(south):
            assert north[:, 1].min() - south[:, 3].max() >= 13.0 - 1e-6


def test_cross_aisles_reach_all_arrays(make):
    packing = packing_of(make, 900.0, 400.0, pattern=SPINES)
    slots = all_slots(packing)
    period = 12 * 27.0 - 4.0 + 13.0
    middle = packing.first + slots.lane * period + 6.5
    far = np.where(slots.side == WEST, slots.rects[:, 0] - middle, middle - slots.rects[:, 2])
    assert set(np.unique(slots.side)) == {WEST, EAST}
    assert (far >= 6.5 - 1e-6).all()
    assert (far <= 77.0).all()
    assert slots.units.sum() >= 0.9 * all_slots(packing_of(make, 900.0, 400.0, pattern=QUADS)).units.sum()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_a_site_shifted_by_part_of_a_cell_holds_about_as_much(make, dx, dy):
    ground = make.ground(make.rolling, 700, 700, halo=150.0)
    counts = [
        all_slots(
            pack_strips(
                QUADS, make.field(make.site(boundary=make.at(x, y, 600 + x, 600 + y)), ground).sieve(90.0), margin_m=0.0
            )
        ).units.sum()
        for x, y in ((0.0, 0.0), (dx, dy))
    ]
    assert abs(counts[0] - counts[1]) <= 0.02 * counts[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(20.0, 160.0))
def test_blocked_intervals_match_shapely(seed, y):
    """Columns of a strip that lie inside a polygon with a hole, tested one by one."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(60, 120, 12)[:, None] + 130
    area = shapely.Polygon(ring).difference(shapely.box(120, 120, 140, 135))
    rings = [shapely.get_coordinates(r) for r in shapely.get_rings(area)]
    edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])
    shut = blocked_intervals(edges, y, y + 30.0, 0.0, 260.0)
    assert (shut[:, 0] <= shut[:, 1]).all()
    assert (shut[1:, 0] > shut[:-1, 1]).all()
    for x in np.arange(0.5, 260.0, 1.0):
        free_here = not ((shut[:, 0] < x + 0.01) & (shut[:, 1] > x - 0.01)).any()
        inside = area.covers(shapely.box(x - 0.01, y, x + 0.01, y + 30.0))
        near = np.abs(shut - x).min() < 0.05
        assert near or free_here == inside


def test_strips_are_stacked_for_the_most_units():
    """Two strips of 5 with a gap beat one of 8 between them."""
    ys = np.array([0.0, 30.0, 67.0, 144.0])
    chosen, starts = stack_strips(ys, np.array([5.0, 8.0, 5.0, 1.0]), 64.0, 3.0, 13.0, 2)
    assert ys[chosen].tolist() == [0.0, 67.0, 144.0]
    assert starts.tolist() == [1, 0, 1]


def test_a_margin_keeps_pads_inside(make):
    site = make.site(600, 300)
    field = make.field(site, make.ground(make.level, 600, 300), setback_m=10.0)
    slots = all_slots(pack_strips(PATTERN, field.sieve(10.0), margin_m=1.0))
    west, south, east, north = field.placeable.bounds
    assert (slots.rects[:, 0] >= west + 1 - 1e-6).all()
    assert (slots.rects[:, 1] >= south + 1 - 1e-6).all()
    assert (slots.rects[:, 2] <= east - 1 + 1e-6).all()
    assert (slots.rects[:, 3] <= north - 1 + 1e-6).all()


def test_a_sliver_holds_nothing(make):
    slots = all_slots(packing_of(make, 600.0, 40.0))
    assert slots.rects.shape == (0, 4)
    assert slots.units.shape == (0,)


def test_slots_are_found_once_for_the_same_blocked_rectangles(make):
    packing = packing_of(make, 300.0, 100.0)
    assert all_slots(packing) is all_slots(packing)


ROWS = replace(PATTERN, pitch_x=6.5, gap_x=4.0, cross_every=48, most_units=19, least_units=4)


@pytest.mark.parametrize(("room", "expected"), [(3, []), (4, [4]), (19, [19]), (20, [10, 10]), (39, [13, 13, 13])])
def test_rows_join_into_arrays_of_a_least_size(make, room, expected):
    slots = all_slots(packing_of(make, 6.5 * room - 4.0 + 0.1, 64.1, pattern=ROWS))
    assert slots.units.tolist() == expected


def test_every_array_between_cross_aisles_has_the_least_size(make):
    spines = replace(ROWS, strips=12, reach=77.0)
    for width in (340.0, 415.0, 700.0, 905.0):
        units = all_slots(packing_of(make, width, 200.0, pattern=spines)).units
        assert units.min() >= 4
        assert units.max() <= 19
