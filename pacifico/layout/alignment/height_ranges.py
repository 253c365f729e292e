"""Ranges of road heights: for each station, the heights of all grade lines within the limits.

Limits of depth, pads and grade leave an interval at each station, and on a tree intervals passed from station to station
tell exactly what is left (arc consistency). A stretch drawn anew has a profile with all the rest just where the heights
that come from before it, carried along it, meet those that what follows allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _height_range_kernels as kernels
from pacifico.layout.alignment import profile_design
from pacifico.layout.alignment.drivable_curves import Levels

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.vertical import Pin, Stations
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


SLACK_M = 5e-3
"""Tolerance of the height design [m]."""
SURE_M, SURE = 0.1, 0.995
"""Reserve for ground beside the centreline: unused depth [m], and the share of the grade that is used."""


@dataclass
class HeightRanges:
    """Ranges of heights of the lines of an alignment."""

    problem: RoutingProblem
    once: bool = False
    """Whether ranges are computed once only: on large networks each update is slow and distant stretches agree."""
    alignment: HorizontalAlignment | None = field(init=False, default=None)
    stations: Stations = field(init=False)
    pins: dict[int, tuple[int, int, Pin]] = field(init=False, default_factory=dict)
    """Heights set by pads, with their line and station index."""
    below: FloatArray = field(init=False)
    above: FloatArray = field(init=False)
    beside: FloatArray = field(init=False)

    def holds(self, alignment: HorizontalAlignment) -> bool:
        """Whether an alignment has a grade line; if so, its ranges are used from now on."""
        known = self.alignment
        if self.once and known is not None:
            return True
        fresh = [
            t for t, c in alignment.line_of.items()
            if known is None or known.line_of[t] != c or known.lines[c] is not alignment.lines[c]
        ]  # fmt: skip
        criteria = self.problem.criteria
        stations = profile_design.stations_along(self.problem, alignment)
        # largest rise to the station before, or after
        rise = (criteria.max_grade - criteria.grade_margin) * profile_design.sure_distance(self.problem, stations)
        asked = profile_design.pins_of(
            self.problem, replace(alignment, line_of={t: alignment.line_of[t] for t in fresh}), stations
        )
        pins = {t: pin for t, pin in self.pins.items() if t not in set(fresh)}
        for t, pin in asked:
            ids = stations.of_line[alignment.line_of[t]]
            pins[t] = (alignment.line_of[t], 0 if pin.station == ids[0] else pin.station - int(ids[1]) + 1, pin)
        depth = criteria.max_cut_fill_m + SLACK_M
        low, high = stations.ground - depth, stations.ground + depth
        for c, k, pin in pins.values():
            at = stations.of_line[c][k]
            low[at] = max(low[at], pin.z - pin.slack_m - SLACK_M)
            high[at] = min(high[at], pin.z + pin.slack_m + SLACK_M)
        below, above, beside = kernels.tree_levels(stations.parent, rise, low, high)
        if (np.maximum(below[:, 0], above[:, 0]) > np.minimum(below[:, 1], above[:, 1])).any():
            return False
        self.alignment, self.pins = alignment, pins
        self.stations, self.below, self.above, self.beside = stations, below, above, beside
        return True

    def between(self, c: int, start: float, end: float) -> Levels:
        """Heights at two places of a line [m], ahead of the first and behind the second."""
        criteria, grid = self.problem.criteria, self.problem.ground.grid
        climb = criteria.max_grade - criteria.grade_margin
        ids = self.stations.of_line[c]
        run = np.concatenate([[0.0], np.cumsum(self.stations.distance[ids[1:]])])
        k = int(np.searchsorted(run, start + 1e-6)) - 1
        m = min(int(np.searchsorted(run, end - 1e-6)), len(ids) - 1)
        first = self.beside[ids[1]] if k == 0 else self.above[ids[k]]
        off, on = climb * (start - run[k]), climb * (run[m] - end)
        last = self.below[ids[m]]
        return Levels(
            np.array([first[0] - off, first[1] + off, last[0] - on, last[1] + on]),
            self.problem.ground.z,
            np.array([grid.x0, grid.y0, grid.dx, grid.dy]),
            climb * SURE,
            criteria.max_cut_fill_m - SURE_M,
        )
