"""Tiles of side slopes, for rasters."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pacifico.layout.earthwork._kernel_types import side_slope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.earthwork._kernel_types import SideSlope
    from pacifico.layout.earthwork.criteria import EarthworkCriteria
    from pacifico.layout.model.earthwork import PadPlane

SECTOR_RAD = 0.27
"""Largest angle between two rays at an outer corner [rad]: about 15°."""
MIN_TILES, MAX_TILES = 2, 40
"""Tiles along a ray: fewer lose the shape of the slope, more cost time."""


class SlopeTiles(NamedTuple):
    """Quadrilaterals on side slopes."""

    px: FloatArray
    py: FloatArray
    """Corners and centre of each, shape (n, 5) [m]."""
    design: FloatArray
    """Design height at each centre [m]."""


class _Rays(NamedTuple):
    """Rays from edges outwards, in order along each edge."""

    x: FloatArray
    y: FloatArray
    """Where they start [m]."""
    east: FloatArray
    north: FloatArray
    """Unit direction."""
    design: FloatArray
    """Design height at the edge [m]."""
    edge: IntArray
    """Number of the edge, ascending; tiles lie between rays of one edge."""


def pad_slope_tiles(heights: Ground, pad: PadPlane, criteria: EarthworkCriteria) -> Iterator[SlopeTiles]:
    """Tiles of a pad's side slopes, ring by ring.

    Parameters
    ----------
    heights : Ground
        Heights of natural ground [m].
    pad : PadPlane
        Pad with its design plane.
    criteria : EarthworkCriteria
        Side slope, its fineness and its longest reach.
    """
    side = side_slope(heights, criteria)
    for part in getattr(pad.polygon, "geoms", [pad.polygon]):
        ring = np.asarray(part.exterior.coords)[:-1, :2]
        if not part.exterior.is_ccw:
            ring = ring[::-1]
        x, y, angle = _around(ring, side.step)
        edge = np.zeros(len(x), dtype=np.int64)
        rays = _Rays(x, y, np.cos(angle), np.sin(angle), pad.height_at(x, y), edge)
        yield from _tiles(heights, rays, side)


def road_slope_tiles(
    heights: Ground, line: FloatArray, width_m: float, criteria: EarthworkCriteria
) -> Iterator[SlopeTiles]:
    """Tiles of a road's side slopes.

    As for volumes, slopes are perpendicular to the edges, and there are none at road ends and outside bends.

    Parameters
    ----------
    heights : Ground
        Heights of natural ground [m].
    line : (n, 3) float
        Vertices of the centreline with design heights [m].
    width_m : float
        Carriageway width [m].
    criteria : EarthworkCriteria
        Side slope, its fineness and its longest reach.
    """
    side = side_slope(heights, criteria)
    edges: list[FloatArray] = []
    for a, b in pairwise(line):
        length = math.hypot(b[0] - a[0], b[1] - a[1])
        s = np.linspace(0.0, 1.0, max(math.ceil(length / side.step), 1) + 1)
        east, north = (b[1] - a[1]) / length, (a[0] - b[0]) / length
        x, y, z = (a[k] + s * (b[k] - a[k]) for k in range(3))
        for hand in (1.0, -1.0):
            ex, ey = np.full(len(s), hand * east), np.full(len(s), hand * north)
            edges.append(np.stack([x + ex * width_m / 2, y + ey * width_m / 2, ex, ey, z]))
    if edges:
        number = np.repeat(np.arange(len(edges)), [part.shape[1] for part in edges])
        x, y, east, north, design = np.concatenate(edges, axis=1)
        yield from _tiles(heights, _Rays(x, y, east, north, design, number), side)


def _around(ring: FloatArray, step: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Starts and directions of rays around a ring."""
    xs, ys, angles = [], [], []
    following = np.roll(ring, -1, axis=0)
    outward = np.arctan2(ring[:, 0] - following[:, 0], following[:, 1] - ring[:, 1])
    for k, (a, b) in enumerate(zip(ring, following, strict=True)):
        s = np.linspace(0.0, 1.0, max(math.ceil(math.hypot(*(b - a)) / step), 1) + 1)
        turn = (outward[(k + 1) % len(ring)] - outward[k] + math.pi) % (2 * math.pi) - math.pi
        sectors = np.arange(1, math.ceil(max(turn, 0.0) / SECTOR_RAD))
        xs += [a[0] + s * (b[0] - a[0]), np.full(len(sectors), b[0])]
        ys += [a[1] + s * (b[1] - a[1]), np.full(len(sectors), b[1])]
        angles += [np.full(len(s), outward[k]), outward[k] + turn * sectors / max(len(sectors) + 1, 1)]
    # the last ray is the first one again
    return tuple(np.append(v := np.concatenate(part), v[0]) for part in (xs, ys, angles))  # type: ignore[return-value]


def _tiles(heights: Ground, rays: _Rays, side: SideSlope) -> Iterator[SlopeTiles]:
    """Tiles between neighbouring rays of one edge and one sign.

    Edges that need as many tiles along a ray are done together: a road has hundreds, and each alone would cost more in calls
    than in arithmetic.
    """
    sign, reach = _daylight(heights, rays, side)
    beside = (rays.edge[:-1] == rays.edge[1:]) & (sign[:-1] == sign[1:])
    pair = np.flatnonzero(beside & (reach[:-1] + reach[1:] > 0))
    _, starts, member = np.unique(rays.edge, return_index=True, return_inverse=True)
    longest = np.maximum.reduceat(reach, starts)[member[pair]]
    counts = np.clip(np.ceil(longest / side.step), MIN_TILES, MAX_TILES).astype(np.int64)
    for count in np.unique(counts):
        t, first = np.linspace(0.0, 1.0, count + 1), pair[counts == count]
        x = _corners(rays.x, rays.east * reach, first, t)
        y = _corners(rays.y, rays.north * reach, first, t)
        z = _corners(rays.design, sign * reach / side.run, first, t)
        px, py = (np.column_stack([corners, corners.mean(axis=1)]) for corners in (x, y))
        yield SlopeTiles(px, py, z.mean(axis=1))


def _corners(start: FloatArray, change: FloatArray, first: IntArray, t: FloatArray) -> FloatArray:
    """Corners of the tiles between rays and the ones after them, in one coordinate, shape (n, 4) [m].

    Parameters
    ----------
    start, change : (n,) float
        The coordinate at the start of each ray, and its change along the ray [m].
    first : (m,) int
        The first ray of each pair.
    t : (k,) float
        Where tiles begin and end along a ray [0-1].
    """
    one, other = (start[rays, None] + change[rays, None] * t for rays in (first, first + 1))
    return np.stack([one[:, :-1], one[:, 1:], other[:, 1:], other[:, :-1]], axis=-1).reshape(-1, 4)


def _daylight(heights: Ground, rays: _Rays, side: SideSlope) -> tuple[FloatArray, FloatArray]:
    """Sign (1 in cut) and length of side slopes [m].

    A slope that meets no daylight ends at its longest reach, or where heights are missing.
    """
    t = np.append(np.arange(0.0, side.reach, side.step), side.reach)
    x, y = rays.x[:, None] + rays.east[:, None] * t, rays.y[:, None] + rays.north[:, None] * t
    above = heights.at(x, y) - rays.design[:, None]
    sign = np.nan_to_num(np.sign(above[:, 0]))
    depth = sign[:, None] * above - t / side.run
    ended = ~(depth > 0)
    ended[:, 0] |= sign == 0
    last = np.where(ended.any(axis=1), ended.argmax(axis=1), len(t) - 1)
    row, before = np.arange(len(last)), np.maximum(last - 1, 0)
    a, b = depth[row, before], depth[row, last]
    share = np.where(np.isfinite(b) & (a > b), a / np.where(a > b, a - b, 1.0), 0.0)
    reach = t[before] + (t[last] - t[before]) * np.clip(share, 0.0, 1.0)
    reach = np.where(last == 0, 0.0, np.where(ended[row, last], reach, side.reach))
    return sign, reach
