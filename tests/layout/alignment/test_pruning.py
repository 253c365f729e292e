"""Pruning: lines end before tight bends, and terminals behind them are served by other lines or not at all."""

import numpy as np
from fixtures.alignment import ORIGIN, drawn, goal, problem_of
from fixtures.ground import at
from numpy.testing import assert_allclose

from pacifico.layout.alignment import pruning
from pacifico.layout.routing.problem import served_downstream


def test_lines_that_alone_continue_each_other_are_joined():
    lines = [
        np.array(c, dtype=float) for c in ([(0, 0), (9, 0)], [(9, 0), (9, 9)], [(9, 9), (0, 9)], [(9, 9), (20, 9)])
    ]
    whole, members = pruning.continuous_lines(lines, [-1, 0, 1, 1])
    assert members == [[0, 1], [2], [3]]
    assert_allclose(whole[0], [(0, 0), (9, 0), (9, 9)])


def test_tight_place_at_a_joint_belongs_to_the_line_downstream():
    problem = problem_of([goal("t", 300, 300)])
    sharp = drawn([(0, 200), (200, 200)], [(200, 200), (200, 300), (202, 200.0)], parents=[-1, 0], line_of={0: 1})
    found = pruning.tight_places(problem, sharp)
    assert {(t.line, t.vertex) for t in found if not t.is_turn} == {(1, 0), (1, 1)}
    assert served_downstream(sharp) == [1, 1]


def test_line_ends_at_its_last_terminal_before_a_tight_place():
    ends = [goal("near", 50, 205), goal("pad", 300, 205, pad=at(299, 204, 305, 210)), goal("far", 340, 205)]
    problem = problem_of(ends)
    line = [(0, 200), (60, 200), (120, 200), (200, 200), (260, 200), (320, 200), (360, 200)]
    now = drawn(line, parents=[-1], line_of={0: 0, 1: 0, 2: 0})
    less, lost = pruning.pruned(problem, now, [pruning.TightPlace(0, 3, now.lines[0][3], 15.05)])
    assert lost == {1: 15.05, 2: 15.05}
    assert less.line_of == {0: 0}
    assert_allclose(less.lines[0], np.add(line[:2], ORIGIN))
    assert pruning.without(problem, now, {2}).line_of == {0: 0, 1: 0}
    assert_allclose(now.lines[0], np.add(line, ORIGIN))


def test_array_changes_its_line_and_a_pad_does_not():
    ends = [
        goal("free", 200, 230, reach=60.0),
        goal("pad", 210, 230, reach=60.0, pad=at(209, 229, 215, 235)),
        goal("end", 390, 200),
    ]
    problem = problem_of(ends)
    now = drawn(
        [(0, 200), (100, 200)], [(100, 200), (395, 200)], [(100, 200), (101, 210), (110, 260), (200, 260)],
        parents=[-1, 0, 0], line_of={0: 2, 1: 2, 2: 1},
    )  # fmt: skip
    less, lost = pruning.pruned(problem, now, [pruning.TightPlace(2, 1, now.lines[2][1], 15.05)])
    assert lost == {1: 15.05}
    assert less.line_of == {0: 1, 2: 1}
    assert len(less.lines) == 2


def test_bend_too_tight_for_blades_alone_is_legal():
    """An arc of 30 m keeps the criteria, not the 46 m that a turbine needs; the corner after it keeps neither."""
    problem = problem_of([goal("array", 200, 205, reach=60.0), goal("turbine", 340, 300, min_radius_m=46.0)])
    turn = np.linspace(-np.pi / 2, 0, 13)
    bend = [(200 + 30 * np.cos(t), 130 + 30 * np.sin(t)) for t in turn]
    sharp = drawn([(0, 100), *bend, (230, 260), (232, 258), (340, 258)], parents=[-1], line_of={0: 0, 1: 0})
    wide = {t.vertex for t in pruning.tight_places(problem, sharp)}
    narrow = {t.vertex for t in pruning.illegal_places(problem, sharp)}
    assert wide & set(range(1, 14))
    assert narrow
    assert min(narrow) >= 14
    assert {t.radius_m for t in pruning.illegal_places(problem, sharp)} == {problem.min_radius_m}


def test_dead_end_keeps_the_station_beside_its_pad():
    """It ends where it is nearest to the pad, not where it just reaches it."""
    ends = [goal("pad", 200, 206, pad=at(199, 205, 205, 211), reach=40.0), goal("on", 390, 206)]
    problem = problem_of(ends)
    now = drawn(
        [(0, 200), (170, 200), (190, 200), (210, 200), (260, 200)], [(260, 200), (395, 200)], parents=[-1, 0], line_of={0: 0, 1: 1}
    )  # fmt: skip
    less = pruning.without(problem, now, {1})
    assert_allclose(less.lines[0], np.add([(0, 200), (170, 200), (190, 200), (210, 200)], ORIGIN))


def test_first_corner_of_a_dead_end_stays_however_short_it_is():
    problem = problem_of([goal("near", 2, 205), goal("on", 390, 206)])
    now = drawn([(0, 200), (0.4, 200), (260, 200)], [(260, 200), (395, 200)], parents=[-1, 0], line_of={0: 0, 1: 1})
    less = pruning.without(problem, now, {1})
    assert len(less.straight[0]) == 2
