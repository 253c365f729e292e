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

    case: RoutingProblem
    drawing: HorizontalAlignment
    stations: Stations
    profile: GradeLine
    pins: list[tuple[int, Pin]]
    """Heights that pads ask for, with their terminals."""

    @cached_property
    def tight(self) -> list[Tight]:
        """Bends and turns that are tighter than what lies beyond them asks for."""
        return tight_places(self.case, self.drawing)

    @cached_property
    def barring(self) -> list[Tight]:
        """Bends and turns that are tighter than the rule."""
        return barring(self.case, self.drawing)

    @cached_property
    def cut_off(self) -> dict[int, float]:
        """Terminals beyond those, and the radius that they lack."""
        return pruned(self.case, self.drawing, self.barring)[1] if self.barring else {}

    @cached_property
    def astray(self) -> set[int]:
        """Terminals beyond bends and turns that are tighter than each asks for."""
        wide = np.flatnonzero(self.case.size > self.case.least).tolist()
        lacks = pruned(self.case, self.drawing, self.tight)[1] if wide and self.tight else {}
        return {*self.cut_off, *(t for t in wide if t in lacks)}

    @cached_property
    def missing(self) -> set[int]:
        """Terminals that are not served, but for those that gave up all their units."""
        return set(range(len(self.case.terminals))) - set(self.drawing.line_of) - self.case.yields.gone


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
    case: RoutingProblem, gate: SiteEntry, known: FloatArray | None, again: Again | None, orphans: Orphans | None
) -> Network:
    """Search, draw, design; go round what has no profile or bends too tight, then give up what lies beyond it."""
    tax = np.ones(case.lattice.px.size) if known is None else known.copy()
    found = _searched(case, gate, tax)
    missing = found.first.missing
    if missing and again is not None:
        why = reasons(case, gate, missing, found.given_up)
        if again(why):
            return Network((), Point(gate.point), {}, why, tax=tax)
    found, bent = _round_tight(gate, found, tax)
    most = 0 if len(case.terminals) > LARGE else int(MOST_LOST * len(bent.drawing.line_of))
    done, lost = _settled(bent, most)
    given_up = found.given_up | lost
    while orphans is not None and (missing := done.missing):
        alone = orphans(reasons(case, gate, missing, given_up))
        more = {t: alone[case.terminals[t].key] for t in done.drawing.line_of if case.terminals[t].key in alone}
        if not more:
            break
        most -= len(lost)
        done, lost = _settled(_designed(done.case, without(done.case, done.drawing, more)), most)
        given_up |= more | lost
    return assemble_network(
        done.case, gate, done.drawing, stations=done.stations, profile=done.profile, given_up=given_up
    )


def _searched(case: RoutingProblem, gate: SiteEntry, tax: FloatArray) -> Searched:
    """Least-cost tree; where it has no profile the search avoids that, and what has none all the same is left out."""
    turn = 0
    while True:
        growth = tree_search.search(
            case.lattice, np.array([gate.node]), reach=case.reach, priority=case.priority,
            max_grade=case.criteria.max_grade, tax=tax,
        )  # fmt: skip
        parent, _ = tree_search.uncrossed(case.lattice, growth)
        strands = Strands.of(case, gate, parent, growth.server)
        first = _designed(case, draw_alignment(case, strands))
        bad = first.profile.excess_m > TOLERANCE_M
        if not bad.any() or turn == DETOURS:
            return _profiled(gate, Searched(parent, growth.server.copy(), {}, strands, first))
        _avoid(case.lattice, tax, first.stations.xy[bad])
        turn += 1


def _profiled(gate: SiteEntry, found: Searched) -> Searched:
    """Tree without the terminals to which no profile leads."""
    case, first, strands = found.first.case, found.first, found.strands
    server, given_up = found.server.copy(), dict(found.given_up)
    while True:
        out = (
            profile_design.beyond_crossing(first.drawing)
            or profile_design.beyond_depth(case, first.drawing, first.stations, first.profile)
            or profile_design.off_pads(first.drawing, first.profile, first.pins)
        )
        if not out:
            return Searched(found.parent, server, given_up, strands, first)
        for t, reason in out.items():
            given_up[t] = reason.format(grade=100 * case.criteria.max_grade, depth=case.criteria.max_cut_fill_m)
            server[t] = -1
        strands = Strands.of(case, gate, found.parent, server)
        first = _designed(case, draw_alignment(case, strands))


def _round_tight(gate: SiteEntry, found: Searched, tax: FloatArray) -> tuple[Searched, Designed]:
    """Bends eased and mended; what lies beyond those that stay too tight is led another way, where there is one.

    Where none leaves the roads as they are, all are sought anew.
    """
    case, bent = found.first.case, _bent(found, gate)
    count = len(case.terminals)
    anew = False
    for _ in range(BENT_DETOURS if count <= LARGE else 0):
        lost = bent.astray
        if len(bent.cut_off) <= FEW_LOST * count and lost == bent.cut_off.keys():
            break
        _avoid(case.lattice, tax, np.array([t.xy for t in bent.tight]), BENT_TAX)
        other = _regrown(gate, found, lost, tax)
        tried = _bent(other, gate)
        if not anew and len(tried.missing) + len(tried.astray) > len(bent.missing) + FEW_LOST * count:
            anew = True
            other = _searched(case, gate, tax)
            tried = _bent(other, gate)
        if len(tried.missing) + len(tried.astray) >= len(bent.missing) + len(lost):
            break
        found, bent = other, tried
    return found, bent


def _regrown(gate: SiteEntry, found: Searched, lost: set[int], tax: FloatArray) -> Searched:
    """Tree in which new ways lead to some terminals, and all others keep theirs."""
    case = found.first.case
    server = found.server.copy()
    some = np.array(sorted(lost), dtype=np.int64)
    server[some] = -1
    kept = np.zeros(found.parent.size, bool)
    kept[gate.node] = True
    for node in server[server >= 0].tolist():
        n = node
        while not kept[n]:
            kept[n] = True
            n = int(found.parent[n])
    growth = tree_search.search(
        case.lattice, np.flatnonzero(kept), reach=case.reach.to(some), priority=case.priority[some],
        max_grade=case.criteria.max_grade, tax=tax,
    )  # fmt: skip
    grown = np.where(kept, found.parent, growth.parent)
    server[some] = growth.server
    parent, _ = tree_search.uncrossed(case.lattice, replace(growth, parent=grown))
    strands = Strands.of(case, gate, parent, server)
    return _profiled(
        gate, Searched(parent, server, found.given_up, strands, _designed(case, draw_alignment(case, strands)))
    )


def _bent(found: Searched, gate: SiteEntry) -> Designed:
    """Bends eased and mended; arrays give up units where that alone makes room."""
    case = found.first.case
    best = _mended(_eased(case, found.strands) or found.first)
    if len(case.terminals) > LARGE or len(best.cut_off) <= FEW_LOST * len(case.terminals):
        return best
    less = bending(case, best.drawing)
    if less.count:
        smaller, server = _given(case, less), found.server.copy()
        server[less.who[less.left <= 0]] = -1
        tried = _eased(smaller, Strands.of(smaller, gate, found.parent, server))
        if tried is not None:
            tried = _mended(tried)
            if len(tried.tight) < len(best.tight):
                return tried
    return best


def _given(case: RoutingProblem, less: ShortenableObstacles) -> RoutingProblem:
    """Case in which terminals are as short as what they give up leaves them."""
    terminals = list(case.terminals)
    rects = less.rects()
    for k in np.flatnonzero((less.cut.sum(axis=1) > 0) & (less.left > 0)).tolist():
        t = int(less.who[k])
        terminals[t] = replace(terminals[t], footprint=box(*rects[k]))
    shapes = routing_grid.Shapes.of([t.footprint for t in terminals])
    return replace(
        case,
        terminals=terminals,
        shapes=shapes,
        lattice=less.lattice(),
        yields=less,
        pulled={},
        hopeless=set(),
    )


def _designed(case: RoutingProblem, drawing: HorizontalAlignment) -> Designed:
    """Drawing with its heights."""
    stations = profile_design.stations_along(case, drawing)
    return Designed(case, drawing, stations, *profile_design.designed(case, drawing, stations))


def _eased(case: RoutingProblem, strands: Strands) -> Designed | None:
    """Lines with room for their bends, and their profile; None where that would leave none."""
    keep = NOTHING
    for _ in range(EASINGS):
        now = _designed(case, draw_alignment(case, strands, keep=keep))
        bad = profile_design.lacking(now.profile, now.pins)
        if not bad.any():
            return None if now.drawing.crossing else now
        most = profile_design.worst_of_line(now.stations, now.profile)
        keep = keep.wider(now.stations.xy[bad & (now.profile.excess_m >= WORST * most)], EASED_APART_M)
    return None


def _mended(best: Designed) -> Designed:
    """Lines with drivable curves at tight places, as far as these leave a profile."""
    case = best.case
    if not best.tight:
        return best
    large = len(case.terminals) > LARGE
    leeway, keep = HeightRanges(case, once=large), NOTHING
    for _ in range(MENDINGS if leeway.holds(best.drawing) else 0):
        drawing = repair_curves(case, best.drawing, keep=keep, leeway=leeway)
        if drawing is best.drawing:
            break
        now = _designed(case, drawing)
        bad = profile_design.lacking(now.profile, now.pins)
        if not bad.any():
            return now
        keep = keep.wider(now.stations.xy[bad], EASED_APART_M)
        if not large:
            leeway.holds(best.drawing)
    return best


def _settled(now: Designed, most: int) -> tuple[Designed, dict[int, str]]:
    """Network without what lies beyond tight places, and why, few first; what more than `most` hangs on stays, and is told."""
    case, half = now.case, now.case.criteria.width_m / 2
    given_up: dict[int, str] = {}
    while len(given_up) < most:
        beyond = served_downstream(now.drawing)
        tight = sorted(now.barring, key=lambda t: beyond[t.line])
        left = most - len(given_up) - np.cumsum([beyond[t.line] for t in tight])
        tight = [t for t, more in zip(tight, left.tolist(), strict=True) if more >= 0]
        if not tight:
            break
        drawing, lost = pruned(case, now.drawing, tight)
        less = _designed(case, drawing)
        if profile_design.lacking(less.profile, less.pins).any():
            break
        given_up |= {t: TOO_TIGHT.format(radius=size - half) for t, size in lost.items()}
        # what was a junction may be a bend now
        now = _mended(less)
    return now, given_up


def _avoid(lattice: routing_grid.RoutingGrid, tax: FloatArray, places: FloatArray, times: float = 3.0) -> None:
    """Raise the cost of road positions around places where no profile was found, or no bend wide enough."""
    i = ((places[:, 0] - lattice.x0) / lattice.cell + 0.5).astype(np.int64)
    j = ((places[:, 1] - lattice.y0) / lattice.cell + 0.5).astype(np.int64)
    around = np.zeros(tax.size, bool)
    for dj in range(-2, 3):
        for di in range(-2, 3):
            jj, ii = np.clip(j + dj, 0, lattice.ny - 1), np.clip(i + di, 0, lattice.nx - 1)
            around[jj * lattice.nx + ii] = True
    tax[around] *= times
