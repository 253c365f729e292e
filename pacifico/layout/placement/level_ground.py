"""."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field


def densest_place(rects: FloatArray, weights: FloatArray, enough: float) -> tuple[float, float]:
    """Place round which `enough` weight lies closest together; the centroid where there is less than that."""
    centres = np.column_stack([(rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2])
    if weights.sum() <= enough or len(rects) < 3:
        x, y = np.average(centres, axis=0, weights=weights)
        return float(x), float(y)
    # ranked on every k-th place: the anchor needs no better precision than an array
    some = np.arange(0, len(rects), -(-len(rects) // 400))
    radius = np.empty(some.size)
    for n, i in enumerate(some):
        distance = np.hypot(*(centres - centres[i]).T)
        order = np.argsort(distance, kind="stable")
        radius[n] = distance[order[np.searchsorted(np.cumsum(weights[order]), enough)]]
    x, y = centres[some[np.argmin(radius)]]
    return float(x), float(y)


SQUARE_M = 60.0
"""Side of the squares of ground that a yard is made of; they overlap by half."""

HA_PER_50_MW = 2.0
"""About what a yard covers."""


def flattest_place(field: Field, spec: Spec, power_kw: float) -> tuple[float, float]:
    """Where ground level enough for a yard lies closest together."""
    return densest_spots(field, level_share(field, spec), power_kw)


def densest_spots(field: Field, good: FloatArray, power_kw: float) -> tuple[float, float]:
    """Place with the most level ground for a yard; any point of the site where there is none."""
    if len(good):
        return densest_place(good, np.ones(len(good)), area_needed(power_kw))
    centre = field.placeable.representative_point()
    return centre.x, centre.y


def level_share(field: Field, spec: Spec) -> FloatArray:
    """Squares level enough for most of a yard, shape (n, 4); else any that can be built on."""
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
    """Squares that a yard takes: they overlap to a quarter."""
    return max(4.0, power_kw / 50_000 * HA_PER_50_MW * 1e4 / (SQUARE_M / 2) ** 2)
