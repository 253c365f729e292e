"""Where a cable trench may run: along the roads, and straight across ground that is free.

The places are a graph. Its nodes are road vertices, a terminal beside each asset, and points just off the corners of
footprints, zones and boundary; its edges are the pieces of road, and those of a Delaunay triangulation of the nodes that
keep clear of everything. A shortest way through it hugs corners, as a shortest way among obstacles does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.electrical._trench_kernels import clear_segments, shortest
from pacifico.layout.ground._clearance_kernels import ClearanceArrays, NodataArrays, bin_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.site.model import Zone


CLEARANCE_M = 0.5
"""Kept between a trench's line and every footprint, zone and the boundary: half a trench of 0.6 m and some room."""
OFF_CORNER_M = 1.2
"""Between a footprint and the points around it that trenches may bend at."""
STUB_M = 1.0
"""Length of cable between an asset's edge and its terminal, straight out."""
JOINED_WITHIN_M = 25.0
"""Of a footprint: road vertices to which its terminal is joined where that is legal."""
NEAR_TERMINALS = 8
"""Other terminals that each is joined to straight where that is legal."""
THIN_M = 25.0
"""Road vertices closer than this to the last one take no part in the triangulation."""
SAME_M = 2.5
"""Of points for bends, one is kept in each square of this side."""
SIMPLE_M = 3.0
"""Detail of zones and boundary that bends of trenches follow."""


@dataclass(frozen=True)
class Trenches:
    """Graph of legal trenches; an edge joins `a` to `b`, once."""

    xy: FloatArray
    """Nodes, working CRS, shape (n, 2) [m]."""
    a: IntArray
    b: IntArray
    length: FloatArray
    """In plan [m]."""
    cost: FloatArray
    """Length as routing weighs it [m]."""
    on_road: BoolArray
    terminal: IntArray
    """Node of each asset that was asked for."""
    at_edge: FloatArray
    """Where each asset's stub leaves its footprint, shape (assets, 2) [m]."""

    @cached_property
    def adjacency(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Neighbours of each node and what it costs to go there, in CSR."""
        tail, head = np.concatenate([self.a, self.b]), np.concatenate([self.b, self.a])
        order = np.argsort(tail, kind="stable")
        row = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=len(self.xy)))]).astype(np.int64)
        return row, head[order], np.concatenate([self.cost, self.cost])[order]

    def edges_of(self, nodes: Sequence[int]) -> IntArray:
        """Edges along a way through nodes."""
        way = np.asarray(nodes, dtype=np.int64)
        low, high = np.minimum(way[:-1], way[1:]), np.maximum(way[:-1], way[1:])
        return np.searchsorted(self._code, low * len(self.xy) + high)

    @cached_property
    def _code(self) -> IntArray:
        """One number an edge, ascending."""
        code: IntArray = self.a * len(self.xy) + self.b
        return code

    def ways(self, seeds: IntArray) -> Ways:
        """Shortest ways from the nearest of some nodes to all others."""
        return Ways(*shortest(*self.adjacency, np.asarray(seeds, dtype=np.int64)))


@dataclass(frozen=True)
class Ways:
    """Result of a search through trenches."""

    far: FloatArray
    """Cost from the nearest seed; infinite where no trench leads."""
    before: IntArray
    """Node before, -1 at seeds."""
    root: IntArray
    """Seed, -1 where no trench leads."""

    def back(self, node: int) -> list[int]:
        """Nodes from one back to its seed."""
        way = [node]
        while (node := int(self.before[node])) >= 0:
            way.append(node)
        return way


def find_trenches(
    field: Field,
    footprints: FloatArray,
    wanted: FloatArray,
    roads: Sequence[LineString],
    *,
    own_trench_factor: float = 1.0,
    cost_zones: Sequence[Zone] = (),
) -> Trenches:
    """Graph of the trenches that are legal on a site.

    Parameters
    ----------
    field : Field
        The site: allowed ground and elevation.
    footprints : ndarray, shape (n, 4)
        West, south, east, north of everything that stands [m]: no trench crosses any of it.
    wanted : ndarray, shape (m, 4)
        Those of them that are to be joined.
    roads : sequence of LineString
        Centrelines; a trench along a road is drawn on them, though it is dug in the verge.
    own_trench_factor : float
        What a metre of trench away from roads weighs against one along a road.
    cost_zones : sequence of Zone
        Ground that weighs `cost_multiplier` times as much to cross.
    """
    road_xy, road_a, road_b, road_some = _road_graph(roads)
    at_edge, terminals, joined = _terminals(wanted, road_xy)
    xy = np.concatenate([road_xy, terminals, _bends(field, footprints)])
    n_road, n_terminal = len(road_xy), len(terminals)
    mine = np.arange(n_road, n_road + n_terminal)
    near = _nearest(terminals, NEAR_TERMINALS)
    pairs = [
        _triangulated(xy, np.concatenate([road_some, np.arange(n_road, len(xy))])),
        joined + np.array([n_road, 0]),
        np.column_stack([np.repeat(mine, near.shape[1]), near.ravel() + n_road]),
    ]
    own = _once(np.concatenate(pairs), len(xy))
    own = own[_legal(field, footprints, xy[own[:, 0]], xy[own[:, 1]])]
    ends = np.concatenate([np.column_stack([road_a, road_b]), own])
    on_road = np.arange(len(ends)) < len(road_a)
    length = np.hypot(*(xy[ends[:, 0]] - xy[ends[:, 1]]).T)
    cost = length * np.where(on_road, 1.0, own_trench_factor) * _tolls(xy, ends, cost_zones)
    # of two edges between the same nodes the road's stays; it stands first and costs no more
    _, first = np.unique(ends[:, 0] * len(xy) + ends[:, 1], return_index=True)
    return Trenches(xy, ends[first, 0], ends[first, 1], length[first], cost[first], on_road[first], mine, at_edge)


def _once(pairs: IntArray, n: int) -> IntArray:
    """Each pair of different nodes once, the lower first, in order."""
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    code = np.unique((low * n + high)[low != high])
    return np.column_stack([code // n, code % n])


def _road_graph(roads: Sequence[LineString]) -> tuple[FloatArray, IntArray, IntArray, IntArray]:
    """Vertices of roads, those that roads share once; the pieces between them (lower node first), and a few of them.

    The few are the ends of roads, and one vertex every `THIN_M` or so along them.
    """
    if not roads:
        none = np.empty(0, np.int64)
        return np.empty((0, 2)), none, none, none
    flat, which = shapely.get_coordinates(np.array(roads, dtype=object), return_index=True)
    key = np.round((flat - flat.min(axis=0)) * 1e3).astype(np.int64)
    _, first, node = np.unique(key[:, 0] * (key[:, 1].max() + 1) + key[:, 1], return_index=True, return_inverse=True)
    goes_on = which[1:] == which[:-1]
    ends = _once(np.column_stack([node[:-1][goes_on], node[1:][goes_on]]), len(first))
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
    step = np.floor(at / THIN_M)
    kept = np.ones(len(flat), bool)
    kept[1:-1] = (step[1:-1] != step[:-2]) | ~goes_on[:-1] | ~goes_on[1:]
    return flat[first], ends[:, 0], ends[:, 1], np.unique(node[kept])


def _terminals(wanted: FloatArray, road_xy: FloatArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Where cables leave each footprint towards the nearest road, the terminal outside it, and what it is joined to.

    The last are pairs of terminal and road vertex.
    """
    towards = (wanted[:, :2] + wanted[:, 2:]) / 2 + np.array([0.0, -1e6])
    pairs = np.empty((2, 0), np.int64)
    if len(road_xy) and len(wanted):
        tree = shapely.STRtree(np.asarray(shapely.points(road_xy)))
        rects = shapely.box(*wanted.T)
        which, nearest = tree.query_nearest(rects, all_matches=False)
        towards[which] = road_xy[nearest]
        pairs = np.hstack([tree.query(rects, predicate="dwithin", distance=JOINED_WITHIN_M), [which, nearest]])
    edge = np.clip(towards, wanted[:, :2], wanted[:, 2:])
    away = towards - edge
    far = np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)
    return edge, edge + away / far[:, None] * STUB_M, pairs.T.astype(np.int64)


def _nearest(xy: FloatArray, count: int) -> IntArray:
    """Indices of the nearest other points of each, the nearest first, shape (n, at most count)."""
    out = []
    for start in range(0, len(xy), 256):
        rows = np.arange(start, min(start + 256, len(xy)))
        gap = np.hypot(xy[rows, None, 0] - xy[None, :, 0], xy[rows, None, 1] - xy[None, :, 1])
        gap[np.arange(len(rows)), rows] = np.inf
        out.append(np.argsort(gap, axis=1, kind="stable")[:, : min(count, len(xy) - 1)])
    return np.concatenate(out) if out else np.empty((0, 0), np.int64)


def _bends(field: Field, footprints: FloatArray) -> FloatArray:
    """Points off the corners of footprints, zones and boundary, as far as they are on free ground."""
    grown = footprints + np.array([-OFF_CORNER_M, -OFF_CORNER_M, OFF_CORNER_M, OFF_CORNER_M])
    corners = np.concatenate([grown[:, [i, j]] for i in (0, 2) for j in (1, 3)])
    inner = shapely.simplify(shapely.buffer(field.allowed, -OFF_CORNER_M, join_style="mitre"), SIMPLE_M)
    points = np.concatenate([corners, shapely.get_coordinates(inner)])
    square = np.floor((points - points.min(axis=0)) / SAME_M).astype(np.int64)
    points = points[np.unique(square[:, 0] * (square[:, 1].max() + 1) + square[:, 1], return_index=True)[1]]
    points = np.asarray(points[shapely.contains_xy(field.allowed, points[:, 0], points[:, 1])], dtype=np.float64)
    if not len(footprints) or not len(points):
        return points
    boxes = shapely.STRtree(np.asarray(shapely.box(*footprints.T)))
    inside = boxes.query(shapely.points(points), predicate="intersects")[0]
    keep = np.ones(len(points), bool)
    keep[inside] = False
    return np.asarray(points[keep])


def _triangulated(xy: FloatArray, some: IntArray) -> IntArray:
    """Edges of the Delaunay triangulation of some nodes, as pairs of nodes."""
    points = xy[some] - xy.min(axis=0)
    lines = shapely.delaunay_triangles(shapely.multipoints(points), only_edges=True)
    ends = shapely.get_coordinates(lines)
    # vertices come back as they went in: found again by their own coordinates
    order = np.lexsort((points[:, 1], points[:, 0]))
    ranked = np.empty(len(points), dtype=complex)
    ranked.real, ranked.imag = points[order, 0], points[order, 1]
    at = np.searchsorted(ranked, ends[:, 0] + 1j * ends[:, 1])
    return np.asarray(some[order[at]].reshape(-1, 2), dtype=np.int64)


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
    size = 12.0
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


def _tolls(xy: FloatArray, ends: IntArray, zones: Sequence[Zone]) -> FloatArray:
    """Multiplier of each edge by the dearest zone that it crosses."""
    cost_factor = np.ones(len(ends))
    dear = [z for z in zones if z.zone_type == "cost" and z.cost_multiplier != 1.0]
    if dear and len(ends):
        lines = shapely.STRtree(np.asarray(shapely.linestrings(xy[ends])))
        for zone in dear:
            area: BaseGeometry = zone.geometry
            hit = lines.query(area, predicate="intersects")
            cost_factor[hit] = np.maximum(cost_factor[hit], zone.cost_multiplier)
    return cost_factor
