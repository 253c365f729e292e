"""Ground of pads with their side slopes, which roads keep off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.layout.grade_lines.side_slopes import SECTION_M, slope_reach

if TYPE_CHECKING:
    from shapely import Polygon

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.model.earthwork import PadPlane

MOST_M = 3.0
"""Longest side slope that roads keep off; longer ones would close the lanes between arrays [m]."""


def pad_with_side_slopes(
    rect: tuple[float, float, float, float], plane: PadPlane, ground: Ground, side_slope: float
) -> Polygon:
    """Rectangle of a pad, wider on each side by its side slope there.

    Parameters
    ----------
    rect : (float, float, float, float)
        West, south, east, north of the pad [m].
    plane : PadPlane
        Its design plane.
    ground : Ground
        Heights.
    side_slope : float
        Horizontal run of a side slope for one metre of height [-].
    """
    west, south, east, north = rect
    x, y = _middles(west, east), _middles(south, north)
    start = np.concatenate(
        [
            np.column_stack([np.full(len(y), west), y]),
            np.column_stack([x, np.full(len(x), south)]),
            np.column_stack([np.full(len(y), east), y]),
            np.column_stack([x, np.full(len(x), north)]),
        ]
    )
    side = np.repeat(np.arange(4), [len(y), len(x), len(y), len(x)])
    outward = np.array([(-1.0, 0.0), (0.0, -1.0), (1.0, 0.0), (0.0, 1.0)])[side]
    away = start - ((west + east) / 2, (south + north) / 2)
    z = plane.elevation_m + away @ (plane.grade_east, plane.grade_north)
    reach = np.zeros(4)
    np.maximum.at(reach, side, slope_reach(start, outward, z, ground, side_slope))
    by = np.minimum(reach, MOST_M)
    return box(west - by[0], south - by[1], east + by[2], north + by[3])


def _middles(low: float, high: float) -> FloatArray:
    """Middles of equal pieces of a side, at most 2 m long [m]."""
    n = max(int(np.ceil((high - low) / SECTION_M)), 1)
    middles: FloatArray = low + (high - low) * (np.arange(n) + 0.5) / n
    return middles
