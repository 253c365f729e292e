"""New roads of an edited plan: spurs, and turnarounds at dead ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon, box

from pacifico.layout.alignment import lines
from pacifico.layout.alignment.vertical import ROUNDING_M, Pin, Stations, design_heights, stations_of
from pacifico.layout.editing.road_graph import SLACK_M, STEP_M, NoRoad, RoadGraph, RoadTarget, end_vertices
from pacifico.layout.grade_lines.vertical_curves import Level, ProfileLimits, smooth_profile
from pacifico.layout.model.roads import Road, make_road
from pacifico.layout.roads.turnarounds import turnarounds
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import PAD_STEP_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.editing.road_graph import RoadConstraints

WINDOWS_M = ((100.0, 1.0, 250.0), (300.0, 2.0, 800.0))
"""Search windows for a spur, smallest first: margin [m], times the distance to the nearest road, least size [m]."""
MARGIN_M = 1.0
"""Spurs end this much nearer to the asset than the limit, so that rounding can't exceed it [m]."""
JOINT_M = 0.05
"""A new road may touch existing roads within this distance of its joints [m]."""


@dataclass(frozen=True)
class RoadWindow:
    """Routing grid of the ground around an edit."""

    road_grid: routing_grid.RoutingGrid
    window: Polygon

    @classmethod
    def of(cls, window: Polygon, constraints: RoadConstraints) -> RoadWindow | None:
        """Routing grid of a window; None where no road fits."""
        field, criteria = constraints.field, constraints.criteria
        extent = box(*field.ground.grid.bounds)
        parts = routing_grid.parts_of(shapely.intersection(shapely.intersection(field.allowed, window), extent))
        if not parts:
            return None
        allowed = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        obstacles = np.asarray(constraints.obstacles, dtype=object)
        near = obstacles[shapely.intersects(obstacles, window)] if obstacles.size else obstacles
        road_grid = routing_grid.make_routing_grid(
            field.ground,
            allowed,
            list(near),
            [(z.geometry, z.cost_multiplier) for z in constraints.cost_zones if z.geometry.intersects(window)],
            half_width_m=criteria.width_m / 2,
            clearance_m=criteria.clearance_m,
            cell=routing_grid.cell_size(allowed.area),
        )
        return cls(road_grid, window) if (road_grid.clear > 0).any() else None

    def joints(self, roads: NDArray[Any]) -> dict[int, FloatArray]:
        """Grid nodes where a road may join, with the vertices joined."""
        grid = self.road_grid
        near = roads[shapely.intersects(roads, self.window)]
        if not near.size:
            return {}
        xyz = shapely.get_coordinates(near, include_z=True)
        i = np.floor((xyz[:, 0] - grid.x0) / grid.cell + 0.5).astype(np.int64)
        j = np.floor((xyz[:, 1] - grid.y0) / grid.cell + 0.5).astype(np.int64)
        inside = (i >= 0) & (i < grid.nx) & (j >= 0) & (j < grid.ny)
        found: dict[int, tuple[float, FloatArray]] = {}
        for k in np.flatnonzero(inside).tolist():
            node = int(j[k] * grid.nx + i[k])
            if grid.clear[node] <= 0:
                continue
            here = np.array([grid.px[node], grid.py[node]])
            distance = float(np.hypot(*(here - xyz[k, :2])))
            if (node not in found or distance < found[node][0]) and grid.clearance_index.clear(xyz[k, :2].copy(), here):
                found[node] = (distance, xyz[k])
        return {n: v for n, (_, v) in sorted(found.items())}


def spur_to(
    roads: RoadGraph,
    target: RoadTarget,
    constraints: RoadConstraints,
    *,
    served: Mapping[str, int],
    first_number: int,
) -> tuple[Road, ...] | NoRoad:
    """Shortest legal road to an asset, with a turnaround if long.

    Parameters
    ----------
    roads : RoadGraph
        Roads that the spur may leave.
    target : RoadTarget
        Asset to reach.
    constraints : RoadConstraints
        What the spur must respect; the target is one of the obstacles.
    served : mapping
        Number of assets that each road serves; a spur leaves needed roads only.
    first_number : int
        Number of the first new road.
    """
    failure = NoRoad("there is no room for a road")
    nearest = float(shapely.distance(roads.lines, target.footprint).min())
    criteria = constraints.criteria
    for margin, times, least in WINDOWS_M:
        around = RoadWindow.of(box_around(target.footprint.bounds, max(least, margin + times * nearest)), constraints)
        if around is None:
            continue
        line = _find_line(roads, target, around, served, constraints)
        xyz = line if isinstance(line, NoRoad) else _design(line, target, constraints)
        if isinstance(xyz, NoRoad):
            failure = xyz
            continue
        spur = make_road(f"R{first_number:03d}", "spur", xyz, criteria.width_m)
        others = [r.line for r in roads.roads if r.line.intersects(around.window)]
        arms, _ = turnarounds(
            around.road_grid,
            constraints.field.ground,
            [shapely.get_coordinates(o, include_z=True) for o in (*others, spur.line)],
            [len(others)],
            criteria=criteria,
        )
        return (
            spur,
            *(make_road(f"R{first_number + k:03d}", "spur", a, criteria.width_m) for k, a in enumerate(arms, 1)),
        )
    return failure


def box_around(bounds: tuple[float, float, float, float], margin_m: float) -> Polygon:
    """Bounds (west, south, east, north) grown by a margin."""
    west, south, east, north = bounds
    return box(west - margin_m, south - margin_m, east + margin_m, north + margin_m)


def new_turnarounds(
    roads: RoadGraph, before: RoadGraph, constraints: RoadConstraints, *, first_number: int
) -> tuple[Road, ...]:
    """Turnarounds at dead ends that removed roads leave.

    Parameters
    ----------
    roads : RoadGraph
        Roads now.
    before : RoadGraph
        Roads before some were removed.
    constraints : RoadConstraints
        What the new road must respect.
    first_number : int
        Number of the first new road.
    """
    criteria, ground = constraints.criteria, constraints.field.ground
    # a turnaround is built where the road ends, whatever the ground costs
    constraints = replace(constraints, cost_zones=())
    arms: list[Road] = []
    for k, road in enumerate(roads.roads):
        for end in end_vertices(road):
            if len(roads.roads_at[end]) > 1 or len(before.roads_at.get(end, ())) < 2 or end in roads.entries:
                continue
            if road.length_m <= criteria.turnaround_over_m:
                continue
            around = RoadWindow.of(box_around((*end, *end), 3 * criteria.turnaround_arm_m), constraints)
            if around is None:
                continue
            own = shapely.get_coordinates(road.line, include_z=True)
            own = own if end == end_vertices(road)[1] else own[::-1]
            others = [o.line for i, o in enumerate(roads.roads) if i != k and o.line.intersects(around.window)]
            network = [shapely.get_coordinates(o, include_z=True) for o in (*others, *(a.line for a in arms))]
            found, _ = turnarounds(around.road_grid, ground, [*network, own], [len(network)], criteria=criteria)
            arms += [
                make_road(f"R{first_number + len(arms) + i:03d}", "spur", a, criteria.width_m)
                for i, a in enumerate(found)
            ]
    return tuple(arms)


@dataclass(frozen=True)
class _Line:
    """Line of a spur and the road vertex it leaves."""

    xy: FloatArray
    base: FloatArray
    """Vertex (x, y, z) of the road [m]."""


def _find_line(
    roads: RoadGraph,
    target: RoadTarget,
    around: RoadWindow,
    served: Mapping[str, int],
    constraints: RoadConstraints,
) -> _Line | NoRoad:
    """Line from a needed road to within reach of an asset.

    Parameters
    ----------
    roads : RoadGraph
        Roads now.
    target : RoadTarget
        Asset to reach.
    around : RoadWindow
        Ground to search.
    served : mapping
        Number of assets that each road serves.
    constraints : RoadConstraints
        What the new road must respect.
    """
    grid, criteria = around.road_grid, constraints.criteria
    near = np.flatnonzero(shapely.intersects(roads.lines, around.window))
    seeds = around.joints(roads.lines[[k for k in near.tolist() if roads.needed(k, served)]])
    if not seeds:
        return NoRoad("no spur can leave the roads near it")
    shapes = routing_grid.Shapes.of([target.footprint])
    reach_m = np.array([target.reach_m - MARGIN_M])
    nodes = _search_nodes(target, around, seeds, (shapes, reach_m), constraints)
    if isinstance(nodes, NoRoad):
        return nodes
    base = seeds.get(nodes[0])
    if base is None or len(nodes) < 2:
        return NoRoad("the road beside it can't meet the height of its pad")
    points = np.column_stack([grid.px[nodes], grid.py[nodes]])
    direct = in_sight(grid, base[:2], points[1])
    raw = np.vstack([base[None, :2], points[1:] if direct else points])
    pulled = lines.pull(
        grid,
        np.ascontiguousarray(raw),
        bound_at=np.array([len(raw) - 1]),
        bound=np.array([0]),
        shapes=shapes,
        reach=reach_m,
        max_grade=criteria.max_grade,
    )
    rounded, _ = lines.round_bends(grid, pulled, radius_m=criteria.min_radius_m + criteria.width_m / 2)
    for xy in (rounded, pulled, raw):
        if meets_only_at(roads, xy, xy[:1]) and LineString(xy).distance(target.footprint) <= target.reach_m - SLACK_M:
            return _Line(xy, base)
    return NoRoad("a road to it would cross another without a junction")


def _search_nodes(
    target: RoadTarget,
    around: RoadWindow,
    seeds: Mapping[int, FloatArray],
    goal: tuple[routing_grid.Shapes, FloatArray],
    constraints: RoadConstraints,
) -> list[int] | NoRoad:
    """Grid nodes of the cheapest way to within reach of an asset.

    Parameters
    ----------
    target : RoadTarget
        Asset to reach.
    around : RoadWindow
        Ground to search.
    seeds : mapping
        Nodes at which the way may start.
    goal : (Shapes, array)
        Footprint of the asset, and its reach [m].
    constraints : RoadConstraints
        What the new road must respect.
    """
    grid, criteria = around.road_grid, constraints.criteria
    reach = tree_search.Reach.of(grid, *goal)
    node = np.repeat(np.arange(grid.px.size), np.diff(reach.row))
    if not node.size:
        return NoRoad(f"there is no room for a road within {target.reach_m:g} m of it")
    fit = ~np.isin(node, list(seeds))
    if target.plane is not None:
        step = np.abs(grid.heights[node] - target.plane.height_at(grid.px[node], grid.py[node]))
        fit &= step <= criteria.max_grade * reach.far + PAD_STEP_SHARE * criteria.max_cut_fill_m
    if not fit.any():
        return NoRoad(f"the ground within {target.reach_m:g} m is too far above or below its pad for a road to meet it")
    growth = tree_search.search(
        grid,
        np.array(list(seeds)),
        reach=reach.kept(fit, 1),
        priority=np.array([1], np.int64),
        max_grade=criteria.max_grade,
    )
    if growth.server[0] < 0:
        return NoRoad(
            f"no route to it keeps clear of obstacles and near the grade limit of {100 * criteria.max_grade:g} %"
        )
    return way_to(growth, int(growth.server[0]))


def way_to(growth: tree_search.Growth, node: int) -> list[int]:
    """Grid nodes of a search tree from its root to a node."""
    nodes = [node]
    while growth.parent[nodes[-1]] >= 0:
        nodes.append(int(growth.parent[nodes[-1]]))
    return nodes[::-1]


def in_sight(grid: routing_grid.RoutingGrid, a: FloatArray, b: FloatArray) -> bool:
    """Whether a straight road between two points is clear."""
    return grid.clearance_index.clear(a.copy(), b.copy()) and not grid.nodata_mask.crossed(a, b)


def meets_only_at(roads: RoadGraph, line: FloatArray, joints: FloatArray) -> bool:
    """Whether a line touches the roads at given joints only."""
    shared = shapely.get_coordinates(shapely.intersection(roads.lines, LineString(line)))
    at = shapely.multipoints(joints[:, :2])
    return not shared.size or bool(shapely.distance(shapely.points(shared), at).max() <= JOINT_M)


def _design(line: _Line, target: RoadTarget, constraints: RoadConstraints) -> FloatArray | NoRoad:
    """Design heights of a spur from its road to its pad."""
    grade = constraints.criteria.max_grade - constraints.criteria.grade_margin

    def pins(xy: FloatArray) -> list[Pin]:
        """Heights at the road and at the pad."""
        first = [Pin(0, float(line.base[2]), 0.0)]
        if target.pad is None or target.plane is None:
            return first
        points = np.asarray(shapely.points(xy), dtype=object)
        gap = np.asarray(shapely.distance(points, target.pad))
        k = int(np.argmin(gap))
        touch = shapely.get_coordinates(shapely.shortest_line(points[k], target.pad))[1]
        return [*first, Pin(k, float(target.plane.height_at(touch[0], touch[1])), grade * float(gap[k]))]

    xyz = design_profile(line.xy, constraints, pins)
    if not isinstance(xyz, NoRoad):
        xyz[0, 2] = line.base[2]
    return xyz


def design_profile(
    line: FloatArray, constraints: RoadConstraints, pins: Callable[[FloatArray], list[Pin]]
) -> FloatArray | NoRoad:
    """Line with design heights of least earthwork, shape (n, 3).

    The heights keep the limits of grade and depth, and the pins. Grades change along vertical curves.

    Parameters
    ----------
    line : array
        Line in plan, shape (n, 2) [m].
    constraints : RoadConstraints
        What the new road must respect.
    pins : callable
        Gives the fixed heights for the stations' places, shape (m, 2).
    """
    criteria = constraints.criteria
    s: Stations = stations_of(
        [line], [-1], constraints.field.ground, width_m=criteria.width_m, station_m=criteria.station_m
    )
    grade = criteria.max_grade - criteria.grade_margin
    run = np.maximum(s.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)
    heights = pins(s.xy)
    found = design_heights(
        s.parent, run, s.ground, s.weight, max_grade=grade, max_depth_m=criteria.max_cut_fill_m, pins=heights
    )
    if found.excess_m[1:].max(initial=0.0) > STEP_M / 2:
        return NoRoad(
            f"no road profile keeps both {100 * criteria.max_grade:g} % and {criteria.max_cut_fill_m:g} m of cut or fill on the way"
        )
    if found.pin_excess_m.max() > SLACK_M:
        return NoRoad(
            f"a road within {100 * criteria.max_grade:g} % can't meet the heights that it must at both its ends"
        )
    levels = [
        Level((float(s.xy[pin.station, 0]), float(s.xy[pin.station, 1])), pin.z - pin.slack_m, pin.z + pin.slack_m)
        for pin in heights
    ]
    line = np.column_stack([s.xy, found.z])
    return smooth_profile([line], constraints.field.ground, ProfileLimits.of(criteria), levels).lines[0]
