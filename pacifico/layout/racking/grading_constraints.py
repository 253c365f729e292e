"""Constraints of least grading: reveal windows, slopes between nodes and piles, steps between rows.

All are written ``ground @ corrections + tubes @ tube variables + slack @ slacks <= limits``. A slack is what a constraint
is missed by; it costs far more than any grading.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array, eye_array, vstack

from pacifico.layout.racking.piles import tube_rules

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.grading_problem import GradingProblem


class Constraints(NamedTuple):
    """Some constraints; a matrix that is None has no entry."""

    limits: FloatArray
    ground: csr_array | None = None
    """Matrix of the corrections."""
    tubes: csr_array | None = None
    """Matrix of the tube variables."""
    slack: csr_array | None = None
    """Matrix of slacks that these constraints alone have."""


class TubeColumns(NamedTuple):
    """Tube variables of some piles: heights are ``matrix @ variables + base``."""

    matrix: csr_array
    bounds: FloatArray
    """Least and greatest value of each variable, shape (n, 2)."""
    base: FloatArray
    """Level of each pile's row [m]."""


def tube_columns(problem: GradingProblem, piles: IntArray) -> TubeColumns:
    """Tube variables of piles: height and slope of straight tubes, else the height at each pile."""
    row = np.unique(problem.rows.row_of[piles], return_inverse=True)[1]
    counts = np.bincount(row)
    base = (np.bincount(row, weights=problem.pile_ground[piles]) / counts)[row]
    k = np.arange(len(piles))
    if not problem.criteria.straight:
        free = np.tile([-np.inf, np.inf], (len(piles), 1))
        return TubeColumns(csr_array(eye_array(len(piles))), free, base)
    along = problem.rows.pile_along[piles]
    along = along - (np.bincount(row, weights=along) / counts)[row]
    n, steepest = len(counts), problem.criteria.max_slope_along
    matrix = coo_array(
        (np.concatenate([np.ones(len(k)), along]), (np.concatenate([k, k]), np.concatenate([row, row + n]))),
        shape=(len(k), 2 * n),
    )
    bounds = np.repeat([[-np.inf, np.inf], [-steepest, steepest]], n, axis=0)
    return TubeColumns(matrix.tocsr(), bounds, base)


def windows(
    problem: GradingProblem, level: FloatArray, tubes: TubeColumns, weights: csr_array | None = None
) -> Constraints:
    """Piles are in their reveal window, or miss it by their slack.

    Parameters
    ----------
    problem : GradingProblem
        Reveal window.
    level : ndarray
        Ground at each pile [m].
    tubes : TubeColumns
        Tube variables of the piles.
    weights : sparse array, optional
        Change of the ground at each pile by the corrections of nodes.
    """
    level, criteria = level - tubes.base, problem.criteria
    eye = eye_array(len(level), format="csr")
    return Constraints(
        np.concatenate([level + criteria.max_reveal_m, -level - criteria.min_reveal_m]),
        None if weights is None else vstack([-weights, weights], format="csr"),
        vstack([tubes.matrix, -tubes.matrix], format="csr"),
        vstack([-eye, -eye], format="csr"),
    )


def bends(problem: GradingProblem, piles: IntArray) -> list[Constraints]:
    """Tubes that bend keep slope and bend; none for straight tubes."""
    if problem.criteria.straight:
        return []
    rows = problem.rows
    matrix, limits = tube_rules(rows.pile_along[piles], rows.row_of[piles], problem.criteria)
    return [Constraints(limits, tubes=matrix)]


def row_steps(problem: GradingProblem, piles: IntArray, tubes: TubeColumns) -> list[Constraints]:
    """Neighbouring tubes of stepped arrays keep their height difference, or miss it by the slack of their rows.

    Straight tubes of equal length differ most at their ends.

    Parameters
    ----------
    problem : GradingProblem
        Rows, and the arrays whose steps are limited.
    piles : ndarray of int
        Piles, ascending; all of each stepped array or none.
    tubes : TubeColumns
        Their tube variables.
    """
    rows = problem.rows
    a, b, along = rows.neighbours()
    row = rows.row_of[a]
    kept = ~along & problem.stepped[rows.array_of[row]] & np.isin(a, piles)
    if problem.criteria.straight:
        kept &= (a == rows.first_pile[row]) | (a == rows.first_pile[row + 1] - 1)
    if not kept.any():
        return []
    a, b = np.searchsorted(piles, a[kept]), np.searchsorted(piles, b[kept])
    of_row = np.unique(row[kept], return_inverse=True)[1]
    k = np.arange(len(a))
    difference = (
        coo_array(
            (np.repeat([1.0, -1.0], len(a)), (np.concatenate([k, k]), np.concatenate([b, a]))),
            shape=(len(a), len(piles)),
        ).tocsr()
        @ tubes.matrix
    )
    slack = coo_array((-np.ones(len(a)), (k, of_row)), shape=(len(a), int(of_row.max()) + 1)).tocsr()
    base, limit = tubes.base[b] - tubes.base[a], problem.criteria.max_row_step_m
    return [
        Constraints(
            np.concatenate([limit - base, limit + base]),
            tubes=vstack([difference, -difference], format="csr"),
            slack=vstack([slack, slack], format="csr"),
        )
    ]


def pile_weights(problem: GradingProblem, piles: IntArray, column: IntArray, count: int) -> csr_array:
    """Matrix of the graded ground at piles by the corrections of nodes.

    Parameters
    ----------
    problem : GradingProblem
        Nodes around each pile, and their weights.
    piles : ndarray of int
        Piles.
    column : ndarray of int
        Column of each node; -1 without one.
    count : int
        Number of columns.
    """
    at = column[problem.nodes_of[piles]]
    row = np.repeat(np.arange(len(piles)), 4)
    known = (at >= 0).ravel() & (problem.weights[piles].ravel() > 0)
    data = problem.weights[piles].ravel()[known]
    return coo_array((data, (row[known], at.ravel()[known])), shape=(len(piles), count)).tocsr()


def node_slopes(problem: GradingProblem, used: IntArray, column: IntArray, count: int) -> Constraints:
    """Slopes and falls between neighbouring nodes.

    Limits of the racking hold under arrays, side slopes elsewhere.
    What is steeper or flatter by nature may stay so.

    Parameters
    ----------
    problem : GradingProblem
        Ground and limits.
    used : ndarray of int
        Nodes that may be corrected.
    column : ndarray of int
        Column of each node; -1 without one.
    count : int
        Number of columns.
    """
    a, b, along = problem.lattice.edges(used)
    z, criteria = problem.node_ground, problem.criteria
    side = 1.0 / problem.side_slope if problem.side_slope > 0 else np.inf
    slope = np.where(along, criteria.max_slope_along, criteria.max_slope_across)
    slope = np.where(problem.under[a] & problem.under[b], slope, side)
    known = np.isfinite(z[a]) & np.isfinite(z[b]) & np.isfinite(slope)
    a, b, slope = a[known], b[known], slope[known]
    k = np.arange(len(a))
    at = np.concatenate([column[b], column[a]])
    there = at >= 0
    data, row = np.repeat([1.0, -1.0], len(a))[there], np.concatenate([k, k])[there]
    matrix = coo_array((data, (row, at[there])), shape=(len(a), count)).tocsr()
    rise, limit = z[b] - z[a], slope * problem.lattice.cell_m
    fall_to_b, fall_to_a = _fall_to_spare(problem, a, b, along[known])
    limits = np.concatenate([
        np.minimum(np.maximum(limit - rise, 0.0), fall_to_b), np.minimum(np.maximum(limit + rise, 0.0), fall_to_a)
    ])  # fmt: skip
    return Constraints(limits, vstack([matrix, -matrix], format="csr"))


def _fall_to_spare(
    problem: GradingProblem, a: IntArray, b: IntArray, along: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Fall that neighbouring nodes can spare [m].

    By so much b may rise against a where water runs to b, and a against b where it runs to a; elsewhere it is infinite.

    Water runs where the ground around falls more: along rows or across them. Ground around that falls less than the
    minimum asks for ditches, and nothing is asked of its slope.

    Parameters
    ----------
    problem : GradingProblem
        Ground and limits.
    a, b : ndarray of int
        Neighbouring nodes.
    along : ndarray of bool
        Whether they lie along the rows.
    """
    least = problem.criteria.min_drainage
    endless = np.full(len(a), np.inf)
    if least == 0.0:
        return endless, endless
    slope_along, slope_across = ((s[a] + s[b]) / 2 for s in problem.main_slopes)
    own, other = np.where(along, (slope_along, slope_across), (slope_across, slope_along))
    drains = problem.under[a] & problem.under[b] & (np.abs(own) >= np.abs(other)) & (np.abs(own) >= least)
    fall = np.sign(own) * (problem.node_ground[b] - problem.node_ground[a])
    spare = np.maximum(fall - least * problem.lattice.cell_m, 0.0)
    return np.where(drains & (own < 0), spare, np.inf), np.where(drains & (own > 0), spare, np.inf)


def pile_slopes(problem: GradingProblem, near: BoolArray, column: IntArray, count: int) -> Constraints:
    """Slopes between neighbouring piles, along a row and across rows, keep the limits or miss them by a slack.

    Parameters
    ----------
    problem : GradingProblem
        Ground and limits.
    near : ndarray of bool
        Whether a node that may be corrected is beside each pile.
    column : ndarray of int
        Column of each node; -1 without one.
    count : int
        Number of columns.
    """
    a, b, limit = problem.pile_slopes()
    kept = near[a] | near[b]
    a, b, limit = a[kept], b[kept], limit[kept]
    matrix = csr_array(pile_weights(problem, b, column, count) - pile_weights(problem, a, column, count))
    rise = problem.pile_ground[b] - problem.pile_ground[a]
    steep = np.flatnonzero(np.abs(rise) > limit)
    slack = coo_array((-np.ones(len(steep)), (steep, np.arange(len(steep)))), shape=(len(a), len(steep))).tocsr()
    return Constraints(
        np.concatenate([limit - rise, limit + rise]),
        vstack([matrix, -matrix], format="csr"),
        slack=vstack([slack, slack], format="csr"),
    )
