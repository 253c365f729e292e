"""Loops between dead ends: a second way out in place of two turnarounds."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground
from shapely import LineString

from pacifico.layout.roads.loops import build_loops, wants_loops
from pacifico.layout.roads.scene import RoadLines, Scene
from pacifico.layout.routing.routing_grid import make_routing_grid
from pacifico.polyline import length

LOOPED = replace(CRITERIA, second_way_m=60.0)
TURNAROUND = 36.6


def lane(y, end=400.0):
    """Level road eastwards at a northing."""
    xy = np.array([(200.0, y), (end - 50, y), (end, y)])
    return np.column_stack([xy + np.array([WEST, SOUTH]), np.full(3, 10.0)])


def scene_of(*lanes, blocks=(), criteria=LOOPED):
    ground = square_ground(lambda x, y: 10.0 + 0.0 * x)
    grid = make_routing_grid(
        ground, SQUARE, blocks, [], half_width_m=criteria.width_m / 2, clearance_m=0.25, cell=4.0
    )  # fmt: skip
    return Scene(RoadLines(lanes), grid, ground, criteria, anywhere=True)


def loops_of(*lanes, **scene):
    return build_loops(scene_of(*lanes, **scene), dict.fromkeys(range(len(lanes)), TURNAROUND))


def test_two_dead_ends_are_joined_by_two_arcs_and_a_straight():
    """60 m apart: a quarter circle of 15.05 m at each end, and 29.9 m between."""
    (loop,) = loops_of(lane(500), lane(560))
    assert loop.ends == (0, 1)
    assert loop.xyz[0].tolist() == lane(500)[-1].tolist()
    assert loop.xyz[-1].tolist() == lane(560)[-1].tolist()
    assert length(loop.xyz) == pytest.approx(np.pi * 15.05 + 29.9, rel=0.01)
    assert np.ptp(loop.xyz[:, 2]) < 1e-6


def test_a_loop_goes_ahead_past_blocks_before_it_bends():
    block = at(380, 510, 420, 550)
    (loop,) = loops_of(lane(500), lane(560), blocks=[block])
    assert LineString(loop.xyz[:, :2]).distance(block) >= CRITERIA.width_m / 2
    assert loop.xyz[:, 0].max() > WEST + 420


def test_ends_that_do_not_line_up_are_joined():
    (loop,) = loops_of(lane(500), lane(560, end=430))
    assert loop.xyz[:, 0].max() > WEST + 440


def test_a_loop_that_is_longer_than_it_may_be_is_not_built():
    assert loops_of(lane(500), lane(560), criteria=replace(LOOPED, second_way_m=1.0)) == ()
    assert loops_of(lane(500), lane(700)) == ()


def test_a_loop_over_another_road_is_not_built():
    across = np.column_stack([[WEST + 380, WEST + 500], [SOUTH + 530, SOUTH + 530], [10.0, 10.0]])
    scene = scene_of(lane(500), lane(560), across)
    assert build_loops(scene, {0: TURNAROUND, 1: TURNAROUND}) == ()


def test_four_lanes_have_two_loops():
    found = loops_of(lane(500), lane(558), lane(610), lane(668))
    assert sorted(loop.ends for loop in found) == [(0, 1), (2, 3)]
    assert not shapely.intersects(LineString(found[0].xyz), LineString(found[1].xyz))


def test_small_networks_and_other_plants_want_no_loops():
    assert wants_loops(scene_of(lane(500), lane(560)))
    assert not wants_loops(scene_of(lane(500)))
    assert not wants_loops(scene_of(lane(500), lane(560), criteria=CRITERIA))
