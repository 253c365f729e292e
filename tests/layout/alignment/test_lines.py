"""Paths pulled tight, and bends rounded."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.routing import flat, road_grid, search, track
from numpy.testing import assert_allclose
from shapely import LineString

from pacifico.layout.alignment import lines
from pacifico.layout.routing.routing_grid import Shapes

ORIGIN = np.array([WEST, SOUTH])


@pytest.mark.parametrize("angle", [7, 45, 117])
def test_pulled_path_on_open_ground_is_straight(angle):
    grid = road_grid(flat(2000, 2000), at(0, 0, 2000, 2000), cell=5.0)
    x, y = 1000 + 800 * np.cos(np.radians(angle)), 1000 + 800 * np.sin(np.radians(angle))
    _, growth = search(grid, (1000, 1000), [at(x - 1, y - 1, x + 1, y + 1)])
    path = track(grid, growth, int(growth.server[0]))
    none = np.zeros(0, np.int64)
    pulled = lines.pull(grid, path, bound_at=none, bound=none, shapes=Shapes.of([]), reach=np.zeros(0), max_grade=0.1)
    assert_allclose(pulled, path[[0, -1]])


def test_pulled_path_still_serves_its_terminals():
    grid = road_grid(flat(), at(0, 0, 1000, 1000))
    detour = np.array([[100.0, 100.0], [300.0, 300.0], [500.0, 100.0]]) + ORIGIN
    goal = [at(290, 310, 310, 320)]
    shapes, reach = Shapes.of(goal), np.array([15.0])
    one, none = np.array([0], np.int64), np.zeros(0, np.int64)
    kept = lines.pull(grid, detour, bound_at=one + 1, bound=one, shapes=shapes, reach=reach, max_grade=0.1)
    assert LineString(kept).distance(goal[0]) <= 15.0
    freed = lines.pull(grid, detour, bound_at=none, bound=none, shapes=shapes, reach=reach, max_grade=0.1)
    assert len(freed) == 2


@pytest.mark.parametrize("turn", [30, 60, 90, 120])
def test_bends_get_their_radius_where_there_is_room(turn):
    grid = road_grid(flat(), at(0, 0, 1000, 1000))
    end = np.array([300 + 200 * np.cos(np.radians(turn)), 300 + 200 * np.sin(np.radians(turn))])
    xy = np.array([[100.0, 300.0], [300.0, 300.0], end]) + ORIGIN
    line, tight = lines.round_bends(grid, xy, radius_m=15.0)
    assert tight == 0
    assert_allclose(line[[0, -1]], xy[[0, -1]])
    centre = np.array([300 - 15 * np.tan(np.radians(turn / 2)), 315.0]) + ORIGIN
    assert_allclose(np.hypot(*(line[1:-1] - centre).T), 15.0, atol=1e-6)


def test_bends_without_room_stay_legal_and_are_counted():
    blocks = [at(0, 0, 494, 494), at(506, 0, 1000, 494), at(0, 506, 1000, 1000)]
    grid = road_grid(flat(), at(0, 0, 1000, 1000), blocks)
    xy = np.array([[500.0, 300.0], [500.0, 500.0], [700.0, 500.0]]) + ORIGIN
    line, tight = lines.round_bends(grid, xy, radius_m=15.0)
    assert tight == 1
    assert len(line) > 3
    strip = LineString(line).buffer(3.0, cap_style="flat")
    assert not any(strip.intersects(b) for b in blocks)
