"""Place gas turbines with cooling systems, and generators for the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.placement.draft import Draft, below_one_unit, item_of, rects_of
from pacifico.layout.placement.equipment import METRES_PER_DEGREE, place_near, place_yard, slope_and_distance

if TYPE_CHECKING:
    from pacifico.layout.criteria.asset_types import AssetType
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.equipment import Cost


def place_gas_plant(
    context: PlacementContext, draft: Draft, target_kw: float, anchor: tuple[float, float], cost: Cost
) -> None:
    """Add gas turbines, cooling systems and generators to a draft.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by the blocks, and by a record of those that found no place.
    target_kw : float
        Capacity [kW].
    anchor : (float, float)
        Easting and northing that turbines stay near [m].
    cost : callable
        Cost of rectangles for generators.
    """
    spec = context.spec
    turbine = asset_type(spec, "gas_turbine")
    count = int(target_kw // turbine.capacity_kw)
    placed = _place_rows(context, draft, count, anchor)
    placed += _place_singly(context, draft, count - placed, anchor)
    generator = asset_type(spec, "generator")
    rest_kw = target_kw - placed * turbine.capacity_kw
    if 0 < target_kw < generator.capacity_kw:
        draft.unplaced.append(below_one_unit("generator", target_kw, generator.capacity_kw))
    sets = place_yard(context, draft, generator, int(rest_kw // generator.capacity_kw), cost=cost)
    if rest_kw - sets * generator.capacity_kw < generator.capacity_kw:
        # generators make up for turbines that found no place
        draft.unplaced = [u for u in draft.unplaced if u.kind != "gas_turbine"]


@dataclass(frozen=True)
class _TurbineBlock:
    """Turbine with its cooling system beyond its end, as one rectangle.

    ::

        +-----------+      +---+
        |  turbine  | gap  | c |
        +-----------+      +---+
    """

    turbine: AssetType
    cooler: AssetType
    upright: bool
    """Whether the cooling system lies north of the turbine, not east."""

    @classmethod
    def of(cls, spec: Spec, *, upright: bool) -> _TurbineBlock:
        """Block of a spec."""
        return cls(asset_type(spec, "gas_turbine"), asset_type(spec, "cooling_system"), upright)

    @property
    def gap_m(self) -> float:
        """Distance between both [m]."""
        return max(self.turbine.clearance_m, self.cooler.clearance_m)

    def as_type(self) -> AssetType:
        """Block as an asset type of a yard; neighbours share the clearance between them."""
        along = self.turbine.length_m + self.gap_m + self.cooler.width_m
        across = max(self.turbine.width_m, self.cooler.length_m)
        length, width = (across, along) if self.upright else (along, across)
        limit = min(self.turbine.slope_limit_deg, self.cooler.slope_limit_deg)
        return replace(self.turbine, length_m=length, width_m=width, slope_limit_deg=limit, clearance_m=self.gap_m / 2)

    def items(self, block: Item) -> list[Item]:
        """Turbine and cooling system of a block."""
        west, south, east, north = block.rect
        x, y = block.centre
        turbine, cooler = self.turbine, self.cooler
        half, other = turbine.width_m / 2, cooler.length_m / 2
        if self.upright:
            first = (x - half, south, x + half, south + turbine.length_m)
            second = (x - other, north - cooler.width_m, x + other, north)
        else:
            first = (west, y - half, west + turbine.length_m, y + half)
            second = (east - cooler.width_m, y - other, east, y + other)
        return [
            item_of(turbine, np.array(first), rotation_deg=90.0 if self.upright else 0.0),
            item_of(cooler, np.array(second), rotation_deg=0.0 if self.upright else 90.0),
        ]


def _place_rows(context: PlacementContext, draft: Draft, count: int, anchor: tuple[float, float]) -> int:
    """Add turbine blocks of one orientation in rows, and return their number.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by turbines and cooling systems.
    count : int
        Most turbines to place.
    anchor : (float, float)
        Easting and northing that turbines stay near [m].
    """
    if count <= 0:
        return 0
    cost = slope_and_distance(context.field, anchor, METRES_PER_DEGREE)
    buildings = rects_of([i for i in draft.items if i.kind == "control_center"])
    around = expand_rects(buildings, context.spec.number("gas_turbine", "building_m"))
    best: list[Item] = []
    for upright in (False, True):
        block = _TurbineBlock.of(context.spec, upright=upright)
        trial = replace(draft.copy(), excluded=np.concatenate([draft.excluded, around]))
        place_yard(context, trial, block.as_type(), count, cost=cost)
        placed = [i for b in trial.items[len(draft.items) :] for i in block.items(b)]
        if len(placed) > len(best):
            best = placed
    draft.items.extend(best)
    return len(best) // 2


def _place_singly(context: PlacementContext, draft: Draft, count: int, anchor: tuple[float, float]) -> int:
    """Add turbines one by one, each with its cooling system nearby, and return their number.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by turbines and cooling systems, and by a record of those that found no place.
    count : int
        Most turbines to place.
    anchor : (float, float)
        Easting and northing that turbines stay near [m].
    """
    before = len(draft.items)
    placed = place_near(context.field, draft, asset_type(context.spec, "gas_turbine"), anchor, count)
    for turbine in draft.items[before:]:
        place_near(context.field, draft, asset_type(context.spec, "cooling_system"), turbine.centre)
    return placed
