"""Pruning: cut roads at places that are too tight, and reassign their terminals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment.polyline_splice import corner_distances
from pacifico.layout.alignment.smoothing import tight_bends, tight_turns
from pacifico.layout.routing.problem import terminals_by_line
from pacifico.layout.routing.terminal_service import other_server, serves
from pacifico.polyline import cumulative_length

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


END_M = 0.5
"""Corners nearer to the new end of a dead end than this are dropped [m]."""


@dataclass(frozen=True)
class TightPlace:
    """A bend or turn tighter than its required radius."""

    line: int
    vertex: int
    """First vertex of a bend; 0 for a turn at the start of the line."""
    xy: FloatArray
    """Where it is [m]."""
    radius_m: float
    """Centreline radius that it needs [m]."""
    is_turn: bool = False
    """Whether it is a turn at a junction of several lines."""


def continuous_lines(lines: Sequence[FloatArray], parents: Sequence[int]) -> tuple[list[FloatArray], list[list[int]]]:
    """Lines joined with their only continuation."""
    children: list[list[int]] = [[] for _ in lines]
    for k, up in enumerate(parents):
        if up >= 0:
            children[up].append(k)
    members: list[list[int]] = []
    for c, up in enumerate(parents):
        if up >= 0 and len(children[up]) == 1:
            continue
        members.append([c])
        while len(children[members[-1][-1]]) == 1:
            members[-1].append(children[members[-1][-1]][0])
    return [np.vstack([lines[m[0]], *(lines[c][1:] for c in m[1:])]) for m in members], members


def tight_places(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[TightPlace]:
    """Bends and turns tighter than the terminals downstream need."""
    return _tight_places(problem, alignment, problem.radii_of(alignment))


def illegal_places(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[TightPlace]:
    """Bends and turns tighter than the criteria allow.

    The wider radius of blade transport is not among the criteria: local widening of a bend may replace it.
    """
    return _tight_places(problem, alignment, np.full(len(alignment.lines), problem.min_radius_m))


def _tight_places(problem: RoutingProblem, alignment: HorizontalAlignment, radii: FloatArray) -> list[TightPlace]:
    """Bends and turns tighter than the radius of their line."""
    joined, members = continuous_lines(alignment.lines, alignment.parents)
    single = [[c] for c in range(len(alignment.lines))]
    # joined lines show bends at their joints; single lines may need more than what continues them
    bends = (
        (*tight_bends(joined, np.array([radii[m[-1]] for m in members])), members),
        (*tight_bends(alignment.lines, radii), single),
    )
    out = []
    for places, of_line, own in bends:
        out += [_bend_at(alignment, own[k], xy, radii) for k, xy in zip(of_line.tolist(), places, strict=True)]
    places, into = tight_turns(problem, alignment.straight, alignment.parents, radii)
    out += [TightPlace(c, 0, xy, float(radii[c]), is_turn=True) for c, xy in zip(into.tolist(), places, strict=True)]
    return list({(t.line, t.vertex): t for t in out}.values())


def _bend_at(alignment: HorizontalAlignment, members: Sequence[int], xy: FloatArray, radii: FloatArray) -> TightPlace:
    """Bend at a vertex of joined lines.

    Parameters
    ----------
    alignment : HorizontalAlignment
        Lines of the network.
    members : sequence of int
        Lines that are joined, in order.
    xy : (2,) float
        Vertex of one of them [m].
    radii : (n,) float
        Centreline radius that each line needs [m].
    """
    for k, c in enumerate(members):
        at = np.flatnonzero((alignment.lines[c] == xy).all(axis=1))
        if at.size:
            joint = at[0] == len(alignment.lines[c]) - 1 and k + 1 < len(members)
            line, vertex = (members[k + 1], 0) if joint else (c, int(at[0]))
            return TightPlace(line, vertex, xy, float(radii[line]))
    raise AssertionError("a bend lies on one of the lines that it was found on")


def pruned(
    problem: RoutingProblem, alignment: HorizontalAlignment, tight: Sequence[TightPlace]
) -> tuple[HorizontalAlignment, dict[int, float]]:
    """Alignment without the roads downstream of tight places.

    Returns
    -------
    HorizontalAlignment
        Lines as far as they still serve terminals. Arrays may change to another line.
    dict
        Centreline radius that is missing on the way to each terminal which is no longer served [m].
    """
    first: dict[int, TightPlace] = {}
    for t in tight:
        if t.line not in first or t.vertex < first[t.line].vertex:
            first[t.line] = t
    cut_by: list[TightPlace | None] = []
    lines: list[FloatArray | None] = []
    for c, up in enumerate(alignment.parents):
        upstream = cut_by[up] if up >= 0 else None
        own = upstream or first.get(c)
        cut_by.append(own)
        whole = alignment.lines[c]
        if own is None:
            lines.append(whole)
        else:
            lines.append(whole[: own.vertex] if upstream is None and own.vertex > 1 else None)
    line_of, missing_radius = _reassigned(problem, alignment, lines, cut_by)
    return _shortened(problem, alignment, lines, line_of), missing_radius


def without(problem: RoutingProblem, alignment: HorizontalAlignment, out: Collection[int]) -> HorizontalAlignment:
    """Alignment without some terminals and their lines."""
    return _shortened(problem, alignment, alignment.lines, {t: c for t, c in alignment.line_of.items() if t not in out})


def _reassigned(
    problem: RoutingProblem,
    alignment: HorizontalAlignment,
    lines: Sequence[FloatArray | None],
    cut_by: Sequence[TightPlace | None],
) -> tuple[dict[int, int], dict[int, float]]:
    """New line of each terminal, and missing radii.

    Parameters
    ----------
    problem : RoutingProblem
        Terminals.
    alignment : HorizontalAlignment
        Lines before the cut.
    lines : sequence of (k, 2) float or None
        What is left of each line [m].
    cut_by : sequence of TightPlace or None
        Tight place that cut each line off.
    """
    radii = problem.radii_of(alignment)
    index = shapely.STRtree([LineString(line) for line in alignment.lines])
    line_of: dict[int, int] = {}
    missing_radius: dict[int, float] = {}
    for t, c in alignment.line_of.items():
        own, place = lines[c], cut_by[c]
        if place is None or (own is not None and serves(problem, own, t)):
            line_of[t] = c
            continue
        other = other_server(problem, t, lines, radii, index)
        if other >= 0:
            line_of[t] = other
        else:
            missing_radius[t] = place.radius_m
    return line_of, missing_radius


def _shortened(
    problem: RoutingProblem, alignment: HorizontalAlignment, lines: Sequence[FloatArray | None], line_of: dict[int, int]
) -> HorizontalAlignment:
    """Alignment without lines that lead nowhere.

    Parameters
    ----------
    problem : RoutingProblem
        Terminals.
    alignment : HorizontalAlignment
        Lines before the cut.
    lines : sequence of (k, 2) float or None
        What is left of each line [m].
    line_of : dict
        Line that serves each terminal now.
    """
    n = len(lines)
    bound = terminals_by_line(n, line_of)
    continued = [False] * n
    left: dict[int, tuple[FloatArray, FloatArray]] = {}
    for c in range(n - 1, -1, -1):
        line, up = lines[c], alignment.parents[c]
        if line is None or not (bound[c] or continued[c]):
            continue
        if up >= 0:
            continued[up] = True
        corners = alignment.straight[c]
        if not continued[c] and (len(line) < len(alignment.lines[c]) or c in alignment.parents):
            while len(line) > 2 and all(_end_is_spare(problem, line, t) for t in bound[c]):
                line = line[:-1]
            keep = corner_distances(alignment.lines[c], corners) < cumulative_length(line)[-1] - END_M
            keep[0] = True
            corners = np.vstack([corners[keep], line[-1:]])
        left[c] = (line, corners)
    number = {c: k for k, c in enumerate(sorted(left))}
    return replace(
        alignment,
        lines=[left[c][0] for c in number],
        parents=[number[alignment.parents[c]] if alignment.parents[c] >= 0 else -1 for c in number],
        line_of={t: number[c] for t, c in sorted(line_of.items())},
        straight=[left[c][1] for c in number],
    )


def _end_is_spare(problem: RoutingProblem, line: FloatArray, t: int) -> bool:
    """Whether a line without its last vertex serves a terminal as well.

    A pad must stay as near to the line, since the heights of both agree at the nearest vertex.
    """
    if not serves(problem, line[:-1], t):
        return False
    if problem.terminals[t].pad is None:
        return True
    return problem.pads.nearest(t, line[:-1])[0] <= problem.pads.nearest(t, line)[0] + 1e-6
