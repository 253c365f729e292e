"""The routing problem: radii, reach beside pads, and the memo of smoothing."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, square_ground, terminal
from shapely import Polygon

from pacifico.layout.alignment.bend_rounding import round_line
from pacifico.layout.alignment.smoothing import NOWHERE, smooth
from pacifico.layout.model.roads import RoadCriteria, Terminal
from pacifico.layout.routing.problem import (
    HorizontalAlignment,
    RoadSite,
    SmoothingMemo,
    make_routing_problem,
    served_downstream,
    terminals_by_line,
)

LEVEL = square_ground(lambda x, y: 0.0)


def problem_of(terminals, *, ground=LEVEL, allowed=SQUARE, obstacles=(), criteria=CRITERIA):
    return make_routing_problem(RoadSite(ground, allowed), terminals, obstacles=obstacles, criteria=criteria)


def tree(*, line_of):
    lines = [np.zeros((2, 2))] * 4
    return HorizontalAlignment(lines, [-1, 0, 0, 2], line_of)


def test_terminals_by_line_lists_what_each_line_serves():
    assert terminals_by_line(3, {0: 2, 1: 0, 2: 2}) == [[1], [], [0, 2]]


def test_served_downstream_counts_a_line_and_what_continues_it():
    assert served_downstream(tree(line_of={0: 1, 1: 3, 2: 3, 3: 0})) == [4, 1, 2, 2]


def test_lines_need_the_largest_radius_downstream():
    ends = [terminal(0, 300, 300), replace(terminal(1, 600, 600), min_radius_m=40.0)]
    problem = problem_of(ends)
    half_width_m = CRITERIA.width_m / 2
    rule, wide = CRITERIA.min_radius_m + half_width_m, 40.0 + half_width_m
    assert problem.radius_m == pytest.approx([rule, wide])
    assert problem.radii_of(tree(line_of={0: 1, 1: 3})) == pytest.approx([wide, rule, wide, wide])


def test_site_without_room_for_a_road_has_no_problem():
    assert problem_of([terminal(0, 3, 3)], allowed=at(0, 0, 6, 6)) is None
    assert problem_of([], allowed=Polygon()) is None


def test_ground_outside_the_raster_is_left_out():
    problem = problem_of([terminal(0, 100, 500)], allowed=at(-900, 0, 1000, 1000))
    positions = problem.road_grid.px[problem.road_grid.clear > 0]
    assert WEST - 200 < positions.min() < WEST - 190


def test_positions_far_above_a_pad_do_not_serve_it():
    """A slope of 20 %: the pad is level with the ground at its upper edge and 6 m above it at the lower one."""
    pad = at(480, 480, 520, 510)
    end = Terminal(0, pad.buffer(-2), 14.0, 0, pad, (0.2 * 510, 0.0, 0.0))
    ground = square_ground(lambda x, y: 0.2 * y)
    level, plain = (problem_of([one], ground=ground, obstacles=[pad]) for one in (end, replace(end, pad_plane=None)))
    south = [p.road_grid.py[p.reach.node].min() - SOUTH for p in (plain, level)]
    assert south[0] < 480 < south[1]


def test_a_pad_out_of_reach_keeps_all_its_positions():
    pad = at(480, 480, 520, 510)
    end = Terminal(0, pad.buffer(-2), 14.0, 0, pad, (90.0, 0.0, 0.0))
    high, plain = (problem_of([one], obstacles=[pad]) for one in (end, replace(end, pad_plane=None)))
    assert np.array_equal(high.reach.node, plain.reach.node)


def test_memo_of_smoothing_holds_beside_shortened_obstacles():
    """One memo for the edges before and after gives the results of two memos, and these differ."""
    h, unit_m, gap_m = 4.0, 23.0, 1.5
    array = Terminal(0, at(300 + h, 140 - h, 300 + h + 4 * unit_m - gap_m, 200 - h), 30.0, units=4, unit_m=unit_m)
    walls = [
        at(0, 0, 300 - h, 400),
        at(300 + h, 0, 600, 140 - h),
        at(300 - h, 200 + h, 600, 400),
        at(400, 140 - h, 600, 200 - h),
    ]
    goal = Terminal(1, at(560, 201 - h, 570, 202 - h), 20.0)
    problem = problem_of(
        [array, goal], allowed=at(0, 0, 600, 400), obstacles=[array.footprint, *walls], criteria=RoadCriteria()
    )
    shorter = problem.shortenable.shorten(0, 1, 0)
    roomier = replace(problem, road_grid=shorter.road_grid(), shortenable=shorter)
    line = np.add([[300.2, 3.3], [300.2, 196.0], [303.0, 200.3], [541.2, 200.3]], (WEST, SOUTH))

    def smoothed(problem):
        (out,) = smooth(problem, [line], [-1], [[1]], np.array([15.05]), fixed=(), frozen=NOWHERE)
        corner = line[[0, 1, 3]]
        return out, *(round_line(problem, x, [1], 15.05, NOWHERE) for x in (out, corner))

    first, second, third = (smoothed(p) for p in (problem, roomier, problem))
    for one, other in ((first, problem), (second, roomier), (third, problem)):
        for a, b in zip(one, smoothed(replace(other, smoothing_memo=SmoothingMemo())), strict=True):
            assert np.array_equal(a, b)
    assert not any(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
