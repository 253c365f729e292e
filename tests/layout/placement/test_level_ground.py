"""Level ground for yards: the densest place, and squares within the slope limits."""

import numpy as np
import pytest
from fixtures.placement import SPEC

from pacifico.layout.placement.level_ground import (
    SQUARE_M,
    densest_place,
    densest_squares,
    flattest_place,
    level_squares,
    squares_needed,
)


def test_the_densest_place_is_in_the_larger_of_two_crowds():
    crowd = [(1000 + 10 * i, 10 * j) for i in range(5) for j in range(5)]
    lone = [(200 * i, 0) for i in range(4)]
    rects = np.array([(x, y, x + 5, y + 5) for x, y in lone + crowd], dtype=float)
    x, y = densest_place(rects, np.ones(len(rects)), 20.0)
    assert 1000 <= x <= 1045
    assert 0 <= y <= 45


def test_the_densest_place_of_too_little_is_its_centroid():
    rects = np.array([[0, 0, 2, 2], [10, 0, 12, 2]], dtype=float)
    assert densest_place(rects, np.array([1.0, 3.0]), 100.0) == pytest.approx((8.5, 1.0))


def test_the_flattest_place_is_on_the_level_half(make):
    height = lambda x, y: np.where(x < 300, 0.0, 0.1 * (x - 300))  # noqa: E731
    field = make.field(make.site(), make.ground(height))
    x, _ = flattest_place(field, SPEC, 50_000.0)
    assert x < make.west + 300


def test_level_squares_overlap_by_half(make):
    field = make.field(make.site(), make.ground(make.level))
    squares = level_squares(field, SPEC)
    assert np.unique(squares[:, 2] - squares[:, 0]) == pytest.approx(SQUARE_M)
    assert np.diff(np.unique(squares[:, 0])) == pytest.approx(SQUARE_M / 2)


def test_steep_ground_falls_back_to_any_squares(make):
    field = make.field(make.site(), make.ground(lambda x, y: 0.2 * x))
    assert len(level_squares(field, SPEC)) > 0


def test_without_squares_it_is_a_point_of_the_site(make):
    field = make.field(make.site(), make.ground(make.level))
    x, y = densest_squares(field, np.empty((0, 4)), 50_000.0)
    assert field.placeable.covers(make.at(x - make.west, y - make.south, x - make.west + 1e-6, y - make.south + 1e-6))


@pytest.mark.parametrize(("power_kw", "squares"), [(0.0, 4.0), (50_000.0, 2e4 / 900), (100_000.0, 4e4 / 900)])
def test_two_hectares_per_50_mw_in_quarters_of_a_square(power_kw, squares):
    assert squares_needed(power_kw) == pytest.approx(squares)
