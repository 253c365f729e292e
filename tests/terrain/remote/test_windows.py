"""Windows of remote rasters, against a local server with faults on demand."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.errors import OutsideServiceError
from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.named import glo30_id

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


def test_the_cache_saves_the_transfer_and_notices_a_new_state(server, settings, tmp_path):
    server.put_glo30(tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    server.requests.clear()
    second = open_dem(site, "glo30", settings=settings)
    assert {command for command, _ in server.requests} == {"HEAD"}
    assert first.identical(second)
    key = glo30_id(-96, 44)
    server.files[f"{key}/{key}.tif"] = server.tile_bytes(
        tmp_path, -96 - 1 / 720, 45 + 1 / 720, 1 / 360, 1 / 360, (360, 360), lambda x, y: ground(x, y) + 5
    )
    third = open_dem(site, "glo30", settings=settings)
    assert_allclose(third.values - first.values, 5, atol=1e-3)


@pytest.mark.parametrize(
    ("method", "fault"),
    [*((method, fault) for method in ("HEAD", "GET") for fault in (503, 500, 429, "reset")), ("GET", "cut")],
)
def test_passing_faults_are_outlived(server, settings, tmp_path, caplog, method, fault):
    server.put_glo30(tmp_path, -96, 44)
    server.fail(method, "Copernicus", fault, times=2 if method == "HEAD" else 1)
    caplog.set_level(logging.CRITICAL)
    dem = open_dem(site_at(-95.5, 44.5), "glo30", settings=settings)
    assert np.abs(difference(dem)).max() < 3
    assert server.fault(method, "Copernicus") is None  # used up


@pytest.mark.parametrize(
    ("method", "fault", "match"),
    [
        ("*", 403, "403"),
        ("*", 503, "no answer after 3 tries"),
        ("*", "reset", "no answer after 3 tries"),
        ("GET", 503, "no answer after 3 tries"),
        ("GET", "cut", "no answer after 3 tries"),
        ("GET", "reset", "no answer after 3 tries"),
        ("GET", 403, "no answer after 3 tries"),
    ],
)
def test_lasting_faults_are_one_clear_line(server, settings, tmp_path, method, fault, match):
    server.put_glo30(tmp_path, -96, 44)
    server.fail(method, "Copernicus", fault)
    with pytest.raises(OutsideServiceError, match=match) as caught:
        open_dem(site_at(-95.5, 44.5), "glo30", settings=settings)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "cache").exists()
