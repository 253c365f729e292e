"""Slope, aspect, shaded relief, curvature and roughness of a DEM.

Plain-array functions (`slope_deg`, ...) take metres and import nothing but NumPy and the kernels; the public ones wrap
them for DataArrays. Cell sizes x and y enter apart.

Nodata and borders: a cell whose 3 x 3 window holds NaN is NaN. At the border of the grid, slope, aspect and hillshade
continue the two outermost cells linearly (a one-sided estimate, exact on planes; the rule of `gdaldem
-compute_edges`), or give NaN with `border="nan"`; curvature and the roughness family are NaN there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pacifico.errors import DEMError
from pacifico.grid import Grid
from pacifico.terrain import _kernels

if TYPE_CHECKING:
    import xarray as xr

Floats = NDArray[np.floating[Any]]
Border = Literal["one-sided", "nan"]
_RELIEF = {"roughness": 0, "tri": 1, "tpi": 2}


def slope_deg(z: Floats, dx: float, dy: float, *, border: Border = "one-sided") -> Floats:
    """Slope of an elevation array by Horn's method.

    Parameters
    ----------
    z : ndarray, shape (ny, nx)
        Elevation [m], rows from north to south, NaN for nodata.
    dx, dy : float
        Cell size [m].
    border : {"one-sided", "nan"}
        At the outer row and column: linear continuation, or NaN.

    Returns
    -------
    ndarray, shape (ny, nx)
        Slope [°] in the float type of `z`.

    References
    ----------
    Horn (1981), https://doi.org/10.1109/PROC.1981.11918
    """
    z = _checked(z)
    out = np.empty_like(z)
    _kernels.slope_degrees(z, dx, dy, out)
    return _bordered(out, border)


def aspect_deg(z: Floats, dx: float, dy: float, *, border: Border = "one-sided") -> Floats:
    """Direction the ground faces [°], clockwise from north, NaN where level; see `slope_deg`."""
    z = _checked(z)
    out = np.empty_like(z)
    _kernels.aspect_degrees(z, dx, dy, out)
    return _bordered(out, border)


def hillshade_unit(
    z: Floats,
    dx: float,
    dy: float,
    *,
    azimuth_deg: float = 315.0,
    altitude_deg: float = 45.0,
    border: Border = "one-sided",
) -> Floats:
    """Shaded relief 0 to 1; see `hillshade`."""
    z = _checked(z)
    out = np.empty_like(z)
    azimuth, altitude = math.radians(azimuth_deg), math.radians(altitude_deg)
    across = math.cos(altitude)
    _kernels.hillshade(z, dx, dy, across * math.sin(azimuth), across * math.cos(azimuth), math.sin(altitude), out)
    return _bordered(out, border)


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
    return _on(
        dem,
        aspect_deg(dem.values, grid.dx, grid.dy, border=border),
        name="aspect",
        units="degrees",
        method="Horn (1981)",
    )


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
    shade = hillshade_unit(
        dem.values, grid.dx, grid.dy, azimuth_deg=azimuth_deg, altitude_deg=altitude_deg, border=border
    )
    return _on(dem, shade, name="hillshade", units="1", method="Horn (1981)")


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
    z = _checked(dem.values)
    out = np.empty_like(z)
    _kernels.curvature(z, grid.dx, grid.dy, kind == "plan", out)
    return _on(dem, out, name=f"{kind}_curvature", units="1/m", method="Zevenbergen and Thorne (1987)")


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
    Grid.of(dem)
    z = _checked(dem.values)
    out = np.empty_like(z)
    _kernels.relief(z, _RELIEF[kind], out)
    return _on(dem, out, name=kind, units="m", method="3 x 3 window")


def _checked(z: Floats) -> Floats:
    """Contiguous floats of at least 2 x 2 cells."""
    if z.ndim != 2 or min(z.shape) < 2:
        raise DEMError(f"the elevation array has shape {z.shape}; at least 2 x 2 cells are needed")
    kind = z.dtype if z.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    return np.ascontiguousarray(z, dtype=kind)


def _bordered(values: Floats, border: Border) -> Floats:
    if border == "nan":
        values[[0, -1], :] = np.nan
        values[:, [0, -1]] = np.nan
    return values


def _on(dem: xr.DataArray, values: Floats, *, name: str, units: str, method: str) -> xr.DataArray:
    """Values on the DEM's coordinates."""
    result = dem.copy(deep=False, data=values)
    result.name = name
    result.attrs = {"units": units, "method": method}
    return result
