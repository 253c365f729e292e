"""Lines of a network in plan: crossings, and spurs beside another road."""

from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST
from fixtures.roads import CRITERIA, terminal

from pacifico.layout.alignment.horizontal import _absorbed, touching
from pacifico.layout.alignment.profile_design import beyond_crossing
from pacifico.layout.routing import routing_grid
from pacifico.layout.routing.problem import HorizontalAlignment


def test_lines_that_cross_without_a_junction_are_found_and_given_up():
    lines = [
        np.array(c, dtype=float)
        for c in ([(0, 0), (10, 0)], [(10, 0), (20, 10)], [(10, 0), (20, -5)], [(20, -5), (18, 20)])
    ]
    ups = [-1, 0, 0, 2]
    assert touching(lines[:3], ups[:3]) == []
    assert touching(lines, ups) == [1, 3]
    assert touching([np.array([(0, 0), (10, 0), (10, 10), (5, -5)], dtype=float)], [-1]) == [0]
    alignment = HorizontalAlignment(lines, ups, {0: 1, 1: 2, 2: 3}, crossing=(1, 3))
    assert beyond_crossing(alignment) == {2: "no legal route: its road would cross another without a junction"}


@pytest.mark.parametrize(
    ("tip", "reach", "stays"), [((58.0, 0.7), 14.0, False), ((56.0, 6.0), 14.0, True), ((58.0, 0.7), 2.9, True)]
)
def test_a_spur_on_the_strip_of_the_road_beside_it_is_left_out(tip, reach, stays):
    """Unless it leads away, or that road passes its terminal by: edge to middle 3 m."""
    goal = terminal(0, 58.0, 8.0, reach=reach)
    start = np.array([WEST, SOUTH])
    ends = [[(0, 0), (50, 0)], [(50, 0), (150, 0)], [(50, 0), tip]]
    lines = [np.array(xy, dtype=np.float64) + start for xy in ends]
    problem = SimpleNamespace(
        criteria=CRITERIA, shapes=routing_grid.Shapes.of([goal.footprint]), reach_m=np.array([reach])
    )
    drawn = _absorbed(problem, HorizontalAlignment(lines, [-1, 0, 0], {0: 2}, lines))
    assert len(drawn.lines) == len(drawn.straight) == 2 + stays
    assert drawn.ups == [-1, 0, 0][: 2 + stays]
    assert drawn.line_of == {0: 1 + stays}
