"""Local search move: exchange arrays, or ends of arrays, to cover less ground."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import SolarUnit, asset_type
from pacifico.layout.ground.rects import touching
from pacifico.layout.placement.draft import Draft, of_units
from pacifico.layout.placement.seed_area import SURROUNDINGS_M
from pacifico.layout.placement.solar_arrays import BLOCK_REACH_M, CLEAR_OF_BLOCKS_M, SKID_CLEARANCE_M, solar_grounds
from pacifico.layout.search.coverage import CELL_M, Coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.placement.solar_arrays import SolarGround
    from pacifico.layout.placement.strip_packing import Slots


BEYOND_M = 150.0
"""Distance around the plant within which free places are considered [m]."""
MOST_SWAPS = 40
MOST_GIVING, MOST_TAKING = 12, 8
"""Array ends, and places for each, that are tried before the search stops."""


@dataclass(frozen=True)
class _Ends:
    """Array ends that could be removed, or parts of free places that could be used, one per row."""

    rects: FloatArray
    count: IntArray
    """Number of units."""
    owner: IntArray
    """Array, or free place, that it belongs to."""

    @staticmethod
    def of(rects: FloatArray, units: IntArray, pitch: float, gap: float, *, strips: bool) -> _Ends:
        """Ends of all sizes on both sides of each rectangle."""
        parts, counts, owners = [], [], []
        for k in range(1, int(units.max(initial=0)) + 1):
            mine = np.flatnonzero(units >= k)
            wide = np.where(units[mine] == k, rects[mine, 2] - rects[mine, 0], k * pitch - (0.0 if strips else gap))
            for east in (False, True):
                r = rects[mine].copy()
                if east:
                    r[:, 0] = r[:, 2] - wide
                else:
                    r[:, 2] = r[:, 0] + wide
                parts.append(r)
                counts.append(np.full(mine.size, k))
                owners.append(mine)
        return _Ends(np.concatenate(parts), np.concatenate(counts), np.concatenate(owners))


def free_places(ground: SolarGround, items: Sequence[Item]) -> Slots:
    """Slots of the pattern without any asset."""
    others = [i for i in items if i.kind not in ("solar_array", "inverter_skid")]
    runs = ground.runs(Draft(others).blocked(CLEAR_OF_BLOCKS_M))
    by = [
        SKID_CLEARANCE_M + 1.0
        if i.kind == "inverter_skid"
        else ground.unit.gap_x_m - 0.01
        if abs(i.rect[3] - i.rect[1] - ground.unit.height_m) < 0.01
        else CLEAR_OF_BLOCKS_M
        for i in items
    ]
    rects = np.array([i.rect for i in items]).reshape(-1, 4)
    taken = rects + np.array(by).reshape(-1, 1) * np.array([-1.0, 0.0, 1.0, 0.0])
    return runs.take(np.flatnonzero(~touching(runs.rects, taken)))


def exchange_arrays(
    field: Field, spec: Spec, draft: Draft, seed_area: SeedArea, roads: Sequence[LineString] | None = None
) -> Draft:
    """Exchange arrays one at a time until no exchange reduces the covered ground.

    Capacity and skid blocks stay the same.

    Parameters
    ----------
    field : Field
    spec : Spec
    draft : Draft
        Not changed.
    seed_area : Focus
        Where it was built.
    roads : sequence of LineString, optional
        Of the draft: other places lie beside these and within their reach.
    """
    ground = solar_grounds(field, spec, seed_area.scheme)[0]
    unit = ground.unit
    items = list(draft.items)
    runs = free_places(ground, items)
    if roads is not None and len(runs.units):
        way = shapely.union_all(list(roads))
        boxes = shapely.box(*runs.rects.T)
        beside = ~shapely.dwithin(boxes, way, spec.number("road", "width_m") / 2 + 0.3)
        beside &= shapely.dwithin(boxes, way, spec.number("site", "array_reach_m") - 2.0)
        runs = runs.take(np.flatnonzero(beside))
    rects = np.array([i.rect for i in items])
    low = rects[:, :2].min(axis=0) - BEYOND_M
    high = rects[:, 2:].max(axis=0) + BEYOND_M
    inside = (runs.rects[:, :2] > low).all(axis=1) & (runs.rects[:, 2:] < high).all(axis=1)
    free, sizes = runs.rects[inside], runs.units[inside]
    if not len(free):
        return draft
    cover = Coverage(np.concatenate([rects, free]))
    for i in items:
        cover.add(i.rect)
    skids = {i.block: i.centre for i in items if i.kind == "inverter_skid"}
    rating = asset_type(spec, "inverter_skid").rating_kva
    places = _Ends.of(free, sizes, unit.pitch_x_m, unit.gap_x_m, strips=False)
    place_spans = cover.spans(places.rects)
    open_ = np.ones(len(free), dtype=bool)
    for _ in range(MOST_SWAPS):
        own = [
            k for k, i in enumerate(items) if i.kind == "solar_array" and i.rect[3] - i.rect[1] < unit.height_m + 0.01
        ]
        members: dict[int, int] = {}
        rooms = dict.fromkeys(skids, rating)
        for i in items:
            if i.kind == "solar_array":
                members[i.block] = members.get(i.block, 0) + 1
                rooms[i.block] -= i.capacity_kw
        have = np.array([round(items[k].capacity_kw / unit.ac_kw) for k in own], dtype=np.int64)
        ends = _Ends.of(np.array([items[k].rect for k in own]), have, unit.pitch_x_m, unit.gap_x_m, strips=True)
        # the end alone covers its own surroundings less those of the rest of the array
        at = cover.spans(ends.rects)
        whole = cover.spans(np.array([items[k].rect for k in own]))[ends.owner]
        part = have[ends.owner] > ends.count
        at_west = part & (at[:, 0] == whole[:, 0])
        reach = round(2 * SURROUNDINGS_M / CELL_M)
        at[at_west, 2] -= reach
        at[part & ~at_west, 0] += reach
        saved = cover.alone(at)
        last = np.array([members[items[k].block] == 1 for k in own])[ends.owner] & ~part
        saved[last] = 0
        cost = np.where(open_[places.owner], cover.anew(place_spans), np.iinfo(np.int64).max)
        least = np.full(int(max(ends.count.max(), places.count.max(initial=0))) + 1, np.iinfo(np.int64).max)
        np.minimum.at(least, places.count, cost)
        gain = saved - np.minimum(least[ends.count], 10**9)
        done = False
        for e in np.argsort(-gain, kind="stable")[:MOST_GIVING].tolist():
            if gain[e] <= 0:
                break
            k, n = own[int(ends.owner[e])], int(ends.count[e])
            old = items[k]
            new = _shortened(old, n, unit, west=bool(at_west[e])) if part[e] else None
            before = cover.cells()
            cover.add(old.rect, -1)
            if new is not None:
                cover.add(new.rect)
            fits = np.flatnonzero((places.count == n) & open_[places.owner])
            now = cover.anew(place_spans[fits])
            left = cover.cells()
            kw = round(n * unit.ac_kw, 3)
            for j in np.argsort(now, kind="stable")[:MOST_TAKING].tolist():
                if left + now[j] >= before:
                    break
                p = fits[j]
                rect = places.rects[p]
                home = _home(rect, kw, skids, {**rooms, old.block: rooms[old.block] + kw})
                if home is None:
                    continue
                west, south, east, north = (float(v) for v in rect)
                more = of_units(replace(old, block=home), (west, south, east, north), n, unit)
                items[k : k + 1] = [new, more] if new is not None else [more]
                cover.add(more.rect)
                open_[places.owner[p]] = False
                done = True
                break
            if done:
                break
            if new is not None:
                cover.add(new.rect, -1)
            cover.add(old.rect)
        if not done:
            break
    return replace(draft, items=items)


def _shortened(old: Item, n: int, unit: SolarUnit, *, west: bool) -> Item:
    """Array shortened by n units at its western or eastern end."""
    w, s, e, north = old.rect
    rect = (w + n * unit.pitch_x_m, s, e, north) if west else (w, s, e - n * unit.pitch_x_m, north)
    return of_units(old, rect, round(old.capacity_kw / unit.ac_kw) - n, unit)


def _home(rect: FloatArray, kw: float, skids: dict[int, tuple[float, float]], rooms: dict[int, float]) -> int | None:
    """Nearest block within reach whose skid has spare rating."""
    x, y = (rect[:2] + rect[2:]) / 2
    near = [(float(np.hypot(c[0] - x, c[1] - y)), b) for b, c in skids.items() if rooms[b] >= kw]
    far, block = min(near, default=(np.inf, -1))
    return block if far <= BLOCK_REACH_M else None
