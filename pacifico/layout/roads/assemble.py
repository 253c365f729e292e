"""Assemble a network from designed roads: turnarounds, classes, warnings and reasons."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, Point

from pacifico.layout.alignment.pruning import continuous_lines
from pacifico.layout.alignment.smoothing import tight_bends
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA as EARTHWORK
from pacifico.layout.grade_lines.side_slopes import cut_off_length, side_slope_lines
from pacifico.layout.grade_lines.through_roads import CURVE_WITHIN_M
from pacifico.layout.grade_lines.vertical_curves import Level, ProfileLimits, smooth_profile
from pacifico.layout.model.roads import Network, RoadClass, make_road
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.scene import RoadLines, Scene
from pacifico.layout.roads.short_ends import extend_short_ends
from pacifico.layout.roads.shorten_arrays import shorten_for_side_slopes, shorten_for_turnarounds
from pacifico.layout.roads.turnarounds import build_turnarounds
from pacifico.layout.routing import tree_search
from pacifico.polyline import cumulative_length, length

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.grade_lines.vertical_curves import SmoothProfile
    from pacifico.layout.model.roads import Road
    from pacifico.layout.roads.design import RoadDesign
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem
    from pacifico.layout.routing.shortenable import ShortenableObstacles
    from pacifico.layout.routing.site_entry import SiteEntry


SPUR_M = 150.0
"""Dead ends shorter than this are spurs [m]."""
AT_VERTEX_M = 1e-3
"""A joint this near to a vertex lies at it [m]."""
JOINED_M = 1e-6
"""A joint this near to a line lies on it [m]."""


@dataclass(frozen=True)
class _Arms:
    """Turnarounds of a network."""

    lines: list[FloatArray]
    missing: int
    """Long dead ends without a turnaround."""
    shortenable: ShortenableObstacles
    """Obstacles, shortened where a turnaround needed room."""


def assemble_network(design: RoadDesign, site_entry: SiteEntry, dropped: dict[int, Unreached]) -> Network:
    """Network of a road design, with every terminal served, removed or explained.

    Parameters
    ----------
    design : RoadDesign
        Alignment and profile of all roads.
    site_entry : SiteEntry
        Where the roads start.
    dropped : dict
        Why terminals were dropped, by index.
    """
    problem, alignment, stations = design.problem, design.alignment, design.stations
    lines = [np.column_stack([stations.xy[ids], design.profile.z[ids]]) for ids in stations.of_line]
    arms = _turnarounds(problem, alignment, lines)
    roads, first, profile = _roads(design, lines, arms)
    slopes = side_slope_lines(
        profile.lines, problem.ground, width_m=problem.criteria.width_m, side_slope=EARTHWORK.side_slope
    )
    shortenable = shorten_for_side_slopes(slopes, profile.lines, arms.shortenable)
    walls_m = cut_off_length(slopes, shortenable.road_grid().clearance_index.edges)
    removed = shortenable.removed_terminals
    served = {
        problem.terminals[t].key: _serving(problem, t, roads[first[c] : first[c + 1]]).road_id
        for t, c in sorted(alignment.line_of.items())
        if t not in removed and not problem.terminals[t].is_entry
    }
    missing = set(range(len(problem.terminals))) - set(alignment.line_of) - removed
    warnings = [
        *site_entry.warnings,
        *_tight_warnings(design, arms.lines),
        *_profile_warnings(problem, profile, walls_m),
    ]
    if arms.missing:
        warnings.append(
            f"dead ends over {problem.criteria.turnaround_over_m:g} m without room for a turnaround: {arms.missing}"
        )
    return Network(
        tuple(roads),
        Point(site_entry.point),
        served,
        unreached_reasons(problem, site_entry, missing, dropped),
        tuple(warnings),
        {problem.terminals[t].key: n for t, n in shortenable.removed_by_terminal().items()},
        _further_entries(problem, alignment),
    )


def _further_entries(problem: RoutingProblem, alignment: HorizontalAlignment) -> tuple[Point, ...]:
    """Places where roads end at further entries."""
    found = []
    for t, c in sorted(alignment.line_of.items()):
        if problem.terminals[t].is_entry:
            line, centre = alignment.lines[c], shapely.get_coordinates(problem.terminals[t].footprint.centroid)[0]
            found.append(Point(line[int(np.argmin(np.hypot(*(line - centre).T)))]))
    return tuple(found)


def _turnarounds(problem: RoutingProblem, alignment: HorizontalAlignment, lines: list[FloatArray]) -> _Arms:
    """Turnarounds at dead ends; obstacles are shortened as a last resort."""
    whole, members = continuous_lines(lines, alignment.parents)
    lines_of_roads = RoadLines(tuple(whole))
    scene = Scene(
        lines_of_roads, problem.road_grid, problem.ground, problem.criteria, anywhere=True, closed=problem.lanes.closed
    )
    at_entries = {c for t, c in alignment.line_of.items() if problem.terminals[t].is_entry}
    dead_ends = [n for n in _dead_ends(members, alignment.parents) if members[n][-1] not in at_entries]
    built = build_turnarounds(scene, dead_ends)
    more, without, shortenable = shorten_for_turnarounds(built.scene, built.without, problem.shortenable)
    beside = [n for n in dead_ends if alignment.parents[members[n][0]] >= 0]
    settled = replace(built.scene, road_grid=shortenable.road_grid()).with_built(more)
    extensions, shortenable = extend_short_ends(settled, beside, shortenable)
    return _Arms([*built.arms, *more, *extensions], len(without), shortenable)


def _roads(
    design: RoadDesign, lines: list[FloatArray], turnarounds: _Arms
) -> tuple[list[Road], list[int], SmoothProfile]:
    """Roads between junctions, the first road of each line, and their profile.

    Parameters
    ----------
    design : RoadDesign
        Alignment, terminals and criteria.
    lines : list of (k, 3) float
        Lines of the network with design heights [m].
    turnarounds : _Arms
        Roads of turnarounds; lines are split where these leave them.
    """
    problem, criteria, arms = design.problem, design.problem.criteria, turnarounds.lines
    joints = np.array([end for arm in arms for end in (arm[0], arm[-1])]).reshape(-1, 3)
    pieces: list[FloatArray] = []
    classes: list[RoadClass] = []
    first: list[int] = []
    arm_classes: list[RoadClass] = ["spur"] * len(arms)
    for road_class, parts in zip(
        [*road_classes(problem, design.alignment), *arm_classes], split_at([*lines, *arms], joints), strict=True
    ):
        first.append(len(pieces))
        pieces += parts
        classes += [road_class] * len(parts)
    first.append(len(pieces))
    smooth = smooth_profile(
        pieces,
        problem.ground,
        ProfileLimits.of(criteria),
        _levels(design),
        turnarounds.shortenable.road_grid().clearance_index.edges,
    )
    roads = [
        make_road(f"R{k:03d}", c, xyz, criteria.width_m)
        for k, (c, xyz) in enumerate(zip(classes, smooth.lines, strict=True), 1)
    ]
    return roads, first, smooth


def _levels(design: RoadDesign) -> list[Level]:
    """Heights that pads set, at the stations of their pins."""
    places = design.stations.xy
    return [
        Level((float(places[pin.station, 0]), float(places[pin.station, 1])), pin.z - pin.slack_m, pin.z + pin.slack_m)
        for _, pin in design.pins
    ]


def _serving(problem: RoutingProblem, terminal: int, roads: list[Road]) -> Road:
    """Road of a line that is nearest to a terminal."""
    if len(roads) == 1:
        return roads[0]
    return min(roads, key=lambda r: r.line.distance(problem.terminals[terminal].footprint))


def _dead_ends(members: list[list[int]], parents: list[int]) -> list[int]:
    """Roads, each made of some lines, whose far end is dead."""
    continued = set(parents)
    return [n for n, lines in enumerate(members) if lines[-1] not in continued]


def _tight_warnings(design: RoadDesign, arms: list[FloatArray]) -> list[str]:
    """Warnings that count bends tighter than the terminals downstream need."""
    problem, alignment = design.problem, design.alignment
    found = [("turns at junctions" if t.is_turn else "road bends", t.radius_m) for t in design.tight]
    # a single arm continues its road: where they meet is a bend too
    radii, (whole, members) = problem.radii_of(alignment), continuous_lines(alignment.lines, alignment.parents)
    arms_at: dict[tuple[float, float], list[FloatArray]] = {}
    for arm in arms:
        arms_at.setdefault((float(arm[0, 0]), float(arm[0, 1])), []).append(arm[1:, :2])
    for n in _dead_ends(members, alignment.parents):
        onward = arms_at.get((float(whole[n][-1, 0]), float(whole[n][-1, 1])), [])
        radius = radii[members[n][-1:]]
        if len(onward) == 1:
            extended = np.vstack([whole[n], onward[0]])
            more = len(tight_bends([extended], radius)[1]) - len(tight_bends([whole[n]], radius)[1])
            found += [("road bends", float(radius[0]))] * max(more, 0)
    half_width_m = problem.criteria.width_m / 2
    return [
        f"{what} tighter than an inner radius of {radius_m - half_width_m:g} m, for want of room: {count}"
        for (what, radius_m), count in sorted(Counter(found).items())
    ]


def _profile_warnings(problem: RoutingProblem, profile: SmoothProfile, walls_m: float) -> list[str]:
    """Warnings of grade breaks and side slopes for which no heights were found.

    Parameters
    ----------
    problem : RoutingProblem
        Criteria.
    profile : SmoothProfile
        Heights of all roads.
    walls_m : float
        Length of side slopes without room [m].
    """
    out, breaks = [], profile.breaks_pct
    if breaks.size:
        out.append(
            f"changes of grade too sharp for a vertical curve of {problem.criteria.vertical_curve_m_per_pct:g} m/% "
            f"within {CURVE_WITHIN_M:g} m: {breaks.size}, the most {breaks.max():.1f} %; round them off in the detailed "
            "design"
        )
    if walls_m > 0:
        out.append(
            f"side slopes have no room before an array, a pad or the edge of the ground along {walls_m:.0f} m "
            "of road: plan retaining walls there"
        )
    return out


def split_at(lines: list[FloatArray], joints: FloatArray) -> list[list[FloatArray]]:
    """Pieces of each line, cut at the joints on it.

    Parameters
    ----------
    lines : list of (k, 3) float
        Lines with heights [m].
    joints : (n, 3) float
        Places where other lines join, at a vertex or between two [m].
    """
    if not len(joints):
        return [[xyz] for xyz in lines]
    shapes = [LineString(xyz) for xyz in lines]
    joint, of_line = shapely.STRtree(shapes).query(shapely.points(joints[:, :2]), "dwithin", JOINED_M)
    return [_split(xyz, shapes[c], joints[np.sort(joint[of_line == c])]) for c, xyz in enumerate(lines)]


def _split(xyz: FloatArray, shape: LineString, joints: FloatArray) -> list[FloatArray]:
    """Pieces of one line, cut at joints between its ends."""
    run = cumulative_length(xyz)
    inner = []
    for j in range(len(joints)):
        s = float(shape.project(Point(joints[j, :2])))
        if AT_VERTEX_M < s < run[-1] - AT_VERTEX_M:
            inner.append((s, j))
    cuts = [0]
    whole = xyz
    # from the far end, so that vertices before a cut keep their numbers
    for s, j in sorted(inner, reverse=True):
        k = int(np.argmin(np.abs(run - s)))
        if abs(run[k] - s) > AT_VERTEX_M:  # between two vertices
            k = int(np.searchsorted(run, s))
            whole = np.insert(whole, k, joints[j], axis=0)
            cuts = [0, *(c + 1 for c in cuts[1:])]
        if k not in cuts:
            cuts.insert(1, k)
    return [whole[a : b + 1] for a, b in zip(cuts, [*cuts[1:], len(whole) - 1], strict=True)]


def road_classes(problem: RoutingProblem, alignment: HorizontalAlignment) -> list[RoadClass]:
    """Class of each line.

    Lines to the terminals of the first rank are spines, short dead ends are spurs, and all others are secondary.
    """
    n = len(alignment.lines)
    spine = [False] * n
    first = min((int(problem.priority[t]) for t in alignment.line_of), default=0)
    for t, c in alignment.line_of.items():
        if int(problem.priority[t]) == first:
            k = c
            while k >= 0 and not spine[k]:
                spine[k] = True
                k = alignment.parents[k]
    continued = set(alignment.parents)
    out: list[RoadClass] = []
    for c, line in enumerate(alignment.lines):
        if spine[c]:
            out.append("spine")
        elif c not in continued and length(line) < SPUR_M:
            out.append("spur")
        else:
            out.append("secondary")
    return out


def unreached_reasons(
    problem: RoutingProblem, site_entry: SiteEntry | None, missing: set[int], dropped: dict[int, Unreached]
) -> dict[int, Unreached]:
    """Why each missing terminal has no road, by key.

    Parameters
    ----------
    problem : RoutingProblem
        Terminals and road positions.
    site_entry : SiteEntry or None
        Where the roads start; None where they can't.
    missing : set of int
        Indices of terminals without a road.
    dropped : dict
        Reasons that are known already, by index.
    """
    out = {}
    parts: IntArray | None = None
    nodes = problem.reach.by_terminal(len(problem.terminals)) if missing else []
    for t in sorted(missing):
        key = problem.terminals[t].key
        if problem.terminals[t].is_entry:
            continue
        if t in dropped:
            out[key] = dropped[t]
            continue
        own = nodes[t]
        if own.size == 0:
            out[key] = _no_route(f"no room for a road within {problem.reach_m[t]:g} m")
            continue
        if parts is None:
            parts = tree_search.parts(problem.road_grid)
        if site_entry is None:
            out[key] = _no_route("no road leads from the boundary to it")
        elif not (parts[own] == parts[site_entry.node]).any():
            out[key] = _no_route("this part of the site is not connected to the entry")
        else:
            limit_pct = 100 * problem.criteria.max_grade
            message = f"too steep: every way to it is far beyond the grade limit of {limit_pct:g} %"
            out[key] = Unreached(UnreachedCause.TOO_STEEP, message)
    return out


def _no_route(why: str) -> Unreached:
    """Reason for a terminal that no legal road leads to."""
    return Unreached(UnreachedCause.NO_ROUTE, f"no legal route: {why}")
