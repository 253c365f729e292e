"""Kernels of the exact profile: an interior-point method for heights under linear limits.

Each row bounds a combination of up to four heights. Where breaking a row has a cost, the cost is linear in the excess;
other rows are always kept. A row may also have a cost that grows with the square of the distance from its lower bound.
The normal equations are as sparse as the network: with nodes in the order from the far ends to the entry, a Cholesky
factor of a tree has no fill but that of the rows themselves.

References
----------
Mehrotra (1992), "On the implementation of a primal-dual interior point method", https://doi.org/10.1137/0802028
Davis (2006), Direct Methods for Sparse Linear Systems, chapter 4 (up-looking Cholesky)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray


MOST_STEPS = 200
"""Largest number of Newton steps; 15 to 35 are usual, more where limits are broken by much."""
GAP_SHARE = 1e-6
"""Share of the cost that a solution may be above the least cost."""
MISS_M = 1e-7
"""Largest residual of a row in a solution [m]."""
START_M = 0.05
"""Distance from bounds at which the method starts [m]."""
STEP_SHARE = 0.995
"""Share of the way to the nearest bound that a step may take."""
TINY = 1e-300
"""Smallest pivot and divisor."""


class Rows(NamedTuple):
    """Limits and costs of combinations of heights."""

    node: IntArray
    """Nodes of each row, shape (r, 4); unused places repeat the first with the factor 0."""
    factor: FloatArray
    """Factors of their heights, shape (r, 4) [-]."""
    low: FloatArray
    """Lower bound of each combination [m]."""
    high: FloatArray
    """Upper bound [m]."""
    cost: FloatArray
    """Cost of each metre beyond a bound; infinite where bounds are always kept."""
    square: FloatArray
    """Cost of the squared distance from the lower bound, per m²."""


class Sides(NamedTuple):
    """Both bounds of each row.

    Upper ones come first, then lower ones with the sign of the row changed.
    """

    bound: FloatArray
    """Largest value of the row, or of its negative [m]."""
    cost: FloatArray
    """Cost of each metre beyond it; infinite where it is always kept."""
    soft: BoolArray
    """Whether it may be exceeded."""


class Pattern(NamedTuple):
    """Places of the nonzeros of the normal equations, upper triangle by columns."""

    start: IntArray
    """First nonzero of each column."""
    row: IntArray
    """Row of each nonzero."""
    slot: IntArray
    """Nonzero of each pair of places of each row, shape (r, 10)."""


@njit(cache=True, nogil=True)
def elimination_tree(start: IntArray, row: IntArray) -> IntArray:
    """Next column that each column of the Cholesky factor changes; -1 at roots."""
    n = start.size - 1
    parent, ancestor = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for k in range(n):
        for p in range(start[k], start[k + 1]):
            i = row[p]
            while i != -1 and i < k:
                following = ancestor[i]
                ancestor[i] = k
                if following == -1:
                    parent[i] = k
                i = following
    return parent


@njit(cache=True, nogil=True)
def reach_of_row(start: IntArray, row: IntArray, k: int, parent: IntArray, stack: IntArray, mark: IntArray) -> int:
    """Columns with a nonzero in row k of the factor: `stack` from the returned place on.

    Parameters
    ----------
    start, row : array
        Upper triangle by columns.
    k : int
        Row of the factor.
    parent : array
        Elimination tree.
    stack, mark : array
        Work space; `mark` holds the last row that visited each column.
    """
    top = stack.size
    mark[k] = k
    for p in range(start[k], start[k + 1]):
        i, length = row[p], 0
        while mark[i] != k:
            stack[length] = i
            length += 1
            mark[i] = k
            i = parent[i]
        while length > 0:
            top -= 1
            length -= 1
            stack[top] = stack[length]
    return top


@njit(cache=True, nogil=True)
def factor_starts(start: IntArray, row: IntArray, parent: IntArray) -> IntArray:
    """First nonzero of each column of the Cholesky factor."""
    n = start.size - 1
    count = np.ones(n, np.int64)
    stack, mark = np.empty(n, np.int64), np.full(n, -1, np.int64)
    for k in range(n):
        for t in range(reach_of_row(start, row, k, parent, stack, mark), n):
            count[stack[t]] += 1
    out = np.zeros(n + 1, np.int64)
    for k in range(n):
        out[k + 1] = out[k] + count[k]
    return out


@njit(cache=True, nogil=True)
def cholesky(
    pattern: Pattern, value: FloatArray, parent: IntArray, begin: IntArray, at: IntArray, lower: FloatArray
) -> None:
    """Cholesky factor of the normal equations.

    Parameters
    ----------
    pattern : Pattern
        Places of nonzeros.
    value : array
        Nonzeros of the upper triangle.
    parent, begin : array
        Elimination tree, and first nonzero of each column of the factor.
    at, lower : array
        Rows and values of the factor; overwritten.
    """
    n = parent.size
    following = begin[:-1].copy()
    stack, mark, x = np.empty(n, np.int64), np.full(n, -1, np.int64), np.zeros(n)
    for k in range(n):
        top = reach_of_row(pattern.start, pattern.row, k, parent, stack, mark)
        for p in range(pattern.start[k], pattern.start[k + 1]):
            x[pattern.row[p]] = value[p]
        pivot = x[k]
        x[k] = 0.0
        for t in range(top, n):
            i = stack[t]
            share = x[i] / lower[begin[i]]
            x[i] = 0.0
            for p in range(begin[i] + 1, following[i]):
                x[at[p]] -= lower[p] * share
            pivot -= share * share
            at[following[i]], lower[following[i]] = k, share
            following[i] += 1
        at[following[k]], lower[following[k]] = k, np.sqrt(max(pivot, TINY))
        following[k] += 1


@njit(cache=True, nogil=True)
def solved(begin: IntArray, at: IntArray, lower: FloatArray, right: FloatArray) -> FloatArray:
    """Solution of the normal equations with their factor."""
    n = begin.size - 1
    x = right.copy()
    for k in range(n):
        x[k] /= lower[begin[k]]
        for p in range(begin[k] + 1, begin[k + 1]):
            x[at[p]] -= lower[p] * x[k]
    for k in range(n - 1, -1, -1):
        for p in range(begin[k] + 1, begin[k + 1]):
            x[k] -= lower[p] * x[at[p]]
        x[k] /= lower[begin[k]]
    return x


@njit(cache=True, nogil=True)
def combined(rows: Rows, z: FloatArray) -> FloatArray:
    """Combination of heights of each row."""
    out = np.empty(rows.low.size)
    for r in range(out.size):
        total = 0.0
        for a in range(4):
            total += rows.factor[r, a] * z[rows.node[r, a]]
        out[r] = total
    return out


@njit(cache=True, nogil=True)
def spread(rows: Rows, value: FloatArray, n: int) -> FloatArray:
    """Sum of each row's value times its factors, at each node."""
    out = np.zeros(n)
    for r in range(value.size):
        for a in range(4):
            out[rows.node[r, a]] += rows.factor[r, a] * value[r]
    return out


@njit(cache=True, nogil=True)
def normal_values(rows: Rows, pattern: Pattern, weight: FloatArray) -> FloatArray:
    """Nonzeros of the sum of weighted squares of all rows."""
    out = np.zeros(pattern.row.size)
    for r in range(weight.size):
        pair = 0
        for a in range(4):
            for b in range(a, 4):
                out[pattern.slot[r, pair]] += weight[r] * rows.factor[r, a] * rows.factor[r, b]
                pair += 1
    return out


@njit(cache=True, nogil=True)
def longest_step(value: FloatArray, change: FloatArray, step: float) -> float:
    """Step, shortened so that positive values stay positive."""
    for k in range(value.size):
        if change[k] < 0.0 and value[k] + step * change[k] < 0.0:
            step = -value[k] / change[k]
    return step


@njit(cache=True, nogil=True)
def start_sides(
    value: FloatArray, usual: float, sides: Sides, force: FloatArray, gap: FloatArray, excess: FloatArray
) -> None:
    """Set force, gap and excess of each side to a start.

    All products of a force and its slack start equal; sides that are broken by more start with nearly their full cost.

    Parameters
    ----------
    value : (m,) float
        Combination of heights of each row [m].
    usual : float
        Usual cost of a metre beyond a bound.
    sides : Sides
        Upper and lower bounds.
    force, gap, excess : (2m,) float
        Force on each side, its distance from the bound [m] and its excess [m]; overwritten.
    """
    m = value.size
    product = START_M * usual
    for k in range(2 * m):
        off = (value[k] if k < m else -value[k - m]) - sides.bound[k]
        cost = sides.cost[k]
        if not sides.soft[k]:
            gap[k] = max(-off, START_M)
            force[k] = product / gap[k]
            excess[k] = 0.0
        elif off > START_M:
            gap[k] = product / cost
            excess[k] = off + gap[k]
            force[k] = cost - min(product / max(excess[k], START_M), cost / 2)
        else:
            gap[k] = max(-off, START_M)
            force[k] = min(product / gap[k], cost / 2)
            excess[k] = product / (cost - force[k])


@njit(cache=True, nogil=True)
def least_cost_heights(rows: Rows, pattern: Pattern, z0: FloatArray, usual: float) -> tuple[FloatArray, bool]:
    """Heights of least cost, and whether the method converged.

    Written in loops: numba compiles each expression of arrays for itself, which takes longer.

    Parameters
    ----------
    rows : Rows
        Limits and costs.
    pattern : Pattern
        Nonzeros of the normal equations.
    z0 : (n,) float
        Heights to start from [m].
    usual : float
        Usual cost of a metre beyond a bound.
    """
    n, m = z0.size, rows.low.size
    parent = elimination_tree(pattern.start, pattern.row)
    begin = factor_starts(pattern.start, pattern.row, parent)
    at, lower = np.zeros(begin[n], np.int64), np.zeros(begin[n])
    sides = Sides(np.empty(2 * m), np.empty(2 * m), np.empty(2 * m, np.bool_))
    count = 2 * m
    for k in range(2 * m):
        sides.bound[k] = rows.high[k] if k < m else -rows.low[k - m]
        sides.cost[k] = rows.cost[k % m]
        sides.soft[k] = np.isfinite(sides.cost[k])
        count += sides.soft[k]
    soft = sides.soft
    z = z0.copy()
    force, gap, excess = np.empty(2 * m), np.empty(2 * m), np.empty(2 * m)
    start_sides(combined(rows, z), usual, sides, force, gap, excess)
    miss, left, give = np.empty(2 * m), np.empty(2 * m), np.empty(2 * m)
    weight, fixed = np.empty(2 * m), np.empty(2 * m)
    to_gap, to_excess = np.empty(2 * m), np.empty(2 * m)
    d_force, d_gap, d_excess, d_left = np.empty(2 * m), np.empty(2 * m), np.empty(2 * m), np.empty(2 * m)
    pull, residual = np.empty(m), np.empty(n)
    for _ in range(MOST_STEPS):
        value = combined(rows, z)
        kept, gaps, excesses = True, 0.0, 0.0
        for k in range(2 * m):
            miss[k] = sides.bound[k] + excess[k] - (value[k] if k < m else -value[k - m]) - gap[k]
            left[k] = sides.cost[k] - force[k] if soft[k] else 1.0
            kept = kept and np.abs(miss[k]) <= MISS_M
            gaps += force[k] * gap[k]
            excesses += left[k] * excess[k]
        squares, beyond = 0.0, 0.0
        for r in range(m):
            above = value[r] - rows.low[r]
            pull[r] = 2 * rows.square[r] * above + force[r] - force[m + r]
            squares += rows.square[r] * (above * above)
            if soft[r]:
                beyond += rows.cost[r] * max(value[r] - rows.high[r], rows.low[r] - value[r], 0.0)
        duality = gaps + excesses
        if duality <= GAP_SHARE * (1.0 + (squares + beyond)) and kept:
            return z, True
        pulled = spread(rows, pull, n)
        for k in range(n):
            residual[k] = -pulled[k]
        mean = duality / count
        for k in range(2 * m):
            give[k] = gap[k] + (force[k] * excess[k] / left[k] if soft[k] else 0.0)
            weight[k] = force[k] / give[k]
            to_gap[k], to_excess[k] = -force[k] * gap[k], -left[k] * excess[k]
        for r in range(m):
            pull[r] = 2 * rows.square[r] + weight[r] + weight[m + r]
        lower_values = normal_values(rows, pattern, pull)
        for k in range(n):
            lower_values[pattern.start[k + 1] - 1] *= 1.0 + 1e-13
        cholesky(pattern, lower_values, parent, begin, at, lower)
        change = z
        step = 1.0
        for corrector in range(2):
            for k in range(2 * m):
                shared = force[k] * to_excess[k] / left[k] if soft[k] else 0.0
                fixed[k] = (to_gap[k] - force[k] * miss[k] - shared) / give[k]
            for r in range(m):
                pull[r] = fixed[r] - fixed[m + r]
            pulled = spread(rows, pull, n)
            for k in range(n):
                pulled[k] = residual[k] - pulled[k]
            change = solved(begin, at, lower, pulled)
            moved = combined(rows, change)
            for k in range(2 * m):
                along = moved[k] if k < m else -moved[k - m]
                d_force[k] = weight[k] * along + fixed[k]
                d_excess[k] = (to_excess[k] + excess[k] * d_force[k]) / left[k] if soft[k] else 0.0
                d_left[k] = -d_force[k] if soft[k] else 0.0
                d_gap[k] = miss[k] + d_excess[k] - along
            step = longest_step(gap, d_gap, longest_step(force, d_force, 1.0))
            step = longest_step(left, d_left, longest_step(excess, d_excess, step))
            if corrector == 1:
                break
            gaps, excesses = 0.0, 0.0
            for k in range(2 * m):
                gaps += (force[k] + step * d_force[k]) * (gap[k] + step * d_gap[k])
                if soft[k]:
                    excesses += (left[k] - step * d_force[k]) * (excess[k] + step * d_excess[k])
            aim = ((gaps + excesses) / duality) ** 3 * mean
            for k in range(2 * m):
                to_gap[k] = aim - force[k] * gap[k] - d_force[k] * d_gap[k]
                to_excess[k] = aim - left[k] * excess[k] + d_force[k] * d_excess[k] if soft[k] else 0.0
        step *= STEP_SHARE
        for k in range(n):
            z[k] += step * change[k]
        for k in range(2 * m):
            force[k] += step * d_force[k]
            gap[k] += step * d_gap[k]
            excess[k] += step * d_excess[k]
    return z, False
