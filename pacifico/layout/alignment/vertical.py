"""Vertical alignment: the grade line with least earthwork over a whole road tree.

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

from pacifico.errors import InputError
from pacifico.layout.alignment import _profile_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.grid import Ground

CURVE_M_PER_PCT = 1.6
"""Least length of a vertical curve for each per cent that the grade changes by [m]: V² / 395 at 25 km/h, the comfort
criterion of sags (AASHTO, A Policy on Geometric Design of Highways and Streets, 2018, 3.4.6)."""


@dataclass(frozen=True)
class Pin:
    """A fixed height of a station, within `slack_m` of `z`, as a pad beside the road requires."""

    station: int
    z: float
    slack_m: float


@dataclass(frozen=True)
class GradeLine:
    """Design heights of stations, and by how much limits are missed."""

    z: NDArray[np.float64]
    """Design height of each station [m]."""
    excess_m: NDArray[np.float64]
    """Excess over the depth limit at each station [m]; 0 where held."""
    pin_excess_m: NDArray[np.float64]
    """Distance by which each pin is missed [m]."""


def design_heights(
    parent: NDArray[np.int64],
    distance_m: NDArray[np.float64],
    ground: NDArray[np.float64],
    weight: NDArray[np.float64],
    *,
    max_grade: float,
    max_depth_m: float,
    pins: Sequence[Pin] = (),
) -> GradeLine:
    """Heights with the least weighted sum of abs(height - ground) under a grade limit on a tree.

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
        return GradeLine(empty, empty, np.zeros(len(pins)))
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
    z = _profile_kernels.tree_profile(
        parent, max_grade * distance_m, ground, start, keys[order], weights[order], rising[order]
    )
    excess = np.maximum(np.abs(z - ground) - max_depth_m, 0.0)
    pin_at = np.array([p.station for p in pins], dtype=np.int64)
    return GradeLine(z, excess, np.maximum(np.abs(z[pin_at] - pin_z) - slack, 0.0))


def grade_breaks(
    parent: NDArray[np.int64], distance_m: NDArray[np.float64], z: NDArray[np.float64], *, over_m: float = 10.0
) -> NDArray[np.float64]:
    """Change of grade at each station of a tree [%], between stretches of `over_m` before and after.

    Of several branches the most counts; 0 where a stretch is cut short by the tree's root or ends.

    Returns
    -------
    (n,) float
        A vertical curve from the middle of one stretch to that of the other is `over_m` long: it is too short
        where the change is over ``over_m / CURVE_M_PER_PCT``.
    """
    n = parent.size
    before, run = np.full(n, -1, np.int64), np.zeros(n)
    for k in range(n):
        a, far = k, 0.0
        while far < over_m - 1e-6 and parent[a] >= 0:
            far += float(distance_m[a])
            a = int(parent[a])
        if far >= over_m - 1e-6:
            before[k], run[k] = a, far
    out = np.zeros(n)
    ok = before >= 0
    grade = np.zeros(n)
    grade[ok] = 100.0 * (z[ok] - z[before[ok]]) / run[ok]
    both = np.flatnonzero(ok & ok[np.maximum(before, 0)])
    np.maximum.at(out, before[both], np.abs(grade[both] - grade[before[both]]))
    return out


@dataclass(frozen=True)
class Stations:
    """Points along all lines that get a design height; the first is the entry."""

    xy: NDArray[np.float64]
    parent: NDArray[np.int64]
    """Previous station of each; -1 at the entry."""
    distance: NDArray[np.float64]
    """Distance to the previous station [m]."""
    line: NDArray[np.int64]
    """Line of each station."""
    ground: NDArray[np.float64]
    """Mean ground height over the strip's width [m]."""
    weight: NDArray[np.float64]
    """Road area that each station represents [m²]."""
    of_line: list[NDArray[np.int64]]
    """Stations of each line, with its start (shared with the previous line)."""


def stations_of(
    lines: Sequence[NDArray[np.float64]], ups: Sequence[int], ground: Ground, *, width_m: float, station_m: float
) -> Stations:
    """Stations along a tree of lines, with the mean ground height over the strip's width.

    Parameters
    ----------
    lines : sequence of (k, 2) float
        Lines in plan; each starts at the end of the line it continues, those without one at the same place.
    ups : sequence of int
        Index of the line that each continues, always a lower one; -1 at the entry.
    ground : Ground
        Heights to follow.
    width_m : float
        Width of the strip [m].
    station_m : float
        Most distance between stations [m]; where the DEM's cell is finer, 5 m or the cell.
    """
    if not lines:
        none, nil = np.zeros(0), np.zeros(0, np.int64)
        return Stations(np.zeros((0, 2)), nil, none, nil, none, none, [])
    spacing = min(station_m, max(5.0, min(ground.grid.dx, ground.grid.dy)))
    # a piece for each station but the first, line by line
    points = np.concatenate(lines)
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    inside = np.flatnonzero(line_of[1:] == line_of[:-1])
    leg = points[inside + 1] - points[inside]
    pieces = np.maximum(np.ceil(np.hypot(leg[:, 0], leg[:, 1]) / spacing - 1e-9), 1).astype(np.int64)
    k = np.repeat(np.arange(pieces.size), pieces)
    share = (np.arange(k.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)) / pieces[k]
    begin = points[inside][k] + leg[k] * share[:, None]
    owner = line_of[inside][k]
    stop = np.searchsorted(owner, np.arange(len(lines)), side="right")
    finish = np.empty_like(begin)
    finish[:-1] = begin[1:]
    finish[stop - 1] = [line[-1] for line in lines]
    ahead = np.empty_like(begin)
    ahead[:-1] = finish[1:]
    ahead[stop - 1] = finish[stop - 1]
    run, way = finish - begin, ahead - begin
    xy = np.vstack([points[:1], finish])
    first = np.array([stop[u] if u >= 0 else 0 for u in ups])
    parent = np.arange(-1, len(finish))
    parent[1 + np.concatenate([[0], stop[:-1]])] = first
    distance = np.concatenate([[0.0], np.hypot(run[:, 0], run[:, 1])])
    way = np.vstack([run[:1], way])
    of_line = [
        np.concatenate([[a], np.arange(b, c)])
        for a, b, c in zip(first.tolist(), [1, *(stop[:-1] + 1).tolist()], (stop + 1).tolist(), strict=True)
    ]
    way /= np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    offsets = ((np.arange(7) + 0.5) / 7 - 0.5) * width_m
    z = ground.at(xy[:, :1] - way[:, 1:] * offsets, xy[:, 1:] + way[:, :1] * offsets)
    mean = z.mean(axis=1)
    if not np.isfinite(mean).all():
        raise InputError("a road lies on ground without elevation; please report this site")
    half = distance / 2
    weight = half.copy()
    np.add.at(weight, parent[1:], half[1:])
    return Stations(
        xy,
        parent,
        distance,
        np.concatenate([[0], owner]),
        mean,
        weight * width_m + 1e-6,
        of_line,
    )
