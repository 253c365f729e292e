"""Pruning: cut roads at bends or turns that are too tight, and reassign their terminals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment.horizontal import served_by, serves
from pacifico.layout.alignment.polyline_splice import places_on, run_of
from pacifico.layout.alignment.smoothing import tight_bends, tight_turns
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing.problem import terminals_by_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem


@dataclass(frozen=True)
class Tight:
    """A bend along a line, or a turn into one (vertex 0), tighter than its radius."""

    line: int
    vertex: int
    xy: FloatArray
    size: float
    """Required radius of the centreline [m]."""
    turn: bool = False
    """Whether it is a turn at a junction of several lines."""


def through(lines: Sequence[FloatArray], ups: Sequence[int]) -> tuple[list[FloatArray], list[list[int]]]:
    """Lines joined with their only continuation (a bend, no branch), and the parts of each."""
    follows: list[list[int]] = [[] for _ in lines]
    for k, up in enumerate(ups):
        if up >= 0:
            follows[up].append(k)
    members: list[list[int]] = []
    for c, up in enumerate(ups):
        if up >= 0 and len(follows[up]) == 1:
            continue
        members.append([c])
        while len(follows[members[-1][-1]]) == 1:
            members[-1].append(follows[members[-1][-1]][0])
    return [np.vstack([lines[m[0]], *(lines[c][1:] for c in m[1:])]) for m in members], members


def tight_places(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[Tight]:
    """Bends and turns tighter than their downstream terminals require."""
    return _tight(problem, alignment, problem.sizes_of(alignment))


def barring(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[Tight]:
    """Bends and turns tighter than the criteria.

    Blade transport may use local widening: a missing wider radius is reported only.
    """
    return _tight(problem, alignment, np.full(len(alignment.lines), problem.min_radius_m))


def _tight(problem: RoutingProblem, alignment: HorizontalAlignment, sizes: FloatArray) -> list[Tight]:
    whole, members = through(alignment.lines, alignment.ups)
    out = []
    # a line may require more than its continuation
    for places, of, own in (
        (*tight_bends(whole, np.array([sizes[m[-1]] for m in members])), members),
        (*tight_bends(alignment.lines, sizes), [[c] for c in range(len(alignment.lines))]),
    ):
        out += [_at(alignment, own[k], xy, sizes) for k, xy in zip(of.tolist(), places, strict=True)]
    places, into = tight_turns(problem, alignment.straight, alignment.ups, sizes)
    out += [Tight(c, 0, xy, float(sizes[c]), turn=True) for c, xy in zip(into.tolist(), places, strict=True)]
    return list({(t.line, t.vertex): t for t in out}.values())


def _at(alignment: HorizontalAlignment, members: Sequence[int], xy: FloatArray, sizes: FloatArray) -> Tight:
    """Bend at a vertex of a joined line, on the part that continues."""
    for k, c in enumerate(members):
        at = np.flatnonzero((alignment.lines[c] == xy).all(axis=1))
        if at.size:
            joint = at[0] == len(alignment.lines[c]) - 1 and k + 1 < len(members)
            line, vertex = (members[k + 1], 0) if joint else (c, int(at[0]))
            return Tight(line, vertex, xy, float(sizes[line]))
    raise AssertionError("a bend lies on one of the lines that it was found on")


def pruned(
    problem: RoutingProblem, alignment: HorizontalAlignment, tight: Sequence[Tight]
) -> tuple[HorizontalAlignment, dict[int, float]]:
    """Alignment without everything beyond tight places.

    Returns
    -------
    Drawing
        Lines as they were up to there, and no farther than what they still serve. Arrays may be served by other lines.
    dict
        Radius that the road to each terminal which is served no more lacks [m].
    """
    first: dict[int, Tight] = {}
    for t in tight:
        if t.line not in first or t.vertex < first[t.line].vertex:
            first[t.line] = t
    why: list[Tight | None] = []
    lines: list[FloatArray | None] = []
    for c, up in enumerate(alignment.ups):
        before = why[up] if up >= 0 else None
        own = before or first.get(c)
        why.append(own)
        whole = alignment.lines[c]
        lines.append(None if before else whole if own is None else whole[: own.vertex] if own.vertex > 1 else None)
    line_of, lost = _reassigned(problem, alignment, lines, why)
    return _shortened(problem, alignment, lines, line_of), lost


def without(problem: RoutingProblem, alignment: HorizontalAlignment, out: Collection[int]) -> HorizontalAlignment:
    """Alignment without some terminals, and without lines that serve no other."""
    return _shortened(problem, alignment, alignment.lines, {t: c for t, c in alignment.line_of.items() if t not in out})


def _reassigned(
    problem: RoutingProblem,
    alignment: HorizontalAlignment,
    lines: Sequence[FloatArray | None],
    why: Sequence[Tight | None],
) -> tuple[dict[int, int], dict[int, float]]:
    """New serving line of each terminal, and the missing radius of unserved ones."""
    sizes = problem.sizes_of(alignment)
    tree = shapely.STRtree([LineString(line) for line in alignment.lines])
    line_of: dict[int, int] = {}
    lost: dict[int, float] = {}
    for t, c in alignment.line_of.items():
        own, reason = lines[c], why[c]
        serving = c if reason is None or (own is not None and serves(problem, own, t)) else -1
        if serving < 0:
            serving = served_by(problem, t, lines, sizes, tree)
        if serving >= 0:
            line_of[t] = serving
        else:
            assert reason is not None  # noqa: S101 (its own line still serves what nothing cut off)
            lost[t] = reason.size
    return line_of, lost


def _shortened(
    problem: RoutingProblem, alignment: HorizontalAlignment, lines: Sequence[FloatArray | None], line_of: dict[int, int]
) -> HorizontalAlignment:  # fmt: skip
    """Lines that still lead somewhere; dead ends end at their last terminal."""
    n = len(lines)
    bound = terminals_by_line(n, line_of)
    goes_on = [False] * n
    out: dict[int, tuple[FloatArray, FloatArray]] = {}
    for c in range(n - 1, -1, -1):
        line, up = lines[c], alignment.ups[c]
        if line is None or not (bound[c] or goes_on[c]):
            continue
        if up >= 0:
            goes_on[up] = True
        straight = alignment.straight[c]
        if not goes_on[c] and (len(line) < len(alignment.lines[c]) or c in alignment.ups):
            while len(line) > 2 and all(_still_served(problem, line, t) for t in bound[c]):
                line = line[:-1]
            keep = places_on(alignment.lines[c], straight) < run_of(line)[-1] - 0.5
            keep[0] = True
            straight = np.vstack([straight[keep], line[-1:]])
        out[c] = (line, straight)
    number = {c: k for k, c in enumerate(sorted(out))}
    return replace(
        alignment,
        lines=[out[c][0] for c in number],
        ups=[number[alignment.ups[c]] if alignment.ups[c] >= 0 else -1 for c in number],
        line_of={t: number[c] for t, c in sorted(line_of.items())},
        straight=[out[c][1] for c in number],
    )


def _still_served(problem: RoutingProblem, line: FloatArray, t: int) -> bool:
    """Whether a line without its last vertex still serves a terminal, as near to its pad: heights agree there."""
    if not serves(problem, line[:-1], t):
        return False
    p = problem.pads
    far = [_clearance_kernels.nearest_on_line(p.coords, p.start[t], p.start[t + 1], x)[0] for x in (line[:-1], line)]
    return problem.terminals[t].pad is None or far[0] <= far[1] + 1e-6
