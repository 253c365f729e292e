"""Links from dead ends to other roads."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground
from numpy.testing import assert_allclose

from pacifico.layout.roads.links import link_to_road
from pacifico.layout.roads.scene import RoadLines, Scene
from pacifico.layout.routing.routing_grid import make_routing_grid

ORIGIN = np.array([WEST, SOUTH])
DEAD_END = np.column_stack([np.arange(300, 401, 10.0), np.full(11, 500.0)])
ACROSS = np.column_stack([np.full(41, 460.0), np.arange(300, 701, 10.0)])


def link(*, across=ACROSS, lift=0.0, obstacles=(), limit=165.0):
    """Link from a dead end at (400, 500) to a road that crosses its direction."""
    ground = square_ground(lambda x, y: 0.0)
    grid = make_routing_grid(ground, SQUARE, obstacles, [], half_width_m=3.05, clearance_m=0.25, cell=4.0)
    heights = (0.0, lift)
    roads = [np.column_stack([xy + ORIGIN, np.full(len(xy), z)]) for xy, z in zip((DEAD_END, across), heights, strict=True)]  # fmt: skip
    scene = Scene(RoadLines(tuple(roads)), grid, ground, CRITERIA, anywhere=False)
    return link_to_road(scene, roads[0], [scene.roads.lines[1]], roads[1], limit=limit)


def test_link_ends_at_the_nearest_vertex():
    made = link()
    assert_allclose(made[0] - (*ORIGIN, 0), (400, 500, 0))
    assert_allclose(made[-1] - (*ORIGIN, 0), (460, 500, 0))


def test_link_climbs_to_the_height_of_the_other_road():
    made = link(lift=2.0)
    assert made[-1, 2] == 2.0
    rise = np.abs(np.diff(made[:, 2])) / np.hypot(*np.diff(made[:, :2], axis=0).T)
    assert rise.max() <= CRITERIA.max_grade


@pytest.mark.parametrize(
    "refused",
    [
        {"lift": 18.0},
        {"limit": 50.0},
        {"obstacles": [at(420, 300, 430, 700)]},
        {"across": ACROSS - (160.0 + 150.0, 0.0)},
    ],
    ids=["too steep", "too long", "blocked", "behind the end"],
)
def test_link_is_refused(refused):
    assert link(**refused) is None
