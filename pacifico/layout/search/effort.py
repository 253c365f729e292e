"""Limits on search effort by plant size; each bounds the run time."""

from __future__ import annotations

MOST_DRAFTS = 3
"""Drafts of one area: unreached assets are placed again elsewhere."""

SERVED_FOR = ((30, 8), (60, 7), (120, 6), (320, 3), (2500, 2))
"""Most items of a draft, and number of drafts of that size that are connected to roads; larger drafts: one."""

USUAL_FOR = ((120, 2), (10**9, 1))
"""The same table for the balanced strategy."""

MOST_SERVED = 24
"""Road searches after which no further area is tried once the target is met."""

TIGHTENED_FOR = ((120, 14), (600, 2), (10**9, 0))
"""Most items of a draft, and number of drafts for which array ends are exchanged."""

MOST_TRIED = 6
"""Areas tried while the target is not met."""

YARDS_TRIED_FOR = ((60, 6), (10**9, 4))
"""Most items of a draft without arrays, and number of areas tried while its target is not met."""

TOPPED_FOR = ((320, 5), (10**9, MOST_DRAFTS))
"""Most items of a draft, and number of drafts of one yard: each keeps the assets that roads reached before."""

DRAFTED_FOR = ((120, 14), (320, 8), (600, 4), (2500, 2))
"""Most items of a draft, and number of drafts compared for density: their surroundings are known without roads."""


def for_size(items: int, table: tuple[tuple[int, int], ...]) -> int:
    """Look up a table of (most items, number); 1 beyond its last row."""
    return next((n for size, n in table if items <= size), 1)
