"""Strips of units: how they join, what breaks them, and the phase that carries most."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.layout.ground.rects import touching
from pacifico.layout.placement._packing_kernels import blocked_x, stacked
from pacifico.layout.placement.strip_packing import EAST, NORTH, SOUTH, WEST, StripPattern, pack_strips
from pacifico.site.model import Zone

LATTICE = StripPattern(pitch_x=27.0, gap_x=4.0, height=64.0, pair_gap=3.0, aisle=13.0, cross_every=12, most_units=4)


def fit(make, width, height=64.0, *, pattern=LATTICE, margin=0.0, **more):
    site = make.site(width, height, **more)
    field = make.field(site, make.ground(make.level, max(width, 200), max(height, 200), dx=5.0))
    return pack_strips(pattern, field.sieve(10.0), margin=margin)


def free(found):
    return found.runs(np.empty((0, 4)))


@pytest.mark.parametrize(
    ("room", "expected"), [(1, [1]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [4, 3]), (9, [3, 3, 3]), (10, [4, 3, 3])]
)
def test_units_join_into_arrays_as_equal_as_possible(make, room, expected):
    """So many good units in a row: five make 3 + 2, not 4 + 1."""
    runs = free(fit(make, 27.0 * room - 4.0 + 0.1, 64.1))
    assert runs.units.tolist() == expected
    assert_allclose(runs.rects[:, 2] - runs.rects[:, 0], runs.units * 27.0 - 4.0)
    assert_allclose(runs.rects[0, 0], make.west, atol=0.01)


@pytest.mark.parametrize("height", [64.1, 70.0])
def test_a_strip_barely_as_wide_as_its_rows_takes_them(make, height):
    runs = free(fit(make, 5 * 27.0, height))
    assert runs.units.sum() == 5
    assert_allclose(runs.rects[:, 3] - runs.rects[:, 1], 64.0)


def test_no_array_crosses_an_aisle(make):
    found = fit(make, 800.0, 400.0)
    runs = free(found)
    assert runs.units.max() <= 4
    for strip in np.unique(runs.strip):
        rects = runs.rects[runs.strip == strip]
        rects = rects[np.argsort(rects[:, 0])]
        gaps = rects[1:, 0] - rects[:-1, 2]
        assert np.isclose(gaps, 4.0).any()
        assert (np.isclose(gaps, 4.0) | (gaps >= 13.0)).all()
    lower = np.unique(runs.rects[:, 1])
    steps = np.diff(lower) - 64.0
    assert (np.isclose(steps, 3.0) | np.isclose(steps, 13.0)).all()


def test_a_ditch_in_the_gap_between_units_parts_the_array(make):
    """Two metres of exclusion between two units: each stands, but not as one array."""
    before = free(fit(make, 5 * 27.0 + 10, 70.0))
    first = before.rects[0]
    x = first[0] + 27.0 - 3.0 - make.west
    ditch = Zone(make.at(x, -10, x + 2.0, 80))
    after = fit(make, 5 * 27.0 + 10, 70.0, exclusions=(ditch,))
    runs = free(after)
    assert runs.units.sum() == 5
    assert not touching(runs.rects, np.array([ditch.geometry.bounds])).any()


def test_steep_ground_in_the_gap_parts_the_array(make):
    """One column of cells is too steep: in the gap it parts the array, under a unit it would move that."""
    field = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    rect = free(pack_strips(LATTICE, field.sieve(10.0), margin=0.0)).rects[0]
    x = round(rect[0] + 23.0 - field.grid.x0)
    steep = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    steep.slope[:, x + 1 : x + 3] = 30.0
    runs = free(pack_strips(LATTICE, steep.sieve(10.0), margin=0.0))
    assert runs.units[0] == 1
    assert runs.units.sum() == free(pack_strips(LATTICE, field.sieve(10.0), margin=0.0)).units.sum()
    assert (steep.sieve(10.0).steep.share(runs.rects) <= 0.04).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.02))
def test_all_that_joins_is_good_ground_whole(make, seed, share):
    field = make.field(make.site(), make.ground(make.level))
    field.slope[np.random.default_rng(seed).random(field.slope.shape) < share] = 30.0
    runs = free(pack_strips(LATTICE, field.sieve(10.0), margin=0.0))
    assert field.sieve(10.0).passes(runs.rects).all()


def test_blocked_rectangles_take_their_units_and_no_others(make):
    found = fit(make, 600.0, 300.0)
    whole = free(found)
    blocked = np.array([[make.west + 200, make.south + 100, make.west + 210, make.south + 110]])
    left = found.runs(blocked)
    assert not touching(left.rects, blocked).any()
    assert 0 < whole.units.sum() - left.units.sum() <= 2


def test_the_phase_found_fills_a_site_made_for_the_lattice(make):
    """Four strips of two groups of 12 fit a site of exactly their size, aisles between."""
    width = 2 * 12 * 27.0 - 4.0 + 13.0
    height = 4 * 64.0 + 2 * 3.0 + 13.0
    runs = free(fit(make, width + 12, height + 12))
    assert runs.units.sum() >= 0.9 * 4 * 24


SPINES = replace(LATTICE, strips=12, cross_every=12, reach=77.0)
QUADS = replace(LATTICE, strips=4)


def test_strips_without_an_aisle_are_no_more_than_asked_for(make):
    runs = free(fit(make, 300.0, 900.0, pattern=QUADS))
    lower = np.unique(runs.rects[:, 1])
    steps = np.diff(lower) - 64.0
    assert (steps >= 3.0 - 1e-6).all()
    wide = np.flatnonzero(steps >= 13.0 - 1e-6)
    between = np.diff([-1, *wide, len(lower) - 1])
    assert between.max() == 4


def test_every_strip_is_within_two_of_its_aisle_and_on_its_side(make):
    runs = free(fit(make, 300.0, 900.0, pattern=QUADS))
    assert runs.depth.max() == 1
    for lane in np.unique(runs.lane):
        north, south = (
            runs.rects[(runs.lane == lane) & (runs.side == SOUTH)],
            runs.rects[(runs.lane == lane) & (runs.side == NORTH)],
        )
        if len(north) and len(south):
            assert north[:, 1].min() - south[:, 3].max() >= 13.0 - 1e-6


def test_arrays_beside_cross_aisles_are_all_within_reach(make):
    found = fit(make, 900.0, 400.0, pattern=SPINES)
    runs = free(found)
    period = 12 * 27.0 - 4.0 + 13.0
    middle = found.first + runs.lane * period + 6.5
    far = np.where(runs.side == WEST, runs.rects[:, 0] - middle, middle - runs.rects[:, 2])
    assert set(np.unique(runs.side)) == {WEST, EAST}
    assert (far >= 6.5 - 1e-6).all()
    assert (far <= 77.0).all()
    assert runs.units.sum() >= 0.9 * free(fit(make, 900.0, 400.0, pattern=QUADS)).units.sum()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_a_site_moved_by_part_of_a_cell_carries_about_as_much(make, dx, dy):
    ground = make.ground(make.rolling, 700, 700, halo=150.0)
    counts = [
        free(
            pack_strips(
                QUADS, make.field(make.site(boundary=make.at(x, y, 600 + x, 600 + y)), ground).sieve(90.0), margin=0.0
            )
        ).units.sum()
        for x, y in ((0.0, 0.0), (dx, dy))
    ]
    assert abs(counts[0] - counts[1]) <= 0.02 * counts[0]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(20.0, 160.0))
def test_blocked_intervals_are_what_shapely_finds(seed, y):
    """Columns of a strip that lie inside a polygon with a hole, tested one by one."""
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
    ring = np.column_stack([np.cos(angle), np.sin(angle)]) * rng.uniform(60, 120, 12)[:, None] + 130
    area = shapely.Polygon(ring).difference(shapely.box(120, 120, 140, 135))
    rings = [shapely.get_coordinates(r) for r in shapely.get_rings(area)]
    edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])
    shut = blocked_x(edges, y, y + 30.0, 0.0, 260.0)
    assert (shut[:, 0] <= shut[:, 1]).all()
    assert (shut[1:, 0] > shut[:-1, 1]).all()
    for x in np.arange(0.5, 260.0, 1.0):
        free_here = not ((shut[:, 0] < x + 0.01) & (shut[:, 1] > x - 0.01)).any()
        inside = area.covers(shapely.box(x - 0.01, y, x + 0.01, y + 30.0))
        near = np.abs(shut - x).min() < 0.05
        assert near or free_here == inside


def test_strips_are_stacked_for_most_units():
    """Two strips of 5 with a gap beat one of 8 between them."""
    ys = np.array([0.0, 30.0, 67.0, 144.0])
    chosen, starts = stacked(ys, np.array([5.0, 8.0, 5.0, 1.0]), 64.0, 3.0, 13.0, 2)
    assert ys[chosen].tolist() == [0.0, 67.0, 144.0]
    assert starts.tolist() == [1, 0, 1]


def test_a_margin_keeps_pads_inside(make):
    site = make.site(600, 300)
    field = make.field(site, make.ground(make.level, 600, 300), setback_m=10.0)
    runs = free(pack_strips(LATTICE, field.sieve(10.0), margin=1.0))
    west, south, east, north = field.placeable.bounds
    assert (runs.rects[:, 0] >= west + 1 - 1e-6).all()
    assert (runs.rects[:, 1] >= south + 1 - 1e-6).all()
    assert (runs.rects[:, 2] <= east - 1 + 1e-6).all()
    assert (runs.rects[:, 3] <= north - 1 + 1e-6).all()


def test_nothing_fits_a_sliver(make):
    runs = free(fit(make, 600.0, 40.0))
    assert runs.rects.shape == (0, 4)
    assert runs.units.shape == (0,)


boxes = st.lists(st.tuples(*[st.integers(0, 20)] * 2, *[st.integers(1, 8)] * 2), max_size=8)


@given(boxes, boxes)
def test_touching_is_overlap_of_interiors(first, second):
    import shapely

    a = np.array([(x, y, x + w, y + h) for x, y, w, h in first], dtype=float).reshape(-1, 4)
    b = np.array([(x, y, x + w, y + h) for x, y, w, h in second], dtype=float).reshape(-1, 4)
    expected = [any(shapely.box(*r).intersection(shapely.box(*s)).area > 0 for s in b) for r in a]
    assert touching(a, b).tolist() == expected
