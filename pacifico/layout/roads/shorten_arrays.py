"""What gives way to roads: the fewest units of arrays that leave room for turnarounds, bends and turns, or blocks of yards.

Of a yard whole blocks go, and for turnarounds alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, MultiLineString, Point

from pacifico.layout.alignment import horizontal, smoothing
from pacifico.layout.alignment.smoothing import Tree
from pacifico.layout.roads import turnarounds
from pacifico.layout.roads.turnarounds import ARMS, KERB_M, Scene, piece, turned
from pacifico.layout.routing.problem import terminals_by_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem
    from pacifico.layout.routing.shortenable import ShortenableObstacles


SPARE_M = 2e-3
"""Kept beyond the distance from roads, so that rounding can't break it."""
CORNER_M = 30.0
"""An array farther than this from a bend does not stand in its way."""
EASED_M = 60.0
"""Vertices nearer than this to a bend are moved where an array gives way to it."""
MOST_UNITS = 2
"""Units that an array gives up for one bend."""


def turning(
    scene: Scene, ends: Sequence[int], shortenable: ShortenableObstacles
) -> tuple[list[FloatArray], list[int], ShortenableObstacles]:
    """Turnarounds at dead ends for which units are given up, the ends that have none all the same, and what is left.

    Parameters
    ----------
    scene : Scene
        Roads and what has been built.
    ends : sequence of int
        Roads without a turnaround.
    shortenable : Yields
        What may be given up.
    """
    out: list[FloatArray] = []
    without = []
    if not ends or not len(shortenable.who):
        return out, list(ends), shortenable
    bare = replace(scene, road_grid=shortenable.road_grid(without=True))
    for c in ends:
        found = _at_end(scene, bare, c, shortenable)
        if found is None:
            without.append(c)
            continue
        made, shortenable = found
        scene.road_grid = shortenable.road_grid()
        scene.add(made)  # and among what `bare` sees
        out += made
    return out, without, shortenable


def _at_end(
    scene: Scene, bare: Scene, c: int, shortenable: ShortenableObstacles
) -> tuple[list[FloatArray], ShortenableObstacles] | None:
    """Stub or hammerhead at a dead end for which the fewest units are given up."""
    road = scene.roads[c]
    others = scene.near(road[-1, :2], c)
    if LineString(road[:, :2]).length < scene.criteria.turnaround_arm_m:
        return None
    ways = MultiLineString([LineString(road[:, :2]), *(LineString(np.array(o.coords)[:, :2]) for o in others)])
    radius = scene.road_grid.clearance_index.radius + SPARE_M
    tried: list[tuple[int, ShortenableObstacles, FloatArray, list[FloatArray]]] = []
    for start, corners, steps in _shapes(bare, road):
        drawn = MultiLineString([LineString([start[:2], start[:2] + s]) for s in steps] + corners)
        less = shortenable.clear_of(drawn, radius, ways)
        tried.append((less.count, less, start, steps))
    for _, less, start, steps in sorted(tried, key=lambda t: t[0]):
        free = replace(scene, road_grid=less.road_grid())
        made = [piece(free, road, start, step, others) for step in steps]
        done = [m for m in made if m is not None]
        if len(done) == len(steps):
            return done, less
    return None


def _shapes(bare: Scene, road: FloatArray) -> list[tuple[FloatArray, list[LineString], list[FloatArray]]]:
    """Stubs and hammerheads that would fit without any array: where they start, arcs of their corners, their arms."""
    out = []
    for here, behind, ahead, step in turnarounds.stubs(bare, road, angles=(90, -90), every_m=4.0):
        tip = here[:2] + step
        if bare.clear(here[:2], tip) and bare.rounds(behind, here[:2], tip) and bare.rounds(ahead, here[:2], tip):
            arcs = [_corner(bare, behind, here[:2], tip), _corner(bare, ahead, here[:2], tip)]
            out.append((here, arcs, [step]))
    arm, end = bare.criteria.turnaround_arm_m, road[-1, :2]
    behind = turnarounds.along(road, -arm)
    way = (end - behind) / np.hypot(*(end - behind))
    for first, second in ARMS[:3]:
        a, b = turned(way, first) * arm, turned(way, second) * arm
        if turnarounds.turns(bare, behind, end, a, b, ahead=second == 0):
            last = _corner(bare, end + b, end, end + a) if second == 0 else _corner(bare, behind, end, end + b)
            out.append((road[-1], [_corner(bare, behind, end, end + a), last], [a, b]))
    return out


def _corner(scene: Scene, a: FloatArray, b: FloatArray, c: FloatArray) -> LineString:
    """Arc of a turnaround's corner at b, on the way from a to c."""
    size = KERB_M + scene.criteria.width_m / 2
    u, v = (b - a) / np.hypot(*(b - a)), (c - b) / np.hypot(*(c - b))
    angle = float(np.arctan2(u[0] * v[1] - u[1] * v[0], u @ v))
    start = b - u * size * np.tan(abs(angle) / 2)
    side = 1.0 if angle > 0 else -1.0
    middle = start + side * size * np.array([-u[1], u[0]])
    phi = np.linspace(0.0, angle, 9)[:, None]
    r = start - middle
    return LineString(middle + r * np.cos(phi) + np.array([-r[1], r[0]]) * np.sin(phi))


def bending(problem: RoutingProblem, now: HorizontalAlignment) -> ShortenableObstacles:
    """Give up units that stand in the corners of bends and turns that have no room, the fewest for each.

    Lines are eased about each place alone; who makes use of what is given up draws them anew.
    """
    shortenable = problem.shortenable
    sizes = problem.sizes_of(now)
    places = np.concatenate(
        [smoothing.tight_bends(now.lines, sizes)[0], smoothing.tight_turns(problem, now.straight, now.ups, sizes)[0]]
    )  # fmt: skip
    if not len(places) or not len(shortenable.who):
        return shortenable
    roads = MultiLineString([LineString(x) for x in now.lines])
    shapely.prepare(roads)
    lines = shapely.STRtree([LineString(x) for x in now.straight])
    served = smoothing.bound_of(terminals_by_line(len(now.lines), now.line_of))
    tree = Tree.of(now.straight, now.ups)
    for place in places:
        own = np.sort(lines.query(Point(place), "dwithin", EASED_M)).tolist()
        best, kept = _faults(problem, tree, sizes, own, place), shortenable
        frozen = (np.hypot(*(tree.xy - place).T) > EASED_M).astype(np.uint8)
        for less in _options(shortenable, place, roads):
            free = replace(problem, road_grid=less.road_grid(), shortenable=less)
            candidate = tree.copy()
            smoothing.unbent(free, candidate, frozen, *served, sizes)
            faults = _faults(free, candidate, sizes, own, place)
            if faults < best:
                best, kept = faults, less
            if not best:
                break
        shortenable = kept
    return shortenable


def _options(
    shortenable: ShortenableObstacles, place: FloatArray, roads: MultiLineString
) -> list[ShortenableObstacles]:
    """What arrays near a place may give up, few units first, the nearest end first."""
    rects = shortenable.rects()
    off = np.maximum(np.maximum(rects[:, :2] - place, place - rects[:, 2:]), 0.0)
    far = np.hypot(off[:, 0], off[:, 1])
    tried = []
    # a block of a yard is too much to give for a bend
    for k in np.flatnonzero((far < CORNER_M) & (shortenable.unit > 0)).tolist():
        west, _, east, _ = rects[k]
        for n in range(1, MOST_UNITS + 1):
            for way, end in (((n, 0), west), ((0, n), east)):
                if n > shortenable.left[k] or abs(end - place[0]) > CORNER_M:
                    continue
                less = shortenable.shorter(k, *way)
                rest = less.rects()[k]
                if np.isnan(rest[0]) or roads.distance(shapely.box(*rest)) <= shortenable.reach[k]:
                    tried.append((n, float(far[k]), abs(float(end - place[0])), k, way, less))
    return [t[-1] for t in sorted(tried, key=lambda t: t[:-1])]


def _faults(problem: RoutingProblem, tree: Tree, sizes: FloatArray, own: Sequence[int], place: FloatArray) -> int:
    """Bends of some lines and turns near a place that are tighter than their radius."""
    mine = sizes[list(own)]
    drawn = [
        horizontal.rounded(problem, x, (), smoothing.NOTHING, size)
        for x, size in zip(tree.lines(own), mine, strict=True)
    ]
    found = np.concatenate(
        [smoothing.tight_bends(drawn, mine)[0], smoothing.tight_turns_of(problem, tree, sizes, about=(place, EASED_M))[0]]
    )  # fmt: skip
    return int((np.hypot(*(found - place).T) < EASED_M).sum())
