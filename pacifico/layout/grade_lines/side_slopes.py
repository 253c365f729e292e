"""Side slopes of roads: where they meet the ground.

A side slope of a cut ends within a distance where, somewhere up to there, the ground is no higher than the slope, and one
of a fill where the ground is no lower. Both give one range of heights for each side of a cross-section.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.polyline import cumulative_length

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground

FARTHEST_M = 20.0
"""Edges farther than this from a road limit no height: few side slopes are as long [m]."""
STEP_M = 0.5
"""Distance between heights along a cross-section [m]."""
SECTION_M = 2.0
"""Distance between cross-sections along a road whose heights are known [m]."""
NEAR_M = 4.0
"""Length of the first part of a cross-section, within which most side slopes end [m]."""
COVERED_M = 0.3
"""Part of a side slope beyond an edge that needs no wall, and no array to give way [m]."""
FLUSH_M = 0.05
"""A road edge this near to the ground has no side slope [m]."""


@dataclass(frozen=True)
class ToeLimits:
    """Heights of road vertices whose side slopes end before an edge."""

    vertex: IntArray
    """Vertex of each limit; a vertex may have one on each side."""
    low: FloatArray
    """Lowest height, limited by the cut's side slope [m]."""
    high: FloatArray
    """Highest height, limited by the fill's side slope [m]."""


def toe_limits(
    sections: tuple[FloatArray, FloatArray], ground: Ground, edges: FloatArray, *, width_m: float, side_slope: float
) -> ToeLimits:
    """Heights at which side slopes meet the ground before an edge.

    Parameters
    ----------
    sections : two of (n, 2) float
        Vertices of roads, and the direction of the road at each, of any length [m].
    ground : Ground
        Heights.
    edges : (m, 4) float
        Edges of arrays, pads and the site: x, y, x, y [m].
    width_m : float
        Width of the road [m].
    side_slope : float
        Horizontal run of a side slope for one metre of height [-].
    """
    xy, direction = sections
    along = direction / np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)[:, None]
    left = np.column_stack([-along[:, 1], along[:, 0]])
    outward = np.concatenate([left, -left])
    start = np.concatenate([xy, xy]) + outward * width_m / 2
    distance = _distance_to_edge(start, outward, edges)
    near = np.flatnonzero(distance < FARTHEST_M)
    x = np.arange(0.0, FARTHEST_M, STEP_M)
    place = start[near, None] + outward[near, None] * x[None, :, None]
    z = ground.at(place[..., 0], place[..., 1])
    # ground without elevation limits nothing
    inside = (x <= distance[near, None]) & np.isfinite(z)
    fall = x / max(side_slope, 1e-9)
    low = np.where(inside, z - fall, np.inf).min(axis=1, initial=np.inf)
    high = np.where(inside, z + fall, -np.inf).max(axis=1, initial=-np.inf)
    known = inside.any(axis=1)
    return ToeLimits(near[known] % len(xy), low[known], high[known])


def _distance_to_edge(start: FloatArray, outward: FloatArray, edges: FloatArray) -> FloatArray:
    """Distance from each place to the first edge in its direction, at most 20 m [m]."""
    out = np.full(len(start), FARTHEST_M)
    if not (len(start) and len(edges)):
        return out
    rays = shapely.linestrings(np.stack([start, start + outward * FARTHEST_M], axis=1))
    lines = shapely.linestrings(edges.reshape(-1, 2, 2))
    ray, line = shapely.STRtree(lines).query(rays, "intersects")
    a, b = edges[line, :2], edges[line, 2:]
    step, off = b - a, a - start[ray]
    across = outward[ray, 0] * step[:, 1] - outward[ray, 1] * step[:, 0]
    crossed = np.abs(across) > 1e-12
    at = (off[:, 0] * step[:, 1] - off[:, 1] * step[:, 0]) / np.where(crossed, across, 1.0)
    np.minimum.at(out, ray[crossed], np.maximum(at[crossed], 0.0))
    return out


def side_slope_lines(
    lines: Sequence[FloatArray], ground: Ground, *, width_m: float, side_slope: float
) -> NDArray[np.object_]:
    """Lines across side slopes, from the edge of the road to where they meet the ground.

    They lie 2 m apart along each road, on both sides, and are at most 20 m long.

    Parameters
    ----------
    lines : sequence of (k, 3) float
        Roads with their heights [m].
    ground : Ground
        Heights.
    width_m : float
        Width of the roads [m].
    side_slope : float
        Horizontal run of a side slope for one metre of height [-].
    """
    centre, left = _cross_sections(lines)
    z, outward = np.tile(centre[:, 2], 2), np.concatenate([left, -left])
    start = np.tile(centre[:, :2], (2, 1)) + outward * width_m / 2
    reach = slope_reach(start, outward, z, ground, side_slope)
    long = np.flatnonzero(reach > 0)
    tips = start[long] + outward[long] * reach[long, None]
    out: NDArray[np.object_] = shapely.linestrings(np.stack([start[long], tips], axis=1))
    return out


def slope_reach(start: FloatArray, outward: FloatArray, z: FloatArray, ground: Ground, side_slope: float) -> FloatArray:
    """Length of side slopes in plan, at most 20 m [m].

    Parameters
    ----------
    start : (n, 2) float
        Places on the edge of a road or pad [m].
    outward : (n, 2) float
        Unit vector away from it.
    z : (n,) float
        Height of the edge [m].
    ground : Ground
        Heights.
    side_slope : float
        Horizontal run of a side slope for one metre of height [-].
    """
    depth = ground.at(start[:, 0], start[:, 1]) - z
    open_ = np.flatnonzero(np.abs(depth) >= FLUSH_M)
    reach = np.zeros(len(start))
    for first, last in ((0.0, NEAR_M), (NEAR_M, FARTHEST_M)):
        x = np.arange(first + STEP_M / 2, last, STEP_M)
        place = start[open_, None] + outward[open_, None] * x[None, :, None]
        height = (ground.at(place[..., 0], place[..., 1]) - z[open_, None]) * np.sign(depth[open_])[:, None]
        met = ~(height > x / max(side_slope, 1e-9))
        ends = met.any(axis=1)
        reach[open_] = np.where(ends, first + STEP_M * np.argmax(met, axis=1), last)
        open_ = open_[~ends]
    return reach


def cut_off_length(slopes: NDArray[np.object_], edges: FloatArray) -> float:
    """Length of side slopes that meet no ground before an edge [m].

    Parameters
    ----------
    slopes : (n,) LineString
        Lines across side slopes, from `side_slope_lines`.
    edges : (m, 4) float
        Edges of arrays, pads and the site: x, y, x, y [m].
    """
    if not (len(slopes) and len(edges)):
        return 0.0
    inner = shapely.line_interpolate_point(slopes, np.maximum(shapely.length(slopes) - COVERED_M, 0.0))
    starts, ends = shapely.get_coordinates(shapely.get_point(slopes, 0)), shapely.get_coordinates(inner)
    whole = shapely.linestrings(np.stack([starts, ends], axis=1))
    hit = shapely.STRtree(shapely.linestrings(edges.reshape(-1, 2, 2))).query(whole, "intersects")[0]
    return SECTION_M * len(np.unique(hit))


def _cross_sections(lines: Sequence[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Middles of short pieces of all roads, and the unit vector to the left of each."""
    middles, lefts = [np.empty((0, 3))], [np.empty((0, 2))]
    for xyz in lines:
        run = cumulative_length(xyz)
        at = np.linspace(0.0, run[-1], max(int(np.ceil(run[-1] / SECTION_M)), 1) + 1)
        points = np.column_stack([np.interp(at, run, xyz[:, k]) for k in range(3)])
        along = np.diff(points[:, :2], axis=0)
        along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
        middles.append((points[1:] + points[:-1]) / 2)
        lefts.append(np.column_stack([-along[:, 1], along[:, 0]]))
    return np.concatenate(middles), np.concatenate(lefts)
