"""Horizons against ridges and cones that have one by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS

from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.terrain.horizon import EARTH_M, REFRACTION, horizon_deg

SIDE = 4000.0


def dem_of(height, dx=20.0, dy=20.0):
    nx, ny = round(SIDE / dx), round(SIDE / dy)
    grid = Grid(CRS.from_epsg(32615), 0.0, SIDE, dx, dy, ny, nx)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return grid.data_array(np.asarray(height(x, y), dtype=np.float64) + np.zeros(grid.shape), name="elevation")


def horizon(dem, azimuths, x=2000.0, y=2000.0, **more):
    return horizon_deg(dem, np.array([x]), np.array([y]), azimuths_deg=np.array(azimuths, dtype=float), **more)[0]


def test_level_ground_has_a_flat_horizon():
    assert horizon(dem_of(lambda x, _: 100 + 0 * x), range(0, 360, 5)).max() == 0


@pytest.mark.parametrize(("dx", "dy"), [(20.0, 20.0), (25.0, 40.0)])
def test_a_ridge_across_the_east_stands_at_its_own_angle(dx, dy):
    """Ridge of 200 m whose foot is 50 m wide on either side, 1000 m east of the place, from south to north."""
    dem = dem_of(lambda x, _: 100 + np.maximum(0.0, 200 - 4 * np.abs(x - 3000.0)), dx, dy)
    crest = float(np.interp(3000.0, dem.x.values, dem.sel(y=2000.0, method="nearest").values))
    for azimuth in (90.0, 70.0, 110.0, 50.0):
        away = 1000.0 / np.sin(np.radians(azimuth))
        drop = (1 - REFRACTION) * away**2 / (2 * EARTH_M)
        expected = np.degrees(np.arctan((crest - 101.5 - drop) / away))
        # bilinear ground between cells: the crest is met within one cell
        assert horizon(dem, [azimuth])[0] == pytest.approx(expected, abs=0.35)
    assert horizon(dem, [270.0, 300.0, 240.0]).max() == 0
    assert horizon(dem, [0.0, 180.0]).max() == 0


def test_a_slope_that_goes_on_stands_at_its_own_angle():
    dem = dem_of(lambda _, y: 0.1 * y)
    north, south = horizon(dem, [0.0, 180.0], eye_m=0.0)
    assert north == pytest.approx(np.degrees(np.arctan(0.1)), abs=0.01)
    assert south == 0


def test_from_the_eye_of_a_basin_all_directions_are_alike():
    """Cone: 20 % up all around."""
    dem = dem_of(lambda x, y: 0.2 * np.hypot(x - 2000.0, y - 2000.0))
    found = horizon(dem, range(0, 360, 10), eye_m=0.0)
    assert found == pytest.approx(np.degrees(np.arctan(0.2)), abs=0.25)


def test_what_is_beyond_reach_or_nodata_is_not_seen():
    def wall(x, _):
        return np.where(x > 3500, 900.0, 100.0)

    assert horizon(dem_of(wall), [90.0])[0] > 20
    assert horizon(dem_of(wall), [90.0], reach_m=1000.0)[0] == 0
    hole = dem_of(lambda x, y: np.where((x > 2500) & (x < 2600), np.nan, wall(x, y)))
    assert horizon(hole, [90.0])[0] == 0


def test_a_place_without_ground_is_refused():
    with pytest.raises(InputError, match="1 of 1 places have no ground"):
        horizon(dem_of(lambda x, _: 0 * x), [0.0], x=-500.0)


def test_directions_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="azimuths_deg"):
        horizon(dem_of(lambda x, _: 0 * x), [np.nan])


@settings(max_examples=25, deadline=None)
@given(st.floats(-500, 3000), st.integers(0, 10_000))
def test_a_datum_does_not_move_the_horizon(shift, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(10, 60, 2)
    dem = dem_of(lambda x, y: a * np.sin(x / 300) + b * np.cos(y / 400))
    turned = range(0, 360, 30)
    assert horizon(dem.copy(data=dem.values + shift), turned) == pytest.approx(horizon(dem, turned), abs=1e-6)
    assert (horizon(dem, turned) >= 0).all()
