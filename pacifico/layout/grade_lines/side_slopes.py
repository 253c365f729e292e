"""Side slopes of roads: heights at which they meet the ground before the next edge.

A side slope of a cut ends within a distance where, somewhere up to there, the ground is no higher than the slope, and one
of a fill where the ground is no lower. Both give one range of heights for each side of a cross-section.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground

FARTHEST_M = 20.0
"""Edges farther than this from a road limit no height: few side slopes are as long [m]."""
STEP_M = 0.5
"""Distance between heights along a cross-section [m]."""


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
