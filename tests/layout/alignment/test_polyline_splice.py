"""Splicing: cuts at smooth places, and curves in place of stretches."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.layout.alignment.drivable_curves import Curve
from pacifico.layout.alignment.polyline_splice import (
    ChangedLine,
    Cut,
    corner_distances,
    cut_at,
    differing_parts,
    distinct_cuts,
    doubles_back,
    heading,
    spliced,
    spliced_corners,
    turn_between,
)

ANGLE = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)])
SMOOTH = np.array([(0.0, 0.0), (10.0, 0.0), (20.0, 1.0)])


def test_headings_are_counterclockwise_from_east():
    assert heading(np.array([0.0, 0.0]), np.array([0.0, 2.0])) == pytest.approx(np.pi / 2)
    assert turn_between(np.radians(170), np.radians(-170)) == pytest.approx(np.radians(20))


@pytest.mark.parametrize(
    ("line", "distance", "where"),
    [
        (ANGLE, 0.5, (0.0, 0.0, 0.0, 0.0)),
        (ANGLE, 4.0, (4.0, 4.0, 0.0, 0.0)),
        (ANGLE, 9.5, (5.0, 5.0, 0.0, 0.0)),
        (SMOOTH, 9.5, (10.0, 10.0, 0.0, np.arctan(0.1) / 2)),
        (ANGLE, 25.0, (20.0, 10.0, 10.0, np.pi / 2)),
    ],
    ids=["start", "in a leg", "middle of the leg before a sharp corner", "at a smooth corner", "end"],
)
def test_cut_is_where_the_line_runs_smoothly(line, distance, where):
    cut = cut_at(line, distance)
    assert_allclose([cut.distance_m, *cut.pose], where, atol=1e-12)


def test_cuts_with_the_same_heading_are_one():
    cut = Cut(3.0, np.array([1.0, 2.0, 0.0]))
    assert [c.key for c in distinct_cuts(cut, [0.0, 0.01, 1.0])] == [(3.0, 0.0), (3.0, 1.0)]


def test_new_vertices_replace_a_stretch():
    new = np.array([(4.0, 0.0), (7.0, 3.0), (10.0, 4.0)])
    assert_allclose(spliced(ANGLE, 4.0, 14.0, new), [(0, 0), (4, 0), (7, 3), (10, 4), (10, 10)])


def test_corners_of_a_curve_replace_those_of_the_stretch():
    curve = Curve(np.zeros((2, 2)), np.array([(4.0, 0.0), (10.0, 3.0), (10.0, 5.0)]))
    at = corner_distances(ANGLE, ANGLE)
    assert_allclose(at, [0, 10, 20])
    assert_allclose(spliced_corners(ANGLE, at, 4.0, 15.0, curve), [(0, 0), (4, 0), (10, 3), (10, 10)])


def test_lines_differ_only_around_the_change():
    old = np.column_stack([np.arange(0.0, 101.0, 10.0), np.zeros(11)])
    new = old.copy()
    new[5, 1] = 3.0
    before, after = differing_parts(old, new, 5.0)
    assert_allclose(before[:, 0], [30, 40, 50, 60, 70])
    assert_allclose(after[:, 1], [0, 0, 3, 0, 0])


@pytest.mark.parametrize(("apart", "back"), [(12.0, True), (22.0, False)])
def test_line_that_runs_back_beside_itself_doubles_back(apart, back):
    """With a radius of 10 m, lanes 12 m apart are nearer than a vehicle can turn."""
    line = np.array([(0.0, 0.0), (20.0, 0.0), (20.0, apart), (0.0, apart)])
    dense = np.vstack([np.linspace(a, b, 20, endpoint=False) for a, b in itertools.pairwise(line)])
    assert doubles_back(ChangedLine(dense, line, slice(0, 20)), 10.0) == back
