"""Areas of a site with roads of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import Point, box

from pacifico.layout.criteria.crossings import crossing_criteria, road_crossing_cost
from pacifico.layout.routing.lanes import Lanes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.crossings import CrossingLines
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.roads import RoadCriteria

OWN_ENTRY_M2 = 10_000.0
"""Smallest region without a crossing to others that gets an entry of its own [m²]."""
NO_AREA = -1


@dataclass(frozen=True)
class AccessArea:
    """Regions of a site that one road network serves."""

    entries: tuple[Point, ...]
    """Requested entries; none where the cheapest place on the boundary is taken."""
    lanes: Lanes


@dataclass(frozen=True)
class AccessAreas:
    """All areas of a site."""

    areas: tuple[AccessArea, ...]
    regions: tuple[Polygon, ...] = ()
    area_of: IntArray | None = None
    """Area of each region; None where one area is the whole site."""

    def of_items(self, items: Sequence[Item]) -> IntArray:
        """Area of each item: that of the nearest region."""
        if self.area_of is None:
            return np.zeros(len(items), np.int64)
        tree = shapely.STRtree(np.asarray(self.regions, dtype=object))
        boxes = np.asarray([box(*i.rect) for i in items], dtype=object)
        nearest: IntArray = self.area_of[tree.query_nearest(boxes, all_matches=False)[1]]
        return nearest


def road_lanes(field: Field, spec: Spec, criteria: RoadCriteria, obstacles: Sequence[BaseGeometry]) -> Lanes:
    """Priced lanes over barriers, between obstacles.

    Parameters
    ----------
    field : Field
        Ground and barriers.
    spec : Spec
        Limits and unit costs of crossings.
    criteria : RoadCriteria
        Width and clearance of roads.
    obstacles : sequence of geometry
        Footprints and pads.
    """
    crossings = field.crossings(crossing_criteria(spec), criteria.width_m / 2 + criteria.clearance_m)
    lines = crossings.clear_of(obstacles)
    road_usd_per_m = criteria.width_m * spec.number("costs", "road_surface")
    usd = [
        road_crossing_cost(spec, field.barriers[b].zone_type, length)
        for b, length in zip(lines.barrier.tolist(), lines.length_m.tolist(), strict=True)
    ]
    return Lanes(lines, crossings.half_width_m, 1.0 + np.array(usd) / np.maximum(lines.length_m, 1.0) / road_usd_per_m)


def access_areas(field: Field, entries: Sequence[Point], lanes: Lanes, clearance_m: float) -> AccessAreas:
    """Areas of a site, by its entries and crossings.

    Without any requested entry, a region that no crossing joins to another is an area of its own: its entry is the
    cheapest place on its boundary. With one, such a region stays without roads.

    Parameters
    ----------
    field : Field
        Ground of the site.
    entries : sequence of Point
        Requested entries.
    lanes : Lanes
        Lanes over barriers.
    clearance_m : float
        Distance of a road's centreline from every edge [m].
    """
    regions = field.regions(clearance_m)
    if len(regions) <= 1:
        return AccessAreas((AccessArea(tuple(entries), lanes),))
    tree = shapely.STRtree(np.asarray(regions, dtype=object))
    entry_region = tree.query_nearest(np.asarray(entries, dtype=object), all_matches=False)[1] if entries else []
    ends = [_nearest(tree, xy) for xy in (lanes.lines.start, lanes.lines.end)]
    roots = list(dict.fromkeys(int(r) for r in entry_region))
    area_of = _grow_areas(np.array([r.area for r in regions]), roots, ends, lanes.lines)
    count = int(area_of.max()) + 1
    if count == 1:
        return AccessAreas((AccessArea(tuple(entries), lanes),))
    areas = []
    for k in range(count):
        own: BoolArray = (area_of[ends[0]] == k) & (area_of[ends[1]] == k)
        mine = tuple(e for e, r in zip(entries, entry_region, strict=True) if area_of[r] == k)
        areas.append(AccessArea(mine, Lanes(lanes.lines.take(own), lanes.half_width_m, lanes.cost_factor[own])))
    return AccessAreas(tuple(areas), tuple(regions), np.maximum(area_of, 0))


def _nearest(tree: shapely.STRtree, xy: FloatArray) -> IntArray:
    """Region nearest to each point."""
    if not len(xy):
        return np.zeros(0, np.int64)
    found: IntArray = tree.query_nearest(np.asarray(shapely.points(xy)), all_matches=False)[1]
    return found


def _grow_areas(size_m2: FloatArray, roots: list[int], ends: Sequence[IntArray], lines: CrossingLines) -> IntArray:
    """Area of each region, or NO_AREA.

    Areas grow from the roots by the shortest crossing each time. Without roots, what is left starts areas of its own,
    largest first.

    Parameters
    ----------
    size_m2 : (n,) float
        Size of each region, largest first [m²].
    roots : list of int
        Regions with an entry, that of the first entry first.
    ends : two arrays of int
        Regions that each crossing joins.
    lines : CrossingLines
        Crossings.
    """
    area_of = np.full(size_m2.size, NO_AREA)
    area_of[roots] = np.arange(len(roots))
    order = np.argsort(lines.length_m, kind="stable")
    order = order[ends[0][order] != ends[1][order]]
    while True:
        one, other = area_of[ends[0][order]], area_of[ends[1][order]]
        new = np.flatnonzero((one == NO_AREA) != (other == NO_AREA))
        if new.size:
            k = order[new[0]]
            area = max(one[new[0]], other[new[0]])
            area_of[[ends[0][k], ends[1][k]]] = area
            continue
        left = np.flatnonzero(area_of == NO_AREA)
        if not left.size or roots or (size_m2[left[0]] < OWN_ENTRY_M2 and area_of.max() >= 0):
            return area_of
        area_of[left[0]] = area_of.max() + 1
