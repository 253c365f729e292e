"""From designed lines to the network: turnarounds, classes, figures, and a true line for all that has no road."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, Point

from pacifico.layout.alignment.pruning import through, tight_places
from pacifico.layout.alignment.smoothing import tight_bends
from pacifico.layout.alignment.vertical import CURVE_M_PER_PCT, GradeLine, Stations, grade_breaks
from pacifico.layout.model.roads import Network, RoadClass, make_road
from pacifico.layout.roads.shorten_arrays import turning
from pacifico.layout.roads.turnarounds import Scene, build
from pacifico.layout.routing import tree_search

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem
    from pacifico.layout.routing.site_entry import SiteEntry


SPUR_M = 150.0
"""A dead end shorter than this is a spur."""
CURVE_OVER_M = 10.0
"""Length within which a change of grade is to be rounded off."""


def assemble_network(
    problem: RoutingProblem,
    site_entry: SiteEntry,
    alignment: HorizontalAlignment,
    *,
    stations: Stations,
    profile: GradeLine,
    given_up: dict[int, str],
) -> Network:
    """Roads with their classes and figures, and every terminal accounted for."""
    lines = [np.column_stack([stations.xy[ids], profile.z[ids]]) for ids in stations.of_line]
    whole, members = through(lines, alignment.ups)
    scene = Scene(problem.road_grid, problem.ground, problem.criteria, whole, anywhere=True)
    arms, without = build(scene, _dead(members, alignment.ups))
    more, without, shortenable = turning(scene, without, problem.shortenable)
    arms += more
    gone = shortenable.gone
    joints = np.array([end for arm in arms for end in (arm[0], arm[-1])]).reshape(-1, 3)
    pieces: list[FloatArray] = []
    classes: list[RoadClass] = []
    first: list[int] = []
    of_arms: list[RoadClass] = ["spur"] * len(arms)
    for road_class, parts in zip(
        [*_classes(problem, alignment), *of_arms], _split([*lines, *arms], joints), strict=True
    ):
        first.append(len(pieces))
        pieces += parts
        classes += [road_class] * len(parts)
    roads = [
        make_road(f"R{k:03d}", c, xyz, problem.criteria.width_m)
        for k, (c, xyz) in enumerate(zip(classes, pieces, strict=True), 1)
    ]
    first.append(len(pieces))
    served = {}
    for t, c in sorted(alignment.line_of.items()):
        if t in gone:
            continue
        own = roads[first[c] : first[c + 1]]
        near = own[0] if len(own) == 1 else min(own, key=lambda r: r.line.distance(problem.terminals[t].footprint))
        served[problem.terminals[t].key] = near.road_id
    missing = set(range(len(problem.terminals))) - set(alignment.line_of) - gone
    warnings = list(site_entry.warnings)
    warnings += _tight(problem, alignment, arms)
    breaks = grade_breaks(stations.parent, stations.distance, profile.z, over_m=CURVE_OVER_M)
    sharp = int((breaks > CURVE_OVER_M / CURVE_M_PER_PCT).sum())
    if sharp:
        warnings.append(
            f"changes of grade too sharp for a vertical curve at 25 km/h within {CURVE_OVER_M:g} m: {sharp}, "
            f"the most {breaks.max():.1f} %; round them off in the detailed design"
        )
    if without:
        warnings.append(
            f"dead ends over {problem.criteria.turnaround_over_m:g} m without room for a turnaround: {len(without)}"
        )
    return Network(
        tuple(roads),
        Point(site_entry.point),
        served,
        reasons(problem, site_entry, missing, given_up),
        tuple(warnings),
        {problem.terminals[t].key: n for t, n in shortenable.given_up().items()},
    )


def _dead(members: list[list[int]], ups: list[int]) -> list[int]:
    """Which of the lines made of some `members` end dead."""
    goes_on = set(ups)
    return [n for n, m in enumerate(members) if m[-1] not in goes_on]


def _tight(problem: RoutingProblem, alignment: HorizontalAlignment, arms: list[FloatArray]) -> list[str]:
    """Say how many bends and turns are tighter than the radius that what lies beyond them asks for."""
    found = [("turns at junctions" if t.turn else "road bends", t.size) for t in tight_places(problem, alignment)]
    # what was built at dead ends may go on from them
    sizes, (whole, members) = problem.sizes_of(alignment), through(alignment.lines, alignment.ups)
    onward: dict[tuple[float, float], list[FloatArray]] = {}
    for arm in arms:
        onward.setdefault((float(arm[0, 0]), float(arm[0, 1])), []).append(arm[1:, :2])
    for n in _dead(members, alignment.ups):
        more = onward.get((float(whole[n][-1, 0]), float(whole[n][-1, 1])), [])
        size = sizes[members[n][-1:]]
        if len(more) == 1:
            fresh = len(tight_bends([np.vstack([whole[n], more[0]])], size)[1]) - len(tight_bends([whole[n]], size)[1])
            found += [("road bends", float(size[0]))] * max(fresh, 0)
    return [
        f"{what} tighter than an inner radius of {size - problem.criteria.width_m / 2:g} m, for want of room: {count}"
        for (what, size), count in sorted(Counter(found).items())
    ]


def _split(lines: list[FloatArray], joints: FloatArray) -> list[list[FloatArray]]:
    """Pieces of lines, cut where others join them, at a vertex or between two."""
    if not len(joints):
        return [[xyz] for xyz in lines]
    shapes = [LineString(xyz) for xyz in lines]
    at, on = shapely.STRtree(shapes).query(shapely.points(joints[:, :2]), "dwithin", 1e-6)
    out = []
    for c, xyz in enumerate(lines):
        run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
        inner = []
        for j in at[on == c].tolist():
            s = float(shapes[c].project(Point(joints[j, :2])))
            if 1e-3 < s < run[-1] - 1e-3:
                inner.append((s, j))
        cuts = [0]
        whole = xyz
        for s, j in sorted(inner, reverse=True):
            k = int(np.argmin(np.abs(run - s)))
            if abs(run[k] - s) > 1e-3:  # between two vertices
                k = int(np.searchsorted(run, s))
                whole = np.insert(whole, k, joints[j], axis=0)
                cuts = [0, *(c + 1 for c in cuts[1:])]
            if k not in cuts:
                cuts.insert(1, k)
        out.append([whole[a : b + 1] for a, b in zip(cuts, [*cuts[1:], len(whole) - 1], strict=True)])
    return out


def _classes(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[RoadClass]:
    """Spine: what leads to the first terminals; spur: short dead ends; secondary: the rest."""
    n = len(alignment.lines)
    spine = [False] * n
    first = min((int(problem.priority[t]) for t in alignment.line_of), default=0)
    for t, c in alignment.line_of.items():
        if int(problem.priority[t]) == first:
            k = c
            while k >= 0 and not spine[k]:
                spine[k] = True
                k = alignment.ups[k]
    goes_on = set(alignment.ups)
    out: list[RoadClass] = []
    for c, line in enumerate(alignment.lines):
        if spine[c]:
            out.append("spine")
        elif c not in goes_on and float(np.hypot(*np.diff(line, axis=0).T).sum()) < SPUR_M:
            out.append("spur")
        else:
            out.append("secondary")
    return out


def reasons(
    problem: RoutingProblem, site_entry: SiteEntry | None, missing: set[int], known: dict[int, str]
) -> dict[str, str]:
    """One true line for each terminal that has no road."""
    out = {}
    parts: IntArray | None = None
    nodes = problem.reach.by_terminal(len(problem.terminals)) if missing else []
    for t in sorted(missing):
        key = problem.terminals[t].key
        if t in known:
            out[key] = known[t]
            continue
        own = nodes[t]
        if own.size == 0:
            out[key] = f"no legal route: no room for a road within {problem.reach_m[t]:g} m"
            continue
        if parts is None:
            parts = tree_search.parts(problem.road_grid)
        if site_entry is not None and not (parts[own] == parts[site_entry.node]).any():
            out[key] = "no legal route: this part of the site is not connected to the entry"
        elif site_entry is None:
            out[key] = "no legal route: no road leads from the boundary to it"
        else:
            out[key] = (
                f"too steep: every way to it is far beyond the grade limit of {100 * problem.criteria.max_grade:g} %"
            )
    return out
