"""Places for the yard of a plant without arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.site_access import site_access
from pacifico.layout.placement.level_ground import SQUARE_M, densest_squares, level_squares, squares_needed
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.search.objectives import OBJECTIVES, YardMeasures
from pacifico.vocabulary import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.vocabulary import Strategy

    Point = tuple[float, float]

MAX_PLACES, MAX_SQUARES = 200, 6000
"""Most squares that are compared as the centre of a yard, and most that are counted around one."""
SAME_PLACE_SHARE = 0.5
"""Share of the larger radius within which two places count as the same."""
BESIDE_DENSEST_M = 2 * SQUARE_M
"""Distance from the densest place within which another counts as the same [m]."""
PLACES_KEPT = 3
"""Places that are kept for each objective."""
MIN_SLOPE_DEG = 0.2
"""Slope below which more level ground saves nothing [°]."""


@dataclass(frozen=True)
class RankedYards:
    """Places for a yard."""

    densest: Point
    """Place around which level ground lies closest together [m]."""
    by_strategy: Mapping[Strategy, Sequence[Point]]
    """Other places, best first by the objective of each strategy [m]."""


def rank_yards(context: PlacementContext, power_kw: float, entry: Point | None) -> RankedYards:
    """Places for a yard, ranked by the objective of each strategy.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    power_kw : float
        Power of the yard [kW].
    entry : (float, float), optional
        Requested site entry in the working CRS [m].
    """
    squares = level_squares(context.field, context.spec)
    densest = densest_squares(context.field, squares, power_kw)
    return RankedYards(densest, _rank(context, squares, power_kw, entry, densest))


def candidate_yards(ranked: RankedYards, strategy: Strategy) -> list[SeedArea]:
    """Seed areas for a yard.

    They are the densest place, the strategy's own places, then the best of other strategies.
    """
    policy = POLICIES[strategy]
    slope_m = policy.yard_slope_m
    order = [(ranked.densest, slope_m), *((place, slope_m) for place in ranked.by_strategy[strategy])]
    order += [(place, slope_m) for s in STRATEGIES if s != strategy for place in ranked.by_strategy[s][:1]]
    order += [(ranked.densest, POLICIES[s].yard_slope_m) for s in STRATEGIES]
    return [
        SeedArea("", (*at, *at), at, metres_per_degree=metres, filled_as=strategy, siting=policy.siting)
        for at, metres in dict.fromkeys(order)
    ]


def _rank(
    context: PlacementContext, squares: FloatArray, power_kw: float, entry: Point | None, densest: Point
) -> dict[Strategy, list[Point]]:
    """Best places by each objective, apart from each other.

    Parameters
    ----------
    context : PlacementContext
        Ground.
    squares : (n, 4) float
        Squares of level ground [m].
    power_kw : float
        Power of the yard [kW].
    entry : (float, float), optional
        Requested site entry in the working CRS [m].
    densest : (float, float)
        Place around which the squares lie closest together [m].
    """
    every = -(-len(squares) // MAX_SQUARES)
    squares = squares[::every] if every else squares
    if len(squares) < 3:
        return {s: [] for s in STRATEGIES}
    centres = np.column_stack([(squares[:, 0] + squares[:, 2]) / 2, (squares[:, 1] + squares[:, 3]) / 2])
    places = centres[:: -(-len(centres) // MAX_PLACES)]
    enough = min(int(np.ceil(squares_needed(power_kw) / every)), len(squares))
    distance = np.hypot(*(places[:, None] - centres[None]).transpose(2, 0, 1))
    nearest = np.argpartition(distance, enough - 1, axis=1)[:, :enough]
    radius = np.take_along_axis(distance, nearest, axis=1).max(axis=1)
    slope = np.maximum(mean_slope(context.field, squares)[nearest].mean(axis=1), MIN_SLOPE_DEG)
    access = site_access(context.field, context.spec, entry)
    road = np.maximum(access.distance(shapely.points(places)) - radius, 0.0) + radius
    measures = YardMeasures(radius, road, slope)
    return {s: _best(objective.yard(measures), places, radius, densest) for s, objective in OBJECTIVES.items()}


def _best(costs: FloatArray, places: FloatArray, radius: FloatArray, densest: Point) -> list[Point]:
    """Cheapest places, apart from each other and from the densest place.

    Parameters
    ----------
    costs : (n,) float
        Cost of each place.
    places : (n, 2) float
        Easting and northing [m].
    radius : (n,) float
        Radius of the yard at each place [m].
    densest : (float, float)
        Place to stay away from [m].
    """
    taken: list[int] = []
    for i in np.argsort(costs, kind="stable").tolist():
        apart = all(np.hypot(*(places[i] - places[k])) > SAME_PLACE_SHARE * max(radius[i], radius[k]) for k in taken)
        if apart and np.hypot(*(places[i] - densest)) > BESIDE_DENSEST_M:
            taken.append(i)
            if len(taken) == PLACES_KEPT:
                break
    return [(float(places[i, 0]), float(places[i, 1])) for i in taken]
