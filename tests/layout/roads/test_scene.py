"""Surroundings of turnarounds: clearance, corners, and straight pieces of road."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground
from numpy.testing import assert_allclose
from shapely import LineString

from pacifico.layout.roads.scene import RoadLines, Scene, point_before_end, rotate, straight_piece
from pacifico.layout.routing.routing_grid import make_routing_grid

ORIGIN = np.array([WEST, SOUTH])


def scene_of(*roads, obstacles=(), height=lambda x, y: 0.0):
    """Scene of roads given in local coordinates, on a square of 1 km."""
    ground = square_ground(height)
    grid = make_routing_grid(ground, SQUARE, obstacles, [], half_width_m=3.05, clearance_m=0.25, cell=4.0)
    lines = []
    for road in roads:
        xy = np.asarray(road, dtype=float) + ORIGIN
        lines.append(np.column_stack([xy, ground.at(xy[:, 0], xy[:, 1])]))
    return Scene(RoadLines(tuple(lines)), grid, ground, CRITERIA, anywhere=True)


ROAD = [(100, 500), (200, 500)]


def piece(scene, step, *, others=()):
    road = scene.roads.xyz[0]
    return straight_piece(scene, road, road[-1], np.array(step, dtype=float), others)


@pytest.mark.parametrize(("degrees", "to"), [(90, (0, 1)), (-90, (0, -1)), (180, (-1, 0)), (45, (0.5**0.5, 0.5**0.5))])
def test_rotate_turns_counterclockwise(degrees, to):
    assert_allclose(rotate(np.array([1.0, 0.0]), degrees), to, atol=1e-12)


def test_point_before_end_is_measured_along_the_road():
    road = np.array([[0.0, 0.0, 9.0], [10.0, 0.0, 9.0], [10.0, 10.0, 9.0]])
    assert_allclose(point_before_end(road, 0.0), [10, 10])
    assert_allclose(point_before_end(road, 4.0), [10, 6])
    assert_allclose(point_before_end(road, 13.0), [7, 0])


def test_piece_follows_the_ground():
    scene = scene_of(ROAD, height=lambda x, y: 0.05 * y)
    made = piece(scene, (0, 18.3))
    assert_allclose(made[0], scene.roads.xyz[0][-1])
    assert_allclose(made[-1, :2] - ORIGIN, (200, 518.3))
    assert made[-1, 2] == pytest.approx(0.05 * 518.3)


def test_piece_on_ground_too_steep_is_refused():
    assert piece(scene_of(ROAD, height=lambda x, y: 0.4 * np.maximum(y - 500, 0)), (0, 18.3)) is None


def test_piece_keeps_off_obstacles_and_other_roads():
    assert piece(scene_of(ROAD, obstacles=[at(190, 510, 210, 530)]), (0, 18.3)) is None
    beside = LineString(np.add([(195, 515), (260, 515)], ORIGIN))
    assert piece(scene_of(ROAD), (0, 18.3), others=[beside]) is None
    joined = LineString(np.add([(200, 500), (200, 400)], ORIGIN))
    assert piece(scene_of(ROAD), (0, 18.3), others=[joined]) is not None


def test_piece_that_meets_its_own_road_again_is_refused():
    curl = [(100, 500), (100, 520), (140, 520), (140, 500), (120, 500)]
    assert piece(scene_of(curl), (-30, 0)) is None


def test_corner_needs_room_on_both_legs():
    scene = scene_of(ROAD)
    a, b, far, near = np.add([(100, 500), (200, 500), (200, 520), (200, 505)], ORIGIN)
    assert scene.rounds(a, b, far)
    assert not scene.rounds(a, b, near), "shorter than the tangent of the arc"
    assert not scene_of(ROAD, obstacles=[at(150, 504, 196, 540)]).rounds(a, b, far)


def test_near_lists_other_roads_and_what_has_been_built():
    scene = scene_of(ROAD, [(250, 400), (250, 600)], [(900, 900), (950, 900)])
    place = scene.roads.xyz[0][-1, :2]
    assert scene.near(place, 0) == [scene.roads.lines[1]]
    arm = piece(scene, (0, 18.3))
    more = scene.with_built([arm])
    assert more.near(place, 0) == [scene.roads.lines[1], LineString(arm)]
    assert scene.near(place, 0) == [scene.roads.lines[1]], "the scene before is unchanged"


def test_piece_that_crosses_its_own_road_near_its_start_is_refused():
    """The road ends with a hook of half a metre, which the piece would cross within its first metre."""
    hook = [(100, 500), (200, 500), (200.2, 500.4)]
    assert piece(scene_of(hook), (-9.0, -15.6)) is None
    assert piece(scene_of(hook), (9.0, 15.6)) is not None
