"""Pads grow by their side slopes: exact cases on planes."""

import pytest
from fixtures.ground import SOUTH, WEST
from fixtures.roads import square_ground
from shapely import box

from pacifico.layout.access.pad_slopes import MOST_M, pad_with_side_slopes
from pacifico.layout.model.earthwork import PadPlane

RECT = (WEST + 500.0, SOUTH + 500.0, WEST + 510.0, SOUTH + 506.0)


def grown_m(height, elevation_m, *, grade_east=0.0, side_slope=2.0):
    """Growth of a pad in the west, south, east and north [m]."""
    plane = PadPlane(box(*RECT), elevation_m, grade_east, 0.0, 0.0, 0.0)
    west, south, east, north = pad_with_side_slopes(RECT, plane, square_ground(height), side_slope).bounds
    return RECT[0] - west, RECT[1] - south, east - RECT[2], north - RECT[3]


def test_a_pad_at_the_height_of_the_ground_has_no_side_slopes():
    assert grown_m(lambda x, y: 10.0, 10.0) == pytest.approx((0, 0, 0, 0))


@pytest.mark.parametrize("elevation_m", [9.0, 11.0])
def test_side_slopes_on_level_ground_are_twice_as_long_as_high(elevation_m):
    assert grown_m(lambda x, y: 10.0, elevation_m) == pytest.approx((2, 2, 2, 2))


def test_each_side_has_its_own_side_slope():
    """A plane that rises by 20 % to the east meets level ground in its middle: 1 m deep at both ends."""
    west, _, east, _ = grown_m(lambda x, y: 10.0, 10.0, grade_east=0.2)
    assert (west, east) == pytest.approx((2, 2))


def test_no_pad_grows_by_more_than_the_most():
    assert grown_m(lambda x, y: 10.0, 20.0) == pytest.approx((MOST_M,) * 4)


def test_walls_need_no_room():
    assert grown_m(lambda x, y: 10.0, 12.0, side_slope=0.0) == pytest.approx((0, 0, 0, 0))
