"""Seed areas that a strategy tries, the most promising first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.asset_types import asset_type
from pacifico.layout.criteria.strategies import POLICIES
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.ground.rects import NO_RECTS
from pacifico.layout.ground.site_access import site_access
from pacifico.layout.placement.level_ground import densest_place
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.skid_places import skid_share
from pacifico.layout.placement.solar_arrays import SCHEMES, WHOLE_SITE_SCHEMES, solar_grounds
from pacifico.layout.search.candidate_windows import WindowEstimates, candidate_windows
from pacifico.layout.search.objectives import OBJECTIVES, WindowMeasures
from pacifico.vocabulary import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.strategies import SeedRule, StrategyPolicy
    from pacifico.layout.ground.buildable import Field
    from pacifico.layout.ground.site_access import SiteAccess
    from pacifico.layout.placement.context import PlacementContext
    from pacifico.layout.placement.strips import Slots
    from pacifico.vocabulary import Strategy

    Rankings = Mapping[Strategy, Sequence[SeedArea]]
    """Seed areas by the objective of each strategy, best first."""

EARTH_PER_M = 0.1
"""Cut and fill per metre of road from the site's edge, where the road follows the ground [m³/m]."""
SHORTLIST = 150
"""Windows whose distance to the edge or the entry is measured."""
SAME_SHARE = 0.85
"""Shared part of the smaller of two windows, above which they count as the same place."""
OWN_WINDOWS = 3
"""Windows of each scheme that are kept by the strategy's own objective; by the others' one each."""
ANYWHERE_RANK = 3
"""Rank of the seed area that fits no window: for sites where windows promise little."""


@dataclass(frozen=True)
class _Window:
    """Window with its cost under the objective of each strategy."""

    costs: Mapping[Strategy, float]
    seed_area: SeedArea


def seed_areas(
    context: PlacementContext,
    strategy: Strategy,
    target_kw: float | None,
    entry: tuple[float, float] | None,
    *,
    full_rows_only: bool = False,
) -> list[SeedArea]:
    """Seed areas for solar arrays, the most promising first.

    Parameters
    ----------
    context : PlacementContext
        Ground and spec.
    strategy : str
        Objective to optimise.
    target_kw : float, optional
        AC capacity of arrays [kW]; None for all that fit.
    entry : (float, float), optional
        Requested site entry in the working CRS [m].
    full_rows_only : bool
        Whether half and third rows are left out where all of the site is built on. Packing them takes as long as all else.
    """
    policy = POLICIES[strategy]
    grounds = {s: solar_grounds(context, s)[0] for s in SCHEMES}
    slots = {s: g.slots(NO_RECTS) for s, g in grounds.items()}
    unit = grounds["quads"].unit
    share = skid_share(asset_type(context.spec, "inverter_skid"), unit)
    needed = math.inf if target_kw is None else math.ceil(target_kw / unit.ac_kw * (1 + share)) + 1
    large_enough = [s for s in SCHEMES if slots[s].units.sum() >= needed]
    if not large_enough:
        mixed = () if full_rows_only else WHOLE_SITE_SCHEMES
        grounds |= {s: solar_grounds(context, s)[0] for s in mixed if s not in grounds}
        by_units = sorted(grounds, key=lambda s: -grounds[s].kw(grounds[s].slots(NO_RECTS)))
        return [_whole_site(context.field, s, strategy) for s in by_units]
    if policy.two_way_aisles and "quads" in large_enough:
        large_enough = ["quads"]
    windows: list[_Window] = []
    access = site_access(context.field, context.spec, entry)
    for scheme in large_enough:
        found = candidate_windows(
            context.field, slots[scheme], int(needed), width_m=context.spec.number("road", "width_m")
        )
        if len(found.area_m2):
            windows += _best_windows(found, scheme, strategy, access)
    out = _apply_rules(windows, strategy)
    out.insert(
        min(ANYWHERE_RANK, len(out)), _densest(context.field, slots[large_enough[0]], large_enough[0], strategy, needed)
    )
    return out


def _densest(field: Field, slots: Slots, scheme: str, strategy: Strategy, needed: float) -> SeedArea:
    """Seed area around the place where the units needed lie closest together.

    Parameters
    ----------
    field : Field
        Slope of the ground.
    slots : Slots
        Slots of the scheme.
    scheme : str
        Scheme of the strip pattern.
    strategy : str
        Objective to optimise.
    needed : float
        Units needed.
    """
    policy = POLICIES[strategy]
    slope_m = policy.window_slope_m
    weights = slots.units / (1 + slope_m / 100 * mean_slope(field, slots.rects))
    anchor = densest_place(slots.rects, weights, 0.9 * needed)
    return SeedArea(
        scheme,
        (*anchor, *anchor),
        anchor,
        slope_m,
        filled_as=strategy,
        siting=policy.siting,
        skid_detour=policy.skid_detour,
    )


def _whole_site(field: Field, scheme: str, strategy: Strategy) -> SeedArea:
    """Seed area that is all of the site."""
    west, south, east, north = field.placeable.bounds
    centre = ((west + east) / 2, (south + north) / 2)
    siting = POLICIES[strategy].siting
    return SeedArea(scheme, (west, south, east, north), centre, filled_as=strategy, siting=siting, whole_site=True)


def _best_windows(windows: WindowEstimates, scheme: str, strategy: Strategy, access: SiteAccess) -> list[_Window]:
    """Best windows of a scheme by any objective.

    Parameters
    ----------
    windows : WindowEstimates
        Windows with estimates.
    scheme : str
        Scheme of the strip pattern.
    strategy : str
        Strategy whose objective keeps the most windows.
    access : SiteAccess
        Where the plant is reached from.
    """
    out: list[_Window] = []
    for ranked_by in STRATEGIES:
        rough = OBJECTIVES[ranked_by].window(_measures(windows, 0.0))
        some = windows.take(np.argsort(rough, kind="stable")[:SHORTLIST])
        measures = _measures(some, access.distance(shapely.box(*some.rects.T)))
        costs = {s: objective.window(measures) for s, objective in OBJECTIVES.items()}
        taken: list[FloatArray] = []
        for i in np.argsort(costs[ranked_by], kind="stable").tolist():
            rect = some.rects[i]
            if any(_shared(rect, other) > SAME_SHARE for other in taken):
                continue
            taken.append(rect)
            nearest = access.nearest_point(shapely.box(*rect))
            west, south, east, north = rect.tolist()
            seed_area = SeedArea(
                scheme, (west, south, east, north), nearest, lanes=some.lanes_in(i), filled_as=strategy
            )
            if all(w.seed_area != seed_area for w in out):
                out.append(_Window({s: float(c[i]) for s, c in costs.items()}, seed_area))
            if len(taken) == (OWN_WINDOWS if ranked_by == strategy else 1):
                break
    return out


def _measures(windows: WindowEstimates, access_m: FloatArray | float) -> WindowMeasures:
    """Estimates of windows, with the access road [m]."""
    road_m = windows.road_m + access_m
    earth_m3 = windows.earth_m3 + EARTH_PER_M * road_m
    return WindowMeasures(windows.area_m2, road_m, windows.earth_m3, earth_m3)


def _shared(a: FloatArray, b: FloatArray) -> float:
    """Part of the smaller of two rectangles that both share."""
    side = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0)
    return float(side.prod() / min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod()))


def _apply_rules(windows: Sequence[_Window], strategy: Strategy) -> list[SeedArea]:
    """Seed areas by the rules of a strategy, each once.

    Those that all strategies try come last.
    """
    if not windows:
        return []
    policy = POLICIES[strategy]
    ranked = {s: _ranked(windows, s) for s in STRATEGIES}
    order = [seed for rule in policy.seeds for seed in _seeds_of(rule, ranked, strategy)]
    return list(dict.fromkeys([*order, *_seeds_of_all(policy, ranked, strategy)]))


def _ranked(windows: Sequence[_Window], strategy: Strategy) -> list[SeedArea]:
    """Seed areas of windows by the objective of a strategy, best first."""
    return [w.seed_area for w in sorted(windows, key=lambda w: w.costs[strategy])]


def _seeds_of(rule: SeedRule, ranked: Rankings, strategy: Strategy) -> list[SeedArea]:
    """Seed areas of one rule."""
    areas = list(ranked[rule.ranked_by])
    if rule.scheme == "other":
        areas = _of_other_scheme(areas)
    elif rule.scheme == "quads":
        areas = [a for a in areas if a.scheme == "quads"]
    return [
        replace(a, filled_as=rule.filled_as or strategy, siting=rule.siting, skid_detour=rule.skid_detour)
        for a in areas[slice(*rule.places)]
    ]


def _seeds_of_all(policy: StrategyPolicy, ranked: Rankings, strategy: Strategy) -> list[SeedArea]:
    """Seed areas that all strategies try.

    They are the best by any objective, then the rest of the strategy's own.
    """
    own = ranked[strategy]
    areas = [*_of_other_scheme(own)[:1], *own[:2], *(areas[0] for areas in ranked.values()), *own]
    return [replace(a, siting=policy.siting, skid_detour=policy.skid_detour) for a in areas]


def _of_other_scheme(areas: Sequence[SeedArea]) -> list[SeedArea]:
    """Seed areas of another scheme than the first."""
    return [a for a in areas if a.scheme != areas[0].scheme]
