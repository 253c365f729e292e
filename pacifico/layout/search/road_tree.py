"""Roads as a tree from the site entry."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.search.objectives import road_volumes

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.strategies import RoadMeasure
    from pacifico.layout.placement.context import PlacementContext

NODE_M = 6.0
"""Largest distance between nodes along a road [m]."""
NO_NODE = -1


@dataclass(frozen=True)
class RoadTree:
    """Nodes of roads, each with its parent towards the entry."""

    at: FloatArray
    """Easting and northing of each node, shape (n, 2) [m]."""
    parents: IntArray
    """Node before each; NO_NODE for the one at the entry."""
    costs: FloatArray
    """Cost of the road from the parent: length [m], or cut and fill [m³]."""
    cost_per_m: float
    """Mean cost of a metre of road."""
    depth_m: FloatArray
    """Distance from the entry along roads [m]."""

    @cached_property
    def order(self) -> IntArray:
        """Nodes, the farthest from the entry first."""
        return np.argsort(-self.depth_m, kind="stable")

    def beyond(self, node: int) -> BoolArray:
        """Which nodes are on the branch that begins at a node."""
        out = np.zeros(len(self.parents), dtype=bool)
        out[node] = True
        for n in self.order[::-1].tolist():
            if self.parents[n] >= 0 and out[self.parents[n]]:
                out[n] = True
        return out

    def serving_nodes(self, rects: FloatArray, reach_m: float) -> IntArray:
        """First node from the entry that reaches each rectangle.

        Where none does, it is the nearest node.

        Parameters
        ----------
        rects : (n, 4) float
            West, south, east, north [m].
        reach_m : float
            Reach of roads [m].
        """
        distance = rect_distance(rects, self.at)
        within = np.where(distance <= reach_m, self.depth_m[None, :], np.inf)
        out: IntArray = np.argmin(within, axis=1)
        none = np.isinf(within.min(axis=1)) if within.size else np.zeros(len(out), dtype=bool)
        out[none] = np.argmin(distance[none], axis=1)
        return out


def road_tree(context: PlacementContext, served: ServedLayout, measure: RoadMeasure) -> RoadTree | None:
    """Tree of a layout's roads; None without roads.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    served : ServedLayout
        Layout with its roads.
    measure : str
        What roads are charged with: 'length' or 'earthwork'.
    """
    roads, entry = served.network.roads, served.network.entry
    if entry is None or not roads:
        return None
    rates = np.ones(len(roads))
    if measure == "earthwork":
        length = np.array([max(r.length_m, 1.0) for r in roads])
        rates = np.array([v.total_m3 for v in road_volumes(context, served)]) / length
    at, links = _graph(served, rates)
    root = int(np.argmin(np.hypot(at[:, 0] - entry.x, at[:, 1] - entry.y)))
    parents, costs = _shortest_ways(at, links, root)
    mean = float(costs.sum() / max(sum(r.length_m for r in roads), 1.0))
    return RoadTree(at, parents, costs, mean, _depths(parents, at))


def _graph(served: ServedLayout, rates: FloatArray) -> tuple[FloatArray, list[list[tuple[int, float]]]]:
    """Nodes of roads, and neighbours with costs per metre."""
    numbers: dict[tuple[float, float], int] = {}
    links: list[list[tuple[int, float]]] = []
    for road, rate in zip(served.network.roads, rates.tolist(), strict=True):
        line = shapely.segmentize(shapely.force_2d(road.line), NODE_M)
        before = NO_NODE
        for x, y in shapely.get_coordinates(line).round(3).tolist():
            k = numbers.setdefault((x, y), len(numbers))
            if k == len(links):
                links.append([])
            if before not in (NO_NODE, k):
                links[k].append((before, rate))
                links[before].append((k, rate))
            before = k
    return np.array(list(numbers)), links


def _shortest_ways(at: FloatArray, links: list[list[tuple[int, float]]], root: int) -> tuple[IntArray, FloatArray]:
    """Parent of each node, and the cost of the road from it."""
    parents, costs = np.full(len(at), NO_NODE), np.zeros(len(at))
    distance = np.full(len(at), np.inf)
    distance[root] = 0.0
    heap = [(0.0, root)]
    while heap:
        d, v = heapq.heappop(heap)
        if d > distance[v]:
            continue
        for w, rate in links[v]:
            step = float(np.hypot(*(at[v] - at[w])))
            if d + step < distance[w]:
                distance[w], parents[w], costs[w] = d + step, v, step * rate
                heapq.heappush(heap, (distance[w], w))
    return parents, costs


def _depths(parents: IntArray, at: FloatArray) -> FloatArray:
    """Distance of each node from the entry along its parents [m]."""
    out = np.full(len(parents), np.nan)
    for node in range(len(parents)):
        chain = []
        w = node
        while parents[w] >= 0 and np.isnan(out[w]):
            chain.append(w)
            w = int(parents[w])
        if np.isnan(out[w]):
            out[w] = 0.0
        for c in reversed(chain):
            out[c] = out[parents[c]] + np.hypot(*(at[c] - at[parents[c]]))
    return out


def rect_distance(rects: FloatArray, at: FloatArray) -> FloatArray:
    """Distance of rectangles from points, shape (rects, points) [m]."""
    x, y = at[None, :, 0], at[None, :, 1]
    dx = np.maximum(np.maximum(rects[:, :1] - x, x - rects[:, 2:3]), 0.0)
    dy = np.maximum(np.maximum(rects[:, 1:2] - y, y - rects[:, 3:4]), 0.0)
    out: FloatArray = np.hypot(dx, dy)
    return out
