"""Elevation models in a turned frame."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from pacifico.errors import DEMError
from pacifico.grid import BETWEEN_CELLS, Grid, Ground
from pacifico.layout.orientation import ground as turned_ground
from pacifico.layout.orientation.frame import TurnedFrame
from pacifico.layout.orientation.ground import turned_dem, turned_grid
from pacifico.layout.orientation.site import turned_site

HALO = 500.0


def origin(make, width=600, height=600):
    return make.west + width / 2, make.south + height / 2


def turned(make, surface, degrees, **grid):
    """Ground in the frame, with the places of its cells on the map, from the site's corner."""
    frame = TurnedFrame(degrees, origin(make))
    site = turned_site(make.site(), frame)
    dem = turned_dem(make.dem(make.ground(surface, halo=HALO, **grid)), frame, site)
    found = Ground.finest_of(dem)
    x, y = np.meshgrid(found.grid.x_centres(), found.grid.y_centres())
    places = frame.inverse.turned(np.stack([x.ravel(), y.ravel()], axis=1))
    return found, (places[:, 0] - make.west).reshape(x.shape), (places[:, 1] - make.south).reshape(x.shape)


@pytest.mark.parametrize("degrees", [20.0, -35.0, 45.0, 90.0])
def test_a_plane_stays_a_plane(make, degrees):
    def plane(x, y):
        return 50 + 0.03 * x - 0.02 * y

    ground, x, y = turned(make, plane, degrees)
    inside = (x > -HALO + 10) & (y > -HALO + 10) & (x < 600 + HALO - 10) & (y < 600 + HALO - 10)
    assert_allclose(ground.z[inside], plane(x, y)[inside], atol=1e-6)


def test_at_right_angles_every_cell_has_the_height_of_one_cell(make):
    ground, x, y = turned(make, make.rolling, 90.0)
    assert_allclose(ground.z[20:-20, 20:-20], make.rolling(x, y)[20:-20, 20:-20], atol=1e-6)


def test_ground_outside_the_dem_has_no_height(make):
    ground, x, y = turned(make, make.level, 45.0)
    outside = (x < -HALO) | (y < -HALO) | (x > 600 + HALO) | (y > 600 + HALO)
    assert outside.any()
    assert np.isnan(ground.z[outside]).all()
    assert np.isfinite(ground.z[~outside]).all()


def test_ground_beside_nodata_has_no_height(make):
    ground, x, y = turned(make, lambda x, y: np.where((x > 200) & (x < 300), np.nan, 10.0), 30.0)
    assert np.isnan(ground.z[(x > 195) & (x < 305) & (np.abs(y) < 100)]).all()
    assert np.isfinite(ground.z[(x > 315) & (x < 600) & (np.abs(y - 300) < 100)]).all()


def test_attributes_and_heights_between_cells_are_kept(make):
    frame = TurnedFrame(20.0, origin(make))
    dem = make.dem(make.ground(make.rolling, halo=HALO), sha256="abc")
    fine = make.ground(make.rolling, dx=10 / 3, halo=HALO)
    own = dem.copy(data=np.ascontiguousarray(fine.z[1::3, 1::3]))
    own.encoding[BETWEEN_CELLS] = fine
    found = turned_dem(own, frame, turned_site(make.site(), frame))
    finer = found.encoding[BETWEEN_CELLS]
    assert found.attrs == own.attrs
    assert finer.grid.dx == pytest.approx(10 / 3)
    assert_array_equal(finer.z[1::3, 1::3], found.values)
    assert Ground.finest_of(found).grid == finer.grid


def test_the_grid_covers_the_site_with_its_halo_and_meets_the_origin(make):
    frame = TurnedFrame(30.0, origin(make))
    site = turned_site(make.site(), frame)
    grid = turned_grid(Grid.of(make.dem(make.ground(make.level))), frame, site)
    west, south, east, north = grid.bounds
    low_x, low_y, high_x, high_y = site.boundary.bounds
    assert min(low_x - west, low_y - south, east - high_x, north - high_y) >= 400 - 10
    assert (frame.origin[0] - grid.x0) / grid.dx == pytest.approx(round((frame.origin[0] - grid.x0) / grid.dx))


def test_a_grid_with_too_many_cells_is_refused_with_a_remedy(make, monkeypatch):
    monkeypatch.setattr(turned_ground, "MOST_CELLS", 10_000)
    frame = TurnedFrame(45.0, origin(make))
    dem = make.dem(make.ground(make.level))
    with pytest.raises(DEMError, match=r"row azimuth 45°.* million cells.*--resolution-m"):
        turned_dem(dem, frame, turned_site(make.site(), frame))
