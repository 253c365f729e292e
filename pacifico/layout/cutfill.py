"""Cut and fill as a raster: how much lower or higher the design lies than the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.corridors import road_vertices
from pacifico.layout.earthwork import F64, cell_of, frame_of
from pacifico.layout.pads import pad_edges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely import LineString

    from pacifico.grid import Ground
    from pacifico.layout.earthwork import PadPlane


def cut_fill_raster(
    ground: Ground, pads: Sequence[PadPlane], roads: Sequence[LineString], widths: Sequence[float]
) -> NDArray[np.float64]:
    """Design minus ground [m] on the grid (ny, nx): mean over the graded part of each cell, NaN where there is none.

    Fill is positive, cut negative. Side slopes are not drawn. Where a pad and a road share a cell it is the mean of both.
    """
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    total, weight = np.zeros(ground.grid.shape), np.zeros(ground.grid.shape)
    frame, half_cell = frame_of(ground), 0.5 * cell_of(ground)
    if pads:
        edges, _, starts, origins = pad_edges(np.asarray([p.polygon for p in pads], dtype=object))
        for i, pad in enumerate(pads):
            px, py = kernels.tile_polygon(edges[starts[i] : starts[i + 1]], half_cell)
            design = pad.elevation_m + pad.grade_east * px[:, 4] + pad.grade_north * py[:, 4]
            _spread(ground, total, weight, frame, origins[i], px, py, design)
    xyz, starts, origins = road_vertices(roads)
    for i, width in enumerate(widths):
        line = xyz[starts[i] : starts[i + 1]]
        for k in range(len(line) - 1):
            px, py, pz, _ = kernels.tile_strip(line, k, 0.5 * width, min(half_cell, width / 2.0))
            _spread(ground, total, weight, frame, origins[i], px, py, pz[:, 4])
    with np.errstate(invalid="ignore"):
        return total / np.where(weight > 0, weight, np.nan)


def _spread(ground: Ground, total: F64, weight: F64, frame: F64, origin: F64, px: F64, py: F64, design: F64) -> None:
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    local = frame - np.array([origin[0], origin[1], 0.0, 0.0])
    depth = design - ground.at(px[:, 4] + origin[0], py[:, 4] + origin[1])
    kernels.spread(total, weight, local, px, py, depth)
