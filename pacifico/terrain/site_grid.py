"""Working grid of a site: resolution, halo and the budget of cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import DEMError
from pacifico.grid import Grid
from pacifico.terrain.raster.read import rounded_up

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.site.model import Site
    from pacifico.terrain.raster.window import Bounds, RasterWindow

FINEST_M, COARSEST_M = 1.0, 30.0
"""Limits of the default resolution [m]: finer cells cost time and add nothing, coarser ones say nothing about grading."""
LEAST_RESOLUTION_M, MOST_RESOLUTION_M = 0.1, 1000.0
"""Limits of a resolution that is asked for [m]."""
HALO_M, HALO_CELLS = 400.0, 5
"""Ground kept around the site, also for what drains onto it: so many metres or cells, whichever is more."""
MOST_CELLS = 16_000_000
"""Cells of a working grid: a layout takes about 190 bytes per cell, 3 GB in all."""


def require_resolution(site: Site, resolution_m: float | None, halo_m: float | None) -> None:
    """Refuse a resolution out of range or with too many cells.

    Raises
    ------
    DEMError
        With the finest resolution that fits.
    """
    if resolution_m is None:
        return
    if not LEAST_RESOLUTION_M <= resolution_m <= MOST_RESOLUTION_M:
        raise DEMError(
            f"a resolution of {resolution_m:g} m is outside {LEAST_RESOLUTION_M:g} to {MOST_RESOLUTION_M:g} m"
        )
    if _cells(site, resolution_m, halo_m) > MOST_CELLS:
        raise DEMError(_too_many(site, resolution_m, halo_m))


def require_budget(dem: xr.DataArray) -> None:
    """Refuse a DEM with more cells than a layout can use.

    Raises
    ------
    DEMError
        With the limit, and ways to keep it.
    """
    # what is no DataArray is refused with its own message when it is read
    cells = int(getattr(dem, "size", 0))
    if cells > MOST_CELLS:
        raise DEMError(
            f"the DEM has {cells / 1e6:,.0f} million cells, a layout takes {MOST_CELLS / 1e6:.0f} million; cut it to the site "
            f"with pacifico.open_dem, or coarsen it {math.ceil(math.sqrt(cells / MOST_CELLS))} times, with dem.coarsen"
        )


def finest_default(site: Site, halo_m: float | None) -> float:
    """Finest default resolution of a site within the budget of cells [m].

    Raises
    ------
    DEMError
        The site is too large even for the coarsest default.
    """
    if _cells(site, FINEST_M, halo_m) <= MOST_CELLS:
        return FINEST_M
    finest = _finest(site, halo_m)
    if finest > COARSEST_M:
        raise DEMError(_too_many(site, COARSEST_M, halo_m))
    return finest


def default_resolution(site: Site, cell_m: float, halo_m: float | None) -> tuple[float, tuple[str, ...]]:
    """Default resolution for a DEM's cell [m], and warnings.

    Parameters
    ----------
    site : Site
        Site to cover.
    cell_m : float
        Finer side of the DEM's cell on the ground [m].
    halo_m : float or None
        Ground around the site [m]; None for the default.
    """
    wanted = min(max(cell_m, FINEST_M), COARSEST_M)
    if _cells(site, wanted, halo_m) <= MOST_CELLS:
        return wanted, ()
    finest = max(finest_default(site, halo_m), wanted)
    west, south, east, north = site.boundary.bounds
    warning = (
        f"the site spans {(east - west) / 1000:.1f} x {(north - south) / 1000:.1f} km: cells of {finest:g} m are used "
        f"instead of {wanted:g} m, to stay within {MOST_CELLS / 1e6:.0f} million cells; lay parts that are far apart out "
        "one by one for finer cells"
    )
    return finest, (warning,)


def halo(cell_m: float, halo_m: float | None) -> float:
    """Width of the ground kept around a site [m]."""
    return max(HALO_M, HALO_CELLS * cell_m) if halo_m is None else max(halo_m, cell_m)


def widened(bounds: Bounds, by_m: float) -> Bounds:
    """Bounds moved outwards on every side."""
    west, south, east, north = bounds
    return west - by_m, south - by_m, east + by_m, north + by_m


def site_grid(
    site: Site, resolution_m: float, halo_m: float | None = None, *, like: RasterWindow | None = None
) -> Grid:
    """Grid over a site and its halo.

    Parameters
    ----------
    site : Site
        Site to cover.
    resolution_m : float
        Cell size [m].
    halo_m : float, optional
        Ground around the site [m]; by default 300 m or 5 cells, whichever is more.
    like : RasterWindow, optional
        Raster whose own cells are used if they match; otherwise grid lines lie on multiples of the cell.
    """
    x_at = y_at = 0.0
    if like is not None and like.is_aligned(site.crs, resolution_m):
        x_at, y_at, resolution_m = like.transform[2], like.transform[5], like.transform[0]
    elif like is not None:
        resolution_m = max(round(resolution_m, 2), 0.01) if resolution_m >= 0.5 else resolution_m
    west, south, east, north = widened(site.boundary.bounds, halo(resolution_m, halo_m))
    c0, c1 = math.floor((west - x_at) / resolution_m), math.ceil((east - x_at) / resolution_m)
    r0, r1 = math.floor((south - y_at) / resolution_m), math.ceil((north - y_at) / resolution_m)
    x0, y0 = x_at + c0 * resolution_m, y_at + r1 * resolution_m
    return Grid(site.crs, x0, y0, resolution_m, resolution_m, r1 - r0, c1 - c0)


def _cells(site: Site, resolution_m: float, halo_m: float | None) -> float:
    """Cells of the grid over a site."""
    west, south, east, north = widened(site.boundary.bounds, halo(resolution_m, halo_m))
    return (east - west) / resolution_m * ((north - south) / resolution_m)


def _finest(site: Site, halo_m: float | None) -> float:
    """Finest resolution within the budget of cells, rounded up [m]."""
    finest = rounded_up(math.sqrt(_cells(site, 1.0, halo_m) / MOST_CELLS))
    while _cells(site, finest, halo_m) > MOST_CELLS:  # the halo grows with coarse cells
        finest = rounded_up(finest * 1.1)
    return finest


def _too_many(site: Site, resolution_m: float, halo_m: float | None) -> str:
    """Message that a grid needs too many cells."""
    west, south, east, north = site.boundary.bounds
    return (
        f"the site spans {(east - west) / 1000:.1f} x {(north - south) / 1000:.1f} km: cells of {resolution_m:g} m make "
        f"{_cells(site, resolution_m, halo_m) / 1e6:,.0f} million, more than {MOST_CELLS / 1e6:.0f} million; use "
        f"--resolution-m {_finest(site, halo_m):g}, or lay parts that are far apart out one by one"
    )


def cells_in(area: BaseGeometry, grid: Grid, *, all_touched: bool = False) -> NDArray[np.bool_]:
    """Cells whose centre lies in an area, or all that it touches.

    Parameters
    ----------
    area : Polygon or MultiPolygon
        In the grid's CRS; may be empty.
    grid : Grid
        Grid of the cells.
    all_touched : bool
        Count cells that the area touches.

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from rasterio.features import geometry_mask  # noqa: PLC0415

    if area.is_empty:
        return np.zeros(grid.shape, dtype=np.bool_)
    place = Affine(*grid.transform)
    mask: NDArray[np.bool_] = geometry_mask([area], grid.shape, place, invert=True, all_touched=all_touched)
    return mask
