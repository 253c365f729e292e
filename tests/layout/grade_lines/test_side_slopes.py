"""Side slopes, and heights at which they end before an edge: exact cases on planes."""

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, WEST
from fixtures.roads import square_ground
from numpy.testing import assert_allclose

from pacifico.layout.grade_lines.side_slopes import cut_off_length, side_slope_lines, toe_limits

ROAD = np.array([[WEST + 500.0, SOUTH + 500.0]])
NORTH = np.array([[0.0, 1.0]])


def wall(x, y=500.0):
    """Edge from south to north that passes a place."""
    return np.array([[WEST + x, SOUTH + y - 50.0, WEST + x, SOUTH + y + 50.0]])


def limits(ground, edges, slope=2.0):
    return toe_limits((ROAD, NORTH), ground, edges, width_m=6.0, side_slope=slope)


def test_no_edge_limits_nothing():
    assert limits(square_ground(lambda x, y: 0.0), np.zeros((0, 4))).vertex.size == 0


def test_an_edge_far_away_limits_nothing():
    assert limits(square_ground(lambda x, y: 0.0), wall(524.0)).vertex.size == 0


def test_on_level_ground_depth_is_half_the_distance_to_the_edge():
    found = limits(square_ground(lambda x, y: 0.0), wall(507.0))
    assert_allclose([found.low, found.high], [[-2.0], [2.0]])
    assert found.vertex.tolist() == [0]


@pytest.mark.parametrize("slope", [1.0, 4.0])
def test_flat_side_slopes_leave_less_depth(slope):
    found = limits(square_ground(lambda x, y: 0.0), wall(507.0), slope)
    assert_allclose([found.low[0], found.high[0]], [-4.0 / slope, 4.0 / slope])


def test_each_side_has_its_own_limit():
    found = limits(square_ground(lambda x, y: 0.0), np.vstack([wall(507.0), wall(491.0)]))
    assert found.vertex.tolist() == [0, 0]
    assert sorted(found.high.tolist()) == [2.0, 3.0]


def test_on_a_hillside_cuts_end_late_and_fills_early():
    """Ground rises by 30 % away from the road: cut slopes of 50 % close on it with 20 %."""
    found = limits(square_ground(lambda x, y: 0.3 * x), wall(507.0))
    at_edge = 0.3 * 503.0
    assert found.low[0] == pytest.approx(at_edge - (0.5 - 0.3) * 4.0)
    assert found.high[0] == pytest.approx(at_edge + (0.5 + 0.3) * 4.0)


def test_ground_without_elevation_limits_nothing():
    z = square_ground(lambda x, y: np.where(x > 480, np.nan, 0.0))
    assert limits(z, wall(507.0)).vertex.size == 0


def slopes(ground, z, *, to_x=600.0, side_slope=2.0):
    """Side slopes of a road of 100 m from west to east."""
    line = np.array([(WEST + 500.0, SOUTH + 500.0, z), (WEST + to_x, SOUTH + 500.0, z)])
    return side_slope_lines([line], ground, width_m=6.0, side_slope=side_slope)


@pytest.mark.parametrize("z", [-2.0, 2.0])
def test_side_slopes_on_level_ground_are_twice_as_long_as_the_road_is_deep(z):
    found = slopes(square_ground(lambda x, y: 0.0), z)
    assert len(found) == 2 * 50
    assert_allclose(shapely.length(found), 4.0)
    starts = shapely.get_coordinates(shapely.get_point(found, 0))
    assert_allclose(np.abs(starts[:, 1] - SOUTH - 500.0), 3.0)
    assert_allclose(np.unique(np.round(starts[:, 0] - WEST, 6)), np.arange(501.0, 600.0, 2.0))


def test_a_road_at_the_height_of_the_ground_has_no_side_slopes():
    assert len(slopes(square_ground(lambda x, y: 0.0), 0.04)) == 0


def test_a_side_slope_that_meets_no_ground_is_20_m_long():
    """The ground north of a fill falls as steeply as the side slope; in the south it rises to meet it."""
    found = slopes(square_ground(lambda x, y: -0.5 * (y - 500.0)), 2.0)
    assert_allclose(shapely.length(found)[:50], 20.0)
    assert_allclose(shapely.length(found)[50:], 0.5)


def test_side_slopes_in_ground_without_elevation_end_at_once():
    assert len(slopes(square_ground(lambda x, y: np.nan), 2.0)) == 0


def test_side_slopes_beyond_an_edge_are_measured_along_the_road():
    found = slopes(square_ground(lambda x, y: 0.0), 2.0)
    edge = np.array([[WEST + 500.0, SOUTH + 506.0, WEST + 540.0, SOUTH + 506.0]])
    farther = edge + np.array([0.0, 0.8, 0.0, 0.8])
    assert cut_off_length(found, edge) == 40.0
    assert cut_off_length(found, farther) == 0.0, "0.2 m beyond it need no wall"
    assert cut_off_length(found, np.zeros((0, 4))) == 0.0
    assert cut_off_length(slopes(square_ground(lambda x, y: 0.0), 0.0), edge) == 0.0
