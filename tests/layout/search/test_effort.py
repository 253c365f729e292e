"""Limits of search effort by the size of a layout."""

import pytest

from pacifico.layout.search.effort import DRAFTS_EXCHANGED, MAX_YARD_REDRAFTS, for_size

TABLE = ((30, 8), (60, 7), (120, 6))


@pytest.mark.parametrize(("items", "number"), [(0, 8), (30, 8), (31, 7), (120, 6), (121, 1), (10**6, 1)])
def test_the_first_entry_that_is_large_enough_counts(items, number):
    assert for_size(items, TABLE) == number


def test_an_unlimited_entry_ends_a_table():
    assert for_size(10**6, DRAFTS_EXCHANGED) == 0
    assert for_size(10**6, MAX_YARD_REDRAFTS) == 3
