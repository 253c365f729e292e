"""Pack equal units in strips between aisles.

Solar arrays, battery blocks and generators are packed so.

::

    ===================  aisle (wide enough for a road)
    [unit][unit][unit] | [unit][unit]     strip        | cross aisle
    -------------------  gap
    [unit][unit][unit] | [unit][unit]     strip
    ===================  aisle

Dynamic programming over the southern edges of strips finds those that hold the most units in all. Each strip packs its
units from the west between blocked intervals, so that units are free to shift along both axes. Strips run east-west:
tracker rows in them run north-south, as trackers must, and fixed rows face the equator. The pattern is not rotated.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as field_of
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.ground.buildable import ROUNDING, STEEP_SHARE, Sieve
from pacifico.layout.placement._packing_kernels import (
    EDGE_M,
    SlopeTables,
    block_cross_aisles,
    blocked_intervals,
    count_units,
    merge_intervals,
    pack,
    stack_strips,
)
from pacifico.layout.placement.strips import EAST, WEST, Slots, StripPattern, lanes_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray


PHASES = 6
"""Places of the cross aisles that are compared, evenly over one period."""
STEPS = 16
"""Southern edges compared over the height of a strip."""
COARSE = 4
"""Every how many of these are compared when cross aisles are placed."""
MAX_SOUTHERN_EDGES = 900
"""Most southern edges compared on one site: bounds the run time on sites many strips high."""
EDGE_STRIPS = 20
"""Height in strips below which strips may also stand right at the site's southern and northern edge."""
EDGE_CLEARANCE_M = 2e-3
"""Distance of units from the edge of the site where they stand right at it: twice that of the kernels [m]."""
ROAD_HALF_M = 4.0
"""Free width on both sides of the centre of a cross aisle that serves arrays [m]."""


@dataclass(frozen=True)
class _Part:
    """Units of a strip that make one asset."""

    units: IntArray
    lane: int
    side: int
    depth: int


@dataclass(frozen=True)
class StripCells:
    """Cells between aisles and cross aisles, one per strip of each array."""

    spans: FloatArray
    """Western and eastern end of the strip, shape (n, 2) [m]."""
    by_cross_aisle: BoolArray
    """Whether cross aisles serve its arrays, because it is out of reach of aisles."""


@dataclass(frozen=True)
class StripPacking:
    """Strips placed on a site."""

    pattern: StripPattern
    sieve: Sieve
    margin_m: float
    """Distance kept around each unit [m]."""
    y: FloatArray
    """Southern edge of each strip, ascending [m]."""
    lane: IntArray
    """Number of the aisle that serves each strip."""
    side: IntArray
    """Side of each strip on which that lies."""
    depth: IntArray
    """Number of strips between each and its aisle."""
    first: float
    """Western edge of one cross aisle [m]."""
    edges: FloatArray
    """Edges of the placeable ground: x0, y0, x1, y1 [m]."""
    band: IntArray
    """Number of aisles south of each strip."""
    cells: StripCells | None = None
    """Cells in which the strips lie; None where they cross the whole site."""
    _memo: dict[bytes, Slots] = field_of(default_factory=dict, compare=False, repr=False)
    """Slots found so far, by the blocked rectangles."""

    def slots(self, blocked: FloatArray) -> Slots:
        """Slots of the largest possible assets.

        Parameters
        ----------
        blocked : (n, 4) float
            Rectangles to keep clear of: west, south, east, north [m].
        """
        key = blocked.tobytes()
        if key not in self._memo:
            self._memo[key] = self._find_slots(blocked)
        return self._memo[key]

    def _find_slots(self, blocked: FloatArray) -> Slots:
        """Slots that keep clear of blocked rectangles."""
        pattern, shape, m = self.pattern, self.pattern.shape(self.margin_m), self.margin_m
        west, _, east, _ = self.sieve.placeable.bounds
        tables = slope_tables(self.sieve)
        rows: list[tuple[float, ...]] = []
        for strip, y in enumerate(self.y.tolist()):
            outside = blocked_intervals(self.edges, y - m - EDGE_M, y + pattern.height + m + EDGE_M, west, east)
            if len(outside) < 2:
                continue
            if self.cells is None:
                intervals = block_cross_aisles(outside, self.first, shape)
            else:
                intervals = merge_intervals(np.concatenate([outside, _beyond(self.cells.spans[strip], west, east)]))
            near = blocked[(blocked[:, 1] < y + pattern.height - 1e-9) & (blocked[:, 3] > y + 1e-9)]
            near = near[(near[:, 2] > intervals[0, 0]) & (near[:, 0] < intervals[-1, 1])]
            if len(near):
                intervals = merge_intervals(np.concatenate([intervals, near[:, [0, 2]]]))
            at, joins = pack(intervals, tables, y, shape)
            for part in self._parts(strip, at, joins, outside):
                first, last = at[part.units[0]], at[part.units[-1]] + shape.width
                where = (part.lane, part.side, part.depth)
                rows.append((first, y, last, y + pattern.height, len(part.units), strip, *where))
        table = np.array(rows, dtype=np.float64).reshape(-1, 9)
        table = table[self.sieve.passes(table[:, :4])]
        return Slots(table[:, :4].copy(), *table[:, 4:].astype(np.int64).T)

    def _parts(self, strip: int, at: FloatArray, joins: IntArray, outside: FloatArray) -> list[_Part]:
        """Units of a strip, grouped into assets.

        Parameters
        ----------
        strip : int
            Number of the strip.
        at : (n,) float
            Western edges of its units [m].
        joins : (n,) int
            1 where a unit joins the next.
        outside : (m, 2) float
            Intervals of x outside the placeable ground [m].
        """
        pattern = self.pattern
        ends = np.flatnonzero(joins[:-1] == 0) + 1
        out: list[_Part] = []
        for run in np.split(np.arange(at.size), ends):
            if run.size < pattern.least_units:
                continue
            if not (pattern.reach if self.cells is None else self.cells.by_cross_aisle[strip]):
                # parts as equal as possible: five units make 3 + 2, not 4 + 1
                count = min(-(-run.size // pattern.most_units), run.size // pattern.least_units)
                parts = np.array_split(run[: count * pattern.most_units], count)
                where = int(self.lane[strip]), int(self.side[strip]), int(self.depth[strip])
                out += [_Part(part, *where) for part in parts]
            else:
                out += self._beside_cross_aisles(run, at, outside)
        return out

    def _beside_cross_aisles(self, run: IntArray, at: FloatArray, outside: FloatArray) -> list[_Part]:
        """Parts of joined units that cross aisles reach from either end.

        Parameters
        ----------
        run : (n,) int
            Indices of units that join.
        at : (m,) float
            Western edges of all units of the strip [m].
        outside : (k, 2) float
            Intervals of x outside the placeable ground [m].
        """
        pattern, period = self.pattern, self.pattern.period
        lane = int(np.floor((at[run[0]] - self.first) / period))
        west_lane = self.first + lane * period + pattern.aisle / 2
        east_lane = west_lane + period
        from_west = at[run[0]] - west_lane if _road_fits(west_lane, outside) else np.inf
        from_east = east_lane - (at[run[-1]] + pattern.width) if _road_fits(east_lane, outside) else np.inf
        n = run.size
        if n <= pattern.most_units and min(from_west, from_east) <= pattern.reach:
            return [_Part(run, lane, WEST, 0) if from_west <= from_east else _Part(run, lane + 1, EAST, 0)]
        west, east = _sizes_within_reach(from_west, pattern), _sizes_within_reach(from_east, pattern)
        # share the units between both ends where both reach the middle
        west_units = min(sum(west), max(n - sum(east), n // 2))
        if west_units < pattern.least_units:
            west_units = 0
        elif n - west_units < pattern.least_units:
            west_units = min(sum(west), n)
        west, east = _first_units(west, west_units, pattern), _first_units(east, n - west_units, pattern)
        out, k = [], 0
        for depth, size in enumerate(west):
            out.append(_Part(run[k : k + size], lane, WEST, depth))
            k += size
        k = n
        for depth, size in enumerate(east):
            out.append(_Part(run[k - size : k], lane + 1, EAST, depth))
            k -= size
        return out


def _road_fits(x: float, outside: FloatArray) -> bool:
    """Whether a road at x stays on placeable ground."""
    return not ((outside[:, 0] < x + ROAD_HALF_M) & (outside[:, 1] > x - ROAD_HALF_M)).any()


def _sizes_within_reach(distance: float, pattern: StripPattern) -> list[int]:
    """Sizes of assets that begin within reach of a lane.

    The first begins at a distance [m] from the lane.
    """
    if distance > pattern.reach:
        return []
    units = int((pattern.reach - distance) // pattern.pitch_x)
    sizes = []
    while units >= pattern.least_units:
        sizes.append(min(units, pattern.most_units))
        units -= sizes[-1]
    return [*sizes, pattern.most_units]


def _first_units(sizes: list[int], n: int, pattern: StripPattern) -> list[int]:
    """Sizes of the assets that hold the first n units, or nearly as many.

    Parameters
    ----------
    sizes : list of int
        Largest sizes of the assets, from the lane on.
    n : int
        Units to hold.
    pattern : StripPattern
        Fewest and most units of an asset.
    """
    out: list[int] = []
    for size in sizes:
        if n <= 0:
            break
        out.append(min(size, n))
        n -= size
    if not out or out[-1] >= pattern.least_units:
        return out
    last = out.pop()
    if not out:
        return []
    # what is too small for an asset joins the one before, or takes some of its units
    both = out.pop() + last
    if both <= pattern.most_units or both < 2 * pattern.least_units:
        return [*out, min(both, pattern.most_units)]
    return [*out, both - pattern.least_units, pattern.least_units]


def pack_strips(pattern: StripPattern, sieve: Sieve, *, margin_m: float) -> StripPacking:
    """Place strips where they hold the most units.

    Parameters
    ----------
    pattern : StripPattern
        Dimensions.
    sieve : Sieve
        Placeable ground and slope test of the asset type.
    margin_m : float
        Distance to keep around each unit, for the apron of its pad [m].
    """
    west, south, east, north = sieve.placeable.bounds
    edges = edges_of(sieve.placeable)
    ys = _southern_edges(pattern, south, north, margin_m)
    if not ys.size:
        none = np.zeros(0, np.int64)
        return StripPacking(pattern, sieve, margin_m, ys, *lanes_of(none, 1), west, edges, none)
    tables, shape, bounds = slope_tables(sieve), pattern.shape(margin_m), np.array([west, east])
    if east - west > (1.5 if pattern.reach else 1.0) * pattern.period:
        firsts = _cross_aisle_places(pattern, west, east, margin_m)
        counts = count_units(ys[::COARSE], firsts, edges, tables, shape, bounds).sum(axis=1)
        first = firsts[int(np.argmax(counts))]
    elif pattern.reach:
        first = (west + east - pattern.aisle) / 2
    else:
        first = west - pattern.aisle - 0.1  # no cross aisle on the site
    coarse = count_units(ys, np.array([first]), edges, tables, shape, bounds)[0]
    fine = _fine_edges(pattern, ys)
    units = np.interp(fine, ys, coarse)
    chosen, starts = stack_strips(fine, units, pattern.height, pattern.pair_gap, pattern.aisle, pattern.strips)
    band = np.cumsum(starts) - 1
    return StripPacking(
        pattern, sieve, margin_m, fine[chosen], *lanes_of(starts, pattern.strips), float(first), edges, band
    )


def _cross_aisle_places(pattern: StripPattern, west: float, east: float, margin_m: float) -> FloatArray:
    """Western edges to compare for one cross aisle [m].

    Parameters
    ----------
    pattern : StripPattern
        Dimensions.
    west, east : float
        Bounds of the placeable ground [m].
    margin_m : float
        Distance kept around each unit [m].
    """
    period = pattern.period
    # counted from the origin of the CRS, so that a slight change of the boundary doesn't move every array
    even = np.floor(west / period) * period + np.arange(PHASES) * period / PHASES
    # and where a group of units begins or ends right at the edge of the site
    return np.append(even, [west + margin_m + EDGE_CLEARANCE_M - pattern.aisle, east - margin_m - EDGE_CLEARANCE_M])


def _southern_edges(pattern: StripPattern, south: float, north: float, margin_m: float) -> FloatArray:
    """Southern edges to compare for a strip, ascending [m].

    Parameters
    ----------
    pattern : StripPattern
        Dimensions.
    south, north : float
        Bounds of the placeable ground [m].
    margin_m : float
        Distance kept around each unit [m].
    """
    step = max(pattern.height / STEPS, (north - south) / MAX_SOUTHERN_EDGES)
    ys = np.arange(np.ceil(south / step), np.floor((north - pattern.height) / step) + 1) * step
    if north - south < EDGE_STRIPS * pattern.height:
        edge = margin_m + EDGE_CLEARANCE_M
        ys = np.concatenate([ys, [south + edge, north - pattern.height - edge]])
    return np.unique(ys[(ys >= south) & (ys + pattern.height <= north)])


def _fine_edges(pattern: StripPattern, ys: FloatArray) -> FloatArray:
    """Southern edges at a finer step [m].

    The step divides the pitch of strips, and nearly divides an aisle.
    """
    if not ys.size:
        return ys
    pitch = pattern.height + pattern.pair_gap
    steps = pitch / np.arange(3 * STEPS, 6 * STEPS)
    wider = pattern.aisle - pattern.pair_gap
    step = steps[int(np.argmin(np.round(np.ceil(wider / steps - 1e-9) * steps - wider, 6)))]
    inner = np.arange(np.ceil(ys[0] / step), np.floor(ys[-1] / step) + 1) * step
    return np.unique(np.concatenate([inner, ys[[0, -1]]]))


def slope_tables(sieve: Sieve) -> SlopeTables:
    """Tables of a slope test for the kernels."""
    g = sieve.steep.grid
    frame = np.array([g.x0, g.y0, g.dx, g.dy])
    return SlopeTables(sieve.steep.sums, sieve.unknown.sums, frame, np.array([STEEP_SHARE, ROUNDING]))


def edges_of(area: BaseGeometry) -> FloatArray:
    """Edges of the rings of an area: x0, y0, x1, y1, shape (n, 4) [m]."""
    rings = [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(area))]
    return np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])


def _beyond(span: FloatArray, west: float, east: float) -> FloatArray:
    """Intervals between the ends of a strip and the bounds of the ground, shape (n, 2) [m]."""
    ends = [(west - 1.0, span[0])] * bool(span[0] > west) + [(span[1], east + 1.0)] * bool(span[1] < east)
    return np.array(ends, dtype=np.float64).reshape(-1, 2)
