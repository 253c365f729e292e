"""Lengths along polylines."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from pacifico.polyline import cumulative_length, length

LINE = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0]])


def test_cumulative_length_runs_from_zero_to_the_length():
    assert_array_equal(cumulative_length(LINE), [0.0, 5.0, 11.0])
    assert length(LINE) == 11.0


def test_heights_do_not_count():
    raised = np.column_stack([LINE, [0.0, 50.0, -20.0]])
    assert_array_equal(cumulative_length(raised), cumulative_length(LINE))
    assert length(raised) == length(LINE)


@pytest.mark.parametrize("vertices", [1, 2])
def test_short_polylines(vertices):
    assert_array_equal(cumulative_length(LINE[:vertices]), [0.0, 5.0][:vertices])
