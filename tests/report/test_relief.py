"""Heights of the 3D view: few, in 16 bits, at their places."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from pacifico.crs import LONLAT, transformer, utm
from pacifico.grid import Grid
from pacifico.report.overlay import MOST_SIDE, NOTHING, relief

CRS = utm(-84.2, 36.6)


def dem_of(heights):
    rows, columns = np.shape(heights)
    grid = Grid(CRS, 750_000.0, 4_054_000.0, 10, 10, rows, columns)
    return grid.data_array(np.array(heights, dtype=float), name="elevation", units="m")


def steps(found):
    values = np.frombuffer(base64.b64decode(found["heights"]), "<u2")
    return values.reshape(found["rows"], found["columns"])


def test_heights_run_from_low_to_high_and_nodata_is_marked():
    found = relief(dem_of([[300.0, 310.0, np.nan], [305.0, 300.0, 302.5]]))
    assert (found["low_m"], found["high_m"], found["size_m"]) == (300.0, 310.0, [20.0, 10.0])
    assert steps(found).tolist() == [[0, 65534, NOTHING], [32767, 0, 16384]]


def test_corners_are_the_places_of_the_outer_heights():
    found = relief(dem_of(np.zeros((4, 5))))
    x, y = transformer(LONLAT, CRS).transform(*zip(*found["corners"], strict=True))
    assert x == pytest.approx([750_005, 750_045, 750_005], abs=0.01)
    assert y == pytest.approx([4_053_995, 4_053_995, 4_053_965], abs=0.01)


def test_large_ground_is_thinned():
    found = relief(dem_of(np.linspace(0, 800, 900 * 350).reshape(900, 350)))
    assert found["rows"] <= MOST_SIDE
    assert found["columns"] * 5 == 350
    assert len(found["heights"]) < 120_000


@pytest.mark.parametrize("heights", [np.full((3, 3), np.nan), np.full((1500, 2), np.nan)])
def test_ground_without_a_surface_has_none(heights):
    assert relief(dem_of(heights)) is None
