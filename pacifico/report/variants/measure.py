"""What variants are compared by: one row of figures each, who is best, who is not dominated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pacifico.layout.files.stored import StoredLayout
    from pacifico.layout.model.bill import Bill

AROUND_M = 25.0
"""Of the surroundings that an asset's density is reckoned on [m]."""
EQUAL = 0.01
"""Placed capacities this near to each other are equal, as a share of the larger one."""
TIE = 0.001
"""Figures this near to each other are a tie, as a share of the larger one."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Measure:
    """One figure of a variant."""

    key: str
    label: str
    unit: str = ""
    better: Literal["more", "less"] | None = None
    """None for what is told but not compared."""
    digits: int = 0
    scale: float = 1.0
    """From the row's unit to the shown one."""


DENSITY = Measure("kw_per_ha", "Density: placed over the assets' 25 m surroundings", "kW/ha", "more")
ROAD = Measure("road_length_m", "Road", "km", "less", 2, 1e-3)
EARTH = Measure("earthwork_m3", "Earthwork: cut and fill of pads and roads", "m³", "less")
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
"""In the order of the table; cable and cost where the layouts tell them."""
FRONT = (ROAD, EARTH, DENSITY)
"""A variant is dominated where another is no worse in all of these."""


@dataclass(frozen=True)
class Best:
    """Who wins one measure, among the variants that place as much as the one that places most."""

    measure: str
    strategy: str | None
    """None where nobody wins: a tie, or nothing to compare with."""
    value: float | None
    margin_pct: float | None
    """By which the winner is better than the next [%]."""
    note: str = ""
    """Why nobody wins."""


def row_of(layout: StoredLayout, bill: Bill | None = None) -> Row:
    """Figures of one layout: capacities [kW], lengths [m], volumes [m³], areas [ha]; cost [USD] where there is a bill."""
    told = layout.metrics
    bess = layout.about["profile"] == "bess"
    placed = float(told["storage_kw"] if bess else told["total_capacity_kw"])
    around = surroundings_ha(layout)
    interval = told.get("earthwork_p10_p90_m3") or (None, None)
    row: Row = {
        "placed_kw": placed,
        "storage_kwh": told["storage_kwh"],
        "asset_count": told["asset_count"],
        "surroundings_ha": round(around, 4),
        "kw_per_ha": round(placed / around, 3) if around else None,
        "road_length_m": told["road_length_m"],
        "max_road_grade_pct": told["max_road_grade_pct"],
        "cut_volume_m3": told["cut_volume_m3"],
        "fill_volume_m3": told["fill_volume_m3"],
        "earthwork_m3": round(told["cut_volume_m3"] + told["fill_volume_m3"], 1),
        "earthwork_p10_m3": interval[0],
        "earthwork_p90_m3": interval[1],
        "unplaced_count": sum(int(u["count"]) for u in layout.about["unplaced"]),
    }
    if told.get("cable_length_m") is not None:
        row["cable_length_m"] = told["cable_length_m"]
    if bill is not None:
        low, high = bill.correlated
        row |= {"cost_usd": round(bill.total), "cost_low_usd": round(low), "cost_high_usd": round(high)}
    return row


def surroundings_ha(layout: StoredLayout) -> float:
    """Ground within 25 m of any asset [ha]: what a layout takes, the roads and gaps between assets included."""
    footprints = [s.geometry for s in layout.of_kind("asset")]
    return float(shapely.union_all(shapely.buffer(footprints, AROUND_M)).area) / 1e4 if footprints else 0.0


def equals(rows: Mapping[str, Row]) -> tuple[str, ...]:
    """Variants that place as much as the one that places most, within 1 %."""
    most = max((r["placed_kw"] for r in rows.values()), default=0.0)
    return tuple(name for name, r in rows.items() if r["placed_kw"] >= (1 - EQUAL) * most)


def best_of(rows: Mapping[str, Row]) -> tuple[Best, ...]:
    """Winner of each measure that is compared."""
    among = equals(rows)
    return tuple(
        _best(m, {name: rows[name] for name in among}, len(rows))
        for m in MEASURES
        if m.better is not None and any(m.key in r for r in rows.values())
    )


def _best(measure: Measure, rows: Mapping[str, Row], count: int) -> Best:
    known = {name: float(r[measure.key]) for name, r in rows.items() if r.get(measure.key) is not None}
    if len(known) < 2:
        alone = next(iter(rows), "none")
        note = f"no other variant places within {EQUAL:.0%} of {alone}" if count > 1 else "one variant alone"
        return Best(measure.key, None, None, None, note)
    order = sorted(known, key=known.__getitem__, reverse=measure.better == "more")
    first, second = known[order[0]], known[order[1]]
    size = max(abs(first), abs(second))
    if abs(first - second) <= TIE * size:
        level = [n for n in known if abs(known[n] - first) <= TIE * max(abs(known[n]), abs(first))]
        return Best(measure.key, None, first, None, f"a tie of {_listed(level)}")
    return Best(measure.key, order[0], first, round(100 * abs(first - second) / size, 2))


def dominated_by(rows: Mapping[str, Row], measures: Sequence[Measure] = FRONT) -> dict[str, tuple[str, ...]]:
    """For each variant those that place as much (within 1 %), are no worse in all measures and better in one.

    An empty tuple: the variant is on the Pareto front.
    """
    return {name: tuple(other for other in rows if _dominates(rows[other], rows[name], measures)) for name in rows}


def _dominates(a: Row, b: Row, measures: Sequence[Measure]) -> bool:
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
    words = [n.replace("_", " ") for n in names]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
