"""Corridors: volumes of roads from their designed profiles, side slopes included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria, cell_of, frame_of, side_of
from pacifico.layout.model.earthwork import CorridorVolumes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground


def corridor_volumes(
    ground: Ground, line: LineString, width_m: float, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> CorridorVolumes:
    """Volumes of a road: prism under the carriageway and the side slopes that bring it to daylight.

    The design is the Z of the line, linear between vertices and level across; the strip is mitred at bends (so its
    area is length x width, without overlap) as far as the neighbouring segments leave room. Side slopes stand square
    to the edge. What the road shares with a pad or another road is counted in both.

    Raises
    ------
    InputError
        Where the line has no Z, or the width is not above 0.
    """
    return corridors(ground, [line], [width_m], criteria=criteria)[0]


def corridors(
    ground: Ground,
    lines: Sequence[LineString],
    widths: Sequence[float],
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> list[CorridorVolumes]:
    """`corridor_volumes` of many roads, in their order."""
    xyz, starts, origins = road_vertices(lines)
    return [CorridorVolumes(*row) for row in corridor_rows(ground, xyz, starts, origins, widths, criteria).tolist()]


def corridor_rows(
    ground: Ground,
    xyz: FloatArray,
    starts: IntArray,
    origins: FloatArray,
    widths: Sequence[float],
    criteria: EarthworkCriteria,
) -> FloatArray:
    """Rows of the compiled kernel, one a road."""
    from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    width = np.asarray(widths, dtype=np.float64)
    if len(width) != len(starts) - 1:
        raise InputError(f"{len(starts) - 1} lines and {len(width)} widths; give one width for each line")
    if not (width > 0).all():
        raise InputError(f"road width {width[~(width > 0)][0]} m; give a width above 0")
    if len(width) == 0:
        return np.empty((0, _earthwork_kernels.CORRIDOR_COLUMNS))
    fine = criteria.sample_m or 0.5 * cell_of(ground)
    steps = np.minimum(fine, width / 2.0)
    return np.asarray(
        _earthwork_kernels.grade_corridors(
            ground.z, frame_of(ground), xyz, starts, origins, width, steps, side_of(ground, criteria)
        )
    )


def road_vertices(lines: Sequence[LineString]) -> tuple[FloatArray, IntArray, FloatArray]:
    """Vertices of all lines (m, 3) about each line's first point, first vertex of each (n + 1), first points (n, 2)."""
    if len(lines) == 0:
        return np.empty((0, 3)), np.zeros(1, dtype=np.int64), np.empty((0, 2))
    shapes = np.asarray(lines, dtype=object)
    flat = np.flatnonzero(~shapely.has_z(shapes))
    if len(flat):
        raise InputError(f"line {int(flat[0])} has no Z; give a LineString Z with the design height at each vertex")
    xyz, of = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    first = np.append(True, of[1:] != of[:-1])
    step = np.hypot(np.diff(xyz[:, 0], prepend=np.inf), np.diff(xyz[:, 1], prepend=np.inf))
    keep = first | (step > 1e-6)
    if not np.isfinite(xyz).all():
        raise InputError(f"line {int(of[~np.isfinite(xyz).all(axis=1)][0])} has a coordinate that is not a number")
    origins = xyz[first][:, :2]
    xyz, of = xyz[keep], of[keep]
    xyz[:, :2] -= origins[of]
    starts = np.searchsorted(of, np.arange(len(shapes) + 1)).astype(np.int64)
    return np.ascontiguousarray(xyz), starts, origins
