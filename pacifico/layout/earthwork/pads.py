"""Pads: balanced planes of least earthwork, with their volumes and side slopes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.errors import InputError
from pacifico.layout.earthwork._kernel_types import (
    PAD_COLUMNS,
    PadOutlines,
    PadRow,
    Plane,
    PlaneSearch,
    cell_size,
    grid_frame,
    side_slope,
)
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria
from pacifico.layout.model.earthwork import PadPlane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground

MAX_TILES = 250_000.0
"""Tiles of one pad: larger pads get larger tiles, as half a cell is finer than their volume needs."""
REPEATED_M = 1e-6
"""Vertices closer than this repeat each other [m]."""


def balanced_pad(
    ground: Ground, polygon: Polygon | MultiPolygon, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> PadPlane:
    """Balanced plane of least cut + fill within the grade limit.

    Balance means cut x (1 - shrink) = fill; it leaves one free choice, the grade. About the centroid,
    cut - fill = area x (mean ground - elevation) for every grade, so balanced cut = area x (mean ground - elevation) /
    shrink. Least earthwork is therefore the highest balanced plane, and planes below a given cut form a convex set.
    The search over the disk of grades stops within 0.1 % of the optimum (or 0.2 mm over the pad) and states the
    remaining gap as `gap_m3`.

    Volumes are integrals over the polygon's exact area, with the ground linear between samples at tile corners and
    centres: exact on planes. Side slopes run at a constant slope from the nearest point of the edge: wedges along
    edges, cone sectors around outer corners. At inner corners, a slope ends where another edge is nearer.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    polygon : Polygon or MultiPolygon
        Outline of the pad.
    criteria : EarthworkCriteria
        Shrink, side slope, grade limit and fineness.

    Raises
    ------
    InputError
        The polygon is empty or invalid, or part of it has no ground height.

    Examples
    --------
    A pad on a plane of 1 % needs no earthwork: the plane itself keeps the grade limit.

    >>> import numpy as np
    >>> from pyproj import CRS
    >>> from shapely import box
    >>> from pacifico.grid import Grid, Ground
    >>> grid = Grid(CRS.from_epsg(32615), 0.0, 100.0, 10.0, 10.0, 10, 10)
    >>> ground = Ground(grid, np.broadcast_to(0.01 * grid.x_centres(), (10, 10)).copy())
    >>> pad = balanced_pad(ground, box(30, 30, 60, 50))
    >>> round(pad.grade_east, 4), round(pad.cut_m3, 4)
    (0.01, 0.0)
    """
    return balanced_pads(ground, [polygon], criteria=criteria)[0]


def balanced_pads(
    ground: Ground, polygons: Sequence[Polygon | MultiPolygon], *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> list[PadPlane]:
    """Balanced planes of many pads, in their order; see `balanced_pad`."""
    return graded_pads(ground, polygons, np.full((len(polygons), 3), np.nan), criteria=criteria)


def graded_pads(
    ground: Ground,
    polygons: Sequence[Polygon | MultiPolygon],
    planes: FloatArray,
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> list[PadPlane]:
    """Volumes of pads at given planes.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    polygons : sequence of Polygon or MultiPolygon
        Outlines of the pads.
    planes : ndarray, shape (n, 3)
        Elevation at the centroid [m], grades east and north [rise/run]. A row of NaN requests the balanced plane.
    criteria : EarthworkCriteria
        Shrink, side slope, grade limit and fineness.

    Raises
    ------
    InputError
        As `balanced_pad`.
    """
    rows = [PadRow(*row) for row in pad_rows(ground, polygons, planes, criteria).tolist()]
    unknown = [k for k, row in enumerate(rows) if row.nodata_share > 0]
    if unknown:
        first = unknown[0]
        centre = polygons[first].centroid
        raise InputError(
            f"pad {first} at ({centre.x:.0f}, {centre.y:.0f}) has no ground height under {rows[first].nodata_share:.1%} "
            f"of it ({len(unknown)} such of {len(polygons)} pads); keep pads off nodata and inside the elevation model"
        )
    return [
        PadPlane(
            polygon,
            elevation_m=row.elevation_m,
            grade_east=row.grade_east,
            grade_north=row.grade_north,
            cut_m3=row.cut_m3,
            fill_m3=row.fill_m3,
            batter_cut_m3=row.batter_cut_m3,
            batter_fill_m3=row.batter_fill_m3,
            max_cut_m=row.max_cut_m,
            max_fill_m=row.max_fill_m,
            open_edge_m=row.open_edge_m,
            gap_m3=row.gap_m3,
        )
        for polygon, row in zip(polygons, rows, strict=True)
    ]


def pad_volumes(
    ground: Ground,
    polygon: Polygon | MultiPolygon,
    elevation_m: float,
    grade_east: float = 0.0,
    grade_north: float = 0.0,
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> tuple[float, float]:
    """Cut and fill under a given plane, without side slopes [m³].

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    polygon : Polygon or MultiPolygon
        Outline of the pad.
    elevation_m : float
        Height of the plane at the polygon's centroid [m].
    grade_east, grade_north : float
        Grades of the plane [rise/run].
    criteria : EarthworkCriteria
        Fineness of the tiles.
    """
    planes = np.array([[elevation_m, grade_east, grade_north]])
    pad = graded_pads(ground, [polygon], planes, criteria=replace(criteria, side_slope=0.0))[0]
    return pad.cut_m3, pad.fill_m3


def pad_rows(
    ground: Ground,
    polygons: Sequence[Polygon | MultiPolygon],
    planes: FloatArray,
    criteria: EarthworkCriteria,
    *,
    tiles_across: float = 8.0,
) -> FloatArray:
    """Results of the compiled kernel, one row (`PadRow`) for each pad.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    polygons : sequence of Polygon or MultiPolygon
        Outlines of the pads.
    planes : ndarray, shape (n, 3)
        As `graded_pads`.
    criteria : EarthworkCriteria
        Shrink, side slope, grade limit and fineness.
    tiles_across : float
        Least number of tiles over half the side of a square pad.
    """
    from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    if len(polygons) == 0:
        return np.empty((0, PAD_COLUMNS))
    shapes = np.asarray(polygons, dtype=object)
    area = shapely.area(shapes)
    unusable = np.flatnonzero(~((area > 0) & shapely.is_valid(shapes)))
    if len(unusable):
        first = int(unusable[0])
        reason = shapely.is_valid_reason(shapes[first]) if area[first] > 0 else "no area"
        raise InputError(f"pad {first} is not a polygon to grade ({reason}); repair it with shapely.make_valid")
    # two times area over perimeter: half the side of a square, the width of a long strip
    thickness = 2.0 * area / shapely.length(shapes)
    finest = np.full(len(area), criteria.sample_m or 0.5 * cell_size(ground))
    steps = np.maximum(np.minimum(finest, thickness / tiles_across), np.sqrt(area / MAX_TILES))
    return np.asarray(
        _earthwork_kernels.grade_pads(
            ground.z,
            grid_frame(ground),
            pad_outlines(shapes),
            steps,
            np.ascontiguousarray(planes, dtype=np.float64),
            PlaneSearch(float(criteria.shrink), float(criteria.max_pad_grade), int(criteria.search_rounds)),
            side_slope(ground, criteria),
        )
    )


def pad_outlines(shapes: NDArray[np.object_]) -> PadOutlines:
    """Directed edges of polygons, each about its polygon's centroid."""
    centroids = shapely.get_coordinates(shapely.centroid(shapes))
    parts, of_part = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.append(ring[1:] != ring[:-1], True)
    # A ring repeats its first point as its last; other repeats would be edges without a direction.
    step = np.vstack((np.diff(xy, axis=0), [[1.0, 1.0]]))
    keep = ~last & (np.hypot(step[:, 0], step[:, 1]) > REPEATED_M)
    xy, ring = xy[keep], ring[keep]
    first = np.flatnonzero(np.append(True, ring[1:] != ring[:-1]))
    counts = np.diff(np.append(first, len(ring)))
    following = np.arange(1, len(ring) + 1)
    following[first + counts - 1] = first
    shape = of_part[of_ring[ring]]
    local = xy - centroids[shape]
    starts = np.searchsorted(shape, np.arange(len(shapes) + 1)).astype(np.int64)
    edges = np.hstack((local, local[following]))
    return PadOutlines(edges, (following - starts[shape]).astype(np.int64), starts, centroids)


def daylight(ground: Ground, pad: PadPlane, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA) -> shapely.Geometry:
    """Ground under a pad and its side slopes, to daylight: for drawing.

    The line of daylight is linear between rays at most 1 m apart. A slope without daylight is drawn to its end.

    Parameters
    ----------
    ground : Ground
        Heights in the working CRS [m].
    pad : PadPlane
        Pad with its design plane.
    criteria : EarthworkCriteria
        Side slope and its longest reach.
    """
    from pacifico.layout.earthwork import _batter_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    edges, following, _, origins = pad_outlines(np.asarray([pad.polygon], dtype=object))
    frame = grid_frame(ground, (origins[0, 0], origins[0, 1]))
    plane = Plane(float(pad.elevation_m), float(pad.grade_east), float(pad.grade_north))
    points = _batter_kernels.daylight_points(ground.z, frame, edges, following, plane, side_slope(ground, criteria))
    ring = np.cumsum(np.append(0, following[:-1] != np.arange(1, len(following))))
    covered: shapely.Geometry = pad.polygon
    ring_of_point = ring[points[:, 2].astype(np.intp)]
    for k in range(ring[-1] + 1):
        own = ring == k
        is_outer = np.sum(edges[own, 0] * edges[own, 3] - edges[own, 2] * edges[own, 1]) > 0
        before = Polygon(edges[own, :2] + origins[0])
        after = Polygon(points[ring_of_point == k, :2] + origins[0]).buffer(0)
        # slopes of an outer ring extend it outwards; those of a hole fill the hole from its edge
        slopes = shapely.difference(after, before) if is_outer else shapely.difference(before, after)
        covered = shapely.union(covered, slopes)
    return covered
