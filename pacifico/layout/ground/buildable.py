"""Buildable ground: boundary, setback, exclusions, slope and nodata, tested on whole footprints.

Rectangles are rows of west, south, east, north in the working CRS [m]. Thousands of them are tested at once against
summed-area tables; only those that pass are tested against the polygons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.criteria.racking import ArraySlopes
from pacifico.layout.criteria.setbacks import set_back
from pacifico.layout.ground import _table_kernels
from pacifico.layout.ground.channels import NO_DRAINAGE, SiteDrainage
from pacifico.layout.ground.crossings import Barrier, Crossings, barriers_of, find_crossings
from pacifico.layout.ground.row_slopes import steep_for_rows
from pacifico.terrain.surface import slope_deg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.grid import Grid, Ground
    from pacifico.layout.criteria.crossings import CrossingCriteria
    from pacifico.layout.criteria.setbacks import EdgeSetback
    from pacifico.site.model import Site, Zone


STEEP_SHARE = 0.04
"""Share of a footprint that may exceed the slope limit: below 5 %, so that its 95th percentile keeps the limit."""
LEVEL_GRADE = 1e-9
"""Grade up to which ground is level and has no aspect [rise/run]."""
ROUNDING = 1e-6
"""Rounding error of sums under a footprint [share of its area]."""
BESIDE_SITE_M = 30.0
"""An existing road this near to the edge of the site leads to it [m]."""
MIN_REGION_M2 = 2000.0
"""Smaller parts that no road reaches aren't looked at as regions of the site [m²]."""
MIN_PART_M2 = 1.0
"""Smaller parts of cut polygons are slivers and are dropped [m²]."""


@dataclass(frozen=True)
class Field:
    """Ground of a site: grid, heights, slope and allowed areas."""

    grid: Grid
    ground: Ground
    """Heights, on the grid or on finer cells."""
    slope: FloatArray
    """Slope on the grid [°]; NaN where the cell or a neighbour is nodata."""
    allowed: Polygon | MultiPolygon
    """Boundary without exclusions, but with existing roads: for roads and cables."""
    placeable: Polygon | MultiPolygon
    """Allowed ground behind the setback and beside channels: for assets and pads."""
    inside: BoolArray
    """Cells whose centre is placeable, shape (ny, nx)."""
    outline: Polygon | MultiPolygon
    """Boundary of the site, for assets with a setback of their own."""
    barriers: tuple[Barrier, ...] = ()
    """Ground that roads and cables may cross."""
    grid_connections: tuple[BaseGeometry, ...] = ()
    """Places where the plant may connect to the grid."""
    drainage: SiteDrainage = NO_DRAINAGE
    """Channels, which assets keep clear of and roads and cables cross at a price."""
    existing_roads: tuple[BaseGeometry, ...] = ()
    """Existing roads in or beside the site that the plant uses."""
    _sieves: dict[float | ArraySlopes, Sieve] = dataclass_field(default_factory=dict, compare=False, repr=False)
    _crossings: dict[tuple[CrossingCriteria, float], Crossings] = dataclass_field(
        default_factory=dict, compare=False, repr=False
    )
    _regions: dict[float, list[Polygon]] = dataclass_field(default_factory=dict, compare=False, repr=False)

    def sieve(self, limit: float | ArraySlopes) -> Sieve:
        """Test of footprints for a slope limit [°] or those of arrays, built at the first call."""
        if limit not in self._sieves:
            # NaN compares as false, so unknown slope has a table of its own
            over = self.steep_for_arrays(limit) if isinstance(limit, ArraySlopes) else self.slope > limit
            unknown = next((s.unknown for s in self._sieves.values()), None)
            if unknown is None:
                unknown = Table.of(np.isnan(self.slope), self.grid)
            self._sieves[limit] = Sieve(self.placeable, Table.of(over, self.grid), unknown)
        return self._sieves[limit]

    def steep_for_arrays(self, limit: ArraySlopes) -> BoolArray:
        """Cells that are too steep for arrays, shape (ny, nx).

        Where heights between the cells are known, a cell is too steep for rows if a part of it is.
        """
        ny, nx = self.grid.shape
        fine = steep_for_rows(self.ground.z, self.ground.grid, limit)
        over = np.any(fine.reshape(ny, fine.shape[0] // ny, nx, fine.shape[1] // nx), axis=(1, 3))
        steep: BoolArray = np.logical_or(over, self.slope > limit.any_deg)
        return steep

    def within(self, area: BaseGeometry) -> Field:
        """Field whose placeable ground lies within an area; roads keep all of theirs."""
        placeable = _polygons_of(shapely.intersection(self.placeable, area))
        shapely.prepare(placeable)
        return replace(self, placeable=placeable, _sieves={})

    def crossings(self, criteria: CrossingCriteria, clearance_m: float) -> Crossings:
        """Crossing lines for roads with a clearance."""
        key = criteria, clearance_m
        if key not in self._crossings:
            self._crossings[key] = find_crossings(self.allowed, self.barriers, criteria, clearance_m)
        return self._crossings[key]

    def regions(self, clearance_m: float) -> list[Polygon]:
        """Parts of the site that no road joins, largest first."""
        if clearance_m not in self._regions:
            parts = [p for p in shapely.get_parts(self.allowed.buffer(-clearance_m)) if p.area >= MIN_REGION_M2]
            self._regions[clearance_m] = sorted(parts, key=lambda p: -p.area)
        return self._regions[clearance_m]


def make_field(
    site: Site,
    ground: Ground,
    heights: Ground,
    *,
    setback_m: float,
    source_cell_m: float,
    setbacks: Sequence[EdgeSetback] = (),
    slope: FloatArray | None = None,
    drainage: SiteDrainage = NO_DRAINAGE,
) -> Field:
    """Cut allowed and placeable ground of a site, and compute its slope.

    Parameters
    ----------
    site : Site
        Boundary, exclusions and lines in the working CRS.
    ground : Ground
        Heights on the grid of the layout.
    heights : Ground
        Heights as fine as the source has them, or `ground`.
    setback_m : float
        Setback of assets and pads from the boundary [m].
    source_cell_m : float
        Cell size of the source of heights [m].
    setbacks : sequence of EdgeSetback
        Setbacks of single edges of the boundary.
    slope : ndarray, shape (ny, nx), optional
        Slope on the grid where it is known already [°].
    drainage : SiteDrainage
        Channels of the site.
    """
    blocked = no_build_area(site.exclusions)
    closed = no_build_area(tuple(z for z in site.exclusions if not z.drivable))
    allowed = _polygons_of(shapely.difference(site.boundary, closed)) if closed is not None else site.boundary
    inner = set_back(site.boundary, setback_m, setbacks, site.lines)
    closed_to_assets = shapely.union_all([g for g in (blocked, drainage.area) if g is not None and not g.is_empty])
    placeable = _polygons_of(shapely.difference(inner, closed_to_assets))
    shapely.prepare([allowed, placeable])
    slope = _slope(ground, source_cell_m) if slope is None else slope
    inside = cells_inside(placeable, ground.grid)
    return Field(
        ground.grid,
        heights,
        slope,
        allowed,
        placeable,
        inside,
        site.boundary,
        barriers_of(site),
        site.grid_connections,
        drainage,
        tuple(z.with_buffer for z in site.exclusions if z.existing),
    )


def _slope(ground: Ground, source_cell_m: float) -> FloatArray:
    """Slope on the grid [°], at least that between the source's cells.

    Ground interpolated from a coarser source is smooth, and too gentle in places.
    """
    z, grid = ground.z, ground.grid
    slope = slope_deg(z, grid.dx, grid.dy)
    step = round(source_cell_m / max(grid.dx, grid.dy))
    if step > 1 and min(z.shape) >= 3 * step:
        for i in range(step):
            for j in range(step):
                coarse = slope_deg(np.ascontiguousarray(z[i::step, j::step]), step * grid.dx, step * grid.dy)
                slope[i::step, j::step] = np.maximum(slope[i::step, j::step], coarse)
    return np.asarray(slope, dtype=np.float64)


def no_build_area(zones: tuple[Zone, ...]) -> BaseGeometry | None:
    """Union of zones that can't be built on, with buffers."""
    blocked = [z.with_buffer for z in zones if z.zone_type != "cost"]
    return shapely.union_all(blocked) if blocked else None


def cells_inside(area: BaseGeometry, grid: Grid) -> BoolArray:
    """Cells whose centre is in an area, shape (ny, nx)."""
    from rasterio.features import geometry_mask  # noqa: PLC0415 (0.3 s)
    from rasterio.transform import Affine  # noqa: PLC0415

    if area.is_empty:
        return np.zeros(grid.shape, dtype=bool)
    mask: BoolArray = geometry_mask([area], grid.shape, Affine(*grid.transform), invert=True)
    return mask


def buildable_mask(field: Field, slope_limit_deg: float) -> BoolArray:
    """Placeable cells with known slope within a limit, shape (ny, nx)."""
    return field.inside & (field.slope <= slope_limit_deg)


def buildable_area(
    field: Field, slope_limit_deg: float, *, coarsest_cells: int = 400_000, gentle: BaseGeometry | None = None
) -> Polygon | MultiPolygon:
    """Buildable ground as polygons along cell edges.

    Parameters
    ----------
    field : Field
        Ground of the site.
    slope_limit_deg : float
        Steepest slope [°].
    coarsest_cells : int
        Larger grids are drawn in blocks of cells that are all gentle enough.
    gentle : geometry, optional
        Result of `gentle_area` where it is known already: zones don't change it.
    """
    gentle = gentle_area(field, slope_limit_deg, coarsest_cells=coarsest_cells) if gentle is None else gentle
    return _polygons_of(shapely.intersection(gentle, field.placeable))


def gentle_area(field: Field, slope_limit_deg: float, *, coarsest_cells: int = 400_000) -> BaseGeometry:
    """Ground within a slope limit along cell edges, placeable or not."""
    from rasterio.features import shapes  # noqa: PLC0415
    from rasterio.transform import Affine  # noqa: PLC0415

    gentle: BoolArray = np.array(field.slope <= slope_limit_deg, dtype=bool)
    grid = field.grid
    step = int(np.ceil(np.sqrt(gentle.size / coarsest_cells)))
    if step > 1:
        ny, nx = gentle.shape[0] // step * step, gentle.shape[1] // step * step
        gentle = np.array(gentle[:ny, :nx].reshape(ny // step, step, nx // step, step).all(axis=(1, 3)), dtype=bool)
    transform = Affine(grid.dx * step, 0.0, grid.x0, 0.0, -grid.dy * step, grid.y0)
    parts = [
        shapely.Polygon(s["coordinates"][0], s["coordinates"][1:])
        for s, _ in shapes(gentle.astype(np.uint8), mask=gentle, transform=transform)
    ]
    if not parts:
        return MultiPolygon()
    return shapely.union_all(parts)


@dataclass(frozen=True)
class Table:
    """Summed-area table of a mask: measures it under many rectangles at once."""

    grid: Grid
    sums: NDArray[np.int32]
    """Marked cells north-west of each cell corner, shape (ny + 1, nx + 1)."""

    @classmethod
    def of(cls, mask: BoolArray, grid: Grid) -> Table:
        """Build the table of a mask, shape (ny, nx)."""
        sums = np.zeros((grid.ny + 1, grid.nx + 1), np.int32)
        np.cumsum(mask, axis=0, dtype=np.int32, out=sums[1:, 1:])
        np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
        return cls(grid, sums)

    def share(self, rects: FloatArray) -> FloatArray:
        """Exact share of each rectangle on marked cells or off the grid."""
        g = self.grid
        frame = np.array([g.x0, g.y0, g.dx, g.dy])
        shares: FloatArray = _table_kernels.shares(self.sums, frame, np.ascontiguousarray(rects, dtype=np.float64))
        return shares


@dataclass(frozen=True)
class Sieve:
    """Test of rectangles for slope limits, by cells and polygons."""

    placeable: Polygon | MultiPolygon
    """Ground on which assets and pads may stand."""
    steep: Table
    """Cells over a slope limit."""
    unknown: Table
    """Cells without a slope."""

    def by_ground(self, rects: FloatArray) -> BoolArray:
        """Whether rectangles are on known ground within the slope limits, shape (n,)."""
        ok: BoolArray = (self.unknown.share(rects) <= ROUNDING) & (self.steep.share(rects) <= STEEP_SHARE)
        return ok

    def passes(self, rects: FloatArray, *, apron: float = 0.0) -> BoolArray:
        """Whether rectangles, also with an apron [m], are buildable, shape (n,)."""
        around = rects + np.array([-apron, -apron, apron, apron])
        ok = self.by_ground(rects)
        if apron:
            ok &= self.by_ground(around)
        some = np.flatnonzero(ok)
        if some.size:
            r = around[some]
            ok[some] = shapely.covers(self.placeable, shapely.box(r[:, 0], r[:, 1], r[:, 2], r[:, 3]))
        return ok


@dataclass(frozen=True)
class Zonal:
    """Statistics of the ground under footprints, one value each."""

    slope_deg: FloatArray
    """95th percentile by area [°]: 95 % of the footprint is no steeper."""
    mean_slope_deg: FloatArray
    """Mean by area [°]."""
    aspect_deg: FloatArray
    """Downhill direction from the midpoints of the sides, clockwise from north [°]; NaN where level."""
    elevation_m: FloatArray
    """Mean of the midpoints of the four sides [m]."""


def zonal(field: Field, rects: FloatArray) -> Zonal:
    """Statistics under rectangles; slopes are weighted by the area of each cell."""
    g = field.grid
    slopes = np.full((2, len(rects)), np.nan)
    for i, (west, south, east, north) in enumerate(rects):
        columns, across = _covered_cells((west - g.x0) / g.dx, (east - g.x0) / g.dx, g.nx)
        rows, down = _covered_cells((g.y0 - north) / g.dy, (g.y0 - south) / g.dy, g.ny)
        slope, area = field.slope[rows, columns].ravel(), np.outer(down, across).ravel()
        order = np.argsort(slope, kind="stable")
        # unknown slope sorts last; assets stand on none of it beyond rounding
        slope, area = slope[order], np.where(np.isnan(slope[order]), 0.0, area[order])
        below = np.cumsum(area)
        slopes[0, i] = slope[np.searchsorted(below, (0.95 - ROUNDING) * below[-1])]
        slopes[1, i] = float(np.nan_to_num(slope) @ area) / below[-1]
    west, south, east, north = rects.T
    x, y = (west + east) / 2, (south + north) / 2
    at_east, at_west = field.ground.at(east, y), field.ground.at(west, y)
    at_north, at_south = field.ground.at(x, north), field.ground.at(x, south)
    rise_east, rise_north = (at_east - at_west) / (east - west), (at_north - at_south) / (north - south)
    aspect = np.degrees(np.arctan2(-rise_east, -rise_north)) % 360
    aspect[np.hypot(rise_east, rise_north) <= LEVEL_GRADE] = np.nan
    return Zonal(slopes[0], slopes[1], aspect, (at_east + at_west + at_north + at_south) / 4)


def _covered_cells(first: float, last: float, count: int) -> tuple[slice, FloatArray]:
    """Cells that an interval covers, and the covered part of each."""
    start = min(max(int(np.floor(first)), 0), count - 1)
    stop = min(max(int(np.ceil(last)), start + 1), count)
    return slice(start, stop), np.diff(np.clip(np.arange(start, stop + 1, dtype=np.float64), first, last))


def _polygons_of(geometry: BaseGeometry) -> Polygon | MultiPolygon:
    """Polygons of a geometry, without slivers."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area >= MIN_PART_M2]
    whole: Polygon | MultiPolygon = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    return whole


def mean_slope(field: Field, rects: FloatArray) -> FloatArray:
    """Mean slope of five points per rectangle [°]; nodata counts as 90°."""
    g = field.grid
    total = np.zeros(len(rects))
    for fx, fy in ((0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        x = rects[:, 0] + fx * (rects[:, 2] - rects[:, 0])
        y = rects[:, 1] + fy * (rects[:, 3] - rects[:, 1])
        column = np.clip(((x - g.x0) / g.dx).astype(np.int64), 0, g.nx - 1)
        row = np.clip(((g.y0 - y) / g.dy).astype(np.int64), 0, g.ny - 1)
        total += np.nan_to_num(field.slope[row, column], nan=90.0)
    return total / 5
