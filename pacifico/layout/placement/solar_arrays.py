"""Solar arrays: their strip patterns, and their choice up to a target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import SolarUnit, solar_unit, solar_units, strip_gap_m
from pacifico.layout.criteria.racking import array_slopes
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.placement._packing_kernels import exchange_spans
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.placement.strips import Slots, StripPattern
from pacifico.layout.placement.surroundings import SURROUNDINGS_M

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.rows.mixed_strips import MixedPacking
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.strip_packing import StripPacking

BLOCK_REACH_M = 450.0
"""Largest distance between an array and the one before in its power block: low-voltage cable gets too long [m]."""
SCHEMES = ("quads", "spines")
"""Schemes of strips and aisles that are compared."""
MIXED = "mixed_"
"""Prefix of schemes whose aisles stay, with full, half and third rows between them."""
WHOLE_SITE_SCHEMES = (*SCHEMES, *(MIXED + s for s in SCHEMES))
"""Schemes that are compared where all of the site is built on."""
REACH_MARGIN_M = 3.0
"""Part of a road's reach that is not used: a road doesn't keep to the centre of its aisle everywhere [m]."""
SPINE_STRIPS = 12
"""Strips between aisles where cross aisles are the roads."""
MAX_EXCHANGED = 4000
"""Most slots among which arrays are exchanged: bounds the run time."""
MAX_CELLS = 400_000
"""Most cells on which covered area is counted."""
MIN_CELL_M = 4.0
"""Smallest cell on which covered area is counted [m]."""
COUNTS = 6
"""Counts of a full unit, so that half and third rows have whole numbers too."""
CLEAR_OF_BLOCKS_M = 15.0
"""Distance of arrays from other blocks, so that a road passes and turns [m]."""


@dataclass(frozen=True)
class SolarGround:
    """All places where arrays of one unit can stand."""

    packing: StripPacking | MixedPacking
    unit: SolarUnit
    slope_limit_deg: float
    units: tuple[SolarUnit, ...]
    """Units that arrays may be made of; `unit` is the first."""

    def unit_of(self, rect: FloatArray) -> SolarUnit:
        """Unit of the array in a slot, by its height."""
        return min(self.units, key=lambda u: abs(u.height_m - float(rect[3] - rect[1])))

    def slots(self, blocked: FloatArray) -> Slots:
        """Slots of the largest arrays that keep clear of blocked rectangles."""
        return self.packing.slots(blocked)

    def kw(self, slots: Slots) -> float:
        """AC capacity of arrays in slots [kW]."""
        return float(self.slot_kw(slots).sum())

    def slot_kw(self, slots: Slots) -> FloatArray:
        """AC capacity of the array in each slot [kW]."""
        if len(self.units) == 1:
            return np.asarray(slots.units * self.unit.ac_kw, dtype=np.float64)
        heights = slots.rects[:, 3] - slots.rects[:, 1]
        which = np.argmin(np.abs(heights[:, None] - [u.height_m for u in self.units]), axis=1)
        kw: FloatArray = slots.units * np.array([u.ac_kw for u in self.units])[which]
        return kw


def solar_grounds(context: PlacementContext, scheme: str = "quads") -> tuple[SolarGround, SolarGround]:
    """Ground for full units, or for units of all row lengths, and for units in pockets."""
    pocket, mixed = solar_unit(context.spec, pocket=True), scheme.startswith(MIXED)
    first = _mixed_ground(context, scheme.removeprefix(MIXED)) if mixed else solar_ground(context, scheme)
    return first, _ground(context, pocket, "pairs")


def solar_ground(context: PlacementContext, scheme: str) -> SolarGround:
    """Ground for full units in a scheme."""
    return _ground(context, solar_unit(context.spec), scheme)


def _ground(context: PlacementContext, unit: SolarUnit, scheme: str) -> SolarGround:
    """Ground for arrays of one unit in a scheme."""
    slopes = array_slopes(context.spec)
    packing = context.packing(strip_pattern(context.spec, unit, scheme), slopes, margin_m=0.0)
    return SolarGround(packing, unit, slopes.any_deg, (unit,))


def _mixed_ground(context: PlacementContext, scheme: str) -> SolarGround:
    """Ground for arrays of all row lengths between the aisles of a scheme."""
    spec, units = context.spec, solar_units(context.spec)
    slopes = array_slopes(spec)
    reach_m = spec.number("site", "array_reach_m") - REACH_MARGIN_M
    full = strip_pattern(spec, units[0], scheme)
    patterns = [
        replace(
            full,
            pitch_x=u.pitch_x_m,
            gap_x=u.gap_x_m,
            height=u.height_m,
            most_units=u.most_units,
            least_units=u.least_units,
            cross_every=full.cross_every * full.pitch_x / u.pitch_x_m,
            reach=reach_m,
        )
        for u in units
    ]
    packing = context.mixed_packing(full, patterns, [u.ac_kw for u in units], slopes)
    return SolarGround(packing, units[0], slopes.any_deg, units)


def strip_pattern(spec: Spec, unit: SolarUnit, scheme: str) -> StripPattern:
    """Strip pattern of a scheme.

    A road reaches an array whose nearest point is within its reach.

    Parameters
    ----------
    spec : Spec
        Gaps, aisles and the reach of roads.
    unit : SolarUnit
        Unit of the arrays.
    scheme : str
        'pairs': an aisle beside every strip. 'quads': as many strips between aisles as roads in the aisles reach.
        'spines': the cross aisles are the roads, close enough to reach every array between them, and aisles are few.
    """
    gap, aisle = strip_gap_m(spec), spec.number("solar", "aisle_m")
    reach = spec.number("site", "array_reach_m") - REACH_MARGIN_M
    every = max(int(spec.number("solar", "cross_aisle_every_m") // unit.pitch_x_m), 1)
    strips, cross_reach = 2, 0.0
    if scheme == "quads":
        strips = 2 * (1 + max(int((reach - aisle / 2) // (unit.height_m + gap)), 0))
    if scheme == "spines":
        first = max(min(int((reach - aisle / 2) // unit.pitch_x_m), unit.most_units), 0)
        every = max(min(every, 2 * (first + unit.most_units)), 1)
        strips, cross_reach = SPINE_STRIPS, reach
    return StripPattern(
        unit.pitch_x_m,
        unit.gap_x_m,
        unit.height_m,
        gap,
        aisle,
        every,
        unit.most_units,
        unit.least_units,
        strips=strips,
        reach=cross_reach,
    )


def choose_arrays(
    context: PlacementContext, ground: SolarGround, draft: Draft, seed_area: SeedArea, target_kw: float | None
) -> Slots:
    """Slots of the best arrays up to a target, in whole units.

    Parameters
    ----------
    context : PlacementContext
        Slope of the ground.
    ground : SolarGround
        Places where arrays can stand.
    draft : Draft
        Items to keep clear of.
    seed_area : SeedArea
        Where to build first, and how to choose.
    target_kw : float, optional
        AC capacity, with what inverter skids will take away [kW]; None for all that fit.
    """
    slots = ground.slots(draft.blocked(CLEAR_OF_BLOCKS_M))
    if target_kw is None or not len(slots.units):
        return slots
    slots_kw = ground.slot_kw(slots)
    if POLICIES[seed_area.filled_as].compact:
        counts = np.round(slots_kw / ground.unit.ac_kw * COUNTS).astype(np.int64)
        needed = target_kw / ground.unit.ac_kw * COUNTS
        order = seed_area.order(slots.rects)
        return slots.take(choose_compact(replace(slots, units=counts), order, needed, draft))
    price = seed_area.metres_per_degree
    order = seed_area.order(slots.rects, price * mean_slope(context.field, slots.rects) if price else None)
    # in units, so that a whole number of them meets a target exactly
    units = np.cumsum(slots_kw[order] / ground.unit.ac_kw)
    return slots.take(order[: int(np.searchsorted(units, target_kw / ground.unit.ac_kw)) + 1])


def choose_compact(slots: Slots, order: IntArray, needed: float, draft: Draft) -> IntArray:
    """Indices of slots that hold the units needed and cover little ground.

    Slots are taken in order, then exchanged as long as the union of the surroundings of all items shrinks. It is counted
    on cells of a few metres.

    Parameters
    ----------
    slots : Slots
        Places where arrays can stand.
    order : (n,) int
        Order of the slots.
    needed : float
        Units needed.
    draft : Draft
        Items whose surroundings are covered anyway.
    """
    enough = int(np.searchsorted(np.cumsum(slots.units[order]), needed)) + 1
    chosen = np.zeros(len(slots.units), dtype=bool)
    chosen[order[:enough]] = True
    if enough >= len(slots.units) or len(slots.units) > MAX_EXCHANGED:
        return order[:enough]
    covered = expand_rects(np.concatenate([slots.rects, rects_of(draft.items)]), SURROUNDINGS_M)
    low, high = covered[:, :2].min(axis=0), covered[:, 2:].max(axis=0)
    cell = max(MIN_CELL_M, float(np.sqrt(np.prod(high - low) / MAX_CELLS)))
    spans = np.round((covered - np.tile(low, 2)) / cell).astype(np.int64)
    times = np.zeros(np.ceil((high - low) / cell).astype(np.int64) + 1, dtype=np.int32)
    for west, south, east, north in spans[len(slots.units) :]:
        times[west:east, south:north] += 1
    chosen = exchange_spans(spans[: len(slots.units)], slots.units, chosen, times, needed)
    return order[chosen[order]]
