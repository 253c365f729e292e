"""Road network of a site, from the entry to every terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.errors import InputError
from pacifico.layout.model.roads import DEFAULT_CRITERIA, Network, RoadCriteria, Terminal
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.assemble import unreached_reasons
from pacifico.layout.roads.solve import RoadSearch, finish_roads, search_roads, settle_roads
from pacifico.layout.routing import tree_search
from pacifico.layout.routing.problem import RoadSite, make_routing_problem, problem_on
from pacifico.layout.routing.site_entry import Edge, SiteEntry, cheapest_entry, given_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import MultiPolygon, Point, Polygon

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.routing.problem import RoutingProblem
    from pacifico.site.model import Zone

ENTRY_PRIORITY = 9
"""Rank of further entries: roads reach them last, from wherever the network is near."""
ENTRY_SIZE_M, ENTRY_REACH_M = 0.2, 0.5
"""Half the side of a further entry's square, and the distance within which its road must end [m]."""
SAME_ENTRY_M = 15.0
"""Entries nearer to each other count as one [m]."""


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
) -> Network:
    """Connected road network from the entry to all reachable terminals.

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
    criteria : RoadCriteria
        Width, grade, radius, depth.
    cost_zones : sequence of Zone
        Ground that costs `cost_multiplier` times as much to cross.
    boundary : Polygon or MultiPolygon, optional
        The site's outer boundary, on which the entry lies; by default the outer rings of `allowed`.

    Returns
    -------
    Network
        Every terminal is in `served` or in `unreached`, or has lost all its units. No road is steeper than
        `criteria.max_grade` or deeper than `criteria.max_cut_fill_m` at its stations; lines that meet share a vertex.

    Raises
    ------
    InputError
        An entry farther than 60 m from the site's edge, or beside no place for a road.
    """
    site = RoadSite(ground, allowed, entry, boundary, cost_zones)
    found = search_network(site, terminals, obstacles=obstacles, criteria=criteria)
    return finish_roads(settle_roads(found)) if isinstance(found, RoadSearch) else found


def search_network(
    site: RoadSite,
    terminals: Sequence[Terminal],
    *,
    obstacles: Sequence[Polygon],
    criteria: RoadCriteria,
    penalty: FloatArray | None = None,
) -> RoadSearch | Network:
    """First step of `route_network`: search roads to terminals, without finishing them.

    The caller sees from `RoadSearch.unreached` what the roads don't reach. It may search again without that, or finish
    with `settle_roads` and `finish_roads`.

    Parameters
    ----------
    site : RoadSite
        Ground on which roads may lie, and their entry.
    terminals : sequence of Terminal
        What is to be reached.
    obstacles : sequence of Polygon
        Footprints and pads; no strip touches them.
    criteria : RoadCriteria
        Width, grade, radius, depth.
    penalty : (m,) float, optional
        Cost multiplier of each road position, from an earlier search on the same ground.

    Returns
    -------
    RoadSearch or Network
        A network without roads where none can start.

    Raises
    ------
    InputError
        An entry farther than 60 m from the site's edge, or beside no place for a road.
    """
    problem = make_routing_problem(site, terminals, obstacles=obstacles, criteria=criteria)
    if problem is None:
        no_room = Unreached(UnreachedCause.NO_ROUTE, "no legal route: the site has no room for a road")
        return Network((), None, {}, {t.key: no_room for t in terminals})
    site_entry = _site_entry(site, problem)
    if site_entry is None:
        return Network((), None, {}, unreached_reasons(problem, None, set(range(len(terminals))), {}))
    if site.further_entries:
        problem, site_entry = _with_entries(site, problem, site_entry, obstacles)
    return search_roads(problem, site_entry, penalty)


def _with_entries(
    site: RoadSite, problem: RoutingProblem, site_entry: SiteEntry, obstacles: Sequence[Polygon]
) -> tuple[RoutingProblem, SiteEntry]:
    """Problem in which roads also reach further entries.

    Parameters
    ----------
    site : RoadSite
        Ground, and the further entries.
    problem : RoutingProblem
        Problem without them.
    site_entry : SiteEntry
        First entry.
    obstacles : sequence of Polygon
        Footprints and pads.
    """
    road_grid, parts = problem.road_grid, tree_search.parts(problem.road_grid)
    edge = Edge.of(road_grid, site.boundary if site.boundary is not None else site.allowed)
    nodes, warnings = [site_entry.node], list(site_entry.warnings)
    wanted = np.array([site_entry.node])
    for entry in site.further_entries:
        try:
            found = given_entry(road_grid, edge, entry, site.allowed, wanted=wanted, parts=parts)
        except InputError as error:
            warnings.append(f"another entry is not used: {error}")
            continue
        if parts[found.node] != parts[site_entry.node]:
            continue
        x, y = road_grid.px[found.node], road_grid.py[found.node]
        if min(float(np.hypot(road_grid.px[n] - x, road_grid.py[n] - y)) for n in nodes) >= SAME_ENTRY_M:
            nodes.append(found.node)
            warnings += found.warnings
    terminals = [
        Terminal(-k, box(x - ENTRY_SIZE_M, y - ENTRY_SIZE_M, x + ENTRY_SIZE_M, y + ENTRY_SIZE_M), ENTRY_REACH_M, ENTRY_PRIORITY, is_entry=True)
        for k, n in enumerate(nodes[1:], 1)
        for x, y in [(float(road_grid.px[n]), float(road_grid.py[n]))]
    ]  # fmt: skip
    site_entry = replace(site_entry, warnings=tuple(warnings))
    if not terminals:
        return problem, site_entry
    more = [*problem.terminals, *terminals]
    with_more = problem_on(site.ground, road_grid, more, obstacles=obstacles, criteria=problem.criteria)
    return with_more.with_lanes(problem.lanes), site_entry


def _site_entry(site: RoadSite, problem: RoutingProblem) -> SiteEntry | None:
    """Requested or cheapest entry; None where no road can start."""
    road_grid, reach, priority = problem.road_grid, problem.reach, problem.priority
    edge = Edge.of(road_grid, site.boundary if site.boundary is not None else site.allowed)
    if site.entry is None:
        order = np.argsort(priority, kind="stable")
        max_grade = problem.criteria.max_grade
        return cheapest_entry(road_grid, edge, order, reach, max_grade=max_grade, existing=site.existing)
    first = priority[reach.item] == priority.min() if reach.item.size else np.zeros(0, bool)
    return given_entry(
        road_grid, edge, site.entry, site.allowed, wanted=reach.node[first], parts=tree_search.parts(road_grid)
    )
