"""Records of a racking design: lengths and volumes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.layout.model.racking import RACKING_METRICS, GradedCells, PileTable, RackingDesign, RowTable


def design(correction=(0.5, -0.25, 0.0), bound=18.0):
    """Design with two piles and three cells of 5 m."""
    zero = np.zeros(2)
    piles = PileTable(np.zeros(2, int), zero, zero, zero, zero, np.array([1.2, 1.4]), 2.1, np.zeros(2, bool))
    rows = RowTable(("a",), np.array([1]), np.zeros((1, 2, 3)), np.array([0, 2]), *np.zeros((3, 1)))
    cells = GradedCells(0.0, 5.0, np.zeros(3), np.zeros(3), np.array(correction))
    return RackingDesign("straight_tracker", rows, piles, (cells,), bound, 0.5, {"3.5": 1.0}, (), ())


def test_lengths_are_reveal_and_embedment_rounded_up_to_the_step():
    piles = design().piles
    assert_allclose(piles.length_m, [3.3, 3.5])
    assert_allclose(piles.ordered_m(0.5), [3.5, 3.5])
    assert_allclose(piles.ordered_m(0.2), [3.4, 3.6])


def test_volumes_and_area_are_those_of_the_cells():
    m = design().metrics()
    assert set(m) == set(RACKING_METRICS)
    assert (m["array_cut_m3"], m["array_fill_m3"], m["graded_area_ha"]) == (6.2, 12.5, 0.005)
    assert m["array_above_bound_pct"] == pytest.approx(100 * (18.75 / 18 - 1), abs=1e-3)


def test_without_grading_nothing_is_above_the_bound():
    assert design((0.0, 0.0, 0.0), 0.0).above_bound_pct == 0.0
