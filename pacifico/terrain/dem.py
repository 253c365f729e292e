"""Open any raster as elevation on the grid of a site."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.crs import LONLAT, reproject
from pacifico.errors import DEMError
from pacifico.grid import BETWEEN_CELLS, Ground
from pacifico.stages import begin
from pacifico.terrain import sources
from pacifico.terrain.ground_checks import ground_warnings, height_step
from pacifico.terrain.heights import HeightUnit, Units, height_unit, in_metres
from pacifico.terrain.raster.addresses import display_name
from pacifico.terrain.raster.read import ReadRequest, read_window
from pacifico.terrain.raster.resample import on_grid
from pacifico.terrain.raster.window import RasterWindow, cell_window, ground_cell, moved, no_overlap, outline, ring_of
from pacifico.terrain.site_grid import (
    COARSEST_M,
    cells_in,
    default_resolution,
    finest_default,
    halo,
    require_resolution,
    site_grid,
    widened,
)
from pacifico.terrain.voids import remove_voids

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr
    from numpy.typing import NDArray

    from pacifico.grid import Grid
    from pacifico.site.model import Site
    from pacifico.stages import OnStage
    from pacifico.terrain.remote.settings import SourceSettings

WHOLE = 0.9999
"""Share of the site from which a raster counts as covering all of it: reprojected outlines are that exact."""


@dataclass(frozen=True)
class DemOptions:
    """How a DEM is opened."""

    resolution_m: float | None = None
    """Cell size [m]; None for that of the source, held between 1 and 30 m."""
    units: Units | None = None
    """Unit of height, over what the file declares."""
    halo_m: float | None = None
    """Ground kept around the site's bounding box [m]; None for 300 m or 5 cells, whichever is more."""


def open_dem(
    site: Site,
    source: str | Path,
    *,
    resolution_m: float | None = None,
    units: Units | None = None,
    halo_m: float | None = None,
    settings: SourceSettings | None = None,
    on_stage: OnStage | None = None,
) -> xr.DataArray:
    """Elevation of a site and its surroundings.

    Parameters
    ----------
    site : Site
        Site to cover.
    source : str or Path
        Any raster that GDAL reads, as path, GDAL name (`NETCDF:file.nc:name`) or address (https, s3), or a named source:
        `3dep` (United States, 10 m), `3dep-30`, `glo30` (the world, 30 m, a surface model), `sample` (needs no network).
    resolution_m : float, optional
        Cell size [m]; by default the finer side of the DEM's own cell, within 1 to 30 m and 16 million cells.
    units : {"m", "ft"}, optional
        Unit of height, over what the file declares.
    halo_m : float, optional
        Ground kept around the site's bounding box [m]; by default 300 m or 5 cells, whichever is more.
    settings : SourceSettings, optional
        Addresses of the named sources, retries, and the cache for downloads.
    on_stage : callable, optional
        Called with name, percentage and message as each stage begins.

    Returns
    -------
    DataArray, dims (y, x)
        Elevation [m], north-up, square cells in `site.crs`, NaN for nodata. Attributes, all of plain netCDF types: `units`,
        `source`, `sha256` (of the window read: values, position and CRS), `resolution_m`, `source_resolution_m`,
        `source_longer_side_m` (of the source's cells), `units_assumed`, `surface_model`, `nodata_share` (of the site's area), `warnings` (text, one per line; see
        `pacifico.grid.warnings_of`).

        A DEM that is already in `site.crs` with square cells of the size asked for is cut along its own cells, values
        unchanged. Otherwise cells are averaged if the target is more than 1.5 times coarser, else interpolated bilinearly.
        A cell whose centre falls on nodata is nodata.

    Raises
    ------
    DEMError
        The raster can't be read, holds no elevation, has no ground under the site, or needs too many cells.
    OutsideServiceError
        A remote source fails, or a named source does not cover the site.

    Examples
    --------
    >>> dem = open_dem(site, "sample", resolution_m=10)
    """
    options = DemOptions(resolution_m, units, halo_m)
    name = display_name(str(source))
    with memory_errors_told(site, name):
        begin(on_stage, "fetching_dem", 0, f"reading {name}")
        return _checked_dem(site, source_window(site, str(source), options, settings), name, options, on_stage)


def _checked_dem(
    site: Site, window: RasterWindow, name: str, options: DemOptions, on_stage: OnStage | None
) -> xr.DataArray:
    """Elevation from a window, with its stages.

    Parameters
    ----------
    site, window, name, options
        As for `dem_from_window`.
    on_stage : callable, optional
        Called as each stage begins.
    """
    begin(on_stage, "checking_dem", 70, f"checking the heights of {name}")
    dem = dem_from_window(site, window, name, options)
    begin(on_stage, "completed", 100, "completed")
    return dem


@contextmanager
def memory_errors_told(site: Site, name: str) -> Iterator[None]:
    """Turn a MemoryError into a DEMError with size and remedy."""
    try:
        yield
    except MemoryError as error:
        west, south, east, north = site.boundary.bounds
        raise DEMError(
            f"{name} around the site of {(east - west) / 1000:.1f} x {(north - south) / 1000:.1f} km does not fit into memory; "
            "use a coarser --resolution-m, or a smaller site"
        ) from error


def level_ground(site: Site, *, resolution_m: float = 10.0, elevation_m: float = 0.0) -> xr.DataArray:
    """Level ground in place of a DEM, marked as assumed."""
    require_resolution(site, resolution_m, None)
    grid = site_grid(site, resolution_m)
    return grid.data_array(
        np.full(grid.shape, float(elevation_m)),
        name="elevation",
        units="m",
        source="level ground",
        sha256="",
        resolution_m=float(resolution_m),
        source_resolution_m=float(resolution_m),
        source_longer_side_m=float(resolution_m),
        units_assumed="metres: level ground, no DEM",
        surface_model=False,
        nodata_share=0.0,
        warnings="level ground was assumed: no terrain was read, slopes and earthwork are not real",
    )


def source_window(site: Site, source: str, options: DemOptions, settings: SourceSettings | None = None) -> RasterWindow:
    """Part of a source that a site and its halo need.

    Parameters
    ----------
    site : Site
        Site to cover.
    source : str
        As for `open_dem`.
    options : DemOptions
        Resolution and halo.
    settings : SourceSettings, optional
        As for `open_dem`.
    """
    require_resolution(site, options.resolution_m, options.halo_m)
    finest = options.resolution_m if options.resolution_m is not None else finest_default(site, options.halo_m)
    # The default halo depends on the cell, which only the file tells: read what the coarsest default needs.
    cell = options.resolution_m if options.resolution_m is not None else COARSEST_M
    bounds = widened(site.boundary.bounds, halo(cell, options.halo_m) + cell)
    request = ReadRequest(bounds, site.crs, finest)
    if source == sources.SAMPLE:
        return _sample_window(request)
    remote = source.lower().startswith(("http://", "https://", "s3://"))
    if not remote and source not in sources.NAMED:
        meant = sources.suggestion(source)
        if meant is not None and not Path(source).exists():
            raise DEMError(
                f"'{source}' is no file and no named source; did you mean '{meant}'? Named sources are "
                f"{', '.join((*sources.NAMED, sources.SAMPLE))}"
            )
        return read_window(source, request)
    from pacifico.terrain import named  # noqa: PLC0415 (network modules, only for network sources)
    from pacifico.terrain.remote.settings import SourceSettings  # noqa: PLC0415

    settings = settings if settings is not None else SourceSettings()
    if remote:
        return named.url_window(source, request, settings)
    return named.named_window(source, request, site.boundary.bounds, settings)


def _sample_window(request: ReadRequest) -> RasterWindow:
    """Part of the sample terrain."""
    elevation, place = sources.sample_elevation(), sources.SAMPLE_TRANSFORM
    cells = cell_window(place, elevation.shape, ring_of(request.bounds, request.crs, LONLAT))
    if cells is None:
        raise DEMError(no_overlap("sample", place, elevation.shape, LONLAT, (request.bounds, request.crs)))
    r0, r1, c0, c1 = cells
    values = elevation[r0:r1, c0:c1].astype(np.float32)
    return RasterWindow(values, moved(place, r0, c0), LONLAT, "m", True, elevation.shape, place)


def dem_from_window(site: Site, window: RasterWindow, name: str, options: DemOptions) -> xr.DataArray:
    """Elevation on the grid of a site, from a window.

    Parameters
    ----------
    site : Site
        Site to cover.
    window : RasterWindow
        As `source_window` returns it.
    name : str
        Name of the source, for attributes and messages.
    options : DemOptions
        As for `source_window`.
    """
    digest, step = window.sha256, height_step(window.values)
    unit = height_unit(window.crs, window.band_unit, options.units)
    window, voids = _in_metres(window, unit, name)
    centre = site.boundary.centroid
    cell = ground_cell(window.transform, window.horizontal, (centre.x, centre.y), site.crs)
    source_m = math.sqrt(cell[0] * cell[1])
    resolution, coarser = _resolution(site, cell, options)
    warnings = [*window.warnings, *unit.warnings, *voids, *coarser]
    grid = site_grid(site, resolution, options.halo_m, like=window)
    values, finer = on_grid(window, grid, source_m)
    inside = _cells_of(site, grid)
    share = float(np.isnan(values[inside]).mean())
    warnings += _cover_warnings(site, window, name, share)
    ground = Ground(grid, values.astype(np.float64, copy=False))
    warnings += ground_warnings(ground, site.boundary, inside, step_m=step * unit.metres)
    dem = grid.data_array(
        values,
        name="elevation",
        units="m",
        source=name,
        sha256=digest,
        resolution_m=grid.dx,
        source_resolution_m=round(source_m, 4),
        source_longer_side_m=round(max(cell), 4),
        units_assumed=unit.told_by,
        surface_model=window.surface_model,
        nodata_share=round(share, 6),
        warnings="\n".join(warnings),
    )
    if finer is not None:
        dem.encoding[BETWEEN_CELLS] = finer
    return dem


def _in_metres(window: RasterWindow, unit: HeightUnit, name: str) -> tuple[RasterWindow, tuple[str, ...]]:
    """Window with heights in metres and without voids, and warnings about these."""
    z = in_metres(window.values, unit, name)
    signed = -unit.metres if unit.down else unit.metres
    warnings = remove_voids(z, declared_nodata=window.declared_nodata, metres=signed)
    if np.isnan(z).all():
        raise DEMError(f"{name} has no elevation around the site: every one of its {z.size} cells there is nodata")
    return replace(window, values=z), warnings


def _resolution(site: Site, cell_m: tuple[float, float], options: DemOptions) -> tuple[float, list[str]]:
    """Cell size of the grid [m], and warnings about it.

    The default follows the finer side of a cell that is not square: the mean of both would smooth slopes along it.
    """
    warnings: tuple[str, ...] = ()
    resolution = options.resolution_m
    if resolution is None:
        resolution, warnings = default_resolution(site, min(cell_m), options.halo_m)
    mean_m = math.sqrt(cell_m[0] * cell_m[1])
    if mean_m <= COARSEST_M:
        return float(resolution), [*warnings]
    coarse = (
        f"the DEM's cells measure {cell_m[0]:.0f} x {cell_m[1]:.0f} m on the ground, {mean_m:.3g} m on average: too coarse for "
        f"statements about grading; interpolated to {resolution:g} m, which adds no detail"
    )
    return float(resolution), [*warnings, coarse]


def _cover_warnings(site: Site, window: RasterWindow, name: str, nodata_share: float) -> list[str]:
    """Warnings about parts of the site without heights.

    Parameters
    ----------
    site : Site
        Site to cover.
    window : RasterWindow
        What was read for it.
    name : str
        Of the raster.
    nodata_share : float
        Share of the site's cells without heights [-].

    Raises
    ------
    DEMError
        No part of the site has heights.
    """
    covered = _covered_share(site, window)
    if covered == 0.0:
        place = (site.boundary.bounds, site.crs)
        raise DEMError(no_overlap(name, window.raster_transform, window.raster_shape, window.horizontal, place))
    if nodata_share == 1.0:
        raise DEMError(f"{name} has no elevation under the site: every cell there is nodata")
    warnings = []
    if covered < WHOLE:
        warnings.append(f"{name} covers only {covered:.1%} of the site; the rest is nodata and can't be built on")
    if nodata_share > 0.0:
        warnings.append(f"{nodata_share:.1%} of the site has no elevation (nodata): nothing is placed there")
    return warnings


def _cells_of(site: Site, grid: Grid) -> NDArray[np.bool_]:
    """Cells in the site; those it touches if it holds no centre."""
    inside = cells_in(site.boundary, grid)
    return inside if inside.any() else cells_in(site.boundary, grid, all_touched=True)


def _covered_share(site: Site, window: RasterWindow) -> float:
    """Share of the site's area within the outline of a window [-]."""
    ring = outline(window.transform, window.values.shape)
    cover = reproject(shapely.Polygon(ring), window.horizontal, site.crs)
    return float(shapely.area(shapely.intersection(cover, site.boundary)) / shapely.area(site.boundary))
