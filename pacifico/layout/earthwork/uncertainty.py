"""How sure the volumes are: cut and fill under errors of the elevation model."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.layout.earthwork.corridors import corridor_rows, road_vertices
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria
from pacifico.layout.earthwork.pads import pad_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from shapely import LineString

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.model.earthwork import PadPlane


MOST_CELLS_AT_ONCE = 25_000_000
"""Of the grids on which errors are tried side by side; each takes 16 bytes a cell."""


class EarthworkInterval(NamedTuple):
    """Percentiles of total cut + fill [m³]."""

    p10: float
    p50: float
    p90: float


def earthwork_interval(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[FloatArray],
    follow_m: float = 30.0,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> EarthworkInterval:
    """P10, P50 and P90 of cut + fill (pad and road prisms) under errors of the elevation model.

    Each error field (ny, nx) [m] is added to the ground, and the design answers as it would to a survey: pads are
    balanced anew, profiles move by the error averaged over `follow_m` along the road; plan and grade limits stay. What
    is left is error that is shorter than a pad or a vertical curve. Error roughens the ground, so that P50 lies
    above the volume on the model as it is, most of all on flat sites: a smooth model hides relief.

    Parameters
    ----------
    errors : iterable of ndarray
        Realizations of the model's error [m]; at least one.
    follow_m : float
        Length over which a redrawn profile follows the ground [m]: about a vertical curve of a site road.

    Raises
    ------
    InputError
        Where there is no field, or one is not of the grid's shape or not finite under the works.
    """
    totals = [
        float(each.sum())
        for each in volumes_under_errors(
            ground, pads, roads, widths, errors=errors, follow_m=follow_m, criteria=criteria
        )
    ]
    if not totals:
        raise InputError("no error field given; give at least one realization")
    return EarthworkInterval(*np.percentile(totals, (10, 50, 90)).tolist())


def volumes_under_errors(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[FloatArray],
    follow_m: float = 30.0,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> Iterator[FloatArray]:
    """Cut + fill of each pad, then of each road [m³], for one error field after the other: see `earthwork_interval`."""
    polygons = [p.polygon for p in pads]
    planes = np.full((len(pads), 3), np.nan)
    xyz, starts, origins = road_vertices(roads)
    quick = replace(criteria, side_slope=0.0, search_rounds=min(criteria.search_rounds, 4))

    def measured(error: FloatArray) -> FloatArray:
        if error.shape != ground.grid.shape:
            raise InputError(
                f"the error field is {error.shape}, the grid {ground.grid.shape}; make it on the same grid"
            )
        shaken = Ground(ground.grid, ground.z + error)
        moved = xyz.copy()
        moved[:, 2] += _followed(Ground(ground.grid, error), xyz, starts, origins, follow_m)
        pad = pad_rows(shaken, polygons, planes, quick, tiles_across=4.0)[:, :2].sum(axis=1)
        road = corridor_rows(shaken, moved, starts, origins, widths, quick)[:, :2].sum(axis=1)
        each = np.concatenate([pad, road])
        if not np.isfinite(each).all():
            raise InputError("the error field is not finite under a pad or road; give a field without nodata")
        return each

    # as many at once as there are cores, as long as their grids take little of the memory
    most = min(os.cpu_count() or 1, max(MOST_CELLS_AT_ONCE // ground.z.size, 1))
    waiting: deque[Future[FloatArray]] = deque()
    with ThreadPoolExecutor(most) as pool:
        for error in errors:
            waiting.append(pool.submit(measured, error))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _followed(error: Ground, xyz: FloatArray, starts: IntArray, origins: FloatArray, window_m: float) -> FloatArray:
    """Error at each vertex [m], averaged over `window_m` along its own line."""
    if len(xyz) == 0:
        return np.empty(0)
    line = np.repeat(np.arange(len(origins)), np.diff(starts))
    value = error.at(xyz[:, 0] + origins[line, 0], xyz[:, 1] + origins[line, 1])
    joined = line[1:] == line[:-1]
    run = np.where(joined, np.hypot(np.diff(xyz[:, 0]), np.diff(xyz[:, 1])), 1.0)
    station = np.concatenate(([0.0], np.cumsum(run)))
    integral = np.concatenate(([0.0], np.cumsum(np.where(joined, 0.5 * (value[1:] + value[:-1]), 0.0) * run)))
    low = np.maximum(station - window_m / 2, station[starts[line]])
    high = np.minimum(station + window_m / 2, station[starts[line + 1] - 1])
    mean = np.interp(high, station, integral) - np.interp(low, station, integral)
    return np.where(high > low, mean / np.maximum(high - low, 1e-9), value)
