"""Candidates: drafts in the seed areas of a strategy, connected to roads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.access.road_reserves import enclosed_items, exit_strips, others
from pacifico.layout.criteria.asset_types import POWER_BLOCK_KINDS
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.model.assets import merge_unplaced
from pacifico.layout.placement.draft import Draft, has_plant, rects_of
from pacifico.layout.search.effort import (
    DRAFTS_EXCHANGED,
    DRAFTS_RANKED,
    EQUAL_SHARE,
    LARGE_ITEMS,
    MAX_REDRAFTS,
    MAX_SERVED,
    MAX_YARD_REDRAFTS,
    MOST_FILLED,
    MUCH_MISSED,
    OTHER_SEARCHES,
    WHOLE_SITE_DRAFTS,
    WHOLE_SITE_ITEMS,
    SeedAreaEffort,
    for_size,
    seed_area_effort,
)
from pacifico.layout.search.exchange_arrays import exchange_arrays
from pacifico.layout.search.objectives import surroundings_per_kw
from pacifico.layout.search.relocate_yard import add_blocks_beside_roads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item, Unplaced
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.search.problem import DesignProblem
    from pacifico.vocabulary import Strategy

    SeedDraft = tuple[SeedArea | None, Draft]


@dataclass(frozen=True)
class Candidate:
    """Draft with its roads."""

    capacity_kw: float
    """Capacity that roads reach [kW]."""
    draft: Draft
    served: ServedLayout
    seed_area: SeedArea | None
    missing_blocks: int = 0
    """Blocks of the draft that no road reaches, without power blocks of arrays."""


@dataclass(frozen=True)
class CandidateSet:
    """Candidates of a strategy."""

    candidates: tuple[Candidate, ...]
    last_draft: Draft
    unreached: str
    """Why roads don't reach items of a draft; empty where they reach all."""


def evaluate_candidates(problem: DesignProblem, strategy: Strategy, least_kw: float = 0.0) -> CandidateSet:
    """Candidates in the most promising seed areas of a strategy.

    Parameters
    ----------
    problem : DesignProblem
        What is laid out.
    strategy : str
        Objective to optimise.
    least_kw : float
        Capacity that a layout of the whole site must exceed to be of interest [kW].
    """
    seed_areas = problem.seed_areas(strategy)
    drafts = _first_drafts(problem, strategy, seed_areas)
    effort = seed_area_effort(problem, strategy, seed_areas[0], drafts[0][1])
    drafted = {id(seed_area): draft for seed_area, draft in drafts}
    out: list[Candidate] = []
    searches, drafted_kw = 0, 0.0
    last, unreached = drafts[0][1], ""
    for n, seed_area in enumerate([s for s, _ in drafts] + list(seed_areas[len(drafts) :])):
        if effort.whole_site and n:
            if n >= len(drafts) or not _other_scheme_may_help(problem, effort, out, drafts[0][1]):
                break
        elif _enough(problem, effort, out, n, searches, drafted_kw):
            break
        draft = drafted[id(seed_area)] if id(seed_area) in drafted else problem.draft(strategy, seed_area)
        if effort.whole_site and _can_not_exceed(problem, draft, max(least_kw, _reached_kw(out))):
            continue
        drafted_kw = max(drafted_kw, problem.capacity_of(draft.items))
        attempt = _SeedAreaSearch(problem, strategy, seed_area, effort.slack_kw).run(draft)
        searches += attempt.searches
        last, unreached = attempt.last_draft, attempt.unreached or unreached
        if attempt.best is not None:
            out.append(attempt.best)
    return CandidateSet(tuple(out), last, unreached)


def _reached_kw(candidates: Sequence[Candidate]) -> float:
    """Largest capacity of any candidate [kW]."""
    return max((c.capacity_kw for c in candidates), default=0.0)


def _can_not_exceed(problem: DesignProblem, draft: Draft, kw: float) -> bool:
    """Whether a draft stays below a capacity, whatever roads reach.

    It may gain arrays beside the roads, up to a known share.
    """
    return problem.capacity_of(draft.items) * (1 + MOST_FILLED) < kw


def _other_scheme_may_help(
    problem: DesignProblem, effort: SeedAreaEffort, candidates: Sequence[Candidate], first: Draft
) -> bool:
    """Whether roads miss enough that the other scheme may help.

    Parameters
    ----------
    problem : DesignProblem
        What counts towards the target.
    effort : SeedAreaEffort
        Size of the first draft.
    candidates : sequence of Candidate
        Candidates so far.
    first : Draft
        First draft.
    """
    drafted_kw = problem.capacity_of(first.items)
    return effort.items <= WHOLE_SITE_ITEMS and _reached_kw(candidates) < (1 - EQUAL_SHARE) * drafted_kw


def _enough(
    problem: DesignProblem,
    effort: SeedAreaEffort,
    candidates: Sequence[Candidate],
    tried: int,
    searches: int,
    drafted_kw: float,
) -> bool:
    """Whether no other seed area can be better.

    Parameters
    ----------
    problem : DesignProblem
        Target.
    effort : SeedAreaEffort
        Limits of seed areas.
    candidates : sequence of Candidate
        Candidates so far.
    tried : int
        Seed areas tried.
    searches : int
        Searches for roads so far.
    drafted_kw : float
        Largest capacity of any draft [kW].
    """
    reached_kw = _reached_kw(candidates)
    reached_most = reached_kw > (1 - MUCH_MISSED) * drafted_kw
    ground_is_short = _ground_is_short(problem, drafted_kw, effort.slack_kw)
    if effort.yard and tried >= effort.tries and ground_is_short and reached_most:
        return True
    if tried < effort.tries and searches < MAX_SERVED:
        return False
    target_met = bool(candidates) and (problem.target_kw is None or reached_kw > problem.target_kw - effort.slack_kw)
    # where roads miss nothing it is the ground that carries no more
    return target_met or tried >= effort.max_tries or reached_kw > drafted_kw - effort.slack_kw


def _ground_is_short(problem: DesignProblem, drafted_kw: float, slack_kw: float) -> bool:
    """Whether a draft misses the target before any road is routed."""
    return problem.target_kw is not None and drafted_kw <= problem.target_kw - slack_kw


def _first_drafts(problem: DesignProblem, strategy: Strategy, seed_areas: Sequence[SeedArea | None]) -> list[SeedDraft]:
    """Drafts of the first seed areas, the most promising first."""
    first = seed_areas[0]
    drafts: list[SeedDraft] = [(first, problem.draft(strategy, first))]
    items = len(drafts[0][1].items)
    if first is not None and first.whole_site:
        drafts += [
            (s, problem.draft(strategy, s)) for s in seed_areas[1 : WHOLE_SITE_DRAFTS if items <= LARGE_ITEMS else 1]
        ]
        return sorted(drafts, key=lambda d: -problem.capacity_of(d[1].items))
    if POLICIES[strategy].rank_drafts:
        most = for_size(items, DRAFTS_RANKED)
        drafts += [(s, problem.draft(strategy, s)) for s in seed_areas[1:most]]
        return _rank_drafts(problem, drafts)
    return drafts


def _rank_drafts(problem: DesignProblem, drafts: list[SeedDraft]) -> list[SeedDraft]:
    """Drafts by covered ground, the first ones with arrays exchanged."""

    def covered(seed_draft: SeedDraft) -> float:
        return surroundings_per_kw(seed_draft[1].items, problem.profile)

    drafts = sorted(drafts, key=covered)
    some = for_size(len(drafts[0][1].items), DRAFTS_EXCHANGED)
    drafts[:some] = [(s, exchange_arrays(problem.context, d, s) if s and not s.yard else d) for s, d in drafts[:some]]
    drafts = sorted(drafts, key=covered)
    # where roads don't reach all of the first, one with easy access comes next
    easy = next((d for d in drafts[1:] if d[0] is not None and d[0].easy_access), None)
    if easy is not None:
        drafts.insert(1, drafts.pop(drafts.index(easy)))
    return drafts


@dataclass(frozen=True)
class _Attempt:
    """Result of one seed area."""

    best: Candidate | None
    last_draft: Draft
    unreached: str
    searches: int
    """Number of searches for roads."""


@dataclass
class _SeedAreaSearch:
    """Drafts in one seed area, each off unreached ground."""

    problem: DesignProblem
    strategy: Strategy
    seed_area: SeedArea | None
    slack_kw: float
    """Capacity that may be missing of the target without another try [kW]."""

    def __post_init__(self) -> None:
        self.best: Candidate | None = None
        self.left_out: list[Unplaced] = []
        self.excluded = NO_RECTS
        self.yard = self.seed_area is not None and self.seed_area.yard
        self.whole_site = self.seed_area is not None and self.seed_area.whole_site
        self.may_undo_exchange = POLICIES[self.strategy].rank_drafts and not (
            self.seed_area is None or self.whole_site or self.yard
        )

    def run(self, draft: Draft) -> _Attempt:
        """Connect a draft and its successors to roads."""
        next_draft: Draft | None = draft
        unreached, searches = "", 0
        most = for_size(len(draft.items), MAX_YARD_REDRAFTS) if self.yard else MAX_REDRAFTS
        for turn in range(most):
            if next_draft is None:
                break
            draft = next_draft
            if not has_plant(draft.items):
                break
            served = self.problem.connect(draft)
            searches += 1
            self._compare(draft, served)
            if turn == 0:
                self._search_otherwise(draft)
            unreached = _why_unreached(served) or unreached
            next_draft = self._next_draft(draft, served, turn) if turn < most - 1 else None
        return _Attempt(self.best, draft, unreached, searches)

    def _search_otherwise(self, draft: Draft) -> None:
        """Search roads for a draft of the whole site with other options, while they miss much."""
        most_kw = (1 - EQUAL_SHARE) * self.problem.capacity_of(draft.items)
        for options in OTHER_SEARCHES if self.whole_site and len(draft.items) <= WHOLE_SITE_ITEMS else ():
            if self.best is None or self.best.capacity_kw < most_kw:
                self._compare(draft, self.problem.connect(draft, options))

    def _missing_blocks(self, draft: Draft, served: ServedLayout) -> int:
        """Number of blocks without a road, without power blocks."""
        return len(others(draft.items)) - len(others(served.items))

    def _compare(self, draft: Draft, served: ServedLayout) -> None:
        """Keep a layout if it is the best so far."""
        if not has_plant(served.items):
            return
        got_kw = self.problem.reached_kw(draft, served)
        missing = self._missing_blocks(draft, served)
        unit_kw, target_kw, best = self.problem.smallest_kw, self.problem.target_kw, self.best
        if best is not None:
            # a difference of less than a unit doesn't count, a missing block does
            fewer_missing = missing < best.missing_blocks and got_kw > best.capacity_kw - unit_kw
            more = got_kw > best.capacity_kw + (unit_kw if missing > best.missing_blocks else 0.0)
            if not (fewer_missing or more):
                return
        if target_kw is not None and got_kw <= target_kw - unit_kw:
            # ground out of reach of roads is a reason for the shortfall, though a later draft avoids it
            served = replace(served, lost=merge_unplaced((*self.left_out, *served.lost)))
        self.best = Candidate(got_kw, draft, served, self.seed_area, missing)

    def _next_draft(self, draft: Draft, served: ServedLayout, turn: int) -> Draft | None:
        """Draft to try next; None where none can be better.

        Parameters
        ----------
        draft : Draft
            Draft tried last.
        served : ServedLayout
            Its layout with roads.
        turn : int
            Number of drafts tried before it.
        """
        missing = self._missing_blocks(draft, served)
        enclosed = enclosed_items(draft.items, served) if missing else []
        if enclosed:
            return self._draft_without(exit_strips(enclosed, served, draft.items))
        beside_roads = replace_unreached_blocks(self.problem, draft, served) if missing and self.yard else None
        if beside_roads is not None:
            self.excluded = beside_roads.excluded
            return beside_roads
        if turn >= MAX_REDRAFTS - 1:
            return None
        drafted_kw = self.problem.capacity_of(draft.items)
        if self.yard and _ground_is_short(self.problem, drafted_kw, self.slack_kw):
            return None
        return self._draft_elsewhere(draft, served, drafted_kw)

    def _draft_elsewhere(self, draft: Draft, served: ServedLayout, drafted_kw: float) -> Draft | None:
        """Draft off unreached ground, or None where that changes nothing.

        Parameters
        ----------
        draft : Draft
            Draft tried last.
        served : ServedLayout
            Its layout with roads.
        drafted_kw : float
            Capacity of the draft [kW].
        """
        problem = self.problem
        self.left_out += [u for u in served.lost if u.kind in POWER_BLOCK_KINDS]
        got_kw = problem.reached_kw(draft, served)
        missing_kw = 0.0 if problem.target_kw is None else problem.target_kw - got_kw
        if missing_kw < self.slack_kw:
            return None
        unreached = _unreached(draft, served)
        removed_rects = served.removed_rects if missing_kw < drafted_kw - got_kw + self.slack_kw else NO_RECTS
        if not len(removed_rects) and (
            not unreached or problem.capacity_of(unreached) < min(missing_kw, MUCH_MISSED * got_kw)
        ):
            return None
        if self.may_undo_exchange:
            # first the draft as it was before arrays were exchanged
            self.may_undo_exchange = False
            return problem.draft(self.strategy, self.seed_area, self.excluded)
        return self._draft_without(np.concatenate([removed_rects, rects_of(unreached)]))

    def _draft_without(self, rects: FloatArray) -> Draft:
        """Draft that keeps rectangles free, besides those before [m]."""
        self.excluded = np.concatenate([self.excluded, rects])
        return self.problem.draft(self.strategy, self.seed_area, self.excluded)


def _why_unreached(served: ServedLayout) -> str:
    """Why roads don't reach the first asset that is without one; empty where they reach all."""
    said = (*(u.message for u in served.network.unreached.values()), *(u.reason for u in served.lost))
    return next(iter(said), "")


def _unreached(draft: Draft, served: ServedLayout) -> list[Item]:
    """Items of a draft that no road reaches."""
    stays = {*served.items, *served.shortened}
    return [i for i in draft.items if i not in stays]


def replace_unreached_blocks(problem: DesignProblem, draft: Draft, served: ServedLayout) -> Draft | None:
    """Draft with blocks beside the roads for unreached ones, or None."""
    if not served.network.roads:
        return None
    excluded = np.concatenate([draft.excluded, served.removed_rects, rects_of(_unreached(draft, served))])
    return add_blocks_beside_roads(problem.context, draft, served, excluded)
