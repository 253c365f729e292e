"""Drainage of a site: areas, channels and ponding."""

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose

from pacifico.terrain.drainage.flow import NO_CHANNELS, drainage, flow_cell_m

VALLEY_X = 305.0


def valley(x, y):
    """Valley that runs south, steeper on its sides than along it."""
    return 100 + 0.05 * np.abs(x - VALLEY_X) + 0.01 * y


@pytest.fixture
def site(make):
    return make.at(0, 0, 600, 600)


def test_a_valley_is_one_channel_that_grows_downstream(make, site):
    flow = drainage(make.ground(valley, halo=500.0), site)
    channels = flow.channels(8.0).near(site)
    assert_allclose(channels.segments[:, [0, 2]], make.west + VALLEY_X, atol=11)
    order = np.argsort(-channels.segments[:, 1])
    assert (np.diff(channels.drained_ha[order]) > 0).all()
    # 100 cells above the southern end of the site: sides of 70 cells drain as far along the valley as across it
    assert channels.drained_ha.max() == pytest.approx((100 + 2 * sum(100 - c for c in range(1, 71))) / 100, rel=0.03)


def test_a_plane_has_no_channel_and_no_ponding(make, site):
    flow = drainage(make.ground(lambda x, y: 100 + 0.02 * x + 0.011 * y, halo=500.0), site)
    # a strip one cell wide and 1.4 km long, at most 1.4 times as long across the cells
    assert flow.drained_ha.max() <= 2.0
    assert flow.ponding_m.max() == 0
    assert flow.channels(8.0).segments.shape == (0, 4)


def test_a_bowl_ponds_to_its_rim(make, site):
    def bowl(x, y):
        return 100 + np.minimum(np.hypot(x - 300, y - 300) / 50, 4.0) + 0.0001 * x

    flow = drainage(make.ground(bowl, halo=500.0), site)
    at = np.array([make.west + 300.0, make.west - 1e6]), np.array([make.south + 300.0, make.south])
    assert_allclose(flow.ponding_at(*at), [4.0, 0.0], atol=0.2)


def test_flow_is_followed_on_no_finer_cells_than_the_source(make, site):
    ground = make.ground(valley, halo=500.0, dx=2.0)
    assert drainage(ground, site).grid.dx == 5.0
    assert drainage(ground, site, source_cell_m=12.0).grid.dx == 12.0


def test_ground_without_heights_drains_nothing(make, site):
    flow = drainage(make.ground(valley, halo=100.0), site)
    assert np.isnan(flow.ponding_m).any()
    assert flow.drained_ha[np.isnan(flow.ponding_m)].max() == 0


def test_the_same_ground_gives_the_same_channels(make, site):
    one, other = (drainage(make.ground(make.rolling, halo=500.0), site).channels(1.0) for _ in range(2))
    assert one.segments.tobytes() == other.segments.tobytes()


def test_area_at_a_place_is_the_largest_nearby(make, site):
    channels = drainage(make.ground(valley, halo=500.0), site).channels(8.0)
    x = make.west + VALLEY_X
    south = channels.drained_at(shapely.Point(x, make.south + 10), 12)
    north = channels.drained_at(shapely.Point(x, make.south + 500), 12)
    assert south > north > 0
    assert channels.drained_at(shapely.Point(x + 200, make.south + 10), 12) == 0
    assert NO_CHANNELS.drained_at(shapely.Point(0, 0), 12) == 0
    assert NO_CHANNELS.length_m == 0


def test_flow_is_followed_on_the_longer_side_of_the_sources_cells(make):
    dem = make.ground(valley).grid.data_array(
        make.ground(valley).z, name="elevation", source_resolution_m=16.0, source_longer_side_m=22.0
    )
    assert flow_cell_m(dem) == 22.0
    del dem.attrs["source_longer_side_m"]
    assert flow_cell_m(dem) == 16.0
