"""Contour lines and slope classes as vectors."""

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
"""Contour lines that the default interval aims at."""
INDEX_EVERY = 5
"""Every fifth contour is an index contour."""
MOST_LINES = 1000
"""Heights of contours from which an interval is refused."""
MOST_CELLS = 1_000_000
"""Cells above which grids are averaged first: vectors of each metre of a large site are too many to use."""


@dataclass(frozen=True)
class Contour:
    """Line of one height, with higher ground on its left."""

    elevation_m: float
    line: shapely.LineString
    """In the working CRS; closed around a hill or a hollow."""
    is_index: bool
    """Whether it is drawn heavier and labelled."""

    @property
    def label(self) -> str:
        """Height as text, such as `345 m`."""
        return f"{self.elevation_m:g} m"

    @property
    def label_point(self) -> shapely.Point:
        """Middle of the line."""
        return self.line.interpolate(0.5, normalized=True)

    @property
    def label_angle_deg(self) -> float:
        """Direction of the line at its middle [°].

        Counter-clockwise from east, -90 to 90, so that text along it is upright.
        """
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
    """Cells of the class within the limits, in the working CRS."""


def sensible_interval_m(relief_m: float) -> float:
    """Contour interval for a relief [m].

    1, 2 or 5 times a power of ten that gives about 15 lines; at least 0.1 m.
    """
    if not math.isfinite(relief_m) or relief_m <= 0:
        return 1.0
    raw = relief_m / LINES_AIMED_AT
    base = 10.0 ** math.floor(math.log10(raw))
    nearest = min((base * f for f in (1.0, 2.0, 5.0, 10.0)), key=lambda v: abs(math.log(v) - math.log(raw)))
    return max(round(nearest, 10), 0.1)


def contours(
    dem: xr.DataArray, *, interval_m: float | None = None, within: BaseGeometry | None = None
) -> list[Contour]:
    """Contour lines of a DEM, interpolated linearly between cell centres.

    Parameters
    ----------
    dem : DataArray, dims (y, x)
        Elevation [m]; a square of four centres with nodata has no lines.
    interval_m : float, optional
        Height between lines [m]; by default one that fits the relief within the limits.
    within : Polygon or MultiPolygon, optional
        Limits, in the DEM's CRS; by default all of the DEM.

    Returns
    -------
    list of Contour
        Sorted by height. Heights are whole multiples of the interval.

    Raises
    ------
    InputError
        The interval is not positive, or gives more than 1000 heights.
    """
    from contourpy import LineType, contour_generator  # noqa: PLC0415 (slow to import)

    ground = coarsened(Ground.of(dem))
    x, y = ground.grid.x_centres(), ground.grid.y_centres()
    low, high = _range(ground, within)
    if not math.isfinite(low):
        return []
    step = interval_m if interval_m is not None else sensible_interval_m(high - low)
    if not step > 0:
        raise InputError(f"the contour interval is {step:g} m; it must be over 0")
    first, last = math.ceil(low / step), math.floor(high / step)
    if last - first >= MOST_LINES:
        raise InputError(
            f"a contour interval of {step:g} m gives {last - first + 1} lines over {high - low:.0f} m; take a larger one"
        )
    # From south to north, since contourpy takes rising coordinates.
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
    """Slope classes as polygons along cell edges.

    Parameters
    ----------
    slope_deg : ndarray, shape (ny, nx)
        Slope [°]; NaN belongs to no class.
    grid : Grid
        Its grid.
    breaks_deg : sequence of float
        Upper ends of the classes [°], included; a further class goes from the last to 90°.
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
        patches = _polygons(rings)  # patches of one class share no edge
        whole_in = shapely.contains_properly(within, patches)
        patches[~whole_in] = shapely.intersection(patches[~whole_in], within)
        ground = [part for part in shapely.get_parts(shapely.get_parts(patches)) if part.geom_type == "Polygon"]
        whole = shapely.MultiPolygon(ground)
        classes.append(SlopeClass(limits[number], limits[number + 1], whole))
    return classes


def _polygons(rings: list[list[Ring]]) -> NDArray[Any]:
    """Polygons from the rings of each, shell first.

    They are built all at once, since noisy ground has hundreds of thousands.
    """
    if not rings:
        return np.array([], dtype=object)
    flat = [ring for polygon in rings for ring in polygon]
    corners = np.fromiter(chain.from_iterable(chain.from_iterable(flat)), dtype=np.float64).reshape(-1, 2)
    made: Any = shapely.linearrings(corners, indices=np.repeat(np.arange(len(flat)), [len(ring) for ring in flat]))
    whose = np.repeat(np.arange(len(rings)), [len(of_one) for of_one in rings])
    return cast("NDArray[Any]", shapely.polygons(made, indices=whose))


def coarsened(ground: Ground) -> Ground:
    """Ground averaged over blocks to at most `MOST_CELLS` cells.

    A block with nodata is nodata. Rows and columns left over in the south and east are dropped.
    """
    grid = ground.grid
    k = math.ceil(math.sqrt(grid.ny * grid.nx / MOST_CELLS))
    if k <= 1:
        return ground
    ny, nx = grid.ny // k, grid.nx // k
    means = ground.z[: ny * k, : nx * k].reshape(ny, k, nx, k).mean(axis=(1, 3))
    return Ground(Grid(grid.crs, grid.x0, grid.y0, grid.dx * k, grid.dy * k, ny, nx), means)


def _range(ground: Ground, within: BaseGeometry | None) -> tuple[float, float]:
    """Least and greatest height around an area [m], or NaN."""
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
    """Lines of points, clipped to the limits."""
    if len(points) < 2:
        return []
    line = shapely.LineString(points)
    if line.length == 0:
        return []
    if within is None or shapely.contains_properly(within, line):
        return [line]
    clipped = shapely.line_merge(shapely.intersection(line, within))
    return [part for part in shapely.get_parts(clipped) if part.geom_type == "LineString" and part.length > 0]
