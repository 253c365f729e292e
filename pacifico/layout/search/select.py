"""The best of a few drafts: each is served by roads, measured, and judged by what its strategy is to win."""

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
"""Items of a plant, about, up to which all strategies choose from the same layouts and those are polished."""
UNITS_OF_ARRAY = 3
"""Of a plant's arrays and skids to one of them, about."""


@dataclass(frozen=True)
class Found:
    """The best draft, and why assets of the last one were not reached."""

    draft: Draft
    served: ServedLayout | None
    unreached: str = ""


def best_layout(task: DesignProblem, strategy: Strategy) -> Found:
    """Draft at the most promising places, serve by roads, and keep what wins most at what the strategy is about.

    A layout that carries less than another by a unit or more is never the better one. What the other strategies would
    try is judged too: a place that promises little of one thing may have it all the same.
    """
    own = evaluate_candidates(task, strategy)
    if not own.trials:
        return Found(own.last, None, own.unreached)
    focus = own.trials[0].focus
    if strategy == "balanced" or task.target_kw is None or (focus and focus.whole) or _items(task) > MOST_POOLED:
        full = _full(task, own.trials)
        best = min(full, key=lambda t: objective_value(task, t.served, strategy)) if len(full) > 1 else full[0]
    else:
        pool = [t for s in MEASURES for t in (own if s == strategy else evaluate_candidates(task, s)).trials]
        best = least(local_search(task, [state_of(task, t) for t in _full(task, pool)]), strategy).trial
    return Found(best.draft, best.served)


def _items(task: DesignProblem) -> float:
    """Of what is asked for, about."""
    units = (task.target_kw or 0.0) / task.smallest_kw
    return units / UNITS_OF_ARRAY if task.asked.solar_kw else units


def _full(task: DesignProblem, trials: Sequence[Candidate]) -> list[Candidate]:
    """Trials that carry as much as any, and lack as little of what was asked for."""
    most_kw = 0.0
    for trial in trials:
        # a little more at a time is no more
        if trial.capacity_kw >= most_kw + task.smallest_kw:
            most_kw = trial.capacity_kw
    full = [t for t in trials if t.capacity_kw > most_kw - task.smallest_kw]
    # fewer roads to less of what was asked for is no win
    return [t for t in full if t.lacks == min(t.lacks for t in full)]


def best_of(tasks: Sequence[DesignProblem], strategy: Strategy) -> tuple[Found, Spec]:
    """Best layout of the first task whose target it meets to the unit, else of that under which most stands; its rules."""
    found: list[tuple[float, Found, Spec]] = []
    for task in tasks:
        one = best_layout(task, strategy)
        kw = 0.0 if one.served is None else capacity_of(one.served.items, task.profile)
        found.append((kw, one, task.spec))
        if task.target_kw is None or kw > task.target_kw - task.smallest_kw:
            break
    _, best, spec = max(found, key=lambda f: f[0])
    return best, spec
