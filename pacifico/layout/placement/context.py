"""Ground, spec and results that drafts of one design share."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as field_of
from functools import cached_property
from typing import TYPE_CHECKING

from shapely import box

from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.earthwork.pads import balanced_pads
from pacifico.layout.ground.site_access import site_access
from pacifico.layout.placement.rows.mixed_strips import MixedPacking, pack_mixed
from pacifico.layout.placement.siting_cost import EdgeDistance, edge_distance
from pacifico.layout.placement.strip_packing import StripPacking, pack_strips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.criteria.racking import ArraySlopes
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.earthwork import PadPlane
    from pacifico.layout.placement.strips import StripPattern

    Rect = tuple[float, float, float, float]


@dataclass
class _Memo:
    """Results computed so far. They save time and never change a layout."""

    packings: dict[tuple[StripPattern, float | ArraySlopes, float], StripPacking] = field_of(default_factory=dict)
    """Strip packings, by pattern, slope limits and margin [m]."""
    mixed: dict[tuple[StripPattern, tuple[StripPattern, ...], tuple[float, ...], ArraySlopes], MixedPacking] = field_of(
        default_factory=dict
    )
    """Strips of several patterns, by these, capacity of their units [kW] and slope limits."""
    pads: dict[Rect, PadPlane] = field_of(default_factory=dict)
    """Balanced pads, by rectangle."""


@dataclass(frozen=True)
class PlacementContext:
    """Ground and spec of a design, with shared results."""

    field: Field
    spec: Spec
    _memo: _Memo = field_of(default_factory=_Memo, compare=False, repr=False)

    def packing(self, pattern: StripPattern, limit: float | ArraySlopes, *, margin_m: float) -> StripPacking:
        """Strips of a pattern, placed where they hold the most units.

        Parameters
        ----------
        pattern : StripPattern
            Dimensions.
        limit : float or ArraySlopes
            Steepest natural ground under a unit, a number in any direction [°].
        margin_m : float
            Distance to keep around each unit, for the apron of its pad [m].
        """
        key = pattern, limit, margin_m
        packings = self._memo.packings
        if key not in packings:
            packings[key] = pack_strips(pattern, self.field.sieve(limit), margin_m=margin_m)
        return packings[key]

    def mixed_packing(
        self,
        full: StripPattern,
        patterns: Sequence[StripPattern],
        unit_kw: Sequence[float],
        slopes: ArraySlopes,
    ) -> MixedPacking:
        """Strips of several patterns in the cells between the aisles of another.

        Parameters
        ----------
        full : StripPattern
            Pattern whose aisles and cross aisles stay.
        patterns : sequence of StripPattern
            Dimensions of strips of each unit.
        unit_kw : sequence of float
            Capacity of each unit [kW].
        slopes : ArraySlopes
            Steepest natural ground under a unit.
        """
        key = full, tuple(patterns), tuple(unit_kw), slopes
        mixed = self._memo.mixed
        if key not in mixed:
            mixed[key] = pack_mixed(self.packing(full, slopes, margin_m=0.0), patterns, unit_kw)
        return mixed[key]

    def pad_planes(self, items: Sequence[Item]) -> dict[Item, PadPlane]:
        """Balanced pads of items; solar arrays stand on piles and have none."""
        items = [i for i in items if i.kind != "solar_array"]
        pads = self._memo.pads
        fresh = list({i.pad_rect: box(*i.pad_rect) for i in items if i.pad_rect not in pads}.items())
        polygons = [polygon for _, polygon in fresh]
        planes = balanced_pads(self.field.ground, polygons, criteria=earthwork_criteria(self.spec))
        pads.update((rect, plane) for (rect, _), plane in zip(fresh, planes, strict=True))
        return {i: pads[i.pad_rect] for i in items}

    @cached_property
    def edge_distance(self) -> EdgeDistance:
        """Road from the edge of the site or its existing roads, on a coarse grid."""
        return edge_distance(self.field.outline, site_access(self.field, self.spec))
