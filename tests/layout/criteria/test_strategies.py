"""The table of strategies: complete, and consistent in itself."""

import dataclasses

import pytest

from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.search.objectives import OBJECTIVES
from pacifico.vocabulary import STRATEGIES


def test_every_strategy_has_a_policy_and_an_objective():
    assert tuple(POLICIES) == tuple(OBJECTIVES) == STRATEGIES


def test_the_table_can_not_be_changed():
    with pytest.raises(TypeError):
        POLICIES["balanced"] = POLICIES["density"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        POLICIES["balanced"].compact = True


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_first_seed_is_the_best_window_of_the_strategy_itself(strategy):
    first = POLICIES[strategy].seeds[0]
    assert (first.ranked_by, first.places, first.scheme) == (strategy, (0, 1), "any")
    assert first.siting == POLICIES[strategy].siting


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_seeds_name_known_strategies_and_ascending_ranks(strategy):
    for rule in POLICIES[strategy].seeds:
        assert {rule.ranked_by, rule.filled_as or strategy} <= set(STRATEGIES)
        assert 0 <= rule.places[0] < rule.places[1]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_fewer_drafts_are_served_the_larger_they_are(strategy):
    sizes, numbers = zip(*POLICIES[strategy].drafts_served, strict=True)
    assert list(sizes) == sorted(sizes)
    assert list(numbers) == sorted(numbers, reverse=True)


def test_turns_in_local_search_are_distinct():
    turns = [p.local_search.turn for p in POLICIES.values() if p.local_search]
    assert sorted(turns) == list(range(len(turns)))


def test_at_least_one_strategy_has_an_objective_on_roads():
    assert any(p.local_search and p.local_search.branch_measures for p in POLICIES.values())
