"""Height ranges: exactly the heights of all profiles within the limits."""

import numpy as np
import pytest
from fixtures.alignment import drawn, ground_of_slope, problem_of
from fixtures.ground import at
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from pacifico.layout.alignment import _profile_kernels as kernels
from pacifico.layout.alignment.height_ranges import GRADE_SHARE, SLACK_M, HeightRanges
from pacifico.layout.alignment.vertical import design_heights
from pacifico.layout.model.roads import Terminal

TERMINAL = Terminal("t", at(298, 190, 305, 200), 20.0)
LINE = [(20, 180), (300, 180)]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), grade=st.floats(0.02, 0.2), depth=st.floats(0.3, 3.0))
def test_ranges_of_a_tree_are_not_empty_just_where_a_profile_exists(seed, grade, depth):
    """Compared with the profile design, which exceeds the depth only where grade and depth can't both be kept."""
    rng = np.random.default_rng(seed)
    n = 40
    parent = np.array([-1, *(int(rng.integers(max(0, k - 4), k)) for k in range(1, n))])
    distance, ground = np.full(n, 10.0), rng.normal(0, 2.0, n)
    below, above, _ = kernels.tree_ranges(parent, grade * distance, ground - depth, ground + depth)
    low, high = np.maximum(below[:, 0], above[:, 0]), np.minimum(below[:, 1], above[:, 1])
    profile = design_heights(parent, distance, ground, np.ones(n), max_grade=grade, max_depth_m=depth)
    least = (high - low).min()
    if abs(least) > 1e-6:
        assert (least > 0) == (profile.excess_m.max() < 1e-9)
    if least > 0:
        assert (profile.z >= low - 1e-9).all()
        assert (profile.z <= high + 1e-9).all()


def test_level_ground_leaves_the_depth_on_both_sides():
    problem = problem_of([TERMINAL])
    ranges = HeightRanges.of(problem, drawn(LINE))
    depth = problem.criteria.max_cut_fill_m + SLACK_M
    limits = ranges.between(0, 100.0, 150.0)
    assert_allclose(limits.span[[0, 2]], -depth, atol=1.1)
    assert_allclose(limits.span[[1, 3]], depth, atol=1.1)
    grade = problem.criteria.max_grade - problem.criteria.grade_margin
    assert limits.terrain.grade == pytest.approx(grade * GRADE_SHARE)


def test_ground_too_steep_leaves_no_range():
    assert HeightRanges.of(problem_of([TERMINAL], ground=ground_of_slope(0.3)), drawn(LINE)) is None


def test_pad_out_of_reach_leaves_no_range():
    """A pad 9 m above level ground, 12 m beside the road: 4 m of fill and 1.2 m of rise."""
    pad = Terminal("t", at(298, 190, 305, 200), 20.0, pad=at(297, 189, 306, 201), pad_plane=(9.0, 0.0, 0.0))
    assert HeightRanges.of(problem_of([pad]), drawn(LINE)) is None


def test_ranges_follow_changes_unless_they_are_fixed():
    problem = problem_of([TERMINAL])
    before, after = drawn(LINE), drawn([(20, 170), (300, 180)])
    ranges = HeightRanges.of(problem, before)
    changed = ranges.after(after)
    assert changed.alignment is after
    assert_allclose(changed.below, HeightRanges.of(problem, after).below)
    fixed = HeightRanges.of(problem, before, fixed=True)
    assert fixed.after(after) is fixed
