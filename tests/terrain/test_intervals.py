"""Symmetric intervals: by hand, at their bounds, and holding their value whatever the draws are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacifico.terrain.intervals import symmetric_interval

FINITE = st.floats(-1e6, 1e6)


def test_half_the_width_is_the_80th_percentile_of_the_change():
    assert symmetric_interval(50.0, [-1.0, 2.0, -3.0, 4.0, -5.0, 6.0]) == (45.0, 55.0)


def test_a_bias_of_all_draws_widens_both_sides():
    assert symmetric_interval(100.0, [30.0] * 12) == (70.0, 130.0)
    assert symmetric_interval(100.0, [-30.0] * 12) == (70.0, 130.0)


def test_it_ends_at_zero_and_at_the_largest_value():
    assert symmetric_interval(10.0, [30.0, -30.0], largest=25.0) == (0.0, 25.0)
    assert symmetric_interval(0.0, [0.0, 0.0]) == (0.0, 0.0)


@given(st.floats(0, 1e6), st.lists(FINITE, min_size=1, max_size=40), st.floats(0, 1e6), st.floats(1, 10))
def test_the_value_is_always_inside_and_larger_changes_never_narrow_it(value, changes, room, factor):
    low, high = symmetric_interval(value, changes, largest=value + room)
    assert 0 <= low <= value <= high <= value + room
    wide = symmetric_interval(value, [factor * c for c in changes], largest=math.inf)
    assert wide[0] <= low + 1e-6
    assert wide[1] >= high - 1e-6


def test_without_draws_there_is_no_interval():
    with pytest.raises(IndexError):
        symmetric_interval(1.0, [])
