"""Drivable curves: as short as Dubins' on open ground, round walls, through what is just wide enough, and no more."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import LineString, MultiPolygon, box

from pacifico.grid import Grid, Ground
from pacifico.layout.alignment import _curve_kernels as kernels
from pacifico.layout.alignment import _height_range_kernels, horizontal, lines
from pacifico.layout.alignment.curve_repair import repair_curves
from pacifico.layout.alignment.drivable_curves import Levels, drivable
from pacifico.layout.alignment.smoothing import NOTHING, tight_bends, tight_turns
from pacifico.layout.alignment.vertical import design_heights
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.routing import routing_grid
from pacifico.layout.routing.problem import HorizontalAlignment, RoadSite, make_routing_problem

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
SIZE = 15.0
RULES = RoadCriteria(turnaround_over_m=np.inf)
SIZE = RULES.min_radius_m + RULES.width_m / 2
KEPT_M = 3.3
"""Half the width of a road and its clearance."""


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def road_grid(free, *, rise=0.0, half=KEPT_M - 0.25):
    """Ground that rises eastwards, on which `free` may be used."""
    n = 60
    x = np.tile(np.arange(n) * 10.0 * rise, (n, 1))
    ground = Ground(Grid(UTM, WEST - 100, SOUTH + 500, 10.0, 10.0, n, n), x)
    return routing_grid.make_routing_grid(ground, free, [], [], half_width_m=half, clearance_m=0.25, cell=4.0)


def pose(x, y, degrees):
    return np.array([WEST + x, SOUTH + y, np.radians(degrees)])


def found(lat, start, goal, *, size=SIZE, longest=600.0):
    return drivable(lat, start, goal, size=size, longest=longest, max_grade=0.1)


def holds(lat, free, curve, start, goal, size=SIZE):
    """Whether a curve is one from pose to pose, tested without the search's own kernels."""
    line = LineString(curve.xy)
    assert_allclose(curve.xy[[0, -1]], [start[:2], goal[:2]])
    assert free.buffer(1e-6).covers(line.buffer(lat.clearance_index.radius - 1e-3, quad_segs=32))
    assert not len(tight_bends([curve.xy], np.array([size]))[1])
    for leg, way in ((curve.xy[1] - curve.xy[0], start[2]), (curve.xy[-1] - curve.xy[-2], goal[2])):
        off = np.arctan2(leg[1], leg[0]) - way
        assert abs(np.arctan2(np.sin(off), np.cos(off))) <= kernels.CHORD / 2 + 0.02
    return True


OPEN = at(0, 0, 400, 400)


@pytest.mark.parametrize("word", range(6))
def test_words_end_at_the_goal(word):
    rng = np.random.default_rng(word)
    have = 0
    for x, y, h, goal in rng.uniform(-6, 6, (200, 4)):
        way = np.arctan2(y, x)
        t, p, q = kernels.dubins_word(np.hypot(x, y), h - way, goal - way, word)
        if t < 0:
            continue
        have += 1
        here = (0.0, 0.0, h)
        for k, length in enumerate((t, p, q)):
            here = kernels.advanced(*here, float(kernels.bending_of(word, k)), length)
        assert_allclose(here[:2], [x, y], atol=1e-5)
        assert_allclose([np.cos(here[2]), np.sin(here[2])], [np.cos(goal), np.sin(goal)], atol=1e-5)
    assert have > 20


def test_lengths_of_dubins_by_hand():
    """Straight ahead; a quarter of a circle; about face to the lane beside: half a circle."""
    assert_allclose(kernels.dubins_length(0, 0, 0, 100, 0, 0, 10.0), 100)
    assert_allclose(kernels.dubins_length(0, 0, 0, 10, 10, np.pi / 2, 10.0), 5 * np.pi)
    assert_allclose(kernels.dubins_length(0, 0, 0, 0, 20, np.pi, 10.0), 10 * np.pi)


@pytest.mark.parametrize(
    ("start", "goal"),
    [
        (pose(100, 100, 0), pose(220, 100, 0)),
        (pose(100, 100, 0), pose(200, 180, 90)),
        (pose(100, 100, 90), pose(131, 100, -90)),
        (pose(100, 100, 200), pose(210, 130, 77)),
    ],
)
def test_on_open_ground_the_curve_is_dubins_own(start, goal):
    lat = road_grid(OPEN)
    curve = found(lat, start, goal)
    assert holds(lat, OPEN, curve, start, goal)
    best = kernels.dubins_length(*start, *goal, SIZE)
    assert 0.99 * best <= LineString(curve.xy).length <= 1.03 * best
    rounded, _ = lines.round_bends(lat, curve.corners, radius_m=0.97 * SIZE, full=True)
    assert LineString(rounded).hausdorff_distance(LineString(curve.xy)) < 1.0


def test_a_gap_in_a_wall_is_found():
    wall = at(195, 0, 205, 400).difference(at(190, 60, 210, 72))
    free = OPEN.difference(wall)
    lat = road_grid(free)
    start, goal = pose(120, 100, 0), pose(280, 100, 0)
    curve = found(lat, start, goal)
    assert holds(lat, free, curve, start, goal)
    whole = road_grid(OPEN.difference(at(195, 0, 205, 400)))
    assert found(whole, start, goal) is None


def test_no_way_leads_out_of_a_box():
    free = MultiPolygon([at(50, 50, 110, 110), at(200, 50, 300, 150)])
    assert found(road_grid(free), pose(80, 80, 0), pose(250, 100, 0)) is None


@pytest.mark.parametrize(("spare", "room"), [(0.4, True), (-0.4, False)])
def test_a_hairpin_needs_the_width_of_its_turn(spare, room):
    """By hand: half a circle of the radius, and on either side of it what a road keeps."""
    width = 2 * SIZE + 2 * KEPT_M + spare
    free = at(0, 0, 160, width)
    lat = road_grid(free)
    start, goal = pose(40, KEPT_M + 0.05, 0), pose(40, width - KEPT_M - 0.05, 180)
    curve = found(lat, start, goal)
    assert (curve is not None) == room
    assert curve is None or holds(lat, free, curve, start, goal)


def test_curves_are_the_same_each_time():
    free = OPEN.difference(at(195, 0, 205, 400).difference(at(190, 60, 210, 72)))
    lat = road_grid(free)
    first, second = (found(lat, pose(120, 100, 0), pose(280, 100, 0)) for _ in range(2))
    assert first.xy.tobytes() == second.xy.tobytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    blocks=st.lists(st.tuples(st.floats(20, 220), st.floats(20, 220), st.floats(4, 40), st.floats(4, 40)), max_size=5),
    ends=st.tuples(*(st.floats(10, 240) for _ in range(4))),
    ways=st.tuples(st.floats(0, 360), st.floats(0, 360)),
    size=st.sampled_from([8.0, 15.0, 30.0]),
)
def test_every_curve_keeps_clear_and_holds_its_radius(blocks, ends, ways, size):
    free = at(0, 0, 250, 250).difference(shapely.union_all([at(x, y, x + w, y + h) for x, y, w, h in blocks]))
    lat = road_grid(free, rise=0.05)
    start, goal = pose(*ends[:2], ways[0]), pose(*ends[2:], ways[1])
    curve = found(lat, start, goal, size=size)
    if curve is not None:
        assert LineString(curve.xy).length <= 600.0
        assert holds(lat, free, curve, start, goal, size)


def test_heights_that_a_curve_can_not_join_bar_it():
    """100 m of level ground with 4 m of depth and 10 %: 20 m higher can't be reached, 12 m higher can."""
    lat = road_grid(OPEN)
    start, goal = pose(100, 100, 0), pose(200, 100, 0)
    flat = np.zeros((60, 60))
    tile = np.array([WEST - 100, SOUTH + 500, 10.0, 10.0])

    def between(low, high):
        levels = Levels(np.array([0.0, 0.0, low, high]), flat, tile, 0.1, 4.0)
        return drivable(lat, start, goal, size=SIZE, longest=110.0, max_grade=0.1, levels=levels)

    assert between(3.9, 20.0) is not None
    assert between(4.1, 20.0) is None
    assert between(-4.1, -3.9) is not None


def test_a_curve_goes_by_what_it_is_to_serve():
    lat = road_grid(OPEN)
    start, goal = pose(100, 100, 0), pose(220, 100, 0)
    shape = at(150, 150, 160, 160)
    plain = found(lat, start, goal)
    curve = drivable(
        lat, start, goal, size=SIZE, longest=400.0, max_grade=0.1, shapes=routing_grid.Shapes.of([shape]),
        reach_m=np.array([20.0]),
    )  # fmt: skip
    assert LineString(plain.xy).distance(shape) > 40
    assert holds(lat, OPEN, curve, start, goal)
    assert LineString(curve.xy).distance(shape) <= 20.0 + 0.2


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), grade=st.floats(0.02, 0.2), depth=st.floats(0.3, 3.0))
def test_levels_of_a_tree_tell_just_whether_there_is_a_profile(seed, grade, depth):
    """Against the design of heights, which breaks the depth only where grade and depth can't both be held."""
    rng = np.random.default_rng(seed)
    n = 40
    parent = np.array([-1, *(int(rng.integers(max(0, k - 4), k)) for k in range(1, n))])
    distance, ground = np.full(n, 10.0), rng.normal(0, 2.0, n)
    below, above, _ = _height_range_kernels.tree_levels(parent, grade * distance, ground - depth, ground + depth)
    low, high = np.maximum(below[:, 0], above[:, 0]), np.minimum(below[:, 1], above[:, 1])
    profile = design_heights(parent, distance, ground, np.ones(n), max_grade=grade, max_depth_m=depth)
    least = (high - low).min()
    if abs(least) > 1e-6:
        assert (least > 0) == (profile.excess_m.max() < 1e-9)
    if least > 0:
        assert (profile.z >= low - 1e-9).all()
        assert (profile.z <= high + 1e-9).all()


def aisles(width):
    """An aisle from the south that turns east between blocks, and goes on."""
    h = width / 2
    return [at(0, 0, 150 - h, 300), at(150 + h, 0, 300, 150 - h), at(150 - h, 150 + h, 300, 300)]


def drawn(problem, *lines):
    """Lines one after the other, each from the end of the one before, as they are and with no arcs."""
    xy = [np.add(line, (WEST, SOUTH)) for line in lines]
    return HorizontalAlignment(
        xy, list(range(-1, len(xy) - 1)), dict.fromkeys(range(len(problem.terminals)), len(xy) - 1), xy
    )


def case_of(terminals, obstacles=()):
    n = 60
    ground = Ground(Grid(UTM, WEST - 100, SOUTH + 500, 10.0, 10.0, n, n), np.zeros((n, n)))
    return make_routing_problem(RoadSite(ground, OPEN), terminals, obstacles=obstacles, criteria=RULES)


def faults(problem, alignment):
    sizes = problem.sizes_of(alignment)
    return len(tight_bends(alignment.lines, sizes)[1]) + len(
        tight_turns(problem, alignment.straight, alignment.ups, sizes)[1]
    )


def test_a_sharp_bend_is_mended_and_all_else_stays():
    problem = case_of([Terminal("t", at(298, 190, 305, 200), 20.0)])
    first, second = [(20, 20), (60, 20), (60, 120)], [(60, 120), (180, 120), (186, 180), (300, 180)]
    before = drawn(problem, first, second)
    after = repair_curves(problem, before)
    assert faults(problem, before) >= 3
    assert faults(problem, after) == 0
    assert after.ups == before.ups
    assert after.line_of == before.line_of
    assert_allclose(after.lines[1][-1], before.lines[1][-1])
    assert_allclose(after.lines[0][-1], after.lines[1][0])
    assert horizontal.serves(problem, after.lines[1], 0)
    assert horizontal.touching(after.lines, after.ups) == []
    for line in after.lines:
        assert all(problem.road_grid.clearance_index.clear(a, b) for a, b in itertools.pairwise(line))
    assert repair_curves(problem, after) is after


def test_places_to_keep_and_lines_that_hold_are_left_alone():
    problem = case_of([Terminal("t", at(298, 190, 305, 200), 20.0)])
    lines = [[(20, 20), (60, 20), (60, 120)], [(60, 120), (60, 180), (300, 180)]]
    before = drawn(problem, *lines)
    keep = NOTHING.wider(np.array([[WEST + 60, SOUTH + 20]]), 25.0)
    after = repair_curves(problem, before, keep=keep)
    assert after.lines[0] is before.lines[0]
    assert after.lines[1] is not before.lines[1]
    assert repair_curves(problem, drawn(problem, [(20, 20), (300, 20)])).lines[0].shape == (2, 2)


def test_no_room_to_turn_leaves_the_bend_as_it_is():
    problem = case_of([Terminal("t", at(280, 152, 290, 153), 20.0)], aisles(7.0))
    before = drawn(problem, [(150, 5), (150, 150), (280, 150)])
    assert repair_curves(problem, before) is before
    wide = case_of([Terminal("t", at(280, 152, 290, 153), 20.0)], aisles(13.0))
    assert faults(wide, repair_curves(wide, before)) == 0
