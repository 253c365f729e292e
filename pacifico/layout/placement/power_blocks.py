"""Power blocks: arrays that share an inverter skid."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetType, SolarUnit, asset_type, solar_units
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.assets import Item, Unplaced
from pacifico.layout.placement.draft import SAME_M, Draft, item_of, of_units, unit_of, units_of
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.skid_places import skid_in_row, skid_spots
from pacifico.layout.placement.skids import SkidCapacity, least_block_kw
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M
from pacifico.layout.placement.strips import WEST, Slots

if TYPE_CHECKING:
    from pacifico.array_types import IntArray
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.solar_arrays import SolarGround

SKID_SEARCH_M = 160.0
"""Largest distance of a skid on free ground from its arrays' middle, along either axis [m]."""
SKID_STEP_M = 8.0
"""Distance between places that are compared for such a skid [m]."""
SKID_CLEARANCE_M = 3.0
"""Distance between a skid on free ground and arrays [m]."""
ROUNDING_KW = 1e-6
"""Shortfall of a whole unit that is rounding [kW]."""


@dataclass(frozen=True)
class _BlockBuilder:
    """Arrays and skids of one kind of unit, as items."""

    context: PlacementContext
    ground: SolarGround
    skid: AssetType
    seed_area: SeedArea

    def array(self, slots: Slots, i: int, block: int) -> Item:
        """Solar array in a slot."""
        west, south, east, north = (float(v) for v in slots.rects[i])
        rect = (west, south, east, north)
        item = Item("solar_array", rect, self.ground.slope_limit_deg, block=block)
        return of_units(item, rect, int(slots.units[i]), self.ground.unit_of(slots.rects[i]))

    def with_own_skid(self, slots: Slots) -> tuple[Slots, Item] | None:
        """Arrays and a skid in the place of one's end, or None."""
        heights = slots.rects[:, 3] - slots.rects[:, 1]
        kinds = [(u, np.flatnonzero(np.abs(heights - u.height_m) < SAME_M)) for u in self.ground.units]
        found = [one for unit, own in kinds if own.size and (one := self._skid_at_end(slots, own, unit)) is not None]
        return min(found, key=lambda one: one[0])[1:] if found else None

    def _skid_at_end(self, slots: Slots, own: IntArray, unit: SolarUnit) -> tuple[float, Slots, Item] | None:
        """Penalty of the best end [m], with its arrays and skid.

        Arrays are made of one unit. None where no end suits.

        Parameters
        ----------
        slots : Slots
            Slots of all arrays of the block.
        own : (n,) int
            Slots whose array is made of the unit.
        unit : SolarUnit
            Unit.
        """
        skid = skid_in_row(self.skid, unit)
        spots = skid_spots(slots.take(own), unit, skid)
        if not len(spots.array):
            return None
        half = np.array([skid.along_x_m / 2, skid.along_y_m / 2])
        rects = np.hstack([spots.centres - half, spots.centres + half])
        fits = self.context.field.sieve(self.skid.slope_limit_deg).passes(rects, apron=PAD_APRON_M)
        if not fits.any():
            return None
        middle = (slots.rects[:, :2] + slots.rects[:, 2:]).mean(axis=0) / 2
        distance = np.hypot(*(spots.centres - middle).T) + spots.penalty
        if self.seed_area.skid_detour:
            earth_m3 = pad_earth_m3(self.context.field, expand_rects(rects, PAD_APRON_M))
            distance += self.seed_area.skid_detour * earth_m3
        best = int(np.argmin(np.where(fits, distance, np.inf)))
        i, at_west = int(own[spots.array[best]]), bool(spots.at_west[best])
        width = skid.units * unit.pitch_x_m
        shorter, units = slots.rects.copy(), slots.units.copy()
        shorter[i, 0 if at_west else 2] += width if at_west else -width
        units[i] = units[i] - skid.units if units[i] - skid.units >= unit.least_units else 0
        if not units.any():
            return None
        item = item_of(self.skid, rects[best], rotation_deg=skid.rotation_deg)
        return float(distance[best]), slots.resized(shorter, units), item

    def with_skid_beside(self, draft: Draft, slots: Slots, block: int) -> list[Item] | None:
        """Arrays with a skid on free ground beside them, or None.

        Parameters
        ----------
        draft : Draft
            Items to keep clear of.
        slots : Slots
            Slots of the arrays.
        block : int
            Number of the power block.
        """
        trial = draft.copy()
        trial.items += [self.array(slots, i, block) for i in range(len(slots.units))]
        middle = (slots.rects[:, :2] + slots.rects[:, 2:]).mean(axis=0) / 2
        steps = np.arange(-SKID_SEARCH_M, SKID_SEARCH_M + 1, SKID_STEP_M)
        x, y = np.meshgrid(middle[0] + steps, middle[1] + steps)
        spots = np.column_stack([x.ravel(), y.ravel()])
        skid = replace(self.skid, clearance_m=SKID_CLEARANCE_M)
        if not place_near(self.context.field, trial, skid, (float(middle[0]), float(middle[1])), within=spots):
            return None
        added = trial.items[len(draft.items) :]
        return [*added[:-1], replace(added[-1], block=block)]


def add_power_blocks(
    context: PlacementContext,
    ground: SolarGround,
    draft: Draft,
    slots: Slots,
    target_kw: float | None,
    *,
    seed_area: SeedArea,
) -> None:
    """Add arrays and their skids to a draft.

    Arrays are grouped into power blocks along the aisles. A skid takes the place of an array's end. Blocks without level
    ground for it get a skid beside them, or their arrays join other blocks.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    ground : SolarGround
        Unit of the arrays.
    draft : Draft
        Grows by arrays and skids, and by a record of arrays without a skid.
    slots : Slots
        Slots of the arrays.
    target_kw : float, optional
        Most AC capacity to add [kW]; None for all.
    seed_area : SeedArea
        How skids are placed.
    """
    skid = asset_type(context.spec, "inverter_skid")
    build = _BlockBuilder(context, ground, skid, seed_area)
    total_kw = 0.0
    number = 1 + max((i.block for i in draft.items), default=-1)
    without_skid: list[Slots] = []
    worth, light = _worth_a_skid(build, _group(slots.take(_snake_order(slots)), ground, skid), first=number == 0)
    for block in worth:
        placed = build.with_own_skid(block)
        if placed is None:
            without_skid.append(block)
            continue
        arrays, skid_item = placed
        if target_kw is not None:
            arrays = _trim(arrays, ground, target_kw - total_kw)
            if not len(arrays.units):
                continue
        total_kw += ground.kw(arrays)
        draft.items.append(replace(skid_item, block=number))
        draft.items.extend(build.array(arrays, i, number) for i in range(len(arrays.units)))
        number += 1
    if without_skid or light:
        left_kw = math.inf if target_kw is None else target_kw - total_kw
        left_kw = _add_without_skid(build, draft, without_skid, left_kw)
        for block in light:
            left_kw, _ = _add_to_skids(build, draft, block, left_kw)


def _worth_a_skid(build: _BlockBuilder, blocks: list[Slots], *, first: bool) -> tuple[list[Slots], list[Slots]]:
    """Blocks that are worth a skid, and those that are too small beside others.

    Parameters
    ----------
    build : _BlockBuilder
        Unit of the arrays.
    blocks : list of Slots
        Arrays of each power block.
    first : bool
        Whether there is no other power block; then all are worth one if none is large enough.
    """
    least_kw = least_block_kw(build.context.spec)
    worth = [b for b in blocks if build.ground.kw(b) >= least_kw]
    if first and not worth:
        return blocks, []
    return worth, [b for b in blocks if build.ground.kw(b) < least_kw]


def _capacity_left(items: list[Item], skid: AssetType, units: tuple[SolarUnit, ...]) -> SkidCapacity:
    """Capacity that skids have left, counted in whole units.

    Items have rounded capacities, which don't add up exactly.
    """
    out = SkidCapacity.of([i for i in items if i.kind == "inverter_skid"], skid.rating_kva)
    numbers: dict[int, dict[float, int]] = {}
    for i in items:
        unit = unit_of(i, units)
        if unit is not None:
            own = numbers.setdefault(i.block, {})
            own[unit.ac_kw] = own.get(unit.ac_kw, 0) + units_of(i, unit)
    for block, own in numbers.items():
        out.left_kw[block] = skid.rating_kva - sum(float(n) * ac_kw for ac_kw, n in own.items())
    return out


def _add_without_skid(build: _BlockBuilder, draft: Draft, blocks: list[Slots], left_kw: float) -> float:
    """Add blocks without level ground for their own skid, and return the capacity left [kW].

    Parameters
    ----------
    build : _BlockBuilder
        Ground and asset types.
    draft : Draft
        Grows by arrays and skids, and by a record of arrays without a skid.
    blocks : list of Slots
        Arrays of each power block.
    left_kw : float
        Most AC capacity to add [kW].
    """
    ground, skid = build.ground, build.skid
    number = 1 + max((i.block for i in draft.items), default=-1)
    missing = 0
    for block in blocks:
        # the skid of an earlier block may stand on this one's ground
        pads = np.array([i.pad_rect for i in draft.items if i.kind == "inverter_skid"]).reshape(-1, 4)
        free = block.take(np.flatnonzero(~touching(block.rects, pads)))
        arrays = _trim(free, ground, min(skid.rating_kva, left_kw))
        if not len(arrays.units):
            continue
        items = build.with_skid_beside(draft, arrays, number)
        if items is not None:
            draft.items += items
            left_kw -= ground.kw(arrays)
            number += 1
            continue
        left_kw, more = _add_to_skids(build, draft, arrays, left_kw)
        missing += more
    if missing:
        reason = f"no ground within {skid.slope_limit_deg:g} deg within reach for the inverter skid of its power block"
        draft.unplaced.append(Unplaced("solar_array", missing, reason))
    return left_kw


def _add_to_skids(build: _BlockBuilder, draft: Draft, arrays: Slots, left_kw: float) -> tuple[float, int]:
    """Add single arrays to skids with capacity; return what is left [kW] and how many found none.

    Parameters
    ----------
    build : _BlockBuilder
        Ground and asset types.
    draft : Draft
        Grows by arrays.
    arrays : Slots
        Arrays to add.
    left_kw : float
        Most AC capacity to add [kW].
    """
    ground, skids = build.ground, _capacity_left(draft.items, build.skid, solar_units(build.context.spec))
    array_kw = ground.slot_kw(arrays).tolist()
    missing = 0
    for i in range(len(arrays.units)):
        kw = array_kw[i]
        home = skids.block_for(arrays.rects[i], kw) if kw <= left_kw + ROUNDING_KW else None
        if home is None:
            missing += 1
            continue
        left_kw, skids.left_kw[home] = left_kw - kw, skids.left_kw[home] - kw
        draft.items.append(build.array(arrays, i, home))
    return left_kw, missing


def _snake_order(slots: Slots) -> IntArray:
    """Order along the lanes, back and forth; upright lanes come last."""
    x, y = (slots.rects[:, 0] + slots.rects[:, 2]) / 2, slots.rects[:, 1]
    upright = slots.side >= WEST
    along = np.where(upright, y, x)
    return np.lexsort((np.where(upright, x, y), np.where(slots.lane % 2 == 0, along, -along), slots.lane, upright))


def _group(slots: Slots, ground: SolarGround, skid: AssetType) -> list[Slots]:
    """Slots split into power blocks of about equal capacity.

    Blocks keep within the rating of a skid and the reach of low-voltage cable.
    """
    unit = ground.unit
    # in full units; a block may exceed the rating by those that its skid will take
    full_units = ground.slot_kw(slots) / unit.ac_kw
    most = skid.rating_kva / unit.ac_kw + skid_in_row(skid, unit).units
    total = float(full_units.sum())
    equal_share = total / max(math.ceil(total / (most - 0.5 * unit.most_units)), 1)
    out: list[Slots] = []
    members: list[int] = []
    units, before = 0.0, 0.0
    for i in range(len(slots.units)):
        far = bool(members) and np.hypot(*(slots.rects[i, :2] - slots.rects[members[-1], :2])) > BLOCK_REACH_M
        # split where the sum so far is nearest to a whole number of equal shares
        full = units + full_units[i] > most or (before + units + full_units[i] / 2 > equal_share * (len(out) + 1))
        if members and (full or far):
            before += units
            out.append(slots.take(np.array(members)))
            members, units = [], 0.0
        members.append(i)
        units += float(full_units[i])
    if members:
        out.append(slots.take(np.array(members)))
    return out


def _trim(slots: Slots, ground: SolarGround, kw: float) -> Slots:
    """Slots within a capacity, shortened or dropped from the last [kW]."""
    excess_kw = ground.kw(slots) - kw - ROUNDING_KW
    rects, units = slots.rects.copy(), slots.units.copy()
    kinds = [ground.unit_of(rect) for rect in rects]
    for i in range(len(units) - 1, -1, -1):
        if excess_kw <= 0:
            break
        # an array too short to stand goes as a whole, unless those before it can spare the units
        able_kw = sum(max(int(units[k]) - kinds[k].least_units, 0) * kinds[k].ac_kw for k in range(i + 1))
        excess = math.ceil(excess_kw / kinds[i].ac_kw - ROUNDING_KW)
        whole = excess >= units[i] or excess_kw > able_kw
        cut = int(units[i]) if whole else min(excess, int(units[i]) - kinds[i].least_units)
        units[i] -= cut
        rects[i, 2] -= cut * kinds[i].pitch_x_m
        excess_kw -= cut * kinds[i].ac_kw
    return slots.resized(rects, units)
