"""Height differences of neighbouring tubes: where they are too large, and tubes that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_array, hstack, vstack

from pacifico.errors import InternalError
from pacifico.layout.racking.grading_constraints import bends, row_steps, tube_columns, windows
from pacifico.layout.racking.piles import CHUNK_PILES, EXCESS_WEIGHT

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.grading_problem import GradingProblem
    from pacifico.layout.racking.rows import Rows

SAME_STEP_M = 1e-5
"""Height difference that is rounding [m]."""


def largest_steps(rows: Rows, tube: FloatArray) -> FloatArray:
    """Largest height difference of neighbouring tubes in each array [m]; 0 without neighbours."""
    a, b, along = rows.neighbours()
    a, b = a[~along], b[~along]
    steps = np.zeros(len(rows.arrays))
    np.maximum.at(steps, rows.array_of[rows.row_of[a]], np.abs(tube[b] - tube[a]))
    return steps


def over_step(problem: GradingProblem, tube: FloatArray) -> BoolArray:
    """Whether neighbouring tubes of each array differ by more than the racking takes."""
    over: BoolArray = largest_steps(problem.rows, tube) > problem.criteria.max_row_step_m + SAME_STEP_M
    return over


def stepped_tubes(problem: GradingProblem, ground: FloatArray, arrays: BoolArray) -> FloatArray:
    """Height of the tube at each pile of some arrays; NaN elsewhere [m].

    Piles miss their window, and rows their largest step, by the least sum; then the piles are shortest.

    Parameters
    ----------
    problem : GradingProblem
        Rows and limits.
    ground : ndarray
        Ground at each pile [m].
    arrays : ndarray of bool
        Arrays to solve; those that aren't stepped are left out.
    """
    heights = np.full(len(ground), np.nan)
    array_of_pile = problem.rows.array_of[problem.rows.row_of]
    counts = np.bincount(array_of_pile, minlength=len(problem.rows.arrays))
    chosen = np.flatnonzero(arrays & problem.stepped)
    group = np.cumsum(counts[chosen]) // CHUNK_PILES
    for g in np.unique(group):
        piles = np.flatnonzero(np.isin(array_of_pile, chosen[group == g]))
        heights[piles] = _solve(problem, ground, piles)
    return heights


def _solve(problem: GradingProblem, ground: FloatArray, piles: IntArray) -> FloatArray:
    """Height of the tube at some piles, all of each array, by one linear program [m]."""
    columns = tube_columns(problem, piles)
    parts = [windows(problem, ground[piles], columns), *bends(problem, piles), *row_steps(problem, piles, columns)]
    tubes = vstack([p.tubes for p in parts], format="csr")
    slack = block_diag([csr_array((len(p.limits), 0)) if p.slack is None else p.slack for p in parts], format="csr")
    slacks = slack.shape[1]
    found = linprog(
        np.concatenate([columns.matrix.sum(axis=0), np.full(slacks, EXCESS_WEIGHT)]),
        A_ub=hstack([tubes, slack], format="csr"),
        b_ub=np.concatenate([p.limits for p in parts]),
        bounds=np.concatenate([columns.bounds, np.tile([0.0, np.inf], (slacks, 1))]),
        method="highs",
    )
    if found.x is None:
        raise InternalError(f"the linear program of neighbouring tubes has no solution: {found.message}")
    heights: FloatArray = columns.base + columns.matrix @ found.x[: columns.matrix.shape[1]]
    return heights
