"""Kernel that finds bends tighter than their radius."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from pacifico.layout.alignment._line_kernels import KINK_M

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


STRAIGHT = 0.01
"""A vertex that turns less counts as straight [rad]."""
SPARE, SPARE_M = 1.03, 0.15
"""Tolerance for chords, which are shorter than their arc [-], and for rounded coordinates [m]."""


@njit(cache=True, nogil=True)
def sharp_bends(xy: FloatArray, start: IntArray, radii: FloatArray) -> tuple[IntArray, IntArray]:
    """First vertex of each bend tighter than its line's radius, and the line.

    Lines are xy[start[c]:start[c + 1]]. Between two vertices where a line turns the same way, it may turn no more than
    an arc of that length. Half the turn at these two vertices lies outside the stretch between them.
    """
    vertex, of_line = np.zeros(len(xy), np.int64), np.zeros(len(xy), np.int64)
    found = 0
    longest = 0
    for c in range(len(radii)):
        longest = max(longest, start[c + 1] - start[c])
    # vertices where a line turns: their number, angle, distance along the line, and total turn so far
    at, angle, along, total = np.zeros(longest, np.int64), np.zeros(longest), np.zeros(longest), np.zeros(longest)
    left = np.zeros(longest, np.bool_)
    for c in range(len(radii)):
        radius = radii[c]
        kink = 2.0 * np.arccos(radius / (radius + KINK_M))
        count = 0
        run = 0.0
        for k in range(start[c] + 1, start[c + 1] - 1):
            ux, uy = xy[k, 0] - xy[k - 1, 0], xy[k, 1] - xy[k - 1, 1]
            vx, vy = xy[k + 1, 0] - xy[k, 0], xy[k + 1, 1] - xy[k, 1]
            run += np.hypot(ux, uy)
            turn = np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)
            if abs(turn) > STRAIGHT:
                at[count], angle[count], along[count], left[count] = k, abs(turn), run, turn > 0
                total[count] = angle[count] + (total[count - 1] if count else 0.0)
                count += 1
        last = -np.inf
        for i in range(count):
            sharp = angle[i] > kink
            j = i + 1
            while not sharp and j < count and left[j] == left[i]:
                turned = total[j] - total[i]
                inner = turned + 0.5 * (angle[i] - angle[j])
                sharp = inner * radius > (along[j] - along[i]) * SPARE + SPARE_M and turned + angle[i] > kink
                j += 1
            if sharp and along[i] - last > radius:
                vertex[found], of_line[found] = at[i], c
                found += 1
                last = along[i]
    return vertex[:found].copy(), of_line[:found].copy()
