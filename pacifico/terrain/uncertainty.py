"""Error of a DEM: correlated fields, and quantiles of results.

The error of a DEM is similar at neighbouring cells: independent errors would give absurd slopes, equal errors exact ones. The
model is a stationary Gaussian field with

    mean 0,  standard deviation `rmse_m`,  correlation exp(-(distance / correlation_m)²)

added to the DEM. The DEM already holds one realization of its error, so the sum is rougher than the ground: `intervals` says how
an interval about the value on the DEM follows.

References
----------
Oksanen and Sarjakoski (2005), https://doi.org/10.1016/j.cageo.2005.02.014: Monte Carlo propagation of correlated DEM
error to slope and aspect. Holmes, Chadwick and Kyriakidis (2000), https://doi.org/10.1016/S0022-1694(00)00229-8.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.terrain import _kernels
from pacifico.terrain.intervals import symmetric_interval
from pacifico.terrain.sources import NAMED, ErrorModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import xarray as xr
    from numpy.typing import ArrayLike, NDArray

    from pacifico.grid import Grid

Window = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""
REALIZATIONS = 40
"""Error fields by default: 8 of them are then beyond P10 and P90."""
FEWEST_REALIZATIONS = 10
"""Least number of error fields: 2 of them are then beyond P10 and P90."""
STEPS_A_LENGTH = 3
"""Lattice cells of white noise per correlation length: the standard deviation is then even to 0.1 %."""
KEPT, MOST_KEPT = 64, 100_000
"""Lattices of noise in the cache, and the most cells of each: 51 MB in all."""
REACH = 2.0
"""Reach of the weights [correlation lengths]: beyond it they are under 0.04 % of the largest."""
THREADS_FROM_CELLS = 2_000_000
"""Cells times realizations from which two threads are used: fewer take less time than threads take to start."""


LEVEL_GROUND = ErrorModel(0.0, 100.0, "level ground is assumed: its error is not known, and none is added")
"""Error of ground without an elevation model."""


def dem_error(dem: xr.DataArray) -> ErrorModel:
    """Error assumed for a DEM, by source or cell size.

    Rasters of unknown origin: 0.15 m up to 3 m cells (lidar), 0.8 m up to 15 m, 2 m up to 45 m, and 5 m beyond. The
    correlation length is 7 cells or 30 m, whichever is more.
    """
    source = str(dem.attrs.get("source", ""))
    if source == "level ground":
        return LEVEL_GROUND
    if source in NAMED:
        return NAMED[source].error
    cell = float(dem.attrs.get("source_resolution_m", 10.0))
    rmse = 0.15 if cell <= 3 else 0.8 if cell <= 15 else 2.0 if cell <= 45 else 5.0
    length = max(30.0, 7 * cell)
    return ErrorModel(rmse, length, f"assumed from cells of {cell:.3g} m: {rmse:g} m, correlated over {length:.0f} m")


@dataclass(frozen=True)
class Quantiles:
    """Value on the DEM with its symmetric interval."""

    p10: float
    p50: float
    """Middle of the interval: the value on the DEM itself."""
    p90: float
    nominal: float
    """Value on the DEM itself."""


def error_field(
    grid: Grid, *, rmse_m: float, correlation_m: float, seed: int, window: Window | None = None
) -> NDArray[np.float64]:
    """One realization of DEM error.

    Parameters
    ----------
    grid : Grid
        Grid of the field.
    rmse_m : float
        Standard deviation [m], >= 0.
    correlation_m : float
        Distance at which the correlation is 1/e [m], > 0.
    seed : int
        The same seed gives the same field, to the byte.
    window : (int, int, int, int), optional
        Part of the field to return.

    Returns
    -------
    ndarray, shape (ny, nx) or that of the window
        Error [m].

    Raises
    ------
    InputError
        The RMSE is negative, or the correlation length is not positive.
    """
    return next(_fields(grid, ErrorModel(rmse_m, correlation_m, "as asked"), [seed], window))


def quantiles(
    dem: xr.DataArray,
    statistic: Callable[[NDArray[np.float64]], float],
    *,
    error: ErrorModel | None = None,
    realizations: int = REALIZATIONS,
    seed: int = 0,
) -> Quantiles:
    """Number computed from heights, with its P10 and P90.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m].
    statistic : callable
        From heights, shape (ny, nx) [m], to a number of 0 or more.
    error : ErrorModel, optional
        By default that of the DEM's source.
    realizations : int
        Number of error fields, at least 10.
    seed : int
        Seed of the error fields.
    """
    ground = Ground.of(dem)
    error = error if error is not None else dem_error(dem)
    values = [statistic(ground.z + noise) for noise in _fields(ground.grid, error, _seeds(seed, realizations))]
    return _about(statistic(ground.z), values)


def buildable_area_ha(
    z: NDArray[np.floating[Any]],
    grid: Grid,
    usable: NDArray[np.bool_],
    slope_limits_deg: Mapping[str, float],
    *,
    error: ErrorModel,
    realizations: int = REALIZATIONS,
    seed: int = 0,
) -> dict[str, Quantiles]:
    """Area within each slope limit, with its interval.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m], NaN for nodata.
    grid : Grid
        Its grid.
    usable : ndarray of bool, shape (ny, nx)
        Cells that boundary, setbacks and exclusions leave.
    slope_limits_deg : mapping
        Limit of natural ground by asset type [°].
    error : ErrorModel
        See `dem_error`.
    realizations, seed : int
        Number of error fields, at least 10, and their seed.

    Returns
    -------
    dict of Quantiles
        Area by asset type [ha], in grid metres.
    """
    drawn = gentle_draws(
        z, grid, usable, tuple(slope_limits_deg.values()), error=error, realizations=realizations, seed=seed
    )
    return dict(zip(slope_limits_deg, drawn.areas_ha(grid), strict=True))


@dataclass(frozen=True)
class GentleDraws:
    """Counts of usable cells within slope limits, with DEM error."""

    slope_limits_deg: tuple[float, ...]
    """Limits [°]."""
    usable: NDArray[np.bool_]
    window: Window
    """Window of the usable cells, one more around, that errors were drawn for."""
    nominal: NDArray[np.float64]
    """Cells within each limit."""
    drawn: NDArray[np.float64]
    """Cells within each limit in each realization, shape (realizations, limits)."""

    def areas_ha(self, grid: Grid) -> list[Quantiles]:
        """Area within each limit [ha], in grid metres.

        A larger limit holds all ground of a smaller one. Its P10 is therefore at least that of the smaller limit, and the P90
        of the smaller limit at most its own.
        """
        cell = grid.cell_area_m2 / 1e4
        most = float(self.usable.sum()) * cell
        areas = [_about(float(n * cell), self.drawn[:, k] * cell, most) for k, n in enumerate(self.nominal)]
        low, high = np.array([a.p10 for a in areas]), np.array([a.p90 for a in areas])
        limits = np.array(self.slope_limits_deg)
        return [
            replace(a, p10=float(low[limits <= limit].max()), p90=float(high[limits >= limit].min()))
            for a, limit in zip(areas, limits, strict=True)
        ]


def gentle_draws(
    z: NDArray[np.floating[Any]],
    grid: Grid,
    usable: NDArray[np.bool_],
    slope_limits_deg: Sequence[float],
    *,
    error: ErrorModel,
    realizations: int = REALIZATIONS,
    seed: int = 0,
    before: GentleDraws | None = None,
) -> GentleDraws:
    """Count cells within slope limits under the DEM's error.

    Parameters
    ----------
    z, grid, usable, error, realizations, seed
        As for `buildable_area_ha`.
    slope_limits_deg : sequence of float
        Limits [°].
    before : GentleDraws, optional
        Counts for the same ground, limits and error: only cells whose usability changed are counted, with the same result.
    """
    asked = tuple(slope_limits_deg)
    none = np.zeros(len(asked))
    rows, columns = np.nonzero(usable.any(axis=1))[0], np.nonzero(usable.any(axis=0))[0]
    if rows.size == 0:
        return GentleDraws(asked, usable, (0, 0, 0, 0), none, np.zeros((realizations, len(asked))))
    # Slopes of the usable ground need one cell around it.
    window = _around(rows, columns, (0, grid.ny, 0, grid.nx))
    limits = np.tan(np.radians(np.array(asked, dtype=np.float64))) ** 2
    part, seeds = part_of(grid, window), _seeds(seed, realizations)

    def counts(marked: NDArray[np.bool_], within: Window) -> NDArray[np.float64]:
        r0, r1, c0, c1 = within
        heights = np.ascontiguousarray(z[r0:r1, c0:c1], dtype=np.float64)
        mask = np.ascontiguousarray(marked[r0:r1, c0:c1]).astype(np.uint8)
        own = (r0 - window[0], r1 - window[0], c0 - window[2], c1 - window[2])

        def of(noise: NDArray[np.float64]) -> NDArray[np.float64]:
            found = np.empty(limits.size)
            _kernels.gentle_counts(heights, noise, mask, grid.dx, grid.dy, limits, found)
            return found

        plain = of(np.zeros_like(heights))
        if heights.size * realizations > THREADS_FROM_CELLS:
            with ThreadPoolExecutor(2) as pool:
                drawn = list(pool.map(lambda s: of(next(_fields(part, error, [s], own))), seeds))
        else:
            drawn = [of(noise) for noise in _fields(part, error, seeds, own)]
        return np.array([plain, *drawn])

    if before is not None and before.window == window and len(before.drawn) == realizations:
        total = np.vstack([before.nominal, before.drawn])
        for marked, sign in ((usable & ~before.usable, 1.0), (before.usable & ~usable, -1.0)):
            if marked.any():
                rows, columns = np.nonzero(marked.any(axis=1))[0], np.nonzero(marked.any(axis=0))[0]
                total = total + sign * counts(marked, _around(rows, columns, window))
    else:
        total = counts(usable, window)
    return GentleDraws(asked, usable, window, total[0], total[1:])


def _around(rows: NDArray[np.int64], columns: NDArray[np.int64], most: Window) -> Window:
    """Window of rows and columns, widened by one."""
    return (
        max(int(rows[0]) - 1, most[0]), min(int(rows[-1]) + 2, most[1]),
        max(int(columns[0]) - 1, most[2]), min(int(columns[-1]) + 2, most[3]),
    )  # fmt: skip


def _seeds(seed: int, realizations: int) -> list[int]:
    """Seeds of the error fields."""
    if realizations < FEWEST_REALIZATIONS:
        raise InputError(
            f"{realizations} realizations are too few for P10 and P90; at least {FEWEST_REALIZATIONS} are needed"
        )
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(realizations, np.uint64)]


def _about(nominal: float, drawn: ArrayLike, largest: float = math.inf) -> Quantiles:
    """Interval about a value from its draws."""
    low, high = symmetric_interval(nominal, np.asarray(drawn, dtype=np.float64) - nominal, largest=largest)
    return Quantiles(low, nominal, high, nominal)


def part_of(grid: Grid, window: Window) -> Grid:
    """Grid of a window of rows and columns."""
    r0, r1, c0, c1 = window
    return replace(grid, x0=grid.x0 + c0 * grid.dx, y0=grid.y0 - r0 * grid.dy, ny=r1 - r0, nx=c1 - c0)


def _fields(
    grid: Grid, error: ErrorModel, seeds: list[int], window: Window | None = None
) -> Iterator[NDArray[np.float64]]:
    """Error fields, or a window of them.

    White noise on a lattice finer than the correlation length is smoothed by a Gaussian. The Gaussian separates into one
    along x and one along y, and the lattice is coarse compared with the DEM's cells: a field costs about 20 multiplications
    per cell for any correlation length. A Fourier transform would wrap around at the edges. Sums run in a fixed order, so
    that bytes repeat on any number of threads.

    Parameters
    ----------
    grid : Grid
        Grid of the fields.
    error : ErrorModel
        Standard deviation and correlation length.
    seeds : list of int
        One per field.
    window : (int, int, int, int), optional
        Part of the fields to return.
    """
    if not error.rmse_m >= 0:
        raise InputError(f"the DEM's RMSE is {error.rmse_m:g} m; it must be 0 or more")
    if not error.correlation_m > 0:
        raise InputError(f"the correlation length is {error.correlation_m:g} m; it must be over 0")
    row_taps, row_from, rows = _taps(grid.ny, grid.dy, error.correlation_m)
    column_taps, column_from, columns = _taps(grid.nx, grid.dx, error.correlation_m)
    r0, r1, c0, c1 = window if window is not None else (0, grid.ny, 0, grid.nx)
    row_taps, row_from, column_taps, column_from = (
        row_taps[r0:r1],
        row_from[r0:r1],
        column_taps[c0:c1],
        column_from[c0:c1],
    )
    for seed in seeds:
        white = (_kept_noise if rows * columns <= MOST_KEPT else _noise)(seed, rows, columns)
        out = np.empty((r1 - r0, c1 - c0))
        _kernels.spread(white, row_taps, row_from, column_taps, column_from, out)
        out *= error.rmse_m
        yield out


def _noise(seed: int, rows: int, columns: int) -> NDArray[np.float64]:
    """White noise of a seed."""
    white = np.random.default_rng(seed).standard_normal((rows, columns))
    white.flags.writeable = False
    return white


# Successive edits ask for the same fields at other places.
_kept_noise = lru_cache(maxsize=KEPT)(_noise)


@lru_cache(maxsize=8)
def _taps(n: int, cell: float, length: float) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Weights and first lattice point of n cells, and lattice size.

    A Gaussian of standard deviation length / 2, correlated with itself, gives exp(-(distance / length)²).
    """
    step = length / STEPS_A_LENGTH
    taps = 2 * math.ceil(REACH * STEPS_A_LENGTH) + 1
    at = (np.arange(n) + 0.5) * cell / step
    first = np.floor(at).astype(np.int64)
    offset = (first[:, None] + np.arange(taps)[None, :] - taps // 2) - at[:, None]
    weights = np.exp(-2.0 * (offset / STEPS_A_LENGTH) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    weights.flags.writeable = first.flags.writeable = False
    return weights, first, int(first[-1]) + taps
