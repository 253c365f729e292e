"""The best of a few drafts: each is served by roads, measured, and judged by what its strategy is to win."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.aims import lost
from pacifico.layout.draft import capacity_of
from pacifico.layout.options import MEASURES
from pacifico.layout.polish import State, polished
from pacifico.layout.trials import for_size, try_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.draft import Draft
    from pacifico.layout.serve import Served
    from pacifico.layout.spec import Spec, Strategy
    from pacifico.layout.trials import Task

RIVALS_FOR = ((30, 8), (60, 3), (120, 2), (600, 1), (10**9, 0))
"""Most items of a draft, and how many places of each other strategy are judged too."""
OTHER: dict[Strategy, Strategy] = {"clustered": "low_earthwork", "low_earthwork": "clustered"}
"""Of the two that hang on roads."""


@dataclass(frozen=True)
class Found:
    """The best draft, and why assets of the last one were not reached."""

    draft: Draft
    served: Served | None
    unreached: str = ""


def best_layout(task: Task, strategy: Strategy) -> Found:
    """Draft at the most promising places, serve by roads, and keep what wins most at what the strategy is about.

    A layout that carries less than another by a unit or more is never the better one. What the other strategies would
    try first is judged too: a place that promises little of one thing may have it all the same.
    """
    own = try_out(task, strategy)
    if not own.trials:
        return Found(own.last, None, own.unreached)
    trials = own.trials
    focus = trials[0].focus
    polishes = strategy != "balanced" and task.target_kw is not None and not (focus and focus.whole)
    if polishes:
        rivals = for_size(len(trials[0].draft.items), RIVALS_FOR)
        for rival in MEASURES:
            if rivals and rival != strategy:
                # the usual one is the surest where roads have it hard
                trials += try_out(task, rival, max(rivals, 2) if rival == "balanced" else rivals).trials
    most_kw = 0.0
    for trial in trials:
        # a little more at a time is no more
        if trial.capacity_kw >= most_kw + task.smallest_kw:
            most_kw = trial.capacity_kw
    full = [t for t in trials if t.capacity_kw > most_kw - task.smallest_kw]
    # fewer roads to less of what was asked for is no win
    full = [t for t in full if t.lacks == min(t.lacks for t in full)]
    worth = [lost(task.field, t.served, task.rules, strategy) for t in full] if len(full) > 1 or polishes else [0.0]
    order = sorted(range(len(full)), key=worth.__getitem__)
    best = full[order[0]]
    if not polishes:
        return Found(best.draft, best.served)
    # what is least by the one often becomes less by the other too
    other = OTHER.get(strategy)
    second = min(order, key=lambda k: lost(task.field, full[k].served, task.rules, other)) if other else order[0]
    starts = [State(full[k], worth[k]) for k in dict.fromkeys((order[0], second))]
    found = polished(task, strategy, starts)
    return Found(found.draft, found.served)


def best_of(tasks: Sequence[Task], strategy: Strategy) -> tuple[Found, Spec]:
    """Best layout of the first task whose target it meets to the unit, else of that under which most stands; its rules."""
    found: list[tuple[float, Found, Spec]] = []
    for task in tasks:
        one = best_layout(task, strategy)
        kw = 0.0 if one.served is None else capacity_of(one.served.items, task.profile)
        found.append((kw, one, task.rules))
        if task.target_kw is None or kw > task.target_kw - task.smallest_kw:
            break
    _, best, rules = max(found, key=lambda f: f[0])
    return best, rules
