"""Kernels of drainage: fill depressions from the edge, and add up what drains through each cell.

Cells leave a priority queue from the lowest to the highest. A cell that a lower one reaches first drains to it, and is
raised above it where it lies in a depression.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.jit import njit

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray


@njit(cache=True, nogil=True)
def _push(heights: FloatArray, cells: IntArray, size: int, height: float, cell: int) -> int:
    """Add a cell to the queue; of equal heights the first cell comes first."""
    k = size
    while k > 0:
        parent = (k - 1) >> 1
        if heights[parent] < height or (heights[parent] == height and cells[parent] < cell):
            break
        heights[k], cells[k] = heights[parent], cells[parent]
        k = parent
    heights[k], cells[k] = height, cell
    return size + 1


@njit(cache=True, nogil=True)
def _pop(heights: FloatArray, cells: IntArray, size: int) -> int:
    """Take the first cell from the queue: move the last one into its place."""
    size -= 1
    height, cell = heights[size], cells[size]
    k = 0
    while 2 * k + 1 < size:
        child = 2 * k + 1
        right = child + 1
        if right < size and (
            heights[right] < heights[child] or (heights[right] == heights[child] and cells[right] < cells[child])
        ):
            child = right
        if height < heights[child] or (height == heights[child] and cell < cells[child]):
            break
        heights[k], cells[k] = heights[child], cells[child]
        k = child
    heights[k], cells[k] = height, cell
    return size


@njit(cache=True, nogil=True)
def _is_outlet(z: FloatArray, i: int, j: int) -> bool:
    """Whether a cell lies on the edge of the known ground."""
    rows, columns = z.shape
    if i == 0 or j == 0 or i == rows - 1 or j == columns - 1:
        return True
    for a in range(i - 1, i + 2):
        for b in range(j - 1, j + 2):
            if math.isnan(z[a, b]):
                return True
    return False


@njit(cache=True, nogil=True)
def drain(z: FloatArray, step: float) -> tuple[FloatArray, IntArray, FloatArray]:
    """Filled heights, downstream cells and numbers of upstream cells.

    The downstream cell is -1 at outlets and on nodata; nodata counts as no cell.

    Parameters
    ----------
    z : (rows, columns) float
        Heights; NaN is nodata [m].
    step : float
        Rise from cell to cell in a filled depression, so that it drains [m].
    """
    rows, columns = z.shape
    filled = z.copy()
    receiver = np.full(z.size, -1, np.int64)
    done: BoolArray = np.zeros((rows, columns), np.bool_)
    heights, cells = np.empty(z.size), np.empty(z.size, np.int64)
    order = np.empty(z.size, np.int64)
    size = count = 0
    for i in range(rows):
        for j in range(columns):
            if math.isnan(z[i, j]):
                done[i, j] = True
            elif _is_outlet(z, i, j):
                done[i, j] = True
                size = _push(heights, cells, size, z[i, j], i * columns + j)
    while size > 0:
        height, cell = heights[0], cells[0]
        size = _pop(heights, cells, size)
        order[count] = cell
        count += 1
        i, j = cell // columns, cell % columns
        for a in range(max(i - 1, 0), min(i + 2, rows)):
            for b in range(max(j - 1, 0), min(j + 2, columns)):
                if not done[a, b]:
                    done[a, b] = True
                    filled[a, b] = max(z[a, b], height + step)
                    receiver[a * columns + b] = cell
                    size = _push(heights, cells, size, filled[a, b], a * columns + b)
    through = np.zeros(z.size)
    for k in range(count - 1, -1, -1):
        cell = order[k]
        through[cell] += 1.0
        if receiver[cell] >= 0:
            through[receiver[cell]] += through[cell]
    return filled, receiver, through.reshape(rows, columns)
