"""Measures of variants: values, winners and Pareto front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.files.stored import StoredLayout
    from pacifico.layout.model.bill import Bill

AROUND_M = 25.0
"""Distance around assets of the ground on which density is measured [m]."""
EQUAL = 0.01
"""Relative difference up to which placed capacities count as equal."""
TIE = 0.001
"""Relative difference up to which two values are a tie."""

Row = dict[str, Any]
"""Values of one variant, by the keys of `MEASURES`."""


@dataclass(frozen=True)
class Measure:
    """One measure of a variant."""

    key: str
    label: str
    unit: str = ""
    better: Literal["more", "less"] | None = None
    """Which value is better; None if the measure is only shown."""
    digits: int = 0
    scale: float = 1.0
    """Factor from the unit of the row to the one shown."""


DENSITY = Measure("kw_per_ha", "Density: placed over the assets' 25 m surroundings", "kW/ha", "more")
ROAD = Measure("road_length_m", "Road", "km", "less", 2, 1e-3)
EARTH = Measure("earthwork_m3", "Earthwork: cut and fill with side slopes", "m³", "less")
MEASURES: tuple[Measure, ...] = (
    Measure("placed_kw", "Placed of what the target counts", "MW", None, 2, 1e-3),
    Measure("storage_kwh", "Storage", "MWh", None, 1, 1e-3),
    Measure("asset_count", "Assets"),
    DENSITY,
    ROAD,
    Measure("max_road_grade_pct", "Steepest road", "%", None, 1),
    Measure("cut_volume_m3", "Cut", "m³"),
    Measure("fill_volume_m3", "Fill", "m³"),
    EARTH,
    Measure("earthwork_p10_m3", "Earthwork, P10", "m³"),
    Measure("earthwork_p90_m3", "Earthwork, P90", "m³"),
    Measure("cable_length_m", "Cable", "km", "less", 2, 1e-3),
    Measure("cost_usd", "Cost up to the plant's substation", "million USD", "less", 2, 1e-6),
    Measure("cost_low_usd", "Cost, all prices low", "million USD", None, 2, 1e-6),
    Measure("cost_high_usd", "Cost, all prices high", "million USD", None, 2, 1e-6),
    Measure("unplaced_count", "Named as unplaced"),
)
"""All measures, in the order of the table. Cable and cost appear if the layouts have them."""
FRONT = (ROAD, EARTH, DENSITY)
"""Measures of the Pareto front."""


@dataclass(frozen=True)
class Best:
    """Winner of one measure, among the variants that place the most."""

    measure: str
    strategy: str | None
    """None for a tie, or if there is nothing to compare with."""
    value: float | None
    margin_pct: float | None
    """Lead of the winner over the second [%]."""
    note: str = ""
    """Why there is no winner."""


def row_of(layout: StoredLayout, bill: Bill | None = None) -> Row:
    """Values of one layout in kW, m, m³, ha and USD."""
    metrics = layout.metrics
    bess = layout.about["profile"] == "bess"
    placed = float(metrics["storage_kw"] if bess else metrics["total_capacity_kw"])
    around = surroundings_ha(layout)
    interval = metrics.get("earthwork_p10_p90_m3") or (None, None)
    row: Row = {
        "placed_kw": placed,
        "storage_kwh": metrics["storage_kwh"],
        "asset_count": metrics["asset_count"],
        "surroundings_ha": round(around, 4),
        "kw_per_ha": round(placed / around, 3) if around else None,
        "road_length_m": metrics["road_length_m"],
        "max_road_grade_pct": metrics["max_road_grade_pct"],
        "cut_volume_m3": metrics["cut_volume_m3"],
        "fill_volume_m3": metrics["fill_volume_m3"],
        "earthwork_m3": round(metrics["cut_volume_m3"] + metrics["fill_volume_m3"], 1),
        "earthwork_p10_m3": interval[0],
        "earthwork_p90_m3": interval[1],
        "unplaced_count": sum(int(u["count"]) for u in layout.about["unplaced"]),
    }
    if metrics.get("cable_length_m") is not None:
        row["cable_length_m"] = metrics["cable_length_m"]
    if bill is not None:
        low, high = bill.correlated
        row |= {"cost_usd": round(bill.total), "cost_low_usd": round(low), "cost_high_usd": round(high)}
    return row


def surroundings_ha(layout: StoredLayout) -> float:
    """Ground within 25 m of any asset [ha]."""
    footprints = [s.geometry for s in layout.of_kind("asset")]
    return float(shapely.union_all(shapely.buffer(footprints, AROUND_M)).area) / 1e4 if footprints else 0.0


def equals(rows: Mapping[str, Row]) -> tuple[str, ...]:
    """Variants within 1 % of the largest placed capacity."""
    most = max((r["placed_kw"] for r in rows.values()), default=0.0)
    return tuple(name for name, r in rows.items() if r["placed_kw"] >= (1 - EQUAL) * most)


def best_of(rows: Mapping[str, Row]) -> tuple[Best, ...]:
    """Winner of each measure that is compared."""
    compared = equals(rows)
    return tuple(
        _best(m, {name: rows[name] for name in compared}, len(rows))
        for m in MEASURES
        if m.better is not None and any(m.key in r for r in rows.values())
    )


def _best(measure: Measure, rows: Mapping[str, Row], count: int) -> Best:
    """Winner of a measure among rows, out of `count` variants."""
    known = {name: float(r[measure.key]) for name, r in rows.items() if r.get(measure.key) is not None}
    if len(known) < 2:
        alone = next(iter(rows), "none")
        note = f"no other variant places within {EQUAL:.0%} of {alone}" if count > 1 else "one variant alone"
        return Best(measure.key, None, None, None, note)
    order = sorted(known, key=known.__getitem__, reverse=measure.better == "more")
    first, second = known[order[0]], known[order[1]]
    larger = max(abs(first), abs(second))
    if abs(first - second) <= TIE * larger:
        tied = [n for n in known if abs(known[n] - first) <= TIE * max(abs(known[n]), abs(first))]
        return Best(measure.key, None, first, None, f"a tie of {_listed(tied)}")
    return Best(measure.key, order[0], first, round(100 * abs(first - second) / larger, 2))


def dominated_by(rows: Mapping[str, Row], measures: Sequence[Measure] = FRONT) -> dict[str, tuple[str, ...]]:
    """Variants that dominate each variant; none for one on the Pareto front.

    One dominates another if it places as much (within 1 %), is no worse in all measures and better in one.
    """
    return {name: tuple(other for other in rows if _dominates(rows[other], rows[name], measures)) for name in rows}


def _dominates(a: Row, b: Row, measures: Sequence[Measure]) -> bool:
    """Whether variant `a` dominates variant `b`."""
    if float(a["placed_kw"]) < (1 - EQUAL) * float(b["placed_kw"]):
        return False
    gains: list[float] = []
    for measure in measures:
        x, y = a.get(measure.key), b.get(measure.key)
        if x is None or y is None:
            return False
        gains.append((x - y) if measure.better == "more" else (y - x))
    return min(gains) >= 0 and max(gains) > 0


def _listed(names: Sequence[str]) -> str:
    """Names as words, joined by 'and'."""
    words = [n.replace("_", " ") for n in names]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
