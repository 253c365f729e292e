"""Vertical alignment: the profile with least earthwork under the grade limit, over a whole road tree at once.

The problem is a linear program: heights z of stations, cost weight x abs(z - ground), abs(z_i - z_j) <= grade x distance
along every road piece, heights shared at junctions. On a tree it has an exact solution by dynamic programming over
convex piecewise-linear functions (two meldable heaps of breakpoints a station), in O(n log n) and the same to the bit
each time; tests hold it against HiGHS. Limits of depth and the heights of pads enter as hinges too heavy to be paid
for where any profile meets them, so what can't be met shows up as a violation at the station that causes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout import _kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Pin:
    """A height that a station must keep to: within `slack_m` of `z`, as a pad beside the road asks."""

    station: int
    z: float
    slack_m: float


@dataclass(frozen=True)
class Profile:
    """Design heights of stations and what they could not meet."""

    z: NDArray[np.float64]
    """Design height of each station [m]."""
    excess_m: NDArray[np.float64]
    """By how much the depth limit is broken at each station [m], 0 where held."""
    pin_excess_m: NDArray[np.float64]
    """By how much each pin is missed [m]."""


def design_heights(
    parent: NDArray[np.int64],
    distance_m: NDArray[np.float64],
    ground: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    max_grade: float,
    max_depth_m: float,
    pins: Sequence[Pin] = (),
) -> Profile:
    """Heights with the least weighted sum of abs(height - ground) under a grade limit on a tree of stations.

    Parameters
    ----------
    parent : (n,) int
        Station before each one; -1 at the root. A parent comes before its children.
    distance_m : (n,) float
        Distance along the road to the parent [m]; ignored at the root.
    ground : (n,) float
        Ground height [m].
    weight : (n,) float
        Area that each station stands for [m²], > 0.
    max_grade : float
        Rise over run that no piece exceeds [-]; always held.
    max_depth_m : float
        Most cut or fill at a station [m]; broken only where grade and depth can't both be held, and then least.
    pins : sequence of Pin
        Heights to keep to; given up only after the weights of all stations, before the depth limit.

    References
    ----------
    Hochbaum & Lu (2017), "A faster algorithm solving a generalization of isotonic median regression and a class of
    fused lasso problems", https://doi.org/10.1137/15M1024081
    """
    n = parent.size
    if n == 0:
        empty = np.zeros(0)
        return Profile(empty, empty, np.zeros(len(pins)))
    total = float(weight.sum())
    at = np.concatenate([np.repeat(np.arange(n), 4), np.repeat(np.array([p.station for p in pins], dtype=np.int64), 2)])
    pin_z = np.array([p.z for p in pins], dtype=np.float64)
    slack = np.array([p.slack_m for p in pins], dtype=np.float64)
    keys = np.concatenate(
        [
            np.column_stack([ground, ground, ground - max_depth_m, ground + max_depth_m]).ravel(),
            np.column_stack([pin_z - slack, pin_z + slack]).ravel(),
        ]
    )
    heavy, heaviest = 20.0 * total, 2000.0 * total
    weights = np.concatenate(
        [
            np.column_stack([weight, weight, np.full(n, heaviest), np.full(n, heaviest)]).ravel(),
            np.full(2 * len(pins), heavy),
        ]
    )
    rising = np.tile(np.array([0, 1], dtype=np.uint8), 2 * n + len(pins))
    order = np.argsort(at, kind="stable")
    start = np.searchsorted(at[order], np.arange(n + 1)).astype(np.int64)
    z = _kernels.tree_profile(
        parent, max_grade * distance_m, ground, start, keys[order], weights[order], rising[order]
    )
    excess = np.maximum(np.abs(z - ground) - max_depth_m, 0.0)
    pin_at = np.array([p.station for p in pins], dtype=np.int64)
    return Profile(z, excess, np.maximum(np.abs(z[pin_at] - pin_z) - slack, 0.0))
