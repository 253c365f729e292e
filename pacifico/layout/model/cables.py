"""Record of a collection cable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely import LineString


@dataclass(frozen=True)
class Cable:
    """One three-phase cable between two assets."""

    cable_id: str
    """Feeder and place on it, counted from the substation: F03-02."""
    from_id: str
    to_id: str
    """The next asset towards the substation, or the substation."""
    voltage_kv: float
    line: LineString
    """In the working CRS; from one footprint's edge to the other's [m]."""
    in_road_trench: bool
    """Whether more than half of it lies along roads."""
    load_mva: float
    """Of everything that it carries [MVA]."""

    @property
    def length_m(self) -> float:
        """In plan, without slack."""
        return float(self.line.length)

    def properties(self) -> dict[str, Any]:
        """Properties of the cable in layout.geojson."""
        return {
            "cable_id": self.cable_id,
            "from_id": self.from_id,
            "to_id": self.to_id,
            "voltage_kv": self.voltage_kv,
            "length_m": round(self.length_m, 2),
            "in_road_trench": self.in_road_trench,
        }
