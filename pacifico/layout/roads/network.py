"""Roads: one legal, connected network from the site entry to every terminal, with a designed profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from pacifico.layout.model.roads import DEFAULT_CRITERIA, Network, RoadCriteria, Terminal
from pacifico.layout.roads.assemble import reasons
from pacifico.layout.roads.solve import solve_network
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import RoutingProblem
from pacifico.layout.routing.shortenable import ShortenableObstacles
from pacifico.layout.routing.site_entry import Edge, SiteEntry, cheapest_entry, given_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.model.roads import Again, Orphans
    from pacifico.site.model import Zone


BRIDGED = 0.35
"""Share of the depth limit that a road may use up beside a pad."""


def route_network(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    terminals: Sequence[Terminal],
    *,
    entry: Point | None = None,
    obstacles: Sequence[Polygon] = (),
    criteria: RoadCriteria = DEFAULT_CRITERIA,
    cost_zones: Sequence[Zone] = (),
    boundary: Polygon | MultiPolygon | None = None,
    again: Again | None = None,
    orphans: Orphans | None = None,
    tax: FloatArray | None = None,
) -> Network:
    """One connected road network from the entry to every terminal that a legal road can reach.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS; nodata is never crossed.
    allowed : Polygon or MultiPolygon
        Site less exclusions; every strip (line buffered by half the width, flat ends) lies inside it.
    terminals : sequence of Terminal
        What is to be reached, lowest `priority` first, then the nearest to the network.
    entry : Point, optional
        Where the roads begin; by default the place on the boundary that is cheapest to reach the first terminal from.
    obstacles : sequence of Polygon
        Footprints and pads; no strip touches them.
    rules : RoadRules
        Width, grade, radius, depth.
    cost_zones : sequence of Zone
        Ground that costs `cost_multiplier` times as much to cross.
    boundary : Polygon or MultiPolygon, optional
        The site's outer boundary, on which the entry lies; by default the outer rings of `allowed`.
    again : callable, optional
        Asked with the reasons of terminals that are not reached, if there are any: whether to give no roads, and so save
        finishing them, for who asks again without some.
    orphans : callable, optional
        Asked the same once roads are done: who else is of no use then, and why; they are left out too.
    tax : ndarray, optional
        That of the network before, which gave no roads.

    Returns
    -------
    Network
        Every terminal is in `served` or in `unreached`. No road is steeper than `rules.max_grade` or deeper than
        `rules.max_cut_fill_m` at its stations; lines that meet share a vertex.

    Raises
    ------
    InputError
        An entry farther than 60 m from the site's edge, or beside no place for a road.
    """
    problem = _case(ground, allowed, terminals=terminals, obstacles=obstacles, criteria=criteria, cost_zones=cost_zones)
    if problem is None:
        return Network((), None, {}, {t.key: "no legal route: the site has no room for a road" for t in terminals})
    order = np.argsort(problem.priority, kind="stable")
    edge = Edge.of(problem.road_grid, boundary if boundary is not None else allowed)
    site_entry: SiteEntry | None
    if entry is not None:
        first = np.repeat(np.arange(problem.road_grid.px.size), np.diff(problem.reach.row))
        urgent = (
            problem.priority[problem.reach.item] == problem.priority.min()
            if problem.reach.item.size
            else np.zeros(0, bool)
        )
        site_entry = given_entry(
            problem.road_grid, edge, entry, allowed, wanted=first[urgent], parts=tree_search.parts(problem.road_grid)
        )
    else:
        site_entry = cheapest_entry(problem.road_grid, edge, order, problem.reach, max_grade=criteria.max_grade)
    if site_entry is None:
        return Network((), None, {}, reasons(problem, None, set(range(len(terminals))), {}))
    return solve_network(problem, site_entry, tax, again, orphans)


def _case(
    ground: Ground,
    allowed: Polygon | MultiPolygon,
    *,
    terminals: Sequence[Terminal],
    obstacles: Sequence[Polygon],
    criteria: RoadCriteria,
    cost_zones: Sequence[Zone],
) -> RoutingProblem | None:
    known = box(*ground.grid.bounds)
    if not known.covers(allowed):  # off the raster there is no ground
        allowed = MultiPolygon(routing_grid.parts_of(shapely.intersection(allowed, known)))
    if allowed.is_empty:
        return None
    road_grid = routing_grid.make_routing_grid(
        ground,
        allowed,
        obstacles,
        [(z.geometry, z.cost_multiplier) for z in cost_zones],
        half_width_m=criteria.width_m / 2,
        clearance_m=criteria.clearance_m,
        cell=criteria.cells * routing_grid.cell_size(allowed.area),
        earth_price=criteria.earth_price,
    )
    if not (road_grid.clear > 0).any():
        return None
    shapes = routing_grid.Shapes.of([t.footprint for t in terminals])
    pads = routing_grid.Shapes.of([t.pad if t.pad is not None else t.footprint for t in terminals])
    reach_m = np.array([t.reach_m for t in terminals], dtype=np.float64)
    priority = np.array([t.priority for t in terminals], dtype=np.int64)
    reach = _level_with_pads(road_grid, tree_search.Reach.of(road_grid, shapes, reach_m), terminals, criteria)
    shortenable = ShortenableObstacles.of(terminals, obstacles, road_grid)
    size = np.array([max(criteria.min_radius_m, t.min_radius_m) + criteria.width_m / 2 for t in terminals])
    return RoutingProblem(
        ground, terminals, criteria, road_grid, shapes, pads, reach_m, reach, priority, shortenable, size
    )


def _level_with_pads(
    road_grid: routing_grid.RoutingGrid, reach: tree_search.Reach, terminals: Sequence[Terminal], criteria: RoadCriteria
) -> tree_search.Reach:
    """Leave out road positions beside a pad but far above or below it, where there are others."""
    none = (np.nan, 0.0, 0.0)
    planes = np.array([t.pad_plane if t.pad is not None and t.pad_plane else none for t in terminals], dtype=np.float64)
    if reach.item.size == 0 or np.isnan(planes[:, 0]).all():
        return reach
    middle = shapely.get_coordinates(
        shapely.centroid(np.array([t.pad or t.footprint for t in terminals], dtype=object))
    )
    some = np.flatnonzero(~np.isnan(planes[reach.item, 0]))
    node, item = np.searchsorted(reach.row, some, side="right") - 1, reach.item[some]
    away = np.column_stack([road_grid.px[node], road_grid.py[node]]) - middle[item]
    plane = planes[item]
    step = np.abs(road_grid.heights[node] - plane[:, 0] - (away * plane[:, 1:]).sum(axis=1))
    can = np.ones(reach.item.size, bool)
    can[some] = step <= criteria.max_grade * reach.far[some] + BRIDGED * criteria.max_cut_fill_m
    return reach.kept(can, len(terminals))
