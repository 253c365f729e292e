"""Record of a crossing of a road or cable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely import LineString

    from pacifico.layout.criteria.crossings import CrossingType
    from pacifico.site.model import ZoneType


@dataclass(frozen=True)
class Crossing:
    """Stretch of a road or cable over a barrier."""

    crossing_id: str
    crossing_type: CrossingType
    of_id: str
    """Road or cable that crosses."""
    over: str
    """Name of what is crossed."""
    zone_type: ZoneType
    line: LineString
    """Along the road or cable; working CRS [m]."""
    drained_area_ha: float | None = None
    """Area that drains through it, as far as the elevation model shows it [ha]; None where it is not over water."""
    stated_length_m: float | None = None
    """Length in the file that it was read from [m]; coordinates of a file are rounded."""
    existing: bool = False
    """Whether it is a stretch along an existing road, priced by the metre."""

    @property
    def length_m(self) -> float:
        """Length in plan [m]."""
        return float(self.line.length) if self.stated_length_m is None else self.stated_length_m

    def properties(self) -> dict[str, Any]:
        """Properties of the crossing in layout.geojson."""
        return {
            "crossing_id": self.crossing_id,
            "crossing_type": self.crossing_type,
            "of_id": self.of_id,
            "over": self.over,
            "zone_type": self.zone_type,
            "drained_area_ha": None if self.drained_area_ha is None else round(self.drained_area_ha, 2),
            "length_m": round(self.length_m, 2),
            **({"existing": True} if self.existing else {}),
        }
