"""Cut and fill as a raster: design minus ground."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import CRSMismatchError
from pacifico.grid import Grid, Ground
from pacifico.layout.earthwork._kernel_types import cell_size, grid_frame
from pacifico.layout.earthwork.corridors import road_lines
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria, earthwork_criteria
from pacifico.layout.earthwork.pads import pad_outlines
from pacifico.layout.earthwork.slope_tiles import SlopeTiles, pad_slope_tiles, road_slope_tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import xarray as xr
    from numpy.typing import NDArray
    from shapely import LineString

    from pacifico.array_types import FloatArray
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.model.racking import GradedCells


def cut_fill(plan: Plan, dem: xr.DataArray) -> xr.DataArray:
    """Design minus ground of a plan, on the DEM's grid [m].

    Cut is negative, fill positive, other ground NaN. Each value is the mean over the graded part of its cell, side
    slopes included. Ground graded under arrays is in it where the plan's racking is designed.

    Parameters
    ----------
    plan : Plan
        Pads, roads and graded cells.
    dem : DataArray
        DEM that the plan was made on.

    Raises
    ------
    CRSMismatchError
        The DEM is in another CRS than the plan.
    """
    ground = Ground.of(dem)
    if ground.grid.crs != plan.crs:
        raise CRSMismatchError(
            f"the DEM is in {ground.grid.crs.name}, the plan in {plan.crs.name}; give the DEM that the plan was made on"
        )
    roads = plan.road_list
    depth = cut_fill_raster(
        ground, [p.plane for p in plan.pad_list], [r.line for r in roads], [r.width_m for r in roads],
        heights=Ground.finest_of(dem), criteria=earthwork_criteria(plan.spec),
        graded=() if plan.racking is None else plan.racking.graded,
    )  # fmt: skip
    return ground.grid.data_array(depth.astype(np.float32), name="cut_fill", units="m")


def write_cut_fill(plan: Plan, dem: xr.DataArray, path: str | Path) -> Path:
    """Write `cut_fill` as a cloud-optimized GeoTIFF; equal plans give equal bytes."""
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
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
    graded: Sequence[GradedCells] = (),
) -> NDArray[np.float64]:
    """Design minus ground on a grid, shape (ny, nx) [m].

    Each value is the mean over the graded part of a cell, NaN without one. Fill is positive, cut negative. Works that
    share a cell are averaged. Side slopes end at other pads and roads.

    Parameters
    ----------
    ground : Ground
        Heights on the grid of the raster [m].
    pads : sequence of PadPlane
        Pads with their design planes.
    roads : sequence of LineString
        Centrelines with design heights as Z [m].
    widths : sequence of float
        Carriageway width of each road [m].
    heights : Ground, optional
        Finer heights where they are known [m].
    criteria : EarthworkCriteria
        Side slope and its longest reach.
    graded : sequence of GradedCells
        Ground graded under arrays.
    """
    from pacifico.layout.earthwork import _tile_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    raster = _Raster(ground, ground if heights is None else heights)
    half_cell = 0.5 * cell_size(ground)
    if pads:
        outlines = pad_outlines(np.asarray([p.polygon for p in pads], dtype=object))
        for i, pad in enumerate(pads):
            edges = outlines.edges[outlines.starts[i] : outlines.starts[i + 1]]
            px, py = _tile_kernels.tile_polygon(edges, half_cell)
            design = pad.elevation_m + pad.grade_east * px[:, 4] + pad.grade_north * py[:, 4]
            raster.add(outlines.origins[i], px, py, design)
    xyz, starts, origins = road_lines(roads)
    for i, width in enumerate(widths):
        line = xyz[starts[i] : starts[i + 1]]
        fineness = min(half_cell, width / 2.0)
        strips = [_tile_kernels.tile_strip(line, k, 0.5 * width, fineness) for k in range(len(line) - 1)]
        if strips:
            px, py, pz = (np.concatenate([strip[part] for strip in strips]) for part in range(3))
            raster.add(origins[i], px, py, pz[:, 4])
    if criteria.side_slope > 0:
        for tiles in _slopes(raster.heights, pads, roads, widths, criteria):
            raster.add(np.zeros(2), *tiles)
    for cells in graded:
        if len(cells.x):
            px, py = _corners(cells)
            raster.add(np.zeros(2), px, py, raster.heights.at(cells.x, cells.y) + cells.correction_m)
    return raster.mean()


def _corners(cells: GradedCells) -> tuple[FloatArray, FloatArray]:
    """Corners and centre of square cells, both of shape (n, 5) [m]."""
    angle = np.radians(-cells.azimuth_deg) + np.pi / 4 + np.pi / 2 * np.arange(4)
    half = cells.cell_m / np.sqrt(2)
    east, north = (np.append(half * f(angle), 0.0) for f in (np.cos, np.sin))
    return cells.x[:, None] + east, cells.y[:, None] + north


def _slopes(
    heights: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    criteria: EarthworkCriteria,
) -> Iterator[SlopeTiles]:
    """Tiles of side slopes beside pads and roads.

    Parameters
    ----------
    heights : Ground
        Heights of natural ground [m].
    pads : sequence of PadPlane
        Pads with their design planes.
    roads : sequence of LineString
        Centrelines with design heights as Z [m].
    widths : sequence of float
        Carriageway width of each road [m].
    criteria : EarthworkCriteria
        Side slope and its longest reach.
    """
    strips = [shapely.buffer(shapely.force_2d(r), w / 2, cap_style="flat") for r, w in zip(roads, widths, strict=True)]
    works = shapely.union_all([*(p.polygon for p in pads), *strips])
    shapely.prepare(works)
    groups = [pad_slope_tiles(heights, p, criteria) for p in pads]
    xyz, starts, origins = road_lines(roads)
    for i, width in enumerate(widths):
        line = xyz[starts[i] : starts[i + 1]] + np.append(origins[i], 0.0)
        groups.append(road_slope_tiles(heights, line, width, criteria))
    for tiles in chain.from_iterable(groups):
        free = ~shapely.contains_xy(works, tiles.px[:, 4], tiles.py[:, 4])
        yield SlopeTiles(*(part[free] for part in tiles))


class _Raster:
    """Depths of tiles, averaged over the cells of a grid."""

    def __init__(self, ground: Ground, heights: Ground) -> None:
        self._ground, self.heights = ground, heights
        self._total, self._weight = np.zeros(ground.grid.shape), np.zeros(ground.grid.shape)

    def add(self, origin: FloatArray, px: FloatArray, py: FloatArray, design: FloatArray) -> None:
        """Add the depths of some tiles.

        Parameters
        ----------
        origin : ndarray, shape (2,)
            Place that the tiles are relative to [m].
        px, py : ndarray, shape (n, 5)
            Corners and centre of each tile [m].
        design : ndarray, shape (n,)
            Design height at each centre [m].
        """
        from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba, as above)

        frame = grid_frame(self._ground, (origin[0], origin[1]))
        depth = design - self.heights.at(px[:, 4] + origin[0], py[:, 4] + origin[1])
        _earthwork_kernels.add_to_cells(self._total, self._weight, frame, px, py, depth)

    def mean(self) -> FloatArray:
        """Mean depth over the graded part of each cell [m]."""
        with np.errstate(invalid="ignore"):
            return self._total / np.where(self._weight > 0, self._weight, np.nan)
