"""Local search: improve layouts move by move."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.layout.access.connect import DEFAULT_SEARCH, RoadSearchOptions
from pacifico.layout.criteria.strategies import POLICIES, LocalSearch
from pacifico.layout.search.candidates import replace_unreached_blocks
from pacifico.layout.search.effort import (
    LAST_ROUNDS,
    MAX_EXCHANGED,
    MAX_SEPARATE_CHAINS,
    MAX_SHIFTED,
    RELOCATIONS,
    REROUTED_STARTS,
    SEARCH_VARIANTS,
    for_size,
)
from pacifico.layout.search.exchange_arrays import exchange_arrays
from pacifico.layout.search.objectives import objective_value
from pacifico.layout.search.relocate_branch import Movable, movable_arrays, relocate_branch
from pacifico.layout.search.relocate_yard import relocate_yard, yard_of
from pacifico.layout.search.shift_pads import shift_pads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.strategies import PadMeasure
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.search.candidates import Candidate
    from pacifico.layout.search.problem import DesignProblem
    from pacifico.vocabulary import Strategy

VARIANTS = (
    RoadSearchOptions(at_once=True),
    RoadSearchOptions(earth_price=0.2),
    RoadSearchOptions(earth_price=1.0),
    RoadSearchOptions(at_once=True, earth_price=1.0),
    RoadSearchOptions(earth_price=4.0),
    RoadSearchOptions(cells=1.2),
    RoadSearchOptions(cells=0.65),
    RoadSearchOptions(cells=0.8),
)
"""Other options of the road search. A network grows step by step, each step on those before, so that other options often
find one that is a tenth shorter."""
MOVES: Mapping[Strategy, LocalSearch] = dict(
    sorted(
        ((s, policy.local_search) for s, policy in POLICIES.items() if policy.local_search),
        key=lambda pair: pair[1].turn,
    )
)
"""Moves that serve each strategy, in the order of their turns."""
ON_ROADS: tuple[Strategy, ...] = tuple(s for s, moves in MOVES.items() if moves.branch_measures)
"""Strategies whose objective depends on roads."""


@dataclass(frozen=True)
class State:
    """Layout with its objective values."""

    candidate: Candidate
    values: Mapping[Strategy, float]
    """Objective value under each strategy of `MOVES`; lower is better."""
    options: RoadSearchOptions = DEFAULT_SEARCH
    """Options by which its roads were found."""

    @property
    def draft(self) -> Draft:
        """Draft before roads."""
        return self.candidate.draft

    @property
    def served(self) -> ServedLayout:
        """Layout with roads."""
        return self.candidate.served


def state_of(problem: DesignProblem, candidate: Candidate, options: RoadSearchOptions = DEFAULT_SEARCH) -> State:
    """State of a candidate."""
    measures = problem.measure(candidate.served)
    return State(candidate, {s: objective_value(measures, s) for s in MOVES}, options)


def best_state(states: Sequence[State], strategy: Strategy) -> State:
    """First state with the least objective value."""
    return min(states, key=lambda s: s.values[strategy])


def local_search(problem: DesignProblem, states: Sequence[State]) -> list[State]:
    """Some states and all that moves made of them.

    Independent of the strategy: all strategies choose from the same states, so none loses to a layout that only another
    one tried.
    """
    seen = list(states)
    items = len(best_state(seen, ON_ROADS[0]).served.items)
    for strategy, moves in MOVES.items():
        if moves.exchange:
            seen += _exchange(problem, best_state(seen, strategy), strategy)
            if moves.pad_measure and not problem.capacities.solar_kw:
                # yard blocks that move closer save road as well
                seen += _shift(problem, best_state(seen, strategy), moves.pad_measure)
    starts = list({id(s): s for s in (best_state(seen, strategy) for strategy in ON_ROADS)}.values())
    chains = [[s, *_reroute(problem, s)] for s in starts[: for_size(items, REROUTED_STARTS)]]
    if items > MAX_SEPARATE_CHAINS:
        chains = [[s for chain in chains for s in chain]]
    for chain in chains:
        seen += chain
        for strategy in ON_ROADS:
            seen += _relocate(problem, strategy, best_state(chain, strategy))
    for _ in range(LAST_ROUNDS):
        for strategy, moves in MOVES.items():
            if moves.pad_measure:
                seen += _shift(problem, best_state(seen, strategy), moves.pad_measure)
                seen += _reroute_if_shared(problem, seen, strategy)
    return seen


def _try(problem: DesignProblem, best: State, draft: Draft, options: RoadSearchOptions) -> list[State]:
    """State of a draft, if it keeps all items and the capacity.

    A capacity less by part of a unit counts as kept.

    Parameters
    ----------
    problem : DesignProblem
        What is laid out.
    best : State
        State that the draft was made from.
    draft : Draft
        Draft to connect.
    options : RoadSearchOptions
        Options of the road search.
    """
    served = problem.connect(draft, options)
    seed_area = best.candidate.seed_area
    if served.lost and seed_area and seed_area.yard:
        replaced = replace_unreached_blocks(problem, draft, served)
        if replaced is not None:
            draft, served = replaced, problem.connect(replaced, options)
    got_kw, best_kw = problem.reached_kw(draft, served), best.candidate.capacity_kw
    if served.lost or got_kw < best_kw - problem.smallest_kw + 1e-3:
        return []
    # what was left out before is still missing
    served = replace(served, lost=best.served.lost)
    candidate = replace(best.candidate, capacity_kw=max(got_kw, best_kw), draft=draft, served=served)
    return [state_of(problem, candidate, options)]


def _reroute(problem: DesignProblem, best: State) -> list[State]:
    """States with roads found by other options."""
    draft = replace(best.draft, items=list(best.served.untrimmed))
    # without arrays nothing is reached after the rest
    variants = [v for v in VARIANTS if problem.capacities.solar_kw or not v.at_once]
    most = for_size(len(draft.items), SEARCH_VARIANTS)
    return [s for options in variants[:most] for s in _try(problem, best, draft, options)]


def _reroute_if_shared(problem: DesignProblem, seen: Sequence[State], strategy: Strategy) -> list[State]:
    """States with other roads, if two strategies share their best.

    With other roads it may take less of one for a little more of the other.
    """
    best = best_state(seen, strategy)
    others = [s for s in ON_ROADS if s != strategy] if strategy in ON_ROADS else []
    return _reroute(problem, best) if any(best is best_state(seen, other) for other in others) else []


def _exchange(problem: DesignProblem, best: State, strategy: Strategy) -> list[State]:
    """States with arrays or blocks exchanged, beside roads first."""
    seed_area = best.candidate.seed_area
    if seed_area is None or len(best.served.items) > MAX_EXCHANGED:
        return []
    out: list[State] = []
    for beside in (True, False):
        items = list(best.served.untrimmed)
        draft = replace(best.draft, items=items)
        if seed_area.yard:
            yard = yard_of(problem.context, best.draft, best.served, beside=beside)
            draft = relocate_yard(yard) if yard else draft
        else:
            roads = [r.line for r in best.served.network.roads] if beside else None
            draft = exchange_arrays(problem.context, draft, seed_area, roads)
        if set(draft.items) != set(items):
            out += _try(problem, best, draft, DEFAULT_SEARCH)
            best = best_state([best, *out], strategy)
    return out


def _shift(problem: DesignProblem, best: State, measure: PadMeasure) -> list[State]:
    """State with pads shifted, unless the layout is too large."""
    if len(best.served.items) > MAX_SHIFTED:
        return []
    draft = shift_pads(problem.context.field, best.draft, best.served, measure)
    return _try(problem, best, draft, best.options)


def _relocate(problem: DesignProblem, strategy: Strategy, best: State) -> list[State]:
    """States with road branches dropped one by one.

    Branches are dropped as long as that lowers the objective value of a strategy.
    """
    most = for_size(len(best.served.items), RELOCATIONS)
    out: list[State] = []
    for measure in MOVES[strategy].branch_measures:
        left = most
        while left:
            movable = _movable(problem, best)
            drafts = relocate_branch(problem.context, movable, best.served, measure) if movable else iter(())
            better = None
            for draft in itertools.islice(drafts, left):
                left -= 1
                found = _try(problem, best, draft, best.options)
                out += found
                if found and found[0].values[strategy] < best.values[strategy]:
                    better = found[0]
                    break
            if better is None:
                break
            best = better
    return out


def _movable(problem: DesignProblem, best: State) -> Movable | None:
    """Arrays or yard blocks of a layout, and free places for them."""
    seed_area = best.candidate.seed_area
    if seed_area is None:
        return None
    if seed_area.yard:
        yard = yard_of(problem.context, best.draft, best.served)
        return yard.movable() if yard else None
    return movable_arrays(problem.context, best.draft, best.served, seed_area, problem.solar_kw or 0.0)
