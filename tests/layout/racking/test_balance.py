"""Balance of cut and fill: exact volumes, groups, bounds, and where limits forbid it."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.racking import BENT, STRAIGHT, array, problem
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import box

from pacifico.layout.racking.balance import BALANCE_TOLERANCE, BalanceGroups, balanced
from pacifico.layout.racking.grading import SMALL_GAP, least_grading
from pacifico.layout.racking.lattice import KeepOff
from pacifico.layout.racking.row_steps import largest_steps

SHRINK = 0.12


def arrays(*centres):
    """Arrays named a, b and so on."""
    return [array(c, name="abcdef"[k]) for k, c in enumerate(centres)]


def hills(x, y):
    return 100 + 0.03 * x + 1.5 * np.sin(x / 23.0 + 0.4) * np.cos(y / 11.0)


def hump(x, y, height=2.0):
    """Hump at the origin."""
    return height * np.exp(-(x**2 + (y / 2) ** 2) / 60.0)


def hump_and_hollow(x, y):
    """Hump at the origin, and the same upside down 200 m east."""
    return 100 + hump(x, y) - hump(x - 200, y)


def test_a_plane_over_the_limit_gives_the_analytic_volumes():
    """The ground turns about a point d below the middle: cut 315 + 21 d, fill 315 - 18 d."""
    least = least_grading(problem(lambda x, y: 200 + 0.13 * y))
    assert least.cut_m3 == pytest.approx(least.fill_m3) == pytest.approx(315.0)
    found = balanced([least], BalanceGroups({"solar_array-0001": 0}, SHRINK), {})
    d = 315 * SHRINK / (18 + 21 * (1 - SHRINK))
    assert_allclose(found.cut_m3, 315 + 21 * d, rtol=1e-4)
    assert_allclose(found.fill_m3, 315 - 18 * d, rtol=1e-4)
    assert found.bound_m3 == pytest.approx(630 + 3 * d, rel=1e-4)
    assert found.gradings[0].excess_m.max() < 1e-6


def test_balanced_ground_stays_as_it_is():
    least = least_grading(problem(lambda x, y: 200 + 0.13 * y))
    found = balanced([least], BalanceGroups({"solar_array-0001": 0}, 0.0), {})
    assert found.gradings[0].cut_m3 == pytest.approx(315.0)
    assert found.gradings[0].fill_m3 == pytest.approx(315.0)


def test_ground_within_limits_is_not_graded():
    least = least_grading(problem(lambda x, y: 200 + 0.02 * y))
    found = balanced([least], BalanceGroups({"solar_array-0001": 0}, SHRINK), {})
    assert found.gradings == (least,)
    assert found.bound_m3 == 0.0
    assert not len(found.unbalanced)


def test_a_site_may_balance_where_its_blocks_do_not():
    """A hump gives more cut than fill, a hollow as much fill: together they balance without shrinkage."""
    least = least_grading(problem(hump_and_hollow, arrays=arrays((0, 0), (200, 0))))
    total = least.cut_m3 + least.fill_m3
    site = balanced([least], BalanceGroups({"a": 0, "b": 0}, 0.0), {})
    block = balanced([least], BalanceGroups({"a": 0, "b": 1}, 0.0), {})
    assert site.cut_m3 + site.fill_m3 == pytest.approx(total, rel=1e-4)
    assert_allclose(block.cut_m3, block.fill_m3, rtol=1e-3)
    assert (block.cut_m3 + block.fill_m3).sum() > 1.01 * total
    assert block.cut_m3[0] == pytest.approx(block.cut_m3[1], rel=0.02)


@pytest.mark.parametrize("criteria", [STRAIGHT, BENT], ids=["straight", "bent"])
@pytest.mark.parametrize("groups", [(0, 0, 0), (0, 1, 1), (0, 1, 2)])
def test_cut_and_fill_balance_in_each_group_and_limits_hold(criteria, groups):
    least = least_grading(problem(hills, criteria, arrays((12, 5), (40, 5), (90, -60))))
    found = balanced([least], BalanceGroups(dict(zip("abc", groups, strict=True)), SHRINK), {})
    (graded,) = found.gradings
    assert_allclose((1 - SHRINK) * found.cut_m3, found.fill_m3, rtol=BALANCE_TOLERANCE / 5, atol=0.1)
    assert found.cut_m3.sum() == pytest.approx(graded.cut_m3)
    assert not len(found.unbalanced)
    assert graded.excess_m.max() < 1e-5
    a, b, limit = graded.problem.pile_slopes()
    assert (np.abs(graded.graded_ground[b] - graded.graded_ground[a]) <= limit + 1e-5).all()
    total = graded.cut_m3 + graded.fill_m3
    assert least.bound_m3 <= found.bound_m3 <= total * (1 + 1e-6)
    assert total <= found.bound_m3 * (1 + 3 * SMALL_GAP)


def test_rows_of_two_azimuths_balance_together():
    """Cut alone under one array and fill alone under the other, whose rows are turned."""
    found = [
        least_grading(problem(hump_and_hollow, arrays=[array(c, name=n, azimuth=turned)]))
        for c, n, turned in (((0, 0), "a", 0.0), ((200, 0), "b", 30.0))
    ]
    site = balanced(found, BalanceGroups({"a": 0, "b": 0}, SHRINK), {})
    assert len(site.gradings) == 2
    cut, fill = (sum(getattr(g, part) for g in site.gradings) for part in ("cut_m3", "fill_m3"))
    assert (1 - SHRINK) * cut == pytest.approx(fill, rel=1e-3)


def test_steps_between_rows_hold_after_balancing():
    p = problem(lambda x, y: 0.06 * x + hump(x, y), replace(STRAIGHT, max_row_step_m=0.3), [array(rows=12, name="a")])
    (graded,) = balanced([least_grading(p)], BalanceGroups({"a": 0}, SHRINK), {}).gradings
    assert largest_steps(graded.problem.rows, graded.tube).max() <= 0.3 + 1e-5
    assert (1 - SHRINK) * graded.cut_m3 == pytest.approx(graded.fill_m3, rel=1e-3)


def test_imbalance_that_limits_force_is_told():
    """Only the hump itself may be graded: cut, and no room for its fill."""
    keep_off = KeepOff(box(-9, -6, 9, 6), [])
    least = least_grading(problem(lambda x, y: 100 + hump(x, y, 1.5), arrays=arrays((0, 0)), keep_off=keep_off))
    assert least.cut_m3 > 0
    found = balanced([least], BalanceGroups({"a": 0}, SHRINK), {})
    assert found.unbalanced.tolist() == [0]
    assert (1 - SHRINK) * found.cut_m3[0] > found.fill_m3[0]
    assert found.gradings[0].excess_m.max() <= least.excess_m.max() + 1e-5


@given(st.floats(0.5, 2.5), st.floats(9.0, 30.0), st.floats(0.0, 6.0), st.floats(0.0, 0.4))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_balance_never_lowers_the_volume_below_the_bound_without_it(height, wave, phase, shrink):
    """What is balanced keeps all limits of what isn't; its volume can't be below that bound."""
    ground = lambda x, y: height * np.sin(y / wave + phase) * np.cos(x / 19.0)  # noqa: E731
    least = least_grading(problem(ground, arrays=arrays((0, 0), (35, 20))))
    outside = least.excess_m.sum()
    site, block = (balanced([least], BalanceGroups(g, shrink), {}) for g in ({"a": 0, "b": 0}, {"a": 0, "b": 1}))
    for found in (site, block):
        (graded,) = found.gradings
        assert found.bound_m3 >= least.bound_m3
        if outside < 1e-6 and graded.excess_m.sum() < 1e-6:
            assert graded.cut_m3 + graded.fill_m3 >= least.bound_m3 * (1 - 1e-6) - 1e-3
