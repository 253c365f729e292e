"""Local search: never worse, capacity kept, in the order of the strategies' turns."""

import pytest
from fixtures.placement import SPEC

from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.search.candidates import evaluate_candidates
from pacifico.layout.search.local_search import MOVES, ON_ROADS, best_state, local_search, state_of
from pacifico.layout.search.problem import DesignProblem


def test_strategies_take_turns():
    assert tuple(MOVES) == ("clustered", "low_earthwork", "density")
    assert ON_ROADS == ("clustered", "low_earthwork")
    assert all(POLICIES[s].local_search is moves for s, moves in MOVES.items())


@pytest.fixture(scope="module", params=[("solar_farm", 2_000.0), ("bess", 20_000.0)])
def searched(request, make):
    """Problem, first states and all states after local search."""
    profile, target_kw = request.param
    site, ground = make.site(500, 500), make.ground(make.rolling, 500, 500)
    context = make.context(site, ground, setback_m=10.0)
    problem = DesignProblem(site, context, requested_capacities(profile, target_kw, SPEC), None, profile, target_kw)
    first = [state_of(problem, c) for c in evaluate_candidates(problem, "balanced").candidates]
    return problem, first, local_search(problem, first)


def test_the_first_states_stay_among_the_results(searched):
    _, first, states = searched
    assert states[: len(first)] == first
    assert len(states) > len(first)


@pytest.mark.parametrize("strategy", list(MOVES))
def test_no_objective_gets_worse(searched, strategy):
    _, first, states = searched
    assert best_state(states, strategy).values[strategy] <= best_state(first, strategy).values[strategy]


def test_moves_lower_an_objective_on_rolling_ground(searched):
    _, first, states = searched
    assert any(best_state(states, s).values[s] < best_state(first, s).values[s] for s in MOVES)


def test_no_state_carries_a_unit_less_than_its_start(searched):
    problem, first, states = searched
    least = min(s.candidate.capacity_kw for s in first)
    assert all(problem.capacity_of(s.served.items) > least - problem.smallest_kw for s in states)


def test_values_are_those_of_the_layout(searched):
    problem, _, states = searched
    state = states[-1]
    assert state.values == state_of(problem, state.candidate).values
    assert state.served is state.candidate.served
    assert state.draft is state.candidate.draft
