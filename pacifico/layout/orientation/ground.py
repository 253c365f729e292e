"""Elevation model in a turned frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import DEMError
from pacifico.grid import BETWEEN_CELLS, Grid, Ground
from pacifico.layout.orientation.frame import PLACE_DECIMALS
from pacifico.terrain.site_grid import MOST_CELLS, halo, require_budget, widened

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.array_types import FloatArray
    from pacifico.layout.orientation.frame import TurnedFrame
    from pacifico.site.model import Site

ROWS_AT_ONCE = 256
"""Rows of cells that are sampled at once, to bound the memory."""
PHASE = 0.3717
"""Part of a cell by which a site may pass a grid line before a cell is added [-].

Boundaries often lie on grid lines: their rounding must not change the grid.
"""


def turned_dem(dem: xr.DataArray, frame: TurnedFrame, site: Site) -> xr.DataArray:
    """Elevation model over a site on the frame's upright grid.

    Heights are bilinear between those of the DEM, from the finest that it holds. Planes stay exact. Ground outside the
    DEM has no height.

    Parameters
    ----------
    dem : DataArray
        Elevation model on the map.
    frame : TurnedFrame
        Frame of the layout.
    site : Site
        Site in the frame.

    Raises
    ------
    CRSMismatchError, DEMError
        As for `Ground`; or the turned grid has too many cells.
    """
    require_budget(dem)
    own, finest = Grid.of(dem), Ground.finest_of(dem)
    step = round(own.dx / finest.grid.dx)
    grid = turned_grid(own, frame, site)
    if grid.nx * grid.ny > MOST_CELLS:
        raise DEMError(
            f"turned to the row azimuth {frame.azimuth_deg:g}°, the site takes {grid.nx * grid.ny / 1e6:,.0f} million cells, "
            f"a layout takes {MOST_CELLS / 1e6:.0f} million; use coarser cells (--resolution-m), or row azimuth 0"
        )
    fine = Grid(grid.crs, grid.x0, grid.y0, grid.dx / step, grid.dy / step, grid.ny * step, grid.nx * step)
    heights = _sampled(finest, fine, frame.inverse)
    turned = grid.data_array(
        np.ascontiguousarray(heights[step // 2 :: step, step // 2 :: step]), name=str(dem.name), **dem.attrs
    )
    if step > 1:
        turned.encoding[BETWEEN_CELLS] = Ground(fine, heights)
    return turned


def turned_grid(own: Grid, frame: TurnedFrame, site: Site) -> Grid:
    """Upright grid over a site in a frame, with the halo of layouts.

    Parameters
    ----------
    own : Grid
        Grid of the DEM on the map.
    frame : TurnedFrame
        Frame of the layout; one of its grid points is a cell corner.
    site : Site
        Site in the frame.
    """
    cell = min(own.dx, own.dy)
    x0, y0 = frame.origin
    west, south, east, north = widened(site.boundary.bounds, halo(cell, None))
    c0, r0 = (math.floor((low - at) / cell + PHASE) for low, at in ((west, x0), (south, y0)))
    c1, r1 = (math.ceil((high - at) / cell - PHASE) for high, at in ((east, x0), (north, y0)))
    return Grid(own.crs, x0 + c0 * cell, y0 + r1 * cell, cell, cell, r1 - r0, c1 - c0)


def _sampled(ground: Ground, grid: Grid, back: TurnedFrame) -> FloatArray:
    """Heights of a grid's cells, rounded to a micrometre [m].

    Parameters
    ----------
    ground : Ground
        Heights on the map.
    grid : Grid
        Grid in the frame.
    back : TurnedFrame
        Frame that turns the grid back to the map.
    """
    out = np.empty(grid.shape)
    x, y = grid.x_centres(), grid.y_centres()
    for first in range(0, grid.ny, ROWS_AT_ONCE):
        rows = y[first : first + ROWS_AT_ONCE]
        places = back.turned(np.stack([np.tile(x, len(rows)), np.repeat(rows, len(x))], axis=1))
        found = ground.at(places[:, 0], places[:, 1]).reshape(len(rows), len(x))
        out[first : first + ROWS_AT_ONCE] = np.round(found, PLACE_DECIMALS)
    return out
