"""Area of the assets' surroundings."""

import numpy as np
import pytest
from fixtures.placement import array_at

from pacifico.layout.placement.surroundings import SURROUNDINGS_M, surroundings_ha


def test_one_rectangle_with_its_surroundings():
    """100 x 50 m, 25 m on all sides, quarter circles at the corners."""
    area = 150 * 100 - (4 - np.pi) * SURROUNDINGS_M**2
    assert surroundings_ha([array_at(0, 0, 100, 50)]) == pytest.approx(area / 1e4, rel=1e-3)


def test_overlaps_count_once():
    one, beside = array_at(0, 0, 100, 50), array_at(110, 0, 90, 50)
    assert surroundings_ha([one, beside]) == pytest.approx(surroundings_ha([array_at(0, 0, 200, 50)]), rel=1e-3)


def test_nothing_covers_nothing():
    assert surroundings_ha([]) == 0.0
