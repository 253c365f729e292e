"""Candidate areas of a site, most promising first for a strategy."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.strategies import DISC_PRICE, MEASURES, SITING
from pacifico.layout.ground.buildable import mean_slope
from pacifico.layout.placement.level_ground import densest_place
from pacifico.layout.placement.seed_area import SeedArea
from pacifico.layout.placement.solar_arrays import SCHEMES, solar_grounds
from pacifico.layout.search.candidate_windows import WindowRates, candidate_windows
from pacifico.layout.search.candidate_yards import candidate_yards

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.capacities import Capacities
    from pacifico.layout.criteria.spec import Spec, Strategy
    from pacifico.layout.ground.buildable import Field

EARTH_PER_M = 0.1
"""Cut and fill per metre of road where the ground runs along it [m³/m]; fitted to layouts of gentle ground."""
DETOUR_PER_M3 = 0.1
"""Extra road per cubic metre of cut and fill on the straight way to the entry [m/m³]."""
SHORTLIST = 150
"""Windows of which the way to the boundary is measured: a bound on run time."""
APART = 0.85
"""Overlap from which two windows of one scheme count as the same place [share of area]."""


def seed_areas(
    field: Field, spec: Spec, strategy: Strategy, target_kw: float | None, entry: tuple[float, float] | None
) -> list[SeedArea]:
    """Areas for solar arrays up to a target, most promising first for a strategy."""
    grounds = {s: solar_grounds(field, spec, s)[0] for s in SCHEMES}
    runs = {s: g.runs(np.empty((0, 4))) for s, g in grounds.items()}
    unit = grounds["quads"].unit
    needed = math.inf if target_kw is None else math.ceil(target_kw / unit.ac_kw * (1 + 1 / 38)) + 1
    able = [s for s in SCHEMES if runs[s].units.sum() >= needed]
    if not able:
        return [_everything(field, s, strategy) for s in sorted(SCHEMES, key=lambda s: -int(runs[s].units.sum()))]
    if strategy == "balanced" and "quads" in able:
        able = ["quads"]  # lanes on both sides: every array is reached from two sides
    found: list[tuple[tuple[float, ...], SeedArea]] = []
    for s in able:
        w = candidate_windows(field, runs[s], int(needed), width_m=spec.number("road", "width_m"))
        if len(w.area):
            found += _best(field, w, s, strategy, entry)
    out = _by_turns(found, strategy)
    # around the best place of all: for ground that no window fits
    r = runs[able[0]]
    price = DISC_PRICE[strategy]
    anchor = densest_place(r.rects, r.units / (1 + price / 100 * mean_slope(field, r.rects)), 0.9 * needed)
    out.insert(
        min(3, len(out)),
        SeedArea(
            able[0],
            (*anchor, *anchor),
            anchor,
            price,
            strategy=strategy,
            siting=SITING[strategy][0],
            level=60.0 * (strategy == "low_earthwork"),
        ),
    )
    return out


def _by_turns(found: list[tuple[tuple[float, ...], SeedArea]], strategy: Strategy) -> list[SeedArea]:
    """List each area once: the best by the strategy's own measure, then by those of the others."""
    ways = {}
    for k, measure in enumerate(MEASURES):
        ranks = np.argsort([costs[k] for costs, _ in found], kind="stable")
        ways[measure] = [found[i][1] for i in ranks]
    own, siting = ways[strategy], SITING[strategy]
    if not own:
        return []
    other = [f for f in own if f.scheme != own[0].scheme][:1]
    shortest, gentlest = ways["clustered"][:1], ways["low_earthwork"][:1]
    rest = [*other, *own[:2], *(w[0] for w in ways.values()), *own]
    # with lanes on both sides, where arrays in the first area are hard to reach
    sure = [replace(f, strategy="balanced") for f in ways["balanced"] if f.scheme == "quads"][:1]
    if strategy == "density":
        # each window as filled, and with protruding arrays exchanged for ones that fit inside
        plain = [replace(f, strategy="balanced") for f in own[:3]]
        others = [replace(f, strategy="clustered") for f in (*shortest, *gentlest)]
        order = [(own[0], siting[0]), *((f, siting[0]) for f in (plain[0], *sure, *others, *plain[1:2], *other))]
        order += [(f, s) for s in siting[1:] for f in plain[:2]]
    elif strategy == "clustered":
        # first the substation with the shortest road and cable, then substation and skids on the flattest ground nearby
        level = [replace(f, level=20.0) for f in (own[0], *gentlest)]
        order = [(own[0], siting[0]), (level[0], siting[1]), (own[0], siting[3])]
        order += [(f, siting[0]) for f in (*own[1:3], *other, *sure)]
        order += [(replace(f, level=60.0), SITING["low_earthwork"][0]) for f in (own[0], *gentlest)]
        order += [(level[0], siting[2]), (level[1], siting[1])]
    else:
        # on gentle ground the least earthwork usually follows from the least road
        order = [(f, s) for s in siting for f in ((own[0], *shortest) if s == siting[0] else shortest)]
        if strategy == "low_earthwork":
            order += [(f, siting[0]) for f in sure]
    if strategy == "low_earthwork":
        order = [(replace(f, level=60.0), s) for f, s in order]
        order += [(replace(f, level=20.0), s) for f in (*shortest, own[0]) for s in ((1.0, 20.0), (1.0, 5.0))]
        rest = [replace(f, level=60.0) for f in rest]
    order += [(f, siting[0]) for f in rest]
    return [replace(f, siting=s) for k, (f, s) in enumerate(order) if (f, s) not in order[:k]]


def _everything(field: Field, scheme: str, strategy: Strategy) -> SeedArea:
    west, south, east, north = field.placeable.bounds
    middle = ((west + east) / 2, (south + north) / 2)
    return SeedArea(
        scheme, (west, south, east, north), middle, strategy=strategy, siting=SITING[strategy][0], whole=True
    )


def _best(
    field: Field, w: WindowRates, scheme: str, strategy: Strategy, entry: tuple[float, float] | None
) -> list[tuple[tuple[float, ...], SeedArea]]:
    """Best windows of one scheme by each measure, one per place, with their measures."""
    edge = shapely.boundary(field.outline) if entry is None else shapely.Point(entry)
    out: list[tuple[tuple[float, ...], SeedArea]] = []
    for measure in range(len(MEASURES)):
        some = w.take(np.argsort(_measures(w, 0.0)[measure], kind="stable")[:SHORTLIST])
        far = shapely.distance(shapely.box(*some.rects.T), edge)
        costs = _measures(some, far)
        taken: list[FloatArray] = []
        for i in np.argsort(costs[measure], kind="stable").tolist():
            r = some.rects[i]
            if any(_shared(r, t) > APART for t in taken):
                continue
            taken.append(r)
            root = shapely.get_coordinates(shapely.shortest_line(shapely.box(*r), edge))[0]
            rect = (float(r[0]), float(r[1]), float(r[2]), float(r[3]))
            seed_area = SeedArea(scheme, rect, (float(root[0]), float(root[1])), lanes=some.roads(i), strategy=strategy)
            if all(f != seed_area for _, f in out):
                out.append((tuple(float(c[i]) for c in costs), seed_area))
            if len(taken) == (3 if MEASURES[measure] == strategy else 1):
                break
    return out


def _measures(w: WindowRates, far: FloatArray | float) -> tuple[FloatArray, ...]:
    """Value of each of MEASURES for each window; lower is better."""
    road = w.road + far
    earth = w.earth + EARTH_PER_M * road
    return np.sqrt(w.area) * road * np.sqrt(np.sqrt(earth)), w.area, earth, road + DETOUR_PER_M3 * w.earth


def _shared(a: FloatArray, b: FloatArray) -> float:
    side = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0.0)
    return float(side.prod() / min((a[2:] - a[:2]).prod(), (b[2:] - b[:2]).prod()))


def candidate_areas(
    field: Field, spec: Spec, asked: Capacities, strategy: Strategy, entry: tuple[float, float] | None
) -> list[SeedArea | None]:
    """Candidate areas for the requested capacities, most promising first for a strategy."""
    if asked.solar_kw == 0:
        if asked.storage_kw is None or asked.wind_kw is None:
            return [None]
        return list(candidate_yards(field, spec, asked.gas_kw + asked.wind_kw + asked.storage_kw, strategy, entry))
    return list(seed_areas(field, spec, strategy, asked.solar_kw, entry))
