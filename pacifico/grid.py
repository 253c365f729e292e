"""The raster grid as one immutable value, and ground heights on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import CRS

from pacifico.errors import CRSMismatchError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray


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
            Without a CRS, with a geographic one, or one that is not in metres.
        """
        reference = raster.coords.get("spatial_ref")
        wkt = reference.attrs.get("crs_wkt") if reference is not None else None
        if not wkt:
            raise CRSMismatchError(
                "the raster has no CRS; open it with pacifico.open_dem, or set one with .rio.write_crs"
            )
        crs = CRS.from_wkt(wkt)
        if not crs.is_projected:
            raise CRSMismatchError(
                f"the raster is in {crs.name} (degrees); metres are needed: open it with pacifico.open_dem, which reprojects"
            )
        unit = crs.axis_info[0].unit_conversion_factor
        if unit != 1.0:
            raise CRSMismatchError(
                f"the raster's CRS {crs.name} is not in metres; open it with pacifico.open_dem, which reprojects"
            )
        x, y = raster["x"].values, raster["y"].values
        if x.size < 2 or y.size < 2 or x[1] <= x[0] or y[1] >= y[0]:
            raise CRSMismatchError(
                f"the raster of {y.size} x {x.size} cells is not a north-up grid of at least 2 x 2; open it with pacifico.open_dem"
            )
        dx = float((x[-1] - x[0]) / (x.size - 1))
        dy = float((y[0] - y[-1]) / (y.size - 1))
        return cls(crs, float(x[0] - dx / 2), float(y[0] + dy / 2), dx, dy, int(y.size), int(x.size))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        return self.ny, self.nx

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients a..f, as rasterio takes them (`Affine(*grid.transform)`)."""
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
        """Eastings of cell centres, west to east [m]."""
        return np.asarray(self.x0 + (np.arange(self.nx) + 0.5) * self.dx, dtype=np.float64)

    def y_centres(self) -> NDArray[np.float64]:
        """Northings of cell centres, north to south [m]."""
        return np.asarray(self.y0 - (np.arange(self.ny) + 0.5) * self.dy, dtype=np.float64)

    def data_array(self, values: NDArray[Any], *, name: str, **attrs: Any) -> xr.DataArray:
        """Values on this grid as a DataArray with dims (y, x) and CRS."""
        import xarray as xr  # noqa: PLC0415 (0.3 s that plain arrays do not need)

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


@dataclass(frozen=True)
class Ground:
    """Ground heights on a grid: NaN is nodata and never ground."""

    grid: Grid
    z: NDArray[np.float64]
    """Elevation of cell centres, shape (ny, nx) [m]."""
    unsure_m: float = 0.0
    """Beside nodata heights reach so much farther than interpolation between the source's own cells would carry them."""

    @classmethod
    def of(cls, dem: xr.DataArray) -> Ground:
        """Ground of a DEM as `pacifico.open_dem` returns it, on the DEM's own grid."""
        return cls(Grid.of(dem), np.ascontiguousarray(dem.values, dtype=np.float64))

    @classmethod
    def finest_of(cls, dem: xr.DataArray) -> Ground:
        """Ground as true to the source raster as it is known: for heights and volumes.

        A raster that had to be interpolated onto the working grid is known between its cell centres too
        (`dem.attrs["between_cells"]`, a Ground with an odd number of cells to one of the DEM). It is left aside where the
        DEM's values are no longer those that it was read with.
        """
        ground, finer = cls.of(dem), dem.attrs.get("between_cells")
        source_m = float(dem.attrs.get("source_resolution_m", 0.0))
        if finer is None:
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
        """Short: it stands among the attributes of a DEM."""
        return f"Ground({self.grid.ny} x {self.grid.nx} cells of {self.grid.dx:g} x {self.grid.dy:g} m)"

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bilinear heights [m] at points of any shape; NaN off the grid or beside nodata.

        Within the outer half cell the border value goes on level.
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
