"""Setbacks from single edges of the boundary.

An edge is chosen by the side that it faces, by its number, or by a named line along it.

::

            1                   edges are numbered clockwise from the northernmost corner (of two, the western one);
        +-------+               an edge faces outwards: edge 1 faces north
      4 |       | 2
        +-------+
            3

A line of the boundary file, such as one named "County road", chooses the edges along it: those that lie within 30 m of it
for at least half their length, if the line runs beside them for at least that far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from pacifico.errors import InputError
from pacifico.site.rings import polygonal

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely import LineString, MultiPolygon, Polygon

    from pacifico.site.model import NamedLine, Site

SIDES = ("north", "east", "south", "west")
MAX_SETBACK_M = 1000.0
"""Largest setback, as that of the catalog's `site.setback_m` [m]."""
MAX_ENTRIES = 200
"""Most setbacks in one spec: more than any boundary has streets."""
ARC_SEGMENTS = 16
"""Segments of a quarter circle around the end of an edge: a chord is within 0.2 % of the arc."""
ALONG_M = 30.0
"""Largest distance between an edge and a line along it [m]: half a road's width and the error of a hand-drawn line."""
SAMPLES = 20
"""Points on an edge at which its distance to a line is measured."""
MAX_NAME = 200
"""Longest name of a line, in characters."""
_CHOICES = f"choose from {', '.join(SIDES)}, an edge's number from 1, or the name of a line in the boundary file"


@dataclass(frozen=True)
class EdgeSetback:
    """Setback of assets and pads from some edges."""

    edges: tuple[str | int, ...]
    """Sides, numbers from 1, or names of lines."""
    setback_m: float
    """Smallest distance from these edges [m]."""


def edge_setbacks(value: Any) -> tuple[EdgeSetback, ...]:
    """Setbacks of a spec, checked.

    A spec lists them as ``{edges = "north", setback_m = 30}``. `edges` is a side (north, east, south, west), the number of an edge, the name of a line in the boundary file, or a
    list of these.

    Raises
    ------
    InputError
        The value is anything else.
    """
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise InputError(
            f'spec: site.setbacks = {value!r} is no list; write setbacks = [{{edges = "north", setback_m = 30}}]'
        )
    if len(value) > MAX_ENTRIES:
        raise InputError(
            f"spec: site.setbacks has {len(value)} entries, limit {MAX_ENTRIES}; join those of one distance"
        )
    return tuple(_entry(entry, f"site.setbacks, entry {k}") for k, entry in enumerate(value, start=1))


def _entry(entry: Any, where: str) -> EdgeSetback:
    """One setback; `where` says in messages which."""
    if not isinstance(entry, Mapping) or set(entry) != {"edges", "setback_m"}:
        raise InputError(f'spec: {where} = {entry!r}; write {{edges = "north", setback_m = 30}}')
    edges, distance = entry["edges"], entry["setback_m"]
    listed = list(edges) if isinstance(edges, list | tuple) else [edges]
    for edge in listed:
        valid = 0 < len(edge.strip()) <= MAX_NAME if isinstance(edge, str) else type(edge) is int and edge >= 1
        if not valid:
            raise InputError(f"spec: {where}: edges = {edge!r}; {_CHOICES}")
    if not listed:
        raise InputError(f"spec: {where} names no edge; {_CHOICES}")
    if isinstance(distance, bool) or not isinstance(distance, int | float) or not 0 <= distance <= MAX_SETBACK_M:
        raise InputError(f"spec: {where}: setback_m = {distance!r}; it must lie between 0 and {MAX_SETBACK_M:g}")
    return EdgeSetback(tuple(listed), float(distance))


@dataclass(frozen=True)
class Edges:
    """Edges of the outer rings of a boundary, by number."""

    ends: NDArray[np.float64]
    """Start and end of each edge, shape (n, 2, 2), clockwise [m]."""
    faces: tuple[str, ...]
    """Side that each edge faces."""


def edges_of(boundary: Polygon | MultiPolygon) -> Edges:
    """Edges of a boundary; those of the largest part come first."""
    parts = sorted(shapely.get_parts(boundary), key=lambda p: (-p.area, p.bounds))
    ends = np.concatenate([_clockwise(part) for part in parts])
    run = ends[:, 1] - ends[:, 0]
    # on a clockwise ring the outside is on the left
    bearing = np.degrees(np.arctan2(-run[:, 1], run[:, 0])) % 360
    return Edges(ends, tuple(SIDES[math.floor((b + 45) / 90) % 4] for b in np.round(bearing, 9)))


def _clockwise(part: Polygon) -> NDArray[np.float64]:
    """Edges of a polygon's outer ring, shape (n, 2, 2) [m]."""
    ring = shapely.get_coordinates(shapely.orient_polygons(part, exterior_cw=True).exterior)[:-1]
    first = min(range(len(ring)), key=lambda k: (-ring[k, 1], ring[k, 0]))
    ring = np.roll(ring, -first, axis=0)
    return np.stack([ring, np.roll(ring, -1, axis=0)], axis=1)


def boundary_edges(site: Site) -> gpd.GeoDataFrame:
    """Edges of a site's boundary as a table.

    Columns are `edge` (number), `faces` (side), `length_m` and `along` (names of lines along it).
    """
    import geopandas as gpd  # noqa: PLC0415 (1 s)

    edges = edges_of(site.boundary)
    lines = shapely.linestrings(edges.ends)
    named: list[list[str]] = [[] for _ in edges.faces]
    for name in dict.fromkeys(n.name for n in site.lines):
        for k in edges_along(edges, [n.line for n in site.lines if n.name == name]):
            named[k].append(name)
    rows = {
        "edge": range(1, len(edges.ends) + 1),
        "faces": edges.faces,
        "length_m": shapely.length(lines).round(2),
        "along": [", ".join(names) for names in named],
    }
    return gpd.GeoDataFrame(rows, geometry=lines, crs=site.crs)


def edges_along(edges: Edges, lines: Sequence[LineString]) -> list[int]:
    """Indices of the edges along lines of one name."""
    start, run = edges.ends[:, 0], edges.ends[:, 1] - edges.ends[:, 0]
    at = start[:, None] + run[:, None] * ((np.arange(SAMPLES) + 0.5) / SAMPLES)[:, None]
    half = np.hypot(run[:, 0], run[:, 1]) / 2
    near = np.zeros((len(edges.ends), SAMPLES), dtype=bool)
    followed = np.zeros(len(edges.ends))
    for line in lines:
        near |= shapely.distance(shapely.points(at), line) <= ALONG_M
        first, last = (shapely.line_locate_point(line, shapely.points(edges.ends[:, k])) for k in (0, 1))
        followed += np.abs(last - first)
    return [int(k) for k in np.flatnonzero((near.mean(axis=1) >= 0.5) & (followed >= half * (1 - 1e-9)))]


def set_back(
    boundary: Polygon | MultiPolygon,
    setback_m: float,
    chosen: Sequence[EdgeSetback] = (),
    lines: Sequence[NamedLine] = (),
) -> Polygon | MultiPolygon:
    """Ground inside the setbacks; it may be empty.

    Parameters
    ----------
    boundary : Polygon or MultiPolygon
        In the working CRS [m].
    setback_m : float
        Setback from all other edges and from holes [m].
    chosen : sequence of EdgeSetback
        Setbacks from single edges; where several choose an edge, the last one holds.
    lines : sequence of NamedLine
        Lines that setbacks may name, in the working CRS [m]; case is ignored.

    Raises
    ------
    InputError
        A setback names an edge or a line that does not exist, or a line that no edge runs along.
    """
    if not chosen:
        return shapely.buffer(boundary, -setback_m, join_style="mitre") if setback_m else boundary
    edges = edges_of(boundary)
    distance = np.full(len(edges.ends), setback_m)
    for entry in chosen:
        for edge in entry.edges:
            distance[edge_indices(edge, edges, lines)] = entry.setback_m
    holes = [ring for part in shapely.get_parts(boundary) for ring in part.interiors]
    taken = (
        [shapely.buffer(shapely.MultiLineString(holes), setback_m, quad_segs=ARC_SEGMENTS)]
        if holes and setback_m
        else []
    )
    for metres in np.unique(distance[distance > 0]):
        own = shapely.multilinestrings(shapely.linestrings(edges.ends[distance == metres]))
        taken.append(shapely.buffer(own, metres, quad_segs=ARC_SEGMENTS))
    return polygonal(shapely.difference(boundary, shapely.union_all(taken))) if taken else boundary


def edge_indices(edge: str | int, edges: Edges, lines: Sequence[NamedLine]) -> list[int]:
    """Indices of the edges that a setback chooses.

    Raises
    ------
    InputError
        There is no such edge.
    """
    if isinstance(edge, int):
        if edge > len(edges.ends):
            raise InputError(
                f"site.setbacks names edge {edge}; the boundary has {len(edges.ends)} edges, numbered clockwise from the "
                "northernmost corner"
            )
        return [edge - 1]
    if edge in SIDES:
        found = [k for k, side in enumerate(edges.faces) if side == edge]
        if not found:
            raise InputError(
                f"site.setbacks names the {edge}; no edge of the boundary faces {edge}: name edges by their number"
            )
        return found
    named = [n.line for n in lines if n.name.casefold() == " ".join(edge.split()).casefold()]
    if not named:
        names = list(dict.fromkeys(repr(n.name[:60]) for n in lines))
        there = f"its named lines are {', '.join(names[:8])}" if names else "it has no named lines"
        raise InputError(
            f"site.setbacks names {edge[:60]!r}, which is no side ({', '.join(SIDES)}) and no line in the boundary file; {there}"
        )
    along = edges_along(edges, named)
    if not along:
        raise InputError(
            f"site.setbacks names the line {edge[:60]!r}, but no edge of the boundary lies within {ALONG_M:g} m of it for half "
            "its length; draw the line along the edges that are meant"
        )
    return along
