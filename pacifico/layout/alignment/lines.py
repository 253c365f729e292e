"""Lines on the routing grid: pull paths tight and round bends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _line_kernels

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.routing.routing_grid import RoutingGrid, Shapes


def pull(
    road_grid: RoutingGrid,
    xy: FloatArray,
    *,
    bound_at: IntArray,
    bound: IntArray,
    shapes: Shapes,
    reach: FloatArray,
    max_grade: float,
) -> FloatArray:
    """Shortened path that is legal and costs no more.

    Parameters
    ----------
    road_grid : RoutingGrid
        Clearance and cost of roads.
    xy : (n, 2) float
        Points of the path [m].
    bound_at, bound : (k,) int
        Points that serve terminals, and these terminals; the pulled path serves them too.
    shapes : Shapes
        Footprints of all terminals.
    reach : (t,) float
        Largest distance from the path to each terminal [m].
    max_grade : float
        Grade limit, rise over run [-].

    Returns
    -------
    (m, 2) float
        Points that remain, the first and the last included [m].
    """
    keep = _line_kernels.pull(xy, bound_at, bound, shapes.within(reach), road_grid.arrays, max_grade)
    return np.ascontiguousarray(xy[keep])


def round_bends(
    road_grid: RoutingGrid, xy: FloatArray, *, radius_m: float, full: bool = False, share: FloatArray | None = None
) -> tuple[FloatArray, int]:
    """Line with rounded bends, and its number of tighter ones.

    Parameters
    ----------
    road_grid : RoutingGrid
        Clearance of roads.
    xy : (n, 2) float
        Corners of the line [m].
    radius_m : float
        Radius of the centreline [m]; a smaller one is used where it doesn't fit.
    full : bool
        Whether a leg between two bends is shared as their arcs need; otherwise each has half of it.
    share : (n,) float, optional
        Share of the radius that is tried first at each corner [-]; where it is negative, halves hold in spite of `full`.
    """
    line, tight = _line_kernels.round_bends(
        xy,
        radius_m,
        np.ones(len(xy)) if share is None else share,
        full,
        road_grid.clearance_index.arrays,
        road_grid.nodata_mask.arrays,
    )
    return line, int(tight)
