"""Make gdaldem.npz anew: `python make_gdaldem.py` in this folder, with Debian's gdal-bin on the path."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine

HERE = Path(__file__).parent
DX, DY = 4.0, 7.0
SQUARE = 5.0
"""For the aspect, whose formula in gdaldem leaves the cell size out."""
COMMANDS = {
    "slope": ["slope"],
    "slope_edges": ["slope", "-compute_edges"],
    "aspect": ["aspect"],
    "hillshade": ["hillshade"],
    "tri": ["TRI", "-alg", "Riley"],
    "tpi": ["TPI"],
    "roughness": ["roughness"],
}


def synthetic() -> np.ndarray:
    """Rolling ground of 48 x 60 cells with a hole."""
    y, x = np.mgrid[0:48, 0:60]
    z = 200 + 3 * np.sin(x / 5) * np.cos(y / 7) + 0.4 * x - 0.25 * y + 2 * np.sin((x + 2 * y) / 3)
    z[20:23, 30:34] = -9999
    return z.astype("float32")


def main() -> None:
    """Run gdaldem on the synthetic ground and keep what it says."""
    z = synthetic()
    kept = {"dx": DX, "dy": DY, "dem": np.where(z == -9999, np.nan, z).astype("float32")}
    with tempfile.TemporaryDirectory() as folder:
        dem = Path(folder) / "dem.tif"
        with rasterio.open(
            dem, "w", driver="GTiff", height=48, width=60, count=1, dtype="float32", nodata=-9999,
            crs="EPSG:32615", transform=Affine(DX, 0, 446000, 0, -DY, 4650000),
        ) as out:  # fmt: skip
            out.write(z, 1)
        square = Path(folder) / "square.tif"
        with rasterio.open(
            square, "w", driver="GTiff", height=48, width=60, count=1, dtype="float32", nodata=-9999,
            crs="EPSG:32615", transform=Affine(SQUARE, 0, 446000, 0, -SQUARE, 4650000),
        ) as out:  # fmt: skip
            out.write(z, 1)
        for name, command in COMMANDS.items():
            made = Path(folder) / f"{name}.tif"
            subprocess.run(
                ["gdaldem", command[0], square if name == "aspect" else dem, made, *command[1:], "-q"], check=True
            )
            with rasterio.open(made) as result:
                kept[name] = result.read(1)
    np.savez_compressed(HERE / "gdaldem.npz", **kept)


if __name__ == "__main__":
    main()
