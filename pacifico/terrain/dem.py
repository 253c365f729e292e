"""Open a DEM for a site: any raster, clipped, in metres, on a north-up grid of square cells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from pacifico.crs import reproject, transformer
from pacifico.errors import DEMError
from pacifico.grid import Grid, Ground
from pacifico.terrain import sources
from pacifico.terrain.heights import Units, height_unit, without_impostors
from pacifico.terrain.raster import (
    Affine6,
    Bounds,
    RasterWindow,
    cell_window,
    display_name,
    moved,
    no_overlap,
    outline,
    read_window,
)

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr
    from numpy.typing import NDArray

    from pacifico.site.model import Site
    from pacifico.terrain.remote import SourceSettings

FINEST_M, COARSEST_M = 1.0, 30.0
"""Limits of the default resolution."""
HALO_M, HALO_CELLS = 300.0, 5
AVERAGE_FROM = 1.5
"""From this ratio of target to source cell, cells are averaged; below it, interpolated bilinearly."""
BETWEEN = ((5, 2_000_000), (3, 40_000_000))
"""Heights to a cell along each axis that are kept for volumes, up to so many in all (8 bytes each).

Odd, so that one of them is the cell's own.
"""
WARP_TOLERANCE = 0.01
"""Largest error of the warper's approximate transformation [source cells]."""


def open_dem(
    site: Site,
    source: str | Path,
    *,
    resolution_m: float | None = None,
    units: Units | None = None,
    halo_m: float | None = None,
    settings: SourceSettings | None = None,
) -> xr.DataArray:
    """Elevation of a site and its surroundings, ready to compute with.

    Parameters
    ----------
    site : Site
        Where.
    source : str or Path
        Any raster GDAL reads, as path or address (https, s3), or a name: `3dep` (United States, 10 m), `3dep-30`,
        `glo30` (the world, 30 m, a surface model), `sample` (needs no network).
    resolution_m : float, optional
        Cell size [m]; by default the (finer) side of the DEM's own ground cell, held between 1 and 30 m.
    units : {"m", "ft"}, optional
        Unit of height, over what the file declares.
    halo_m : float, optional
        Ground kept around the site's bounding box [m]; by default 300 m or 5 cells, whichever is more.
    settings : SourceSettings, optional
        Addresses of the named sources, patience with servers, and the cache for what they send.

    Returns
    -------
    DataArray, dims (y, x)
        Elevation [m], north-up, square cells in `site.crs`, NaN for nodata. Attributes: `units`, `source`, `sha256` (of
        the window read: values, place and CRS), `resolution_m`, `source_resolution_m`, `units_assumed`,
        `surface_model`, `nodata_share` (of the site's area), `warnings`.

        A DEM that is already in `site.crs` with square cells of the asked size is cut along its own cells, values
        untouched. Otherwise cells are averaged where the target is more than 1.5 times coarser, and interpolated
        bilinearly where it is not. A cell whose centre falls on nodata is nodata.

    Raises
    ------
    DEMError
        Where the raster can't be read, is no elevation, or has no ground under the site.
    OutsideServiceError
        Where a remote source fails, or a named source does not cover the site.

    Examples
    --------
    >>> dem = open_dem(site, "sample", resolution_m=10)
    """
    if resolution_m is not None and not 0.1 <= resolution_m <= 1000:
        raise DEMError(f"a resolution of {resolution_m:g} m is outside 0.1 to 1000 m")
    name = display_name(str(source))
    window = _window(site, str(source), resolution_m, halo_m, settings)
    return _on_site_grid(site, window, name, resolution_m=resolution_m, units=units, halo_m=halo_m)


def level_ground(site: Site, *, resolution_m: float = 10.0, elevation_m: float = 0.0) -> xr.DataArray:
    """Level ground in place of a DEM, for a site whose terrain is to be left out.

    The attributes say that it is assumed and not measured.
    """
    grid = _grid(site, resolution_m, halo_m=None)
    values = np.full(grid.shape, float(elevation_m))
    return grid.data_array(
        values,
        name="elevation",
        units="m",
        source="level ground",
        sha256="",
        resolution_m=float(resolution_m),
        source_resolution_m=float(resolution_m),
        units_assumed="metres: level ground, no DEM",
        surface_model=False,
        nodata_share=0.0,
        warnings=("level ground was assumed: no terrain was read, slopes and earthwork are not real",),
    )


def _halo(cell: float, halo_m: float | None) -> float:
    return max(HALO_M, HALO_CELLS * cell) if halo_m is None else max(halo_m, cell)


def _widened(bounds: Bounds, by: float) -> Bounds:
    west, south, east, north = bounds
    return west - by, south - by, east + by, north + by


def _window(
    site: Site, source: str, resolution_m: float | None, halo_m: float | None, settings: SourceSettings | None = None
) -> RasterWindow:
    """What the site and its halo need of a source."""
    # The default halo depends on the cell, which the file tells: ask for what the coarsest default needs.
    cell = resolution_m if resolution_m is not None else COARSEST_M
    bounds = _widened(site.boundary.bounds, _halo(cell, halo_m) + cell)
    if source == sources.SAMPLE:
        return _sample_window(bounds, site.crs)
    remote = source.lower().startswith(("http://", "https://", "s3://"))
    if not remote and source not in sources.NAMED:
        return read_window(source, bounds, site.crs)
    from pacifico.terrain import named  # noqa: PLC0415 (network modules, where a network is meant)
    from pacifico.terrain.remote import SourceSettings  # noqa: PLC0415

    settings = settings if settings is not None else SourceSettings()
    if remote:
        return named.url_window(source, bounds, site.crs, settings)
    return named.named_window(source, bounds, site.boundary.bounds, site.crs, settings)


def _sample_window(bounds: Bounds, crs: CRS) -> RasterWindow:
    elevation = sources.sample_elevation()
    flat = CRS.from_epsg(4326)
    ring = outline((bounds[2] - bounds[0], 0.0, bounds[0], 0.0, bounds[1] - bounds[3], bounds[3]), (1, 1))
    x, y = transformer(crs, flat).transform(ring[:, 0], ring[:, 1])
    cells = cell_window(sources.SAMPLE_TRANSFORM, elevation.shape, np.column_stack([x, y]))
    if cells is None:
        raise DEMError(no_overlap("sample", sources.SAMPLE_TRANSFORM, elevation.shape, flat, bounds, crs))
    r0, r1, c0, c1 = cells
    values = elevation[r0:r1, c0:c1].astype(np.float32)
    place = moved(sources.SAMPLE_TRANSFORM, r0, c0)
    return RasterWindow(values, place, flat, "m", True, elevation.shape, sources.SAMPLE_TRANSFORM)


def _on_site_grid(
    site: Site,
    window: RasterWindow,
    name: str,
    *,
    resolution_m: float | None,
    units: Units | None,
    halo_m: float | None,
) -> xr.DataArray:
    """Window in metres on the site's grid, with its attributes."""
    warnings = list(window.warnings)
    digest = window.sha256
    unit = height_unit(window.crs, window.band_unit, units)
    warnings += unit.warnings
    z = window.values if unit.metres == 1.0 else window.values * window.values.dtype.type(unit.metres)
    warnings += without_impostors(z, declared_nodata=window.declared_nodata)
    if np.isnan(z).all():
        raise DEMError(f"{name} has no elevation around the site: every one of its {z.size} cells there is nodata")

    cell_x, cell_y = ground_cell(window, site)
    own = math.sqrt(cell_x * cell_y)
    # the finer side of a cell that isn't square: the mean of both would smooth slopes along it
    finest = min(cell_x, cell_y)
    resolution = float(resolution_m) if resolution_m is not None else min(max(finest, FINEST_M), COARSEST_M)
    if own > COARSEST_M:
        warnings.append(
            f"the DEM's cells measure {cell_x:.0f} x {cell_y:.0f} m on the ground: too coarse for statements about "
            f"grading; interpolated to {resolution:g} m, which adds no detail"
        )
    grid = _grid(site, resolution, halo_m=halo_m, like=window)
    values, finer = _heights(z, window, grid, own)
    inside = _cells_of(site, grid)
    share = float(np.isnan(values[inside]).mean())
    covered = _covered_share(site, window)
    if covered == 0.0:
        raise DEMError(
            no_overlap(
                name, window.raster_transform, window.raster_shape, window.horizontal, site.boundary.bounds, site.crs
            )
        )
    if share == 1.0:
        raise DEMError(f"{name} has no elevation under the site: every cell there is nodata")
    if covered < 0.9999:
        warnings.append(f"{name} covers only {covered:.1%} of the site; the rest is nodata and can't be built on")
    if share > 0.0:
        warnings.append(f"{share:.1%} of the site has no elevation (nodata): nothing is placed there")
    return grid.data_array(
        values,
        name="elevation",
        units="m",
        source=name,
        sha256=digest,
        resolution_m=grid.dx,
        source_resolution_m=round(own, 4),
        units_assumed=unit.told_by,
        surface_model=window.surface_model,
        nodata_share=round(share, 6),
        warnings=tuple(warnings),
        **({} if finer is None else {"between_cells": finer}),
    )


def ground_cell(window: RasterWindow, site: Site) -> tuple[float, float]:
    """Size of the raster's cell on the ground at the site [m], along its columns and its rows."""
    centre = site.boundary.centroid
    change = transformer(site.crs, window.horizontal)
    x, y = change.transform(centre.x, centre.y)
    a, b, _, d, e, _ = window.transform
    xs = np.array([x, x + a, x + b])
    ys = np.array([y, y + d, y + e])
    east, north = transformer(window.horizontal, site.crs).transform(xs, ys)
    return math.hypot(east[1] - east[0], north[1] - north[0]), math.hypot(east[2] - east[0], north[2] - north[0])


def _cut_along(window: RasterWindow, crs: CRS, resolution: float) -> bool:
    """Whether the raster's own cells are the grid's."""
    a, b, _, d, e, _ = window.transform
    return (
        window.horizontal == crs
        and b == d == 0.0
        and a > 0 > e
        and abs(a / -e - 1) < 1e-9
        and abs(a / resolution - 1) < 1e-9
    )


def _grid(site: Site, resolution: float, *, halo_m: float | None, like: RasterWindow | None = None) -> Grid:
    """Grid over the site and its halo, its lines on multiples of the cell, or on the raster's own."""
    x_at = y_at = 0.0
    if like is not None and _cut_along(like, site.crs, resolution):
        x_at, y_at, resolution = like.transform[2], like.transform[5], like.transform[0]
    elif like is not None:
        resolution = max(round(resolution, 2), 0.01) if resolution >= 0.5 else resolution
    west, south, east, north = _widened(site.boundary.bounds, _halo(resolution, halo_m))
    c0, c1 = math.floor((west - x_at) / resolution), math.ceil((east - x_at) / resolution)
    r0, r1 = math.floor((south - y_at) / resolution), math.ceil((north - y_at) / resolution)
    return Grid(site.crs, x_at + c0 * resolution, y_at + r1 * resolution, resolution, resolution, r1 - r0, c1 - c0)


def _heights(
    z: NDArray[np.floating[Any]], window: RasterWindow, grid: Grid, own: float
) -> tuple[NDArray[np.floating[Any]], Ground | None]:
    """Heights at the cells, and between them where the source had to be interpolated and memory allows.

    Interpolating twice, onto the cells and then between them, would plane off the source's relief: volumes of roads
    came out at half of what the source raster gives.
    """
    interpolated = not _cut_along(window, grid.crs, grid.dx) and own / 8 < grid.dx <= AVERAGE_FROM * own
    k = next((k for k, most in BETWEEN if grid.ny * grid.nx * k * k <= most), 1)
    if not interpolated or k == 1:
        return _resampled(z, window, grid, own), None
    fine = replace(grid, dx=grid.dx / k, dy=grid.dy / k, ny=grid.ny * k, nx=grid.nx * k)
    between = _resampled(z, window, fine, own)
    values = np.ascontiguousarray(between[k // 2 :: k, k // 2 :: k])
    return values, Ground(fine, between.astype(np.float64))


def _resampled(z: NDArray[np.floating[Any]], window: RasterWindow, grid: Grid, own: float) -> NDArray[np.floating[Any]]:
    """Heights on the grid."""
    if _cut_along(window, grid.crs, grid.dx):
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
    coarser = grid.dx > AVERAGE_FROM * own
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
        # Bilinear weights leave out nodata and so carry heights up to a cell into it.
        blind = np.zeros(grid.shape, dtype=np.uint8)
        warp(hole.astype(np.uint8), blind, resampling=Resampling.nearest, **place)
        out[blind == 1] = np.nan
    return out


def _cut(z: NDArray[np.floating[Any]], transform: Affine6, grid: Grid) -> NDArray[np.floating[Any]]:
    """Heights where the grid runs along the raster's own cells; NaN beyond it."""
    column = round((grid.x0 - transform[2]) / grid.dx)
    row = round((transform[5] - grid.y0) / grid.dy)
    out = np.full(grid.shape, np.nan, dtype=z.dtype)
    r0, r1 = max(row, 0), min(row + grid.ny, z.shape[0])
    c0, c1 = max(column, 0), min(column + grid.nx, z.shape[1])
    if r0 < r1 and c0 < c1:
        out[r0 - row : r1 - row, c0 - column : c1 - column] = z[r0:r1, c0:c1]
    return out


def _cells_of(site: Site, grid: Grid) -> NDArray[np.bool_]:
    """Cells whose centre lies in the site; those it touches where it holds no centre."""
    from affine import Affine  # noqa: PLC0415
    from rasterio.features import geometry_mask  # noqa: PLC0415

    place = Affine(*grid.transform)
    inside: NDArray[np.bool_] = geometry_mask([site.boundary], grid.shape, place, invert=True)
    return inside if inside.any() else geometry_mask([site.boundary], grid.shape, place, invert=True, all_touched=True)


def _covered_share(site: Site, window: RasterWindow) -> float:
    """Share of the site's area within the raster's outline."""
    ring = outline(window.transform, window.values.shape)
    cover = reproject(shapely.Polygon(ring), window.horizontal, site.crs)
    return float(shapely.area(shapely.intersection(cover, site.boundary)) / shapely.area(site.boundary))
