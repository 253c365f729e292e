"""Slope, aspect, shaded relief, curvature and roughness of a DEM.

The plain-array functions (`slope_deg`, `surface_arrays`) take metres and import nothing but NumPy and the kernels; the public ones wrap
them for DataArrays. Cell sizes x and y enter apart.

Nodata and borders: a cell whose 3 x 3 window holds NaN is NaN. At the border of the grid, slope, aspect and hillshade
continue the two outermost cells linearly (a one-sided estimate, exact on planes; the rule of `gdaldem
-compute_edges`), or give NaN with `border="nan"`; curvature and the roughness family are NaN there.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pacifico.errors import DEMError
from pacifico.grid import Grid
from pacifico.terrain import _kernels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

Floats = NDArray[np.floating[Any]]
Border = Literal["one-sided", "nan"]
Product = Literal["slope", "aspect", "hillshade", "profile_curvature", "plan_curvature", "roughness", "tri", "tpi"]

PRODUCTS: tuple[Product, ...] = (
    "slope",
    "aspect",
    "hillshade",
    "profile_curvature",
    "plan_curvature",
    "roughness",
    "tri",
    "tpi",
)
"""In the order the kernel takes them."""
ONE_SIDED: frozenset[str] = frozenset({"slope", "aspect", "hillshade"})
BLOCK_ROWS = 128
"""Rows that one thread takes at a time."""
THREADS_FROM_CELLS = 500_000
"""Smaller arrays take less time than threads do to start."""


def surface_arrays(
    z: Floats,
    dx: float,
    dy: float,
    products: Sequence[Product],
    *,
    rows: tuple[int, int] | None = None,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    border: Border = "one-sided",
    threads: int | None = None,
) -> dict[Product, Floats]:
    """Several products of an elevation array in one pass over memory.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m], rows from north to south, NaN for nodata.
    dx, dy : float
        Cell size [m].
    products : sequence of str
        Of `PRODUCTS`: slope and aspect [°], hillshade 0 to 1, curvatures [1/m], roughness, tri and tpi [m].
    rows : (int, int), optional
        First row and the row after the last that are wanted; their neighbours are read from `z`. All by default.
    azimuth_deg, altitude_deg : float
        Where the light of the hillshade stands [°].
    border : {"one-sided", "nan"}
        At the outer row and column of `z`, for slope, aspect and hillshade: linear continuation, or NaN.
    threads : int, optional
        Threads over blocks of rows; by default one a core for large arrays. The bytes don't depend on it.

    Returns
    -------
    dict of ndarray, shape (rows, nx)
        In the float type of `z` (float64 for integers).

    Raises
    ------
    DEMError
        For fewer than 2 x 2 cells, or a cell size that is not positive.
    """
    z = _checked(z, dx, dy)
    first, last = rows if rows is not None else (0, z.shape[0])
    out = {name: np.empty((last - first, z.shape[1]), dtype=z.dtype) for name in products}
    nothing = np.empty((last - first, 0), dtype=z.dtype)
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    across = math.cos(altitude)
    light = np.array([across * math.sin(azimuth), across * math.cos(azimuth), math.sin(altitude)])

    def block(start: int) -> None:
        stop = min(start + BLOCK_ROWS, last)
        parts = [out.get(name, nothing)[start - first : stop - first] for name in PRODUCTS]
        _kernels.surface(z, start, stop, dx, dy, light, *parts)

    starts = range(first, last, BLOCK_ROWS)
    if threads is None:
        threads = (os.cpu_count() or 1) if (last - first) * z.shape[1] >= THREADS_FROM_CELLS else 1
    if threads > 1 and len(starts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(block, starts))
    else:
        for start in starts:
            block(start)
    if border == "nan":
        for name in ONE_SIDED & out.keys():
            _open(out[cast("Product", name)], top=first == 0, bottom=last == z.shape[0])
    return out


def slope_deg(z: Floats, dx: float, dy: float, *, border: Border = "one-sided") -> Floats:
    """Slope [°] of an elevation array [m] with cells of dx by dy [m], by Horn's method.

    NaN where the cell or one of its eight neighbours is; at the border of the array a one-sided estimate (linear
    continuation of the two outermost cells), or NaN with `border="nan"`. See `surface_arrays`.

    References
    ----------
    Horn (1981), https://doi.org/10.1109/PROC.1981.11918
    """
    return surface_arrays(z, dx, dy, ["slope"], border=border)["slope"]


def slope(
    dem: xr.DataArray, *, units: Literal["degrees", "percent"] = "degrees", border: Border = "one-sided"
) -> xr.DataArray:
    """Terrain slope by Horn's method, exact on planes.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m] in a projected CRS in metres, NaN for nodata.
    units : {"degrees", "percent"}
        Angle, or 100 x rise / run.
    border : {"one-sided", "nan"}
        At the outer row and column: linear continuation of the two outermost cells, or NaN.

    Returns
    -------
    DataArray
        On the grid of `dem`; NaN where the cell or one of its eight neighbours is.

    Raises
    ------
    CRSMismatchError
        For a grid without CRS, or in degrees or feet.

    References
    ----------
    Horn (1981), https://doi.org/10.1109/PROC.1981.11918

    Examples
    --------
    >>> steep = slope(dem) > 10
    """
    grid = Grid.of(dem)
    steep = slope_deg(dem.values, grid.dx, grid.dy, border=border)
    if units == "percent":
        steep = np.tan(np.radians(steep)) * 100
    return _on(dem, steep, name="slope", units=units, method="Horn (1981)")


def aspect(dem: xr.DataArray, *, border: Border = "one-sided") -> xr.DataArray:
    """Direction the ground faces [°], clockwise from north; NaN where level.

    Parameters, NaN and errors as for `slope`. Degrees are those of the grid's north.
    """
    grid = Grid.of(dem)
    facing = surface_arrays(dem.values, grid.dx, grid.dy, ["aspect"], border=border)["aspect"]
    return _on(dem, facing, name="aspect", units="degrees", method="Horn (1981)")


def hillshade(
    dem: xr.DataArray, *, azimuth_deg: float = 315.0, altitude_deg: float = 45.0, border: Border = "one-sided"
) -> xr.DataArray:
    """Shaded relief: cosine of the angle between the ground's normal and the light, 0 (dark) to 1.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; see `slope` for NaN, borders and errors.
    azimuth_deg, altitude_deg : float
        Where the light stands: clockwise from north, above the horizon [°].
    """
    grid = Grid.of(dem)
    shade = surface_arrays(
        dem.values,
        grid.dx,
        grid.dy,
        ["hillshade"],
        azimuth_deg=azimuth_deg,
        altitude_deg=altitude_deg,
        border=border,
    )
    return _on(dem, shade["hillshade"], name="hillshade", units="1", method="Horn (1981)")


def curvature(dem: xr.DataArray, *, kind: Literal["plan", "profile"] = "profile") -> xr.DataArray:
    """Curvature of the ground [1/m]: of its contour lines (plan) or along the fall line (profile).

    Both are positive where the ground is convex (a ridge, the brow of a hill) and negative where it is concave.
    NaN at the border of the grid, beside nodata, and where a level cell curves (a summit has no fall line).

    References
    ----------
    Zevenbergen and Thorne (1987), https://doi.org/10.1002/esp.3290120107; signs and normal section as in
    Minár et al. (2020), https://doi.org/10.1016/j.earscirev.2020.103414
    """
    grid = Grid.of(dem)
    name: Product = "plan_curvature" if kind == "plan" else "profile_curvature"
    bent = surface_arrays(dem.values, grid.dx, grid.dy, [name])[name]
    return _on(dem, bent, name=name, units="1/m", method="Zevenbergen and Thorne (1987)")


def roughness(dem: xr.DataArray, *, kind: Literal["roughness", "tri", "tpi"] = "roughness") -> xr.DataArray:
    """Relief within the 3 x 3 window [m]; NaN at the border of the grid and beside nodata.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; errors as for `slope`.
    kind : {"roughness", "tri", "tpi"}
        Highest less lowest cell (Wilson et al. 2007); root of the summed squared differences to the eight neighbours
        (terrain ruggedness index, Riley et al. 1999); height above the mean of the neighbours (topographic position).

    References
    ----------
    Wilson et al. (2007), https://doi.org/10.1080/01490410701295962; Riley, DeGloria and Elliot (1999),
    Intermountain Journal of Sciences 5: 23-27
    """
    grid = Grid.of(dem)
    rough = surface_arrays(dem.values, grid.dx, grid.dy, [kind])[kind]
    return _on(dem, rough, name=kind, units="m", method="3 x 3 window")


def _checked(z: Floats, dx: float, dy: float) -> Floats:
    """Contiguous floats of at least 2 x 2 cells."""
    if z.ndim != 2 or min(z.shape) < 2:
        raise DEMError(f"the elevation array has shape {z.shape}; at least 2 x 2 cells are needed")
    if not (dx > 0 and dy > 0):
        raise DEMError(f"the cell size is {dx:g} x {dy:g} m; both must be over 0")
    kind = z.dtype if z.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return np.ascontiguousarray(z, dtype=kind)


def _open(values: Floats, *, top: bool, bottom: bool) -> None:
    """NaN along the border of the grid."""
    values[:, [0, -1]] = np.nan
    if top:
        values[0] = np.nan
    if bottom:
        values[-1] = np.nan


def _on(dem: xr.DataArray, values: Floats, *, name: str, units: str, method: str) -> xr.DataArray:
    """Values on the DEM's coordinates."""
    result = dem.copy(deep=False, data=values)
    result.name = name
    result.attrs = {"units": units, "method": method}
    return result
