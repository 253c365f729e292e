"""."""

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
    """What is laid out, and how much of it."""

    site: Site
    field: Field
    asked: Capacities
    where: Point | None
    """Entry, if it is given."""
    spec: Spec
    profile: Profile
    target_kw: float | None
    smallest_kw: float
    """Smallest unit; less of a difference is none [kW]."""
    known: dict[tuple[tuple[Item, ...], RoadSearchOptions], ServedLayout] = field_of(
        default_factory=dict, compare=False, repr=False
    )
    """Drafts that were served before: strategies often come upon the same."""

    @property
    def spare_kw(self) -> float:
        """What is put up of arrays beyond what is asked for, and taken off again [kW]."""
        asked_kw = self.asked.solar_kw
        return spare_kw(asked_kw, solar_unit(self.spec)) if asked_kw else 0.0

    def draft(self, strategy: Strategy, seed_area: SeedArea | None, banned: FloatArray) -> Draft:
        """All that is asked for at a place."""
        entry = None if self.where is None else (self.where.x, self.where.y)
        asked = replace(self.asked, spare_kw=self.spare_kw)
        ways = self._ways if asked.wind_kw != 0 else None
        return draft_layout(self.field, self.spec, asked, strategy, entry, banned, seed_area, ways)

    def _ways(self, items: Sequence[Item]) -> FloatArray:
        """Ground along the roads to turbines, as those would run if nothing else stood: blades must round their bends."""
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
        """Pads and roads for a draft, and no more than is asked for."""
        key = (tuple(draft.items), way)
        if key not in self.known:
            self.known[key] = self._serve(draft, way)
        return self.known[key]

    def _serve(self, draft: Draft, way: RoadSearchOptions) -> ServedLayout:
        served = connect_roads(self.site, self.field, draft, self.where, self.spec, self.profile, way)
        gave = [i for i in served.gave if i.kind in YARD]
        if gave and self._short(served.items) and not self._short([*served.items, *gave]):
            # to meet the target is worth more than room to turn
            served = connect_roads(
                self.site, self.field, draft, self.where, self.spec, self.profile, way, give_way=("solar_array",)
            )
        over = 0.0 if self.target_kw is None else capacity_of(served.items, self.profile) - self.target_kw
        if over <= 0 or self.profile == "bess":
            return served
        return trim_to_target(self.field, served, over, self.spec)

    def _short(self, items: Sequence[Item]) -> bool:
        """Whether what stands lacks a unit of what was asked for."""
        kw = sum(i.capacity_kw for i in items), sum(i.storage_kw for i in items)
        asked = self.target_kw if self.profile != "bess" else None, self.asked.storage_kw
        units = self.smallest_kw, self.spec.number("battery", "storage_kw")
        return any(a is not None and got <= a - unit for got, a, unit in zip(kw, asked, units, strict=True))

    def places(self, strategy: Strategy) -> list[SeedArea | None]:
        """Where a strategy would build, the most promising place first."""
        entry = None if self.where is None else (self.where.x, self.where.y)
        return candidate_areas(self.field, self.spec, self.asked, strategy, entry)
