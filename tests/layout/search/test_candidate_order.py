"""Seed areas: by the rules of the strategy, each once, the site's densest place among them."""

import math

import numpy as np
import pytest

from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.search.candidate_order import ANYWHERE_RANK, seed_areas
from pacifico.vocabulary import STRATEGIES


def context_of(make, size=900.0, **more):
    return make.context(make.site(size, size), make.ground(make.rolling, size, size), setback_m=10.0, **more)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_first_seed_follows_the_first_rule_and_each_comes_once(make, strategy):
    areas = seed_areas(context_of(make), strategy, 5_000.0, None)
    policy = POLICIES[strategy]
    assert (areas[0].siting, areas[0].filled_as) == (policy.siting, strategy)
    assert areas[0].skid_detour == policy.seeds[0].skid_detour
    assert len(set(areas)) == len(areas) > ANYWHERE_RANK
    assert not any(a.yard or a.whole_site for a in areas)
    assert areas == seed_areas(context_of(make), strategy, 5_000.0, None)


def test_balanced_plants_stand_in_quads_alone(make):
    assert {a.scheme for a in seed_areas(context_of(make), "balanced", 5_000.0, None)} == {"quads"}
    assert {a.scheme for a in seed_areas(context_of(make), "density", 5_000.0, None)} == {"quads", "spines"}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_seed_is_the_densest_place_without_a_window(make, strategy):
    area = seed_areas(context_of(make), strategy, 5_000.0, None)[ANYWHERE_RANK]
    west, south, east, north = area.rect
    assert (west, south) == (east, north) == area.start
    assert area.metres_per_degree == POLICIES[strategy].window_slope_m


@pytest.mark.parametrize("target_kw", [None, 100_000.0])
def test_the_whole_site_is_tried_in_all_schemes_where_no_window_is_enough(make, target_kw):
    areas = seed_areas(context_of(make), "clustered", target_kw, None)
    assert {a.scheme for a in areas} == {"quads", "spines", "mixed_quads", "mixed_spines"}
    assert all(a.whole_site for a in areas)


def test_windows_start_at_the_side_of_the_entry(make):
    entry = (make.west, make.south + 450.0)
    area = seed_areas(context_of(make), "clustered", 3_000.0, entry)[0]
    assert area.start[0] == area.rect[0]
    assert math.dist(area.start, entry) < 400.0


def test_windows_of_little_road_lie_near_the_entry(make):
    entry = (make.west + 900.0, make.south + 450.0)
    context = make.context(make.site(900, 900), make.ground(make.level, 900, 900), setback_m=10.0)
    near, far = (seed_areas(context, s, 3_000.0, entry)[0] for s in ("clustered", "density"))
    distance = [np.hypot(a.centre[0] - entry[0], a.centre[1] - entry[1]) for a in (near, far)]
    assert distance[0] <= distance[1]
