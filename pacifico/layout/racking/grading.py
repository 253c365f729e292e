"""Least grading that brings all piles into their reveal window, with a proven bound.

The corrections of the ground at the nodes of a lattice and the heights of the tubes are the variables of a linear program:
least cut plus fill, piles in their window, slopes of the ground and steps between rows within limits. Only ground near piles
that break a limit is in the program. Prices of the constraints (its dual solution) say whether more ground would help; if so, it is added.
The same prices give a volume that no solution can go below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.racking.grading_lp import KnownParts, lower_bound, make_program, solve
from pacifico.layout.racking.lattice import free_depth
from pacifico.layout.racking.piles import excess_m, tube_heights
from pacifico.layout.racking.row_steps import over_step, stepped_tubes

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.grading_problem import GradingProblem

TOLERANCE_M = 1e-6
"""Excess that is rounding [m]."""
MAX_ROUNDS = 12
"""Most times that ground is added."""
WORTH_MORE = 1e-6
"""Price of a node above its area from which it is added [-]."""
SMALL_GAP = 1e-3
"""Gap to the bound at which no more ground is added [-]."""


@dataclass(frozen=True)
class Grading:
    """Graded ground with its tubes."""

    problem: GradingProblem
    nodes: IntArray
    """Nodes whose ground is corrected."""
    correction: FloatArray
    """Fill (positive) or cut (negative) at each of them [m]."""
    graded_ground: FloatArray
    """Graded ground at each pile [m]."""
    tube: FloatArray
    """Height of the tube at each pile [m]."""
    bound_m3: float
    """Cut plus fill that no grading on this lattice can go below [m³]."""

    @property
    def cut_m3(self) -> float:
        """Volume of cut [m³]."""
        return float(-np.minimum(self.correction, 0.0).sum() * self.problem.lattice.cell_area_m2)

    @property
    def fill_m3(self) -> float:
        """Volume of fill [m³]."""
        return float(np.maximum(self.correction, 0.0).sum() * self.problem.lattice.cell_area_m2)

    @property
    def excess_m(self) -> FloatArray:
        """How far each pile is outside its window after grading [m]."""
        p = self.problem
        return np.abs(excess_m(self.graded_ground, self.tube, p.criteria))

    @property
    def above_bound(self) -> float:
        """Cut plus fill over the least possible, less 1 [-]; 0 where nothing is graded."""
        total = self.cut_m3 + self.fill_m3
        if total <= self.bound_m3 or total == 0.0:
            return 0.0
        return total / self.bound_m3 - 1.0 if self.bound_m3 > 0 else np.inf


def least_grading(problem: GradingProblem, known: KnownParts | None = None) -> Grading:
    """Least cut plus fill that keeps windows, slopes and steps between rows, then the least steel.

    Steps between rows are limited in more and more arrays until no other exceeds them.

    Parameters
    ----------
    problem : GradingProblem
        Rows, ground and limits.
    known : dict, optional
        Parts of linear programs that were solved before, which aren't solved again; grows.
    """
    known = {} if known is None else known
    depth = np.full(len(problem.node_ground), np.nan)
    tube = tube_heights(problem.rows, problem.pile_ground, problem.criteria)
    over = over_step(problem, tube)
    while True:
        problem = replace(problem, stepped=problem.stepped | over)
        tube = _with(tube, stepped_tubes(problem, problem.pile_ground, over))
        found = _graded(problem, tube, depth, known)
        over = over_step(problem, found.tube) & ~problem.stepped
        if not over.any():
            return found


def _with(tube: FloatArray, changed: FloatArray) -> FloatArray:
    """Heights of tubes with those that changed; NaN where they didn't [m]."""
    return np.where(np.isnan(changed), tube, changed)


def _graded(problem: GradingProblem, tube: FloatArray, depth: FloatArray, known: KnownParts) -> Grading:
    """Least grading with the tubes that suit it.

    Parameters
    ----------
    problem : GradingProblem
        Rows, ground and limits.
    tube : ndarray
        Best heights of tubes on natural ground [m].
    depth : ndarray
        Greatest correction of each node of the lattice [m]; NaN where it isn't known yet.
    known : dict
        Parts of linear programs that were solved; grows.
    """
    start = _over_limits(problem, tube)
    if not start.any():
        none = np.zeros(0)
        return Grading(problem, none.astype(np.int64), none, problem.pile_ground, tube, 0.0)
    return grade(problem, tube, *_corrections(problem, start, depth, known))


def grade(
    problem: GradingProblem, tube: FloatArray, nodes: IntArray, correction: FloatArray, bound_m3: float
) -> Grading:
    """Grading of some corrections, with the tubes that suit it.

    Parameters
    ----------
    problem : GradingProblem
        Rows, ground and limits.
    tube : ndarray
        Best heights of tubes on natural ground [m].
    nodes : ndarray of int
        Nodes whose ground is corrected.
    correction : ndarray
        Fill (positive) or cut (negative) at each of them [m].
    bound_m3 : float
        Cut plus fill that no grading can go below [m³].
    """
    rows, criteria = problem.rows, problem.criteria
    level = np.zeros(len(problem.node_ground))
    level[nodes] = correction
    graded = problem.pile_ground + (level[problem.nodes_of] * problem.weights).sum(axis=1)
    changed = np.unique(rows.row_of[graded != problem.pile_ground])
    arrays = np.zeros(len(rows.arrays), dtype=bool)
    arrays[rows.array_of[changed]] = True
    alone = changed[~problem.stepped[rows.array_of[changed]]]
    tube = _with(tube, tube_heights(rows, graded, criteria, chosen=alone))
    tube = _with(tube, stepped_tubes(problem, graded, arrays))
    return Grading(problem, nodes, correction, graded, tube, bound_m3)


def _over_limits(problem: GradingProblem, tube: FloatArray) -> BoolArray:
    """Piles of rows on natural ground that leave the window, or are too steep or too high beside others."""
    rows = problem.rows
    over = np.abs(excess_m(problem.pile_ground, tube, problem.criteria)) > TOLERANCE_M
    over |= over_step(problem, tube)[rows.array_of[rows.row_of]]
    a, b, limit = problem.pile_slopes()
    steep = np.abs(problem.pile_ground[b] - problem.pile_ground[a]) > limit
    over[a[steep]] = over[b[steep]] = True
    return np.isin(rows.row_of, rows.row_of[over])


def _corrections(
    problem: GradingProblem, start: BoolArray, depth: FloatArray, known: KnownParts
) -> tuple[IntArray, FloatArray, float]:
    """Nodes with their corrections [m], and the bound of cut plus fill [m³].

    Parameters
    ----------
    problem : GradingProblem
        Rows, ground and limits.
    start : ndarray of bool
        Piles around which ground is graded first.
    depth : ndarray
        Greatest correction of each node of the lattice [m]; NaN where it isn't known yet, and filled in here.
    known : dict
        Parts of linear programs that were solved; grows.
    """
    lattice, count = problem.lattice, len(problem.node_ground)

    def measure(nodes: IntArray) -> None:
        """Find the greatest correction of nodes where it is not known."""
        new = nodes[np.isnan(depth[nodes])]
        depth[new] = greatest_correction(problem, new)

    used = np.zeros(count, dtype=bool)
    wanted = lattice.around(np.unique(problem.nodes_of[start]))
    for _ in range(MAX_ROUNDS):
        measure(wanted)
        used[wanted] = depth[wanted] > 0
        nodes = with_beside(problem, used)
        measure(nodes)
        program = make_program(problem, nodes, used[nodes], depth[nodes])
        solution = solve(program, known)
        bound, worth = lower_bound(program, solution)
        more = nodes[(worth > 1 + WORTH_MORE) & ~used[nodes]]
        total = np.abs(solution.correction).sum() * lattice.cell_area_m2
        if not len(more) or total <= bound * (1 + SMALL_GAP):
            break
        wanted = lattice.around(more)
    changed = solution.correction != 0
    return nodes[changed], solution.correction[changed], bound


def greatest_correction(problem: GradingProblem, nodes: IntArray) -> FloatArray:
    """Greatest correction of nodes; 0 where ground is kept or unknown [m]."""
    free = free_depth(problem.lattice, nodes, problem.keep_off, problem.side_slope)
    found: FloatArray = np.where(np.isfinite(problem.node_ground[nodes]), free, 0.0)
    return found


def with_beside(problem: GradingProblem, used: BoolArray) -> IntArray:
    """Nodes in use, nodes beside them, and nodes around the piles of rows that they concern."""
    near_piles: BoolArray = np.any(used[problem.nodes_of], axis=1)
    piles = problem.concerned(near_piles)
    beside = np.zeros(len(used), dtype=bool)
    beside[problem.lattice.around(np.flatnonzero(used))] = True
    beside[problem.nodes_of[piles]] = True
    return np.flatnonzero(beside)
