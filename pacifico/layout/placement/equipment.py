"""Equipment: single blocks near an anchor, and yards of equal blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.asset_types import PAD_APRON_M, AssetType
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft, item_of
from pacifico.layout.placement.strip_packing import Slots, StripPattern, pack_strips

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.layout.ground.buildable import Field

MOST_CANDIDATES = 40_000
CLEAR_OF_OTHERS_M = 16.0
"""Clearance between yard blocks and other assets, for a road and its turns [m]."""
METRES_PER_DEGREE = 60.0
"""Distance worth one degree less slope [m/°]; engineering judgement."""


def place_near(
    field: Field,
    draft: Draft,
    kind: AssetType,
    anchor: tuple[float, float],
    count: int = 1,
    *,
    within: FloatArray | None = None,
    cost: Callable[[FloatArray], FloatArray] | None = None,
) -> int:
    """Add up to `count` blocks to a draft where distance to the anchor and slope cost least.

    Parameters
    ----------
    field : Field
    draft : Draft
        Grows by the blocks placed, and by an `Unplaced` for the rest.
    kind : AssetType
    anchor : (x, y)
    count : int
    within : ndarray, shape (n, 2), optional
        Centres to choose from instead of a search lattice.
    cost : callable, optional
        Of rectangles, instead of distance and slope.

    Returns
    -------
    int
        Blocks placed.
    """
    if count <= 0:
        return 0
    sieve = field.sieve(kind.slope_limit_deg)
    rects, turned = _candidates(field, kind, within)
    if len(rects):
        good = sieve.by_ground(expand_rects(rects, PAD_APRON_M))
        rects, turned = rects[good], turned[good]
        good = ~touching(rects, draft.blocked(kind.clearance_m))
        rects, turned = rects[good], turned[good]
    x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
    if cost is None:
        costs = np.hypot(x - anchor[0], y - anchor[1]) + METRES_PER_DEGREE * mean_slope(field, rects)
    else:
        costs = cost(rects)
    order = np.argsort(costs, kind="stable")
    rects, turned = rects[order], turned[order]
    placed, start = 0, 0
    while placed < count and start < len(rects):
        chunk = slice(start, start + 256)
        fits = sieve.passes(rects[chunk], apron=PAD_APRON_M)
        for i in np.flatnonzero(fits) + start:
            if placed < count and not touching(rects[i : i + 1], draft.blocked(kind.clearance_m))[0]:
                draft.items.append(item_of(kind, rects[i], rotation_deg=90.0 if turned[i] else 0.0))
                placed += 1
        start += 256
    if placed < count:
        draft.unplaced.append(
            Unplaced(kind.kind, count - placed, f"no free ground within {kind.slope_limit_deg:g} deg for its whole pad")
        )
    return placed


def place_yard(
    field: Field,
    draft: Draft,
    kind: AssetType,
    aisle_m: float,
    anchor: tuple[float, float],
    count: int,
    *,
    metres_per_degree: float,
    cost: Callable[[FloatArray], FloatArray] | None = None,
) -> int:
    """Add up to `count` equal blocks in rows between aisles, cheapest first."""
    if count <= 0:
        return 0
    runs = yard_runs(field, draft, kind, aisle_m)
    if cost is None:
        order = cheapest_first(field, runs.rects, anchor, metres_per_degree)[:count]
    else:
        order = np.argsort(cost(runs.rects), kind="stable")[:count]
    draft.items.extend(item_of(kind, runs.rects[i]) for i in order)
    if len(order) < count:
        draft.unplaced.append(
            Unplaced(
                kind.kind,
                count - len(order),
                f"no free ground left within {kind.slope_limit_deg:g} deg for its whole pad",
            )
        )
    return len(order)


def yard_runs(field: Field, draft: Draft, kind: AssetType, aisle_m: float) -> Slots:
    """Free places in the rows of a yard."""
    gap = 2 * max(kind.clearance_m, PAD_APRON_M + 0.1)
    pattern = StripPattern(
        kind.length_m + gap, gap, kind.width_m, gap, aisle_m, cross_every=max(int(150 // (kind.length_m + gap)), 1)
    )
    fit = pack_strips(pattern, field.sieve(kind.slope_limit_deg), margin=PAD_APRON_M)
    same = np.array([i.rect for i in draft.items if i.kind == kind.kind]).reshape(-1, 4)
    others = replace(draft, items=[i for i in draft.items if i.kind != kind.kind])
    blocked = others.blocked(max(kind.clearance_m, CLEAR_OF_OTHERS_M))
    return fit.runs(np.concatenate([blocked, expand_rects(same, gap - 0.01)]))


def cheapest_first(
    field: Field, rects: FloatArray, anchor: tuple[float, float], metres_per_degree: float
) -> NDArray[np.int64]:
    """Order of rectangles by distance to an anchor plus the price of slope."""
    x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
    cost = np.hypot(x - anchor[0], y - anchor[1]) + metres_per_degree * mean_slope(field, rects)
    return np.argsort(cost, kind="stable")


def _candidates(field: Field, kind: AssetType, within: FloatArray | None) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Rectangles in both orientations on a search grid over the placeable ground."""
    west, south, east, north = field.placeable.bounds
    if within is None:
        step = max(
            min(kind.length_m, kind.width_m) / 2, np.sqrt((east - west) * (north - south) / MOST_CANDIDATES), 5.0
        )
        x, y = np.meshgrid(np.arange(west, east, step), np.arange(south, north, step))
        within = np.column_stack([x.ravel(), y.ravel()])
    sides = [(kind.length_m, kind.width_m), (kind.width_m, kind.length_m)]
    rects = [
        np.column_stack([within[:, 0] - a / 2, within[:, 1] - b / 2, within[:, 0] + a / 2, within[:, 1] + b / 2])
        for a, b in sides
    ]
    return np.concatenate(rects), np.repeat([False, True], len(within))
