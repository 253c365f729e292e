"""Corridors: volumes of roads between design and ground, with side slopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.layout.earthwork._kernel_types import CORRIDOR_COLUMNS, RoadLines, cell_size, grid_frame, side_slope
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria
from pacifico.layout.model.earthwork import CorridorVolumes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground

REPEATED_M = 1e-6
"""Vertices closer than this repeat each other [m]."""


def corridor_volumes(
    ground: Ground, line: LineString, width_m: float, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> CorridorVolumes:
    """Volumes of a road: under its carriageway, and of its side slopes.

    The design height is the line's Z, linear between vertices and level across the road. The strip is mitred at bends
    as far as the neighbouring segments have room, so that its area is length x width. Side slopes are perpendicular to
    the edges. Ground shared with a pad or another road is counted in both.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    line : LineString
        Centreline with design heights as Z [m].
    width_m : float
        Carriageway width [m].
    criteria : EarthworkCriteria
        Side slope and fineness.

    Raises
    ------
    InputError
        The line has no Z, or the width is not above 0.
    """
    return corridors(ground, [line], [width_m], criteria=criteria)[0]


def corridors(
    ground: Ground,
    lines: Sequence[LineString],
    widths: Sequence[float],
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> list[CorridorVolumes]:
    """Volumes of many roads, in their order; see `corridor_volumes`.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    lines : sequence of LineString
        Centrelines with design heights as Z [m].
    widths : sequence of float
        Carriageway width of each line [m].
    criteria : EarthworkCriteria
        Side slope and fineness.
    """
    rows = corridor_rows(ground, road_lines(lines), widths, criteria)
    return [CorridorVolumes(*row) for row in rows.tolist()]


def corridor_rows(ground: Ground, lines: RoadLines, widths: Sequence[float], criteria: EarthworkCriteria) -> FloatArray:
    """Results of the compiled kernel, one row (`CorridorVolumes`) for each road.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    lines : RoadLines
        Vertices of the centrelines.
    widths : sequence of float
        Carriageway width of each line [m].
    criteria : EarthworkCriteria
        Side slope and fineness.
    """
    from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    width, count = np.asarray(widths, dtype=np.float64), len(lines.starts) - 1
    if len(width) != count:
        raise InputError(f"{count} lines and {len(width)} widths; give one width for each line")
    if not (width > 0).all():
        raise InputError(f"road width {width[~(width > 0)][0]} m; give a width above 0")
    if len(width) == 0:
        return np.empty((0, CORRIDOR_COLUMNS))
    finest = criteria.sample_m or 0.5 * cell_size(ground)
    steps = np.minimum(finest, width / 2.0)
    return np.asarray(
        _earthwork_kernels.grade_corridors(
            ground.z, grid_frame(ground), lines, width, steps, side_slope(ground, criteria)
        )
    )


def road_lines(lines: Sequence[LineString]) -> RoadLines:
    """Vertices of lines, each about its line's first point, without repeated ones."""
    if len(lines) == 0:
        return RoadLines(np.empty((0, 3)), np.zeros(1, dtype=np.int64), np.empty((0, 2)))
    shapes = np.asarray(lines, dtype=object)
    flat = np.flatnonzero(~shapely.has_z(shapes))
    if len(flat):
        raise InputError(f"line {int(flat[0])} has no Z; give a LineString Z with the design height at each vertex")
    xyz, of = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    first = np.append(True, of[1:] != of[:-1])
    step = np.hypot(np.diff(xyz[:, 0], prepend=np.inf), np.diff(xyz[:, 1], prepend=np.inf))
    keep = first | (step > REPEATED_M)
    if not np.isfinite(xyz).all():
        raise InputError(f"line {int(of[~np.isfinite(xyz).all(axis=1)][0])} has a coordinate that is not a number")
    origins = xyz[first][:, :2]
    xyz, of = xyz[keep], of[keep]
    xyz[:, :2] -= origins[of]
    starts = np.searchsorted(of, np.arange(len(shapes) + 1)).astype(np.int64)
    return RoadLines(np.ascontiguousarray(xyz), starts, origins)
