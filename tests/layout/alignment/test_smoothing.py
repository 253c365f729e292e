"""Plan curves: what fits between blocks is found, what does not is counted, and nothing else changes."""

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS
from shapely import Point, box

from pacifico.grid import Grid, Ground
from pacifico.layout.alignment import _line_kernels, _smoothing_kernels, _turn_kernels
from pacifico.layout.alignment.smoothing import ALL, NOTHING, Tree
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.roads.network import route_network

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
RULES = RoadCriteria(turnaround_over_m=np.inf)


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def level(size=400.0):
    n = int(size / 10) + 20
    return Ground(Grid(UTM, WEST - 100, SOUTH + size + 100, 10.0, 10.0, n, n), np.zeros((n, n)))


def crossing(aisle, *, half=150.0):
    """Four blocks about an aisle from south to north and one from west to east."""
    a, b, c = aisle / 2, half, 2 * half
    return [at(0, 0, b - a, b - a), at(b + a, 0, c, b - a), at(0, b + a, b - a, c), at(b + a, b + a, c, c)]


def radii(line):
    """Radius of the circle through each three points in a row that is not straight [m]."""
    p = shapely.get_coordinates(line)
    a, b, c = p[:-2], p[1:-1], p[2:]
    twice = np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    sides = np.hypot(*(b - a).T) * np.hypot(*(c - b).T) * np.hypot(*(c - a).T)
    return sides[twice > 0.2] / (2 * twice[twice > 0.2])


def round_the_corner(aisle):
    goal = Terminal("a", at(295, 140, 299, 145), 14.0)
    return route_network(
        level(),
        at(0, 0, 300, 300),
        [goal],
        entry=Point(WEST + 150, SOUTH + 1),
        obstacles=crossing(aisle),
        criteria=RULES,
    )


@pytest.mark.parametrize("aisle", [11.0, 13.0, 16.0])
def test_a_right_angle_between_blocks_holds_the_radius(aisle):
    """By hand: with the strip at the far edges the arc's centre is 18.1 m - aisle from the corner, which clears 12 m."""
    net = round_the_corner(aisle)
    assert net.warnings == ()
    line = shapely.line_merge(shapely.MultiLineString([r.line for r in net.roads]))
    # a chord's length along an arc of 0.2 rad changes the circle through its ends by less than 2 %
    assert radii(line).min() > 0.98 * (RULES.min_radius_m + RULES.width_m / 2)
    strip = line.buffer(RULES.width_m / 2, cap_style="flat")
    assert not any(strip.intersects(b) for b in crossing(aisle))


def test_aisles_too_narrow_for_the_radius_are_counted():
    net = round_the_corner(8.0)
    assert net.served
    assert [w for w in net.warnings if w.startswith("road bends tighter")]


@pytest.mark.parametrize(("aisle", "tight"), [(13.0, 0), (8.0, 1)])
def test_turns_at_a_junction_are_looked_at_too(aisle, tight):
    """North along the aisle and off to the east: the branch leaves the road at a right angle."""
    goals = [Terminal("n", at(140, 295, 145, 299), 14.0, 0), Terminal("e", at(295, 140, 299, 145), 14.0)]
    net = route_network(
        level(),
        at(0, 0, 300, 300),
        goals,
        entry=Point(WEST + 150, SOUTH + 1),
        obstacles=crossing(aisle),
        criteria=RULES,
    )
    assert set(net.served) == {"n", "e"}
    said = [w for w in net.warnings if "turns at junctions" in w or "bends" in w]
    assert len(said) >= tight
    assert bool(said) == bool(tight)


def test_a_tree_of_lines_and_back():
    lines = [np.array(c, dtype=float) for c in ([(0, 0), (5, 0), (9, 0)], [(9, 0), (9, 9)], [(9, 0), (12, 1), (15, 0)])]
    tree = Tree.of(lines, [-1, 0, 0])
    for a, b in zip(tree.lines(), lines, strict=True):
        assert_array_equal(a, b)
    v = 1  # a vertex along the first line goes, and comes back
    kids = tree.first.copy(), tree.after.copy(), tree.up.copy()
    p, w = int(tree.up[v]), int(tree.first[v])
    _smoothing_kernels.unlink(tree.up, tree.first, tree.after, v)
    assert_array_equal(tree.lines()[0], lines[0][[0, 2]])
    _smoothing_kernels.relink(tree.up, tree.first, tree.after, v, p, w)
    for a, b in zip((tree.first, tree.after, tree.up), kids, strict=True):
        assert_array_equal(a, b)


@pytest.mark.parametrize("turn", [0.3, 1.0, 2.0])
def test_tangents_and_angles(turn):
    xy = (-1.0, 0.0), (0.0, 0.0), (np.cos(turn), np.sin(turn))
    assert_allclose(_line_kernels.turn_angle(*xy[0], *xy[1], *xy[2]), turn)
    assert_allclose(_line_kernels.tangent(turn, 15.0), 15.0 * np.tan(turn / 2))
    assert_allclose(15.0 * _turn_kernels.half_turn(np.array(xy), 0, 1, 2), 15.0 * np.tan(turn / 2))


def test_a_hairpin_takes_more_of_a_leg_than_there_is():
    xy = np.array([(-1.0, 0.0), (0.0, 0.0), (-1.0, 1e-3)])
    assert _turn_kernels.half_turn(xy, 0, 1, 2) > 1e5


def test_what_stays_as_it_was_reaches_farther_only_where_that_does_not_help():
    near, far = np.array([[0.0, 0.0]]), np.array([[500.0, 0.0]])
    keep = NOTHING.wider(np.concatenate([near, far]), 25.0).wider(near + 5.0, 25.0)
    assert_allclose(keep.xy, np.concatenate([near, far]))
    assert_allclose(keep.near_m, [50.0, 25.0])
    assert keep.covers(np.array([[49.0, 0.0], [51.0, 0.0], [476.0, 0.0]])).tolist() == [True, False, True]
    assert not NOTHING.covers(near).any()
    assert ALL.covers(far).all()
