"""Turnarounds at dead ends: where a long vehicle can turn without backing farther than the code allows.

::

        |                |  arm (70 ft across with the road)      |            ======== another road
     ===|===      =======+======> end, at most 45 m on      ------+- - - - - -+
        |          side stub                                 end   extension   joined: no dead end any more
     hammerhead

Of what fits the shortest is built: a side stub, a hammerhead, either on a straight extension, or a link to a road nearby.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, Point

from pacifico.layout.alignment import _line_kernels
from pacifico.layout.alignment.vertical import Pin, design_heights, stations_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import RoadCriteria
    from pacifico.layout.routing.routing_grid import RoutingGrid


# Both arms across the end, else one across and one ahead; then the same, askew. Degrees from the road's direction.
ARMS = tuple((a + t, b + t) for t in (0, 15, -15, 30, -30) for a, b in ((90, -90), (90, 0), (-90, 0)))
STUBS = (90, -90, 75, -75, 105, -105)
KERB_M = 8.5
"""Inner radius of the corners of a turnaround, 28 ft."""
EXTENSION_M, EXTENSION_STEP_M = 165.0, 3.0
"""How far a dead end may be drawn on to a place where a turnaround fits (half the way between cross aisles), in steps."""
LINK_M = 165.0
"""Longest link from a dead end to another road."""
STUB_STEP_M = 1.5
"""Between places tried for a side stub."""
JOINED_M = 1e-6
"""Lines this near to a vertex meet there."""
AHEAD = 0.5
"""Cosine of how far a link may lead off the road's direction."""


@dataclass
class Scene:
    """Roads and what has been built, near which a turnaround must fit."""

    road_grid: RoutingGrid
    ground: Ground
    criteria: RoadCriteria
    roads: list[FloatArray]
    anywhere: bool
    lines: list[LineString] = field(default_factory=list)
    built: list[LineString] = field(default_factory=list)
    middles: list[FloatArray] = field(default_factory=list)
    """Middle of each that has been built."""

    tree: shapely.STRtree | None = None

    def add(self, made: Sequence[FloatArray]) -> None:
        """Count what has been built among what stands."""
        self.built += [LineString(m) for m in made]
        self.middles += [(m[0, :2] + m[-1, :2]) / 2 for m in made]

    def near(self, place: FloatArray, own: int) -> list[LineString]:
        """Other roads, and turnarounds so far, within reach of a place."""
        far = max(LINK_M, EXTENSION_M) + 2 * self.criteria.turnaround_arm_m
        assert self.tree is not None  # noqa: S101 (made before anything is built)
        ids = self.tree.query(Point(place), "dwithin", far)
        out = [self.lines[k] for k in sorted(ids.tolist()) if k != own]
        if not self.built:
            return out
        middle = np.array(self.middles) - place
        close = np.hypot(middle[:, 0], middle[:, 1]) < far + LINK_M / 2
        return out + [self.built[k] for k in np.flatnonzero(close).tolist()]

    def clear(self, a: FloatArray, b: FloatArray) -> bool:
        """Whether a straight road from a to b keeps its distance from every edge."""
        return self.road_grid.clearance_index.clear(a, b) and not self.road_grid.nodata_mask.crossed(a, b)

    def rounds(self, a: FloatArray, b: FloatArray, c: FloatArray) -> bool:
        """Whether the corner at b has room for the kerb's radius."""
        size = KERB_M + self.criteria.width_m / 2
        f = self.road_grid.clearance_index
        (ax, ay), (bx, by), (cx, cy) = a, b, c
        need = _line_kernels.tangent(_line_kernels.turn_angle(ax, ay, bx, by, cx, cy), size)
        if need > np.hypot(ax - bx, ay - by) or need > np.hypot(cx - bx, cy - by):
            return False
        return bool(
            _line_kernels.arc_clear(ax, ay, bx, by, cx, cy, size, f.edges, f.frame, f.start, f.items, f.radius)
        )  # fmt: skip


def turnarounds(
    road_grid: RoutingGrid,
    ground: Ground,
    roads: Sequence[FloatArray],
    ends: Sequence[int],
    *,
    criteria: RoadCriteria,
    anywhere: bool = False,
) -> tuple[list[FloatArray], int]:
    """Short roads that let vehicles turn at dead ends, and how many dead ends have no room for any.

    Parameters
    ----------
    road_grid : Lattice
        What they must keep clear of.
    ground : Ground
        Heights to follow.
    roads : sequence of (k, 3) float
        All roads with their design heights; what is built keeps the road's width from those it does not join.
    ends : sequence of int
        Roads whose far end is dead.
    rules : RoadRules
        Width, grade, depth and length of an arm.
    anywhere : bool
        Side stubs may begin between two vertices of their road, where the caller cuts it.

    Returns
    -------
    arms : list of (k, 3) float
        Each begins at a vertex of its road, or of one before it in the list, at its height; a link ends at one too.
    without : int
        Dead ends longer than `rules.turnaround_over_m` that got none.

    References
    ----------
    International Fire Code (2021), 503.2.5 and D103.4: dead ends over 150 ft; figure D103.1: 120 ft hammerhead, its
    alternative with one arm of 70 ft, corners of 28 ft radius.
    """
    scene = Scene(road_grid, ground, criteria, [np.asarray(r, dtype=np.float64) for r in roads], anywhere)
    built, without = build(scene, ends)
    return built, len(without)


def build(scene: Scene, ends: Sequence[int]) -> tuple[list[FloatArray], list[int]]:
    """Turnarounds at dead ends as `turnarounds` describes them, and the ends that got none."""
    scene.lines = [LineString(r) for r in scene.roads]
    scene.tree = shapely.STRtree(scene.lines)
    where = np.concatenate(scene.roads) if scene.roads else np.zeros((0, 3))
    owner = np.repeat(np.arange(len(scene.roads)), [len(r) for r in scene.roads])
    eastwards = np.argsort(where[:, 0], kind="stable")
    easting = where[eastwards, 0]
    tips = {(float(scene.roads[c][-1, 0]), float(scene.roads[c][-1, 1])) for c in ends}
    done: set[tuple[float, float]] = set()
    out: list[FloatArray] = []
    without = []
    for c in ends:
        road = scene.roads[c]
        tip = (float(road[-1, 0]), float(road[-1, 1]))
        if scene.lines[c].length <= scene.criteria.turnaround_over_m or tip in done:
            continue
        others = scene.near(road[-1, :2], c)
        made = _turning(scene, road, others)
        cost = sum(_length(m) for m in made) if made else np.inf
        limit = min(cost, LINK_M)
        strip = np.sort(eastwards[slice(*np.searchsorted(easting, [road[-1, 0] - limit, road[-1, 0] + limit]))])
        near = strip[(np.abs(where[strip, 1] - road[-1, 1]) < limit) & (owner[strip] != c)]
        link = _link(scene, road, others, where[near], limit=limit)
        if link is not None:
            made = [link]
            done |= {(float(link[-1, 0]), float(link[-1, 1]))} & tips
        if not made:
            without.append(c)
        out += made
        scene.add(made)
    return out, [c for c in without if (float(scene.roads[c][-1, 0]), float(scene.roads[c][-1, 1])) not in done]


def _length(xyz: FloatArray) -> float:
    return float(np.hypot(*np.diff(xyz[:, :2], axis=0).T).sum())


def _turning(scene: Scene, road: FloatArray, others: Sequence[LineString]) -> list[FloatArray]:
    """Shortest stub or hammerhead at a dead end, with the extension it needs; nothing where none fits."""
    stub = _stub(scene, road, others)
    if stub is not None:
        return [stub]
    end = road[-1, :2]
    back = end - along(road, -scene.criteria.turnaround_arm_m)
    for first, second in ARMS:
        made = _hammerhead(scene, road, back / np.hypot(*back), 0.0, (first, second), others)
        if made:
            return made
    ways = _onward(scene, road)
    for on in np.arange(EXTENSION_STEP_M, EXTENSION_M + 0.1, EXTENSION_STEP_M).tolist():
        ways = [way for way in ways if scene.clear(end, end + way * on)]
        for way, angles in itertools.product(ways, ARMS[:3]):
            made = _hammerhead(scene, road, way, on, angles, others)
            if made:
                return made
        if not ways:
            break
    return []


def _onward(scene: Scene, road: FloatArray) -> list[FloatArray]:
    """Directions in which a road may go on: its own, and along the blocks that it ends between where that is a kink."""
    last = road[-1, :2] - road[-2, :2]
    own = last / np.hypot(*last)
    size = scene.criteria.min_radius_m + scene.criteria.width_m / 2
    along_blocks = np.round(own)
    if np.abs(along_blocks).sum() != 1 or _line_kernels.is_bend(float(np.arccos(min(own @ along_blocks, 1.0))), size):
        return [own]
    return [own, along_blocks]


def _hammerhead(
    scene: Scene, road: FloatArray, way: FloatArray, on: float, angles: tuple[int, int], others: Sequence[LineString]
) -> list[FloatArray]:
    """Two arms so far on from the end of a road, and what leads there; nothing where they don't fit."""
    place = road[-1, :2] + way * on
    a, b = (turned(way, angle) * scene.criteria.turnaround_arm_m for angle in angles)
    if not turns(scene, place - way * scene.criteria.turnaround_arm_m, place, a, b, ahead=abs(angles[1]) < 45):
        return []
    extra = [piece(scene, road, road[-1], way * on, others)] if on > 0 else []
    if any(e is None for e in extra):
        return []
    whole = np.vstack([road, *(e[1:] for e in extra if e is not None)])
    arms = [piece(scene, whole, whole[-1], step, others) for step in (a, b)]
    return [arm for arm in (*extra, *arms) if arm is not None] if all(arm is not None for arm in arms) else []


def turns(scene: Scene, behind: FloatArray, place: FloatArray, a: FloatArray, b: FloatArray, *, ahead: bool) -> bool:
    """Whether arms a and b at a place are free, and their corners have room.

    In by one arm, back into the other, out again: where one leads `ahead` the second corner is between both.
    """
    if not (scene.clear(place, place + a) and scene.clear(place, place + b)):
        return False
    if not scene.rounds(behind, place, place + a):
        return False
    return scene.rounds(place + b, place, place + a) if ahead else scene.rounds(behind, place, place + b)


def _stub(scene: Scene, road: FloatArray, others: Sequence[LineString]) -> FloatArray | None:
    """One arm to the side of a road, an arm's length to 45 m before its end; None where none fits."""
    for here, behind, ahead, step in stubs(scene, road):
        tip = here[:2] + step
        if not scene.clear(here[:2], tip):
            continue
        if scene.rounds(behind, here[:2], tip) and scene.rounds(ahead, here[:2], tip):
            made = piece(scene, road, here, step, others)
            if made is not None:
                return made
    return None


def stubs(
    scene: Scene, road: FloatArray, *, angles: Sequence[int] = STUBS, every_m: float = STUB_STEP_M
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
    """Places for side stubs: where on the road, the road behind and ahead of it, and the step to the stub's end."""
    arm = scene.criteria.turnaround_arm_m
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(road[:, :2], axis=0).T))])
    left, places = (run[-1] - run)[:0:-1], road[:0:-1]
    line = LineString(road[:, :2])
    if scene.anywhere:
        more = np.arange(arm, min(scene.criteria.turnaround_over_m, run[-1]), every_m)
        more = more[(np.abs(more[:, None] - left) > every_m / 2).all(axis=1)]
        between = np.column_stack([np.interp(run[-1] - more, run, road[:, k]) for k in range(3)])
        left, places = np.concatenate([left, more]), np.vstack([places, between])
        order = np.argsort(left, kind="stable")
        left, places = left[order], places[order]
    for far, here in zip(left.tolist(), places, strict=True):
        if not arm <= far <= scene.criteria.turnaround_over_m:
            continue
        behind, ahead = along(road, -(far + arm), line), along(road, -(far - arm), line)
        way = (ahead - behind) / np.hypot(*(ahead - behind))
        for angle in angles:
            yield here, behind, ahead, turned(way, angle) * arm


def _link(
    scene: Scene, road: FloatArray, others: Sequence[LineString], vertices: FloatArray, *, limit: float
) -> FloatArray | None:
    """Straight link from a dead end to the nearest vertex of another road, shorter than `limit`; None where none fits."""
    end = road[-1]
    behind = along(road, -scene.criteria.turnaround_arm_m)
    way = (end[:2] - behind) / np.hypot(*(end[:2] - behind))
    off = vertices[:, :2] - end[:2]
    far = np.hypot(off[:, 0], off[:, 1])
    grade = scene.criteria.max_grade - scene.criteria.grade_margin
    good = (far < limit) & (far > scene.criteria.width_m) & (off @ way >= AHEAD * far)
    good &= np.abs(vertices[:, 2] - end[2]) <= grade * (far - 0.01)
    for k in np.flatnonzero(good)[np.argsort(far[good], kind="stable")][:24].tolist():
        goal = vertices[k]
        if not scene.clear(end[:2], goal[:2]) or not _eases(scene, behind, end[:2], goal[:2]):
            continue
        line, place = LineString([end[:2], goal[:2]]), Point(goal[:2])
        if line.intersection(LineString(road[:, :2])).geom_type != "Point":
            continue
        joins = [o for o in others if o.distance(place) < 1e-6]
        if any(o.distance(line) < scene.criteria.width_m for o in others if o.distance(place) >= 1e-6):
            continue
        if not joins or any(o.intersection(line).geom_type != "Point" for o in joins):
            continue
        if not any(scene.rounds(end[:2], goal[:2], p) for o in joins for p in _either_way(o, place)):
            continue
        found = _between(scene, end, goal)
        if found is not None:
            return found
    return None


def _eases(scene: Scene, a: FloatArray, b: FloatArray, c: FloatArray) -> bool:
    """Whether the bend at b holds the road's own radius, or is a slight kink."""
    size = scene.criteria.min_radius_m + scene.criteria.width_m / 2
    return not _line_kernels.is_bend(
        _line_kernels.turn_angle(a[0], a[1], b[0], b[1], c[0], c[1]), size
    ) or scene.rounds(a, b, c)


def _either_way(line: LineString, place: Point) -> list[FloatArray]:
    """Places 20 m along a line from a place on it, where the line goes on that far."""
    s = line.project(place)
    return [
        np.array(line.interpolate(t).coords[0][:2]) for t in (s - 20.0, s + 20.0) if 0.0 <= t <= line.length
    ]  # fmt: skip


def along(road: FloatArray, far: float, line: LineString | None = None) -> FloatArray:
    """Place on a road, `-far` before its end; `line` is the road in plan where that is at hand."""
    p = (line or LineString(road[:, :2])).interpolate(far) if far < 0 else Point(road[-1, :2])
    return np.array([p.x, p.y])


def turned(way: FloatArray, degrees: float) -> FloatArray:
    """Direction turned counterclockwise."""
    turn = np.radians(degrees)
    return np.array([way[0] * np.cos(turn) - way[1] * np.sin(turn), way[0] * np.sin(turn) + way[1] * np.cos(turn)])


def piece(
    scene: Scene, road: FloatArray, start: FloatArray, step: FloatArray, others: Sequence[LineString]
) -> FloatArray | None:
    """Straight piece from a vertex of a road, with heights that follow the ground; None where it does not fit."""
    criteria = scene.criteria
    tip = start[:2] + step
    if not scene.clear(start[:2], tip):
        return None
    line = LineString([start[:2], tip])
    # a road that curls may be met again; rounding alone may make its own vertex be missed
    beyond = start[:2] + step * min(1.0 / line.length, 0.5)
    if LineString([beyond, tip]).distance(LineString(road[:, :2])) < 0.25:
        return None
    if any(line.distance(o) < criteria.width_m for o in others if o.distance(Point(start[:2])) > JOINED_M):
        return None
    s = stations_of(
        [np.array([start[:2], tip])], [-1], scene.ground, width_m=criteria.width_m, station_m=criteria.station_m
    )
    z = [float(start[2])]
    for k in range(1, len(s.xy)):
        rise = (criteria.max_grade - criteria.grade_margin) * float(s.distance[k])
        z.append(float(np.clip(s.ground[k], z[-1] - rise, z[-1] + rise)))
    if np.abs(np.array(z) - s.ground)[1:].max() > criteria.max_cut_fill_m:
        return None
    return np.column_stack([s.xy, z])


def _between(scene: Scene, start: FloatArray, goal: FloatArray) -> FloatArray | None:
    """Straight piece between two vertices at their heights; None where no profile is within grade and depth."""
    criteria = scene.criteria
    s = stations_of(
        [np.array([start[:2], goal[:2]])], [-1], scene.ground, width_m=criteria.width_m, station_m=criteria.station_m
    )
    last = len(s.xy) - 1
    profile = design_heights(
        s.parent, np.maximum(s.distance - 0.01, 0.0), s.ground, s.weight, max_grade=criteria.max_grade - criteria.grade_margin,
        max_depth_m=criteria.max_cut_fill_m, pins=[Pin(0, float(start[2]), 0.0), Pin(last, float(goal[2]), 0.0)],
    )  # fmt: skip
    if profile.pin_excess_m.max() > 1e-6 or profile.excess_m[1:-1].max(initial=0.0) > 1e-6:
        return None
    z = profile.z.copy()
    z[0], z[-1] = start[2], goal[2]
    xy = s.xy.copy()
    xy[-1] = goal[:2]
    return np.column_stack([xy, z])
