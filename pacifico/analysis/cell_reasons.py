"""Reason of every cell of a site: why it is used, left over or not buildable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import CRSMismatchError
from pacifico.grid import Grid, Ground
from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type, solar_units
from pacifico.layout.criteria.request import MAIN_ASSET, main_slope_limit, smallest_unit_kw
from pacifico.layout.criteria.setbacks import set_back
from pacifico.layout.ground.buildable import STEEP_SHARE, Table, buildable_mask, cells_inside, make_field, no_build_area
from pacifico.layout.ground.channels import site_drainage
from pacifico.layout.model.land_use import Reason
from pacifico.layout.model.roads import road_criteria
from pacifico.layout.orientation.frame import AZIMUTH_RULE, TurnedFrame
from pacifico.layout.placement.surroundings import SURROUNDINGS_M
from pacifico.terrain.drainage.flow import flow_cell_m

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.plan import Plan

    Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class CellReasons:
    """Reason of every cell of a plan's site."""

    field: Field
    """Ground of the site, cut by setback and exclusions."""
    codes: Codes
    """`Reason` of each cell, shape (ny, nx)."""
    slope_limit_deg: float
    """Slope limit of the plant's main asset type [°]."""

    @property
    def grid(self) -> Grid:
        """Grid of the cells."""
        return self.field.grid

    def count(self, reason: Reason) -> int:
        """Number of cells with a reason."""
        return int(np.count_nonzero(self.codes == reason))


def reasons_of(plan: Plan, dem: xr.DataArray) -> CellReasons:
    """Reason of every cell of a plan's site.

    A cell belongs to the area that holds its centre. Ground between works counts as used where it is no wider than
    the surroundings of assets (25 m).

    Parameters
    ----------
    plan : Plan
        Plan to explain.
    dem : DataArray
        DEM that the plan was made on.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS than the plan.
    """
    field = field_of(plan, dem)
    limit = main_slope_limit(plan.profile, plan.spec)
    good = buildable_mask(field, limit)
    codes = np.full(field.grid.shape, Reason.OUTSIDE, np.uint8)
    codes[cells_inside(plan.site.boundary, field.grid)] = Reason.SETBACK
    codes[cells_inside(inside_setback(plan), field.grid)] = Reason.EXCLUSION
    blocked = no_build_area(plan.site.exclusions)
    unzoned = inside_setback(plan) if blocked is None else inside_setback(plan).difference(blocked)
    codes[cells_inside(unzoned, field.grid)] = Reason.CHANNEL
    codes[field.inside] = Reason.TOO_STEEP
    codes[field.inside & np.isnan(field.slope)] = Reason.NO_ELEVATION
    codes[good] = _left_over(plan, field, good)[good]
    return CellReasons(field, codes, limit)


def cell_reasons_of(plan: Plan, dem: xr.DataArray) -> xr.DataArray:
    """Reason of every cell as a DataArray with flag values and meanings."""
    found = reasons_of(plan, dem)
    raster = found.grid.data_array(found.codes, name="reason")
    raster.attrs["flag_values"] = [int(r) for r in Reason]
    raster.attrs["flag_meanings"] = " ".join(r.name.lower() for r in Reason)
    return raster


def buildable_cells(plan: Plan, dem: xr.DataArray) -> xr.DataArray:
    """Cells on which the main asset type may stand, as a DataArray."""
    field = field_of(plan, dem)
    mask = buildable_mask(field, main_slope_limit(plan.profile, plan.spec))
    return field.grid.data_array(mask, name="buildable")


def field_of(plan: Plan, dem: xr.DataArray) -> Field:
    """Ground of a plan's site on its DEM."""
    ground = Ground.of(dem)
    if ground.grid.crs != plan.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
        )
    heights, source_cell_m = Ground.finest_of(dem), float(dem.attrs.get("source_resolution_m", 0.0))
    return make_field(
        plan.site,
        ground,
        heights,
        setback_m=plan.spec.number("site", "setback_m"),
        setbacks=plan.spec.setbacks,
        source_cell_m=source_cell_m,
        drainage=site_drainage(plan.site, heights, plan.spec, flow_cell_m(dem)),
    )


def inside_setback(plan: Plan) -> BaseGeometry:
    """Ground of a plan's site inside the setbacks."""
    site, spec = plan.site, plan.spec
    return set_back(site.boundary, spec.number("site", "setback_m"), spec.setbacks, site.lines)


def _left_over(plan: Plan, field: Field, good: BoolArray) -> Codes:
    """Reason of each cell as if all of them were buildable.

    Parameters
    ----------
    plan : Plan
        Plan with its works.
    field : Field
        Ground of its site.
    good : ndarray, shape (ny, nx)
        Buildable cells.
    """
    codes = np.full(good.shape, Reason.TOO_SMALL, np.uint8)
    used = cells_inside(_covered(plan), field.grid)
    roomy = _opened_along(good & ~used, field.grid, unit_sizes(plan), plan.spec.number(*AZIMUTH_RULE))
    met = plan.target_capacity_kw is not None and not _is_short(plan)
    codes[roomy] = Reason.NOT_NEEDED if met else Reason.NO_ROAD_WORTH_IT
    if not met:
        for area, reason in ((_without_roads(plan, field), Reason.CUT_OFF), (_spacing(plan), Reason.SPACING)):
            if area is not None:
                codes[roomy & cells_inside(area, field.grid)] = reason
    codes[used] = Reason.USED
    return codes


def _is_short(plan: Plan) -> bool:
    """Whether a plan misses its target by a unit or more."""
    metrics, target = plan.metrics, plan.target_capacity_kw
    placed = metrics["storage_kw" if plan.profile == "bess" else "total_capacity_kw"]
    return target is not None and placed <= target - smallest_unit_kw(plan.profile, plan.spec)


def _covered(plan: Plan) -> BaseGeometry:
    """Works of a plan, and the gaps between them."""
    criteria = road_criteria(plan.spec, plan.profile)
    roads = [shapely.force_2d(r.line).buffer(r.width_m / 2 + criteria.clearance_m) for r in plan.road_list]
    works = [*(a.footprint for a in plan.asset_list), *(p.plane.polygon for p in plan.pad_list), *roads]
    half_gap = SURROUNDINGS_M / 2
    grown = shapely.union_all(shapely.buffer(np.array(works, dtype=object), half_gap, quad_segs=2))
    return shapely.buffer(grown, -half_gap, quad_segs=2)


def _without_roads(plan: Plan, field: Field) -> BaseGeometry | None:
    """Parts of the site that no road of the plan enters; None where there are none."""
    criteria = road_criteria(plan.spec, plan.profile)
    roads = shapely.union_all([r.line for r in plan.road_list])
    parts = [p for p in field.regions(criteria.width_m / 2 + criteria.clearance_m) if not p.intersects(roads)]
    return shapely.union_all(parts) if parts else None


def _spacing(plan: Plan) -> BaseGeometry | None:
    """Ground that turbines keep from each other; None where the next unit is no turbine."""
    turbines = [a.footprint.centroid for a in plan.asset_list if a.item.kind == "wind_turbine"]
    if not turbines or not _only_wind(plan):
        return None
    spec = plan.spec
    least_m = spec.number("wind_turbine", "rotor_m") * spec.number("wind_turbine", "spacing_crosswind_rotors")
    return shapely.union_all(shapely.buffer(np.array(turbines, dtype=object), least_m))


def _only_wind(plan: Plan) -> bool:
    """Whether a plan generates by turbines alone."""
    return plan.profile == "wind_hybrid" and plan.spec.number("wind_hybrid", "wind_share") == 1.0


def unit_sizes(plan: Plan) -> tuple[tuple[float, float], ...]:
    """Width and height of the smallest unit that a plan adds, in its shapes [m]."""
    spec = plan.spec
    kind = "wind_turbine" if _only_wind(plan) else MAIN_ASSET[plan.profile]
    if kind == "solar_array":
        units = solar_units(spec)
        return tuple((u.least_units * u.pitch_x_m - u.gap_x_m, u.height_m) for u in units)
    block = asset_type(spec, kind)
    length, width = block.length_m + 2 * PAD_APRON_M, block.width_m + 2 * PAD_APRON_M
    return (length, width), (width, length)


def _opened_along(
    cells: BoolArray, grid: Grid, sizes: tuple[tuple[float, float], ...], azimuth_deg: float
) -> BoolArray:
    """Cells on which a rectangle of one of the sizes fits along the row azimuth, shape (ny, nx).

    Parameters
    ----------
    cells : ndarray, shape (ny, nx)
        Free cells.
    grid : Grid
        Their grid.
    sizes : tuple of (float, float)
        Widths and heights of rectangles [m].
    azimuth_deg : float
        Direction of the heights, clockwise from north [°]; turned grids take the nearest cell.
    """
    if azimuth_deg == 0.0:
        return _opened(cells, grid, sizes)
    west, south, east, north = grid.bounds
    frame = TurnedFrame(azimuth_deg, ((west + east) / 2, (south + north) / 2))
    x0, y0, x1, y1 = frame.geometry(shapely.box(west, south, east, north)).bounds
    cell = min(grid.dx, grid.dy)
    turned = Grid(grid.crs, x0, y1, cell, cell, int(np.ceil((y1 - y0) / cell)), int(np.ceil((x1 - x0) / cell)))
    fits = _opened(_nearest(cells, grid, turned, frame.inverse), turned, sizes)
    return cells & _nearest(fits, turned, grid, frame)


def _nearest(cells: BoolArray, grid: Grid, onto: Grid, frame: TurnedFrame) -> BoolArray:
    """Cells on another grid: each is as the cell that holds its centre, False off the grid.

    Parameters
    ----------
    cells : ndarray, shape (ny, nx)
        Cells.
    grid : Grid
        Their grid.
    onto : Grid
        Grid of the result.
    frame : TurnedFrame
        Brings places of `onto` to `grid`.
    """
    x, y = np.meshgrid(onto.x_centres(), onto.y_centres())
    places = frame.turned(np.stack([x.ravel(), y.ravel()], axis=1))
    column = np.floor((places[:, 0] - grid.x0) / grid.dx).astype(np.intp)
    row = np.floor((grid.y0 - places[:, 1]) / grid.dy).astype(np.intp)
    on = (column >= 0) & (column < grid.nx) & (row >= 0) & (row < grid.ny)
    found = np.zeros(on.size, dtype=np.bool_)
    found[on] = cells[row[on], column[on]]
    return found.reshape(onto.shape)


def _opened(cells: BoolArray, grid: Grid, sizes: tuple[tuple[float, float], ...]) -> BoolArray:
    """Cells on which a rectangle of one of the sizes fits, shape (ny, nx).

    Parameters
    ----------
    cells : ndarray, shape (ny, nx)
        Free cells.
    grid : Grid
        Their grid.
    sizes : tuple of (float, float)
        Widths and heights of rectangles [m]. Their north-western corner is that of a cell.
    """
    free = Table.of(cells, grid)
    row, column = np.nonzero(cells)
    west, north = grid.x0 + column * grid.dx, grid.y0 - row * grid.dy
    change = np.zeros((grid.ny + 1, grid.nx + 1), np.int64)
    for width, height in sizes:
        rects: FloatArray = np.column_stack([west, north - height, west + width, north])
        fits = free.share(rects) >= 1 - STEEP_SHARE
        r, c = row[fits], column[fits]
        south = np.minimum(r + int(np.ceil(height / grid.dy)), grid.ny)
        east = np.minimum(c + int(np.ceil(width / grid.dx)), grid.nx)
        for rows, columns, sign in ((r, c, 1), (south, c, -1), (r, east, -1), (south, east, 1)):
            np.add.at(change, (rows, columns), sign)
    covered: BoolArray = np.cumsum(np.cumsum(change, axis=0), axis=1)[:-1, :-1] > 0
    return covered & cells
