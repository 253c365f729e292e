"""Strips of equal units between aisles: arrays, battery blocks and generators.

::

    ===================  aisle (a road fits)
    [unit][unit][unit] | [unit][unit]     strip        | cross aisle
    -------------------  gap
    [unit][unit][unit] | [unit][unit]     strip
    ===================  aisle

Strips stand where a site takes most units in all (a dynamic programme over their southings), and each strip packs
its units from the west between what blocks it: the phase is free along both axes. Strips run east-west; tracker rows
in them north-south, as trackers must, and fixed rows face the equator, so the lattice is not turned.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.ground.buildable import ROUNDING, STEEP_SHARE, Sieve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray


PHASES = 6
"""Positions of the cross aisles that are tried."""
STEPS = 16
"""Southings tried per strip height."""
COARSE = 4
"""Step among them for choosing the position of the cross aisles."""
MOST_SOUTHINGS = 900
ROAD_HALF_M = 4.0
"""Half width kept free along a cross aisle that serves arrays [m]."""
SOUTH, NORTH, WEST, EAST = 0, 1, 2, 3
"""Side of a slot on which its lane lies."""


@dataclass(frozen=True)
class StripPattern:
    """Dimensions of a strip pattern [m]."""

    pitch_x: float
    """Unit with the gap to the next [m]."""
    gap_x: float
    height: float
    pair_gap: float
    """Gap between strips without an aisle [m]."""
    aisle: float
    cross_every: int
    """Units between cross aisles."""
    most_units: int = 1
    """Most units that join into one asset."""
    strips: int = 2
    """Most strips between two aisles."""
    reach: float = 0.0
    """Reach from the middle of a cross aisle to the assets that it serves; 0: the aisles serve [m]."""


@dataclass(frozen=True)
class Slots:
    """Slots for assets in a pattern, one per row; each joins `units` units."""

    rects: FloatArray
    units: IntArray
    strip: IntArray
    """Index of the strip, from the south."""
    lane: IntArray
    """Index of the serving aisle from the south, or cross aisle from the west."""
    side: IntArray
    """Side on which it lies: SOUTH, NORTH, WEST or EAST."""
    depth: IntArray
    """Number of slots between it and its lane."""

    def take(self, which: IntArray) -> Slots:
        """Select some slots, in the given order."""
        return Slots(
            self.rects[which],
            self.units[which],
            self.strip[which],
            self.lane[which],
            self.side[which],
            self.depth[which],
        )

    def resized(self, rects: FloatArray, units: IntArray) -> Slots:
        """Slots with other rectangles and units; slots without a unit are dropped."""
        return replace(self, rects=rects, units=units).take(np.flatnonzero(units > 0))


@dataclass(frozen=True)
class StripPacking:
    """A strip pattern placed on a site."""

    pattern: StripPattern
    sieve: Sieve
    margin: float
    y: FloatArray
    """Southern edge of each strip, ascending [m]."""
    lane: IntArray
    side: IntArray
    depth: IntArray
    """Serving aisle of each strip, its side, and the strips between them."""
    first: float
    """Western edge of one cross aisle [m]."""
    edges: FloatArray

    def runs(self, blocked: FloatArray) -> Slots:
        """Slots with the most units clear of blocked rectangles, neighbours joined."""
        key = ("runs", self.pattern, self.sieve.limit_deg, self.margin, blocked.tobytes())
        kept = self.sieve.field.fits
        if key not in kept:
            kept[key] = self._runs(blocked)
        runs: Slots = kept[key]
        return runs

    def _runs(self, blocked: FloatArray) -> Slots:
        from pacifico.layout.placement import _packing_kernels as kernels  # noqa: PLC0415 (numba)

        cell = self.pattern
        width, m = cell.pitch_x - cell.gap_x, self.margin
        west, _, east, _ = self.sieve.field.placeable.bounds
        found: list[tuple[float, ...]] = []
        for s, y in enumerate(self.y.tolist()):
            open_ = kernels.blocked_x(
                self.edges, y - m - kernels.EDGE_M, y + cell.height + m + kernels.EDGE_M, west, east
            )
            if len(open_) < 2:
                continue
            shut = kernels.widened(open_, m, self.first, _period(cell), cell.aisle)
            near = blocked[(blocked[:, 1] < y + cell.height - 1e-9) & (blocked[:, 3] > y + 1e-9)]
            near = near[(near[:, 2] > shut[0, 0]) & (near[:, 0] < shut[-1, 1])]
            if len(near):
                shut = kernels.merged(np.concatenate([shut, near[:, [0, 2]]]))
            at, joins = kernels.pack(shut, *_tables(self.sieve), y, cell.height, width, cell.pitch_x, m, _step(cell))
            for part, *where in self._parts(s, at, joins, open_):
                found.append((at[part[0]], y, at[part[-1]] + width, y + cell.height, len(part), s, *where))
        table = np.array(found, dtype=np.float64).reshape(-1, 9)
        table = table[self.sieve.passes(table[:, :4])]
        return Slots(table[:, :4].copy(), *table[:, 4:].astype(np.int64).T)

    def _parts(
        self, strip: int, at: FloatArray, joins: IntArray, shut: FloatArray
    ) -> list[tuple[IntArray, int, int, int]]:
        """Slots of one strip with their lane, its side and their depth."""
        cell = self.pattern
        ends = np.flatnonzero(joins[:-1] == 0) + 1
        out: list[tuple[IntArray, int, int, int]] = []
        for run in np.split(np.arange(at.size), ends):
            if not run.size:
                continue
            if not cell.reach:
                # parts of nearly equal size: five units make 3 + 2, not 4 + 1
                parts = np.array_split(run, -(-run.size // cell.most_units))
                out += [(p, int(self.lane[strip]), int(self.side[strip]), int(self.depth[strip])) for p in parts]
            else:
                out += self._beside(run, at, shut)
        return out

    def _beside(self, run: IntArray, at: FloatArray, shut: FloatArray) -> list[tuple[IntArray, int, int, int]]:
        """Parts of a slot within reach of a cross aisle, from either end."""
        cell = self.pattern
        period, width = _period(cell), cell.pitch_x - cell.gap_x
        lane = int(np.floor((at[run[0]] - self.first) / period))
        here = self.first + lane * period + cell.aisle / 2
        far_w = at[run[0]] - here if _open(here, shut) else np.inf
        far_e = here + period - (at[run[-1]] + width) if _open(here + period, shut) else np.inf
        west, east = _reached(far_w, cell), _reached(far_e, cell)
        n = run.size
        if n <= cell.most_units and min(far_w, far_e) <= cell.reach:
            return [(run, lane, WEST, 0) if far_w <= far_e else (run, lane + 1, EAST, 0)]
        # where both ends reach the middle, share it
        from_west = min(sum(west), max(n - sum(east), n // 2))
        west, east = _cut(west, from_west), _cut(east, n - from_west)
        out, k = [], 0
        for depth, p in enumerate(west):
            out.append((run[k : k + p], lane, WEST, depth))
            k += p
        k = n
        for depth, p in enumerate(east):
            out.append((run[k - p : k], lane + 1, EAST, depth))
            k -= p
        return out


def _open(x: float, shut: FloatArray) -> bool:
    """Whether a road can run at x."""
    return not ((shut[:, 0] < x + ROAD_HALF_M) & (shut[:, 1] > x - ROAD_HALF_M)).any()


def _reached(far: float, cell: StripPattern) -> list[int]:
    """Sizes of assets one behind the other within reach, the first one at distance `far`."""
    if far > cell.reach:
        return []
    first = int((cell.reach - far) // cell.pitch_x)
    if first < 1:
        return [cell.most_units]
    sizes = []
    while first >= 1:
        sizes.append(min(first, cell.most_units))
        first -= sizes[-1]
    return [*sizes, cell.most_units]


def _cut(sizes: list[int], n: int) -> list[int]:
    out = []
    for size in sizes:
        if n <= 0:
            break
        out.append(min(size, n))
        n -= size
    return out


def pack_strips(pattern: StripPattern, sieve: Sieve, *, margin: float) -> StripPacking:
    """Place a pattern on the ground where the most units fit.

    Parameters
    ----------
    pattern : Lattice
    sieve : Sieve
        Ground and polygon test of the asset type.
    margin : float
        Kept free around each unit, for a pad's apron [m].
    """
    key = (pattern, sieve.limit_deg, margin)
    if key not in sieve.field.fits:
        sieve.field.fits[key] = _fitted(pattern, sieve, margin)
    fit: StripPacking = sieve.field.fits[key]
    return fit


def _fitted(pattern: StripPattern, sieve: Sieve, margin: float) -> StripPacking:
    from pacifico.layout.placement import _packing_kernels as kernels  # noqa: PLC0415 (numba)

    west, south, east, north = sieve.field.placeable.bounds
    rings = [shapely.get_coordinates(r) for r in shapely.get_rings(shapely.get_parts(sieve.field.placeable))]
    edges = np.concatenate([np.hstack([r[:-1], r[1:]]) for r in rings])
    period = _period(pattern)
    dims = np.array(
        [pattern.height, pattern.pitch_x - pattern.gap_x, pattern.pitch_x, margin, _step(pattern), period, pattern.aisle, west, east]
    )  # fmt: skip
    tables = _tables(sieve)
    ys = _southings(pattern, south, north, margin)
    if not ys.size:
        return StripPacking(pattern, sieve, margin, ys, *_lanes(np.zeros(0, np.int64), 1), west, edges)
    # aligned to the CRS origin, so that a boundary moved slightly does not move every array
    firsts = np.floor(west / period) * period + np.arange(PHASES) * period / PHASES
    # and aligned to where groups of units begin or end along the site's edge
    firsts = np.append(firsts, [west + margin + 2e-3 - pattern.aisle, east - margin - 2e-3])
    if east - west > (1.5 if pattern.reach else 1.0) * period:
        counts = kernels.worth(ys[::COARSE], edges, *tables, dims, firsts).sum(axis=1)
        first = firsts[int(np.argmax(counts))]
    elif pattern.reach:
        first = (west + east - pattern.aisle) / 2
    else:
        first = west - pattern.aisle - 0.1  # no cross aisle within the site
    coarse = kernels.worth(ys, edges, *tables, dims, np.array([first]))[0]
    fine = _fine(pattern, ys)
    value = np.interp(fine, ys, coarse)
    chosen, starts = kernels.stacked(fine, value, pattern.height, pattern.pair_gap, pattern.aisle, pattern.strips)
    return StripPacking(pattern, sieve, margin, fine[chosen], *_lanes(starts, pattern.strips), float(first), edges)


def _southings(pattern: StripPattern, south: float, north: float, margin: float) -> FloatArray:
    """Southings that a strip may have [m]."""
    step = max(pattern.height / STEPS, (north - south) / MOST_SOUTHINGS)
    ys = np.arange(np.ceil(south / step), np.floor((north - pattern.height) / step) + 1) * step
    if north - south < 20 * pattern.height:
        # a site hardly higher than its strips has strips along its edges only
        edge = margin + 2e-3
        ys = np.concatenate([ys, [south + edge, north - pattern.height - edge]])
    return np.unique(ys[(ys >= south) & (ys + pattern.height <= north)])


def _fine(pattern: StripPattern, ys: FloatArray) -> FloatArray:
    """Southings between those tried, at a step that divides the strip pitch and, nearly, the aisle."""
    if not ys.size:
        return ys
    pitch = pattern.height + pattern.pair_gap
    steps = pitch / np.arange(3 * STEPS, 6 * STEPS)
    wider = pattern.aisle - pattern.pair_gap
    step = steps[int(np.argmin(np.round(np.ceil(wider / steps - 1e-9) * steps - wider, 6)))]
    inner = np.arange(np.ceil(ys[0] / step), np.floor(ys[-1] / step) + 1) * step
    return np.unique(np.concatenate([inner, ys[[0, -1]]]))


def _lanes(starts: IntArray, most: int) -> tuple[IntArray, IntArray, IntArray]:
    """Serving aisle of each strip, its side and the strips between: the nearer one."""
    module = np.cumsum(starts) - 1
    lane, side, depth = (np.zeros(starts.size, np.int64) for _ in range(3))
    last = module[-1] if module.size else -1
    for k in range(last + 1):
        members = np.flatnonzero(module == k)
        n = members.size
        southern = (n + 1) // 2
        if n <= (most + 1) // 2:
            southern = 0 if k == 0 and last > 0 else n
        place = np.arange(n)
        lane[members] = k + (place >= southern)
        side[members] = np.where(place >= southern, NORTH, SOUTH)
        depth[members] = np.where(place >= southern, n - 1 - place, place)
    return lane, side, depth


def _period(pattern: StripPattern) -> float:
    return pattern.cross_every * pattern.pitch_x - pattern.gap_x + pattern.aisle


def _step(pattern: StripPattern) -> float:
    """Step by which a unit moves on where it does not fit [m]."""
    return max(pattern.pitch_x / 16, 1.0)


def _tables(sieve: Sieve) -> tuple[NDArray[np.int32], NDArray[np.int32], FloatArray, FloatArray]:
    g = sieve.field.grid
    return sieve.steep.sums, sieve.unknown.sums, np.array([g.x0, g.y0, g.dx, g.dy]), np.array([STEEP_SHARE, ROUNDING])
