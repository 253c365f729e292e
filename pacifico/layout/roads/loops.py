"""Loops that join two dead ends: a second way out, in place of two turnarounds.

::

    =========== dead end )        The loop leaves each road straight ahead and bends on the radius of site roads. Vehicles
                          |       drive through instead of turning, and no road between the two hangs on one way.
    =========== dead end )
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString

from pacifico.layout.alignment.drivable_curves import CurveLimits, drivable_curve
from pacifico.layout.roads.links import profiled_link
from pacifico.layout.roads.scene import JOINED_M
from pacifico.polyline import length

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.roads.scene import Scene

LOOP_OVER_M = 229.0
"""Road from which on loops are built [m]: dead ends over 750 ft need special approval (IFC 2021, table D103.4)."""
AHEAD_STEP_M = 4.0
"""Steps in which a loop goes ahead before it bends [m]."""


@dataclass(frozen=True)
class Loop:
    """Road from the end of one dead end to the end of another."""

    ends: tuple[int, int]
    """Roads that it joins."""
    xyz: FloatArray
    """Vertices with design heights, shape (k, 3) [m]."""


def wants_loops(scene: Scene) -> bool:
    """Whether loops are built: the criteria want them, and a dead end may be too far from the entry."""
    return scene.criteria.second_way_m > 0 and sum(line.length for line in scene.roads.lines) > LOOP_OVER_M


def build_loops(scene: Scene, saved: Mapping[int, float]) -> tuple[Loop, ...]:
    """Loops between dead ends; each end is joined once.

    A loop may be as long as the two turnarounds that it saves, and `criteria.second_way_m` more.

    Parameters
    ----------
    scene : Scene
        Roads and their surroundings.
    saved : mapping
        Length of the turnaround that each dead end needs otherwise, by road [m].
    """
    found: list[Loop] = []
    for a, b in combinations(sorted(saved), 2):
        limit = saved[a] + saved[b] + scene.criteria.second_way_m
        if np.hypot(*(scene.roads.xyz[a][-1, :2] - scene.roads.xyz[b][-1, :2])) <= limit:
            loop = _loop(scene, (a, b), limit)
            found += [] if loop is None else [loop]
    return _apart(found, scene.criteria.width_m)


def _apart(found: Sequence[Loop], width_m: float) -> tuple[Loop, ...]:
    """Loops that share no end and keep a road's width apart.

    Ends with the fewest loops come first, so that most ends are joined; then the shortest loop.
    """
    left, built = list(found), []
    while left:
        count = Counter(c for loop in left for c in loop.ends)
        best = min(left, key=lambda one: (min(count[c] for c in one.ends), round(length(one.xyz), 3), one.ends))
        built.append(best)
        line = LineString(best.xyz)
        left = [
            loop for loop in left if not {*loop.ends} & {*best.ends} and LineString(loop.xyz).distance(line) >= width_m
        ]
    return tuple(built)


def _loop(scene: Scene, ends: tuple[int, int], limit: float) -> Loop | None:
    """Loop between two dead ends, or None: straight ahead until there is room to bend."""
    criteria = scene.criteria
    start, goal = (scene.roads.xyz[c] for c in ends)
    first, last = _direction(start), _direction(goal)
    behind = (goal[-1, :2] - start[-1, :2]) @ first
    for ahead_m in np.arange(0.0, limit / 2, AHEAD_STEP_M).tolist():
        out_m, back_m = ahead_m + max(behind, 0.0), ahead_m + max(-behind, 0.0)
        begin, end = start[-1, :2] + out_m * first, goal[-1, :2] + back_m * last
        if not (scene.clear(start[-1, :2], begin) and scene.clear(goal[-1, :2], end)):
            return None
        limits = CurveLimits(
            criteria.min_radius_m + criteria.width_m / 2, limit - out_m - back_m, scene.grade, expansions=0
        )
        curve = drivable_curve(scene.road_grid, _pose(begin, first), _pose(end, -last), limits)
        if curve is None:
            continue
        xy = np.concatenate(
            [[start[-1, :2]] if out_m else curve.xy[:0], curve.xy, [goal[-1, :2]] if back_m else curve.xy[:0]]
        )
        if length(xy) > limit or not _is_free(scene, ends, LineString(xy)):
            continue
        xyz = profiled_link(scene, xy, start[-1], goal[-1])
        if xyz is not None:
            return Loop(ends, xyz)
    return None


def _direction(road: FloatArray) -> FloatArray:
    """Unit vector at the end of a road."""
    step: FloatArray = road[-1, :2] - road[-2, :2]
    unit: FloatArray = step / np.hypot(*step)
    return unit


def _pose(place: FloatArray, direction: FloatArray) -> FloatArray:
    """Place with the heading of a direction [rad]."""
    return np.array([*place, np.arctan2(direction[1], direction[0])])


def _is_free(scene: Scene, ends: tuple[int, int], line: LineString) -> bool:
    """Whether a loop touches no road but the ends that it joins, and no crossing."""
    if scene.closed is not None and scene.closed.intersects(line):
        return False
    for c, road in enumerate(scene.roads.lines):
        if c in ends:
            met = shapely.intersection(line, shapely.force_2d(road))
            if met.geom_type != "Point":
                return False
        elif (road.distance(line) < scene.criteria.width_m and road.distance(line) > JOINED_M) or road.intersects(line):
            return False
    return True
