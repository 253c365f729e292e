"""Drivable curves: the cheapest curve between two poses that keeps a radius and clear of edges.

::

                 __ goal      A pose is a place and a heading. Between two poses a vehicle drives arcs of the radius, or
                |             of twice the radius, and straight pieces. The corners of a curve (+) are where its tangents
       start ___+             meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _curve_kernels as kernels
from pacifico.layout.alignment._curve_kernels import Pose, SearchLimits
from pacifico.layout.alignment._line_kernels import line_legal
from pacifico.layout.alignment._profile_kernels import TerrainArrays
from pacifico.layout.alignment.smoothing import tight_bends
from pacifico.layout.ground._clearance_kernels import ShapeArrays

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.routing.routing_grid import RoutingGrid


MIN_CELL_M, CELL_SHARE = 2.5, 1 / 8
"""Cell size of a search: at least this [m], or this share of the radius [-]."""
MAX_EXPANSIONS = 2500
"""Poses that a search expands before it gives up."""
ESTIMATE_WEIGHT = 1.3
"""Weight of the remaining length: above 1 a search is faster, and its curve at most that many times as expensive."""
MARGIN = 2.2
"""Distance that a curve may leave the bounding box of its ends [radii]."""
CHORD_TURNS = (kernels.CHORD, kernels.CHORD / 2, kernels.CHORD / 4)
"""Largest turn at a vertex [rad]; the finer ones are used where chords of the first are not legal."""
MIN_CHORD_M = 0.6
"""Shorter chords are joined with the next one [m]."""
CORNER_TURN = np.pi / 2
"""Largest turn at one corner of a curve [rad]."""


@dataclass(frozen=True)
class HeightLimits:
    """Heights that a road may have along a curve."""

    span: FloatArray
    """Lowest and highest at the start, then at the goal [m]."""
    terrain: TerrainArrays
    """Ground, with the largest grade and the largest cut or fill."""


ANY_HEIGHT = HeightLimits(
    np.array([-np.inf, np.inf, -np.inf, np.inf]),
    TerrainArrays(np.zeros((2, 2)), np.array([0.0, 0.0, 1.0, 1.0]), 1.0, np.inf),
)
"""No limit on heights."""
NO_SHAPES = ShapeArrays(np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0))


@dataclass(frozen=True)
class CurveLimits:
    """Limits that a drivable curve keeps."""

    radius_m: float
    """Smallest radius of the centreline [m]."""
    length_m: float
    """Largest length [m]."""
    max_grade: float
    """Grade of the ground above which it becomes expensive, rise over run [-]."""
    expansions: int = MAX_EXPANSIONS
    """Poses that are expanded before the search gives up; 0 tries Dubins curves only."""
    heights: HeightLimits = ANY_HEIGHT
    shapes: ShapeArrays = NO_SHAPES
    """A few shapes that the curve passes within their reach. Chords of moves are tested, so the reach is approximate."""


@dataclass(frozen=True)
class Curve:
    """A drivable curve and the polygon of its tangents."""

    xy: FloatArray
    """Vertices from pose to pose, arcs as chords [m]."""
    corners: FloatArray
    """Corners where the tangents meet, ends included [m]."""


def drivable_curve(road_grid: RoutingGrid, start: FloatArray, goal: FloatArray, limits: CurveLimits) -> Curve | None:
    """Cheap drivable curve between two poses, found by Hybrid A*.

    Parameters
    ----------
    road_grid : RoutingGrid
        Clearance and cost of roads.
    start, goal : (3,) float
        Easting, northing [m], and heading counterclockwise from east [rad].
    limits : CurveLimits
        Radius, length, heights, and shapes to pass.

    Returns
    -------
    Curve or None
        It begins and ends at the poses, turns nowhere tighter than the radius, and every chord is clear of edges.

    References
    ----------
    Dolgov, Thrun, Montemerlo & Diebel (2010), "Path planning for autonomous vehicles in unknown semi-structured
    environments", https://doi.org/10.1177/0278364909359210; Dubins (1957), "On curves of minimal length with a
    constraint on average curvature", https://doi.org/10.2307/2372560
    """
    # chords cut the inside of their arcs: with a wider radius they keep the radius too
    radius_m = float(limits.radius_m / np.cos(kernels.CHORD / 2))
    first, last = Pose(*start.tolist()), Pose(*goal.tolist())
    cell_m = max(MIN_CELL_M, CELL_SHARE * radius_m)
    search = SearchLimits(
        radius_m, float(limits.length_m), MARGIN * radius_m, cell_m, limits.expansions, ESTIMATE_WEIGHT
    )
    pieces = kernels.hybrid_search(
        first,
        last,
        search,
        road_grid.arrays,
        limits.max_grade,
        limits.heights.terrain,
        limits.heights.span,
        limits.shapes,
    )
    if not len(pieces):
        return None
    clearance, nodata = road_grid.clearance_index.arrays, road_grid.nodata_mask.arrays
    for chord_turn in CHORD_TURNS:
        xy = kernels.chords(first, pieces, chord_turn)
        xy[-1] = goal[:2]
        xy = _without_short_chords(xy)
        if line_legal(xy, clearance, nodata) and not len(tight_bends([xy], np.array([limits.radius_m]))[1]):
            return Curve(xy, _corners(first, last, pieces))
    return None


def _without_short_chords(xy: FloatArray) -> FloatArray:
    """Polyline without inner vertices too near another."""
    keep = [0]
    for k in range(1, len(xy) - 1):
        if np.hypot(*(xy[k] - xy[keep[-1]])) >= MIN_CHORD_M and np.hypot(*(xy[k] - xy[-1])) >= MIN_CHORD_M:
            keep.append(k)
    return np.ascontiguousarray(xy[[*keep, len(xy) - 1]])


def _corners(start: Pose, goal: Pose, pieces: FloatArray) -> FloatArray:
    """Ends and tangent corners of a curve."""
    pose = start
    out = [(pose.x, pose.y)]
    for curvature, length in pieces.tolist():
        n = max(int(np.ceil(abs(curvature) * length / CORNER_TURN - 1e-9)), 1) if curvature else 0
        for _ in range(n):
            tangent = np.tan(abs(curvature) * length / n / 2) / abs(curvature)
            out.append((pose.x + tangent * np.cos(pose.heading), pose.y + tangent * np.sin(pose.heading)))
            pose = kernels.advance(pose, curvature, length / n)
        if not n:
            pose = kernels.advance(pose, curvature, length)
    return np.array([*out, (goal.x, goal.y)])
