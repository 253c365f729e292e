"""Drivable curves: the cheapest path between two poses that keeps a radius and clearance.

::

                 __ goal      a pose is a place and a heading: between two of them a vehicle drives arcs of the radius, or
                |             of twice it, and straight pieces. The corners of a curve (+) are where its tangents meet.
       start ___+
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _curve_kernels as kernels
from pacifico.layout.alignment.smoothing import tight_bends
from pacifico.layout.routing.routing_grid import Shapes

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.routing_grid import RoutingGrid


CELL_M, CELL = 2.5, 1 / 8
"""Cell size of a search [m], or in radii where that is larger."""
MOST = 2500
"""Poses that a search expands before it gives up."""
WEIGHT = 1.3
"""Weight of the remaining-length estimate: above 1 a search is faster, and its curve at most that factor dearer."""
MARGIN = 2.2
"""Distance that a curve may leave the bounding box of its ends [radii]."""
CHORDS = (kernels.CHORD, kernels.CHORD / 2, kernels.CHORD / 4)
"""Largest turn per vertex [rad]; finer values where the first chords are not legal."""
SHORT_M = 0.6
"""Shorter chords are joined with the next [m]."""
CORNER = np.pi / 2
"""Largest turn at one corner of a curve [rad]."""


@dataclass(frozen=True)
class Levels:
    """Ranges of road heights: at the ends of a curve, and along it."""

    span: FloatArray
    """Lowest and highest at the start, then at the goal [m]."""
    ground: FloatArray
    """Heights of a north-up grid [m]."""
    tile: FloatArray
    """West and north edge of the grid, and its cell sizes [m]."""
    climb: float
    """Largest grade [-]."""
    depth: float
    """Largest cut or fill [m]."""


ANY = Levels(
    np.array([-np.inf, np.inf, -np.inf, np.inf]), np.zeros((2, 2)), np.array([0.0, 0.0, 1.0, 1.0]), 1.0, np.inf
)
"""No limit on heights."""
NO_SHAPES, NO_REACH = Shapes(np.zeros((0, 2)), np.zeros(1, np.int64)), np.zeros(0)


@dataclass(frozen=True)
class Curve:
    """A drivable curve, as a polyline and as the polygon of its tangents."""

    xy: FloatArray
    """Vertices from pose to pose, arcs as chords [m]."""
    corners: FloatArray
    """Corners where the tangents meet, ends included [m]."""


def drivable(
    road_grid: RoutingGrid,
    start: FloatArray,
    goal: FloatArray,
    *,
    size: float,
    longest: float,
    max_grade: float,
    most: int = MOST,
    levels: Levels = ANY,
    shapes: Shapes = NO_SHAPES,
    reach_m: FloatArray = NO_REACH,
) -> Curve | None:
    """Cheap drivable curve between two poses, found by Hybrid A*.

    Parameters
    ----------
    road_grid : Lattice
        Free ground, its heights and prices.
    start, goal : (3,) float
        Easting, northing [m], and heading counterclockwise from east [rad].
    size : float
        Least radius of the centreline [m].
    longest : float
        Length that the curve does not exceed [m].
    max_grade : float
        Rise over run from which on ground is dear.
    most : int
        Poses that are expanded before the search gives up; 0: only a Dubins curve is tried.
    levels : Levels
        Heights that a road may have at both ends, which a road along the curve can join.
    shapes, reach_m : Shapes, (n,) float
        Few shapes which the curve passes, each within its reach [m]; about, that is: it looks at its moves, not at arcs.

    Returns
    -------
    Curve or None
        It begins and ends at the poses, turns nowhere tighter than `size`, and every chord keeps clear of the fence.

    References
    ----------
    Dolgov, Thrun, Montemerlo & Diebel (2010), "Path planning for autonomous vehicles in unknown semi-structured
    environments", https://doi.org/10.1177/0278364909359210; Dubins (1957), "On curves of minimal length with a
    constraint on average curvature", https://doi.org/10.2307/2372560
    """
    f, b = road_grid.clearance_index, road_grid.nodata_mask
    # chords cut the inside of their arcs: widen the radius so that they keep it too
    wide = float(size / np.cos(kernels.CHORD / 2))
    (sx, sy, sh), (gx, gy, gh) = start.tolist(), goal.tolist()
    pieces = kernels.hybrid_search(
        sx, sy, sh, gx, gy, gh, wide, float(longest), MARGIN * wide, max(CELL_M, CELL * wide), most, WEIGHT, f.edges, f.frame, f.start, f.items, f.radius,
        b.flags, b.frame, b.any, road_grid.z, road_grid.cost_factor, road_grid.x0, road_grid.y0, road_grid.cell, max_grade,
        levels.ground, levels.tile, levels.span, levels.climb, levels.depth,
        shapes.coords, shapes.start, reach_m,
    )  # fmt: skip
    if not len(pieces):
        return None
    for chord in CHORDS:
        xy = kernels.chords(sx, sy, sh, pieces, chord)
        xy[-1] = goal[:2]
        xy = _without_short(xy)
        if kernels.all_clear(
            xy, f.edges, f.frame, f.start, f.items, f.radius, b.flags, b.frame, b.any
        ) and not len(tight_bends([xy], np.array([size]))[1]):  # fmt: skip
            return Curve(xy, _corners(start, goal, pieces))
    return None


def _without_short(xy: FloatArray) -> FloatArray:
    """Polyline without inner vertices too near the previous one or the end."""
    keep = [0]
    for k in range(1, len(xy) - 1):
        if np.hypot(*(xy[k] - xy[keep[-1]])) >= SHORT_M and np.hypot(*(xy[k] - xy[-1])) >= SHORT_M:
            keep.append(k)
    return np.ascontiguousarray(xy[[*keep, len(xy) - 1]])


def _corners(start: FloatArray, goal: FloatArray, pieces: FloatArray) -> FloatArray:
    """Corners where the tangents of the pieces meet, and the ends."""
    x, y, h = (float(v) for v in start)
    out = [(x, y)]
    for bend, length in pieces.tolist():
        n = max(int(np.ceil(abs(bend) * length / CORNER - 1e-9)), 1) if bend else 0
        for _ in range(n):
            tangent = np.tan(abs(bend) * length / n / 2) / abs(bend)
            out.append((x + tangent * np.cos(h), y + tangent * np.sin(h)))
            x, y, h = kernels.advanced(x, y, h, bend, length / n)
        if not n:
            x, y, h = kernels.advanced(x, y, h, bend, length)
    return np.array([*out, (float(goal[0]), float(goal[1]))])
