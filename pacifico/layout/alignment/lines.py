"""Lines on the routing grid: shorten paths and round bends."""

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
    """Path shortened where that is legal, costs no more, and keeps serving its terminals."""
    f, b = road_grid.clearance_index, road_grid.nodata_mask
    keep = _line_kernels.pull(
        xy, bound_at, bound, shapes.coords, shapes.start, reach, road_grid.z, road_grid.cost_factor, road_grid.x0, road_grid.y0,
        road_grid.cell, f.edges, f.frame, f.start, f.items, b.flags, b.frame, b.any, f.radius, max_grade,
    )  # fmt: skip
    return np.ascontiguousarray(xy[keep])


def round_bends(
    road_grid: RoutingGrid, xy: FloatArray, *, radius_m: float, full: bool = False, share: FloatArray | None = None
) -> tuple[FloatArray, int]:
    """Path with arcs at its bends, and the number of bends tighter than `radius_m` (centreline).

    A leg between two bends is shared by halves, or where `full` as their arcs need. At single points
    only a `share` of the radius may be tried; where it is negative, halves hold there though `full`.
    """
    f, b = road_grid.clearance_index, road_grid.nodata_mask
    line, tight = _line_kernels.round_bends(
        xy,
        radius_m,
        f.edges,
        f.frame,
        f.start,
        f.items,
        b.flags,
        b.frame,
        b.any,
        f.radius,
        full,
        np.ones(len(xy)) if share is None else share,
    )
    return line, int(tight)
