"""Ground in the layout's reference system."""

import numpy as np
import pytest
from pyproj import CRS

from pacifico.errors import CRSMismatchError
from pacifico.export.ground import ground_of
from pacifico.grid import Grid
from pacifico.layout.files.stored import StoredLayout


def other_crs():
    grid = Grid(CRS.from_epsg(32616), 500_000.0, 4_600_500.0, 5.0, 5.0, 4, 4)
    return grid.data_array(np.zeros((4, 4)), name="elevation", units="m")


def test_heights_are_those_of_the_dem(layout, dem):
    np.testing.assert_array_equal(ground_of(StoredLayout.of(layout), dem).z, dem.values)


def test_another_reference_system_is_refused(layout):
    with pytest.raises(CRSMismatchError, match="UTM zone 16N"):
        ground_of(StoredLayout.of(layout), other_crs())
