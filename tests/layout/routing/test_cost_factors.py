"""Cost of road on the cells of a grid."""

import numpy as np
import pytest
from shapely import box

from pacifico.layout.routing.cost_factors import cost_factors, earthwork_per_metre, ring_starts

PLACES = (0.5, 0.5, 1.0)


def test_the_largest_multiplier_counts():
    zones = [(box(0, 0, 2, 2), 2.0), (box(1, 0, 4, 1), 3.0)]
    assert cost_factors((2, 4), zones, PLACES).tolist() == [[2, 3, 3, 3], [2, 2, 1, 1]]


def test_an_existing_road_costs_its_upgrade_and_no_earthwork():
    earthwork = np.full((1, 3), 5.0)
    found = cost_factors((1, 3), [(box(1, 0, 2, 1), 0.4)], PLACES, earthwork)
    assert found.tolist() == [[5.0, 0.4, 5.0]]


def test_an_existing_road_through_a_dear_zone_still_costs_more():
    zones = [(box(0, 0, 3, 1), 3.0), (box(1, 0, 2, 1), 0.5)]
    assert cost_factors((1, 3), zones, PLACES).tolist() == [[3.0, 1.5, 3.0]]


def test_earthwork_is_a_bench_across_the_slope_and_a_share_of_bumps():
    x = np.arange(5.0)[None, :].repeat(5, axis=0)
    assert earthwork_per_metre(0.1 * x, 0.1 * x, 1.0, 6.0) == pytest.approx(0.1 * 36 / 4)
    assert earthwork_per_metre(0.0 * x, 0.0 * x + 0.5, 1.0, 6.0) == pytest.approx(0.3 * 0.5 * 6.0)


def test_rings_start_after_each_other():
    assert ring_starts([np.zeros((4, 2)), np.zeros((5, 2))]).tolist() == [0, 4, 9]
