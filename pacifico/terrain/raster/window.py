"""Window of a raster as a value, and its geometry."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.crs import LONLAT, swapped_hint, transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyproj import CRS

Affine6 = tuple[float, float, float, float, float, float]
"""Affine coefficients a to f: x = a * column + b * row + c, y = d * column + e * row + f."""
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

MARGIN_CELLS = 3
"""Source cells read beyond the bounds, as neighbours for interpolation."""

SAME_SIZE = 1e-9
"""Largest relative difference of two cell sizes that count as equal: rounding of float64 only."""


@dataclass(frozen=True)
class RasterWindow:
    """Part of an elevation raster in its own unit and CRS."""

    values: NDArray[np.floating[Any]]
    transform: Affine6
    """Affine coefficients of the window; may be rotated or south-up."""
    crs: CRS
    """Horizontal and, if declared, vertical CRS."""
    band_unit: str | None
    declared_nodata: bool
    raster_shape: tuple[int, int]
    """Rows and columns of the whole raster."""
    raster_transform: Affine6
    warnings: tuple[str, ...] = ()
    surface_model: bool = False
    """Whether heights include trees and roofs."""

    @property
    def sha256(self) -> str:
        """Hash of values, position and CRS, independent of the file."""
        return window_digest(self.values, self.band_unit, self.transform, self.crs.to_wkt())

    @property
    def horizontal(self) -> CRS:
        """CRS without its vertical part, so that the warper never shifts heights."""
        return horizontal_crs(self.crs)

    def is_aligned(self, crs: CRS, resolution_m: float) -> bool:
        """Whether the raster's cells are those of a grid in a CRS."""
        a, b, _, d, e, _ = self.transform
        return (
            self.horizontal == crs
            and b == d == 0.0
            and a > 0 > e
            and abs(a / -e - 1) < SAME_SIZE
            and abs(a / resolution_m - 1) < SAME_SIZE
        )


def window_digest(values: NDArray[np.floating[Any]], band_unit: str | None, transform: Affine6, crs_wkt: str) -> str:
    """SHA-256 of values, unit, position and CRS.

    Parameters
    ----------
    values : ndarray, shape (ny, nx)
        Cells, NaN for nodata.
    band_unit : str or None
        Unit tag of the band.
    transform : Affine6
        Affine coefficients of the cells.
    crs_wkt : str
        WKT of the CRS.
    """
    digest = hashlib.sha256()
    digest.update(f"{values.shape} {values.dtype.str} {band_unit or ''} ".encode())
    digest.update(np.asarray(transform, dtype="<f8").tobytes())
    digest.update(crs_wkt.encode())
    digest.update(np.ascontiguousarray(np.where(np.isnan(values), np.nan, values)).data)
    return digest.hexdigest()


def horizontal_crs(crs: CRS) -> CRS:
    """Horizontal part of a compound or 3D CRS."""
    if crs.is_compound:
        return crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) == 3 else crs


def outline(transform: Affine6, shape: tuple[int, int], *, points: int = 21) -> NDArray[np.float64]:
    """Ring around a raster as x and y, shape (n, 2).

    Parameters
    ----------
    transform : Affine6
        Affine coefficients of the raster.
    shape : (int, int)
        Rows and columns.
    points : int
        Points per side, enough for the ring to keep its shape when reprojected.
    """
    ny, nx = shape
    t = np.linspace(0.0, 1.0, points)[:-1]
    column = np.concatenate([t, np.ones_like(t), 1 - t, np.zeros_like(t)]) * nx
    row = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1 - t]) * ny
    a, b, c, d, e, f = transform
    with np.errstate(over="ignore", invalid="ignore"):  # absurd coefficients: callers check the ring
        return np.column_stack([a * column + b * row + c, d * column + e * row + f])


def ring_of(bounds: Bounds, source: CRS, target: CRS) -> NDArray[np.float64]:
    """Ring around bounds, reprojected; longitudes run on across the antimeridian.

    Parameters
    ----------
    bounds : Bounds
        West, south, east, north in `source`.
    source, target : CRS
        CRS of the bounds, and of the ring.

    Returns
    -------
    ndarray, shape (n, 2)
        x and y in `target`.
    """
    west, south, east, north = bounds
    ring = outline((east - west, 0.0, west, 0.0, south - north, north), (1, 1))
    x, y = transformer(source, target).transform(ring[:, 0], ring[:, 1])
    if target.is_geographic:
        x = np.where(x - x[0] > 180.0, x - 360.0, np.where(x - x[0] < -180.0, x + 360.0, x))
    return np.column_stack([x, y])


def cell_window(
    transform: Affine6, shape: tuple[int, int], ring: NDArray[np.float64]
) -> tuple[int, int, int, int] | None:
    """Rows and columns of a raster that a ring covers.

    Parameters
    ----------
    transform : Affine6
        Affine coefficients of the raster.
    shape : (int, int)
        Its rows and columns.
    ring : ndarray, shape (n, 2)
        x and y in the raster's CRS.

    Returns
    -------
    (int, int, int, int) or None
        First row, row after the last, first column, column after the last, with a margin; None if the ring is elsewhere.
    """
    a, b, c, d, e, f = transform
    det = a * e - b * d
    dx, dy = ring[:, 0] - c, ring[:, 1] - f
    with np.errstate(all="ignore"):  # absurd coefficients: the result is checked
        column, row = (e * dx - b * dy) / det, (a * dy - d * dx) / det
    if not (np.isfinite(column).all() and np.isfinite(row).all()):
        return None
    ny, nx = shape
    c0, c1 = max(int(np.floor(column.min())) - MARGIN_CELLS, 0), min(int(np.ceil(column.max())) + MARGIN_CELLS, nx)
    r0, r1 = max(int(np.floor(row.min())) - MARGIN_CELLS, 0), min(int(np.ceil(row.max())) + MARGIN_CELLS, ny)
    return (r0, r1, c0, c1) if r0 < r1 and c0 < c1 else None


def moved(transform: Affine6, row: int, column: int) -> Affine6:
    """Affine coefficients of the window that starts at a row and column."""
    a, b, c, d, e, f = transform
    return a, b, a * column + b * row + c, d, e, d * column + e * row + f


def shifted(transform: Affine6, by: float) -> Affine6:
    """Affine coefficients with x moved, such as by 360° of longitude."""
    a, b, c, d, e, f = transform
    return a, b, c + by, d, e, f


def ground_cell(transform: Affine6, flat: CRS, place: tuple[float, float], crs: CRS) -> tuple[float, float]:
    """Width and height of a raster's cell on the ground [m].

    Parameters
    ----------
    transform : Affine6
        Affine coefficients of the raster.
    flat : CRS
        Its horizontal CRS.
    place : (float, float)
        x and y of the place to measure at.
    crs : CRS
        CRS of the place, in metres.
    """
    x, y = transformer(crs, flat).transform(*place)
    a, b, _, d, e, _ = transform
    xs = np.array([x, x + a, x + b])
    ys = np.array([y, y + d, y + e])
    east, north = transformer(flat, crs).transform(xs, ys)
    return math.hypot(east[1] - east[0], north[1] - north[0]), math.hypot(east[2] - east[0], north[2] - north[0])


def lonlat_text(bounds: Bounds, crs: CRS) -> str:
    """Bounds in degrees, for messages."""
    west, south, east, north = transformer(crs, LONLAT).transform_bounds(*bounds, densify_pts=21)
    return f"lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"


def no_overlap(name: str, transform: Affine6, shape: tuple[int, int], flat: CRS, site: tuple[Bounds, CRS]) -> str:
    """Message that a raster does not cover a site, with both extents.

    Parameters
    ----------
    name : str
        Of the raster.
    transform : Affine6
        Its affine coefficients.
    shape : (int, int)
        Its rows and columns.
    flat : CRS
        Its horizontal CRS.
    site : (Bounds, CRS)
        Bounds of the site and their CRS.
    """
    ring = outline(transform, shape)
    extent = (ring[:, 0].min(), ring[:, 1].min(), ring[:, 0].max(), ring[:, 1].max())
    swapped = swapped_hint(*site, extent, flat)
    remedy = f"{swapped}: write longitude first" if swapped else "give a DEM of the site's place"
    return (
        f"{name} does not cover the site: it spans {lonlat_text(extent, flat)}, the site {lonlat_text(*site)}; {remedy}"
    )
