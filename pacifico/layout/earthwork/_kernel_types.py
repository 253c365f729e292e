"""Values that compiled earthwork takes, as named tuples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground
    from pacifico.layout.earthwork.criteria import EarthworkCriteria


class GridFrame(NamedTuple):
    """Position and cell size of a grid."""

    west: float
    north: float
    """Outer edges [m]."""
    dx: float
    dy: float
    """Cell sizes [m]."""


class SideSlope(NamedTuple):
    """Side slopes, and how they are traced to daylight."""

    run: float
    """Horizontal run for one metre of height [-]; 0: no side slopes."""
    step: float
    """Distance between samples along a ray [m]."""
    reach: float
    """Distance at which a ray without daylight ends [m]."""


class PlaneSearch(NamedTuple):
    """Balance and limits of a pad's plane."""

    shrink: float
    """Bank volume lost when cut is compacted as fill [-]."""
    max_grade: float
    """Steepest plane [rise/run]."""
    rounds: int
    """Largest number of steps of the search."""


class Plane(NamedTuple):
    """Plane about a pad's centroid."""

    elevation: float
    """Height at the centroid [m]."""
    east: float
    north: float
    """Grades [rise/run]."""


class PadOutlines(NamedTuple):
    """Edges of many pads, each about its own centroid."""

    edges: FloatArray
    """Start and end of each edge, the pad on its left, shape (m, 4) [m]."""
    following: IntArray
    """Edge that starts where each edge ends, counted within its pad, shape (m,)."""
    starts: IntArray
    """First edge of each pad, shape (n + 1,)."""
    origins: FloatArray
    """Centroids, shape (n, 2) [m]."""


class PadRow(NamedTuple):
    """Result of grading one pad: a row of the compiled kernel."""

    cut_m3: float
    fill_m3: float
    batter_cut_m3: float
    batter_fill_m3: float
    max_cut_m: float
    max_fill_m: float
    open_edge_m: float
    nodata_share: float
    elevation_m: float
    grade_east: float
    grade_north: float
    gap_m3: float


class RoadLines(NamedTuple):
    """Vertices of many roads, each about its own first point."""

    xyz: FloatArray
    """Vertices with design heights, shape (m, 3) [m]."""
    starts: IntArray
    """First vertex of each road, shape (n + 1,)."""
    origins: FloatArray
    """First points, shape (n, 2) [m]."""


PAD_COLUMNS = len(PadRow._fields)
"""Columns of a pad's result."""
CORRIDOR_COLUMNS = 7
"""Columns of a road's result, in the order of `CorridorVolumes`."""


def cell_size(ground: Ground) -> float:
    """Shorter side of a cell [m]."""
    return min(ground.grid.dx, ground.grid.dy)


def grid_frame(ground: Ground, origin: tuple[float, float] = (0.0, 0.0)) -> GridFrame:
    """Frame of a grid, in coordinates from an origin [m]."""
    g = ground.grid
    return GridFrame(float(g.x0 - origin[0]), float(g.y0 - origin[1]), float(g.dx), float(g.dy))


def side_slope(ground: Ground, criteria: EarthworkCriteria) -> SideSlope:
    """Side slopes of criteria, sampled at half a cell by default."""
    step = criteria.sample_m or 0.5 * cell_size(ground)
    return SideSlope(float(criteria.side_slope), float(step), float(criteria.max_batter_m))
