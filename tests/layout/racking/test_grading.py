"""Least grading: exact volumes, invariance, limits, and what a wider window must not do."""

import math
from dataclasses import replace

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array, everywhere, problem
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import box

from pacifico.layout.racking.grading import SMALL_GAP, least_grading
from pacifico.layout.racking.lattice import KeepOff
from pacifico.layout.racking.row_steps import largest_steps

CRITERIA = pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])


def hills(x, y):
    """Ground that straight tubes need grading on."""
    return 100 + 0.03 * x + 1.5 * np.sin(x / 23.0 + 0.4) * np.cos(y / 11.0)


@CRITERIA
def test_a_plane_within_limits_needs_no_grading_and_has_equal_reveals(criteria):
    found = least_grading(problem(lambda x, y: 200 + 0.02 * x - 0.09 * y, criteria))
    assert found.cut_m3 == found.fill_m3 == found.bound_m3 == found.above_bound == 0.0
    assert_allclose(found.tube - found.graded_ground, 1.2, atol=1e-7)


@pytest.mark.parametrize("slope", [0.13, -0.14])
def test_a_plane_over_the_limit_gives_the_analytic_volume(slope):
    """Piles on nodes: the ground turns about the middle of the row to the steepest slope, each pile with a cell."""
    found = least_grading(problem(lambda x, y: 200 + slope * y))
    s = np.linspace(-30, 30, 13)
    volume = 4 * 25 * (abs(slope) - 0.1) * np.abs(s).sum()
    assert found.cut_m3 + found.fill_m3 == pytest.approx(volume, rel=1e-6)
    assert found.above_bound < 1e-6
    assert found.excess_m.max() < 1e-6
    assert_allclose(np.abs(np.diff(found.graded_ground)).reshape(-1)[:12], 0.5, atol=1e-7)


def test_a_plane_too_steep_across_rows_gives_the_analytic_volume():
    """Four rows 5 m apart at 30 %, where 20 % is allowed: they turn about the middle."""
    found = least_grading(problem(lambda x, y: 0.3 * x))
    assert found.cut_m3 + found.fill_m3 == pytest.approx(13 * 25 * 0.1 * 2 * (2.5 + 7.5), rel=1e-6)
    assert found.above_bound < 1e-6


def test_a_fine_lattice_gives_the_integral_on_a_steep_plane():
    """Cells of the first and last piles reach half a metre beyond the row, at the correction of its ends."""
    criteria = replace(STRAIGHT, pile_spacing_m=1.0)
    found = least_grading(
        problem(lambda x, y: 0.15 * y, criteria, [array(rows=3, pitch=1.0)], cell_m=1.0, side_slope=0)
    )
    half, over = 30.0, 0.05
    assert found.cut_m3 + found.fill_m3 == pytest.approx(3 * (over * half**2 + over * half), rel=1e-6)


def test_a_wave_has_its_closed_form():
    """Mean of max(0, a |cos| - h) over whole waves is 2/pi (sqrt(a2 - h2) - h acos(h / a))."""
    a, h = 0.6, 0.3
    criteria = replace(STRAIGHT, pile_spacing_m=1.0)
    ground = lambda x, y: a * np.cos(2 * np.pi * y / 40.0)  # noqa: E731
    found = least_grading(problem(ground, criteria, [array(rows=2, pitch=1.0, along=80.0)], cell_m=1.0))
    mean = 2 / math.pi * (math.sqrt(a**2 - h**2) - h * math.acos(h / a))
    assert found.cut_m3 + found.fill_m3 == pytest.approx(2 * 80 * mean, rel=0.03)
    assert found.above_bound < 2 * SMALL_GAP


@CRITERIA
def test_turning_site_ground_and_rows_together_changes_nothing(criteria):
    plain = least_grading(problem(hills, criteria, [array((12.0, 5.0)), array((40.0, 5.0))]))
    assert plain.cut_m3 + plain.fill_m3 > 1
    for angle in (90.0, 37.0):
        c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        centres = [(x * c - y * s, x * s + y * c) for x, y in ((12.0, 5.0), (40.0, 5.0))]
        turned = least_grading(problem(
            lambda x, y: hills(x * c + y * s, y * c - x * s), criteria,  # noqa: B023 (called at once)
            [array(p, azimuth=-angle) for p in centres], keep_off=everywhere(angle),
        ))  # fmt: skip
        assert turned.cut_m3 + turned.fill_m3 == pytest.approx(plain.cut_m3 + plain.fill_m3, rel=2 * SMALL_GAP)
        assert turned.bound_m3 == pytest.approx(plain.bound_m3, rel=2 * SMALL_GAP)
        assert (turned.tube - turned.graded_ground).sum() > 0


def slopes_over(found):
    """How far slopes between graded nodes are over their limit or natural ground's, and between piles over the limit [m]."""
    p = found.problem
    level = np.zeros(len(p.node_ground))
    level[found.nodes] = found.correction
    a, b, along = p.lattice.edges(found.nodes)
    limit = np.where(along, p.criteria.max_slope_along, p.criteria.max_slope_across)
    limit = np.where(p.under[a] & p.under[b], limit, 1 / p.side_slope) * p.lattice.cell_m
    nature = p.node_ground[b] - p.node_ground[a]
    graded = nature + level[b] - level[a]
    nodes = np.maximum(graded - np.maximum(limit, nature), np.minimum(-limit, nature) - graded).max()
    a, b, along = p.rows.neighbours()
    x, y = p.rows.pile_xy
    limit = np.where(along, p.criteria.max_slope_along, p.criteria.max_slope_across) * np.hypot(
        x[b] - x[a], y[b] - y[a]
    )
    return max(nodes, (np.abs(found.graded_ground[b] - found.graded_ground[a]) - limit).max())


@CRITERIA
@pytest.mark.parametrize("pitch", [5.0, 6.857])
def test_all_piles_are_in_their_window_and_no_graded_slope_is_over_its_limit(criteria, pitch):
    found = least_grading(problem(hills, criteria, [array((12.0, 5.0), pitch=pitch), array((50.0, 0.0), pitch=pitch)]))
    assert found.cut_m3 + found.fill_m3 > 1
    assert found.excess_m.max() < 1e-6
    assert slopes_over(found) < 1e-6
    assert 0 <= found.above_bound <= 2 * SMALL_GAP


@CRITERIA
def test_a_plane_too_high_from_row_to_row_is_graded_to_the_step(criteria):
    """Rows 5 m apart at 6 %: each 0.3 m above the next, 12 rows, where 0.2 m is allowed and reveals differ by 0.6 m."""
    p = problem(lambda x, y: 0.06 * x, replace(criteria, max_row_step_m=0.2), [array(rows=12)])
    found = least_grading(p)
    apart = 0.1 * np.arange(0.5, 6)  # of rows above or below the middle from a slope of 0.2 m a row
    volume = 13 * 25 * 2 * np.maximum(apart - 0.3, 0.0).sum()
    assert found.cut_m3 + found.fill_m3 == pytest.approx(volume, rel=1e-6)
    assert largest_steps(p.rows, found.tube).max() <= 0.2 + 1e-6
    assert found.excess_m.max() < 1e-6


def test_reveals_alone_keep_the_step_where_they_can():
    p = problem(lambda x, y: 0.06 * x + 0.2 * (x > 0), replace(STRAIGHT, max_row_step_m=0.35))
    found = least_grading(p)
    assert found.cut_m3 == found.fill_m3 == 0.0
    assert largest_steps(p.rows, found.tube).max() <= 0.35 + 1e-6
    assert found.excess_m.max() < 1e-6


def test_nothing_is_graded_on_ground_that_is_kept():
    keep_off = KeepOff(box(-300, -300, 300, 300), [box(20, -300, 24, 300)])
    found = least_grading(problem(hills, STRAIGHT, [array((5.0, 5.0)), array((38.0, 5.0))], keep_off=keep_off))
    x, y = found.problem.lattice.map_places(found.nodes)
    far = keep_off.distance(x, y)
    assert far.min() >= 2.5
    assert (np.abs(found.correction) <= far / 2 + 1e-7).all()


def test_piles_that_can_not_be_graded_stay_outside_and_are_counted():
    keep_off = KeepOff(box(1000, 1000, 1100, 1100), [])
    found = least_grading(problem(hills, STRAIGHT, [array((5.0, 5.0))], keep_off=keep_off))
    assert found.cut_m3 == found.fill_m3 == 0
    assert found.excess_m.max() > 0.01


@given(st.floats(0.3, 1.0), st.floats(8.0, 30.0), st.floats(0.0, 6.0), st.floats(0.0, 0.5))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_a_wider_window_never_adds_grading(height, wave, phase, wider):
    """The narrow window's solution is one of the wide window too, and both are optimal within their bound."""
    ground = lambda x, y: height * np.sin(y / wave + phase) * np.cos(x / 19.0)  # noqa: E731
    narrow = least_grading(problem(ground))
    assume(narrow.excess_m.max() < 1e-6)
    wide = least_grading(problem(ground, replace(STRAIGHT, max_reveal_m=1.8 + wider)))
    total = narrow.cut_m3 + narrow.fill_m3
    assert wide.bound_m3 <= total + 1e-3
    assert wide.cut_m3 + wide.fill_m3 <= total * (1 + SMALL_GAP) + 0.01


def rolling(x, y):
    """Ground that falls by 1 % along the rows under waves that trackers need graded."""
    return 100 - 0.01 * y + 0.9 * np.sin(y / 13.0 + 0.4) * np.cos(x / 40.0)


def least_falls(found, least):
    """How far graded edges fall short of the minimum along the main fall, or of nature's fall where that is less [m]."""
    p = found.problem
    level = np.zeros(len(p.node_ground))
    level[found.nodes] = found.correction
    nodes = np.flatnonzero(p.under)
    a, b, along = p.lattice.edges(nodes)
    both = p.under[a] & p.under[b]
    a, b, along = a[both], b[both], along[both]
    slope_along, slope_across = ((s[a] + s[b]) / 2 for s in p.main_slopes)
    own, other = np.where(along, slope_along, slope_across), np.where(along, slope_across, slope_along)
    drains = (np.abs(own) >= np.abs(other)) & (np.abs(own) >= least)
    nature = (np.sign(own) * (p.node_ground[b] - p.node_ground[a]))[drains]
    graded = nature + (np.sign(own) * (level[b] - level[a]))[drains]
    return np.minimum(least * p.lattice.cell_m, nature) - graded


def test_grading_leaves_the_least_fall_along_the_fall_of_the_ground():
    least = 0.005
    free, held = (least_grading(problem(rolling, replace(STRAIGHT, min_drainage=m))) for m in (0.0, least))
    assert least_falls(free, least).max() > 0.01
    assert least_falls(held, least).max() < 1e-6
    assert held.cut_m3 + held.fill_m3 >= free.bound_m3
    assert held.above_bound < 2 * SMALL_GAP
    assert held.excess_m.max() < 1e-6


def test_flat_ground_has_no_fall_to_keep():
    flat = lambda x, y: 0.5 * np.sin(y / 13.0)  # noqa: E731
    free, held = (least_grading(problem(flat, replace(STRAIGHT, min_drainage=m))) for m in (0.0, 0.03))
    assert held.cut_m3 + held.fill_m3 >= free.bound_m3
    assert held.excess_m.max() < 1e-6
