"""Power blocks: arrays that share an inverter skid."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetType, SolarUnit, asset_type
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.assets import Item, Unplaced
from pacifico.layout.placement.draft import Draft, item_of, of_units
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.skids import SkidCapacity
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M
from pacifico.layout.placement.strips import NORTH, WEST, Slots

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.solar_arrays import SolarGround

SKID_SEARCH_M = 160.0
"""Largest distance of a skid on free ground from its arrays' middle, along either axis [m]."""
SKID_STEP_M = 8.0
"""Distance between places that are compared for such a skid [m]."""
SKID_CLEARANCE_M = 3.0
"""Distance between a skid on free ground and arrays [m]."""
INNER_PENALTY_M = 1000.0
"""Penalty for a skid in an array that others separate from its lane [m]."""
LAST_UNIT_PENALTY_M = 200.0
"""Penalty for a skid that takes all of an array: a longer one can spare the units [m]."""
INWARD_PENALTY_M = 500.0
"""Penalty for a skid at the end of an array away from its cross aisle [m]."""
DEPTH_PENALTY_M = 100.0
"""Penalty for each step of a skid away from its aisle [m]."""
ROUNDING_KW = 1e-6
"""Shortfall of a whole unit that is rounding [kW]."""
SPOTS_ALONG = 5
"""Places for a skid at each end of an array, from the aisle inwards."""


@dataclass(frozen=True)
class _SkidSpots:
    """Places for a skid at the ends of arrays, one per row."""

    array: IntArray
    at_west: IntArray
    """1 at the western end of the array, 0 at the eastern end."""
    centres: FloatArray
    """Shape (n, 2) [m]."""
    penalty: FloatArray
    """Distance added to each [m]."""


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
        return of_units(item, rect, int(slots.units[i]), self.ground.unit)

    def with_own_skid(self, slots: Slots) -> tuple[Slots, Item] | None:
        """Arrays and a skid in the place of one's end, or None."""
        removed = _units_for_skid(self.ground.unit, self.skid)
        spots = _skid_spots(slots, self.ground.unit, self.skid)
        if slots.units.sum() <= removed or not len(spots.array):
            return None
        half = np.array([self.skid.length_m / 2, self.skid.width_m / 2])
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
        i, at_west = int(spots.array[best]), bool(spots.at_west[best])
        width = removed * self.ground.unit.pitch_x_m
        shorter, units = slots.rects.copy(), slots.units.copy()
        shorter[i, 0 if at_west else 2] += width if at_west else -width
        units[i] -= removed
        return slots.resized(shorter, units), item_of(self.skid, rects[best])

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
    first = len(draft.items)
    without_skid: list[Slots] = []
    for block in _group(slots.take(_snake_order(slots)), ground.unit, skid):
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
    if without_skid:
        skids = _capacity_left(draft.items[first:], skid, ground.unit)
        left_kw = math.inf if target_kw is None else target_kw - total_kw
        _add_without_skid(build, draft, without_skid, skids, left_kw)


def _capacity_left(items: list[Item], skid: AssetType, unit: SolarUnit) -> SkidCapacity:
    """Capacity that skids have left, counted in whole units.

    Items have rounded capacities, which don't add up exactly.
    """
    out = SkidCapacity.of([i for i in items if i.kind == "inverter_skid"], skid.rating_kva)
    units: dict[int, int] = {}
    for i in items:
        if i.kind == "solar_array":
            units[i.block] = units.get(i.block, 0) + round(i.capacity_kw / unit.ac_kw)
    for block, n in units.items():
        out.left_kw[block] = skid.rating_kva - float(n) * unit.ac_kw
    return out


def _add_without_skid(
    build: _BlockBuilder, draft: Draft, blocks: list[Slots], skids: SkidCapacity, left_kw: float
) -> None:
    """Add blocks without level ground for their own skid.

    Parameters
    ----------
    build : _BlockBuilder
        Ground and asset types.
    draft : Draft
        Grows by arrays and skids, and by a record of arrays without a skid.
    blocks : list of Slots
        Arrays of each power block.
    skids : SkidCapacity
        Skids of other blocks, which may take single arrays.
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
        for i in range(len(arrays.units)):
            kw = float(arrays.units[i]) * ground.unit.ac_kw
            home = skids.block_for(arrays.rects[i], kw)
            if home is None:
                missing += 1
                continue
            left_kw, skids.left_kw[home] = left_kw - kw, skids.left_kw[home] - kw
            draft.items.append(build.array(arrays, i, home))
    if missing:
        reason = f"no ground within {skid.slope_limit_deg:g} deg within reach for the inverter skid of its power block"
        draft.unplaced.append(Unplaced("solar_array", missing, reason))


def _snake_order(slots: Slots) -> IntArray:
    """Order along the lanes, back and forth."""
    x, y = (slots.rects[:, 0] + slots.rects[:, 2]) / 2, slots.rects[:, 1]
    upright = slots.side >= WEST
    along = np.where(upright, y, x)
    return np.lexsort((np.where(upright, x, y), np.where(slots.lane % 2 == 0, along, -along), slots.lane))


def _group(slots: Slots, unit: SolarUnit, skid: AssetType) -> list[Slots]:
    """Slots split into power blocks of about equal capacity.

    Blocks keep within the rating of a skid and the reach of low-voltage cable.
    """
    # a block may exceed the rating by the units that its skid will take
    most = skid.rating_kva / unit.ac_kw + _units_for_skid(unit, skid)
    total = int(slots.units.sum())
    equal_share = total / max(math.ceil(total / (most - 0.5 * unit.most_units)), 1)
    out: list[Slots] = []
    members: list[int] = []
    units, before = 0, 0
    for i in range(len(slots.units)):
        far = bool(members) and np.hypot(*(slots.rects[i, :2] - slots.rects[members[-1], :2])) > BLOCK_REACH_M
        # split where the sum so far is nearest to a whole number of equal shares
        full = units + slots.units[i] > most or (before + units + slots.units[i] / 2 > equal_share * (len(out) + 1))
        if members and (full or far):
            before += units
            out.append(slots.take(np.array(members)))
            members, units = [], 0
        members.append(i)
        units += int(slots.units[i])
    if members:
        out.append(slots.take(np.array(members)))
    return out


def _units_for_skid(unit: SolarUnit, skid: AssetType) -> int:
    """Number of units whose place a skid takes with its pad."""
    return math.ceil((skid.length_m + 2 * PAD_APRON_M + unit.gap_x_m) / unit.pitch_x_m)


def _skid_spots(slots: Slots, unit: SolarUnit, skid: AssetType) -> _SkidSpots:
    """Places for a skid, with the least penalty beside the lane."""
    removed = _units_for_skid(unit, skid)
    width = removed * unit.pitch_x_m - unit.gap_x_m
    inset = PAD_APRON_M + skid.width_m / 2
    rows: list[tuple[float, ...]] = []
    for i, (west, south, east, north) in enumerate(slots.rects):
        if unit.height_m < 2 * inset or slots.units[i] < removed:
            continue
        penalty = INNER_PENALTY_M * slots.depth[i] + (0.0 if slots.units[i] > removed else LAST_UNIT_PENALTY_M)
        for k in range(SPOTS_ALONG):
            along = (north - south - 2 * inset) * k / (SPOTS_ALONG - 1) + inset
            y = north - along if slots.side[i] == NORTH else south + along
            for at_west in (True, False):
                x = west + width / 2 if at_west else east - width / 2
                inward = 0.0 if at_west == (slots.side[i] == WEST) else INWARD_PENALTY_M
                more = inward if slots.side[i] >= WEST else DEPTH_PENALTY_M * k
                rows.append((i, at_west, x, y, penalty + more))
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return _SkidSpots(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:4].copy(), table[:, 4])


def _trim(slots: Slots, ground: SolarGround, kw: float) -> Slots:
    """Slots within a capacity, shortened from the last [kW]."""
    excess = int(slots.units.sum()) - int((kw + ROUNDING_KW) // ground.unit.ac_kw)
    rects, units = slots.rects.copy(), slots.units.copy()
    for i in range(len(units) - 1, -1, -1):
        if excess <= 0:
            break
        cut = min(excess, int(units[i]))
        units[i] -= cut
        rects[i, 2] -= cut * ground.unit.pitch_x_m
        excess -= cut
    return slots.resized(rects, units)
