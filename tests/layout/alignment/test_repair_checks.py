"""Checks of a repair: fewer tight places, everything served, and no new crossing."""

import numpy as np
from fixtures.alignment import ORIGIN, RADIUS_M, drawn, goal, problem_of
from numpy.testing import assert_allclose

from pacifico.layout.alignment import lines
from pacifico.layout.alignment.polyline_splice import ChangedLine
from pacifico.layout.alignment.repair_checks import Chains, CheckedAlignment, try_changes

SHARP = [(20, 100), (200, 100), (200, 300)]


def rounded(problem, corners):
    """Changed line with arcs at its corners."""
    xy = np.add(corners, ORIGIN).astype(float)
    line, _ = lines.round_bends(problem.road_grid, xy, radius_m=RADIUS_M * 1.01, full=True)
    return ChangedLine(line, xy, slice(0, 0))


def test_lines_that_alone_continue_each_other_are_a_chain():
    chains = Chains.of([-1, 0, 1, 1], np.full(4, 15.0))
    assert chains.members == [[0, 1], [2], [3]]
    assert chains.of_line == [0, 0, 1, 2]
    assert chains.children == [[1], [2, 3], [], []]
    assert Chains.of([-1, 0], np.array([15.0, 30.0])).members == [[0], [1]]


def test_change_with_fewer_tight_bends_is_accepted():
    problem = problem_of([goal("t", 205, 290)])
    checked = CheckedAlignment.of(problem, drawn(SHARP), None)
    assert len(checked.tight_bends_of(0)) == 1
    accepted = try_changes(checked, {0: rounded(problem, SHARP)}).accepted
    assert accepted.tight_bends_of(0) == []
    assert accepted.bound == [[0]]
    assert_allclose(accepted.alignment.straight[0], checked.alignment.lines[0])


def test_change_without_fewer_tight_bends_is_rejected():
    problem = problem_of([goal("t", 205, 290)])
    checked = CheckedAlignment.of(problem, drawn(SHARP), None)
    same = ChangedLine(checked.alignment.lines[0], checked.alignment.lines[0], slice(0, 0))
    outcome = try_changes(checked, {0: same})
    assert outcome.accepted is None
    assert outcome.unserved == ()


def test_terminals_that_a_change_misses_are_named():
    """The arc passes 6 m inside the corner that reaches the terminal."""
    problem = problem_of([goal("end", 205, 290), goal("corner", 203, 93, reach=4.5)])
    checked = CheckedAlignment.of(problem, drawn(SHARP, line_of={0: 0, 1: 0}), None)
    outcome = try_changes(checked, {0: rounded(problem, SHARP)})
    assert outcome.accepted is None
    assert outcome.unserved == (1,)


def test_terminal_moves_to_another_line_that_serves_it():
    problem = problem_of([goal("corner", 203, 93, reach=4.5), goal("end", 205, 290)])
    other = [(20, 100), (20, 80), (300, 80), (300, 90), (206, 90)]
    alignment = drawn(SHARP, other, parents=[-1, -1], line_of={0: 0, 1: 0})
    accepted = try_changes(CheckedAlignment.of(problem, alignment, None), {0: rounded(problem, SHARP)}).accepted
    assert accepted.alignment.line_of == {0: 1, 1: 0}
    assert accepted.bound == [[1], [0]]


def test_change_that_crosses_another_line_is_rejected():
    problem = problem_of([goal("t", 205, 290)])
    alignment = drawn(SHARP, [(20, 100), (20, 300), (190, 300)], parents=[-1, -1], line_of={0: 0})
    checked = CheckedAlignment.of(problem, alignment, None)
    detour = [(20, 100), (150, 110), (150, 320), (200, 300)]
    assert try_changes(checked, {0: rounded(problem, detour)}).accepted is None
