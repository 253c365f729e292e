"""Asset types: dimensions, limits and ratings, made from the spec.

To add an asset type, name it in `pacifico.vocabulary`, add its section and its unit cost to `catalog.toml`, and place it in
`pacifico.layout.placement`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pacifico.errors import InputError

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.vocabulary import AssetKind

POWER_BLOCK_KINDS: tuple[AssetKind, ...] = ("solar_array", "inverter_skid")
"""Asset types that make up a power block of solar arrays."""
YARD_KINDS: tuple[AssetKind, ...] = ("battery", "generator")
"""Asset types whose equal blocks stand in the rows of a yard."""
TABLE_GAP_M = 1.0
"""Gap between fixed tables of a row [m]; engineering judgement."""
MIN_ROW_M = 20.0
"""Shortest third of a tracker row [m]: the shortest row of the catalog."""
NEAR_SHARE = 0.05
"""Share of a target that whole units may miss before units of another size are tried; engineering judgement."""
PAD_APRON_M = 1.0
"""Width of a pad beyond its footprint, on every side [m]; engineering judgement."""
DEFAULT_CLEARANCE_M = 1.0
"""Clearance of an asset type that the catalog gives none: one apron [m]."""
MIN_SUBSTATION_MVA = 10.0
"""Smallest rating by which a substation is sized [MVA]; engineering judgement."""
SUBSTATION_ASPECT = 1.25
"""Length of a substation over its width; engineering judgement."""
ROUNDING = 1e-9
"""Share of a unit that is rounding."""
DENSEST_FOOTPRINT = 1.2
"""Power per area of an array's footprint over that of rows at their pitch, at most [-]; engineering judgement."""
POWER_FACTOR = 0.95
"""Real over apparent power at the substation; engineering judgement."""


@dataclass(frozen=True)
class AssetType:
    """Dimensions, limits and ratings of one asset type."""

    kind: AssetKind
    length_m: float
    """Along x before rotation [m]."""
    width_m: float
    slope_limit_deg: float
    """Steepest natural ground under its pad [°]."""
    clearance_m: float
    """Smallest distance to assets placed before, for a road or a separation rule [m]."""
    capacity_kw: float = 0.0
    storage_kw: float = 0.0
    storage_kwh: float = 0.0
    rating_kva: float = 0.0


def asset_type(spec: Spec, kind: AssetKind) -> AssetType:
    """Asset type of fixed size: all but solar arrays and substations.

    Ratings are 0 where the catalog has none for the type.
    """

    def rule(name: str, default: float = 0.0) -> float:
        return spec.number(kind, name) if spec.has(kind, name) else default

    return AssetType(
        kind,
        spec.number(kind, "length_m"),
        spec.number(kind, "width_m"),
        spec.number(kind, "slope_limit_deg"),
        clearance_m=rule("clearance_m", DEFAULT_CLEARANCE_M),
        capacity_kw=rule("capacity_kw"),
        storage_kw=rule("storage_kw"),
        storage_kwh=rule("storage_kwh"),
        rating_kva=rule("rating_kva"),
    )


def battery_part(spec: Spec, containers: int) -> AssetType:
    """Battery block with some of its containers, as long as its share of them."""
    block = asset_type(spec, "battery")
    share = containers / spec.number("battery", "containers")
    return replace(
        block,
        length_m=round(share * block.length_m, 3),
        storage_kw=round(share * block.storage_kw, 3),
        storage_kwh=round(share * block.storage_kwh, 3),
    )


def substation_type(spec: Spec, mva: float, *, aspect: float = SUBSTATION_ASPECT, on_bench: bool = False) -> AssetType:
    """Substation of a rating.

    Its area grows with the root of the rating.

    Parameters
    ----------
    spec : Spec
        Section ``substation``.
    mva : float
        Rating [MVA].
    aspect : float
        Length over width [-].
    on_bench : bool
        Whether it may stand on a graded bench, on steeper natural ground.
    """
    limits = ("slope_limit_deg", "bench_slope_limit_deg") if on_bench else ("slope_limit_deg",)
    area = 1e4 * spec.number("substation", "area_ha_at_100_mva") * math.sqrt(max(mva, MIN_SUBSTATION_MVA) / 100.0)
    width = math.sqrt(area / aspect)
    return AssetType(
        "substation",
        round(aspect * width, 1),
        round(width, 1),
        max(spec.number("substation", limit) for limit in limits),
        clearance_m=spec.number("substation", "clearance_m"),
        rating_kva=round(1000 * mva, 1),
    )


def feeder_mva(spec: Spec) -> float:
    """Rating of one feeder [MVA]: root three times voltage times current."""
    return math.sqrt(3) * spec.number("cable", "voltage_kv") * spec.number("cable", "feeder_current_a") / 1e3


@dataclass(frozen=True)
class SolarUnit:
    """Rows that a solar array grows and shrinks by; units join side by side.

    ::

        tracker: rows north-south      fixed: rows east-west
        | | | |   unit = 1 row         ====   unit = 6 rows
        | | | |                        ====
    """

    pitch_x_m: float
    """From one unit to the next along x, with the last row gap [m]."""
    gap_x_m: float
    """Part of the pitch that is free at an array's eastern end [m]."""
    height_m: float
    """Along y [m]."""
    dc_kw: float
    ac_kw: float
    most_units: int
    """Most units in one array."""
    least_units: int = 1
    """Fewest units in one array."""
    rotation_deg: float = 0.0


def solar_unit(spec: Spec, *, pocket: bool = False) -> SolarUnit:
    """Unit of the mounting that the spec chooses.

    Power is collector area x module efficiency x 1 kW/m² (STC). The row pitch is collector width / GCR.

    Parameters
    ----------
    spec : Spec
        Mounting, rows and modules.
    pocket : bool
        Whether to return a unit of other proportions, for pockets that full units leave: a half row of trackers, a longer
        table of fewer fixed rows.
    """
    return _unit_in_parts(spec, 2 if pocket else 1)


def solar_units(spec: Spec) -> tuple[SolarUnit, ...]:
    """Units that arrays may be made of: full and half rows, and third rows of trackers."""
    third = spec.choice("solar", "mounting") == "tracker" and spec.number("solar", "tracker_row_m") / 3 >= MIN_ROW_M
    return tuple(_unit_in_parts(spec, parts) for parts in ((1, 2, 3) if third else (1, 2)))


def _unit_in_parts(spec: Spec, parts: int) -> SolarUnit:
    """Unit whose rows are cut into parts, or joined for fixed tables.

    Where too few fixed rows would be left, the unit has the fewest that it may have, as long as a table.
    """
    mounting = spec.choice("solar", "mounting")
    tracker = mounting == "tracker"

    def rule(name: str) -> float:
        return spec.number("solar", f"{mounting}_{name}")

    collector, row, rows = rule("collector_m"), rule("row_m"), int(rule("unit_rows"))
    if tracker:
        row /= parts
    elif rows % parts == 0 and rows // parts >= _least_fixed_rows(rule("gcr")):
        row, rows = row * parts, rows // parts
    elif parts > 1:
        rows = min(rows, _least_fixed_rows(rule("gcr")))
    pitch = collector / rule("gcr")
    dc = rows * row * collector * spec.number("solar", "module_efficiency")
    ac = dc / spec.number("solar", "dc_ac_ratio")
    most = max(int(spec.number("solar", "array_max_kw") / ac), 1)
    least = min(math.ceil(spec.number("solar", "array_min_kw") / ac - ROUNDING), most)
    if tracker:
        return SolarUnit(rows * pitch, pitch - collector, row, dc, ac, most, least)
    return SolarUnit(row + TABLE_GAP_M, TABLE_GAP_M, (rows - 1) * pitch + collector, dc, ac, most, least)


def _least_fixed_rows(gcr: float) -> int:
    """Fewest rows of fixed tables whose footprint holds about the power per area of the plant.

    The footprint of k rows ends at its outer tables, so it is k / (k - 1 + GCR) times as dense as rows at their pitch.
    """
    return max(math.ceil(DENSEST_FOOTPRINT / (DENSEST_FOOTPRINT - 1) * (1 - gcr) - ROUNDING), 1)


def check_array_sizes(spec: Spec) -> None:
    """Refuse rules under which no array is within its limits.

    Raises
    ------
    InputError
        One unit of rows holds more than the largest array, or the smallest array more than the largest.
    """
    least_kw, most_kw = spec.number("solar", "array_min_kw"), spec.number("solar", "array_max_kw")
    if least_kw > most_kw:
        raise InputError(
            f"spec: solar.array_min_kw = {least_kw:g} is more than array_max_kw = {most_kw:g}; lower the one or raise the other"
        )
    unit, mounting = solar_unit(spec), spec.choice("solar", "mounting")
    if unit.ac_kw > most_kw:
        rows, row_m = (spec.number("solar", f"{mounting}_{name}") for name in ("unit_rows", "row_m"))
        raise InputError(
            f"spec: solar.{mounting}_unit_rows = {rows:g} with {mounting}_row_m = {row_m:g} are {unit.ac_kw:,.0f} kW, more than "
            f"array_max_kw = {most_kw:g}; give fewer or shorter rows"
        )


def strip_gap_m(spec: Spec) -> float:
    """Least gap between arrays, northward [m].

    Trackers: the walkway between row ends. Fixed tables: at least the gap between their rows, which keeps shade off.
    """
    walkway = spec.number("solar", "pair_gap_m")
    if spec.choice("solar", "mounting") == "tracker":
        return walkway
    return max(walkway, spec.number("solar", "fixed_collector_m") * (1 / spec.number("solar", "fixed_gcr") - 1))


def spec_for_target(spec: Spec, target_kw: float) -> Spec:
    """Spec whose solar unit meets a small target closely.

    Single rows of 26 kW meet 87 % of 150 kW, so rows get shorter: half or a third as long. Units of several rows get
    more rows or half rows. The unit stays as it is where it meets all but `NEAR_SHARE` of the target, where the target
    is less than one array, and where the spec overrides its rows.

    Parameters
    ----------
    spec : Spec
        Spec to adapt.
    target_kw : float
        AC capacity of solar arrays [kW].
    """
    mounting = spec.choice("solar", "mounting")
    names = f"{mounting}_unit_rows", f"{mounting}_row_m"
    if any(name in spec.overrides.get("solar", {}) for name in names):
        return spec
    rows, row_m = (spec.number("solar", name) for name in names)
    best, best_kw = spec, _met_kw(solar_unit(spec), target_kw)
    for count, parts in _row_options(int(rows)):
        if not 0 < best_kw < (1 - NEAR_SHARE) * target_kw:
            break
        other = spec.with_rules("solar", dict(zip(names, (count, row_m / parts), strict=True)))
        kw = _met_kw(solar_unit(other), target_kw)
        if kw > best_kw + 1e-6:
            best, best_kw = other, kw
    return best


def _row_options(rows: int) -> list[tuple[int, int]]:
    """Other units: number of rows, and parts into which a row is cut."""
    if rows == 1:
        return [(1, 2), (1, 3)]
    return [(rows * parts + more, parts) for parts in (1, 2) for more in range(1, 2 * rows * parts)]


def _met_kw(unit: SolarUnit, target_kw: float) -> float:
    """Capacity of the most whole units within a target; 0 for less than one array [kW]."""
    units = int((target_kw + 1e-6) // unit.ac_kw)
    return units * unit.ac_kw if units >= unit.least_units else 0.0
