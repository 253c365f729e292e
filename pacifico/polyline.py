"""Lengths along polylines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray


def cumulative_length(line: FloatArray) -> FloatArray:
    """Distance of each vertex from the start of a polyline, in plan [m].

    Parameters
    ----------
    line : (n, 2) or (n, 3) float
        Easting, northing and any height of each vertex [m].

    Returns
    -------
    (n,) float
        0 at the first vertex, the length of the polyline at the last [m].
    """
    return np.concatenate([[0.0], np.cumsum(_leg_lengths(line))])


def length(line: FloatArray) -> float:
    """Length of a polyline in plan [m].

    Parameters
    ----------
    line : (n, 2) or (n, 3) float
        Easting, northing and any height of each vertex [m].
    """
    return float(_leg_lengths(line).sum())


def _leg_lengths(line: FloatArray) -> FloatArray:
    """Length of each leg in plan [m]."""
    east, north = np.diff(line[:, :2], axis=0).T
    return np.asarray(np.hypot(east, north))
