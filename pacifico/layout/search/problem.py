"""The design problem: site, ground, spec and requested capacities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from dataclasses import field as field_of
from typing import TYPE_CHECKING

from pacifico.layout.access.connect import DEFAULT_SEARCH, YARD, RoadSearchOptions, ServedLayout, connect_roads
from pacifico.layout.access.road_reserves import approach_strips
from pacifico.layout.access.trim_to_target import spare_kw, trim_to_target
from pacifico.layout.criteria.asset_types import solar_unit
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.draft import Draft, capacity_of
from pacifico.layout.placement.place_plant import draft_layout
from pacifico.layout.search.candidate_order import candidate_areas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Point

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.spec import Profile, Spec, Strategy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.site.model import Site


@dataclass(frozen=True)
class DesignProblem:
    """A site, its ground, and the capacities requested."""

    site: Site
    field: Field
    asked: Capacities
    where: Point | None
    """Site entry in the working CRS, if given."""
    spec: Spec
    profile: Profile
    target_kw: float | None
    smallest_kw: float
    """Smallest unit; smaller differences count as none [kW]."""
    known: dict[tuple[tuple[Item, ...], RoadSearchOptions], ServedLayout] = field_of(
        default_factory=dict, compare=False, repr=False
    )
    """Memo of connected drafts: strategies often reach the same draft."""

    @property
    def spare_kw(self) -> float:
        """Spare array capacity, placed first and trimmed at the end [kW]."""
        asked_kw = self.asked.solar_kw
        return spare_kw(asked_kw, solar_unit(self.spec)) if asked_kw else 0.0

    def draft(self, strategy: Strategy, seed_area: SeedArea | None, banned: FloatArray) -> Draft:
        """Draft of all requested capacities in one area."""
        entry = None if self.where is None else (self.where.x, self.where.y)
        asked = replace(self.asked, spare_kw=self.spare_kw)
        ways = self._ways if asked.wind_kw != 0 else None
        return draft_layout(self.field, self.spec, asked, strategy, entry, banned, seed_area, ways)

    def _ways(self, items: Sequence[Item]) -> FloatArray:
        """Strips along the roads to turbines, as they would run on an empty site.

        They stay free so that blade transport can take its wide bends.
        """
        first = [i for i in items if i.kind in ("wind_turbine", "substation")]
        if not any(i.kind == "wind_turbine" for i in first):
            return NO_RECTS
        key = ("ways", *(i.rect for i in first))
        if key not in self.field.fits:
            alone = connect_roads(self.site, self.field, Draft(first), self.where, self.spec, self.profile)
            self.field.fits[key] = approach_strips(alone)
        found: FloatArray = self.field.fits[key]
        return found

    def serve(self, draft: Draft, way: RoadSearchOptions = DEFAULT_SEARCH) -> ServedLayout:
        """Connect a draft to roads and trim it to the target."""
        key = (tuple(draft.items), way)
        if key not in self.known:
            self.known[key] = self._serve(draft, way)
        return self.known[key]

    def _serve(self, draft: Draft, way: RoadSearchOptions) -> ServedLayout:
        served = connect_roads(self.site, self.field, draft, self.where, self.spec, self.profile, way)
        gave = [i for i in served.gave if i.kind in YARD]
        if gave and self._short(served.items) and not self._short([*served.items, *gave]):
            # meeting the target is worth more than turning room
            served = connect_roads(
                self.site, self.field, draft, self.where, self.spec, self.profile, way, give_way=("solar_array",)
            )
        over = 0.0 if self.target_kw is None else capacity_of(served.items, self.profile) - self.target_kw
        if over <= 0 or self.profile == "bess":
            return served
        return trim_to_target(self.field, served, over, self.spec)

    def _short(self, items: Sequence[Item]) -> bool:
        """Whether the items miss the target by a unit or more."""
        kw = sum(i.capacity_kw for i in items), sum(i.storage_kw for i in items)
        asked = self.target_kw if self.profile != "bess" else None, self.asked.storage_kw
        units = self.smallest_kw, self.spec.number("battery", "storage_kw")
        return any(a is not None and got <= a - unit for got, a, unit in zip(kw, asked, units, strict=True))

    def places(self, strategy: Strategy) -> list[SeedArea | None]:
        """Candidate areas of a strategy, most promising first."""
        entry = None if self.where is None else (self.where.x, self.where.y)
        return candidate_areas(self.field, self.spec, self.asked, strategy, entry)
