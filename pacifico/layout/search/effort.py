"""Limits of search effort, by the size of the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.layout.access.connect import RoadSearchOptions
from pacifico.layout.criteria.strategies import UNLIMITED

if TYPE_CHECKING:
    from pacifico.layout.criteria.strategies import SizeTable

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
MOST_FILLED = 0.02
"""Most that arrays beside the roads add to a draft of the whole site, as a share: a draft whose capacity is less by more
can't beat a layout. On rough sites they add up to 1.7 %."""
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
