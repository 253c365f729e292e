"""Limits of search effort by the size of a layout."""

import pytest

from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.placement.draft import Draft
from pacifico.layout.search.effort import (
    DRAFTS_EXCHANGED,
    LARGE_ITEMS,
    LARGE_SHORTFALL,
    MAX_YARD_REDRAFTS,
    for_size,
    seed_area_effort,
)
from pacifico.layout.search.problem import DesignProblem

TABLE = ((30, 8), (60, 7), (120, 6))


@pytest.mark.parametrize(("items", "number"), [(0, 8), (30, 8), (31, 7), (120, 6), (121, 1), (10**6, 1)])
def test_the_first_entry_that_is_large_enough_counts(items, number):
    assert for_size(items, TABLE) == number


def test_an_unlimited_entry_ends_a_table():
    assert for_size(10**6, DRAFTS_EXCHANGED) == 0
    assert for_size(10**6, MAX_YARD_REDRAFTS) == 3


@pytest.mark.parametrize(("items", "large"), [(LARGE_ITEMS, False), (LARGE_ITEMS + 1, True)])
def test_large_drafts_may_miss_more_of_the_target(make, items, large):
    site, target_kw, spec = make.site(300, 300), 500_000.0, make_spec()
    context = make.context(site, make.ground(make.level, 300, 300), setback_m=10.0)
    capacities = requested_capacities("solar_farm", target_kw, spec)
    problem = DesignProblem(site, context, capacities, None, "solar_farm", target_kw)
    draft = Draft([Item("solar_array", (0.0, 0.0, 9.0, 9.0), 10.0)] * items)
    effort = seed_area_effort(problem, "balanced", None, draft)
    assert effort.slack_kw == (LARGE_SHORTFALL * target_kw if large else problem.smallest_kw)
    assert effort.items == items
