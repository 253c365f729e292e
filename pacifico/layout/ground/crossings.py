"""Crossing lines over ground that roads may only cross.

Along the banks of water, roads, lines and gaps between parcels, rays are cast straight across. A ray that meets the
other bank within the longest crossing, near right angles on both banks and clear of ground that may not be crossed, is
a crossing line.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as field_of
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import LineString, MultiPolygon

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.criteria.crossings import CrossingCriteria
    from pacifico.site.model import Site, ZoneType

GAP_NAME = "gap between parcels"
"""Name of the ground between two parts of a site."""
STEP_M = 4.0
"""Distance between rays along a bank [m]."""
TANGENT_M = 6.0
"""Half the stretch of a bank whose direction counts at a point [m]."""
INSIDE_M = 0.05
"""Distance from a bank at which points count as beside it [m]."""
MIN_CROSSED_M = 1.0
"""Shorter ways need no crossing [m]."""
APPROACHES_M = (30.0, 9.0)
"""Lengths of straight road before a crossing [m]: a line with the longer one is preferred, without the shorter one it is
not used."""
MARGIN_M = 0.6
"""Half width of a crossing lane beyond what a road's clearance needs [m]."""
OVERLAP_M = 1.0
"""Length by which a crossing lane reaches into the ground on both banks [m]."""
APART_M = 1.0
"""Distance between neighbouring lanes [m]."""
CIRCLE_SEGMENTS = 8
"""Chords of a quarter circle around parts of a site."""


@dataclass(frozen=True)
class Barrier:
    """Ground that roads and cables may only cross."""

    name: str
    zone_type: ZoneType
    area: BaseGeometry
    """With its buffer; working CRS [m]."""
    drivable: bool = False
    """Whether site roads may run along it: it stops no road, but meeting it is a crossing."""
    existing: bool = False
    """Whether it is an existing road that the plant uses: site roads on it are upgrades of it."""


@dataclass(frozen=True)
class CrossingLines:
    """Crossing lines from bank to bank."""

    start: FloatArray
    """Point on the first bank, shape (n, 2) [m]."""
    end: FloatArray
    """Point on the other bank, shape (n, 2) [m]."""
    barrier: IntArray
    """Barrier that each one crosses first."""

    @property
    def length_m(self) -> FloatArray:
        """Length of each crossing line [m]."""
        length: FloatArray = np.hypot(*(self.end - self.start).T)
        return length

    @property
    def direction(self) -> FloatArray:
        """Unit vector of each crossing line."""
        along: FloatArray = (self.end - self.start) / self.length_m[:, None]
        return along

    def take(self, which: IntArray | BoolArray) -> CrossingLines:
        """Some of the lines."""
        return CrossingLines(self.start[which], self.end[which], self.barrier[which])

    def lengthened(self, more_m: float) -> list[LineString]:
        """Lines that reach farther on both banks [m]."""
        along = more_m * self.direction
        return list(np.asarray(shapely.linestrings(np.stack([self.start - along, self.end + along], axis=1))))

    def strips(self, half_width_m: float, more_m: float) -> list[BaseGeometry]:
        """Strips along the lines, longer on both banks [m]."""
        return list(np.asarray(shapely.buffer(self.lengthened(more_m), half_width_m, cap_style="flat")))


NO_LINES = CrossingLines(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64))


def barriers_of(site: Site) -> tuple[Barrier, ...]:
    """Ground that roads and cables may only cross."""
    zones = [
        Barrier(z.name or z.zone_type, z.zone_type, z.with_buffer, z.drivable, z.existing)
        for z in site.exclusions
        if z.may_be_crossed and z.with_buffer.intersects(site.boundary)
    ]
    return (*zones, *(Barrier(GAP_NAME, "gap", area) for area in _gaps(site.boundary)))


def _gaps(boundary: Polygon | MultiPolygon, within_m: float = 150.0) -> list[BaseGeometry]:
    """Ground between neighbouring parts of a boundary."""
    parts = list(shapely.get_parts(boundary))
    around = [p.buffer(within_m, quad_segs=CIRCLE_SEGMENTS) for p in parts] if len(parts) > 1 else []
    near = [(i, j) for i, j in combinations(range(len(around)), 2) if parts[i].distance(parts[j]) <= within_m]
    found = [shapely.difference(shapely.intersection(around[i], around[j]), boundary) for i, j in near]
    return [g for g in found if g.area > 0]


@dataclass(frozen=True)
class Crossings:
    """All crossing lines of a site."""

    lines: CrossingLines
    approach_m: FloatArray
    """Longest of `APPROACHES_M` that the ground leaves on both banks [m]; 0 for none."""
    half_width_m: float
    """Half the width of a lane [m]."""
    conflicts: tuple[IntArray, IntArray] = field_of(repr=False)
    """Pairs of lines whose lanes are too near each other."""

    def clear_of(self, obstacles: Sequence[BaseGeometry]) -> CrossingLines:
        """Separate lines with approaches clear of obstacles."""
        if not len(self.lines.start):
            return self.lines
        rank = np.full(len(self.lines.start), len(APPROACHES_M))
        tree = shapely.STRtree(np.asarray(obstacles, dtype=object)) if len(obstacles) else None
        for k in range(len(APPROACHES_M) - 1, -1, -1):
            free = self.approach_m >= APPROACHES_M[k] - 1e-9
            if tree is not None:
                strips = np.asarray(self.lines.strips(self.half_width_m, APPROACHES_M[k]), dtype=object)
                free[np.unique(tree.query(strips, predicate="intersects")[0])] = False
            rank[free] = k
        return self.lines.take(self._without_conflicts(rank))

    def _without_conflicts(self, rank: IntArray) -> IntArray:
        """Indices of lines that don't conflict."""
        order = np.lexsort((np.arange(rank.size), np.round(self.lines.length_m), rank))
        usable = rank < len(APPROACHES_M)
        first, second = self.conflicts
        start = np.searchsorted(first, np.arange(rank.size + 1))
        chosen = []
        for n in order.tolist():
            if usable[n]:
                chosen.append(n)
                usable[second[start[n] : start[n + 1]]] = False
        return np.array(sorted(chosen), dtype=np.int64)


def find_crossings(
    allowed: Polygon | MultiPolygon, barriers: Sequence[Barrier], criteria: CrossingCriteria, clearance_m: float
) -> Crossings:
    """Crossing lines over the barriers of a site.

    Parameters
    ----------
    allowed : Polygon or MultiPolygon
        Ground on which roads may lie [m].
    barriers : sequence of Barrier
        Ground that may be crossed.
    criteria : CrossingCriteria
        Limits of length and angle.
    clearance_m : float
        Distance of a road's centreline from every edge [m].
    """
    half_width_m = clearance_m + MARGIN_M
    closed = [b for b in barriers if not b.drivable]
    lines = _lines_across(allowed, barriers, criteria) if closed and criteria.max_length_m > 0 else NO_LINES
    none = np.zeros(0, np.int64)
    if not len(lines.start):
        return Crossings(NO_LINES, np.zeros(0), half_width_m, (none, none))
    passable = shapely.union_all([allowed, *(b.area for b in closed)]).buffer(INSIDE_M)
    shapely.prepare(passable)
    lines = lines.take(np.asarray(shapely.covers(passable, lines.strips(half_width_m, OVERLAP_M)), dtype=bool))
    banks = allowed.buffer(INSIDE_M)
    approach = np.zeros(len(lines.start))
    for reach in reversed(APPROACHES_M):
        ends = np.asarray(lines.strips(half_width_m, reach), dtype=object)
        middle = np.asarray(lines.strips(half_width_m + 1.0, OVERLAP_M), dtype=object)
        approach[np.asarray(shapely.covers(banks, shapely.difference(ends, middle)), dtype=bool)] = reach
    shapes = np.asarray(lines.lengthened(OVERLAP_M), dtype=object)
    pairs = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=2 * half_width_m + APART_M)
    order = np.lexsort((pairs[1], pairs[0]))
    first, second = pairs[0][order], pairs[1][order]
    other = first != second
    return Crossings(lines, approach, half_width_m, (first[other], second[other]))


def _lines_across(
    allowed: Polygon | MultiPolygon, barriers: Sequence[Barrier], criteria: CrossingCriteria
) -> CrossingLines:
    """Lines from bank to bank, near right angles."""
    rings = [
        shapely.force_2d(r) for p in shapely.get_parts(shapely.orient_polygons(allowed)) for r in shapely.get_rings(p)
    ]
    banks = [_bank(r) for r in rings]
    at, out = (np.concatenate([b[k] for b in banks]) for k in (0, 1))
    beside = at + INSIDE_M * 4 * out
    barrier = np.full(len(at), -1)
    for k in range(len(barriers) - 1, -1, -1):
        if not barriers[k].drivable:
            shapely.prepare(barriers[k].area)
            barrier[shapely.contains_xy(barriers[k].area, beside[:, 0], beside[:, 1])] = k
    some = barrier >= 0
    at, out, barrier = at[some], out[some], barrier[some]
    if not len(at):
        return NO_LINES
    start = at + INSIDE_M * out
    reach = criteria.max_length_m - 2 * OVERLAP_M
    rays = shapely.linestrings(np.stack([start, at + reach * out], axis=1))
    shapely.prepare(allowed)
    hit = shapely.distance(shapely.intersection(rays, allowed), shapely.points(start))
    met = np.isfinite(hit) & (hit >= MIN_CROSSED_M)
    at, out, barrier, hit = at[met], out[met], barrier[met], hit[met]
    end = at + (hit + INSIDE_M)[:, None] * out
    square = _cosine_at(rings, end, out) >= np.cos(np.radians(criteria.max_skew_deg))
    return CrossingLines(at[square], end[square], barrier[square])


def _bank(ring: LineString) -> tuple[FloatArray, FloatArray]:
    """Points along a ring with their outward unit vectors.

    The ground lies to the left of the ring.
    """
    along = np.arange(STEP_M / 2, ring.length, STEP_M)
    at = shapely.get_coordinates(shapely.line_interpolate_point(ring, along))
    return at, _outwards(ring, along)


def _outwards(ring: LineString, along: FloatArray) -> FloatArray:
    """Unit vectors to the right of a ring."""
    length = ring.length
    before = shapely.get_coordinates(shapely.line_interpolate_point(ring, (along - TANGENT_M) % length))
    after = shapely.get_coordinates(shapely.line_interpolate_point(ring, (along + TANGENT_M) % length))
    run = after - before
    far = np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-9)
    out: FloatArray = np.column_stack([run[:, 1], -run[:, 0]]) / far[:, None]
    return out


def _cosine_at(rings: Sequence[LineString], at: FloatArray, direction: FloatArray) -> FloatArray:
    """Cosine between directions and the nearest bank's normal."""
    if not len(at):
        return np.zeros(0)
    points = np.asarray(shapely.points(at), dtype=object)
    which, nearest = shapely.STRtree(np.asarray(rings, dtype=object)).query_nearest(points, all_matches=False)
    cosine = np.zeros(len(at))
    for k in np.unique(nearest).tolist():
        own = which[nearest == k]
        along = np.asarray(shapely.line_locate_point(rings[k], points[own]))
        # the ray comes onto the ground: against what leads off it
        cosine[own] = -(_outwards(rings[k], along) * direction[own]).sum(axis=1)
    return cosine
