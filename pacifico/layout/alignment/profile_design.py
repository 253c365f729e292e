"""Design heights of a network: stations, pad heights, and the grade line with least earthwork."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.alignment.vertical import GradeLine, Pin, Stations, design_heights, stations_of
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing.problem import TOLERANCE_M, HorizontalAlignment, RoutingProblem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray


ROUNDING_M = 0.002
"""Largest effect of rounding on the distance of two vertices, and twice that on a rise [m]."""


def stations_along(problem: RoutingProblem, alignment: HorizontalAlignment) -> Stations:
    """Stations along all lines of an alignment."""
    return stations_of(
        alignment.lines,
        alignment.ups,
        problem.ground,
        width_m=problem.criteria.width_m,
        station_m=problem.criteria.station_m,
    )


def designed(
    problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations
) -> tuple[GradeLine, list[tuple[int, Pin]]]:
    """Heights of all stations, and the pins (terminal, pin) that pads set."""
    pins = pins_of(problem, alignment, stations)
    profile = design_heights(
        stations.parent, sure_distance(problem, stations), stations.ground, stations.weight,
        max_grade=problem.criteria.max_grade - problem.criteria.grade_margin, max_depth_m=problem.criteria.max_cut_fill_m,
        pins=[pin for _, pin in pins],
    )  # fmt: skip
    return profile, pins


def sure_distance(problem: RoutingProblem, stations: Stations) -> FloatArray:
    """Distance between stations less the effect of rounding [m]: it must not make a short piece too steep."""
    grade = problem.criteria.max_grade - problem.criteria.grade_margin
    return np.maximum(stations.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)


def lacking(profile: GradeLine, pinned: list[tuple[int, Pin]]) -> NDArray[np.bool_]:
    """Stations without a height within the limits."""
    bad = profile.excess_m > TOLERANCE_M
    bad[[pin.station for (_, pin), miss in zip(pinned, profile.pin_excess_m, strict=True) if miss > TOLERANCE_M]] = True
    return bad


def pins_of(problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations) -> list[tuple[int, Pin]]:
    """Heights that pads set beside their roads, with their terminals."""
    grade = problem.criteria.max_grade - problem.criteria.grade_margin
    who, at, gap = [], [], []
    p = problem.pads
    for t, c in alignment.line_of.items():
        if problem.terminals[t].pad is None or problem.terminals[t].pad_plane is None:
            continue
        ids = stations.of_line[c]
        _, k, far = _clearance_kernels.nearest_on_line(p.coords, p.start[t], p.start[t + 1], stations.xy[ids])
        who.append(t)
        at.append(int(ids[k]))
        gap.append(far)
    pins: list[tuple[int, Pin]] = []
    if who:
        pads = np.array([problem.terminals[t].pad for t in who], dtype=object)
        links = shapely.shortest_line(shapely.points(stations.xy[at]), pads)
        touch = shapely.get_coordinates(links)[1::2]
        middle = shapely.get_coordinates(shapely.centroid(pads))
        plane = np.array([problem.terminals[t].pad_plane for t in who], dtype=np.float64)
        z = plane[:, 0] + ((touch - middle) * plane[:, 1:]).sum(axis=1)
        pins = [(t, Pin(a, float(h), grade * g)) for t, a, h, g in zip(who, at, z, gap, strict=True)]
    return pins


def worst_of_line(stations: Stations, profile: GradeLine) -> FloatArray:
    """Largest excess of any station on the same line, for each station [m]."""
    most = np.zeros(int(stations.line.max(initial=0)) + 1)
    np.maximum.at(most, stations.line, np.where(profile.excess_m > TOLERANCE_M, profile.excess_m, 0.0))
    return most[stations.line]


def beyond_crossing(alignment: HorizontalAlignment) -> dict[int, str]:
    """Terminals on or beyond the last line that crosses another without a junction."""
    if not alignment.crossing:
        return {}
    beyond = {max(alignment.crossing)}
    for c in range(max(alignment.crossing) + 1, len(alignment.ups)):
        if alignment.ups[c] in beyond:
            beyond.add(c)
    reason = "no legal route: its road would cross another without a junction"
    return {t: reason for t, c in alignment.line_of.items() if c in beyond}


def beyond_depth(
    problem: RoutingProblem, alignment: HorizontalAlignment, stations: Stations, profile: GradeLine
) -> dict[int, str]:
    """Terminals beyond the farthest stations that no grade line within the depth limit reaches."""
    bad = profile.excess_m > TOLERANCE_M
    if not bad.any():
        return {}
    n = bad.size
    below = np.zeros(n, bool)  # a later station of the branch fails too
    for k in range(n - 1, 0, -1):
        if bad[k] or below[k]:
            below[stations.parent[k]] = True
    last = bad & ~below
    beyond = last.copy()
    for k in range(1, n):
        beyond[k] |= beyond[stations.parent[k]]
    out = {}
    for t, c in alignment.line_of.items():
        s = problem.shapes
        ids = stations.of_line[c]
        k = _clearance_kernels.nearest_on_line(s.coords, s.start[t], s.start[t + 1], stations.xy[ids])[1]
        if beyond[ids[k]]:
            out[t] = "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
    if not out:  # the failing stretch itself serves: all terminals of its line
        lines = set(stations.line[last].tolist())
        out = {t: "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
               for t, c in alignment.line_of.items() if c in lines}  # fmt: skip
    if not out:  # lines without terminals end at junctions: everything after them
        lines = set(stations.line[beyond].tolist())
        out = {t: "too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
               for t, c in alignment.line_of.items() if c in lines}  # fmt: skip
    return out


def off_pads(alignment: HorizontalAlignment, profile: GradeLine, pinned: list[tuple[int, Pin]]) -> dict[int, str]:
    """Terminals whose pad the road misses by most, one per line: pads of a line may conflict."""
    worst: dict[int, tuple[float, int]] = {}
    for (t, _), miss in zip(pinned, profile.pin_excess_m.tolist(), strict=True):
        if miss > TOLERANCE_M:
            c = alignment.line_of[t]
            if c not in worst or miss > worst[c][0] + 1e-9:
                worst[c] = (miss, t)
    return {t: "too steep: the road can't meet its pad within {grade:g} %" for _, t in worst.values()}
