"""Horizontal alignment: drawn lines, crossings, and dead ends beside another road."""

from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.alignment import ORIGIN, count_tight, goal, problem_of
from fixtures.ground import SOUTH, WEST
from fixtures.roads import CRITERIA, terminal

from pacifico.layout.alignment.branches import Branch, Branches
from pacifico.layout.alignment.horizontal import draw_alignment, touching, without_parallel_ends
from pacifico.layout.alignment.smoothing import NOWHERE
from pacifico.layout.routing import routing_grid
from pacifico.layout.routing.problem import HorizontalAlignment
from pacifico.layout.routing.terminal_service import serves


def test_lines_that_cross_away_from_a_junction_are_found():
    lines = [
        np.array(c, dtype=float)
        for c in ([(0, 0), (10, 0)], [(10, 0), (20, 10)], [(10, 0), (20, -5)], [(20, -5), (18, 20)])
    ]
    parents = [-1, 0, 0, 2]
    assert touching(lines[:3], parents[:3]) == []
    assert touching(lines, parents) == [1, 3]
    assert touching([np.array([(0, 0), (10, 0), (10, 10), (5, -5)], dtype=float)], [-1]) == [0]


@pytest.mark.parametrize(
    ("tip", "reach", "stays"), [((58.0, 0.7), 14.0, False), ((56.0, 6.0), 14.0, True), ((58.0, 0.7), 2.9, True)]
)
def test_dead_end_on_the_strip_of_another_road_is_dropped(tip, reach, stays):
    """Unless it leads away, or the other road doesn't reach its terminal: edge to middle 3 m."""
    goal = terminal(0, 58.0, 8.0, reach=reach)
    start = np.array([WEST, SOUTH])
    ends = [[(0, 0), (50, 0)], [(50, 0), (150, 0)], [(50, 0), tip]]
    lines = [np.array(xy, dtype=np.float64) + start for xy in ends]
    problem = SimpleNamespace(
        criteria=CRITERIA, shapes=routing_grid.Shapes.of([goal.footprint]), reach_m=np.array([reach])
    )
    drawn = without_parallel_ends(problem, HorizontalAlignment(lines, [-1, 0, 0], {0: 2}, lines))
    assert len(drawn.lines) == len(drawn.straight) == 2 + stays
    assert drawn.parents == [-1, 0, 0][: 2 + stays]
    assert drawn.line_of == {0: 1 + stays}


def test_branches_are_drawn_with_arcs_and_serve_their_terminals():
    problem = problem_of([goal("a", 300, 305)])
    path = np.add([(20, 100), (200, 100), (300, 200), (300, 300)], ORIGIN).astype(float)
    branch = Branch(path, -1, ((3, 0),))
    branches = Branches([branch], [branch])
    pulled, same = draw_alignment(problem, branches)
    assert same is branches
    assert pulled.line_of == {0: 0}
    assert pulled.crossing == ()
    smooth, _ = draw_alignment(problem, branches, frozen=NOWHERE)
    assert serves(problem, smooth.lines[0], 0)
    assert count_tight(problem, smooth) == 0


def test_crossing_branches_go_back_to_the_paths_as_searched():
    """Lines led through a dead end that cross are replaced by the branches as searched."""
    problem = problem_of([goal("a", 300, 305), goal("b", 100, 305)])
    first = Branch(np.add([(200, 20), (200, 100)], ORIGIN).astype(float), -1, ())
    right = Branch(np.add([(200, 100), (300, 300)], ORIGIN).astype(float), 0, ((1, 0),))
    left = Branch(np.add([(200, 100), (100, 300)], ORIGIN).astype(float), 0, ((1, 1),))
    loop = Branch(np.add([(200, 20), (300, 300), (100, 150), (300, 100)], ORIGIN).astype(float), -1, ((1, 0), (2, 1)))
    alignment, branches = draw_alignment(problem, Branches([first, right, left], [loop]))
    assert branches.passing == branches.searched
    assert len(alignment.lines) == 3
    assert alignment.crossing == ()
