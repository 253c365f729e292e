"""The turned frame: places, angles and its origin."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.orientation.frame import TurnedFrame, frame_of

ANGLES = st.floats(-90, 90)
PLACES = st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000))


def azimuth(degrees):
    return make_spec({"solar": {"row_azimuth_deg": degrees}})


def test_rows_run_up_the_frame():
    frame = TurnedFrame(30.0, (100.0, 200.0))
    along = (100 + 10 * math.sin(math.radians(30)), 200 + 10 * math.cos(math.radians(30)))
    assert frame.point(*along) == pytest.approx((100, 210))
    assert frame.point(100, 200) == (100, 200)


def test_right_angles_are_exact():
    frame = TurnedFrame(90.0, (500_000.0, 4_600_000.0))
    assert frame.point(500_010.5, 4_600_003.25) == (499_996.75, 4_600_010.5)
    assert frame.inverse.point(499_996.75, 4_600_010.5) == (500_010.5, 4_600_003.25)


@given(ANGLES, PLACES)
def test_places_come_back_to_the_map_exactly(degrees, place):
    frame = TurnedFrame(degrees, (17.0, -4.0))
    x, y = round(place[0], 6), round(place[1], 6)
    assert frame.inverse.point(*frame.point(x, y)) == (x, y)
    assert frame.inverse.inverse == frame


@given(ANGLES, PLACES)
def test_distances_stay(degrees, place):
    frame = TurnedFrame(degrees, (17.0, -4.0))
    assert math.dist(frame.point(*place), (17.0, -4.0)) == pytest.approx(math.dist(place, (17.0, -4.0)), abs=1e-8)
    assert math.hypot(*frame.vector(*place)) == pytest.approx(math.hypot(*place), abs=1e-8)


def test_heights_of_lines_stay():
    line = shapely.LineString([(0, 0, 5), (0, 10, 7)])
    turned = TurnedFrame(90.0, (0.0, 0.0)).geometry(line)
    assert shapely.get_coordinates(turned, include_z=True).tolist() == [[0, 0, 5], [-10, 0, 7]]
    assert not TurnedFrame(90.0, (0.0, 0.0)).geometry(shapely.Point(1, 2)).has_z


def test_inputs_and_places_on_the_map_hold_whole_micrometres():
    frame, point = TurnedFrame(20.0, (0.0, 0.0)), shapely.Point(123.456, 78.9, 1 / 3)
    for shape in (frame.input(point), frame.inverse.geometry(point)):
        x, y, z = shapely.get_coordinates(shape, include_z=True)[0]
        assert (x, y, z) == (np.round(x, 6), np.round(y, 6), 1 / 3)


def test_angles_turn_with_the_frame():
    frame = TurnedFrame(20.0, (0.0, 0.0))
    assert frame.bearing(270.0) == 250.0
    assert frame.bearing(10.0) == 350.0
    assert frame.rotation(160.0) == 0.0
    assert frame.rotation(90.0) == 110.0
    assert TurnedFrame(20.1, (0.0, 0.0)).rotation(TurnedFrame(-20.1, (0.0, 0.0)).rotation(0.0)) == 0.0


def test_the_origin_is_a_cell_corner_near_the_middle_of_the_dem(make):
    dem = make.dem(make.ground(make.level, 600, 400))
    frame = frame_of(azimuth(20.0), dem)
    assert frame == TurnedFrame(20.0, (make.west + 300, make.south + 200))


@pytest.mark.parametrize("degrees", [0.0, -0.0])
def test_no_frame_is_needed_for_rows_from_north_to_south(make, degrees):
    assert frame_of(azimuth(degrees), make.dem(make.ground(make.level))) is None
