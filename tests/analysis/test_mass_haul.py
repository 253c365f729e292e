"""Mass balance: every cubic metre is accounted for, and the haul is the least one."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.analysis.mass_haul import mass_balance
from pacifico.errors import InputError
from pacifico.layout.earthwork.criteria import EarthworkCriteria

NO_SHRINK = EarthworkCriteria(shrink=0.0)


def test_surplus_goes_to_the_nearest_need():
    places = np.array([[0, 0], [100, 0], [1000, 0]])
    balance = mass_balance(places, [50, 0, 0], [0, 30, 40], criteria=NO_SHRINK)
    assert [(h.source, h.sink) for h in balance.hauls] == [(0, 1), (0, 2)]
    assert_allclose([h.bank_m3 for h in balance.hauls], [30, 20])
    assert_allclose(balance.moment_m4, 30 * 100 + 20 * 1000)
    assert_allclose((balance.moved_m3, balance.surplus_m3, balance.borrow_m3), (50, 0, 20), atol=1e-6)
    assert_allclose(balance.moved_loose_m3, 50 * 1.25)
    assert_allclose(balance.mean_haul_m, 23_000 / 50)


def test_fill_needs_more_cut_than_its_own_volume():
    balance = mass_balance(np.array([[0, 0], [10, 0]]), [200, 0], [0, 88], criteria=EarthworkCriteria(shrink=0.12))
    assert_allclose((balance.moved_m3, balance.surplus_m3, balance.borrow_m3), (100, 100, 0), atol=1e-6)


def test_balanced_places_move_nothing():
    balance = mass_balance(np.array([[0, 0], [10, 0]]), [100, 50], [88, 44])
    assert balance.hauls == ()
    assert balance.moved_m3 == balance.surplus_m3 == balance.borrow_m3 == balance.mean_haul_m == 0.0
    assert mass_balance(np.empty((0, 2)), [], []).hauls == ()


@given(st.lists(st.tuples(*[st.floats(0, 500)] * 4), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_nothing_is_lost(rows):
    x, y, cut, fill = np.array(rows).T
    balance = mass_balance(np.column_stack((x, y)), cut, fill, criteria=NO_SHRINK)
    assert_allclose(balance.surplus_m3 - balance.borrow_m3, cut.sum() - fill.sum(), atol=1e-3)
    assert min(balance.surplus_m3, balance.borrow_m3) <= 1e-3
    left = cut - fill
    for haul in balance.hauls:
        left[haul.source] -= haul.bank_m3
        left[haul.sink] += haul.bank_m3
    assert_allclose(np.abs(left).sum(), balance.surplus_m3 + balance.borrow_m3, atol=1e-2)


def test_the_haul_is_the_least_of_all_assignments():
    rng = np.random.default_rng(4)
    places = rng.uniform(0, 1000, (10, 2))
    balance = mass_balance(places, [7.0] * 5 + [0.0] * 5, [0.0] * 5 + [7.0] * 5, criteria=NO_SHRINK)
    least = min(
        sum(math.dist(places[i], places[5 + j]) for i, j in enumerate(order))
        for order in itertools.permutations(range(5))
    )
    assert_allclose(balance.moment_m4, 7.0 * least, rtol=1e-6)


def test_bad_volumes_are_refused():
    at = np.zeros((2, 2))
    with pytest.raises(InputError, match="one of each"):
        mass_balance(at, [1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="negative or not a number"):
        mass_balance(at, [1.0, -1.0], [1.0, 2.0])
    with pytest.raises(InputError, match="negative or not a number"):
        mass_balance(at, [1.0, math.nan], [1.0, 2.0])
    with pytest.raises(InputError, match="pairs"):
        mass_balance(np.zeros((1200, 2)), [1.0] * 600 + [0.0] * 600, [0.0] * 600 + [1.0] * 600)
