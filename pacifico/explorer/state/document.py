"""What the user has asked for: design, overrides, zones and edits, as one value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from pacifico.crs import LONLAT, reproject
from pacifico.explorer.state.overrides import Overrides
from pacifico.site.model import Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS
    from shapely import MultiPolygon, Polygon

    from pacifico.explorer.state.overrides import Edge
    from pacifico.layout.criteria.design import Design
    from pacifico.site.model import ZoneType
    from pacifico.vocabulary import AssetKind

LonLat = tuple[float, float]
"""Longitude and latitude [°]."""
EditOperation = Literal["move", "rotate", "remove", "add"]
"""Kinds of edits that the map makes."""


@dataclass(frozen=True)
class DrawnZone:
    """A zone drawn or typed on the map."""

    name: str
    area: Polygon | MultiPolygon
    """Longitude and latitude [°], without the buffer."""
    buffer_m: float = 0.0
    use: ZoneType | None = None
    """What is there, such as water; None for ground to keep free."""
    existing: bool = False
    """Whether it is an existing road that the plant may use."""

    def zone(self, crs: CRS) -> Zone:
        """Exclusion zone in the working CRS."""
        area = reproject(self.area, LONLAT, crs)
        if self.use is not None:
            return Zone(area, self.name, self.use, self.buffer_m, drivable=self.existing, existing=self.existing)
        kind: Literal["hard", "buffered"] = "buffered" if self.buffer_m else "hard"
        return Zone(area, self.name, kind, self.buffer_m)


@dataclass(frozen=True)
class EditStep:
    """One edit, with the place of its asset, so that it can be made again on another layout."""

    operation: EditOperation
    asset_type: AssetKind
    at: LonLat
    """Centre of the asset before the edit; of a new asset, its place."""
    asset_id: str = ""
    """Identifier when the edit was made; empty for a new asset."""
    to: LonLat | None = None
    """New centre of a moved asset."""
    to_deg: float | None = None
    """New angle of a rotated asset [°]."""

    @property
    def words(self) -> str:
        """The edit in a few words."""
        subject = self.asset_id or self.asset_type.replace("_", " ")
        return f"{self.operation} {subject}"


@dataclass(frozen=True)
class Document:
    """Design, zones, edits and overrides on the map. Equal documents have equal layouts."""

    design: Design
    """Without the catalog's overrides of the start."""
    zones: tuple[DrawnZone, ...] = ()
    edits: tuple[EditStep, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)
    """Catalog values that the map changes."""

    def with_design(self, design: Design) -> Document:
        """Document with another design; zones and edits stay."""
        return replace(self, design=design)

    def with_overrides(self, overrides: Overrides) -> Document:
        """Document with other catalog values; zones and edits stay."""
        return replace(self, overrides=overrides)

    def request_design(self, spec: Mapping[str, Mapping[str, Any]] | None) -> Design:
        """Design to lay out, with the spec of the start and the overrides.

        Raises
        ------
        InputError
            The storage energy doesn't fit the storage power.
        """
        design = replace(self.design, spec=spec)
        return replace(design, spec=self.overrides.spec(design))

    def with_zones(self, zones: tuple[DrawnZone, ...]) -> Document:
        """Document with other zones; design and edits stay."""
        return replace(self, zones=zones)

    def with_edit(self, step: EditStep) -> Document:
        """Document with one more edit.

        An edit of an asset whose move is still under way was made at the old place: it is meant for the new one.
        """
        last = next((e for e in reversed(self.edits) if e.asset_id and e.asset_id == step.asset_id), None)
        if last is not None and last.to is not None and last.at == step.at:
            step = replace(step, at=last.to)
        return replace(self, edits=(*self.edits, step))

    def with_edits(self, steps: tuple[EditStep, ...], rule: tuple[str, str, float] | None = None) -> Document:
        """Document with more edits, and with another catalog value where one is given."""
        document = self if rule is None else self.with_overrides(self.overrides.with_rule(*rule))
        for step in steps:
            document = document.with_edit(step)
        return document

    def with_edge_setback(self, edge: Edge, setback_m: float | None) -> Document:
        """Document with another setback of an edge [m]; None for that of all edges."""
        return self.with_overrides(self.overrides.with_edge(edge, setback_m))

    def without_edits(self, positions: frozenset[int]) -> Document:
        """Document without the edits at some positions."""
        return replace(self, edits=tuple(e for n, e in enumerate(self.edits) if n not in positions))

    def next_zone_name(self, stem: str = "drawn") -> str:
        """Name that no zone has yet, such as 'drawn 2'."""
        names = {zone.name for zone in self.zones}
        return next(name for n in range(1, len(names) + 2) if (name := f"{stem} {n}") not in names)
