"""The largest risks of a layout, in words, ranked by the share of the plant at stake."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pacifico.layout.files.stored import COARSE_M, LEVEL
from pacifico.layout.files.versions import source_cell_m
from pacifico.layout.model.headline import Risk
from pacifico.terrain.named import SURFACE_WARNING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pacifico.layout.model.bill import Bill, Line

LEAST_STAKE = 0.005
"""Share of the total cost below which an amount is no risk to name [-]; engineering judgement."""
RISKS_SHOWN = 3
"""Number of risks in a headline."""
LEAST_MILLIONS_USD = 100_000.0
"""Amount from which two decimals of a million say something [USD]."""
EARTH_ITEMS = ("cut", "fill", "haul", "borrow")
"""Lines of the bill that move together with the volume of earthwork."""
COARSE_STAKE = 0.1
"""Share of the plant at stake where cells are too coarse to grade by [-]; engineering judgement."""
SURFACE_STAKE = 0.08
"""Share of the plant at stake where trees and roofs count as ground [-]; engineering judgement."""
ALWAYS = (
    "no survey or soil investigation: foundations and rock are unknown",
    "grid connection and land are not priced",
)
"""Risks of every early design, named where fewer than three are known."""


def largest_risks(
    about: Mapping[str, Any], bill: Bill | None, *, missing_kw: float, of_roads: Iterable[Risk]
) -> list[str]:
    """Three largest risks of a layout.

    A stake is the share of the target that is missing, the amount by which a line of the bill may exceed its likely cost
    over the total, the share of capacity behind a single crossing, or the share of buildable ground that the error of
    the elevation may take where ground limits the capacity. Of the bill, earthwork and the largest other line count.

    Parameters
    ----------
    about : mapping
        Member `pacifico` of a layout.geojson, version 2.
    bill : Bill, optional
        Its bill of quantities; None where unit costs are not known.
    missing_kw : float
        Capacity that is missing from the target [kW]; 0 where it is met.
    of_roads : iterable of Risk
        Risks of the road network.
    """
    found = [*_plant_risks(about, missing_kw), *_ground_risks(about, limits=bool(missing_kw)), *of_roads]
    if bill is not None:
        found += _price_risks(bill)
    ranked = sorted(found, key=lambda risk: -risk.stake)
    return [*(risk.text for risk in ranked), *ALWAYS][:RISKS_SHOWN]


def missing_stations(about: Mapping[str, Any]) -> int:
    """Number of substations without a place."""
    return sum(u["count"] for u in about["unplaced"] if u["asset_type"] == "substation")


def _plant_risks(about: Mapping[str, Any], missing_kw: float) -> Iterator[Risk]:
    """Risks of a plant that is incomplete."""
    if missing_kw:
        ground = f"{about['metrics']['buildable_area_ha']:,.0f} ha of buildable ground"
        yield Risk(missing_kw / about["target_capacity_kw"], f"{mw(missing_kw)} MW have no place on {ground}")
    stations = missing_stations(about)
    if stations:
        have = "substation has" if stations == 1 else "substations have"
        yield Risk(1.0, f"{stations} {have} no place: the plant can't feed in")


def _price_risks(bill: Bill) -> list[Risk]:
    """Risk of earthwork, and of the other line that may exceed its cost most."""
    groups: dict[str, list[Line]] = {}
    for line in bill.lines:
        groups.setdefault("Earthwork" if line.item in EARTH_ITEMS else line.what, []).append(line)
    found = []
    for what, lines in groups.items():
        more = math.fsum(n.cost_high - n.cost for n in lines)
        if bill.total > 0 and more >= LEAST_STAKE * bill.total:
            text = f"{what[0].lower()}{what[1:]} may cost {dollars(more)} more"
            found.append((what, Risk(more / bill.total, text)))
    earth = [risk for what, risk in found if what == "Earthwork"]
    other = max((risk for what, risk in found if what != "Earthwork"), key=lambda r: r.stake, default=None)
    return [*earth, *([other] if other is not None else [])]


def _ground_risks(about: Mapping[str, Any], *, limits: bool) -> Iterator[Risk]:
    """Risks of elevation and ground.

    Parameters
    ----------
    about : mapping
        Member `pacifico` of a layout.geojson, version 2.
    limits : bool
        Whether the target is missed.
    """
    metrics, dem = about["metrics"], about["dem"]
    area, least = metrics["buildable_area_ha"], metrics["buildable_area_p10_p90_ha"][0]
    if dem["source"] == LEVEL:
        yield Risk(1.0, "level ground is assumed: slopes and earthwork are unknown")
    elif (cell_m := source_cell_m(dem)) > COARSE_M:
        cells = f"elevation cells of {cell_m:.3g} m hide relief"
        yield Risk(COARSE_STAKE, f"{cells}: earthwork is an order of magnitude")
    if SURFACE_WARNING in about.get("warnings", ()):
        yield Risk(SURFACE_STAKE, "elevation is a surface model: trees and roofs count as ground")
    if (limits or about["target_capacity_kw"] is None) and area > 0 and least < area:
        text = f"buildable ground may be {least:,.1f} of {area:,.1f} ha, by the error of the elevation"
        yield Risk(1 - least / area, text)
    if dem["nodata_share"]:
        yield Risk(dem["nodata_share"], f"{dem['nodata_share']:.1%} of the site has no elevation and stays empty")


def mw(kw: float) -> str:
    """Power in MW, with two decimals below 10."""
    return f"{kw / 1000:,.{1 if kw >= 10_000 else 2}f}"


def dollars(usd: float) -> str:
    """Amount with its unit: in millions from 0.1 million, below that in dollars to a hundred."""
    if usd >= LEAST_MILLIONS_USD:
        return f"{millions(usd)} million USD"
    return f"{max(round(usd, -2), 100.0):,.0f} USD"


def millions(usd: float) -> str:
    """Amount in millions, with two decimals below 10."""
    return f"{usd / 1e6:,.{1 if usd >= 1e7 else 2}f}"
