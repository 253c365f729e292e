"""What is given while a network is sought, and a network in plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import RoadCriteria, Terminal
    from pacifico.layout.routing import routing_grid, tree_search
    from pacifico.layout.routing.shortenable import ShortenableObstacles


TOLERANCE_M = 0.005


MOST_KNOWN = 1 << 18
"""Vertices of which it is kept what was found out, twice as many as there is use for: a power of two."""


@dataclass(frozen=True)
class SmoothingMemo:
    """What was found out so far about bends, by a hash of all that was looked at there."""

    known: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(MOST_KNOWN, np.uint64))
    """0 where there is none."""
    found: FloatArray = field(default_factory=lambda: np.zeros((MOST_KNOWN, 3)))
    arcs: dict[bytes, FloatArray] = field(default_factory=dict)
    """Lines with their bends rounded."""


@dataclass(frozen=True)
class RoutingProblem:
    """What stays the same while a network is sought."""

    ground: Ground
    terminals: Sequence[Terminal]
    criteria: RoadCriteria
    road_grid: routing_grid.RoutingGrid
    shapes: routing_grid.Shapes
    pads: routing_grid.Shapes
    reach_m: FloatArray
    reach: tree_search.Reach
    priority: IntArray
    shortenable: ShortenableObstacles
    """What may give way to a bend or a turnaround."""
    size: FloatArray
    """Radius of the centreline in bends on the way to each terminal [m]."""
    pulled: dict[bytes, FloatArray] = field(default_factory=dict)
    """Paths pulled so far, by nodes and bound terminals: rounds share most of them."""
    eased: SmoothingMemo = field(default_factory=SmoothingMemo)
    hopeless: set[bytes] = field(default_factory=set)
    """Tight places where no drivable curve was found, with the lines about them."""

    @property
    def least(self) -> float:
        """Radius of the centreline in bends by the rule [m]."""
        return self.criteria.min_radius_m + self.criteria.width_m / 2

    def sizes(self, ups: Sequence[int], bound: Sequence[Sequence[int]]) -> FloatArray:
        """Radius of the centreline in bends of each line [m]: the most that a terminal on it or beyond it asks for."""
        out = np.array([self.size[list(own)].max(initial=self.least) for own in bound])
        for c in range(len(ups) - 1, -1, -1):
            if ups[c] >= 0:
                out[ups[c]] = max(out[ups[c]], out[c])
        return out

    def sizes_of(self, alignment: HorizontalAlignment) -> FloatArray:
        """`sizes` of drawn lines."""
        return self.sizes(alignment.ups, terminals_by_line(len(alignment.lines), alignment.line_of))


@dataclass(frozen=True)
class HorizontalAlignment:
    """A network in plan: lines that lead away from the entry, and what each serves."""

    lines: list[FloatArray]
    ups: list[int]
    line_of: dict[int, int]
    """Line that serves each terminal."""
    straight: Sequence[FloatArray] = ()
    """The lines before their bends were rounded."""
    crossing: tuple[int, ...] = ()
    """Lines that meet another elsewhere than at a junction, whatever was tried."""


def terminals_by_line(lines: int, line_of: Mapping[int, int]) -> list[list[int]]:
    """Terminals that each of so many lines serves."""
    bound: list[list[int]] = [[] for _ in range(lines)]
    for t, c in line_of.items():
        bound[c].append(t)
    return bound


def served_downstream(alignment: HorizontalAlignment) -> list[int]:
    """Terminals that each line and what goes on from it serve."""
    out = [len(own) for own in terminals_by_line(len(alignment.lines), alignment.line_of)]
    for c in range(len(out) - 1, -1, -1):
        if alignment.ups[c] >= 0:
            out[alignment.ups[c]] += out[c]
    return out
