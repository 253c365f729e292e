"""Compiled detection of bends tighter than their radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


KINK_M = 0.1
"""Distance between a corner and its arc below which it is no bend [m]."""
STRAIGHT = 0.01
"""Turn below which a vertex counts as straight [rad]."""
SPARE, SPARE_M = 1.03, 0.15
"""Tolerance for chords, which are shorter than arcs [-], and for rounded coordinates [m]."""


@njit(cache=True, nogil=True)
def sharp_bends(xy: FloatArray, start: IntArray, sizes: FloatArray) -> tuple[IntArray, IntArray]:
    """First vertex of each bend tighter than `sizes` of its line, and the line.

    Lines are xy[start[c]:start[c + 1]]. Between two vertices where a line turns the same way, it may turn no more than
    an arc of that length.
    """
    vertex, of_line = np.zeros(len(xy), np.int64), np.zeros(len(xy), np.int64)
    found = 0
    most = 0
    for c in range(len(sizes)):
        most = max(most, start[c + 1] - start[c])
    at, angle, way, total = np.zeros(most, np.int64), np.zeros(most), np.zeros(most), np.zeros(most)
    left = np.zeros(most, np.bool_)
    for c in range(len(sizes)):
        size = sizes[c]
        slight = 2.0 * np.arccos(size / (size + KINK_M))
        count = 0
        run = 0.0
        for k in range(start[c] + 1, start[c + 1] - 1):
            ux, uy = xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1]
            vx, vy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
            run += np.hypot(ux, uy)
            turn = np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)
            if abs(turn) > STRAIGHT:
                at[count], angle[count], way[count], left[count] = k, abs(turn), run, turn > 0
                total[count] = angle[count] + (total[count - 1] if count else 0.0)
                count += 1
        last = -np.inf
        for i in range(count):
            sharp = angle[i] > slight
            j = i + 1
            while not sharp and j < count and left[j] == left[i]:
                turned = total[j] - total[i]
                inner = turned + 0.5 * (angle[i] - angle[j])
                sharp = inner * size > (way[j] - way[i]) * SPARE + SPARE_M and turned + angle[i] > slight
                j += 1
            if sharp and way[i] - last > size:
                vertex[found], of_line[found] = at[i], c
                found += 1
                last = way[i]
    return vertex[:found].copy(), of_line[:found].copy()
