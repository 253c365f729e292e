"""Contour lines and classes of slope as vectors, placed by cell centres and by cell edges respectively."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.grid import Grid, Ground

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

Ring = list[tuple[float, float]]

LINES_AIMED_AT = 15
INDEX_EVERY = 5
MOST_CELLS = 1_000_000
"""Larger grids are averaged over blocks of cells first: vectors of every metre of a large site serve nobody."""


@dataclass(frozen=True)
class Contour:
    """Line of one height, higher ground on its left; several lines may share a height."""

    elevation_m: float
    line: shapely.LineString
    """Working CRS; closed where it rings a hill or a hollow."""
    is_index: bool
    """Every fifth: drawn heavier, labelled."""

    @property
    def label(self) -> str:
        """Height in words, as `345 m`."""
        return f"{self.elevation_m:g} m"

    @property
    def label_point(self) -> shapely.Point:
        """Middle of the line."""
        return self.line.interpolate(0.5, normalized=True)

    @property
    def label_angle_deg(self) -> float:
        """Direction of the line at its middle, counter-clockwise from east, -90 to 90: text along it stands upright."""
        step = min(5.0, self.line.length / 10)
        middle = self.line.length / 2
        a, b = self.line.interpolate(middle - step), self.line.interpolate(middle + step)
        angle = math.degrees(math.atan2(b.y - a.y, b.x - a.x))
        return (angle + 90) % 180 - 90


@dataclass(frozen=True)
class SlopeClass:
    """Ground between two slopes."""

    over_deg: float
    to_deg: float
    """Included; 90 for the steepest class."""
    ground: shapely.MultiPolygon
    """Cells of the class, within the limits given; working CRS."""


def sensible_interval_m(relief_m: float) -> float:
    """1, 2 or 5 times a power of ten that gives some 15 lines over a relief; at least 0.1 m."""
    if not math.isfinite(relief_m) or relief_m <= 0:
        return 1.0
    raw = relief_m / LINES_AIMED_AT
    base = 10.0 ** math.floor(math.log10(raw))
    nearest = min((base * f for f in (1.0, 2.0, 5.0, 10.0)), key=lambda v: abs(math.log(v) - math.log(raw)))
    return max(round(nearest, 10), 0.1)


def contours(
    dem: xr.DataArray, *, interval_m: float | None = None, within: BaseGeometry | None = None
) -> list[Contour]:
    """Contour lines of a DEM, by linear interpolation between cell centres.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; a square of four centres with nodata has no lines.
    interval_m : float, optional
        Height between lines [m]; by default a sensible one for the relief within the limits.
    within : Polygon or MultiPolygon, optional
        Limits, in the DEM's CRS; by default all of the DEM.

    Returns
    -------
    list of Contour
        By height, then in the order found. Heights are whole multiples of the interval.

    Raises
    ------
    InputError
        For an interval that is not positive, or one that gives more than 1000 heights.
    """
    from contourpy import LineType, contour_generator  # noqa: PLC0415 (not every caller draws)

    ground = coarsened(Ground.of(dem))
    x, y = ground.grid.x_centres(), ground.grid.y_centres()
    low, high = _range(ground, within)
    if not math.isfinite(low):
        return []
    step = interval_m if interval_m is not None else sensible_interval_m(high - low)
    if not step > 0:
        raise InputError(f"the contour interval is {step:g} m; it must be over 0")
    first, last = math.ceil(low / step), math.floor(high / step)
    if last - first >= 1000:
        raise InputError(
            f"a contour interval of {step:g} m gives {last - first + 1} lines over {high - low:.0f} m; take a larger one"
        )
    # South to north, as contourpy takes rising coordinates.
    generator = contour_generator(
        x, y[::-1], np.ma.masked_invalid(ground.z[::-1]), line_type=LineType.Separate, corner_mask=False
    )
    found = []
    if within is not None:
        shapely.prepare(within)
    for number in range(first, last + 1):
        level = round(number * step, 10)
        for points in cast("list[NDArray[np.float64]]", generator.lines(level)):
            found += [Contour(level, line, number % INDEX_EVERY == 0) for line in _kept(points, within)]
    return found


def slope_classes(
    slope_deg: NDArray[np.floating[Any]], grid: Grid, breaks_deg: Sequence[float], within: BaseGeometry
) -> list[SlopeClass]:
    """Slope as polygons, whose edges are cell edges and the limits given.

    Parameters
    ----------
    slope_deg : ndarray, shape (ny, nx)
        Slope [°]; NaN belongs to no class.
    grid : Grid
        Its grid.
    breaks_deg : sequence of float
        Upper ends of the classes [°], included; one more class goes from the last to 90°.
    within : Polygon or MultiPolygon
        Limits, in the grid's CRS.
    """
    from affine import Affine  # noqa: PLC0415 (comes with rasterio)
    from rasterio.features import shapes  # noqa: PLC0415

    ends = sorted({float(b) for b in breaks_deg if 0 < b < 90})
    steep = coarsened(Ground(grid, np.asarray(slope_deg, dtype=np.float64)))
    numbers = np.searchsorted(ends, np.nan_to_num(steep.z, nan=0.0), side="left").astype(np.uint8)
    parts: list[list[list[Ring]]] = [[] for _ in range(len(ends) + 1)]
    for geometry, number in shapes(numbers, mask=np.isfinite(steep.z), transform=Affine(*steep.grid.transform)):
        parts[int(number)].append(geometry["coordinates"])
    limits = [0.0, *ends, 90.0]
    classes = []
    shapely.prepare(within)
    for number, rings in enumerate(parts):
        patches = _polygons(rings)  # they share no edge, being of one class
        whole_in = shapely.contains_properly(within, patches)
        patches[~whole_in] = shapely.intersection(patches[~whole_in], within)
        ground = [part for part in shapely.get_parts(shapely.get_parts(patches)) if part.geom_type == "Polygon"]
        whole = shapely.MultiPolygon(ground)
        classes.append(SlopeClass(limits[number], limits[number + 1], whole))
    return classes


def _polygons(rings: list[list[Ring]]) -> NDArray[Any]:
    """Polygons from the rings of each, shell first: made all at once, as noisy ground has hundreds of thousands."""
    if not rings:
        return np.array([], dtype=object)
    flat = [ring for polygon in rings for ring in polygon]
    corners = np.fromiter(chain.from_iterable(chain.from_iterable(flat)), dtype=np.float64).reshape(-1, 2)
    made: Any = shapely.linearrings(corners, indices=np.repeat(np.arange(len(flat)), [len(ring) for ring in flat]))
    whose = np.repeat(np.arange(len(rings)), [len(of_one) for of_one in rings])
    return cast("NDArray[Any]", shapely.polygons(made, indices=whose))


def coarsened(ground: Ground) -> Ground:
    """Means over blocks of cells, so that at most `MOST_CELLS` are left; the ground itself where it is small enough.

    A block with nodata is nodata; the rows and columns left over at the south and east are dropped.
    """
    grid = ground.grid
    k = math.ceil(math.sqrt(grid.ny * grid.nx / MOST_CELLS))
    if k <= 1:
        return ground
    ny, nx = grid.ny // k, grid.nx // k
    means = ground.z[: ny * k, : nx * k].reshape(ny, k, nx, k).mean(axis=(1, 3))
    return Ground(Grid(grid.crs, grid.x0, grid.y0, grid.dx * k, grid.dy * k, ny, nx), means)


def _range(ground: Ground, within: BaseGeometry | None) -> tuple[float, float]:
    z, grid = ground.z, ground.grid
    if within is not None:
        west, south, east, north = within.bounds
        c0 = max(math.floor((west - grid.x0) / grid.dx) - 1, 0)
        c1 = math.ceil((east - grid.x0) / grid.dx) + 1
        r0 = max(math.floor((grid.y0 - north) / grid.dy) - 1, 0)
        r1 = math.ceil((grid.y0 - south) / grid.dy) + 1
        z = z[r0 : max(r1, 0), c0 : max(c1, 0)]
    known = z[np.isfinite(z)]
    return (float(known.min()), float(known.max())) if known.size else (math.nan, math.nan)


def _kept(points: NDArray[np.float64], within: BaseGeometry | None) -> list[shapely.LineString]:
    """Line of points, clipped."""
    if len(points) < 2:
        return []
    line = shapely.LineString(points)
    if line.length == 0:
        return []
    if within is None or shapely.contains_properly(within, line):
        return [line]
    clipped = shapely.line_merge(shapely.intersection(line, within))
    return [part for part in shapely.get_parts(clipped) if part.geom_type == "LineString" and part.length > 0]
