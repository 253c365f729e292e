"""Where a substation stands: each part of its cost by hand, and that the cheapest place is taken."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from pacifico.layout.siting import Prices, pad_earth_m3, siting_cost

ROAD, CABLE, EARTH = Prices(1.0, 0.0, 0.0), Prices(0.0, 1.0, 0.0), Prices(0.0, 0.0, 1.0)
NO_LANES = np.empty((0, 4))


def field_of(make, height=None, size=600.0):
    return make.field(make.site(size, size), make.ground(height or make.level, size, size))


def square(make, x, y, side=20.0):
    return np.array([[make.west + x, make.south + y, make.west + x + side, make.south + y + side]])


def test_the_way_to_the_lanes_and_to_the_entry(make):
    """40 m from the block's eastern side to the lane, 300 m from its middle to the entry."""
    field, window = field_of(make), (make.west + 300, make.south + 100, make.west + 500, make.south + 500)
    lane = np.array([[make.west + 360, make.south + 100, make.west + 360, make.south + 500]])
    spot, entry = square(make, 300, 290), (make.west + 10, make.south + 300)
    assert_allclose(siting_cost(field, spot, window, lane, entry, ROAD), [40.0 + 300.0])


def test_without_an_entry_it_is_the_way_to_the_nearest_edge(make):
    field, window = field_of(make), (make.west + 300, make.south + 100, make.west + 500, make.south + 500)
    spot = square(make, 140, 290)
    assert_allclose(siting_cost(field, spot, window, NO_LANES, None, ROAD), [140.0 + 150.0], atol=1e-6)


def test_cables_come_from_the_middle_of_the_plant(make):
    field, window = field_of(make), (make.west + 300, make.south + 100, make.west + 500, make.south + 500)
    assert_allclose(siting_cost(field, square(make, 90, 290), window, NO_LANES, None, CABLE), [300.0])


@pytest.mark.parametrize(("slope", "side"), [(0.0, 20.0), (0.02, 20.0), (0.05, 20.0), (0.08, 40.0)])
def test_earthwork_on_a_plane_is_that_of_the_tilt_beyond_the_drainage_grade(make, slope, side):
    """A wedge of grade g - 2 % over side x side holds (g - 2 %) x side / 4 x side² of cut and fill; the samples find 24/25."""
    field = field_of(make, lambda x, y: slope * x)
    expected = max(slope - 0.02, 0.0) * side / 4 * side**2
    assert_allclose(pad_earth_m3(field, square(make, 200, 200, side)), [0.96 * expected], rtol=1e-6, atol=1e-6)


def test_no_heights_are_no_place(make):
    ground = make.ground(make.level)
    ground.z[:30] = np.nan
    field = make.field(make.site(), ground)
    assert pad_earth_m3(field, square(make, 300, 500))[0] > 1e6
    assert siting_cost(field, square(make, 300, 500), field.placeable.bounds, NO_LANES, None, EARTH)[0] > 1e6
