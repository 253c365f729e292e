"""Heights of tubes: exact on planes, never worse than a linear program, least grading before least steel."""

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from pacifico.layout.racking.piles import bent_tubes, excess_m, straight_tubes, tube_heights
from pacifico.layout.racking.rows import make_rows

S = np.linspace(0.0, 60.0, 13)
CRITERIA = pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])
TUBES = {"straight_tracker": straight_tubes, "terrain_following": bent_tubes}


def heights(ground, criteria):
    """Tube heights of one row."""
    return TUBES[criteria.name](S[None], np.asarray(ground, dtype=float)[None], criteria)[0]


@CRITERIA
@pytest.mark.parametrize("slope", [0.0, 0.1, -0.07])
def test_on_a_plane_within_limits_all_reveals_are_the_least(criteria, slope):
    assert_allclose(heights(200 + slope * S, criteria) - (200 + slope * S), 1.2, atol=1e-7)


def test_on_a_steeper_plane_the_tube_is_at_its_limit_and_the_excess_analytic():
    ground = 0.13 * S
    tube = heights(ground, STRAIGHT)
    assert_allclose(np.diff(tube) / np.diff(S), 0.1)
    beyond = np.maximum(0.03 * np.abs(S - 30.0) - 0.3, 0.0)
    assert_allclose(np.abs(excess_m(ground, tube, STRAIGHT)), beyond, atol=1e-9)


def best_by_linear_program(ground, criteria):
    """Least sum of excesses of a straight tube."""
    n = len(ground)
    line = np.column_stack([np.ones(n), S - S.mean()])
    found = linprog(
        np.r_[0, 0, np.ones(n)],
        A_ub=np.block([[line, -np.eye(n)], [-line, -np.eye(n)]]),
        b_ub=np.r_[ground + criteria.max_reveal_m, -ground - criteria.min_reveal_m],
        bounds=[(None, None), (-criteria.max_slope_along, criteria.max_slope_along), *[(0, None)] * n],
    )
    return found.fun


@pytest.mark.parametrize("seed", range(12))
def test_a_straight_tube_has_the_least_excess(seed):
    ground = 100 + np.cumsum(np.random.default_rng(seed).normal(0.02, 0.3, len(S)))
    tube = heights(ground, STRAIGHT)
    assert_allclose(np.diff(tube, 2), 0.0, atol=1e-9)
    assert np.abs(np.diff(tube) / np.diff(S)).max() <= 0.1 + 1e-9
    assert np.abs(excess_m(ground, tube, STRAIGHT)).sum() == pytest.approx(
        best_by_linear_program(ground, STRAIGHT), abs=1e-7
    )


@pytest.mark.parametrize("seed", range(6))
def test_no_straight_tube_within_the_window_has_shorter_piles(seed):
    ground = 100 + 0.02 * S + np.random.default_rng(seed).uniform(-0.15, 0.15, len(S))
    tube = heights(ground, STRAIGHT)
    assert np.abs(excess_m(ground, tube, STRAIGHT)).max() < 1e-9
    line = np.column_stack([np.ones(len(S)), S - S.mean()])
    found = linprog(
        line.sum(axis=0), A_ub=np.r_[line, -line], b_ub=np.r_[ground + 1.8, -ground - 1.2],
        bounds=[(None, None), (-0.1, 0.1)],
    )  # fmt: skip
    assert tube.sum() == pytest.approx(found.fun, abs=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_a_bending_tube_keeps_its_limits_and_needs_no_more_than_a_straight_one(seed):
    ground = 100 + np.cumsum(np.random.default_rng(seed).normal(0.0, 0.25, len(S)))
    tube = heights(ground, BENT)
    slope = np.diff(tube) / np.diff(S)
    assert np.abs(slope).max() <= 0.1 + 1e-7
    assert np.abs(np.diff(slope)).max() <= 0.0131 + 1e-7
    straight = np.abs(excess_m(ground, heights(ground, STRAIGHT), STRAIGHT)).sum()
    assert np.abs(excess_m(ground, tube, BENT)).sum() <= straight + 1e-6


@CRITERIA
def test_only_chosen_rows_are_solved(criteria):
    rows = make_rows([array(rows=3), array((100.0, 0.0), along=30.0, rows=2)], criteria)
    ground = 50 + 0.01 * rows.pile_along
    some = tube_heights(rows, ground, criteria, chosen=np.array([1, 4]))
    every = tube_heights(rows, ground, criteria)
    assert np.isfinite(every).all()
    assert np.flatnonzero(np.isfinite(some)).tolist() == np.flatnonzero(np.isin(rows.row_of, [1, 4])).tolist()
    assert_allclose(some[np.isfinite(some)], every[np.isfinite(some)], atol=1e-7)


def test_a_longer_window_never_adds_excess():
    from dataclasses import replace

    wider = replace(STRAIGHT, max_reveal_m=2.1)
    for seed in range(10):
        ground = np.cumsum(np.random.default_rng(seed).normal(0.0, 0.4, len(S)))
        sums = [np.abs(excess_m(ground, heights(ground, c), c)).sum() for c in (STRAIGHT, wider)]
        assert sums[1] <= sums[0] + 1e-9
