"""Valid polygons from rings; every repair is counted and reported."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.crs import geodesic_area_m2
from pacifico.errors import SiteError
from pacifico.site.features import Coords, counted, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

DEGENERATE_M2 = 0.01
"""Smallest area of a polygon [m²]: coordinates of 8 decimals resolve about 1 mm."""
SPIKE_DEG = 0.5
"""Corners sharper than this are reported as spikes [°]."""
SPIKE_M = 5.0
"""Shortest edge of a spike [m]."""
SMALL_RING = 500
"""Edges of a ring that need no check for a tangle: repair is fast enough."""
_METRES_PER_DEGREE = 111_320.0
_SHOWN = 5


@dataclass
class Repairs:
    """Counts of repairs, for the warnings."""

    closed: int = 0
    degenerate: int = 0
    lost_holes: int = 0
    spikes: int = 0
    crossing: list[str] = field(default_factory=list)
    outside_holes: list[str] = field(default_factory=list)

    def warnings(self, noun: str) -> list[str]:
        """One warning for each kind of repair; `noun` names the polygons."""
        found = []
        if self.closed:
            rings = counted(self.closed, "ring was", "rings were")
            found.append(f"{noun}: {rings} not closed; closed with a straight edge to the first vertex")
        if self.crossing:
            found.append(f"{noun}: {_listed(self.crossing)}")
        if self.outside_holes:
            found.append(f"{noun}: {_listed(self.outside_holes)}")
        if self.spikes:
            found.append(
                f"{noun}: {counted(self.spikes, 'spike')} (corners under {SPIKE_DEG}°) left as drawn; check that they are intended"
            )
        if self.degenerate:
            found.append(f"{noun}: {counted(self.degenerate, 'polygon')} without area left out")
        if self.lost_holes:
            found.append(f"{noun}: {counted(self.lost_holes, 'hole')} without area left out")
        return found


def _listed(items: list[str]) -> str:
    more = f"; and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + more


def make_polygon(rings: Sequence[Coords], name: str, repairs: Repairs) -> Polygon | MultiPolygon | None:
    """Make a valid polygon of a shell and its holes.

    Parameters
    ----------
    rings : sequence of array, shape (n, 2)
        Longitude and latitude [°]; shell first, orientation free.
    name : str
        Name of the feature, for messages.
    repairs : Repairs
        Gets the count of each repair.

    Returns
    -------
    Polygon, MultiPolygon or None
        None where the shell has no area.

    Raises
    ------
    SiteError
        Holes cover the whole shell.
    """
    closed = [_closed(ring, repairs) for ring in rings]
    shell = closed[0]
    if shell is None:
        repairs.degenerate += 1
        return None
    holes = [hole for hole in closed[1:] if hole is not None]
    repairs.lost_holes += len(closed) - 1 - len(holes)
    polygon: Polygon | MultiPolygon = Polygon(shell, holes)
    if polygon.is_valid:
        if planar_m2(polygon) < DEGENERATE_M2:
            repairs.degenerate += 1
            return None
        repairs.spikes += sum(_spikes(ring) for ring in (shell, *holes))
        return polygon
    require_few_crossings([shell, *holes], f"the outline of {quoted(name)}")
    outline = Polygon(shell)
    polygon = _repaired(outline)
    if polygon.is_empty:
        repairs.degenerate += 1
        return None
    if not outline.is_valid:
        drawn, after = geodesic_area_m2(outline) / 1e4, geodesic_area_m2(polygon) / 1e4
        repairs.crossing.append(
            f"the ring of {quoted(name)} crosses or touches itself; repaired ({drawn:,.2f} ha as drawn, {after:,.2f} ha after)"
        )
    return _without_holes(polygon, holes, name, repairs) if holes else polygon


def _without_holes(
    polygon: Polygon | MultiPolygon, holes: list[Coords], name: str, repairs: Repairs
) -> Polygon | MultiPolygon:
    """Polygon without its holes, cut out one by one.

    A hole that crosses the shell would otherwise turn inside out.

    Parameters
    ----------
    polygon : Polygon or MultiPolygon
        The repaired shell, in degrees.
    holes : list of array
        Rings of the holes.
    name : str
        Name of the feature, for messages.
    repairs : Repairs
        Gets the count of each repair.
    """
    cut = shapely.union_all([_repaired(Polygon(hole)) for hole in holes])
    left = polygonal(polygon.difference(cut))
    if planar_m2(left) < DEGENERATE_M2:
        raise SiteError(
            f"the holes of {quoted(name)} cover the whole polygon, so nothing is left; check which ring is the outer one"
        )
    beyond = cut.difference(polygon)
    if planar_m2(beyond) > max(1.0, 1e-6 * planar_m2(polygon)):
        repairs.outside_holes.append(
            f"holes of {quoted(name)} reach beyond its outer ring; what lies inside was cut out"
        )
    elif not repairs.crossing:
        repairs.outside_holes.append(f"rings of {quoted(name)} overlap or touch; repaired")
    return left


def _closed(ring: Coords, repairs: Repairs) -> Coords | None:
    """Ring without repeated vertices, closed; None where fewer than three are left."""
    if not len(ring):
        return None
    unclosed = not np.array_equal(ring[0], ring[-1])
    ring = np.vstack([ring, ring[:1]])
    ring = ring[np.r_[True, (np.diff(ring, axis=0) != 0).any(axis=1)]]
    if len(ring) < 4:
        return None
    repairs.closed += unclosed
    return ring


def _repaired(polygon: Polygon) -> Polygon | MultiPolygon:
    if polygon.is_valid:
        return polygon
    fixed = polygonal(shapely.make_valid(polygon, method="structure", keep_collapsed=False))
    return fixed if planar_m2(fixed) >= DEGENERATE_M2 else Polygon()


def polygonal(geometry: BaseGeometry) -> Polygon | MultiPolygon:
    """Polygon parts of a geometry; an empty polygon where it has none."""
    if isinstance(geometry, Polygon | MultiPolygon):
        return geometry
    parts = [p for p in shapely.get_parts(shapely.get_parts(geometry)) if p.geom_type == "Polygon" and not p.is_empty]
    return cast("Polygon | MultiPolygon", shapely.union_all(parts)) if parts else Polygon()


def planar_m2(lonlat: BaseGeometry) -> float:
    """Rough area of a geometry in degrees [m²], for thresholds only."""
    if lonlat.is_empty:
        return 0.0
    _, south, _, north = lonlat.bounds
    return float(lonlat.area) * _METRES_PER_DEGREE**2 * math.cos(math.radians((south + north) / 2))


def require_few_crossings(lines: Sequence[Coords], what: str) -> None:
    """Refuse a tangle: every crossing costs time and memory in repairs.

    Parameters
    ----------
    lines : sequence of array, shape (n, 2)
        Rings, closed.
    what : str
        Name of the lines, for the message.

    Raises
    ------
    SiteError
        Where edges meet more than twelve others each, on average.
    """
    pairs = np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in lines])
    edges = cast("NDArray[np.object_]", shapely.linestrings(pairs))
    if len(edges) < SMALL_RING:
        return
    limit = 12 * len(edges) + 5_000
    tree = shapely.STRtree(edges)
    met, done, chunk = 0, 0, 64
    while done < len(edges):
        met += tree.query(edges[done : done + chunk], predicate="intersects").shape[1]
        done += chunk
        if met > limit:
            raise SiteError(f"{what} crosses itself more than {limit:,} times, the limit; draw it again")
        if met < 10 * done:
            chunk *= 2


def ring_coordinates(shapes: Sequence[Polygon | MultiPolygon]) -> list[Coords]:
    """Vertices of every ring of the polygons."""
    parts = [part for shape in shapes for part in shapely.get_parts(shape)]
    return [shapely.get_coordinates(ring) for part in parts for ring in (part.exterior, *part.interiors)]


def _spikes(ring: Coords) -> int:
    """Corners under half a degree with both edges over five metres."""
    metres = ring * _METRES_PER_DEGREE
    metres[:, 0] *= math.cos(math.radians(float(ring[:, 1].mean())))
    edges = np.diff(metres, axis=0)
    lengths = np.hypot(edges[:, 0], edges[:, 1])
    turned = -(edges * np.roll(edges, 1, axis=0)).sum(axis=1)
    before = np.roll(lengths, 1)
    sharp = turned > math.cos(math.radians(SPIKE_DEG)) * lengths * before
    return int((sharp & (np.minimum(lengths, before) > SPIKE_M)).sum())
