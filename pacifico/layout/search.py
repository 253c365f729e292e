"""The best of a few drafts: each is served by roads, measured, and judged by what its strategy is to win."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.draft import capacity_of, useful
from pacifico.layout.earthwork import corridors
from pacifico.layout.programme import draft_layout, places
from pacifico.layout.serve import Served, earthwork_rules, merged, serve
from pacifico.layout.solar import SCHEMES
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

MOST_DRAFTS = 3
"""Of placing again elsewhere what no road reached."""
SERVED_FOR = ((60, 7), (120, 6), (260, 3), (2500, 2))
"""Most items of a draft, and how many drafts of that size are served by roads; a larger one alone."""
MOST_TRIED = 6
"""Places tried where less than asked for was reached before."""
LARGE, NEARLY = 2500, 0.01
"""A draft of more items that lacks no more than this share of its target is not made again elsewhere: that would take
as long as all the rest, for less than the difference that counts as equal."""
DRAFTED_FOR = ((120, 12), (260, 8), (600, 4), (2500, 2))
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
    first = {id(f): d for f, d in drafts}
    tries = 1 if whole or strategy == "density" else _tries(len(drafts[0][1].items), strategy)
    # what may be missing of a target before it is worth another try
    slack_kw = smallest_kw
    if target_kw is not None and len(drafts[0][1].items) > LARGE:
        slack_kw = max(smallest_kw, NEARLY * target_kw)
    best: tuple[float, float, Draft, Served] | None = None
    last, unreached = drafts[0][1], ""
    for n, focus in enumerate([f for f, _ in drafts] + foci[len(drafts) :]):
        full = best is not None and (target_kw is None or best[0] > target_kw - slack_kw)
        if n >= tries and (full or whole or n >= MOST_TRIED):
            break
        draft = first[id(focus)] if id(focus) in first else drafted(focus, nothing)
        here: tuple[float, Draft, Served] | None = None
        gave_up: list[Unplaced] = []
        banned = nothing
        for _ in range(MOST_DRAFTS):
            last = draft
            if not useful(draft.items):
                break
            served = serve(site, field, draft, where, rules, profile)
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
            banned = np.concatenate([banned, np.array([i.rect for i in gone])])
            draft = drafted(focus, banned)
        if here is None or (best is not None and here[0] <= best[0] - smallest_kw):
            continue
        worst = lost(field, here[2], rules, strategy)
        if best is None or here[0] >= best[0] + smallest_kw or worst < best[1]:
            best = (here[0], worst, here[1], here[2])
    if best is None:
        return Found(last, None, unreached)
    return Found(best[2], best[3])


def _sparse(draft: Draft, profile: Profile) -> float:
    """Surroundings to a kilowatt."""
    kw = capacity_of(draft.items, profile)
    return surroundings_ha(draft.items) / kw if kw > 0 else np.inf


def _tries(items: int, strategy: Strategy) -> int:
    most = _for_size(items, SERVED_FOR)
    return min(most, 2) if strategy == "balanced" else most


def _for_size(items: int, table: tuple[tuple[int, int], ...]) -> int:
    return next((n for size, n in table if items <= size), 1)
