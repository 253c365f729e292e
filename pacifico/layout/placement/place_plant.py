"""Place a whole plant: one family of assets after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.racking import array_slopes, racking_name
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.batteries import place_batteries
from pacifico.layout.placement.draft import Draft, below_one_unit, capacity_of, has_plant
from pacifico.layout.placement.equipment import place_near, slope_and_distance
from pacifico.layout.placement.gas_plant import place_gas_plant
from pacifico.layout.placement.level_ground import flattest_place
from pacifico.layout.placement.power_blocks import add_power_blocks
from pacifico.layout.placement.siting_cost import PlantPlace
from pacifico.layout.placement.skid_places import skid_share
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M, SolarGround, choose_arrays, solar_grounds
from pacifico.layout.placement.substations import (
    beyond_substation,
    place_substations,
    smaller_plants_kw,
    substation_count,
)
from pacifico.layout.placement.turbines import place_turbines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.strips import Slots
    from pacifico.vocabulary import Strategy

    Approaches = Callable[[Sequence[Item]], FloatArray]
    """Rectangles to keep free along roads to turbines."""

MAX_STORAGE_KW = 1e6
"""Storage for which level ground is sought where it has no limit [kW]."""
MAX_SIZINGS = 3
"""Most times that substations are sized again by what the draft before held."""
HEADROOM = 1.08
"""Rating of substations over the capacity known to fit: pockets and fewer substations make room for more."""
MAX_OVERSIZE = 1.25
"""Rating of substations over the capacity placed, above which they are sized again."""
MAX_SOLAR_TRIES = 4
"""Most times that more arrays are chosen where skids replaced more than that."""
ROUNDING_KW = 1e-6
"""Shortfall of a whole unit that is rounding [kW]."""


@dataclass(frozen=True)
class PlantRequest:
    """What a plant must hold, and how it is placed."""

    capacities: Capacities
    strategy: Strategy
    entry: tuple[float, float] | None = None
    """Requested site entry in the working CRS [m]."""
    approaches: Approaches | None = None
    """Ground to keep free for roads to turbines once these are placed; None to keep none."""


def draft_layout(
    context: PlacementContext, request: PlantRequest, seed_area: SeedArea | None, excluded: FloatArray = NO_RECTS
) -> Draft:
    """Draft of a plant; what finds no place is recorded in it.

    Substations are sized by what is placed, not by what is requested: oversized ones would take ground from the plant.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    request : PlantRequest
        Capacities and strategy.
    seed_area : SeedArea, optional
        Where to build first; None for the most level ground, without arrays.
    excluded : (n, 4) float
        Rectangles to keep free [m].
    """
    spec = context.spec
    draft, sized_kw = _draft(context, request, seed_area, excluded, None)
    for _ in range(MAX_SIZINGS):
        placed_kw = max(sum(i.capacity_kw for i in draft.items), sum(i.storage_kw for i in draft.items))
        fewer = substation_count(spec, HEADROOM * placed_kw) < substation_count(spec, sized_kw)
        enough = placed_kw - request.capacities.spare_kw <= sized_kw * (1 + 1e-9) or not _has_substation(draft)
        if not placed_kw or (enough and not fewer and sized_kw <= MAX_OVERSIZE * placed_kw):
            break
        draft, sized_kw = _draft(context, request, seed_area, excluded, HEADROOM * placed_kw)
    if has_plant(draft.items) and not _has_substation(draft):
        return _smaller_plant(context, request, seed_area, excluded, sized_kw) or draft
    return draft


def _has_substation(draft: Draft) -> bool:
    return any(i.kind == "substation" for i in draft.items)


def _smaller_plant(
    context: PlacementContext,
    request: PlantRequest,
    seed_area: SeedArea | None,
    excluded: FloatArray,
    sized_kw: float,
) -> Draft | None:
    """Largest smaller plant whose substation finds a place.

    Parameters
    ----------
    context, request, seed_area, excluded
        As for `draft_layout`.
    sized_kw : float
        Power of the plant whose substation finds no place [kW].
    """
    for most_kw in smaller_plants_kw(sized_kw):
        smaller = replace(request, capacities=request.capacities.reduced(most_kw / sized_kw, most_kw))
        draft, _ = _draft(context, smaller, seed_area, excluded, most_kw)
        if _has_substation(draft):
            draft.unplaced.append(beyond_substation(context.spec, request.capacities, sized_kw, most_kw))
            return draft
    return None


@dataclass(frozen=True)
class _Estimate:
    """What a plant will hold about, before anything is placed."""

    grounds: tuple[SolarGround, ...]
    """Ground for arrays; empty for a plant without."""
    slots: Slots | None
    """Slots of full units on free ground."""
    storage_kw: float
    """Infinite for as much as the ground carries [kW]."""
    substation_kw: float
    """Power for which substations are sized [kW]."""
    anchor: tuple[float, float]
    """Easting and northing that blocks stay near [m]."""

    @property
    def solar_kw(self) -> float:
        """AC capacity of all full units that fit [kW]."""
        return self.grounds[0].kw(self.slots) if self.slots is not None else 0.0


def _draft(
    context: PlacementContext,
    request: PlantRequest,
    seed_area: SeedArea | None,
    excluded: FloatArray,
    substation_kw: float | None,
) -> tuple[Draft, float]:
    """Draft of a plant, and the rating of its substations [kW].

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    request : PlantRequest
        Capacities and strategy.
    seed_area : SeedArea, optional
        Where to build first.
    excluded : (n, 4) float
        Rectangles to keep free [m].
    substation_kw : float, optional
        Power for which substations are sized [kW]; None for the request.
    """
    capacities, policy = request.capacities, POLICIES[request.strategy]
    draft = Draft(excluded=excluded)
    estimate = _estimate(context, capacities, seed_area, excluded)
    anchor = estimate.anchor
    sized_kw = substation_kw or estimate.substation_kw
    access = request.entry or context.edge_distance
    if seed_area:
        place, siting = PlantPlace(seed_area.rect, seed_area.lanes, access), seed_area.siting
    else:
        place, siting = PlantPlace((*anchor, *anchor), NO_RECTS, access), policy.siting
    place_substations(context, draft, sized_kw, place, siting)
    if capacities.control_center:
        place_near(context.field, draft, asset_type(context.spec, "control_center"), anchor)
    slope_m = seed_area.metres_per_degree if seed_area and seed_area.yard else policy.yard_slope_m
    cost = slope_and_distance(context.field, anchor, slope_m)
    place_gas_plant(context, draft, capacities.gas_kw, anchor, cost)
    if capacities.wind_kw != 0:
        _place_wind(context, request, draft, anchor, slope_m)
    place_batteries(context, draft, _storage_kw(context, capacities, estimate, draft), cost)
    if seed_area and estimate.grounds:
        _place_solar(context, capacities, draft, estimate.grounds, seed_area)
    return draft, sized_kw


def _estimate(
    context: PlacementContext, capacities: Capacities, seed_area: SeedArea | None, excluded: FloatArray
) -> _Estimate:
    """Estimate of a plant's size and place.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    capacities : Capacities
        Capacities requested.
    seed_area : SeedArea, optional
        Where to build first.
    excluded : (n, 4) float
        Rectangles to keep free [m].
    """
    spec = context.spec
    with_arrays = seed_area is not None and not seed_area.yard
    grounds: tuple[SolarGround, ...] = solar_grounds(context, seed_area.scheme) if seed_area and with_arrays else ()
    slots = grounds[0].slots(excluded) if grounds else None
    fits_kw = grounds[0].kw(slots) if slots is not None else 0.0
    requested_kw = capacities.solar_kw
    solar_kw = requested_kw if requested_kw is not None else fits_kw
    storage_kw = capacities.storage_kw
    if storage_kw is None:
        share = spec.number("hybrid" if capacities.wind_kw == 0 else "wind_hybrid", "storage_share")
        storage_kw = share * solar_kw if grounds else math.inf
    power_kw = solar_kw + capacities.gas_kw + (capacities.wind_kw or 0.0)
    if seed_area and slots is not None and len(slots.units):
        most_kw = HEADROOM * fits_kw
        solar_kw = most_kw if requested_kw is None else min(requested_kw, most_kw)
        power_kw = solar_kw + capacities.gas_kw + (capacities.wind_kw or 0.0)
        anchor = seed_area.centre
    elif seed_area and seed_area.yard:
        anchor = seed_area.centre
    else:
        anchor = flattest_place(context.field, spec, power_kw + min(storage_kw, MAX_STORAGE_KW))
    if power_kw == 0 and not math.isfinite(storage_kw):
        power_kw = 1e3 * spec.number("substation", "max_mva")
    substation_kw = max(power_kw, storage_kw if math.isfinite(storage_kw) else 0.0)
    return _Estimate(grounds, slots, storage_kw, substation_kw, anchor)


def _place_wind(
    context: PlacementContext, request: PlantRequest, draft: Draft, anchor: tuple[float, float], slope_m: float
) -> None:
    """Add turbines to a draft, and keep their approaches free.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    request : PlantRequest
        Wind capacity and approaches.
    draft : Draft
        Grows by turbines and excluded rectangles.
    anchor : (float, float)
        Easting and northing that turbines stay near [m].
    slope_m : float
        Distance that equals a degree of slope [m/°].
    """
    wind_kw = request.capacities.wind_kw
    turbine_kw = context.spec.number("wind_turbine", "capacity_kw")
    count = None if wind_kw is None else int((wind_kw + ROUNDING_KW) // turbine_kw)
    if count == 0 and wind_kw:
        draft.unplaced.append(below_one_unit("wind_turbine", wind_kw, turbine_kw))
    place_turbines(context.field, draft, context.spec, anchor, count, metres_per_degree=slope_m)
    if request.approaches is not None:
        draft.excluded = np.concatenate([draft.excluded, request.approaches(draft.items)])


def _storage_kw(context: PlacementContext, capacities: Capacities, estimate: _Estimate, draft: Draft) -> float:
    """Storage power to place: a share of what the ground carries [kW].

    Parameters
    ----------
    context : PlacementContext
        Capacity of turbines.
    capacities : Capacities
        Capacities requested.
    estimate : _Estimate
        Arrays that fit.
    draft : Draft
        Generation placed so far.
    """
    if not (estimate.grounds and capacities.solar_kw and capacities.storage_kw):
        return estimate.storage_kw
    turbine_kw = context.spec.number("wind_turbine", "capacity_kw")
    able_kw = min(capacities.solar_kw, estimate.solar_kw) + capacity_of(draft.items, "hybrid")
    requested_kw = capacities.solar_kw + (capacities.wind_kw or 0.0) // turbine_kw * turbine_kw
    return capacities.storage_kw * min(able_kw / requested_kw, 1.0)


def _place_solar(
    context: PlacementContext,
    capacities: Capacities,
    draft: Draft,
    grounds: tuple[SolarGround, ...],
    seed_area: SeedArea,
) -> None:
    """Add arrays and skids to a draft.

    Full units come first, then units for the pockets that they leave.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    capacities : Capacities
        Solar capacity, with spare units.
    draft : Draft
        Grows by arrays and skids, and by a record of those that found no place.
    grounds : sequence of SolarGround
        Ground for each kind of unit.
    seed_area : SeedArea
        Where to build first.
    """
    left_kw = None if capacities.solar_kw is None else capacities.solar_kw + capacities.spare_kw
    for ground in grounds:
        placed_kw = _place_arrays(context, draft, ground, left_kw, seed_area)
        left_kw = None if left_kw is None else left_kw - placed_kw
        if left_kw is not None and left_kw < ground.unit.ac_kw:
            # others make up for arrays that found no skid
            draft.unplaced = [u for u in draft.unplaced if u.kind != "solar_array"]
            break
    if not any(i.kind == "solar_array" for i in draft.items):
        draft.unplaced.append(_no_array(grounds[0], context.spec, capacities.solar_kw))


def _place_arrays(
    context: PlacementContext, draft: Draft, ground: SolarGround, target_kw: float | None, seed_area: SeedArea
) -> float:
    """Add arrays of one unit, and return their AC capacity [kW].

    Where skids replace more units than allowed for, more arrays are chosen from the start.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by arrays and skids, and by a record of those that found no place.
    ground : SolarGround
        Ground for the unit.
    target_kw : float, optional
        Most AC capacity to add [kW]; None for all that fit.
    seed_area : SeedArea
        Where to build first.
    """
    before = draft.copy()
    all_slots = len(ground.slots(draft.blocked(CLEAR_OF_BLOCKS_M)).units)
    share = skid_share(asset_type(context.spec, "inverter_skid"), ground.unit)
    chosen_kw = None if target_kw is None else target_kw * (1 + share)
    placed_kw = 0.0
    for _ in range(MAX_SOLAR_TRIES):
        trial = before.copy()
        slots = choose_arrays(context, ground, trial, seed_area, chosen_kw)
        add_power_blocks(context, ground, trial, slots, target_kw, seed_area=seed_area)
        placed_kw = trial.solar_kw() - before.solar_kw()
        draft.items, draft.unplaced = trial.items, trial.unplaced
        if target_kw is None or chosen_kw is None:
            break
        if placed_kw > target_kw - ground.unit.ac_kw or len(slots.units) == all_slots:
            break
        chosen_kw += target_kw - placed_kw + ground.unit.ac_kw
    return placed_kw


def _no_array(ground: SolarGround, spec: Spec, target_kw: float | None) -> Unplaced:
    """Record of a plant in which no array found a place."""
    unit, slopes = ground.unit, array_slopes(spec)
    least_kw = unit.least_units * unit.ac_kw
    if target_kw is not None and target_kw < least_kw:
        return below_one_unit("solar_array", target_kw, least_kw)
    limits = [f"{ground.slope_limit_deg:g} deg"]
    for limit, way in ((slopes.north, "north to south"), (slopes.east, "east to west")):
        # where the racking takes less than the limit of any direction
        if limit < math.tan(math.radians(ground.slope_limit_deg)):
            limits.append(f"{100 * limit:g} % {way} ({racking_name(spec)})")
    reason = (
        f"no free ground of {unit.least_units * unit.pitch_x_m - unit.gap_x_m:.0f} x {unit.height_m:.0f} m within "
        f"{' and '.join(limits)} with level ground for its inverter skid"
    )
    return Unplaced("solar_array", 1, reason)
