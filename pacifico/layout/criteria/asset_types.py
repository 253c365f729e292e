"""Asset types of a spec: sizes, limits and ratings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec

AssetKind = Literal[
    "solar_array",
    "inverter_skid",
    "battery",
    "generator",
    "gas_turbine",
    "cooling_system",
    "control_center",
    "substation",
    "wind_turbine",
]
NEAR_SHARE = 0.05
"""Largest share of a target that whole units may leave before the unit is resized; engineering judgement."""
PAD_APRON_M = 1.0
"""Width of the pad beyond the footprint on every side [m]; engineering judgement."""


@dataclass(frozen=True)
class AssetType:
    """Size, limits and ratings of one asset type."""

    kind: AssetKind
    length_m: float
    """Along x before rotation [m]."""
    width_m: float
    slope_limit_deg: float
    clearance_m: float
    """Distance to other assets, for a road or a separation rule [m]."""
    capacity_kw: float = 0.0
    storage_kw: float = 0.0
    storage_kwh: float = 0.0
    rating_kva: float = 0.0


def asset_type(spec: Spec, kind: AssetKind) -> AssetType:
    """Asset type of fixed size (all but solar arrays and substations)."""

    def rule(name: str) -> float:
        return spec.number(kind, name)

    return AssetType(
        kind,
        rule("length_m"),
        rule("width_m"),
        rule("slope_limit_deg"),
        clearance_m=rule("clearance_m") if kind != "inverter_skid" else 1.0,
        capacity_kw=rule("capacity_kw") if kind in ("generator", "gas_turbine", "wind_turbine") else 0.0,
        storage_kw=rule("storage_kw") if kind == "battery" else 0.0,
        storage_kwh=rule("storage_kwh") if kind == "battery" else 0.0,
        rating_kva=rule("rating_kva") if kind == "inverter_skid" else 0.0,
    )


def substation_type(spec: Spec, mva: float) -> AssetType:
    """Substation of a rating [MVA]; its area grows with the root of the rating, sides 5 to 4."""
    area = 1e4 * spec.number("substation", "area_ha_at_100_mva") * math.sqrt(max(mva, 10.0) / 100.0)
    width = math.sqrt(area / 1.25)
    return AssetType(
        "substation",
        round(1.25 * width, 1),
        round(width, 1),
        spec.number("substation", "slope_limit_deg"),
        clearance_m=spec.number("substation", "clearance_m"),
        rating_kva=round(1000 * mva, 1),
    )


def feeder_mva(spec: Spec) -> float:
    """Rating of one feeder: √3 x voltage x current [MVA]."""
    return math.sqrt(3) * spec.number("cable", "voltage_kv") * spec.number("cable", "feeder_current_a") / 1e3


@dataclass(frozen=True)
class SolarUnit:
    """The smallest array: rows of one length that join side by side into larger arrays.

    ::

        tracker: rows north-south      fixed: rows east-west
        | | | |   unit = 4 rows        ====   unit = 6 rows
        | | | |                        ====
    """

    pitch_x_m: float
    """Distance from one unit to the next along x, with the last row gap [m]."""
    gap_x_m: float
    """Free part of the pitch at the eastern end of an array [m]."""
    height_m: float
    dc_kw: float
    ac_kw: float
    most_units: int
    """Largest number of units in one array."""
    rotation_deg: float = 0.0


def solar_unit(spec: Spec, *, pocket: bool = False) -> SolarUnit:
    """Unit of the chosen mounting.

    `pocket` gives a unit of the same power in other proportions, for gaps that full rows leave. Power is collector area
    x efficiency x 1 kW/m² (STC); pitch is collector width / GCR.
    """
    mounting = spec.choice("solar", "mounting")
    tracker = mounting == "tracker"

    def rule(name: str) -> float:
        return spec.number("solar", f"{mounting}_{name}")

    collector, row, rows = rule("collector_m"), rule("row_m"), int(rule("unit_rows"))
    if pocket and tracker:
        row, rows = row / 2, rows * 2
    elif pocket and rows % 2 == 0:
        row, rows = row * 2, rows // 2
    pitch = collector / rule("gcr")
    dc = rows * row * collector * spec.number("solar", "module_efficiency")
    ac = dc / spec.number("solar", "dc_ac_ratio")
    most = max(int(spec.number("solar", "array_max_kw") / ac), 1)
    if tracker:
        return SolarUnit(rows * pitch, pitch - collector, row, dc, ac, most)
    return SolarUnit(row + 1.0, 1.0, (rows - 1) * pitch + collector, dc, ac, most)


def spec_for_target(spec: Spec, target_kw: float) -> Spec:
    """Spec whose solar unit is resized so that whole units come close to a small target.

    Whole units of 104 kW would meet 150 kW by 69 %. The unit stays as it is where it comes within `NEAR_SHARE` of the
    target, where the target is less than one, and where its rows were asked for.
    """
    mounting = spec.choice("solar", "mounting")
    names = f"{mounting}_unit_rows", f"{mounting}_row_m"
    if any(name in spec.overrides.get("solar", {}) for name in names):
        return spec
    least = solar_unit(spec).ac_kw
    rows, row_m = (spec.number("solar", name) for name in names)
    best, met = spec, target_kw // least * least
    for parts in (1, 2):
        for more in range(1, 2 * int(rows) * parts):
            if not 0 < met < (1 - NEAR_SHARE) * target_kw:
                return best
            unit_kw = least * (1 + more / (rows * parts))
            if target_kw // unit_kw * unit_kw > met + 1e-6:
                met = target_kw // unit_kw * unit_kw
                best = spec.but("solar", dict(zip(names, (int(rows) * parts + more, row_m / parts), strict=True)))
    return best


POWER_FACTOR = 0.95
