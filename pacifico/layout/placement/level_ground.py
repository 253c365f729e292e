"""Search for the most level ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field


def densest_place(rects: FloatArray, weights: FloatArray, enough: float) -> tuple[float, float]:
    """Centre of the densest group of rectangles with enough weight; else the centroid."""
    centres = np.column_stack([(rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2])
    if weights.sum() <= enough or len(rects) < 3:
        x, y = np.average(centres, axis=0, weights=weights)
        return float(x), float(y)
    # rank every k-th place: the anchor needs no better precision than an array
    some = np.arange(0, len(rects), -(-len(rects) // 400))
    radius = np.empty(some.size)
    for n, i in enumerate(some):
        distance = np.hypot(*(centres - centres[i]).T)
        order = np.argsort(distance, kind="stable")
        radius[n] = distance[order[np.searchsorted(np.cumsum(weights[order]), enough)]]
    x, y = centres[some[np.argmin(radius)]]
    return float(x), float(y)


SQUARE_M = 60.0
"""Side of the ground squares that a yard consists of; they overlap by half [m]."""

HA_PER_50_MW = 2.0
"""Area of a yard of 50 MW, about [ha]."""


def flattest_place(field: Field, spec: Spec, power_kw: float) -> tuple[float, float]:
    """Centre of the densest level ground for a yard."""
    return densest_spots(field, level_share(field, spec), power_kw)


def densest_spots(field: Field, good: FloatArray, power_kw: float) -> tuple[float, float]:
    """Centre of the densest squares for a yard; a point on the site where there are none."""
    if len(good):
        return densest_place(good, np.ones(len(good)), area_needed(power_kw))
    centre = field.placeable.representative_point()
    return centre.x, centre.y


def level_share(field: Field, spec: Spec) -> FloatArray:
    """Squares level enough for a yard, shape (n, 4); else all buildable ones."""
    west, south, east, north = field.placeable.bounds
    x, y = np.meshgrid(np.arange(west, east, SQUARE_M / 2), np.arange(south, north, SQUARE_M / 2))
    corners = np.column_stack([x.ravel(), y.ravel()])
    rects = np.hstack([corners, corners + SQUARE_M])
    for limit in (spec.number("substation", "slope_limit_deg"), spec.number("battery", "slope_limit_deg"), 90.0):
        good = rects[field.sieve(limit).passes(rects)]
        if len(good):
            return np.asarray(good)
    return rects[:0]


def area_needed(power_kw: float) -> float:
    """Number of squares that a yard needs; they overlap to a quarter."""
    return max(4.0, power_kw / 50_000 * HA_PER_50_MW * 1e4 / (SQUARE_M / 2) ** 2)
