"""Height ranges: the heights that each station of a network may have in some legal profile.

Limits of depth, pads and grade leave an interval at each station. On a tree, intervals passed from station to station
give exactly the heights of all legal profiles (arc consistency). A changed stretch has a profile together with the rest
of the network where the range from upstream, carried along the stretch, meets the range that downstream allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _profile_kernels as kernels
from pacifico.layout.alignment import profile_design
from pacifico.layout.alignment._profile_kernels import TerrainArrays
from pacifico.layout.alignment.drivable_curves import HeightLimits

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.vertical import Pin, Stations
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


SLACK_M = 5e-3
"""Tolerance of all limits, above that of the profile design [m]."""
SPARE_DEPTH_M, GRADE_SHARE = 0.1, 0.995
"""Reserve for ground beside the centreline: depth that stays unused [m], and share of the grade that is used [-]."""


@dataclass(frozen=True)
class HeightRanges:
    """Ranges of the heights along the lines of an alignment."""

    problem: RoutingProblem
    alignment: HorizontalAlignment
    fixed: bool
    """Whether the ranges stay when lines change: on a large network an update takes long, and distant changes agree."""
    stations: Stations
    pins: dict[int, tuple[int, int, Pin]]
    """Heights that pads set, by terminal: line, index of the station along it, and pin."""
    below: FloatArray
    """Range that the subtree of each station leaves [m]."""
    above: FloatArray
    """Range that all but the subtree leaves [m]."""
    beside: FloatArray
    """Range that all but the subtree leaves of the station's parent [m]."""

    @classmethod
    def of(cls, problem: RoutingProblem, alignment: HorizontalAlignment, *, fixed: bool = False) -> HeightRanges | None:
        """Ranges of an alignment; None without a legal profile."""
        stations = profile_design.make_stations(problem, alignment)
        return _make_ranges(problem, alignment, stations, _line_pins(problem, alignment, stations), fixed=fixed)

    def after(self, alignment: HorizontalAlignment) -> HeightRanges | None:
        """Ranges after a change; None without a legal profile.

        Fixed ranges are returned as they are. Pins of terminals whose line did not change are kept.
        """
        if self.fixed:
            return self
        before = self.alignment
        changed = {
            t: c
            for t, c in alignment.line_of.items()
            if before.line_of[t] != c or before.lines[c] is not alignment.lines[c]
        }
        stations = profile_design.make_stations(self.problem, alignment)
        pins = {t: pin for t, pin in self.pins.items() if t not in changed}
        pins |= _line_pins(self.problem, replace(alignment, line_of=changed), stations)
        return _make_ranges(self.problem, alignment, stations, pins, fixed=False)

    def between(self, c: int, start: float, end: float) -> HeightLimits:
        """Limits for a curve between two places of a line.

        Parameters
        ----------
        c : int
            Line.
        start, end : float
            Distances along it [m].
        """
        criteria, grid = self.problem.criteria, self.problem.ground.grid
        grade = criteria.max_grade - criteria.grade_margin
        ids = self.stations.of_line[c]
        run = np.concatenate([[0.0], np.cumsum(self.stations.distance[ids[1:]])])
        k = int(np.searchsorted(run, start + 1e-6)) - 1
        m = min(int(np.searchsorted(run, end - 1e-6)), len(ids) - 1)
        first = self.beside[ids[1]] if k == 0 else self.above[ids[k]]
        last = self.below[ids[m]]
        rise_before, rise_after = grade * (start - run[k]), grade * (run[m] - end)
        return HeightLimits(
            np.array([first[0] - rise_before, first[1] + rise_before, last[0] - rise_after, last[1] + rise_after]),
            TerrainArrays(
                self.problem.ground.z,
                np.array([grid.x0, grid.y0, grid.dx, grid.dy]),
                grade * GRADE_SHARE,
                criteria.max_cut_fill_m - SPARE_DEPTH_M,
            ),
        )


def _line_pins(
    problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations
) -> dict[int, tuple[int, int, Pin]]:
    """Pad heights by terminal, with line and station."""
    out = {}
    for t, pin in profile_design.pins_of(problem, alignment, stations):
        ids = stations.of_line[alignment.line_of[t]]
        out[t] = (alignment.line_of[t], 0 if pin.station == ids[0] else pin.station - int(ids[1]) + 1, pin)
    return out


def _make_ranges(
    problem: RoutingProblem,
    alignment: HorizontalAlignment,
    stations: Stations,
    pins: dict[int, tuple[int, int, Pin]],
    *,
    fixed: bool,
) -> HeightRanges | None:
    """Ranges within all limits; None where a station has none.

    Parameters
    ----------
    problem : RoutingProblem
        Criteria of roads.
    alignment : HorizontalAlignment
        Lines of the network.
    stations : Stations
        Stations along the lines.
    pins : dict
        Line, index of the station along it, and pin, by terminal.
    fixed : bool
        Whether the ranges stay when lines change.
    """
    criteria = problem.criteria
    rise = (criteria.max_grade - criteria.grade_margin) * profile_design.sure_distance(problem, stations)
    depth = criteria.max_cut_fill_m + SLACK_M
    low, high = stations.ground - depth, stations.ground + depth
    for c, k, pin in pins.values():
        at = stations.of_line[c][k]
        low[at] = max(low[at], pin.z - pin.slack_m - SLACK_M)
        high[at] = min(high[at], pin.z + pin.slack_m + SLACK_M)
    below, above, beside = kernels.tree_ranges(stations.parent, rise, low, high)
    if (np.maximum(below[:, 0], above[:, 0]) > np.minimum(below[:, 1], above[:, 1])).any():
        return None
    return HeightRanges(problem, alignment, fixed, stations, pins, below, above, beside)
