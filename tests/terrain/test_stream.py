"""Surface products block by block."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import rasterio
from numpy.testing import assert_array_equal
from pyproj import CRS
from rasterio.windows import Window

from pacifico.crs import LONLAT
from pacifico.errors import DEMError
from pacifico.grid import Grid
from pacifico.terrain import stream
from pacifico.terrain.dem import open_dem
from pacifico.terrain.stream import surface_blocks, surface_files, write_raster
from pacifico.terrain.surface import PRODUCTS, surface_arrays

UTM15 = CRS.from_epsg(32615)


def grid_of(ny=60, nx=80, dx=4.0, dy=7.0):
    return Grid(UTM15, 446_000.0, 4_650_000.0, dx, dy, ny, nx)


@pytest.mark.parametrize("block_rows", [1, 7, 64, 1000])
def test_blocks_give_the_bytes_of_the_whole(block_rows):
    grid = grid_of(150, 90)
    z = np.random.default_rng(5).normal(size=grid.shape).astype("float32")
    z[40:44, 10:20] = np.nan
    whole = surface_arrays(z, grid.dx, grid.dy, PRODUCTS)
    seen = {name: [] for name in PRODUCTS}
    for _, block in surface_blocks(lambda a, b: z[a:b], grid, PRODUCTS, block_rows=block_rows):
        for name, values in block.items():
            seen[name].append(values)
    if block_rows == 1:
        with pytest.raises(DEMError):
            surface_arrays(z[:1], grid.dx, grid.dy, ["slope"])
    for name in PRODUCTS:
        assert np.concatenate(seen[name]).tobytes() == whole[name].tobytes()


@pytest.mark.parametrize("threads", [1, 4])
def test_the_number_of_threads_does_not_change_a_file(tmp_path, monkeypatch, threads):
    """Many tiles of noise, each of another size once compressed."""
    z = np.random.default_rng(5).normal(size=(1500, 2100)).cumsum(0).astype("float32")
    grid = Grid(UTM15, 446_000.0, 4_650_000.0, 1.0, 1.0, *z.shape)
    usual = write_raster(tmp_path / "usual.tif", z, grid, nodata=np.nan, averaged=True)
    monkeypatch.setitem(stream.COG, "num_threads", threads)
    other = write_raster(tmp_path / "other.tif", z, grid, nodata=np.nan, averaged=True)
    assert usual.read_bytes() == other.read_bytes()


def test_files_by_blocks_are_those_of_the_whole(site, make_raster, tmp_path):
    path = make_raster(dtype="float32")
    surface_files(path, tmp_path / "out", ["slope", "tri"], block_rows=50)
    z = open_dem(site, path, halo_m=600).values
    with rasterio.open(path) as raster:
        z = raster.read(1)
    for name, values in surface_arrays(z, 10, 10, ["slope", "tri"]).items():
        with rasterio.open(tmp_path / "out" / f"{name}.tif") as raster:
            assert_array_equal(raster.read(1), values)
            assert raster.read(1, window=Window(0, 0, 5, 5)).shape == (5, 5)
    with pytest.raises(DEMError, match="open_dem"):
        surface_files(
            make_raster(crs=LONLAT, transform=(1e-4, 0, -93, 0, -1e-4, 42), name="deg.tif"), tmp_path, ["slope"]
        )


HUGE = """
import resource, sys
import numpy as np, rasterio
from affine import Affine
from pathlib import Path
from pacifico.terrain.stream import surface_files
folder, n = Path(sys.argv[1]), 10_000
path = folder / "dem.tif"
with rasterio.Env(GDAL_CACHEMAX=64), rasterio.open(path, "w", driver="GTiff", height=n, width=n, count=1, dtype="float32",
        crs="EPSG:32615", transform=Affine(1, 0, 446000, 0, -1, 4650000), tiled=True, blockxsize=512, blockysize=512) as out:
    x = np.arange(n, dtype="float32")
    for r in range(0, n, 512):
        y = np.arange(r, min(r + 512, n), dtype="float32")[:, None]
        out.write(300 + 20 * np.sin(x / 170) * np.cos(y / 210) + 0.01 * x, 1, window=((r, r + len(y)), (0, n)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
surface_files(path, folder / "out", ["slope", "aspect", "hillshade", "profile_curvature"], cog=False)
print(before / 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_a_hundred_million_cells_in_bounded_memory(tmp_path):
    done = subprocess.run([sys.executable, "-c", HUGE, str(tmp_path)], check=True, capture_output=True, text=True)
    peak_mb = float(done.stdout.split()[1])
    print(f"peak {peak_mb:.0f} MB")
    assert peak_mb < 1500, done.stdout
    with rasterio.open(tmp_path / "dem.tif") as dem:
        z = dem.read(1)
    for name in ("slope", "aspect", "hillshade", "profile_curvature"):
        whole = surface_arrays(z, 1, 1, [name])[name]
        with rasterio.open(tmp_path / "out" / f"{name}.tif") as file:
            assert file.read(1).tobytes() == whole.tobytes(), name
