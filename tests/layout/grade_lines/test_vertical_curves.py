"""Vertical curves: exact cases, HiGHS as the independent solver, and limits on random ground."""

import itertools

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST
from fixtures.roads import rough_ground, square_ground
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linprog
from scipy.sparse import lil_matrix

from pacifico.layout.alignment.vertical import design_heights
from pacifico.layout.grade_lines.vertical_curves import Level, ProfileLimits, smooth_profile

LIMITS = ProfileLimits(width_m=6.0, max_grade=0.1, max_depth_m=4.0, curve_m_per_pct=1.6)
ALLOWED = 6.25 - 0.05


def designed(ground, *corners, start=None, step=5.0, limits=LIMITS):
    """Road along corners with the grade line of least earthwork, without vertical curves."""
    points = [np.array(corners[0], float)]
    for a, b in itertools.pairwise(corners):
        n = round(np.hypot(b[0] - a[0], b[1] - a[1]) / step)
        points += [np.add(a, np.subtract(b, a) * k / n) for k in range(1, n + 1)]
    xy = np.array(points) + np.array([WEST, SOUTH])
    z = ground.at(xy[:, 0], xy[:, 1])
    if start is not None:
        z[0] = start
    n = len(xy)
    run = np.concatenate([[0.0], np.hypot(*np.diff(xy, axis=0).T)])
    profile = design_heights(
        np.arange(-1, n - 1), run, z, np.full(n, 30.0), max_grade=limits.max_grade, max_depth_m=limits.max_depth_m
    )
    return np.column_stack([xy, profile.z])


def largest_break(line):
    """Largest change of grade of a road within 10 m [%], measured on pieces of 1 m like a drive along it."""
    s = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T))])
    at = np.linspace(0, s[-1], round(s[-1]) + 1)
    grade = 100 * np.diff(np.interp(at, s, line[:, 2])) / np.diff(at)
    return np.abs(grade[9:] - grade[:-9]).max()


def grades(line):
    return np.diff(line[:, 2]) / np.hypot(*np.diff(line[:, :2], axis=0).T)


def roof(x, y):
    """Ridge at x = 500 m with flanks of 8 %."""
    return 40.0 - 0.08 * np.abs(x - 500.0)


def test_ground_without_sharp_breaks_is_kept():
    line = designed(square_ground(lambda x, y: 0.05 * x + 0.02 * y), (100, 100), (600, 100))
    found = smooth_profile([line], square_ground(lambda x, y: 0.05 * x + 0.02 * y), LIMITS)
    assert_allclose(found.lines[0], line, atol=1e-3)
    assert found.breaks_pct.size == 0


def test_no_roads():
    assert smooth_profile([], square_ground(lambda x, y: 0.0), LIMITS).lines == []


def test_a_ridge_is_rounded_off():
    ground = square_ground(roof)
    line = designed(ground, (300, 500), (700, 500))
    assert largest_break(line) > 7.0
    found = smooth_profile([line], ground, LIMITS)
    assert found.breaks_pct.size == 0
    assert largest_break(found.lines[0]) <= ALLOWED + 1e-3
    # the flanks stay where they are
    assert_allclose(found.lines[0][:30], line[:30], atol=1e-3)


@pytest.mark.parametrize("k", [2.0, 3.0])
def test_curves_are_as_long_as_the_criteria_ask(k):
    ground = square_ground(roof)
    line = designed(ground, (300, 500), (700, 500))
    found = smooth_profile([line], ground, ProfileLimits(6.0, 0.1, 4.0, k))
    assert largest_break(found.lines[0]) == pytest.approx(10 / k - 0.05, abs=0.01)


def test_a_branch_may_start_at_any_grade():
    """The branch climbs by 9 % from a level road. The level road stays smooth straight on."""
    ground = square_ground(lambda x, y: 0.09 * np.maximum(y - 500.0, 0.0))
    main = [designed(ground, (300, 490), (500, 490)), designed(ground, (500, 490), (700, 490))]
    branch = designed(ground, (500, 490), (500, 700))
    found = smooth_profile([*main, branch], ground, LIMITS)
    assert found.breaks_pct.size == 0
    assert found.lines[0][-1, 2] == found.lines[1][0, 2] == found.lines[2][0, 2]
    assert largest_break(np.vstack([found.lines[0], found.lines[1][1:]])) <= ALLOWED + 1e-3


def test_a_pad_is_met_without_a_sharp_break():
    ground = square_ground(lambda x, y: 0.0)
    line = designed(ground, (100, 500), (400, 500))
    place = (float(line[30, 0]), float(line[30, 1]))
    line[:, 2] = np.maximum(0.0, 1.0 - 0.1 * np.abs(line[:, 0] - place[0]))
    found = smooth_profile([line], ground, LIMITS, [Level(place, 1.0, 1.0)])
    assert found.breaks_pct.size == 0
    assert found.lines[0][30, 2] == pytest.approx(1.0, abs=3e-3)
    assert largest_break(found.lines[0]) <= ALLOWED + 1e-3


def test_breaks_that_no_heights_avoid_are_counted_and_least():
    """Pads 10 m apart at 0, 0.9 and 0 m: 18 % between the middles of both ramps, at one place."""
    ground = square_ground(lambda x, y: 0.0)
    line = designed(ground, (100, 500), (400, 500))
    levels = [Level((float(line[k, 0]), float(line[k, 1])), z, z) for k, z in ((30, 0.0), (32, 0.9), (34, 0.0))]
    line[31, 2], line[32, 2], line[33, 2] = 0.45, 0.9, 0.45
    found = smooth_profile([line], ground, LIMITS, levels)
    assert found.breaks_pct.size >= 1
    assert 9.0 < found.breaks_pct.max() < 18.1
    assert found.lines[0][32, 2] == pytest.approx(0.9, abs=3e-3)
    assert np.abs(grades(found.lines[0])).max() <= 0.1 + 1e-6


def by_highs(z, ground, limits):
    """Heights of a straight road with stations 5 m apart by a linear program."""
    n, depth = len(z), limits.max_depth_m + 0.002
    rows, bound = [], []
    for k in range(n):
        rows += [{k: 1, n + k: -1}, {k: -1, n + k: -1}]
        bound += [ground[k], -ground[k]]
    most = limits.max_grade * (5.0 - 0.002 - 0.001 / limits.max_grade)
    for k in range(n - 1):
        for sign in (1, -1):
            rows.append({k: -sign, k + 1: sign})
            bound.append(max(most, abs(z[k + 1] - z[k])) + 1e-6)
    for apart in (1, 2):
        for k in range(n - 1 - apart):
            for sign in (1, -1):
                row = {}
                for node, f in ((k, 1), (k + 1, -1), (k + apart, -1), (k + apart + 1, 1)):
                    row[node] = row.get(node, 0) + sign * f / 5.0
                rows.append(row)
                bound.append((limits.max_break_pct - 0.05) / 100)
    matrix = lil_matrix((len(rows), 2 * n))
    for r, row in enumerate(rows):
        for c, v in row.items():
            matrix[r, c] = v
    half = np.full(n, 5.0)
    half[[0, -1]] = 2.5
    bounds = [(g - depth, g + depth) for g in ground] + [(0, None)] * n
    cost = np.concatenate([np.zeros(n), half * limits.width_m])
    return linprog(cost, A_ub=matrix.tocsr(), b_ub=bound, bounds=bounds, method="highs")


@given(st.integers(0, 10_000), st.floats(0.03, 0.1))
@settings(max_examples=15, deadline=None)
def test_agrees_with_highs(seed, rough):
    """Without side slopes the problem is a linear program, which HiGHS solves by another method."""
    limits = ProfileLimits(6.0, 0.1, 4.0, 1.6, side_slope=0.0)
    ground = rough_ground(seed, grade=rough, finest=40.0)
    line = designed(ground, (100, 500), (500, 500), limits=limits)
    offsets = ((np.arange(7) + 0.5) / 7 - 0.5) * 6.0
    mean = np.mean([ground.at(line[:, 0], line[:, 1] + off) for off in offsets], axis=0)
    reference = by_highs(line[:, 2], mean, limits)
    found = smooth_profile([line], ground, limits)
    if reference.status != 0 or np.abs(line[:, 2] - mean).max() > limits.max_depth_m:
        return
    half = np.full(len(mean), 5.0)
    half[[0, -1]] = 2.5
    cost = float((half * 6.0 * np.abs(found.lines[0][:, 2] - mean)).sum())
    assert found.breaks_pct.size == 0
    assert cost == pytest.approx(reference.fun, rel=1e-4, abs=0.05)


def test_side_slopes_count():
    """With side slopes deep places cost more: heights that leave them out have more volume with them."""
    ground = rough_ground(3, grade=0.12, finest=40.0)
    line = designed(ground, (100, 500), (900, 500))

    def volume(found):
        xyz = found.lines[0]
        depth = np.abs(ground.at(xyz[:, 0], xyz[:, 1]) - xyz[:, 2])
        return float((5.0 * (6.0 * depth + 2.0 * depth**2)).sum())

    plain = smooth_profile([line], ground, ProfileLimits(6.0, 0.1, 4.0, 1.6, side_slope=0.0))
    assert volume(smooth_profile([line], ground, LIMITS)) < volume(plain)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_limits_that_the_given_heights_keep_are_kept(seed):
    ground = rough_ground(seed, grade=0.1, finest=40.0)
    a = designed(ground, (100, 500), (500, 500))
    b = designed(ground, (500, 500), (500, 900), step=2.0)
    b[0, 2] = a[-1, 2]
    before = max(np.abs(grades(line)).max() for line in (a, b))
    found = smooth_profile([a, b], ground, LIMITS)
    assert found.lines[0][-1, 2] == found.lines[1][0, 2]
    assert max(np.abs(grades(line)).max() for line in found.lines) <= max(before, 0.1) + 1e-5
    assert_array_equal(found.lines[1][:, :2], b[:, :2])


def test_side_slopes_end_before_an_edge_where_heights_allow_it():
    """The cut through a bump is 2 m from an edge, so it may be 1 m deep."""
    ground = square_ground(lambda x, y: 3.5 * np.maximum(1 - np.abs(x - 500.0) / 40.0, 0.0))
    line = designed(ground, (300, 500), (700, 500))
    flat = line.copy()
    flat[:, 2] = 0.0
    beside = np.array([[WEST, SOUTH + 505.0, WEST + 1000.0, SOUTH + 505.0]])
    deep = smooth_profile([flat], ground, ProfileLimits(6.0, 0.03, 4.0, 1.6))
    found = smooth_profile([flat], ground, ProfileLimits(6.0, 0.03, 4.0, 1.6), (), beside)

    def deepest(xyz):
        return np.abs(ground.at(xyz[:, 0], xyz[:, 1] + 3.0) - xyz[:, 2]).max()

    assert deepest(deep.lines[0]) > 1.3
    assert deepest(found.lines[0]) <= 1.01
    assert found.breaks_pct.size == 0
