"""Design problems, their drafts and their layouts with roads."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from functools import cached_property
from typing import TYPE_CHECKING

from pacifico.layout.access.connect import (
    DEFAULT_SEARCH,
    REACH_MARGIN_M,
    RoadSearchOptions,
    ServedLayout,
    connect_roads,
    fill_beside_roads,
)
from pacifico.layout.access.repack import repack
from pacifico.layout.access.road_reserves import approach_strips
from pacifico.layout.access.trim_to_target import spare_kw, trim_to_target
from pacifico.layout.criteria.asset_types import POWER_BLOCK_KINDS, YARD_KINDS, battery_part, solar_unit
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.placement.draft import Draft, capacity_of
from pacifico.layout.placement.place_plant import PlantRequest, draft_layout
from pacifico.layout.search.candidate_order import seed_areas
from pacifico.layout.search.candidate_yards import RankedYards, candidate_yards, rank_yards
from pacifico.layout.search.objectives import LayoutMeasures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely import Point

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.model.assets import Item
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.seed_area import SeedArea
    from pacifico.site.model import Site
    from pacifico.vocabulary import Profile, Strategy


ROUNDING_KW = 1e-2
"""Capacity beyond the target that is rounding of single assets [kW]."""


@dataclass
class _Memo:
    """Results computed so far. They save time and never change a layout."""

    served: dict[tuple[tuple[Item, ...], RoadSearchOptions], ServedLayout] = field_of(default_factory=dict)
    """Layouts with roads, by items and search options: strategies often draft the same."""
    approaches: dict[tuple[Item, ...], FloatArray] = field_of(default_factory=dict)
    """Ground along the roads to turbines, by turbines and substations."""


@dataclass(frozen=True)
class DesignProblem:
    """Site, ground, spec and capacities of a design."""

    site: Site
    context: PlacementContext
    capacities: Capacities
    entry: Point | None
    """Requested site entry; None for any."""
    profile: Profile
    target_kw: float | None
    """Target capacity [kW]; None for as much as the ground carries."""
    _memo: _Memo = field_of(default_factory=_Memo, compare=False, repr=False)

    def like(self, *, capacities: Capacities | None = None, context: PlacementContext | None = None) -> DesignProblem:
        """Problem with other capacities or another spec."""
        return DesignProblem(
            self.site, context or self.context, capacities or self.capacities, self.entry, self.profile, self.target_kw
        )

    @cached_property
    def smallest_kw(self) -> float:
        """Capacity of the smallest unit [kW]; smaller differences don't count."""
        return smallest_unit_kw(self.profile, self.context.spec)

    @property
    def _array_kw(self) -> float:
        """AC capacity of the smallest array [kW]."""
        unit = solar_unit(self.context.spec)
        return unit.least_units * unit.ac_kw

    @property
    def solar_kw(self) -> float | None:
        """AC capacity of arrays to draft, with spare units [kW]."""
        requested_kw = self.capacities.solar_kw
        return None if requested_kw is None else requested_kw + self._spare_kw

    @property
    def _spare_kw(self) -> float:
        """Solar capacity to draft beyond the request [kW]."""
        requested_kw = self.capacities.solar_kw
        return spare_kw(requested_kw, solar_unit(self.context.spec)) if requested_kw else 0.0

    @property
    def _entry_xy(self) -> tuple[float, float] | None:
        """Easting and northing of the requested entry [m]."""
        return None if self.entry is None else (self.entry.x, self.entry.y)

    @cached_property
    def _ranked_yards(self) -> RankedYards:
        """Places for the yard of a plant without arrays."""
        capacities = self.capacities
        power_kw = capacities.gas_kw + (capacities.wind_kw or 0.0) + (capacities.storage_kw or 0.0)
        return rank_yards(self.context, power_kw, self._entry_xy)

    def seed_areas(self, strategy: Strategy, *, full_rows_only: bool = False) -> list[SeedArea] | list[None]:
        """Seed areas that a strategy tries, the most promising first.

        None stands for a yard as large as the ground allows.

        Parameters
        ----------
        strategy : str
            Objective to optimise.
        full_rows_only : bool
            Whether half and third rows are left out, to save time.
        """
        capacities = self.capacities
        if capacities.solar_kw != 0:
            return seed_areas(
                self.context, strategy, capacities.solar_kw, self._entry_xy, full_rows_only=full_rows_only
            )
        if capacities.storage_kw is None or capacities.wind_kw is None:
            return [None]
        return candidate_yards(self._ranked_yards, strategy)

    def draft(self, strategy: Strategy, seed_area: SeedArea | None, excluded: FloatArray = NO_RECTS) -> Draft:
        """Draft of all that is requested.

        Parameters
        ----------
        strategy : str
            Objective to optimise.
        seed_area : SeedArea, optional
            Where to build first.
        excluded : (n, 4) float
            Rectangles to keep free [m].
        """
        capacities = replace(self.capacities, spare_kw=self._spare_kw)
        approaches = self._approaches if capacities.wind_kw != 0 else None
        request = PlantRequest(capacities, strategy, self._entry_xy, approaches)
        return draft_layout(self.context, request, seed_area, excluded)

    def _approaches(self, items: Sequence[Item]) -> FloatArray:
        """Ground to keep free along the roads to turbines.

        Roads are routed as if nothing else stood, so that blades can pass their bends.
        """
        first = tuple(i for i in items if i.kind in ("wind_turbine", "substation"))
        if not any(i.kind == "wind_turbine" for i in first):
            return NO_RECTS
        memo = self._memo.approaches
        if first not in memo:
            alone = connect_roads(self.context, self.site, Draft(list(first)), self.entry, self.profile)
            memo[first] = approach_strips(alone)
        return memo[first]

    def connect(self, draft: Draft, options: RoadSearchOptions = DEFAULT_SEARCH) -> ServedLayout:
        """Layout of a draft with pads and roads, trimmed to the target."""
        key = (tuple(draft.items), options)
        memo = self._memo.served
        if key not in memo:
            memo[key] = self._connect(draft, options)
        return memo[key]

    def _connect(self, draft: Draft, options: RoadSearchOptions) -> ServedLayout:
        """Layout of a draft; blocks give way only if the target is met."""
        served = connect_roads(self.context, self.site, draft, self.entry, self.profile, options)
        removed = [i for i in served.shortened if i.kind in YARD_KINDS]
        if removed and self._misses(served.items) and not self._misses([*served.items, *removed]):
            # meeting the target is worth more than turning room
            served = connect_roads(
                self.context, self.site, draft, self.entry, self.profile, options, give_way=("solar_array",)
            )
        filled = self._filled(served)
        # what is added can't always be trimmed to the target
        return served if self._over_kw(filled) > ROUNDING_KW and self._over_kw(served) <= 0 else filled

    def packed_again(self, draft: Draft, served: ServedLayout) -> ServedLayout:
        """Layout with its arrays packed again around its roads, where the ground is short of the request."""
        short = self.target_kw is None or self.capacity_of(draft.items) <= self.target_kw - self.smallest_kw
        if self.profile != "solar_farm" or not short:
            return served
        reach_m = self.context.spec.number("site", "array_reach_m") - REACH_MARGIN_M
        again = repack(self.context, served, reach_m)
        if self._over_kw(again) > 0:
            again = self._filled(again)
        if again is not served and -self._over_kw(again) < self.smallest_kw:
            # others make up for the arrays that no road reaches
            again = replace(again, lost=tuple(u for u in again.lost if u.kind not in POWER_BLOCK_KINDS))
        return served if self._over_kw(again) > ROUNDING_KW else again

    def _filled(self, served: ServedLayout) -> ServedLayout:
        """Layout with free ground beside its roads filled, trimmed to the target."""
        missing_kw, solar_kw = -self._over_kw(served), self.capacities.solar_kw
        if solar_kw is not None:
            # arrays don't make up for turbines: the shares of a hybrid are given
            missing_kw = min(missing_kw, solar_kw - sum(i.capacity_kw for i in served.items if i.kind == "solar_array"))
        if missing_kw >= self.smallest_kw and solar_kw != 0:
            served = fill_beside_roads(self.context, served, max(missing_kw, self._array_kw))
            if -self._over_kw(served) < self.smallest_kw:
                # others make up for the arrays that no road reaches
                served = replace(served, lost=tuple(u for u in served.lost if u.kind not in POWER_BLOCK_KINDS))
        over_kw = self._over_kw(served)
        if over_kw <= 0 or self.profile == "bess":
            return served
        return trim_to_target(self.context.field, served, over_kw, self.context.spec)

    def _over_kw(self, served: ServedLayout) -> float:
        """Capacity of a layout beyond the target; -inf without a target [kW]."""
        return -math.inf if self.target_kw is None else capacity_of(served.items, self.profile) - self.target_kw

    def _misses(self, items: Sequence[Item]) -> bool:
        """Whether items miss the request by a unit or more."""
        kw = sum(i.capacity_kw for i in items), sum(i.storage_kw for i in items)
        requested = self.target_kw if self.profile != "bess" else None, self.capacities.storage_kw
        units = self.smallest_kw, battery_part(self.context.spec, 1).storage_kw
        return any(r is not None and got <= r - unit for got, r, unit in zip(kw, requested, units, strict=True))

    def capacity_of(self, items: Sequence[Item]) -> float:
        """Capacity of items that counts towards the target [kW]."""
        return capacity_of(items, self.profile)

    def reached_kw(self, draft: Draft, served: ServedLayout) -> float:
        """Capacity of a layout with roads that counts [kW]: none without the substation that its draft has."""
        needs, has = (any(i.kind == "substation" for i in items) for items in (draft.items, served.items))
        return 0.0 if needs and not has else self.capacity_of(served.items)

    def measure(self, served: ServedLayout) -> LayoutMeasures:
        """Measures of a layout for the objectives."""
        return LayoutMeasures(self.context, self.profile, served)
