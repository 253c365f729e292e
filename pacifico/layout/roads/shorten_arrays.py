"""Shorten arrays where a road has no room to bend or turn, or for its side slopes.

As few units as possible are removed. Blocks of a yard may be removed too, for turnarounds only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, MultiLineString, Point

from pacifico.layout.alignment import smoothing
from pacifico.layout.alignment.bend_rounding import round_line
from pacifico.layout.alignment.smoothing import Tree
from pacifico.layout.grade_lines.side_slopes import COVERED_M
from pacifico.layout.roads.scene import KERB_M, point_before_end, rotate, straight_piece
from pacifico.layout.roads.turnarounds import STRAIGHT_ARMS, has_turning_room, stub_places
from pacifico.layout.routing.problem import terminals_by_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.roads.scene import Scene
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem
    from pacifico.layout.routing.shortenable import ShortenableObstacles


SPARE_M = 2e-3
"""Distance kept beyond the clearance of a road, so that rounding can't break it [m]."""
CORNER_M = 30.0
"""Arrays farther than this from a bend don't obstruct it [m]."""
SMOOTHED_M = 60.0
"""Vertices nearer than this to a bend may move when an array is shortened for it [m]."""
REMOVED_M = (14.0, 28.0, 55.0)
"""Lengths that an array may lose for one bend, in whole units; an array too short for that goes as a whole [m]."""
STUB_ANGLES = (90, -90)
"""Angles of side stubs for which arrays are shortened, from the road's direction [°]."""
STUB_STEP_M = 4.0
"""Distance between places tried for such a stub [m]."""


def shorten_for_turnarounds(
    scene: Scene, ends: Sequence[int], shortenable: ShortenableObstacles
) -> tuple[list[FloatArray], list[int], ShortenableObstacles]:
    """Turnarounds that fit once obstacles are shortened.

    Parameters
    ----------
    scene : Scene
        Roads and what has been built.
    ends : sequence of int
        Roads whose dead end has no turnaround.
    shortenable : ShortenableObstacles
        Obstacles that may be shortened.

    Returns
    -------
    list of (k, 3) float
        Turnarounds [m].
    list of int
        Roads that still have none.
    ShortenableObstacles
        Obstacles as they are left.
    """
    out: list[FloatArray] = []
    without = []
    if not ends or not len(shortenable.table.terminal):
        return out, list(ends), shortenable
    bare_grid = shortenable.road_grid_without()
    for c in ends:
        found = _turnaround_at(scene, replace(scene, road_grid=bare_grid), c, shortenable)
        if found is None:
            without.append(c)
            continue
        arms, shortenable = found
        scene = replace(scene, road_grid=shortenable.road_grid()).with_built(arms)
        out += arms
    return out, without, shortenable


def shorten_for_side_slopes(
    slopes: NDArray[np.object_], roads: Sequence[FloatArray], shortenable: ShortenableObstacles
) -> ShortenableObstacles:
    """Obstacles with arrays shortened that side slopes of roads would cover.

    Blocks of a yard stay: their pads meet the roads.

    Parameters
    ----------
    slopes : (n,) LineString
        Lines across side slopes, from `side_slope_lines`.
    roads : sequence of (k, 3) float
        All roads [m].
    shortenable : ShortenableObstacles
        Obstacles as they are now.
    """
    arrays = np.flatnonzero((shortenable.table.unit_m > 0) & (shortenable.units_left > 0))
    inner = shortenable.rects()[arrays] + COVERED_M * np.array([1.0, 1.0, -1.0, -1.0])
    array, slope = shapely.STRtree(slopes).query(shapely.box(*inner.T), "intersects")
    lines = MultiLineString([LineString(r[:, :2]) for r in roads])
    for k in np.unique(array).tolist():
        covering = shapely.multilinestrings(slopes[slope[array == k]])
        shortenable = shortenable.shortened_at(int(arrays[k]), covering, SPARE_M, lines)
    return shortenable


def _turnaround_at(
    scene: Scene, bare: Scene, c: int, shortenable: ShortenableObstacles
) -> tuple[list[FloatArray], ShortenableObstacles] | None:
    """Turnaround at a dead end for the fewest units, or None.

    Parameters
    ----------
    scene : Scene
        Roads and what has been built.
    bare : Scene
        The same without any shortenable obstacle.
    c : int
        Road with a dead end.
    shortenable : ShortenableObstacles
        Obstacles as they are now.
    """
    road = scene.roads.xyz[c]
    others = scene.near(road[-1, :2], c)
    if LineString(road[:, :2]).length < scene.criteria.turnaround_arm_m:
        return None
    roads = MultiLineString([LineString(road[:, :2]), *(LineString(np.array(o.coords)[:, :2]) for o in others)])
    distance_m = scene.road_grid.clearance_index.radius + SPARE_M
    tried: list[tuple[ShortenableObstacles, _TurnaroundShape]] = []
    for shape in _turnaround_shapes(bare, road):
        arms = [LineString([shape.start[:2], shape.start[:2] + step]) for step in shape.steps]
        strip = MultiLineString(arms + shape.corners)
        tried.append((shortenable.shortened_for(strip, distance_m, roads), shape))
    for shorter, shape in sorted(tried, key=lambda t: t[0].removed_units):
        free = replace(scene, road_grid=shorter.road_grid())
        made = [straight_piece(free, road, shape.start, step, others) for step in shape.steps]
        fitting = [m for m in made if m is not None]
        if len(fitting) == len(shape.steps):
            return fitting, shorter
    return None


@dataclass(frozen=True)
class _TurnaroundShape:
    """Stub or hammerhead in plan."""

    start: FloatArray
    """Where it leaves the road, with its height, shape (3,) [m]."""
    corners: list[LineString]
    """Arcs of its corners."""
    steps: list[FloatArray]
    """From the start to the end of each arm, shape (2,) [m]."""


def _turnaround_shapes(bare: Scene, road: FloatArray) -> list[_TurnaroundShape]:
    """Stubs and hammerheads that would fit without any shortenable obstacle."""
    out = []
    for stub in stub_places(bare, road, angles=STUB_ANGLES, every_m=STUB_STEP_M):
        here, behind, ahead = stub.start[:2], stub.behind, stub.ahead
        tip = here + stub.step
        if bare.clear(here, tip) and bare.rounds(behind, here, tip) and bare.rounds(ahead, here, tip):
            corners = [_corner_arc(bare, behind, here, tip), _corner_arc(bare, ahead, here, tip)]
            out.append(_TurnaroundShape(stub.start, corners, [stub.step]))
    arm, end = bare.criteria.turnaround_arm_m, road[-1, :2]
    behind = point_before_end(road, arm)
    direction = (end - behind) / np.hypot(*(end - behind))
    for first, second in STRAIGHT_ARMS:
        a, b = rotate(direction, first) * arm, rotate(direction, second) * arm
        if has_turning_room(bare, behind, end, (a, b), ahead=second == 0):
            other = _corner_arc(bare, end + b, end, end + a) if second == 0 else _corner_arc(bare, behind, end, end + b)
            out.append(_TurnaroundShape(road[-1], [_corner_arc(bare, behind, end, end + a), other], [a, b]))
    return out


def _corner_arc(scene: Scene, a: FloatArray, b: FloatArray, c: FloatArray) -> LineString:
    """Arc of a turnaround's corner.

    Parameters
    ----------
    scene : Scene
        Surroundings, for the road's width.
    a, b, c : (2,) float
        Places before, at and after the corner [m].
    """
    radius = KERB_M + scene.criteria.width_m / 2
    u, v = (b - a) / np.hypot(*(b - a)), (c - b) / np.hypot(*(c - b))
    angle = float(np.arctan2(u[0] * v[1] - u[1] * v[0], u @ v))
    start = b - u * radius * np.tan(abs(angle) / 2)
    side = 1.0 if angle > 0 else -1.0
    middle = start + side * radius * np.array([-u[1], u[0]])
    phi = np.linspace(0.0, angle, 9)[:, None]
    r = start - middle
    return LineString(middle + r * np.cos(phi) + np.array([-r[1], r[0]]) * np.sin(phi))


def shorten_for_bends(problem: RoutingProblem, alignment: HorizontalAlignment) -> ShortenableObstacles:
    """Obstacles shortened by few units where a bend has no room.

    Lines are smoothed around each place alone, to see whether it helps; the caller redraws the alignment.
    """
    shortenable = problem.shortenable
    radii = problem.radii_of(alignment)
    bends = smoothing.tight_bends(alignment.lines, radii)[0]
    turns = smoothing.tight_turns(problem, alignment.straight, alignment.parents, radii)[0]
    places = np.concatenate([bends, turns])
    if not len(places) or not len(shortenable.table.terminal):
        return shortenable
    roads = MultiLineString([LineString(x) for x in alignment.lines])
    shapely.prepare(roads)
    lines = shapely.STRtree([LineString(x) for x in alignment.straight])
    served = smoothing.bound_terminals(terminals_by_line(len(alignment.lines), alignment.line_of))
    tree = Tree.of(alignment.straight, alignment.parents, radii)
    for place in places:
        own = np.sort(lines.query(Point(place), "dwithin", SMOOTHED_M)).tolist()
        fewest, best = _count_tight(problem, tree, own, place), shortenable
        frozen = (np.hypot(*(tree.xy - place).T) > SMOOTHED_M).astype(np.uint8)
        for shorter in _options(shortenable, place, roads):
            roomier = replace(problem, road_grid=shorter.road_grid(), shortenable=shorter)
            candidate = tree.copy()
            smoothing.smooth_tree(roomier, candidate, frozen, served)
            count = _count_tight(roomier, candidate, own, place)
            if count < fewest:
                fewest, best = count, shorter
            if not fewest:
                break
        shortenable = best
    return shortenable


def _options(
    shortenable: ShortenableObstacles, place: FloatArray, roads: MultiLineString
) -> list[ShortenableObstacles]:
    """Ways to shorten one array near a place, best first.

    Few units come first, then the nearest array, then its nearest end.
    """
    table, rects = shortenable.table, shortenable.rects()
    off = np.maximum(np.maximum(rects[:, :2] - place, place - rects[:, 2:]), 0.0)
    distance = np.hypot(off[:, 0], off[:, 1])
    tried = []
    # a bend is not worth a whole block of a yard
    for k in np.flatnonzero((distance < CORNER_M) & (table.unit_m > 0)).tolist():
        west, _, east, _ = rects[k]
        for n in _units_removed(int(shortenable.units_left[k]), int(table.least[k]), float(table.unit_m[k])):
            for units, end in (((n, 0), west), ((0, n), east)):
                if abs(end - place[0]) > CORNER_M:
                    continue
                shorter = shortenable.shorten(k, *units)
                rest = shorter.rects()[k]
                if np.isnan(rest[0]) or roads.distance(shapely.box(*rest)) <= table.reach_m[k]:
                    tried.append((n, float(distance[k]), abs(float(end - place[0])), k, units, shorter))
    return [t[-1] for t in sorted(tried, key=lambda t: t[:-1])]


def _units_removed(left: int, least: int, unit_m: float) -> list[int]:
    """Numbers of units that an array may lose for a bend.

    Parameters
    ----------
    left, least : int
        Units of the array, and the fewest that may stay.
    unit_m : float
        Length of a unit [m].
    """
    wanted = dict.fromkeys(max(round(length / unit_m), 1) for length in REMOVED_M)
    most = max(wanted)
    out = [n if left - n >= least else left for n in wanted]
    return [n for n in dict.fromkeys(out) if n <= most]


def _count_tight(problem: RoutingProblem, tree: Tree, own: Sequence[int], place: FloatArray) -> int:
    """Number of bends and turns near a place that are too tight.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads, terminals and criteria.
    tree : Tree
        Lines of the network before their bends are rounded.
    own : sequence of int
        Lines whose bends count.
    place : (2,) float
        Place around which they count [m].
    """
    radii = tree.arrays.radii[list(own)]
    lines = [
        round_line(problem, x, (), radius, smoothing.NOWHERE) for x, radius in zip(tree.lines(own), radii, strict=True)
    ]
    bends = smoothing.tight_bends(lines, radii)[0]
    turns = smoothing.tight_turns_in(problem, tree, about=(place, SMOOTHED_M))[0]
    found = np.concatenate([bends, turns])
    return int((np.hypot(*(found - place).T) < SMOOTHED_M).sum())
