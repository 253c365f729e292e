"""State of remote VRTs, against a local server."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.errors import OutsideServiceError
from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.raster.read import ReadRequest
from pacifico.terrain.remote.vrt import window_state

LONLAT = CRS.from_epsg(4326)


def ground(lon, lat):
    """Smooth heights [m] by place, so that a seam or a shift shows."""
    return 400 + 60 * np.sin(lon * 60) + 45 * np.cos(lat * 70)


def site_at(lon, lat, half=700):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


def same(dem, other):
    assert_array_equal(dem.values, other.values)
    assert dem.attrs["sha256"] == other.attrs["sha256"]
    assert Grid.of(dem) == Grid.of(other)


def test_3dep_is_cached_by_the_tiles_behind_its_vrt(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    site = site_at(-93.5, 42.5)
    first = open_dem(site, "3dep", settings=settings)
    server.requests.clear()
    same(open_dem(site, "3dep", settings=settings), first)
    assert server.requests == [
        ("HEAD", server.vrt_key),
        ("HEAD", "StagedProducts/Elevation/13/TIFF/current/n43w094/USGS_13_n43w094.tif"),
    ]
    tiles = sorted(key for key in server.files if key.endswith(".tif"))
    west, east = tiles[1], tiles[0]
    server.files[east] = server.files[west]  # a tile elsewhere: its ETag is not even asked for
    server.files[server.vrt_key] = server.files[server.vrt_key].replace(
        b"USGS_13_n43w093.tif", b"USGS_13_n43w093_2026.tif"
    )
    server.requests.clear()
    same(open_dem(site, "3dep", settings=settings), first)
    assert [request for request in server.requests if request[0] == "GET"] == [("GET", server.vrt_key)]
    step, over, n = 1 / 1080, 6, 1092
    server.files[west] = server.tile_bytes(
        tmp_path,
        -94 - over * step,
        43 + over * step,
        step,
        step,
        (n, n),
        lambda x, y: ground(x, y) + 7,
        nodata=-999999.0,
    )  # the same name in the same VRT
    assert_allclose(open_dem(site, "3dep", settings=settings).values - first.values, 7, atol=1e-3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<VRTDataset ", b'<VRTDataset subClass="VRTWarpedDataset" '),
        (b"<GeoTransform>", b"<GeoTransform>x, "),
        (b"EPSG:4269", b"EPSG:0"),
        (b"<DstRect", b"<Rect"),
        (b'relativeToVRT="1">current', b'relativeToVRT="0">current'),
        (b"USGS_13_n43w094.tif", b"USGS_13_n43w094.vrt"),
        (b"</VRTDataset>", b""),
        (b"<VRTDataset ", b'<!DOCTYPE x [<!ENTITY a "b">]><VRTDataset '),
    ],
)
def test_the_state_of_an_unusual_vrt_is_not_told(server, settings, tmp_path, old, new):
    server.put_3dep(tmp_path)
    site = site_at(-93.5, 42.5)
    bounds, url = site.boundary.bounds, settings.urls["3dep"]
    assert window_state(url, "1", ReadRequest(bounds, site.crs), settings)
    assert old in server.files[server.vrt_key]
    server.files[server.vrt_key] = server.files[server.vrt_key].replace(old, new)
    assert window_state(url, "2", ReadRequest(bounds, site.crs), settings) == ""


@pytest.mark.parametrize(
    ("fault", "match"), [(404, "is gone from 127"), (403, "answers 403"), (503, "no answer after 3 tries")]
)
def test_a_vrt_that_can_not_be_read_after_all(server, settings, tmp_path, fault, match):
    server.put_3dep(tmp_path)
    server.fail("GET", ".vrt", fault)
    with pytest.raises(OutsideServiceError, match=match) as caught:
        open_dem(site_at(-93.5, 42.5), "3dep", settings=settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_absolute_names_in_a_vrt(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    folder = f"/vsicurl/{server.url}/{server.vrt_key.rsplit('/', 1)[0]}/current"
    server.files[server.vrt_key] = server.files[server.vrt_key].replace(
        b'relativeToVRT="1">current', f'relativeToVRT="0">{folder}'.encode()
    )
    first = open_dem(site_at(-93.5, 42.5), "3dep", settings=settings)
    server.requests.clear()
    same(open_dem(site_at(-93.5, 42.5), "3dep", settings=settings), first)
    assert {command for command, _ in server.requests} == {"HEAD"}


def test_any_vrt_by_its_address_is_cached_alike(server, settings, tmp_path):
    server.put_3dep(tmp_path)
    site, url = site_at(-93.5, 42.5), f"{server.url}/{server.vrt_key}"
    first = open_dem(site, url, settings=settings)
    server.requests.clear()
    same(open_dem(site, url, settings=settings), first)
    assert {command for command, _ in server.requests} == {"HEAD"}
