"""Raster grid as one immutable value, and ground heights on it.

Every DataArray with heights passes the same check here (`elevations`), whether `open_dem` made it or a user did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from pacifico.crs import metres_per_unit
from pacifico.errors import CRSMismatchError, DEMError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

LOWEST_M, HIGHEST_M = -1000.0, 9000.0
"""Limits of heights on dry land [m]: the Dead Sea shore is at -440 m, Everest at 8849 m."""
VOID_GAP_M = 100.0
"""Gap in heights below which no terrain lies in one plain at a whole number of metres [m]; engineering judgement."""
UNEVEN = 1e-3
"""Deviation of a cell from the mean cell size that is rounding [-]."""
BETWEEN_CELLS = "between_cells"
"""Key of `DataArray.encoding` for heights between the cells; attributes hold plain netCDF types only."""
_FILL_ATTRIBUTES = ("_FillValue", "missing_value", "nodata")


def elevations(dem: xr.DataArray) -> NDArray[np.floating[Any]]:
    """Heights of a DataArray in metres, checked, with NaN for nodata.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Heights. Attributes `_FillValue`, `missing_value` or `nodata` declare a nodata value, `units` the unit of height
        (metres by default).

    Returns
    -------
    ndarray, shape (ny, nx)
        In the float type of `dem` (float64 for integers); its own memory where nothing had to be changed.

    Raises
    ------
    DEMError
        Wrong dimensions, no numbers, an unknown unit, or values that are no heights: infinite, or outside -1000 to 9000 m.
    """
    _require_data_array(dem)
    if dem.dims != ("y", "x"):
        raise DEMError(f"the DEM has dimensions {tuple(dem.dims)}; give one band with dimensions ('y', 'x')")
    _require_unpacked(dem)
    z = dem.values
    if z.dtype.kind not in "fiu":
        raise DEMError(f"the DEM holds {z.dtype} values; heights must be real numbers")
    kind = z.dtype if z.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    heights = np.asarray(z, dtype=kind)
    declared = np.array([v for key in _FILL_ATTRIBUTES for v in np.atleast_1d(dem.attrs.get(key, np.nan))], dtype=kind)
    declared = declared[~np.isnan(declared)]
    if declared.size and (fill := np.isin(heights, declared)).any():
        heights = np.where(fill, kind.type(np.nan), heights)
    unit = str(dem.attrs.get("units") or "m")
    metres = metres_per_unit(unit)
    if metres is None:
        raise DEMError(f"the DEM's attribute units is '{unit[:40]}'; set it to 'm' or 'ft', or convert the heights")
    if metres != 1.0:
        heights = heights * kind.type(metres)
    low, high = np.fmin.reduce(heights, axis=None), np.fmax.reduce(heights, axis=None)
    if low < LOWEST_M or high > HIGHEST_M:
        wrong = (heights < LOWEST_M) | (heights > HIGHEST_M)
        raise DEMError(
            f"{int(wrong.sum()):,} cells of the DEM hold {low if low < LOWEST_M else high:.6g} m or the like; heights lie "
            f"between {LOWEST_M:g} and {HIGHEST_M:g} m: mask them with dem.where((dem > {LOWEST_M:g}) & (dem < {HIGHEST_M:g}))"
        )
    _require_no_voids(heights, float(low))
    return heights


def _require_data_array(raster: object) -> None:
    """Refuse what is no DataArray, in one line."""
    if hasattr(raster, "data_vars"):
        names = ", ".join(str(name) for name in raster.data_vars) or "none"
        raise DEMError(f"the DEM is a Dataset; choose the variable with the heights, dataset[name], from: {names}")
    if not all(hasattr(raster, name) for name in ("dims", "coords", "attrs", "encoding")):
        raise DEMError(f"the DEM is a {type(raster).__name__}, no xarray.DataArray; open it with pacifico.open_dem")


def _require_unpacked(dem: xr.DataArray) -> None:
    """Refuse packed values: their scale is an attribute that xarray did not apply."""
    for key, neutral in (("scale_factor", 1.0), ("add_offset", 0.0)):
        value = dem.attrs.get(key, neutral)
        if value != neutral:
            raise DEMError(
                f"the DEM has attribute {key} = {value}: its values are packed; open it with mask_and_scale=True, or multiply "
                "and remove the attribute"
            )


def _require_no_voids(heights: NDArray[np.floating[Any]], low: float) -> None:
    """Refuse an undeclared nodata value: one whole number, repeated, far below every other height.

    Parameters
    ----------
    heights : ndarray
        Heights [m].
    low : float
        The lowest of them [m].
    """
    # nodata values are 0 or below: other terrain costs no pass over the cells
    if not low <= 0.0 or low != round(low):
        return
    others = heights > low
    count = int((heights == low).sum())
    if count > 1 and others.any() and (next_m := float(heights[others].min())) > low + VOID_GAP_M:
        raise DEMError(
            f"{count:,} cells of the DEM hold exactly {low:g} m, all others {next_m:,.1f} m and more: that is no ground; mask "
            f"them with dem.where(dem > {low:g})"
        )


def warnings_of(dem: xr.DataArray) -> tuple[str, ...]:
    """Warnings in a DEM's attribute `warnings`, one per line."""
    stored = dem.attrs.get("warnings", ())
    return tuple(stored.splitlines()) if isinstance(stored, str) else tuple(str(line) for line in stored)


@dataclass(frozen=True)
class Grid:
    """Regular north-up grid in a projected CRS.

    ::

        x0, y0 +-------+-------+     (x0, y0): outer corner of cell [0, 0], north-west
               | [0,0] | [0,1] |     dx, dy: cell size, both > 0 [m]
               +-------+-------+     rows go south, columns go east
               | [1,0] | [1,1] |
    """

    crs: CRS
    x0: float
    y0: float
    dx: float
    dy: float
    ny: int
    nx: int

    @classmethod
    def of(cls, raster: xr.DataArray) -> Grid:
        """Grid of a DataArray with dims (y, x) and a `spatial_ref` coordinate.

        Raises
        ------
        CRSMismatchError
            The raster has no CRS, one that can't be read or is not in metres, or no north-up grid.
        """
        _require_data_array(raster)
        crs = _crs_of(raster)
        if not crs.is_projected:
            raise CRSMismatchError(
                f"the raster is in {crs.name} (degrees); metres are needed: open it with pacifico.open_dem, which reprojects"
            )
        unit = crs.axis_info[0].unit_conversion_factor
        if unit != 1.0:
            raise CRSMismatchError(
                f"the raster's CRS {crs.name} is not in metres; open it with pacifico.open_dem, which reprojects"
            )
        if "x" not in raster.coords or "y" not in raster.coords:
            raise CRSMismatchError(
                f"the raster with dimensions {tuple(raster.dims)} has no coordinates x and y; open it with pacifico.open_dem"
            )
        x, y = raster["x"].values, raster["y"].values
        if x.size < 2 or y.size < 2 or not (x[1] > x[0] and y[1] < y[0]):
            raise CRSMismatchError(
                f"the raster of {y.size} x {x.size} cells is not a north-up grid of at least 2 x 2; open it with pacifico.open_dem"
            )
        dx = float((x[-1] - x[0]) / (x.size - 1))
        dy = float((y[0] - y[-1]) / (y.size - 1))
        if not (_even(x, dx) and _even(y, -dy)):
            raise CRSMismatchError(
                "the raster's coordinates x or y are not evenly spaced numbers; resample it to a regular grid, or open the file "
                "with pacifico.open_dem"
            )
        return cls(crs, float(x[0] - dx / 2), float(y[0] + dy / 2), dx, dy, int(y.size), int(x.size))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.ny, self.nx

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients a to f, for `Affine(*grid.transform)`."""
        return (self.dx, 0.0, self.x0, 0.0, -self.dy, self.y0)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        return self.x0, self.y0 - self.ny * self.dy, self.x0 + self.nx * self.dx, self.y0

    @property
    def cell_area_m2(self) -> float:
        """Area of one cell [m²]."""
        return self.dx * self.dy

    def x_centres(self) -> NDArray[np.float64]:
        """Eastings of the cell centres from west to east [m]."""
        return np.asarray(self.x0 + (np.arange(self.nx) + 0.5) * self.dx, dtype=np.float64)

    def y_centres(self) -> NDArray[np.float64]:
        """Northings of the cell centres from north to south [m]."""
        return np.asarray(self.y0 - (np.arange(self.ny) + 0.5) * self.dy, dtype=np.float64)

    def data_array(self, values: NDArray[Any], *, name: str, **attrs: Any) -> xr.DataArray:
        """DataArray of values on this grid, with CRS."""
        import xarray as xr  # noqa: PLC0415 (takes 0.3 s)

        reference = xr.DataArray(
            np.int64(0),
            attrs={
                "crs_wkt": self.crs.to_wkt(),
                "spatial_ref": self.crs.to_wkt(),
                "GeoTransform": f"{self.x0} {self.dx} 0.0 {self.y0} 0.0 {-self.dy}",
            },
        )
        return xr.DataArray(
            values,
            dims=("y", "x"),
            coords={"y": self.y_centres(), "x": self.x_centres(), "spatial_ref": reference},
            name=name,
            attrs=attrs,
        )


def _even(centres: NDArray[Any], step: float) -> bool:
    """Whether coordinates are numbers with equal steps."""
    return bool((np.abs(np.diff(centres) - step) <= UNEVEN * abs(step)).all())


def _crs_of(raster: xr.DataArray) -> CRS:
    """CRS in the grid mapping coordinate of a raster."""
    mapping = str(raster.encoding.get("grid_mapping") or raster.attrs.get("grid_mapping") or "spatial_ref")
    reference = raster.coords.get(mapping)
    wkt = reference.attrs.get("crs_wkt") if reference is not None else None
    if not wkt:
        raise CRSMismatchError("the raster has no CRS; open it with pacifico.open_dem, or set one with .rio.write_crs")
    try:
        return CRS.from_wkt(str(wkt))
    except CRSError as error:
        raise CRSMismatchError(
            f"the raster's CRS '{str(wkt)[:40]}' can't be read; open the raster with pacifico.open_dem"
        ) from error


@dataclass(frozen=True)
class Ground:
    """Ground heights on a grid; NaN is nodata and never ground."""

    grid: Grid
    z: NDArray[np.float64]
    """Elevation of cell centres, shape (ny, nx) [m]."""
    unsure_m: float = 0.0
    """Distance from nodata within which heights are less certain than interpolation between source cells [m]."""

    @classmethod
    def of(cls, dem: xr.DataArray) -> Ground:
        """Ground of a DEM, on the DEM's own grid.

        Raises
        ------
        CRSMismatchError
            The DEM has no north-up grid in metres.
        DEMError
            The DEM holds values that are no heights; see `elevations`.
        """
        return cls(Grid.of(dem), np.ascontiguousarray(elevations(dem), dtype=np.float64))

    @classmethod
    def finest_of(cls, dem: xr.DataArray) -> Ground:
        """Ground at the finest resolution known, for heights and volumes.

        `open_dem` keeps heights between the cells (`dem.encoding["between_cells"]`, a Ground with an odd number of cells
        per cell of the DEM) where it interpolated the source. They are ignored if the DEM's values were changed since.
        """
        ground, finer = cls.of(dem), dem.encoding.get(BETWEEN_CELLS)
        source_m = float(dem.attrs.get("source_resolution_m", 0.0))
        if not isinstance(finer, Ground):
            return replace(ground, unsure_m=max(source_m - ground.grid.dx, 0.0) / 2)
        finer = replace(finer, unsure_m=max(source_m - finer.grid.dx, 0.0) / 2)
        step = round(ground.grid.dx / finer.grid.dx)
        same = np.array_equal(finer.z[step // 2 :: step, step // 2 :: step], ground.z, equal_nan=True)
        return finer if same else ground

    @cached_property
    def complete(self) -> bool:
        """Whether every cell has a height."""
        return bool(np.isfinite(self.z).all())

    def __repr__(self) -> str:
        """Short form, since a DEM's encoding shows it."""
        return f"Ground({self.grid.ny} x {self.grid.nx} cells of {self.grid.dx:g} x {self.grid.dy:g} m)"

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bilinear heights at points [m]; NaN off the grid or beside nodata.

        Within the outer half cell the border value is continued level.
        """
        g = self.grid
        column = (np.asarray(x, dtype=np.float64) - g.x0) / g.dx - 0.5
        row = (g.y0 - np.asarray(y, dtype=np.float64)) / g.dy - 0.5
        off = (column < -0.5) | (row < -0.5) | (column > g.nx - 0.5) | (row > g.ny - 0.5)
        c0 = np.clip(np.floor(column), 0, g.nx - 2).astype(np.intp)
        r0 = np.clip(np.floor(row), 0, g.ny - 2).astype(np.intp)
        fc = np.clip(column - c0, 0.0, 1.0)
        fr = np.clip(row - r0, 0.0, 1.0)
        z = self.z
        height = (z[r0, c0] * (1 - fc) + z[r0, c0 + 1] * fc) * (1 - fr) + (
            z[r0 + 1, c0] * (1 - fc) + z[r0 + 1, c0 + 1] * fc
        ) * fr
        return np.where(off, np.nan, height)
