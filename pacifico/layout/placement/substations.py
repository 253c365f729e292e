"""Place substations where road, cable and earthwork cost least together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import POWER_FACTOR, substation_type
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.siting_cost import siting_cost, siting_prices

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.criteria.strategies import SitingWeights
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.placement.siting_cost import PlantPlace


def substation_count(spec: Spec, power_kw: float) -> int:
    """Number of substations of a plant [kW]."""
    return max(math.ceil(power_kw / POWER_FACTOR / 1e3 / spec.number("substation", "max_mva")), 1)


def place_substations(
    context: PlacementContext, draft: Draft, power_kw: float, place: PlantPlace, weights: SitingWeights
) -> None:
    """Add the substations of a plant to a draft.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by the substations, and by a record of those that found no place.
    power_kw : float
        Power for which they are sized [kW].
    place : PlantPlace
        Where the plant lies.
    weights : SitingWeights
        Factors on the prices of road and earthwork.
    """
    mva = power_kw / POWER_FACTOR / 1e3
    count = substation_count(context.spec, power_kw)
    prices = siting_prices(context.spec, mva, weights)
    kind = substation_type(context.spec, mva / count)
    place_near(
        context.field,
        draft,
        kind,
        place.window[:2],
        count,
        cost=lambda rects: siting_cost(context.field, rects, place, prices),
    )
