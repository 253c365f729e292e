"""Units of height."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.crs import METRES_PER_FOOT, METRES_PER_US_SURVEY_FOOT, transformer
from pacifico.grid import Grid, warnings_of
from pacifico.terrain.dem import open_dem

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def errors_on_ground(dem, surface=hill):
    grid = Grid.of(dem)
    return (dem.values - surface(*np.meshgrid(grid.x_centres(), grid.y_centres())))[np.isfinite(dem.values)]


@pytest.mark.parametrize(
    ("tag", "units", "factor", "told"),
    [
        (None, None, 1.0, "metres: no unit declared"),
        ("metre", None, 1.0, "metres: band unit tag"),
        ("ft", None, METRES_PER_FOOT, "feet: band unit tag"),
        ("US survey foot", None, METRES_PER_US_SURVEY_FOOT, "US survey feet: band unit tag"),
        (None, "ft", METRES_PER_FOOT, "feet: as asked"),
        ("metre", "ft", METRES_PER_FOOT, "feet: as asked"),
        ("ft", "m", 1.0, "metres: as asked"),
    ],
)
def test_heights_by_option_then_tag(site, make_raster, tag, units, factor, told):
    dem = open_dem(site, make_raster(units=tag), units=units)
    assert_allclose(errors_on_ground(dem, lambda x, y: hill(x, y) * factor), 0.0, atol=1e-9)
    assert dem.attrs["units_assumed"] == told
    assert bool(warnings_of(dem)) == (tag is not None and units is not None)


@pytest.mark.parametrize(
    ("vertical", "factor", "told"),
    [
        ("EPSG:5703", 1.0, "metres: vertical CRS"),
        ("EPSG:8228", METRES_PER_FOOT, "feet: vertical CRS"),
        ("EPSG:6360", METRES_PER_US_SURVEY_FOOT, "US survey feet: vertical CRS"),
    ],
)
def test_heights_by_compound_crs(site, make_raster, vertical, factor, told):
    crs = CRS.from_user_input("EPSG:32615+" + vertical.removeprefix("EPSG:"))
    dem = open_dem(site, make_raster(crs=UTM15, name="c.tif"))
    import rasterio

    path = make_raster(name="compound.tif")
    with rasterio.open(path, "r+") as raster:
        raster.crs = rasterio.crs.CRS.from_wkt(crs.to_wkt())
    dem = open_dem(site, path)
    assert_allclose(errors_on_ground(dem, lambda x, y: hill(x, y) * factor), 0.0, atol=1e-9)
    assert dem.attrs["units_assumed"] == told


def test_scale_and_offset_tags(site, make_raster):
    stored = make_raster(lambda x, y: np.round((hill(x, y) - 1000) / 0.01), dtype="int32", scale=0.01, offset=1000.0)
    assert_allclose(errors_on_ground(open_dem(site, stored)), 0.0, atol=0.0051)


def test_feet_are_suspected_where_the_crs_is_in_feet(site, make_raster):
    crs = CRS.from_epsg(3418)
    x, y = transformer(UTM15, crs).transform(*CENTRE)
    path = make_raster(crs=crs, transform=(30.0, 0.0, x - 4500, 0.0, -30.0, y + 4500), shape=(300, 300))
    dem = open_dem(site, path)
    assert "DEM units option" in warnings_of(dem)[0]
    assert dem.attrs["source_resolution_m"] == pytest.approx(30 * METRES_PER_US_SURVEY_FOOT, rel=1e-3)
    assert warnings_of(open_dem(site, path, units="ft")) == ()
