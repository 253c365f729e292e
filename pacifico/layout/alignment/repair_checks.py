"""Checks of a repair: whether changed lines have fewer tight places, and break nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment.horizontal import touching
from pacifico.layout.alignment.polyline_splice import ChangedLine, differing_parts, doubles_back
from pacifico.layout.alignment.smoothing import tight_bends, tight_turns
from pacifico.layout.routing.problem import terminals_by_line
from pacifico.layout.routing.terminal_service import other_server, serves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.height_ranges import HeightRanges
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem

    Changes = Mapping[int, ChangedLine]


AFFECTED_RADII = 4.0
"""Distance from a change beyond which bends are as tight as before [radii]."""
NO_CHANGES: Changes = {}


@dataclass(frozen=True)
class Chains:
    """Lines that continue each other, with one radius."""

    children: list[list[int]]
    """Lines that continue each line."""
    members: list[list[int]]
    """Lines of each chain, from the entry's side."""
    of_line: list[int]
    """Chain of each line."""

    @classmethod
    def of(cls, parents: Sequence[int], radii: FloatArray) -> Chains:
        """Chains of a tree of lines."""
        children: list[list[int]] = [[] for _ in parents]
        for c, up in enumerate(parents):
            if up >= 0:
                children[up].append(c)
        members: list[list[int]] = []
        of_line = [0] * len(parents)
        for c, up in enumerate(parents):
            if up >= 0 and len(children[up]) == 1 and radii[c] == radii[up]:
                of_line[c] = of_line[up]
                members[of_line[c]].append(c)
            else:
                of_line[c] = len(members)
                members.append([c])
        return cls(children, members, of_line)


@dataclass(frozen=True)
class CheckedAlignment:
    """Alignment under repair, with what the checks of a change read."""

    problem: RoutingProblem
    alignment: HorizontalAlignment
    heights: HeightRanges | None
    """Height ranges of the alignment; without them its profile isn't checked."""
    radii: FloatArray
    """Centreline radius that each line needs [m]."""
    chains: Chains
    bound: list[list[int]]
    """Terminals that each line serves."""
    index: shapely.STRtree
    """Spatial index of the lines."""

    @classmethod
    def of(
        cls, problem: RoutingProblem, alignment: HorizontalAlignment, heights: HeightRanges | None
    ) -> CheckedAlignment:
        """Alignment before any change."""
        radii = problem.radii_of(alignment)
        bound = terminals_by_line(len(alignment.lines), alignment.line_of)
        chains = Chains.of(alignment.parents, radii)
        return cls(problem, alignment, heights, radii, chains, bound, _spatial_index(alignment.lines))

    def chain_line(self, k: int, changes: Changes = NO_CHANGES) -> FloatArray:
        """All lines of a chain as one."""
        parts = [changes[c].xy if c in changes else self.alignment.lines[c] for c in self.chains.members[k]]
        return np.vstack([parts[0], *(p[1:] for p in parts[1:])])

    def chain_radii(self, chains: Sequence[int]) -> FloatArray:
        """Centreline radius of some chains [m]."""
        return np.array([self.radii[self.chains.members[k][0]] for k in chains])

    def tight_bends_of(self, k: int) -> list[FloatArray]:
        """Place of each tight bend of a chain."""
        return list(tight_bends([self.chain_line(k)], self.chain_radii([k]))[0])

    def count_tight_turns(self, a: int, following: Sequence[int], changes: Changes = NO_CHANGES) -> int:
        """Number of tight turns at the end of a line."""
        if not following:
            return 0
        own = [a, *following]
        corners = [changes[c].corners if c in changes else self.alignment.straight[c] for c in own]
        return len(tight_turns(self.problem, corners, [-1] + [0] * len(following), self.radii[own])[1])


@dataclass(frozen=True)
class Outcome:
    """Result of a tried change."""

    accepted: CheckedAlignment | None
    """Alignment with the change, where it is accepted."""
    unserved: tuple[int, ...] = ()
    """Terminals that the change would no longer serve, where it has fewer tight places."""


REJECTED = Outcome(None)


def try_changes(checked: CheckedAlignment, changes: Changes) -> Outcome:
    """Accept changes that reduce tight places.

    All terminals must stay served, lines must not touch, and a legal profile must remain.
    """
    if not _has_fewer_tight(checked, changes):
        return REJECTED
    alignment, problem = checked.alignment, checked.problem
    lines, straight = list(alignment.lines), list(alignment.straight)
    for c, change in changes.items():
        lines[c], straight[c] = change.xy, change.corners
    line_of = dict(alignment.line_of)
    pads_may_move = checked.heights is None or not checked.heights.fixed
    for t in [t for c in changes for t in checked.bound[c]]:
        if not serves(problem, lines[line_of[t]], t):
            line_of[t] = other_server(problem, t, lines, checked.radii, checked.index, pads=pads_may_move)
    unserved = tuple(t for c in changes for t in checked.bound[c] if line_of[t] < 0)
    if unserved:
        return Outcome(None, unserved)
    if _touches(checked, changes) or any(doubles_back(x, checked.radii[c]) for c, x in changes.items()):
        return REJECTED
    changed = replace(alignment, lines=lines, straight=straight, line_of=line_of)
    heights = None if checked.heights is None else checked.heights.after(changed)
    if heights is None and checked.heights is not None:
        return REJECTED
    bound = [list(own) for own in checked.bound]
    for c in changes:
        for t in [t for t in bound[c] if line_of[t] != c]:
            bound[c].remove(t)
            bound[line_of[t]].append(t)
    return Outcome(replace(checked, alignment=changed, heights=heights, bound=bound, index=_spatial_index(lines)))


def _has_fewer_tight(checked: CheckedAlignment, changes: Changes) -> bool:
    """Whether changes reduce the number of tight bends and turns near them."""
    chains, parents = checked.chains, checked.alignment.parents
    more = 0
    for k in sorted({chains.of_line[c] for c in changes}):
        radii = checked.chain_radii([k])
        old, new = differing_parts(checked.chain_line(k), checked.chain_line(k, changes), AFFECTED_RADII * radii[0])
        more += len(tight_bends([new], radii)[1]) - len(tight_bends([old], radii)[1])
    for c in sorted({*changes, *(parents[c] for c in changes if parents[c] >= 0)}):
        following = chains.children[c]
        more += checked.count_tight_turns(c, following, changes) - checked.count_tight_turns(c, following)
    return more < 0


def _touches(checked: CheckedAlignment, changes: Changes) -> bool:
    """Whether changed lines touch apart from their joints."""
    alignment, width_m = checked.alignment, checked.problem.criteria.width_m
    shapes = [LineString(change.xy) for change in changes.values()]
    near = sorted({*changes, *checked.index.query(shapes, "dwithin", width_m)[1].tolist()})
    number = {c: k for k, c in enumerate(near)}
    parents = [number.get(up, -2 - up) for up in (alignment.parents[c] for c in near)]
    after = [changes[c].xy if c in changes else alignment.lines[c] for c in near]
    before = [alignment.lines[c] for c in near]
    if set(touching(after, parents)) - set(touching(before, parents)):
        return True
    # keep a road's width from lines that they do not meet
    for c, shape in zip(changes, shapes, strict=True):
        up = alignment.parents[c]
        meeting = {c, up, *checked.chains.children[c], *(checked.chains.children[up] if up >= 0 else ())}
        old_shape = LineString(alignment.lines[c])
        for other in near:
            if other not in meeting and other not in changes:
                beside = LineString(alignment.lines[other])
                if shape.distance(beside) < min(width_m, old_shape.distance(beside)) - 1e-6:
                    return True
    return False


def _spatial_index(lines: Sequence[FloatArray]) -> shapely.STRtree:
    """Spatial index of lines."""
    of_line = np.repeat(np.arange(len(lines)), [len(x) for x in lines])
    return shapely.STRtree(shapely.linestrings(np.concatenate(lines), indices=of_line))
