"""Free ground around roads, and the bands between aisles."""

import numpy as np
import pytest
import shapely

from pacifico.layout.access.free_ground import bands_of

AISLE_M = 13.0


def arrays(*rows):
    """Arrays of 100 m in rows: southern and northern edge."""
    return np.array([(x, south, x + 100, north) for south, north in rows for x in (0.0, 105.0, 210.0)])


def test_bands_end_in_the_middle_of_aisles():
    ground = shapely.box(0, 0, 310, 300)
    south, north = bands_of(ground, arrays((10, 74), (77, 141), (154, 218)), AISLE_M)
    assert south.bounds[3] == north.bounds[1] == pytest.approx(147.5, abs=1.0)
    assert south.area + north.area == pytest.approx(ground.area)


def test_gaps_between_strips_are_no_aisles():
    (band,) = bands_of(shapely.box(0, 0, 310, 300), arrays((10, 74), (77, 141)), AISLE_M)
    assert band.area == pytest.approx(310 * 300)


def test_an_aisle_with_arrays_in_it_is_none():
    standing = np.vstack([arrays((10, 74), (87, 151)), [[0, 74, 100, 87]]])
    assert len(bands_of(shapely.box(0, 0, 310, 300), standing, AISLE_M)) == 1


def test_parts_of_a_band_are_apart():
    ground = shapely.difference(shapely.box(0, 0, 310, 300), shapely.box(150, -1, 160, 301))
    parts = bands_of(ground, arrays((10, 74), (87, 151)), AISLE_M)
    assert len(parts) == 4
