"""Each strategy wins at what it is about, and its last step changes nothing else."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pacifico.grid import Ground
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.criteria.spec import STRATEGIES, make_spec
from pacifico.layout.ground.buildable import make_field
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.placement.place_plant import draft_layout
from pacifico.layout.placement.seed_area import surroundings_ha
from pacifico.layout.search.candidate_order import candidate_areas
from pacifico.layout.search.candidates import evaluate_candidates
from pacifico.layout.search.exchange_arrays import exchange_arrays
from pacifico.layout.search.objectives import objective_value
from pacifico.layout.search.problem import DesignProblem
from pacifico.layout.search.select import best_layout

_path = Path(__file__).parents[2] / "benchmarks" / "test_layout_strategies.py"
_spec = importlib.util.spec_from_file_location("strategies_benchmark", _path)
bench = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(bench)

RULES = make_spec()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_tightened_drafts_carry_the_same_on_less_ground(seed):
    site, dem = bench.made(seed, hectares=40)
    field = make_field(site, Ground.of(dem), Ground.finest_of(dem), setback_m=10.0, source_cell_m=10.0)
    asked = requested_capacities("solar_farm", 9_000.0, RULES)
    for seed_area in candidate_areas(field, RULES, asked, "density", None)[:3]:
        draft = draft_layout(field, RULES, asked, "density", None, np.empty((0, 4)), seed_area)
        tight = exchange_arrays(field, RULES, draft, seed_area)
        assert sum(i.capacity_kw for i in tight.items) == pytest.approx(
            sum(i.capacity_kw for i in draft.items), abs=0.1
        )
        assert surroundings_ha(tight.items) <= surroundings_ha(draft.items) * 1.002
        boxes = np.array([i.rect for i in tight.items])
        west, south, east, north = boxes.T
        apart = (west[:, None] >= east - 1e-6) | (east[:, None] <= west + 1e-6)
        apart |= (south[:, None] >= north - 1e-6) | (north[:, None] <= south + 1e-6)
        assert (apart | np.eye(len(boxes), dtype=bool)).all()
        rating = RULES.number("inverter_skid", "rating_kva")
        for block in {i.block for i in tight.items if i.block >= 0}:
            kinds = [i.kind for i in tight.items if i.block == block]
            assert kinds.count("inverter_skid") == 1
            assert len(kinds) > 1
            assert sum(i.capacity_kw for i in tight.items if i.block == block) <= rating + 0.1


def test_each_strategy_wins_its_own_measure_on_a_made_site():
    site, dem = bench.made(0, hectares=60, steepness=0.03)
    assert bench.won(bench.compared(site, dem, 9_000)) == set(bench.WINNERS)


@pytest.mark.parametrize("strategy", ["density", "low_earthwork", "clustered"])
@pytest.mark.parametrize(("profile", "target_kw"), [("solar_farm", 6_000.0), ("bess", 60_000.0)])
def test_no_strategy_is_worse_at_its_own_measure_than_what_another_would_try(profile, target_kw, strategy):
    site, dem = bench.made(1, hectares=50)
    field = make_field(site, Ground.of(dem), Ground.finest_of(dem), setback_m=10.0, source_cell_m=10.0)
    unit_kw = smallest_unit_kw(profile, RULES)
    problem = DesignProblem(
        site, field, requested_capacities(profile, target_kw, RULES), None, RULES, profile, target_kw, unit_kw
    )
    found = best_layout(problem, strategy)
    assert found.served is not None
    mine = objective_value(problem, found.served, strategy)
    got = capacity_of(found.served.items, profile)
    for other in STRATEGIES:
        for candidate in evaluate_candidates(problem, other).candidates[:1]:
            assert got > candidate.capacity_kw - unit_kw
            if candidate.capacity_kw > got - unit_kw:
                assert mine <= objective_value(problem, candidate.served, strategy)
