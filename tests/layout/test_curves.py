"""Drivable curves: as short as Dubins' on open ground, round walls, through what is just wide enough, and no more."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import LineString, MultiPolygon, box

from pacifico.grid import Grid, Ground
from pacifico.layout import _curve_kernels as kernels
from pacifico.layout import routing
from pacifico.layout.bends import tight_bends
from pacifico.layout.curves import drivable

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
SIZE = 15.0
KEPT_M = 3.3
"""Half the width of a road and its clearance."""


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def lattice(free, *, rise=0.0, half=KEPT_M - 0.25):
    """Ground that rises eastwards, on which `free` may be used."""
    n = 60
    x = np.tile(np.arange(n) * 10.0 * rise, (n, 1))
    ground = Ground(Grid(UTM, WEST - 100, SOUTH + 500, 10.0, 10.0, n, n), x)
    return routing.make_lattice(ground, free, [], [], half_width_m=half, clearance_m=0.25, cell=4.0)


def pose(x, y, degrees):
    return np.array([WEST + x, SOUTH + y, np.radians(degrees)])


def found(lat, start, goal, *, size=SIZE, longest=600.0):
    return drivable(lat, start, goal, size=size, longest=longest, max_grade=0.1)


def holds(lat, free, curve, start, goal, size=SIZE):
    """Whether a curve is one from pose to pose, tested without the search's own kernels."""
    line = LineString(curve.xy)
    assert_allclose(curve.xy[[0, -1]], [start[:2], goal[:2]])
    assert free.buffer(1e-6).covers(line.buffer(lat.fence.radius - 1e-3, quad_segs=32))
    assert not len(tight_bends([curve.xy], size))
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
        (pose(100, 100, 90), pose(130, 100, -90)),
        (pose(100, 100, 200), pose(210, 130, 77)),
    ],
)
def test_on_open_ground_the_curve_is_dubins_own(start, goal):
    lat = lattice(OPEN)
    curve = found(lat, start, goal)
    assert holds(lat, OPEN, curve, start, goal)
    best = kernels.dubins_length(*start, *goal, SIZE)
    assert 0.99 * best <= LineString(curve.xy).length <= 1.03 * best
    rounded, _ = routing.round_bends(lat, curve.corners, radius_m=0.97 * SIZE, full=True)
    assert LineString(rounded).hausdorff_distance(LineString(curve.xy)) < 1.0


def test_a_gap_in_a_wall_is_found():
    wall = at(195, 0, 205, 400).difference(at(190, 60, 210, 72))
    free = OPEN.difference(wall)
    lat = lattice(free)
    start, goal = pose(120, 100, 0), pose(280, 100, 0)
    curve = found(lat, start, goal)
    assert holds(lat, free, curve, start, goal)
    whole = lattice(OPEN.difference(at(195, 0, 205, 400)))
    assert found(whole, start, goal) is None


def test_no_way_leads_out_of_a_box():
    free = MultiPolygon([at(50, 50, 110, 110), at(200, 50, 300, 150)])
    assert found(lattice(free), pose(80, 80, 0), pose(250, 100, 0)) is None


@pytest.mark.parametrize(("spare", "room"), [(0.4, True), (-0.4, False)])
def test_a_hairpin_needs_the_width_of_its_turn(spare, room):
    """By hand: half a circle of the radius, and on either side of it what a road keeps."""
    width = 2 * SIZE + 2 * KEPT_M + spare
    free = at(0, 0, 160, width)
    lat = lattice(free)
    start, goal = pose(40, KEPT_M + 0.05, 0), pose(40, width - KEPT_M - 0.05, 180)
    curve = found(lat, start, goal)
    assert (curve is not None) == room
    assert curve is None or holds(lat, free, curve, start, goal)


def test_curves_are_the_same_each_time():
    free = OPEN.difference(at(195, 0, 205, 400).difference(at(190, 60, 210, 72)))
    lat = lattice(free)
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
    lat = lattice(free, rise=0.05)
    start, goal = pose(*ends[:2], ways[0]), pose(*ends[2:], ways[1])
    curve = found(lat, start, goal, size=size)
    if curve is not None:
        assert LineString(curve.xy).length <= 600.0
        assert holds(lat, free, curve, start, goal, size)
