"""Volume of grading under arrays when the DEM's error is added.

Solving the linear program for each draw of the error would take too long. Least excesses over the reveal window, row by row,
times the ground of a pile are within a few percent of its volume on sites of all kinds; their change stands for its change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.grid import Ground
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.racking.piles import excess_m, tube_heights
from pacifico.layout.racking.rows import array_rows, rows_by_azimuth
from pacifico.terrain.uncertainty import dem_error, error_field

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.racking import RackingCriteria
    from pacifico.layout.model.plan import Plan
    from pacifico.layout.racking.rows import Rows

SAMPLED_ROWS, SAMPLED_BENT_ROWS = 240, 60
"""Rows that stand for all: bounds the run time, which is longer for tubes that bend."""


def grading_spread(plan: Plan, dem: xr.DataArray, draws: int) -> FloatArray:
    """Cut plus fill under arrays by excesses, on the DEM and then under draws of its error [m³].

    Parameters
    ----------
    plan : Plan
        Layout with solar arrays.
    dem : DataArray
        DEM that the plan was made on.
    draws : int
        Number of draws.
    """
    ground, finest, error = Ground.of(dem), Ground.finest_of(dem), dem_error(dem)
    criteria = racking_criteria(plan.spec)
    groups = rows_by_azimuth(array_rows(plan.asset_list, plan.spec), criteria)
    level = [finest.at(*rows.pile_xy) for rows in groups]
    found = np.zeros(1 + draws)
    for k in range(1 + draws):
        shift = None
        if k:
            drawn = error_field(ground.grid, rmse_m=error.rmse_m, correlation_m=error.correlation_m, seed=k - 1)
            shift = Ground(ground.grid, drawn)
        for rows, natural in zip(groups, level, strict=True):
            heights = natural if shift is None else natural + shift.at(*rows.pile_xy)
            found[k] += excess_volume(rows, heights, criteria)
    return found


def excess_volume(rows: Rows, ground: FloatArray, criteria: RackingCriteria) -> float:
    """Least excesses of sampled rows times the ground of a pile, scaled to all rows [m³]."""
    every = -(-len(rows.start) // (SAMPLED_ROWS if criteria.straight else SAMPLED_BENT_ROWS))
    chosen = np.arange(every // 2, len(rows.start), every)
    tube = tube_heights(rows, ground, criteria, chosen=chosen)
    excess = np.abs(excess_m(ground, tube, criteria))
    pitch = np.array([a.pitch_m for a in rows.arrays])[rows.array_of]
    area = pitch * (rows.end - rows.start) / np.diff(rows.first_pile)
    return float(np.nansum(excess * area[rows.row_of])) * len(rows.start) / len(chosen)
