"""Turnarounds at dead ends, where long vehicles can turn.

::

        |                |  arm (70 ft across with the road)      |            ======== another road
     ===|===      =======+======> end, at most 45 m on      ------+- - - - - -+
        |          side stub                                 end   extension   link: no dead end any more
     hammerhead

The shortest that fits is built: a side stub, a hammerhead, either one after a straight extension, or a link to a road
nearby. Before that, loops join dead ends of yards.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, Point

from pacifico.layout.alignment import _line_kernels
from pacifico.layout.grade_lines.vertical_curves import Level, ProfileLimits, smooth_profile
from pacifico.layout.roads.links import link_to_road
from pacifico.layout.roads.loops import Loop, build_loops, wants_loops
from pacifico.layout.roads.scene import (
    EXTENSION_M,
    EXTENSION_STEP_M,
    JOINED_M,
    LINK_M,
    RoadLines,
    Scene,
    point_before_end,
    rotate,
    straight_piece,
)
from pacifico.polyline import cumulative_length, length

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import RoadCriteria
    from pacifico.layout.routing.routing_grid import RoutingGrid


ARM_ANGLES = tuple((a + t, b + t) for t in (0, 15, -15, 30, -30) for a, b in ((90, -90), (90, 0), (-90, 0)))
"""Angles of both arms of a hammerhead from the road's direction: across, or one across and one ahead; then askew [°]."""
STRAIGHT_ARMS = ARM_ANGLES[:3]
"""Angles of hammerheads that are not askew [°]."""
STUB_ANGLES = (90, -90, 75, -75, 105, -105)
"""Angles of a side stub from the road's direction [°]."""
STUB_STEP_M = 1.5
"""Distance between places tried for a side stub [m]."""


@dataclass(frozen=True)
class Turnarounds:
    """Turnarounds built at dead ends."""

    scene: Scene
    """Scene with what has been built."""
    arms: list[FloatArray]
    without: list[int]
    """Roads whose dead end got none."""


def turnarounds(
    road_grid: RoutingGrid,
    ground: Ground,
    roads: Sequence[FloatArray],
    ends: Sequence[int],
    *,
    criteria: RoadCriteria,
    anywhere: bool = False,
) -> tuple[list[FloatArray], int]:
    """Turnarounds at dead ends, and the number of ends without one.

    Parameters
    ----------
    road_grid : RoutingGrid
        Edges to keep clear of.
    ground : Ground
        Heights to follow.
    roads : sequence of (k, 3) float
        All roads with their design heights; what is built keeps the road's width from those it does not join.
    ends : sequence of int
        Roads whose far end is dead.
    criteria : RoadCriteria
        Width, grade, depth and length of an arm.
    anywhere : bool
        Whether side stubs may begin between two vertices of their road, where the caller cuts it.

    Returns
    -------
    arms : list of (k, 3) float
        Each begins at a vertex of its road, or of one before it in the list, at its height; a link ends at one too.
    without : int
        Dead ends longer than `criteria.turnaround_over_m` that got none.

    References
    ----------
    International Fire Code (2021), 503.2.5 and D103.4: dead ends over 150 ft; figure D103.1: 120 ft hammerhead, its
    alternative with one arm of 70 ft, corners of 28 ft radius.
    """
    lines = RoadLines(tuple(np.asarray(r, dtype=np.float64) for r in roads))
    built = build_turnarounds(Scene(lines, road_grid, ground, criteria, anywhere), ends)
    return _smooth_arms(built), len(built.without)


def _smooth_arms(built: Turnarounds) -> list[FloatArray]:
    """Arms with vertical curves, at the heights of the roads that they meet."""
    scene, tips = built.scene, {_tip(arm) for arm in built.arms}
    met = shapely.union_all(scene.roads.lines)
    ends = [(float(x), float(y), float(z)) for arm in built.arms for x, y, z in (arm[0], arm[-1])]
    fixed = {(x, y): z for x, y, z in ends if (x, y) not in tips or met.distance(Point(x, y)) < JOINED_M}
    levels = [Level(xy, z, z) for xy, z in fixed.items()]
    smooth = smooth_profile(built.arms, scene.ground, ProfileLimits.of(scene.criteria), levels).lines
    for arm in smooth:
        for k in (0, -1):
            arm[k, 2] = fixed.get((float(arm[k, 0]), float(arm[k, 1])), arm[k, 2])
    return smooth


def build_turnarounds(scene: Scene, ends: Sequence[int]) -> Turnarounds:
    """Turnarounds at the dead ends of some roads: see `turnarounds`."""
    roads = scene.roads.xyz
    vertices = np.concatenate(roads) if roads else np.zeros((0, 3))
    owner = np.repeat(np.arange(len(roads)), [len(r) for r in roads])
    eastwards = np.argsort(vertices[:, 0], kind="stable")
    easting = vertices[eastwards, 0]
    tips = {_tip(roads[c]) for c in ends}
    linked: set[tuple[float, float]] = set()
    out: list[FloatArray] = []
    without = []
    for loop in _loops(scene, ends):
        linked |= {_tip(roads[c]) for c in loop.ends}
        out.append(loop.xyz)
        scene = scene.with_built([loop.xyz])
    for c in ends:
        road = roads[c]
        if scene.roads.lines[c].length <= scene.criteria.turnaround_over_m or _tip(road) in linked:
            continue
        others = scene.near(road[-1, :2], c)
        arms = _stub_or_hammerhead(scene, road, others)
        limit = min(sum(length(a) for a in arms) if arms else np.inf, LINK_M)
        strip = np.sort(eastwards[slice(*np.searchsorted(easting, [road[-1, 0] - limit, road[-1, 0] + limit]))])
        near = strip[(np.abs(vertices[strip, 1] - road[-1, 1]) < limit) & (owner[strip] != c)]
        link = link_to_road(scene, road, others, vertices[near], limit=limit)
        if link is not None:
            arms = [link]
            linked |= {_tip(link)} & tips
        if not arms:
            without.append(c)
        out += arms
        scene = scene.with_built(arms)
    return Turnarounds(scene, out, [c for c in without if _tip(roads[c]) not in linked])


def _loops(scene: Scene, ends: Sequence[int]) -> tuple[Loop, ...]:
    """Loops between long dead ends, in place of their turnarounds."""
    if not wants_loops(scene):
        return ()
    saved = {}
    for c in ends:
        road = scene.roads.xyz[c]
        if scene.roads.lines[c].length > scene.criteria.turnaround_over_m:
            arms = _stub_or_hammerhead(scene, road, scene.near(road[-1, :2], c))
            saved[c] = sum(length(a) for a in arms)
    return build_loops(scene, saved)


def _tip(road: FloatArray) -> tuple[float, float]:
    """Far end of a road."""
    return float(road[-1, 0]), float(road[-1, 1])


def _stub_or_hammerhead(scene: Scene, road: FloatArray, others: Sequence[LineString]) -> list[FloatArray]:
    """Shortest stub or hammerhead at a dead end; empty without one."""
    stub = _stub(scene, road, others)
    if stub is not None:
        return [stub]
    end = road[-1, :2]
    back = end - point_before_end(road, scene.criteria.turnaround_arm_m)
    for angles in ARM_ANGLES:
        arms = _hammerhead(scene, road, back / np.hypot(*back), 0.0, angles, others)
        if arms:
            return arms
    directions = _onward(scene, road)
    for extension_m in np.arange(EXTENSION_STEP_M, EXTENSION_M + 0.1, EXTENSION_STEP_M).tolist():
        directions = [d for d in directions if scene.clear(end, end + d * extension_m)]
        for direction, angles in itertools.product(directions, STRAIGHT_ARMS):
            arms = _hammerhead(scene, road, direction, extension_m, angles, others)
            if arms:
                return arms
        if not directions:
            break
    return []


def _onward(scene: Scene, road: FloatArray) -> list[FloatArray]:
    """Directions in which a road may be extended.

    The direction along the blocks counts where the change would be a kink, not a bend.
    """
    last = road[-1, :2] - road[-2, :2]
    own = last / np.hypot(*last)
    radius = scene.criteria.min_radius_m + scene.criteria.width_m / 2
    along_blocks = np.round(own)
    if np.abs(along_blocks).sum() != 1 or _line_kernels.is_bend(float(np.arccos(min(own @ along_blocks, 1.0))), radius):
        return [own]
    return [own, along_blocks]


def _hammerhead(
    scene: Scene,
    road: FloatArray,
    direction: FloatArray,
    extension_m: float,
    angles: tuple[int, int],
    others: Sequence[LineString],
) -> list[FloatArray]:
    """Hammerhead after an extension of a road; empty where it doesn't fit.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    road : (k, 3) float
        Road with a dead end [m].
    direction : (2,) float
        Unit vector in which the road is extended.
    extension_m : float
        Length of the extension [m].
    angles : (int, int)
        Angles of both arms from the direction [°].
    others : sequence of LineString
        Roads and turnarounds nearby.
    """
    arm_m = scene.criteria.turnaround_arm_m
    place = road[-1, :2] + direction * extension_m
    a, b = (rotate(direction, angle) * arm_m for angle in angles)
    if not has_turning_room(scene, place - direction * arm_m, place, (a, b), ahead=abs(angles[1]) < 45):
        return []
    extension: list[FloatArray] = []
    if extension_m > 0:
        first = straight_piece(scene, road, road[-1], direction * extension_m, others)
        if first is None:
            return []
        extension = [first]
    whole = np.vstack([road, *(e[1:] for e in extension)])
    arms = [straight_piece(scene, whole, whole[-1], step, others) for step in (a, b)]
    fitting = [arm for arm in arms if arm is not None]
    return [*extension, *fitting] if len(fitting) == len(arms) else []


def has_turning_room(
    scene: Scene, behind: FloatArray, place: FloatArray, arms: tuple[FloatArray, FloatArray], *, ahead: bool
) -> bool:
    """Whether a hammerhead and its corners have room.

    A vehicle drives into one arm, backs into the other and leaves. Where the second arm leads ahead, the second corner
    lies between both arms.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    behind : (2,) float
        Place on the road before the arms [m].
    place : (2,) float
        Where the arms begin [m].
    arms : two of (2,) float
        Step from there to the end of each arm [m].
    ahead : bool
        Whether the second arm leads ahead.
    """
    a, b = arms
    if not (scene.clear(place, place + a) and scene.clear(place, place + b)):
        return False
    if not scene.rounds(behind, place, place + a):
        return False
    return scene.rounds(place + b, place, place + a) if ahead else scene.rounds(behind, place, place + b)


def _stub(scene: Scene, road: FloatArray, others: Sequence[LineString]) -> FloatArray | None:
    """Side stub before the end of a road; None where none fits."""
    for stub in stub_places(scene, road):
        here = stub.start[:2]
        tip = here + stub.step
        if not scene.clear(here, tip):
            continue
        if scene.rounds(stub.behind, here, tip) and scene.rounds(stub.ahead, here, tip):
            arm = straight_piece(scene, road, stub.start, stub.step, others)
            if arm is not None:
                return arm
    return None


@dataclass(frozen=True)
class StubPlace:
    """Place on a road for a side stub."""

    start: FloatArray
    """Where the stub leaves the road, with its height, shape (3,) [m]."""
    behind: FloatArray
    """Place on the road an arm's length before, shape (2,) [m]."""
    ahead: FloatArray
    """Place on the road an arm's length after, shape (2,) [m]."""
    step: FloatArray
    """From the start to the end of the stub, shape (2,) [m]."""


def stub_places(
    scene: Scene, road: FloatArray, *, angles: Sequence[int] = STUB_ANGLES, every_m: float = STUB_STEP_M
) -> Iterator[StubPlace]:
    """Places for side stubs, nearest the end of the road first.

    They lie between an arm's length and the longest legal dead end from the end.

    Parameters
    ----------
    scene : Scene
        Surroundings.
    road : (k, 3) float
        Road with a dead end [m].
    angles : sequence of int
        Angles of stubs from the road's direction [°].
    every_m : float
        Distance between places that are no vertex [m].
    """
    arm = scene.criteria.turnaround_arm_m
    run = cumulative_length(road)
    left, places = (run[-1] - run)[:0:-1], road[:0:-1]
    line = LineString(road[:, :2])
    if scene.anywhere:
        more = np.arange(arm, min(scene.criteria.turnaround_over_m, run[-1]), every_m)
        more = more[(np.abs(more[:, None] - left) > every_m / 2).all(axis=1)]
        between = np.column_stack([np.interp(run[-1] - more, run, road[:, k]) for k in range(3)])
        left, places = np.concatenate([left, more]), np.vstack([places, between])
        order = np.argsort(left, kind="stable")
        left, places = left[order], places[order]
    for to_end, here in zip(left.tolist(), places, strict=True):
        if not arm <= to_end <= scene.criteria.turnaround_over_m:
            continue
        behind, ahead = point_before_end(road, to_end + arm, line), point_before_end(road, to_end - arm, line)
        direction = (ahead - behind) / np.hypot(*(ahead - behind))
        for angle in angles:
            yield StubPlace(here, behind, ahead, rotate(direction, angle) * arm)
