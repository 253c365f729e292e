"""Local search over the best candidates: other road searches, exchanges, relocations, pad shifts."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.layout.access.connect import DEFAULT_SEARCH, RoadSearchOptions
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.search.candidates import topped_up
from pacifico.layout.search.effort import for_size
from pacifico.layout.search.exchange_arrays import exchange_arrays
from pacifico.layout.search.objectives import objective_value
from pacifico.layout.search.relocate_branch import Movable, movable_arrays, relocate_branch
from pacifico.layout.search.relocate_yard import relocate_yard, yard_of
from pacifico.layout.search.shift_pads import shift_pads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Strategy
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.search.candidates import Candidate
    from pacifico.layout.search.problem import DesignProblem

WAYS = (
    RoadSearchOptions(at_once=True), RoadSearchOptions(earth_price=0.2), RoadSearchOptions(earth_price=1.0), RoadSearchOptions(at_once=True, earth_price=1.0),
    RoadSearchOptions(earth_price=4.0), RoadSearchOptions(cells=1.2), RoadSearchOptions(cells=0.65), RoadSearchOptions(cells=0.8),
)  # fmt: skip
"""Alternative road searches for a draft. The shared network is built step by step and depends on the order: another
order is often 10 % shorter."""
WAYS_FOR = ((600, 8), (10**9, 0))
"""Most items of a draft, and number of WAYS that are tried."""
STARTS_FOR = ((120, 2), (10**9, 1))
"""Most items of the best draft, and number of drafts whose roads are searched again."""
MOST_TWICE = 60
"""Items of the best draft up to which branches of each of those drafts are relocated."""
REGATHERED_FOR = ((120, 5), (600, 3), (10**9, 0))
"""Most items of the best draft, and number of branches relocated."""
MOST_TIGHTENED = 600
"""Items of a draft up to which array ends are exchanged."""
LAST_ROUNDS = 2
"""Rounds of pad shifts: the result for one strategy can be the start for another."""
MOST_NUDGED = 600
"""Items of a draft up to which pads are shifted."""
AIMS: tuple[Strategy, ...] = ("density", "low_earthwork", "clustered")
BY_ROAD: dict[Strategy, tuple[Strategy, ...]] = {
    "clustered": ("clustered", "low_earthwork"), "low_earthwork": ("low_earthwork", "clustered"),
}  # fmt: skip
"""Strategies that depend on roads, and the measures by which their branches are relocated: a gain in one often brings a
gain in the other."""


@dataclass(frozen=True)
class State:
    """A connected draft with its objective value under each strategy."""

    candidate: Candidate
    values: Mapping[Strategy, float]
    way: RoadSearchOptions = DEFAULT_SEARCH

    @property
    def draft(self) -> Draft:
        """Draft of the candidate."""
        return self.candidate.draft

    @property
    def served(self) -> ServedLayout:
        """Layout connected to roads."""
        return self.candidate.served


def state_of(problem: DesignProblem, candidate: Candidate, way: RoadSearchOptions = DEFAULT_SEARCH) -> State:
    """Evaluate a candidate under every strategy."""
    return State(candidate, {aim: objective_value(problem, candidate.served, aim) for aim in AIMS}, way)


def least(states: Sequence[State], aim: Strategy) -> State:
    """First state with the lowest objective value of a strategy."""
    return min(states, key=lambda s: s.values[aim])


def local_search(problem: DesignProblem, states: Sequence[State]) -> list[State]:
    """All states that local search finds, the given ones first.

    Independent of the strategy: all strategies choose from the same pool, so none loses to a layout that only another
    one tried.
    """
    seen = list(states)
    size = len(least(seen, "clustered").served.items)
    seen += _tighter(problem, least(seen, "density"))
    if not problem.asked.solar_kw:
        # yard blocks that move closer together save road as well
        seen += _nudged(problem, least(seen, "density"), "density")
    starts = list({id(s): s for s in (least(seen, aim) for aim in BY_ROAD)}.values())
    chains = [[s, *_rerouted(problem, s)] for s in starts[: for_size(size, STARTS_FOR)]]
    if size > MOST_TWICE:
        chains = [[s for chain in chains for s in chain]]
    for chain in chains:
        seen += chain
        for aim, measures in BY_ROAD.items():
            seen += _gathered(problem, aim, measures, least(chain, aim))
    for _ in range(LAST_ROUNDS):
        seen += _nudged(problem, least(seen, "low_earthwork"), "low_earthwork")
        best = least(seen, "low_earthwork")
        if best is least(seen, "clustered"):
            # layouts with other roads trade earthwork for road length: try both as starts
            seen += _rerouted(problem, best)
        seen += _nudged(problem, least(seen, "density"), "density")
    return seen


def _tried(problem: DesignProblem, best: State, draft: Draft, way: RoadSearchOptions) -> list[State]:
    """State of a draft, or None where roads miss part of it or it holds less capacity.

    As much is not a unit less: where a bend had no room, arrays gave some up.
    """
    served = problem.serve(draft, way)
    seed_area = best.candidate.seed_area
    if served.lost and seed_area and seed_area.yard:
        again = topped_up(problem, draft, served)
        if again is not None:
            draft, served = again, problem.serve(again, way)
    got, most = capacity_of(served.items, problem.profile), best.candidate.capacity_kw
    if served.lost or got < most - problem.smallest_kw + 1e-3:
        return []
    # units that the first layout gave up are still missing
    served = replace(served, lost=best.served.lost)
    return [state_of(problem, replace(best.candidate, capacity_kw=max(got, most), draft=draft, served=served), way)]


def _rerouted(problem: DesignProblem, best: State) -> list[State]:
    """Search the roads of a draft in other ways."""
    same = replace(best.draft, items=list(best.served.untrimmed))
    # without arrays the order of arrays and skids has no effect
    ways = [w for w in WAYS if problem.asked.solar_kw or not w.at_once]
    return [s for way in ways[: for_size(len(same.items), WAYS_FOR)] for s in _tried(problem, best, same, way)]


def _tighter(problem: DesignProblem, best: State) -> list[State]:
    """Exchange arrays, or blocks of a yard, for places that cover less ground."""
    seed_area = best.candidate.seed_area
    if seed_area is None or len(best.served.items) > MOST_TIGHTENED:
        return []
    out: list[State] = []
    for beside in (True, False):
        items = list(best.served.untrimmed)
        if seed_area.yard:
            yard = yard_of(problem.field, problem.spec, best.draft, best.served, beside=beside)
            draft = relocate_yard(yard) if yard else replace(best.draft, items=items)
        else:
            roads = [r.line for r in best.served.network.roads] if beside else None
            draft = exchange_arrays(problem.field, problem.spec, replace(best.draft, items=items), seed_area, roads)
        if set(draft.items) != set(items):
            out += _tried(problem, best, draft, DEFAULT_SEARCH)
            best = least([best, *out], "density")
    return out


def _nudged(problem: DesignProblem, best: State, aim: Strategy) -> list[State]:
    """Shift pads to reduce one objective."""
    if len(best.served.items) > MOST_NUDGED:
        return []
    return _tried(problem, best, shift_pads(problem.field, best.draft, best.served, aim), best.way)


def _gathered(problem: DesignProblem, aim: Strategy, measures: Sequence[Strategy], best: State) -> list[State]:
    """Relocate branches one by one, most expensive first, while an objective improves."""
    budget = for_size(len(best.served.items), REGATHERED_FOR)
    out: list[State] = []
    for measure in measures:
        left = budget
        while left:
            what = _movable(problem, best)
            drafts = relocate_branch(problem.field, problem.spec, what, best.served, measure) if what else iter(())
            for draft in itertools.islice(drafts, left):
                left -= 1
                found = _tried(problem, best, draft, best.way)
                out += found
                if found and found[0].values[aim] < best.values[aim]:
                    best = found[0]
                    break
            else:
                break
    return out


def _movable(problem: DesignProblem, best: State) -> Movable | None:
    """Movable arrays, or yard blocks, with free places for them."""
    seed_area, solar_kw = best.candidate.seed_area, problem.asked.solar_kw
    if seed_area is None:
        return None
    if seed_area.yard:
        yard = yard_of(problem.field, problem.spec, best.draft, best.served)
        return yard.movable() if yard else None
    kw = (solar_kw or 0.0) + problem.spare_kw
    return movable_arrays(problem.field, problem.spec, best.draft, best.served, seed_area, kw)
