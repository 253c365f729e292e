"""Headline of a layout: capacity, cost, earthwork, risks.

Terminal, report, explorer, gallery, table of jobs and site plan all show these answers, and none computes its own. They are
written into layout.geojson, as cost needs unit costs that the file doesn't have.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pacifico.layout.files.stored import COARSE_M, LEVEL
from pacifico.layout.model.headline import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pacifico.layout.model.bill import Bill, Line

Risk = tuple[float, str]
"""Share of the plant at stake [-], and the risk in words."""

EARTH_ITEMS = ("cut", "fill", "haul", "borrow")
"""Lines of the bill that move together with the volume of earthwork."""
RISKS_SHOWN = 3
"""Number of risks in the headline."""
COARSE_STAKE = 0.1
"""Share of the plant at stake where cells are too coarse to grade by [-]; engineering judgement."""
MIN_SHORT = 0.02
"""Share of the target that may be missing in a file that doesn't say whether it is met [-]."""
ALWAYS = (
    "no survey or soil investigation: foundations and rock are unknown",
    "grid connection and land are not priced",
)
"""Risks of every early design, named where fewer than three are known."""


def headline(about: Mapping[str, Any], bill: Bill | None, *, unit_kw: float) -> tuple[Answer, ...]:
    """Answers for a layout: capacity, cost, earthwork and risks.

    Risks are ranked by the share of the plant that is at stake: the share of the target that is missing, the amount by which
    a line of the bill may exceed its likely cost over the total, and the share of buildable ground that the elevation's
    error may take where ground limits the capacity.

    Parameters
    ----------
    about : mapping
        Member `pacifico` of a layout.geojson, version 2.
    bill : Bill, optional
        Its bill of quantities; None where unit costs are not known.
    unit_kw : float
        Smallest unit of the plant: less than it is not missing from the target [kW].
    """
    target = about["target_capacity_kw"]
    short = target is not None and placed_kw(about) <= target - unit_kw
    metrics = about["metrics"]
    volume = metrics["cut_volume_m3"] + metrics["fill_volume_m3"]
    low, high = metrics["earthwork_p10_p90_m3"]
    found = sorted(_risks(about, bill, short=short), key=lambda risk: -risk[0])
    risks = [*(text for _, text in found), *ALWAYS][:RISKS_SHOWN]
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
    """Capacity that counts towards the target [kW]: that which the placed substations carry."""
    return built_kw(about) * _stations_share(about)


def built_kw(about: Mapping[str, Any]) -> float:
    """Capacity of all that is placed, with or without a substation [kW]."""
    metrics = about["metrics"]
    of_storage = about["profile"] == "bess" and "storage_kw" in metrics
    return float(metrics["storage_kw"] if of_storage else metrics["total_capacity_kw"])


def _stations_share(about: Mapping[str, Any]) -> float:
    """Share of the substations that found a place; they are of equal rating [-]."""
    missing = _missing_stations(about)
    placed = int(about["metrics"].get("assets_by_type", {}).get("substation", 0))
    return placed / (placed + missing) if missing else 1.0


def _missing_stations(about: Mapping[str, Any]) -> int:
    """Number of substations without a place."""
    return sum(u["count"] for u in about["unplaced"] if u["asset_type"] == "substation")


def _capacity(about: Mapping[str, Any], *, short: bool) -> Answer:
    """Capacity against the target."""
    placed, target = placed_kw(about), about["target_capacity_kw"]
    storage = about["metrics"]["storage_kwh"]
    unit = "MW of storage" if about["profile"] == "bess" else "MW AC"
    beside = f"; {storage / 1000:,.0f} MWh of storage" if storage else ""
    if target is None:
        text = f"{_mw(placed)} {unit}, as much as fits{beside}"
    elif short:
        text = f"{_mw(placed)} of {_mw(target)} {unit}: short {_mw(target - placed)}{beside}"
    else:
        text = f"{_mw(placed)} of {_mw(target)} {unit}{beside}"
    if (built := built_kw(about)) > placed:
        text += f"; {_mw(built - placed)} MW stand without the substation they need and don't count"
    return Answer("capacity", "Capacity", text, alarm=short or built > placed, value=round(placed, 3), unit="kW")


def _cost(about: Mapping[str, Any], bill: Bill | None) -> Answer:
    """Total cost and cost per watt."""
    if bill is None:
        return Answer("cost", "Cost", "not in this file; make the layout again for it")
    low, high = bill.correlated
    text = f"{_millions(bill.total)} million USD ({_millions(low)}–{_millions(high)})"
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


def _risks(about: Mapping[str, Any], bill: Bill | None, *, short: bool) -> Iterator[Risk]:
    """Risks of a layout, each with its stake."""
    target, placed = about["target_capacity_kw"], placed_kw(about)
    if short:
        ground = f"{about['metrics']['buildable_area_ha']:,.0f} ha of buildable ground"
        yield (target - placed) / target, f"{_mw(target - placed)} MW have no place on {ground}"
    if stations := _missing_stations(about):
        yield (
            1.0,
            f"{stations} {'substation has' if stations == 1 else 'substations have'} no place: the plant can't feed in",
        )
    if bill is not None:
        yield from _price_risks(bill)
    yield from _ground_risks(about, limits_capacity=short or target is None)


def _price_risks(bill: Bill) -> Iterator[Risk]:
    """Lines of the bill that may cost more."""
    groups: dict[str, list[Line]] = {}
    for line in bill.lines:
        groups.setdefault("Earthwork" if line.item in EARTH_ITEMS else line.what, []).append(line)
    for what, lines in groups.items():
        more = math.fsum(n.cost_high - n.cost for n in lines)
        if more > 0 and bill.total > 0:
            yield more / bill.total, f"{what[0].lower()}{what[1:]} may cost {_millions(more)} million USD more"


def _ground_risks(about: Mapping[str, Any], *, limits_capacity: bool) -> Iterator[Risk]:
    """Risks of the elevation model and ground."""
    metrics, dem = about["metrics"], about["dem"]
    area, least = metrics["buildable_area_ha"], metrics["buildable_area_p10_p90_ha"][0]
    if dem["source"] == LEVEL:
        yield 1.0, "level ground is assumed: slopes and earthwork are unknown"
    elif dem["resolution_m"] > COARSE_M:
        yield (
            COARSE_STAKE,
            f"elevation cells of {dem['resolution_m']:.3g} m hide relief: earthwork is an order of magnitude",
        )
    if limits_capacity and area > 0 and least < area:
        yield 1 - least / area, f"buildable ground may be {least:,.1f} of {area:,.1f} ha, by the error of the elevation"
    if dem["nodata_share"]:
        yield dem["nodata_share"], f"{dem['nodata_share']:.1%} of the site has no elevation and stays empty"


def _mw(kw: float) -> str:
    """Power in MW, with two decimals below 10."""
    return f"{kw / 1000:,.{1 if kw >= 10_000 else 2}f}"


def _millions(usd: float) -> str:
    """Amount in millions, with two decimals below 10."""
    return f"{usd / 1e6:,.{1 if usd >= 1e7 else 2}f}"
