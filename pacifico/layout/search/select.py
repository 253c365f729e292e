"""Select the best layout of a design problem for a strategy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.search.candidates import evaluate_candidates
from pacifico.layout.search.effort import KW_PER_ITEM, MAX_POOLED
from pacifico.layout.search.incumbents import incumbents, under_spec
from pacifico.layout.search.local_search import best_state, local_search, state_of
from pacifico.layout.search.objectives import objective_value
from pacifico.vocabulary import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.search.candidates import Candidate, CandidateSet
    from pacifico.layout.search.problem import DesignProblem
    from pacifico.vocabulary import Strategy

SAME_KW = 0.5
"""Capacity beyond a target that is rounding [kW]."""


@dataclass(frozen=True)
class Found:
    """Best draft, with its roads if there are any."""

    draft: Draft
    served: ServedLayout | None
    unreached: str = ""
    """Why roads don't reach any plant."""


def best_layout(problem: DesignProblem, strategy: Strategy, least_kw: float = 0.0) -> Found:
    """Layout with the least objective value.

    A layout that carries less than another by a unit or more is never the better one. Candidates of the other
    strategies are compared too: a place that promises little may turn out best.

    Parameters
    ----------
    problem : DesignProblem
        What is laid out.
    strategy : str
        Objective to optimise.
    least_kw : float
        Capacity that a layout of the whole site must exceed to be of interest [kW].
    """
    own = evaluate_candidates(problem, strategy, least_kw)
    if not own.candidates:
        return Found(own.last_draft, None, own.unreached)
    if _pools_candidates(problem, strategy, own):
        pool = [c for s in STRATEGIES for c in (own if s == strategy else evaluate_candidates(problem, s)).candidates]
        states = local_search(problem, [state_of(problem, c) for c in _most_complete(problem, pool)])
        best = best_state(states, strategy).candidate
    else:
        complete = _most_complete(problem, own.candidates)
        best = complete[0]
        if len(complete) > 1:
            best = min(complete, key=lambda c: objective_value(problem.measure(c.served), strategy))
    return Found(best.draft, problem.packed_again(best.draft, best.served))


def _pools_candidates(problem: DesignProblem, strategy: Strategy, own: CandidateSet) -> bool:
    """Whether strategies share candidates, and local search improves them."""
    seed_area = own.candidates[0].seed_area
    return (
        POLICIES[strategy].local_search is not None
        and problem.target_kw is not None
        and not (seed_area and seed_area.whole_site)
        and _expected_items(problem) <= MAX_POOLED
    )


def _expected_items(problem: DesignProblem) -> float:
    """Number of items that the target takes, about."""
    return (problem.target_kw or 0.0) / (KW_PER_ITEM if problem.capacities.solar_kw else problem.smallest_kw)


def _most_complete(problem: DesignProblem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates of the largest capacity that miss the fewest blocks."""
    most_kw = 0.0
    for candidate in candidates:
        # only a whole unit counts as more
        if candidate.capacity_kw >= most_kw + problem.smallest_kw:
            most_kw = candidate.capacity_kw
    full = [c for c in candidates if c.capacity_kw > most_kw - problem.smallest_kw]
    fewest = min((c.missing_blocks for c in full), default=0)
    return [c for c in full if c.missing_blocks == fewest]


def best_of(
    problems: Sequence[DesignProblem], strategy: Strategy, *, compare_stricter: bool = True
) -> tuple[Found, Spec]:
    """Best layout of several problems, and its spec.

    It is that of the first problem whose target is met, else the one of the largest capacity. Layouts under stricter
    rules, and of all that fits, are compared before a target counts as missed.

    Parameters
    ----------
    problems : sequence of DesignProblem
        Problems in the order in which they are tried.
    strategy : str
        Objective to optimise.
    compare_stricter : bool
        Whether layouts under stricter rules are compared.
    """
    results: list[tuple[float, Found, Spec]] = []
    for problem in problems:
        found = best_layout(problem, strategy)
        results.append((_reached_kw(problem, found), found, problem.context.spec))
        if _meets_target(problem, results[-1][0]):
            return found, problem.context.spec
    own = problems[-1]
    for other in incumbents(own, strategy, stricter=compare_stricter):
        most_kw = max(kw for kw, _, _ in results)
        found = _under_spec(best_layout(other, strategy, most_kw), other.context.spec, own.context.spec)
        reached_kw = _reached_kw(own, found)
        if own.target_kw is not None and reached_kw > own.target_kw + SAME_KW:
            continue  # many arrays of one unit each can't be trimmed to a small target
        results.append((reached_kw, found, own.context.spec))
        if _meets_target(own, results[-1][0]):
            break
    _, found, spec = max(results, key=lambda r: r[0])
    return found, spec


def _reached_kw(problem: DesignProblem, found: Found) -> float:
    """Capacity of a layout with roads [kW]."""
    return 0.0 if found.served is None else problem.reached_kw(found.draft, found.served)


def _meets_target(problem: DesignProblem, kw: float) -> bool:
    """Whether a capacity meets the target to within a unit [kW]."""
    return problem.target_kw is not None and kw > problem.target_kw - problem.smallest_kw


def _under_spec(found: Found, own: Spec, spec: Spec) -> Found:
    """Layout with the slope limits of another spec.

    Parameters
    ----------
    found : Found
        Best layout of a problem.
    own : Spec
        Spec of that problem.
    spec : Spec
        Spec that was requested.
    """
    if found.served is None:
        return found
    return replace(found, served=replace(found.served, items=under_spec(found.served.items, own, spec)))
