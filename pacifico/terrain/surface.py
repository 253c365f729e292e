"""Slope, aspect, shaded relief, curvature and roughness of a DEM.

`slope_deg` and `surface_arrays` take plain arrays in metres; the other public functions wrap them for DataArrays. Cell sizes
along x and y may differ.

Nodata and borders: a cell whose 3 x 3 window holds NaN is NaN. At the border of the grid, slope, aspect and hillshade
continue the two outermost cells linearly (a one-sided estimate, exact on planes, as `gdaldem -compute_edges` does), or are
NaN with `border="nan"`; curvature, roughness, tri and tpi are NaN there.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pacifico.errors import DEMError
from pacifico.grid import Grid, elevations
from pacifico.terrain import _kernels

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
"""In the order that the kernel takes them."""
ONE_SIDED: frozenset[str] = frozenset({"slope", "aspect", "hillshade"})
BLOCK_ROWS = 128
"""Rows that one thread takes at a time."""
THREADS_FROM_CELLS = 500_000
"""Cells from which threads are used: smaller arrays take less time than threads take to start."""


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
    """Several products of an elevation array in one pass.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m], rows from north to south, NaN for nodata.
    dx, dy : float
        Cell size [m].
    products : sequence of str
        Of `PRODUCTS`: slope and aspect [°], hillshade 0 to 1, curvatures [1/m], roughness, tri and tpi [m].
    rows : (int, int), optional
        First row and the row after the last to compute; their neighbours are read from `z`. All by default.
    azimuth_deg, altitude_deg : float
        Direction of the light of the hillshade: clockwise from north, above the horizon [°].
    border : {"one-sided", "nan"}
        At the outer row and column of `z`, for slope, aspect and hillshade: linear continuation, or NaN.
    threads : int, optional
        Threads over blocks of rows; by default one per core for large arrays. Results do not depend on it.

    Returns
    -------
    dict of ndarray, shape (rows, nx)
        In the float type of `z` (float64 for integers).

    Raises
    ------
    DEMError
        The array has fewer than 2 x 2 cells, or a cell size is not positive.
    """
    z = _checked(z, dx, dy)
    first, last = rows if rows is not None else (0, z.shape[0])
    out = {name: np.empty((last - first, z.shape[1]), dtype=z.dtype) for name in products}
    nothing = np.empty((last - first, 0), dtype=z.dtype)
    light = _light(azimuth_deg, altitude_deg)

    def block(start: int) -> None:
        stop = min(start + BLOCK_ROWS, last)
        parts = [out.get(name, nothing)[start - first : stop - first] for name in PRODUCTS]
        _kernels.surface(z, start, stop, dx, dy, light, *parts)

    _run(block, range(first, last, BLOCK_ROWS), threads or _default_threads((last - first) * z.shape[1]))
    if border == "nan":
        for name in ONE_SIDED & out.keys():
            _blank_border(out[cast("Product", name)], top=first == 0, bottom=last == z.shape[0])
    return out


def _light(azimuth_deg: float, altitude_deg: float) -> NDArray[np.float64]:
    """Unit vector towards the light: east, north, up."""
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    across = math.cos(altitude)
    return np.array([across * math.sin(azimuth), across * math.cos(azimuth), math.sin(altitude)])


def _default_threads(cells: int) -> int:
    return (os.cpu_count() or 1) if cells >= THREADS_FROM_CELLS else 1


def _run(block: Callable[[int], None], starts: range, threads: int) -> None:
    """Run a function for each start, in threads if there are several."""
    if threads > 1 and len(starts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(block, starts))
        return
    for start in starts:
        block(start)


def slope_deg(z: Floats, dx: float, dy: float, *, border: Border = "one-sided") -> Floats:
    """Slope of an elevation array by Horn's method [°].

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m], NaN for nodata.
    dx, dy : float
        Cell size [m].
    border : {"one-sided", "nan"}
        As for `surface_arrays`.

    Returns
    -------
    ndarray, shape (ny, nx)
        NaN where the cell or one of its eight neighbours is.

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
        The DEM has no CRS, or one in degrees or feet.
    DEMError
        The DEM holds values that are no heights.

    References
    ----------
    Horn (1981), https://doi.org/10.1109/PROC.1981.11918

    Examples
    --------
    >>> steep = slope(dem) > 10
    """
    grid = Grid.of(dem)
    steep = slope_deg(elevations(dem), grid.dx, grid.dy, border=border)
    if units == "percent":
        steep = np.tan(np.radians(steep)) * 100
    return _on(dem, steep, name="slope", units=units, method="Horn (1981)")


def aspect(dem: xr.DataArray, *, border: Border = "one-sided") -> xr.DataArray:
    """Direction the ground faces [°], clockwise from north; NaN where level.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m] in a projected CRS in metres, NaN for nodata.
    border : {"one-sided", "nan"}
        As for `slope`.

    Returns
    -------
    DataArray
        On the grid of `dem`, from grid north; NaN on level ground and as for `slope`.

    Raises
    ------
    CRSMismatchError
        The DEM has no CRS, or one in degrees or feet.
    DEMError
        The DEM holds values that are no heights.

    Examples
    --------
    >>> facing_south = abs(aspect(dem) - 180) < 45
    """
    grid = Grid.of(dem)
    facing = surface_arrays(elevations(dem), grid.dx, grid.dy, ["aspect"], border=border)["aspect"]
    return _on(dem, facing, name="aspect", units="degrees", method="Horn (1981)")


def hillshade(
    dem: xr.DataArray, *, azimuth_deg: float = 315.0, altitude_deg: float = 45.0, border: Border = "one-sided"
) -> xr.DataArray:
    """Shaded relief from 0 (dark) to 1.

    Cosine of the angle between the ground's normal and the light.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; see `slope` for NaN, borders and errors.
    azimuth_deg, altitude_deg : float
        Direction of the light: clockwise from north, above the horizon [°].
    border : {"one-sided", "nan"}
        As for `slope`.

    Returns
    -------
    DataArray
        On the grid of `dem`; NaN as for `slope`.

    Raises
    ------
    CRSMismatchError
        The DEM has no CRS, or one in degrees or feet.
    DEMError
        The DEM holds values that are no heights.

    Examples
    --------
    >>> evening = hillshade(dem, azimuth_deg=270, altitude_deg=10)
    """
    grid = Grid.of(dem)
    shade = surface_arrays(
        elevations(dem),
        grid.dx,
        grid.dy,
        ["hillshade"],
        azimuth_deg=azimuth_deg,
        altitude_deg=altitude_deg,
        border=border,
    )
    return _on(dem, shade["hillshade"], name="hillshade", units="1", method="Horn (1981)")


def curvature(dem: xr.DataArray, *, kind: Literal["plan", "profile"] = "profile") -> xr.DataArray:
    """Plan or profile curvature of the ground [1/m].

    Plan curvature is that of the contour lines, profile curvature that along the fall line.

    Both are positive where the ground is convex (a ridge, the brow of a hill) and negative where it is concave.
    NaN at the border of the grid, beside nodata, and at level cells that curve (a summit has no fall line).

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m] in a projected CRS in metres, NaN for nodata.
    kind : {"plan", "profile"}
        Across or along the fall line.

    Returns
    -------
    DataArray
        On the grid of `dem` [1/m].

    Raises
    ------
    CRSMismatchError
        The DEM has no CRS, or one in degrees or feet.
    DEMError
        The DEM holds values that are no heights.

    References
    ----------
    Zevenbergen and Thorne (1987), https://doi.org/10.1002/esp.3290120107; signs and normal section as in
    Minár et al. (2020), https://doi.org/10.1016/j.earscirev.2020.103414

    Examples
    --------
    >>> ridges = curvature(dem, kind="plan") > 0
    """
    grid = Grid.of(dem)
    name: Product = "plan_curvature" if kind == "plan" else "profile_curvature"
    bent = surface_arrays(elevations(dem), grid.dx, grid.dy, [name])[name]
    return _on(dem, bent, name=name, units="1/m", method="Zevenbergen and Thorne (1987)")


def roughness(dem: xr.DataArray, *, kind: Literal["roughness", "tri", "tpi"] = "roughness") -> xr.DataArray:
    """Relief within the 3 x 3 window [m].

    NaN at the border of the grid and beside nodata.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; errors as for `slope`.
    kind : {"roughness", "tri", "tpi"}
        Highest less lowest cell (Wilson et al. 2007); root of the summed squared differences to the eight neighbours
        (terrain ruggedness index, Riley et al. 1999); height above the mean of the neighbours (topographic position).

    Returns
    -------
    DataArray
        On the grid of `dem` [m].

    Raises
    ------
    CRSMismatchError
        The DEM has no CRS, or one in degrees or feet.
    DEMError
        The DEM holds values that are no heights.

    References
    ----------
    Wilson et al. (2007), https://doi.org/10.1080/01490410701295962; Riley, DeGloria and Elliot (1999),
    Intermountain Journal of Sciences 5: 23-27

    Examples
    --------
    >>> rough = roughness(dem) > 2
    """
    grid = Grid.of(dem)
    rough = surface_arrays(elevations(dem), grid.dx, grid.dy, [kind])[kind]
    return _on(dem, rough, name=kind, units="m", method="3 x 3 window")


def _checked(z: Floats, dx: float, dy: float) -> Floats:
    """Elevation as contiguous floats, checked."""
    if z.ndim != 2 or min(z.shape) < 2:
        raise DEMError(f"the elevation array has shape {z.shape}; at least 2 x 2 cells are needed")
    if not (dx > 0 and dy > 0):
        raise DEMError(f"the cell size is {dx:g} x {dy:g} m; both must be over 0")
    kind = z.dtype if z.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return np.ascontiguousarray(z, dtype=kind)


def _blank_border(values: Floats, *, top: bool, bottom: bool) -> None:
    """Set the border of the grid to NaN."""
    values[:, [0, -1]] = np.nan
    if top:
        values[0] = np.nan
    if bottom:
        values[-1] = np.nan


def _on(dem: xr.DataArray, values: Floats, *, name: str, units: str, method: str) -> xr.DataArray:
    """DataArray of values on the DEM's coordinates.

    Parameters
    ----------
    dem : DataArray
        DEM whose coordinates are used.
    values : ndarray
        Values of the product.
    name, units, method : str
        Name and attributes of the result.
    """
    result = dem.copy(deep=False, data=values)
    result.name = name
    result.encoding = {}
    result.attrs = {"units": units, "method": method}
    return result
