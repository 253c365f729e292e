"""Horizontal alignment: lines of a road tree, pulled tight, smoothed, rounded and free of crossings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.alignment.bend_rounding import round_line
from pacifico.layout.alignment.branches import pull_branch
from pacifico.layout.alignment.smoothing import EVERYWHERE, smooth
from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem, terminals_by_line
from pacifico.layout.routing.terminal_service import serves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.alignment.branches import Branch, Branches
    from pacifico.layout.alignment.smoothing import FrozenAreas


SAME_PLACE_M = 0.05
"""Lines that meet this near to their joint touch only there [m]."""
MAX_OVERLAP_M = 0.01
"""Longest stretch that such lines may share [m]."""


def draw_alignment(
    problem: RoutingProblem, branches: Branches, *, frozen: FrozenAreas = EVERYWHERE
) -> tuple[HorizontalAlignment, Branches]:
    """Alignment of a tree, and the branches behind it.

    Lines cross only where even the searched paths do. Where lines led through dead ends cross, the branches as searched
    are drawn instead, now and in later rounds.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance and cost of roads, terminals and criteria.
    branches : Branches
        Branches of the tree.
    frozen : FrozenAreas
        Places where corners stay as pulling left them; by default everywhere.
    """
    led_through = len(branches.passing) < len(branches.searched)
    alignment = _draw(problem, branches.passing, frozen, use_searched=not led_through)
    if led_through and alignment.crossing:
        branches = replace(branches, passing=branches.searched)
        alignment = _draw(problem, branches.searched, frozen, use_searched=True)
    return without_parallel_ends(problem, alignment), branches


def _draw(
    problem: RoutingProblem, branches: list[Branch], frozen: FrozenAreas, *, use_searched: bool
) -> HorizontalAlignment:
    """Alignment of branches, free of crossings where possible.

    Lines that cross are drawn again without smoothing. Those that still cross go back to the pulled line without arcs,
    and then to the path as searched.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance and cost of roads, terminals and criteria.
    branches : list of Branch
        Branches of a tree.
    frozen : FrozenAreas
        Places where corners stay.
    use_searched : bool
        Whether paths as searched may be used; otherwise crossings remain that need them.
    """
    pulled = [pull_branch(problem, branch) for branch in branches]
    parents = [branch.parent for branch in branches]
    bound = [[t for _, t in branch.bound] for branch in branches]
    radii = problem.radii(parents, bound)

    def rounded(corners: Sequence[FloatArray], frozen: FrozenAreas) -> list[FloatArray]:
        return [round_line(problem, x, own, r, frozen) for x, own, r in zip(corners, bound, radii, strict=True)]

    fixed = set(range(len(branches))) if frozen is EVERYWHERE else set()
    while True:
        corners = smooth(problem, pulled, parents, bound, radii, fixed=fixed, frozen=frozen)
        lines = rounded(corners, frozen)
        crossing = set(touching(lines, parents))
        if crossing <= fixed:
            break
        fixed |= crossing
    step = [0] * len(lines)
    while any(step[c] < 2 for c in crossing):
        if not crossing <= fixed:
            # a line that goes back no longer meets the shifted ends of others: go back with all
            fixed = set(range(len(branches)))
            corners, step = pulled, [0] * len(lines)
            lines = rounded(pulled, EVERYWHERE)
            crossing = set(touching(lines, parents))
            continue
        if not use_searched and any(step[c] == 1 for c in crossing):
            break
        for c in sorted(crossing):
            if step[c] < 2:
                step[c] += 1
                lines[c] = pulled[c] if step[c] == 1 else branches[c].xy
        crossing = set(touching(lines, parents))
    line_of = {t: c for c, own in enumerate(bound) for t in own}
    return HorizontalAlignment(lines, parents, dict(sorted(line_of.items())), corners, tuple(sorted(crossing)))


def without_parallel_ends(problem: RoutingProblem, alignment: HorizontalAlignment) -> HorizontalAlignment:
    """Alignment without dead ends that run on the strip of another line.

    Both start at the same junction, and the other line serves their terminals too.
    """
    lines, parents = alignment.lines, alignment.parents
    children: dict[int, list[int]] = {}
    for c, up in enumerate(parents):
        children.setdefault(up, []).append(c)
    bound = terminals_by_line(len(lines), alignment.line_of)
    replaced_by: dict[int, int] = {}
    for c in sorted(set(range(len(lines))) - set(parents)):
        for other in children[parents[c]] if parents[c] >= 0 else ():
            if other == c or other in replaced_by:
                continue
            apart = shapely.distance(shapely.points(lines[c]), shapely.linestrings(lines[other]))
            if apart.max() < problem.criteria.width_m / 2 and all(serves(problem, lines[other], t) for t in bound[c]):
                replaced_by[c] = other
                break
    if not replaced_by:
        return alignment
    number = {k: n for n, k in enumerate(k for k in range(len(lines)) if k not in replaced_by)}
    return HorizontalAlignment(
        [lines[k] for k in number],
        [number.get(parents[k], -1) for k in number],
        {t: number[replaced_by.get(c, c)] for t, c in alignment.line_of.items()},
        [alignment.straight[k] for k in number] if len(alignment.straight) else (),
        tuple(number[k] for k in alignment.crossing if k in number),
    )


def touching(lines: list[FloatArray], parents: list[int]) -> list[int]:
    """Lines that touch apart from their joints."""
    if not lines:
        return []
    of_line = np.repeat(np.arange(len(lines)), [len(x) for x in lines])
    shapes = np.asarray(shapely.linestrings(np.concatenate(lines), indices=of_line), dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    keep = first < second
    first, second = first[keep], second[keep]
    common = np.asarray(shapely.intersection(shapes[first], shapes[second]), dtype=object)
    found: set[int] = set(np.flatnonzero(~shapely.is_simple(shapes)).tolist())
    for a, b, where in zip(first.tolist(), second.tolist(), common, strict=True):
        if parents[b] == a:
            joint = lines[b][0]
        elif parents[a] == parents[b]:
            joint = lines[a][0]
        else:
            found |= {a, b}
            continue
        xy = shapely.get_coordinates(where)
        if where.length > MAX_OVERLAP_M or (np.hypot(*(xy - joint).T) > SAME_PLACE_M).any():
            found |= {a, b}
    return sorted(found)
