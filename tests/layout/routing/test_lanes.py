"""Lanes over barriers: road positions on their lines."""

import numpy as np
import pytest
from shapely import MultiPolygon

from pacifico.layout.ground.crossings import CrossingLines
from pacifico.layout.model.roads import RoadCriteria
from pacifico.layout.routing import tree_search
from pacifico.layout.routing.lanes import NO_LANES, Lanes, with_lanes
from pacifico.layout.routing.routing_grid import make_routing_grid

CRITERIA = RoadCriteria()


def banks(make):
    """Two banks of a creek 20 m wide, and a lane across at an odd place."""
    allowed = MultiPolygon([make.at(0, 0, 200, 90), make.at(0, 110, 200, 200)])
    x = make.west + 63.7
    lines = CrossingLines(
        np.array([[x, make.south + 90.0]]), np.array([[x + 4.0, make.south + 110.0]]), np.zeros(1, np.int64)
    )
    return allowed, Lanes(lines, CRITERIA.width_m / 2 + CRITERIA.clearance_m + 0.6, np.array([5.0]))


def grid_of(make, allowed, cell):
    ground = make.ground(make.level, 200, 200)
    return make_routing_grid(
        ground, allowed, [], [], half_width_m=CRITERIA.width_m / 2, clearance_m=CRITERIA.clearance_m, cell=cell
    )


@pytest.mark.parametrize("cell", [3.0, 7.0, 12.0])
def test_a_lane_joins_both_banks_whatever_the_cell(make, cell):
    allowed, lanes = banks(make)
    parts = tree_search.parts(grid_of(make, allowed, cell))
    assert parts.max() == 1
    whole = lanes.added_to(allowed)
    assert whole.geom_type == "Polygon"
    joined = with_lanes(grid_of(make, whole, cell), lanes)
    assert tree_search.parts(joined).max() == 0
    priced = joined.cost_factor.ravel()[joined.clear > 0]
    assert priced.max() == 5.0
    assert (priced == 1.0).sum() > 0.9 * priced.size


def test_without_lanes_nothing_changes(make):
    allowed, _ = banks(make)
    grid = grid_of(make, allowed, 5.0)
    assert NO_LANES.added_to(allowed) is allowed
    assert with_lanes(grid, NO_LANES) is grid
    assert NO_LANES.closed is None


def test_the_closed_area_is_the_lane_between_the_banks(make):
    _, lanes = banks(make)
    assert lanes.closed.area == pytest.approx(2 * lanes.half_width_m * lanes.lines.length_m[0])
