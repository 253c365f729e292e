"""Constraints of grading: what they forbid and what they allow, in heights and slopes."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, problem

from pacifico.layout.racking.grading_constraints import (
    bends,
    node_slopes,
    pile_slopes,
    pile_weights,
    row_steps,
    tube_columns,
    windows,
)
from pacifico.layout.racking.piles import tube_heights


@pytest.fixture(scope="module")
def plane():
    """Plane within all limits, with all arrays stepped."""
    p = problem(lambda x, y: 0.05 * x + 0.03 * y)
    return replace(p, stepped=np.ones(1, dtype=bool))


def columns_of(p):
    nodes = np.arange(len(p.node_ground))
    return nodes, nodes, len(nodes)


def test_heights_of_tubes_are_their_variables_and_base(plane):
    piles = np.arange(len(plane.pile_ground))
    tubes = tube_columns(plane, piles)
    rows = len(plane.rows.start)
    height, slope = np.full(rows, 1.5), np.full(rows, 0.03)
    assert tubes.matrix @ np.r_[height, slope] + tubes.base == pytest.approx(plane.pile_ground + 1.5)


@pytest.mark.parametrize(("up", "kept"), [(1.1, False), (1.2, True), (1.8, True), (1.9, False)])
def test_windows_hold_reveals(plane, up, kept):
    piles = np.arange(len(plane.pile_ground))
    tubes = tube_columns(plane, piles)
    held = windows(plane, plane.pile_ground, tubes)
    rows = len(plane.rows.start)
    values = held.tubes @ np.r_[np.full(rows, up), np.full(rows, 0.03)]
    assert (values <= held.limits + 1e-9).all() == kept
    assert (values + held.slack @ np.full(held.slack.shape[1], 0.11) <= held.limits).all()


@pytest.mark.parametrize(("slope", "kept"), [(0.04, True), (0.06, False)])
def test_natural_ground_keeps_the_slopes_between_piles_or_misses_them(slope, kept):
    p = problem(lambda x, y: slope * y, replace(STRAIGHT, max_slope_along=0.05))
    held = pile_slopes(p, np.ones(len(p.pile_ground), dtype=bool), *columns_of(p)[1:])
    assert (held.limits >= 0).all() == kept
    assert (held.slack.shape[1] == 0) == kept


def test_slopes_between_nodes_may_stay_as_steep_as_they_are():
    p = problem(lambda x, y: 0.3 * y)
    assert (node_slopes(p, *columns_of(p)).limits >= 0).all()


@pytest.mark.parametrize(("step", "kept"), [(0.3, True), (0.2, False)])
def test_steps_are_held_between_rows_5_m_apart(plane, step, kept):
    p = replace(plane, criteria=replace(STRAIGHT, max_row_step_m=step))
    piles = np.arange(len(p.pile_ground))
    tubes = tube_columns(p, piles)
    (held,) = row_steps(p, piles, tubes)
    rows = len(p.rows.start)
    values = held.tubes @ np.r_[np.full(rows, 1.2), np.full(rows, 0.03)]
    assert (values <= held.limits + 1e-9).all() == kept
    assert held.slack.shape[1] == rows - 1


def test_arrays_that_are_not_stepped_have_no_steps(plane):
    p = replace(plane, stepped=np.zeros(1, dtype=bool))
    piles = np.arange(len(p.pile_ground))
    assert row_steps(p, piles, tube_columns(p, piles)) == []


def test_only_tubes_that_bend_have_bends(plane):
    piles = np.arange(len(plane.pile_ground))
    assert bends(plane, piles) == []
    bent = replace(plane, criteria=BENT)
    (held,) = bends(bent, piles)
    assert (held.tubes @ tube_heights(bent.rows, bent.pile_ground, BENT) <= held.limits + 1e-6).all()


def test_the_ground_at_piles_follows_the_corrections(plane):
    nodes, column, count = columns_of(plane)
    weights = pile_weights(plane, np.arange(len(plane.pile_ground)), column, count)
    s, n = plane.lattice.places(nodes)
    rows = plane.rows
    assert weights @ (0.1 * s + 0.2 * n) == pytest.approx(0.1 * rows.pile_along + 0.2 * rows.across[rows.row_of])
