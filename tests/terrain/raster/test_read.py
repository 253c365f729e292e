"""Reading of windows."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from pyproj import CRS

from pacifico.crs import LONLAT, transformer, utm
from pacifico.errors import DEMError
from pacifico.grid import Grid, warnings_of
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem

UTM15 = CRS.from_epsg(32615)

CENTRE = (446_000.0, 4_650_000.0)


def test_a_huge_raster_costs_its_window(site, tmp_path):
    import rasterio

    path = tmp_path / "huge.tif"
    transform = Affine(10.0, 0.0, CENTRE[0] - 1_000_000, 0.0, -10.0, CENTRE[1] + 1_000_000)
    with rasterio.open(path, "w", driver="GTiff", height=200_000, width=200_000, count=1, dtype="float32", crs="EPSG:32615",
                       transform=transform, sparse_ok=True, tiled=True, blockxsize=4096, blockysize=4096) as out:  # fmt: skip
        out.write(np.full((1, 200, 200), 7, dtype="float32"), window=((99_900, 100_100), (99_900, 100_100)))
    dem = open_dem(site, path)
    assert dem.size < 40_000
    assert float(np.nanmax(dem)) == 7


def degrees_raster(tmp_path, west, *, columns=400, name="deg.tif", top=42.05, step=1 / 3600):
    rows = 400
    x = west + (np.arange(columns) + 0.5) * step
    y = top - (np.arange(rows) + 0.5) * step
    z = (400 + 50 * np.sin(np.radians(x)[None, :] * 2292) + 40 * np.cos(y[:, None] * 50)).astype("float32")
    with rasterio.open(tmp_path / name, "w", driver="GTiff", height=rows, width=columns, count=1, dtype="float32", crs="EPSG:4326",
                       transform=Affine(step, 0, west, 0, -step, top)) as out:  # fmt: skip
        out.write(z, 1)
    return tmp_path / name


def site_at(lon, lat, half=300):
    crs = utm(lon, lat)
    x, y = transformer(LONLAT, crs).transform(lon, lat)
    return Site("site", crs, shapely.box(x - half, y - half, x + half, y + half))


def off(dem):
    grid = Grid.of(dem)
    lon, lat = transformer(grid.crs, LONLAT).transform(*np.meshgrid(grid.x_centres(), grid.y_centres()))
    return dem.values - (400 + 50 * np.sin(np.radians(lon) * 2292) + 40 * np.cos(lat * 50))


def test_longitudes_from_0_to_360(tmp_path):
    site = site_at(-93.65, 42.0)
    ordinary = open_dem(site, degrees_raster(tmp_path, -93.7))
    shifted = open_dem(site, degrees_raster(tmp_path, 266.3, name="east.tif"))
    assert np.abs(off(shifted)).max() < 0.05
    np.testing.assert_allclose(shifted.values, ordinary.values, atol=0.01)


@pytest.mark.parametrize(("lon", "west"), [(180.0, 179.95), (-179.9999, 179.95), (179.9999, -180.05), (-0.0001, -0.05)])
def test_a_raster_across_the_seam_of_longitudes(tmp_path, lon, west):
    dem = open_dem(site_at(lon, 42.0), degrees_raster(tmp_path, west))
    assert np.isfinite(dem.values).all()
    assert np.abs(off(dem)).max() < 0.05


@pytest.mark.parametrize(("lon", "west"), [(0.0, 0.0), (180.0, -180.0)])
def test_a_site_on_the_edge_of_a_raster_of_the_world(tmp_path, lon, west):
    """Both ends of the rows are read and put together."""
    step = 1 / 120
    dem = open_dem(
        site_at(lon, 41.0, half=2000), degrees_raster(tmp_path, west, columns=43_200, step=step), resolution_m=30
    )
    assert np.isfinite(dem.values).all()
    assert np.abs(off(dem)).max() < 12


def test_fine_cells_are_averaged_while_reading(tmp_path, site, monkeypatch):
    monkeypatch.setattr("pacifico.terrain.raster.read.MOST_READ", 170_000)
    small = Site("small", UTM15, shapely.box(CENTRE[0] - 50, CENTRE[1] - 50, CENTRE[0] + 50, CENTRE[1] + 50))
    n = 4000
    column, row = np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5)
    z = (300 + 0.0125 * column + 0.005 * row).astype("float32")
    with rasterio.open(tmp_path / "fine.tif", "w", driver="GTiff", height=n, width=n, count=1, dtype="float32", crs="EPSG:32615",
                       transform=Affine(0.25, 0, CENTRE[0] - 500, 0, -0.25, CENTRE[1] + 500), nodata=-9999) as out:  # fmt: skip
        out.write(z, 1)
    dem = open_dem(small, tmp_path / "fine.tif", resolution_m=2.5)
    x, y = np.meshgrid(dem.x.values, dem.y.values)
    np.testing.assert_allclose(dem.values, 300 + 0.05 * (x - CENTRE[0] + 500) + 0.02 * (CENTRE[1] + 500 - y), atol=0.01)
    assert any("averaged over 10 x 10 to 2.5 m while reading" in w for w in warnings_of(dem))
    with pytest.raises(DEMError, match=r"more than the 0 million that fit into memory; use --resolution-m 2\.\d"):
        open_dem(small, tmp_path / "fine.tif")


LIMITED = """
import resource, sys, shapely
from pyproj import CRS
from pacifico import cli
from pacifico.errors import InputError
from pacifico.site.model import Site
from pacifico.crs import LONLAT, transformer, utm
from pacifico.errors import DEMError
from pacifico.grid import Grid, warnings_of
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem

UTM15 = CRS.from_epsg(32615)
site = Site("s", CRS.from_epsg(32615), shapely.box(445500, 4649500, 446500, 4650500))
open_dem(site, sys.argv[1], resolution_m=30)
size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 60_000_000, -1))
try:
    open_dem(site, sys.argv[1], resolution_m=0.5)
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are read from /proc")
def test_too_little_memory_is_one_line(make_raster):
    path = make_raster(
        transform=(0.5, 0.0, CENTRE[0] - 1000, 0.0, -0.5, CENTRE[1] + 1000), shape=(4000, 4000), dtype="float32"
    )
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], check=True, capture_output=True, text=True)
    assert "fit into memory; use a coarser --resolution-m" in done.stdout
    assert done.stdout.count("\n") == 1
