"""A last step on the best drafts: roads sought anew, and what is dear built elsewhere, kept where a strategy wins by it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.layout.aims import lost
from pacifico.layout.draft import capacity_of
from pacifico.layout.nudge import nudged
from pacifico.layout.regather import regathered
from pacifico.layout.serve import USUAL, Way
from pacifico.layout.tighten import tightened
from pacifico.layout.trials import for_size

if TYPE_CHECKING:
    from pacifico.layout.draft import Draft
    from pacifico.layout.serve import Served
    from pacifico.layout.spec import Strategy
    from pacifico.layout.trials import Task, Trial

WAYS = (
    Way(at_once=True), Way(earth_price=0.2), Way(earth_price=1.0), Way(at_once=True, earth_price=1.0),
    Way(earth_price=4.0), Way(cells=1.2), Way(cells=0.65), Way(cells=0.8),
)  # fmt: skip
"""Other ways to seek the roads of a draft. A shared network of least cost is found step by step, and each step hangs on
those before it: what is sought otherwise is often a tenth shorter."""
WAYS_FOR = ((600, 8), (10**9, 0))
"""Most items of a draft, and how many of WAYS are tried."""
STARTS_FOR = ((120, 2), (10**9, 1))
"""Most items of the best draft, and of how many drafts roads are sought anew."""
MOST_TWICE = 60
"""Items of the best draft for which branches are given up in each of those."""
REGATHERED_FOR = ((120, 5), (600, 3), (10**9, 0))
"""Most items of the best draft, and how often a branch of its roads is given up for others at most."""
MOST_TIGHTENED = 600
"""Items of a draft whose arrays are exchanged by their ends."""
MOST_NUDGED = 600
"""Items of a draft whose pads are moved aside."""


@dataclass(frozen=True)
class State:
    """The best so far."""

    trial: Trial
    lost: float
    """What the strategy wants least of."""
    way: Way = USUAL

    @property
    def draft(self) -> Draft:
        """As it was asked for."""
        return self.trial.draft

    @property
    def served(self) -> Served:
        """As roads reach it."""
        return self.trial.served


def polished(task: Task, strategy: Strategy, starts: list[State]) -> State:
    """The best that comes of drafts, the best of them first."""
    size = len(starts[0].served.items)
    if strategy == "density":
        return _tighter(task, strategy, starts[0])
    some = [_rerouted(task, strategy, s) for s in starts[: for_size(size, STARTS_FOR)]]
    if size > MOST_TWICE:
        some = [min(some, key=lambda s: s.lost)]
    best = min((_gathered(task, strategy, s) for s in some), key=lambda s: s.lost)
    if strategy == "low_earthwork" and size <= MOST_NUDGED:
        draft = nudged(task.field, best.draft, best.served)
        best = _better(task, strategy, best, draft, best.way)
    return best


def _better(task: Task, strategy: Strategy, best: State, draft: Draft, way: Way) -> State:
    """A draft with its roads, if all of it is reached, it carries as much and wants less; else what was best before.

    As much is not a unit less: where a bend had no room, arrays gave some up.
    """
    served = task.serve(draft, way)
    got, most = capacity_of(served.items, task.profile), best.trial.capacity_kw
    if served.lost or got < most - task.smallest_kw + 1e-3:
        return best
    less = lost(task.field, served, task.rules, strategy)
    if less >= best.lost:
        return best
    # what was given up before is still missing
    served = replace(served, lost=best.served.lost)
    return State(replace(best.trial, capacity_kw=max(got, most), draft=draft, served=served), less, way)


def _rerouted(task: Task, strategy: Strategy, best: State) -> State:
    """Roads sought in other ways."""
    same = replace(best.draft, items=list(best.served.items))
    for way in WAYS[: for_size(len(same.items), WAYS_FOR)]:
        best = _better(task, strategy, best, same, way)
    return best


def _tighter(task: Task, strategy: Strategy, best: State) -> State:
    """Arrays beside the roads as they run, then anywhere, where surroundings cover less."""
    focus = best.trial.focus
    if focus is None or len(best.served.items) > MOST_TIGHTENED:
        return best
    for roads in ([r.line for r in best.served.network.roads], None):
        items = list(best.served.items)
        draft = tightened(task.field, task.rules, replace(best.draft, items=items), focus, roads)
        if draft.items != items:
            best = _better(task, strategy, best, draft, USUAL)
    return best


def _gathered(task: Task, strategy: Strategy, best: State) -> State:
    """Branches of roads given up one by one, the dearest by what the strategy is about first."""
    focus, solar_kw = best.trial.focus, task.asked.solar_kw
    if focus is None or not solar_kw:
        return best
    budget = for_size(len(best.served.items), REGATHERED_FOR)
    by: tuple[Strategy, ...] = ("clustered", "low_earthwork")
    for measure in by if strategy == "clustered" else by[::-1]:
        left = budget
        while left:
            drafts = regathered(task.field, task.rules, best.draft, best.served, focus, measure, solar_kw)
            for draft in itertools.islice(drafts, left):
                left -= 1
                found = _better(task, strategy, best, draft, best.way)
                if found is not best:
                    best = found
                    break
            else:
                break
    return best
