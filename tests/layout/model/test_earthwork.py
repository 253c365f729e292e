"""Records of earthwork."""

import numpy as np
from fixtures.earthwork import EAST, NORTH, here
from numpy.testing import assert_allclose
from shapely import box

from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane


def test_height_of_a_pad_at_points():
    pad = PadPlane(here(box(-10, -10, 10, 10)), 50.0, 0.01, -0.02, 0.0, 0.0)
    assert_allclose(pad.height_at(np.array([EAST + 5]), np.array([NORTH + 3])), [50 + 0.05 - 0.06])


def test_volumes_of_a_road_are_in_the_order_of_the_kernel():
    volumes = CorridorVolumes(*range(7))
    assert (volumes.cut_m3, volumes.fill_m3, volumes.batter_cut_m3, volumes.batter_fill_m3) == (0, 1, 2, 3)
    assert (volumes.max_depth_m, volumes.nodata_share, volumes.open_edge_m) == (4, 5, 6)
