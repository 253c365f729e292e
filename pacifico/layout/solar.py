"""Solar arrays of real rows on a lattice, gathered into power blocks with an inverter-transformer skid each."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.blocks import cheapest_first, place_near
from pacifico.layout.catalog import PAD_APRON_M, AssetType, SolarUnit, asset_type, solar_unit
from pacifico.layout.draft import Draft, Item, Unplaced, item_of
from pacifico.layout.lattice import Fit, Lattice, Runs, fit_lattice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.layout.buildable import Field, Floats, Sieve
    from pacifico.layout.spec import Spec

BLOCK_REACH_M = 450.0
"""An array further from the one before starts a new power block: low-voltage cable gets too long."""
SKID_SEARCH_M = 160.0
"""A skid on free ground stands no further from its arrays' middle, along either axis."""
CLEAR_OF_BLOCKS_M = 14.0
"""Between arrays and the pads of others, so that a road passes."""


@dataclass(frozen=True)
class SolarGround:
    """Every place where arrays of one kind of unit can stand."""

    fit: Fit
    unit: SolarUnit
    slope_limit_deg: float

    def runs(self, blocked: Floats) -> Runs:
        """Largest arrays that keep clear of blocked rectangles."""
        return self.fit.runs(blocked)


def solar_grounds(field: Field, spec: Spec) -> tuple[SolarGround, SolarGround]:
    """Array lattices on a site: one of full units, and one of other proportions for the pockets that it leaves."""
    return _ground(field, spec, solar_unit(spec)), _ground(field, spec, solar_unit(spec, pocket=True))


def _ground(field: Field, spec: Spec, unit: SolarUnit) -> SolarGround:
    limit = spec.number("solar_array", "slope_limit_deg")
    lattice = Lattice(
        unit.pitch_x_m,
        unit.gap_x_m,
        unit.height_m,
        spec.number("solar", "pair_gap_m"),
        spec.number("solar", "aisle_m"),
        cross_every=max(int(spec.number("solar", "cross_aisle_every_m") // unit.pitch_x_m), 1),
        most_units=unit.most_units,
    )
    return SolarGround(fit_lattice(lattice, field.sieve(limit), margin=0.0), unit, limit)


def choose_arrays(
    field: Field,
    ground: SolarGround,
    draft: Draft,
    anchor: tuple[float, float],
    target_kw: float | None,
    *,
    metres_per_degree: float,
) -> Runs:
    """Best arrays up to a target, whole units only; everything that stands without a target.

    What the inverter skids will take away is added to the target first; `add_solar` trims the rest.
    """
    blocked = draft.blocked(CLEAR_OF_BLOCKS_M)
    runs = ground.runs(blocked)
    if target_kw is None or not len(runs.units):
        return runs
    order = cheapest_first(field, runs.rects, anchor, metres_per_degree)
    units = np.cumsum(runs.units[order])
    needed = target_kw / ground.unit.ac_kw
    return runs.take(order[: int(np.searchsorted(units, needed)) + 1])


def add_solar(field: Field, spec: Spec, ground: SolarGround, draft: Draft, runs: Runs, target_kw: float | None) -> None:
    """Add arrays and skids to the draft: blocks cut along the aisles, the end of an array given up for each skid."""
    skid = asset_type(spec, "inverter_skid")
    sieve = field.sieve(skid.slope_limit_deg)
    order = _snake(runs)
    blocks = _blocks(runs.take(order), ground.unit, skid)
    total = 0.0
    number = 1 + max((i.block for i in draft.items), default=-1)
    stranded: list[Runs] = []
    rooms: dict[int, float] = {}
    skids: dict[int, Item] = {}
    for block in blocks:
        placed = _with_skid(block, ground, skid, sieve)
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
        arrays = _trimmed(block, ground, room)
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


def _skid_beside(field: Field, ground: SolarGround, skid: AssetType, draft: Draft, arrays: Runs, number: int) -> bool:
    """Add arrays that have no level ground of their own, with a skid on free ground beside them; False if there is none."""
    trial = draft.copy()
    trial.items += [_array(ground, arrays, i, number) for i in range(len(arrays.units))]
    middle = (arrays.rects[:, :2] + arrays.rects[:, 2:]).mean(axis=0) / 2
    steps = np.arange(-SKID_SEARCH_M, SKID_SEARCH_M + 1, 8.0)
    x, y = np.meshgrid(middle[0] + steps, middle[1] + steps)
    spots = np.column_stack([x.ravel(), y.ravel()])
    if not place_near(field, trial, replace(skid, clearance_m=3.0), (float(middle[0]), float(middle[1])), within=spots):
        return False
    trial.items[-1] = replace(trial.items[-1], block=number)
    draft.items = trial.items
    return True


def _spare_skid(array: Runs, kw: float, skids: dict[int, Item], rooms: dict[int, float]) -> int | None:
    """Nearest block within reach whose skid can take one more array."""
    x, y = (array.rects[0, :2] + array.rects[0, 2:]) / 2
    near = [
        (float(np.hypot(s.centre[0] - x, s.centre[1] - y)), number)
        for number, s in skids.items()
        if rooms[number] >= kw
    ]
    distance, number = min(near, default=(np.inf, -1))
    return number if distance <= BLOCK_REACH_M else None


def solar_kw(runs: Runs, ground: SolarGround) -> float:
    """AC capacity of runs [kW]."""
    return float(runs.units.sum()) * ground.unit.ac_kw


def _array(ground: SolarGround, runs: Runs, i: int, block: int) -> Item:
    west, south, east, north = (float(v) for v in runs.rects[i])
    n = int(runs.units[i])
    return Item(
        "solar_array",
        (west, south, east, north),
        ground.slope_limit_deg,
        capacity_kw=round(n * ground.unit.ac_kw, 3),
        capacity_dc_kw=round(n * ground.unit.dc_kw, 3),
        block=block,
    )


def _aisle(strip: NDArray[np.int64]) -> NDArray[np.int64]:
    """Aisle that a strip lies on: below the lower of a pair, above the upper."""
    out: NDArray[np.int64] = strip // 2 + strip % 2
    return out


def _snake(runs: Runs) -> NDArray[np.int64]:
    """Order along the aisles, there and back."""
    aisle = _aisle(runs.strip)
    x = (runs.rects[:, 0] + runs.rects[:, 2]) / 2
    along = np.where(aisle % 2 == 0, x, -x)
    return np.lexsort((runs.strip, along, aisle))


def _blocks(runs: Runs, unit: SolarUnit, skid: AssetType) -> list[Runs]:
    """Runs in order, cut where the skid's rating or the cable's reach is used up."""
    # a block may hold as much more as it gives up for its skid
    most = skid.rating_kva / unit.ac_kw + _given_up(unit, skid)
    out, members, units = [], list[int](), 0
    for i in range(len(runs.units)):
        far = bool(members) and np.hypot(*(runs.rects[i, :2] - runs.rects[members[-1], :2])) > BLOCK_REACH_M
        if members and (units + runs.units[i] > most or far):
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


def _skid_spots(block: Runs, ground: SolarGround, skid: AssetType) -> list[tuple[int, bool, float, float]]:
    """Places for a skid where the end of an array is given up: array, whether its western end, x, y.

    The aisle's side comes first; further in, the road comes through the gap.
    """
    given_up = _given_up(ground.unit, skid)
    width = given_up * ground.unit.pitch_x_m - ground.unit.gap_x_m
    inset = PAD_APRON_M + skid.width_m / 2
    spots: list[tuple[int, bool, float, float]] = []
    if ground.unit.height_m < 2 * inset:
        return spots
    for depth in (0.0, 0.25, 0.5, 0.75, 1.0):
        for i, (west, south, east, north) in enumerate(block.rects):
            if block.units[i] < given_up:
                continue
            along = (north - south - 2 * inset) * depth + inset
            y = south + along if block.strip[i] % 2 == 0 else north - along
            spots += [(i, True, west + width / 2, y), (i, False, east - width / 2, y)]
    return spots


def _with_skid(block: Runs, ground: SolarGround, skid: AssetType, sieve: Sieve) -> tuple[Runs, Item] | None:
    """Block with the end of an array given up for a skid beside its aisle; None where no skid can stand."""
    given_up = _given_up(ground.unit, skid)
    room = given_up * ground.unit.pitch_x_m
    middle = (block.rects[:, :2] + block.rects[:, 2:]).mean(axis=0) / 2
    owners = _skid_spots(block, ground, skid)
    if block.units.sum() <= given_up or not owners:
        return None
    half = np.array([skid.length_m / 2, skid.width_m / 2])
    centres = np.array([(x, y) for _, _, x, y in owners])
    rects = np.hstack([centres - half, centres + half])
    good = sieve.passes(rects, apron=PAD_APRON_M)
    if not good.any():
        return None
    distance = np.hypot(rects[:, [0, 2]].mean(axis=1) - middle[0], rects[:, [1, 3]].mean(axis=1) - middle[1])
    # where the middle is as near, the longer array gives way: a lone unit would vanish
    distance += np.array([0.0 if block.units[i] > given_up else 200.0 for i, *_ in owners])
    # and the aisle's side before places further in
    distance += np.repeat(100.0 * np.arange(5), len(owners) // 5)
    best = int(np.argmin(np.where(good, distance, np.inf)))
    i, at_west = owners[best][:2]
    shorter = block.rects.copy()
    shorter[i, 0 if at_west else 2] += room if at_west else -room
    units = block.units.copy()
    units[i] -= given_up
    left = Runs(shorter, units, block.strip).take(np.flatnonzero(units > 0))
    return left, item_of(skid, rects[best])


def _trimmed(runs: Runs, ground: SolarGround, room_kw: float) -> Runs:
    """Runs shortened from the last so that they stay within a capacity."""
    excess = int(runs.units.sum()) - int((room_kw + 1e-6) // ground.unit.ac_kw)
    rects, units = runs.rects.copy(), runs.units.copy()
    for i in range(len(units) - 1, -1, -1):
        if excess <= 0:
            break
        cut = min(excess, int(units[i]))
        units[i] -= cut
        rects[i, 2] -= cut * ground.unit.pitch_x_m
        excess -= cut
    return Runs(rects, units, runs.strip).take(np.flatnonzero(units > 0))
