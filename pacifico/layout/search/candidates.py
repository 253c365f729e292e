"""Evaluation of candidate areas: draft a plant, connect it to roads, measure it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.access.road_reserves import OF_ARRAYS, enclosed_items, exit_strips, others
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.model.assets import merge_unplaced
from pacifico.layout.placement.draft import Draft, capacity_of, has_plant
from pacifico.layout.placement.solar_arrays import SCHEMES
from pacifico.layout.search.effort import (
    DRAFTED_FOR,
    MOST_DRAFTS,
    MOST_SERVED,
    MOST_TRIED,
    SERVED_FOR,
    TIGHTENED_FOR,
    TOPPED_FOR,
    USUAL_FOR,
    YARDS_TRIED_FOR,
    for_size,
)
from pacifico.layout.search.exchange_arrays import exchange_arrays
from pacifico.layout.search.objectives import surroundings_per_kw
from pacifico.layout.search.relocate_yard import add_blocks_beside_roads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Strategy
    from pacifico.layout.model.assets import Unplaced
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.search.problem import DesignProblem

    Drafted = tuple[SeedArea | None, Draft]

LARGE, NEARLY = 2500, 0.01
"""Large drafts within 1 % of the target are accepted: retrying elsewhere would double the run time for a negligible
gain. The same limit keeps a draft of the whole site to one lane direction."""
SCHEMES_FOR, MUCH = 600, 0.05
"""Size up to which another lane direction, or another yard, is tried, and the share of the draft that roads must miss
for that."""


@dataclass(frozen=True)
class Candidate:
    """A draft connected to roads."""

    capacity_kw: float
    draft: Draft
    served: ServedLayout
    seed_area: SeedArea | None
    lacks: int = 0
    """Number of yard blocks of the draft that no road reaches (arrays and skids not counted)."""


@dataclass(frozen=True)
class CandidateSet:
    """Candidates, the last draft, and why some of its assets were not reached."""

    candidates: tuple[Candidate, ...]
    last: Draft
    unreached: str


def evaluate_candidates(problem: DesignProblem, strategy: Strategy) -> CandidateSet:
    """Draft the plant in the most promising areas and connect each draft to roads.

    Parameters
    ----------
    problem : Task
    strategy : str
    """
    seed_areas = problem.places(strategy)
    whole = seed_areas[0] is not None and seed_areas[0].whole
    yard = seed_areas[0] is not None and seed_areas[0].yard
    drafts = _drafted(problem, strategy, seed_areas, whole=whole)
    size = len(drafts[0][1].items)
    first = {id(f): d for f, d in drafts}
    most_tried = for_size(size, YARDS_TRIED_FOR) if yard else MOST_TRIED
    tries = 1 if whole or strategy == "density" else _tries(size, strategy)
    # shortfall below which another attempt is not worth its time
    slack_kw = problem.smallest_kw
    if problem.target_kw is not None and size > LARGE:
        slack_kw = max(slack_kw, NEARLY * problem.target_kw)
    out: list[Candidate] = []
    spent, drafted_kw = 0, 0.0
    last, unreached = drafts[0][1], ""
    for n, seed_area in enumerate([f for f, _ in drafts] + seed_areas[len(drafts) :]):
        reached = max((t.capacity_kw for t in out), default=0.0)
        full = bool(out) and (problem.target_kw is None or reached > problem.target_kw - slack_kw)
        if whole and n:
            # lanes in the other direction, where they could hold more
            hard = size <= SCHEMES_FOR and reached < (1 - MUCH) * capacity_of(drafts[0][1].items, problem.profile)
            if not hard or n >= len(drafts):
                break
        elif yard and n >= tries and _all_ground(problem, drafted_kw, slack_kw) and reached > (1 - MUCH) * drafted_kw:
            break  # the ground of the whole site holds no more
        elif (n >= tries or spent >= MOST_SERVED) and (full or n >= most_tried or reached > drafted_kw - slack_kw):
            break  # roads lose nothing here, so the ground holds no more
        draft = first[id(seed_area)] if id(seed_area) in first else problem.draft(strategy, seed_area, NO_RECTS)
        drafted_kw = max(drafted_kw, capacity_of(draft.items, problem.profile))
        more = _served(problem, strategy, seed_area, draft, slack_kw, loose=seed_area is None or whole or yard)
        spent += more.served
        last, unreached = more.last, more.unreached or unreached
        if more.candidate is not None:
            out.append(more.candidate)
    return CandidateSet(tuple(out), last, unreached)


def _all_ground(problem: DesignProblem, drafted_kw: float, slack_kw: float) -> bool:
    """Whether the ground alone, before roads, falls short of the target."""
    return problem.target_kw is not None and drafted_kw <= problem.target_kw - slack_kw


def _drafted(
    problem: DesignProblem, strategy: Strategy, seed_areas: Sequence[SeedArea | None], *, whole: bool
) -> list[Drafted]:
    """First drafts, most promising first."""
    drafts: list[Drafted] = [(seed_areas[0], problem.draft(strategy, seed_areas[0], NO_RECTS))]
    if whole or strategy == "density":
        size = len(drafts[0][1].items)
        most = (len(SCHEMES) if size <= LARGE else 1) if whole else for_size(size, DRAFTED_FOR)
        drafts += [(f, problem.draft(strategy, f, NO_RECTS)) for f in seed_areas[1:most]]
    if whole:
        # everything that fits: the largest draft wins
        drafts.sort(key=lambda d: -capacity_of(d[1].items, problem.profile))
    elif strategy == "density":
        drafts.sort(key=lambda d: surroundings_per_kw(d[1].items, problem.profile))
        some = for_size(len(drafts[0][1].items), TIGHTENED_FOR)
        drafts[:some] = [
            (f, exchange_arrays(problem.field, problem.spec, d, f) if f and not f.yard else d) for f, d in drafts[:some]
        ]
        drafts.sort(key=lambda d: surroundings_per_kw(d[1].items, problem.profile))
        # lanes on both sides are the safe choice where the first draft is hard to reach
        sure = next((d for d in drafts[1:] if d[0] is not None and d[0].sure), None)
        if sure is not None:
            drafts.insert(1, drafts.pop(drafts.index(sure)))
    return drafts


@dataclass(frozen=True)
class _Effort:
    """Result of evaluating one area."""

    candidate: Candidate | None
    last: Draft
    unreached: str
    served: int
    """Number of road searches."""


def _served(
    problem: DesignProblem,
    strategy: Strategy,
    seed_area: SeedArea | None,
    draft: Draft,
    slack_kw: float,
    *,
    loose: bool,
) -> _Effort:
    """Connect a draft to roads; draft again, a few times, without the ground that roads missed."""
    here: Candidate | None = None
    gave_up: list[Unplaced] = []
    banned = NO_RECTS
    last, unreached, spent = draft, "", 0
    yard = seed_area is not None and seed_area.yard
    most = for_size(len(draft.items), TOPPED_FOR) if yard else MOST_DRAFTS
    for turn in range(most):
        last = draft
        if not has_plant(draft.items):
            break
        served = problem.serve(draft)
        spent += 1
        got = capacity_of(served.items, problem.profile)
        lacks = len(others(draft.items)) - len(others(served.items))
        full = here is not None and lacks < here.lacks and got > here.capacity_kw - problem.smallest_kw
        # the same capacity to the unit is no loss; fewer missing blocks are a gain
        more = here is not None and got > here.capacity_kw + (problem.smallest_kw if lacks > here.lacks else 0.0)
        if has_plant(served.items) and (here is None or full or more):
            short = problem.target_kw is not None and got <= problem.target_kw - problem.smallest_kw
            # keep the reason for the shortfall, although a later draft avoids that ground
            kept = replace(served, lost=merge_unplaced((*gave_up, *served.lost))) if short else served
            here = Candidate(got, draft, kept, seed_area, lacks)
        unreached = next((u.message for u in served.network.unreached.values()), unreached)
        stays = {*served.items, *served.gave}
        gone = [i for i in draft.items if i not in stays]
        missing = 0.0 if problem.target_kw is None else problem.target_kw - got
        if turn == most - 1:
            break
        fenced = enclosed_items(draft.items, served) if lacks else []
        if fenced:
            banned = np.concatenate([banned, exit_strips(fenced, served, draft.items)])
            draft = problem.draft(strategy, seed_area, banned)
            continue
        more_beside = topped_up(problem, draft, served) if lacks and yard else None
        if more_beside is not None:
            draft = more_beside
            banned = draft.banned
            continue
        if turn >= MOST_DRAFTS - 1 or (
            yard and _all_ground(problem, capacity_of(draft.items, problem.profile), slack_kw)
        ):
            break
        gave_up += [u for u in served.lost if u.kind in OF_ARRAYS]
        # draft again only where the unreached assets could close the gap, or are many
        if missing < slack_kw:
            break
        # replace the units that arrays gave up only where that closes the gap
        freed = served.freed if missing < capacity_of(draft.items, problem.profile) - got + slack_kw else NO_RECTS
        if not len(freed) and (not gone or capacity_of(gone, problem.profile) < min(missing, 0.05 * got)):
            break
        if strategy == "density" and not loose:
            # first retry the draft as it was before the exchange of array ends
            loose, draft = True, problem.draft(strategy, seed_area, banned)
            continue
        banned = np.concatenate([banned, freed, np.array([i.rect for i in gone]).reshape(-1, 4)])
        draft = problem.draft(strategy, seed_area, banned)
    return _Effort(here, last, unreached, spent)


def topped_up(problem: DesignProblem, draft: Draft, served: ServedLayout) -> Draft | None:
    """Draft that moves unreached yard blocks beside the existing roads; None where that fails."""
    if not served.network.roads:
        return None
    stays = {*served.items, *served.gave}
    gone = np.array([i.rect for i in draft.items if i not in stays]).reshape(-1, 4)
    banned = np.concatenate([draft.banned, served.freed, gone])
    return add_blocks_beside_roads(problem.field, problem.spec, draft, served, banned)


def _tries(items: int, strategy: Strategy) -> int:
    return for_size(items, USUAL_FOR if strategy == "balanced" else SERVED_FOR)
