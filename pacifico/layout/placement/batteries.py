"""Place battery blocks in the rows of a yard."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.placement.draft import Draft, below_one_unit
from pacifico.layout.placement.equipment import place_yard

if TYPE_CHECKING:
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.equipment import Cost

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
    battery = asset_type(context.spec, "battery")
    unlimited = not math.isfinite(storage_kw)
    count = MAX_BLOCKS if unlimited else int(storage_kw // battery.storage_kw)
    if count == 0 and storage_kw > 0:
        draft.unplaced.append(below_one_unit("battery", storage_kw, battery.storage_kw))
    recorded = len(draft.unplaced)
    place_yard(context, draft, battery, count, cost=cost)
    if unlimited:
        del draft.unplaced[recorded:]
