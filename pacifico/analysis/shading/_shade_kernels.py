"""Kernels of row-to-row shade: rotations of trackers, and light on each row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pacifico.jit import njit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class FieldArrays(NamedTuple):
    """Rows of a `RowField`, as kernels take them."""

    start: Floats
    end: Floats
    across: Floats
    heights: Floats
    collector: float
    offset: float
    first: Ints
    neighbour: Ints
    line: Ints


@njit(cache=True, nogil=True)
def height_at(field: FieldArrays, row: int, s: float) -> float:
    """Height of a row at a place along, straight on beyond its ends [m]."""
    last = field.heights.shape[1] - 1
    at = (s - field.start[row]) / (field.end[row] - field.start[row]) * last
    k = min(max(int(np.floor(at)), 0), last - 1)
    low = field.heights[row, k]
    height: float = low + (at - k) * (field.heights[row, k + 1] - low)
    return height


@njit(cache=True, nogil=True)
def row_slope(field: FieldArrays, row: int) -> float:
    """Slope of a row from start to end [rise/run]."""
    slope: float = (field.heights[row, -1] - field.heights[row, 0]) / (field.end[row] - field.start[row])
    return slope


@njit(cache=True, nogil=True)
def cross_slopes(field: FieldArrays, i: int, stations: int) -> Floats:
    """Distance [m], steepest rise and steepest fall [rise/run] to the nearest line on either side, shape (2, 3).

    Heights are compared at right angles to the row. The distance is infinite without a neighbour.
    """
    out = np.zeros((2, 3))
    length, tan_slope = field.end[i] - field.start[i], row_slope(field, i)
    cos_slope = 1.0 / np.sqrt(1.0 + tan_slope * tan_slope)
    for side in range(2):
        near, rise, fall = np.inf, -np.inf, np.inf
        for m in range(field.first[2 * i + side], field.first[2 * i + side + 1]):
            j = field.neighbour[m]
            if field.line[m] != 0:
                continue
            dx = abs(field.across[j] - field.across[i])
            for k in range(stations):
                s = field.start[i] + length * (k + 0.5) / stations
                if field.start[j] <= s <= field.end[j]:
                    slope = (height_at(field, j, s) - height_at(field, i, s)) * cos_slope / dx
                    near, rise, fall = min(near, dx), max(rise, slope), min(fall, slope)
        out[side, 0], out[side, 1], out[side, 2] = near, rise, fall
    return out


@njit(cache=True, nogil=True)
def backtracked(field: FieldArrays, sun: Floats, limit: float, stations: int) -> tuple[Floats, Floats]:
    """Cosine and sine of each tracker's rotation that keeps it and its neighbours out of shade.

    A tracker of width w turns away from the sun until the light that it takes is no wider than the distance between rays
    through its tube and its neighbour's, on either side. It takes w cos(turn); two neighbours that both do this just touch.

    Parameters
    ----------
    field : FieldArrays
        Rows.
    sun : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    limit : float
        Largest rotation [rad].
    stations : int
        Places along a row that are compared with its neighbours.

    Returns
    -------
    ndarray, shape (hours, rows)
        Right-handed rotations about the rows.
    """
    n, hours = field.start.size, sun.shape[0]
    cos_turn, sin_turn = np.ones((hours, n)), np.zeros((hours, n))
    cos_limit, sin_limit = np.cos(limit), np.sin(limit)
    for i in range(n):
        tan_slope = row_slope(field, i)
        cos_slope = 1.0 / np.sqrt(1.0 + tan_slope * tan_slope)
        beside = cross_slopes(field, i, stations)
        for t in range(hours):
            up = (sun[t, 2] - sun[t, 1] * tan_slope) * cos_slope
            r = np.hypot(sun[t, 0], up)
            if r < 1e-9:
                continue
            cosine, sine = up / r, abs(sun[t, 0]) / r
            towards = 1 if sun[t, 0] > 0 else 0
            # towards the sun a neighbour that rises brings rays together, away from it one that falls
            width = 1.0
            if beside[towards, 0] < np.inf:
                width = min(width, beside[towards, 0] * (cosine - beside[towards, 1] * sine) / field.collector)
            if beside[1 - towards, 0] < np.inf:
                width = min(width, beside[1 - towards, 0] * (cosine + beside[1 - towards, 2] * sine) / field.collector)
            # from the sun back by the angle whose cosine is the width
            width = max(width, 0.0)
            back = np.sqrt(1.0 - width * width)
            c = cosine * width + sine * back
            q = sine * width - cosine * back
            if c < cos_limit:
                c, q = cos_limit, (sin_limit if q > 0 else -sin_limit)
            cos_turn[t, i], sin_turn[t, i] = c, (q if sun[t, 0] > 0 else -q)
    return cos_turn, sin_turn


@njit(cache=True, nogil=True)
def neighbour_table(field: FieldArrays, i: int, cos_slope: float) -> Floats:
    """Neighbours of a row as seen from its line, shape (neighbours, 4 + nodes).

    Distance across with its sign, line, start and end of each [m], then its rise above the straight line of the row at its
    own nodes, at right angles to the row [m].
    """
    low, high = field.first[2 * i], field.first[2 * i + 2]
    last = field.heights.shape[1] - 1
    out = np.empty((high - low, 5 + last))
    slope = row_slope(field, i)
    for m in range(low, high):
        j, k = field.neighbour[m], m - low
        out[k, 0], out[k, 1] = field.across[j] - field.across[i], field.line[m]
        out[k, 2], out[k, 3] = field.start[j], field.end[j]
        for node in range(last + 1):
            s = field.start[j] + (field.end[j] - field.start[j]) * node / last
            line = field.heights[i, 0] + slope * (s - field.start[i])
            out[k, 4 + node] = (field.heights[j, node] - line) * cos_slope
    return out


@njit(cache=True, nogil=True)
def lost_to_shade(
    field: FieldArrays, sun: Floats, turned: tuple[Floats, Floats], blocks: tuple[int, int], pieces: int
) -> Floats:
    """Share of the beam's power that each row loses to shade, shape (hours, rows).

    Parameters
    ----------
    field : FieldArrays
        Rows.
    sun : ndarray, shape (hours, 3)
        Unit vectors to the sun: across, along, up.
    turned : (ndarray, ndarray)
        Cosine and sine of right-handed rotations about the rows, shape (hours, rows or 1).
    blocks : (int, int)
        Blocks and cells of `ShadeBlocks`; (1, 1) gives the share of the width in shade.
    pieces : int
        Pieces of a row.
    """
    cos_turn, sin_turn = turned
    n, hours, own_each = field.start.size, sun.shape[0], cos_turn.shape[1] > 1
    count, cells = blocks
    collector, offset, last = field.collector, field.offset, field.heights.shape[1] - 1
    out = np.zeros((hours, n))
    middle, sag = np.empty(pieces), np.empty(pieces)
    for i in range(n):
        slope = row_slope(field, i)
        cos_slope = 1.0 / np.sqrt(1.0 + slope * slope)
        half = (field.end[i] - field.start[i]) / (2 * pieces)
        deepest = 0.0
        for k in range(pieces):
            middle[k] = field.start[i] + (2 * k + 1) * half
            line = field.heights[i, 0] + slope * (middle[k] - field.start[i])
            sag[k] = (line - height_at(field, i, middle[k])) * cos_slope
            deepest = max(deepest, sag[k])
        beside = neighbour_table(field, i, cos_slope)
        split = field.first[2 * i + 1] - field.first[2 * i]
        near, rise = np.full(2, np.inf), np.full(2, -np.inf)
        for m in range(beside.shape[0]):
            side, dx = (0 if m < split else 1), abs(beside[m, 0])
            near[side] = min(near[side], dx)
            rise[side] = max(rise[side], (np.max(beside[m, 4:]) + deepest) / dx)
        for t in range(hours):
            across = sun[t, 0]
            side = 1 if across > 0 else 0
            raised = (sun[t, 2] - sun[t, 1] * slope) * cos_slope
            r = np.sqrt(across * across + raised * raised)
            if r < 1e-9 or abs(across) < 1e-6:
                continue
            sine, cosine = across / r, raised / r
            own = i if own_each else 0
            width = cos_turn[t, own] * cosine + sin_turn[t, own] * sine
            if width <= 0.0:
                continue
            # the neighbour that rises most, as wide as it can be, leaves all of the light
            widest = 0.5 + 0.5 * width if own_each else width
            if near[side] * (cosine - rise[side] * abs(sine)) >= collector * widest + 2 * offset * own_each:
                continue
            drift, sign = sun[t, 1] / across, (1.0 if sine > 0 else -1.0)
            first, end = (split, beside.shape[0]) if side == 1 else (0, split)
            lost = 0.0
            for k in range(pieces):
                worst, total, line_now = 0.0, 0.0, 0.0
                for m in range(first, end):
                    if beside[m, 1] != line_now:
                        worst, total, line_now = max(worst, total), 0.0, beside[m, 1]
                    step = beside[m, 0]
                    s = middle[k] + step * drift
                    covered = min(s + half, beside[m, 3]) - max(s - half, beside[m, 2])
                    if covered <= 0.0:
                        continue
                    at = (s - beside[m, 2]) / (beside[m, 3] - beside[m, 2]) * last
                    node = min(max(int(np.floor(at)), 0), last - 1)
                    low = beside[m, 4 + node]
                    up = low + (at - node) * (beside[m, 5 + node] - low) + sag[k]
                    # distance between the rays through the middles of both rows, in widths of a collector
                    apart = (abs(step) * cosine - up * abs(sine)) / collector
                    other = width
                    if own_each:
                        j = field.neighbour[field.first[2 * i] + m]
                        other = abs(cos_turn[t, j] * cosine + sin_turn[t, j] * sine)
                        # modules above the tube's axis move towards or away from the sun as they turn
                        lift = (sin_turn[t, i] - sin_turn[t, j]) * cosine - (cos_turn[t, i] - cos_turn[t, j]) * sine
                        apart -= sign * offset * lift / collector
                    # what passes below the neighbour meets the ground
                    dark = (width + other) / 2 - apart
                    if dark > 0.0:
                        depth = min(dark / width, 1.0) * count
                        whole = np.floor(depth)
                        total += (whole + min(cells * (depth - whole), 1.0)) / count * covered / (2 * half)
                lost += min(max(worst, total), 1.0)
            out[t, i] = lost / pieces
    return out
