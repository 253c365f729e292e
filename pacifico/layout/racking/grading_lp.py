"""Linear program of least grading: its matrix, its solution in parts, and the bound of its prices.

Variables are the correction of each node (fill and cut apart), the heights of tubes and the slacks: what piles stay outside
their window by, and what slopes and steps stay over their limits by. Constraints are written ``matrix @ variables <= limits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_array, hstack, vstack

from pacifico.errors import InternalError
from pacifico.layout.racking.grading_constraints import (
    bends,
    node_slopes,
    pile_slopes,
    pile_weights,
    row_steps,
    tube_columns,
    windows,
)
from pacifico.layout.racking.matrix_parts import MatrixParts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.grading_constraints import Constraints
    from pacifico.layout.racking.grading_problem import GradingProblem

EXCESS_M3_PER_M = 1e5
"""Volume that a metre outside the window or over a limit counts as: some ground can't be graded."""
BATCH_COLUMNS = 1500
"""Variables of one linear program, where its parts don't meet: larger ones take more time for each variable."""
TUBE_RANGE_M = 500.0
"""Bound of tube heights about the ground, for the proof alone [m]."""


KnownParts = dict[bytes, tuple["FloatArray", "FloatArray"]]
"""Values and prices of parts that were solved, by their content."""


@dataclass(frozen=True)
class GradingProgram:
    """Linear program over some nodes and all rows that these concern."""

    nodes: IntArray
    """Nodes in the matrix: those in use, and those beside them."""
    in_use: BoolArray
    """Whether each node may be corrected; the others only have a price."""
    depth: FloatArray
    """Greatest correction of each node [m]."""
    area_m2: float
    """Area of a node's cell [m²]."""
    ground: csr_array
    """Matrix of the corrections."""
    tubes: csr_array
    """Matrix of the tube variables."""
    excess: csr_array
    """Matrix of the slacks, first the excess of each pile."""
    limits: FloatArray
    tube_bounds: FloatArray
    """Bounds of the tube variables, shape (n, 2)."""


@dataclass(frozen=True)
class GradingSolution:
    """Corrections of the nodes with the prices of the constraints."""

    correction: FloatArray
    """Correction of each node of the program [m]."""
    excess_m: float
    """Sum of what stays outside the window or over limits [m]."""
    prices: FloatArray
    """Price of each constraint [m³ per unit]."""
    part: IntArray
    """Part of the program that each node is in; -1 where it isn't in use."""
    excess_of: FloatArray
    """Sum of what stays outside the window or over limits in each part [m]."""


def make_program(problem: GradingProblem, nodes: IntArray, in_use: BoolArray, depth: FloatArray) -> GradingProgram:
    """Linear program over some nodes.

    Parameters
    ----------
    problem : GradingProblem
        Rows, ground and limits.
    nodes : ndarray of int
        Nodes, ascending.
    in_use : ndarray of bool
        Which of them may be corrected.
    depth : ndarray
        Greatest correction of each [m].
    """
    column = np.full(len(problem.node_ground), -1)
    column[nodes] = np.arange(len(nodes))
    used = np.zeros(len(problem.node_ground), dtype=bool)
    used[nodes[in_use]] = True
    near: BoolArray = np.any(used[problem.nodes_of], axis=1)
    piles = np.flatnonzero(problem.concerned(near))
    tubes = tube_columns(problem, piles)
    weights = pile_weights(problem, piles, column, len(nodes))
    parts = [
        windows(problem, problem.pile_ground[piles], tubes, weights),
        node_slopes(problem, nodes[in_use], column, len(nodes)),
        pile_slopes(problem, near, column, len(nodes)),
        *bends(problem, piles),
        *row_steps(problem, piles, tubes),
    ]
    return GradingProgram(
        nodes,
        in_use,
        depth,
        problem.lattice.cell_area_m2,
        _stacked(parts, "ground", len(nodes)),
        _stacked(parts, "tubes", tubes.matrix.shape[1]),
        csr_array(block_diag([_or_empty(p.slack, len(p.limits), 0) for p in parts])),
        np.concatenate([p.limits for p in parts]),
        tubes.bounds,
    )


def _or_empty(matrix: csr_array | None, rows: int, columns: int) -> csr_array:
    """Matrix, or an empty one of some rows and columns."""
    return csr_array((rows, columns)) if matrix is None else matrix


def _stacked(parts: Sequence[Constraints], which: Literal["ground", "tubes"], columns: int) -> csr_array:
    """Matrix of one kind of variables in all constraints."""
    blocks = [_or_empty(getattr(p, which), len(p.limits), columns) for p in parts]
    return csr_array(vstack(blocks, format="csr"))


def solve(
    program: GradingProgram, known: KnownParts | None = None, unit_costs: FloatArray | None = None
) -> GradingSolution:
    """Solve a program part by part; parts share no variable.

    Parameters
    ----------
    program : GradingProgram
        Program to solve.
    known : dict, optional
        Parts that were solved before, which aren't solved again; grows by those of this program.
    unit_costs : ndarray, optional
        Cost of fill and of cut at each node, shape (n, 2) [m³/m³]; 1 without them.
    """
    known = {} if known is None else known
    costs = np.ones((len(program.nodes), 2)) if unit_costs is None else unit_costs
    used = np.flatnonzero(program.in_use)
    matrix = hstack([program.ground[:, used], program.tubes, program.excess], format="csc")
    parts = MatrixParts.of(matrix)
    keys = parts.keys(matrix, _about_columns(program, used, costs), program.limits)
    values, prices = np.zeros(matrix.shape[1]), np.zeros(len(program.limits))
    fresh = np.array([p for p, key in enumerate(keys) if key not in known], dtype=np.int64)
    for batch in _batches(fresh, parts.size[fresh]):
        columns, rows = (np.flatnonzero(np.isin(p, batch)) for p in (parts.of_column, parts.of_row))
        ground = columns[columns < len(used)]
        other = columns[len(ground) :]
        tubes = other[other < len(used) + program.tubes.shape[1]]
        found = _solve_part(program, _Part(used[ground], matrix[:, ground][rows], matrix[:, other][rows],
            program.tube_bounds[tubes - len(used)], program.limits[rows], costs[used[ground]]))  # fmt: skip
        n = len(ground)
        values[ground], values[other] = found.x[:n] - found.x[n : 2 * n], found.x[2 * n :]
        prices[rows] = np.maximum(-found.ineqlin.marginals, 0.0)
    for p, key in enumerate(keys):
        columns, rows = parts.columns(p), parts.rows(p)
        if key in known:
            values[columns], prices[rows] = known[key]
        else:
            known[key] = values[columns], prices[rows]
    correction = np.zeros(len(program.nodes))
    correction[used] = values[: len(used)]
    first = len(used) + program.tubes.shape[1]
    part = np.full(len(program.nodes), -1)
    part[used] = parts.of_column[: len(used)]
    excess = np.bincount(parts.of_column[first:], weights=values[first:], minlength=len(keys))
    outside = float(values[first:].sum())
    return GradingSolution(
        np.where(np.abs(correction) < 1e-7, 0.0, correction), outside, prices, part, excess.astype(np.float64)
    )


class _Part(NamedTuple):
    """Part of a program."""

    nodes: IntArray
    """Nodes, as indices of the program."""
    ground: csr_array
    other: csr_array
    """Columns of tubes and excesses."""
    tube_bounds: FloatArray
    limits: FloatArray
    unit_costs: FloatArray
    """Cost of fill and of cut at each node, shape (n, 2) [m³/m³]."""


def _solve_part(program: GradingProgram, part: _Part) -> Any:
    """Solution of one part by HiGHS."""
    n, tubes = len(part.nodes), len(part.tube_bounds)
    excesses = part.other.shape[1] - tubes
    depth = np.column_stack([np.zeros(n), program.depth[part.nodes]])
    found = linprog(
        np.concatenate([
            program.area_m2 * part.unit_costs.T.ravel(), np.zeros(tubes), np.full(excesses, EXCESS_M3_PER_M)
        ]),
        A_ub=hstack([part.ground, -part.ground, part.other], format="csc"),
        b_ub=part.limits,
        bounds=np.concatenate([depth, depth, part.tube_bounds, np.tile([0.0, np.inf], (excesses, 1))]),
        method="highs-ds",
        options={"presolve": False},  # it removes little here, and takes longer than what it saves
    )  # fmt: skip
    if found.x is None:
        raise InternalError(f"the linear program of grading has no solution: {found.message}")
    return found


def _about_columns(program: GradingProgram, used: IntArray, costs: FloatArray) -> FloatArray:
    """Kind, least and greatest value, and costs of fill and cut of each variable, shape (n, 5)."""
    ground, tubes, excess = len(used), program.tubes.shape[1], program.excess.shape[1]
    kind = np.repeat([0.0, 1.0, 2.0], [ground, tubes, excess])
    least = np.concatenate([np.zeros(ground), program.tube_bounds[:, 0], np.zeros(excess)])
    most = np.concatenate([program.depth[used], program.tube_bounds[:, 1], np.full(excess, np.inf)])
    cost = np.concatenate([costs[used], np.zeros((tubes + excess, 2))])
    return np.column_stack([kind, least, most, cost])


def _batches(parts: IntArray, size: IntArray) -> list[IntArray]:
    """Parts in groups of limited size."""
    group = np.cumsum(size) // BATCH_COLUMNS
    return [parts[group == g] for g in np.unique(group)]


def lower_bound(program: GradingProgram, solution: GradingSolution) -> tuple[float, FloatArray]:
    """Volume that no solution goes below [m³], and the price of each node over its area [-].

    It holds for solutions that leave no more outside the window than this one.
    """
    value, worth = dual_value(program, solution.prices)
    outside = EXCESS_M3_PER_M * solution.excess_m
    return max(value, outside) - outside, worth


def dual_value(
    program: GradingProgram, prices: FloatArray, unit_costs: FloatArray | None = None
) -> tuple[float, FloatArray]:
    """Objective that no solution goes below [m³], and the price of each node over its cost [-].

    Any prices of 0 or more give a bound: the least of the objective plus the priced constraints, with each variable in its
    own bounds. A node whose price exceeds its cost takes its greatest correction there. Where that is no use, all prices are
    lowered in proportion until none exceeds. The better of both bounds is taken.

    Parameters
    ----------
    program : GradingProgram
        Program to bound.
    prices : ndarray
        Price of each constraint [m³ per unit].
    unit_costs : ndarray, optional
        Cost of fill and of cut at each node, shape (n, 2), above 0 [m³/m³]; 1 without them.
    """
    fill_cost, cut_cost = (1.0, 1.0) if unit_costs is None else (unit_costs[:, 0], unit_costs[:, 1])
    price = program.ground.T @ prices / program.area_m2
    price = np.where(program.depth > 0, price, 0.0)
    worth = np.maximum(-price / fill_cost, price / cut_cost)
    endless = np.isinf(program.depth)
    excess = float(np.abs(program.excess.T @ prices).max(initial=0.0)) / EXCESS_M3_PER_M
    least = max(1.0, excess, float(worth[endless].max(initial=0.0)))
    beside = max(least, float(worth[~program.in_use].max(initial=0.0)))
    rest = np.abs(program.tubes.T @ prices)
    reach = np.minimum(np.abs(program.tube_bounds).max(axis=1), TUBE_RANGE_M)
    value = -float(prices @ program.limits) - float(rest @ reach)
    depth = np.where(endless, 0.0, program.depth)
    bounds = []
    for by in (least, beside):
        over = np.maximum(-price / by - fill_cost, price / by - cut_cost)
        bounds.append(value / by - float(program.area_m2 * (np.maximum(over, 0.0) @ depth)))
    return max(bounds), worth
