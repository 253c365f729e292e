"""Candidates: drafts with roads, and what replaces ground that roads don't reach."""

from collections import Counter

import pytest
from fixtures.placement import BATTERY, SPEC, item_at, keeps_clearance, layout_of
from shapely import box

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.placement.draft import Draft
from pacifico.layout.search.candidates import evaluate_candidates, replace_unreached_blocks
from pacifico.layout.search.problem import DesignProblem
from pacifico.site.model import Zone


def problem_of(make, profile, target_kw, *, size=500.0, height=None, **site):
    site, ground = make.site(size, size, **site), make.ground(height or make.level, size, size)
    context = make.context(site, ground, setback_m=10.0)
    return DesignProblem(site, context, requested_capacities(profile, target_kw, SPEC), None, profile, target_kw)


@pytest.mark.parametrize(
    ("profile", "target_kw"), [("solar_farm", 2_000.0), ("bess", 20_000.0), ("gas_bess", 20_000.0)]
)
def test_the_first_candidate_meets_a_target_on_level_ground(make, profile, target_kw):
    problem = problem_of(make, profile, target_kw)
    found = evaluate_candidates(problem, "balanced")
    first = found.candidates[0]
    assert first.capacity_kw > target_kw - problem.smallest_kw
    assert first.missing_blocks == 0
    assert first.seed_area == problem.seed_areas("balanced")[0]
    assert found.unreached == ""


def test_strategies_on_roads_try_more_places_than_balanced_plants(make):
    problem = problem_of(make, "solar_farm", 2_000.0)
    numbers = {s: len(evaluate_candidates(problem, s).candidates) for s in ("balanced", "density", "clustered")}
    assert numbers["density"] == 1
    assert numbers["balanced"] == 2
    assert numbers["clustered"] == 8


def test_without_a_target_both_schemes_of_the_whole_site_are_drafted(make):
    problem = problem_of(make, "solar_farm", None)
    found = evaluate_candidates(problem, "balanced")
    assert found.candidates[0].seed_area.whole_site
    assert found.candidates[0].capacity_kw > 4_000.0


def test_a_draft_that_can_not_exceed_a_capacity_gets_no_roads(make, monkeypatch):
    problem = problem_of(make, "solar_farm", None)
    drafted_kw = max(problem.capacity_of(problem.draft("balanced", s).items) for s in problem.seed_areas("balanced"))
    connected = []
    monkeypatch.setattr(DesignProblem, "connect", lambda *a: connected.append(a))
    found = evaluate_candidates(problem, "balanced", 1.1 * drafted_kw)
    assert found.candidates == ()
    assert not connected


def test_a_plant_moves_to_the_side_of_a_river_that_roads_reach(make):
    """A river splits the site; the entry is in the west."""
    river = Zone(make.at(240, -10, 260, 510), "river", "hard")
    problem = problem_of(make, "bess", 20_000.0, exclusions=(river,))
    found = evaluate_candidates(problem, "balanced")
    best = max(found.candidates, key=lambda c: c.capacity_kw)
    assert best.capacity_kw == 20_000.0
    sides = {i.centre[0] < make.west + 250 for i in best.served.items}
    assert len(sides) == 1


def test_blocks_without_a_road_are_replaced_beside_it(make):
    row = [item_at(BATTERY, 100.0 + 40.0 * k, 200.0) for k in range(4)]
    far = [item_at(BATTERY, 400.0, 400.0), item_at(BATTERY, 440.0, 400.0)]
    served = layout_of(row, [(0.0, 190.0), (300.0, 190.0)])
    problem = problem_of(make, "bess", 30_000.0)
    draft = replace_unreached_blocks(problem, Draft([*row, *far]), served)
    assert Counter(i.kind for i in draft.items) == {"battery": 6}
    assert not set(far) & set(draft.items)
    assert keeps_clearance(draft.items, BATTERY.clearance_m)
    assert not any(box(*i.rect).intersects(box(*r)) for i in set(draft.items) - set(row) for r in draft.excluded)


def test_nothing_is_replaced_without_roads_or_for_other_items(make):
    problem = problem_of(make, "bess", 10_000.0)
    row = [item_at(BATTERY, 100.0, 200.0)]
    centre = item_at(asset_type(SPEC, "control_center"), 400.0, 400.0)
    served = layout_of(row, [(0.0, 190.0), (300.0, 190.0)])
    assert replace_unreached_blocks(problem, Draft([*row, centre]), served) is None
    assert replace_unreached_blocks(problem, Draft(row), layout_of(row)) is None
