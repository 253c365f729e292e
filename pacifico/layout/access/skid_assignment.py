"""Assign arrays to inverter skids within reach that have capacity for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray

ROUNDING_KW = 1e-6
"""Capacities that differ by less count as equal [kW]."""


def assign_to_skids(centres: FloatArray, kw: FloatArray, skids: FloatArray, rating_kw: float) -> IntArray:
    """Index of the skid of each array; -1 where none has capacity.

    Pairs of array and skid are taken by distance. For an array that is left over, one that a skid serves already moves to
    another skid.

    Parameters
    ----------
    centres : (n, 2) float
        Centres of arrays [m].
    kw : (n,) float
        Capacity of each array [kW].
    skids : (m, 2) float
        Centres of skids [m].
    rating_kw : float
        Capacity of a skid [kW].
    """
    distance = np.hypot(*np.moveaxis(centres[:, None] - skids, 2, 0))
    reached: BoolArray = distance <= BLOCK_REACH_M
    home, left_kw = np.full(kw.size, -1), np.full(len(skids), rating_kw)
    arrays, near = np.nonzero(reached)
    for n in np.lexsort((near, arrays, distance[arrays, near])).tolist():
        i, s = int(arrays[n]), int(near[n])
        if home[i] < 0 and left_kw[s] >= kw[i] - ROUNDING_KW:
            home[i] = s
            left_kw[s] -= kw[i]
    for i in np.flatnonzero(home < 0).tolist():
        _make_room(i, kw, reached, home, left_kw)
    return home


def _make_room(i: int, kw: FloatArray, reached: BoolArray, home: IntArray, left_kw: FloatArray) -> None:
    """Assign an array to a skid from which another moves away.

    Parameters
    ----------
    i : int
        Array without a skid.
    kw : (n,) float
        Capacity of each array [kW].
    reached : (n, m) bool
        Whether a skid is within reach of an array.
    home : (n,) int
        Skid of each array; changed in place.
    left_kw : (m,) float
        Capacity that each skid has left; changed in place [kW].
    """
    for s in np.flatnonzero(reached[i]).tolist():
        missing_kw = kw[i] - left_kw[s] - ROUNDING_KW
        if missing_kw <= 0:
            home[i] = s
            left_kw[s] -= kw[i]
            return
        for j in np.flatnonzero((home == s) & (kw >= missing_kw)).tolist():
            others = reached[j] & (left_kw >= kw[j] - ROUNDING_KW)
            others[s] = False
            if others.any():
                t = int(np.flatnonzero(others)[np.argmax(left_kw[others])])
                home[j], home[i] = t, s
                left_kw[t] -= kw[j]
                left_kw[s] += kw[j] - kw[i]
                return
