"""Cut and fill as a raster: how much lower or higher the design lies than the ground."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pacifico.errors import CRSMismatchError
from pacifico.grid import Grid, Ground
from pacifico.layout.earthwork.corridors import road_vertices
from pacifico.layout.earthwork.criteria import cell_of, frame_of
from pacifico.layout.earthwork.pads import pad_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.plan import Plan


def cut_fill(plan: Plan, dem: xr.DataArray) -> xr.DataArray:
    """Design minus ground [m] of a plan's pads and roads on the DEM's grid: cut negative, fill positive, NaN elsewhere.

    Each value is the mean over the graded part of its cell; side slopes are not in it.

    Parameters
    ----------
    plan : Plan
    dem : DataArray
        The one that the plan was made on.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS.
    """
    ground = Ground.of(dem)
    if ground.grid.crs != plan.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
        )
    roads = plan.road_list
    depth = cut_fill_raster(
        ground, [p.plane for p in plan.pad_list], [r.line for r in roads], [r.width_m for r in roads],
        heights=Ground.finest_of(dem),
    )  # fmt: skip
    return ground.grid.data_array(depth.astype(np.float32), name="cut_fill", units="m")


def write_cut_fill(plan: Plan, dem: xr.DataArray, path: str | Path) -> Path:
    """Write `cut_fill` as a cloud-optimized GeoTIFF: float32, tiled, deflate, nodata NaN; the same plan gives the same bytes."""
    from pacifico.terrain.stream import write_raster  # noqa: PLC0415 (rasterio: only where a raster is written)

    raster = cut_fill(plan, dem)
    return write_raster(Path(path), raster.values, Grid.of(dem), nodata=np.nan, averaged=True, units="m")


def cut_fill_raster(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    heights: Ground | None = None,
) -> NDArray[np.float64]:
    """Design minus ground [m] on the grid (ny, nx): mean over the graded part of each cell, NaN where there is none.

    Fill is positive, cut negative. Side slopes are not drawn. Where a pad and a road share a cell it is the mean of both.
    `heights` is the ground as it is known best, where that is finer than the grid.
    """
    known = ground if heights is None else heights
    from pacifico.layout.earthwork import _tile_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    total, weight = np.zeros(ground.grid.shape), np.zeros(ground.grid.shape)
    frame, half_cell = frame_of(ground), 0.5 * cell_of(ground)
    if pads:
        edges, _, starts, origins = pad_edges(np.asarray([p.polygon for p in pads], dtype=object))
        for i, pad in enumerate(pads):
            px, py = _tile_kernels.tile_polygon(edges[starts[i] : starts[i + 1]], half_cell)
            design = pad.elevation_m + pad.grade_east * px[:, 4] + pad.grade_north * py[:, 4]
            _spread(known, total, weight, frame, origins[i], px, py, design)
    xyz, starts, origins = road_vertices(roads)
    for i, width in enumerate(widths):
        line = xyz[starts[i] : starts[i + 1]]
        for k in range(len(line) - 1):
            px, py, pz, _ = _tile_kernels.tile_strip(line, k, 0.5 * width, min(half_cell, width / 2.0))
            _spread(known, total, weight, frame, origins[i], px, py, pz[:, 4])
    with np.errstate(invalid="ignore"):
        return total / np.where(weight > 0, weight, np.nan)


def _spread(
    ground: Ground,
    total: FloatArray,
    weight: FloatArray,
    frame: FloatArray,
    origin: FloatArray,
    px: FloatArray,
    py: FloatArray,
    design: FloatArray,
) -> None:
    from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    local = frame - np.array([origin[0], origin[1], 0.0, 0.0])
    depth = design - ground.at(px[:, 4] + origin[0], py[:, 4] + origin[1])
    _earthwork_kernels.spread(total, weight, local, px, py, depth)
