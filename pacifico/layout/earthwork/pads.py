"""Pads: planes of least earthwork that balance, their volumes and their side slopes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.errors import InputError
from pacifico.layout.earthwork.criteria import DEFAULT_CRITERIA, EarthworkCriteria, cell_of, frame_of, side_of
from pacifico.layout.model.earthwork import PadPlane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.grid import Ground

_MAX_TILES = 250_000.0
"""Of one pad: past it the tiles grow, where half a cell would be finer than a volume needs."""


def balanced_pad(
    ground: Ground, polygon: Polygon | MultiPolygon, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> PadPlane:
    """Plane of least cut + fill under the grade limit that balances as cut x (1 - shrink) = fill.

    The balance leaves one free choice, the grade. Around the centroid cut - fill = A (mean ground - elevation) whatever
    the grade, so balanced cut = A (mean ground - elevation) / shrink: least earthwork is the highest balanced plane,
    and planes with cut <= that are a convex set. The search is therefore a convex one over the disk of grades; it
    stops within 0.1 % (or 0.2 mm over the pad) of the optimum and states what it can't exclude as `gap_m3`.

    Volumes are integrals over the polygon's exact area, with the ground linear between samples at tile corners and
    centres (exact on planes). Side slopes run at a constant slope from the nearest point of the edge: wedges along
    edges, cone sectors round outer corners, and at inner corners each edge's slope ends where another edge is nearer.

    Raises
    ------
    InputError
        Where the polygon is empty or invalid, or any sample under it is nodata or off the grid (the share is told).
    """
    return balanced_pads(ground, [polygon], criteria=criteria)[0]


def balanced_pads(
    ground: Ground, polygons: Sequence[Polygon | MultiPolygon], *, criteria: EarthworkCriteria = DEFAULT_CRITERIA
) -> list[PadPlane]:
    """`balanced_pad` of many polygons, in their order."""
    return graded_pads(ground, polygons, np.full((len(polygons), 3), np.nan), criteria=criteria)


def graded_pads(
    ground: Ground,
    polygons: Sequence[Polygon | MultiPolygon],
    planes: FloatArray,
    *,
    criteria: EarthworkCriteria = DEFAULT_CRITERIA,
) -> list[PadPlane]:
    """Volumes of pads at given planes, shape (n, 3): elevation at the centroid [m], grade east, grade north [-].

    A row of NaN asks for the balanced plane.

    Raises
    ------
    InputError
        As `balanced_pad`.
    """
    rows = pad_rows(ground, polygons, planes, criteria)
    blind = np.flatnonzero(rows[:, 7] > 0)
    if len(blind):
        first = int(blind[0])
        centre = polygons[first].centroid
        raise InputError(
            f"pad {first} at ({centre.x:.0f}, {centre.y:.0f}) has no ground height under {rows[first, 7]:.1%} of it"
            f" ({len(blind)} such of {len(polygons)} pads); keep pads off nodata and inside the elevation model"
        )
    return [
        PadPlane(
            polygon,
            elevation_m=r[8],
            grade_east=r[9],
            grade_north=r[10],
            cut_m3=r[0],
            fill_m3=r[1],
            batter_cut_m3=r[2],
            batter_fill_m3=r[3],
            max_cut_m=r[4],
            max_fill_m=r[5],
            open_edge_m=r[6],
            gap_m3=r[11],
        )
        for polygon, r in zip(polygons, rows.tolist(), strict=True)
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
    """Cut and fill [m³] under a pad whose plane is given (elevation at the centroid); without side slopes."""
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
    """Rows of the compiled kernel, one a pad; at least `tiles_across` tiles over half the side of a square."""
    from pacifico.layout.earthwork import _earthwork_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    if len(polygons) == 0:
        return np.empty((0, _earthwork_kernels.PAD_COLUMNS))
    shapes = np.asarray(polygons, dtype=object)
    area = shapely.area(shapes)
    bad = np.flatnonzero(~((area > 0) & shapely.is_valid(shapes)))
    if len(bad):
        why = shapely.is_valid_reason(shapes[bad[0]]) if area[bad[0]] > 0 else "no area"
        raise InputError(f"pad {int(bad[0])} is not a polygon to grade ({why}); repair it with shapely.make_valid")
    edges, following, starts, origins = pad_edges(shapes)
    cell = cell_of(ground)
    thickness = 2.0 * area / shapely.length(shapes)
    fine = np.full(len(area), criteria.sample_m or 0.5 * cell)
    steps = np.maximum(np.minimum(fine, thickness / tiles_across), np.sqrt(area / _MAX_TILES))
    return np.asarray(
        _earthwork_kernels.grade_pads(
            ground.z,
            frame_of(ground),
            edges,
            following,
            starts,
            origins,
            steps,
            np.ascontiguousarray(planes, dtype=np.float64),
            np.array([criteria.shrink, criteria.max_pad_grade, criteria.search_rounds]),
            side_of(ground, criteria),
        )
    )


def pad_edges(shapes: NDArray[np.object_]) -> tuple[FloatArray, IntArray, IntArray, FloatArray]:
    """Directed edges of all rings, the shape on their left, about each shape's centroid.

    Returns edges (m, 4), the edge that follows each within its shape (m), first edge of each shape (n + 1) and
    centroids (n, 2).
    """
    centroids = shapely.get_coordinates(shapely.centroid(shapes))
    parts, of_part = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.append(ring[1:] != ring[:-1], True)
    # A ring repeats its first point as its last; other repeats would be edges without a direction.
    step = np.vstack((np.diff(xy, axis=0), [[1.0, 1.0]]))
    keep = ~last & (np.hypot(step[:, 0], step[:, 1]) > 1e-6)
    xy, ring = xy[keep], ring[keep]
    first = np.flatnonzero(np.append(True, ring[1:] != ring[:-1]))
    counts = np.diff(np.append(first, len(ring)))
    follow = np.arange(1, len(ring) + 1)
    follow[first + counts - 1] = first
    shape = of_part[of_ring[ring]]
    local = xy - centroids[shape]
    starts = np.searchsorted(shape, np.arange(len(shapes) + 1)).astype(np.int64)
    return np.hstack((local, local[follow])), (follow - starts[shape]).astype(np.int64), starts, centroids


def daylight(ground: Ground, pad: PadPlane, *, criteria: EarthworkCriteria = DEFAULT_CRITERIA) -> shapely.Geometry:
    """Ground that a pad takes with its side slopes, to where they meet the surface: for drawing.

    The line of daylight is linear between rays at most 1 m apart; a slope without daylight ends where it stopped.
    """
    from pacifico.layout.earthwork import _batter_kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    edges, following, _, origins = pad_edges(np.asarray([pad.polygon], dtype=object))
    frame = frame_of(ground) - np.array([origins[0, 0], origins[0, 1], 0.0, 0.0])
    plane = np.array([pad.elevation_m, pad.grade_east, pad.grade_north])
    points = _batter_kernels.daylight_points(ground.z, frame, edges, following, plane, side_of(ground, criteria))
    ring = np.cumsum(np.append(0, following[:-1] != np.arange(1, len(following))))
    taken: shapely.Geometry = pad.polygon
    of = ring[points[:, 2].astype(np.intp)]
    for k in range(ring[-1] + 1):
        own = ring == k
        solid = np.sum(edges[own, 0] * edges[own, 3] - edges[own, 2] * edges[own, 1]) > 0
        before = Polygon(edges[own, :2] + origins[0])
        after = Polygon(points[of == k, :2] + origins[0]).buffer(0)
        # an outer ring's slopes grow outwards, a hole's close it from its edge
        taken = shapely.union(taken, shapely.difference(after, before) if solid else shapely.difference(before, after))
    return taken
