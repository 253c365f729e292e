"""The routing problem of a site, and a road network in plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, box

from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.lanes import NO_LANES, Lanes, with_lanes
from pacifico.layout.routing.shortenable import ShortenableObstacles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely import Point, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import RoadCriteria, Terminal
    from pacifico.site.model import Zone


TOLERANCE_M = 0.005
"""Positions and heights that differ by no more than this count as equal [m]."""
MEMO_SLOTS = 1 << 18
"""Size of the smoothing memo's hash table: a power of two, about twice the vertices of a large network."""
PAD_STEP_SHARE = 0.35
"""Share of the depth limit that a road may use to meet a pad higher or lower than its ground."""


@dataclass(frozen=True)
class SmoothingMemo:
    """Results of smoothing, by a hash of their input."""

    known: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(MEMO_SLOTS, np.uint64))
    """Hash of each slot; 0 where the slot is empty."""
    found: FloatArray = field(default_factory=lambda: np.zeros((MEMO_SLOTS, 3)))
    """Result of each slot."""
    arcs: dict[bytes, FloatArray] = field(default_factory=dict)
    """Lines with rounded bends, by their corners and what else the arcs depend on."""


@dataclass(frozen=True)
class RoutingProblem:
    """What stays the same while one network is routed and aligned."""

    ground: Ground
    terminals: Sequence[Terminal]
    criteria: RoadCriteria
    road_grid: routing_grid.RoutingGrid
    shapes: routing_grid.Shapes
    """Footprints of the terminals."""
    pads: routing_grid.Shapes
    """Pads of the terminals; footprints where there is no pad."""
    reach_m: FloatArray
    """Largest distance from a road to each terminal [m]."""
    reach: tree_search.Reach
    priority: IntArray
    """Rank of each terminal; low ranks are connected first."""
    shortenable: ShortenableObstacles
    """Obstacles that may be shortened to make room for a bend or a turnaround."""
    radius_m: FloatArray
    """Centreline radius that bends on the way to each terminal need [m]."""
    pulled: dict[bytes, FloatArray] = field(default_factory=dict)
    """Memo of paths pulled tight, by their vertices and terminals: alignments share most of them."""
    smoothing_memo: SmoothingMemo = field(default_factory=SmoothingMemo)
    unrepairable: set[bytes] = field(default_factory=set)
    """Memo of tight places for which no drivable curve exists, by the lines near them."""
    lanes: Lanes = NO_LANES
    """Lanes over ground that is not allowed otherwise."""

    @property
    def min_radius_m(self) -> float:
        """Smallest centreline radius that the criteria allow [m]."""
        return self.criteria.min_radius_m + self.criteria.width_m / 2

    def with_lanes(self, lanes: Lanes) -> RoutingProblem:
        """Problem with lanes over barriers, from which no terminal is served: no road ends on one."""
        closed = lanes.closed
        if closed is None:
            return self
        beside = ~shapely.contains_xy(closed, self.road_grid.px, self.road_grid.py)
        return replace(self, lanes=lanes, reach=self.reach.among(beside))

    def radii(self, parents: Sequence[int], bound: Sequence[Sequence[int]]) -> FloatArray:
        """Centreline radius that each line needs [m].

        A line needs the largest radius of the terminals on it and downstream of it.

        Parameters
        ----------
        parents : sequence of int
            Index of the line that each line continues; -1 at the entry.
        bound : sequence of sequences of int
            Terminals that each line serves.
        """
        out = np.array([self.radius_m[list(own)].max(initial=self.min_radius_m) for own in bound])
        for c in range(len(parents) - 1, -1, -1):
            if parents[c] >= 0:
                out[parents[c]] = max(out[parents[c]], out[c])
        return out

    def radii_of(self, alignment: HorizontalAlignment) -> FloatArray:
        """Centreline radius that each line of an alignment needs [m]."""
        return self.radii(alignment.parents, terminals_by_line(len(alignment.lines), alignment.line_of))


@dataclass(frozen=True)
class HorizontalAlignment:
    """Road network in plan: a tree of lines from the entry."""

    lines: list[FloatArray]
    parents: list[int]
    """Index of the line that each line continues; -1 at the entry."""
    line_of: dict[int, int]
    """Line that serves each terminal."""
    straight: Sequence[FloatArray] = ()
    """Corners of each line before its bends were rounded."""
    crossing: tuple[int, ...] = ()
    """Lines that still cross another one away from a junction."""


def terminals_by_line(lines: int, line_of: Mapping[int, int]) -> list[list[int]]:
    """Terminals that each line serves."""
    bound: list[list[int]] = [[] for _ in range(lines)]
    for t, c in line_of.items():
        bound[c].append(t)
    return bound


def served_downstream(alignment: HorizontalAlignment) -> list[int]:
    """Number of terminals on each line and downstream of it."""
    out = [len(own) for own in terminals_by_line(len(alignment.lines), alignment.line_of)]
    for c in range(len(out) - 1, -1, -1):
        if alignment.parents[c] >= 0:
            out[alignment.parents[c]] += out[c]
    return out


@dataclass(frozen=True)
class RoadSite:
    """Ground on which roads are routed, and where they start."""

    ground: Ground
    """Heights in the working CRS; roads never cross nodata."""
    allowed: Polygon | MultiPolygon
    """Site without exclusions; every road strip lies inside it."""
    entry: Point | None = None
    """Requested entry; by default the cheapest place on the boundary."""
    boundary: Polygon | MultiPolygon | None = None
    """Outer boundary on which the entry lies; by default the outer rings of `allowed`."""
    cost_zones: Sequence[Zone] = ()
    """Ground that costs `cost_multiplier` times as much to cross."""
    lanes: Lanes = NO_LANES
    """Lanes over ground that is not allowed otherwise."""
    further_entries: Sequence[Point] = ()
    """Requested entries besides the first; roads join them where they can."""
    existing: Sequence[BaseGeometry] = ()
    """Areas of existing roads that the plant uses; an entry that isn't requested lies on one if it can."""


def make_routing_problem(
    site: RoadSite, terminals: Sequence[Terminal], *, obstacles: Sequence[Polygon], criteria: RoadCriteria
) -> RoutingProblem | None:
    """Routing problem of a site; None where no road fits anywhere.

    Parameters
    ----------
    site : RoadSite
        Ground on which roads may lie.
    terminals : sequence of Terminal
        What the roads are to reach.
    obstacles : sequence of Polygon
        Footprints and pads that no road touches.
    criteria : RoadCriteria
        Width, grade, radius and depth of roads.
    """
    allowed, mapped = site.lanes.added_to(site.allowed), box(*site.ground.grid.bounds)
    if not mapped.covers(allowed):  # there is no ground outside the elevation raster
        allowed = MultiPolygon(routing_grid.parts_of(shapely.intersection(allowed, mapped)))
    if allowed.is_empty:
        return None
    road_grid = routing_grid.make_routing_grid(
        site.ground,
        allowed,
        obstacles,
        [(z.geometry, z.cost_multiplier) for z in site.cost_zones],
        half_width_m=criteria.width_m / 2,
        clearance_m=criteria.clearance_m,
        cell=criteria.cells
        * routing_grid.cell_size(site.allowed.area if len(site.lanes.cost_factor) else allowed.area),
        earth_price=criteria.earth_price,
    )
    road_grid = with_lanes(road_grid, site.lanes)
    if not (road_grid.clear > 0).any():
        return None
    problem = problem_on(site.ground, road_grid, terminals, obstacles=obstacles, criteria=criteria)
    return problem.with_lanes(site.lanes)


def problem_on(
    ground: Ground,
    road_grid: routing_grid.RoutingGrid,
    terminals: Sequence[Terminal],
    *,
    obstacles: Sequence[Polygon],
    criteria: RoadCriteria,
) -> RoutingProblem:
    """Routing problem on a routing grid.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS.
    road_grid : RoutingGrid
        Road positions between the obstacles.
    terminals : sequence of Terminal
        What the roads are to reach.
    obstacles : sequence of Polygon
        Footprints and pads that no road touches.
    criteria : RoadCriteria
        Width, grade, radius and depth of roads.
    """
    shapes = routing_grid.Shapes.of([t.footprint for t in terminals])
    reach_m = np.array([t.reach_m for t in terminals], dtype=np.float64)
    return RoutingProblem(
        ground,
        terminals,
        criteria,
        road_grid,
        shapes,
        routing_grid.Shapes.of([t.pad if t.pad is not None else t.footprint for t in terminals]),
        reach_m,
        _level_with_pads(road_grid, tree_search.Reach.of(road_grid, shapes, reach_m), terminals, criteria),
        np.array([t.priority for t in terminals], dtype=np.int64),
        ShortenableObstacles.of(terminals, obstacles, road_grid),
        np.array([max(criteria.min_radius_m, t.min_radius_m) + criteria.width_m / 2 for t in terminals]),
    )


def _level_with_pads(
    road_grid: routing_grid.RoutingGrid, reach: tree_search.Reach, terminals: Sequence[Terminal], criteria: RoadCriteria
) -> tree_search.Reach:
    """Reach without positions far above or below a pad.

    A pad without any other position keeps them.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions and their heights.
    reach : Reach
        Terminals that each position serves.
    terminals : sequence of Terminal
        What the roads are to reach, with their pads.
    criteria : RoadCriteria
        Grade and depth that a road may use to meet a pad.
    """
    no_plane = (np.nan, 0.0, 0.0)
    planes = np.array(
        [t.pad_plane if t.pad is not None and t.pad_plane else no_plane for t in terminals], dtype=np.float64
    )
    if reach.item.size == 0 or np.isnan(planes[:, 0]).all():
        return reach
    middle = shapely.get_coordinates(
        shapely.centroid(np.array([t.pad or t.footprint for t in terminals], dtype=object))
    )
    some = np.flatnonzero(~np.isnan(planes[reach.item, 0]))
    node, item = reach.node[some], reach.item[some]
    away = np.column_stack([road_grid.px[node], road_grid.py[node]]) - middle[item]
    plane = planes[item]
    step = np.abs(road_grid.heights[node] - plane[:, 0] - (away * plane[:, 1:]).sum(axis=1))
    level = np.ones(reach.item.size, bool)
    level[some] = step <= criteria.max_grade * reach.far[some] + PAD_STEP_SHARE * criteria.max_cut_fill_m
    return reach.kept(level, len(terminals))
