"""The best of a few drafts: each is served by roads, measured, and judged by what its strategy is to win."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.corridors import corridors
from pacifico.layout.draft import capacity_of, useful
from pacifico.layout.programme import draft_layout, places
from pacifico.layout.regather import regathered
from pacifico.layout.serve import Served, earthwork_rules, merged, serve
from pacifico.layout.solar import SCHEMES
from pacifico.layout.tighten import tightened
from pacifico.layout.windows import SURROUNDINGS_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Point

    from pacifico.layout.buildable import Field, Floats
    from pacifico.layout.draft import Draft, Item, Unplaced
    from pacifico.layout.programme import Programme
    from pacifico.layout.spec import Profile, Spec, Strategy
    from pacifico.layout.windows import Focus
    from pacifico.site.model import Site

    Best = tuple[float, float, Draft, Served]
    """Capacity [kW], what the strategy wants least of, and with which draft and roads."""

MOST_DRAFTS = 3
"""Of placing again elsewhere what no road reached."""
SERVED_FOR = ((30, 13), (60, 10), (120, 8), (320, 3), (2500, 2))
"""Most items of a draft, and how many drafts of that size are served by roads; a larger one alone."""
REGATHERED_FOR = ((60, 6), (120, 5))
"""Most items of the best draft, and how often a branch of its roads is given up for others at most; of a larger one none."""
MOST_SERVED = 24
"""Drafts after which no other place is tried once the target is met."""
TIGHTENED_FOR = ((120, 14), (600, 2), (10**9, 0))
"""Most items of a draft, and of how many drafts arrays are exchanged by their ends."""
MOST_TIGHTENED = 600
"""Items of a draft whose arrays are exchanged by their ends."""
MOST_TRIED = 6
"""Places tried where less than asked for was reached before."""
LARGE, NEARLY = 2500, 0.01
"""A draft of more items that lacks no more than this share of its target is not made again elsewhere: that would take
as long as all the rest, for less than the difference that counts as equal."""
DRAFTED_FOR = ((120, 14), (320, 8), (600, 4), (2500, 2))
"""Most items of a draft, and of how many drafts the densest is served: what they cover needs no roads to be known."""


def surroundings_ha(items: Sequence[Item]) -> float:
    """Union of the assets' surroundings [ha]."""
    boxes = shapely.box(*np.array([i.rect for i in items]).T)
    return float(shapely.union_all(shapely.buffer(boxes, SURROUNDINGS_M)).area) / 1e4


def earthwork_m3(field: Field, served: Served, rules: Spec) -> float:
    """Cut and fill of pads and roads [m³]."""
    roads = served.network.roads
    volumes = corridors(field.ground, [r.line for r in roads], [r.width_m for r in roads], rules=earthwork_rules(rules))
    pads = sum(p.cut_m3 + p.fill_m3 for p in served.pads if p is not None)
    return pads + sum(v.cut_m3 + v.fill_m3 for v in volumes)


def lost(field: Field, served: Served, rules: Spec, strategy: Strategy) -> float:
    """What a strategy wants least of."""
    if strategy == "density":
        return surroundings_ha(served.items)
    if strategy == "clustered":
        return served.network.length_m
    earth = earthwork_m3(field, served, rules)
    if strategy == "low_earthwork":
        return earth
    return float(surroundings_ha(served.items) * np.sqrt(served.network.length_m) * np.sqrt(np.sqrt(earth)))


@dataclass(frozen=True)
class Found:
    """The best draft, and why assets of the last one were not reached."""

    draft: Draft
    served: Served | None
    unreached: str = ""


def best_layout(
    site: Site,
    field: Field,
    asked: Programme,
    where: Point | None,
    rules: Spec,
    *,
    profile: Profile,
    strategy: Strategy,
    target_kw: float | None,
    smallest_kw: float,
) -> Found:
    """Draft at the most promising places, serve by roads, and keep what wins most at what the strategy is about.

    A layout that carries less than another by a unit or more is never the better one.
    """
    entry = None if where is None else (where.x, where.y)

    def drafted(focus: Focus | None, banned: Floats) -> Draft:
        return draft_layout(field, rules, asked, strategy, entry, banned, focus)

    nothing = np.empty((0, 4))
    foci = places(field, rules, asked, strategy, entry)
    whole = foci[0] is not None and foci[0].whole
    drafts = [(foci[0], drafted(foci[0], nothing))]
    if whole or strategy == "density":
        most = len(SCHEMES) if whole else _for_size(len(drafts[0][1].items), DRAFTED_FOR)
        drafts += [(f, drafted(f, nothing)) for f in foci[1:most]]
    if whole:
        # as much as the ground carries: most of it wins
        drafts.sort(key=lambda d: -capacity_of(d[1].items, profile))
    elif strategy == "density":
        drafts.sort(key=lambda d: _sparse(d[1], profile))
        some = _for_size(len(drafts[0][1].items), TIGHTENED_FOR)
        drafts[:some] = [(f, tightened(field, rules, d, f) if f else d) for f, d in drafts[:some]]
        drafts.sort(key=lambda d: _sparse(d[1], profile))
        # where roads do not reach the first all over, aisles both ways are the surest
        sure = next((d for d in drafts[1:] if d[0] is not None and d[0].sure), None)
        if sure is not None:
            drafts.insert(1, drafts.pop(drafts.index(sure)))
    first = {id(f): d for f, d in drafts}
    tries = 1 if whole or strategy == "density" else _tries(len(drafts[0][1].items), strategy)
    # what may be missing of a target before it is worth another try
    slack_kw = smallest_kw
    if target_kw is not None and len(drafts[0][1].items) > LARGE:
        slack_kw = max(smallest_kw, NEARLY * target_kw)
    best: Best | None = None
    spent = 0
    around: Focus | None = None
    loosened = False
    last, unreached = drafts[0][1], ""
    for n, focus in enumerate([f for f, _ in drafts] + foci[len(drafts) :]):
        full = best is not None and (target_kw is None or best[0] > target_kw - slack_kw)
        if (n >= tries or spent >= MOST_SERVED) and (full or whole or n >= MOST_TRIED):
            break
        draft = first[id(focus)] if id(focus) in first else drafted(focus, nothing)
        here: tuple[float, Draft, Served] | None = None
        gave_up: list[Unplaced] = []
        banned, loose = nothing, focus is None or whole
        for _ in range(MOST_DRAFTS):
            last = draft
            if not useful(draft.items):
                break
            served = serve(site, field, draft, where, rules, profile)
            spent += 1
            got = capacity_of(served.items, profile)
            if useful(served.items) and (here is None or got > here[0]):
                short = target_kw is not None and got <= target_kw - smallest_kw
                # ground that no road reached is a reason for what is missing, though a later draft left it alone
                here = (got, draft, replace(served, lost=merged((*gave_up, *served.lost))) if short else served)
            gave_up += served.lost
            unreached = next(iter(served.network.unreached.values()), unreached)
            kept = set(served.items)
            gone = [i for i in draft.items if i not in kept]
            missing = 0.0 if target_kw is None else target_kw - got
            # a new draft is worth its time where what no road reached could make the difference, or was much
            if missing < slack_kw or not gone or capacity_of(gone, profile) < min(missing, 0.05 * got):
                break
            if strategy == "density" and not loose:
                # as it was before its ends were exchanged
                loose, draft = True, draft_layout(field, rules, asked, strategy, entry, banned, focus)
                continue
            banned = np.concatenate([banned, np.array([i.rect for i in gone])])
            draft = drafted(focus, banned)
        if here is None or (best is not None and here[0] <= best[0] - smallest_kw):
            continue
        # where all that the ground carries is asked for, there is nothing to compare with
        worst = 0.0 if whole else lost(field, here[2], rules, strategy)
        if best is None or here[0] >= best[0] + smallest_kw or worst < best[1]:
            best = (here[0], worst, here[1], here[2])
            around, loosened = focus, loose
    if best is None:
        return Found(last, None, unreached)
    if around is not None and not whole and target_kw is not None and asked.solar_kw:
        polish = _Polish(site, field, where, rules, profile, strategy, asked.solar_kw)
        best = (
            polish.tighter(best, around, loosened=loosened) if strategy == "density" else polish.gathered(best, around)
        )
    return Found(best[2], best[3])


@dataclass(frozen=True)
class _Polish:
    """A last step on the best draft, kept where it wins more at what the strategy is about."""

    site: Site
    field: Field
    where: Point | None
    rules: Spec
    profile: Profile
    strategy: Strategy
    solar_kw: float

    def better(self, draft: Draft, best: Best) -> Best | None:
        """A draft with its roads, if all of it is reached, it carries as much and wants less."""
        served = serve(self.site, self.field, draft, self.where, self.rules, self.profile)
        got = capacity_of(served.items, self.profile)
        if served.lost or got < best[0] - 1e-3:
            return None
        worst = lost(self.field, served, self.rules, self.strategy)
        return (got, worst, draft, served) if worst < best[1] else None

    def tighter(self, best: Best, focus: Focus, *, loosened: bool) -> Best:
        """Arrays beside the roads as they run, where surroundings cover less."""
        items = list(best[3].items)
        if len(items) > (MOST_TIGHTENED if loosened else REGATHERED_FOR[-1][0]):
            return best
        ways = [r.line for r in best[3].network.roads]
        draft = tightened(self.field, self.rules, replace(best[2], items=items), focus, ways)
        return best if draft.items == items else self.better(draft, best) or best

    def gathered(self, best: Best, focus: Focus) -> Best:
        """Branches of roads given up one by one, the dearest by what the strategy is about first."""
        if self.strategy == "balanced":
            return best
        budget = next((n for size, n in REGATHERED_FOR if len(best[3].items) <= size), 0)
        by: tuple[Strategy, ...] = ("clustered", "low_earthwork")
        for measure in by if self.strategy == "clustered" else by[::-1]:
            left = budget
            while left:
                drafts = regathered(self.field, self.rules, best[2], best[3], focus, measure, self.solar_kw)
                for draft in itertools.islice(drafts, left):
                    left -= 1
                    found = self.better(draft, best)
                    if found:
                        best = found
                        break
                else:
                    break
        return best


def _sparse(draft: Draft, profile: Profile) -> float:
    """Surroundings to a kilowatt."""
    kw = capacity_of(draft.items, profile)
    return surroundings_ha(draft.items) / kw if kw > 0 else np.inf


def _tries(items: int, strategy: Strategy) -> int:
    most = _for_size(items, SERVED_FOR)
    return min(most, 2) if strategy == "balanced" else most


def _for_size(items: int, table: tuple[tuple[int, int], ...]) -> int:
    return next((n for size, n in table if items <= size), 1)
