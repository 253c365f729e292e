"""Place substations where road, cable and earthwork cost least together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import POWER_FACTOR, SUBSTATION_ASPECT, substation_type
from pacifico.layout.placement.equipment import place_near, places
from pacifico.layout.placement.siting_cost import siting_cost, siting_prices

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.criteria.strategies import SitingWeights
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.placement.siting_cost import PlantPlace

SHAPES = ((SUBSTATION_ASPECT, False), (SUBSTATION_ASPECT, True), (2.0, False), (2.0, True), (3.0, True))
"""Length over width, and whether on a graded bench: the first shape that finds a place is built. Bays in one row make long,
narrow stations on strips of land; engineering judgement."""


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
    left = count = substation_count(context.spec, power_kw)
    prices = siting_prices(context.spec, mva, weights)
    unplaced = list(draft.unplaced)
    for n, (aspect, on_bench) in enumerate(SHAPES):
        kind = substation_type(context.spec, mva / count, aspect=aspect, on_bench=on_bench)
        draft.unplaced = list(unplaced)
        left -= place_near(
            context.field,
            draft,
            kind,
            place.window[:2],
            left,
            # what is left is hard to find: look closer
            within=places(context.field) if n else None,
            cost=lambda rects: siting_cost(context.field, rects, place, prices),
        )
        if not left:
            break
