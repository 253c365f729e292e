"""Solar arrays in strips, grouped into power blocks with one inverter skid each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetType, SolarUnit, asset_type, solar_unit
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.assets import Item, Unplaced
from pacifico.layout.placement.draft import Draft, item_of, of_units
from pacifico.layout.placement.equipment import place_near
from pacifico.layout.placement.seed_area import SURROUNDINGS_M
from pacifico.layout.placement.siting_cost import pad_earth_m3
from pacifico.layout.placement.strip_packing import NORTH, WEST, Slots, StripPacking, StripPattern, pack_strips

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field, Sieve
    from pacifico.layout.placement.seed_area import SeedArea

BLOCK_REACH_M = 450.0
"""Distance to the previous array beyond which a new power block begins: low-voltage cables would be too long [m]."""
SCHEMES = ("quads", "spines")
"""Patterns of strips and roads."""
REACH_SPARE_M = 3.0
"""Part of the road reach kept in reserve: a road is not always in the middle of its aisle [m]."""
SPINE_STRIPS = 12
"""Strips between aisles where cross aisles are the roads."""
MOST_EXCHANGED = 4000
"""Arrays among which a compact set is searched."""
SKID_SEARCH_M = 160.0
"""Largest distance of a skid on free ground from its arrays' middle, along either axis [m]."""
SKID_CLEARANCE_M = 3.0
"""Clearance between a skid on free ground and arrays [m]."""
CLEAR_OF_BLOCKS_M = 15.0
"""Clearance between arrays and other pads, for a road and its turns [m]."""


@dataclass(frozen=True)
class SolarGround:
    """All places for arrays of one unit."""

    fit: StripPacking
    unit: SolarUnit
    slope_limit_deg: float

    def runs(self, blocked: FloatArray) -> Slots:
        """Largest arrays clear of blocked rectangles."""
        return self.fit.runs(blocked)


def solar_grounds(field: Field, spec: Spec, scheme: str = "quads") -> tuple[SolarGround, SolarGround]:
    """Array patterns of a site: full units, and units of other proportions for the gaps."""
    return _ground(field, spec, solar_unit(spec), scheme), _ground(field, spec, solar_unit(spec, pocket=True), "pairs")


def _ground(field: Field, spec: Spec, unit: SolarUnit, scheme: str) -> SolarGround:
    limit = spec.number("solar_array", "slope_limit_deg")
    return SolarGround(pack_strips(pattern_of(spec, unit, scheme), field.sieve(limit), margin=0.0), unit, limit)


def pattern_of(spec: Spec, unit: SolarUnit, scheme: str) -> StripPattern:
    """Strip pattern of a scheme.

    pairs: an aisle beside every strip. quads: as many strips between aisles as roads in these still reach arrays in.
    spines: the cross aisles are the roads, at most so far apart that they reach every array between them; aisles are
    few. An array counts as reached where its nearest point is.
    """
    gap, aisle = spec.number("solar", "pair_gap_m"), spec.number("solar", "aisle_m")
    reach = spec.number("site", "array_reach_m") - REACH_SPARE_M
    every = max(int(spec.number("solar", "cross_aisle_every_m") // unit.pitch_x_m), 1)
    strips, beside = 2, 0.0
    if scheme == "quads":
        strips = 2 * (1 + max(int((reach - aisle / 2) // (unit.height_m + gap)), 0))
    if scheme == "spines":
        first = max(min(int((reach - aisle / 2) // unit.pitch_x_m), unit.most_units), 0)
        every = max(min(every, 2 * (first + unit.most_units)), 1)
        strips, beside = SPINE_STRIPS, reach
    return StripPattern(
        unit.pitch_x_m, unit.gap_x_m, unit.height_m, gap, aisle, every, unit.most_units, strips=strips, reach=beside
    )


def choose_arrays(
    field: Field,
    ground: SolarGround,
    draft: Draft,
    seed_area: SeedArea,
    target_kw: float | None,
) -> Slots:
    """Best arrays up to a target in whole units; all that fit without a target.

    Adds the capacity that skids will take; `add_solar` trims the rest.
    """
    blocked = draft.blocked(CLEAR_OF_BLOCKS_M)
    runs = ground.runs(blocked)
    if target_kw is None or not len(runs.units):
        return runs
    if seed_area.strategy == "density":
        return runs.take(compacted(runs, seed_area.order(runs.rects), target_kw / ground.unit.ac_kw, draft))
    order = seed_area.order(
        runs.rects, seed_area.metres_per_degree * mean_slope(field, runs.rects) if seed_area.metres_per_degree else None
    )
    units = np.cumsum(runs.units[order])
    needed = target_kw / ground.unit.ac_kw
    return runs.take(order[: int(np.searchsorted(units, needed)) + 1])


def compacted(runs: Slots, order: NDArray[np.int64], needed: float, draft: Draft) -> NDArray[np.int64]:
    """Take slots in order up to the needed units, then exchange protruding ones.

    The exchange minimises the union of the surroundings, counted on cells of a few metres.
    """
    from pacifico.layout.placement import _packing_kernels as kernels  # noqa: PLC0415 (numba)

    enough = int(np.searchsorted(np.cumsum(runs.units[order]), needed)) + 1
    chosen = np.zeros(len(runs.units), dtype=bool)
    chosen[order[:enough]] = True
    if enough >= len(runs.units) or len(runs.units) > MOST_EXCHANGED:
        return order[:enough]
    standing = np.array([i.rect for i in draft.items]).reshape(-1, 4)
    around = expand_rects(np.concatenate([runs.rects, standing]), SURROUNDINGS_M)
    low, high = around[:, :2].min(axis=0), around[:, 2:].max(axis=0)
    cell = max(4.0, float(np.sqrt(np.prod(high - low) / 400_000)))
    spans = np.round((around - np.tile(low, 2)) / cell).astype(np.int64)
    covered = np.zeros(np.ceil((high - low) / cell).astype(np.int64) + 1, dtype=np.int32)
    for west, south, east, north in spans[len(runs.units) :]:
        covered[west:east, south:north] += 1
    kernels.exchange(spans[: len(runs.units)], runs.units, chosen, covered, needed)
    return order[chosen[order]]


def add_solar(
    field: Field,
    spec: Spec,
    ground: SolarGround,
    draft: Draft,
    runs: Slots,
    target_kw: float | None,
    *,
    seed_area: SeedArea,
) -> None:
    """Add arrays and skids to a draft: cut blocks along the aisles, and give up array ends for skids."""
    skid = asset_type(spec, "inverter_skid")
    sieve = field.sieve(skid.slope_limit_deg)
    order = _snake(runs)
    blocks = _blocks(runs.take(order), ground.unit, skid)
    total = 0.0
    number = 1 + max((i.block for i in draft.items), default=-1)
    stranded: list[Slots] = []
    rooms: dict[int, float] = {}
    skids: dict[int, Item] = {}
    for block in blocks:
        placed = _with_skid(block, ground, skid, sieve, seed_area)
        if placed is None:
            stranded.append(block)
            continue
        arrays, where = placed
        if target_kw is not None:
            arrays = _trimmed(arrays, ground, target_kw - total)
            if not len(arrays.units):
                continue
        total += float(arrays.units.sum()) * ground.unit.ac_kw
        skids[number], rooms[number] = replace(where, block=number), skid.rating_kva - solar_kw(arrays, ground)
        draft.items.append(skids[number])
        draft.items.extend(_array(ground, arrays, i, number) for i in range(len(arrays.units)))
        number += 1
    left = 0
    for block in stranded:
        room = skid.rating_kva if target_kw is None else min(skid.rating_kva, target_kw - total)
        # a skid of another block may have taken the ground by now
        pads = np.array([i.pad_rect for i in draft.items if i.kind == "inverter_skid"]).reshape(-1, 4)
        arrays = _trimmed(block.take(np.flatnonzero(~touching(block.rects, pads))), ground, room)
        if not len(arrays.units):
            continue
        if _skid_beside(field, ground, skid, draft, arrays, number):
            total += solar_kw(arrays, ground)
            number += 1
            continue
        for array in (arrays.take(np.array([i])) for i in range(len(arrays.units))):
            kw = solar_kw(array, ground)
            home = _spare_skid(array, kw, skids, rooms)
            if home is None:
                left += 1
                continue
            total, rooms[home] = total + kw, rooms[home] - kw
            draft.items.append(_array(ground, array, 0, home))
    if left:
        reason = f"no ground within {skid.slope_limit_deg:g} deg within reach for the inverter skid of its power block"
        draft.unplaced.append(Unplaced("solar_array", left, reason))


def _skid_beside(field: Field, ground: SolarGround, skid: AssetType, draft: Draft, arrays: Slots, number: int) -> bool:
    """Add arrays without level ground of their own, with a skid nearby; False where there is none."""
    candidate = draft.copy()
    candidate.items += [_array(ground, arrays, i, number) for i in range(len(arrays.units))]
    middle = (arrays.rects[:, :2] + arrays.rects[:, 2:]).mean(axis=0) / 2
    steps = np.arange(-SKID_SEARCH_M, SKID_SEARCH_M + 1, 8.0)
    x, y = np.meshgrid(middle[0] + steps, middle[1] + steps)
    spots = np.column_stack([x.ravel(), y.ravel()])
    if not place_near(
        field,
        candidate,
        replace(skid, clearance_m=SKID_CLEARANCE_M),
        (float(middle[0]), float(middle[1])),
        within=spots,
    ):
        return False
    candidate.items[-1] = replace(candidate.items[-1], block=number)
    draft.items = candidate.items
    return True


def _spare_skid(array: Slots, kw: float, skids: dict[int, Item], rooms: dict[int, float]) -> int | None:
    """Nearest block within reach whose skid has rating for one more array."""
    x, y = (array.rects[0, :2] + array.rects[0, 2:]) / 2
    near = [
        (float(np.hypot(s.centre[0] - x, s.centre[1] - y)), number)
        for number, s in skids.items()
        if rooms[number] >= kw
    ]
    distance, number = min(near, default=(np.inf, -1))
    return number if distance <= BLOCK_REACH_M else None


def solar_kw(runs: Slots, ground: SolarGround) -> float:
    """AC capacity of slots [kW]."""
    return float(runs.units.sum()) * ground.unit.ac_kw


def _array(ground: SolarGround, runs: Slots, i: int, block: int) -> Item:
    west, south, east, north = (float(v) for v in runs.rects[i])
    rect = (west, south, east, north)
    return of_units(
        Item("solar_array", rect, ground.slope_limit_deg, block=block), rect, int(runs.units[i]), ground.unit
    )


def _snake(runs: Slots) -> NDArray[np.int64]:
    """Order of slots along the lanes, back and forth."""
    x, y = (runs.rects[:, 0] + runs.rects[:, 2]) / 2, runs.rects[:, 1]
    upright = runs.side >= WEST
    along = np.where(upright, y, x)
    return np.lexsort((np.where(upright, x, y), np.where(runs.lane % 2 == 0, along, -along), runs.lane))


def _blocks(runs: Slots, unit: SolarUnit, skid: AssetType) -> list[Slots]:
    """Blocks of slots in order, cut at the skid's rating or the cable's reach."""
    # a block may exceed the rating by the units it gives up for its skid; equal blocks leave no small rest
    most = skid.rating_kva / unit.ac_kw + _given_up(unit, skid)
    total = int(runs.units.sum())
    even = total / max(math.ceil(total / (most - 0.5 * unit.most_units)), 1)
    out: list[Slots] = []
    members: list[int] = []
    units, done = 0, 0
    for i in range(len(runs.units)):
        far = bool(members) and np.hypot(*(runs.rects[i, :2] - runs.rects[members[-1], :2])) > BLOCK_REACH_M
        # cut where the sum is nearest to a multiple of equal shares
        full = units + runs.units[i] > most or (done + units + runs.units[i] / 2 > even * (len(out) + 1))
        if members and (full or far):
            done += units
            out.append(runs.take(np.array(members)))
            members, units = [], 0
        members.append(i)
        units += int(runs.units[i])
    if members:
        out.append(runs.take(np.array(members)))
    return out


def _given_up(unit: SolarUnit, skid: AssetType) -> int:
    """Units of an array that make room for a skid with its pad."""
    return math.ceil((skid.length_m + 2 * PAD_APRON_M + unit.gap_x_m) / unit.pitch_x_m)


def _skid_spots(block: Slots, ground: SolarGround, skid: AssetType) -> list[tuple[int, bool, float, float, float]]:
    """Places for a skid at the end of an array: array, western end or not, x, y, penalty.

    The lane's side comes first; further in, the road comes through the gap.
    """
    given_up = _given_up(ground.unit, skid)
    width = given_up * ground.unit.pitch_x_m - ground.unit.gap_x_m
    inset = PAD_APRON_M + skid.width_m / 2
    spots: list[tuple[int, bool, float, float, float]] = []
    if ground.unit.height_m < 2 * inset:
        return spots
    for i, (west, south, east, north) in enumerate(block.rects):
        if block.units[i] < given_up:
            continue
        # of two equally central arrays the longer one is cut: a single unit would vanish
        malus = 1000.0 * block.depth[i] + (0.0 if block.units[i] > given_up else 200.0)
        for k in range(5):
            along = (north - south - 2 * inset) * k / 4 + inset
            y = north - along if block.side[i] == NORTH else south + along
            for at_west in (True, False):
                x = west + width / 2 if at_west else east - width / 2
                inwards = 0.0 if at_west == (block.side[i] == WEST) else 500.0
                more = inwards if block.side[i] >= WEST else 100.0 * k
                spots.append((i, at_west, x, y, malus + more))
    return spots


def _with_skid(
    block: Slots,
    ground: SolarGround,
    skid: AssetType,
    sieve: Sieve,
    seed_area: SeedArea,
) -> tuple[Slots, Item] | None:
    """Block with an array end given up for a skid beside its aisle; None where no skid fits."""
    given_up = _given_up(ground.unit, skid)
    room = given_up * ground.unit.pitch_x_m
    middle = (block.rects[:, :2] + block.rects[:, 2:]).mean(axis=0) / 2
    owners = _skid_spots(block, ground, skid)
    if block.units.sum() <= given_up or not owners:
        return None
    half = np.array([skid.length_m / 2, skid.width_m / 2])
    centres = np.array([(x, y) for _, _, x, y, _ in owners])
    rects = np.hstack([centres - half, centres + half])
    good = sieve.passes(rects, apron=PAD_APRON_M)
    if not good.any():
        return None
    distance = np.hypot(*(centres - middle).T) + np.array([o[-1] for o in owners])
    if seed_area.level:
        distance += seed_area.level * pad_earth_m3(sieve.field, expand_rects(rects, PAD_APRON_M))
    best = int(np.argmin(np.where(good, distance, np.inf)))
    i, at_west = owners[best][:2]
    shorter = block.rects.copy()
    shorter[i, 0 if at_west else 2] += room if at_west else -room
    units = block.units.copy()
    units[i] -= given_up
    return block.resized(shorter, units), item_of(skid, rects[best])


def _trimmed(runs: Slots, ground: SolarGround, room_kw: float) -> Slots:
    """Slots shortened from the last one to stay within a capacity."""
    excess = int(runs.units.sum()) - int((room_kw + 1e-6) // ground.unit.ac_kw)
    rects, units = runs.rects.copy(), runs.units.copy()
    for i in range(len(units) - 1, -1, -1):
        if excess <= 0:
            break
        cut = min(excess, int(units[i]))
        units[i] -= cut
        rects[i, 2] -= cut * ground.unit.pitch_x_m
        excess -= cut
    return runs.resized(rects, units)
