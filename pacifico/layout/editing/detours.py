"""Detours: roads cut by a zone are joined to the entry again."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from shapely import LineString

from pacifico.errors import EditRefused
from pacifico.layout.alignment import lines
from pacifico.layout.alignment.vertical import Pin
from pacifico.layout.editing.road_graph import NoRoad, RoadGraph, end_vertices, find_server, unneeded_roads
from pacifico.layout.editing.spurs import (
    RoadWindow,
    box_around,
    design_profile,
    in_sight,
    meets_only_at,
    new_turnarounds,
    spur_to,
    way_to,
)
from pacifico.layout.editing.stretches import pieces_clear_of, road_like, split_by
from pacifico.layout.routing import routing_grid, tree_search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.editing.road_graph import RoadConstraints, Vertex
    from pacifico.layout.editing.stretches import Detour
    from pacifico.layout.model.roads import Road

WINDOWS_M = (80.0, 250.0, 800.0)
"""Margins of the search windows for a detour, smallest first [m]."""
NEAR_M = 500.0
"""Road ends this near to the closed ground are inside the search window [m]."""
GOALS = 5
"""Places tried at which a detour may meet the roads again, cheapest first."""
REMEDY = "close less ground, or let all roads be made again"


def lead_around(
    roads: RoadGraph, detour: Detour, served: Mapping[str, str], first_number: int
) -> tuple[RoadGraph, dict[str, str]]:
    """Roads led around an area, and the road that serves each asset.

    Stretches on the area are cut out, back to where another road joins or an asset is served. What the cut separates
    from the entry is joined again by the shortest legal road between the heights of both ends.

    Parameters
    ----------
    roads : RoadGraph
        Roads before.
    detour : Detour
        Ground to avoid and assets to serve.
    served : mapping
        Road that serves each asset before.
    first_number : int
        Number of the first new road.

    Raises
    ------
    EditRefused
        No road leads around, or an asset is left without one.
    """
    kept, cut = split_by(roads, detour.area)
    pieces = pieces_clear_of(roads, cut, detour, served, first_number)
    number = first_number + len(pieces)
    now = roads.with_roads((*kept, *pieces))
    cut_ids = {r.road_id for r in cut}
    serving = {asset_id: road for asset_id, road in served.items() if road not in cut_ids}
    unserved: list[str] = []
    for asset_id in [i for i, road in served.items() if road in cut_ids]:
        found = find_server(now, detour.targets[asset_id], detour.constraints.criteria)
        if isinstance(found, NoRoad):
            unserved.append(asset_id)
        else:
            serving[asset_id] = found
    now, number = _rejoined(now, roads, detour, set(serving.values()), number)
    for asset_id in unserved:
        spur, serving[asset_id] = _serve_again(now, detour, asset_id, Counter(serving.values()), number)
        now, number = now.plus(spur), number + len(spur)
    now = now.without(unneeded_roads(now, Counter(serving.values()), [p.road_id for p in pieces]))
    before = now.with_roads((*now.roads, *cut))
    return now.plus(new_turnarounds(now, before, detour.constraints, first_number=number)), serving


def _serve_again(
    roads: RoadGraph, detour: Detour, asset_id: str, served: Mapping[str, int], first_number: int
) -> tuple[tuple[Road, ...], str]:
    """New spur to an asset, if it needs one, and its road.

    Parameters
    ----------
    roads : RoadGraph
        Roads now.
    detour : Detour
        Ground to avoid and assets to serve.
    asset_id : str
        Asset whose road was cut.
    served : mapping
        Number of assets that each road serves.
    first_number : int
        Number of the first new road.

    Raises
    ------
    EditRefused
        No legal spur reaches the asset.
    """
    target = detour.targets[asset_id]
    found = find_server(roads, target, detour.constraints.criteria)
    if not isinstance(found, NoRoad):
        return (), found
    spur = spur_to(roads, target, detour.constraints, served=served, first_number=first_number)
    if isinstance(spur, NoRoad):
        raise EditRefused(
            f"no road reaches {asset_id} there: {spur.reason}; choose a place nearer a road, or gentler ground between"
        )
    return spur, spur[0].road_id


def _rejoined(
    now: RoadGraph, before: RoadGraph, detour: Detour, needed: set[str], number: int
) -> tuple[RoadGraph, int]:
    """Join every needed part to the entry again and drop the others.

    Returns the roads and the next road number.

    Parameters
    ----------
    now : RoadGraph
        Roads with the stretches on the area cut out.
    before : RoadGraph
        Roads before.
    detour : Detour
        Ground to avoid and assets to serve.
    needed : set of str
        Roads that serve an asset.
    number : int
        Number of the first new road.
    """
    parts = [{now.roads[k].road_id for k in part} for part in _parts(now, now.cut_off(()))]
    now = now.without({i for part in parts if not part & needed for i in part})
    while off := now.cut_off(()):
        now = now.plus([_link(now, before, off, detour, number)])
        number += 1
    return now, number


def _parts(roads: RoadGraph, off: set[int]) -> list[set[int]]:
    """Roads that are cut off, grouped by what joins them."""
    left, found = set(off), []
    while left:
        queue = [min(left)]
        part = set(queue)
        while queue:
            new = (roads.neighbours[queue.pop()] & left) - part
            part |= new
            queue += sorted(new)
        found.append(part)
        left -= part
    return found


def _link(now: RoadGraph, before: RoadGraph, off: set[int], detour: Detour, number: int) -> Road:
    """Shortest legal road from joined roads to roads that are cut off.

    Parameters
    ----------
    now : RoadGraph
        Roads after the cut.
    before : RoadGraph
        Roads before the edit: an end that was a joint there is a place to start from.
    off : set of int
        Roads that are cut off from the entry.
    detour : Detour
        Ground to avoid and assets to serve.
    number : int
        Number of the new road.

    Raises
    ------
    EditRefused
        There is none.
    """
    joined = [k for k in range(len(now.roads)) if k not in off]
    bounds = _bounds(now, before, detour.area)
    criteria = detour.constraints.criteria
    reason = "there is no room for a road"
    for margin in WINDOWS_M:
        around = RoadWindow.of(box_around(bounds, margin), detour.constraints)
        if around is None:
            continue
        start = around.joints(now.lines[joined]) if joined else {}
        bare = [_entry_line(before, e) for e in now.entries if e not in now.roads_at]
        if bare:
            start |= around.joints(np.array(bare, dtype=object))
        goal = {n: v for n, v in around.joints(now.lines[sorted(off)]).items() if n not in start}
        for _ in range(GOALS):
            if not start or not goal:
                break
            nodes = _cheapest_way(around.road_grid, start, goal, criteria.max_grade)
            if not nodes:
                reason = f"no route keeps clear of obstacles and near the grade limit of {100 * criteria.max_grade:g} %"
                break
            found = _design_link(now, nodes, (start[nodes[0]], goal[nodes[-1]]), around, detour.constraints)
            if isinstance(found, NoRoad):
                reason = found.reason
                del goal[nodes[-1]]
                continue
            widest = max(
                (now.roads[k] for k in sorted(off)), key=lambda r: ("spur", "secondary", "spine").index(r.road_class)
            )
            return road_like(widest, number, found)
    raise EditRefused(f"no road leads round it: {reason}; {REMEDY}")


def _bounds(now: RoadGraph, before: RoadGraph, area: BaseGeometry) -> tuple[float, float, float, float]:
    """Bounds of an area and of the cut road ends near it."""
    ends = [
        v
        for r in now.roads
        for v in end_vertices(r)
        if len(now.roads_at[v]) == 1 and len(before.roads_at.get(v, ())) > 0
    ]
    west, south, east, north = box_around(area.bounds, NEAR_M).bounds
    near = [v for v in ends if west < v[0] < east and south < v[1] < north]
    west, south, east, north = area.bounds
    for x, y in near:
        west, south, east, north = min(west, x), min(south, y), max(east, x), max(north, y)
    return west, south, east, north


def _entry_line(roads: RoadGraph, entry: Vertex) -> LineString:
    """Vertex at an entry, as a line."""
    xyz = next(c for k in roads.roads_at[entry] for c in roads.roads[k].line.coords if (c[0], c[1]) == entry)
    return LineString([xyz, xyz])


def _cheapest_way(
    grid: routing_grid.RoutingGrid, start: Mapping[int, FloatArray], goal: Mapping[int, FloatArray], max_grade: float
) -> list[int]:
    """Grid nodes to the cheapest goal; empty without a way.

    Parameters
    ----------
    grid : RoutingGrid
        Ground to search.
    start, goal : mapping
        Nodes at which the road may join, each with the vertex (x, y, z) it joins.
    max_grade : float
        Rise over run.
    """
    stop = np.zeros(grid.px.size, np.uint8)
    stop[list(goal)] = 1
    growth = tree_search.search(
        grid,
        np.array(sorted(start), np.int64),
        reach=tree_search.Reach.none(grid),
        priority=np.zeros(0, np.int64),
        max_grade=max_grade,
        stop_at=stop,
    )
    if growth.hit < 0:
        return []
    nodes = way_to(growth, int(growth.hit))
    return nodes if nodes[0] in start and len(nodes) > 1 else []


def _design_link(
    roads: RoadGraph,
    nodes: Sequence[int],
    joints: tuple[FloatArray, FloatArray],
    around: RoadWindow,
    constraints: RoadConstraints,
) -> FloatArray | NoRoad:
    """Designed road between two vertices of the network, shape (n, 3).

    Parameters
    ----------
    roads : RoadGraph
        Roads now.
    nodes : sequence of int
        Grid nodes of the way.
    joints : (array, array)
        Vertices (x, y, z) that it joins.
    around : RoadWindow
        Ground to search.
    constraints : RoadConstraints
        What the new road must respect.
    """
    grid, criteria = around.road_grid, constraints.criteria
    base, goal = joints
    points = np.column_stack([grid.px[nodes], grid.py[nodes]])
    first, last = base[:2].copy(), goal[:2].copy()
    middle = points
    if len(points) > 2 and in_sight(grid, first, points[1]):
        middle = middle[1:]
    if len(middle) > 1 and in_sight(grid, middle[-2], last):
        middle = middle[:-1]
    raw = np.ascontiguousarray(np.vstack([first[None], middle, last[None]]))
    none = np.zeros(0, np.int64)
    pulled = lines.pull(
        grid,
        raw,
        bound_at=none,
        bound=none,
        shapes=routing_grid.Shapes.of([]),
        reach=np.zeros(0),
        max_grade=criteria.max_grade,
    )
    rounded, _ = lines.round_bends(grid, pulled, radius_m=criteria.min_radius_m + criteria.width_m / 2)
    failure = NoRoad("a way round would cross a road without a junction")
    for line in (rounded, pulled, raw):
        if not meets_only_at(roads, line, line[[0, -1]]):
            continue
        found = design_profile(
            line, constraints, lambda xy: [Pin(0, float(base[2]), 0.0), Pin(len(xy) - 1, float(goal[2]), 0.0)]
        )
        if not isinstance(found, NoRoad):
            found[0, 2], found[-1, 2] = base[2], goal[2]
            return found
        failure = found
    return failure
