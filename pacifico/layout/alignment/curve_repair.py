"""Curve repair: drivable curves in place of bends and turns that are too tight.

::

           |  <- the line goes on              A stretch of line around the tight bend is replaced by a curve between
      . - -+                                   the poses at its ends. At a junction the curve may start in the direction
    ./   __|  too tight                        of the line that it continues.
    +___/ .
    |   - -
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment.drivable_curves import (
    ANY_HEIGHT,
    MAX_EXPANSIONS,
    NO_SHAPES,
    CurveLimits,
    drivable_curve,
)
from pacifico.layout.alignment.polyline_splice import (
    ChangedLine,
    Cut,
    corner_distances,
    cut_at,
    distinct_cuts,
    heading,
    spliced,
    spliced_corners,
    turn_between,
)
from pacifico.layout.alignment.repair_checks import CheckedAlignment, Outcome, try_changes
from pacifico.layout.alignment.smoothing import NOWHERE, tight_bends, tight_turns
from pacifico.layout.ground._clearance_kernels import ShapeArrays
from pacifico.layout.routing.problem import served_downstream
from pacifico.polyline import cumulative_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.height_ranges import HeightRanges
    from pacifico.layout.alignment.smoothing import FrozenAreas
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


AROUND_M = (20.0, 40.0, 70.0, 110.0)
"""Lengths of line replaced on each side of a tight place [m], for a radius up to `USUAL_RADIUS_M`."""
USUAL_RADIUS_M = 15.0
"""With a larger radius the lengths grow in proportion [m]."""
LENGTH_FACTOR, EXTRA_LENGTH_M = 3.0, 60.0
"""Largest length of a curve: a factor of the replaced length [-], plus a length [m]."""
PASSES = (0, MAX_EXPANSIONS, MAX_EXPANSIONS)
"""Poses that a search may expand in each pass over all tight places; the first pass tries Dubins curves only."""
MAX_SEARCHES = 30
"""Searches after which no other place is tried: a bound on run time."""
SEARCHED = (1, 3, 2)
"""Order in which the lengths are searched; without a curve for the second of them the third is skipped."""
SEARCHED_SHARES = 3
"""Number of shares of a turn that are searched."""
RETRY_WITHIN_M = 150.0
"""A place without a curve is tried again only after its line changed within this distance [m]."""
MAX_TIGHT = 4
"""Tight bends per downstream terminal above which a chain isn't repaired: the search isn't worth it."""
MAX_REPAIRS = 4
"""Repairs of a chain per tight bend: a new curve may be too tight elsewhere."""
MAX_UNSERVED = 2
"""Most terminals for which a curve is searched again so that it passes them."""
TURN_SHARES = (0.0, 1.0, 0.5, 0.25, 0.75)
"""Shares of a junction's turn that the incoming line takes, in the order of trial; the other line takes the rest."""


def repair_curves(
    problem: RoutingProblem,
    alignment: HorizontalAlignment,
    *,
    frozen: FrozenAreas = NOWHERE,
    heights: HeightRanges | None = None,
) -> HorizontalAlignment:
    """Alignment with drivable curves at bends and turns that are too tight.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance and cost of roads, terminals and criteria.
    alignment : HorizontalAlignment
        Lines of the network.
    frozen : FrozenAreas
        Places where nothing changes.
    heights : HeightRanges, optional
        Height ranges of the alignment: only changes with a legal profile are made then.

    Returns
    -------
    HorizontalAlignment
        Alignment with fewer tight places, or the one given. Lines without a change are the same arrays. All terminals
        stay served, and lines meet where they met.
    """
    repair = _Repair(CheckedAlignment.of(problem, alignment, heights), frozen)
    for expansions in PASSES:
        if not repair.run_pass(expansions) and expansions:
            break
    return repair.checked.alignment


@dataclass
class _Repair:
    """Progress of a repair."""

    checked: CheckedAlignment
    frozen: FrozenAreas
    expansions: int = 0
    """Poses that a search may expand; 0 tries Dubins curves only."""
    searches_left: int = MAX_SEARCHES
    changed: set[int] = field(default_factory=set)
    """Lines changed so far."""
    corner_memo: dict[int, FloatArray] = field(default_factory=dict)
    """Distance of the corners along lines that did not change since [m]."""

    def run_pass(self, expansions: int) -> bool:
        """Try each tight place once; return whether any was repaired."""
        self.expansions = expansions
        repaired = False
        chains = range(len(self.checked.chains.members))
        tight = tight_bends([self.checked.chain_line(k) for k in chains], self.checked.chain_radii(chains))[1]
        downstream = served_downstream(self.checked.alignment)
        for k, count in zip(*(a.tolist() for a in np.unique(tight, return_counts=True)), strict=True):
            if count <= MAX_TIGHT * max(downstream[self.checked.chains.members[k][0]], 1):
                repaired |= self._repair_chain(k, MAX_REPAIRS * count)
        now = self.checked.alignment
        for b in tight_turns(self.checked.problem, now.straight, now.parents, self.checked.radii)[1].tolist():
            a = now.parents[b]
            if self.checked.count_tight_turns(a, [b]):
                repaired |= self._repair_place(self.checked.alignment.lines[a][-1], (a, b))
        return repaired

    def _repair_chain(self, k: int, most: int) -> bool:
        """Repair tight bends of a chain; return whether any was repaired."""
        repaired = False
        tried: set[bytes] = set()
        places = self.checked.tight_bends_of(k)
        while places and most:
            most -= 1
            place = places.pop(0)
            tried.add(place.tobytes())
            if self._repair_bend_at(k, place):
                repaired = True
                places = [p for p in self.checked.tight_bends_of(k) if p.tobytes() not in tried]
        return repaired

    def _repair_bend_at(self, k: int, place: FloatArray) -> bool:
        """Repair the bend at a vertex; return whether that succeeded."""
        chain = self.checked.chains.members[k]
        for n, c in enumerate(chain):
            line = self.checked.alignment.lines[c]
            at = np.flatnonzero((line == place).all(axis=1))
            if at.size and 0 < at[0] < len(line) - 1:
                return self._repair_place(place, (c,), int(at[0]))
            if at.size and at[0] > 0 and n + 1 < len(chain):
                return self._repair_place(place, (c, chain[n + 1]))
        return False

    def _repair_place(self, place: FloatArray, lines: Sequence[int], vertex: int | None = None) -> bool:
        """Repair one tight place; return whether that succeeded.

        Places without a curve are remembered, together with the lines near them.

        Parameters
        ----------
        place : (2,) float
            Where it is [m].
        lines : sequence of int
            Line of a bend, or the two lines of a turn.
        vertex : int, optional
            Vertex of a bend.
        """
        heights, problem = self.checked.heights, self.checked.problem
        outdated = heights is not None and heights.fixed and not self.changed.isdisjoint(lines)
        if outdated or self.frozen.covers(place[None])[0]:
            return False
        near = [x[np.hypot(*(x - place).T) < RETRY_WITHIN_M] for x in (self.checked.alignment.lines[c] for c in lines)]
        radii = self.checked.radii[list(lines)]
        key = bytes([self.expansions > 0]) + b"".join(x.tobytes() for x in (place, radii, *near))
        if key in problem.unrepairable or (self.expansions and self.searches_left <= 0):
            return False
        if vertex is None:
            repaired = self._repair_turn(*lines)
        elif self.expansions:
            repaired = self._search_bend(lines[0], vertex)
        else:
            repaired = self._fit_bend(lines[0], vertex)
        if not repaired:
            problem.unrepairable.add(key)
        return repaired

    def _try(self, changes: dict[int, ChangedLine]) -> Outcome:
        """Outcome of some changes, which are made where they are accepted."""
        outcome = try_changes(self.checked, changes)
        if outcome.accepted is not None:
            self.checked = outcome.accepted
            for c in changes:
                self.changed.add(c)
                self.corner_memo.pop(c, None)
        return outcome

    def _fit_bend(self, c: int, vertex: int) -> bool:
        """Try Dubins curves around a vertex, short ones first."""
        starts, ends = self._cuts_around(c, vertex)
        pairs = {(*s.key, *e.key): (s, e) for own in starts for s in own for other in ends for e in other}
        for start, end in sorted(pairs.values(), key=lambda p: p[1].distance_m - p[0].distance_m):
            change = self._with_curve(c, start, end)
            if change is not None and self._try({c: change}).accepted is not None:
                return True
        return False

    def _search_bend(self, c: int, vertex: int) -> bool:
        """Search curves around a vertex."""
        starts, ends = self._cuts_around(c, vertex)
        tried: set[tuple[float, ...]] = set()
        for n in SEARCHED:
            found = n != SEARCHED[1]
            for start, end in [(s, e) for s in starts[n] for e in ends[n]]:
                if (key := (*start.key, *end.key)) in tried:
                    continue
                tried.add(key)
                change = self._with_curve(c, start, end)
                if change is None:
                    continue
                found = True
                outcome = self._try({c: change})
                if 0 < len(outcome.unserved) <= MAX_UNSERVED:
                    change = self._with_curve(c, start, end, past=outcome.unserved)
                    outcome = outcome if change is None else self._try({c: change})
                if outcome.accepted is not None:
                    return True
            if not found:
                return False
        return False

    def _repair_turn(self, a: int, b: int) -> bool:
        """Try curves at a junction, on either line or both."""
        first, second = self.checked.alignment.lines[a], self.checked.alignment.lines[b]
        end = float(cumulative_length(first)[-1])
        incoming = heading(first[-2], first[-1])
        turn = turn_between(incoming, heading(second[0], second[1]))
        lengths = self._lengths(b)
        if self.expansions:
            lengths = [lengths[n] for n in SEARCHED[:2]]
        for share in TURN_SHARES[:SEARCHED_SHARES] if self.expansions else TURN_SHARES:
            pose = np.array([*second[0], incoming + share * turn])
            for length in lengths:
                changes: dict[int, ChangedLine | None] = {}
                if share > 0:
                    changes[a] = self._with_curve(a, self._starts(a, end - length)[0], Cut(end, pose))
                if share < 1 and changes.get(a, b) is not None:
                    changes[b] = self._with_curve(b, Cut(0.0, pose), self._ends(b, length)[0])
                made = {c: x for c, x in changes.items() if x is not None}
                if len(made) == (share > 0) + (share < 1) and self._try(made).accepted is not None:
                    return True
        return False

    def _lengths(self, c: int) -> list[float]:
        """Replaced lengths on each side of a place [m]."""
        return [a * max(float(self.checked.radii[c]) / USUAL_RADIUS_M, 1.0) for a in AROUND_M]

    def _cuts_around(self, c: int, vertex: int) -> tuple[list[list[Cut]], list[list[Cut]]]:
        """Cuts before and after a vertex, for each of the lengths."""
        at = float(cumulative_length(self.checked.alignment.lines[c])[vertex])
        lengths = self._lengths(c)
        return [self._starts(c, at - x) for x in lengths], [self._ends(c, at + x) for x in lengths]

    def _starts(self, c: int, distance_m: float) -> list[Cut]:
        """Cuts where a curve may start.

        At the start of the line it may also start in the direction of the line upstream.
        """
        lines, up = self.checked.alignment.lines, self.checked.alignment.parents[c]
        cut = cut_at(lines[c], distance_m)
        if cut.distance_m > 0 or up < 0:
            return [cut]
        return distinct_cuts(cut, [cut.pose[2], heading(*lines[up][-2:])])

    def _ends(self, c: int, distance_m: float) -> list[Cut]:
        """Cuts where a curve may end.

        At the end of the line it may also end in the direction of a line downstream.
        """
        lines = self.checked.alignment.lines
        cut = cut_at(lines[c], distance_m)
        if cut.distance_m < cumulative_length(lines[c])[-1]:
            return [cut]
        return distinct_cuts(cut, [cut.pose[2], *(heading(*lines[k][:2]) for k in self.checked.chains.children[c])])

    def _with_curve(self, c: int, start: Cut, end: Cut, *, past: Sequence[int] = ()) -> ChangedLine | None:
        """Line with a drivable curve; None without one.

        Parameters
        ----------
        c : int
            Line.
        start, end : Cut
            Ends of the stretch that the curve replaces.
        past : sequence of int
            Terminals that the curve must serve.
        """
        stretch = end.distance_m - start.distance_m
        if stretch <= 0:
            return None
        self.searches_left -= self.expansions > 0
        problem, heights = self.checked.problem, self.checked.heights
        limits = CurveLimits(
            radius_m=float(self.checked.radii[c]),
            length_m=LENGTH_FACTOR * stretch + EXTRA_LENGTH_M,
            max_grade=problem.criteria.max_grade,
            expansions=self.expansions,
            heights=ANY_HEIGHT if heights is None else heights.between(c, start.distance_m, end.distance_m),
            shapes=_footprints(problem, past),
        )
        curve = drivable_curve(problem.road_grid, start.pose, end.pose, limits)
        if curve is None:
            return None
        line, corners = self.checked.alignment.lines[c], self.checked.alignment.straight[c]
        if c not in self.corner_memo:
            self.corner_memo[c] = corner_distances(line, corners)
        before = int((cumulative_length(line) < start.distance_m - 1e-9).sum())
        return ChangedLine(
            spliced(line, start.distance_m, end.distance_m, curve.xy),
            spliced_corners(corners, self.corner_memo[c], start.distance_m, end.distance_m, curve),
            slice(before, before + len(curve.xy)),
        )


def _footprints(problem: RoutingProblem, terminals: Sequence[int]) -> ShapeArrays:
    """Footprints of some terminals, with their reach."""
    if not terminals:
        return NO_SHAPES
    rings = [problem.shapes.ring(t) for t in terminals]
    return ShapeArrays(np.concatenate(rings), np.cumsum([0, *map(len, rings)]), problem.reach_m[list(terminals)])
