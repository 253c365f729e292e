"""Headline of a layout: capacity, cost, earthwork, risks.

Terminal, report, explorer, gallery, table of jobs and site plan all show these answers, and none computes its own. They are
written into layout.geojson, as cost needs unit costs that the file doesn't have.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pacifico.analysis.risks import largest_risks, millions, missing_stations, mw
from pacifico.analysis.road_risks import dear_branches, road_risks
from pacifico.layout.criteria.request import smallest_unit_kw
from pacifico.layout.model.headline import Answer, Risk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pacifico.layout.model.bill import Bill
    from pacifico.layout.model.plan import Plan

MIN_SHORT = 0.02
"""Share of the target that may be missing in a file that doesn't say whether it is met [-]."""


def headline_of(plan: Plan) -> tuple[Answer, ...]:
    """Answers for a plan: capacity, cost, earthwork and the three largest risks."""
    unit_kw = smallest_unit_kw(plan.profile, plan.spec)
    return headline(
        plan.about, plan.bill_of_quantities(), unit_kw=unit_kw, of_roads=[*road_risks(plan), *dear_branches(plan)]
    )


def headline(
    about: Mapping[str, Any], bill: Bill | None, *, unit_kw: float, of_roads: Iterable[Risk] = ()
) -> tuple[Answer, ...]:
    """Answers for a layout: capacity, cost, earthwork and risks.

    Parameters
    ----------
    about : mapping
        Member `pacifico` of a layout.geojson, version 2.
    bill : Bill, optional
        Its bill of quantities; None where unit costs are not known.
    unit_kw : float
        Smallest unit of the plant: less than it is not missing from the target [kW].
    of_roads : iterable of Risk
        Risks of the road network, from `road_risks`.
    """
    target = about["target_capacity_kw"]
    short = target is not None and placed_kw(about) <= target - unit_kw
    metrics = about["metrics"]
    volume = metrics["cut_volume_m3"] + metrics["fill_volume_m3"]
    low, high = metrics["earthwork_p10_p90_m3"]
    missing_kw = target - placed_kw(about) if target is not None and short else 0.0
    risks = largest_risks(about, bill, missing_kw=missing_kw, of_roads=of_roads)
    return (
        _capacity(about, short=short),
        _cost(about, bill),
        Answer(
            "earthwork",
            "Earthwork",
            f"{volume:,.0f} m³ with side slopes ({low:,.0f}–{high:,.0f}): "
            f"cut {metrics['cut_volume_m3']:,.0f}, fill {metrics['fill_volume_m3']:,.0f}",
            value=round(volume, 1),
            p10_p90=(low, high),
            unit="m3",
        ),
        Answer("risks", "Largest risks", "; ".join(risks)),
    )


def stored_headline(about: Mapping[str, Any]) -> tuple[Answer, ...]:
    """Headline of a stored layout.

    Parameters
    ----------
    about : mapping
        Member `pacifico` of a layout.geojson, version 2; `upgraded` makes it of version 1.
    """
    if "headline" in about:
        return tuple(
            Answer(**{**answer, "p10_p90": tuple(answer["p10_p90"]) if answer["p10_p90"] else None})
            for answer in about["headline"]
        )
    return headline(about, None, unit_kw=MIN_SHORT * (about["target_capacity_kw"] or 0.0))


def placed_kw(about: Mapping[str, Any]) -> float:
    """Capacity that counts towards the target [kW]: that which the placed substations carry and the grid takes."""
    return min(fed_kw(about), grid_limit_kw(about))


def fed_kw(about: Mapping[str, Any]) -> float:
    """Capacity that the placed substations carry [kW]."""
    return built_kw(about) * _stations_share(about)


def grid_limit_kw(about: Mapping[str, Any]) -> float:
    """Capacity that the grid takes [kW]; infinite without a limit."""
    return float(about.get("spec", {}).get("grid", {}).get("limit_kw", 0.0)) or math.inf


def built_kw(about: Mapping[str, Any]) -> float:
    """Capacity of all that is placed, with or without a substation [kW]."""
    metrics = about["metrics"]
    of_storage = about["profile"] == "bess" and "storage_kw" in metrics
    return float(metrics["storage_kw"] if of_storage else metrics["total_capacity_kw"])


def _stations_share(about: Mapping[str, Any]) -> float:
    """Share of the substations that found a place; they are of equal rating [-]."""
    missing = missing_stations(about)
    placed = int(about["metrics"].get("assets_by_type", {}).get("substation", 0))
    return placed / (placed + missing) if missing else 1.0


def _capacity(about: Mapping[str, Any], *, short: bool) -> Answer:
    """Capacity against the target."""
    placed, target = placed_kw(about), about["target_capacity_kw"]
    storage = about["metrics"]["storage_kwh"]
    unit = "MW of storage" if about["profile"] == "bess" else "MW AC"
    beside = f"; {storage / 1000:,.0f} MWh of storage" if storage else ""
    if target is None:
        text = f"{mw(placed)} {unit}, as much as fits{beside}"
    elif short:
        text = f"{mw(placed)} of {mw(target)} {unit}: short {mw(target - placed)}{beside}"
    else:
        text = f"{mw(placed)} of {mw(target)} {unit}{beside}"
    built, fed, limit = built_kw(about), fed_kw(about), grid_limit_kw(about)
    if target is not None and target >= limit:
        text += f"; the grid takes {mw(limit)}"
    if built > fed:
        text += f"; {mw(built - fed)} MW stand without the substation they need and don't count"
    if (over := fed - limit) >= 1.0:
        text += f"; {mw(over)} MW stand beyond what the grid takes and don't count"
    alarm = short or built > fed or over >= 1.0
    return Answer("capacity", "Capacity", text, alarm=alarm, value=round(placed, 3), unit="kW")


def _cost(about: Mapping[str, Any], bill: Bill | None) -> Answer:
    """Total cost and cost per watt."""
    if bill is None:
        return Answer("cost", "Cost", "not in this file; make the layout again for it")
    low, high = bill.correlated
    text = f"{millions(bill.total)} million USD ({millions(low)}–{millions(high)})"
    watts = 1000 * built_kw(about)
    if watts > 0:
        per = "of storage" if about["profile"] == "bess" else "AC"
        text += f", {bill.total / watts:,.2f} USD/W {per} ({low / watts:,.2f}–{high / watts:,.2f})"
    return Answer(
        "cost",
        "Cost",
        text,
        value=1000 * round(bill.total / 1e3),
        p10_p90=(1000 * math.floor(low / 1e3), 1000 * math.ceil(high / 1e3)),
        unit="USD",
    )
