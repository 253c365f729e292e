"""Elevation of a site."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
import xarray as xr
from affine import Affine
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS

from pacifico.crs import transformer
from pacifico.errors import DEMError, OutsideServiceError
from pacifico.grid import Grid, Ground, warnings_of
from pacifico.site.boundary import read_site
from pacifico.site.model import Site
from pacifico.terrain.dem import level_ground, open_dem
from pacifico.terrain.remote.settings import SourceSettings
from pacifico.terrain.surface import aspect, slope

CENTRE = (446_000.0, 4_650_000.0)


UTM15 = CRS.from_epsg(32615)


def hill(x, y):
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def plane(x, y):
    return 300 + 0.03 * (x - CENTRE[0]) - 0.04 * (y - CENTRE[1])


def errors_on_ground(dem, surface=hill):
    grid = Grid.of(dem)
    return (dem.values - surface(*np.meshgrid(grid.x_centres(), grid.y_centres())))[np.isfinite(dem.values)]


def lonlat_transform(step, *, rows=1.0):
    lon, lat = transformer(UTM15, CRS.from_epsg(4326)).transform(*CENTRE)
    return (step, 0.0, lon - 130 * step, 0.0, -step * rows, lat + (130 if rows == 1 else 160) * step * rows)


def test_a_dem_in_the_working_crs_is_cut_along_its_own_cells(site, make_raster):
    path = make_raster(transform=(10.0, 0.0, CENTRE[0] - 1103, 0.0, -10.0, CENTRE[1] + 1097))
    dem = open_dem(site, path)
    grid = Grid.of(dem)
    assert (grid.dx, grid.dy) == (10.0, 10.0)
    assert (grid.x0 - CENTRE[0] + 1103) % 10 == 0
    assert_array_equal(errors_on_ground(dem), 0.0)
    west, _, _, north = grid.bounds
    assert west <= CENTRE[0] - 900 < west + 10
    assert north - 10 < CENTRE[1] + 900 <= north
    assert dem.attrs["units"] == "m"
    assert dem.attrs["source"] == "dem.tif"
    assert dem.attrs["resolution_m"] == dem.attrs["source_resolution_m"] == 10.0
    assert dem.attrs["nodata_share"] == 0.0
    assert dem.attrs["units_assumed"] == "metres: no unit declared"
    assert dem.attrs["surface_model"] is False
    assert warnings_of(dem) == ()


def rotated(degrees):
    turn = (
        Affine.translation(*CENTRE) @ Affine.rotation(degrees) @ Affine.scale(8, -12) @ Affine.translation(-150, -110)
    )
    return tuple(turn)[:6]


@pytest.mark.parametrize(
    ("label", "transform", "shape", "crs"),
    [
        ("same CRS, other grid", (9.0, 0.0, CENTRE[0] - 1100, 0.0, -9.0, CENTRE[1] + 1100), (240, 240), 32615),
        ("south-up", (10.0, 0.0, CENTRE[0] - 1100, 0.0, 10.0, CENTRE[1] - 1100), (220, 220), 32615),
        ("non-square", (14.0, 0.0, CENTRE[0] - 1100, 0.0, -6.0, CENTRE[1] + 1100), (370, 160), 32615),
        ("rotated", rotated(25), (220, 300), 32615),
        ("other zone", None, (240, 240), 32614),
        ("NAD83 Albers", None, (240, 240), 5070),
        ("Web Mercator", None, (330, 330), 3857),
        ("state plane in feet", None, (800, 800), 3418),
        ("geographic", lonlat_transform(1 / 10800), (260, 260), 4326),
        ("geographic, non-square", lonlat_transform(1 / 10800, rows=0.7), (320, 260), 4326),
    ],
)
def test_any_grid_gives_the_same_ground(site, make_raster, label, transform, shape, crs):
    """A surface written in every kind of grid comes back at the same places, slopes and aspects in true ground metres."""
    crs = CRS.from_epsg(crs)
    if transform is None:
        x, y = transformer(UTM15, crs).transform(*CENTRE)
        step = 10.0 / crs.axis_info[0].unit_conversion_factor
        if crs.axis_info[0].unit_conversion_factor != 1:
            step = 10.0
        transform = (step, 0.0, x - step * shape[1] / 2, 0.0, -step, y + step * shape[0] / 2)
    dem = open_dem(site, make_raster(transform=transform, shape=shape, crs=crs), resolution_m=10)
    assert np.isfinite(dem.values).all(), label
    # Bilinear interpolation of a 12 m hill with 10 m cells is good to centimetres; half a cell of shift is decimetres.
    assert_allclose(errors_on_ground(dem), 0.0, atol=0.03)
    assert dem.attrs["nodata_share"] == 0.0
    flat = open_dem(site, make_raster(plane, transform=transform, shape=shape, crs=crs), resolution_m=10)
    averaged = (
        flat.attrs["source_resolution_m"] < 10 / 1.5
    )  # whole source cells weighted by the warper: a little uneven
    assert_allclose(slope(flat, units="percent").values[5:-5, 5:-5], 5.0, rtol=1e-2 if averaged else 2e-3)
    assert_allclose(
        aspect(flat).values[5:-5, 5:-5], math.degrees(math.atan2(-0.03, 0.04)) % 360, atol=0.5 if averaged else 0.15
    )


def test_krovak_with_its_axes_to_the_south_and_west(tmp_path, make_raster):
    place = CRS.from_epsg(32633)
    x, y = transformer(CRS.from_epsg(4326), place).transform(15.5, 49.8)
    site = Site("cz", place, shapely.box(x - 300, y - 300, x + 300, y + 300))
    krovak = CRS.from_epsg(5514)
    kx, ky = transformer(place, krovak).transform(x, y)
    transform = (20.0, 0.0, kx - 2000, 0.0, -20.0, ky + 2000)
    column, row = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
    east, north = transformer(krovak, place).transform(transform[2] + 20 * column, transform[5] - 20 * row)
    import rasterio

    path = tmp_path / "krovak.tif"
    with rasterio.open(path, "w", driver="GTiff", height=200, width=200, count=1, dtype="float64", crs="EPSG:5514",
                       transform=Affine(*transform)) as out:  # fmt: skip
        out.write(300 + 0.03 * (east - x) - 0.04 * (north - y), 1)
    dem = open_dem(site, path)
    grid = Grid.of(dem)
    xs, ys = np.meshgrid(grid.x_centres(), grid.y_centres())
    assert_allclose(dem.values, 300 + 0.03 * (xs - x) - 0.04 * (ys - y), atol=0.01)
    assert 19.9 < dem.attrs["resolution_m"] < 20.1


def test_ground_cells_of_web_mercator_and_degrees(site, make_raster):
    mercator = CRS.from_epsg(3857)
    x, y = transformer(UTM15, mercator).transform(*CENTRE)
    path = make_raster(transform=(10.0, 0.0, x - 1500, 0.0, -10.0, y + 1500), shape=(300, 300), crs=mercator)
    latitude = transformer(UTM15, CRS.from_epsg(4326)).transform(*CENTRE)[1]
    assert open_dem(site, path).attrs["source_resolution_m"] == pytest.approx(
        10 * math.cos(math.radians(latitude)), rel=0.01
    )
    degrees = make_raster(transform=lonlat_transform(1 / 10800), shape=(220, 220), crs=CRS.from_epsg(4326))
    want = math.sqrt(30.87 * 30.92 * math.cos(math.radians(latitude))) / 3
    assert open_dem(site, degrees).attrs["source_resolution_m"] == pytest.approx(want, rel=0.01)
    assert open_dem(site, degrees).attrs["source_longer_side_m"] == pytest.approx(30.87 / 3, rel=0.01)


def test_partial_cover_is_told(site, make_raster):
    dem = open_dem(site, make_raster(transform=(10.0, 0.0, CENTRE[0] - 100, 0.0, -10.0, CENTRE[1] + 1100)))
    assert dem.attrs["nodata_share"] == pytest.approx(0.4, abs=0.001)
    assert "covers only 60.0% of the site" in warnings_of(dem)[0]


def refused(site, path, match, error=DEMError):
    with pytest.raises(error, match=match) as caught:
        open_dem(site, path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_overlap_names_both_extents(site, make_raster):
    far = make_raster(transform=(10.0, 0.0, CENTRE[0] + 90_000, 0.0, -10.0, CENTRE[1] + 1100))
    message = refused(site, far, "does not cover the site")
    assert message.count("lon") >= 2
    assert "lat 41.99" in message
    beside = make_raster(transform=(10.0, 0.0, CENTRE[0] + 600, 0.0, -10.0, CENTRE[1] + 1100), name="beside.tif")
    refused(site, beside, "beside.tif does not cover the site")


def test_a_dead_server_is_the_services_fault(site):
    hasty = SourceSettings(timeout_s=2, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match=r"dem\.tif at 127\.0\.0\.1: no answer after 2 tries") as caught:
        open_dem(site, "http://127.0.0.1:9/secret/dem.tif?token=abc", settings=hasty)
    assert "secret" not in str(caught.value)
    assert "abc" not in str(caught.value)


def test_level_ground_says_so(site):
    dem = level_ground(site, resolution_m=20, elevation_m=12)
    assert (dem == 12).all()
    assert Grid.of(dem).dx == 20
    assert "level ground" in dem.attrs["source"]
    assert warnings_of(dem)


@pytest.mark.parametrize("surface", ["plain", "warned"])
def test_a_dem_is_written_to_netcdf_and_read_again(site, make_raster, tmp_path, surface):
    """Attributes are plain netCDF types, also with warnings and with heights between the cells."""
    slanted = (9.0, 0.0, CENTRE[0] - 1103, 0.0, -9.0, CENTRE[1] + 1101)
    options = {"transform": slanted, "shape": (245, 245)} if surface == "plain" else {}
    height = hill if surface == "plain" else lambda x, y: np.where(x < CENTRE[0] - 300, -9999.0, hill(x, y))
    dem = open_dem(site, make_raster(height, **options), resolution_m=8 if surface == "plain" else None)
    assert bool(warnings_of(dem)) == (surface == "warned")
    assert all(isinstance(value, str | float | int | bool) for value in dem.attrs.values())
    dem.to_netcdf(tmp_path / "dem.nc")
    with xr.open_dataarray(tmp_path / "dem.nc") as again:
        assert_array_equal(again.values, dem.values)
        assert Grid.of(again) == Grid.of(dem)
        assert warnings_of(again) == warnings_of(dem)
        assert Ground.of(again).z.tobytes() == Ground.of(dem).z.tobytes()
    assert (Ground.finest_of(dem).grid != Grid.of(dem)) == (surface == "plain")


def test_secrets_of_an_address_are_nowhere_in_the_dem(site, make_raster, server, settings, caplog):
    server.files["a/dem.tif"] = make_raster(dtype="float32").read_bytes()
    server.fail("GET", "dem.tif", 503, times=1)
    url = f"{server.url.replace('//', '//me:hunter2@')}/a/dem.tif?X-Amz-Signature=hunter2&sig=hunter2"
    dem = open_dem(site, url, settings=settings)
    assert dem.attrs["source"] == "dem.tif"
    assert "hunter2" not in str(dem.attrs)
    assert "hunter2" not in caplog.text


def test_stages_are_told_in_their_order():
    told = []
    site = read_site("sample")
    open_dem(site, "sample", on_stage=lambda *stage: told.append(stage))
    assert [percent for _, percent, _ in told] == [0, 70, 100]
    assert told[0][2] == "reading sample"
