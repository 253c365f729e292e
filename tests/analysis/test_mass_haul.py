"""Mass haul: every cubic metre is accounted for, and no haul is shorter."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.analysis.mass_haul import mass_haul
from pacifico.errors import InputError
from pacifico.layout.earthwork.criteria import EarthworkCriteria

NO_SHRINK = EarthworkCriteria(shrink=0.0)


def test_surplus_goes_to_the_nearest_place_that_lacks_fill():
    places = np.array([[0, 0], [100, 0], [1000, 0]])
    haul = mass_haul(places, [50, 0, 0], [0, 30, 40], criteria=NO_SHRINK)
    assert [(h.source, h.sink) for h in haul.hauls] == [(0, 1), (0, 2)]
    assert_allclose([h.bank_m3 for h in haul.hauls], [30, 20])
    assert_allclose(haul.haul_moment_m4, 30 * 100 + 20 * 1000)
    assert_allclose((haul.hauled_m3, haul.spoil_m3, haul.borrow_m3), (50, 0, 20), atol=1e-6)
    assert_allclose(haul.hauled_loose_m3, 50 * 1.25)
    assert_allclose(haul.mean_haul_m, 23_000 / 50)


def test_fill_takes_more_bank_volume_than_its_own():
    haul = mass_haul(np.array([[0, 0], [10, 0]]), [200, 0], [0, 88], criteria=EarthworkCriteria(shrink=0.12))
    assert_allclose((haul.hauled_m3, haul.spoil_m3, haul.borrow_m3), (100, 100, 0), atol=1e-6)


def test_balanced_places_haul_nothing():
    haul = mass_haul(np.array([[0, 0], [10, 0]]), [100, 50], [88, 44])
    assert haul.hauls == ()
    assert haul.hauled_m3 == haul.spoil_m3 == haul.borrow_m3 == haul.mean_haul_m == 0.0
    assert mass_haul(np.empty((0, 2)), [], []).hauls == ()


@given(st.lists(st.tuples(*[st.floats(0, 500)] * 4), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_all_volumes_are_accounted_for(rows):
    x, y, cut, fill = np.array(rows).T
    haul = mass_haul(np.column_stack((x, y)), cut, fill, criteria=NO_SHRINK)
    assert_allclose(haul.spoil_m3 - haul.borrow_m3, cut.sum() - fill.sum(), atol=1e-3)
    assert min(haul.spoil_m3, haul.borrow_m3) <= 1e-3
    left = cut - fill
    for h in haul.hauls:
        left[h.source] -= h.bank_m3
        left[h.sink] += h.bank_m3
    assert_allclose(np.abs(left).sum(), haul.spoil_m3 + haul.borrow_m3, atol=1e-2)


def test_no_assignment_has_a_shorter_haul():
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 1000, (10, 2))
    haul = mass_haul(places, [7.0] * 5 + [0.0] * 5, [0.0] * 5 + [7.0] * 5, criteria=NO_SHRINK)
    least = min(
        sum(math.dist(places[i], places[5 + j]) for i, j in enumerate(order))
        for order in itertools.permutations(range(5))
    )
    assert_allclose(haul.haul_moment_m4, 7.0 * least, rtol=1e-6)


def test_invalid_volumes_are_refused():
    at = np.zeros((2, 2))
    with pytest.raises(InputError, match="one of each"):
        mass_haul(at, [1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="negative or not a number"):
        mass_haul(at, [1.0, -1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="negative or not a number"):
        mass_haul(at, [1.0, math.nan], [1.0, 2.0])
    with pytest.raises(InputError, match="pairs"):
        mass_haul(np.zeros((1200, 2)), [1.0] * 600 + [0.0] * 600, [0.0] * 600 + [1.0] * 600)
