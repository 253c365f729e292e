"""New roads of an edited plan: spurs to assets that no road serves, and turnarounds where roads beyond are gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon, box

from pacifico.errors import EditRefused
from pacifico.layout.alignment import lines
from pacifico.layout.alignment.profile_design import ROUNDING_M
from pacifico.layout.alignment.vertical import Pin, Stations, design_heights, stations_of
from pacifico.layout.editing.road_graph import SLACK_M, STEP_M, Net, Wanted, ends
from pacifico.layout.model.roads import Road, RoadCriteria, make_road
from pacifico.layout.roads.turnarounds import turnarounds
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import PAD_STEP_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.site.model import Zone

WINDOWS_M = ((100.0, 1.0, 250.0), (300.0, 2.0, 800.0))
"""Around an asset, in which a spur to it is sought: so much more than so many times the way to the nearest road, at least."""
MARGIN_M = 1.0
"""Spurs come this much nearer than the rule, so that rounding can't break it."""


@dataclass(frozen=True)
class Surroundings:
    """Ground around an edit, as roads see it."""

    road_grid: routing_grid.RoutingGrid
    window: Polygon

    @classmethod
    def of(
        cls, place: Field, window: Polygon, taken: Sequence[Polygon], zones: Sequence[Zone], criteria: RoadCriteria
    ) -> Surroundings | None:
        """Lattice of a window; None where no road fits."""
        known = box(*place.ground.grid.bounds)
        parts = routing_grid.parts_of(shapely.intersection(shapely.intersection(place.allowed, window), known))
        if not parts:
            return None
        allowed = parts[0] if len(parts) == 1 else MultiPolygon(parts)
        shapes = np.asarray(taken, dtype=object)
        near = shapes[shapely.intersects(shapes, window)] if shapes.size else shapes
        road_grid = routing_grid.make_routing_grid(
            place.ground,
            allowed,
            list(near),
            [(z.geometry, z.cost_multiplier) for z in zones if z.zone_type == "cost" and z.geometry.intersects(window)],
            half_width_m=criteria.width_m / 2,
            clearance_m=criteria.clearance_m,
            cell=routing_grid.cell_size(allowed.area),
        )
        return cls(road_grid, window) if (road_grid.clear > 0).any() else None


def spur_to(
    net: Net,
    wanted: Wanted,
    *,
    place: Field,
    taken: Sequence[Polygon],
    zones: Sequence[Zone],
    served: Mapping[str, int],
    criteria: RoadCriteria,
    first_number: int,
) -> tuple[Road, ...]:
    """Shortest legal road from the network to an asset, with a turnaround where it is long.

    Raises
    ------
    EditRefused
        There is none: the reason is told.
    """
    why = "there is no room for a road"
    nearest = float(shapely.distance(net.lines, wanted.footprint).min())
    for more, times, least in WINDOWS_M:
        reach = max(least, more + times * nearest)
        west, south, east, north = wanted.footprint.bounds
        window = box(west - reach, south - reach, east + reach, north + reach)
        around = Surroundings.of(place, window, taken, zones, criteria)
        if around is None:
            continue
        line, base, why = _path(net, wanted, around, served, criteria)
        if line is None:
            continue
        xyz, why = _heights(line, base, wanted, place, criteria)
        if xyz is None:
            continue
        spur = make_road(f"R{first_number:03d}", "spur", xyz, criteria.width_m)
        others = [r.line for r in net.roads if r.line.intersects(window)]
        arms, _ = turnarounds(
            around.road_grid, place.ground, [shapely.get_coordinates(o, include_z=True) for o in (*others, spur.line)],
            [len(others)], criteria=criteria,
        )  # fmt: skip
        return (
            spur,
            *(make_road(f"R{first_number + k:03d}", "spur", a, criteria.width_m) for k, a in enumerate(arms, 1)),
        )
    raise EditRefused(
        f"no road reaches {wanted.name} there: {why}; choose a place nearer a road, or gentler ground between"
    )


def new_turnarounds(
    net: Net, before: Net, *, place: Field, taken: Sequence[Polygon], criteria: RoadCriteria, first_number: int
) -> tuple[Road, ...]:
    """Turnarounds at ends that became dead because roads beyond them are gone."""
    arms: list[Road] = []
    for k, road in enumerate(net.roads):
        for e in ends(road):
            if len(net.at[e]) > 1 or len(before.at.get(e, ())) < 2 or road.length_m <= criteria.turnaround_over_m:
                continue
            if e == net.entry:
                continue
            reach = 3 * criteria.turnaround_arm_m
            window = box(e[0] - reach, e[1] - reach, e[0] + reach, e[1] + reach)
            around = Surroundings.of(place, window, taken, (), criteria)
            if around is None:
                continue
            own = shapely.get_coordinates(road.line, include_z=True)
            own = own if e == ends(road)[1] else own[::-1]
            others = [o.line for i, o in enumerate(net.roads) if i != k and o.line.intersects(window)]
            lines = [shapely.get_coordinates(o, include_z=True) for o in (*others, *(a.line for a in arms))]
            made, _ = turnarounds(around.road_grid, place.ground, [*lines, own], [len(lines)], criteria=criteria)
            arms += [
                make_road(f"R{first_number + len(arms) + i:03d}", "spur", a, criteria.width_m)
                for i, a in enumerate(made)
            ]
    return tuple(arms)


def _seeds(net: Net, around: Surroundings, served: Mapping[str, int]) -> dict[int, FloatArray]:
    """Road positions from which a spur may leave: each with the vertex (x, y, z) of a road beside it."""
    near = np.flatnonzero(shapely.intersects(net.lines, around.window))
    return doors(net.lines[[k for k in near.tolist() if net.needed(k, served)]], around)


def doors(lines: NDArray[Any], around: Surroundings) -> dict[int, FloatArray]:
    """Road positions from which a road may leave lines: each with the vertex (x, y, z) beside it."""
    road_grid = around.road_grid
    near = lines[shapely.intersects(lines, around.window)]
    if not near.size:
        return {}
    xyz = shapely.get_coordinates(near, include_z=True)
    i = np.floor((xyz[:, 0] - road_grid.x0) / road_grid.cell + 0.5).astype(np.int64)
    j = np.floor((xyz[:, 1] - road_grid.y0) / road_grid.cell + 0.5).astype(np.int64)
    inside = (i >= 0) & (i < road_grid.nx) & (j >= 0) & (j < road_grid.ny)
    found: dict[int, tuple[float, FloatArray]] = {}
    for k in np.flatnonzero(inside).tolist():
        node = int(j[k] * road_grid.nx + i[k])
        if road_grid.clear[node] <= 0:
            continue
        here = np.array([road_grid.px[node], road_grid.py[node]])
        far = float(np.hypot(*(here - xyz[k, :2])))
        if (node not in found or far < found[node][0]) and road_grid.clearance_index.clear(xyz[k, :2].copy(), here):
            found[node] = (far, xyz[k])
    return {n: v for n, (_, v) in sorted(found.items())}


def _path(
    net: Net, wanted: Wanted, around: Surroundings, served: Mapping[str, int], criteria: RoadCriteria
) -> tuple[FloatArray | None, FloatArray, str]:
    """Line in plan from a road's vertex to within reach, that vertex, and why there is none."""
    road_grid, nothing = around.road_grid, np.zeros(3)
    seeds = _seeds(net, around, served)
    if not seeds:
        return None, nothing, "no spur can leave the roads near it"
    shapes = routing_grid.Shapes.of([wanted.footprint])
    reach_m = np.array([wanted.reach_m - MARGIN_M])
    reach = tree_search.Reach.of(road_grid, shapes, reach_m)
    node = np.repeat(np.arange(road_grid.px.size), np.diff(reach.row))
    if not node.size:
        return None, nothing, f"there is no room for a road within {wanted.reach_m:g} m of it"
    fit = ~np.isin(node, list(seeds))
    if wanted.plane is not None:
        step = np.abs(road_grid.heights[node] - wanted.plane.height_at(road_grid.px[node], road_grid.py[node]))
        fit &= step <= criteria.max_grade * reach.far + PAD_STEP_SHARE * criteria.max_cut_fill_m
    if not fit.any():
        return (
            None,
            nothing,
            f"the ground within {wanted.reach_m:g} m is too far above or below its pad for a road to meet it",
        )
    growth = tree_search.search(
        road_grid,
        np.array(list(seeds)),
        reach=reach.kept(fit, 1),
        priority=np.array([1], np.int64),
        max_grade=criteria.max_grade,
    )
    if growth.server[0] < 0:
        return (
            None,
            nothing,
            f"every way to it is barred, or far beyond the grade limit of {100 * criteria.max_grade:g} %",
        )
    nodes = [int(growth.server[0])]
    while growth.parent[nodes[-1]] >= 0:
        nodes.append(int(growth.parent[nodes[-1]]))
    nodes.reverse()
    base = seeds.get(nodes[0])
    if base is None or len(nodes) < 2:
        return None, nothing, "the road beside it can't meet the height of its pad"
    points = np.column_stack([road_grid.px[nodes], road_grid.py[nodes]])
    direct = road_grid.clearance_index.clear(base[:2].copy(), points[1]) and not road_grid.nodata_mask.crossed(
        base[:2], points[1]
    )
    raw = np.vstack([base[None, :2], points[1:] if direct else points])
    last = np.array([len(raw) - 1])
    pulled = lines.pull(
        road_grid, np.ascontiguousarray(raw), bound_at=last, bound=np.array([0]), shapes=shapes, reach=reach_m,
        max_grade=criteria.max_grade,
    )  # fmt: skip
    rounded, _ = lines.round_bends(road_grid, pulled, radius_m=criteria.min_radius_m + criteria.width_m / 2)
    for line in (rounded, pulled, raw):
        if _meets_once(net, line) and LineString(line).distance(wanted.footprint) <= wanted.reach_m - SLACK_M:
            return line, base, ""
    return None, nothing, "a road to it would cross another without a junction"


def _meets_once(net: Net, line: FloatArray) -> bool:
    """Whether a line meets the network at its first point alone."""
    whole, start = LineString(line), shapely.Point(line[0])
    shared = shapely.get_coordinates(shapely.intersection(net.lines, whole))
    return not shared.size or bool(shapely.distance(shapely.points(shared), start).max() <= 0.05)


def _heights(
    line: FloatArray, base: FloatArray, wanted: Wanted, place: Field, criteria: RoadCriteria
) -> tuple[FloatArray | None, str]:
    """Design heights along a spur: the road's where it leaves, the pad's where it ends, in between the least earthwork."""
    grade = criteria.max_grade - criteria.grade_margin

    def pins(xy: FloatArray) -> list[Pin]:
        first = [Pin(0, float(base[2]), 0.0)]
        if wanted.pad is None or wanted.plane is None:
            return first
        points = np.asarray(shapely.points(xy), dtype=object)
        gap = np.asarray(shapely.distance(points, wanted.pad))
        k = int(np.argmin(gap))
        touch = shapely.get_coordinates(shapely.shortest_line(points[k], wanted.pad))[1]
        return [*first, Pin(k, float(wanted.plane.height_at(touch[0], touch[1])), grade * float(gap[k]))]

    xyz, why = profile(line, place, criteria, pins)
    if xyz is not None:
        xyz[0, 2] = base[2]
    return xyz, why


def profile(
    line: FloatArray, place: Field, criteria: RoadCriteria, pins: Callable[[FloatArray], list[Pin]]
) -> tuple[FloatArray | None, str]:
    """Design heights along a line that keep grade, depth and pins with the least earthwork; else why there are none.

    `pins` is given where the stations are.
    """
    s: Stations = stations_of([line], [-1], place.ground, width_m=criteria.width_m, station_m=criteria.station_m)
    grade = criteria.max_grade - criteria.grade_margin
    sure = np.maximum(s.distance - ROUNDING_M - ROUNDING_M / 2 / grade, 0.0)
    found = design_heights(
        s.parent, sure, s.ground, s.weight, max_grade=grade, max_depth_m=criteria.max_cut_fill_m, pins=pins(s.xy),
    )  # fmt: skip
    if found.excess_m[1:].max(initial=0.0) > STEP_M / 2:
        return None, (
            f"no road profile keeps both {100 * criteria.max_grade:g} % and {criteria.max_cut_fill_m:g} m of cut or fill on the way"
        )
    if found.pin_excess_m.max() > SLACK_M:
        return (
            None,
            f"a road within {100 * criteria.max_grade:g} % can't meet the heights that it must at both its ends",
        )
    return np.column_stack([s.xy, found.z]), ""
