"""Profile design of a network: stations, heights that pads set, and the grade line with least earthwork."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.alignment.vertical import GradeLine, Pin, Stations, design_heights, stations_of, sure_run
from pacifico.layout.routing.problem import TOLERANCE_M, HorizontalAlignment, RoutingProblem

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray


def make_stations(problem: RoutingProblem, alignment: HorizontalAlignment) -> Stations:
    """Stations along all lines of an alignment."""
    return stations_of(
        alignment.lines,
        alignment.parents,
        problem.ground,
        width_m=problem.criteria.width_m,
        station_m=problem.criteria.station_m,
    )


def design_profile(
    problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations
) -> tuple[GradeLine, list[tuple[int, Pin]]]:
    """Heights of all stations, and the pins of pads."""
    pins = pins_of(problem, alignment, stations)
    profile = design_heights(
        stations.parent,
        sure_distance(problem, stations),
        stations.ground,
        stations.weight,
        max_grade=_design_grade(problem),
        max_depth_m=problem.criteria.max_cut_fill_m,
        pins=[pin for _, pin in pins],
    )
    return profile, pins


def sure_distance(problem: RoutingProblem, stations: Stations) -> FloatArray:
    """Distance to the parent station, less rounding [m].

    A profile designed with it keeps the grade limit after coordinates are rounded, also on short pieces.
    """
    return sure_run(stations.distance, _design_grade(problem))


def _design_grade(problem: RoutingProblem) -> float:
    """Largest grade of a designed profile, rise over run [-]."""
    return problem.criteria.max_grade - problem.criteria.grade_margin


def deficient_stations(profile: GradeLine, pins: list[tuple[int, Pin]]) -> BoolArray:
    """Which stations have no height within the limits."""
    deficient = profile.excess_m > TOLERANCE_M
    missed = [pin.station for (_, pin), miss in zip(pins, profile.pin_excess_m, strict=True) if miss > TOLERANCE_M]
    deficient[missed] = True
    return deficient


def pins_of(problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations) -> list[tuple[int, Pin]]:
    """Heights that pads set, with their terminals.

    The pin of a pad is at the nearest station of its line. Between the two, the height may change by the grade limit.
    """
    terminals, at, gap = [], [], []
    for t, c in alignment.line_of.items():
        if problem.terminals[t].pad is None or problem.terminals[t].pad_plane is None:
            continue
        ids = stations.of_line[c]
        _, k, distance = problem.pads.nearest(t, stations.xy[ids])
        terminals.append(t)
        at.append(int(ids[k]))
        gap.append(distance)
    if not terminals:
        return []
    pads = np.array([problem.terminals[t].pad for t in terminals], dtype=object)
    links = shapely.shortest_line(shapely.points(stations.xy[at]), pads)
    edge = shapely.get_coordinates(links)[1::2]
    centre = shapely.get_coordinates(shapely.centroid(pads))
    plane = np.array([problem.terminals[t].pad_plane for t in terminals], dtype=np.float64)
    z = plane[:, 0] + ((edge - centre) * plane[:, 1:]).sum(axis=1)
    grade = _design_grade(problem)
    return [(t, Pin(a, float(h), grade * g)) for t, a, h, g in zip(terminals, at, z, gap, strict=True)]


def worst_excess_of_line(stations: Stations, profile: GradeLine) -> FloatArray:
    """Largest excess of depth on each station's line [m]."""
    most = np.zeros(int(stations.line.max(initial=0)) + 1)
    np.maximum.at(most, stations.line, np.where(profile.excess_m > TOLERANCE_M, profile.excess_m, 0.0))
    return most[stations.line]


def behind_crossing(alignment: HorizontalAlignment) -> list[int]:
    """Terminals downstream of a crossing without junction."""
    if not alignment.crossing:
        return []
    last = max(alignment.crossing)
    behind = {last}
    for c in range(last + 1, len(alignment.parents)):
        if alignment.parents[c] in behind:
            behind.add(c)
    return [t for t, c in alignment.line_of.items() if c in behind]


def behind_deep_earthwork(
    problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations, profile: GradeLine
) -> list[int]:
    """Terminals downstream of stations outside the depth limit.

    Parameters
    ----------
    problem : RoutingProblem
        Footprints of the terminals.
    alignment : HorizontalAlignment
        Lines, and the terminals that each serves.
    stations : Stations
        Stations along the lines.
    profile : GradeLine
        Their heights, with the excess of cut or fill.
    """
    deficient = profile.excess_m > TOLERANCE_M
    if not deficient.any():
        return []
    n = deficient.size
    deficient_below = np.zeros(n, bool)
    for k in range(n - 1, 0, -1):
        if deficient[k] or deficient_below[k]:
            deficient_below[stations.parent[k]] = True
    farthest = deficient & ~deficient_below
    behind = farthest.copy()
    for k in range(1, n):
        behind[k] |= behind[stations.parent[k]]
    out = []
    for t, c in alignment.line_of.items():
        ids = stations.of_line[c]
        if behind[ids[problem.shapes.nearest(t, stations.xy[ids])[1]]]:
            out.append(t)
    # no terminal behind them: take all of the same lines, or else of the lines downstream
    for some in (farthest, behind):
        lines = set(stations.line[some].tolist())
        out = out or [t for t, c in alignment.line_of.items() if c in lines]
    return out


def missed_pads(alignment: HorizontalAlignment, profile: GradeLine, pins: list[tuple[int, Pin]]) -> list[int]:
    """Terminal of each line whose pad the road misses by most.

    Pads of one line may contradict each other: without the worst the others may be met.
    """
    worst: dict[int, tuple[float, int]] = {}
    for (t, _), miss in zip(pins, profile.pin_excess_m.tolist(), strict=True):
        if miss > TOLERANCE_M:
            c = alignment.line_of[t]
            if c not in worst or miss > worst[c][0] + 1e-9:
                worst[c] = (miss, t)
    return [t for _, t in worst.values()]
