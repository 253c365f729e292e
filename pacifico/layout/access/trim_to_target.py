"""Units taken off again where more was put up than was asked for: spare ones stand by for what bends and turnarounds cost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from shapely import box

from pacifico.layout.access.connect import REACH_MARGIN_M, ServedLayout
from pacifico.layout.criteria.asset_types import SolarUnit, solar_unit
from pacifico.layout.placement.draft import of_units, unit_of, units_of

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item

SPARE, SPARE_OF = 1, 0.004
"""Units put up beyond a target, and as share of it: about what turning room takes on real sites."""
ENOUGH = 12
"""Units of a target from which on there are any: of fewer, one more is much."""


def spare_kw(target_kw: float, unit: SolarUnit) -> float:
    """What is put up beyond a target of solar capacity [kW]."""
    if target_kw < ENOUGH * unit.ac_kw:
        return 0.0
    return (SPARE + round(SPARE_OF * target_kw / unit.ac_kw)) * unit.ac_kw


def trim_to_target(field: Field, served: ServedLayout, over_kw: float, spec: Spec) -> ServedLayout:
    """Arrays shorter by whole units, those placed last first, until `over_kw` less stands.

    An array keeps a unit, the road that serves it within its reach, and ground within its slope limit.
    """
    shapes = (solar_unit(spec), solar_unit(spec, pocket=True))
    items = list(served.items)
    lines = {r.road_id: r.line for r in served.network.roads}
    reach = spec.number("site", "array_reach_m") - REACH_MARGIN_M
    for k in range(len(items) - 1, -1, -1):
        unit = unit_of(items[k], shapes)
        while unit is not None and over_kw > 1e-6 and units_of(items[k], unit) > 1:
            road = lines[served.network.served[str(k)]]
            sieve = field.sieve(items[k].slope_limit_deg)
            less = next(
                (
                    i
                    for i in _shorter(items[k], unit)
                    if road.dwithin(box(*i.rect), reach) and sieve.passes(np.array([i.rect]))[0]
                ),
                None,
            )
            if less is None:
                break
            items[k] = less
            over_kw -= unit.ac_kw
    return replace(served, items=tuple(items))


def _shorter(item: Item, unit: SolarUnit) -> list[Item]:
    """Array with a unit less in the east, and in the west."""
    west, south, east, north = item.rect
    n, pitch = units_of(item, unit) - 1, unit.pitch_x_m
    return [
        of_units(item, rect, n, unit)
        for rect in ((west, south, east - pitch, north), (west + pitch, south, east, north))
    ]
