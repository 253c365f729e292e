"""Records of rows, piles and the ground graded under arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.vocabulary import Racking


@dataclass(frozen=True, eq=False)
class RowTable:
    """Rows of all arrays: tracker tubes or fixed tables."""

    array_id: tuple[str, ...]
    """Array of each row."""
    number: IntArray
    """Number of each row in its array, from 1."""
    ends: FloatArray
    """Easting, northing and height of the tube at both ends, shape (n, 2, 3) [m]."""
    first_pile: IntArray
    """First pile of each row, and the number of all piles."""
    largest_step_m: FloatArray
    """Largest height difference to the next row of the array [m]; 0 without one."""
    steepest_across: FloatArray
    """Steepest graded ground to the next row of the array [rise/run]; 0 without one."""
    steepest_along: FloatArray
    """Steepest graded ground from pile to pile of the row [rise/run]."""


@dataclass(frozen=True, eq=False)
class PileTable:
    """Piles of all rows, in their order."""

    row: IntArray
    """Row of each pile, as its place in the table of rows."""
    x: FloatArray
    y: FloatArray
    ground_m: FloatArray
    """Natural ground [m]."""
    graded_m: FloatArray
    """Graded ground [m]."""
    top_m: FloatArray
    """Top of the pile, where the tube rests [m]."""
    embedment_m: float
    outside: BoolArray
    """Whether the reveal is outside its window: ground there can't be graded."""

    @property
    def reveal_m(self) -> FloatArray:
        """Top above graded ground [m]."""
        reveal: FloatArray = self.top_m - self.graded_m
        return reveal

    @property
    def length_m(self) -> FloatArray:
        """Length of each pile [m]."""
        return self.reveal_m + self.embedment_m

    def ordered_m(self, step_m: float) -> FloatArray:
        """Length in which each pile is ordered: a multiple of a step [m]."""
        ordered: FloatArray = np.ceil(self.length_m / step_m - 1e-6) * step_m
        return ordered


@dataclass(frozen=True, eq=False)
class GradedCells:
    """Ground graded under arrays: square cells with a correction each."""

    azimuth_deg: float
    """Direction of a side, clockwise from north [°]."""
    cell_m: float
    """Side of a cell [m]."""
    x: FloatArray
    y: FloatArray
    correction_m: FloatArray
    """Fill (positive) or cut (negative) [m]."""

    @property
    def volumes_m3(self) -> FloatArray:
        """Fill (positive) or cut (negative) of each cell [m³]."""
        return self.correction_m * self.cell_m**2


@dataclass(frozen=True, eq=False)
class RackingDesign:
    """Rows, piles and graded ground of all solar arrays."""

    racking: Racking
    rows: RowTable
    piles: PileTable
    graded: tuple[GradedCells, ...]
    """One entry for each azimuth of rows."""
    bound_m3: float
    """Cut plus fill that no grading on these cells goes below [m³]."""
    steel_t: float
    """Mass of all piles [t]."""
    length_shares: Mapping[str, float]
    """Share of piles by the length in which they are ordered [m]."""
    arrays_over: tuple[str, ...]
    """Arrays with rows beyond the racking's slope along or across, or its height difference of neighbours."""
    warnings: tuple[str, ...]

    @property
    def volumes_m3(self) -> FloatArray:
        """Fill (positive) or cut (negative) of each graded cell [m³]."""
        return np.concatenate([np.zeros(0), *(g.volumes_m3 for g in self.graded)])

    @property
    def arrays_beyond(self) -> tuple[str, ...]:
        """Arrays that can't be graded: their piles leave the window, or their rows the racking's limits."""
        outside = self.piles.row[self.piles.outside]
        return tuple(dict.fromkeys((*self.arrays_over, *(self.rows.array_id[k] for k in np.unique(outside).tolist()))))

    @property
    def above_bound_pct(self) -> float:
        """How far cut plus fill is above the least possible, at most [%]."""
        total = float(np.abs(self.volumes_m3).sum())
        return 100.0 * max(total / self.bound_m3 - 1.0, 0.0) if self.bound_m3 > 0 else 0.0

    def metrics(self) -> dict[str, Any]:
        """Metrics of layout.geojson: volumes [m³], area [ha], piles."""
        volume = self.volumes_m3
        area = sum(float(g.cell_m**2 * np.count_nonzero(g.correction_m)) for g in self.graded)
        return {
            "array_cut_m3": round(float(-volume[volume < 0].sum()) + 0.0, 1),
            "array_fill_m3": round(float(volume[volume > 0].sum()), 1),
            "array_above_bound_pct": round(self.above_bound_pct, 3),
            "graded_area_ha": round(area / 1e4, 4),
            "row_count": len(self.rows.number),
            "pile_count": len(self.piles.row),
            "piles_outside_window": int(self.piles.outside.sum()),
            "arrays_over_racking_limits": len(self.arrays_over),
            "pile_length_shares": dict(self.length_shares),
            "steel_t": round(self.steel_t, 2),
        }


RACKING_WARNING = "racking: "
"""Start of a racking design's warnings; they go when the layout is edited."""
RACKING_METRICS = (
    "array_cut_m3",
    "array_fill_m3",
    "array_above_bound_pct",
    "graded_area_ha",
    "row_count",
    "pile_count",
    "piles_outside_window",
    "arrays_over_racking_limits",
    "pile_length_shares",
    "steel_t",
)
"""Metrics of a racking design; they go when the layout is edited."""
