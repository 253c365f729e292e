"""Record of a collection cable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely import LineString


@dataclass(frozen=True)
class Cable:
    """Three-phase cable between two assets."""

    cable_id: str
    """Feeder and position on it, counted from the substation: F03-02."""
    from_id: str
    to_id: str
    """Next asset towards the substation, or the substation."""
    voltage_kv: float
    line: LineString
    """Route between the edges of both footprints, working CRS [m]."""
    in_road_trench: bool
    """Whether more than half of its length is along roads."""
    load_mva: float
    """Apparent power that it carries [MVA]."""
    stated_length_m: float | None = None
    """Length in the file that it was read from [m]; coordinates of a file are rounded."""

    @property
    def length_m(self) -> float:
        """Length in plan, without slack [m]."""
        return float(self.line.length) if self.stated_length_m is None else self.stated_length_m

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
