"""Surface products against gdaldem and xarray-spatial, in the same run on the same heights.

    pytest -m benchmark tests/benchmarks/test_terrain_surface.py

gdaldem goes from file to file, so it is compared with our way from file to file (uncompressed GeoTIFF, both in the page
cache); xarray-spatial from array to array. Rounds of ours and theirs alternate, and medians are compared.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import rasterio
from affine import Affine

from pacifico.terrain.stream import surface_files
from pacifico.terrain.surface import surface_arrays

pytestmark = pytest.mark.benchmark

FIVE = ["slope", "aspect", "hillshade", "tri", "tpi"]
GDAL = {"slope": "slope", "aspect": "aspect", "hillshade": "hillshade", "tri": "TRI", "tpi": "TPI"}


def heights(n):
    y, x = np.mgrid[0:n, 0:n].astype("float32")
    noise = np.random.default_rng(0).normal(size=(n, n)).astype("float32")
    return 300 + 20 * np.sin(x / 170) * np.cos(y / 210) + 0.01 * x + 0.2 * noise


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


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(benchmark, ours, theirs, *, rounds=7):
    """Medians of alternating rounds, after one of each that warms up."""
    ours()
    theirs()
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    mine, peer = (statistics.median(times) for times in zip(*pairs, strict=True))
    benchmark.extra_info.update(ours_ms=round(mine * 1e3, 1), peer_ms=round(peer * 1e3, 1), times=round(peer / mine, 2))
    benchmark.pedantic(ours, rounds=3)
    print(f"\n{benchmark.name}: ours {mine * 1e3:.1f} ms, peer {peer * 1e3:.1f} ms, {peer / mine:.2f} times")
    return mine, peer


def test_slope_is_at_least_as_fast_as_xarray_spatial(benchmark, z):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports warn
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
        mine, peer = compare(benchmark, lambda: surface_arrays(z, 10, 10, ["slope"]), lambda: xrspatial.slope(raster))
    assert mine <= peer


def gdaldem(dem, out, product):
    subprocess.run(["gdaldem", GDAL[product], dem, out, "-q"], check=True)


def test_slope_is_at_least_as_fast_as_gdaldem(benchmark, dem, tmp_path):
    mine, peer = compare(
        benchmark,
        lambda: surface_files(dem, tmp_path / "ours", ["slope"], cog=False),
        lambda: gdaldem(dem, tmp_path / "peer.tif", "slope"),
    )
    assert mine <= peer


def test_five_products_fused_are_three_times_faster_than_gdaldem_five_times(benchmark, dem, tmp_path):
    def theirs():
        for product in FIVE:
            gdaldem(dem, tmp_path / f"{product}.tif", product)

    mine, peer = compare(benchmark, lambda: surface_files(dem, tmp_path / "ours", FIVE, cog=False), theirs, rounds=5)
    assert mine * 3 <= peer


def test_five_products_fused_in_memory(benchmark, z):
    """No peer: what the passes cost without files."""
    benchmark.pedantic(lambda: surface_arrays(z, 10, 10, FIVE), rounds=7, warmup_rounds=1)


@pytest.mark.parametrize("peer", ["pacifico", "xarray-spatial", "gdaldem"])
def test_cold(benchmark, dem, tmp_path, peer):
    """A fresh process, file to array or file: imports and loading of compiled code included."""
    load = "import sys, rasterio; z = rasterio.open(sys.argv[1]).read(1);"
    code = {
        "pacifico": load + "from pacifico.terrain.surface import slope_deg; slope_deg(z, 10.0, 10.0)",
        "xarray-spatial": load + "import warnings; warnings.simplefilter('ignore'); import xrspatial, xarray as xr;"
        "xrspatial.slope(xr.DataArray(z, dims=('y', 'x'), attrs={'res': (10, 10)}))",
    }
    if peer == "xarray-spatial":
        pytest.importorskip("xrspatial")
    command = (
        [sys.executable, "-c", code[peer], dem] if peer in code else ["gdaldem", "slope", dem, tmp_path / "o.tif", "-q"]
    )
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=3, warmup_rounds=1)


@pytest.mark.parametrize("megacells", [1, 4, 16, 100])
def test_time_grows_with_the_cells(benchmark, megacells):
    """Nanoseconds a cell, and the share of what a plain copy of as many bytes reaches."""
    n = round((megacells * 1e6) ** 0.5)
    z = np.full((n, n), 1.0, dtype="float32")
    z += np.linspace(0, 100, n, dtype="float32")
    z += np.random.default_rng(0).normal(size=n).astype("float32")[:, None]
    copies = [seconds(z.copy) for _ in range(6)]  # into fresh memory, as the product is
    benchmark.pedantic(lambda: surface_arrays(z, 10, 10, ["slope"]), rounds=5, warmup_rounds=1)
    taken = benchmark.stats.stats.median
    info = {
        "ns_per_cell": round(taken / z.size * 1e9, 2),
        "GB_per_s": round(8 * z.size / taken / 1e9, 2),
        "copy_GB_per_s": round(8 * z.size / min(copies) / 1e9, 2),
        "share_of_copy": round(min(copies) / taken, 3),
    }
    benchmark.extra_info.update(info)
    print(f"\n{megacells} megacells: {taken * 1e3:.1f} ms", info)
