"""The site entry: where the road network starts on the site boundary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiLineString, MultiPolygon, Point, Polygon

from pacifico.errors import InputError
from pacifico.layout.ground import _clearance_kernels
from pacifico.layout.ground._clearance_kernels import ClearanceArrays
from pacifico.layout.ground.buildable import BESIDE_SITE_M
from pacifico.layout.routing import routing_grid, tree_search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FlagArray, FloatArray, IntArray


MAX_ENTRY_SHIFT_M = 60.0
"""A requested entry farther than this from the site boundary is refused."""
ON_EDGE_M = 15.0
"""A requested entry this near to the boundary keeps its place if a road fits there."""
INSET_M = 0.05
"""Distance beyond the required clearance at which an entry lies, so that rounding can't break it."""
MINOR_SHIFT_M = 3.0
"""A shift no larger than this, beyond the clearance of a road, needs no warning."""
EDGE_BANDS_M = (ON_EDGE_M, 30.0, MAX_ENTRY_SHIFT_M - 1e-6)
"""Widths of the band along the boundary in which entry positions are sought, narrow ones first."""
NO_ROAD_AT_EDGE = (
    "no existing road meets the site's edge where a site road can start: the entry is the cheapest place on the edge"
)
NEAREST_COUNT = 25
"""Road positions near a requested entry that are tried."""


@dataclass(frozen=True)
class SiteEntry:
    """Entry point and the road position behind it."""

    point: FloatArray
    node: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """Outer boundary, with the distance of each road position from it."""

    line: MultiLineString
    far: FloatArray
    """Distance of each road position from the boundary, capped [m]; infinite without a position."""

    @classmethod
    def of(cls, road_grid: routing_grid.RoutingGrid, boundary: Polygon | MultiPolygon) -> Edge:
        """Edge along the outer rings of a boundary; holes don't count."""
        rings = [shapely.get_coordinates(shapely.get_exterior_ring(p)) for p in routing_grid.parts_of(boundary)]
        edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])
        cap = MAX_ENTRY_SHIFT_M
        frame = road_grid.clearance_index.frame
        start, items = _clearance_kernels.bin_edges(edges, frame, cap)
        clearance = ClearanceArrays(edges, frame, start, items, cap)
        far = _clearance_kernels.clearances(road_grid.px, road_grid.py, road_grid.clear, clearance)
        return cls(MultiLineString(rings), far)


def entry_point(road_grid: routing_grid.RoutingGrid, edge: Edge, node: int) -> FloatArray:
    """Entry point as near the boundary as a road fits.

    The position itself is returned where no straight road leads from the boundary to it.
    """
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


def entry_nodes(road_grid: routing_grid.RoutingGrid, edge: Edge) -> FlagArray:
    """Flags of road positions near enough to the boundary.

    The narrowest band along the boundary that holds any position counts.
    """
    keep = road_grid.clearance_index.radius
    for far in (keep + 1.5 * road_grid.cell, *EDGE_BANDS_M):
        flags = edge.far <= far
        if flags.any():
            return flags.astype(np.uint8)
    return np.zeros(edge.far.size, np.uint8)


def entry_nodes_on(
    road_grid: routing_grid.RoutingGrid, edge: Edge, existing: Sequence[BaseGeometry]
) -> tuple[FlagArray, ...]:
    """Flags of entry positions on existing roads, and of those beside one; none where there are none.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    edge : Edge
        Outer boundary of the site.
    existing : sequence of geometry
        Areas of existing roads.
    """
    flags = entry_nodes(road_grid, edge)
    nodes = np.flatnonzero(flags)
    if not len(existing) or not nodes.size:
        return ()
    far = shapely.distance(
        shapely.points(road_grid.px[nodes], road_grid.py[nodes]), shapely.union_all(np.asarray(existing, dtype=object))
    )
    tiers = []
    for within_m in (road_grid.cell / 2, BESIDE_SITE_M):
        near = np.zeros(flags.size, np.uint8)
        near[nodes[far <= within_m]] = 1
        if near.any():
            tiers.append(near)
    return tuple(tiers)


def cheapest_entry(
    road_grid: routing_grid.RoutingGrid,
    edge: Edge,
    order: IntArray,
    reach: tree_search.Reach,
    *,
    max_grade: float,
    existing: Sequence[BaseGeometry] = (),
) -> SiteEntry | None:
    """Entry from which the first terminal is cheapest to reach, or None.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    edge : Edge
        Outer boundary of the site.
    order : (n,) int
        Terminals in the order in which they are tried.
    reach : Reach
        Road positions that serve each terminal.
    max_grade : float
        Largest grade, rise over run.
    existing : sequence of geometry
        Areas of existing roads: an entry on one is preferred, then one beside one.
    """
    for flags in entry_nodes_on(road_grid, edge, existing):
        found = _cheapest_of(road_grid, edge, flags, order, reach, max_grade)
        if found is not None:
            return found
    found = _cheapest_of(road_grid, edge, entry_nodes(road_grid, edge), order, reach, max_grade)
    return replace(found, warnings=(NO_ROAD_AT_EDGE,)) if found is not None and len(existing) else found


def _cheapest_of(
    road_grid: routing_grid.RoutingGrid,
    edge: Edge,
    flags: FlagArray,
    order: IntArray,
    reach: tree_search.Reach,
    max_grade: float,
) -> SiteEntry | None:
    """Cheapest entry among flagged road positions, or None.

    Parameters
    ----------
    road_grid, edge, order, reach, max_grade
        As for `cheapest_entry`.
    flags : (m,) uint8
        Road positions near the boundary that may be used.
    """
    nodes = reach.by_terminal(len(order))
    no_reach = tree_search.Reach.none(road_grid)
    visited = np.zeros(road_grid.px.size, bool)
    for t in order:
        seeds = nodes[t]
        # terminals in a part that has been searched have no entry either
        if seeds.size == 0 or visited[seeds].any():
            continue
        growth = tree_search.search(
            road_grid, seeds, reach=no_reach, priority=np.zeros(0, np.int64), max_grade=max_grade, stop_at=flags
        )
        if growth.hit >= 0:
            return SiteEntry(entry_point(road_grid, edge, growth.hit), growth.hit)
        visited |= np.isfinite(growth.dist)
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
    """Requested entry, or the nearest place where a road can start.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    edge : Edge
        Outer boundary of the site.
    entry : Point
        Requested entry.
    allowed : Polygon or MultiPolygon
        Site without exclusions.
    wanted : (n,) int
        Road positions that serve the first terminals; places connected to them are preferred.
    parts : (m,) int
        Label of the connected part of each road position.

    Raises
    ------
    InputError
        The entry lies more than 60 m from the boundary, or no road can start within 60 m of it.
    """
    to_edge = float(edge.line.distance(entry))
    if to_edge > MAX_ENTRY_SHIFT_M:
        side = "inside" if allowed.contains(entry) else "outside"
        raise InputError(
            f"the entry lies {to_edge:.0f} m {side} the site's edge; "
            f"give a place within {MAX_ENTRY_SHIFT_M:.0f} m of the boundary"
        )
    place = np.array([entry.x, entry.y])
    if to_edge <= ON_EDGE_M and allowed.contains(entry) and road_grid.clearance_index.clear(place, place):
        for n in _nearest(road_grid, place, road_grid.clear > 0.0):
            here = np.array([road_grid.px[n], road_grid.py[n]])
            if road_grid.clearance_index.clear(place, here) and not road_grid.nodata_mask.crossed(place, here):
                return SiteEntry(place, n)
    flags = entry_nodes(road_grid, edge) == 1
    connected = flags & np.isin(parts, np.unique(parts[wanted]))
    found = _nearest_entry(road_grid, edge, place, connected) or _nearest_entry(road_grid, edge, place, flags)
    if found is None:
        raise InputError(
            f"no road can start within {MAX_ENTRY_SHIFT_M:.0f} m of the entry given; choose another, or leave it out"
        )
    shift = float(np.hypot(*(found.point - place)))
    if shift <= road_grid.clearance_index.radius + MINOR_SHIFT_M:
        return found
    note = f"the entry was moved {shift:.0f} m, to the nearest place on the site's edge where a road can start"
    return SiteEntry(found.point, found.node, (note,))


def _nearest_entry(
    road_grid: routing_grid.RoutingGrid, edge: Edge, place: FloatArray, usable: BoolArray
) -> SiteEntry | None:
    """Entry nearest a place; None without one near enough.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    edge : Edge
        Outer boundary of the site.
    place : (2,) float
        Requested entry.
    usable : (m,) bool
        Road positions that may be led to.
    """
    best: SiteEntry | None = None
    best_shift_m = MAX_ENTRY_SHIFT_M + road_grid.cell
    for n in _nearest(road_grid, place, usable):
        candidate = entry_point(road_grid, edge, n)
        shift = float(np.hypot(*(candidate - place)))
        if shift < best_shift_m - 1e-9:
            best, best_shift_m = SiteEntry(candidate, n), shift
    return best


def _nearest(road_grid: routing_grid.RoutingGrid, place: FloatArray, usable: BoolArray) -> list[int]:
    """Usable road positions nearest a place, nearest first."""
    nodes = np.flatnonzero(usable)
    d = np.hypot(road_grid.px[nodes] - place[0], road_grid.py[nodes] - place[1])
    return [int(n) for n in nodes[np.argsort(d, kind="stable")[:NEAREST_COUNT]]]
