r"""Rows in space and the neighbours that can shade them.

::

      across ->     row 1      row 2      row 3      heights: of the tube, at even places from start to end
      |              |          |          |         neighbours: rows of the two nearest lines on either side,
      v along        |          |          |         within reach across and beyond the ends
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.grid import Ground
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.racking.piles import tube_heights
from pacifico.layout.racking.rows import array_rows, rows_by_azimuth

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.racking import RackingDesign
    from pacifico.layout.racking.rows import Rows

NODES = 5
"""Places along a row at which its height is kept: straight tubes need two, bending ones follow the ground over 16 m."""
REACH_PITCHES = 3.2
"""Distance across within which rows shade each other, in pitches: past two rows and an aisle."""
REACH_ALONG_M = 30.0
"""Distance beyond the ends of a row of neighbours that shade it [m]."""
LINES = 2
"""Lines of rows on either side that count: on a crest the second line can overtop the first."""
SAME_LINE_M = 0.5
"""Difference of distances across within which rows are one line [m]."""


@dataclass(frozen=True, eq=False)
class RowField:
    """Rows of one azimuth with their heights and neighbours."""

    azimuth_deg: float
    """Direction of the rows, clockwise from grid north [°]."""
    array_id: tuple[str, ...]
    """Array of each row."""
    start: FloatArray
    """Start of each row along [m]."""
    end: FloatArray
    across: FloatArray
    """Place of each row across [m]."""
    heights: FloatArray
    """Height of each row at even places from start to end, shape (n, nodes) [m]."""
    collector_m: float
    """Width of a row [m]."""
    pitch_m: float
    """Distance between neighbouring rows of an array [m]."""
    first: IntArray
    """First neighbour of each row on either side, shape (2 n + 1,): row 0 lower, row 0 higher across, row 1 lower, ..."""
    neighbour: IntArray
    """Row of each neighbour, nearest first."""
    line: IntArray
    """Line of each neighbour, from 0."""
    offset_m: float = 0.0
    """Modules above the axis about which rows turn [m]."""

    @property
    def gcr(self) -> float:
        """Ground coverage ratio of the arrays [-]."""
        return self.collector_m / self.pitch_m

    @property
    def slope(self) -> FloatArray:
        """Slope of each row from start to end [rise/run]."""
        slope: FloatArray = (self.heights[:, -1] - self.heights[:, 0]) / (self.end - self.start)
        return slope


def row_fields(
    assets: Iterable[Asset], spec: Spec, dem: xr.DataArray, *, design: RackingDesign | None = None
) -> tuple[RowField, ...]:
    """Rows of solar arrays in space, one field for each azimuth.

    Parameters
    ----------
    assets : iterable of Asset
        Assets of a plan.
    spec : Spec
        Rules of the plan: mounting, rows and racking.
    dem : DataArray
        DEM that the plan was made on.
    design : RackingDesign, optional
        Designed racking; without it tubes rest on piles over natural ground.

    Raises
    ------
    InputError
        The DEM has no ground under a row.

    Examples
    --------
    >>> fields = row_fields(plan.asset_list, plan.spec, dem)                    # doctest: +SKIP
    """
    criteria = racking_criteria(spec)
    fields, before = [], 0
    for rows in rows_by_azimuth(array_rows(assets, spec), criteria):
        count = len(rows.pile_along)
        if design is not None:
            tube = design.piles.top_m[before : before + count]
        else:
            tube = tube_heights(rows, _ground_at(rows, dem), criteria)
        before += count
        fields.append(row_field(rows, tube))
    return tuple(fields)


def row_field(rows: Rows, tube: FloatArray) -> RowField:
    """Rows of one azimuth with the height of the tube at each pile [m]."""
    first, neighbour, line = _neighbours(rows)
    one = rows.arrays[0]
    names = tuple(rows.arrays[i].array_id for i in rows.array_of.tolist())
    return RowField(
        rows.frame.azimuth_deg,
        names,
        rows.start,
        rows.end,
        rows.across,
        _node_heights(rows, tube),
        one.collector_m,
        one.pitch_m,
        first,
        neighbour,
        line,
    )


def _ground_at(rows: Rows, dem: xr.DataArray) -> FloatArray:
    """Ground at each pile [m]; refused where there is none."""
    ground: FloatArray = Ground.finest_of(dem).at(*rows.pile_xy)
    if np.isnan(ground).any():
        raise InputError("the DEM has no ground under a row; give the DEM that the plan was made on")
    return ground


def _node_heights(rows: Rows, tube: FloatArray) -> FloatArray:
    """Height of each row at even places from start to end, straight on from its outer piles [m]."""
    first, last = rows.first_pile[:-1], rows.first_pile[1:] - 1
    # piles are evenly spaced
    spacing = (rows.pile_along[last] - rows.pile_along[first]) / (last - first)
    places = rows.start[:, None] + (rows.end - rows.start)[:, None] * np.linspace(0.0, 1.0, NODES)
    at = (places - rows.pile_along[first, None]) / spacing[:, None]
    k = np.clip(np.floor(at), 0, (last - first - 1)[:, None]).astype(np.int64)
    low = tube[first[:, None] + k]
    heights: FloatArray = low + (at - k) * (tube[first[:, None] + k + 1] - low)
    return heights


def _neighbours(rows: Rows) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of the nearest lines on either side of each row, see `RowField.first`."""
    reach = REACH_PITCHES * rows.arrays[0].pitch_m
    tree = shapely.STRtree(shapely.box(rows.start, rows.across, rows.end, rows.across))
    near = shapely.box(rows.start - REACH_ALONG_M, rows.across - reach, rows.end + REACH_ALONG_M, rows.across + reach)
    a, b = tree.query(near)
    offset = rows.across[b] - rows.across[a]
    beside = np.abs(offset) > SAME_LINE_M
    a, b, offset = a[beside], b[beside], offset[beside]
    side = 2 * a + (offset > 0)
    order = np.lexsort((b, np.abs(offset), side))
    side, b, far = side[order], b[order], np.abs(offset[order])
    new_side = np.concatenate([[True], side[1:] != side[:-1]]) if len(side) else np.zeros(0, bool)
    new_line = new_side | np.concatenate([[True], np.diff(far) > SAME_LINE_M])[: len(side)]
    number = np.cumsum(new_line) - 1
    line = number - np.maximum.accumulate(np.where(new_side, number, 0)) if len(side) else number
    kept = line < LINES
    side, b, line = side[kept], b[kept], line[kept]
    first = np.searchsorted(side, np.arange(2 * len(rows.start) + 1))
    return first.astype(np.int64), b.astype(np.int64), line.astype(np.int64)
