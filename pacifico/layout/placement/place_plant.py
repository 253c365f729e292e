"""Placement of a whole plant: equipment, turbines, batteries and solar arrays, in that order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import POWER_FACTOR, asset_type, substation_type
from pacifico.layout.criteria.strategies import METRES_PER_DEGREE, SITING
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, capacity_of
from pacifico.layout.placement.equipment import place_near, place_yard
from pacifico.layout.placement.level_ground import flattest_place
from pacifico.layout.placement.siting_cost import siting_cost, siting_prices
from pacifico.layout.placement.solar_arrays import (
    CLEAR_OF_BLOCKS_M,
    SolarGround,
    add_solar,
    choose_arrays,
    solar_grounds,
    solar_kw,
)
from pacifico.layout.placement.turbines import place_turbines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.asset_types import AssetKind
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.spec import Spec, Strategy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.seed_area import SeedArea

    Ways = Callable[[Sequence[Item]], FloatArray]

MOST_STORAGE_KW = 1e6
"""Storage assumed for the choice of a place where storage has no limit [kW]."""
SIZINGS = 3
"""Rounds of resizing the substations."""
ROOM, OVERSIZED = 1.08, 1.25
"""Margin of the substation rating over the capacity that fits, for pockets and further substations, and the oversize
from which it is resized."""


def draft_layout(
    field: Field,
    spec: Spec,
    asked: Capacities,
    strategy: Strategy,
    entry: tuple[float, float] | None,
    banned: np.ndarray,
    seed_area: SeedArea | None,
    ways: Ways | None = None,
) -> Draft:
    """Place all requested capacities; the draft names what could not be placed.

    The strips that `ways` returns for turbines stay free. Substations are sized for the placed capacity, not for the
    requested one.
    """
    draft, power = _drafted(field, spec, asked, strategy, entry, banned, seed_area, ways, None)
    for _ in range(SIZINGS):
        stands = max(sum(i.capacity_kw for i in draft.items), sum(i.storage_kw for i in draft.items))
        fewer = _stations(spec, ROOM * stands) < _stations(spec, power)
        none = not any(i.kind == "substation" for i in draft.items)
        held = stands - asked.spare_kw <= power * (1 + 1e-9) or none
        if not stands or (held and not fewer and power <= OVERSIZED * stands):
            break
        draft, power = _drafted(field, spec, asked, strategy, entry, banned, seed_area, ways, ROOM * stands)
    return draft


def _stations(spec: Spec, power_kw: float) -> int:
    """Number of substations of a plant."""
    return max(math.ceil(power_kw / POWER_FACTOR / 1e3 / spec.number("substation", "max_mva")), 1)


def _drafted(
    field: Field,
    spec: Spec,
    asked: Capacities,
    strategy: Strategy,
    entry: tuple[float, float] | None,
    banned: np.ndarray,
    seed_area: SeedArea | None,
    ways: Ways | None,
    plant_kw: float | None,
) -> tuple[Draft, float]:
    """Draft with substations sized for `plant_kw`, by default the requested capacity, and that size."""
    draft = Draft(banned=banned)
    price = seed_area.metres_per_degree if seed_area and seed_area.yard else METRES_PER_DEGREE[strategy]
    grounds = solar_grounds(field, spec, seed_area.scheme) if seed_area and not seed_area.yard else ()
    ground = grounds[0] if grounds else None
    first = ground.runs(draft.blocked(0.0)) if ground else None
    solar = asked.solar_kw
    if ground and first is not None and solar is None:
        solar = solar_kw(first, ground)
    storage = asked.storage_kw
    if storage is None:
        share = spec.number("hybrid" if asked.wind_kw == 0 else "wind_hybrid", "storage_share")
        storage = share * (solar or 0.0) if ground else math.inf
    power = (solar or 0.0) + asked.gas_kw + (asked.wind_kw or 0.0)
    if seed_area and ground and first is not None and len(first.units):
        most = ROOM * solar_kw(first, ground)
        power = (most if asked.solar_kw is None else min(asked.solar_kw, most)) + asked.gas_kw + (asked.wind_kw or 0.0)
        anchor = seed_area.middle
    elif seed_area and seed_area.yard:
        anchor = seed_area.middle
    else:
        anchor = flattest_place(field, spec, power + min(storage, MOST_STORAGE_KW))
    if power == 0 and not math.isfinite(storage):
        power = 1e3 * spec.number("substation", "max_mva")
    window = seed_area.rect if seed_area else (*anchor, *anchor)
    lanes = seed_area.lanes if seed_area else np.empty((0, 4))
    sized_kw = plant_kw or max(power, storage if math.isfinite(storage) else 0.0)
    _substations(
        field, draft, spec, sized_kw, window, lanes, entry, seed_area.siting if seed_area else SITING[strategy][0]
    )
    if asked.control:
        place_near(field, draft, asset_type(spec, "control_center"), anchor)
    _gas(field, draft, spec, asked.gas_kw, anchor, price)
    if asked.wind_kw != 0:
        each = spec.number("wind_turbine", "capacity_kw")
        count = None if asked.wind_kw is None else int((asked.wind_kw + 1e-6) // each)
        if count == 0 and asked.wind_kw:
            draft.unplaced.append(_too_little("wind_turbine", asked.wind_kw, each))
        place_turbines(field, draft, spec, anchor, count, metres_per_degree=price)
        if ways is not None:
            draft.banned = np.concatenate([draft.banned, ways(draft.items)])
    if ground and first is not None and asked.solar_kw and asked.storage_kw:
        # storage keeps its share of the generation that fits: more would take ground from it
        able = min(asked.solar_kw, solar_kw(first, ground)) + capacity_of(draft.items, "hybrid")
        each = spec.number("wind_turbine", "capacity_kw")
        storage = asked.storage_kw * min(able / (asked.solar_kw + (asked.wind_kw or 0.0) // each * each), 1.0)
    _batteries(field, draft, spec, storage, anchor, price)
    if seed_area and grounds:
        left = None if asked.solar_kw is None else asked.solar_kw + asked.spare_kw
        for ground in grounds:
            got = _solar(field, draft, spec, ground, left, seed_area)
            left = None if left is None else left - got
            if left is not None and left < ground.unit.ac_kw:
                # others replaced the arrays without a skid
                draft.unplaced = [u for u in draft.unplaced if u.kind != "solar_array"]
                break
        if not any(i.kind == "solar_array" for i in draft.items):
            draft.unplaced.append(_no_array(grounds[0], asked.solar_kw))
    return draft, sized_kw


def _no_array(ground: SolarGround, target_kw: float | None) -> Unplaced:
    if target_kw is not None and target_kw < ground.unit.ac_kw:
        return _too_little("solar_array", target_kw, ground.unit.ac_kw)
    wide = ground.unit.pitch_x_m - ground.unit.gap_x_m
    return Unplaced(
        "solar_array",
        1,
        f"no free ground of {wide:.0f} x {ground.unit.height_m:.0f} m within {ground.slope_limit_deg:g} deg "
        "with level ground for its inverter skid",
    )


def _too_little(kind: AssetKind, asked_kw: float, unit_kw: float) -> Unplaced:
    return Unplaced(
        kind, 1, f"the {asked_kw:,.0f} kW asked for are less than one unit of {unit_kw:,.0f} kW; ask for that or more"
    )


def _substations(
    field: Field,
    draft: Draft,
    spec: Spec,
    power_kw: float,
    window: tuple[float, float, float, float],
    lanes: np.ndarray,
    entry: tuple[float, float] | None,
    dear: tuple[float, float],
) -> None:
    """Place substations where road, cable and earthwork cost least, with the strategy's weights."""
    mva = power_kw / POWER_FACTOR / 1e3
    count = _stations(spec, power_kw)
    prices = siting_prices(spec, mva, road=dear[0], earth=dear[1])
    kind = substation_type(spec, mva / count)
    place_near(
        field,
        draft,
        kind,
        window[:2],
        count,
        cost=lambda rects: siting_cost(field, rects, window, lanes, entry, prices),
    )


def _gas(field: Field, draft: Draft, spec: Spec, target_kw: float, anchor: tuple[float, float], price: float) -> None:
    turbine = asset_type(spec, "gas_turbine")
    count = int(target_kw // turbine.capacity_kw)
    placed = place_near(field, draft, turbine, anchor, count)
    for block in [i for i in draft.items if i.kind == "gas_turbine"]:
        place_near(field, draft, asset_type(spec, "cooling_system"), block.centre)
    generator = asset_type(spec, "generator")
    rest = target_kw - placed * turbine.capacity_kw
    if 0 < target_kw < generator.capacity_kw:
        draft.unplaced.append(_too_little("generator", target_kw, generator.capacity_kw))
    sets = place_yard(
        field,
        draft,
        generator,
        spec.number("generator", "aisle_m"),
        anchor,
        int(rest // generator.capacity_kw),
        metres_per_degree=price,
    )
    if rest - sets * generator.capacity_kw < generator.capacity_kw:
        # generators replaced turbines that found no ground
        draft.unplaced = [u for u in draft.unplaced if u.kind != "gas_turbine"]


def _batteries(
    field: Field, draft: Draft, spec: Spec, storage_kw: float, anchor: tuple[float, float], price: float
) -> None:
    battery = asset_type(spec, "battery")
    unbounded = not math.isfinite(storage_kw)
    count = 1_000_000 if unbounded else int(storage_kw // battery.storage_kw)
    if count == 0 and storage_kw > 0:
        draft.unplaced.append(_too_little("battery", storage_kw, battery.storage_kw))
    before = len(draft.unplaced)
    place_yard(field, draft, battery, spec.number("battery", "aisle_m"), anchor, count, metres_per_degree=price)
    if unbounded:
        del draft.unplaced[before:]


def _solar(
    field: Field, draft: Draft, spec: Spec, ground: SolarGround, target_kw: float | None, seed_area: SeedArea
) -> float:
    """Add arrays up to the target; add more where skids took more ground than expected.

    Returns the capacity placed [kW].
    """
    before = draft.copy()
    everything = len(ground.runs(draft.blocked(CLEAR_OF_BLOCKS_M)).units)
    # one unit of a block gives way to its skid
    wanted = None if target_kw is None else target_kw * (1 + 1 / 38)
    got = 0.0
    for _ in range(4):
        candidate = before.copy()
        runs = choose_arrays(field, ground, candidate, seed_area, wanted)
        add_solar(field, spec, ground, candidate, runs, target_kw, seed_area=seed_area)
        got = candidate.solar_kw() - before.solar_kw()
        draft.items, draft.unplaced = candidate.items, candidate.unplaced
        if target_kw is None or wanted is None or got > target_kw - ground.unit.ac_kw or len(runs.units) == everything:
            break
        wanted += target_kw - got + ground.unit.ac_kw
    return got
