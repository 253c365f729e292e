"""Surroundings of turnarounds, and straight pieces of road."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, Point

from pacifico.layout.alignment import _line_kernels
from pacifico.layout.alignment.vertical import stations_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import RoadCriteria
    from pacifico.layout.routing.routing_grid import RoutingGrid


KERB_M = 8.5
"""Inner radius of the corners of a turnaround, 28 ft [m]."""
EXTENSION_M, EXTENSION_STEP_M = 165.0, 3.0
"""Longest extension of a dead end, half the distance between cross aisles, and the step in which it grows [m]."""
LINK_M = 165.0
"""Longest link from a dead end to another road [m]."""
JOINED_M = 1e-6
"""Lines this near to a vertex meet there [m]."""
SAME_PLACE_M = 0.05
"""A piece may touch its own road this near to its start [m]."""
RETURN_M = 0.25
"""A piece that comes this near to its own road again is refused [m]."""


@dataclass(frozen=True)
class RoadLines:
    """Roads with design heights, and their spatial index."""

    xyz: tuple[FloatArray, ...]
    """Vertices of each road, away from the entry, shape (k, 3) [m]."""

    @cached_property
    def lines(self) -> list[LineString]:
        """Roads as lines."""
        return [LineString(r) for r in self.xyz]

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index of the roads."""
        return shapely.STRtree(self.lines)


@dataclass(frozen=True)
class Scene:
    """Roads, ground and edges among which turnarounds must fit."""

    roads: RoadLines
    road_grid: RoutingGrid
    ground: Ground
    criteria: RoadCriteria
    anywhere: bool
    """Whether side stubs may leave a road between two vertices."""
    built: tuple[LineString, ...] = ()
    """Turnarounds built so far."""
    middles: tuple[FloatArray, ...] = ()
    """Middle of each that has been built."""
    closed: BaseGeometry | None = None
    """Lanes over barriers: a crossing is worth no turnaround."""

    @property
    def grade(self) -> float:
        """Grade that may be used, rise over run."""
        return self.criteria.max_grade - self.criteria.grade_margin

    def with_built(self, arms: Sequence[FloatArray]) -> Scene:
        """Scene with more turnarounds."""
        return replace(
            self,
            built=(*self.built, *(LineString(a) for a in arms)),
            middles=(*self.middles, *((a[0, :2] + a[-1, :2]) / 2 for a in arms)),
        )

    def near(self, place: FloatArray, own: int) -> list[LineString]:
        """Other roads and turnarounds that a new piece could touch."""
        distance = max(LINK_M, EXTENSION_M) + 2 * self.criteria.turnaround_arm_m
        ids = self.roads.tree.query(Point(place), "dwithin", distance)
        out = [self.roads.lines[k] for k in sorted(ids.tolist()) if k != own]
        if not self.built:
            return out
        away = np.array(self.middles) - place
        close = np.hypot(away[:, 0], away[:, 1]) < distance + LINK_M / 2
        return out + [self.built[k] for k in np.flatnonzero(close).tolist()]

    def clear(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether a straight road from a to b is clear of edges."""
        if not self.road_grid.clearance_index.clear(a, b) or self.road_grid.nodata_mask.crossed(a, b):
            return False
        return self.closed is None or not self.closed.intersects(LineString([a, b]))

    def rounds(self, a: FloatArray, b: FloatArray, c: FloatArray) -> bool:
        """Whether a corner has room for the kerb's radius.

        The corner is at b, on the way from a to c.
        """
        radius = KERB_M + self.criteria.width_m / 2
        (ax, ay), (bx, by), (cx, cy) = a, b, c
        need = _line_kernels.tangent(_line_kernels.turn_angle(ax, ay, bx, by, cx, cy), radius)
        if need > np.hypot(ax - bx, ay - by) or need > np.hypot(cx - bx, cy - by):
            return False
        return bool(_line_kernels.arc_clear(ax, ay, bx, by, cx, cy, radius, self.road_grid.clearance_index.arrays))


def point_before_end(road: FloatArray, distance_m: float, line: LineString | None = None) -> FloatArray:
    """Place on a road at a distance from its end.

    `line` is the road in plan, if the caller has it.
    """
    p = (line or LineString(road[:, :2])).interpolate(-distance_m) if distance_m > 0 else Point(road[-1, :2])
    return np.array([p.x, p.y])


def rotate(direction: FloatArray, degrees: float) -> FloatArray:
    """Direction rotated counterclockwise."""
    turn = np.radians(degrees)
    x, y = direction
    return np.array([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])


def straight_piece(
    scene: Scene, road: FloatArray, start: FloatArray, step: FloatArray, others: Sequence[LineString]
) -> FloatArray | None:
    """Straight road that leaves another; None where it doesn't fit.

    Its heights follow the ground.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    road : (k, 3) float
        Road that it leaves [m].
    start : (3,) float
        Place on the road, with its height [m].
    step : (2,) float
        From there to the end of the piece [m].
    others : sequence of LineString
        Roads and turnarounds nearby.
    """
    criteria = scene.criteria
    tip = start[:2] + step
    if not scene.clear(start[:2], tip):
        return None
    line = LineString([start[:2], tip])
    # the road may curl back to the piece; its own vertex at the start doesn't count, even when it is rounded
    beyond = start[:2] + step * min(1.0 / line.length, 0.5)
    own = LineString(road[:, :2])
    if LineString([beyond, tip]).distance(own) < RETURN_M:
        return None
    met = shapely.get_coordinates(line.intersection(own)) - start[:2]
    if (np.hypot(met[:, 0], met[:, 1]) > SAME_PLACE_M).any():
        return None
    if any(line.distance(o) < criteria.width_m for o in others if o.distance(Point(start[:2])) > JOINED_M):
        return None
    s = stations_of(
        [np.array([start[:2], tip])], [-1], scene.ground, width_m=criteria.width_m, station_m=criteria.station_m
    )
    z = [float(start[2])]
    for k in range(1, len(s.xy)):
        rise = scene.grade * float(s.distance[k])
        z.append(float(np.clip(s.ground[k], z[-1] - rise, z[-1] + rise)))
    if np.abs(np.array(z) - s.ground)[1:].max() > criteria.max_cut_fill_m:
        return None
    return np.column_stack([s.xy, z])
