"""Records of a site: boundary, exclusion zones, anchors and named lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pacifico.crs import LONLAT, geodesic_area_m2, reproject
from pacifico.escaping import for_markup

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely import LineString, MultiPolygon, Point, Polygon
    from shapely.geometry.base import BaseGeometry

ZoneType = Literal[
    "hard", "buffered", "cost",
    "water", "road", "railway", "pipeline", "line", "gap",
    "wetland", "habitat", "substation",
]  # fmt: skip
"""Kinds of zones. The second row may be crossed by roads and cables, the third row only where the file says so."""
CROSSABLE_TYPES: frozenset[ZoneType] = frozenset({"water", "road", "railway", "pipeline", "line", "gap"})
"""Kinds of zones that roads and cables may cross near right angles."""
ARC_SEGMENTS = 32
"""Chords of a quarter circle in a buffer: it is short by at most 0.03 % of the buffer."""


@dataclass(frozen=True, repr=False)
class Zone:
    """Exclusion zone: ground to keep free, or that costs more to cross."""

    geometry: Polygon | MultiPolygon
    """As given, without its buffer; working CRS [m]."""
    name: str = ""
    zone_type: ZoneType = "hard"
    buffer_m: float = 0.0
    cost_multiplier: float = 1.0
    crossable: bool | None = None
    """Whether roads and cables may cross it; None: as its type says."""
    drivable: bool = False
    """Whether site roads may run along it: an existing road."""

    @property
    def may_be_crossed(self) -> bool:
        """Whether roads and cables may cross it near right angles."""
        if self.zone_type == "cost":
            return False
        return self.zone_type in CROSSABLE_TYPES if self.crossable is None else self.crossable

    def __repr__(self) -> str:
        buffer = f", buffer {self.buffer_m:g} m" if self.buffer_m else ""
        cost = f", cost x{self.cost_multiplier:g}" if self.zone_type == "cost" else ""
        return f"<Zone {self.name!r}: {self.zone_type}{buffer}{cost}, {self.geometry.area / 1e4:,.2f} ha>"

    @property
    def with_buffer(self) -> BaseGeometry:
        """Geometry widened by the buffer [m]; arcs are drawn in chords."""
        return self.geometry.buffer(self.buffer_m, quad_segs=ARC_SEGMENTS) if self.buffer_m else self.geometry


@dataclass(frozen=True)
class Anchor:
    """Named point of the file, perhaps an entry."""

    point: Point
    """Working CRS [m]."""
    name: str = ""
    is_entry: bool = False
    is_poi: bool = False
    """Whether the plant connects to the grid there."""


@dataclass(frozen=True)
class NamedLine:
    """Named line of the file; a setback may choose the edges along it."""

    line: LineString
    """Working CRS [m]."""
    name: str


@dataclass(frozen=True, repr=False)
class Site:
    """Site boundary with its exclusions, anchors and lines; geometry in `crs` [m]."""

    name: str
    crs: CRS
    boundary: Polygon | MultiPolygon
    """Outer limit, repaired; holes are kept, exclusions are not cut out."""
    exclusions: tuple[Zone, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    warnings: tuple[str, ...] = ()
    """Assumptions and repairs, of the boundary and of exclusions, one line each."""
    source: str = ""
    """File name as given (no folder)."""
    sha256: str = ""
    """Hash of the file's bytes; empty where the site came from memory."""
    lines: tuple[NamedLine, ...] = ()
    true_area_ha: float | None = None
    """Known area of a boundary that is not drawn in its place [ha]; None: measured."""
    area_ha: float = field(init=False)
    """Geodesic area inside the boundary, exclusions not subtracted [ha]."""

    def __post_init__(self) -> None:
        area = self.true_area_ha
        if area is None:
            area = geodesic_area_m2(reproject(self.boundary, self.crs, LONLAT)) / 1e4
        object.__setattr__(self, "area_ha", area)

    def __repr__(self) -> str:
        return (
            f"<Site {self.name!r}: {self.area_ha:,.2f} ha, {len(self.exclusions)} exclusions, "
            f"{len(self.entries)} entries, {self.crs.name}>"
        )

    def _repr_html_(self) -> str:
        """Area, CRS, exclusions, entries and warnings, for notebooks."""
        zones = ", ".join(f"{z.name or 'unnamed'} ({z.zone_type})" for z in self.exclusions) or "none"
        rows = (
            ("Site", self.name),
            ("Area", f"{self.area_ha:,.2f} ha"),
            ("Working CRS", self.crs.name),
            ("Exclusions", zones),
            ("Entries", ", ".join(a.name or "unnamed" for a in self.entries) or "none in the file"),
            *(("Note", warning) for warning in self.warnings),
        )
        body = "".join(
            f"<tr><th style='text-align:left'>{for_markup(label)}</th>"
            f"<td style='text-align:left'>{for_markup(value)}</td></tr>"
            for label, value in rows
        )
        return f"<table><tbody>{body}</tbody></table>"

    @property
    def entries(self) -> tuple[Anchor, ...]:
        """Anchors that are site entries."""
        return tuple(a for a in self.anchors if a.is_entry)

    @property
    def grid_connections(self) -> tuple[BaseGeometry, ...]:
        """Places where the plant may connect to the grid.

        They are its points of interconnection; without one, existing substations.
        """
        points: tuple[BaseGeometry, ...] = tuple(a.point for a in self.anchors if a.is_poi)
        return points or tuple(z.geometry for z in self.exclusions if z.zone_type == "substation")
