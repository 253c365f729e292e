"""Surface products of rasters larger than memory, block by block."""

from __future__ import annotations

import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import DEMError
from pacifico.escaping import for_gdal
from pacifico.grid import Grid
from pacifico.output_files import atomic_files
from pacifico.terrain.surface import surface_arrays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from pacifico.terrain.surface import Floats, Product

BLOCK_ROWS = 512
"""Rows in memory at a time: those of a GeoTIFF tile."""
GDAL_CACHE_MB = 128
MOST_AT_ONCE = 4
"""Files that are compressed at a time."""
COG = {
    "compress": "DEFLATE",
    "predictor": "YES",
    "level": 1,
    "blocksize": 512,
    "bigtiff": "IF_SAFER",
    "num_threads": "ALL_CPUS",
}
"""Options of finished rasters.

The last bits of slopes are noise: compression level 6 takes twice the time to save 0.02 %. Threads compress tiles, which are
written in order: the bytes do not depend on the number of threads.
"""
ALONE_CELLS = 1024**2
"""Most cells of a raster that is written without threads, four tiles: GDAL never ends its threads, so they outlive a raster
and a process that holds them can't be forked."""


def surface_blocks(
    rows: Callable[[int, int], Floats], grid: Grid, products: Sequence[Product], *, block_rows: int = BLOCK_ROWS
) -> Iterator[tuple[int, dict[Product, Floats]]]:
    """Products of a DEM, a block of rows at a time.

    Parameters
    ----------
    rows : callable
        Returns the rows from a first to a last (excluded) [m].
    grid : Grid
        Grid of the whole DEM.
    products : sequence of str
        See `surface_arrays`.
    block_rows : int
        Rows per block; one more is read above and below.

    Yields
    ------
    (int, dict of ndarray)
        Number of the block's first row, and its products.
    """
    for first in range(0, grid.ny, block_rows):
        last = min(first + block_rows, grid.ny)
        above, below = max(first - 1, 0), min(last + 1, grid.ny)
        z = rows(above, below)
        yield first, surface_arrays(z, grid.dx, grid.dy, products, rows=(first - above, last - above))


def surface_files(
    dem_path: str | Path, out_dir: Path, products: Sequence[Product], *, block_rows: int = BLOCK_ROWS, cog: bool = True
) -> list[Path]:
    """Write products of a DEM file with the memory of few blocks.

    Parameters
    ----------
    dem_path : str or Path
        Raster in a projected CRS in metres, elevation in metres.
    out_dir : Path
        Created if absent; holds `<product>.tif` afterwards.
    products : sequence of str
        See `surface_arrays`.
    block_rows : int
        Rows held at a time.
    cog : bool
        Cloud-optimized GeoTIFF with overviews, compressed; else a plain tiled GeoTIFF.

    Raises
    ------
    DEMError
        The raster is not north-up in metres.
    """
    import rasterio  # noqa: PLC0415
    from pyproj import CRS  # noqa: PLC0415

    with rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB), rasterio.open(for_gdal(dem_path)) as raster:
        a, b, c, d, e, f = raster.transform[:6]
        crs = CRS.from_wkt(raster.crs.to_wkt()) if raster.crs is not None else None
        if (
            crs is None
            or not crs.is_projected
            or crs.axis_info[0].unit_conversion_factor != 1
            or b
            or d
            or a <= 0
            or e >= 0
        ):
            raise DEMError(f"{Path(dem_path).name} is not north-up in a CRS in metres; open it with pacifico.open_dem")
        grid = Grid(crs, c, f, a, -e, raster.height, raster.width)

        def rows(first: int, last: int) -> Floats:
            z: Floats = raster.read(1, window=((first, last), (0, grid.nx)), out_dtype=np.float32)
            if raster.nodata is not None:
                z[z == np.float32(raster.nodata)] = np.nan
            return z

        return write_surface(rows, grid, out_dir, products, block_rows=block_rows, cog=cog)


def write_surface(
    rows: Callable[[int, int], Floats],
    grid: Grid,
    out_dir: Path,
    products: Sequence[Product],
    *,
    block_rows: int = BLOCK_ROWS,
    cog: bool = True,
) -> list[Path]:
    """Write products as float32 rasters in a folder.

    Parameters
    ----------
    rows : callable
        Returns the rows from a first to a last (excluded) [m].
    grid : Grid
        Grid of the whole DEM.
    out_dir, products, block_rows, cog
        As for `surface_files`.
    """
    import rasterio  # noqa: PLC0415

    out_dir.mkdir(parents=True, exist_ok=True)
    paths = [out_dir / f"{name}.tif" for name in products]
    with rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB), tempfile.TemporaryDirectory(dir=out_dir, prefix=".") as scratch:
        parts = [Path(scratch) / path.name for path in paths]
        with ExitStack() as stack:
            files = [
                stack.enter_context(rasterio.open(for_gdal(part), "w", **_profile(grid, "float32", np.nan)))
                for part in parts
            ]
            for first, block in surface_blocks(rows, grid, products, block_rows=block_rows):
                for name, file in zip(products, files, strict=True):
                    values = block[name]
                    file.write(values.astype(np.float32), 1, window=((first, first + values.shape[0]), (0, grid.nx)))
        # GDAL compresses in threads but averages overviews in one: several files at a time keep the cores busy.
        with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_AT_ONCE)) as pool:
            finished = [
                pool.submit(_finish, part, path, cog=cog, averaged=name != "aspect")
                for name, part, path in zip(products, parts, paths, strict=True)
            ]
            for file in finished:
                file.result()
    return paths


def write_raster(path: Path, values: NDArray[Any], grid: Grid, *, nodata: float, averaged: bool, **tags: str) -> Path:
    """Write an array as a cloud-optimized GeoTIFF.

    Parameters
    ----------
    path : Path
        File to write; its folder is created if absent.
    values : ndarray, shape (ny, nx)
        Values.
    grid : Grid
        Their grid.
    nodata : float
        Value that means nodata.
    averaged : bool
        Average cells in overviews; else take the nearest, for angles and categories.
    **tags : str
        Metadata of the file.
    """
    import rasterio  # noqa: PLC0415

    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        rasterio.Env(GDAL_CACHEMAX=GDAL_CACHE_MB),
        atomic_files(path, suffix=".tif") as (whole,),
        tempfile.TemporaryDirectory(dir=whole.parent, prefix=".") as scratch,
    ):
        part = Path(scratch) / "part.tif"
        with rasterio.open(for_gdal(part), "w", **_profile(grid, values.dtype.name, nodata)) as out:
            out.write(values, 1)
            out.update_tags(**tags)
        _finish(part, whole, cog=True, averaged=averaged, threaded=values.size > ALONE_CELLS)
    return path


def _profile(grid: Grid, dtype: str, nodata: float) -> dict[str, Any]:
    """Options of a tiled GeoTIFF on a grid."""
    from affine import Affine  # noqa: PLC0415

    return {
        "driver": "GTiff",
        "height": grid.ny,
        "width": grid.nx,
        "count": 1,
        "dtype": dtype,
        "crs": grid.crs.to_wkt(),
        "transform": Affine(*grid.transform),
        "nodata": nodata,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "bigtiff": "IF_SAFER",
    }


def _finish(part: Path, path: Path, *, cog: bool, averaged: bool, threaded: bool = True) -> None:
    """Move a finished raster to its place.

    Parameters
    ----------
    part : Path
        Raster as written.
    path : Path
        Its place.
    cog : bool
        Convert it to a cloud-optimized GeoTIFF.
    averaged : bool
        Average cells in overviews.
    threaded : bool
        Compress its tiles in threads.
    """
    from rasterio.shutil import copy  # noqa: PLC0415

    if not cog:
        shutil.move(part, path)
        return
    made = part.with_suffix(".cog.tif")
    options = COG if threaded else {**COG, "num_threads": "1"}
    copy(
        for_gdal(part),
        for_gdal(made),
        driver="COG",
        overview_resampling="AVERAGE" if averaged else "NEAREST",
        **options,
    )
    made.replace(path)
