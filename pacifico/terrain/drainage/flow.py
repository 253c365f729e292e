"""Drainage of a site: what drains where, channels, and depth of ponding.

Depressions are filled from the edge of the ground inwards, lowest cells first, and each cell drains to the neighbour
from which it was reached [1]_ [2]_. Water that comes from farther away than the margin around the site isn't counted.

References
----------
.. [1] Wang, L. and Liu, H. (2006). An efficient method for identifying and filling surface depressions in digital
   elevation models. doi:10.1080/13658810500433453
.. [2] Barnes, R., Lehman, C. and Mulla, D. (2014). Priority-flood: an optimal depression-filling and
   watershed-labeling algorithm for digital elevation models. doi:10.1016/j.cageo.2013.04.024
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.grid import Grid
from pacifico.terrain.drainage._drainage_kernels import drain

if TYPE_CHECKING:
    import xarray as xr
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground

MARGIN_M = 400.0
"""Ground around a site whose runoff counts [m]: that which the elevation of a site has around it."""
FINEST_M, MOST_CELLS_ACROSS = 5.0, 500
"""Finest cell on which flow is followed [m], and most cells over the width of a site: finer ones show furrows and ruts."""
FILL_STEP_M = 1e-4
"""Rise from cell to cell in a filled depression [m]: far below a DEM's steps, far above rounding."""


@dataclass(frozen=True)
class Channels:
    """Drainage lines with the area that drains into each piece."""

    segments: FloatArray
    """Ends of each piece, downstream last: x, y, x, y, shape (n, 4) [m]."""
    drained_ha: FloatArray
    """Area that drains into each piece [ha]."""

    @property
    def length_m(self) -> float:
        """Length of all pieces [m]."""
        return float(np.hypot(*(self.segments[:, 2:] - self.segments[:, :2]).T).sum())

    @cached_property
    def lines(self) -> BaseGeometry:
        """All pieces as one geometry."""
        return shapely.multilinestrings(list(self.segments.reshape(-1, 2, 2)))

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index of the pieces."""
        return shapely.STRtree(np.asarray(shapely.linestrings(self.segments.reshape(-1, 2, 2)), dtype=object))

    def near(self, area: BaseGeometry) -> Channels:
        """Pieces that meet an area."""
        own = np.sort(self.tree.query(area, predicate="intersects"))
        return Channels(self.segments[own], self.drained_ha[own])

    def drained_at(self, place: BaseGeometry, within_m: float) -> float:
        """Largest area that drains into the pieces near a place [ha]; 0 without any."""
        own = self.tree.query(place, predicate="dwithin", distance=within_m)
        return float(self.drained_ha[own].max(initial=0.0))


NO_CHANNELS = Channels(np.zeros((0, 4)), np.zeros(0))


@dataclass(frozen=True)
class Drainage:
    """Flow over the ground of a site and its margin."""

    grid: Grid
    receiver: IntArray
    """Flat index of the cell that each cell drains to; -1 at the edge and on nodata."""
    drained_ha: FloatArray
    """Area that drains through each cell, its own included, shape (ny, nx) [ha]."""
    ponding_m: FloatArray
    """Depth of the depression on each cell, up to its rim, shape (ny, nx) [m]; NaN on nodata."""

    def channels(self, least_ha: float) -> Channels:
        """Lines through which at least so much ground drains [ha]."""
        flat = self.drained_ha.ravel()
        cells = np.flatnonzero((flat >= least_ha) & (self.receiver >= 0))
        x, y = self.grid.x_centres(), self.grid.y_centres()
        ends = [(x[c % self.grid.nx], y[c // self.grid.nx]) for c in (cells, self.receiver[cells])]
        return Channels(np.column_stack([v for end in ends for v in end]), flat[cells])

    def ponding_at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Depth of ponding on the cells of some points [m]; 0 off the grid and on nodata."""
        g = self.grid
        column = np.floor((x - g.x0) / g.dx).astype(np.int64)
        row = np.floor((g.y0 - y) / g.dy).astype(np.int64)
        on = (column >= 0) & (row >= 0) & (column < g.nx) & (row < g.ny)
        depth = np.zeros(len(x))
        depth[on] = np.nan_to_num(self.ponding_m[row[on], column[on]])
        return depth


def flow_cell_m(dem: xr.DataArray) -> float:
    """Cell on which flow may be followed: the longer side of the source's cells [m].

    On finer cells, flow would follow what interpolation made up.
    """
    return float(dem.attrs.get("source_longer_side_m", dem.attrs.get("source_resolution_m", 0.0)))


def drainage(ground: Ground, site: BaseGeometry, *, source_cell_m: float = 0.0) -> Drainage:
    """Drainage of a site and the ground around it.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS; NaN is nodata, over which nothing drains.
    site : geometry
        Boundary of the site.
    source_cell_m : float
        Cell size of the source of heights, see `flow_cell_m` [m]: flow is followed on no finer cells.

    Returns
    -------
    Drainage
        On square cells of 5 m or more; ground without heights, and its neighbours, are the edge.
    """
    west, south, east, north = site.bounds
    west, south, east, north = west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M
    cell = max(source_cell_m, ground.grid.dx, ground.grid.dy, (east - west) / MOST_CELLS_ACROSS, FINEST_M)
    nx, ny = math.ceil((east - west) / cell), math.ceil((north - south) / cell)
    grid = Grid(ground.grid.crs, west - cell / 2, north + cell / 2, cell, cell, max(ny, 2), max(nx, 2))
    z = np.ascontiguousarray(ground.at(*np.meshgrid(grid.x_centres(), grid.y_centres())))
    filled, receiver, through = drain(z, FILL_STEP_M)
    return Drainage(grid, receiver, through * grid.cell_area_m2 / 1e4, np.maximum(filled - z, 0.0))
