"""Bend rounding: arcs at corners, which never lead away from a terminal."""

import numpy as np
import pytest
from fixtures.alignment import ORIGIN, RADIUS_M, goal, problem_of
from fixtures.ground import at
from numpy.testing import assert_allclose
from shapely import LineString

from pacifico.layout.alignment.bend_rounding import round_line
from pacifico.layout.alignment.smoothing import EVERYWHERE, NOWHERE, tight_bends

CORNER = np.add([(50, 100), (200, 100), (200, 300)], ORIGIN).astype(float)


def test_corner_becomes_an_arc_of_the_radius():
    line = round_line(problem_of([goal("t", 120, 105)]), CORNER, [0], RADIUS_M, NOWHERE)
    assert_allclose(line[[0, -1]], CORNER[[0, -1]])
    centre = CORNER[1] + np.array([-RADIUS_M, RADIUS_M])
    assert_allclose(np.hypot(*(line[1:-1] - centre).T), RADIUS_M, atol=1e-6)


def test_rounded_lines_are_kept():
    problem = problem_of([goal("t", 120, 105)])
    line = round_line(problem, CORNER, [0], RADIUS_M, NOWHERE)
    assert round_line(problem, CORNER.copy(), [0], RADIUS_M, NOWHERE) is line
    assert len(problem.smoothing_memo.arcs) == 1


@pytest.mark.parametrize("reach", [6.0, 4.5])
def test_corner_moves_outwards_where_its_arc_would_miss_a_terminal(reach):
    """The terminal lies outside the corner; the arc of 15 m passes 6.2 m inside the corner."""
    terminal = goal("t", 203, 93, reach=reach)
    problem = problem_of([terminal])
    line = round_line(problem, CORNER, [0], RADIUS_M, NOWHERE)
    assert LineString(line).distance(terminal.footprint) <= reach
    assert not len(tight_bends([line], np.array([RADIUS_M]))[1])


def test_line_stays_where_no_arc_serves_its_terminal():
    """While everything is frozen there is one attempt; between walls the corner can't move either."""
    terminal = goal("t", 203, 93, reach=4.5)
    assert round_line(problem_of([terminal]), CORNER, [0], RADIUS_M, EVERYWHERE) is CORNER
    walls = [at(0, 0, 400, 96), at(204, 96, 400, 400)]
    line = round_line(problem_of([terminal], walls), CORNER, [0], RADIUS_M, NOWHERE)
    assert LineString(line).distance(terminal.footprint) <= 4.5
