"""Find level ground for yards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field

SQUARE_M = 60.0
"""Side of the squares in which level ground is counted; they overlap by half [m]."""
HA_PER_50_MW = 2.0
"""Area of a yard per 50 MW, with aisles [ha]; engineering judgement."""
MIN_SQUARES = 4.0
"""Fewest squares of a yard: they make one square without overlap."""
MAX_ANCHORS = 400
"""Most places that are compared: an anchor needs to be no more exact than an array is long."""


def densest_place(rects: FloatArray, weights: FloatArray, enough: float) -> tuple[float, float]:
    """Place around which rectangles of enough weight lie closest together [m].

    If all rectangles together weigh less, it is their centroid.

    Parameters
    ----------
    rects : (n, 4) float
        West, south, east, north [m].
    weights : (n,) float
        Weight of each rectangle.
    enough : float
        Weight needed.
    """
    centres = np.column_stack([(rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2])
    if weights.sum() <= enough or len(rects) < 3:
        x, y = np.average(centres, axis=0, weights=weights)
        return float(x), float(y)
    some = np.arange(0, len(rects), -(-len(rects) // MAX_ANCHORS))
    radius = np.empty(some.size)
    for n, i in enumerate(some):
        distance = np.hypot(*(centres - centres[i]).T)
        order = np.argsort(distance, kind="stable")
        radius[n] = distance[order[np.searchsorted(np.cumsum(weights[order]), enough)]]
    x, y = centres[some[np.argmin(radius)]]
    return float(x), float(y)


def flattest_place(field: Field, spec: Spec, power_kw: float) -> tuple[float, float]:
    """Place around which level ground for a yard lies closest together [m].

    Parameters
    ----------
    field : Field
        Ground of the site.
    spec : Spec
        Slope limits.
    power_kw : float
        Power of the yard [kW].
    """
    return densest_squares(field, level_squares(field, spec), power_kw)


def densest_squares(field: Field, squares: FloatArray, power_kw: float) -> tuple[float, float]:
    """Place around which squares for a yard lie closest together [m].

    Without any square it is some point of the placeable ground.

    Parameters
    ----------
    field : Field
        Ground of the site.
    squares : (n, 4) float
        Squares of level ground [m].
    power_kw : float
        Power of the yard [kW].
    """
    if len(squares):
        return densest_place(squares, np.ones(len(squares)), squares_needed(power_kw))
    point = field.placeable.representative_point()
    return point.x, point.y


def level_squares(field: Field, spec: Spec) -> FloatArray:
    """Squares within the slope limit of substations, shape (n, 4) [m].

    If there is none, the limit of batteries counts instead, and then no limit.
    """
    west, south, east, north = field.placeable.bounds
    x, y = np.meshgrid(np.arange(west, east, SQUARE_M / 2), np.arange(south, north, SQUARE_M / 2))
    corners = np.column_stack([x.ravel(), y.ravel()])
    rects = np.hstack([corners, corners + SQUARE_M])
    for limit in (spec.number("substation", "slope_limit_deg"), spec.number("battery", "slope_limit_deg"), 90.0):
        level = rects[field.sieve(limit).passes(rects)]
        if len(level):
            return np.asarray(level)
    return rects[:0]


def squares_needed(power_kw: float) -> float:
    """Number of squares that a yard takes.

    Squares overlap by half along both axes, so that each adds a quarter of its area.
    """
    return max(MIN_SQUARES, power_kw / 50_000 * HA_PER_50_MW * 1e4 / (SQUARE_M / 2) ** 2)
