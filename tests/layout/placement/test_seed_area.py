"""Seed areas: the order in which a window is filled."""

import numpy as np
import pytest

from pacifico.layout.placement.seed_area import BESIDE_LANE_M, SeedArea

WINDOW = (0.0, 0.0, 100.0, 100.0)


def square(x, y):
    return [x - 5.0, y - 5.0, x + 5.0, y + 5.0]


def test_the_window_comes_first_from_its_start_on():
    area = SeedArea("quads", WINDOW, (0.0, 0.0))
    rects = np.array([square(90, 90), square(150, 50), square(10, 10), square(300, 50)])
    assert area.order(rects).tolist() == [2, 0, 1, 3]


def test_a_penalty_moves_a_rectangle_back():
    area = SeedArea("quads", WINDOW, (0.0, 0.0))
    rects = np.array([square(10, 10), square(90, 90)])
    assert area.order(rects, np.array([20.0, 0.0])).tolist() == [1, 0]


def test_arrays_beside_the_lanes_come_before_nearer_ones():
    """Outside the window, the first array needs another lane, the second continues one."""
    lanes = np.array([[0.0, 50.0, 100.0, 50.0]])
    rects = np.array([square(50, 50 + BESIDE_LANE_M + 20), square(250, 50)])
    assert SeedArea("quads", WINDOW, (0.0, 0.0), lanes=lanes).order(rects).tolist() == [1, 0]
    compact = SeedArea("quads", WINDOW, (0.0, 0.0), lanes=lanes, filled_as="density")
    assert compact.order(rects).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("scheme", "filled_as", "easy"),
    [("quads", "balanced", True), ("spines", "balanced", False), ("quads", "density", False)],
)
def test_access_is_easy_with_aisles_both_ways_filled_in_order(scheme, filled_as, easy):
    assert SeedArea(scheme, WINDOW, (0.0, 0.0), filled_as=filled_as).easy_access is easy


def test_a_yard_has_no_scheme():
    assert SeedArea("", WINDOW, (0.0, 0.0)).yard
    assert not SeedArea("quads", WINDOW, (0.0, 0.0)).yard
    assert SeedArea("", WINDOW, (0.0, 0.0)).centre == (50.0, 50.0)


def test_lanes_do_not_make_seed_areas_different():
    a, b = (SeedArea("quads", WINDOW, (0.0, 0.0), lanes=np.full((1, 4), v)) for v in (1.0, 2.0))
    assert a == b
    assert hash(a) == hash(b)
