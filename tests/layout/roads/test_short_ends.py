"""Short dead ends beside a junction grow to the length of an arm."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground, terminal
from numpy.testing import assert_allclose
from shapely import LineString

from pacifico.layout.roads.scene import RoadLines, Scene
from pacifico.layout.roads.short_ends import extend_short_ends
from pacifico.layout.routing.problem import RoadSite, make_routing_problem

GROUND = square_ground(lambda x, y: 0.02 * y)
THROUGH = [(300, 500), (400, 500)], [(400, 500), (500, 500)]
SHORT = [(400, 500), (400, 506)]


def scene_of(*lines, terminals=(), walls=()):
    """Scene with some roads on the ground, and its obstacles."""
    obstacles = [*(t.footprint for t in terminals), *walls]
    problem = make_routing_problem(RoadSite(GROUND, SQUARE), terminals, obstacles=obstacles, criteria=CRITERIA)
    xy = [np.add(line, (WEST, SOUTH)).astype(float) for line in lines]
    roads = RoadLines(tuple(np.column_stack([p, GROUND.at(p[:, 0], p[:, 1])]) for p in xy))
    return Scene(roads, problem.road_grid, GROUND, CRITERIA, anywhere=True), problem.shortenable


def extended(*lines, **more):
    """Extensions of the last road, and the obstacles then."""
    scene, shortenable = scene_of(*lines, **more)
    return extend_short_ends(scene, [len(lines) - 1], shortenable)


def test_a_short_end_becomes_as_long_as_an_arm():
    (piece,), _ = extended(*THROUGH, SHORT)
    assert_allclose(piece[0], (WEST + 400, SOUTH + 506, 0.02 * 506))
    assert_allclose(piece[-1, :2], (WEST + 400, SOUTH + 500 + 18.3))
    assert np.abs(np.diff(piece[:, 2])).max() <= 0.1 * 18.3


@pytest.mark.parametrize("end_m", [16.0, 18.3, 30.0])
def test_an_end_of_that_length_stays(end_m):
    assert extended(*THROUGH, [(400, 500), (400, 500 + end_m)])[0] == []


def test_an_end_without_room_stays_short():
    wall = at(390, 512, 410, 520)
    pieces, shortenable = extended(*THROUGH, SHORT, walls=[wall])
    assert pieces == []
    assert shortenable.removed_units == 0


def test_an_end_beside_another_road_of_its_junction_stays_short():
    """The strips of two roads at 10 degrees don't part within an arm."""
    along = [(400, 500), (406, 501)]
    assert extended(*THROUGH, along)[0] == []


def test_an_array_ahead_loses_few_units():
    ahead = replace(
        terminal(0, 0, 0), footprint=at(280, 515, 405, 560), reach_m=60.0, units=5, least_units=2, unit_m=25.0
    )
    (piece,), shorter = extended(*THROUGH, SHORT, terminals=[ahead])
    assert shorter.removed.tolist() == [[0, 1]]
    assert LineString(piece[:, :2]).distance(at(280, 515, 380, 560)) > CRITERIA.width_m / 2


def test_an_array_across_the_way_stays_whole():
    across = replace(
        terminal(0, 0, 0), footprint=at(200, 515, 600, 560), reach_m=60.0, units=16, least_units=2, unit_m=25.0
    )
    pieces, shorter = extended(*THROUGH, SHORT, terminals=[across])
    assert pieces == []
    assert shorter.removed_units == 0
