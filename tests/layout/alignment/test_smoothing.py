"""Smoothing: turns that fit between blocks get their radius, and those that don't are counted."""

import numpy as np
import pytest
import shapely
from fixtures.alignment import ORIGIN, RADIUS_M, drawn, problem_of
from fixtures.ground import SOUTH, UTM, WEST, at
from fixtures.roads import NO_TURNAROUNDS
from numpy.testing import assert_allclose, assert_array_equal
from shapely import Point

from pacifico.grid import Grid, Ground
from pacifico.layout.alignment import _line_kernels, _smoothing_kernels, _turn_kernels
from pacifico.layout.alignment.lines import round_bends
from pacifico.layout.alignment.smoothing import EVERYWHERE, NOWHERE, Tree, smooth, tight_bends, tight_turns
from pacifico.layout.model.roads import Terminal
from pacifico.layout.roads.network import route_network


def level(size=400.0):
    n = int(size / 10) + 20
    return Ground(Grid(UTM, WEST - 100, SOUTH + size + 100, 10.0, 10.0, n, n), np.zeros((n, n)))


def crossing(aisle, *, half=150.0):
    """Four blocks around an aisle from south to north and one from west to east."""
    a, b, c = aisle / 2, half, 2 * half
    return [at(0, 0, b - a, b - a), at(b + a, 0, c, b - a), at(0, b + a, b - a, c), at(b + a, b + a, c, c)]


def radii(line):
    """Radius of the circle through each three consecutive points that aren't straight [m]."""
    p = shapely.get_coordinates(line)
    a, b, c = p[:-2], p[1:-1], p[2:]
    twice = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    sides = np.hypot(*(b - a).T) * np.hypot(*(c - b).T) * np.hypot(*(c - a).T)
    return sides[twice > 0.2] / (2 * twice[twice > 0.2])


def network_in(aisle, *terminals):
    """Network from the southern end of the aisle."""
    entry = Point(WEST + 150, SOUTH + 1)
    more = {"entry": entry, "obstacles": crossing(aisle), "criteria": NO_TURNAROUNDS}
    return route_network(level(), at(0, 0, 300, 300), list(terminals), **more)


NORTH, EAST = Terminal("n", at(140, 295, 145, 299), 14.0, 0), Terminal("e", at(295, 140, 299, 145), 14.0)


@pytest.mark.parametrize("aisle", [11.0, 13.0, 16.0])
def test_right_angle_between_blocks_keeps_the_radius(aisle):
    """By hand: along the far edges the arc's centre is 18.1 m - aisle from the corner, which leaves 12 m."""
    net = network_in(aisle, EAST)
    assert net.warnings == ()
    line = shapely.line_merge(shapely.MultiLineString([r.line for r in net.roads]))
    # chords of 0.2 rad change the circle through their ends by less than 2 %
    assert radii(line).min() > 0.98 * RADIUS_M
    strip = line.buffer(NO_TURNAROUNDS.width_m / 2, cap_style="flat")
    assert not any(strip.intersects(b) for b in crossing(aisle))


def test_aisle_too_narrow_for_the_radius_is_reported():
    net = network_in(8.0, EAST)
    assert net.served
    assert [w for w in net.warnings if w.startswith("road bends tighter")]


@pytest.mark.parametrize(("aisle", "is_tight"), [(13.0, False), (8.0, True)])
def test_turn_at_a_junction_is_checked_too(aisle, is_tight):
    """North along the aisle and off to the east: the branch leaves the road at a right angle."""
    net = network_in(aisle, NORTH, EAST)
    assert set(net.served) == {"n", "e"}
    assert bool([w for w in net.warnings if "turns at junctions" in w or "bends" in w]) == is_tight


def test_smoothing_gives_corners_room_and_keeps_the_ends():
    """A leg of 8 m between two right angles is too short for arcs of 15 m."""
    problem = problem_of([Terminal("t", at(300, 210, 304, 214), 14.0)])
    corners = np.add([(50, 100), (200, 100), (200, 108), (300, 108), (300, 205)], ORIGIN).astype(float)
    args = ([corners], [-1], [[0]], np.array([RADIUS_M]))
    (line,) = smooth(problem, *args, fixed=(), frozen=NOWHERE)
    assert_array_equal(line[[0, -1]], corners[[0, -1]])
    before, after = (round_bends(problem.road_grid, x, radius_m=RADIUS_M, full=True)[1] for x in (corners, line))
    assert before == 2
    assert after == 0


def test_fixed_lines_and_frozen_places_stay():
    problem = problem_of([Terminal("t", at(300, 210, 304, 214), 14.0)])
    corners = np.add([(50, 100), (200, 100), (200, 108), (300, 108), (300, 205)], ORIGIN).astype(float)
    args = ([corners], [-1], [[0]], np.array([RADIUS_M]))
    assert_array_equal(smooth(problem, *args, fixed={0}, frozen=NOWHERE)[0], corners)
    assert_array_equal(smooth(problem, *args, fixed=(), frozen=NOWHERE.wider(corners, 10.0))[0], corners)
    assert smooth(problem, *args, fixed=(), frozen=EVERYWHERE)[0] is corners


def test_tree_gives_its_lines_back():
    lines = [np.array(c, dtype=float) for c in ([(0, 0), (5, 0), (9, 0)], [(9, 0), (9, 9)], [(9, 0), (12, 1), (15, 0)])]
    tree = Tree.of(lines, [-1, 0, 0], np.full(3, RADIUS_M))
    for a, b in zip(tree.lines(), lines, strict=True):
        assert_array_equal(a, b)
    assert len(tree.lines([2])) == 1
    other = tree.copy()
    other.xy[:] = 0.0
    assert_array_equal(tree.xy[1], [5, 0])


def test_removed_vertex_comes_back():
    lines = [np.array(c, dtype=float) for c in ([(0, 0), (5, 0), (9, 0)], [(9, 0), (9, 9)])]
    tree = Tree.of(lines, [-1, 0], np.full(2, RADIUS_M))
    v, arrays = 1, tree.arrays
    before = [a.copy() for a in (arrays.parent, arrays.first_child, arrays.next_sibling)]
    p, w = int(arrays.parent[v]), int(arrays.first_child[v])
    _smoothing_kernels.unlink(arrays, v)
    assert_array_equal(tree.lines()[0], lines[0][[0, 2]])
    _smoothing_kernels.relink(arrays, v, p, w)
    for a, b in zip((arrays.parent, arrays.first_child, arrays.next_sibling), before, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("turn", [0.3, 1.0, 2.0])
def test_tangents_and_angles(turn):
    xy = (-1.0, 0.0), (0.0, 0.0), (np.cos(turn), np.sin(turn))
    assert_allclose(_line_kernels.turn_angle(*xy[0], *xy[1], *xy[2]), turn)
    assert_allclose(_line_kernels.tangent(turn, 15.0), 15.0 * np.tan(turn / 2))
    assert_allclose(15.0 * _turn_kernels.half_turn(np.array(xy), 0, 1, 2), 15.0 * np.tan(turn / 2))


def test_hairpin_takes_more_than_any_leg():
    xy = np.array([(-1.0, 0.0), (0.0, 0.0), (-1.0, 1e-3)])
    assert _turn_kernels.half_turn(xy, 0, 1, 2) > 1e5


@pytest.mark.parametrize(("radius_m", "is_tight"), [(19.0, False), (24.0, True)])
def test_arc_is_tight_for_a_larger_radius_only(radius_m, is_tight):
    """A quarter circle of 20 m as 8 chords."""
    t = np.linspace(0, np.pi / 2, 9)
    arc = np.column_stack([20 * np.sin(t), 20 - 20 * np.cos(t)])
    line = np.vstack([[(-50.0, 0.0)], arc, [(20.0, 70.0)]])
    places, of_line = tight_bends([line], np.array([radius_m]))
    assert bool(len(places)) == is_tight
    assert set(of_line.tolist()) <= {0}


def test_tight_turn_is_found_on_the_side_that_it_leads_into():
    """The branch leaves backwards; the road that goes on straight is fine."""
    problem = problem_of([Terminal("t", at(300, 210, 304, 214), 14.0)])
    corners = drawn([(20, 200), (200, 200)], [(200, 200), (380, 200)], [(200, 200), (100, 205)], parents=[-1, 0, 0])
    places, into = tight_turns(problem, corners.lines, corners.parents, np.full(3, RADIUS_M))
    assert into.tolist() == [2]
    assert_allclose(places, [[WEST + 200, SOUTH + 200]])
    assert tight_turns(problem, [], [], np.zeros(0))[1].size == 0


def test_frozen_disc_grows_where_freezing_did_not_help():
    near, far = np.array([[0.0, 0.0]]), np.array([[500.0, 0.0]])
    frozen = NOWHERE.wider(np.concatenate([near, far]), 25.0).wider(near + 5.0, 25.0)
    assert_allclose(frozen.xy, np.concatenate([near, far]))
    assert_allclose(frozen.radius_m, [50.0, 25.0])
    assert frozen.covers(np.array([[49.0, 0.0], [51.0, 0.0], [476.0, 0.0]])).tolist() == [True, False, True]
    assert not NOWHERE.covers(near).any()
    assert EVERYWHERE.covers(far).all()
