"""Values that are no ground."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pyproj import CRS

from pacifico.grid import Grid, warnings_of
from pacifico.terrain.dem import open_dem
from pacifico.terrain.voids import remove_voids

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def errors_on_ground(dem, surface=hill):
    grid = Grid.of(dem)
    return (dem.values - surface(*np.meshgrid(grid.x_centres(), grid.y_centres())))[np.isfinite(dem.values)]


def holed(x, y):
    inside = (abs(x - CENTRE[0]) < 250) & (abs(y - CENTRE[1]) < 100)
    return np.where(inside, -9999.0, hill(x, y))


@pytest.mark.parametrize(("nodata", "said"), [(-9999.0, False), (None, True)])
def test_nodata_is_kept_and_told(site, make_raster, nodata, said):
    dem = open_dem(site, make_raster(holed, nodata=nodata))
    assert dem.attrs["nodata_share"] == pytest.approx(0.1, abs=1e-3)
    assert any("10.0% of the site has no elevation" in w for w in warnings_of(dem))
    assert any("impossible heights" in w for w in warnings_of(dem)) == said
    assert_array_equal(errors_on_ground(dem), 0.0)


@pytest.mark.parametrize("value", [-9999.0, -32767.0, -3.4028234663852886e38, 65535.0])
def test_a_collar_of_an_undeclared_nodata_value(site, make_raster, value):
    def framed(x, y):
        return np.where(x < CENTRE[0] - 300, value, hill(x, y))

    dem = open_dem(site, make_raster(framed, dtype="float32"))
    assert dem.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert "taken as undeclared nodata" in warnings_of(dem)[0]


@pytest.mark.parametrize("value", [-999.0, -99.0, 8888.0])
@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_a_collar_of_a_height_that_is_far_from_all_others(site, make_raster, value, nodata):
    """Heights that exist on earth, but no patch of one exact height lies 200 m off all terrain around."""

    def framed(x, y):
        return np.where(x < CENTRE[0] - 300, value, hill(x, y))

    dem = open_dem(site, make_raster(framed, dtype="float32", nodata=nodata))
    assert dem.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert f"exactly {value:g}" in warnings_of(dem)[0]


def test_a_lake_at_the_edge_stays_ground(site, make_raster):
    dem = open_dem(site, make_raster(lambda x, y: np.maximum(hill(x, y), 295.0)))
    assert dem.attrs["nodata_share"] == 0.0
    assert [w for w in warnings_of(dem) if "level" not in w] == []


def patched(value, where=lambda x, y: np.hypot(x - CENTRE[0], y - CENTRE[1]) < 150, surface=hill):
    return lambda x, y: np.where(where(x, y), value, surface(x, y))


@pytest.mark.parametrize("value", [0.0, -1.0, -99.0, -999.0, -9999.0, -32768.0, 20.0, 999.0, 32767.0, -500.0])
@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("nodata", [None, -9999.0])
def test_a_void_inland_is_no_ground(site, make_raster, value, dtype, nodata):
    dem = open_dem(site, make_raster(patched(value), dtype=dtype, nodata=nodata))
    assert dem.attrs["nodata_share"] == pytest.approx(0.0707, abs=0.005)
    assert float(dem.min()) > 270
    assert float(dem.max()) < 340


@pytest.mark.parametrize("value", [0.0, -999.0])
def test_a_single_cell_and_a_gap_of_one_column_are_voids_too(site, make_raster, value):
    def gap(x, y):
        return (np.abs(x - CENTRE[0]) < 6) & (y < CENTRE[1]) | (np.hypot(x - CENTRE[0] + 205, y - CENTRE[1] - 205) < 5)

    dem = open_dem(site, make_raster(patched(value, gap), dtype="int16"))
    assert float(dem.min()) > 270
    assert any("void" in w for w in warnings_of(dem))


def test_fillers_are_round_numbers_in_the_unit_of_the_file(site, make_raster):
    dem = open_dem(site, make_raster(patched(-999.0, surface=lambda x, y: hill(x, y) / 0.3048), units="ft"))
    assert float(dem.min()) > 270
    assert "exactly -999" in warnings_of(dem)[0]


def test_a_coast_stays_ground_where_nodata_is_declared(site, make_raster):
    def coast(x, y):
        return np.maximum((x - CENTRE[0] + 300) * 0.02, 0.0)

    sea = open_dem(site, make_raster(coast))
    assert sea.attrs["nodata_share"] == pytest.approx(0.2, abs=0.01)
    assert "exactly 0 m at its edge" in warnings_of(sea)[0]
    declared = open_dem(site, make_raster(coast, nodata=-9999.0))
    assert declared.attrs["nodata_share"] == 0.0
    assert "kept as ground" in warnings_of(declared)[0]


def test_ground_near_zero_stays_ground(site, make_raster):
    def low(x, y):
        return np.round(hill(x, y) - 300)

    dem = open_dem(site, make_raster(low, dtype="int16"))
    assert (dem.values == 0).any()
    assert dem.attrs["nodata_share"] == 0.0
    assert open_dem(site, make_raster(lambda x, y: 0 * x)).attrs["nodata_share"] == 0.0


@pytest.mark.parametrize("filler", [-9999.0, -999.0, 0.0, 65535.0])
@pytest.mark.parametrize("resampling", ["bilinear", "cubic", "average"])
@pytest.mark.parametrize("declared", [True, False])
def test_the_rim_of_a_resampled_hole_is_no_ground(site, make_raster, tmp_path, filler, resampling, declared):
    """A hole whose filler value was not declared when the raster was resampled from 10 m to 4 m."""
    import rasterio
    from affine import Affine
    from rasterio.warp import Resampling, reproject

    with rasterio.open(make_raster(patched(filler), dtype="float32")) as raster:
        z, place = raster.read(1), raster.transform
    fine = np.zeros((550, 550), dtype="float32")
    to = Affine(4.0, 0.0, place.c + 1.3, 0.0, -4.0, place.f - 0.7)
    reproject(z, fine, src_transform=place, dst_transform=to, src_crs=UTM15.to_wkt(), dst_crs=UTM15.to_wkt(),
              resampling=Resampling[resampling])  # fmt: skip
    path = tmp_path / "resampled.tif"
    with rasterio.open(path, "w", driver="GTiff", height=550, width=550, count=1, dtype="float32", crs="EPSG:32615",
                       transform=to, nodata=filler if declared else None) as out:  # fmt: skip
        out.write(fine, 1)
    dem = open_dem(site, path)
    off = errors_on_ground(dem)
    assert np.abs(off).max() < 12
    assert 0.07 < dem.attrs["nodata_share"] < 0.12
    assert any("rim beside holes" in w for w in warnings_of(dem))


def test_a_cliff_beside_a_hole_stays_ground(site, make_raster):
    """Relief that the terrain has elsewhere too is no trace of resampling."""

    def steep(x, y):
        return 500 + 80 * np.sin(x / 60) * np.cos(y / 70)

    dem = open_dem(site, make_raster(patched(-9999.0, surface=steep), nodata=-9999.0))
    assert dem.attrs["nodata_share"] == pytest.approx(0.0707, abs=1e-3)


def test_heights_are_changed_in_place_and_described():
    z = np.full((30, 30), 5.0)
    z[3, 3] = np.inf
    z[10:14, 10:14] = -32768.0
    told = remove_voids(z, declared_nodata=False)
    assert len(told) == 1
    assert int(np.isnan(z).sum()) == 17
    assert (z[np.isfinite(z)] == 5.0).all()
