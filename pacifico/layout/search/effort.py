"""Limits of search effort, by the size of the layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pacifico.layout.access.connect import RoadSearchOptions
from pacifico.layout.criteria.strategies import POLICIES, UNLIMITED

if TYPE_CHECKING:
    from pacifico.layout.criteria.strategies import SizeTable
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.search.problem import DesignProblem
    from pacifico.vocabulary import Strategy

MAX_REDRAFTS = 3
"""Most drafts in one seed area, each without the ground that roads didn't reach before."""
MAX_YARD_REDRAFTS: SizeTable = ((320, 5), (UNLIMITED, MAX_REDRAFTS))
"""The same for yards, which keep the blocks that roads reached before."""
MAX_SERVED = 24
"""Searches for roads after which no other seed area is tried once the target is met."""
MAX_SEED_AREAS = 6
"""Most seed areas tried while the target is missed."""
MAX_YARD_SEED_AREAS: SizeTable = ((60, 6), (UNLIMITED, 4))
"""The same for plants without arrays."""
DRAFTS_RANKED: SizeTable = ((120, 14), (320, 8), (600, 4), (2500, 2))
"""Drafts whose covered area is compared before roads are routed."""
DRAFTS_EXCHANGED: SizeTable = ((120, 14), (600, 2), (UNLIMITED, 0))
"""Drafts among these whose arrays are exchanged."""
LARGE_ITEMS = 2500
"""Items of a draft above which another try takes as long as all the rest."""
LARGE_SHORTFALL = 0.01
"""Share of the target by which large drafts may miss it: less than the difference that counts as equal."""
WHOLE_SITE_DRAFTS = 3
"""Drafts of a whole site that are compared, of the schemes with the most ground for arrays."""
WHOLE_SITE_ITEMS = 600
"""Most items of a whole-site draft whose other scheme is tried where roads miss much of the first."""
MUCH_MISSED = 0.05
"""Share of a draft's capacity that is much to miss: another place for a yard may be better."""
OTHER_SEARCHES = (RoadSearchOptions(cells=1.25), RoadSearchOptions(at_once=True))
"""Searches for roads that are tried where the usual one misses much of a draft of the whole site: on other cells its bends
fall elsewhere, and with arrays from the start roads reach around what would enclose them."""
EQUAL_SHARE = 0.005
"""Share of a draft that roads may miss: another scheme, or stricter rules, can hold little more."""
MOST_FILLED = 0.04
"""Most that arrays add to a draft of the whole site once its roads are designed, as a share: a draft whose capacity is less
by more can't beat a layout. On large real sites they add up to 3 %."""
MAX_POOLED = 600
"""Most items of a layout, about, for which strategies share candidates and local search runs."""
KW_PER_ITEM = 312.0
"""AC capacity of arrays per array or skid, about [kW]."""
SEARCH_VARIANTS: SizeTable = ((600, 8), (UNLIMITED, 0))
"""Other options of the road search that are tried in local search."""
REROUTED_STARTS: SizeTable = ((120, 2), (UNLIMITED, 1))
"""Layouts whose roads are routed again, one for each objective on roads."""
MAX_SEPARATE_CHAINS = 60
"""Most items of a layout for which branches are relocated from each start; of larger ones only from the best."""
RELOCATIONS: SizeTable = ((120, 5), (600, 3), (UNLIMITED, 0))
"""Most branches that are relocated one after the other."""
MAX_EXCHANGED = 600
"""Most items of a layout whose arrays or blocks are exchanged."""
MAX_SHIFTED = 600
"""Most items of a layout whose pads are shifted."""
LAST_ROUNDS = 2
"""Rounds of pad shifts at the end: the result of one strategy may be the start of another."""


def for_size(items: int, table: SizeTable) -> int:
    """Number that a table allows for a size; 1 beyond it."""
    return next((n for size, n in table if items <= size), 1)


@dataclass(frozen=True)
class SeedAreaEffort:
    """How many seed areas a strategy tries."""

    whole_site: bool
    yard: bool
    tries: int
    """Seed areas that are tried in any case."""
    max_tries: int
    """Most seed areas that are tried while the target is missed."""
    items: int
    """Items of the first draft."""
    slack_kw: float
    """Capacity that may be missing of the target without another try [kW]."""


def seed_area_effort(
    problem: DesignProblem, strategy: Strategy, first: SeedArea | None, draft: Draft
) -> SeedAreaEffort:
    """Limits of seed areas after the first draft.

    Parameters
    ----------
    problem : DesignProblem
        Target and smallest unit.
    strategy : str
        Objective to optimise.
    first : SeedArea, optional
        First seed area.
    draft : Draft
        Its draft.
    """
    items = len(draft.items)
    whole_site = first is not None and first.whole_site
    yard = first is not None and first.yard
    slack_kw = problem.smallest_kw
    if problem.target_kw is not None and items > LARGE_ITEMS:
        slack_kw = max(slack_kw, LARGE_SHORTFALL * problem.target_kw)
    return SeedAreaEffort(
        whole_site,
        yard,
        tries=1 if whole_site else for_size(items, POLICIES[strategy].drafts_served),
        max_tries=for_size(items, MAX_YARD_SEED_AREAS) if yard else MAX_SEED_AREAS,
        items=items,
        slack_kw=slack_kw,
    )
