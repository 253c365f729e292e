"""Design of a road network: alignment with smooth bends, and its profile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import profile_design
from pacifico.layout.alignment.curve_repair import repair_curves
from pacifico.layout.alignment.height_ranges import HeightRanges
from pacifico.layout.alignment.horizontal import draw_alignment
from pacifico.layout.alignment.pruning import illegal_places, pruned, tight_places
from pacifico.layout.alignment.smoothing import NOWHERE

if TYPE_CHECKING:
    from pacifico.layout.alignment.branches import Branches
    from pacifico.layout.alignment.pruning import TightPlace
    from pacifico.layout.alignment.vertical import GradeLine, Pin, Stations
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


LARGE_NETWORK = 700
"""Terminals from which on tight bends are only reported: rerouting around them would double the run time."""
SMOOTHING_ROUNDS = 9
"""Most attempts to smooth all bends; later ones freeze more and more places."""
REPAIR_ROUNDS = 3
"""Most attempts to repair tight bends, each without the places that left no profile before."""
FROZEN_RADIUS_M = 25.0
"""Radius around a station without profile inside which the next attempt changes nothing [m]."""
WORST_SHARE = 0.5
"""Stations that lack this share of the largest deficit of their line are frozen."""


@dataclass(frozen=True)
class RoadDesign:
    """A road network with its profile.

    The problem is the one that it solves: obstacles may be shorter than in the problem given.
    """

    problem: RoutingProblem
    alignment: HorizontalAlignment
    stations: Stations
    profile: GradeLine
    pins: list[tuple[int, Pin]]
    """Heights that pads need, with their terminals."""

    @cached_property
    def tight(self) -> list[TightPlace]:
        """Bends and turns tighter than the terminals downstream need."""
        return tight_places(self.problem, self.alignment)

    @cached_property
    def illegal(self) -> list[TightPlace]:
        """Bends and turns tighter than the criteria allow."""
        return illegal_places(self.problem, self.alignment)

    @cached_property
    def cut_off(self) -> dict[int, float]:
        """Terminals downstream of illegal bends, with the radius they lack [m]."""
        return pruned(self.problem, self.alignment, self.illegal)[1] if self.illegal else {}

    @cached_property
    def constrained(self) -> set[int]:
        """Terminals downstream of bends tighter than they need."""
        wide = np.flatnonzero(self.problem.radius_m > self.problem.min_radius_m).tolist()
        lacking = pruned(self.problem, self.alignment, self.tight)[1] if wide and self.tight else {}
        return {*self.cut_off, *(t for t in wide if t in lacking)}

    @cached_property
    def unserved(self) -> set[int]:
        """Terminals without a road, except those removed altogether."""
        removed = self.problem.shortenable.removed_terminals
        return set(range(len(self.problem.terminals))) - set(self.alignment.line_of) - removed

    @property
    def is_large(self) -> bool:
        """Whether the network is too large to reroute around tight bends."""
        return len(self.problem.terminals) > LARGE_NETWORK


def design_roads(problem: RoutingProblem, alignment: HorizontalAlignment) -> RoadDesign:
    """Design with the profile of an alignment."""
    stations = profile_design.make_stations(problem, alignment)
    return RoadDesign(problem, alignment, stations, *profile_design.design_profile(problem, alignment, stations))


def smooth_bends(problem: RoutingProblem, branches: Branches) -> RoadDesign | None:
    """Design with smooth bends; None without a legal one."""
    frozen = NOWHERE
    for _ in range(SMOOTHING_ROUNDS):
        alignment, branches = draw_alignment(problem, branches, frozen=frozen)
        design = design_roads(problem, alignment)
        deficient = profile_design.deficient_stations(design.profile, design.pins)
        if not deficient.any():
            return None if design.alignment.crossing else design
        worst = profile_design.worst_excess_of_line(design.stations, design.profile)
        deficient &= design.profile.excess_m >= WORST_SHARE * worst
        frozen = frozen.wider(design.stations.xy[deficient], FROZEN_RADIUS_M)
    return None


def repair_bends(design: RoadDesign) -> RoadDesign:
    """Design with drivable curves at tight places.

    Curves that leave no legal profile are not used.
    """
    if not design.tight:
        return design
    heights, frozen = HeightRanges.of(design.problem, design.alignment, fixed=design.is_large), NOWHERE
    for _ in range(0 if heights is None else REPAIR_ROUNDS):
        alignment = repair_curves(design.problem, design.alignment, frozen=frozen, heights=heights)
        if alignment is design.alignment:
            break
        repaired = design_roads(design.problem, alignment)
        deficient = profile_design.deficient_stations(repaired.profile, repaired.pins)
        if not deficient.any():
            return repaired
        frozen = frozen.wider(repaired.stations.xy[deficient], FROZEN_RADIUS_M)
    return design
