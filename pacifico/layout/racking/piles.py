"""Heights of tubes over their piles: least grading, then least steel.

A straight tube is a line ``a + b s`` with bounded slope. Where its piles leave the reveal window, the ground is graded there
by the excess. The sum of the excesses is convex and piecewise linear in (a, b), so a vertex of its pieces is optimal: a line
through two ends of windows, or through one at the steepest slope. All of these are tried at once. A tube that bends at its
piles is a linear program in the heights of its piles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InternalError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.racking.rows import Rows

CHUNK_VALUES = 50_000
"""Values of a trial table: what a processor's cache holds, so that memory is not what takes the time."""
CHUNK_PILES = 2_000
"""Piles of one linear program of bending tubes: longer ones take more time for each pile."""
SAME_M = 1e-9
"""Difference of excesses that is rounding [m]."""
EXCESS_WEIGHT = 1e4
"""Weight of a metre of excess against a metre of pile: grading comes first."""


def tube_heights(
    rows: Rows, ground: FloatArray, criteria: RackingCriteria, *, chosen: IntArray | None = None
) -> FloatArray:
    """Height of the tube at each pile [m].

    The excess of all piles over the reveal window is least for each row, then the length of its piles.

    Parameters
    ----------
    rows : Rows
        Rows with their piles.
    ground : ndarray, shape (n,)
        Ground at each pile [m].
    criteria : RackingCriteria
        Reveal window, steepest slope and largest bend.
    chosen : ndarray of int, optional
        Rows to solve; the piles of others are NaN.
    """
    heights = np.full(len(ground), np.nan)
    chosen = np.arange(len(rows.start)) if chosen is None else chosen
    counts = np.diff(rows.first_pile)[chosen]
    for n in np.unique(counts).tolist():
        piles = rows.first_pile[chosen[counts == n], None] + np.arange(n)
        chunk = max(CHUNK_VALUES // (2 * n * n * (n + 1)) if criteria.straight else CHUNK_PILES // n, 1)
        solve = straight_tubes if criteria.straight else bent_tubes
        for k in range(0, len(piles), chunk):
            part = piles[k : k + chunk]
            heights[part] = solve(rows.pile_along[part], ground[part], criteria)
    return heights


def straight_tubes(along: FloatArray, ground: FloatArray, criteria: RackingCriteria) -> FloatArray:
    """Heights of straight tubes at their piles, shape (rows, piles) [m].

    Parameters
    ----------
    along, ground : ndarray, shape (rows, piles)
        Place and ground height of each pile [m].
    criteria : RackingCriteria
        Reveal window and steepest slope.
    """
    n = along.shape[1]
    s = along - along.mean(axis=1, keepdims=True)
    base = ground.mean(axis=1, keepdims=True)
    low, high = ground - base + criteria.min_reveal_m, ground - base + criteria.max_reveal_m
    ends, at = np.concatenate([low, high], axis=1), np.concatenate([s, s], axis=1)
    i, j = np.triu_indices(n, 1)
    i, j = np.concatenate([i, i, i + n, i + n]), np.concatenate([j, j + n, j, j + n])
    slope = (ends[:, j] - ends[:, i]) / (at[:, j] - at[:, i])
    steepest = np.full_like(ends, criteria.max_slope_along)
    slope = np.concatenate([slope, steepest, -steepest], axis=1)
    through = np.concatenate([i, np.arange(2 * n), np.arange(2 * n)])
    # a steeper line is no candidate: the steepest through the same point takes its place
    slope = np.clip(slope, -criteria.max_slope_along, criteria.max_slope_along)
    mean = ends[:, through] - slope * at[:, through]
    tube = slope[:, :, None] * s[:, None, :]
    tube += mean[:, :, None]
    over, under = tube - high[:, None], low[:, None] - tube
    np.maximum(over, under, out=over)  # at most one of them is above 0
    excess = np.maximum(over, 0.0, out=over).sum(axis=2)
    row, line = np.nonzero(excess <= excess.min(axis=1, keepdims=True) + SAME_M)
    tied = tube[row, line]  # only lines of least excess are compared by their steel
    steel = np.full_like(excess, np.inf)
    steel[row, line] = (tied - np.maximum(tied - high[row], 0.0) + np.maximum(low[row] - tied, 0.0)).sum(axis=1)
    best = np.argmin(steel, axis=1)
    k = np.arange(len(s))
    heights: FloatArray = base + mean[k, best, None] + slope[k, best, None] * s
    return heights


def excess_m(ground: FloatArray, tube: FloatArray, criteria: RackingCriteria) -> FloatArray:
    """Fill (positive) or cut (negative) that brings each pile into its window [m]."""
    reveal = tube - ground
    return np.maximum(reveal - criteria.max_reveal_m, 0.0) - np.maximum(criteria.min_reveal_m - reveal, 0.0)


def bent_tubes(along: FloatArray, ground: FloatArray, criteria: RackingCriteria) -> FloatArray:
    """Heights of bending tubes at their piles, one linear program for all rows, shape (rows, piles) [m].

    Parameters
    ----------
    along, ground : ndarray, shape (rows, piles)
        Place and ground height of each pile [m].
    criteria : RackingCriteria
        Reveal window, steepest slope and largest bend.
    """
    from scipy.optimize import linprog  # noqa: PLC0415 (0.3 s, only where tubes bend)
    from scipy.sparse import block_array, eye_array  # noqa: PLC0415 (as above)

    base = ground.mean(axis=1, keepdims=True)
    level = (ground - base).ravel()
    row = np.repeat(np.arange(len(along)), along.shape[1])
    shape, limits = tube_rules(along.ravel(), row, criteria)
    n, eye = len(level), eye_array(len(level))
    found = linprog(
        np.concatenate([np.ones(n), np.full(n, EXCESS_WEIGHT)]),
        A_ub=block_array([[shape, None], [eye, -eye], [-eye, -eye]], format="csr"),
        b_ub=np.concatenate([limits, level + criteria.max_reveal_m, -level - criteria.min_reveal_m]),
        bounds=np.column_stack([np.repeat([-np.inf, 0.0], n), np.full(2 * n, np.inf)]),
        method="highs",
    )
    if found.x is None:
        raise InternalError(f"the linear program of bending tubes has no solution: {found.message}")
    heights: FloatArray = base + found.x[:n].reshape(along.shape)
    return heights


def tube_rules(along: FloatArray, row: IntArray, criteria: RackingCriteria) -> tuple[csr_array, FloatArray]:
    """Matrix and limits by which heights of bending tubes keep slope and bend.

    Parameters
    ----------
    along, row : ndarray, shape (n,)
        Place and row of each pile; piles of a row follow each other.
    criteria : RackingCriteria
        Steepest slope and largest bend.

    Returns
    -------
    (sparse array, ndarray)
        ``matrix @ heights <= limits``.
    """
    from scipy.sparse import coo_array, vstack  # noqa: PLC0415 (0.3 s)

    n = len(along)
    k = np.flatnonzero(row[1:] == row[:-1])
    span = along[k + 1] - along[k]
    m = np.arange(len(k))
    slope = coo_array(
        (np.concatenate([-1 / span, 1 / span]), (np.concatenate([m, m]), np.concatenate([k, k + 1]))), shape=(len(k), n)
    ).tocsr()
    inner = np.flatnonzero(k[1:] == k[:-1] + 1)
    bend = slope[inner + 1] - slope[inner]
    matrix = vstack([slope, -slope, bend, -bend], format="csr")
    limits = np.repeat([criteria.max_slope_along, criteria.max_bend], [2 * len(k), 2 * len(inner)])
    return matrix, limits
