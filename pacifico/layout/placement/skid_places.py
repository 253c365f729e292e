"""Places for an inverter skid at the ends of arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M
from pacifico.layout.placement.strips import NORTH, WEST

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.asset_types import AssetType, SolarUnit
    from pacifico.layout.placement.strips import Slots

INNER_PENALTY_M = 1000.0
"""Penalty for a skid in an array that others separate from its lane [m]."""
LAST_UNIT_PENALTY_M = 200.0
"""Penalty for a skid that takes all of an array: a longer one can spare the units [m]."""
INWARD_PENALTY_M = 500.0
"""Penalty for a skid at the end of an array away from its cross aisle [m]."""
DEPTH_PENALTY_M = 100.0
"""Penalty for each step of a skid away from its aisle [m]."""
SKID_GAP_M = 1.8
"""Distance between a skid's pad and the rows beside it: with its apron, room to open its doors; engineering judgement [m]."""
SPOTS_ALONG = 5
"""Places for a skid at each end of an array, from the aisle inwards."""
ROUNDING = 1e-9
"""Share of a unit that is rounding."""


@dataclass(frozen=True)
class SkidInRow:
    """Skid in the place of an array's last units."""

    along_x_m: float
    along_y_m: float
    rotation_deg: float
    units: int
    """Units that it replaces."""


@dataclass(frozen=True)
class SkidSpots:
    """Places for a skid at the ends of arrays, one per row."""

    array: IntArray
    at_west: IntArray
    """1 at the western end of the array, 0 at the eastern end."""
    centres: FloatArray
    """Shape (n, 2) [m]."""
    penalty: FloatArray
    """Distance added to each [m]."""


def skid_in_row(skid: AssetType, unit: SolarUnit) -> SkidInRow:
    """Skid turned so that it replaces the fewest units."""
    options = []
    for along_x, along_y, rotation in ((skid.length_m, skid.width_m, 0.0), (skid.width_m, skid.length_m, 90.0)):
        units = math.ceil((along_x + 2 * PAD_APRON_M + SKID_GAP_M) / unit.pitch_x_m - ROUNDING)
        too_long = along_y + 2 * PAD_APRON_M > unit.height_m
        options.append((too_long, units, SkidInRow(along_x, along_y, rotation, units)))
    return min(options, key=lambda o: o[:2])[2]


def skid_share(skid: AssetType, unit: SolarUnit) -> float:
    """Share of arrays that their skids replace, about."""
    return skid_in_row(skid, unit).units * unit.ac_kw / skid.rating_kva


def skid_spots(slots: Slots, unit: SolarUnit, skid: SkidInRow) -> SkidSpots:
    """Places for a skid, with the least penalty beside the lane.

    Parameters
    ----------
    slots : Slots
        Slots of the arrays.
    unit : SolarUnit
        Unit of the arrays.
    skid : SkidInRow
        Skid, and the units that it replaces.
    """
    # where there is room to spare, the skid stands in the middle of the place that it takes
    free_m = skid.units * unit.pitch_x_m - SKID_GAP_M
    inset_x, inset_y = free_m / 2, PAD_APRON_M + skid.along_y_m / 2
    rows: list[tuple[float, ...]] = []
    for i, (west, south, east, north) in enumerate(slots.rects):
        if unit.height_m < 2 * inset_y or slots.units[i] < skid.units:
            continue
        all_of_it = slots.units[i] - skid.units < unit.least_units
        penalty = INNER_PENALTY_M * slots.depth[i] + (LAST_UNIT_PENALTY_M if all_of_it else 0.0)
        for k in range(SPOTS_ALONG):
            along = (north - south - 2 * inset_y) * k / (SPOTS_ALONG - 1) + inset_y
            y = north - along if slots.side[i] == NORTH else south + along
            for at_west in (True, False):
                x = west + inset_x if at_west else east - inset_x
                inward = 0.0 if at_west == (slots.side[i] == WEST) else INWARD_PENALTY_M
                more = inward if slots.side[i] >= WEST else DEPTH_PENALTY_M * k
                rows.append((i, at_west, x, y, penalty + more))
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return SkidSpots(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:4].copy(), table[:, 4])
