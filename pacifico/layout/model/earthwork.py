"""Records of earthwork: pad planes and road volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon

    from pacifico.array_types import FloatArray


@dataclass(frozen=True)
class PadPlane:
    """A pad at its design plane, with its volumes (bank, m³)."""

    polygon: Polygon | MultiPolygon
    elevation_m: float
    """Design height at the polygon's centroid [m]."""
    grade_east: float
    grade_north: float
    """Rise per metre eastwards and northwards [-]."""
    cut_m3: float
    fill_m3: float
    """Prism under the pad itself."""
    batter_cut_m3: float = 0.0
    batter_fill_m3: float = 0.0
    """Side slopes around it; neighbours are not looked at."""
    max_cut_m: float = 0.0
    max_fill_m: float = 0.0
    open_edge_m: float = 0.0
    """Length of the edge whose side slope found no daylight: nodata, off the grid, or too far [m]."""
    gap_m3: float = 0.0
    """How much less earthwork (cut + fill) a better plane could have at most; 0 where the plane was given."""

    def height_at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Design height [m] at eastings and northings [m]."""
        centre = self.polygon.centroid
        heights: FloatArray = self.elevation_m + self.grade_east * (x - centre.x) + self.grade_north * (y - centre.y)
        return heights


@dataclass(frozen=True)
class CorridorVolumes:
    """Volumes of one road (bank, m³)."""

    cut_m3: float
    fill_m3: float
    """Prism under the carriageway."""
    batter_cut_m3: float
    batter_fill_m3: float
    """Side slopes along both edges; road ends and the outside of bends have none of their own."""
    max_depth_m: float
    """Largest distance between design and ground anywhere under the carriageway [m]."""
    nodata_share: float = 0.0
    """Share of the carriageway without ground heights: it is in none of the volumes [-]."""
    open_edge_m: float = 0.0
    """Length of edges whose side slope found no daylight [m]."""
