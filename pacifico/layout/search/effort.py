"""."""

from __future__ import annotations

MOST_DRAFTS = 3
"""Of placing again elsewhere what no road reached."""

SERVED_FOR = ((30, 8), (60, 7), (120, 6), (320, 3), (2500, 2))
"""Most items of a draft, and how many drafts of that size are served by roads; a larger one alone."""

USUAL_FOR = ((120, 2), (10**9, 1))
"""The same for the usual strategy."""

MOST_SERVED = 24
"""Drafts after which no other place is tried once the target is met."""

TIGHTENED_FOR = ((120, 14), (600, 2), (10**9, 0))
"""Most items of a draft, and of how many drafts arrays are exchanged by their ends."""

MOST_TRIED = 6
"""Places tried where less than asked for was reached before."""

YARDS_TRIED_FOR = ((60, 6), (10**9, 4))
"""Most items of a draft without arrays, and the same."""

TOPPED_FOR = ((320, 5), (10**9, MOST_DRAFTS))
"""Most items of a draft, and how many drafts of a yard at a place: each keeps what roads reached before."""

DRAFTED_FOR = ((120, 14), (320, 8), (600, 4), (2500, 2))
"""Most items of a draft, and of how many drafts the densest is served: what they cover needs no roads to be known."""


def for_size(items: int, table: tuple[tuple[int, int], ...]) -> int:
    """Look up what a table of (most items, number) allows for so many; 1 beyond it."""
    return next((n for size, n in table if items <= size), 1)
