"""Service of terminals: the line that reaches them, and others that may take over."""

import numpy as np
import pytest
from fixtures.alignment import RADIUS_M, drawn, goal, problem_of
from fixtures.ground import at
from shapely import LineString, STRtree

from pacifico.layout.routing.terminal_service import other_server, serves

LINES = drawn([(20, 200), (100, 200)], [(100, 200), (300, 200)], [(100, 200), (100, 300)], parents=[-1, 0, 0]).lines
INDEX = STRtree([LineString(x) for x in LINES])


@pytest.mark.parametrize(("y", "served"), [(213.9, True), (214.1, False)])
def test_line_serves_what_it_reaches(y, served):
    problem = problem_of([goal("t", 200, y, reach=14.0)])
    assert serves(problem, LINES[1], 0) == served


def test_nearest_rank_line_takes_over_if_it_bends_gently_enough():
    problem = problem_of([goal("t", 104, 204)])
    radii = np.full(3, RADIUS_M)
    assert other_server(problem, 0, LINES, radii, INDEX) == 0
    assert other_server(problem, 0, [None, *LINES[1:]], radii, INDEX) == 1
    assert other_server(problem, 0, [None, None, None], radii, INDEX) == -1
    assert other_server(problem, 0, LINES, radii - 1.0, INDEX) == -1


def test_pad_changes_its_line_only_where_heights_are_designed_again():
    problem = problem_of([goal("t", 104, 204, pad=at(103, 203, 109, 209))])
    radii = np.full(3, RADIUS_M)
    assert other_server(problem, 0, LINES, radii, INDEX) == -1
    assert other_server(problem, 0, LINES, radii, INDEX, pads=True) == 0
