"""Place substations where road, cable and earthwork cost least together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import (
    MIN_SUBSTATION_MVA,
    POWER_FACTOR,
    SUBSTATION_ASPECT,
    asset_type,
    solar_unit,
    substation_type,
)
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.equipment import place_near, places
from pacifico.layout.placement.siting_cost import siting_cost, siting_prices

if TYPE_CHECKING:
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.criteria.strategies import SitingWeights
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.draft import Draft
    from pacifico.layout.placement.siting_cost import PlantPlace
    from pacifico.vocabulary import AssetKind

SHAPES = ((SUBSTATION_ASPECT, False), (SUBSTATION_ASPECT, True), (2.0, False), (2.0, True), (3.0, True))
"""Length over width, and whether on a graded bench: the first shape that finds a place is built. Bays in one row make long,
narrow stations on strips of land; engineering judgement."""

SMALLER_STEP = 1.25
"""Power of a plant over the next smaller one that is tried."""


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


def smaller_plants_kw(power_kw: float) -> list[float]:
    """Powers of smaller plants to try, largest first [kW].

    They are the same for every power, so that a larger request never ends with a smaller plant.
    """
    least_kw = 1e3 * MIN_SUBSTATION_MVA  # stations of less are no smaller
    steps = math.ceil(math.log(max(power_kw / least_kw, 1.0), SMALLER_STEP) - 1e-9)
    return [least_kw * SMALLER_STEP**k for k in range(steps - 1, -1, -1)]


def beyond_substation(spec: Spec, asked: Capacities, sized_kw: float, most_kw: float) -> Unplaced:
    """Record of what no substation could take.

    Parameters
    ----------
    spec : Spec
        Sizes of assets, and the slope limit.
    asked : Capacities
        Capacities requested.
    sized_kw, most_kw : float
        Power of the plant requested, and of the largest one whose substation finds a place [kW].
    """
    kind: AssetKind
    if asked.gas_kw:
        kind, unit_kw = "generator", asset_type(spec, "generator").capacity_kw
    elif asked.solar_kw == 0:
        kind, unit_kw = "battery", asset_type(spec, "battery").storage_kw
    else:
        unit = solar_unit(spec)
        kind, unit_kw = "solar_array", unit.ac_kw * unit.most_units
    limit = spec.number("substation", "bench_slope_limit_deg")
    reason = (
        f"no free ground within {limit:g} deg for a substation of {sized_kw / 1e3:,.1f} MW; the largest that finds a place takes "
        f"{most_kw / 1e3:,.1f} MW"
    )
    return Unplaced(kind, max(math.ceil((sized_kw - most_kw) / unit_kw - 1e-9), 1), reason)
