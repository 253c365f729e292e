"""Volume of grading under draws of the DEM's error."""

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array
from numpy.testing import assert_allclose

from pacifico.layout.generate import generate_layout
from pacifico.layout.racking.rows import make_rows
from pacifico.layout.racking.uncertainty import excess_volume, grading_spread


@pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])
def test_a_plane_within_limits_has_no_volume(criteria):
    rows = make_rows([array()], criteria)
    assert excess_volume(rows, 0.05 * rows.pile_along, criteria) == pytest.approx(0.0, abs=1e-6)


def test_a_steep_plane_has_its_excess_times_the_ground_of_a_pile():
    rows = make_rows([array(rows=3)], STRAIGHT)
    beyond = np.maximum(0.03 * np.abs(np.linspace(-30, 30, 13)) - 0.3, 0.0).sum()
    assert excess_volume(rows, 0.13 * rows.pile_along, STRAIGHT) == pytest.approx(3 * beyond * 5.0 * 60 / 13)


def test_sampled_rows_stand_for_all():
    rows = make_rows([array((100.0 * k, 0.0), rows=10) for k in range(60)], STRAIGHT)
    assert_allclose(
        excess_volume(rows, 0.13 * rows.pile_along, STRAIGHT),
        200 * excess_volume(make_rows([array(rows=3)], STRAIGHT), 0.13 * make_rows([array(rows=3)], STRAIGHT).pile_along, STRAIGHT),
    )  # fmt: skip


def test_draws_are_the_same_each_time_and_the_first_is_without_error(make):
    dem = make.dem(make.ground(lambda x, y: 100 + 0.02 * x))
    plan = generate_layout(make.site(), dem, target_capacity_kw=1000)
    first = grading_spread(plan, dem, 3)
    assert first.shape == (4,)
    assert first[0] == pytest.approx(0.0, abs=1e-6)
    assert_allclose(grading_spread(plan, dem, 3), first)
