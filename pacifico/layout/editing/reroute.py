"""Roads led round ground that an edit closes: only the stretches on it are laid anew, from what they serve to what they serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, box

from pacifico.errors import EditRefused, named
from pacifico.layout.access.connect import connect_roads
from pacifico.layout.alignment import lines
from pacifico.layout.alignment.vertical import Pin
from pacifico.layout.editing import road_graph as roads_
from pacifico.layout.editing import spurs as spurs_
from pacifico.layout.editing.remeasure import edited
from pacifico.layout.editing.road_access import next_road
from pacifico.layout.editing.road_graph import Net, Wanted
from pacifico.layout.model.assets import pad_outline
from pacifico.layout.model.roads import make_road
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.placement.draft import Draft
from pacifico.layout.routing import routing_grid, tree_search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.editing.context import EditContext
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.edits import Edit
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.roads import Road, RoadCriteria
    from pacifico.site.model import Site, Zone

WINDOWS_M = (80.0, 250.0, 800.0)
"""Around what is closed and the ends of the roads that it cuts, in which a way round is sought."""
TRIES = 5
"""Places at which a way round may meet a road again, the nearest first; the next where no profile is found."""


@dataclass(frozen=True)
class Scene:
    """What roads must keep to, around an edit."""

    place: Field
    taken: Sequence[Polygon]
    zones: Sequence[Zone]
    criteria: RoadCriteria


def led_round(
    net: Net,
    area: BaseGeometry,
    wanted: Mapping[str, Wanted],
    served: Mapping[str, str],
    scene: Scene,
    first_number: int,
) -> tuple[Net, dict[str, str]]:
    """Roads with a way round an area for each stretch on it that is needed, and the road that serves each asset then.

    Stretches are cut back to where another road joins or an asset is served; what the cuts part from the entry is joined
    again by the shortest legal way, designed between the heights of its ends.

    Parameters
    ----------
    net : Net
        Roads as they stand.
    area : geometry
        What is closed, its buffer included.
    wanted, served : mapping
        Every asset, and the road that serves it.

    Raises
    ------
    EditRefused
        No road leads round, or one that an asset needs can't be had.
    """
    kept, hit = _parted(net, area)
    pieces = _pieces(net, hit, kept, area, wanted, served, first_number)
    number = first_number + len(pieces)
    now = Net((*kept, *pieces), net.entry)
    own = {r.road_id for r in hit}
    serving = {name: road for name, road in served.items() if road not in own}
    orphans: list[str] = []
    for name in [n for n, road in served.items() if road in own]:
        found, _ = roads_.server_of(now, wanted[name], scene.criteria)
        if found:
            serving[name] = found
        else:
            orphans.append(name)
    now, number = _joined(now, net, area, serving, scene, number)
    for name in orphans:
        found, _ = roads_.server_of(now, wanted[name], scene.criteria)
        if not found:
            spur = spurs_.spur_to(
                now, wanted[name], place=scene.place, taken=scene.taken, zones=scene.zones, served=Counter(serving.values()),
                criteria=scene.criteria, first_number=number,
            )  # fmt: skip
            now, number, found = now.plus(spur), number + len(spur), spur[0].road_id
        serving[name] = found
    count = Counter(serving.values())
    now = now.without(roads_.dead_roads(now, count, [p.road_id for p in pieces]))
    before = Net((*now.roads, *hit), net.entry)
    arms = spurs_.new_turnarounds(
        now, before, place=scene.place, taken=scene.taken, criteria=scene.criteria, first_number=number
    )
    return now.plus(arms), serving


def _parted(net: Net, area: BaseGeometry) -> tuple[list[Road], list[Road]]:
    """Roads clear of an area, and those on it."""
    far = shapely.distance(net.lines, area)
    on = far < np.array([r.width_m / 2 for r in net.roads])
    return [r for r, o in zip(net.roads, on, strict=True) if not o], [
        r for r, o in zip(net.roads, on, strict=True) if o
    ]


def _pieces(
    net: Net, hit: Sequence[Road], kept: Sequence[Road], area: BaseGeometry, wanted: Mapping[str, Wanted],
    served: Mapping[str, str], first_number: int,
) -> list[Road]:  # fmt: skip
    """What is left of roads on an area: stretches clear of it, cut back to where they are needed."""
    bare = [(r, xyz, cut) for r in hit for xyz, cut in _clear_runs(r, area)]
    joints = Counter((x, y) for r in kept for x, y, _ in r.line.coords)
    joints.update({(x, y) for _, xyz, _ in bare for x, y in xyz[:, :2].tolist()})
    joints[net.entry] += 2
    stops: list[set[int]] = [set() for _ in bare]
    lines = np.array([LineString(xyz) for _, xyz, _ in bare], dtype=object)
    for name, road_id in served.items():
        own = [k for k, (r, _, _) in enumerate(bare) if r.road_id == road_id]
        if own:
            far = shapely.distance(lines[own], wanted[name].footprint)
            if far.min() <= wanted[name].reach_m - roads_.SLACK_M:
                k = own[int(np.argmin(far))]
                stops[k] |= _around(bare[k][1], lines[k], wanted[name])
    found: list[Road] = []
    for k, (road, xyz, (at_start, at_end)) in enumerate(bare):
        at = stops[k] | {i for i, (x, y) in enumerate(xyz[:, :2].tolist()) if joints[x, y] > 1}
        if not at:
            continue
        part = xyz[min(at) if at_start else 0 : (max(at) if at_end else len(xyz) - 1) + 1]
        if len(part) > 1:
            found.append(_like(road, first_number + len(found), part))
    return found


def _clear_runs(road: Road, area: BaseGeometry) -> list[tuple[FloatArray, tuple[bool, bool]]]:
    """Stretches of a road clear of an area, and whether each was cut at its start and end."""
    xyz = shapely.get_coordinates(road.line, include_z=True)
    steps = shapely.linestrings(np.stack([xyz[:-1, :2], xyz[1:, :2]], axis=1))
    clear = np.atleast_1d(shapely.distance(steps, area) >= road.width_m / 2)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], clear, [False]]).astype(np.int8)))
    return [
        (xyz[a : b + 1], (bool(a > 0), bool(b < len(clear))))
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


def _around(xyz: FloatArray, line: LineString, wanted: Wanted) -> set[int]:
    """Vertices before and after the place of a line that is nearest to an asset."""
    at = line.project(shapely.shortest_line(line, wanted.footprint).boundary.geoms[0]) if line.length else 0.0
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    k = int(np.clip(np.searchsorted(along, at), 1, len(xyz) - 1))
    return {k - 1, k}


def _like(road: Road, number: int, xyz: FloatArray) -> Road:
    """Stretch of a road, or a way round it, as a road of its own."""
    return make_road(f"R{number:03d}", road.road_class, xyz, road.width_m)


# --- ways round --------------------------------------------------------------------------------------------------------


def _joined(
    now: Net, was: Net, area: BaseGeometry, serving: Mapping[str, str], scene: Scene, number: int
) -> tuple[Net, int]:
    """Roads with every part that serves something joined to the entry again, less the parts that serve nothing."""
    needed = set(serving.values())
    parts = [{now.roads[k].road_id for k in isle} for isle in _islands(now, now.cut_off(()))]
    now = now.without({i for part in parts if not part & needed for i in part})
    while off := now.cut_off(()):
        now = now.plus([_link(now, was, off, area, scene, number)])
        number += 1
    return now, number


def _islands(net: Net, off: set[int]) -> list[set[int]]:
    """Roads cut off, by what joins them."""
    left, found = set(off), []
    while left:
        queue = [min(left)]
        isle = set(queue)
        while queue:
            fresh = (net.beside[queue.pop()] & left) - isle
            isle |= fresh
            queue += sorted(fresh)
        found.append(isle)
        left -= isle
    return found


def _link(now: Net, was: Net, off: set[int], area: BaseGeometry, scene: Scene, number: int) -> Road:
    """Shortest legal way from the roads that the entry reaches to those that it does not."""
    home = [k for k in range(len(now.roads)) if k not in off]
    ends = [
        p for k, r in enumerate(now.roads) for p in roads_.ends(r) if len(now.at[p]) == 1 and len(was.at.get(p, ())) > 0
    ]
    west, south, east, north = area.bounds
    near = [p for p in ends if west - 500 < p[0] < east + 500 and south - 500 < p[1] < north + 500]
    for x, y in near:
        west, south, east, north = min(west, x), min(south, y), max(east, x), max(north, y)
    why = "there is no room for a road"
    for more in WINDOWS_M:
        window = box(west - more, south - more, east + more, north + more)
        around = spurs_.Surroundings.of(scene.place, window, scene.taken, scene.zones, scene.criteria)
        if around is None:
            continue
        start = spurs_.doors(now.lines[home], around) if home else {}
        if now.entry not in now.at:
            start |= spurs_.doors(np.array([_entry_line(was)], dtype=object), around)
        goal = {n: v for n, v in spurs_.doors(now.lines[sorted(off)], around).items() if n not in start}
        for _ in range(TRIES):
            if not start or not goal:
                break
            nodes = _nodes(around.road_grid, start, goal, scene.criteria)
            if not nodes:
                why = f"every way is barred, or far beyond the grade limit of {100 * scene.criteria.max_grade:g} %"
                break
            found = _way(now, nodes, start[nodes[0]], goal[nodes[-1]], around.road_grid, scene)
            if isinstance(found, str):
                why = found
                del goal[nodes[-1]]
                continue
            like = max(
                (now.roads[k] for k in sorted(off)), key=lambda r: ("spur", "secondary", "spine").index(r.road_class)
            )
            return _like(like, number, found)
    raise EditRefused(f"no road leads round it: {why}; close less ground, or let all roads be laid anew")


def _entry_line(net: Net) -> LineString:
    """Vertex at the entry, twice: a door where no road is left at it."""
    xyz = next(c for k in net.at[net.entry] for c in net.roads[k].line.coords if (c[0], c[1]) == net.entry)
    return LineString([xyz, xyz])


def _nodes(
    road_grid: routing_grid.RoutingGrid,
    start: Mapping[int, FloatArray],
    goal: Mapping[int, FloatArray],
    criteria: RoadCriteria,
) -> list[int]:
    """Road positions from a start to the goal that is cheapest to reach; none where there is no way."""
    stop = np.zeros(road_grid.px.size, np.uint8)
    stop[list(goal)] = 1
    growth = tree_search.search(
        road_grid, np.array(sorted(start), np.int64), reach=tree_search.Reach.none(road_grid), priority=np.zeros(0, np.int64),
        max_grade=criteria.max_grade, stop_at=stop,
    )  # fmt: skip
    if growth.hit < 0:
        return []
    nodes = [int(growth.hit)]
    while growth.parent[nodes[-1]] >= 0:
        nodes.append(int(growth.parent[nodes[-1]]))
    return nodes[::-1] if nodes[-1] in start and len(nodes) > 1 else []


def _way(
    net: Net,
    nodes: Sequence[int],
    base: FloatArray,
    goal: FloatArray,
    road_grid: routing_grid.RoutingGrid,
    scene: Scene,
) -> FloatArray | str:
    """Way between two vertices of roads with its design heights, or why there is none."""
    criteria = scene.criteria
    points = np.column_stack([road_grid.px[nodes], road_grid.py[nodes]])
    first, last = base[:2].copy(), goal[:2].copy()
    middle = points
    if len(points) > 2 and _sees(road_grid, first, points[1]):
        middle = middle[1:]
    if len(middle) > 1 and _sees(road_grid, middle[-2], last):
        middle = middle[:-1]
    raw = np.ascontiguousarray(np.vstack([first[None], middle, last[None]]))
    none = np.zeros(0, np.int64)
    pulled = lines.pull(
        road_grid,
        raw,
        bound_at=none,
        bound=none,
        shapes=routing_grid.Shapes.of([]),
        reach=np.zeros(0),
        max_grade=criteria.max_grade,
    )
    rounded, _ = lines.round_bends(road_grid, pulled, radius_m=criteria.min_radius_m + criteria.width_m / 2)
    why = "a way round would cross a road without a junction"
    for line in (rounded, pulled, raw):
        if not _meets_twice(net, line):
            continue
        heights, why = spurs_.profile(
            line, scene.place, criteria, lambda xy: [Pin(0, float(base[2]), 0.0), Pin(len(xy) - 1, float(goal[2]), 0.0)]
        )
        if heights is not None:
            heights[0, 2], heights[-1, 2] = base[2], goal[2]
            return heights
    return why


def _sees(road_grid: routing_grid.RoutingGrid, a: FloatArray, b: FloatArray) -> bool:
    return road_grid.clearance_index.clear(a.copy(), b.copy()) and not road_grid.nodata_mask.crossed(a, b)


def _meets_twice(net: Net, line: FloatArray) -> bool:
    """Whether a line meets the network at its ends alone."""
    whole = LineString(line)
    shared = shapely.get_coordinates(shapely.intersection(net.lines, whole))
    ends = shapely.multipoints(line[[0, -1]])
    return not shared.size or bool(shapely.distance(shapely.points(shared), ends).max() <= 0.05)


def rerouted(
    plan: Plan, context: EditContext, done: Edit, site: Site, assets: Sequence[Asset], net: Net, area: BaseGeometry
) -> Plan:
    """Plan with its roads led round an area; all that they don't touch stays as it is.

    Raises
    ------
    EditRefused
        No road leads round it.
    """
    spec, planes = context.spec, {p.asset_ids[0]: p.plane for p in plan.pad_list}
    reach = {
        k: spec.number("site", "array_reach_m" if k == "solar_array" else "road_reach_m")
        for k in {a.item.kind for a in assets}
    }
    wanted = {
        a.asset_id: Wanted(a.asset_id, a.footprint, reach[a.item.kind], pad_outline(a.item), planes.get(a.asset_id))
        for a in assets
    }
    taken = [pad_outline(a.item) or a.footprint for a in assets]
    scene = Scene(context.field(site), taken, [z for z in site.exclusions if z.zone_type == "cost"], context.roads)
    served = {a.asset_id: a.service_road_id for a in assets}
    left, serving = led_round(net, area, wanted, served, scene, next_road(plan, net))
    home = tuple(
        a if serving[a.asset_id] == a.service_road_id else replace(a, service_road_id=serving[a.asset_id])
        for a in assets
    )
    return edited(plan, context, done, site, home, left)


def recomputed(plan: Plan, context: EditContext, done: Edit, site: Site, assets: Sequence[Asset]) -> Plan:
    """Plan with all roads and pads made anew for what stands; what no road reaches goes, and is named.

    Raises
    ------
    EditRefused
        Nothing useful would be left, or an asset stands askew, which the making of networks does not know.
    """
    askew = [a.asset_id for a in assets if a.item.rotation_deg not in (0.0, 90.0)]
    if askew:
        raise EditRefused(
            f"roads can't be laid anew around assets that stand askew ({named(askew)}); turn them to 0° or 90° first"
        )
    ground = PlacementContext(context.field(site), context.spec)
    draft = Draft([a.item for a in assets])
    served = connect_roads(ground, site, draft, plan.entry, plan.profile, give_way=())
    by_item = {a.item: a for a in assets}
    lost = [by_item[i].asset_id for i in by_item if i not in set(served.items)]
    if not served.items or not any(i.kind == "substation" for i in served.items):
        raise EditRefused("no road would reach a substation any more; choose another zone, or lay the site out anew")
    road_of = served.network.served
    left = tuple(replace(by_item[i], service_road_id=road_of[k]) for k, i in enumerate(served.items))
    planes = {a.asset_id: p for a, p in zip(left, served.pads, strict=True) if p is not None}
    note = "edit: all roads were laid anew" + (f"; no road reaches {named(lost)}: taken out" if lost else "")
    entry = served.network.entry or plan.entry
    net = Net(served.network.roads, (entry.x, entry.y))
    done = replace(done, also=(*done.also, *lost), note=note)
    new = edited(
        replace(plan, road_list=(), road_volumes=(), entry=entry), context, done, site, left, net, planes=planes
    )
    whole = replace(done, roads_removed=plan.road_list, roads_added=tuple(r.road_id for r in net.roads))
    return replace(new, edits=(*plan.edits, whole))
