"""Assembly of a network: pieces between junctions, classes, and reasons."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground, terminal
from numpy.testing import assert_allclose
from shapely import MultiPolygon, Polygon

from pacifico.layout.model.unreached import Unreached, UnreachedCause
from pacifico.layout.roads.assemble import assemble_network, road_classes, split_at, unreached_reasons
from pacifico.layout.roads.design import design_roads
from pacifico.layout.routing.problem import HorizontalAlignment, RoadSite, make_routing_problem
from pacifico.layout.routing.site_entry import SiteEntry

LINE = np.array([[0.0, 0.0, 1.0], [10.0, 0.0, 2.0], [20.0, 0.0, 3.0]])
LEVEL = square_ground(lambda x, y: 0.0)


def problem_of(terminals, *, allowed=SQUARE):
    return make_routing_problem(RoadSite(LEVEL, allowed), terminals, obstacles=(), criteria=CRITERIA)


def drawn(*lines, parents, line_of):
    xy = [np.add(line, (WEST, SOUTH)).astype(float) for line in lines]
    return HorizontalAlignment(xy, list(parents), line_of, xy)


def node_near(problem, x, y):
    grid = problem.road_grid
    free = np.flatnonzero(grid.clear > 0)
    return int(free[np.argmin(np.hypot(grid.px[free] - WEST - x, grid.py[free] - SOUTH - y))])


def test_line_without_joints_stays_whole():
    (pieces,) = split_at([LINE], np.zeros((0, 3)))
    assert_allclose(pieces, [LINE])


def test_line_is_cut_at_a_vertex():
    (pieces,) = split_at([LINE], np.array([[10.0, 0.0, 2.0]]))
    assert_allclose(pieces[0], LINE[:2])
    assert_allclose(pieces[1], LINE[1:])


def test_line_is_cut_between_vertices_at_the_height_of_the_joint():
    joints = np.array([[15.0, 0.0, 2.5], [4.0, 0.0, 1.4], [4.0, 7.0, 0.0]])
    (pieces,) = split_at([LINE], joints)
    assert [len(p) for p in pieces] == [2, 3, 2]
    assert_allclose(pieces[0][-1], joints[1])
    assert_allclose(pieces[1][-1], joints[0])
    assert_allclose(np.vstack([pieces[0], pieces[1][1:], pieces[2][1:]])[[0, 2, 4]], LINE)


def test_joints_at_the_ends_cut_nothing():
    (pieces,) = split_at([LINE], LINE[[0, -1]])
    assert len(pieces) == 1


def test_classes_follow_the_first_terminals_and_short_dead_ends():
    ends = [terminal(0, 400, 510, priority=0), terminal(1, 300, 600), terminal(2, 200, 410)]
    alignment = drawn(
        [(0, 500), (200, 500)], [(200, 500), (400, 500)], [(200, 500), (300, 500), (300, 590)], [(200, 500), (200, 420)],
        parents=[-1, 0, 0, 0], line_of={0: 1, 1: 2, 2: 3},
    )  # fmt: skip
    assert road_classes(problem_of(ends), alignment) == ["spine", "spine", "secondary", "spur"]


def test_network_of_one_line_serves_its_terminal():
    problem = problem_of([terminal(4, 600, 510)])
    alignment = drawn([(0, 500), (590, 500)], parents=[-1], line_of={0: 0})
    entry = SiteEntry(np.array([WEST, SOUTH + 500.0]), node_near(problem, 4, 500), ("a note",))
    net = assemble_network(design_roads(problem, alignment), entry, {})
    assert net.warnings == ("a note",)
    assert set(net.served) == {4}
    assert net.unreached == {}
    main, end, stub = net.roads
    assert main.length_m + end.length_m == pytest.approx(590)
    assert stub.length_m == pytest.approx(CRITERIA.turnaround_arm_m)


def test_reasons_name_what_keeps_a_road_away():
    allowed = MultiPolygon([at(0, 0, 480, 1000), at(520, 0, 1000, 1000)])
    ends = [terminal(k, x, 500) for k, x in ((10, 300), (11, 700), (12, 1200), (13, 350))]
    problem = problem_of(ends, allowed=allowed)
    entry = SiteEntry(np.zeros(2), node_near(problem, 4, 500))
    given = Unreached(UnreachedCause.TOO_TIGHT, "too tight")
    reasons = unreached_reasons(problem, entry, {0, 1, 2, 3}, {3: given})
    assert {k: r.message for k, r in reasons.items()} == {
        10: "too steep: every way to it is far beyond the grade limit of 10 %",
        11: "no legal route: this part of the site is not connected to the entry",
        12: "no legal route: no room for a road within 14 m",
        13: "too tight",
    }
    assert [r.cause for r in reasons.values()] == [
        UnreachedCause.TOO_STEEP,
        UnreachedCause.NO_ROUTE,
        UnreachedCause.NO_ROUTE,
        UnreachedCause.TOO_TIGHT,
    ]
    without_entry = unreached_reasons(problem, None, {0}, {})
    assert without_entry[10].message == "no legal route: no road leads from the boundary to it"


def test_without_missing_terminals_there_are_no_reasons():
    problem = problem_of([terminal(0, 300, 500)], allowed=Polygon(SQUARE.exterior))
    assert unreached_reasons(problem, None, set(), {}) == {}
