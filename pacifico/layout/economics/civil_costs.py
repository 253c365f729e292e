"""Civil costs of a plan, part by part, with the units that need each."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.criteria.crossings import UPGRADE_ITEMS, upgrade_item
from pacifico.layout.criteria.water import water_criteria
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.economics.needs import cable_needs, road_needs, unit_bits
from pacifico.layout.economics.quantities import (
    CABLE_SLACK,
    STRIP_MARGIN_M,
    TRENCH_STRIP_M,
    array_earth,
    haul_squares,
    own_trench_m,
    trunk_lengths,
    upgraded_m,
)
from pacifico.layout.economics.units import plant_units
from pacifico.layout.placement.skids import block_loads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.economics.units import PlantUnit
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.plan import Plan

CIVIL_ITEMS = (
    "clearing", "road_surface", "road_upgrade", "cut", "fill", "haul", "borrow", "pad_surface", "culvert", "ford", "bridge",
    "crossing_upgrade", *UPGRADE_ITEMS.values(), "bore", "mv_trench", "mv_cable", "dc_trunk", "inverter_skid",
)  # fmt: skip
"""Lines of the bill that depend on where units stand: roads, earthwork, crossings, cables and skids."""
TOUCH_M = 1e-3
"""Vertices of trenches that differ by less are one [m]."""


@dataclass(frozen=True)
class CivilPart:
    """Part of the civil works that stays as long as a unit needs it."""

    needs: int
    """Units that need it, as bits."""
    usd: float
    """Its cost at the unit costs of the bill [USD]."""


@dataclass(frozen=True)
class CivilWorks:
    """Civil works of a plan by the units that need them."""

    units: tuple[PlantUnit, ...]
    parts: tuple[CivilPart, ...]
    """One for each set of units; their sum is that of the bill's civil lines."""
    roads: Mapping[str, int]
    """Units that need each road, by road_id."""

    @property
    def usd(self) -> float:
        """Cost of all parts [USD]."""
        return math.fsum(p.usd for p in self.parts)


def civil_works(plan: Plan) -> CivilWorks:
    """Civil works of a plan, priced as in its bill of quantities.

    Haul is shared out among the works by volume; what is brought in or taken off, among those that lack fill or have
    surplus.

    Parameters
    ----------
    plan : Plan
        Layout with its roads, pads and cables.
    """
    spec, assets = plan.spec, plan.asset_list
    units = plant_units(assets, plan.profile)
    needs = unit_bits(units, assets)
    of_asset = {a.asset_id: bits for a, bits in zip(assets, needs, strict=True)}
    roads = road_needs(plan.road_list, plan.entries, assets, needs)
    cables = cable_needs(plan.cable_list, of_asset)
    parts: dict[int, list[float]] = defaultdict(list)
    for source in (
        _surfaces(plan, spec, of_asset, roads),
        _earth(plan, spec, of_asset, roads),
        _crossings(plan, spec, roads | cables),
        _collection(plan, spec, of_asset, cables),
    ):
        for bits, usd in source:
            parts[bits].append(usd)
    found = tuple(CivilPart(bits, math.fsum(usd)) for bits, usd in sorted(parts.items()))
    return CivilWorks(units, found, roads)


def _surfaces(
    plan: Plan, spec: Spec, of_asset: Mapping[str, int], roads: Mapping[str, int]
) -> Iterator[tuple[int, float]]:
    """Clearing, road surface, upgrades of existing roads and pad surface.

    Parameters
    ----------
    plan : Plan
        Layout.
    spec : Spec
        Unit costs.
    of_asset, roads : mapping
        Units that need each asset and each road.
    """
    clearing, surface, pad = (spec.number("costs", item) for item in ("clearing", "road_surface", "pad_surface"))
    upgrade, upgraded = spec.number("costs", "road_upgrade"), upgraded_m(plan)
    for r in plan.road_list:
        on_existing = upgraded.get(r.road_id, 0.0)
        new = r.length_m - on_existing
        area = new * r.width_m
        usd = area * surface + (area + STRIP_MARGIN_M * new) * clearing + on_existing * upgrade
        yield roads[r.road_id], usd
    for p in plan.pad_list:
        yield of_asset[p.asset_ids[0]], p.plane.polygon.area * (pad + clearing)
    for a in plan.asset_list:
        if a.item.kind == "solar_array":
            yield of_asset[a.asset_id], a.footprint.area * clearing


def _earth(
    plan: Plan, spec: Spec, of_asset: Mapping[str, int], roads: Mapping[str, int]
) -> Iterator[tuple[int, float]]:
    """Cut, fill, haul and borrow of roads, pads and ground under arrays; parameters as for `_surfaces`."""
    works: list[PadPlane | CorridorVolumes] = [*(p.plane for p in plan.pad_list), *plan.road_volumes]
    bits = [*(of_asset[p.asset_ids[0]] for p in plan.pad_list), *(roads[r.road_id] for r in plan.road_list)]
    at = [p.plane.polygon.centroid for p in plan.pad_list]
    at += [r.line.interpolate(0.5, normalized=True) for r in plan.road_list]
    if not works:
        return
    arrays = array_earth(plan)
    if len(arrays):
        bits += [of_asset[a.asset_id] for a in plan.asset_list if a.item.kind == "solar_array"]
    places = np.concatenate([shapely.get_coordinates(np.array(at, dtype=object)), arrays[:, :2]])
    cut = np.concatenate([[w.cut_m3 + w.batter_cut_m3 for w in works], arrays[:, 2]])
    fill = np.concatenate([[w.fill_m3 + w.batter_fill_m3 for w in works], arrays[:, 3]])
    prices = {item: spec.number("costs", item) for item in ("cut", "fill", "haul", "borrow")}
    hauled_m3, offsite_m3 = _balance(places, cut, fill, spec)
    criteria = earthwork_criteria(spec)
    net = cut - fill / (1.0 - criteria.shrink)
    causing = np.maximum(net if net.sum() > 0 else -net, 0.0)
    cost = cut * prices["cut"] + fill * prices["fill"]
    cost += prices["haul"] * hauled_m3 * _shares(cut + fill) + prices["borrow"] * offsite_m3 * _shares(causing)
    yield from zip(bits, cost.tolist(), strict=True)


def _balance(places: FloatArray, cut: FloatArray, fill: FloatArray, spec: Spec) -> tuple[float, float]:
    """Loose volume hauled between squares, and bank volume brought in or taken off [m³].

    Every haul takes surplus to where fill is lacking, as long as there are both: the volumes don't depend on which way.

    Parameters
    ----------
    places : (n, 2) float
        Places of the works [m].
    cut, fill : (n,) float
        Their volumes [m³].
    spec : Spec
        Shrink and swell.
    """
    criteria = earthwork_criteria(spec)
    square_of = haul_squares(places).square_of
    net = np.bincount(square_of, weights=cut) - np.bincount(square_of, weights=fill) / (1.0 - criteria.shrink)
    surplus, lack = float(net[net > 0].sum()), float(-net[net < 0].sum())
    return min(surplus, lack) * (1.0 + criteria.swell), abs(surplus - lack)


def _shares(weights: FloatArray) -> FloatArray:
    """Shares of a whole in proportion to weights [-]."""
    total = float(weights.sum())
    return weights / total if total > 0 else np.zeros(len(weights))


def _crossings(plan: Plan, spec: Spec, needs: Mapping[str, int]) -> Iterator[tuple[int, float]]:
    """Crossings of roads and cables.

    Parameters
    ----------
    plan : Plan
        Layout.
    spec : Spec
        Unit costs.
    needs : mapping
        Units that need each road or cable.
    """
    water = water_criteria(spec)
    for c in plan.crossing_list:
        if c.existing:
            continue  # priced by the metre, with the surface of roads
        if c.crossing_type == "upgrade":
            cost = spec.number("costs", upgrade_item(c.zone_type))
        else:
            pipes = water.culvert(c.drained_area_ha or 0.0).barrels if c.crossing_type == "culvert" else 1
            cost = spec.number("costs", c.crossing_type) * c.length_m * pipes
        yield needs[c.of_id], cost


def _collection(
    plan: Plan, spec: Spec, of_asset: Mapping[str, int], cables: Mapping[str, int]
) -> Iterator[tuple[int, float]]:
    """Cables, trenches and skids.

    Parameters
    ----------
    plan : Plan
        Layout.
    spec : Spec
        Unit costs.
    of_asset, cables : mapping
        Units that need each asset and each cable.
    """
    price = {i: spec.number("costs", i) for i in ("mv_cable", "mv_trench", "dc_trunk", "inverter_skid", "clearing")}
    lengths = [c.length_m for c in plan.cable_list]
    metres = float(plan.metrics.get("cable_length_m", 0.0)) * _shares(np.array(lengths))
    away = [0.0 if c.in_road_trench else c.length_m for c in plan.cable_list]
    cleared = own_trench_m(plan) * TRENCH_STRIP_M * _shares(np.array(away))
    cost = metres * (1 + CABLE_SLACK[1]) * price["mv_cable"] + cleared * price["clearing"]
    yield from zip((cables[c.cable_id] for c in plan.cable_list), cost.tolist(), strict=True)
    trenches = _trench_needs(plan, cables)
    dug = float(plan.metrics.get("trench_length_m", 0.0)) * _shares(np.array(list(trenches.values())))
    yield from zip(trenches, (dug * price["mv_trench"]).tolist(), strict=True)
    for asset, metres_of in trunk_lengths(plan):
        yield of_asset[asset.asset_id], metres_of * price["dc_trunk"]
    yield from _skids(plan, price["inverter_skid"], of_asset)


def _skids(plan: Plan, price: float, of_asset: Mapping[str, int]) -> Iterator[tuple[int, float]]:
    """Skids, shared out among the arrays of their power blocks by capacity.

    Parameters
    ----------
    plan : Plan
        Layout.
    price : float
        Unit cost of skids [USD/kVA].
    of_asset : mapping
        Units that need each asset.
    """
    load = block_loads([a.item for a in plan.asset_list])
    for skid in plan.asset_list:
        if skid.item.kind != "inverter_skid":
            continue
        cost = skid.item.rating_kva * price
        arrays = [a for a in plan.asset_list if a.item.kind == "solar_array" and a.item.block == skid.item.block]
        if not arrays:
            yield of_asset[skid.asset_id], cost
        for a in arrays:
            yield of_asset[a.asset_id], cost * a.item.capacity_kw / load[skid.item.block]


def _trench_needs(plan: Plan, cables: Mapping[str, int]) -> dict[int, float]:
    """Length of trench that each set of units needs [m]; shared trenches count once."""
    needs: dict[tuple[float, ...], int] = defaultdict(int)
    length = {}
    for c in plan.cable_list:
        xy = shapely.get_coordinates(c.line)
        steps = np.hypot(*np.diff(xy, axis=0).T).tolist()
        keys = [(x, y) for x, y in (np.round(xy / TOUCH_M) * TOUCH_M).tolist()]
        for a, b, step in zip(keys, keys[1:], steps, strict=False):
            edge: tuple[float, ...] = (*min(a, b), *max(a, b))
            needs[edge] |= cables[c.cable_id]
            length[edge] = step
    total: dict[int, float] = defaultdict(float)
    for edge, bits in needs.items():
        total[bits] += length[edge]
    return dict(total)
