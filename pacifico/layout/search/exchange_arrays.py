"""Local search move: exchange arrays to cover less ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import POWER_BLOCK_KINDS, SolarUnit, asset_type
from pacifico.layout.ground.rects import touching
from pacifico.layout.placement.draft import SAME_M, Draft, of_units, rects_of
from pacifico.layout.placement.power_blocks import SKID_CLEARANCE_M
from pacifico.layout.placement.skids import SkidCapacity
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M, solar_grounds
from pacifico.layout.placement.surroundings import SURROUNDINGS_M
from pacifico.layout.search.coverage import CELL_M, Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.solar_arrays import SolarGround
    from pacifico.layout.placement.strips import Slots


BEYOND_M = 150.0
"""Distance around the plant within which free places are sought [m]."""
MAX_EXCHANGES = 40
"""Most exchanges in one layout."""
MAX_ENDS, MAX_PLACES = 12, 8
"""Most array ends, and places for each, that are tried in one step."""
OFF_STRIP_M = 0.3
"""Distance of new arrays from the strip of a road [m]."""
REACH_MARGIN_M = 2.0
"""Part of a road's reach that is not used: roads run slightly differently when they are routed again [m]."""
NONE_FREE = np.iinfo(np.int64).max
"""Cells of a place that is not free."""


@dataclass(frozen=True)
class _Parts:
    """Ends of arrays, or parts of free places."""

    rects: FloatArray
    """West, south, east, north, shape (n, 4) [m]."""
    units: IntArray
    owner: IntArray
    """Index of the array or free place."""

    @staticmethod
    def of(rects: FloatArray, units: IntArray, unit: SolarUnit, gap: float, sizes: IntArray, rest: int) -> _Parts:
        """Parts of some sizes, at the western and the eastern end.

        Parameters
        ----------
        rects : (n, 4) float
            Arrays or free places [m].
        units : (n,) int
            Units in each.
        unit : SolarUnit
            Unit of the arrays.
        gap : float
            Gap at the end of a part [m]; 0 for all that goes with an array's end.
        sizes : (m,) int
            Units of the parts.
        rest : int
            Fewest units beside a part; one of all units has none beside it.
        """
        parts, counts, owners = [], [], []
        for k in sizes.tolist():
            large = np.flatnonzero((units == k) | (units >= k + rest))
            width = np.where(units[large] == k, rects[large, 2] - rects[large, 0], k * unit.pitch_x_m - gap)
            for east in (False, True):
                r = rects[large].copy()
                if east:
                    r[:, 0] = r[:, 2] - width
                else:
                    r[:, 2] = r[:, 0] + width
                parts.append(r)
                counts.append(np.full(large.size, k))
                owners.append(large)
        return _Parts(np.concatenate(parts), np.concatenate(counts), np.concatenate(owners))


def free_slots(ground: SolarGround, items: Sequence[Item]) -> Slots:
    """Free slots of a ground."""
    others = [i for i in items if i.kind not in POWER_BLOCK_KINDS]
    slots = ground.slots(Draft(others).blocked(CLEAR_OF_BLOCKS_M))
    by = np.array([_gap_m(ground.unit, i) for i in items]).reshape(-1, 1)
    taken = rects_of(items) + by * np.array([-1.0, 0.0, 1.0, 0.0])
    return slots.take(np.flatnonzero(~touching(slots.rects, taken)))


def _gap_m(unit: SolarUnit, item: Item) -> float:
    """Distance that new arrays keep from an item along their strip [m]."""
    if item.kind == "inverter_skid":
        return SKID_CLEARANCE_M + 1.0
    same_height = abs(item.rect[3] - item.rect[1] - unit.height_m) < SAME_M
    return unit.gap_x_m - 0.01 if same_height else CLEAR_OF_BLOCKS_M


def exchange_arrays(
    context: PlacementContext, draft: Draft, seed_area: SeedArea, roads: Sequence[LineString] | None = None
) -> Draft:
    """Draft of equal capacity that covers less ground.

    Arrays, or parts of them, move one at a time until no exchange reduces the covered area. Skids stay in place.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Draft to improve; it is not changed.
    seed_area : SeedArea
        Seed area of the draft.
    roads : sequence of LineString, optional
        Roads of the draft; new places lie beside them and within their reach. None for places anywhere.
    """
    if not any(i.kind == "solar_array" for i in draft.items):
        return draft
    ground = solar_grounds(context, seed_area.scheme)[0]
    slots = free_slots(ground, draft.items)
    if roads is not None and len(slots.units):
        slots = slots.take(np.flatnonzero(_beside_roads(slots.rects, roads, context.spec)))
    rects = rects_of(draft.items)
    low = rects[:, :2].min(axis=0) - BEYOND_M
    high = rects[:, 2:].max(axis=0) + BEYOND_M
    near = (slots.rects[:, :2] > low).all(axis=1) & (slots.rects[:, 2:] < high).all(axis=1)
    if not near.any():
        return draft
    exchange = _Exchange(
        ground.unit, asset_type(context.spec, "inverter_skid").rating_kva, draft.items, slots.take(np.flatnonzero(near))
    )
    return replace(draft, items=exchange.run())


def _beside_roads(rects: FloatArray, roads: Sequence[LineString], spec: Spec) -> BoolArray:
    """Which rectangles lie off all roads and within reach of one."""
    lines = shapely.union_all(list(roads))
    boxes = shapely.box(*rects.T)
    out: BoolArray = ~shapely.dwithin(boxes, lines, spec.number("road", "width_m") / 2 + OFF_STRIP_M)
    out &= shapely.dwithin(boxes, lines, spec.number("site", "array_reach_m") - REACH_MARGIN_M)
    return out


class _End(NamedTuple):
    """End of an array that may move."""

    item: int
    """Index of the array among the items."""
    units: int
    at_west: bool
    whole: bool
    """Whether it is all of the array."""


class _Exchange:
    """Exchange of arrays for free places, with the covered area.

    Parameters
    ----------
    unit : SolarUnit
        Unit of the arrays that may move.
    rating_kva : float
        Rating of an inverter skid [kVA].
    items : sequence of Item
        Items of the draft.
    free : Slots
        Free places.
    """

    def __init__(self, unit: SolarUnit, rating_kva: float, items: Sequence[Item], free: Slots) -> None:
        self.unit, self.rating_kva, self.items = unit, rating_kva, list(items)
        self.coverage = Coverage(np.concatenate([rects_of(items), free.rects]))
        for i in items:
            self.coverage.add(i.rect)
        sizes = self._sizes(self._units_of([k for k, i in enumerate(items) if self._is_movable(i)]))
        self.places = _Parts.of(free.rects, free.units, unit, unit.gap_x_m, sizes, 0)
        self.spans = self.coverage.spans(self.places.rects)
        self.is_free = np.ones(len(free.units), dtype=bool)

    def run(self) -> list[Item]:
        """Items after all exchanges that reduce the covered area."""
        for _ in range(MAX_EXCHANGES):
            skids = SkidCapacity.of(self.items, self.rating_kva)
            if not any(self._move(end, skids) for end in self._best_ends()):
                break
        return self.items

    def _best_ends(self) -> list[_End]:
        """Ends of arrays that would save the most cells, the best first."""
        arrays = [k for k, i in enumerate(self.items) if self._is_movable(i)]
        if not arrays:
            return []
        rects = np.array([self.items[k].rect for k in arrays])
        units = self._units_of(arrays)
        ends = _Parts.of(rects, units, self.unit, 0.0, self._sizes(units), self.unit.least_units)
        spans = self.coverage.spans(ends.rects)
        # of a part's surroundings count those that the rest of the array doesn't cover
        whole_spans = self.coverage.spans(rects)[ends.owner]
        is_part = units[ends.owner] > ends.units
        at_west = is_part & (spans[:, 0] == whole_spans[:, 0])
        overlap = round(2 * SURROUNDINGS_M / CELL_M)
        spans[at_west, 2] -= overlap
        spans[is_part & ~at_west, 0] += overlap
        saved = self.coverage.covered_alone(spans)
        saved[self._is_last_of_block(arrays)[ends.owner] & ~is_part] = 0
        gain = saved - np.minimum(self._least_added(int(ends.units.max()))[ends.units], 10**9)
        best = np.argsort(-gain, kind="stable")[:MAX_ENDS]
        return [
            _End(arrays[ends.owner[e]], int(ends.units[e]), bool(at_west[e]), not is_part[e])
            for e in best[gain[best] > 0].tolist()
        ]

    def _units_of(self, arrays: Sequence[int]) -> IntArray:
        """Units of some arrays."""
        return np.array([round(self.items[k].capacity_kw / self.unit.ac_kw) for k in arrays], dtype=np.int64)

    def _sizes(self, units: IntArray) -> IntArray:
        """Units of the parts that move: whole arrays, and steps of the smallest array."""
        least = self.unit.least_units
        return np.union1d(units, np.arange(least, int(units.max(initial=0)) + 1, least))

    def _is_movable(self, item: Item) -> bool:
        """Whether an item is an array of full units, or lower."""
        return item.kind == "solar_array" and item.rect[3] - item.rect[1] < self.unit.height_m + SAME_M

    def _is_last_of_block(self, arrays: Sequence[int]) -> BoolArray:
        """Which arrays are the only ones of their power block."""
        members: dict[int, int] = {}
        for i in self.items:
            if i.kind == "solar_array":
                members[i.block] = members.get(i.block, 0) + 1
        return np.array([members[self.items[k].block] == 1 for k in arrays])

    def _least_added(self, most_units: int) -> IntArray:
        """Fewest cells that a free place would add, by units."""
        places = self.places
        added = np.where(self.is_free[places.owner], self.coverage.added(self.spans), NONE_FREE)
        least = np.full(max(most_units, int(places.units.max(initial=0))) + 1, NONE_FREE)
        np.minimum.at(least, places.units, added)
        return least

    def _move(self, end: _End, skids: SkidCapacity) -> bool:
        """Move the end of an array, if that saves cells."""
        old = self.items[end.item]
        rest = [] if end.whole else [_without_end(old, end.units, self.unit, west=end.at_west)]
        before = self.coverage.cells()
        self.coverage.add(old.rect, -1)
        for item in rest:
            self.coverage.add(item.rect)
        place = self._find_place(end.units, before - self.coverage.cells(), old, skids)
        if place is None:
            for item in rest:
                self.coverage.add(item.rect, -1)
            self.coverage.add(old.rect)
            return False
        moved, owner = place
        self.items[end.item : end.item + 1] = [*rest, moved]
        self.coverage.add(moved.rect)
        self.is_free[owner] = False
        return True

    def _find_place(self, units: int, saved: int, old: Item, skids: SkidCapacity) -> tuple[Item, int] | None:
        """Array at the best free place, and its index, or None.

        Parameters
        ----------
        units : int
            Units that move.
        saved : int
            Cells that they leave uncovered.
        old : Item
            Array that they come from.
        skids : SkidCapacity
            Capacity that skids have left.
        """
        kw = round(units * self.unit.ac_kw, 3)
        left_kw = {**skids.left_kw, old.block: skids.left_kw[old.block] + kw}
        skids = SkidCapacity(skids.blocks, skids.centres, left_kw)
        fits = np.flatnonzero((self.places.units == units) & self.is_free[self.places.owner])
        added = self.coverage.added(self.spans[fits])
        for j in np.argsort(added, kind="stable")[:MAX_PLACES].tolist():
            if added[j] >= saved:
                break
            rect = self.places.rects[fits[j]]
            block = skids.block_for(rect, kw)
            if block is None:
                continue
            west, south, east, north = (float(v) for v in rect)
            moved = of_units(replace(old, block=block), (west, south, east, north), units, self.unit)
            return moved, int(self.places.owner[fits[j]])
        return None


def _without_end(array: Item, n: int, unit: SolarUnit, *, west: bool) -> Item:
    """Array without n units at its western or its eastern end.

    Parameters
    ----------
    array : Item
        Solar array.
    n : int
        Units to remove.
    unit : SolarUnit
        Unit that it is made of.
    west : bool
        Whether to remove them in the west.
    """
    x0, south, x1, north = array.rect
    rect = (x0 + n * unit.pitch_x_m, south, x1, north) if west else (x0, south, x1 - n * unit.pitch_x_m, north)
    return of_units(array, rect, round(array.capacity_kw / unit.ac_kw) - n, unit)
