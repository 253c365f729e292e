"""Channels: equipment keeps clear, roads and cables cross at a price."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.criteria.crossings import upgrade_share
from pacifico.layout.criteria.water import water_criteria
from pacifico.site.features import counted
from pacifico.site.model import Zone
from pacifico.terrain.drainage.flow import NO_CHANNELS, Channels, Drainage, drainage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray
    from pacifico.grid import Ground
    from pacifico.layout.criteria.spec import Spec
    from pacifico.site.model import Site

MAX_COST_FACTOR = 1000.0
"""Most that a metre over a channel costs, relative to open ground [-]: a price of 0 there stays a finite factor."""
CHANNEL_NAME = "drainage line"
"""Name of what is crossed where a road or cable crosses a channel."""
ARC_SEGMENTS = 2
"""Chords of a quarter circle around the ends of channel pieces."""


@dataclass(frozen=True)
class SiteDrainage:
    """Channels on a site, and the ground that they take."""

    channels: Channels = NO_CHANNELS
    """Channels that meet the site."""
    area: Polygon | MultiPolygon = field(default_factory=MultiPolygon)
    """Ground kept free along them; empty where cells are too coarse to show it [m]."""
    half_width_m: float = 0.0
    """Half the width of that ground at the largest channel [m]."""
    cell_m: float = 0.0
    """Cell on which flow was followed [m]."""
    flow: Drainage | None = None

    @property
    def note(self) -> str:
        """Note on channels that are not kept free; empty without any."""
        if not len(self.channels.segments) or not self.area.is_empty:
            return ""
        length, most = self.channels.length_m / 1000, self.channels.drained_ha.max()
        return (
            f"{length:.1f} km of drainage lines meet the site, of up to {most:,.0f} ha drained: cells of up to {self.cell_m:.0f} m show "
            "them too roughly to keep them free; get a finer elevation model, or draw them as water"
        )


NO_DRAINAGE = SiteDrainage()


def site_drainage(site: Site, ground: Ground, spec: Spec, source_cell_m: float) -> SiteDrainage:
    """Channels of a site by its elevation model.

    Parameters
    ----------
    site : Site
        Boundary in the working CRS.
    ground : Ground
        Heights as fine as they are known.
    spec : Spec
        Section ``water``.
    source_cell_m : float
        Cell size of the source of heights [m].
    """
    criteria = water_criteria(spec)
    if criteria.channel_min_ha <= 0:
        return NO_DRAINAGE
    flow = drainage(ground, site.boundary, source_cell_m=source_cell_m)
    channels, cell = flow.channels(criteria.channel_min_ha).near(site.boundary), flow.grid.dx
    half_widths = criteria.half_width_m(channels.drained_ha, cell)
    half_width_m = float(half_widths.max(initial=criteria.channel_half_width_m))
    if not len(channels.segments) or cell > criteria.coarsest_cell_m:
        return SiteDrainage(channels, half_width_m=half_width_m, cell_m=cell, flow=flow)
    strips = shapely.union_all(shapely.buffer(channels.tree.geometries, half_widths, quad_segs=ARC_SEGMENTS))
    return SiteDrainage(channels, strips, half_width_m, cell, flow)


def road_cost_zones(zones: Sequence[Zone], drained: SiteDrainage, spec: Spec) -> list[Zone]:
    """Zones that cost more to drive over: those given, and channels at the price of culverts.

    Existing roads that the plant uses cost less: the price of an upgrade.
    """
    per_m = spec.number("road", "width_m") * spec.number("costs", "road_surface")
    share = upgrade_share(spec)
    existing = [Zone(z.with_buffer, z.name, "cost", cost_multiplier=share) for z in zones if z.existing and share < 1]
    return [*_given(zones), *_priced(drained, spec.number("costs", "culvert"), per_m), *existing]


def cable_cost_zones(zones: Sequence[Zone], drained: SiteDrainage, spec: Spec) -> list[Zone]:
    """Zones that cost more to trench: those given, and channels at the price of bores."""
    return [*_given(zones), *_priced(drained, spec.number("costs", "bore"), spec.number("costs", "mv_trench"))]


def _given(zones: Sequence[Zone]) -> list[Zone]:
    """Zones that cost more to cross."""
    return [z for z in zones if z.zone_type == "cost"]


def _priced(drained: SiteDrainage, crossing: float, open_ground: float) -> list[Zone]:
    """Ground of channels at the price of a crossing, relative to that of open ground [USD/m each]."""
    if drained.area.is_empty:
        return []
    more = min(crossing / open_ground, MAX_COST_FACTOR) if open_ground > 0 else MAX_COST_FACTOR
    return [Zone(drained.area, CHANNEL_NAME, "cost", cost_multiplier=1.0 + more)]


def water_notes(drained: SiteDrainage, centres: FloatArray, spec: Spec) -> tuple[str, ...]:
    """Notes on channels that are not kept free, and on assets where water ponds.

    Parameters
    ----------
    drained : SiteDrainage
        Drainage of the site.
    centres : (n, 2) float
        Places of assets [m].
    spec : Spec
        Depth from which ponding matters.
    """
    notes = [drained.note] if drained.note else []
    if drained.flow is not None and drained.cell_m <= spec.number("water", "coarsest_cell_m") and len(centres):
        depth = drained.flow.ponding_at(centres[:, 0], centres[:, 1])
        deep = depth[depth >= spec.number("water", "ponding_m")]
        if deep.size:
            notes.append(
                f"{counted(deep.size, 'asset stands', 'assets stand')} in depressions that fill to {deep.max():.1f} m before they drain: grade them to drain, or "
                "keep them free"
            )
    return tuple(notes)
