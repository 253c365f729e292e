"""Strips of units: how they join, what breaks them, and the phase that carries most."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.layout.lattice import Fit, Lattice, fit_lattice, touching
from pacifico.site.model import Zone

LATTICE = Lattice(pitch_x=27.0, gap_x=4.0, height=64.0, pair_gap=3.0, aisle=13.0, cross_every=12, most_units=4)


def fit(make, width, height=64.0, *, lattice=LATTICE, margin=0.0, **more):
    site = make.site(width, height, **more)
    field = make.field(site, make.ground(make.level, max(width, 200), max(height, 200), dx=5.0))
    return fit_lattice(LATTICE, field.sieve(10.0), margin=margin)


def free(found):
    return found.runs(np.empty((0, 4)))


@pytest.mark.parametrize(
    ("room", "expected"), [(1, [1]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [4, 3]), (9, [3, 3, 3]), (10, [4, 3, 3])]
)
def test_units_join_into_arrays_as_equal_as_possible(room, expected):
    """So many good units in a row: five make 3 + 2, not 4 + 1."""
    units = np.array([[[27.0 * k, 0.0, 27.0 * k + 23.0, 64.0] for k in range(room + 2)]])
    ok = np.array([[False, *[True] * room, False]])
    runs = free(Fit(LATTICE, units, ok, ok[:, :-1] & ok[:, 1:]))
    assert runs.units.tolist() == expected
    assert_allclose(runs.rects[:, 2] - runs.rects[:, 0], runs.units * 27.0 - 4.0)
    assert runs.rects[0, 0] == 27.0


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
    field = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    rect = free(fit_lattice(LATTICE, field.sieve(10.0), margin=0.0)).rects[0]
    x = round(rect[0] + 23.0 - field.grid.x0)
    steep = make.field(make.site(200, 70.0), make.ground(make.level, 200, 200, dx=1.0))
    steep.slope[:, x : x + 4] = 30.0
    runs = free(fit_lattice(LATTICE, steep.sieve(10.0), margin=0.0))
    assert len(runs.units) > 1
    assert (steep.sieve(10.0).steep.share(runs.rects) <= 0.04).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.02))
def test_all_that_joins_is_good_ground_whole(make, seed, share):
    field = make.field(make.site(), make.ground(make.level))
    field.slope[np.random.default_rng(seed).random(field.slope.shape) < share] = 30.0
    runs = free(fit_lattice(LATTICE, field.sieve(10.0), margin=0.0))
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


def test_a_margin_keeps_pads_inside(make):
    site = make.site(600, 300)
    field = make.field(site, make.ground(make.level, 600, 300), setback_m=10.0)
    runs = free(fit_lattice(LATTICE, field.sieve(10.0), margin=1.0))
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
