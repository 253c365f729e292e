"""Named sources, against a local server."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.errors import OutsideServiceError
from pacifico.grid import Grid, warnings_of
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.named import glo30_id, glo30_tiles

LONLAT = CRS.from_epsg(4326)


def ground(lon, lat):
    """Smooth heights [m] by place, so that a seam or a shift shows."""
    return 400 + 60 * np.sin(lon * 60) + 45 * np.cos(lat * 70)


def site_at(lon, lat, half=700):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


def difference(dem):
    grid = Grid.of(dem)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    return dem.values - ground(*transformer(grid.crs, LONLAT).transform(x, y))


def test_tile_names_and_corners():
    assert glo30_id(-96, 44) == "Copernicus_DSM_COG_10_N44_00_W096_00_DEM"
    assert glo30_id(7, -3) == "Copernicus_DSM_COG_10_S03_00_E007_00_DEM"
    assert glo30_tiles((-95.5, 44.2, -95.4, 44.3)) == [(-96, 44)]
    assert glo30_tiles((-95.1, 44.9, -94.9, 45.1)) == [(-96, 44), (-95, 44), (-96, 45), (-95, 45)]
    assert glo30_tiles((-95.00005, 44.00005, -94.9, 44.00006)) == [(-95, 43)]  # the half cell
    assert glo30_tiles((179.9, 0.5, 180.1, 0.6)) == [(179, 0), (-180, 0)]


def test_glo30_across_four_tiles_shows_no_seam(server, settings, tmp_path):
    for lon in (-96, -95):
        for lat in (43, 44):
            server.put_glo30(tmp_path, lon, lat)
    site = site_at(-95.0, 44.0)
    dem = open_dem(site, "glo30", settings=settings)
    assert np.isfinite(dem.values).all()
    # Tiles of ten-fold cells (310 m): bilinear interpolation of this ground is good to some 2 m, a seam or shift is not.
    assert np.abs(difference(dem)).max() < 3
    assert np.abs(np.diff(dem.values, 2, axis=0)).max() < 1
    assert np.abs(np.diff(dem.values, 2, axis=1)).max() < 1
    assert dem.attrs["surface_model"] is True
    assert any("surface model" in w for w in warnings_of(dem))
    assert dem.attrs["source"] == "glo30"
    assert dem.attrs["units_assumed"].startswith("metres")


def test_glo30_where_the_columns_change_width(server, settings, tmp_path):
    server.put_glo30(tmp_path, 7, 49)
    server.put_glo30(tmp_path, 7, 50, columns=2400)
    dem = open_dem(site_at(7.5, 50.0), "glo30", settings=settings)
    assert np.isfinite(dem.values).all()
    assert np.abs(difference(dem)).max() < 4


def test_3dep_through_its_vrt(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    dem = open_dem(site_at(-93.0, 42.5), "3dep", settings=settings)
    assert np.isfinite(dem.values).all()
    assert np.abs(difference(dem)).max() < 0.3
    assert dem.attrs["surface_model"] is False
    assert dem.attrs["units_assumed"] == "metres: band unit tag"


def test_only_what_is_needed_is_transferred(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    open_dem(site_at(-93.5, 42.5, half=300), "3dep", settings=settings)
    tiles = {key for command, key in server.requests if key.endswith(".tif")}
    assert len(tiles) == 1


def test_missing_tiles_and_no_coverage(server, settings, tmp_path):
    server.put_glo30(tmp_path, -96, 44)
    with pytest.raises(OutsideServiceError, match="no tile Copernicus_DSM_COG_10_N44_00_W095_00_DEM"):
        open_dem(site_at(-95.0, 44.5), "glo30", settings=settings)
    with pytest.raises(OutsideServiceError, match="covers the world's land"):
        open_dem(site_at(-40.5, 30.5), "glo30", settings=settings)
    beside = site_at(-95.0 - 900 / (111_320 * math.cos(math.radians(44.5))), 44.5)
    coast = open_dem(beside, "glo30", settings=settings)
    assert coast.attrs["nodata_share"] == 0.0
    assert np.isnan(coast.values[:, -3:]).all()
    assert any("open sea" in w for w in warnings_of(coast))


def test_3dep_outside_its_country_and_with_a_lost_tile(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    for place in ((7.5, 50.0), (-90.5, 42.5)):  # beyond the VRT; inside it, but nodata
        with pytest.raises(OutsideServiceError, match="covers the United States"):
            open_dem(site_at(*place), "3dep", settings=settings)
    server.fail("*", "n43w093", 404)
    with pytest.raises(OutsideServiceError, match="no answer after 3 tries"):
        open_dem(site_at(-92.5, 42.5), "3dep", settings=settings)
    with pytest.raises(OutsideServiceError, match=r"there is no none\.vrt"):
        open_dem(site_at(-92.5, 42.5), "3dep-30", settings=settings)


def test_any_cog_by_its_address(server, settings, tmp_path):
    server.files["a/b.tif"] = server.tile_bytes(tmp_path, -96, 45, 1 / 3600, 1 / 3600, (1200, 1200))
    site = site_at(-95.9, 44.9)
    dem = open_dem(site, f"{server.url}/a/b.tif?token=secret", settings=settings)
    assert dem.attrs["source"] == "b.tif"
    assert np.abs(difference(dem)).max() < 0.05
    with pytest.raises(OutsideServiceError, match="no such file"):
        open_dem(site, f"{server.url}/a/c.tif", settings=settings)


@pytest.mark.parametrize("lon", [179.998, -179.998])
def test_glo30_within_the_halo_of_the_antimeridian(server, settings, tmp_path, lon):
    def surface(x, y):
        return 400 + 60 * np.sin(np.mod(x, 360) * 60) + 45 * np.cos(y * 70)

    for west in (179, -180):
        key = glo30_id(west, -17)
        step = 1 / 360
        server.files[f"{key}/{key}.tif"] = server.tile_bytes(
            tmp_path, west - step / 2, -16 + step / 2, step, step, (360, 360), surface
        )
    dem = open_dem(site_at(lon, -16.5, half=100), "glo30", settings=settings)
    grid = Grid.of(dem)
    x, y = np.meshgrid(grid.x_centres(), grid.y_centres())
    east, north = transformer(grid.crs, LONLAT).transform(x, y)
    assert np.isfinite(dem.values).all()
    assert np.abs(dem.values - surface(east, north)).max() < 3
