"""Local search moves for yards: re-place blocks beside existing roads to cover less ground."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.access.connect import REACH_MARGIN_M, YARD
from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.equipment import place_yard, yard_runs
from pacifico.layout.search.coverage import Coverage
from pacifico.layout.search.relocate_branch import OFF_STRIP_M, Movable

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.asset_types import AssetKind
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item

ON_ROAD_M = 1000.0
"""Value of standing on a road, as road length [m]."""
MOST_SWAPS = 40
MOST_GIVING = 12
"""Blocks that are tried before the search stops."""


@dataclass(frozen=True)
class Yard:
    """Blocks of one kind, and free places for more of them."""

    kind: AssetKind
    blocks: list[Item]
    others: list[Item]
    free: FloatArray
    """Rectangles of free places, shape (n, 4) [m]."""
    draft: Draft
    spec: Spec

    def movable(self) -> Movable:
        """Blocks and free places as movable rectangles."""
        rects = np.concatenate([np.array([i.rect for i in self.blocks]), self.free])
        chosen = np.arange(len(rects)) < len(self.blocks)

        def built(mask: BoolArray) -> Draft:
            stay = [i for i, stays in zip(self.blocks, mask[chosen].tolist(), strict=True) if stays]
            return self.with_blocks(stay, self.free[mask[~chosen]])

        fixed = np.array([i.rect for i in self.others]).reshape(-1, 4)
        return Movable(rects, np.ones(len(rects), dtype=np.int64), chosen, ~chosen, _reach_m(self.spec), fixed, built)

    def with_blocks(self, stay: list[Item], taken: FloatArray) -> Draft:
        """Draft with some of the blocks kept and others at free places."""
        of_kind = asset_type(self.spec, self.kind)
        return replace(self.draft, items=[*self.others, *stay, *(item_of(of_kind, r) for r in taken)])


def add_blocks_beside_roads(
    field: Field, spec: Spec, draft: Draft, served: ServedLayout, banned: FloatArray
) -> Draft | None:
    """Draft with unreached yard blocks moved beside the existing roads.

    None where something else is missing, or no place was found for any missing block.
    """
    missing = Counter(i.kind for i in draft.items)
    missing.subtract(i.kind for i in served.items)
    if any(n > 0 and kind not in YARD for kind, n in missing.items()):
        return None
    out = Draft(list(served.items), list(draft.unplaced), banned)

    def cost(rects: FloatArray) -> FloatArray:
        far, clear = _from_roads(rects, served)
        # a block on a road would force the road around it
        return np.where(clear, np.maximum(far, _reach_m(spec)), ON_ROAD_M)

    for kind in YARD:
        n = missing[kind]
        aisle = spec.number(kind, "aisle_m")
        placed = place_yard(field, out, asset_type(spec, kind), aisle, (0.0, 0.0), n, metres_per_degree=0.0, cost=cost)
        if placed < n:
            return None
    return out


def yard_of(field: Field, spec: Spec, draft: Draft, served: ServedLayout, *, beside: bool = True) -> Yard | None:
    """The largest yard of a plant without arrays; None without yard or free places."""
    items = list(served.untrimmed)
    count = Counter(i.kind for i in items if i.kind in YARD)
    if not count or not served.network.roads:
        return None
    kind = max(YARD, key=lambda k: count[k])
    runs = yard_runs(field, replace(draft, items=items), asset_type(spec, kind), spec.number(kind, "aisle_m"))
    far, clear = _from_roads(runs.rects, served)
    free = runs.rects[clear & ((far < _reach_m(spec)) | (not beside))]
    if not len(free):
        return None
    blocks = [i for i in items if i.kind == kind]
    return Yard(kind, blocks, [i for i in items if i.kind != kind], free, draft, spec)


def _reach_m(spec: Spec) -> float:
    return spec.number("site", "road_reach_m") - REACH_MARGIN_M


def _from_roads(rects: FloatArray, served: ServedLayout) -> tuple[FloatArray, BoolArray]:
    """Distance of rectangles from road centrelines [m], and whether their pads clear the strips."""
    lines = shapely.MultiLineString([r.line for r in served.network.roads])
    shapely.prepare(lines)
    far: FloatArray = shapely.distance(shapely.box(*rects.T), lines)
    return far, far > PAD_APRON_M + served.network.roads[0].width_m / 2 + OFF_STRIP_M


def relocate_yard(yard: Yard) -> Draft:
    """Move yard blocks that cover much ground alone to places that add little."""
    blocks = list(yard.blocks)
    rects = np.array([i.rect for i in (*yard.others, *blocks)])
    cover = Coverage(np.concatenate([rects, yard.free]))
    for rect in rects:
        cover.add(rect)
    places = cover.spans(yard.free)
    open_ = np.ones(len(yard.free), dtype=bool)
    taken: list[int] = []
    for _ in range(MOST_SWAPS):
        alone = cover.alone(cover.spans(np.array([i.rect for i in blocks])))
        for k in np.argsort(-alone, kind="stable")[:MOST_GIVING].tolist():
            cover.add(blocks[k].rect, -1)
            anew = np.where(open_, cover.anew(places), np.iinfo(np.int64).max)
            best = int(np.argmin(anew))
            if anew[best] < alone[k]:
                break
            cover.add(blocks[k].rect)
        else:
            break
        cover.add(yard.free[best])
        open_[best] = False
        taken.append(best)
        del blocks[k]
    return yard.with_blocks(blocks, yard.free[taken])
