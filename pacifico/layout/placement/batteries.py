"""Place battery blocks in the rows of a yard; the last one may hold fewer containers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, asset_type, battery_part
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, below_one_unit, item_of
from pacifico.layout.placement.equipment import place_yard

if TYPE_CHECKING:
    from pacifico.layout.criteria.asset_types import AssetType
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.equipment import Cost

ROUNDING_KW = 1e-6
"""Shortfall of a whole container that is rounding [kW]."""
MAX_BLOCKS = 1_000_000
"""Blocks to place where storage has no limit: more than any site holds."""


def place_batteries(context: PlacementContext, draft: Draft, storage_kw: float, cost: Cost) -> None:
    """Add battery blocks to a draft.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Grows by the blocks, and by a record of those that found no place.
    storage_kw : float
        Storage power; infinite for as much as the ground carries [kW].
    cost : callable
        Cost of rectangles.
    """
    battery, container = asset_type(context.spec, "battery"), battery_part(context.spec, 1)
    recorded = len(draft.unplaced)
    if not math.isfinite(storage_kw):
        place_yard(context, draft, battery, MAX_BLOCKS, cost=cost)
        del draft.unplaced[recorded:]
        return
    containers = int((storage_kw + ROUNDING_KW) // container.storage_kw)
    if containers == 0 and storage_kw > 0:
        draft.unplaced.append(below_one_unit("battery", storage_kw, container.storage_kw))
    count, rest = divmod(containers, int(context.spec.number("battery", "containers")))
    placed = place_yard(context, draft, battery, count + (rest > 0), cost=cost)
    if rest and placed == count + 1:
        _shorten_last(context, draft, battery_part(context.spec, rest))


def _shorten_last(context: PlacementContext, draft: Draft, part: AssetType) -> None:
    """Replace the last block by one of fewer containers, at either end of its place.

    Ground under a part may be steeper than under the whole; where it is at both ends, the part is recorded as unplaced.
    """
    west, south, east, north = draft.items.pop().rect
    ends = np.array([[west, south, west + part.length_m, north], [east - part.length_m, south, east, north]])
    legal = context.field.sieve(part.slope_limit_deg).passes(ends, apron=PAD_APRON_M)
    if legal.any():
        draft.items.append(item_of(part, ends[int(np.argmax(legal))]))
    else:
        reason = f"no free ground left within {part.slope_limit_deg:g} deg for its whole pad"
        draft.unplaced.append(Unplaced("battery", 1, reason))
