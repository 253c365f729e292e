"""Seed areas: windows in which a plant is placed first."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as field_of
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.criteria.strategies import EQUAL_WEIGHTS, POLICIES
from pacifico.layout.ground.rects import NO_RECTS

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.strategies import SitingWeights
    from pacifico.vocabulary import Strategy

BESIDE_LANE_M = 80.0
"""Distance from the centre of a lane within which an array counts as beside it: the reach of a road [m]."""
OTHER_LANE_M = 300.0
"""Penalty for arrays that need another lane: about the road that one takes [m]."""


@dataclass(frozen=True)
class SeedArea:
    """Window of a strip pattern, filled from a starting point outwards."""

    scheme: str
    """Scheme of the strip pattern; empty for a yard."""
    rect: tuple[float, float, float, float]
    """West, south, east, north [m]."""
    start: tuple[float, float]
    """Point from which the window is filled [m]."""
    metres_per_degree: float = 0.0
    """Distance that equals a degree of slope [m/°]."""
    lanes: FloatArray = field_of(default_factory=lambda: NO_RECTS, compare=False)
    """Lanes in the window: x0, y0, x1, y1 each [m]."""
    filled_as: Strategy = "balanced"
    """Strategy that chooses arrays in the window."""
    siting: SitingWeights = EQUAL_WEIGHTS
    """Weights for the substation."""
    skid_detour: float = 0.0
    """Distance that a skid moves off its arrays' middle to save a cubic metre of earthwork [m/m³]."""
    whole_site: bool = False
    """Whether the window is all of the site."""

    @property
    def yard(self) -> bool:
        """Whether no arrays are placed there."""
        return not self.scheme

    @property
    def easy_access(self) -> bool:
        """Whether roads are likely to reach all arrays.

        Aisles run both ways, and arrays fill the window in order.
        """
        return self.scheme == "quads" and POLICIES[self.filled_as].two_way_aisles

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of the window [m]."""
        west, south, east, north = self.rect
        return (west + east) / 2, (south + north) / 2

    def order(self, rects: FloatArray, penalty: FloatArray | None = None) -> IntArray:
        """Order of rectangles, from the start through the window and beyond.

        Parameters
        ----------
        rects : (n, 4) float
            West, south, east, north [m].
        penalty : (n,) float, optional
            Distance added to each rectangle's distance from the window [m].
        """
        west, south, east, north = self.rect
        x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
        out = np.hypot(np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0))
        if len(self.lanes) and not POLICIES[self.filled_as].compact:
            # arrays beside the window's own lanes and their continuation need no other lane
            off_lane = np.full(len(rects), np.inf)
            for x0, y0, x1, _ in self.lanes:
                a, b, lane = (0, 2, x0) if x0 == x1 else (1, 3, y0)
                off_lane = np.minimum(off_lane, np.maximum(np.maximum(lane - rects[:, b], rects[:, a] - lane), 0.0))
            out = out + np.where(off_lane > BESIDE_LANE_M, OTHER_LANE_M, 0.0)
        if penalty is not None:
            out = out + penalty
        return np.lexsort((np.hypot(x - self.start[0], y - self.start[1]), np.round(out, 3)))
