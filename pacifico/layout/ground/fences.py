"""Fences around the plant, with a gate wherever a road passes through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely

from pacifico.layout.model.fences import Fence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import LineString, Polygon
    from shapely.geometry.base import BaseGeometry

    from pacifico.layout.model.assets import Asset
    from pacifico.layout.model.roads import Road
    from pacifico.site.model import Site

MARGIN_M = 10.0
"""Distance of the fence from the assets [m]: a perimeter track; engineering judgement."""
ENCLOSED_M = 45.0
"""Half the width of a gap between assets that one fence encloses [m]: fencing both sides costs more than the ground."""
SIMPLIFIED_M = 3.0
"""Largest shift of the fence by which corners are saved [m]; less than the margin, so that no asset is cut."""
PUBLIC = frozenset({"road", "railway"})
"""Zone types that stay outside the fence."""


def plant_fences(site: Site, assets: Sequence[Asset], roads: Sequence[Road]) -> tuple[Fence, ...]:
    """Fences around the plant, the longest first.

    Assets share a fence across gaps of up to `2 * ENCLOSED_M`. Where the fences together are longer than one along the
    boundary, the boundary is fenced.

    Parameters
    ----------
    site : Site
        Boundary, and public roads in it.
    assets : sequence of Asset
        What to enclose.
    roads : sequence of Road
        Roads that need gates.
    """
    if not assets:
        return ()
    rings = _rings(_enclosed(site, assets))
    boundary = _rings(_private(site))
    if sum(r.length for r in rings) > sum(r.length for r in boundary):
        rings = boundary
    rings.sort(key=lambda r: (-round(r.length, 3), *r.bounds))
    lines = shapely.MultiLineString([r.line for r in roads])
    return tuple(Fence(f"FN{n:03d}", ring, _gates(ring, lines)) for n, ring in enumerate(rings, 1))


def _enclosed(site: Site, assets: Sequence[Asset]) -> BaseGeometry:
    """Ground inside the fences."""
    footprints = shapely.union_all(shapely.buffer([a.footprint for a in assets], ENCLOSED_M, join_style="mitre"))
    closed = footprints.buffer(MARGIN_M - ENCLOSED_M, join_style="mitre").simplify(SIMPLIFIED_M)
    return closed.intersection(_private(site))


def _private(site: Site) -> BaseGeometry:
    """Site without public roads and railways; roads that the plant uses stay inside."""
    public = [z.geometry for z in site.exclusions if z.zone_type in PUBLIC and not z.existing]
    return site.boundary.difference(shapely.union_all(public))


def _rings(ground: BaseGeometry) -> list[LineString]:
    """Outer lines of ground."""
    parts: list[Polygon] = [p for p in shapely.get_parts(ground) if p.geom_type == "Polygon"]
    return [shapely.LineString(p.normalize().exterior) for p in parts]


def _gates(ring: LineString, roads: BaseGeometry) -> int:
    """Number of places where roads pass through a fence."""
    passed = ring.intersection(roads)
    return 0 if passed.is_empty else len(shapely.get_parts(passed))
