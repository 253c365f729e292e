"""Bill of quantities: what a plan takes, what that may cost, and how sure either is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.analysis.mass_haul import mass_balance
from pacifico.layout.criteria.spec import catalog
from pacifico.layout.earthwork.criteria import earthwork_criteria
from pacifico.layout.model.bill import Bill, Line, Tag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
    from pacifico.layout.model.plan import Plan


CABLE_SLACK = (0.03, 0.05, 0.12)
"""Of cable beyond its length in plan, low, likely and high: slope, bends and terminations; engineering judgement."""
TRUNK_KW = 250.0
"""DC power of one trunk cable from an array to its skid [kW]; engineering judgement."""
TRUNK_SPREAD = 0.3
"""Share by which the length of trunk cables may be off; engineering judgement."""
STRIP_MARGIN_M = 2.0
"""Ground cleared beside a road, on both sides together [m]; engineering judgement."""
TRENCH_STRIP_M = 4.0
"""Width cleared for a trench away from roads [m]; engineering judgement."""
HAUL_SQUARE_M = 200.0
"""Earth moved within a square of this side is part of cutting; between squares it is hauled [m]. Large sites have larger ones."""
MOST_SQUARES = 300
SURVEYED = 0.03
"""Share by which areas and lengths in plan may change with design; engineering judgement."""


def bill(plan: Plan, *, spec: Spec | None = None) -> Bill:
    """Bill of quantities of a plan.

    Parameters
    ----------
    plan : Plan
    spec : Spec, optional
        Unit costs to use (section ``costs``); by default those that the plan was made with. A unit cost that is overridden
        keeps the catalog's relative interval.

    Returns
    -------
    Bill
        Up to the plant's own substation. Land, the line to the grid, financing, taxes and owner's costs are not in it.
    """
    spec = plan.spec if spec is None else spec
    lines = [*_ground(plan, spec), *_collection(plan, spec), *_plant(plan, spec)]
    value, low, high, _ = _price(spec, "indirect")
    return Bill(
        tuple(n for n in lines if n.quantity > 0), (value, low, high), str(catalog()["costs"]["indirect"]["source"])
    )


def _ground(plan: Plan, spec: Spec) -> list[Line]:
    """Clearing, roads, earthwork, pads and fence."""
    arrays = math.fsum(a.footprint.area for a in plan.asset_list if a.item.kind == "solar_array")
    pads = math.fsum(p.plane.polygon.area for p in plan.pad_list)
    surface = math.fsum(r.length_m * r.width_m for r in plan.road_list)
    strips = surface + STRIP_MARGIN_M * math.fsum(r.length_m for r in plan.road_list)
    own = TRENCH_STRIP_M * _own_trench(plan)
    boundary = plan.site.boundary
    around = math.fsum(p.exterior.length for p in shapely.get_parts(boundary))
    stands = shapely.union_all([a.footprint for a in plan.asset_list])
    least = min(shapely.convex_hull(stands).buffer(10.0, join_style="mitre").length, around) if plan.asset_list else 0.0
    earth = plan.metrics
    moved = earth["cut_volume_m3"] + earth["fill_volume_m3"]
    low, high = (v / moved if moved else 1.0 for v in earth["earthwork_p10_p90_m3"])
    soil = _earth(plan, spec)

    def earthwork(item: str, what: str, quantity: float, tag: Tag, basis: str) -> Line:
        return _line(spec, item, what, quantity, "m3", tag, basis, ends=(min(low, 1.0), max(high, 1.0)))

    return [
        _line(spec, "clearing", "Clearing and grubbing", arrays + pads + strips + own, "m2", "derived", "arrays, pads, road strips and trenches away from roads", ends=(0.85, 1.25)),
        _line(spec, "road_surface", "Road surface", surface, "m2", "measured", "length times width of every road"),
        earthwork("cut", "Cut", soil.cut, "measured", "pads, roads and their side slopes; interval of the elevation's error"),
        earthwork("fill", "Fill, placed and compacted", soil.fill, "measured", "pads, roads and their side slopes; interval of the elevation's error"),
        earthwork("haul", "Haul within the site, loose", soil.hauled_loose, "derived", f"cheapest balance between squares of {soil.square_m:g} m, with swell"),
        earthwork("borrow", "Brought in or taken off", soil.outside, "derived", "what cut and fill leave over after shrinkage"),
        _line(spec, "pad_surface", "Pad surface", pads, "m2", "measured", "area of every pad"),
        _line(spec, "fence", "Perimeter fence", around, "m", "derived", "round the boundary; low: round what stands", ends=(least / around, 1.05)),
    ]  # fmt: skip


def _own_trench(plan: Plan) -> float:
    """Length of cables that run mostly away from roads, at most all trenches [m]."""
    away = math.fsum(c.length_m for c in plan.cable_list if not c.in_road_trench)
    return min(away, float(plan.metrics.get("trench_length_m", 0.0)))


@dataclass(frozen=True)
class _Earth:
    """Earth of a plan [m³]; side slopes are in all of it."""

    cut: float = 0.0
    fill: float = 0.0
    hauled_loose: float = 0.0
    outside: float = 0.0
    """Brought in or taken off."""
    square_m: float = HAUL_SQUARE_M


def _earth(plan: Plan, spec: Spec) -> _Earth:
    """Earth of pads and roads, balanced between squares: as small as leaves few enough of them."""
    at = [p.plane.polygon.centroid for p in plan.pad_list]
    at += [r.line.interpolate(0.5, normalized=True) for r in plan.road_list]
    moved: list[PadPlane | CorridorVolumes] = [*(p.plane for p in plan.pad_list), *plan.road_volumes]
    if not at:
        return _Earth()
    place = shapely.get_coordinates(np.array(at, dtype=object))
    cut = np.array([v.cut_m3 + v.batter_cut_m3 for v in moved])
    fill = np.array([v.fill_m3 + v.batter_fill_m3 for v in moved])
    side = HAUL_SQUARE_M
    while len(squares := np.unique(np.floor(place / side), axis=0)) > MOST_SQUARES:
        side *= 2
    which = np.unique(np.floor(place / side), axis=0, return_inverse=True)[1].ravel()
    cuts, fills = (np.bincount(which, weights=v).tolist() for v in (cut, fill))
    balance = mass_balance((squares + 0.5) * side, cuts, fills, criteria=earthwork_criteria(spec))
    outside = balance.borrow_m3 + balance.surplus_m3
    return _Earth(float(cut.sum()), float(fill.sum()), balance.moved_loose_m3, outside, side)


def _collection(plan: Plan, spec: Spec) -> list[Line]:
    """Cables and trenches."""
    length, trench = (float(plan.metrics.get(key, 0.0)) for key in ("cable_length_m", "trench_length_m"))
    low, likely, high = (1 + slack for slack in CABLE_SLACK)
    skids = {a.block_id: a for a in plan.asset_list if a.item.kind == "inverter_skid"}
    trunk = 0.0
    for a in plan.asset_list:
        if a.item.kind == "solar_array" and a.block_id in skids:
            (x, y), (sx, sy) = a.item.centre, skids[a.block_id].item.centre
            trunk += math.ceil(a.item.capacity_dc_kw / TRUNK_KW) * (abs(x - sx) + abs(y - sy))
    return [
        _line(spec, "mv_trench", "Trench for medium voltage", trench, "m", "measured", "routed; what cables share is counted once"),
        _line(spec, "mv_cable", "Medium-voltage cable, three phases", length * likely, "m", "derived", f"routed length and {CABLE_SLACK[1]:.0%} for slope, bends and ends", ends=(low / likely, high / likely)),
        _line(spec, "dc_trunk", "DC trunk cable", trunk, "m", "derived", f"along both axes from each array to its skid, one for each {TRUNK_KW:g} kWdc begun; not drawn", ends=(1 - TRUNK_SPREAD, 1 + TRUNK_SPREAD)),
    ]  # fmt: skip


def _plant(plan: Plan, spec: Spec) -> list[Line]:
    """What generates, stores and connects."""

    def total(kind: str, rating: str) -> float:
        return math.fsum(getattr(a.item, rating) for a in plan.asset_list if a.item.kind == kind)

    def count(kind: str) -> float:
        return float(sum(a.item.kind == kind for a in plan.asset_list))

    mounting = spec.choice("solar", "mounting")
    array = "solar_tracker" if mounting == "tracker" else "solar_fixed"
    exact = (1.0, 1.0)
    sold = "ratings of what is placed"
    return [
        _line(spec, array, f"Solar arrays, {mounting}", total("solar_array", "capacity_dc_kw"), "kWdc", "measured", sold, ends=exact),
        _line(spec, "inverter_skid", "Inverter skids", total("inverter_skid", "rating_kva"), "kVA", "measured", sold, ends=exact),
        _line(spec, "battery", "Batteries with conversion", total("battery", "storage_kwh"), "kWh", "measured", sold, ends=exact),
        _line(spec, "generator", "Generator sets", total("generator", "capacity_kw"), "kW", "measured", sold, ends=exact),
        _line(spec, "gas_turbine", "Gas turbines", total("gas_turbine", "capacity_kw"), "kW", "measured", sold, ends=exact),
        _line(spec, "cooling_system", "Cooling systems", count("cooling_system"), "each", "measured", "count", ends=exact),
        _line(spec, "control_center", "Control centres", count("control_center"), "each", "measured", "count", ends=exact),
        _line(spec, "wind_turbine", "Wind turbines", total("wind_turbine", "capacity_kw"), "kW", "measured", sold, ends=exact),
        _line(spec, "substation", "Substations", total("substation", "rating_kva"), "kVA", "derived", "rating by capacity and power factor", ends=(0.95, 1.2)),
    ]  # fmt: skip


def _line(
    spec: Spec,
    item: str,
    what: str,
    quantity: float,
    unit: str,
    tag: Tag,
    basis: str,
    *,
    ends: tuple[float, float] = (1 - SURVEYED, 1 + SURVEYED),
) -> Line:
    """Line with its unit cost; `ends` are the quantity's low and high over what is likely."""
    value, low, high, entry = _price(spec, item)
    given = value != float(entry["value"])
    return Line(
        item, what, quantity, quantity * ends[0], quantity * ends[1], unit, tag, basis, value, low, high,
        "given" if given else "catalog", int(entry["year"]), str(entry["source"]),
    )  # fmt: skip


def _price(spec: Spec, item: str) -> tuple[float, float, float, Mapping[str, Any]]:
    """Unit cost, its low and high, and the catalog's entry."""
    entry = catalog()["costs"][item]
    value = spec.number("costs", item)
    scale = value / float(entry["value"])
    return value, float(entry["low"]) * scale, float(entry["high"]) * scale, entry
