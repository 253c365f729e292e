"""Which units need each road and each cable, as bits of an integer."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely import Point

    from pacifico.layout.economics.units import PlantUnit
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.cables import Cable
    from pacifico.layout.model.roads import Road

NO_PARENT = -1


def unit_bits(units: Sequence[PlantUnit], count: int) -> list[int]:
    """Units that need each asset: its own, or all for assets in none.

    Parameters
    ----------
    units : sequence of PlantUnit
        Units of the plant; unit k has bit k.
    count : int
        Number of assets.
    """
    needs = [(1 << len(units)) - 1] * count
    for bit, unit in enumerate(units):
        for k in unit.assets:
            needs[k] = 1 << bit
    return needs


def road_needs(
    roads: Sequence[Road], entries: Sequence[Point], assets: Sequence[Asset], needs: Sequence[int]
) -> dict[str, int]:
    """Units that need each road, by road_id.

    An asset needs the road that serves it and the shortest way to it from an entry. Roads on no such way, as
    turnarounds, are needed by all that need a road that they meet. Two roads that meet end to end, with no third, are
    needed alike: the first would be a dead end without the second.

    Parameters
    ----------
    roads : sequence of Road
        Roads of the layout.
    entries : sequence of Point
        Places where they meet the boundary.
    assets : sequence of Asset
        Assets with the roads that serve them.
    needs : sequence of int
        Units that need each asset.
    """
    tree = _shortest_ways(roads, entries)
    number = {r.road_id: k for k, r in enumerate(roads)}
    at_vertex = [0] * len(tree.parents)
    of_road = [0] * len(roads)
    for asset, bits in zip(assets, needs, strict=True):
        k = number.get(asset.service_road_id)
        if k is None:
            continue
        of_road[k] |= bits
        own = tree.vertices[k]
        x, y = asset.item.centre
        nearest = own[int(np.argmin(np.hypot(tree.xy[own, 0] - x, tree.xy[own, 1] - y)))]
        at_vertex[nearest] |= bits
    for v in reversed(tree.order):
        if tree.parents[v] != NO_PARENT:
            at_vertex[tree.parents[v]] |= at_vertex[v]
            of_road[tree.road_to[v]] |= at_vertex[v]
    _share_with_idle(of_road, tree)
    _share_at_joints(of_road, tree)
    return {r.road_id: bits for r, bits in zip(roads, of_road, strict=True)}


@dataclass(frozen=True)
class _Ways:
    """Shortest ways along roads from the entries to every vertex."""

    xy: np.ndarray
    """Vertices, shape (n, 2) [m]."""
    vertices: list[np.ndarray]
    """Vertices of each road."""
    parents: list[int]
    """Vertex before each on the way from an entry."""
    road_to: list[int]
    """Road that leads from the parent to each."""
    order: list[int]
    """Vertices that are reached, the nearest to an entry first."""


def _shortest_ways(roads: Sequence[Road], entries: Sequence[Point]) -> _Ways:
    """Shortest ways from the entries along roads."""
    numbers: dict[tuple[float, float], int] = {}
    vertices = []
    links: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
    for k, road in enumerate(roads):
        xy = shapely.get_coordinates(road.line)
        own = [numbers.setdefault((x, y), len(numbers)) for x, y in xy.tolist()]
        vertices.append(np.array(own))
        steps = np.hypot(*np.diff(xy, axis=0).T).tolist()
        for a, b, step in zip(own, own[1:], steps, strict=False):
            links[a].append((b, step, k))
            links[b].append((a, step, k))
    at = np.array(list(numbers)).reshape(-1, 2)
    parents, road_to = [NO_PARENT] * len(at), [NO_PARENT] * len(at)
    roots = {int(np.argmin(np.hypot(at[:, 0] - e.x, at[:, 1] - e.y))) for e in entries} if len(at) else set()
    distance = dict.fromkeys(roots, 0.0)
    heap = [(0.0, root) for root in sorted(roots)]
    order: list[int] = []
    done: set[int] = set()
    while heap:
        d, v = heapq.heappop(heap)
        if v in done:
            continue
        done.add(v)
        order.append(v)
        for w, step, k in links[v]:
            if d + step < distance.get(w, np.inf):
                distance[w], parents[w], road_to[w] = d + step, v, k
                heapq.heappush(heap, (d + step, w))
    return _Ways(at, vertices, parents, road_to, order)


def _share_with_idle(of_road: list[int], ways: _Ways) -> None:
    """Give roads that no unit needs the needs of the roads that they meet."""
    meeting: dict[int, list[int]] = defaultdict(list)
    for k, own in enumerate(ways.vertices):
        for v in own.tolist():
            meeting[v].append(k)
    idle = {k for k, bits in enumerate(of_road) if not bits}
    while idle:
        found = {}
        for k in sorted(idle):
            bits = 0
            for v in ways.vertices[k].tolist():
                for other in meeting[v]:
                    bits |= of_road[other]
            if bits:
                found[k] = bits
        if not found:
            return
        for k, bits in found.items():
            of_road[k] = bits
        idle -= found.keys()


def _share_at_joints(of_road: list[int], ways: _Ways) -> None:
    """Give two roads that meet end to end, with no third, the needs of both."""
    passing: dict[int, list[int]] = defaultdict(list)
    for k, own in enumerate(ways.vertices):
        for n, v in enumerate(own.tolist()):
            passing[v] += [k] if n in (0, len(own) - 1) else [k, k]
    roots = {v for v in ways.order if ways.parents[v] == NO_PARENT}
    joints = [roads for v, roads in passing.items() if len(roads) == 2 and roads[0] != roads[1] and v not in roots]
    changed = True
    while changed:
        changed = False
        for a, b in joints:
            if of_road[a] != of_road[b]:
                of_road[a] = of_road[b] = of_road[a] | of_road[b]
                changed = True


def cable_needs(cables: Sequence[Cable], needs_of: Mapping[str, int]) -> dict[str, int]:
    """Units that need each cable: all whose power flows through it, by cable_id.

    Parameters
    ----------
    cables : sequence of Cable
        Collection cables.
    needs_of : mapping
        Units that need each asset, by asset_id.
    """
    feeds = defaultdict(set)
    for c in cables:
        feeds[c.to_id].add(c.from_id)

    def upstream(asset_id: str) -> int:
        """Units of a source and of all that feed it."""
        seen, queue, bits = {asset_id}, [asset_id], 0
        while queue:
            here = queue.pop()
            bits |= needs_of[here]
            more = feeds[here] - seen
            seen |= more
            queue += sorted(more)
        return bits

    return {c.cable_id: upstream(c.from_id) for c in cables}
