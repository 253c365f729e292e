r"""Earthwork: pads as balanced planes, corridors from designed profiles, their side slopes, and how sure it all is.

::

            ground                         cut: ground above design     fill: design above ground
       ____/\                               volumes are bank (in place) volumes [m³], both >= 0
      /     \__________ pad plane         net = cut - fill
     / side slope 2:1   \                  balanced: cut x (1 - shrink) = fill
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPolygon, Polygon

from pacifico.errors import InputError
from pacifico.grid import Ground

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_MAX_TILES = 250_000.0
"""Of one pad: past it the tiles grow, where half a cell would be finer than a volume needs."""


@dataclass(frozen=True)
class EarthworkRules:
    """How the ground may be shaped, and how finely that is computed."""

    shrink: float = 0.12
    """Bank volume lost when cut is compacted as fill [-]: cut x (1 - shrink) = fill."""
    swell: float = 0.25
    """Growth of bank volume when loosened for haul [-]; counts for haul alone."""
    side_slope: float = 2.0
    """Run of a side slope for one metre of height [-]; 0: walls, no side slopes."""
    max_pad_grade: float = 0.02
    """Steepest pad plane, both components together [rise/run]; 0: level pads."""
    max_batter_m: float = 60.0
    """Where a side slope has found no daylight it stops at this distance [m]."""
    sample_m: float | None = None
    """Longest tile edge [m]; by default half a cell, less under small pads and narrow roads."""
    search_rounds: int = 40
    """Most steps of the search for the best plane; 0: least-squares plane, balanced."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.shrink < 1.0:
            raise InputError(f"shrink {self.shrink} is a share of the cut: give 0 or more and less than 1")
        for name in ("swell", "side_slope", "max_pad_grade", "max_batter_m", "search_rounds"):
            if not getattr(self, name) >= 0:
                raise InputError(f"{name} {getattr(self, name)} must be 0 or more")
        if self.sample_m is not None and not self.sample_m > 0:
            raise InputError(f"sample_m {self.sample_m} must be more than 0 m")


DEFAULT_RULES = EarthworkRules()


@dataclass(frozen=True)
class PadPlane:
    """A pad at its design plane, with its volumes (bank, m³)."""

    polygon: Polygon | MultiPolygon
    elevation_m: float
    """Design height at the polygon's centroid [m]."""
    grade_east: float
    grade_north: float
    """Rise per metre eastwards and northwards [-]."""
    cut_m3: float
    fill_m3: float
    """Prism under the pad itself."""
    batter_cut_m3: float = 0.0
    batter_fill_m3: float = 0.0
    """Side slopes around it; neighbours are not looked at."""
    max_cut_m: float = 0.0
    max_fill_m: float = 0.0
    open_edge_m: float = 0.0
    """Length of the edge whose side slope found no daylight: nodata, off the grid, or too far [m]."""
    gap_m3: float = 0.0
    """How much less earthwork (cut + fill) a better plane could have at most; 0 where the plane was given."""

    def height_at(self, x: F64, y: F64) -> F64:
        """Design height [m] at eastings and northings [m]."""
        centre = self.polygon.centroid
        heights: F64 = self.elevation_m + self.grade_east * (x - centre.x) + self.grade_north * (y - centre.y)
        return heights


@dataclass(frozen=True)
class CorridorVolumes:
    """Volumes of one road (bank, m³)."""

    cut_m3: float
    fill_m3: float
    """Prism under the carriageway."""
    batter_cut_m3: float
    batter_fill_m3: float
    """Side slopes along both edges; road ends and the outside of bends have none of their own."""
    max_depth_m: float
    """Largest distance between design and ground anywhere under the carriageway [m]."""
    nodata_share: float = 0.0
    """Share of the carriageway without ground heights: it is in none of the volumes [-]."""
    open_edge_m: float = 0.0
    """Length of edges whose side slope found no daylight [m]."""


class EarthworkInterval(NamedTuple):
    """Percentiles of total cut + fill [m³]."""

    p10: float
    p50: float
    p90: float


# --- pads ------------------------------------------------------------------------------------------------------------


def balanced_pad(ground: Ground, polygon: Polygon | MultiPolygon, *, rules: EarthworkRules = DEFAULT_RULES) -> PadPlane:
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
    return balanced_pads(ground, [polygon], rules=rules)[0]


def balanced_pads(
    ground: Ground, polygons: Sequence[Polygon | MultiPolygon], *, rules: EarthworkRules = DEFAULT_RULES
) -> list[PadPlane]:
    """`balanced_pad` of many polygons, in their order."""
    return graded_pads(ground, polygons, np.full((len(polygons), 3), np.nan), rules=rules)


def graded_pads(
    ground: Ground, polygons: Sequence[Polygon | MultiPolygon], planes: F64, *, rules: EarthworkRules = DEFAULT_RULES
) -> list[PadPlane]:
    """Volumes of pads at given planes, shape (n, 3): elevation at the centroid [m], grade east, grade north [-].

    A row of NaN asks for the balanced plane.

    Raises
    ------
    InputError
        As `balanced_pad`.
    """
    rows = _pad_rows(ground, polygons, planes, rules)
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
    rules: EarthworkRules = DEFAULT_RULES,
) -> tuple[float, float]:
    """Cut and fill [m³] under a pad whose plane is given (elevation at the centroid); without side slopes."""
    planes = np.array([[elevation_m, grade_east, grade_north]])
    pad = graded_pads(ground, [polygon], planes, rules=replace(rules, side_slope=0.0))[0]
    return pad.cut_m3, pad.fill_m3


def _pad_rows(
    ground: Ground,
    polygons: Sequence[Polygon | MultiPolygon],
    planes: F64,
    rules: EarthworkRules,
    *,
    tiles_across: float = 8.0,
) -> F64:
    """Rows of the compiled kernel, one a pad; at least `tiles_across` tiles over half the side of a square."""
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    if len(polygons) == 0:
        return np.empty((0, kernels.PAD_COLUMNS))
    shapes = np.asarray(polygons, dtype=object)
    area = shapely.area(shapes)
    bad = np.flatnonzero(~((area > 0) & shapely.is_valid(shapes)))
    if len(bad):
        why = shapely.is_valid_reason(shapes[bad[0]]) if area[bad[0]] > 0 else "no area"
        raise InputError(f"pad {int(bad[0])} is not a polygon to grade ({why}); repair it with shapely.make_valid")
    edges, following, starts, origins = _edges(shapes)
    cell = _cell(ground)
    thickness = 2.0 * area / shapely.length(shapes)
    fine = np.full(len(area), rules.sample_m or 0.5 * cell)
    steps = np.maximum(np.minimum(fine, thickness / tiles_across), np.sqrt(area / _MAX_TILES))
    return np.asarray(
        kernels.grade_pads(
            ground.z,
            _frame(ground),
            edges,
            following,
            starts,
            origins,
            steps,
            np.ascontiguousarray(planes, dtype=np.float64),
            np.array([rules.shrink, rules.max_pad_grade, rules.search_rounds]),
            _side(ground, rules),
        )
    )


def _edges(shapes: NDArray[np.object_]) -> tuple[F64, I64, I64, F64]:
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


def _cell(ground: Ground) -> float:
    return min(ground.grid.dx, ground.grid.dy)


def _frame(ground: Ground) -> F64:
    g = ground.grid
    return np.array([g.x0, g.y0, g.dx, g.dy])


def _side(ground: Ground, rules: EarthworkRules) -> F64:
    """Side slopes as the kernels take them: run per rise, march step and reach [m]."""
    return np.array([rules.side_slope, rules.sample_m or 0.5 * _cell(ground), rules.max_batter_m])


# --- corridors -------------------------------------------------------------------------------------------------------


def corridor_volumes(
    ground: Ground, line: LineString, width_m: float, *, rules: EarthworkRules = DEFAULT_RULES
) -> CorridorVolumes:
    """Volumes of a road: prism under the carriageway and the side slopes that bring it to daylight.

    The design is the Z of the line, linear between vertices and level across; the strip is mitred at bends (so its
    area is length x width, without overlap) as far as the neighbouring segments leave room. Side slopes stand square
    to the edge. What the road shares with a pad or another road is counted in both.

    Raises
    ------
    InputError
        Where the line has no Z, or the width is not above 0.
    """
    return corridors(ground, [line], [width_m], rules=rules)[0]


def corridors(
    ground: Ground, lines: Sequence[LineString], widths: Sequence[float], *, rules: EarthworkRules = DEFAULT_RULES
) -> list[CorridorVolumes]:
    """`corridor_volumes` of many roads, in their order."""
    xyz, starts, origins = _vertices(lines)
    return [CorridorVolumes(*row) for row in _corridor_rows(ground, xyz, starts, origins, widths, rules).tolist()]


def _corridor_rows(
    ground: Ground, xyz: F64, starts: I64, origins: F64, widths: Sequence[float], rules: EarthworkRules
) -> F64:
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    width = np.asarray(widths, dtype=np.float64)
    if len(width) != len(starts) - 1:
        raise InputError(f"{len(starts) - 1} lines and {len(width)} widths; give one width for each line")
    if not (width > 0).all():
        raise InputError(f"road width {width[~(width > 0)][0]} m; give a width above 0")
    if len(width) == 0:
        return np.empty((0, kernels.CORRIDOR_COLUMNS))
    fine = rules.sample_m or 0.5 * _cell(ground)
    steps = np.minimum(fine, width / 2.0)
    return np.asarray(
        kernels.grade_corridors(ground.z, _frame(ground), xyz, starts, origins, width, steps, _side(ground, rules))
    )


def _vertices(lines: Sequence[LineString]) -> tuple[F64, I64, F64]:
    """Vertices of all lines (m, 3) about each line's first point, first vertex of each (n + 1), first points (n, 2)."""
    if len(lines) == 0:
        return np.empty((0, 3)), np.zeros(1, dtype=np.int64), np.empty((0, 2))
    shapes = np.asarray(lines, dtype=object)
    flat = np.flatnonzero(~shapely.has_z(shapes))
    if len(flat):
        raise InputError(f"line {int(flat[0])} has no Z; give a LineString Z with the design height at each vertex")
    xyz, of = shapely.get_coordinates(shapes, include_z=True, return_index=True)
    first = np.append(True, of[1:] != of[:-1])
    step = np.hypot(np.diff(xyz[:, 0], prepend=np.inf), np.diff(xyz[:, 1], prepend=np.inf))
    keep = first | (step > 1e-6)
    if not np.isfinite(xyz).all():
        raise InputError(f"line {int(of[~np.isfinite(xyz).all(axis=1)][0])} has a coordinate that is not a number")
    origins = xyz[first][:, :2]
    xyz, of = xyz[keep], of[keep]
    xyz[:, :2] -= origins[of]
    starts = np.searchsorted(of, np.arange(len(shapes) + 1)).astype(np.int64)
    return np.ascontiguousarray(xyz), starts, origins


# --- drawing, and how sure it is ---------------------------------------------------------------------------------------


def daylight(ground: Ground, pad: PadPlane, *, rules: EarthworkRules = DEFAULT_RULES) -> shapely.Geometry:
    """Ground that a pad takes with its side slopes, to where they meet the surface: for drawing.

    The line of daylight is linear between rays at most 1 m apart; a slope without daylight ends where it stopped.
    """
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    edges, following, _, origins = _edges(np.asarray([pad.polygon], dtype=object))
    frame = _frame(ground) - np.array([origins[0, 0], origins[0, 1], 0.0, 0.0])
    plane = np.array([pad.elevation_m, pad.grade_east, pad.grade_north])
    points = kernels.daylight_points(ground.z, frame, edges, following, plane, _side(ground, rules))
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


def cut_fill_raster(
    ground: Ground, pads: Sequence[PadPlane], roads: Sequence[LineString], widths: Sequence[float]
) -> NDArray[np.float64]:
    """Design minus ground [m] on the grid (ny, nx): mean over the graded part of each cell, NaN where there is none.

    Fill is positive, cut negative. Side slopes are not drawn. Where a pad and a road share a cell it is the mean of both.
    """
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    total, weight = np.zeros(ground.grid.shape), np.zeros(ground.grid.shape)
    frame, half_cell = _frame(ground), 0.5 * _cell(ground)
    if pads:
        edges, _, starts, origins = _edges(np.asarray([p.polygon for p in pads], dtype=object))
        for i, pad in enumerate(pads):
            px, py = kernels.tile_polygon(edges[starts[i] : starts[i + 1]], half_cell)
            design = pad.elevation_m + pad.grade_east * px[:, 4] + pad.grade_north * py[:, 4]
            _spread(ground, total, weight, frame, origins[i], px, py, design)
    xyz, starts, origins = _vertices(roads)
    for i, width in enumerate(widths):
        line = xyz[starts[i] : starts[i + 1]]
        for k in range(len(line) - 1):
            px, py, pz, _ = kernels.tile_strip(line, k, 0.5 * width, min(half_cell, width / 2.0))
            _spread(ground, total, weight, frame, origins[i], px, py, pz[:, 4])
    with np.errstate(invalid="ignore"):
        return total / np.where(weight > 0, weight, np.nan)


def _spread(ground: Ground, total: F64, weight: F64, frame: F64, origin: F64, px: F64, py: F64, design: F64) -> None:
    from pacifico.layout import _earthwork_kernels as kernels  # noqa: PLC0415 (numba: only where volumes are computed)

    local = frame - np.array([origin[0], origin[1], 0.0, 0.0])
    depth = design - ground.at(px[:, 4] + origin[0], py[:, 4] + origin[1])
    kernels.spread(total, weight, local, px, py, depth)


def earthwork_interval(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[F64],
    follow_m: float = 30.0,
    rules: EarthworkRules = DEFAULT_RULES,
) -> EarthworkInterval:
    """P10, P50 and P90 of cut + fill (pad and road prisms) under errors of the elevation model.

    Each error field (ny, nx) [m] is added to the ground, and the design answers as it would to a survey: pads are
    balanced anew, profiles move by the error averaged over `follow_m` along the road; plan and grade limits stay. What
    is left is error that is shorter than a pad or a vertical curve. Error roughens the ground, so that P50 lies
    above the volume on the model as it is, most of all on flat sites: a smooth model hides relief.

    Parameters
    ----------
    errors : iterable of ndarray
        Realizations of the model's error [m]; at least one.
    follow_m : float
        Length over which a redrawn profile follows the ground [m]: about a vertical curve of a site road.

    Raises
    ------
    InputError
        Where there is no field, or one is not of the grid's shape or not finite under the works.
    """
    totals = [
        float(each.sum())
        for each in volumes_under_errors(ground, pads, roads, widths, errors=errors, follow_m=follow_m, rules=rules)
    ]
    if not totals:
        raise InputError("no error field given; give at least one realization")
    return EarthworkInterval(*np.percentile(totals, (10, 50, 90)).tolist())


def volumes_under_errors(
    ground: Ground,
    pads: Sequence[PadPlane],
    roads: Sequence[LineString],
    widths: Sequence[float],
    *,
    errors: Iterable[F64],
    follow_m: float = 30.0,
    rules: EarthworkRules = DEFAULT_RULES,
) -> Iterator[F64]:
    """Cut + fill of each pad, then of each road [m³], for one error field after the other: see `earthwork_interval`."""
    polygons = [p.polygon for p in pads]
    planes = np.full((len(pads), 3), np.nan)
    xyz, starts, origins = _vertices(roads)
    moved = xyz.copy()
    quick = replace(rules, side_slope=0.0, search_rounds=min(rules.search_rounds, 4))
    for error in errors:
        if error.shape != ground.grid.shape:
            raise InputError(
                f"the error field is {error.shape}, the grid {ground.grid.shape}; make it on the same grid"
            )
        shaken = Ground(ground.grid, ground.z + error)
        moved[:, 2] = xyz[:, 2] + _followed(Ground(ground.grid, error), xyz, starts, origins, follow_m)
        pad = _pad_rows(shaken, polygons, planes, quick, tiles_across=4.0)[:, :2].sum(axis=1)
        road = _corridor_rows(shaken, moved, starts, origins, widths, quick)[:, :2].sum(axis=1)
        each = np.concatenate([pad, road])
        if not np.isfinite(each).all():
            raise InputError("the error field is not finite under a pad or road; give a field without nodata")
        yield each


def _followed(error: Ground, xyz: F64, starts: I64, origins: F64, window_m: float) -> F64:
    """Error at each vertex [m], averaged over `window_m` along its own line."""
    if len(xyz) == 0:
        return np.empty(0)
    line = np.repeat(np.arange(len(origins)), np.diff(starts))
    value = error.at(xyz[:, 0] + origins[line, 0], xyz[:, 1] + origins[line, 1])
    joined = line[1:] == line[:-1]
    run = np.where(joined, np.hypot(np.diff(xyz[:, 0]), np.diff(xyz[:, 1])), 1.0)
    station = np.concatenate(([0.0], np.cumsum(run)))
    integral = np.concatenate(([0.0], np.cumsum(np.where(joined, 0.5 * (value[1:] + value[:-1]), 0.0) * run)))
    low = np.maximum(station - window_m / 2, station[starts[line]])
    high = np.minimum(station + window_m / 2, station[starts[line + 1] - 1])
    mean = np.interp(high, station, integral) - np.interp(low, station, integral)
    return np.where(high > low, mean / np.maximum(high - low, 1e-9), value)
