"""Grading problem: rows, ground and limits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter

from pacifico.errors import InputError
from pacifico.layout.racking.lattice import CELL_M, make_lattice, under_arrays

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.racking.lattice import GradingLattice, KeepOff
    from pacifico.layout.racking.rows import Rows


AROUND_M = 50.0
"""Side of the square over which ground is averaged for its main fall [m]: about half an array, wider than humps to grade."""


@dataclass(frozen=True)
class GradingProblem:
    """Rows, ground and limits of a grading problem."""

    rows: Rows
    lattice: GradingLattice
    criteria: RackingCriteria
    node_ground: FloatArray
    """Ground at each node [m]; NaN off the DEM."""
    pile_ground: FloatArray
    """Ground at each pile [m]."""
    under: BoolArray
    """Whether each node lies under an array."""
    nodes_of: IntArray
    """Nodes around each pile, shape (n, 4)."""
    weights: FloatArray
    """Weights of these nodes."""
    keep_off: KeepOff
    """Ground that must not be graded."""
    side_slope: float
    """Horizontal run of side slopes for one metre of height [-]; 0: walls."""
    stepped: BoolArray
    """Whether the height difference of neighbouring tubes is limited in each array.

    Only where it would be exceeded: it ties all rows of an array together.
    """

    def concerned(self, near: BoolArray) -> BoolArray:
        """Piles of rows with one of some piles, and in stepped arrays of all their rows."""
        rows = self.rows
        has: BoolArray = np.zeros(len(rows.start), dtype=bool)
        has[rows.row_of[near]] = True
        arrays = np.zeros(len(rows.arrays), dtype=bool)
        arrays[rows.array_of[has]] = True
        concerned: BoolArray = (has | (arrays & self.stepped)[rows.array_of])[rows.row_of]
        return concerned

    @cached_property
    def main_slopes(self) -> tuple[FloatArray, FloatArray]:
        """Rise of the ground around each node [rise/run].

        Along rows and across them; NaN off the DEM.
        """
        z = self.node_ground.reshape(self.lattice.lines, self.lattice.columns)
        size = 2 * round(AROUND_M / self.lattice.cell_m / 2) + 1
        known = uniform_filter(np.isfinite(z).astype(np.float64), size, mode="constant")
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = uniform_filter(np.nan_to_num(z), size, mode="constant") / known
        along, across = np.gradient(np.where(np.isfinite(z), mean, np.nan), self.lattice.cell_m)
        return along.ravel(), across.ravel()

    def pile_slopes(self) -> tuple[IntArray, IntArray, FloatArray]:
        """Pairs of neighbouring piles, and the greatest height difference of graded ground between them [m]."""
        rows, criteria = self.rows, self.criteria
        a, b, along = rows.neighbours()
        run_along = rows.pile_along[b] - rows.pile_along[a]
        run_across = rows.across[rows.row_of[b]] - rows.across[rows.row_of[a]]
        limit = np.where(along, criteria.max_slope_along * run_along, criteria.max_slope_across * run_across)
        return a, b, np.abs(limit)


def grading_problem(
    rows: Rows,
    ground: Ground,
    criteria: RackingCriteria,
    *,
    keep_off: KeepOff,
    side_slope: float,
    cell_m: float = CELL_M,
) -> GradingProblem:
    """Grading problem of rows on their ground.

    Parameters
    ----------
    rows : Rows
        Rows with their piles.
    ground : Ground
        Natural ground.
    criteria : RackingCriteria
        Limits of piles, tubes and graded ground.
    keep_off : KeepOff
        Ground that must not be graded.
    side_slope : float
        Horizontal run of side slopes for one metre of height [-]; 0: walls.
    cell_m : float
        Distance between nodes of the lattice [m].

    Raises
    ------
    InputError
        There is no ground under a pile.
    """
    pile_ground = ground.at(*rows.pile_xy)
    if np.isnan(pile_ground).any():
        row = int(rows.row_of[np.flatnonzero(np.isnan(pile_ground))[0]])
        name = rows.arrays[rows.array_of[row]].array_id
        raise InputError(
            f"there is no ground under row {rows.number[row]} of {name}; give the DEM that the plan was made on"
        )
    lattice = make_lattice(rows, cell_m)
    nodes_of, weights = lattice.weights(rows.pile_along, rows.across[rows.row_of])
    node_ground = ground.at(*lattice.map_places(np.arange(lattice.lines * lattice.columns)))
    return GradingProblem(
        rows,
        lattice,
        criteria,
        node_ground,
        pile_ground,
        under_arrays(lattice, rows),
        nodes_of,
        weights,
        keep_off,
        side_slope,
        np.zeros(len(rows.arrays), dtype=bool),
    )
