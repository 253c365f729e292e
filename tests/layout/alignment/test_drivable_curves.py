"""Drivable curves: as short as Dubins curves on open ground, around walls, and through what is just wide enough."""

import numpy as np
import pytest
import shapely
from fixtures.alignment import OPEN, RADIUS_M, ground_of_slope
from fixtures.ground import SOUTH, WEST, at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import LineString, MultiPolygon

from pacifico.layout.alignment import _curve_kernels as kernels
from pacifico.layout.alignment import lines
from pacifico.layout.alignment.drivable_curves import CurveLimits, HeightLimits, TerrainArrays, drivable_curve
from pacifico.layout.alignment.smoothing import tight_bends
from pacifico.layout.routing import routing_grid

CLEARANCE_M = 3.3
"""Half the width of a road and its clearance."""


def road_grid(free, *, rise=0.0, half=CLEARANCE_M - 0.25):
    """Routing grid on ground that rises eastwards, of which `free` may be used."""
    return routing_grid.make_routing_grid(
        ground_of_slope(rise), free, [], [], half_width_m=half, clearance_m=0.25, cell=4.0
    )


def pose(x, y, degrees):
    return np.array([WEST + x, SOUTH + y, np.radians(degrees)])


def curve_between(grid, start, goal, *, radius_m=RADIUS_M, length_m=600.0, **more):
    return drivable_curve(grid, start, goal, CurveLimits(radius_m, length_m, 0.1, **more))


def assert_drivable(grid, free, curve, start, goal, radius_m=RADIUS_M):
    """Check a curve from pose to pose without the kernels of the search."""
    line = LineString(curve.xy)
    assert_allclose(curve.xy[[0, -1]], [start[:2], goal[:2]])
    assert free.buffer(1e-6).covers(line.buffer(grid.clearance_index.radius - 1e-3, quad_segs=32))
    assert not len(tight_bends([curve.xy], np.array([radius_m]))[1])
    for leg, heading in ((curve.xy[1] - curve.xy[0], start[2]), (curve.xy[-1] - curve.xy[-2], goal[2])):
        off = np.arctan2(leg[1], leg[0]) - heading
        assert abs(np.arctan2(np.sin(off), np.cos(off))) <= kernels.CHORD / 2 + 0.02


@pytest.mark.parametrize("word", range(6))
def test_dubins_words_end_at_the_goal(word):
    rng = np.random.default_rng(word)
    solved = 0
    for x, y, h, goal in rng.uniform(-6, 6, (200, 4)):
        ahead = np.arctan2(y, x)
        lengths = kernels.dubins_word(np.hypot(x, y), h - ahead, goal - ahead, word)
        if lengths[0] < 0:
            continue
        solved += 1
        here = kernels.Pose(0.0, 0.0, h)
        for k, length in enumerate(lengths):
            here = kernels.advance(here, float(kernels.turn_direction(word, k)), length)
        assert_allclose(here[:2], [x, y], atol=1e-5)
        assert_allclose([np.cos(here.heading), np.sin(here.heading)], [np.cos(goal), np.sin(goal)], atol=1e-5)
    assert solved > 20


def test_dubins_lengths_by_hand():
    """Straight ahead; a quarter of a circle; back along the lane beside: half a circle."""
    start = kernels.Pose(0.0, 0.0, 0.0)
    assert_allclose(kernels.dubins_length(start, kernels.Pose(100.0, 0.0, 0.0), 10.0), 100)
    assert_allclose(kernels.dubins_length(start, kernels.Pose(10.0, 10.0, np.pi / 2), 10.0), 5 * np.pi)
    assert_allclose(kernels.dubins_length(start, kernels.Pose(0.0, 20.0, np.pi), 10.0), 10 * np.pi)


@pytest.mark.parametrize(
    ("start", "goal"),
    [
        (pose(100, 100, 0), pose(220, 100, 0)),
        (pose(100, 100, 0), pose(200, 180, 90)),
        (pose(100, 100, 90), pose(131, 100, -90)),
        (pose(100, 100, 200), pose(210, 130, 77)),
    ],
)
def test_curve_on_open_ground_is_a_dubins_curve(start, goal):
    grid = road_grid(OPEN)
    curve = curve_between(grid, start, goal)
    assert_drivable(grid, OPEN, curve, start, goal)
    best = kernels.dubins_length(kernels.Pose(*start), kernels.Pose(*goal), RADIUS_M)
    assert 0.99 * best <= LineString(curve.xy).length <= 1.03 * best
    rounded, _ = lines.round_bends(grid, curve.corners, radius_m=0.97 * RADIUS_M, full=True)
    assert LineString(rounded).hausdorff_distance(LineString(curve.xy)) < 1.0


def test_curve_leads_through_a_gap_in_a_wall():
    wall = at(195, 0, 205, 400).difference(at(190, 60, 210, 72))
    free = OPEN.difference(wall)
    grid = road_grid(free)
    start, goal = pose(120, 100, 0), pose(280, 100, 0)
    assert_drivable(grid, free, curve_between(grid, start, goal), start, goal)
    closed = road_grid(OPEN.difference(at(195, 0, 205, 400)))
    assert curve_between(closed, start, goal) is None


def test_no_curve_leads_out_of_a_box():
    free = MultiPolygon([at(50, 50, 110, 110), at(200, 50, 300, 150)])
    assert curve_between(road_grid(free), pose(80, 80, 0), pose(250, 100, 0)) is None


@pytest.mark.parametrize(("spare", "fits"), [(0.4, True), (-0.4, False)])
def test_hairpin_needs_the_width_of_its_turn(spare, fits):
    """By hand: half a circle of the radius, and the clearance on both sides."""
    width = 2 * RADIUS_M + 2 * CLEARANCE_M + spare
    free = at(0, 0, 160, width)
    grid = road_grid(free)
    start, goal = pose(40, CLEARANCE_M + 0.05, 0), pose(40, width - CLEARANCE_M - 0.05, 180)
    curve = curve_between(grid, start, goal)
    assert (curve is not None) == fits
    if curve is not None:
        assert_drivable(grid, free, curve, start, goal)


def test_curves_are_the_same_each_time():
    free = OPEN.difference(at(195, 0, 205, 400).difference(at(190, 60, 210, 72)))
    grid = road_grid(free)
    first, second = (curve_between(grid, pose(120, 100, 0), pose(280, 100, 0)) for _ in range(2))
    assert first.xy.tobytes() == second.xy.tobytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    blocks=st.lists(st.tuples(st.floats(20, 220), st.floats(20, 220), st.floats(4, 40), st.floats(4, 40)), max_size=5),
    ends=st.tuples(*(st.floats(10, 240) for _ in range(4))),
    headings=st.tuples(st.floats(0, 360), st.floats(0, 360)),
    radius_m=st.sampled_from([8.0, 15.0, 30.0]),
)
def test_every_curve_is_clear_and_keeps_its_radius(blocks, ends, headings, radius_m):
    free = at(0, 0, 250, 250).difference(shapely.union_all([at(x, y, x + w, y + h) for x, y, w, h in blocks]))
    grid = road_grid(free, rise=0.05)
    start, goal = pose(*ends[:2], headings[0]), pose(*ends[2:], headings[1])
    curve = curve_between(grid, start, goal, radius_m=radius_m)
    if curve is not None:
        assert LineString(curve.xy).length <= 600.0
        assert_drivable(grid, free, curve, start, goal, radius_m)


@pytest.mark.parametrize(("low", "high", "possible"), [(3.9, 20.0, True), (4.1, 20.0, False), (-4.1, -3.9, True)])
def test_curve_must_join_the_heights_at_both_ends(low, high, possible):
    """100 m of level ground with 4 m of depth and 10 %: from 0 m the curve ends between -4 m and 4 m."""
    terrain = TerrainArrays(np.zeros((60, 60)), np.array([WEST - 100, SOUTH + 500, 10.0, 10.0]), 0.1, 4.0)
    heights = HeightLimits(np.array([0.0, 0.0, low, high]), terrain)
    curve = curve_between(road_grid(OPEN), pose(100, 100, 0), pose(200, 100, 0), length_m=110.0, heights=heights)
    assert (curve is not None) == possible


def test_curve_passes_the_shapes_that_it_must_serve():
    grid = road_grid(OPEN)
    start, goal = pose(100, 100, 0), pose(220, 100, 0)
    shape = at(150, 150, 160, 160)
    assert LineString(curve_between(grid, start, goal).xy).distance(shape) > 40
    shapes = routing_grid.Shapes.of([shape]).within(np.array([20.0]))
    curve = curve_between(grid, start, goal, length_m=400.0, shapes=shapes)
    assert_drivable(grid, OPEN, curve, start, goal)
    assert LineString(curve.xy).distance(shape) <= 20.0 + 0.2
