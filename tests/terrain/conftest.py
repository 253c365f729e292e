"""Sites and rasters that the terrain tests share."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS

from pacifico.crs import transformer
from pacifico.grid import Grid
from pacifico.site.model import Site
from pacifico.terrain.named import glo30_id
from pacifico.terrain.remote.cache import FolderCache
from pacifico.terrain.remote.settings import SourceSettings

UTM15 = CRS.from_epsg(32615)
LONLAT = CRS.from_epsg(4326)
CENTRE = (446_000.0, 4_650_000.0)


@pytest.fixture
def site():
    """100 ha, 1 km square, near Ames, Iowa."""
    x, y = CENTRE
    return Site("square", UTM15, shapely.box(x - 500, y - 500, x + 500, y + 500))


@pytest.fixture
def field_data():
    """Folder of real files that are not part of the project."""
    root = Path(os.environ.get("PACIFICO_FIELD_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
    if not root.is_dir():
        pytest.skip("no field data on this machine")
    return root


def raster(path, z, transform, crs, **options):
    """Write a single-band GeoTIFF; options go to the profile, but units, scale and offset to the band."""
    units, scale, offset = options.pop("units", None), options.pop("scale", None), options.pop("offset", None)
    bands = z if z.ndim == 3 else z[np.newaxis]
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=bands.shape[1],
        width=bands.shape[2],
        count=bands.shape[0],
        dtype=z.dtype,
        crs=crs,
        transform=Affine(*transform[:6]),
        **options,
    ) as out:
        out.write(bands)
        if units is not None:
            out.units = [units] * bands.shape[0]
        if scale is not None:
            out.scales = [scale]
        if offset is not None:
            out.offsets = [offset]
    return path


def hill(x, y):
    """Smooth heights [m] on the ground around the site: 300 m, 2 % up to the east, 1 % up to the north, and a hill."""
    east, north = x - CENTRE[0], y - CENTRE[1]
    return 300 + 0.02 * east + 0.01 * north + 12 * np.exp(-(((east - 100) / 250) ** 2) - ((north + 50) / 300) ** 2)


def plane(x, y):
    """Heights [m] of a plane: 3 % up to the east, 4 % up to the south."""
    return 300 + 0.03 * (x - CENTRE[0]) - 0.04 * (y - CENTRE[1])


def sampled(surface, transform, shape, crs=UTM15):
    """Heights of a surface, given in UTM 15, at the cell centres of a raster in any CRS."""
    a, b, c, d, e, f = transform[:6]
    column, row = np.meshgrid(np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5)
    x, y = a * column + b * row + c, d * column + e * row + f
    if crs != UTM15:
        x, y = transformer(crs, UTM15).transform(x, y)
    return surface(x, y)


@pytest.fixture
def make_raster(tmp_path):
    """Write a raster of a surface and give its path."""

    def make(surface=hill, *, transform=None, shape=(220, 220), crs=UTM15, name="dem.tif", dtype="float64", **options):
        if transform is None:
            transform = (10.0, 0.0, CENTRE[0] - 1100, 0.0, -10.0, CENTRE[1] + 1100)
        z = sampled(surface, transform, shape, crs).astype(dtype)
        return raster(tmp_path / name, z, transform, options.pop("crs_wkt", crs), **options)

    return make


@pytest.fixture
def grid():
    """Uneven cells, so that x and y can't be swapped unseen."""
    return Grid(UTM15, CENTRE[0], CENTRE[1], 4.0, 7.0, 40, 50)


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


class TileServer:
    """Files by key over HTTP: HEAD, ranges, ETags; `faults` are used up one a request by the first pattern that fits."""

    vrt_key = "StagedProducts/Elevation/13/TIFF/USGS_Seamless_DEM_13.vrt"
    tile_bytes = staticmethod(tile_bytes)

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

    def put_glo30(self, folder, lon, lat, *, columns=3600):
        """A tile with GLO-30's key and grid, of a tenth of its cells: half a cell beyond its corner to west and north."""
        n, m = 360, columns // 10
        dx, dy = 1 / m, 1 / n
        key = glo30_id(lon, lat)
        self.files[f"{key}/{key}.tif"] = tile_bytes(folder, lon - dx / 2, lat + 1 + dy / 2, dx, dy, (n, m))

    def put_3dep(self, folder):
        """The seamless VRT over two tiles with the keys and overlap of 3DEP, of a tenth of its cells."""
        n, step, over = 1080, 1 / 1080, 6
        shape = (n + 2 * over, n + 2 * over)
        names = []
        for lon in (-94, -93):
            name = f"current/n43w0{-lon}/USGS_13_n43w0{-lon}.tif"
            self.files[f"{self.vrt_key.rsplit('/', 1)[0]}/{name}"] = tile_bytes(
                folder, lon - over * step, 43 + over * step, step, step, shape, nodata=-999999.0
            )
            names.append((lon, name))
        sources = "".join(
            f'<ComplexSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
            f'<SourceProperties RasterXSize="{shape[1]}" RasterYSize="{shape[0]}" DataType="Float32" BlockXSize="256" BlockYSize="256"/>'
            f'<SrcRect xOff="0" yOff="0" xSize="{shape[1]}" ySize="{shape[0]}"/>'
            f'<DstRect xOff="{(lon + 94) * n}" yOff="0" xSize="{shape[1]}" ySize="{shape[0]}"/><NODATA>-999999</NODATA></ComplexSource>'
            for lon, name in names
        )
        self.files[self.vrt_key] = (
            f'<VRTDataset rasterXSize="{2 * n + 2 * over + 4 * n}" rasterYSize="{n + 2 * over}"><SRS>EPSG:4269</SRS>'
            f"<GeoTransform>{-94 - over * step}, {step}, 0, {43 + over * step}, 0, {-step}</GeoTransform>"
            f'<VRTRasterBand dataType="Float32" band="1"><NoDataValue>-999999</NoDataValue>{sources}</VRTRasterBand></VRTDataset>'
        ).encode()


@pytest.fixture
def server():
    server = TileServer()
    yield server
    server.close()


@pytest.fixture
def settings(server, tmp_path):
    return SourceSettings(
        urls={"3dep": f"{server.url}/{server.vrt_key}", "3dep-30": f"{server.url}/none.vrt", "glo30": server.url},
        timeout_s=5,
        retries=2,
        backoff_s=0.01,
        cache=FolderCache(tmp_path / "cache"),
    )
