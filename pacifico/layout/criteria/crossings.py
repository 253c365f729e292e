"""Limits and prices of crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.criteria.water import WaterCriteria
    from pacifico.site.model import ZoneType

CrossingType = Literal["culvert", "ford", "bridge", "bore", "upgrade"]
"""Culvert, ford and bridge: a road over water. Bore: a cable under anything. Upgrade: works at the surface for a road
over anything else, such as an access over a public road or an easement across a gap."""
UPGRADE_ITEMS: Mapping[ZoneType, str] = {
    "railway": "crossing_railway",
    "pipeline": "crossing_pipeline",
    "line": "crossing_line",
    "gap": "crossing_gap",
}
"""Unit cost of an upgrade by what is crossed; that of a public road for all else."""
ROAD_UPGRADE = "crossing_upgrade"
"""Unit cost of a crossing of a public road."""
LEAST_UPGRADE_SHARE = 0.1
"""Least cost of an existing road in the search, relative to a new one: a detour is longer to drive and to maintain."""


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
    """Type of a road's crossing of a drawn zone."""
    if zone_type != "water":
        return "upgrade"
    return "culvert" if length_m <= criteria.culvert_max_m else "bridge"


def channel_crossing_type(
    drained_ha: float, grade_pct: float, *, is_main: bool, criteria: WaterCriteria
) -> CrossingType:
    """Type of a road's crossing of a channel.

    Parameters
    ----------
    drained_ha : float
        Area that drains through it [ha].
    grade_pct : float
        Grade of the road there [%].
    is_main : bool
        Whether the road must be passable in all weather: a spine.
    criteria : WaterCriteria
        Limits of fords and culverts.
    """
    if criteria.culvert(drained_ha).barrels > criteria.culvert_max_barrels:
        return "bridge"
    if not is_main and drained_ha <= criteria.ford_max_ha and abs(grade_pct) <= criteria.ford_max_grade_pct:
        return "ford"
    return "culvert"


def upgrade_item(zone_type: ZoneType) -> str:
    """Unit cost of a road's crossing of anything but water."""
    return UPGRADE_ITEMS.get(zone_type, ROAD_UPGRADE)


def road_crossing_cost(spec: Spec, zone_type: ZoneType, length_m: float) -> float:
    """Cost of a road's crossing, without its surface [USD]."""
    kind = road_crossing_type(zone_type, length_m, crossing_criteria(spec))
    if kind == "upgrade":
        return spec.number("costs", upgrade_item(zone_type))
    return spec.number("costs", kind) * length_m


def upgrade_share(spec: Spec) -> float:
    """Cost of a metre of existing road, relative to a new one on level ground."""
    new = spec.number("road", "width_m") * (spec.number("costs", "road_surface") + spec.number("costs", "clearing"))
    upgrade = spec.number("costs", "road_upgrade")
    return min(max(upgrade / new, LEAST_UPGRADE_SHARE), 1.0) if new > 0 else 1.0
