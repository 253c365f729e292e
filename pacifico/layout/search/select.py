"""Choice of the best layout by the strategy's objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.criteria.strategies import MEASURES
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.search.candidates import evaluate_candidates
from pacifico.layout.search.local_search import least, local_search, state_of
from pacifico.layout.search.objectives import objective_value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Spec, Strategy
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.search.candidates import Candidate
    from pacifico.layout.search.problem import DesignProblem

MOST_POOLED = 600
"""Plant size up to which all strategies choose from one pool improved by local search [items]."""
UNITS_OF_ARRAY = 3
"""Assets per array, about: an array and its share of a skid."""


@dataclass(frozen=True)
class Found:
    """The best draft, its layout, and why assets of the last draft were not reached."""

    draft: Draft
    served: ServedLayout | None
    unreached: str = ""


def best_layout(problem: DesignProblem, strategy: Strategy) -> Found:
    """Evaluate candidates and keep the best layout under a strategy.

    A layout with less capacity than another, by a unit or more, is never better. Candidates of the other strategies are
    judged too: a place that looks poor for one objective can still have its best value.
    """
    own = evaluate_candidates(problem, strategy)
    if not own.candidates:
        return Found(own.last, None, own.unreached)
    seed_area = own.candidates[0].seed_area
    if (
        strategy == "balanced"
        or problem.target_kw is None
        or (seed_area and seed_area.whole)
        or _items(problem) > MOST_POOLED
    ):
        full = _full(problem, own.candidates)
        best = min(full, key=lambda t: objective_value(problem, t.served, strategy)) if len(full) > 1 else full[0]
    else:
        pool = [t for s in MEASURES for t in (own if s == strategy else evaluate_candidates(problem, s)).candidates]
        best = least(local_search(problem, [state_of(problem, t) for t in _full(problem, pool)]), strategy).candidate
    return Found(best.draft, best.served)


def _items(problem: DesignProblem) -> float:
    """Expected number of assets."""
    units = (problem.target_kw or 0.0) / problem.smallest_kw
    return units / UNITS_OF_ARRAY if problem.asked.solar_kw else units


def _full(problem: DesignProblem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with the largest capacity and the fewest missing blocks."""
    most_kw = 0.0
    for candidate in candidates:
        # gains below a unit don't add up to more capacity
        if candidate.capacity_kw >= most_kw + problem.smallest_kw:
            most_kw = candidate.capacity_kw
    full = [t for t in candidates if t.capacity_kw > most_kw - problem.smallest_kw]
    # less road is no gain where blocks are missing
    return [t for t in full if t.lacks == min(t.lacks for t in full)]


def best_of(tasks: Sequence[DesignProblem], strategy: Strategy) -> tuple[Found, Spec]:
    """Best layout of the first problem whose target is met, else the one with most capacity, and its spec."""
    found: list[tuple[float, Found, Spec]] = []
    for problem in tasks:
        one = best_layout(problem, strategy)
        kw = 0.0 if one.served is None else capacity_of(one.served.items, problem.profile)
        found.append((kw, one, problem.spec))
        if problem.target_kw is None or kw > problem.target_kw - problem.smallest_kw:
            break
    _, best, spec = max(found, key=lambda f: f[0])
    return best, spec
