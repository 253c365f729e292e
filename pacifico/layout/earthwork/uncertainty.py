"""Uncertainty of cut and fill under DEM errors."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.layout.earthwork.corridors import corridor_rows, road_lines
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria
from pacifico.layout.earthwork.pads import pad_rows
from pacifico.terrain.intervals import symmetric_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.layout.earthwork._kernel_types import RoadLines
    from pacifico.layout.model.earthwork import PadPlane


MAX_CELLS_AT_ONCE = 25_000_000
"""Cells of all grids that are measured at the same time, at 16 bytes each: a bound on memory."""
FOLLOW_M = 30.0
"""Length over which a redesigned profile follows the ground [m]: about a vertical curve of a site road."""


class EarthworkInterval(NamedTuple):
    """Cut + fill with side slopes, and its interval [m³]."""

    p10: float
    p50: float
    """Volume on the model itself."""
    p90: float


def earthwork_interval(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[FloatArray],
    follow_m: float = FOLLOW_M,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> EarthworkInterval:
    """Cut + fill with side slopes, and its interval.

    Each error field is added to the ground, and the design adapts as to a survey: pads are balanced again, and
    profiles move by the error averaged over `follow_m` along the road. Positions and grade limits stay. The remaining
    error is shorter than a pad or a vertical curve. The interval is about the volume on the model itself, which is
    measured in the same way: see `pacifico.terrain.intervals.symmetric_interval`.

    Parameters
    ----------
    ground : Ground
        Heights of the model [m].
    pads : sequence of PadPlane
        Pads; only their outlines are used.
    roads : sequence of LineString
        Centrelines with design heights as Z [m].
    widths : sequence of float
        Carriageway width of each road [m].
    errors : iterable of ndarray, shape (ny, nx)
        Realizations of the model's error [m]; at least one.
    follow_m : float
        Length over which a redesigned profile follows the ground [m].
    criteria : EarthworkCriteria
        Shrink, grade limit and fineness.

    Raises
    ------
    InputError
        There is no field, or one has another shape than the grid or is not finite under a pad or road.
    """
    none_first = chain([np.zeros(ground.grid.shape)], errors)
    drawn = volumes_under_errors(ground, pads, roads, widths, errors=none_first, follow_m=follow_m, criteria=criteria)
    itself, *totals = (float(each.sum()) for each in drawn)
    if not totals:
        raise InputError("no error field given; give at least one realization")
    low, high = symmetric_interval(itself, np.array(totals) - itself)
    return EarthworkInterval(low, itself, high)


def volumes_under_errors(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[FloatArray],
    follow_m: float = FOLLOW_M,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> Iterator[FloatArray]:
    """Cut + fill of each work under each error [m³].

    Parameters are those of `earthwork_interval`.
    """
    polygons = [p.polygon for p in pads]
    balanced = np.full((len(pads), 3), np.nan)
    lines = road_lines(roads)
    quick = replace(criteria, search_rounds=min(criteria.search_rounds, 4))

    def measured(error: FloatArray) -> FloatArray:
        """Volumes under one error field."""
        if error.shape != ground.grid.shape:
            raise InputError(
                f"the error field is {error.shape}, the grid {ground.grid.shape}; make it on the same grid"
            )
        disturbed = Ground(ground.grid, ground.z + error)
        xyz = lines.xyz.copy()
        xyz[:, 2] += _mean_along_lines(Ground(ground.grid, error), lines, follow_m)
        pad = pad_rows(disturbed, polygons, balanced, quick, tiles_across=4.0)[:, :4].sum(axis=1)
        road = corridor_rows(disturbed, lines._replace(xyz=xyz), widths, quick)[:, :4].sum(axis=1)
        volumes = np.concatenate([pad, road])
        if not np.isfinite(volumes).all():
            raise InputError("the error field is not finite under a pad or road; give a field without nodata")
        return volumes

    # one field per core, as long as their grids fit the memory
    at_once = min(os.cpu_count() or 1, max(MAX_CELLS_AT_ONCE // ground.z.size, 1))
    running: deque[Future[FloatArray]] = deque()
    with ThreadPoolExecutor(at_once) as pool:
        for error in errors:
            running.append(pool.submit(measured, error))
            if len(running) >= at_once:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _mean_along_lines(error: Ground, lines: RoadLines, window_m: float) -> FloatArray:
    """Error at each vertex, averaged over `window_m` along its own line [m]."""
    xyz, starts, origins = lines
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
