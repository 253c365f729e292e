"""Speed of surface products against gdaldem and xarray-spatial, in the same run on the same heights.

    pytest -m benchmark -s tests/benchmarks/test_terrain_surface.py

gdaldem works from file to file and is compared with the file functions (uncompressed GeoTIFF, in the page cache).
xarray-spatial works from array to array. Rounds alternate, and the best of each counts, because other load only adds time.
CPU time is printed too: pacifico uses all cores, gdaldem one.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS

from pacifico.grid import Grid
from pacifico.terrain.sources import ErrorModel
from pacifico.terrain.stream import surface_files
from pacifico.terrain.surface import surface_arrays
from pacifico.terrain.uncertainty import buildable_area_ha

pytestmark = pytest.mark.benchmark

FIVE = ["slope", "aspect", "hillshade", "tri", "tpi"]
GDAL = {"slope": "slope", "aspect": "aspect", "hillshade": "hillshade", "tri": "TRI", "tpi": "TPI"}
CORES = os.cpu_count() or 1


class Spent(NamedTuple):
    """Time of one call [s]."""

    wall: float
    cpu: float


def heights(n):
    y, x = np.arange(n, dtype="float32")[:, None], np.arange(n, dtype="float32")
    noise = np.random.default_rng(0).normal(size=(512, n)).astype("float32")
    z = 300 + 20 * np.sin(x / 170) * np.cos(y / 210) + 0.01 * x
    for row in range(0, n, 512):
        z[row : row + 512] += 0.2 * noise[: min(512, n - row)]
    return z


@pytest.fixture(scope="module")
def z():
    return heights(4000)


@pytest.fixture(scope="module")
def dem(z, tmp_path_factory):
    if shutil.which("gdaldem") is None:
        pytest.skip("gdaldem (Debian: gdal-bin) is not on this machine")
    path = tmp_path_factory.mktemp("peer") / "dem.tif"
    with rasterio.open(path, "w", driver="GTiff", height=4000, width=4000, count=1, dtype="float32", crs="EPSG:32615",
                       transform=Affine(10, 0, 446000, 0, -10, 4650000), nodata=-9999) as out:  # fmt: skip
        out.write(z, 1)
    return path


def cpu_seconds():
    """CPU time of this process and of its finished child processes [s]."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def spent(function):
    start, cpu = time.perf_counter(), cpu_seconds()
    function()
    return Spent(time.perf_counter() - start, cpu_seconds() - cpu)


def rounds_of(functions, *, rounds):
    """Best wall and CPU time of each function, after a warm-up [s]."""
    for function in functions.values():
        function()
    times = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            times[name].append(spent(function))
    return {name: Spent(*(min(values) for values in zip(*found, strict=True))) for name, found in times.items()}


def compare(benchmark, title, functions, *, rounds=5):
    """Wall time of each function by name [s]; prints them too."""
    best = rounds_of(functions, rounds=rounds)
    ours = next(iter(best.values()))
    print(f"\n{title}")
    for name, took in best.items():
        print(
            f"  {name:24} {took.wall * 1e3:8.1f} ms, CPU {took.cpu * 1e3:8.1f} ms; {took.wall / ours.wall:5.2f} times the time of pacifico"
        )
    benchmark.extra_info.update({name: round(took.wall * 1e3, 1) for name, took in best.items()})
    benchmark.pedantic(next(iter(functions.values())), rounds=1)
    return {name: took.wall for name, took in best.items()}


def gdaldem(dem, out, product):
    subprocess.run(["gdaldem", GDAL[product], dem, out, "-q"], check=True)


def test_slope_is_at_least_as_fast_as_xarray_spatial(benchmark, z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # xarray-spatial's imports warn
        xrspatial = pytest.importorskip("xrspatial")
        import xarray as xr

        raster = xr.DataArray(
            z,
            dims=("y", "x"),
            coords={"y": np.arange(4000.0)[::-1] * 10, "x": np.arange(4000.0) * 10},
            attrs={"res": (10, 10)},
        )
        theirs = xrspatial.slope(raster).values
        ours = surface_arrays(z, 10, 10, ["slope"])["slope"]
        np.testing.assert_allclose(ours[1:-1, 1:-1], theirs[1:-1, 1:-1], atol=0.01)
        functions = {
            "pacifico": lambda: surface_arrays(z, 10, 10, ["slope"]),
            "pacifico, one thread": lambda: surface_arrays(z, 10, 10, ["slope"], threads=1),
            "xarray-spatial": lambda: xrspatial.slope(raster),
        }
        best = compare(benchmark, "slope of 4000 x 4000, array to array, warm", functions, rounds=7)
    assert best["pacifico"] <= best["xarray-spatial"]


def test_slope_is_at_least_as_fast_as_gdaldem(benchmark, dem, tmp_path):
    functions = {
        "pacifico": lambda: surface_files(dem, tmp_path / "ours", ["slope"], cog=False),
        "gdaldem": lambda: gdaldem(dem, tmp_path / "peer.tif", "slope"),
    }
    best = compare(benchmark, "slope of 4000 x 4000, file to file, warm", functions)
    assert best["pacifico"] <= best["gdaldem"]


def test_five_products_fused_are_three_times_faster_than_gdaldem_five_times(benchmark, dem, tmp_path):
    def theirs():
        for product in FIVE:
            gdaldem(dem, tmp_path / f"{product}.tif", product)

    functions = {
        "pacifico": lambda: surface_files(dem, tmp_path / "ours", FIVE, cog=False),
        "gdaldem, five runs": theirs,
    }
    best = compare(benchmark, f"{', '.join(FIVE)} of 4000 x 4000, file to file, warm", functions, rounds=3)
    assert best["pacifico"] * 3 <= best["gdaldem, five runs"]


def test_five_products_fused_in_memory(benchmark, z):
    """Compare five products in one pass with five passes, without files."""
    functions = {
        "pacifico, fused": lambda: surface_arrays(z, 10, 10, FIVE),
        "pacifico, one by one": lambda: [surface_arrays(z, 10, 10, [name]) for name in FIVE],
    }
    compare(benchmark, "the same in memory", functions, rounds=3)


def test_slope_in_a_new_process(benchmark, dem, tmp_path):
    """Measure slope in a new process, imports and kernel loading included.

    Python's compiled files are kept from the warm-up, as for an installed package.
    """
    load = "import sys, rasterio; z = rasterio.open(sys.argv[1]).read(1);"
    code = {
        "pacifico": load + "from pacifico.terrain.surface import slope_deg; slope_deg(z, 10.0, 10.0)",
        "only reads the file": load,
        "xarray-spatial": load + "import warnings; warnings.simplefilter('ignore'); import xrspatial, xarray as xr;"
        "xrspatial.slope(xr.DataArray(z, dims=('y', 'x'), attrs={'res': (10, 10)}))",
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(tmp_path / "compiled")

    def run(*command):
        subprocess.run(command, check=True, capture_output=True, env=environment)

    functions = {name: lambda text=text: run(sys.executable, "-c", text, dem) for name, text in code.items()}
    functions["gdaldem"] = lambda: run("gdaldem", "slope", dem, tmp_path / "o.tif", "-q")
    compare(benchmark, "slope of 4000 x 4000, in a new process", functions, rounds=3)


def copied(z):
    """Copy of an array by all cores: the limit of memory bandwidth."""
    out = np.empty_like(z)
    rows = np.linspace(0, len(z), CORES + 1).astype(int)
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(lambda k: np.copyto(out[rows[k] : rows[k + 1]], z[rows[k] : rows[k + 1]]), range(CORES)))
    return out


@pytest.mark.parametrize("megacells", [1, 4, 16, 100])
def test_time_per_cell(benchmark, megacells):
    """Measure time per cell, and bandwidth relative to a plain copy."""
    z = heights(round((megacells * 1e6) ** 0.5))
    functions = {"slope": lambda: surface_arrays(z, 10, 10, ["slope"]), "copy": lambda: copied(z)}
    best = rounds_of(functions, rounds=3 if megacells > 50 else 7)
    info = {
        "megacells": megacells,
        "ms": round(best["slope"].wall * 1e3, 1),
        "ns_per_cell": round(best["slope"].wall / z.size * 1e9, 2),
        "GB_per_s": round(8 * z.size / best["slope"].wall / 1e9, 2),
        "copy_GB_per_s": round(8 * z.size / best["copy"].wall / 1e9, 2),
        "share_of_copy": round(best["copy"].wall / best["slope"].wall, 3),
    }
    benchmark.extra_info.update(info)
    benchmark.pedantic(functions["slope"], rounds=1)
    print("\n" + ", ".join(f"{name} {value}" for name, value in info.items()))


def test_interval_of_buildable_area(benchmark):
    """Time of 40 error draws under 8 slope limits, relative to 40 slope arrays: 300 ha at 10 m with its surroundings."""
    grid = Grid(CRS.from_epsg(32615), 446_000.0, 4_650_000.0, 10.0, 10.0, 336, 336)
    z = heights(336)
    usable = np.zeros(grid.shape, dtype=bool)
    usable[40:290, 60:180] = True
    limits = {f"asset{n}": float(n) for n in range(1, 9)}
    error = ErrorModel(0.8, 100, "test")
    functions = {
        "interval": lambda: buildable_area_ha(z, grid, usable, limits, error=error),
        "slopes": lambda: [surface_arrays(z, 10, 10, ["slope"]) for _ in range(40)],
    }
    compare(benchmark, "interval of buildable area", functions, rounds=5)
