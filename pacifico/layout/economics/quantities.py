"""Quantities that the bill and the marginal costs share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.plan import Plan

CABLE_SLACK = (0.03, 0.05, 0.12)
"""Cable beyond its length in plan, low, likely and high, for slope, bends and ends [-]; engineering judgement."""
TRUNK_KW = 250.0
"""DC power of one trunk cable from an array to its skid [kW]; engineering judgement."""
STRIP_MARGIN_M = 2.0
"""Width cleared beside a road, on both sides together [m]; engineering judgement."""
TRENCH_STRIP_M = 4.0
"""Width cleared for a trench away from roads [m]; engineering judgement."""
HAUL_SQUARE_M = 200.0
"""Side of the squares between which earth is hauled; within one it counts as cutting [m]. Large sites have larger ones."""
MAX_SQUARES = 300
"""Squares of a site: a bound on the pairs of the haul's linear program."""


@dataclass(frozen=True)
class HaulSquares:
    """Squares of a site between which earth is hauled."""

    side_m: float
    """Side of each [m]."""
    centres: FloatArray
    """Centre of each, shape (n, 2) [m]."""
    square_of: IntArray
    """Square of each place."""


def haul_squares(places: FloatArray, most: int = MAX_SQUARES) -> HaulSquares:
    """Squares that hold some places [m], at most `most` of them."""
    side = HAUL_SQUARE_M
    while len(squares := np.unique(np.floor(places / side), axis=0)) > most:
        side *= 2
    square_of = np.unique(np.floor(places / side), axis=0, return_inverse=True)[1].ravel()
    return HaulSquares(side, (squares + 0.5) * side, square_of)


def upgraded_m(plan: Plan) -> dict[str, float]:
    """Length of each site road on existing roads, by road_id [m]; roads on new ground are left out."""
    lengths: dict[str, float] = {}
    for c in plan.crossing_list:
        if c.existing:
            lengths[c.of_id] = lengths.get(c.of_id, 0.0) + c.length_m
    return lengths


def array_earth(plan: Plan) -> FloatArray:
    """Place [m], cut and fill [m³] of each array, shape (n, 4).

    The plan's total is shared out by capacity: a layout that is read back has no graded cells, and must have the same bill.
    """
    total = [float(plan.metrics.get(f"array_{part}_m3", 0.0)) for part in ("cut", "fill")]
    arrays = [a.item for a in plan.asset_list if a.item.kind == "solar_array"]
    if not any(total):
        return np.zeros((0, 4))
    share = np.array([a.capacity_dc_kw for a in arrays])
    share = share / share.sum()
    return np.column_stack([[a.centre for a in arrays], total[0] * share, total[1] * share])


def own_trench_m(plan: Plan) -> float:
    """Length of trenches for cables away from roads, estimated [m]."""
    away = math.fsum(c.length_m for c in plan.cable_list if not c.in_road_trench)
    return min(away, float(plan.metrics.get("trench_length_m", 0.0)))


def trunk_lengths(plan: Plan) -> Iterator[tuple[Asset, float]]:
    """Arrays with the length of their DC trunk cables [m]: along both axes to the skid."""
    skids = {a.block_id: a for a in plan.asset_list if a.item.kind == "inverter_skid"}
    for a in plan.asset_list:
        if a.item.kind == "solar_array" and a.block_id in skids:
            (x, y), (sx, sy) = a.item.centre, skids[a.block_id].item.centre
            yield a, math.ceil(a.item.capacity_dc_kw / TRUNK_KW) * (abs(x - sx) + abs(y - sy))
