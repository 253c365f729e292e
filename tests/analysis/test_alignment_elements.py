"""Straights and arcs are recovered from the vertices of a road."""

import itertools

import numpy as np
import pytest

from pacifico.analysis.alignment_elements import (
    TOLERANCE_M,
    alignment_elements,
    stations_of_vertices,
)

START = np.array([500_000.0, 4_600_000.0])


def arc(centre, radius, start_deg, end_deg, steps):
    angles = np.radians(np.linspace(start_deg, end_deg, steps + 1))
    return np.array(centre) + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def bend(*, clockwise=False):
    """A straight of 50 m, a quarter circle of 15 m radius in 8 chords, a straight of 40 m, with vertices every 5 m."""
    first = np.column_stack([np.arange(-50.0, 0.0, 5.0), np.zeros(10)])
    curve = arc((0, 15), 15, -90, 0, 8)
    second = np.column_stack([np.full(8, 15.0), 15 + np.arange(5.0, 41.0, 5.0)])
    line = np.concatenate([first, curve, second])
    return START + line * np.array([1, -1 if clockwise else 1])


@pytest.mark.parametrize("clockwise", [False, True])
def test_a_bend_is_a_straight_an_arc_and_a_straight(clockwise):
    elements = alignment_elements(bend(clockwise=clockwise))
    assert [e.centre is None for e in elements] == [True, False, True]
    np.testing.assert_allclose([e.length_m for e in elements], [50.0, 15 * np.pi / 2, 40.0], atol=1e-6)
    assert elements[1].radius_m == pytest.approx(15.0, abs=1e-6)
    assert elements[1].clockwise is clockwise
    np.testing.assert_allclose(elements[1].centre, START + np.array([0, -15 if clockwise else 15]), atol=1e-5)


def test_elements_join_at_vertices_and_hold_every_vertex():
    xy = bend() + np.random.default_rng(1).uniform(-0.0005, 0.0005, (27, 2))  # as rounded in a file
    elements = alignment_elements(xy)
    assert len(elements) == 3
    assert elements[0].first == 0
    assert elements[-1].last == len(xy) - 1
    assert all(a.last == b.first for a, b in itertools.pairwise(elements))
    for e in elements:
        inner = xy[e.first : e.last + 1]
        if e.centre is not None:
            off = np.abs(np.hypot(*(inner - e.centre).T) - e.radius_m)
        else:
            along = (xy[e.last] - xy[e.first]) / e.length_m
            off = np.abs((inner - xy[e.first]) @ [along[1], -along[0]])
        assert off.max() <= TOLERANCE_M


def test_stations_run_along_the_arc_not_its_chords():
    xy = bend()
    elements = alignment_elements(xy)
    stations = stations_of_vertices(xy, elements)
    np.testing.assert_allclose(stations[:11], np.arange(0.0, 51.0, 5.0), atol=1e-6)
    np.testing.assert_allclose(np.diff(stations[10:19]), 15 * np.pi / 16, atol=1e-6)
    assert stations[-1] == pytest.approx(90 + 15 * np.pi / 2, abs=1e-6)


def test_corners_are_not_rounded():
    xy = START + np.array([[0, 0], [30, 0], [30, 30], [60, 30.0]])
    assert [(e.first, e.last, e.centre) for e in alignment_elements(xy)] == [(0, 1, None), (1, 2, None), (2, 3, None)]


def test_a_road_that_turns_back_is_not_one_straight():
    xy = START + np.array([[0, 0], [30, 0], [10, 0.0]])
    elements = alignment_elements(xy)
    assert sum(e.length_m for e in elements) == pytest.approx(50.0)


def test_a_loop_is_more_than_one_arc():
    elements = alignment_elements(START + arc((0, 0), 20, 0, 360, 36))
    assert sum(e.length_m for e in elements) == pytest.approx(40 * np.pi, rel=1e-3)  # one chord may be left over
    assert all(e.length_m < 20 * np.pi + 1e-6 for e in elements)


def test_two_points_are_a_straight():
    (only,) = alignment_elements(START + np.array([[0, 0], [3, 4.0]]))
    assert (only.first, only.last, only.length_m) == (0, 1, 5.0)
