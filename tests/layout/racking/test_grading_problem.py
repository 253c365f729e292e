"""Grading problem: ground at nodes and piles, refused where there is none."""

import numpy as np
import pytest
from fixtures.racking import problem
from numpy.testing import assert_allclose

from pacifico.errors import InputError


def test_ground_is_taken_at_nodes_and_at_piles():
    p = problem(lambda x, y: 100 + 0.1 * x - 0.02 * y)
    x, y = p.rows.pile_xy
    assert_allclose(p.pile_ground, 100 + 0.1 * x - 0.02 * y)
    assert_allclose((p.node_ground[p.nodes_of] * p.weights).sum(axis=1), p.pile_ground)


def test_a_row_off_the_elevation_model_is_refused():
    with pytest.raises(InputError, match="no ground under"):
        problem(lambda x, y: np.where(y > 10, np.nan, 100.0))
