"""Candidate windows, with estimates of road and earthwork.

A window is a rectangle over consecutive strips that holds the units needed. A site has thousands of them. Cumulative sums over bins along the strips give for each,
at no cost, how large it is, how much road its lanes take, and how much earthwork these cause. Only the best few are
drafted and measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.placement.strips import WEST
from pacifico.layout.placement.surroundings import SURROUNDINGS_M

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.placement.strips import Slots


SAVED_ALONG, SAVED_BESIDE = 1.5, 2.4
"""Array lengths by which a lane's road is shorter than its window, along aisles and along cross aisles."""
ROAD_FACTOR, START_M = 1.1, 150.0
"""Road per metre of lane, and road besides [m]. These four are fitted to the roads of 80 layouts on real and synthetic
ground, within 20 %."""
MIN_LANE_M = 30.0
"""Shortest road in a lane [m]."""
HALF_LANE_M = 6.5
"""Distance from the centre of a lane at the edge of the site to its slots [m]; half an aisle."""
BUMP_SHARE = 0.3
"""Part of a bump's height that a road moves."""
ROAD_GRADE, TOO_STEEP = 0.1, 40.0
"""Grade up to which roads follow the ground, and depth that a road moves per unit of grade beyond [m]."""
NODATA_M2 = 20.0
"""Earthwork per metre of road where there are no heights [m³/m]."""
MAX_ROWS = 40
"""Most strips, or groups along cross aisles, at which windows begin; of more, every second or third."""
MAX_BINS = 80
"""Most bins along the strips."""
MIN_BIN_M = 27.0
"""Smallest bin: about a solar unit [m]."""


@dataclass(frozen=True)
class WindowEstimates:
    """Candidate windows, one per row of each array."""

    rects: FloatArray
    """West, south, east, north, shape (n, 4) [m]."""
    area_m2: FloatArray
    """Window with its surroundings [m²]."""
    road_m: FloatArray
    """Road of the lanes and between them [m]."""
    earth_m3: FloatArray
    """Cut and fill of these roads [m³]."""
    lanes: FloatArray
    """Northing of each lane of the strip pattern, or easting of upright lanes [m]."""
    upright: bool
    """Whether lanes run north-south."""

    def take(self, which: IntArray) -> WindowEstimates:
        """Some of the windows."""
        return WindowEstimates(
            self.rects[which],
            self.area_m2[which],
            self.road_m[which],
            self.earth_m3[which],
            self.lanes,
            self.upright,
        )

    def lanes_in(self, i: int) -> FloatArray:
        """Lanes in a window: x0, y0, x1, y1, shape (n, 4) [m]."""
        west, south, east, north = self.rects[i]
        low, high = (west, east) if self.upright else (south, north)
        inside = self.lanes[(self.lanes > low - 10) & (self.lanes < high + 10)]
        ends = [(a, south, a, north) if self.upright else (west, a, east, a) for a in inside.tolist()]
        return np.array(ends, dtype=np.float64).reshape(-1, 4)


@dataclass(frozen=True)
class _Bins:
    """Bins along the strips."""

    start: float
    """Western end, or southern end along upright lanes [m]."""
    step: float
    """Length of a bin [m]."""
    count: int
    slot_length: float
    """Median length of a slot along the strips [m]."""


@dataclass(frozen=True)
class _Rows:
    """Strips, or groups of slots along cross aisles."""

    low: FloatArray
    """Extent across the strips [m]."""
    high: FloatArray
    lane: IntArray
    """Index of the lane that serves each."""
    units: FloatArray
    """Units in all rows and bins before, shape (rows + 1, bins + 1)."""


@dataclass(frozen=True)
class _Lanes:
    """Lanes that serve the rows."""

    at: FloatArray
    """Northing of each, or easting of upright lanes [m]."""
    earth: FloatArray
    """Cut and fill of the road in all bins before, shape (lanes, bins + 1) [m³]."""


def candidate_windows(field: Field, slots: Slots, needed: int, *, width_m: float) -> WindowEstimates:
    """Windows that hold the units needed, with estimates.

    Parameters
    ----------
    field : Field
        Heights of the ground.
    slots : Slots
        Slots of a strip pattern on free ground; at least one.
    needed : int
        Units needed.
    width_m : float
        Width of roads [m].
    """
    upright = bool(slots.side[0] >= WEST)
    bins = _make_bins(slots, upright=upright)
    rows, numbers = _make_rows(slots, bins, upright=upright)
    at = np.array([_lane_centre(slots, n, upright=upright) for n in numbers.tolist()], dtype=np.float64)
    along = bins.start + (np.arange(bins.count, dtype=np.float64) + 0.5) * bins.step
    earth = np.zeros((at.size, bins.count + 1))
    rates = _earth_per_metre(field, at, along, upright=upright, width_m=width_m)
    earth[:, 1:] = np.cumsum(rates, axis=1) * bins.step
    lanes = _Lanes(at, earth)
    every = max(1, -(-rows.low.size // MAX_ROWS))
    found = [
        _windows_over(rows, lanes, bins, (i, j), needed, upright=upright)
        for i in range(0, rows.low.size, every)
        for j in range(i, rows.low.size)
        if rows.units[j + 1, -1] - rows.units[i, -1] >= needed
    ]
    table = np.concatenate(found) if found else np.empty((0, 6))
    u0, u1, v0, v1, road, earth_m3 = table.T
    rects = np.column_stack([v0, u0, v1, u1] if upright else [u0, v0, u1, v1])
    # slots whose centre lies in the window extend beyond it
    length = u1 - u0 + bins.slot_length - bins.step + 2 * SURROUNDINGS_M
    return WindowEstimates(rects, length * (v1 - v0 + 2 * SURROUNDINGS_M), road, earth_m3, at, upright)


def _make_bins(slots: Slots, *, upright: bool) -> _Bins:
    """Bins along the strips of some slots."""
    low, high = (slots.rects[:, 1], slots.rects[:, 3]) if upright else (slots.rects[:, 0], slots.rects[:, 2])
    start, stop = float(low.min()), float(high.max())
    step = max((stop - start) / MAX_BINS, MIN_BIN_M)
    return _Bins(start, step, int(np.ceil((stop - start) / step)), float(np.median(high - low)))


def _make_rows(slots: Slots, bins: _Bins, *, upright: bool) -> tuple[_Rows, IntArray]:
    """Rows of slots, and the numbers of their lanes."""
    low, high = (slots.rects[:, 1], slots.rects[:, 3]) if upright else (slots.rects[:, 0], slots.rects[:, 2])
    number = 2 * slots.lane + (slots.side % 2 == (0 if upright else 1)) if upright else slots.strip
    rows, row = np.unique(number, return_inverse=True)
    a, b = (0, 2) if upright else (1, 3)
    row_low, row_high = np.full(rows.size, np.inf), np.full(rows.size, -np.inf)
    np.minimum.at(row_low, row, slots.rects[:, a])
    np.maximum.at(row_high, row, slots.rects[:, b])
    lane = np.full(rows.size, -1)
    lane[row] = slots.lane
    lanes = np.unique(lane)
    place = np.clip((((low + high) / 2 - bins.start) / bins.step).astype(np.int64), 0, bins.count - 1)
    units = np.zeros((rows.size, bins.count))
    np.add.at(units, (row, place), slots.units)
    sums = np.zeros((rows.size + 1, bins.count + 1))
    sums[1:, 1:] = np.cumsum(np.cumsum(units, axis=0), axis=1)
    return _Rows(row_low, row_high, np.searchsorted(lanes, lane), sums), lanes


def _windows_over(
    rows: _Rows, lanes: _Lanes, bins: _Bins, span: tuple[int, int], needed: int, *, upright: bool
) -> FloatArray:
    """Shortest windows over some rows that hold the units needed.

    Returns a row for each: start and end along the strips, start and end across [m], road [m] and earthwork [m³].

    Parameters
    ----------
    rows : _Rows
        Strips, or groups along cross aisles.
    lanes : _Lanes
        Lanes that serve them.
    bins : _Bins
        Bins along the strips.
    span : (int, int)
        First and last row.
    needed : int
        Units needed.
    upright : bool
        Whether lanes run north-south.
    """
    i, j = span
    units = rows.units[j + 1] - rows.units[i]
    first = np.flatnonzero(units + needed <= units[-1])
    last = np.minimum(np.searchsorted(units, units[first] + needed), bins.count)
    # of windows with the same end only the shortest
    keep = np.append(np.diff(last) > 0, True)
    first, last = first[keep], last[keep]
    serving = np.unique(rows.lane[i : j + 1])
    wide = (last - first) * bins.step + bins.slot_length - bins.step
    # the road ends before the arrays at both ends, which it still reaches
    saved = bins.slot_length * (SAVED_BESIDE if upright else SAVED_ALONG)
    driven = np.maximum(wide - saved, MIN_LANE_M)
    road = ROAD_FACTOR * (driven * serving.size + np.ptp(lanes.at[serving])) + START_M
    earth = sum(lanes.earth[lane, last] - lanes.earth[lane, first] for lane in serving)
    earth = earth * np.minimum(1.0, driven / wide)
    low = np.full(first.size, rows.low[i : j + 1].min())
    high = np.full(first.size, rows.high[i : j + 1].max())
    return np.column_stack([bins.start + first * bins.step, bins.start + last * bins.step, low, high, road, earth])


def _lane_centre(slots: Slots, lane: int, *, upright: bool) -> float:
    """Northing of a lane, or easting of an upright lane [m]."""
    served = slots.lane == lane
    a, b = (0, 2) if upright else (1, 3)
    nearest = served & (slots.depth == slots.depth[served].min())
    # lanes on sides NORTH and EAST lie beyond the slot
    before = slots.rects[nearest & (slots.side % 2 == 1), b]
    after = slots.rects[nearest & (slots.side % 2 == 0), a]
    if before.size and after.size:
        return float((before.max() + after.min()) / 2)
    return float(before.max() + HALF_LANE_M) if before.size else float(after.min() - HALF_LANE_M)


def _earth_per_metre(field: Field, at: FloatArray, along: FloatArray, *, upright: bool, width_m: float) -> FloatArray:
    """Cut and fill per metre of road, shape (lanes, places) [m³/m].

    It is a level bench across the slope, bumps, and what is steeper than a road may be.

    Parameters
    ----------
    field : Field
        Heights of the ground.
    at : (n,) float
        Northing of each lane, or easting of upright lanes [m].
    along : (m,) float
        Places along the lanes [m].
    upright : bool
        Whether lanes run north-south.
    width_m : float
        Width of roads [m].
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
        across * width_m**2 / 4
        + BUMP_SHARE * rough * width_m
        + TOO_STEEP * np.maximum(steep - ROAD_GRADE, 0.0) * width_m
    )
    return np.nan_to_num(rate, nan=NODATA_M2)
