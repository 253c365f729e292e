"""Time and memory of `pacifico terrain` on 3,000 ha of 1 m lidar.

pytest -m benchmark -s tests/benchmarks/test_terrain_site.py
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from affine import Affine

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]

SIDE_M = 5478
HALO_M = 300
LIMIT_MB = 4000

CODE = """
import json, resource, sys, time
from pathlib import Path
import shapely
from pyproj import CRS
from pacifico.site.model import Site
from pacifico.terrain.dem import open_dem
from pacifico.terrain.products import write_terrain
side = float(sys.argv[2])
site = Site("lidar", CRS.from_epsg(32615), shapely.box(446000, 4650000, 446000 + side, 4650000 + side))
times = {}
start, cpu = time.perf_counter(), time.process_time()
dem = open_dem(site, sys.argv[1])
times["open"] = time.perf_counter() - start, time.process_time() - cpu
start, cpu = time.perf_counter(), time.process_time()
limits = {"solar_array": 10.0, "wind_turbine": 8.0, "generator": 5.0, "battery": 4.0, "substation": 3.0}
summary = write_terrain(site, dem, Path(sys.argv[3]), slope_limits_deg=limits, setback_m=10.0)
times["write"] = time.perf_counter() - start, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"cells": dem.size, "peak_mb": peak, "resolution_m": dem.attrs["resolution_m"], **times}))
"""


def test_three_thousand_hectares_of_lidar(tmp_path):
    n = SIDE_M + 2 * HALO_M + 200
    x = np.arange(n, dtype="float32")
    noise = np.random.default_rng(0).normal(size=(512, n)).astype("float32") * 0.02
    with rasterio.open(tmp_path / "lidar.tif", "w", driver="GTiff", height=n, width=n, count=1, dtype="float32",
                       crs="EPSG:32615", transform=Affine(1, 0, 446_000 - 400, 0, -1, 4_650_000 + SIDE_M + 400),
                       tiled=True, blockxsize=512, blockysize=512) as out:  # fmt: skip
        for row in range(0, n, 512):
            y = np.arange(row, min(row + 512, n), dtype="float32")[:, None]
            z = 300 + 20 * np.sin(x / 170) * np.cos(y / 210) + 0.02 * x + noise[: len(y)]
            out.write(z, 1, window=((row, row + len(y)), (0, n)))
    command = [sys.executable, "-c", CODE, str(tmp_path / "lidar.tif"), str(SIDE_M), str(tmp_path / "out")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    print("\n" + ", ".join(f"{name} {value}" for name, value in found.items()), "(seconds: wall, CPU)")
    assert found["resolution_m"] == 1.0
    assert found["cells"] > 30_000_000
    assert found["peak_mb"] < LIMIT_MB
