"""Linear program of least grading: its matrix, its solution in parts, and the bound of its prices.

Variables are the correction of each node (fill and cut apart), the heights of tubes and the excess of each pile that stays
outside its window. Constraints are written ``matrix @ variables <= limits``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, eye_array, hstack, vstack

from pacifico.errors import InternalError
from pacifico.layout.racking.matrix_parts import MatrixParts
from pacifico.layout.racking.piles import tube_rules

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.grading_problem import GradingProblem

EXCESS_M3_PER_M = 1e5
"""Volume that a metre outside the window counts as: ground that can't be graded leaves piles outside."""
BATCH_COLUMNS = 1500
"""Variables of one linear program, where its parts don't meet: larger ones take more time for each variable."""
TUBE_RANGE_M = 500.0
"""Bound of tube heights about the ground, for the proof alone [m]."""


KnownParts = dict[bytes, tuple["FloatArray", "FloatArray"]]
"""Values and prices of parts that were solved, by their content."""


class Pairs(NamedTuple):
    """Pairs of places between which the slope of graded ground is limited."""

    matrix: csr_array
    """Change of the height difference by the corrections of all nodes."""
    rise: FloatArray
    """Height difference on natural ground [m]."""
    limit: FloatArray
    """Greatest height difference of graded ground [m]."""

    def upper(self) -> FloatArray:
        """Greatest change of each difference: what is steep by nature may stay so [m]."""
        return np.maximum(self.limit - self.rise, 0.0)

    def lower(self) -> FloatArray:
        """Least change of each difference [m]."""
        return np.minimum(-self.limit - self.rise, 0.0)


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
    """Matrix of the piles' excesses."""
    limits: FloatArray
    tube_bounds: FloatArray
    """Bounds of the tube variables, shape (n, 2)."""


@dataclass(frozen=True)
class GradingSolution:
    """Corrections of the nodes with the prices of the constraints."""

    correction: FloatArray
    """Correction of each node of the program [m]."""
    excess_m: float
    """Sum of what stays outside the window [m]."""
    prices: FloatArray
    """Price of each constraint [m³ per unit]."""


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
    rows = problem.rows
    near: BoolArray = np.any(used[problem.nodes_of], axis=1)
    piles = np.flatnonzero(np.isin(rows.row_of, np.unique(rows.row_of[near])))
    weights = _pile_weights(problem, piles, column, len(nodes))
    tubes, bounds, base = _tube_columns(problem, piles)
    level = problem.pile_ground[piles] - base
    slopes = [_node_pairs(problem, nodes[in_use], column, len(nodes)), _pile_pairs(problem, near, column, len(nodes))]
    criteria = problem.criteria
    ground = [-weights, weights, *(m for p in slopes for m in (p.matrix, -p.matrix))]
    limits = [level + criteria.max_reveal_m, -level - criteria.min_reveal_m]
    limits += [v for p in slopes for v in (p.upper(), -p.lower())]
    parts = [tubes, -tubes]
    if not criteria.straight:
        rules, most = tube_rules(rows.pile_along[piles], rows.row_of[piles], criteria)
        parts.append(rules)
        limits.append(most)
    middle = sum(m.shape[0] for m in ground[2:])
    eye = eye_array(len(piles), format="csr")
    empty = csr_array((middle, tubes.shape[1]))
    total = sum(len(v) for v in limits)
    return GradingProgram(
        nodes,
        in_use,
        depth,
        problem.lattice.cell_area_m2,
        _padded(vstack(ground, format="csr"), total),
        vstack([*parts[:2], empty, *parts[2:]], format="csr"),
        _padded(vstack([-eye, -eye], format="csr"), total),
        np.concatenate(limits),
        bounds,
    )


def _padded(matrix: csr_array, rows: int) -> csr_array:
    """Matrix with empty rows below."""
    return vstack([matrix, csr_array((rows - matrix.shape[0], matrix.shape[1]))], format="csr")


def _pile_weights(problem: GradingProblem, piles: IntArray, column: IntArray, count: int) -> csr_array:
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


def _tube_columns(problem: GradingProblem, piles: IntArray) -> tuple[csr_array, FloatArray, FloatArray]:
    """Matrix of tube heights at piles, bounds of variables, and their level [m]."""
    row = np.unique(problem.rows.row_of[piles], return_inverse=True)[1]
    counts = np.bincount(row)
    base = (np.bincount(row, weights=problem.pile_ground[piles]) / counts)[row]
    k = np.arange(len(piles))
    if not problem.criteria.straight:
        free = np.tile([-np.inf, np.inf], (len(piles), 1))
        return csr_array(eye_array(len(piles))), free, base
    along = problem.rows.pile_along[piles]
    along = along - (np.bincount(row, weights=along) / counts)[row]
    n, steepest = len(counts), problem.criteria.max_slope_along
    matrix = coo_array(
        (np.concatenate([np.ones(len(k)), along]), (np.concatenate([k, k]), np.concatenate([row, row + n]))),
        shape=(len(k), 2 * n),
    )
    bounds = np.repeat([[-np.inf, np.inf], [-steepest, steepest]], n, axis=0)
    return matrix.tocsr(), bounds, base


def _node_pairs(problem: GradingProblem, used: IntArray, column: IntArray, count: int) -> Pairs:
    """Slopes between neighbouring nodes: limits of the racking under arrays, side slopes elsewhere.

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
    return Pairs(matrix, z[b] - z[a], slope * problem.lattice.cell_m)


def _pile_pairs(problem: GradingProblem, near: BoolArray, column: IntArray, count: int) -> Pairs:
    """Slopes between piles: next to each other in a row, and of neighbouring rows.

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
    rows, criteria = problem.rows, problem.criteria
    a, b, along = rows.neighbours()
    kept = near[a] | near[b]
    a, b, along = a[kept], b[kept], along[kept]
    span = np.where(
        along, rows.pile_along[b] - rows.pile_along[a], rows.across[rows.row_of[b]] - rows.across[rows.row_of[a]]
    )
    limit = np.where(along, criteria.max_slope_along, criteria.max_slope_across) * np.abs(span)
    matrix = _pile_weights(problem, b, column, count) - _pile_weights(problem, a, column, count)
    return Pairs(csr_array(matrix), problem.pile_ground[b] - problem.pile_ground[a], limit)


def solve(program: GradingProgram, known: KnownParts | None = None) -> GradingSolution:
    """Solve a program part by part; parts share no variable.

    Parameters
    ----------
    program : GradingProgram
        Program to solve.
    known : dict, optional
        Parts that were solved before, which aren't solved again; grows by those of this program.
    """
    known = {} if known is None else known
    used = np.flatnonzero(program.in_use)
    matrix = hstack([program.ground[:, used], program.tubes, program.excess], format="csc")
    parts = MatrixParts.of(matrix)
    keys = parts.keys(matrix, _bounds(program, used), program.limits)
    values, prices = np.zeros(matrix.shape[1]), np.zeros(len(program.limits))
    fresh = np.array([p for p, key in enumerate(keys) if key not in known], dtype=np.int64)
    for batch in _batches(fresh, parts.size[fresh]):
        columns, rows = (np.flatnonzero(np.isin(p, batch)) for p in (parts.of_column, parts.of_row))
        ground = columns[columns < len(used)]
        other = columns[len(ground) :]
        tubes = other[other < len(used) + program.tubes.shape[1]]
        found = _solve_part(program, _Part(used[ground], matrix[:, ground][rows], matrix[:, other][rows],
            program.tube_bounds[tubes - len(used)], program.limits[rows]))  # fmt: skip
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
    outside = float(values[len(used) + program.tubes.shape[1] :].sum())
    return GradingSolution(np.where(np.abs(correction) < 1e-7, 0.0, correction), outside, prices)


class _Part(NamedTuple):
    """Part of a program."""

    nodes: IntArray
    """Nodes, as indices of the program."""
    ground: csr_array
    other: csr_array
    """Columns of tubes and excesses."""
    tube_bounds: FloatArray
    limits: FloatArray


def _solve_part(program: GradingProgram, part: _Part) -> Any:
    """Solution of one part by HiGHS."""
    n, tubes = len(part.nodes), len(part.tube_bounds)
    excesses = part.other.shape[1] - tubes
    depth = np.column_stack([np.zeros(n), program.depth[part.nodes]])
    found = linprog(
        np.concatenate([
            np.full(2 * n, program.area_m2), np.zeros(tubes), np.full(excesses, EXCESS_M3_PER_M)
        ]),
        A_ub=hstack([part.ground, -part.ground, part.other], format="csc"),
        b_ub=part.limits,
        bounds=np.concatenate([depth, depth, part.tube_bounds, np.tile([0.0, np.inf], (excesses, 1))]),
        method="highs",
    )  # fmt: skip
    if found.x is None:
        raise InternalError(f"the linear program of grading has no solution: {found.message}")
    return found


def _bounds(program: GradingProgram, used: IntArray) -> FloatArray:
    """Kind, least and greatest value of each variable, shape (n, 3)."""
    ground, tubes, excess = len(used), program.tubes.shape[1], program.excess.shape[1]
    kind = np.repeat([0.0, 1.0, 2.0], [ground, tubes, excess])
    least = np.concatenate([np.zeros(ground), program.tube_bounds[:, 0], np.zeros(excess)])
    most = np.concatenate([program.depth[used], program.tube_bounds[:, 1], np.full(excess, np.inf)])
    return np.column_stack([kind, least, most])


def _batches(parts: IntArray, size: IntArray) -> list[IntArray]:
    """Parts in groups of limited size."""
    group = np.cumsum(size) // BATCH_COLUMNS
    return [parts[group == g] for g in np.unique(group)]


def lower_bound(program: GradingProgram, solution: GradingSolution) -> tuple[float, FloatArray]:
    """Volume that no solution goes below [m³], and the price of each node over its area [-].

    Any prices of 0 or more give a bound: the least of the objective plus the priced constraints, with each variable in its
    own bounds. A node whose price exceeds its area takes its greatest correction there. Where that is no use, all prices are
    lowered in proportion until none exceeds. The better of both bounds is taken. It holds for solutions that leave no more
    outside the window than this one.
    """
    worth = np.abs(program.ground.T @ solution.prices) / program.area_m2
    worth = np.where(program.depth > 0, worth, 0.0)
    endless = np.isinf(program.depth)
    excess = float(np.abs(program.excess.T @ solution.prices).max(initial=0.0)) / EXCESS_M3_PER_M
    least = max(1.0, excess, float(worth[endless].max(initial=0.0)))
    beside = max(least, float(worth[~program.in_use].max(initial=0.0)))
    rest = np.abs(program.tubes.T @ solution.prices)
    reach = np.minimum(np.abs(program.tube_bounds).max(axis=1), TUBE_RANGE_M)
    value = -float(solution.prices @ program.limits) - float(rest @ reach)
    depth = np.where(endless, 0.0, program.depth)
    bounds = [
        value / by - float(program.area_m2 * (np.maximum(worth / by - 1.0, 0.0) @ depth)) for by in (least, beside)
    ]
    return max(*bounds, EXCESS_M3_PER_M * solution.excess_m) - EXCESS_M3_PER_M * solution.excess_m, worth
