"""Vertical alignment: the grade line of a whole road tree with least earthwork under a grade limit.

The problem is a linear program over the heights z of stations: minimise the sum of weight x abs(z - ground) under
abs(z_i - z_j) <= grade x distance along every road piece, with shared heights at junctions. On a tree, dynamic
programming over convex piecewise-linear functions solves it exactly, in O(n log n) and with the same bits each time.
Tests compare it with HiGHS. Depth limits and the heights of pads are hinges too heavy to be broken where any grade line
meets them: what can't be met appears as an excess at the station that causes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import InputError
from pacifico.layout.alignment import _profile_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground

PIN_FACTOR, DEPTH_FACTOR = 20.0, 2000.0
"""Weight of a pin, and of the depth limit, over the weight of all stations [-]."""
FINEST_STATION_M = 5.0
"""Distance between stations where the DEM's cell is finer [m]."""
ROUNDING_M = 0.002
"""Largest effect of rounded coordinates on the distance of two vertices, and twice that on a rise [m]."""
SAMPLES = 7
"""Heights across a road whose mean is the ground of a station."""


@dataclass(frozen=True)
class Pin:
    """Height that a station must keep, for a pad beside the road."""

    station: int
    z: float
    """Height [m]."""
    slack_m: float
    """Largest difference from it [m]."""


@dataclass(frozen=True)
class GradeLine:
    """Design heights of stations, and the limits that they can't keep."""

    z: FloatArray
    """Design height of each station [m]."""
    excess_m: FloatArray
    """Cut or fill of each station above the depth limit [m]; 0 where it is kept."""
    pin_excess_m: FloatArray
    """Distance by which each pin is missed [m]."""


def design_heights(
    parent: IntArray,
    distance_m: FloatArray,
    ground: FloatArray,
    weight: FloatArray,
    *,
    max_grade: float,
    max_depth_m: float,
    pins: Sequence[Pin] = (),
) -> GradeLine:
    """Grade line with the least weighted cut and fill under a grade limit.

    Parameters
    ----------
    parent : (n,) int
        Station before each one; -1 at the root. A parent comes before its children.
    distance_m : (n,) float
        Distance along the road to the parent [m]; ignored at the root.
    ground : (n,) float
        Ground height [m].
    weight : (n,) float
        Road area that each station stands for, > 0 [m²].
    max_grade : float
        Largest rise over run of any piece [-]; always kept.
    max_depth_m : float
        Largest cut or fill at a station [m]; exceeded only where grade and depth can't both be kept, and then least.
    pins : sequence of Pin
        Heights to keep; missed only where grade and depth leave no choice.

    References
    ----------
    Hochbaum & Lu (2017), "A faster algorithm solving a generalization of isotonic median regression and a class of
    fused lasso problems", https://doi.org/10.1137/15M1024081
    """
    n = parent.size
    if n == 0:
        empty = np.zeros(0)
        return GradeLine(empty, empty, np.zeros(len(pins)))
    pin_at = np.array([p.station for p in pins], dtype=np.int64)
    pin_z = np.array([p.z for p in pins], dtype=np.float64)
    slack = np.array([p.slack_m for p in pins], dtype=np.float64)
    # hinges in pairs, falling and rising: on the ground, at the depth limits, and at the ends of each pin
    total = float(weight.sum())
    limit = np.full(n, DEPTH_FACTOR * total)
    station_keys = np.column_stack([ground, ground, ground - max_depth_m, ground + max_depth_m]).ravel()
    pin_keys = np.column_stack([pin_z - slack, pin_z + slack]).ravel()
    station_weights = np.column_stack([weight, weight, limit, limit]).ravel()
    keys = np.concatenate([station_keys, pin_keys])
    weights = np.concatenate([station_weights, np.full(2 * len(pins), PIN_FACTOR * total)])
    rising = np.tile(np.array([0, 1], dtype=np.uint8), 2 * n + len(pins))
    at = np.concatenate([np.repeat(np.arange(n), 4), np.repeat(pin_at, 2)])
    order = np.argsort(at, kind="stable")
    start = np.searchsorted(at[order], np.arange(n + 1)).astype(np.int64)
    z = _profile_kernels.tree_profile(
        parent, max_grade * distance_m, ground, start, keys[order], weights[order], rising[order]
    )
    excess = np.maximum(np.abs(z - ground) - max_depth_m, 0.0)
    return GradeLine(z, excess, np.maximum(np.abs(z[pin_at] - pin_z) - slack, 0.0))


@dataclass(frozen=True)
class Stations:
    """Stations along all lines; the first is the entry."""

    xy: FloatArray
    parent: IntArray
    """Station before each one; -1 at the entry."""
    distance: FloatArray
    """Distance to the station before [m]."""
    line: IntArray
    """Line of each station."""
    ground: FloatArray
    """Mean ground height over the road's width [m]."""
    weight: FloatArray
    """Road area that each station stands for [m²]."""
    of_line: list[IntArray]
    """Stations of each line, with its start, which is shared with the line before."""


def stations_of(
    lines: Sequence[FloatArray], parents: Sequence[int], ground: Ground, *, width_m: float, station_m: float
) -> Stations:
    """Stations along a tree of lines.

    Parameters
    ----------
    lines : sequence of (k, 2) float
        Lines in plan [m]; each one starts at the end of its parent.
    parents : sequence of int
        Index of the line that each continues, always a lower one; -1 at the entry.
    ground : Ground
        Heights to follow.
    width_m : float
        Width of the road [m].
    station_m : float
        Largest distance between stations [m]; on a finer DEM, 5 m or its cell.

    Raises
    ------
    InputError
        Where the ground has no elevation.
    """
    if not lines:
        none, nil = np.zeros(0), np.zeros(0, np.int64)
        return Stations(np.zeros((0, 2)), nil, none, nil, none, none, [])
    spacing_m = min(station_m, max(FINEST_STATION_M, min(ground.grid.dx, ground.grid.dy)))
    start, end, line = _pieces(lines, spacing_m)
    # pieces of line c are stop[c - 1]:stop[c]; station k + 1 is at the end of piece k
    stop = np.searchsorted(line, np.arange(len(lines)), side="right")
    ahead = np.empty_like(start)
    ahead[:-1] = end[1:]
    ahead[stop - 1] = end[stop - 1]
    run, direction = end - start, ahead - start
    first = np.array([stop[up] if up >= 0 else 0 for up in parents])
    parent = np.arange(-1, len(end))
    parent[1 + np.concatenate([[0], stop[:-1]])] = first
    of_line = [
        np.concatenate([[a], np.arange(b, c)])
        for a, b, c in zip(first.tolist(), [1, *(stop[:-1] + 1).tolist()], (stop + 1).tolist(), strict=True)
    ]
    xy = np.vstack([lines[0][:1], end])
    mean = mean_ground(ground, xy, np.vstack([run[:1], direction]), width_m)
    distance = np.concatenate([[0.0], np.hypot(run[:, 0], run[:, 1])])
    half = distance / 2
    weight = half.copy()
    np.add.at(weight, parent[1:], half[1:])
    return Stations(xy, parent, distance, np.concatenate([[0], line]), mean, weight * width_m + 1e-6, of_line)


def _pieces(lines: Sequence[FloatArray], spacing_m: float) -> tuple[FloatArray, FloatArray, IntArray]:
    """Pieces between stations, line by line."""
    points = np.concatenate(lines)
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    inside = np.flatnonzero(line_of[1:] == line_of[:-1])
    leg = points[inside + 1] - points[inside]
    pieces = np.maximum(np.ceil(np.hypot(leg[:, 0], leg[:, 1]) / spacing_m - 1e-9), 1).astype(np.int64)
    k = np.repeat(np.arange(pieces.size), pieces)
    share = (np.arange(k.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[k]
    start = points[inside][k] + leg[k] * share[:, None]
    line = line_of[inside][k]
    stop = np.searchsorted(line, np.arange(len(lines)), side="right")
    end = np.empty_like(start)
    end[:-1] = start[1:]
    end[stop - 1] = [xy[-1] for xy in lines]
    return start, end, line


def sure_run(distance_m: FloatArray, max_grade: float) -> FloatArray:
    """Distance that a grade limit may count on before coordinates are rounded [m]."""
    return np.maximum(distance_m - ROUNDING_M - ROUNDING_M / 2 / max_grade, 0.0)


def mean_ground(ground: Ground, xy: FloatArray, direction: FloatArray, width_m: float) -> FloatArray:
    """Mean ground height across a road at each station [m].

    Parameters
    ----------
    ground : Ground
        Heights.
    xy : (n, 2) float
        Stations [m].
    direction : (n, 2) float
        Direction of the road at each one, of any length.
    width_m : float
        Width of the road [m].
    """
    along = direction / np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)[:, None]
    offsets = ((np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5) * width_m
    z = ground.at(xy[:, :1] - along[:, 1:] * offsets, xy[:, 1:] + along[:, :1] * offsets)
    mean: FloatArray = z.mean(axis=1)
    if not np.isfinite(mean).all():
        raise InputError("a road lies on ground without elevation; please report this site")
    return mean
