"""Road graph: where roads meet, and which are needed or serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.roads import Road, RoadCriteria
    from pacifico.site.model import Zone

Vertex = tuple[float, float]
"""Easting and northing [m]. Roads that meet share a vertex exactly."""

SLACK_M = 0.001
"""Rounding allowed in distances between objects that were placed exactly [m]."""
STEP_M = 0.01
"""Height difference between a road and a pad that counts as none [m]."""


@dataclass(frozen=True)
class NoRoad:
    """Why no road serves, as part of a sentence."""

    reason: str


@dataclass(frozen=True)
class RoadTarget:
    """An asset that a road must reach."""

    asset_id: str
    footprint: Polygon
    reach_m: float
    """Largest distance from the footprint to the road that serves it [m]."""
    pad: Polygon | None = None
    plane: PadPlane | None = None

    @property
    def obstacle(self) -> Polygon:
        """Pad of the asset, or its footprint: no road may cross it."""
        return self.pad or self.footprint


@dataclass(frozen=True)
class RoadConstraints:
    """Constraints on a new road: ground, obstacles, cost zones and criteria."""

    field: Field
    obstacles: Sequence[Polygon]
    """Pads, and footprints of assets without one."""
    cost_zones: Sequence[Zone]
    criteria: RoadCriteria


@dataclass(frozen=True)
class RoadGraph:
    """Roads and the vertices at which they meet."""

    roads: tuple[Road, ...]
    entry: Vertex
    further: tuple[Vertex, ...] = ()
    """Other places where roads meet the boundary."""
    roads_at: dict[Vertex, list[int]] = field(init=False, repr=False, compare=False)
    """Indices of the roads through each vertex."""
    neighbours: list[set[int]] = field(init=False, repr=False, compare=False)
    """Indices of the roads that meet each road."""
    lines: FloatArray = field(init=False, repr=False, compare=False)
    """Centrelines, one per road."""

    def __post_init__(self) -> None:
        lines = np.array([r.line for r in self.roads], dtype=object)
        xy, of = shapely.get_coordinates(lines, return_index=True)
        roads_at: dict[Vertex, list[int]] = {}
        for x, y, road in zip(*xy.T.tolist(), of.tolist(), strict=True):
            here = roads_at.setdefault((x, y), [])
            if road not in here:
                here.append(road)
        neighbours: list[set[int]] = [set() for _ in self.roads]
        for meeting in roads_at.values():
            if len(meeting) > 1:
                for k in meeting:
                    neighbours[k].update(o for o in meeting if o != k)
        object.__setattr__(self, "roads_at", roads_at)
        object.__setattr__(self, "neighbours", neighbours)
        object.__setattr__(self, "lines", lines)

    def without(self, road_ids: Collection[str]) -> RoadGraph:
        """Graph without some roads."""
        if not road_ids:
            return self
        return self.with_roads(tuple(r for r in self.roads if r.road_id not in road_ids))

    def with_roads(self, roads: tuple[Road, ...]) -> RoadGraph:
        """Graph of other roads from the same entries."""
        return RoadGraph(roads, self.entry, self.further)

    @property
    def entries(self) -> tuple[Vertex, ...]:
        """All places where roads meet the boundary."""
        return (self.entry, *self.further)

    def plus(self, more: Iterable[Road]) -> RoadGraph:
        """Graph with more roads, in the order of their numbers."""
        return self.with_roads(tuple(sorted((*self.roads, *more), key=lambda r: (len(r.road_id), r.road_id))))

    def cut_off(self, removed: Collection[int]) -> set[int]:
        """Roads that are cut off from the entry without some roads."""
        joined = {k for e in self.entries for k in self.roads_at.get(e, ()) if k not in removed}
        queue = list(joined)
        while queue:
            new = self.neighbours[queue.pop()] - joined - set(removed)
            joined |= new
            queue += new
        return set(range(len(self.roads))) - joined - set(removed)

    def needed(self, k: int, served: Mapping[str, int], removed: Collection[int] = ()) -> bool:
        """Whether a road serves, leads to a server or holds the entry.

        Parameters
        ----------
        k : int
            Index of the road.
        served : mapping
            Number of assets that each road serves, by road_id.
        removed : collection of int
            Roads that count as removed already.
        """
        road = self.roads[k]
        at_entries = [self.roads_at.get(e, ()) for e in self.entries]
        if served.get(road.road_id) or any(k in at and all(o == k or o in removed for o in at) for at in at_entries):
            return True
        return any(served.get(self.roads[o].road_id) for o in self.cut_off({*removed, k}) - self.cut_off(removed))

    def next_number(self, used: Iterable[str] = ()) -> int:
        """First road number above those of the graph and of `used` road_ids."""
        return 1 + max((int(i[1:]) for i in (*(r.road_id for r in self.roads), *used)), default=0)


def end_vertices(road: Road) -> tuple[Vertex, Vertex]:
    """First and last vertex of a road."""
    coords = road.line.coords
    return (coords[0][0], coords[0][1]), (coords[-1][0], coords[-1][1])


def vertices(road: Road) -> list[Vertex]:
    """All vertices of a road in plan."""
    return [(c[0], c[1]) for c in road.line.coords]


def unneeded_roads(graph: RoadGraph, served: Mapping[str, int], suspects: Iterable[str]) -> set[str]:
    """Suspect roads no longer needed, and roads that lead only there.

    A road that serves nothing and leads to nothing is a turnaround. It stays as long as the road it ends.

    Parameters
    ----------
    graph : RoadGraph
        Roads to look at.
    served : mapping
        Number of assets that each road serves, by road_id.
    suspects : iterable of str
        Roads that lost an asset.
    """
    number = {r.road_id: k for k, r in enumerate(graph.roads)}
    own = [number[s] for s in suspects if s in number]
    served_before = Counter(served) + Counter(graph.roads[k].road_id for k in own)
    removed: set[int] = set()
    queue = list(own)
    while queue:
        k = queue.pop(0)
        if k in removed or graph.needed(k, served, removed):
            continue
        if k not in own and not graph.needed(k, served_before):
            # a turnaround goes only if some vertex of it met nothing but removed roads and other turnarounds
            meets = [v for v in vertices(graph.roads[k]) if removed & set(graph.roads_at[v])]
            if not any(
                set(graph.roads_at[v]) <= removed | {k} | _idle(graph, graph.roads_at[v], served_before) for v in meets
            ):
                continue
        removed.add(k)
        queue += sorted(graph.neighbours[k] - removed)
    removed |= graph.cut_off(removed)
    return {graph.roads[k].road_id for k in removed}


def turnarounds_of(graph: RoadGraph, served: Mapping[str, int]) -> set[str]:
    """Roads that serve nothing and lead to nothing."""
    return {graph.roads[k].road_id for k in _idle(graph, range(len(graph.roads)), served)}


def _idle(graph: RoadGraph, candidates: Iterable[int], served: Mapping[str, int]) -> set[int]:
    """Candidate roads that are not needed."""
    return {k for k in candidates if not graph.needed(k, served)}


def roads_under(graph: RoadGraph, obstacle: Polygon, criteria: RoadCriteria) -> list[str]:
    """Roads nearer to a pad or footprint than the clearance."""
    if not graph.roads:
        return []
    distance = shapely.distance(graph.lines, obstacle)
    least = np.array([r.width_m / 2 for r in graph.roads]) + criteria.clearance_m - SLACK_M
    return [graph.roads[k].road_id for k in np.flatnonzero(distance < least)]


def find_server(
    graph: RoadGraph, target: RoadTarget, criteria: RoadCriteria, *, first: str = "", last: Collection[str] = ()
) -> str | NoRoad:
    """Road within reach of an asset that meets its pad's height.

    Parameters
    ----------
    graph : RoadGraph
        Roads to look at.
    target : RoadTarget
        Asset to reach.
    criteria : RoadCriteria
        Its grade limits the drive between road and pad.
    first : str
        Road to prefer, as long as it is no turnaround: the one that served the asset before.
    last : collection of str
        Roads to use only if no other serves: turnarounds.
    """
    if not graph.roads:
        return NoRoad("there is no road")
    distance = shapely.distance(graph.lines, target.footprint)
    near = np.flatnonzero(distance <= target.reach_m - SLACK_M)
    if not near.size:
        k = int(np.argmin(distance))
        return NoRoad(
            f"the nearest road, {graph.roads[k].road_id}, is {distance[k]:.0f} m away, the reach is {target.reach_m:g} m"
        )
    order = sorted(
        near.tolist(), key=lambda k: (graph.roads[k].road_id in last, graph.roads[k].road_id != first, distance[k], k)
    )
    reason = ""
    for k in order:
        step, gap = pad_step(graph.roads[k], target)
        if step <= criteria.max_grade * gap + STEP_M:
            return graph.roads[k].road_id
        reason = reason or (
            f"road {graph.roads[k].road_id}, {gap:.1f} m from its pad, is {step:.1f} m above or below it, "
            f"the grade limit of {100 * criteria.max_grade:g} % allows {criteria.max_grade * gap:.1f} m"
        )
    return NoRoad(reason)


def pad_step(road: Road, target: RoadTarget) -> tuple[float, float]:
    """Height and length of the gentlest drive between road and pad [m]."""
    if target.pad is None or target.plane is None:
        return 0.0, 0.0
    xyz = shapely.get_coordinates(road.line, include_z=True)
    at = road.line.project(shapely.shortest_line(target.pad, road.line).boundary.geoms[1]) if road.length_m else 0.0
    here = road.line.interpolate(at)
    xyz = np.vstack([xyz, [here.x, here.y, _height_along(xyz, at)]])
    points = np.asarray(shapely.points(xyz[:, :2]), dtype=object)
    gap = np.asarray(shapely.distance(points, target.pad))
    near = np.flatnonzero(gap <= max(target.reach_m, float(gap.min()) + SLACK_M))
    touch = shapely.get_coordinates(shapely.shortest_line(points[near], target.pad))[1::2]
    step = np.abs(xyz[near, 2] - target.plane.height_at(touch[:, 0], touch[:, 1]))
    best = int(np.argmin(step / np.maximum(gap[near], 0.1)))
    return float(step[best]), float(gap[near][best])


def _height_along(xyz: FloatArray, at: float) -> float:
    """Height of a line at a distance from its start [m]."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xyz[:, :2], axis=0).T))])
    return float(np.interp(at, along, xyz[:, 2]))


def is_clear(road: Road, obstacles: Sequence[Polygon], allowed: Polygon | MultiPolygon, criteria: RoadCriteria) -> bool:
    """Whether a road is clear of obstacles and on allowed ground.

    Parameters
    ----------
    road : Road
        Road to check.
    obstacles : sequence of Polygon
        Pads and footprints.
    allowed : Polygon or MultiPolygon
        Ground that roads may use.
    criteria : RoadCriteria
        Gives the clearance.
    """
    least = road.width_m / 2 + criteria.clearance_m - SLACK_M
    if len(obstacles) and bool(shapely.dwithin(np.asarray(obstacles, dtype=object), road.line, least).any()):
        return False
    return bool(allowed.covers(road.line.buffer(road.width_m / 2 - SLACK_M, cap_style="flat")))


def server_among_retired(
    graph: RoadGraph, retired: Sequence[Road], target: RoadTarget, constraints: RoadConstraints
) -> str | None:
    """Removed road that could serve an asset again; None without one.

    All removed roads must still be legal, because they are restored together.

    Parameters
    ----------
    graph : RoadGraph
        Roads as they are now.
    retired : sequence of Road
        Roads that the earlier edit removed.
    target : RoadTarget
        Asset to reach.
    constraints : RoadConstraints
        What the new road must respect.
    """
    whole = graph.plus(retired)
    if not retired or not all(
        is_clear(r, constraints.obstacles, constraints.field.allowed, constraints.criteria) for r in retired
    ):
        return None
    number = {r.road_id: k for k, r in enumerate(whole.roads)}
    own = {number[r.road_id] for r in retired}
    joints = [v for r in retired for v in end_vertices(r) if set(whole.roads_at[v]) - own]
    if not joints or any(not _same_height(whole, v) for v in joints):
        return None
    found = find_server(graph.with_roads(tuple(retired)), target, constraints.criteria)
    return None if isinstance(found, NoRoad) else found


def _same_height(graph: RoadGraph, vertex: Vertex) -> bool:
    """Whether all roads through a vertex have the same height there."""
    z = [float(c[2]) for k in graph.roads_at[vertex] for c in graph.roads[k].line.coords if (c[0], c[1]) == vertex]
    return max(z) - min(z) <= SLACK_M
