"""Where a plant lies on its lattice: the windows of strips that carry a target, and what each would win at.

A window is a rectangle over consecutive strips that holds as many units as asked for. There are thousands of them on a
site; sums over bins along the strips tell for each, in no time, how large it is, how much road its lanes ask for and
how much earthwork those would mean. That is a rough guide: the best few are laid out and measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.layout.placement.seed_area import SURROUNDINGS_M
from pacifico.layout.placement.strip_packing import WEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.placement.strip_packing import Slots


SAVED_ALONG, SAVED_BESIDE, DRAWN, START_M = 1.5, 2.4, 1.1, 150.0
"""Constants of the road estimate, fitted to the roads of 80 layouts to within 20 %: lengths of an array saved along
aisles and beside cross aisles, road per metre of lane [-], and road outside the window [m]."""
HALF_LANE_M = 6.5
"""Distance from the middle of a lane along the site's edge to the slots beside it [m]."""
BUMPS, TOO_STEEP, NO_GROUND = 0.3, 40.0, 20.0
"""Earthwork of a road: share of a bump's height [-], ground over 10 % [m], ground without heights [m³/m]."""
MOST_ROWS = 40
"""Strips, or bins along cross aisles, that a window is built from; larger numbers are grouped."""
MOST_BINS = 80


@dataclass(frozen=True)
class WindowRates:
    """Candidate windows, one per row."""

    rects: FloatArray
    """West, south, east, north [m]."""
    area: FloatArray
    """Area of the window with its surroundings [m²]."""
    road: FloatArray
    """Estimated road length of its lanes, their connections and the way to the boundary [m]."""
    earth: FloatArray
    """Estimated cut and fill of those roads [m³]."""
    lanes: FloatArray
    """Position of the lanes of the pattern: northing, or easting where lanes run north-south [m]."""
    upright: bool

    def take(self, which: IntArray) -> WindowRates:
        """Select some windows."""
        return WindowRates(
            self.rects[which], self.area[which], self.road[which], self.earth[which], self.lanes, self.upright
        )

    def roads(self, i: int) -> FloatArray:
        """Lanes of a window as rows of x0, y0, x1, y1 [m]."""
        west, south, east, north = self.rects[i]
        low, high = (west, east) if self.upright else (south, north)
        mine = self.lanes[(self.lanes > low - 10) & (self.lanes < high + 10)]
        ends = [(a, south, a, north) if self.upright else (west, a, east, a) for a in mine.tolist()]
        return np.array(ends, dtype=np.float64).reshape(-1, 4)


def candidate_windows(field: Field, runs: Slots, needed: int, *, width_m: float) -> WindowRates:
    """Find windows that hold `needed` units, and estimate road and earthwork of each."""
    upright = bool(len(runs.units)) and runs.side[0] >= WEST
    # along: direction of the lanes; across: over strips, or over groups between cross aisles
    lo, hi = (runs.rects[:, 1], runs.rects[:, 3]) if upright else (runs.rects[:, 0], runs.rects[:, 2])
    row_key = 2 * runs.lane + (runs.side % 2 == (0 if upright else 1)) if upright else runs.strip
    keys, row = np.unique(row_key, return_inverse=True)
    a, b = (0, 2) if upright else (1, 3)
    low, high = np.full(keys.size, np.inf), np.full(keys.size, -np.inf)
    np.minimum.at(low, row, runs.rects[:, a])
    np.maximum.at(high, row, runs.rects[:, b])
    lane_of = np.full(keys.size, -1)
    lane_of[row] = runs.lane
    start, stop = float(lo.min()), float(hi.max())
    step = max((stop - start) / MOST_BINS, 27.0)
    bins = int(np.ceil((stop - start) / step))
    centre = np.clip((((lo + hi) / 2 - start) / step).astype(np.int64), 0, bins - 1)
    counts = np.zeros((keys.size, bins))
    np.add.at(counts, (row, centre), runs.units)
    sums = np.zeros((keys.size + 1, bins + 1))
    sums[1:, 1:] = np.cumsum(np.cumsum(counts, axis=0), axis=1)
    # position of the lanes, and earthwork per metre of road along them
    lanes = np.unique(lane_of)
    at = np.array([_lane_at(runs, lane, upright=upright) for lane in lanes.tolist()], dtype=np.float64)
    rate = _rates(field, at, start + (np.arange(bins) + 0.5) * step, upright=upright, width_m=width_m)
    moved = np.zeros((lanes.size, bins + 1))
    moved[:, 1:] = np.cumsum(rate, axis=1) * step
    lane_index = np.searchsorted(lanes, lane_of)
    length = float(np.median(hi - lo))
    saved = length * (SAVED_BESIDE if upright else SAVED_ALONG)
    found = []
    every = max(1, -(-keys.size // MOST_ROWS))
    for i in range(0, keys.size, every):
        for j in range(i, keys.size):
            c = sums[j + 1] - sums[i]
            if c[-1] < needed:
                continue
            first = np.flatnonzero(c + needed <= c[-1])
            last = np.minimum(np.searchsorted(c, c[first] + needed), bins)
            # of windows with the same end, keep the shortest
            keep = np.append(np.diff(last) > 0, True)
            first, last = first[keep], last[keep]
            mine = np.unique(lane_index[i : j + 1])
            # an array whose middle lies in the window protrudes from it
            wide = (last - first) * step + length - step
            # the road ends before the last arrays and still serves them
            driven = np.maximum(wide - saved, 30.0)
            road = DRAWN * (driven * mine.size + np.ptp(at[mine])) + START_M
            earth = sum(moved[m, last] - moved[m, first] for m in mine)
            earth = earth * np.minimum(1.0, driven / wide)
            found.append(
                np.column_stack(
                    [
                        start + first * step, start + last * step,
                        np.full(first.size, low[i : j + 1].min()), np.full(first.size, high[i : j + 1].max()), road, earth,
                    ]
                )
            )  # fmt: skip
    table = np.concatenate(found) if found else np.empty((0, 6))
    u0, u1, v0, v1, road, earth = table.T
    rects = np.column_stack([v0, u0, v1, u1] if upright else [u0, v0, u1, v1])
    area = (u1 - u0 + length - step + 2 * SURROUNDINGS_M) * (v1 - v0 + 2 * SURROUNDINGS_M)
    return WindowRates(rects, area, road, earth, at, upright)


def _lane_at(runs: Slots, lane: int, *, upright: bool) -> float:
    """Northing, or easting, of the middle of a lane [m]."""
    mine = runs.lane == lane
    a, b = (0, 2) if upright else (1, 3)
    near = mine & (runs.depth == runs.depth[mine].min())
    # on the sides NORTH and EAST the lane lies beyond the slot
    before = runs.rects[near & (runs.side % 2 == 1), b]
    after = runs.rects[near & (runs.side % 2 == 0), a]
    if before.size and after.size:
        return float((before.max() + after.min()) / 2)
    return float(before.max() + HALF_LANE_M) if before.size else float(after.min() - HALF_LANE_M)


def _rates(field: Field, at: FloatArray, along: NDArray[Any], *, upright: bool, width_m: float) -> FloatArray:
    """Cut and fill per metre of road on each lane at each place [m³/m].

    It counts the level bench across the slope, bumps, and grades over the road's limit.
    """
    g = field.grid
    u, v = np.meshgrid(along, at)
    x, y = (v, u) if upright else (u, v)
    h = max(width_m, g.dx, g.dy)

    def height(ahead: float, aside: float) -> FloatArray:
        dx, dy = (aside, ahead) if upright else (ahead, aside)
        return field.ground.at(x + dx, y + dy)

    here, ahead, back = height(0, 0), height(2 * h, 0), height(-2 * h, 0)
    across = np.abs(height(0, h) - height(0, -h)) / (2 * h)
    steep = np.abs(ahead - back) / (4 * h)
    rough = np.abs(here - (ahead + back) / 2)
    rate: FloatArray = (
        across * width_m**2 / 4 + BUMPS * rough * width_m + TOO_STEEP * np.maximum(steep - 0.1, 0.0) * width_m
    )
    return np.nan_to_num(rate, nan=NO_GROUND)
