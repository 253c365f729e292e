"""Tubes that keep the height difference of neighbouring rows."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array, problem

from pacifico.layout.racking.piles import excess_m, tube_heights
from pacifico.layout.racking.row_steps import largest_steps, over_step, stepped_tubes

CRITERIA = pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])


def stepped(criteria, step_m, rise):
    """Problem of two arrays on ground that rises from row to row [m]; the first is stepped."""
    p = problem(lambda x, y: rise / 5 * x + 0.01 * y, replace(criteria, max_row_step_m=step_m), [
        array(), array((100.0, 0.0), name="solar_array-0002"),
    ])  # fmt: skip
    return replace(p, stepped=np.array([True, False]))


def test_the_largest_step_of_each_array():
    p = stepped(STRAIGHT, 1.0, 0.4)
    tube = tube_heights(p.rows, p.pile_ground, p.criteria)
    assert largest_steps(p.rows, tube) == pytest.approx([0.4, 0.4])
    assert not over_step(p, tube).any()
    assert over_step(stepped(STRAIGHT, 0.3, 0.4), tube).all()


@CRITERIA
def test_tubes_keep_steps_and_window_where_both_can_be(criteria):
    """Four rows 0.4 m apart: 0.2 m a row leaves 0.3 m above or below the middle, half a window."""
    p = stepped(criteria, 0.2, 0.4)
    tube = stepped_tubes(p, p.pile_ground, np.array([True, True]))
    first = p.rows.array_of[p.rows.row_of] == 0
    assert np.isnan(tube[~first]).all()
    assert largest_steps(p.rows, np.nan_to_num(tube))[0] <= 0.2 + 1e-6
    assert np.abs(excess_m(p.pile_ground, tube, p.criteria)[first]).max() < 1e-6


@CRITERIA
def test_wide_steps_leave_tubes_as_they_are(criteria):
    p = stepped(criteria, 1.0, 0.4)
    tube = stepped_tubes(p, p.pile_ground, np.array([True, False]))
    first = p.rows.array_of[p.rows.row_of] == 0
    alone = tube_heights(p.rows, p.pile_ground, p.criteria)
    assert tube[first].sum() == pytest.approx(alone[first].sum(), abs=1e-5)
