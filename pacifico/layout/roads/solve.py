"""Solve a routing problem: search, design, reroute and drop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from shapely import Point, box

from pacifico.layout.alignment import profile_design
from pacifico.layout.alignment.branches import Branches
from pacifico.layout.alignment.horizontal import draw_alignment
from pacifico.layout.alignment.pruning import pruned, without
from pacifico.layout.model.roads import Network
from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.assemble import assemble_network, unreached_reasons
from pacifico.layout.roads.design import design_roads, repair_bends, smooth_bends
from pacifico.layout.roads.shorten_arrays import shorten_for_bends
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import TOLERANCE_M, served_downstream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.roads.design import RoadDesign
    from pacifico.layout.routing.problem import RoutingProblem
    from pacifico.layout.routing.shortenable import ShortenableObstacles
    from pacifico.layout.routing.site_entry import SiteEntry


PROFILE_DETOURS = 3
"""Searches that avoid places without a legal profile before terminals are dropped."""
PROFILE_PENALTY = 3.0
"""Cost multiplier of ground around a place without a legal profile, for each search."""
BEND_DETOURS = 3
"""Searches that avoid bends and turns that stay too tight."""
BEND_PENALTY = 200.0
"""Cost multiplier of ground around such a bend, for each search."""
PENALTY_CELLS = 2
"""Cells on each side of a place whose cost is raised."""
FEW = 0.02
"""Share of the terminals that may be cut off by tight bends before other routes are searched."""
MAX_DROPPED = 0.1
"""Share of the served terminals that is dropped for tight bends at most; beyond it roads stay, with a warning."""
CROSSING = Unreached(UnreachedCause.NO_ROUTE, "no legal route: its road would cross another without a junction")


@dataclass(frozen=True)
class RoadTree:
    """Least-cost tree of moves, with its branches and their design."""

    parent: IntArray
    server: IntArray
    """Road position that serves each terminal; -1 where none does."""
    unreached: dict[int, Unreached]
    """Terminals that were dropped so far, and why."""
    branches: Branches
    pulled: RoadDesign
    """Design with lines pulled tight, before bends are smoothed."""
    penalty: FloatArray
    """Cost multiplier of each road position with which the tree was found."""


@dataclass(frozen=True)
class RoadSearch:
    """Search result: a tree to the terminals that a legal profile reaches."""

    problem: RoutingProblem
    site_entry: SiteEntry
    tree: RoadTree

    @cached_property
    def unreached(self) -> dict[int, Unreached]:
        """Why terminals are not reached, by key."""
        return unreached_reasons(self.problem, self.site_entry, self.tree.pulled.unserved, self.tree.unreached)

    def without_roads(self) -> Network:
        """Network without roads that names the terminals not reached."""
        return Network((), Point(self.site_entry.point), {}, self.unreached)


@dataclass(frozen=True)
class SettledRoads:
    """Designed roads, ready to be assembled into a network."""

    search: RoadSearch
    design: RoadDesign
    dropped: dict[int, Unreached]
    """Terminals that were dropped, and why."""
    droppable: int
    """How many more terminals may be dropped for tight bends."""

    @property
    def served(self) -> set[int]:
        """Keys of the terminals that have a road."""
        return {self.design.problem.terminals[t].key for t in self.design.alignment.line_of}

    @cached_property
    def unreached(self) -> dict[int, Unreached]:
        """Why terminals are not reached, by key."""
        return unreached_reasons(self.search.problem, self.search.site_entry, self.design.unserved, self.dropped)


def search_roads(problem: RoutingProblem, site_entry: SiteEntry, penalty: FloatArray | None = None) -> RoadSearch:
    """Search the tree of least cost that has a legal profile.

    `penalty` multiplies the cost of single road positions, as found by an earlier search.
    """
    start = np.ones(problem.road_grid.px.size) if penalty is None else penalty
    return RoadSearch(problem, site_entry, _search_tree(problem, site_entry, start))


def settle_roads(search: RoadSearch) -> SettledRoads:
    """Smooth bends, reroute around tight ones, and drop terminals behind them."""
    tree, design = _reroute_tight(search.site_entry, search.tree)
    droppable = 0 if design.is_large else int(MAX_DROPPED * len(design.alignment.line_of))
    settled, dropped = _drop_cut_off(design, droppable)
    return SettledRoads(search, settled, tree.unreached | dropped, droppable - len(dropped))


def drop_terminals(roads: SettledRoads, terminals: Mapping[int, Unreached]) -> SettledRoads:
    """Roads without some terminals, and without lines that lead to no other.

    `terminals` gives the reason for each key.
    """
    design = roads.design
    reasons = {t: terminals[one.key] for t, one in enumerate(design.problem.terminals) if one.key in terminals}
    fewer = design_roads(design.problem, without(design.problem, design.alignment, reasons))
    settled, dropped = _drop_cut_off(fewer, roads.droppable)
    return replace(
        roads,
        design=settled,
        dropped=roads.dropped | reasons | dropped,
        droppable=roads.droppable - len(dropped),
    )


def finish_roads(roads: SettledRoads) -> Network:
    """Network of designed roads."""
    return assemble_network(roads.design, roads.search.site_entry, roads.dropped)


def _search_tree(problem: RoutingProblem, site_entry: SiteEntry, penalty: FloatArray) -> RoadTree:
    """Tree of least cost that avoids places without a legal profile.

    Terminals that still have none after some searches are dropped.
    """
    for detour in range(PROFILE_DETOURS + 1):
        growth = tree_search.search(
            problem.road_grid,
            np.array([site_entry.node]),
            reach=problem.reach,
            priority=problem.priority,
            max_grade=problem.criteria.max_grade,
            penalty=penalty,
        )
        parent, _ = tree_search.uncrossed(problem.road_grid, growth)
        alignment, branches = draw_alignment(problem, Branches.of(problem, site_entry, parent, growth.server))
        pulled = design_roads(problem, alignment)
        deficient = pulled.profile.excess_m > TOLERANCE_M
        if not deficient.any() or detour == PROFILE_DETOURS:
            break
        penalty = raise_penalty(problem.road_grid, penalty, pulled.stations.xy[deficient], PROFILE_PENALTY)
    return _drop_without_profile(site_entry, RoadTree(parent, growth.server.copy(), {}, branches, pulled, penalty))


def _drop_without_profile(site_entry: SiteEntry, tree: RoadTree) -> RoadTree:
    """Tree without the terminals that no legal profile reaches."""
    problem = tree.pulled.problem
    server, unreached = tree.server.copy(), dict(tree.unreached)
    branches, pulled = tree.branches, tree.pulled
    while dropped := _without_profile(pulled):
        unreached |= dropped
        server[list(dropped)] = -1
        alignment, branches = draw_alignment(problem, Branches.of(problem, site_entry, tree.parent, server))
        pulled = design_roads(problem, alignment)
    return replace(tree, server=server, unreached=unreached, branches=branches, pulled=pulled)


def _without_profile(design: RoadDesign) -> dict[int, Unreached]:
    """Terminals behind the first obstacle to a legal profile, and why."""
    problem, alignment, profile = design.problem, design.alignment, design.profile
    crossing = profile_design.behind_crossing(alignment)
    if crossing:
        return dict.fromkeys(crossing, CROSSING)
    grade, depth = 100 * problem.criteria.max_grade, problem.criteria.max_cut_fill_m
    deep = profile_design.behind_deep_earthwork(problem, alignment, design.stations, profile)
    if deep:
        message = f"too steep: no road profile within {grade:g} % and {depth:g} m of cut or fill"
        return dict.fromkeys(deep, Unreached(UnreachedCause.TOO_STEEP, message))
    message = f"too steep: the road can't meet its pad within {grade:g} %"
    missed = profile_design.missed_pads(alignment, profile, design.pins)
    return dict.fromkeys(missed, Unreached(UnreachedCause.TOO_STEEP, message))


def _reroute_tight(site_entry: SiteEntry, tree: RoadTree) -> tuple[RoadTree, RoadDesign]:
    """Reroute terminals behind tight bends where there is another way.

    Where rerouting them alone fails, the whole tree is searched again once.
    """
    problem, design = tree.pulled.problem, _smooth_tree(site_entry, tree)
    count = len(problem.terminals)
    searched_again = False
    for _ in range(0 if design.is_large else BEND_DETOURS):
        constrained = design.constrained
        if len(design.cut_off) <= FEW * count and constrained == design.cut_off.keys():
            break
        penalty = raise_penalty(problem.road_grid, tree.penalty, np.array([t.xy for t in design.tight]), BEND_PENALTY)
        other = _reroute(site_entry, replace(tree, penalty=penalty), constrained)
        rerouted = _smooth_tree(site_entry, other)
        if not searched_again and _deficit(rerouted) > len(design.unserved) + FEW * count:
            searched_again = True
            other = _search_tree(problem, site_entry, penalty)
            rerouted = _smooth_tree(site_entry, other)
        if _deficit(rerouted) >= _deficit(design):
            break
        tree, design = other, rerouted
    return tree, design


def _deficit(design: RoadDesign) -> int:
    """Number of terminals not served, or only by too tight bends."""
    return len(design.unserved) + len(design.constrained)


def _reroute(site_entry: SiteEntry, tree: RoadTree, terminals: set[int]) -> RoadTree:
    """Reroute some terminals; all others keep their roads."""
    problem = tree.pulled.problem
    server = tree.server.copy()
    some = np.array(sorted(terminals), dtype=np.int64)
    server[some] = -1
    kept = np.zeros(tree.parent.size, bool)
    kept[site_entry.node] = True
    for node in server[server >= 0].tolist():
        n = node
        while not kept[n]:
            kept[n] = True
            n = int(tree.parent[n])
    growth = tree_search.search(
        problem.road_grid,
        np.flatnonzero(kept),
        reach=problem.reach.to(some),
        priority=problem.priority[some],
        max_grade=problem.criteria.max_grade,
        penalty=tree.penalty,
    )
    grown = np.where(kept, tree.parent, growth.parent)
    server[some] = growth.server
    parent, _ = tree_search.uncrossed(problem.road_grid, replace(growth, parent=grown))
    alignment, branches = draw_alignment(problem, Branches.of(problem, site_entry, parent, server))
    pulled = design_roads(problem, alignment)
    return _drop_without_profile(
        site_entry, replace(tree, parent=parent, server=server, branches=branches, pulled=pulled)
    )


def _smooth_tree(site_entry: SiteEntry, tree: RoadTree) -> RoadDesign:
    """Design of a tree with smooth bends.

    Arrays are shortened where that makes room for bends that are still too tight.
    """
    problem = tree.pulled.problem
    best = repair_bends(smooth_bends(problem, tree.branches) or tree.pulled)
    if best.is_large or len(best.cut_off) <= FEW * len(problem.terminals):
        return best
    shorter = shorten_for_bends(problem, best.alignment)
    if shorter.removed_units:
        smaller, server = _with_shorter(problem, shorter), tree.server.copy()
        server[list(shorter.removed_terminals)] = -1
        smoothed = smooth_bends(smaller, Branches.of(smaller, site_entry, tree.parent, server))
        if smoothed is not None:
            smoothed = repair_bends(smoothed)
            if len(smoothed.tight) < len(best.tight):
                return smoothed
    return best


def _with_shorter(problem: RoutingProblem, shorter: ShortenableObstacles) -> RoutingProblem:
    """Problem in which terminals are as long as their shortened obstacles."""
    terminals = list(problem.terminals)
    rects = shorter.rects()
    for k in np.flatnonzero((shorter.removed.sum(axis=1) > 0) & (shorter.units_left > 0)).tolist():
        t = int(shorter.table.terminal[k])
        terminals[t] = replace(terminals[t], footprint=box(*rects[k]))
    shapes = routing_grid.Shapes.of([t.footprint for t in terminals])
    return replace(
        problem,
        terminals=terminals,
        shapes=shapes,
        road_grid=shorter.road_grid(),
        shortenable=shorter,
        pulled={},
        unrepairable=set(),
    )


def _drop_cut_off(design: RoadDesign, most: int) -> tuple[RoadDesign, dict[int, Unreached]]:
    """Drop terminals that only illegal bends lead to.

    Bends with few terminals downstream come first. At most `most` terminals are dropped: other illegal bends stay.
    """
    problem = design.problem
    half_width_m = problem.criteria.width_m / 2
    dropped: dict[int, Unreached] = {}
    while len(dropped) < most:
        downstream = served_downstream(design.alignment)
        tight = sorted(design.illegal, key=lambda t: downstream[t.line])
        left = most - len(dropped) - np.cumsum([downstream[t.line] for t in tight])
        tight = [t for t, rest in zip(tight, left.tolist(), strict=True) if rest >= 0]
        if not tight:
            break
        alignment, cut_off = pruned(problem, design.alignment, tight)
        fewer = design_roads(problem, alignment)
        if profile_design.deficient_stations(fewer.profile, fewer.pins).any():
            break
        dropped |= {t: _too_tight(radius_m - half_width_m) for t, radius_m in cut_off.items()}
        # where a junction was there may be a bend now
        design = repair_bends(fewer)
    return design, dropped


def _too_tight(radius_m: float) -> Unreached:
    """Reason for a terminal behind a bend tighter than an inner radius."""
    message = f"too tight: on the way a road would bend tighter than an inner radius of {radius_m:g} m"
    return Unreached(UnreachedCause.TOO_TIGHT, message)


def raise_penalty(
    road_grid: routing_grid.RoutingGrid, penalty: FloatArray, places: FloatArray, factor: float
) -> FloatArray:
    """Penalties multiplied by a factor around some places.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    penalty : (m,) float
        Cost multiplier of each position so far.
    places : (n, 2) float
        Places that a search should avoid [m].
    factor : float
        Multiplier of the penalty of positions within two cells of a place.
    """
    i = ((places[:, 0] - road_grid.x0) / road_grid.cell + 0.5).astype(np.int64)
    j = ((places[:, 1] - road_grid.y0) / road_grid.cell + 0.5).astype(np.int64)
    around = np.zeros(penalty.size, bool)
    offsets = range(-PENALTY_CELLS, PENALTY_CELLS + 1)
    for dj in offsets:
        for di in offsets:
            jj, ii = np.clip(j + dj, 0, road_grid.ny - 1), np.clip(i + di, 0, road_grid.nx - 1)
            around[jj * road_grid.nx + ii] = True
    raised = penalty.copy()
    raised[around] *= factor
    return raised
