"""Vertical alignment: analytic cases, HiGHS as the independent solver, properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from pacifico.errors import InputError
from pacifico.grid import Grid, Ground
from pacifico.layout.alignment.vertical import Pin, design_heights, stations_of


def chain(n):
    return np.arange(-1, n - 1)


def cost(profile, ground, weight):
    return float((weight * np.abs(profile.z - ground)).sum())


def by_highs(parent, distance, ground, weight, grade, depth, pins=()):
    """The same problem as a linear program over heights z and depths t."""
    n = parent.size
    rows, cols, values, bound = [], [], [], []

    def row(entries, limit):
        for c, v in entries:
            rows.append(len(bound))
            cols.append(c)
            values.append(v)
        bound.append(limit)

    for k in range(n):
        row([(k, 1), (n + k, -1)], ground[k])
        row([(k, -1), (n + k, -1)], -ground[k])
        if parent[k] >= 0:
            row([(k, 1), (parent[k], -1)], grade * distance[k])
            row([(k, -1), (parent[k], 1)], grade * distance[k])
    for p in pins:
        row([(p.station, 1)], p.z + p.slack_m)
        row([(p.station, -1)], p.slack_m - p.z)
    matrix = coo_matrix((values, (rows, cols)), shape=(len(bound), 2 * n)).tocsr()
    bounds = [(g - depth, g + depth) for g in ground] + [(0, None)] * n
    return linprog(np.concatenate([np.zeros(n), weight]), A_ub=matrix, b_ub=bound, bounds=bounds, method="highs")


@st.composite
def trees(draw):
    seed = draw(st.integers(0, 2**32 - 1))
    n = draw(st.integers(2, 60))
    branching = draw(st.integers(1, 6))
    rough = draw(st.sampled_from([0.1, 0.5, 1.5]))
    rng = np.random.default_rng(seed)
    parent = np.array([-1, *(int(rng.integers(max(0, k - branching), k)) for k in range(1, n))])
    ground = np.zeros(n)
    for k in range(1, n):
        ground[k] = ground[parent[k]] + rng.normal(0, rough)
    return parent, rng.uniform(1, 10, n), ground, rng.uniform(1, 60, n)


def test_ground_within_the_limit_is_kept():
    ground = 0.08 * 10 * np.arange(20.0)
    profile = design_heights(chain(20), np.full(20, 10.0), ground, np.ones(20), max_grade=0.1, max_depth_m=4.0)
    assert_array_equal(profile.z, ground)


@pytest.mark.parametrize("n", [5, 11])
def test_ramp_steeper_than_the_limit_is_pivoted_on_its_middle(n):
    """The L1 optimum has as much weight above as below: for an odd number of equal stations, through the middle one."""
    s = 10.0 * np.arange(n)
    profile = design_heights(chain(n), np.full(n, 10.0), 0.15 * s, np.ones(n), max_grade=0.1, max_depth_m=10.0)
    middle = s[n // 2]
    assert_allclose(profile.z, 0.15 * middle + 0.1 * (s - middle), atol=1e-9)
    assert cost(profile, 0.15 * s, np.ones(n)) == pytest.approx(0.05 * 10 * 2 * sum(range(n // 2 + 1)))


def test_step_is_split_into_cut_and_fill_along_one_ramp():
    """A 2 m step under a 10 % limit: 20 m of ramp; cut and fill are equal by symmetry."""
    ground = np.where(np.arange(40) < 20, 0.0, 2.0)
    profile = design_heights(chain(40), np.full(40, 1.0), ground, np.ones(40), max_grade=0.1, max_depth_m=4.0)
    rise = np.diff(profile.z)
    assert rise.max() == pytest.approx(0.1)
    assert profile.z[0] == 0.0
    assert profile.z[-1] == 2.0
    assert cost(profile, ground, np.ones(40)) == pytest.approx(10.0)


def test_what_no_depth_allows_is_reported_where_it_is():
    ground = np.where(np.arange(30) < 15, 0.0, 30.0)
    profile = design_heights(chain(30), np.full(30, 10.0), ground, np.ones(30), max_grade=0.1, max_depth_m=4.0)
    assert np.abs(np.diff(profile.z)).max() <= 1.0 + 1e-9
    assert profile.excess_m[:5].max() == 0.0
    assert profile.excess_m.max() > 5.0
    assert set(np.flatnonzero(profile.excess_m > 1e-9).tolist()) <= set(range(4, 26))


def test_pins_are_met_or_missed_by_the_least():
    flat = np.zeros(11)
    pins = [Pin(0, 0.0, 0.0), Pin(10, 5.0, 0.5)]
    profile = design_heights(chain(11), np.full(11, 10.0), flat, np.ones(11), max_grade=0.1, max_depth_m=6.0, pins=pins)
    assert_array_equal(profile.pin_excess_m, [0.0, 0.0])
    assert profile.z[10] == pytest.approx(4.5)
    tight = design_heights(
        chain(11),
        np.full(11, 10.0),
        flat,
        np.ones(11),
        max_grade=0.01,
        max_depth_m=6.0,
        pins=[pins[0], Pin(10, 5.0, 0.5)],
    )
    assert tight.pin_excess_m.sum() == pytest.approx(4.5 - 1.0)


@given(trees(), st.floats(0.03, 0.12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_agrees_with_highs(tree, grade, pinned):
    parent, distance, ground, weight = tree
    pins = [Pin(parent.size - 1, float(ground[-1]) + 0.7, 0.2)] if pinned else []
    reference = by_highs(parent, distance, ground, weight, grade, 3.0, pins)
    profile = design_heights(parent, distance, ground, weight, max_grade=grade, max_depth_m=3.0, pins=pins)
    k = np.flatnonzero(parent >= 0)
    assert (np.abs(profile.z[k] - profile.z[parent[k]]) <= grade * distance[k] + 1e-9).all()
    feasible = profile.excess_m.max() < 1e-6 and (not pins or profile.pin_excess_m.max() < 1e-6)
    assert feasible == (reference.status == 0)
    if feasible:
        assert_allclose(cost(profile, ground, weight), reference.fun, rtol=1e-7, atol=1e-6)


@given(trees())
@settings(max_examples=30, deadline=None)
def test_cut_and_fill_swap_with_the_ground(tree):
    parent, distance, ground, weight = tree
    up = design_heights(parent, distance, ground, weight, max_grade=0.06, max_depth_m=5.0)
    down = design_heights(parent, distance, -ground, weight, max_grade=0.06, max_depth_m=5.0)
    assert_allclose(cost(up, ground, weight), cost(down, -ground, weight), rtol=1e-9, atol=1e-9)


def ground_of(z, dx=10.0, dy=5.0):
    ny, nx = z.shape
    return Ground(Grid(CRS.from_epsg(32615), 500_000.0, 4_600_000.0, dx, dy, ny, nx), z)


def test_stations_share_junctions_and_take_the_mean_over_the_width():
    grid = ground_of(np.zeros((60, 60))).grid
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    ground = Ground(grid, 0.03 * (x - 500_000) + 0.02 * (y - 4_600_000))
    lines = [np.array([[500_050.0, 4_599_900.0], [500_150.0, 4_599_900.0]])]
    lines += [np.array([[500_150.0, 4_599_900.0], [500_150.0 + 3 * d, 4_599_900.0 + 4 * d]]) for d in (10.0, -10.0)]
    s = stations_of(lines, [-1, 0, 0], ground, width_m=6.0, station_m=10.0)
    assert s.of_line[1][0] == s.of_line[2][0] == s.of_line[0][-1]
    assert_allclose(np.hypot(*(s.xy[1:] - s.xy[s.parent[1:]]).T), s.distance[1:])
    assert s.distance.max() <= 10.0
    assert_allclose(s.ground, 0.03 * (s.xy[:, 0] - 500_000) + 0.02 * (s.xy[:, 1] - 4_600_000), atol=1e-6)
    assert s.weight.sum() == pytest.approx(200.0 * 6.0, abs=0.01)


def test_stations_refuse_ground_that_is_not_known():
    z = np.zeros((20, 20))
    z[10, 10] = np.nan
    line = np.array([[500_020.0, 4_599_947.5], [500_180.0, 4_599_947.5]])
    with pytest.raises(InputError, match="without elevation"):
        stations_of([line], [-1], ground_of(z), width_m=6.0, station_m=10.0)


def test_no_stations_no_profile():
    none = np.zeros(0)
    assert design_heights(np.zeros(0, np.int64), none, none, none, max_grade=0.1, max_depth_m=4.0).z.size == 0
