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

    @property
    def length_m(self) -> float:
        """Length in plan [m]."""
        return float(self.line.length)

    def properties(self) -> dict[str, Any]:
        """Properties of the crossing in layout.geojson."""
        return {
            "crossing_id": self.crossing_id,
            "crossing_type": self.crossing_type,
            "of_id": self.of_id,
            "over": self.over,
            "zone_type": self.zone_type,
            # drainage isn't mapped yet
            "drained_area_ha": None,
            "length_m": round(self.length_m, 2),
        }
