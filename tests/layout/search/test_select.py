"""The best layout: each strategy wins its own objective, and none loses to another's candidate."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures.placement import SPEC

from pacifico.grid import Ground
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.placement.context import PlacementContext
from pacifico.layout.search.candidates import evaluate_candidates
from pacifico.layout.search.objectives import objective_value
from pacifico.layout.search.problem import DesignProblem
from pacifico.layout.search.select import best_layout, best_of
from pacifico.vocabulary import STRATEGIES

_path = Path(__file__).parents[2] / "benchmarks" / "test_layout_strategies.py"
_spec = importlib.util.spec_from_file_location("strategies_benchmark", _path)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)


def problem_of(site, field, profile, target_kw, spec=SPEC):
    capacities = requested_capacities(profile, target_kw, spec)
    return DesignProblem(site, PlacementContext(field, spec), capacities, None, profile, target_kw)


def test_each_strategy_wins_its_own_objective_on_a_synthetic_site():
    site, dem = bench.synthetic(0, hectares=60, steepness=0.03)
    assert bench.winners_of(bench.compared(site, dem, 9_000)) == set(bench.MEASURE_OF)


@pytest.mark.parametrize("strategy", ["density", "low_earthwork", "clustered"])
@pytest.mark.parametrize(("profile", "target_kw"), [("solar_farm", 6_000.0), ("bess", 60_000.0)])
def test_no_strategy_loses_to_the_first_candidate_of_another(profile, target_kw, strategy):
    site, dem = bench.synthetic(1, hectares=50)
    field = make_field(site, Ground.of(dem), Ground.finest_of(dem), setback_m=10.0, source_cell_m=10.0)
    problem = problem_of(site, field, profile, target_kw)
    found = best_layout(problem, strategy)
    own = objective_value(problem.measure(found.served), strategy)
    got_kw = problem.capacity_of(found.served.items)
    for other in STRATEGIES:
        for candidate in evaluate_candidates(problem, other).candidates[:1]:
            assert got_kw > candidate.capacity_kw - problem.smallest_kw
            if candidate.capacity_kw > got_kw - problem.smallest_kw:
                assert own <= objective_value(problem.measure(candidate.served), strategy)


@pytest.mark.parametrize(
    ("profile", "target_kw"), [("solar_farm", 9_000.0), ("bess", 60_000.0), ("gas_bess", 40_000.0)]
)
def test_no_strategy_loses_to_the_result_of_another(make, profile, target_kw):
    site = make.site(900, 900)
    field = make.field(site, make.ground(make.rolling, 900, 900), setback_m=10.0)
    measures = {}
    for strategy in ("density", "low_earthwork", "clustered"):
        problem = problem_of(site, field, profile, target_kw)
        measures[strategy] = problem.measure(best_layout(problem, strategy).served)
    for strategy, own in measures.items():
        for other in measures.values():
            assert objective_value(own, strategy) <= objective_value(other, strategy) + 1e-9


def test_the_first_problem_that_meets_its_target_is_taken(make):
    site = make.site(400, 400)
    field = make.field(site, make.ground(make.level, 400, 400), setback_m=10.0)
    first, second = (problem_of(site, field, "bess", kw) for kw in (10_000.0, 20_000.0))
    found, spec = best_of([first, second], "balanced")
    assert sum(i.storage_kw for i in found.served.items) == 10_000.0
    assert spec is first.context.spec


def test_of_problems_that_miss_their_target_the_largest_plant_is_taken(make):
    site = make.site(300, 300)
    field = make.field(site, make.ground(make.level, 300, 300), setback_m=10.0)
    missed = [problem_of(site, field, "bess", kw) for kw in (900_000.0, 800_000.0)]
    found, _ = best_of(missed, "balanced")
    assert 0 < sum(i.storage_kw for i in found.served.items) < 800_000.0


def test_ground_without_any_plant_has_no_roads(make):
    site = make.site(400, 400)
    field = make.field(site, make.ground(lambda x, y: 0.2 * x, 400, 400), setback_m=10.0)
    found = best_layout(problem_of(site, field, "bess", 10_000.0), "density")
    assert found.served is None
    assert [u.kind for u in found.draft.unplaced if u.kind == "battery"] == ["battery"]


def test_a_plant_that_keeps_its_substation_is_better_than_a_larger_one_without(make):
    site = make.site()
    field = make.field(site, make.ground(make.rolling), setback_m=10.0)
    found = best_layout(problem_of(site, field, "solar_farm", None), "balanced")
    assert "substation" in {i.kind for i in found.served.items}
    assert sum(i.capacity_kw for i in found.served.items) > 15_000.0


def test_capacity_without_the_substation_does_not_count(make):
    site = make.site(600, 500)
    field = make.field(site, make.ground(make.level, 600, 500), setback_m=10.0)
    problem = problem_of(site, field, "solar_farm", 5_000.0)
    found = best_layout(problem, "balanced")
    served = found.served
    kw = sum(i.capacity_kw for i in served.items)
    without = replace(served, items=tuple(i for i in served.items if i.kind != "substation"))
    assert problem.reached_kw(found.draft, served) == kw > 4_000.0
    assert problem.reached_kw(found.draft, without) == 0.0
