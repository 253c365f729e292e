"""Profile design: stations, heights of pads, and the terminals that no legal profile reaches."""

import numpy as np
import pytest
from fixtures.alignment import drawn, goal, ground_of_slope, problem_of
from fixtures.ground import at
from numpy.testing import assert_allclose

from pacifico.layout.alignment import profile_design
from pacifico.layout.routing.problem import HorizontalAlignment

LINE = [(20, 200), (120, 200), (300, 200)]


def designed(problem, alignment):
    stations = profile_design.make_stations(problem, alignment)
    return stations, *profile_design.design_profile(problem, alignment, stations)


def test_level_ground_is_the_profile():
    problem = problem_of([goal("t", 290, 205)])
    stations, profile, pins = designed(problem, drawn(LINE))
    assert pins == []
    assert_allclose(profile.z, 0.0)
    assert not profile_design.deficient_stations(profile, pins).any()
    assert stations.distance.max() <= problem.criteria.station_m
    assert (profile_design.sure_distance(problem, stations) < stations.distance + 1e-12).all()


def test_pad_pins_the_nearest_station():
    """The pad's edge is 4 m beside the road, its plane at 1 m rises by 0.1 m per metre northwards."""
    pad = goal("t", 150, 206, pad=at(148, 204, 156, 212), pad_plane=(1.0, 0.0, 0.1), reach=20.0)
    problem = problem_of([pad])
    stations, profile, pins = designed(problem, drawn(LINE))
    ((t, pin),) = pins
    assert t == 0
    assert pin.z == pytest.approx(1.0 - 0.4)
    grade = problem.criteria.max_grade - problem.criteria.grade_margin
    assert pin.slack_m == pytest.approx(grade * 4.0)
    assert 148 <= stations.xy[pin.station, 0] - 500_000 <= 156
    assert profile.z[pin.station] >= pin.z - pin.slack_m - 1e-9


def test_terminals_behind_a_crossing_are_found():
    lines = [
        np.array(c, dtype=float) for c in ([(0, 0), (9, 0)], [(9, 0), (9, 9)], [(9, 0), (9, -9)], [(9, -9), (0, -9)])
    ]
    crossing = HorizontalAlignment(lines, [-1, 0, 0, 2], {0: 1, 1: 2, 2: 3}, crossing=(1, 3))
    assert profile_design.behind_crossing(crossing) == [2]
    assert profile_design.behind_crossing(HorizontalAlignment(lines, [-1, 0, 0, 2], {0: 1})) == []


def test_terminals_behind_steep_ground_are_found():
    problem = problem_of([goal("near", 30, 205), goal("far", 290, 205)], ground=ground_of_slope(0.3))
    alignment = drawn(LINE, line_of={0: 0, 1: 0})
    stations, profile, pins = designed(problem, alignment)
    assert profile_design.deficient_stations(profile, pins).any()
    assert 1 in profile_design.behind_deep_earthwork(problem, alignment, stations, profile)
    worst = profile_design.worst_excess_of_line(stations, profile)
    assert_allclose(worst, profile.excess_m.max())


def test_pad_that_is_missed_by_most_is_found():
    """Two pads face each other across the road, 30 m apart in height."""
    low = goal("low", 150, 206, pad=at(148, 204, 156, 212), pad_plane=(1.0, 0.0, 0.0), reach=20.0)
    high = goal("high", 150, 190, pad=at(148, 188, 156, 196), pad_plane=(30.0, 0.0, 0.0), reach=20.0)
    problem = problem_of([low, high])
    alignment = drawn(LINE, line_of={0: 0, 1: 0})
    _, profile, pins = designed(problem, alignment)
    assert profile_design.missed_pads(alignment, profile, pins) == [1]
