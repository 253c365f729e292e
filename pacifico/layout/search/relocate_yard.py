"""Local search moves for yards: place blocks beside existing roads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.access.connect import REACH_MARGIN_M
from pacifico.layout.criteria.asset_types import PAD_APRON_M, YARD_KINDS, asset_type
from pacifico.layout.placement.draft import Draft, item_of, rects_of
from pacifico.layout.placement.equipment import place_yard, yard_slots
from pacifico.layout.search.coverage import Coverage
from pacifico.layout.search.exchange_arrays import OFF_STRIP_M
from pacifico.layout.search.relocate_branch import Movable

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.vocabulary import AssetKind

ON_ROAD_M = 1000.0
"""Penalty for a block on an existing road, which would have to go round it [m]."""
MAX_EXCHANGES = 40
"""Most blocks that move in one yard."""
MAX_BLOCKS_TRIED = 12
"""Most blocks that are tried in one step."""


@dataclass(frozen=True)
class Yard:
    """Equal blocks, and free places for more beside the roads."""

    kind: AssetKind
    blocks: list[Item]
    others: list[Item]
    """All other items of the layout."""
    free: FloatArray
    """Free places, shape (n, 4) [m]."""
    draft: Draft
    spec: Spec

    def movable(self) -> Movable:
        """Blocks and free places as movable items."""
        rects = np.concatenate([rects_of(self.blocks), self.free])
        chosen = np.arange(len(rects)) < len(self.blocks)

        def draft_of(mask: BoolArray) -> Draft:
            kept = [i for i, keep in zip(self.blocks, mask[chosen].tolist(), strict=True) if keep]
            return self.with_blocks(kept, self.free[mask[~chosen]])

        units = np.ones(len(rects), dtype=np.int64)
        return Movable(rects, units, chosen, ~chosen, _reach_m(self.spec), rects_of(self.others), draft_of)

    def with_blocks(self, kept: list[Item], places: FloatArray) -> Draft:
        """Draft with some blocks, and new ones at places [m]."""
        kind = asset_type(self.spec, self.kind)
        return replace(self.draft, items=[*self.others, *kept, *(item_of(kind, r) for r in places)])


def add_blocks_beside_roads(
    context: PlacementContext, draft: Draft, served: ServedLayout, excluded: FloatArray
) -> Draft | None:
    """Draft with blocks beside the roads for unreached ones, or None.

    None if other items are missing too, or if a block finds no place.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Draft with all items.
    served : ServedLayout
        Items that roads reach, and the roads.
    excluded : (n, 4) float
        Rectangles to keep free [m].
    """
    missing = Counter(i.kind for i in draft.items)
    missing.subtract(i.kind for i in served.items)
    if any(n > 0 and kind not in YARD_KINDS for kind, n in missing.items()):
        return None
    out = Draft(list(served.items), list(draft.unplaced), excluded)

    def cost(rects: FloatArray) -> FloatArray:
        distance, clear = _road_distance(rects, served)
        return np.where(clear, np.maximum(distance, _reach_m(context.spec)), ON_ROAD_M)

    for kind in YARD_KINDS:
        n = missing[kind]
        if place_yard(context, out, asset_type(context.spec, kind), n, cost=cost) < n:
            return None
    return out


def yard_of(context: PlacementContext, draft: Draft, served: ServedLayout, *, beside: bool = True) -> Yard | None:
    """Larger yard of a plant without arrays, or None.

    There is none without blocks, roads or a free place.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Draft of the layout.
    served : ServedLayout
        Layout with its roads.
    beside : bool
        Whether free places must be within reach of a road.
    """
    items = list(served.untrimmed)
    count = Counter(i.kind for i in items if i.kind in YARD_KINDS)
    if not count or not served.network.roads:
        return None
    kind = max(YARD_KINDS, key=lambda k: count[k])
    slots = yard_slots(context, replace(draft, items=items), asset_type(context.spec, kind))
    distance, clear = _road_distance(slots.rects, served)
    free = slots.rects[clear & ((distance < _reach_m(context.spec)) | (not beside))]
    if not len(free):
        return None
    whole = asset_type(context.spec, kind)
    # a block of fewer containers stays where it is
    movable = [i.kind == kind and i.storage_kw == whole.storage_kw for i in items]
    blocks = [i for i, moves in zip(items, movable, strict=True) if moves]
    others = [i for i, moves in zip(items, movable, strict=True) if not moves]
    return Yard(kind, blocks, others, free, draft, context.spec)


def _reach_m(spec: Spec) -> float:
    """Reach of roads to blocks [m]."""
    return spec.number("site", "road_reach_m") - REACH_MARGIN_M


def _road_distance(rects: FloatArray, served: ServedLayout) -> tuple[FloatArray, BoolArray]:
    """Distance from centrelines [m], and which pads are clear of roads."""
    lines = shapely.MultiLineString([r.line for r in served.network.roads])
    shapely.prepare(lines)
    distance: FloatArray = shapely.distance(shapely.box(*rects.T), lines)
    return distance, distance > PAD_APRON_M + served.network.roads[0].width_m / 2 + OFF_STRIP_M


def relocate_yard(yard: Yard) -> Draft:
    """Draft that covers less ground.

    Blocks that cover much alone move to free places that add little covered area.
    """
    blocks = list(yard.blocks)
    rects = rects_of([*yard.others, *blocks])
    coverage = Coverage(np.concatenate([rects, yard.free]))
    for rect in rects:
        coverage.add(rect)
    places = coverage.spans(yard.free)
    is_free = np.ones(len(yard.free), dtype=bool)
    taken: list[int] = []
    for _ in range(MAX_EXCHANGES):
        alone = coverage.covered_alone(coverage.spans(rects_of(blocks)))
        for k in np.argsort(-alone, kind="stable")[:MAX_BLOCKS_TRIED].tolist():
            coverage.add(blocks[k].rect, -1)
            added = np.where(is_free, coverage.added(places), np.iinfo(np.int64).max)
            best = int(np.argmin(added))
            if added[best] < alone[k]:
                break
            coverage.add(blocks[k].rect)
        else:
            break
        coverage.add(yard.free[best])
        is_free[best] = False
        taken.append(best)
        del blocks[k]
    return yard.with_blocks(blocks, yard.free[taken])
