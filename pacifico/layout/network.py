"""The network of a case: searched, drawn, bends eased and mended; what no legal road leads to is given up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from shapely import Point, box

from pacifico.layout import design, routing
from pacifico.layout.bends import NOTHING, Eased
from pacifico.layout.drawing import TOLERANCE_M, Strands, draw
from pacifico.layout.finishing import finished, reasons
from pacifico.layout.giving_way import bending
from pacifico.layout.leeway import Leeway
from pacifico.layout.mending import mended
from pacifico.layout.pruning import pruned, served_beyond, tight_places
from pacifico.layout.road_model import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.layout.alignment import Pin, Profile, Stations
    from pacifico.layout.drawing import Case, Drawing
    from pacifico.layout.entry import Gate
    from pacifico.layout.road_model import Again
    from pacifico.layout.room import Yields

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DETOURS = 3
"""Searches that avoid where no profile was found before terminals are given up."""
BENT_DETOURS = 2
"""Searches more that avoid bends and turns which stayed too tight, before what lies beyond them is given up."""
BENT_TAX = 200.0
"""How many times dearer ground about them is for each."""
MOST_DETOURED = 1200
"""Terminals of a network for which that is done: beyond, it takes as long as all the rest."""
FEW_LOST = 0.01
"""Share of the terminals, or one, that is given up without looking for another way."""
MOST_LOST = 0.5
"""Share of what is served that is given up for a tight bend at most: where more hangs on it the road stays, and is told."""
MOST_BENT = 2500
"""Terminals of a network whose bends arrays give way to: beyond, drawing all anew for a few takes as long as the rest."""
EASINGS = 9
"""Most drawings with bends eased; the last ones keep more and more as it was."""
MENDINGS = 3
"""Most times that tight places are mended, each time without where that left no profile."""
EASED_APART_M = 25.0
"""Round a place where easing left no profile this much stays as it was, twice as much each time that does not help."""
WORST = 0.5
"""Share of the most that a station of a line lacks from which on its surroundings stay as they were."""
TOO_TIGHT = "no legal route: on the way a road would bend tighter than an inner radius of {radius:g} m"


@dataclass(frozen=True)
class Designed:
    """A drawing with its heights, and the case in which it holds: terminals may have given up units."""

    case: Case
    drawing: Drawing
    stations: Stations
    profile: Profile

    @property
    def faults(self) -> int:
        """Bends and turns tighter than the rule."""
        return len(tight_places(self.case, self.drawing))


@dataclass(frozen=True)
class Searched:
    """A tree of moves that has a profile, and why it leaves terminals out."""

    parent: Ints
    server: Ints
    given_up: dict[int, str]
    strands: Strands
    first: Designed
    """Pulled tight, no bend eased."""


def best_network(case: Case, gate: Gate, known: Floats | None, again: Again | None) -> Network:
    """Search, draw, design; go round what has no profile or bends too tight, then give up what lies beyond it."""
    tax = np.ones(case.lattice.px.size) if known is None else known.copy()
    count = len(case.terminals)
    best: tuple[tuple[int, int], Designed, dict[int, str]] | None = None
    for turn in range(BENT_DETOURS + 1):
        found = _searched(case, gate, tax)
        out = set(range(count)) - set(found.first.drawing.line_of)
        if turn == 0 and out and again is not None:
            why = reasons(case, gate, out, found.given_up)
            if again(why, False):
                return Network((), Point(gate.point), {}, why, tax=tax)
        bent = _bent(found, gate)
        done, lost = _settled(bent)
        score = (len(out) + len(lost), done.faults)
        if best is None or score < best[0]:
            best = score, done, found.given_up | lost
        enough = len(lost) <= max(1, FEW_LOST * count) and not done.faults
        if enough or turn == BENT_DETOURS or count > MOST_DETOURED:
            break
        _avoid(case.lattice, tax, np.array([t.xy for t in tight_places(bent.case, bent.drawing)]), BENT_TAX)
    assert best is not None  # noqa: S101 (the loop ran)
    _, done, given_up = best
    missing = set(range(count)) - set(done.drawing.line_of) - _gone(done.case)
    if missing and again is not None:
        why = reasons(case, gate, missing, given_up)
        if again(why, True):
            return Network((), Point(gate.point), {}, why, tax=tax)
    return finished(
        done.case, gate, done.drawing, stations=done.stations, profile=done.profile, given_up=given_up
    )  # fmt: skip


def _searched(case: Case, gate: Gate, tax: Floats) -> Searched:
    """Least-cost tree; where it has no profile the search avoids that, and what has none all the same is left out."""
    given_up: dict[int, str] = {}
    for turn in range(DETOURS + 1):
        growth = routing.search(
            case.lattice, np.array([gate.node]), reach=case.reach, priority=case.priority,
            max_grade=case.rules.max_grade, tax=tax,
        )  # fmt: skip
        server, (parent, _) = growth.server.copy(), routing.uncrossed(case.lattice, growth)
        strands = Strands.of(case, gate, parent, server)
        drawing = draw(case, strands)
        stations = design.stations_along(case, drawing)
        profile, pinned = design.designed(case, drawing, stations)
        bad = profile.excess_m > TOLERANCE_M
        if not bad.any() or turn == DETOURS:
            break
        _avoid(case.lattice, tax, stations.xy[bad])
    while True:
        out = (
            design.beyond_crossing(drawing)
            or design.beyond_depth(case, drawing, stations, profile)
            or design.off_pads(drawing, profile, pinned)
        )
        if not out:
            return Searched(parent, server, given_up, strands, Designed(case, drawing, stations, profile))
        for t, reason in out.items():
            given_up[t] = reason.format(grade=100 * case.rules.max_grade, depth=case.rules.max_cut_fill_m)
            server[t] = -1
        strands = Strands.of(case, gate, parent, server)
        drawing = draw(case, strands)
        stations = design.stations_along(case, drawing)
        profile, pinned = design.designed(case, drawing, stations)


def _bent(found: Searched, gate: Gate) -> Designed:
    """Bends eased and mended; arrays give up units where that alone makes room."""
    case = found.first.case
    best = _mended(_eased(case, found.strands) or found.first)
    if len(case.terminals) > MOST_BENT or not best.faults:
        return best
    less = bending(case, best.drawing)
    if less.count:
        smaller, server = _given(case, less), found.server.copy()
        server[less.who[less.left <= 0]] = -1
        tried = _eased(smaller, Strands.of(smaller, gate, found.parent, server))
        if tried is not None:
            tried = _mended(tried)
            if tried.faults < best.faults:
                return tried
    return best


def _gone(case: Case) -> set[int]:
    """Terminals that gave up all their units."""
    return set(case.yields.who[case.yields.left <= 0].tolist())


def _given(case: Case, less: Yields) -> Case:
    """Case in which terminals are as short as what they give up leaves them."""
    terminals = list(case.terminals)
    rects = less.rects()
    for k in np.flatnonzero((less.cut.sum(axis=1) > 0) & (less.left > 0)).tolist():
        t = int(less.who[k])
        terminals[t] = replace(terminals[t], footprint=box(*rects[k]))
    shapes = routing.Shapes.of([t.footprint for t in terminals])
    return replace(
        case, terminals=terminals, shapes=shapes, lattice=less.lattice(), yields=less, pulled={}, eased=Eased()
    )


def _eased(case: Case, strands: Strands) -> Designed | None:
    """Lines with room for their bends, and their profile; None where that would leave none."""
    keep = NOTHING
    for _ in range(EASINGS):
        drawing = draw(case, strands, keep=keep)
        stations = design.stations_along(case, drawing)
        profile, pinned = design.designed(case, drawing, stations)
        bad = design.lacking(profile, pinned)
        if not bad.any() and not drawing.crossing:
            return Designed(case, drawing, stations, profile)
        most = design.worst_of_line(stations, profile)
        keep = keep.wider(stations.xy[bad & (profile.excess_m >= WORST * most)], EASED_APART_M)
    return None


def _mended(best: Designed) -> Designed:
    """Lines with drivable curves at tight places, as far as these leave a profile."""
    case = best.case
    grade = case.rules.max_grade - case.rules.grade_margin

    def limits(drawing: Drawing, some: Sequence[int]) -> tuple[Stations, Floats, list[tuple[int, Pin]]]:
        stations = design.stations_along(case, drawing)
        part = replace(drawing, line_of={t: drawing.line_of[t] for t in some})
        return stations, grade * design.sure_distance(case, stations), design.pins_of(case, part, stations)

    leeway, keep = Leeway(case, limits), NOTHING
    for _ in range(MENDINGS if leeway.holds(best.drawing) else 0):
        drawing = mended(case, best.drawing, keep=keep, leeway=leeway)
        if drawing is best.drawing:
            break
        stations = design.stations_along(case, drawing)
        profile, pinned = design.designed(case, drawing, stations)
        bad = design.lacking(profile, pinned)
        if not bad.any():
            return Designed(case, drawing, stations, profile)
        keep = keep.wider(stations.xy[bad], EASED_APART_M)
        leeway.holds(best.drawing)
    return best


def _settled(best: Designed) -> tuple[Designed, dict[int, str]]:
    """Network without what lies beyond tight places, and why; those that most of it hangs on stay."""
    case, now, half = best.case, best, best.case.rules.width_m / 2
    most = MOST_LOST * len(best.drawing.line_of)
    given_up: dict[int, str] = {}
    while True:
        beyond = served_beyond(now.drawing)
        tight = [t for t in tight_places(case, now.drawing) if beyond[t.line] <= most]
        if not tight:
            return now, given_up
        drawing, lost = pruned(case, now.drawing, tight)
        stations = design.stations_along(case, drawing)
        profile, pinned = design.designed(case, drawing, stations)
        if design.lacking(profile, pinned).any():
            return now, given_up
        given_up |= {t: TOO_TIGHT.format(radius=size - half) for t, size in lost.items()}
        # what was a junction may be a bend now
        now = _mended(Designed(case, drawing, stations, profile))


def _avoid(lattice: routing.Lattice, tax: Floats, places: Floats, times: float = 3.0) -> None:
    """Raise the cost of road positions around places where no profile was found, or no bend wide enough."""
    i = ((places[:, 0] - lattice.x0) / lattice.cell + 0.5).astype(np.int64)
    j = ((places[:, 1] - lattice.y0) / lattice.cell + 0.5).astype(np.int64)
    around = np.zeros(tax.size, bool)
    for dj in range(-2, 3):
        for di in range(-2, 3):
            jj, ii = np.clip(j + dj, 0, lattice.ny - 1), np.clip(i + di, 0, lattice.nx - 1)
            around[jj * lattice.nx + ii] = True
    tax[around] *= times
