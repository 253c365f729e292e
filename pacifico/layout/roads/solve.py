"""The network of a case: searched, drawn, bends eased and mended; what no legal road leads to is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from shapely import Point, box

from pacifico.layout.alignment import profile_design
from pacifico.layout.alignment.curve_repair import repair_curves
from pacifico.layout.alignment.height_ranges import HeightRanges
from pacifico.layout.alignment.horizontal import Strands, draw_alignment
from pacifico.layout.alignment.pruning import barring, pruned, tight_places, without
from pacifico.layout.alignment.smoothing import NOTHING
from pacifico.layout.model.roads import Network
from pacifico.layout.roads.assemble import assemble_network, reasons
from pacifico.layout.roads.shorten_arrays import bending
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import TOLERANCE_M, served_downstream

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.alignment.pruning import Tight
    from pacifico.layout.alignment.vertical import GradeLine, Pin, Stations
    from pacifico.layout.model.roads import Again, Orphans
    from pacifico.layout.routing.problem import HorizontalAlignment, RoutingProblem
    from pacifico.layout.routing.shortenable import ShortenableObstacles
    from pacifico.layout.routing.site_entry import SiteEntry


DETOURS = 3
"""Searches that avoid where no profile was found before terminals are given up."""
BENT_DETOURS = 3
"""Searches more for what lies beyond bends and turns which stayed too tight, that avoid those."""
BENT_TAX = 200.0
"""How many times dearer ground about them is for each."""
FEW_LOST = 0.02
"""Share of the terminals that is given up without looking for other ways."""
MOST_LOST = 0.1
"""Share of what is served that is given up for tight bends at most: where more hangs on them roads stay, and it is told."""
LARGE = 700
"""Terminals of a network beyond which bends are eased and mended, and those that stay too tight are told: to look for other
ways takes as long as all the rest, and much hangs on each."""
EASINGS = 9
"""Most drawings with bends eased; the last ones keep more and more as it was."""
MENDINGS = 3
"""Most times that tight places are mended, each time without where that left no profile."""
EASED_APART_M = 25.0
"""Round a place where easing left no profile this much stays as it was, twice as much each time that does not help."""
WORST = 0.5
"""Share of the most that a station of a line lacks from which on its surroundings stay as they were."""
TOO_TIGHT = "too tight: on the way a road would bend tighter than an inner radius of {radius:g} m"


@dataclass(frozen=True)
class Designed:
    """A drawing with its heights, and the case in which it holds: terminals may have given up units."""

    problem: RoutingProblem
    alignment: HorizontalAlignment
    stations: Stations
    profile: GradeLine
    pins: list[tuple[int, Pin]]
    """Heights that pads ask for, with their terminals."""

    @cached_property
    def tight(self) -> list[Tight]:
        """Bends and turns that are tighter than what lies beyond them asks for."""
        return tight_places(self.problem, self.alignment)

    @cached_property
    def barring(self) -> list[Tight]:
        """Bends and turns that are tighter than the rule."""
        return barring(self.problem, self.alignment)

    @cached_property
    def cut_off(self) -> dict[int, float]:
        """Terminals beyond those, and the radius that they lack."""
        return pruned(self.problem, self.alignment, self.barring)[1] if self.barring else {}

    @cached_property
    def astray(self) -> set[int]:
        """Terminals beyond bends and turns that are tighter than each asks for."""
        wide = np.flatnonzero(self.problem.size > self.problem.least).tolist()
        lacks = pruned(self.problem, self.alignment, self.tight)[1] if wide and self.tight else {}
        return {*self.cut_off, *(t for t in wide if t in lacks)}

    @cached_property
    def missing(self) -> set[int]:
        """Terminals that are not served, but for those that gave up all their units."""
        return set(range(len(self.problem.terminals))) - set(self.alignment.line_of) - self.problem.shortenable.gone


@dataclass(frozen=True)
class Searched:
    """A tree of moves that has a profile, and why it leaves terminals out."""

    parent: IntArray
    server: IntArray
    given_up: dict[int, str]
    strands: Strands
    first: Designed
    """Pulled tight, no bend eased."""


def solve_network(
    problem: RoutingProblem,
    site_entry: SiteEntry,
    known: FloatArray | None,
    again: Again | None,
    orphans: Orphans | None,
) -> Network:
    """Search, draw, design; go round what has no profile or bends too tight, then give up what lies beyond it."""
    tax = np.ones(problem.road_grid.px.size) if known is None else known.copy()
    found = _searched(problem, site_entry, tax)
    missing = found.first.missing
    if missing and again is not None:
        why = reasons(problem, site_entry, missing, found.given_up)
        if again(why):
            return Network((), Point(site_entry.point), {}, why, tax=tax)
    found, bent = _round_tight(site_entry, found, tax)
    most = 0 if len(problem.terminals) > LARGE else int(MOST_LOST * len(bent.alignment.line_of))
    done, lost = _settled(bent, most)
    given_up = found.given_up | lost
    while orphans is not None and (missing := done.missing):
        alone = orphans(reasons(problem, site_entry, missing, given_up))
        more = {t: alone[problem.terminals[t].key] for t in done.alignment.line_of if problem.terminals[t].key in alone}
        if not more:
            break
        most -= len(lost)
        done, lost = _settled(_designed(done.problem, without(done.problem, done.alignment, more)), most)
        given_up |= more | lost
    return assemble_network(
        done.problem, site_entry, done.alignment, stations=done.stations, profile=done.profile, given_up=given_up
    )


def _searched(problem: RoutingProblem, site_entry: SiteEntry, tax: FloatArray) -> Searched:
    """Least-cost tree; where it has no profile the search avoids that, and what has none all the same is left out."""
    turn = 0
    while True:
        growth = tree_search.search(
            problem.road_grid, np.array([site_entry.node]), reach=problem.reach, priority=problem.priority,
            max_grade=problem.criteria.max_grade, tax=tax,
        )  # fmt: skip
        parent, _ = tree_search.uncrossed(problem.road_grid, growth)
        strands = Strands.of(problem, site_entry, parent, growth.server)
        first = _designed(problem, draw_alignment(problem, strands))
        bad = first.profile.excess_m > TOLERANCE_M
        if not bad.any() or turn == DETOURS:
            return _profiled(site_entry, Searched(parent, growth.server.copy(), {}, strands, first))
        _avoid(problem.road_grid, tax, first.stations.xy[bad])
        turn += 1


def _profiled(site_entry: SiteEntry, found: Searched) -> Searched:
    """Tree without the terminals to which no profile leads."""
    problem, first, strands = found.first.problem, found.first, found.strands
    server, given_up = found.server.copy(), dict(found.given_up)
    while True:
        out = (
            profile_design.beyond_crossing(first.alignment)
            or profile_design.beyond_depth(problem, first.alignment, first.stations, first.profile)
            or profile_design.off_pads(first.alignment, first.profile, first.pins)
        )
        if not out:
            return Searched(found.parent, server, given_up, strands, first)
        for t, reason in out.items():
            given_up[t] = reason.format(grade=100 * problem.criteria.max_grade, depth=problem.criteria.max_cut_fill_m)
            server[t] = -1
        strands = Strands.of(problem, site_entry, found.parent, server)
        first = _designed(problem, draw_alignment(problem, strands))


def _round_tight(site_entry: SiteEntry, found: Searched, tax: FloatArray) -> tuple[Searched, Designed]:
    """Bends eased and mended; what lies beyond those that stay too tight is led another way, where there is one.

    Where none leaves the roads as they are, all are sought anew.
    """
    problem, bent = found.first.problem, _bent(found, site_entry)
    count = len(problem.terminals)
    anew = False
    for _ in range(BENT_DETOURS if count <= LARGE else 0):
        lost = bent.astray
        if len(bent.cut_off) <= FEW_LOST * count and lost == bent.cut_off.keys():
            break
        _avoid(problem.road_grid, tax, np.array([t.xy for t in bent.tight]), BENT_TAX)
        other = _regrown(site_entry, found, lost, tax)
        tried = _bent(other, site_entry)
        if not anew and len(tried.missing) + len(tried.astray) > len(bent.missing) + FEW_LOST * count:
            anew = True
            other = _searched(problem, site_entry, tax)
            tried = _bent(other, site_entry)
        if len(tried.missing) + len(tried.astray) >= len(bent.missing) + len(lost):
            break
        found, bent = other, tried
    return found, bent


def _regrown(site_entry: SiteEntry, found: Searched, lost: set[int], tax: FloatArray) -> Searched:
    """Tree in which new ways lead to some terminals, and all others keep theirs."""
    problem = found.first.problem
    server = found.server.copy()
    some = np.array(sorted(lost), dtype=np.int64)
    server[some] = -1
    kept = np.zeros(found.parent.size, bool)
    kept[site_entry.node] = True
    for node in server[server >= 0].tolist():
        n = node
        while not kept[n]:
            kept[n] = True
            n = int(found.parent[n])
    growth = tree_search.search(
        problem.road_grid, np.flatnonzero(kept), reach=problem.reach.to(some), priority=problem.priority[some],
        max_grade=problem.criteria.max_grade, tax=tax,
    )  # fmt: skip
    grown = np.where(kept, found.parent, growth.parent)
    server[some] = growth.server
    parent, _ = tree_search.uncrossed(problem.road_grid, replace(growth, parent=grown))
    strands = Strands.of(problem, site_entry, parent, server)
    return _profiled(
        site_entry,
        Searched(parent, server, found.given_up, strands, _designed(problem, draw_alignment(problem, strands))),
    )


def _bent(found: Searched, site_entry: SiteEntry) -> Designed:
    """Bends eased and mended; arrays give up units where that alone makes room."""
    problem = found.first.problem
    best = _mended(_eased(problem, found.strands) or found.first)
    if len(problem.terminals) > LARGE or len(best.cut_off) <= FEW_LOST * len(problem.terminals):
        return best
    less = bending(problem, best.alignment)
    if less.count:
        smaller, server = _given(problem, less), found.server.copy()
        server[less.who[less.left <= 0]] = -1
        tried = _eased(smaller, Strands.of(smaller, site_entry, found.parent, server))
        if tried is not None:
            tried = _mended(tried)
            if len(tried.tight) < len(best.tight):
                return tried
    return best


def _given(problem: RoutingProblem, less: ShortenableObstacles) -> RoutingProblem:
    """Case in which terminals are as short as what they give up leaves them."""
    terminals = list(problem.terminals)
    rects = less.rects()
    for k in np.flatnonzero((less.cut.sum(axis=1) > 0) & (less.left > 0)).tolist():
        t = int(less.who[k])
        terminals[t] = replace(terminals[t], footprint=box(*rects[k]))
    shapes = routing_grid.Shapes.of([t.footprint for t in terminals])
    return replace(
        problem,
        terminals=terminals,
        shapes=shapes,
        road_grid=less.road_grid(),
        shortenable=less,
        pulled={},
        hopeless=set(),
    )


def _designed(problem: RoutingProblem, alignment: HorizontalAlignment) -> Designed:
    """Drawing with its heights."""
    stations = profile_design.stations_along(problem, alignment)
    return Designed(problem, alignment, stations, *profile_design.designed(problem, alignment, stations))


def _eased(problem: RoutingProblem, strands: Strands) -> Designed | None:
    """Lines with room for their bends, and their profile; None where that would leave none."""
    keep = NOTHING
    for _ in range(EASINGS):
        now = _designed(problem, draw_alignment(problem, strands, keep=keep))
        bad = profile_design.lacking(now.profile, now.pins)
        if not bad.any():
            return None if now.alignment.crossing else now
        most = profile_design.worst_of_line(now.stations, now.profile)
        keep = keep.wider(now.stations.xy[bad & (now.profile.excess_m >= WORST * most)], EASED_APART_M)
    return None


def _mended(best: Designed) -> Designed:
    """Lines with drivable curves at tight places, as far as these leave a profile."""
    problem = best.problem
    if not best.tight:
        return best
    large = len(problem.terminals) > LARGE
    leeway, keep = HeightRanges(problem, once=large), NOTHING
    for _ in range(MENDINGS if leeway.holds(best.alignment) else 0):
        alignment = repair_curves(problem, best.alignment, keep=keep, leeway=leeway)
        if alignment is best.alignment:
            break
        now = _designed(problem, alignment)
        bad = profile_design.lacking(now.profile, now.pins)
        if not bad.any():
            return now
        keep = keep.wider(now.stations.xy[bad], EASED_APART_M)
        if not large:
            leeway.holds(best.alignment)
    return best


def _settled(now: Designed, most: int) -> tuple[Designed, dict[int, str]]:
    """Network without what lies beyond tight places, and why, few first; what more than `most` hangs on stays, and is told."""
    problem, half = now.problem, now.problem.criteria.width_m / 2
    given_up: dict[int, str] = {}
    while len(given_up) < most:
        beyond = served_downstream(now.alignment)
        tight = sorted(now.barring, key=lambda t: beyond[t.line])
        left = most - len(given_up) - np.cumsum([beyond[t.line] for t in tight])
        tight = [t for t, more in zip(tight, left.tolist(), strict=True) if more >= 0]
        if not tight:
            break
        alignment, lost = pruned(problem, now.alignment, tight)
        less = _designed(problem, alignment)
        if profile_design.lacking(less.profile, less.pins).any():
            break
        given_up |= {t: TOO_TIGHT.format(radius=size - half) for t, size in lost.items()}
        # what was a junction may be a bend now
        now = _mended(less)
    return now, given_up


def _avoid(road_grid: routing_grid.RoutingGrid, tax: FloatArray, places: FloatArray, times: float = 3.0) -> None:
    """Raise the cost of road positions around places where no profile was found, or no bend wide enough."""
    i = ((places[:, 0] - road_grid.x0) / road_grid.cell + 0.5).astype(np.int64)
    j = ((places[:, 1] - road_grid.y0) / road_grid.cell + 0.5).astype(np.int64)
    around = np.zeros(tax.size, bool)
    for dj in range(-2, 3):
        for di in range(-2, 3):
            jj, ii = np.clip(j + dj, 0, road_grid.ny - 1), np.clip(i + di, 0, road_grid.nx - 1)
            around[jj * road_grid.nx + ii] = True
    tax[around] *= times
