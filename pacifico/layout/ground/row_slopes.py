"""Cells that are too steep along or across the rows of an array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.grid import Grid
    from pacifico.layout.criteria.racking import ArraySlopes


def steep_for_rows(heights: FloatArray, grid: Grid, slopes: ArraySlopes) -> BoolArray:
    """Cells between whose neighbours the ground is steeper than rows take, shape (ny, nx).

    Slopes are taken over the distance between piles or rows, at least a cell: bumps within it don't matter. The cell in the
    middle of that distance is marked, or both cells beside it.

    Parameters
    ----------
    heights : ndarray, shape (ny, nx)
        Ground at cell centres [m]; NaN is not steep.
    grid : Grid
        Its grid.
    slopes : ArraySlopes
        Steepest slopes to the north and to the east.
    """
    marked = np.zeros(grid.shape, dtype=bool)
    _mark(marked, heights, grid.dy, slopes.north, slopes.north_span_m)
    _mark(marked.T, heights.T, grid.dx, slopes.east, slopes.east_span_m)
    return marked


def _mark(marked: BoolArray, heights: FloatArray, cell_m: float, limit: float, span_m: float) -> None:
    """Mark the cells where heights of a column differ by more than a slope limit.

    Parameters
    ----------
    marked : ndarray of bool, shape (ny, nx)
        Cells, changed in place.
    heights : ndarray, shape (ny, nx)
        Ground at cell centres [m].
    cell_m : float
        Distance of cells in a column [m].
    limit : float
        Steepest slope [rise/run].
    span_m : float
        Distance over which it is taken [m].
    """
    step = max(round(span_m / cell_m), 1)
    if not np.isfinite(limit) or step >= len(heights):
        return
    over = np.abs(heights[step:] - heights[:-step]) > limit * step * cell_m
    for first in {step // 2, (step + 1) // 2}:
        marked[first : first + len(over)] |= over
