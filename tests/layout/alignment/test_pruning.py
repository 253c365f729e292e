"""Pruning: lines end before tight bends, and terminals behind them are served by other lines or not at all."""

import numpy as np
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import box

from pacifico.grid import Grid, Ground
from pacifico.layout.alignment import pruning
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.routing.problem import HorizontalAlignment, RoadSite, make_routing_problem, served_downstream

UTM = CRS.from_epsg(32615)
WEST, SOUTH = 500_000.0, 4_600_000.0
RULES = RoadCriteria(turnaround_over_m=np.inf)


def at(x0, y0, x1, y1):
    return box(WEST + x0, SOUTH + y0, WEST + x1, SOUTH + y1)


def goal(key, x, y, *, priority=1, reach=14.0, pad=None, **more):
    return Terminal(key, at(x, y, x + 4, y + 4), reach, priority, pad=pad, **more)


def drawn(*lines, ups, line_of):
    xy = [np.add(line, (WEST, SOUTH)).astype(float) for line in lines]
    return HorizontalAlignment(xy, list(ups), line_of, xy)


def case_of(terminals):
    n = 60
    ground = Ground(Grid(UTM, WEST - 100, SOUTH + 500, 10.0, 10.0, n, n), np.zeros((n, n)))
    return make_routing_problem(RoadSite(ground, at(0, 0, 400, 400)), terminals, obstacles=(), criteria=RULES)


def test_lines_that_alone_go_on_from_one_another_are_one():
    lines = [
        np.array(c, dtype=float) for c in ([(0, 0), (9, 0)], [(9, 0), (9, 9)], [(9, 9), (0, 9)], [(9, 9), (20, 9)])
    ]
    whole, members = pruning.through(lines, [-1, 0, 1, 1])
    assert members == [[0, 1], [2], [3]]
    assert_allclose(whole[0], [(0, 0), (9, 0), (9, 9)])


def test_tight_places_belong_to_what_lies_beyond_them():
    problem = case_of([goal("t", 300, 300)])
    sharp = drawn([(0, 200), (200, 200)], [(200, 200), (200, 300), (202, 200.0)], ups=[-1, 0], line_of={0: 1})
    found = pruning.tight_places(problem, sharp)
    assert {(t.line, t.vertex) for t in found if not t.turn} == {(1, 0), (1, 1)}
    assert served_downstream(sharp) == [1, 1]


def test_lines_end_where_they_serve_no_more():
    ends = [goal("near", 50, 205), goal("pad", 300, 205, pad=at(299, 204, 305, 210)), goal("far", 340, 205)]
    problem = case_of(ends)
    line = [(0, 200), (60, 200), (120, 200), (200, 200), (260, 200), (320, 200), (360, 200)]
    now = drawn(line, ups=[-1], line_of={0: 0, 1: 0, 2: 0})
    less, lost = pruning.pruned(problem, now, [pruning.Tight(0, 3, now.lines[0][3], 15.05)])
    assert lost == {1: 15.05, 2: 15.05}
    assert less.line_of == {0: 0}
    assert_allclose(less.lines[0], np.add(line[:2], (WEST, SOUTH)))
    assert pruning.without(problem, now, {2}).line_of == {0: 0, 1: 0}
    assert_allclose(now.lines[0], np.add(line, (WEST, SOUTH)))


def test_arrays_may_be_served_by_another_line_and_what_stands_on_a_pad_may_not():
    ends = [
        goal("free", 200, 230, reach=60.0),
        goal("pad", 210, 230, reach=60.0, pad=at(209, 229, 215, 235)),
        goal("end", 390, 200),
    ]
    problem = case_of(ends)
    now = drawn(
        [(0, 200), (100, 200)], [(100, 200), (395, 200)], [(100, 200), (101, 210), (110, 260), (200, 260)],
        ups=[-1, 0, 0], line_of={0: 2, 1: 2, 2: 1},
    )  # fmt: skip
    less, lost = pruning.pruned(problem, now, [pruning.Tight(2, 1, now.lines[2][1], 15.05)])
    assert lost == {1: 15.05}
    assert less.line_of == {0: 1, 2: 1}
    assert len(less.lines) == 2


def test_a_bend_that_blades_alone_do_not_round_bars_no_one():
    """A right angle of 30 m holds the rule, not the 46 m that a turbine asks for; a corner after it holds neither."""
    problem = case_of([goal("array", 200, 205, reach=60.0), goal("turbine", 340, 300, min_radius_m=46.0)])
    turn = np.linspace(-np.pi / 2, 0, 13)
    bend = [(200 + 30 * np.cos(t), 130 + 30 * np.sin(t)) for t in turn]
    sharp = drawn([(0, 100), *bend, (230, 260), (232, 258), (340, 258)], ups=[-1], line_of={0: 0, 1: 0})
    wide = {t.vertex for t in pruning.tight_places(problem, sharp)}
    narrow = {t.vertex for t in pruning.barring(problem, sharp)}
    assert wide & set(range(1, 14))
    assert narrow
    assert min(narrow) >= 14
    assert {t.size for t in pruning.barring(problem, sharp)} == {problem.min_radius_m}


def test_a_dead_end_keeps_the_station_beside_its_pad():
    """What went on from it is gone: it ends where it is nearest to the pad, not where it just reaches it."""
    ends = [goal("pad", 200, 206, pad=at(199, 205, 205, 211), reach=40.0), goal("on", 390, 206)]
    problem = case_of(ends)
    now = drawn(
        [(0, 200), (170, 200), (190, 200), (210, 200), (260, 200)], [(260, 200), (395, 200)], ups=[-1, 0], line_of={0: 0, 1: 1}
    )  # fmt: skip
    less = pruning.without(problem, now, {1})
    assert_allclose(less.lines[0], np.add([(0, 200), (170, 200), (190, 200), (210, 200)], (WEST, SOUTH)))


def test_the_first_vertex_of_a_dead_end_stays_however_short_it_is():
    problem = case_of([goal("near", 2, 205), goal("on", 390, 206)])
    now = drawn([(0, 200), (0.4, 200), (260, 200)], [(260, 200), (395, 200)], ups=[-1, 0], line_of={0: 0, 1: 1})
    less = pruning.without(problem, now, {1})
    assert len(less.straight[0]) == 2
