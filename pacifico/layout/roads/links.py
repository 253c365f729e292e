"""Links that join a dead end to another road nearby."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString, Point

from pacifico.layout.alignment import _line_kernels
from pacifico.layout.alignment.vertical import Pin, design_heights, stations_of
from pacifico.layout.roads.scene import JOINED_M, point_before_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.roads.scene import Scene


LINKS_TRIED = 24
"""Vertices of other roads that are tried for a link, nearest first."""
AHEAD = 0.5
"""Smallest cosine of the angle between a road and a link that leaves its end."""
LOOK_AHEAD_M = 20.0
"""Distance along a road from which a vehicle turns into a link [m]."""
ROUNDING_M = 0.01
"""Length of a link that rounding may take away [m]."""


def link_to_road(
    scene: Scene, road: FloatArray, others: Sequence[LineString], vertices: FloatArray, *, limit: float
) -> FloatArray | None:
    """Shortest link from a dead end to another road, or None.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    road : (k, 3) float
        Road with a dead end [m].
    others : sequence of LineString
        Roads and turnarounds nearby.
    vertices : (n, 3) float
        Vertices of other roads at which the link may end [m].
    limit : float
        Length that it must stay below [m].
    """
    end = road[-1]
    behind = point_before_end(road, scene.criteria.turnaround_arm_m)
    direction = (end[:2] - behind) / np.hypot(*(end[:2] - behind))
    off = vertices[:, :2] - end[:2]
    distance = np.hypot(off[:, 0], off[:, 1])
    usable: BoolArray = (distance < limit) & (distance > scene.criteria.width_m) & (off @ direction >= AHEAD * distance)
    usable &= np.abs(vertices[:, 2] - end[2]) <= scene.grade * (distance - ROUNDING_M)
    nearest = np.flatnonzero(usable)[np.argsort(distance[usable], kind="stable")]
    for k in nearest[:LINKS_TRIED].tolist():
        goal = vertices[k]
        if _may_link(scene, road, behind, goal[:2], others):
            link = profiled_link(scene, np.array([end[:2], goal[:2]]), end, goal)
            if link is not None:
                return link
    return None


def _may_link(
    scene: Scene, road: FloatArray, behind: FloatArray, goal: FloatArray, others: Sequence[LineString]
) -> bool:
    """Whether a link to a vertex is legal in plan.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    road : (k, 3) float
        Road with a dead end [m].
    behind : (2,) float
        Place on the road before its end [m].
    goal : (2,) float
        Vertex of another road [m].
    others : sequence of LineString
        Roads and turnarounds nearby.
    """
    end = road[-1, :2]
    if not scene.clear(end, goal) or not _bends_gently(scene, behind, end, goal):
        return False
    line, place = LineString([end, goal]), Point(goal)
    if line.intersection(LineString(road[:, :2])).geom_type != "Point":
        return False
    joined = [o for o in others if o.distance(place) < JOINED_M]
    if any(o.distance(line) < scene.criteria.width_m for o in others if o.distance(place) >= JOINED_M):
        return False
    if not joined or any(o.intersection(line).geom_type != "Point" for o in joined):
        return False
    return any(scene.rounds(end, goal, p) for o in joined for p in _either_way(o, place))


def _bends_gently(scene: Scene, a: FloatArray, b: FloatArray, c: FloatArray) -> bool:
    """Whether a bend is a kink or has room for its radius.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    a, b, c : (2,) float
        Places before, at and after the bend [m].
    """
    radius = scene.criteria.min_radius_m + scene.criteria.width_m / 2
    return not _line_kernels.is_bend(
        _line_kernels.turn_angle(a[0], a[1], b[0], b[1], c[0], c[1]), radius
    ) or scene.rounds(a, b, c)


def _either_way(line: LineString, place: Point) -> list[FloatArray]:
    """Places 20 m before and after a place on a line.

    A place beyond the ends of the line is left out.
    """
    s = line.project(place)
    return [
        np.array(line.interpolate(t).coords[0][:2])
        for t in (s - LOOK_AHEAD_M, s + LOOK_AHEAD_M)
        if 0.0 <= t <= line.length
    ]


def profiled_link(scene: Scene, line: FloatArray, start: FloatArray, goal: FloatArray) -> FloatArray | None:
    """Road along a line between two vertices of others; None without a legal profile.

    Parameters
    ----------
    scene : Scene
        Ground and criteria.
    line : (k, 2) float
        Line from the first vertex to the second [m].
    start, goal : (3,) float
        The vertices, whose heights the road meets [m].
    """
    criteria = scene.criteria
    s = stations_of([line], [-1], scene.ground, width_m=criteria.width_m, station_m=criteria.station_m)
    last = len(s.xy) - 1
    profile = design_heights(
        s.parent,
        np.maximum(s.distance - ROUNDING_M, 0.0),
        s.ground,
        s.weight,
        max_grade=scene.grade,
        max_depth_m=criteria.max_cut_fill_m,
        pins=[Pin(0, float(start[2]), 0.0), Pin(last, float(goal[2]), 0.0)],
    )
    if profile.pin_excess_m.max() > 1e-6 or profile.excess_m[1:-1].max(initial=0.0) > 1e-6:
        return None
    z = profile.z.copy()
    z[0], z[-1] = start[2], goal[2]
    xy = s.xy.copy()
    xy[-1] = goal[:2]
    return np.column_stack([xy, z])
