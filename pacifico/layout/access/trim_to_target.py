"""Spare array units, and their removal once roads are built.

Spare units make up for what bends and turnarounds cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.layout.access.connect import REACH_MARGIN_M, ServedLayout
from pacifico.layout.access.shortening import remove_units
from pacifico.layout.criteria.asset_types import SolarUnit, solar_units
from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.placement.draft import unit_of, units_of

if TYPE_CHECKING:
    from shapely import LineString

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field, Sieve
    from pacifico.layout.model.assets import Item

SPARE_KW, SPARE_SHARE = 104.0, 0.004
"""Spare capacity, as a number [kW] and as a share of the target: about what turning room takes on real sites."""
MIN_TARGET_KW = 1250.0
"""Target from which on there is spare capacity: of a smaller one it is too large a share [kW]."""
SLACK_KW = 1e-6
"""Capacities that differ by less count as equal [kW]."""


def spare_kw(target_kw: float, unit: SolarUnit) -> float:
    """Capacity to draft beyond a target of solar capacity [kW]."""
    if target_kw < MIN_TARGET_KW:
        return 0.0
    return round((SPARE_KW + SPARE_SHARE * target_kw) / unit.ac_kw) * unit.ac_kw


def trim_to_target(field: Field, served: ServedLayout, over_kw: float, spec: Spec) -> ServedLayout:
    """Layout with arrays shortened by whole units until `over_kw` is removed.

    Arrays placed last are shortened first. An array keeps its fewest units, stays within reach of its road, and keeps to ground
    within its slope limit.

    Parameters
    ----------
    field : Field
        Ground of the site.
    served : ServedLayout
        Layout with its roads.
    over_kw : float
        AC capacity beyond the target [kW].
    spec : Spec
        Rules of arrays and their reach.
    """
    units = solar_units(spec)
    items, sieve = list(served.items), field.sieve(array_slopes(spec))
    lines = {r.road_id: r.line for r in served.network.roads}
    reach_m = spec.number("site", "array_reach_m") - REACH_MARGIN_M
    for k in range(len(items) - 1, -1, -1):
        unit = unit_of(items[k], units)
        while unit is not None and over_kw > SLACK_KW and units_of(items[k], unit) > unit.least_units:
            shorter = _shorter(sieve, items[k], unit, lines[served.network.served[k]], reach_m)
            if shorter is None:
                break
            items[k] = shorter
            over_kw -= unit.ac_kw
    return replace(served, items=tuple(items))


def _shorter(sieve: Sieve, array: Item, unit: SolarUnit, road: LineString, reach_m: float) -> Item | None:
    """Array with one unit less, or None where that is illegal.

    The unit is removed in the east if possible, else in the west.

    Parameters
    ----------
    sieve : Sieve
        Slope test of arrays.
    array : Item
        Solar array.
    unit : SolarUnit
        Unit that it is made of.
    road : LineString
        Road that serves it.
    reach_m : float
        Largest distance between them [m].
    """
    for west, east in ((0, 1), (1, 0)):
        shorter = remove_units(array, unit, west, east)
        if road.dwithin(box(*shorter.rect), reach_m) and sieve.passes(np.array([shorter.rect]))[0]:
            return shorter
    return None
