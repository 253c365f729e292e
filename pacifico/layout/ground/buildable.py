"""Where an asset may stand: boundary, setback, exclusions, slope and nodata, on the whole footprint.

Rectangles are rows of (west, south, east, north) in the working CRS [m]: thousands of them are tested at once
against summed-area tables, and only those that pass are tested exactly against the polygons.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.criteria.setbacks import set_back
from pacifico.layout.ground import _table_kernels
from pacifico.terrain.surface import slope_deg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.grid import Grid, Ground
    from pacifico.layout.criteria.setbacks import EdgeSetback
    from pacifico.site.model import Site, Zone


STEEP_SHARE = 0.04
"""Of a footprint's area that may exceed the slope limit, so that the 95th percentile under it holds the limit."""
LEVEL = 1e-9
"""Rise over run under which ground faces nowhere."""
ROUNDING = 1e-6
"""Of a footprint's area that a table of sums may be off."""


@dataclass(frozen=True)
class Field:
    """The site as the engine sees it."""

    grid: Grid
    ground: Ground
    """Heights, on a grid of the same cells or of finer ones."""
    slope: FloatArray
    """Slope on the grid [°]; NaN where the cell or a neighbour is nodata."""
    allowed: Polygon | MultiPolygon
    """Boundary without exclusions: roads may run here."""
    placeable: Polygon | MultiPolygon
    """`allowed` less the setback: assets and pads stand here."""
    inside: BoolArray
    """Cells whose centre is placeable."""
    outline: Polygon | MultiPolygon
    """Boundary of the site, for what keeps its own distance from it."""
    _sieves: dict[float, Sieve] = dataclass_field(default_factory=dict, compare=False, repr=False)

    def sieve(self, slope_limit_deg: float) -> Sieve:
        """Test of footprints for assets with this limit of natural ground; made once."""
        if slope_limit_deg not in self._sieves:
            # NaN compares false: unknown slope is measured apart, any of it bars the rectangle
            steep = Table.of(self.slope > slope_limit_deg, self.grid)
            unknown = next((s.unknown for s in self._sieves.values()), None)
            if unknown is None:
                unknown = Table.of(np.isnan(self.slope), self.grid)
            self._sieves[slope_limit_deg] = Sieve(self.placeable, slope_limit_deg, steep, unknown)
        return self._sieves[slope_limit_deg]


def make_field(
    site: Site,
    ground: Ground,
    heights: Ground,
    *,
    setback_m: float,
    source_cell_m: float,
    setbacks: Sequence[EdgeSetback] = (),
    slope: FloatArray | None = None,
) -> Field:
    """Field of a site: polygons cut, slope computed on `ground` if it is not known, cells marked; `heights` may be finer."""
    blocked = hard_ground(site.exclusions)
    allowed = _polygonal(shapely.difference(site.boundary, blocked)) if blocked is not None else site.boundary
    inner = set_back(site.boundary, setback_m, setbacks, site.lines)
    placeable = _polygonal(shapely.difference(inner, blocked) if blocked is not None else inner)
    shapely.prepare([allowed, placeable])
    slope = _slope(ground, source_cell_m) if slope is None else slope
    return Field(ground.grid, heights, slope, allowed, placeable, cells_inside(placeable, ground.grid), site.boundary)


def _slope(ground: Ground, source_cell_m: float) -> FloatArray:
    """Slope on the grid; where the source is coarser, not below the slope between the source's own cells.

    Between the heights of a coarse source the interpolated ground is smooth, and so too gentle in places.
    """
    z, grid = ground.z, ground.grid
    slope = slope_deg(z, grid.dx, grid.dy)
    step = round(source_cell_m / max(grid.dx, grid.dy))
    if step > 1 and min(z.shape) >= 3 * step:
        for i in range(step):
            for j in range(step):
                wide = slope_deg(np.ascontiguousarray(z[i::step, j::step]), step * grid.dx, step * grid.dy)
                slope[i::step, j::step] = np.maximum(slope[i::step, j::step], wide)
    return np.asarray(slope, dtype=np.float64)


def hard_ground(zones: tuple[Zone, ...]) -> BaseGeometry | None:
    """Union of the zones that may not be built on, buffers included; None without any."""
    hard = [z.with_buffer for z in zones if z.zone_type != "cost"]
    return shapely.union_all(hard) if hard else None


def cells_inside(area: BaseGeometry, grid: Grid) -> BoolArray:
    """Cells whose centre lies in an area, shape (ny, nx)."""
    from rasterio.features import geometry_mask  # noqa: PLC0415 (0.3 s)
    from rasterio.transform import Affine  # noqa: PLC0415

    if area.is_empty:
        return np.zeros(grid.shape, dtype=bool)
    mask: BoolArray = geometry_mask([area], grid.shape, Affine(*grid.transform), invert=True)
    return mask


def buildable_mask(field: Field, slope_limit_deg: float) -> BoolArray:
    """Placeable cells with known ground within a slope limit, shape (ny, nx)."""
    return field.inside & (field.slope <= slope_limit_deg)


def buildable_area(
    field: Field, slope_limit_deg: float, *, coarsest_cells: int = 400_000, gentle: BaseGeometry | None = None
) -> Polygon | MultiPolygon:
    """Buildable ground as polygons, along cell edges and the exact outline of what is placeable.

    Grids of more than `coarsest_cells` are drawn on blocks of cells that are buildable throughout. `gentle` is what
    `gentle_area` gives, where it is known: no zone changes it.
    """
    gentle = gentle_area(field, slope_limit_deg, coarsest_cells=coarsest_cells) if gentle is None else gentle
    return _polygonal(shapely.intersection(gentle, field.placeable))


def gentle_area(field: Field, slope_limit_deg: float, *, coarsest_cells: int = 400_000) -> BaseGeometry:
    """Ground within a slope limit along cell edges, whether it may be built on or not."""
    from rasterio.features import shapes  # noqa: PLC0415
    from rasterio.transform import Affine  # noqa: PLC0415

    good: BoolArray = np.array(field.slope <= slope_limit_deg, dtype=bool)
    grid = field.grid
    step = int(np.ceil(np.sqrt(good.size / coarsest_cells)))
    if step > 1:
        ny, nx = good.shape[0] // step * step, good.shape[1] // step * step
        good = np.array(good[:ny, :nx].reshape(ny // step, step, nx // step, step).all(axis=(1, 3)), dtype=bool)
    transform = Affine(grid.dx * step, 0.0, grid.x0, 0.0, -grid.dy * step, grid.y0)
    parts = [
        shapely.Polygon(s["coordinates"][0], s["coordinates"][1:])
        for s, _ in shapes(good.astype(np.uint8), mask=good, transform=transform)
    ]
    if not parts:
        return MultiPolygon()
    return shapely.union_all(parts)


@dataclass(frozen=True)
class Table:
    """Summed-area table of a mask, to measure it under many rectangles at once."""

    grid: Grid
    sums: NDArray[np.int32]
    """Marked cells north-west of each cell corner, shape (ny + 1, nx + 1)."""

    @classmethod
    def of(cls, mask: BoolArray, grid: Grid) -> Table:
        """Table of a mask of shape (ny, nx)."""
        sums = np.zeros((grid.ny + 1, grid.nx + 1), np.int32)
        np.cumsum(mask, axis=0, dtype=np.int32, out=sums[1:, 1:])
        np.cumsum(sums[1:, 1:], axis=1, out=sums[1:, 1:])
        return cls(grid, sums)

    def share(self, rects: FloatArray) -> FloatArray:
        """Share of each rectangle's area that lies on marked cells, exact; what lies off the grid counts as marked.

        The sum over a rectangle whose corners lie within cells is bilinear between the corners of those cells.
        """
        g = self.grid
        frame = np.array([g.x0, g.y0, g.dx, g.dy])
        shares: FloatArray = _table_kernels.shares(self.sums, frame, np.ascontiguousarray(rects, dtype=np.float64))
        return shares


@dataclass(frozen=True)
class Sieve:
    """Tests rectangles for one slope limit: first by cells, then exactly."""

    placeable: Polygon | MultiPolygon
    """Ground on which assets and pads may stand."""
    limit_deg: float
    steep: Table
    unknown: Table

    def by_ground(self, rects: FloatArray) -> BoolArray:
        """Rectangles on known ground within the slope limit, shape (n,)."""
        ok: BoolArray = (self.unknown.share(rects) <= ROUNDING) & (self.steep.share(rects) <= STEEP_SHARE)
        return ok

    def passes(self, rects: FloatArray, *, apron: float = 0.0) -> BoolArray:
        """Rectangles on good ground and wholly placeable, as they are and grown by an apron [m], shape (n,)."""
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
    """What lies under footprints, one value each."""

    slope_deg: FloatArray
    """95th percentile by area [°]: 95 % of the footprint is no steeper."""
    mean_slope_deg: FloatArray
    aspect_deg: FloatArray
    """Downhill direction between the middles of opposite sides, clockwise from north [°]; NaN where level."""
    elevation_m: FloatArray
    """Mean of the middles of the four sides [m]."""


def zonal(field: Field, rects: FloatArray) -> Zonal:
    """Statistics under rectangles: slopes weighed by the area of each cell that lies under one."""
    g = field.grid
    slopes = np.full((2, len(rects)), np.nan)
    for i, (west, south, east, north) in enumerate(rects):
        columns, across = _covered((west - g.x0) / g.dx, (east - g.x0) / g.dx, g.nx)
        rows, down = _covered((g.y0 - north) / g.dy, (g.y0 - south) / g.dy, g.ny)
        slope, area = field.slope[rows, columns].ravel(), np.outer(down, across).ravel()
        order = np.argsort(slope, kind="stable")
        # unknown slope sorts last; no more of it than rounding lies under what stands
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
    aspect[np.hypot(rise_east, rise_north) <= LEVEL] = np.nan
    return Zonal(slopes[0], slopes[1], aspect, (at_east + at_west + at_north + at_south) / 4)


def _covered(first: float, last: float, count: int) -> tuple[slice, FloatArray]:
    """Cells that an interval in cell units covers, and how much of each."""
    start = min(max(int(np.floor(first)), 0), count - 1)
    stop = min(max(int(np.ceil(last)), start + 1), count)
    return slice(start, stop), np.diff(np.clip(np.arange(start, stop + 1, dtype=np.float64), first, last))


def _polygonal(geometry: BaseGeometry) -> Polygon | MultiPolygon:
    """Polygon parts alone; slivers under 1 m² dropped."""
    parts = [p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon" and p.area >= 1.0]
    whole: Polygon | MultiPolygon = parts[0] if len(parts) == 1 else MultiPolygon(parts)
    return whole


def mean_slope(field: Field, rects: FloatArray) -> FloatArray:
    """Slope at the middle and the corners of rectangles, averaged [°]; nodata counts as 90."""
    g = field.grid
    total = np.zeros(len(rects))
    for fx, fy in ((0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        x = rects[:, 0] + fx * (rects[:, 2] - rects[:, 0])
        y = rects[:, 1] + fy * (rects[:, 3] - rects[:, 1])
        column = np.clip(((x - g.x0) / g.dx).astype(np.int64), 0, g.nx - 1)
        row = np.clip(((g.y0 - y) / g.dy).astype(np.int64), 0, g.ny - 1)
        total += np.nan_to_num(field.slope[row, column], nan=90.0)
    return total / 5
