"""Records of earthwork: pad planes and volumes of roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

    from pacifico.array_types import FloatArray


@dataclass(frozen=True)
class PadPlane:
    """Design plane of a pad, with its bank volumes."""

    polygon: Polygon | MultiPolygon
    elevation_m: float
    """Design height at the polygon's centroid [m]."""
    grade_east: float
    grade_north: float
    """Rise per metre eastwards and northwards [-]."""
    cut_m3: float
    fill_m3: float
    """Volumes under the pad, without side slopes [m³]."""
    batter_cut_m3: float = 0.0
    batter_fill_m3: float = 0.0
    """Volumes of its side slopes [m³]; neighbouring pads and roads are ignored."""
    max_cut_m: float = 0.0
    max_fill_m: float = 0.0
    """Largest depth of cut and height of fill under the pad [m]."""
    open_edge_m: float = 0.0
    """Length of edge without daylight: nodata, off the grid or too far [m]."""
    gap_m3: float = 0.0
    """Optimality gap: cut + fill that a better plane could save at most [m³]; 0 for a given plane."""

    @property
    def total_m3(self) -> float:
        """Cut and fill with side slopes [m³]."""
        return self.cut_m3 + self.fill_m3 + self.batter_cut_m3 + self.batter_fill_m3

    def height_at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Design height at eastings and northings [m]."""
        centre = self.polygon.centroid
        heights: FloatArray = self.elevation_m + self.grade_east * (x - centre.x) + self.grade_north * (y - centre.y)
        return heights


@dataclass(frozen=True)
class CorridorVolumes:
    """Bank volumes of one road."""

    cut_m3: float
    fill_m3: float
    """Volumes under the carriageway [m³]."""
    batter_cut_m3: float
    batter_fill_m3: float
    """Volumes of the side slopes along both edges [m³]; none at road ends and outside bends."""
    max_depth_m: float
    """Largest difference between design and ground under the carriageway [m]."""
    nodata_share: float = 0.0
    """Share of the carriageway without ground heights, left out of the volumes [-]."""
    open_edge_m: float = 0.0
    """Length of edges without daylight [m]."""

    @property
    def total_m3(self) -> float:
        """Cut and fill with side slopes [m³]."""
        return self.cut_m3 + self.fill_m3 + self.batter_cut_m3 + self.batter_fill_m3
