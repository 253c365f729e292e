"""The site entry: where the road network begins, a road's half width inside the boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, MultiPolygon, Point, Polygon

from pacifico.errors import InputError
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.routing import routing_grid, tree_search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray


MOST_MOVED_M = 60.0
"""An entry given farther than this from the site's edge is refused."""
AT_EDGE_M = 15.0
"""An entry given within this of the edge stays where it is, if a road fits there."""
INSET_M = 0.05
UNSAID_M = 3.0
"""An entry moved by no more than this beyond what the road's width asks is not worth a warning."""


@dataclass(frozen=True)
class SiteEntry:
    """Where the network starts: the entry itself, and the road position that it leads to."""

    point: FloatArray
    node: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """The site's outer boundary, and how far road positions are from it."""

    line: MultiLineString
    far: FloatArray
    """Distance of each road position from the edge, capped [m]; infinite where there is none."""

    @classmethod
    def of(cls, road_grid: routing_grid.RoutingGrid, boundary: Polygon | MultiPolygon) -> Edge:
        """Edge of a boundary: its outer rings, not its holes."""
        rings = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in routing_grid.parts_of(boundary)]
        edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])
        cap = MOST_MOVED_M
        frame = road_grid.clearance_index.frame
        start, items = _clearance_kernels.bin_edges(edges, frame, cap)
        far = _clearance_kernels.clearances(
            road_grid.px, road_grid.py, road_grid.clear, edges, frame, start, items, cap
        )
        return cls(MultiLineString(rings), far)


def gate_at(road_grid: routing_grid.RoutingGrid, edge: Edge, node: int) -> FloatArray:
    """Entry that leads to a road position near the edge: as near the edge as a road fits, else the position itself."""
    here = np.array([road_grid.px[node], road_grid.py[node]])
    outer: FloatArray = shapely.get_coordinates(shapely.shortest_line(Point(here), edge.line))[1]
    away = here - outer
    far = float(np.hypot(*away))
    keep = road_grid.clearance_index.radius + INSET_M
    if far > keep + 0.5:
        place: FloatArray = outer + away / far * keep
        if road_grid.clearance_index.clear(place, here) and not road_grid.nodata_mask.crossed(place, here):
            return place
    return here


def gates(road_grid: routing_grid.RoutingGrid, edge: Edge) -> NDArray[np.uint8]:
    """Road positions near enough to the edge to be led to an entry: the nearest ring of them that there is."""
    keep = road_grid.clearance_index.radius
    for far in (keep + 1.5 * road_grid.cell, AT_EDGE_M, 30.0, MOST_MOVED_M - 1e-6):
        flags = edge.far <= far
        if flags.any():
            return flags.astype(np.uint8)
    return np.zeros(edge.far.size, np.uint8)


def cheapest_entry(
    road_grid: routing_grid.RoutingGrid, edge: Edge, order: IntArray, reach: tree_search.Reach, *, max_grade: float
) -> SiteEntry | None:
    """Find the place on the edge that is cheapest to reach the first terminal of `order` from; None where none is."""
    flags = gates(road_grid, edge)
    nodes = reach.by_terminal(len(order))
    nothing = tree_search.Reach.none(road_grid)
    seen = np.zeros(road_grid.px.size, bool)
    for t in order:
        seeds = nodes[t]
        if seeds.size == 0 or seen[seeds].any():
            continue
        growth = tree_search.search(
            road_grid, seeds, reach=nothing, priority=np.zeros(0, np.int64), max_grade=max_grade, stop_at=flags
        )
        if growth.hit >= 0:
            return SiteEntry(gate_at(road_grid, edge, growth.hit), growth.hit)
        seen |= np.isfinite(growth.dist)
    return None


def given_entry(
    road_grid: routing_grid.RoutingGrid,
    edge: Edge,
    entry: Point,
    allowed: Polygon | MultiPolygon,
    *,
    wanted: IntArray,
    parts: IntArray,
) -> SiteEntry:
    """Take the entry asked for, or the nearest place on the edge from which a road can start.

    `wanted` are road positions that serve the first terminals: of the edge's places those connected to them come first.

    Raises
    ------
    InputError
        Farther than 60 m from the site's edge, or with no place for a road within 60 m.
    """
    to_edge = float(edge.line.distance(entry))
    if to_edge > MOST_MOVED_M:
        side = "inside" if allowed.contains(entry) else "outside"
        raise InputError(
            f"the entry lies {to_edge:.0f} m {side} the site's edge; give a place within {MOST_MOVED_M:.0f} m of the boundary"
        )
    place = np.array([entry.x, entry.y])
    if to_edge <= AT_EDGE_M and allowed.contains(entry) and road_grid.clearance_index.clear(place, place):
        for n in _nearest(road_grid, place, road_grid.clear > 0.0, 25):
            here = np.array([road_grid.px[n], road_grid.py[n]])
            if road_grid.clearance_index.clear(place, here) and not road_grid.nodata_mask.crossed(place, here):
                return SiteEntry(place, n)
    flags = gates(road_grid, edge) == 1
    good = np.unique(parts[wanted])
    for usable in (flags & np.isin(parts, good), flags):
        best: SiteEntry | None = None
        least = MOST_MOVED_M + road_grid.cell
        for n in _nearest(road_grid, place, usable, 25):
            candidate = gate_at(road_grid, edge, n)
            moved = float(np.hypot(*(candidate - place)))
            if moved < least - 1e-9:
                best, least = SiteEntry(candidate, n), moved
        if best is not None:
            if least <= road_grid.clearance_index.radius + UNSAID_M:
                return best
            note = f"the entry was moved {least:.0f} m, to the nearest place on the site's edge where a road can start"
            return SiteEntry(best.point, best.node, (note,))
    raise InputError(
        f"no road can start within {MOST_MOVED_M:.0f} m of the entry given; choose another, or leave it out"
    )


def _nearest(
    road_grid: routing_grid.RoutingGrid, place: FloatArray, usable: NDArray[np.bool_], count: int
) -> list[int]:
    """List the road positions nearest a place, nearest first."""
    nodes = np.flatnonzero(usable)
    d = np.hypot(road_grid.px[nodes] - place[0], road_grid.py[nodes] - place[1])
    return [int(n) for n in nodes[np.argsort(d, kind="stable")[:count]]]
