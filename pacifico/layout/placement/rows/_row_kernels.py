"""Compiled loops of strips with rows of several lengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.jit import njit
from pacifico.layout.placement._packing_kernels import EDGE_M, blocked_intervals, pack

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.placement._packing_kernels import SlopeTables, StripShape


class Reach(NamedTuple):
    """What cross aisles at the ends of a column reach."""

    west: float
    """Centre of the western cross aisle [m]; -inf where there is none."""
    east: float
    """Centre of the eastern cross aisle [m]; inf where there is none."""
    reach: float
    """Largest distance from the centre of a cross aisle to an array [m]."""
    least: int
    """Fewest units of an array."""
    most: int
    """Most units of an array."""


@njit(cache=True, nogil=True)
def _reached(distance: float, pitch: float, reach: Reach) -> int:
    """Units in arrays within reach of a cross aisle.

    The first array begins at a distance [m] from it.
    """
    if distance > reach.reach:
        return 0
    first = int((reach.reach - distance) // pitch)
    return (first if first >= reach.least else 0) + reach.most


@njit(cache=True, nogil=True)
def count_runs(at: FloatArray, joins: IntArray, shape: StripShape, reach: Reach) -> tuple[int, int]:
    """Units in runs long enough for an array, all and within reach.

    Those within reach are near cross aisles.

    Parameters
    ----------
    at : (n,) float
        Western edges of units [m].
    joins : (n,) int
        1 where a unit joins the next.
    shape : StripShape
        Dimensions.
    reach : Reach
        Cross aisles and sizes of arrays.
    """
    total = near = start = 0
    for k in range(joins.size):
        if joins[k] == 1 and k < joins.size - 1:
            continue
        run = k + 1 - start
        if run >= reach.least:
            total += run
            from_west = _reached(at[start] - reach.west, shape.pitch, reach)
            from_east = _reached(reach.east - at[k] - shape.width, shape.pitch, reach)
            near += min(run, from_west + from_east)
        start = k + 1
    return total, near


@njit(cache=True, nogil=True)
def count_in_column(
    ys: FloatArray, edges: FloatArray, tables: SlopeTables, shape: StripShape, bounds: FloatArray, reach: Reach
) -> FloatArray:
    """Units of arrays in a strip over one column, shape (2, ys).

    First all, then those near cross aisles.

    Parameters
    ----------
    ys : (n,) float
        Southern edges of the strip [m].
    edges : (k, 4) float
        Edges of the placeable ground in the column [m].
    tables : SlopeTables
        Ground.
    shape : StripShape
        Dimensions.
    bounds : (2,) float
        Western and eastern bound of that ground [m].
    reach : Reach
        Cross aisles and sizes of arrays.
    """
    out = np.zeros((2, ys.size))
    for j in range(ys.size):
        blocked = blocked_intervals(edges, ys[j] - EDGE_M, ys[j] + shape.height + EDGE_M, bounds[0], bounds[1])
        if blocked.shape[0] >= 2:
            at, joins = pack(blocked, tables, ys[j], shape)
            out[0, j], out[1, j] = count_runs(at, joins, shape, reach)
    return out


@njit(cache=True, nogil=True)
def stack_rows(values: FloatArray, steps: IntArray) -> tuple[IntArray, IntArray]:
    """Strips that are worth most together: places and kinds, northwards.

    Parameters
    ----------
    values : (kinds, n) float
        Worth of a strip of each kind at each place; 0 where there is none.
    steps : (kinds,) int
        Places from a strip of each kind to the next strip.
    """
    kinds, n = values.shape
    best, choice = np.zeros(n + 1), np.full(n + 1, -1, np.int64)
    for j in range(n - 1, -1, -1):
        best[j] = best[j + 1]
        for k in range(kinds):
            worth = values[k, j] + best[min(j + steps[k], n)]
            if values[k, j] > 0 and worth > best[j] + 1e-9:
                best[j], choice[j] = worth, k
    at, kind = np.empty(n, np.int64), np.empty(n, np.int64)
    m = j = 0
    while j < n:
        if choice[j] < 0:
            j += 1
            continue
        at[m], kind[m] = j, choice[j]
        j += steps[choice[j]]
        m += 1
    return at[:m].copy(), kind[:m].copy()
