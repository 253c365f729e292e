"""Cost of road on each cell of a routing grid, relative to level open ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import Polygon

from pacifico.layout.ground import _clearance_kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray

BUMP_SHARE = 0.3
"""Share of a bump's height that a road cuts or fills."""


def cost_factors(
    shape: tuple[int, int],
    cost_zones: Sequence[tuple[BaseGeometry, float]],
    places: tuple[float, float, float],
    earthwork: FloatArray | None = None,
) -> FloatArray:
    """Cost multiplier of each cell, from the zones that cover its centre.

    The largest multiplier of 1 or more counts, times the one for earthwork. On an existing road, which is a zone below 1,
    the earthwork exists.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the grid.
    cost_zones : sequence of (geometry, float)
        Zones with their multipliers.
    places : (float, float, float)
        Easting and northing of the first cell's centre, and the size of a cell [m].
    earthwork : (ny, nx) float, optional
        Multiplier for earthwork.
    """
    dearer, cheaper = np.ones(shape), np.ones(shape)
    for geometry, multiplier in cost_zones:
        on = _covered(shape, geometry, places)
        if multiplier < 1:
            cheaper[on] = np.minimum(cheaper[on], multiplier)
        else:
            dearer[on] = np.maximum(dearer[on], multiplier)
    if earthwork is not None:
        dearer *= np.where(cheaper < 1, 1.0, earthwork)
    return dearer * cheaper


def _covered(shape: tuple[int, int], geometry: BaseGeometry, places: tuple[float, float, float]) -> BoolArray:
    """Cells whose centre a geometry covers."""
    covered = np.zeros(shape, bool)
    for polygon in shapely.get_parts(geometry):
        if isinstance(polygon, Polygon) and not polygon.is_empty:
            marked = np.zeros(shape, np.uint8)
            rings = [shapely.get_coordinates(r) for r in shapely.get_rings(polygon)]
            whole = np.array([0, len(rings)], np.int64)
            _clearance_kernels.fill_rings(marked, np.concatenate(rings), ring_starts(rings), whole, *places, 1)
            covered |= marked == 1
    return covered


def ring_starts(rings: Sequence[FloatArray]) -> IntArray:
    """Where each ring begins when all are joined into one array."""
    return np.cumsum([0, *(len(r) for r in rings)]).astype(np.int64)


def earthwork_per_metre(smooth: FloatArray, z: FloatArray, cell: float, width_m: float) -> FloatArray:
    """Rough cut and fill per metre of road [m³/m].

    It is a level bench across the slope, and a share of the bumps.

    Parameters
    ----------
    smooth, z : (ny, nx) float
        Smoothed and actual ground at cell centres [m].
    cell : float
        Size of a cell [m].
    width_m : float
        Width of the road [m].
    """
    north, east = np.gradient(smooth, cell)
    bumps = np.nan_to_num(np.abs(z - smooth))
    volume: FloatArray = np.hypot(north, east) * width_m**2 / 4 + BUMP_SHARE * bumps * width_m
    return volume
