"""Objectives: what each strategy minimises."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.crossings import upgrade_share
from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.placement.draft import capacity_of
from pacifico.layout.placement.surroundings import surroundings_ha

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.access.connect import ServedLayout
    from pacifico.layout.model.assets import Item
    from pacifico.layout.model.earthwork import CorridorVolumes
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.vocabulary import Profile, Strategy

DETOUR_PER_M3 = 0.1
"""Road length by which a road goes round a cubic metre that the straight way would move [m/m³]."""


@dataclass(frozen=True)
class LayoutMeasures:
    """Measures of a layout with roads, computed when first needed."""

    context: PlacementContext
    profile: Profile
    served: ServedLayout

    @cached_property
    def surroundings_ha(self) -> float:
        """Area of all surroundings [ha]."""
        return surroundings_ha(self.served.items)

    @property
    def surroundings_per_kw(self) -> float:
        """Surroundings per capacity [ha/kW]."""
        return surroundings_per_kw(self.served.items, self.profile)

    @property
    def road_m(self) -> float:
        """Length of all roads [m]; on existing ones as much as an upgrade costs."""
        network, existing = self.served.network, self.context.field.existing_roads
        if not existing or not network.roads:
            return network.length_m
        half_width_m = max(r.width_m for r in network.roads) / 2
        on = shapely.union_all(existing).buffer(half_width_m)
        used_m = float(shapely.length(shapely.intersection([r.line for r in network.roads], on)).sum())
        return network.length_m - (1.0 - upgrade_share(self.context.spec)) * used_m

    @cached_property
    def earthwork_m3(self) -> float:
        """Cut and fill with side slopes [m³]."""
        pads = sum(p.total_m3 for p in self.served.pads if p is not None)
        return pads + sum(v.total_m3 for v in road_volumes(self.context, self.served))


@dataclass(frozen=True)
class WindowMeasures:
    """Estimates for windows of a strip pattern, one value each."""

    area_m2: FloatArray
    """Window with its surroundings [m²]."""
    road_m: FloatArray
    """Lanes, and the road to the edge or the entry [m]."""
    lane_earth_m3: FloatArray
    """Cut and fill of the lanes [m³]."""
    earth_m3: FloatArray
    """Cut and fill of all road [m³]."""


@dataclass(frozen=True)
class YardMeasures:
    """Estimates for places of a yard, one value each."""

    radius_m: FloatArray
    """Radius within which there is enough level ground [m]."""
    road_m: FloatArray
    """Road to the edge or the entry [m]."""
    slope_deg: FloatArray
    """Mean slope of that ground [°]."""


@dataclass(frozen=True)
class Objective:
    """What a strategy minimises, at each step of the search."""

    layout: Callable[[LayoutMeasures], float]
    window: Callable[[WindowMeasures], FloatArray]
    yard: Callable[[YardMeasures], FloatArray]


def _balanced_layout(m: LayoutMeasures) -> float:
    """Product of area, root of road and fourth root of earthwork."""
    return float(m.surroundings_ha * np.sqrt(m.road_m) * np.sqrt(np.sqrt(m.earthwork_m3)))


OBJECTIVES: Mapping[Strategy, Objective] = MappingProxyType(
    {
        "balanced": Objective(
            layout=_balanced_layout,
            window=lambda m: np.sqrt(m.area_m2) * m.road_m * np.sqrt(np.sqrt(m.earth_m3)),
            yard=lambda m: m.radius_m * np.sqrt(m.road_m) * np.sqrt(np.sqrt(m.slope_deg)),
        ),
        "density": Objective(
            layout=lambda m: m.surroundings_per_kw,
            window=lambda m: m.area_m2,
            yard=lambda m: m.radius_m,
        ),
        "low_earthwork": Objective(
            layout=lambda m: m.earthwork_m3,
            window=lambda m: m.earth_m3,
            yard=lambda m: m.slope_deg * (m.road_m + m.radius_m),
        ),
        "clustered": Objective(
            layout=lambda m: m.road_m,
            window=lambda m: m.road_m + DETOUR_PER_M3 * m.lane_earth_m3,
            yard=lambda m: m.road_m + m.radius_m,
        ),
    }
)
"""Objective of each strategy."""


def objective_value(measures: LayoutMeasures, strategy: Strategy) -> float:
    """Objective value of a layout under a strategy; lower is better."""
    return OBJECTIVES[strategy].layout(measures)


def surroundings_per_kw(items: Sequence[Item], profile: Profile) -> float:
    """Surroundings per capacity [ha/kW]; infinite without capacity."""
    kw = capacity_of(items, profile)
    return surroundings_ha(items) / kw if kw > 0 else np.inf


def road_volumes(context: PlacementContext, served: ServedLayout) -> list[CorridorVolumes]:
    """Cut and fill of each road."""
    roads, criteria = served.network.roads, earthwork_criteria(context.spec)
    return corridors(context.field.ground, [r.line for r in roads], [r.width_m for r in roads], criteria=criteria)
