"""Record of a fence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shapely import LineString


@dataclass(frozen=True)
class Fence:
    """Closed fence around a part of the plant."""

    fence_id: str
    line: LineString
    """Closed line; working CRS [m]."""
    gates: int
    """Number of roads that pass through it."""
    stated_length_m: float | None = None
    """Length in the file that it was read from [m]; coordinates of a file are rounded."""

    @property
    def length_m(self) -> float:
        """Length in plan [m]."""
        return float(self.line.length) if self.stated_length_m is None else self.stated_length_m

    def properties(self) -> dict[str, Any]:
        """Properties of the fence in layout.geojson."""
        return {"fence_id": self.fence_id, "length_m": round(self.length_m, 2), "gates": self.gates}
