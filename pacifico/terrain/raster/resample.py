"""Heights of a raster window on the grid of a site."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.grid import Grid, Ground

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.terrain.raster.window import Affine6, RasterWindow

AVERAGE_FROM = 1.5
"""Ratio of target to source cell from which cells are averaged; below it they are interpolated bilinearly."""
FINER_FROM = 8
"""Ratio of source to target cell from which heights between the cells add nothing: interpolation is linear there."""
BETWEEN = ((5, 2_000_000), (3, 40_000_000))
"""Heights kept per cell along each axis for volumes, and the most heights in all (8 bytes each).

The numbers are odd, so that one of the heights is the cell's own.
"""
WARP_TOLERANCE = 0.01
"""Largest error of the warper's approximate transformation [source cells]."""


def on_grid(window: RasterWindow, grid: Grid, source_m: float) -> tuple[NDArray[np.floating[Any]], Ground | None]:
    """Heights at the cells of a grid, and between them if interpolated.

    Interpolating twice, onto the cells and then between them, would flatten the source's relief: road volumes came out at
    half of what the source raster gives.

    Parameters
    ----------
    window : RasterWindow
        Heights [m].
    grid : Grid
        Grid of the site.
    source_m : float
        Side of the source's cell on the ground [m].
    """
    interpolated = (
        not window.is_aligned(grid.crs, grid.dx) and source_m / FINER_FROM < grid.dx <= AVERAGE_FROM * source_m
    )
    k = next((k for k, most in BETWEEN if grid.ny * grid.nx * k * k <= most), 1)
    if not interpolated or k == 1:
        return _resampled(window, grid, source_m), None
    fine = replace(grid, dx=grid.dx / k, dy=grid.dy / k, ny=grid.ny * k, nx=grid.nx * k)
    between = _resampled(window, fine, source_m)
    values = np.ascontiguousarray(between[k // 2 :: k, k // 2 :: k])
    return values, Ground(fine, between.astype(np.float64))


def _resampled(window: RasterWindow, grid: Grid, source_m: float) -> NDArray[np.floating[Any]]:
    """Heights on a grid: cut, averaged or interpolated."""
    z = window.values
    if window.is_aligned(grid.crs, grid.dx):
        return _cut(z, window.transform, grid)
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from rasterio.warp import Resampling  # noqa: PLC0415
    from rasterio.warp import reproject as warp  # noqa: PLC0415

    place = {
        "src_transform": Affine(*window.transform),
        "src_crs": window.horizontal.to_wkt(),
        "dst_transform": Affine(*grid.transform),
        "dst_crs": grid.crs.to_wkt(),
        "tolerance": WARP_TOLERANCE,
    }
    coarser = grid.dx > AVERAGE_FROM * source_m
    out = np.full(grid.shape, np.nan, dtype=z.dtype)
    warp(
        z,
        out,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=Resampling.average if coarser else Resampling.bilinear,
        **place,
    )
    hole = np.isnan(z)
    if hole.any() and not coarser:
        # Bilinear weights skip nodata and so carry heights up to a cell into a hole.
        nodata = np.zeros(grid.shape, dtype=np.uint8)
        warp(hole.astype(np.uint8), nodata, resampling=Resampling.nearest, **place)
        out[nodata == 1] = np.nan
    return out


def _cut(z: NDArray[np.floating[Any]], transform: Affine6, grid: Grid) -> NDArray[np.floating[Any]]:
    """Heights on a grid of the raster's own cells, NaN beyond it."""
    column = round((grid.x0 - transform[2]) / grid.dx)
    row = round((transform[5] - grid.y0) / grid.dy)
    out = np.full(grid.shape, np.nan, dtype=z.dtype)
    r0, r1 = max(row, 0), min(row + grid.ny, z.shape[0])
    c0, c1 = max(column, 0), min(column + grid.nx, z.shape[1])
    if r0 < r1 and c0 < c1:
        out[r0 - row : r1 - row, c0 - column : c1 - column] = z[r0:r1, c0:c1]
    return out
