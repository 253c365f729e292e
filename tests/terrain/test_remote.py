"""Named sources and web addresses, against a local server with byte ranges and faults on demand."""

from __future__ import annotations

import hashlib
import logging
import math
import re
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from numpy.testing import assert_allclose, assert_array_equal
from pyproj import CRS

from pacifico.crs import transformer, utm
from pacifico.errors import OutsideServiceError
from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.cache import FolderCache
from pacifico.terrain.clip import clip_source, open_clip
from pacifico.terrain.dem import open_dem
from pacifico.terrain.named import glo30_id, glo30_tiles
from pacifico.terrain.remote import SourceSettings
from pacifico.terrain.vrt import window_state

LONLAT = CRS.from_epsg(4326)
VRT_KEY = "StagedProducts/Elevation/13/TIFF/USGS_Seamless_DEM_13.vrt"


class Server:
    """Files by key over HTTP: HEAD, ranges, ETags; `faults` are used up one a request by the first pattern that fits."""

    def __init__(self):
        self.files, self.faults, self.requests = {}, [], []
        self.unstall = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args):
                pass

            def answer(self, *, body):
                key = self.path.lstrip("/").split("?", 1)[0]
                outer.requests.append((self.command, key))
                fault = outer.fault(self.command, key)
                if isinstance(fault, int):
                    self.send_response(fault)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                if fault == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RD)
                    return
                if fault == "stall":
                    outer.unstall.wait(20)
                    self.close_connection = True
                    return
                data = outer.files.get(key)
                if data is None:
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                start, stop = 0, len(data)
                asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if asked:
                    start = int(asked[1])
                    stop = min(int(asked[2]) + 1 if asked[2] else stop, stop)
                self.send_response(206 if asked else 200)
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')
                if asked:
                    self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}")
                self.send_header("Content-Length", str(stop - start))
                self.end_headers()
                if body:
                    part = data[start:stop]
                    if fault == "cut":
                        self.wfile.write(part[: len(part) // 2])
                        self.close_connection = True
                        return
                    self.wfile.write(part)

            def do_HEAD(self):
                self.answer(body=False)

            def do_GET(self):
                self.answer(body=True)

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # broken pipes of clients that gave up

        self.httpd = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def fault(self, command, key):
        for number, (method, pattern, fault) in enumerate(self.faults):
            if method in {command, "*"} and pattern in key:
                if fault[0] > 0:
                    self.faults[number] = (method, pattern, (fault[0] - 1, fault[1]))
                    return fault[1]
                continue
        return None

    def fail(self, method, pattern, what, *, times=10**9):
        self.faults.append((method, pattern, (times, what)))

    def close(self):
        self.unstall.set()
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture
def settings(server, tmp_path):
    return SourceSettings(
        tdep_url=f"{server.url}/{VRT_KEY}",
        tdep30_url=f"{server.url}/none.vrt",
        glo30_url=server.url,
        timeout_s=5,
        retries=2,
        backoff_s=0.01,
        cache=FolderCache(tmp_path / "cache"),
    )


def ground(lon, lat):
    """Smooth heights [m] by place, so that a seam or a shift shows."""
    return 400 + 60 * np.sin(lon * 60) + 45 * np.cos(lat * 70)


def tile_bytes(tmp_path, west, north, dx, dy, shape, surface=ground, *, nodata=None):
    column, row = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    z = surface(west + dx * column, north - dy * row).astype("float32")
    path = tmp_path / "tile.tif"
    with rasterio.open(path, "w", driver="GTiff", height=shape[0], width=shape[1], count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(dx, 0, west, 0, -dy, north), tiled=True, blockxsize=256, blockysize=256, compress="deflate",
                       nodata=nodata) as out:  # fmt: skip
        out.write(z, 1)
    return path.read_bytes()


def put_glo30(server, tmp_path, lon, lat, *, columns=3600):
    """A tile with GLO-30's key and grid, of a tenth of its cells: half a cell beyond its corner to west and north."""
    n, m = 360, columns // 10
    dx, dy = 1 / m, 1 / n
    key = glo30_id(lon, lat)
    server.files[f"{key}/{key}.tif"] = tile_bytes(tmp_path, lon - dx / 2, lat + 1 + dy / 2, dx, dy, (n, m))


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
            put_glo30(server, tmp_path, lon, lat)
    site = site_at(-95.0, 44.0)
    dem = open_dem(site, "glo30", settings=settings)
    assert np.isfinite(dem.values).all()
    # Tiles of ten-fold cells (310 m): bilinear interpolation of this ground is good to some 2 m, a seam or shift is not.
    assert np.abs(difference(dem)).max() < 3
    assert np.abs(np.diff(dem.values, 2, axis=0)).max() < 1
    assert np.abs(np.diff(dem.values, 2, axis=1)).max() < 1
    assert dem.attrs["surface_model"] is True
    assert any("surface model" in w for w in dem.attrs["warnings"])
    assert dem.attrs["source"] == "glo30"
    assert dem.attrs["units_assumed"].startswith("metres")


def test_glo30_where_the_columns_change_width(server, settings, tmp_path):
    put_glo30(server, tmp_path, 7, 49)
    put_glo30(server, tmp_path, 7, 50, columns=2400)
    dem = open_dem(site_at(7.5, 50.0), "glo30", settings=settings)
    assert np.isfinite(dem.values).all()
    assert np.abs(difference(dem)).max() < 4


def put_3dep(server, tmp_path):
    """The seamless VRT over two tiles with the keys and overlap of 3DEP, of a tenth of its cells."""
    n, step, over = 1080, 1 / 1080, 6
    shape = (n + 2 * over, n + 2 * over)
    names = []
    for lon in (-94, -93):
        name = f"current/n43w0{-lon}/USGS_13_n43w0{-lon}.tif"
        server.files[f"{VRT_KEY.rsplit('/', 1)[0]}/{name}"] = tile_bytes(
            tmp_path, lon - over * step, 43 + over * step, step, step, shape, nodata=-999999.0
        )
        names.append((lon, name))
    sources = "".join(
        f'<ComplexSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<SourceProperties RasterXSize="{shape[1]}" RasterYSize="{shape[0]}" DataType="Float32" BlockXSize="256" BlockYSize="256"/>'
        f'<SrcRect xOff="0" yOff="0" xSize="{shape[1]}" ySize="{shape[0]}"/>'
        f'<DstRect xOff="{(lon + 94) * n}" yOff="0" xSize="{shape[1]}" ySize="{shape[0]}"/><NODATA>-999999</NODATA></ComplexSource>'
        for lon, name in names
    )
    server.files[VRT_KEY] = (
        f'<VRTDataset rasterXSize="{2 * n + 2 * over + 4 * n}" rasterYSize="{n + 2 * over}"><SRS>EPSG:4269</SRS>'
        f"<GeoTransform>{-94 - over * step}, {step}, 0, {43 + over * step}, 0, {-step}</GeoTransform>"
        f'<VRTRasterBand dataType="Float32" band="1"><NoDataValue>-999999</NoDataValue>{sources}</VRTRasterBand></VRTDataset>'
    ).encode()


def test_3dep_through_its_vrt(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    dem = open_dem(site_at(-93.0, 42.5), "3dep", settings=settings)
    assert np.isfinite(dem.values).all()
    assert np.abs(difference(dem)).max() < 0.3
    assert dem.attrs["surface_model"] is False
    assert dem.attrs["units_assumed"] == "metres: band unit tag"


def test_only_what_is_needed_is_transferred(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    open_dem(site_at(-93.5, 42.5, half=300), "3dep", settings=settings)
    tiles = {key for command, key in server.requests if key.endswith(".tif")}
    assert len(tiles) == 1


def test_the_cache_saves_the_transfer_and_notices_a_new_state(server, settings, tmp_path):
    put_glo30(server, tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    server.requests.clear()
    second = open_dem(site, "glo30", settings=settings)
    assert {command for command, _ in server.requests} == {"HEAD"}
    assert first.identical(second)
    key = glo30_id(-96, 44)
    server.files[f"{key}/{key}.tif"] = tile_bytes(
        tmp_path, -96 - 1 / 720, 45 + 1 / 720, 1 / 360, 1 / 360, (360, 360), lambda x, y: ground(x, y) + 5
    )
    third = open_dem(site, "glo30", settings=settings)
    assert_allclose(third.values - first.values, 5, atol=1e-3)


def same(dem, other):
    assert_array_equal(dem.values, other.values)
    assert dem.attrs["sha256"] == other.attrs["sha256"]
    assert Grid.of(dem) == Grid.of(other)


def test_3dep_is_cached_by_the_tiles_behind_its_vrt(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    site = site_at(-93.5, 42.5)
    first = open_dem(site, "3dep", settings=settings)
    server.requests.clear()
    same(open_dem(site, "3dep", settings=settings), first)
    assert server.requests == [
        ("HEAD", VRT_KEY),
        ("HEAD", "StagedProducts/Elevation/13/TIFF/current/n43w094/USGS_13_n43w094.tif"),
    ]
    tiles = sorted(key for key in server.files if key.endswith(".tif"))
    west, east = tiles[1], tiles[0]
    server.files[east] = server.files[west]  # a tile elsewhere: its ETag is not even asked for
    server.files[VRT_KEY] = server.files[VRT_KEY].replace(b"USGS_13_n43w093.tif", b"USGS_13_n43w093_2026.tif")
    server.requests.clear()
    same(open_dem(site, "3dep", settings=settings), first)
    assert [request for request in server.requests if request[0] == "GET"] == [("GET", VRT_KEY)]
    step, over, n = 1 / 1080, 6, 1092
    server.files[west] = tile_bytes(
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
    put_3dep(server, tmp_path)
    site = site_at(-93.5, 42.5)
    bounds, url = site.boundary.bounds, settings.tdep_url
    assert window_state(url, "1", bounds, site.crs, settings)
    assert old in server.files[VRT_KEY]
    server.files[VRT_KEY] = server.files[VRT_KEY].replace(old, new)
    assert window_state(url, "2", bounds, site.crs, settings) == ""


@pytest.mark.parametrize(
    ("fault", "match"), [(404, "is gone from 127"), (403, "answers 403"), (503, "no answer after 3 tries")]
)
def test_a_vrt_that_can_not_be_read_after_all(server, settings, tmp_path, fault, match):
    put_3dep(server, tmp_path)
    server.fail("GET", ".vrt", fault)
    with pytest.raises(OutsideServiceError, match=match) as caught:
        open_dem(site_at(-93.5, 42.5), "3dep", settings=settings)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()


def test_absolute_names_in_a_vrt(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    folder = f"/vsicurl/{server.url}/{VRT_KEY.rsplit('/', 1)[0]}/current"
    server.files[VRT_KEY] = server.files[VRT_KEY].replace(
        b'relativeToVRT="1">current', f'relativeToVRT="0">{folder}'.encode()
    )
    first = open_dem(site_at(-93.5, 42.5), "3dep", settings=settings)
    server.requests.clear()
    same(open_dem(site_at(-93.5, 42.5), "3dep", settings=settings), first)
    assert {command for command, _ in server.requests} == {"HEAD"}


def test_any_vrt_by_its_address_is_cached_alike(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    site, url = site_at(-93.5, 42.5), f"{server.url}/{VRT_KEY}"
    first = open_dem(site, url, settings=settings)
    server.requests.clear()
    same(open_dem(site, url, settings=settings), first)
    assert {command for command, _ in server.requests} == {"HEAD"}


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_cache_file_is_never_read(server, settings, tmp_path, damage):
    put_glo30(server, tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    files = list((tmp_path / "cache").iterdir())
    assert len(files) == 1
    files[0].write_bytes(damage(files[0].read_bytes()))
    server.requests.clear()
    assert_array_equal(open_dem(site, "glo30", settings=settings), first)
    assert any(command == "GET" for command, _ in server.requests)


def test_many_readers_and_writers_of_one_cache(tmp_path):
    cache = FolderCache(tmp_path / "deep" / "cache")
    values = [bytes([n]) * 200_000 for n in range(8)]

    def work(n):
        cache.put("key", values[n % 8])
        return cache.get("key")

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(work, range(200)))
    assert all(value in values for value in seen)
    assert [path.suffix for path in cache.folder.iterdir()] == [".npz"]


@pytest.mark.parametrize(
    ("method", "fault"),
    [*((method, fault) for method in ("HEAD", "GET") for fault in (503, 500, 429, "reset")), ("GET", "cut")],
)
def test_passing_faults_are_outlived(server, settings, tmp_path, caplog, method, fault):
    put_glo30(server, tmp_path, -96, 44)
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
    put_glo30(server, tmp_path, -96, 44)
    server.fail(method, "Copernicus", fault)
    with pytest.raises(OutsideServiceError, match=match) as caught:
        open_dem(site_at(-95.5, 44.5), "glo30", settings=settings)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 3
    assert not (tmp_path / "cache").exists()


def test_a_server_that_stalls_is_given_up(server, settings, tmp_path):
    put_glo30(server, tmp_path, -96, 44)
    server.fail("*", "Copernicus", "stall")
    hasty = SourceSettings(glo30_url=server.url, timeout_s=0.3, retries=1, backoff_s=0.01, cache=None)
    with pytest.raises(OutsideServiceError, match="timed out"):
        open_dem(site_at(-95.5, 44.5), "glo30", settings=hasty)


def test_missing_tiles_and_no_coverage(server, settings, tmp_path):
    put_glo30(server, tmp_path, -96, 44)
    with pytest.raises(OutsideServiceError, match="no tile Copernicus_DSM_COG_10_N44_00_W095_00_DEM"):
        open_dem(site_at(-95.0, 44.5), "glo30", settings=settings)
    with pytest.raises(OutsideServiceError, match="covers the world's land"):
        open_dem(site_at(-40.5, 30.5), "glo30", settings=settings)
    beside = site_at(-95.0 - 900 / (111_320 * math.cos(math.radians(44.5))), 44.5)
    coast = open_dem(beside, "glo30", settings=settings)
    assert coast.attrs["nodata_share"] == 0.0
    assert np.isnan(coast.values[:, -3:]).all()
    assert any("open sea" in w for w in coast.attrs["warnings"])


def test_3dep_outside_its_country_and_with_a_lost_tile(server, settings, tmp_path):
    put_3dep(server, tmp_path)
    for place in ((7.5, 50.0), (-90.5, 42.5)):  # beyond the VRT; inside it, but nodata
        with pytest.raises(OutsideServiceError, match="covers the United States"):
            open_dem(site_at(*place), "3dep", settings=settings)
    server.fail("*", "n43w093", 404)
    with pytest.raises(OutsideServiceError, match="no answer after 3 tries"):
        open_dem(site_at(-92.5, 42.5), "3dep", settings=settings)
    with pytest.raises(OutsideServiceError, match=r"there is no none\.vrt"):
        open_dem(site_at(-92.5, 42.5), "3dep-30", settings=settings)


def test_any_cog_by_its_address(server, settings, tmp_path):
    server.files["a/b.tif"] = tile_bytes(tmp_path, -96, 45, 1 / 3600, 1 / 3600, (1200, 1200))
    site = site_at(-95.9, 44.9)
    dem = open_dem(site, f"{server.url}/a/b.tif?token=secret", settings=settings)
    assert dem.attrs["source"] == "b.tif"
    assert np.abs(difference(dem)).max() < 0.05
    with pytest.raises(OutsideServiceError, match="no such file"):
        open_dem(site, f"{server.url}/a/c.tif", settings=settings)


def test_a_clip_of_a_named_source_opens_to_the_same(server, settings, tmp_path):
    put_glo30(server, tmp_path, -96, 44)
    site = site_at(-95.5, 44.5)
    first = open_dem(site, "glo30", settings=settings)
    kept = open_clip(site, clip_source(site, "glo30", tmp_path / "clip.tif", settings=settings))
    assert first.identical(kept)


def test_settings_come_from_an_environment_that_is_handed_in(tmp_path):
    given = SourceSettings.from_environment(
        {"PACIFICO_GLO30_URL": "http://mirror/", "PACIFICO_DEM_CACHE": str(tmp_path)}
    )
    assert given.glo30_url == "http://mirror"
    assert given.cache == FolderCache(tmp_path)
    assert SourceSettings.from_environment({"PACIFICO_DEM_CACHE": ""}).cache is None
    assert SourceSettings.from_environment({}).tdep_url.startswith("https://prd-tnm")
