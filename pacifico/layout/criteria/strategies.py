"""Strategies: one table of everything that differs between them.

To add a strategy, add its name to `pacifico.vocabulary`, its policy here and its objective to `pacifico.layout.search.objectives`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.vocabulary import Strategy

SchemeChoice = Literal["any", "other", "quads"]
"""Windows of any scheme, of another scheme than the best window's, or of scheme quads alone."""
RoadMeasure = Literal["length", "earthwork"]
"""What a road branch is charged with: its length [m], or its cut and fill [m³]."""
PadMeasure = Literal["surroundings", "earthwork"]
"""What shifting a pad reduces: covered area [m²], or cut and fill [m³]."""

SizeTable = tuple[tuple[int, int], ...]
"""Pairs of largest item count and number allowed, by ascending item count; 1 is allowed beyond the last."""
UNLIMITED = 10**9
"""Item count that no draft exceeds."""


class SitingWeights(NamedTuple):
    """Factors on prices when a substation is placed."""

    road: float
    earthwork: float


EQUAL_WEIGHTS = SitingWeights(1.0, 1.0)
"""Prices as they are."""


@dataclass(frozen=True)
class SeedRule:
    """Windows to try, and how to fill them."""

    ranked_by: Strategy
    """Strategy by whose objective windows are ranked."""
    siting: SitingWeights
    """Weights for the substation."""
    places: tuple[int, int] = (0, 1)
    """First rank to try and the rank to stop at."""
    scheme: SchemeChoice = "any"
    """Which windows of the ranking count."""
    filled_as: Strategy | None = None
    """Strategy that chooses arrays in the window; None for the strategy itself."""
    skid_detour: float = 0.0
    """Distance that a skid moves off its arrays' middle to save a cubic metre of earthwork [m/m³]."""


@dataclass(frozen=True)
class LocalSearch:
    """Moves of the local search that serve a strategy."""

    turn: int
    """Position among the strategies, 0 first."""
    exchange: bool = False
    """Whether arrays or yard blocks are exchanged to cover less ground."""
    branch_measures: tuple[RoadMeasure, ...] = ()
    """Measures by which road branches are ranked and dropped, in order; empty to keep all branches."""
    pad_measure: PadMeasure | None = None
    """What shifting pads reduces; None to leave pads in place."""


@dataclass(frozen=True)
class StrategyPolicy:
    """Choices of one strategy."""

    siting: SitingWeights
    """Weights for the substation where no rule of `seeds` applies."""
    seeds: tuple[SeedRule, ...]
    """Windows to try, in order, before the windows that all strategies try."""
    yard_slope_m: float
    """Distance that equals a degree of slope when blocks of a yard are placed [m/°]; engineering judgement."""
    window_slope_m: float
    """Distance that equals a degree of slope when arrays are placed outside any window [m/°]; engineering judgement."""
    drafts_served: SizeTable
    """Most drafts that are connected to roads, by the item count of the first."""
    skid_detour: float = 0.0
    """Distance that a skid moves off its arrays' middle to save a cubic metre, in windows outside `seeds` [m/m³]."""
    two_way_aisles: bool = False
    """Whether arrays stand in scheme quads alone, where roads reach them from two sides."""
    compact: bool = False
    """Whether arrays are chosen to cover little ground, regardless of lanes."""
    rank_drafts: bool = False
    """Whether drafts are compared by covered area before roads are routed."""
    local_search: LocalSearch | None = None
    """Moves of the local search; None to skip it and to leave out other strategies' candidates."""


_EQUAL = EQUAL_WEIGHTS
_EARTH_3, _EARTH_5, _EARTH_20, _EARTH_40 = (SitingWeights(1.0, e) for e in (3.0, 5.0, 20.0, 40.0))
_ROAD_5 = SitingWeights(5.0, 0.2)
_FEW_DRAFTS: SizeTable = ((30, 8), (60, 7), (120, 6), (320, 3), (2500, 2))
"""Drafts that differ by their roads alone: a large one takes long to connect."""

POLICIES: Mapping[Strategy, StrategyPolicy] = MappingProxyType(
    {
        "balanced": StrategyPolicy(
            siting=_EARTH_3,
            seeds=(SeedRule("balanced", _EARTH_3), SeedRule("clustered", _EARTH_3)),
            yard_slope_m=40.0,
            window_slope_m=40.0,
            drafts_served=((120, 2), (UNLIMITED, 1)),
            two_way_aisles=True,
        ),
        "density": StrategyPolicy(
            siting=_EQUAL,
            seeds=(
                # compact and lane by lane; then the windows that are easiest to reach
                SeedRule("density", _EQUAL),
                SeedRule("density", _EQUAL, filled_as="balanced"),
                SeedRule("balanced", _EQUAL, scheme="quads", filled_as="balanced"),
                SeedRule("clustered", _EQUAL, filled_as="clustered"),
                SeedRule("low_earthwork", _EQUAL, filled_as="clustered"),
                SeedRule("density", _EQUAL, places=(1, 2), filled_as="balanced"),
                SeedRule("density", _EQUAL, scheme="other"),
                SeedRule("density", _EARTH_20, places=(0, 2), filled_as="balanced"),
                SeedRule("density", _ROAD_5, places=(0, 2), filled_as="balanced"),
            ),
            yard_slope_m=0.0,
            window_slope_m=0.0,
            # the covered area of a draft is known without roads
            drafts_served=((UNLIMITED, 1),),
            compact=True,
            rank_drafts=True,
            local_search=LocalSearch(turn=2, exchange=True, pad_measure="surroundings"),
        ),
        "low_earthwork": StrategyPolicy(
            siting=_EARTH_40,
            seeds=(
                # little road on gentle ground often takes the least earthwork
                SeedRule("low_earthwork", _EARTH_40, skid_detour=60.0),
                SeedRule("clustered", _EARTH_40, skid_detour=60.0),
                SeedRule("clustered", _EARTH_20, skid_detour=60.0),
                SeedRule("balanced", _EARTH_40, scheme="quads", filled_as="balanced", skid_detour=60.0),
                SeedRule("clustered", _EARTH_20, skid_detour=20.0),
                SeedRule("clustered", _EARTH_5, skid_detour=20.0),
                SeedRule("low_earthwork", _EARTH_20, skid_detour=20.0),
                SeedRule("low_earthwork", _EARTH_5, skid_detour=20.0),
            ),
            yard_slope_m=400.0,
            window_slope_m=40.0,
            drafts_served=_FEW_DRAFTS,
            skid_detour=60.0,
            local_search=LocalSearch(turn=1, branch_measures=("earthwork", "length"), pad_measure="earthwork"),
        ),
        "clustered": StrategyPolicy(
            siting=_EQUAL,
            seeds=(
                # substation where road and cable are shortest, then substation and skids on the flattest ground beside
                SeedRule("clustered", _EQUAL),
                SeedRule("clustered", _EARTH_20, skid_detour=20.0),
                SeedRule("clustered", _ROAD_5),
                SeedRule("clustered", _EQUAL, places=(1, 3)),
                SeedRule("clustered", _EQUAL, scheme="other"),
                SeedRule("balanced", _EQUAL, scheme="quads", filled_as="balanced"),
                SeedRule("clustered", _EARTH_40, skid_detour=60.0),
                SeedRule("low_earthwork", _EARTH_40, skid_detour=60.0),
                SeedRule("clustered", _EARTH_5, skid_detour=20.0),
                SeedRule("low_earthwork", _EARTH_20, skid_detour=20.0),
            ),
            yard_slope_m=10.0,
            window_slope_m=10.0,
            drafts_served=_FEW_DRAFTS,
            local_search=LocalSearch(turn=0, branch_measures=("length", "earthwork")),
        ),
    }
)
"""Policy of each strategy."""
