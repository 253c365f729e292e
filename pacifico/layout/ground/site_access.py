"""Where a plant is reached from: the entry, existing roads, or the edge of the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.crossings import upgrade_share
from pacifico.layout.ground.buildable import BESIDE_SITE_M

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field

SAMPLE_M = 20.0
"""Distance between places along an existing road [m]."""
MAX_SAMPLES = 400
"""Most places along the existing roads of a site."""


@dataclass(frozen=True)
class SiteAccess:
    """Places from which a plant may be reached, and the road that leads to each."""

    places: tuple[BaseGeometry, ...]
    road_m: FloatArray
    """Road to each place at the price of a new one [m]."""

    def distance(self, shapes: Sequence[BaseGeometry] | FloatArray) -> FloatArray:
        """Least road to each of some shapes [m]."""
        to_each = [
            shapely.distance(shapes, p) + road for p, road in zip(self.places, self.road_m.tolist(), strict=True)
        ]
        least: FloatArray = np.min(to_each, axis=0)
        return least

    def nearest_point(self, shape: BaseGeometry) -> tuple[float, float]:
        """Point of a shape to which the least road leads [m]."""
        to_each = shapely.distance(np.asarray(self.places, dtype=object), shape) + self.road_m
        nearest = self.places[int(np.argmin(to_each))]
        x, y = shapely.get_coordinates(shapely.shortest_line(shape, nearest))[0].tolist()
        return x, y


def site_access(field: Field, spec: Spec, entry: tuple[float, float] | None = None) -> SiteAccess:
    """Places from which the plant of a site may be reached.

    Existing roads are reached from the entry, or from where they meet the edge of the site. Without any, the plant is
    reached from the entry, or from anywhere on the edge.

    Parameters
    ----------
    field : Field
        Outline of the site, and its existing roads.
    spec : Spec
        Prices of new and upgraded roads.
    entry : (float, float), optional
        Requested site entry in the working CRS [m].
    """
    edge = shapely.boundary(field.outline)
    start = edge if entry is None else shapely.Point(entry)
    samples = [found for road in _roads(field) if (found := _samples(road, start)) is not None]
    if not samples:
        return SiteAccess((start,), np.zeros(1))
    xy = np.concatenate([s[0] for s in samples])
    road_m = upgrade_share(spec) * np.concatenate([s[1] for s in samples])
    every = -(-len(xy) // MAX_SAMPLES)
    places = tuple(shapely.points(xy[::every]))
    if entry is None:
        return SiteAccess(places, road_m[::every])
    return SiteAccess((start, *places), np.concatenate([[0.0], road_m[::every]]))


def _roads(field: Field) -> list[BaseGeometry]:
    """Existing roads in or beside the site; roads that meet are one."""
    if not field.existing_roads:
        return []
    near = shapely.intersection(shapely.union_all(field.existing_roads), field.outline.buffer(BESIDE_SITE_M))
    return [part for part in shapely.get_parts(near) if part.area > 0]


def _samples(road: BaseGeometry, start: BaseGeometry) -> tuple[FloatArray, FloatArray] | None:
    """Places along a road, and their distance from where it is reached [m]; None where it isn't."""
    xy = shapely.get_coordinates(shapely.segmentize(shapely.boundary(road), SAMPLE_M))
    points = shapely.points(xy)
    shapely.prepare(start)
    at_start = shapely.dwithin(start, points, BESIDE_SITE_M)
    if not at_start.any():
        return None
    # a tree: the edge of a road may have 100,000 vertices, and pairs of them take minutes
    gates = shapely.STRtree(points[at_start])
    along: FloatArray = gates.query_nearest(points, return_distance=True, all_matches=False)[1]
    return xy, along
