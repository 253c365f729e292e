"""Limits and prices of crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pacifico.layout.criteria.spec import Spec
    from pacifico.site.model import ZoneType

CrossingType = Literal["culvert", "ford", "bridge", "bore", "upgrade"]
"""Culvert, ford and bridge: a road over water. Bore: a cable under anything. Upgrade: works at the surface for a road
over anything else, such as an access over a public road or an easement across a gap."""


@dataclass(frozen=True)
class CrossingCriteria:
    """Limits of crossings."""

    max_length_m: float = 150.0
    """Longest crossing [m]."""
    max_skew_deg: float = 30.0
    """Largest deviation from the perpendicular on either bank [°]."""
    culvert_max_m: float = 60.0
    """Longest crossing of water on a culvert; longer ones are bridges [m]."""


def crossing_criteria(spec: Spec) -> CrossingCriteria:
    """Limits of crossings of a spec."""
    return CrossingCriteria(
        spec.number("crossing", "max_length_m"),
        spec.number("crossing", "max_skew_deg"),
        spec.number("crossing", "culvert_max_m"),
    )


def road_crossing_type(zone_type: ZoneType, length_m: float, criteria: CrossingCriteria) -> CrossingType:
    """Type of a road's crossing."""
    if zone_type != "water":
        return "upgrade"
    return "culvert" if length_m <= criteria.culvert_max_m else "bridge"


def road_crossing_cost(spec: Spec, zone_type: ZoneType, length_m: float) -> float:
    """Cost of a road's crossing, without its surface [USD]."""
    kind = road_crossing_type(zone_type, length_m, crossing_criteria(spec))
    return spec.number("costs", "crossing_upgrade") if kind == "upgrade" else spec.number("costs", kind) * length_m
