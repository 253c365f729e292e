"""Design problems: seed areas, drafts, layouts with roads, and results that are computed once."""

import numpy as np
import pytest
from fixtures.placement import BATTERY, item_at, layout_of
from shapely import Point

from pacifico.layout.access.connect import RoadSearchOptions
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.ground.rects import touching
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.search.problem import DesignProblem


def problem_of(make, profile, target_kw, *, size=500.0, height=None, entry=None, overrides=None):
    site, ground = make.site(size, size), make.ground(height or make.level, size, size)
    context = make.context(site, ground, setback_m=10.0, overrides=overrides)
    capacities = requested_capacities(profile, target_kw, context.spec)
    return DesignProblem(site, context, capacities, entry, profile, target_kw)


def test_the_smallest_unit_and_spare_units(make):
    solar = problem_of(make, "solar_farm", 10_000.0)
    assert solar.smallest_kw == pytest.approx(25.994, abs=1e-3)
    assert solar.solar_kw == pytest.approx(10_000.0 + 6 * solar.smallest_kw), "104 kW and 0.4 %"
    assert problem_of(make, "solar_farm", None).solar_kw is None
    assert problem_of(make, "bess", 10_000.0).solar_kw == 0.0


@pytest.mark.parametrize(
    ("profile", "target_kw", "kind"),
    [("solar_farm", 3_000.0, "arrays"), ("bess", 10_000.0, "yard"), ("bess", None, "any")],
)
def test_seed_areas_are_windows_yards_or_none(make, profile, target_kw, kind):
    areas = problem_of(make, profile, target_kw).seed_areas("density")
    assert {"arrays": lambda a: a and not a.yard, "yard": lambda a: a and a.yard, "any": lambda a: a is None}[kind](
        areas[0]
    )


def test_yards_are_ranked_once_for_all_strategies(make):
    problem = problem_of(make, "bess", 10_000.0, height=make.rolling)
    first = [problem.seed_areas(s)[0].centre for s in ("balanced", "density", "clustered")]
    assert len(set(first)) == 1


def test_a_layout_is_computed_once_for_equal_drafts_and_options(make):
    problem = problem_of(make, "bess", 5_000.0)
    draft = problem.draft("balanced", problem.seed_areas("balanced")[0])
    served = problem.connect(draft)
    assert problem.connect(Draft(list(draft.items))) is served
    assert problem.connect(draft, RoadSearchOptions(cells=1.2)) is not served


def test_a_layout_is_trimmed_to_its_target(make):
    problem = problem_of(make, "solar_farm", 2_000.0)
    draft = problem.draft("balanced", problem.seed_areas("balanced")[0])
    served = problem.connect(draft)
    assert draft.solar_kw() > 2_000.0
    assert 2_000.0 - problem.smallest_kw < problem.capacity_of(served.items) <= 2_000.0
    assert problem.capacity_of(served.untrimmed) > problem.capacity_of(served.items)


@pytest.mark.parametrize(("target_kw", "more"), [(None, True), (2_000.0, True), (1_000.0, False)])
def test_free_ground_beside_roads_is_filled_up_to_the_target(make, target_kw, more):
    """A draft of 1 MW on a site for more: the rest is built beside its roads, within its skid's rating."""
    problem = problem_of(make, "solar_farm", target_kw, size=300.0)
    small = problem_of(make, "solar_farm", 1_000.0, size=300.0)
    draft = small.draft("balanced", small.seed_areas("balanced")[0])
    kw = problem.capacity_of(problem.connect(draft).items)
    assert (kw > 1_200.0) == more
    assert kw <= (target_kw or 4_200.0)


def test_drafts_keep_excluded_rectangles_free(make):
    problem = problem_of(make, "solar_farm", 1_500.0)
    excluded = np.array([[make.west, make.south, make.west + 250, make.south + 500]])
    draft = problem.draft("balanced", problem.seed_areas("balanced")[0], excluded)
    assert not touching(rects_of(draft.items), excluded).any()


def test_ground_stays_free_along_the_roads_to_turbines(make):
    problem = problem_of(make, "wind_hybrid", 10_000.0, size=1200.0)
    draft = problem.draft("balanced", problem.seed_areas("balanced")[0])
    assert any(i.kind == "wind_turbine" for i in draft.items)
    arrays = rects_of([i for i in draft.items if i.kind == "solar_array"])
    assert len(draft.excluded) > 0
    assert not touching(arrays, draft.excluded).any()


def test_measures_are_those_of_the_layout(make):
    problem = problem_of(make, "bess", 5_000.0, entry=Point(make.west, make.south + 100))
    served = layout_of([item_at(BATTERY, 100, 110)], [(0, 100), (200, 100)])
    measures = problem.measure(served)
    assert measures.road_m == 200.0
    assert measures.surroundings_per_kw == measures.surroundings_ha / 5_000.0
