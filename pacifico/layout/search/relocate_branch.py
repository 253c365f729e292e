"""Local search move: drop an expensive road branch.

Its arrays or blocks are placed beside the remaining roads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import POWER_BLOCK_KINDS
from pacifico.layout.ground.rects import expand_rects, touching
from pacifico.layout.placement.draft import Draft, rects_of
from pacifico.layout.placement.power_blocks import add_power_blocks
from pacifico.layout.placement.solar_arrays import CLEAR_OF_BLOCKS_M, solar_grounds
from pacifico.layout.search.exchange_arrays import OFF_STRIP_M, REACH_MARGIN_M, free_slots
from pacifico.layout.search.road_tree import rect_distance, road_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.criteria.strategies import RoadMeasure
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.layout.search.road_tree import RoadTree

MAX_SHARE = 0.35
"""Largest share of all units that one move relocates."""
MAX_MOVES = 24
"""Most branches for which new places are sought."""
BESIDE_M = 30.0
"""Road to an array beside one that roads reach [m]."""
MIN_GAIN = 0.002
"""Smallest gain of a move, as a share of the cost of all roads."""
FIXED_MARGIN_M = 1.0
"""Part of a road's reach that is not used for blocks that stay [m]."""


@dataclass(frozen=True)
class Movable:
    """Arrays or blocks that may move, and free places for them."""

    rects: FloatArray
    """Rectangles of both, shape (n, 4) [m]."""
    units: IntArray
    chosen: BoolArray
    """Which of them are built."""
    free: BoolArray
    """Which of them are free."""
    reach_m: float
    """Reach of roads [m]."""
    fixed: FloatArray
    """Items that stay, shape (m, 4) [m]."""
    draft_of: Callable[[BoolArray], Draft]
    """Draft in which these are built."""


def movable_arrays(
    context: PlacementContext, draft: Draft, served: ServedLayout, seed_area: SeedArea, target_kw: float
) -> Movable | None:
    """Arrays of a layout and free places off its roads, or None.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    draft : Draft
        Draft of the layout.
    served : ServedLayout
        Layout with its roads.
    seed_area : SeedArea
        Seed area of the draft.
    target_kw : float
        AC capacity of arrays to build [kW].
    """
    ground = solar_grounds(context, seed_area.scheme)[0]
    items = list(served.untrimmed)
    others = [i for i in items if i.kind not in POWER_BLOCK_KINDS]
    arrays = rects_of([i for i in items if i.kind == "solar_array"])
    slots = ground.slots(Draft(others).blocked(CLEAR_OF_BLOCKS_M))
    chosen = touching(expand_rects(slots.rects, -1.0), arrays)
    free = ~touching(slots.rects, arrays) & np.isin(_corners(slots.rects), _corners(free_slots(ground, items).rects))
    lines = shapely.union_all([r.line for r in served.network.roads])
    shapely.prepare(lines)
    half_m = context.spec.number("road", "width_m") / 2
    free &= ~shapely.dwithin(shapely.box(*slots.rects.T), lines, half_m + OFF_STRIP_M)
    if not free.any():
        return None

    def draft_of(mask: BoolArray) -> Draft:
        out = Draft(list(others), [u for u in draft.unplaced if u.kind not in POWER_BLOCK_KINDS], draft.excluded)
        add_power_blocks(context, ground, out, slots.take(np.flatnonzero(mask)), target_kw, seed_area=seed_area)
        return out

    reach_m = context.spec.number("site", "array_reach_m") - REACH_MARGIN_M
    return Movable(slots.rects, slots.units, chosen, free, reach_m, rects_of(others), draft_of)


def _corners(rects: FloatArray) -> NDArray[np.complex128]:
    """South-western corners as comparable numbers, to the centimetre."""
    out: NDArray[np.complex128] = np.round(rects[:, 0], 2) + 1j * np.round(rects[:, 1], 2)
    return out


def relocate_branch(
    context: PlacementContext, movable: Movable, served: ServedLayout, measure: RoadMeasure
) -> Iterator[Draft]:
    """Drafts without one road branch each, the most promising first.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    movable : Movable
        What may move, and where to.
    served : ServedLayout
        Layout with its roads.
    measure : str
        What branches are charged with: 'length' or 'earthwork'.
    """
    tree = road_tree(context, served, measure)
    if tree is None:
        return
    loads = _loads(tree, movable, context.spec.number("site", "road_reach_m") - FIXED_MARGIN_M)
    moves: list[tuple[float, BoolArray]] = []
    for node in _branches(tree, loads, movable):
        branch = tree.beyond(node)
        moved = movable.chosen & (loads.serving >= 0) & branch[np.maximum(loads.serving, 0)]
        kept_nodes = np.flatnonzero((loads.used | loads.fixed) & ~branch)
        needed = int(movable.units[moved].sum())
        found = _free_places(movable, tree.at[kept_nodes], needed, tree.cost_per_m)
        if found is None:
            continue
        places, cost = found
        gain = loads.savings[node] - cost
        if gain >= MIN_GAIN * loads.total_cost:
            moves.append((gain, (movable.chosen & ~moved) | places))
    for _, mask in sorted(moves, key=lambda m: -m[0]):
        yield movable.draft_of(mask)


@dataclass(frozen=True)
class _Loads:
    """What each road branch serves and costs, by its first node."""

    serving: IntArray
    """Node that serves each rectangle."""
    units: FloatArray
    """Movable units on each branch."""
    fixed: BoolArray
    """Whether items that stay are on it."""
    used: BoolArray
    """Whether movable items are on it."""
    savings: FloatArray
    """Cost of the roads on it that serve anything."""
    total_cost: float
    """Cost of all roads that serve anything."""


def _loads(tree: RoadTree, movable: Movable, fixed_reach_m: float) -> _Loads:
    """What each branch serves and costs, summed towards the entry."""
    serving = tree.serving_nodes(movable.rects, movable.reach_m)
    serving_fixed = tree.serving_nodes(movable.fixed, fixed_reach_m)
    n = len(tree.at)
    units, savings = np.zeros(n), np.zeros(n)
    fixed, used = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for i in np.flatnonzero(movable.chosen & (serving >= 0)).tolist():
        units[serving[i]] += movable.units[i]
        used[serving[i]] = True
    fixed[serving_fixed[serving_fixed >= 0]] = True
    parents, costs = tree.parents, tree.costs
    for v in tree.order.tolist():
        if parents[v] < 0:
            continue
        savings[v] += costs[v] if used[v] or fixed[v] else 0.0
        units[parents[v]] += units[v]
        fixed[parents[v]] |= fixed[v]
        used[parents[v]] |= used[v]
        savings[parents[v]] += savings[v]
    return _Loads(serving, units, fixed, used, savings, float(costs[used | fixed].sum()))


def _branches(tree: RoadTree, loads: _Loads, movable: Movable) -> list[int]:
    """First nodes of branches that may be dropped, the best first.

    They are ranked by savings per root of their units.
    """
    total = float(movable.units[movable.chosen].sum())
    parents, units = tree.parents, loads.units
    able = np.flatnonzero(~loads.fixed & (units > 0) & (units <= MAX_SHARE * total) & (parents >= 0))
    # of nodes that serve the same units, the one nearest to the entry
    first = able[(units[parents[able]] > units[able]) | loads.fixed[parents[able]]]
    ranked = first[np.argsort(-loads.savings[first] / np.sqrt(units[first]), kind="stable")]
    out: list[int] = ranked[:MAX_MOVES].tolist()
    return out


def _free_places(movable: Movable, at: FloatArray, needed: int, cost_per_m: float) -> tuple[BoolArray, float] | None:
    """Free places for the units needed and their cost, or None.

    The cost is that of the roads to them. Places are taken by road per unit. A place that is taken brings a road to those beside it.

    Parameters
    ----------
    movable : Movable
        Free places.
    at : (n, 2) float
        Nodes of the roads that stay [m].
    needed : int
        Units needed.
    cost_per_m : float
        Cost of a metre of road.
    """
    taken = np.zeros(len(movable.rects), dtype=bool)
    some = np.flatnonzero(movable.free)
    rects, units = movable.rects[some], movable.units[some]
    if not len(at) or units.sum() < needed:
        return None
    road_m = np.maximum(rect_distance(rects, at).min(axis=1) - movable.reach_m, 0.0)
    cost = 0.0
    while needed > 0:
        k = int(np.argmin(road_m / units + 1e-6 * (units > needed)))
        if not np.isfinite(road_m[k]):
            return None
        cost += float(road_m[k]) * cost_per_m
        taken[some[k]] = True
        needed -= int(units[k])
        if road_m[k] > 0:
            r = rects[k]
            gap = np.hypot(
                np.maximum(np.maximum(rects[:, 0] - r[2], r[0] - rects[:, 2]), 0.0),
                np.maximum(np.maximum(rects[:, 1] - r[3], r[1] - rects[:, 3]), 0.0),
            )
            road_m = np.where(np.isfinite(road_m), np.minimum(road_m, gap + BESIDE_M), np.inf)
        road_m[k] = np.inf
    return taken, cost
