"""Places for yards: the densest place first, each place once, near the entry for little road."""

import numpy as np
import pytest
from fixtures.placement import SPEC
from shapely import Point

from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.placement.level_ground import flattest_place
from pacifico.layout.search.candidate_yards import BESIDE_DENSEST_M, candidate_yards, rank_yards
from pacifico.vocabulary import STRATEGIES


def gentle(x, y):
    return 100.0 + 0.01 * x + 1.5 * np.sin(x / 155.0) * np.cos(y / 175.0)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_densest_place_comes_first_and_each_place_once(make, strategy):
    context = make.context(make.site(1500, 1500), make.ground(gentle, 1500, 1500), setback_m=10.0)
    areas = candidate_yards(rank_yards(context, 60_000.0, None), strategy)
    assert areas[0].centre == flattest_place(context.field, SPEC, 60_000.0)
    assert areas[0].metres_per_degree == POLICIES[strategy].yard_slope_m
    assert len(areas) > 4
    assert len({(a.centre, a.metres_per_degree) for a in areas}) == len(areas)
    assert all(a.yard and a.filled_as == strategy for a in areas)
    assert all(context.field.placeable.buffer(60.0).contains(Point(a.centre)) for a in areas)


def test_a_yard_of_little_road_lies_near_the_entry(make):
    """Level ground everywhere: only the road tells places apart."""
    context = make.context(make.site(2000, 2000), make.ground(make.level, 2000, 2000), setback_m=10.0)
    entry = (make.west, make.south + 1000.0)
    areas = candidate_yards(rank_yards(context, 60_000.0, entry), "clustered")
    distance = [np.hypot(a.centre[0] - entry[0], a.centre[1] - entry[1]) for a in areas]
    assert min(distance) < 300.0 < distance[0]


def test_places_of_one_strategy_are_apart(make):
    context = make.context(make.site(1500, 1500), make.ground(gentle, 1500, 1500), setback_m=10.0)
    ranked = rank_yards(context, 60_000.0, None)
    for places in ranked.by_strategy.values():
        for k, (x, y) in enumerate(places):
            assert np.hypot(x - ranked.densest[0], y - ranked.densest[1]) > BESIDE_DENSEST_M
            assert all(np.hypot(x - u, y - v) > 30.0 for u, v in places[:k])


def test_a_site_with_hardly_any_square_has_one_place(make):
    context = make.context(make.site(80, 80), make.ground(make.level, 200, 200), setback_m=5.0)
    ranked = rank_yards(context, 10_000.0, None)
    assert all(places == [] for places in ranked.by_strategy.values())
