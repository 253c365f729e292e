"""Place gas turbines with cooling systems, and generators for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.placement.draft import Draft, below_one_unit
from pacifico.layout.placement.equipment import place_near, place_yard

if TYPE_CHECKING:
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
    placed = place_near(context.field, draft, turbine, anchor, int(target_kw // turbine.capacity_kw))
    for block in [i for i in draft.items if i.kind == "gas_turbine"]:
        place_near(context.field, draft, asset_type(spec, "cooling_system"), block.centre)
    generator = asset_type(spec, "generator")
    rest_kw = target_kw - placed * turbine.capacity_kw
    if 0 < target_kw < generator.capacity_kw:
        draft.unplaced.append(below_one_unit("generator", target_kw, generator.capacity_kw))
    sets = place_yard(context, draft, generator, int(rest_kw // generator.capacity_kw), cost=cost)
    if rest_kw - sets * generator.capacity_kw < generator.capacity_kw:
        # generators make up for turbines that found no place
        draft.unplaced = [u for u in draft.unplaced if u.kind != "gas_turbine"]
