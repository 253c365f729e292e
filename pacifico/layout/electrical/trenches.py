"""Legal cable trenches as a graph, along roads and across free ground.

Nodes are road vertices, a terminal beside each asset, and bend points just off the corners of footprints, zones and
boundary. Edges are pieces of road, and those edges of a Delaunay triangulation that keep clear of everything. As with
any shortest path among obstacles, the paths bend at corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.electrical._trench_kernels import clear_segments, shortest
from pacifico.layout.ground._clearance_kernels import ClearanceArrays, NodataArrays, bin_edges
from pacifico.layout.ground.crossings import NO_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.crossings import CrossingLines
    from pacifico.site.model import Zone


CLEARANCE_M = 0.5
"""Distance of a trench's line from footprints, zones and boundary: half a trench of 0.6 m, and 0.2 m more [m]."""
OFF_CORNER_M = 1.2
"""Distance of bend points from footprints [m]."""
STUB_M = 1.0
"""Length of the straight stub between an asset's edge and its terminal [m]."""
JOINED_WITHIN_M = 25.0
"""Road vertices this near to a footprint are joined to its terminal where that is legal [m]."""
NEAR_TERMINALS = 8
"""Nearest terminals that each terminal is joined to where that is legal."""
THIN_M = 25.0
"""Distance between road vertices in the triangulation [m]: a bound on its size."""
BEND_SQUARE_M = 2.5
"""Side of the squares in which one bend point is kept [m]."""
SIMPLE_M = 3.0
"""Detail of zones and boundary that bend points follow [m]."""
BIN_M = 12.0
"""Bin size of the clearance index [m]."""
BORE_LEAD_M = 1.5
"""Length of a bore beyond the bank on both sides [m]."""
SOUTH_M = 1e6
"""Distance to a point far south, at which stubs aim where there are no roads [m]."""


@dataclass(frozen=True)
class TrenchGraph:
    """Graph of legal trenches; each edge joins nodes `a` and `b`."""

    xy: FloatArray
    """Nodes in the working CRS, shape (n, 2) [m]."""
    a: IntArray
    b: IntArray
    length: FloatArray
    """Length in plan [m]."""
    cost: FloatArray
    """Length weighted for routing [m]."""
    on_road: BoolArray
    terminal: IntArray
    """Node of each requested asset."""
    stub_start: FloatArray
    """Point of each asset's footprint at which its stub begins, shape (assets, 2) [m]."""

    @cached_property
    def adjacency(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Neighbours of each node and the cost to them, as CSR."""
        tail, head = np.concatenate([self.a, self.b]), np.concatenate([self.b, self.a])
        order = np.argsort(tail, kind="stable")
        row = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(self.xy)))]).astype(np.int64)
        return row, head[order], np.concatenate([self.cost, self.cost])[order]

    def edges_of(self, nodes: Sequence[int]) -> IntArray:
        """Edges along a path of nodes."""
        path = np.asarray(nodes, dtype=np.int64)
        low, high = np.minimum(path[:-1], path[1:]), np.maximum(path[:-1], path[1:])
        return np.searchsorted(self._codes, low * len(self.xy) + high)

    @cached_property
    def _codes(self) -> IntArray:
        """One number per edge, ascending."""
        codes: IntArray = self.a * len(self.xy) + self.b
        return codes

    def shortest_paths(self, seeds: IntArray) -> ShortestPaths:
        """Shortest paths from the nearest of some nodes to all others."""
        return ShortestPaths(*shortest(*self.adjacency, np.asarray(seeds, dtype=np.int64)))


@dataclass(frozen=True)
class Bores:
    """Places where cables may be bored."""

    lines: CrossingLines
    cost_factor: float
    """Cost of a metre of bore, relative to a trench along a road."""

    @property
    def ends(self) -> FloatArray:
        """Both ends of each bore, shape (2 n, 2) [m]."""
        along = BORE_LEAD_M * self.lines.direction
        pairs: FloatArray = np.stack([self.lines.start - along, self.lines.end + along], axis=1).reshape(-1, 2)
        return pairs


NO_BORES = Bores(NO_LINES, 1.0)


@dataclass(frozen=True)
class ShortestPaths:
    """Shortest paths through trenches from some seeds, one value per node."""

    cost: FloatArray
    """Cost from the nearest seed [m]; infinite where no trench leads."""
    parent: IntArray
    """Previous node; -1 at seeds."""
    seed: IntArray
    """Nearest seed; -1 where no trench leads."""

    def nodes_from(self, node: int) -> list[int]:
        """Nodes from one back to its seed."""
        path = [node]
        while (node := int(self.parent[node])) >= 0:
            path.append(node)
        return path


def trench_graph(
    field: Field,
    footprints: FloatArray,
    requested: FloatArray,
    roads: Sequence[LineString],
    *,
    own_trench_factor: float = 1.0,
    cost_zones: Sequence[Zone] = (),
    bores: Bores = NO_BORES,
) -> TrenchGraph:
    """Graph of the legal trenches of a site.

    Parameters
    ----------
    field : Field
        Allowed ground and heights.
    footprints : ndarray, shape (n, 4)
        West, south, east, north of all assets [m]: no trench crosses them.
    requested : ndarray, shape (m, 4)
        Footprints that get a terminal [m].
    roads : sequence of LineString
        Centrelines: a trench along a road is drawn on them, though it is dug in the verge.
    own_trench_factor : float
        Cost of a metre of trench away from roads, relative to one along a road [-].
    cost_zones : sequence of Zone
        Ground that costs `cost_multiplier` times as much to cross.
    bores : Bores
        Places where trenches may cross ground that is not allowed.
    """
    road_xy, road_a, road_b, road_nodes = _road_graph(roads)
    stub_start, terminals, joined = _terminals(requested, road_xy)
    xy = np.concatenate([road_xy, terminals, _bend_points(field, footprints), bores.ends])
    n_road, n_terminal = len(road_xy), len(terminals)
    terminal = np.arange(n_road, n_road + n_terminal)
    near = _nearest(terminals, NEAR_TERMINALS)
    pairs = [
        _triangulated(xy, np.concatenate([road_nodes, np.arange(n_road, len(xy))])),
        joined + np.array([n_road, 0]),
        np.column_stack([np.repeat(terminal, near.shape[1]), near.ravel() + n_road]),
    ]
    own = _unique_pairs(np.concatenate(pairs), len(xy))
    own = own[_legal(field, footprints, xy[own[:, 0]], xy[own[:, 1]])]
    across = np.arange(len(xy) - len(bores.ends), len(xy)).reshape(-1, 2)
    ends = np.concatenate([np.column_stack([road_a, road_b]), own, across])
    on_road = np.arange(len(ends)) < len(road_a)
    length = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    cost = length * np.where(on_road, 1.0, own_trench_factor) * _cost_factors(xy, ends, cost_zones)
    cost[len(ends) - len(across) :] *= bores.cost_factor
    # of two edges between the same nodes, keep the road's: it comes first and costs no more
    _, first = np.unique(ends[:, 0] * len(xy) + ends[:, 1], return_index=True)
    return TrenchGraph(
        xy, ends[first, 0], ends[first, 1], length[first], cost[first], on_road[first], terminal, stub_start
    )


def _unique_pairs(pairs: IntArray, n: int) -> IntArray:
    """Pairs of different nodes, sorted, the lower node first."""
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    code = np.unique((low * n + high)[low != high])
    return np.column_stack([code // n, code % n])


def _road_graph(roads: Sequence[LineString]) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Vertices of roads, ends of their pieces, and vertices to triangulate.

    Vertices shared by roads are listed once. Those to triangulate are the ends of roads, and about one every `THIN_M`.
    """
    if not roads:
        none = np.empty(0, np.int64)
        return np.empty((0, 2)), none, none, none
    flat, which = shapely.get_coordinates(np.array(roads, dtype=object), return_index=True)
    key = np.round((flat - flat.min(axis=0)) * 1e3).astype(np.int64)
    _, first, node = np.unique(key[:, 0] * (key[:, 1].max() + 1) + key[:, 1], return_index=True, return_inverse=True)
    same_road = which[1:] == which[:-1]
    ends = _unique_pairs(np.column_stack([node[:-1][same_road], node[1:][same_road]]), len(first))
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
    step = np.floor(at / THIN_M)
    kept = np.ones(len(flat), bool)
    kept[1:-1] = (step[1:-1] != step[:-2]) | ~same_road[:-1] | ~same_road[1:]
    return flat[first], ends[:, 0], ends[:, 1], np.unique(node[kept])


def _terminals(requested: FloatArray, road_xy: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Stub and terminal of each footprint, and road vertices near it.

    Returns the point where each stub begins on its footprint, the terminal at its other end, towards the nearest road,
    and pairs of terminal and road vertex.
    """
    towards = (requested[:, :2] + requested[:, 2:]) / 2 + np.array([0.0, -SOUTH_M])
    pairs = np.empty((2, 0), np.int64)
    if len(road_xy) and len(requested):
        tree = shapely.STRtree(np.asarray(shapely.points(road_xy)))
        rects = shapely.box(*requested.T)
        which, nearest = tree.query_nearest(rects, all_matches=False)
        towards[which] = road_xy[nearest]
        pairs = np.hstack([tree.query(rects, predicate="dwithin", distance=JOINED_WITHIN_M), [which, nearest]])
    edge = np.clip(towards, requested[:, :2], requested[:, 2:])
    away = towards - edge
    far = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)
    return edge, edge + away / far[:, None] * STUB_M, pairs.T.astype(np.int64)


def _nearest(xy: FloatArray, count: int) -> IntArray:
    """Nearest other points of each point, shape (n, count or fewer)."""
    out = []
    for start in range(0, len(xy), 256):
        rows = np.arange(start, min(start + 256, len(xy)))
        gap = np.hypot(xy[rows, None, 0] - xy[None, :, 0], xy[rows, None, 1] - xy[None, :, 1])
        gap[np.arange(len(rows)), rows] = np.inf
        out.append(np.argsort(gap, axis=1, kind="stable")[:, : min(count, len(xy) - 1)])
    return np.concatenate(out) if out else np.empty((0, 0), np.int64)


def _bend_points(field: Field, footprints: FloatArray) -> FloatArray:
    """Points on free ground just off corners of footprints and zones."""
    grown = footprints + np.array([-OFF_CORNER_M, -OFF_CORNER_M, OFF_CORNER_M, OFF_CORNER_M])
    corners = np.concatenate([grown[:, [i, j]] for i in (0, 2) for j in (1, 3)])
    inner = shapely.simplify(shapely.buffer(field.allowed, -OFF_CORNER_M, join_style="mitre"), SIMPLE_M)
    points = np.concatenate([corners, shapely.get_coordinates(inner)])
    square = np.floor((points - points.min(axis=0)) / BEND_SQUARE_M).astype(np.int64)
    points = points[np.unique(square[:, 0] * (square[:, 1].max() + 1) + square[:, 1], return_index=True)[1]]
    points = np.asarray(points[shapely.contains_xy(field.allowed, points[:, 0], points[:, 1])], dtype=np.float64)
    if not len(footprints) or not len(points):
        return points
    boxes = shapely.STRtree(np.asarray(shapely.box(*footprints.T)))
    inside = boxes.query(shapely.points(points), predicate="intersects")[0]
    keep = np.ones(len(points), bool)
    keep[inside] = False
    return np.asarray(points[keep])


def _triangulated(xy: FloatArray, nodes: IntArray) -> IntArray:
    """Edges of the Delaunay triangulation of nodes, as pairs of nodes."""
    points = xy[nodes] - xy.min(axis=0)
    lines = shapely.delaunay_triangles(shapely.multipoints(points), only_edges=True)
    ends = shapely.get_coordinates(lines)
    # the edges have the coordinates of the nodes: look them up
    order = np.lexsort((points[:, 1], points[:, 0]))
    ranked = np.empty(len(points), dtype=complex)
    ranked.real, ranked.imag = points[order, 0], points[order, 1]
    at = np.searchsorted(ranked, ends[:, 0] + 1j * ends[:, 1])
    return np.asarray(nodes[order[at]].reshape(-1, 2), dtype=np.int64)


def _legal(field: Field, footprints: FloatArray, a: FloatArray, b: FloatArray) -> BoolArray:
    """Whether each segment is clear of footprints, of the allowed ground's edge and of nodata.

    Parameters
    ----------
    field : Field
        The site: allowed ground and elevation.
    footprints : (n, 4) float
        West, south, east, north of everything built [m].
    a, b : (m, 2) float
        Ends of the segments [m].
    """
    rings = [shapely.get_coordinates(r) for p in shapely.get_parts(field.allowed) for r in shapely.get_rings(p)]
    edges = [np.hstack([r[:-1], r[1:]]) for r in rings]
    w, s, e, n = footprints.T if len(footprints) else np.empty((4, 0))
    edges += [np.column_stack(side) for side in ((w, s, e, s), (e, s, e, n), (e, n, w, n), (w, n, w, s))]
    sides = np.ascontiguousarray(np.concatenate(edges))
    west, south, east, north = field.allowed.bounds
    size = BIN_M
    frame = np.array([west - size, south - size, size, np.ceil((east - west) / size) + 3, np.ceil((north - south) / size) + 3])  # fmt: skip
    clearance = ClearanceArrays(sides, frame, *bin_edges(sides, frame, CLEARANCE_M), CLEARANCE_M)
    legal = clear_segments(np.ascontiguousarray(a), np.ascontiguousarray(b), clearance, _nodata(field))
    return np.asarray(legal, dtype=bool)


def _nodata(field: Field) -> NodataArrays:
    """Squares between cell centres that touch nodata."""
    if not np.isnan(field.slope).any():
        return NodataArrays(np.empty((0, 0), np.uint8), np.zeros(4), any=False)
    g = field.ground.grid
    missing = np.pad(np.isnan(field.ground.z), 1, mode="edge")
    quad = missing[:-1, :-1] | missing[1:, :-1] | missing[:-1, 1:] | missing[1:, 1:]
    frame = np.array([g.x0 - g.dx / 2, g.y0 + g.dy / 2, g.dx, g.dy])
    return NodataArrays(quad.astype(np.uint8), frame, any=True)


def _cost_factors(xy: FloatArray, ends: IntArray, zones: Sequence[Zone]) -> FloatArray:
    """Cost factor of each edge, from the most expensive zone."""
    cost_factor = np.ones(len(ends))
    priced = [z for z in zones if z.zone_type == "cost" and z.cost_multiplier != 1.0]
    if priced and len(ends):
        lines = shapely.STRtree(np.asarray(shapely.linestrings(xy[ends])))
        for zone in priced:
            area: BaseGeometry = zone.geometry
            hit = lines.query(area, predicate="intersects")
            cost_factor[hit] = np.maximum(cost_factor[hit], zone.cost_multiplier)
    return cost_factor
