"""Bill of quantities of a plan: quantities, costs and their intervals."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.analysis.mass_haul import mass_haul
from pacifico.layout.criteria.crossings import upgrade_item
from pacifico.layout.criteria.racking import racking_criteria
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.criteria.water import water_criteria
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.economics.quantities import (
    CABLE_SLACK,
    HAUL_SQUARE_M,
    MAX_SQUARES,
    STRIP_MARGIN_M,
    TRENCH_STRIP_M,
    TRUNK_KW,
    array_earth,
    haul_squares,
    own_trench_m,
    trunk_lengths,
    upgraded_m,
)
from pacifico.layout.model.bill import Bill, Line, Tag
from pacifico.vocabulary import ASSET_KINDS, ASSET_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.plan import Plan
    from pacifico.vocabulary import AssetKind


TRUNK_SPREAD = 0.3
"""Uncertainty of the length of trunk cables [-]; engineering judgement."""
SURVEYED = 0.03
"""Uncertainty of areas and lengths in plan until the design is final [-]; engineering judgement."""

EXACT = (1.0, 1.0)
"""Interval of a quantity without uncertainty, relative to it."""


def bill(plan: Plan, *, spec: Spec | None = None) -> Bill:
    """Bill of quantities of a plan, with costs.

    Parameters
    ----------
    plan : Plan
        Placed assets, roads, pads and cables.
    spec : Spec, optional
        Unit costs (section ``costs``); by default those of the plan. A unit cost that is overridden keeps the relative
        interval of the catalog.

    Returns
    -------
    Bill
        Costs up to the plant's own substation, without land, grid connection, financing, taxes and owner's costs.
    """
    spec = plan.spec if spec is None else spec
    lines = [*_ground(plan, spec), *_crossings(plan, spec), *_collection(plan, spec), *_plant(plan, spec)]
    value, low, high, _ = _unit_cost(spec, "indirect")
    return Bill(
        tuple(n for n in lines if n.quantity > 0), (value, low, high), str(catalog()["costs"]["indirect"]["source"])
    )


def _ground(plan: Plan, spec: Spec) -> list[Line]:
    """Lines for clearing, roads, earthwork, pads and fence."""
    arrays = math.fsum(a.footprint.area for a in plan.asset_list if a.item.kind == "solar_array")
    pads = math.fsum(p.plane.polygon.area for p in plan.pad_list)
    upgraded = upgraded_m(plan)
    new = [(r.length_m - upgraded.get(r.road_id, 0.0), r.width_m) for r in plan.road_list]
    surface = math.fsum(length * width for length, width in new)
    strips = surface + STRIP_MARGIN_M * math.fsum(length for length, _ in new)
    own_trench = TRENCH_STRIP_M * own_trench_m(plan)
    total = plan.metrics["cut_volume_m3"] + plan.metrics["fill_volume_m3"]
    low, high = (v / total if total else 1.0 for v in plan.metrics["earthwork_p10_p90_m3"])
    ends = (min(low, 1.0), max(high, 1.0))
    earth = _earth(plan, spec)
    measured = "pads, roads, their side slopes and ground under arrays; interval of the elevation's error"
    return [
        _line(spec, "clearing", "Clearing and grubbing", _Quantity(arrays + pads + strips + own_trench, "m2", "derived", "arrays, pads, road strips and trenches away from roads", (0.85, 1.25))),
        _line(spec, "road_surface", "Road surface", _Quantity(surface, "m2", "measured", "length times width of every new road")),
        _line(spec, "road_upgrade", "Existing roads, upgraded", _Quantity(math.fsum(upgraded.values()), "m", "measured", "length of site roads on existing ones")),
        _line(spec, "cut", "Cut", _Quantity(earth.cut_m3, "m3", "measured", measured, ends)),
        _line(spec, "fill", "Fill, placed and compacted", _Quantity(earth.fill_m3, "m3", "measured", measured, ends)),
        _line(spec, "haul", "Haul within the site, loose", _Quantity(earth.hauled_loose_m3, "m3", "derived", f"cheapest balance between squares of {earth.square_m:g} m, with swell", ends)),
        _line(spec, "borrow", "Brought in or taken off", _Quantity(earth.offsite_m3, "m3", "derived", "difference between cut and fill after shrinkage", ends)),
        _line(spec, "pad_surface", "Pad surface", _Quantity(pads, "m2", "measured", "area of every pad")),
        _line(spec, "fence", "Perimeter fence", _Quantity(math.fsum(f.length_m for f in plan.fence_list), "m", "measured", "length of every fence", (0.95, 1.15))),
    ]  # fmt: skip


def _crossings(plan: Plan, spec: Spec) -> list[Line]:
    """Lines for crossings of roads and cables."""

    def total(kind: str) -> _Quantity:
        """Length of all crossings of a type."""
        length = math.fsum(c.length_m for c in plan.crossing_list if c.crossing_type == kind)
        return _Quantity(length, "m", "measured", "length of every crossing of this type", (0.8, 1.3))

    upgrades = Counter(
        upgrade_item(c.zone_type) for c in plan.crossing_list if c.crossing_type == "upgrade" and not c.existing
    )
    return [
        _line(spec, "culvert", "Culverts", _pipes(plan, spec)),
        _line(spec, "ford", "Fords", total("ford")),
        _line(spec, "bridge", "Bridges", total("bridge")),
        *(_line(spec, item, what, _Quantity(float(upgrades[item]), "each", "measured", "count", EXACT)) for item, what in _UPGRADES.items()),
        _line(spec, "bore", "Bores for cables", total("bore")),
    ]  # fmt: skip


_UPGRADES = {
    "crossing_upgrade": "Crossings of public roads",
    "crossing_railway": "Crossings of railways",
    "crossing_pipeline": "Crossings of pipelines",
    "crossing_line": "Crossings below transmission lines",
    "crossing_gap": "Crossings of gaps between parcels",
}
"""Description of each unit cost of an upgrade."""


def _pipes(plan: Plan, spec: Spec) -> _Quantity:
    """Length of the pipes of all culverts [m]; each culvert has as many as its drained area needs."""
    criteria = water_criteria(spec)
    culverts = [
        (c, criteria.culvert(c.drained_area_ha or 0.0)) for c in plan.crossing_list if c.crossing_type == "culvert"
    ]
    length = math.fsum(c.length_m * pipes.barrels for c, pipes in culverts)
    sizes = Counter((pipes.barrels, pipes.diameter_m) for c, pipes in culverts if c.drained_area_ha)
    listed = ", ".join(f"{n} of {barrels} x {size:g} m" for (barrels, size), n in sorted(sizes.items()))
    basis = "length of every culvert times its pipes" + (f", by drained area: {listed}" if listed else "")
    return _Quantity(length, "m", "measured", basis, (0.8, 1.3))


@dataclass(frozen=True)
class _Earth:
    """Earthwork of a plan with its side slopes."""

    cut_m3: float = 0.0
    fill_m3: float = 0.0
    hauled_loose_m3: float = 0.0
    offsite_m3: float = 0.0
    """Borrow and spoil together [m³]."""
    square_m: float = HAUL_SQUARE_M
    """Side of the squares between which earth is hauled [m]."""


def _earth(plan: Plan, spec: Spec) -> _Earth:
    """Earthwork of pads, roads and arrays, balanced between squares of the site."""
    at = [p.plane.polygon.centroid for p in plan.pad_list]
    at += [r.line.interpolate(0.5, normalized=True) for r in plan.road_list]
    works: list[PadPlane | CorridorVolumes] = [*(p.plane for p in plan.pad_list), *plan.road_volumes]
    if not at:
        return _Earth()
    arrays = array_earth(plan)
    places = np.concatenate([shapely.get_coordinates(np.array(at, dtype=object)), arrays[:, :2]])
    cut = np.concatenate([[v.cut_m3 + v.batter_cut_m3 for v in works], arrays[:, 2]])
    fill = np.concatenate([[v.fill_m3 + v.batter_fill_m3 for v in works], arrays[:, 3]])
    squares = haul_squares(places, MAX_SQUARES)
    cuts, fills = (np.bincount(squares.square_of, weights=v).tolist() for v in (cut, fill))
    haul = mass_haul(squares.centres, cuts, fills, criteria=earthwork_criteria(spec))
    offsite_m3 = haul.borrow_m3 + haul.spoil_m3
    return _Earth(float(cut.sum()), float(fill.sum()), haul.hauled_loose_m3, offsite_m3, squares.side_m)


def _collection(plan: Plan, spec: Spec) -> list[Line]:
    """Lines for cables and trenches."""
    length, trench = (float(plan.metrics.get(key, 0.0)) for key in ("cable_length_m", "trench_length_m"))
    low, likely, high = (1 + slack for slack in CABLE_SLACK)
    trunk = 0.0
    for _, metres in trunk_lengths(plan):
        trunk += metres
    return [
        _line(spec, "mv_trench", "Trench for medium voltage", _Quantity(trench, "m", "measured", "routed; shared trenches are counted once")),
        _line(spec, "mv_cable", "Medium-voltage cable, three phases", _Quantity(length * likely, "m", "derived", f"routed length and {CABLE_SLACK[1]:.0%} for slope, bends and ends", (low / likely, high / likely))),
        _line(spec, "dc_trunk", "DC trunk cable", _Quantity(trunk, "m", "derived", f"along both axes from each array to its skid, one for each {TRUNK_KW:g} kWdc begun; not drawn", (1 - TRUNK_SPREAD, 1 + TRUNK_SPREAD))),
    ]  # fmt: skip


_RATINGS = {"USD/kWdc": "capacity_dc_kw", "USD/kW": "capacity_kw", "USD/kVA": "rating_kva", "USD/kWh": "storage_kwh"}
"""Rating of an asset that each unit of its cost counts."""

_SOLAR_COSTS = {"tracker": "solar_tracker", "fixed": "solar_fixed"}
"""Item of the catalog's costs for each mounting."""


def _plant(plan: Plan, spec: Spec) -> list[Line]:
    """Lines for generation, storage and the substation: one for each asset type, in the catalog's order."""
    plant = [
        _of_kind(plan, spec, item, kind) for item in catalog()["costs"] if (kind := _kind_of(spec, item)) is not None
    ]
    return [*plant, _long_piles(plan, spec)]


def _long_piles(plan: Plan, spec: Spec) -> Line:
    """Line for the steel of piles beyond the shortest.

    The unit cost of solar arrays holds the shortest piles.
    """
    criteria = racking_criteria(plan.spec)
    shortest = float(plan.metrics.get("pile_count", 0)) * criteria.shortest_pile_m * criteria.pile_kg_per_m / 1000.0
    longer = max(float(plan.metrics.get("steel_t", 0.0)) - shortest, 0.0)
    basis = f"beyond {criteria.shortest_pile_m:g} m for each pile, which the unit cost of arrays holds"
    return _line(spec, "pile_steel", "Steel of longer piles", _Quantity(longer, "t", "derived", basis, (0.6, 1.8)))


def _kind_of(spec: Spec, item: str) -> AssetKind | None:
    """Asset type that a unit cost prices, if any."""
    if item == _SOLAR_COSTS[spec.choice("solar", "mounting")]:
        return "solar_array"
    return next((kind for kind in ASSET_KINDS if kind == item), None)


def _of_kind(plan: Plan, spec: Spec, item: str, kind: AssetKind) -> Line:
    """Line for all assets of a type, by count or by rating as its unit cost says.

    Parameters
    ----------
    plan : Plan
        Layout.
    spec : Spec
        Unit costs.
    item : str
        Name of the unit cost.
    kind : AssetKind
        Asset type.
    """
    assets = [a.item for a in plan.asset_list if a.item.kind == kind]
    per = str(catalog()["costs"][item]["unit"])
    name = ASSET_NAMES[kind].on_bill
    if kind == "solar_array":
        name = f"{name}, {spec.choice('solar', 'mounting')}"
    if per not in _RATINGS:
        quantity = _Quantity(float(len(assets)), "each", "measured", "count", EXACT)
    else:
        total, unit = math.fsum(getattr(a, _RATINGS[per]) for a in assets), per.removeprefix("USD/")
        quantity = _Quantity(total, unit, "measured", "ratings of the placed assets", EXACT)
        if kind == "substation":
            quantity = _Quantity(total, unit, "derived", "rating by capacity and power factor", (0.95, 1.2))
    return _line(spec, item, name, quantity)


@dataclass(frozen=True)
class _Quantity:
    """Quantity of a line with its origin and interval."""

    amount: float
    unit: str
    tag: Tag
    basis: str
    """How it was found."""
    ends: tuple[float, float] = (1 - SURVEYED, 1 + SURVEYED)
    """Low and high, relative to the amount."""


def _line(spec: Spec, item: str, what: str, quantity: _Quantity) -> Line:
    """Line of a bill with its unit cost.

    Parameters
    ----------
    spec : Spec
        Unit costs.
    item : str
        Name of the unit cost.
    what : str
        Description.
    quantity : _Quantity
        Amount with its interval.
    """
    value, low, high, entry = _unit_cost(spec, item)
    given = value != float(entry["value"])
    amount, ends = quantity.amount, quantity.ends
    return Line(
        item, what, amount, amount * ends[0], amount * ends[1], quantity.unit, quantity.tag, quantity.basis,
        value, low, high, "given" if given else "catalog", int(entry["year"]), str(entry["source"]),
    )  # fmt: skip


def _unit_cost(spec: Spec, item: str) -> tuple[float, float, float, Mapping[str, Any]]:
    """Unit cost, its low and high, and the catalog's entry."""
    entry = catalog()["costs"][item]
    value = spec.number("costs", item)
    scale = value / float(entry["value"])
    return value, float(entry["low"]) * scale, float(entry["high"]) * scale, entry
