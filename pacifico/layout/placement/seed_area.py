"""The seed area: where placement of a plant begins, and its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.criteria.spec import Strategy
    from pacifico.layout.model.assets import Item


def surroundings_ha(items: Sequence[Item]) -> float:
    """Area of the union of the assets' surroundings [ha]."""
    boxes = shapely.box(*np.array([i.rect for i in items]).T)
    return float(shapely.union_all(shapely.buffer(boxes, SURROUNDINGS_M)).area) / 1e4


SURROUNDINGS_M = 25.0
"""Distance from assets within which ground counts as used by the plant [m]."""

BESIDE_M, ANOTHER_LANE_M = 80.0, 300.0
"""Largest distance of an array from the middle of its lane, and the extra road to another lane [m]."""


@dataclass(frozen=True)
class SeedArea:
    """A window of a strip pattern from which placement begins."""

    scheme: str
    """Scheme of the array pattern; empty for a yard."""
    rect: tuple[float, float, float, float]
    root: tuple[float, float]
    metres_per_degree: float = 0.0
    """Distance worth one degree less slope [m/°]."""
    lanes: FloatArray = dataclass_field(default_factory=lambda: np.empty((0, 4)), compare=False)
    """Roads along the lanes of the window, rows of x0, y0, x1, y1 [m]."""
    strategy: Strategy = "balanced"
    siting: tuple[float, float] = (1.0, 1.0)
    """Weights of road and earthwork in the siting of the substation."""
    level: float = 0.0
    """Distance from its arrays' middle that a skid may trade for earthwork [m/m³]."""
    whole: bool = False
    """Whether the whole site is wanted."""

    @property
    def yard(self) -> bool:
        """Whether the area is for a yard, without arrays."""
        return not self.scheme

    @property
    def sure(self) -> bool:
        """Whether lanes run on both sides and the window is filled in order: roads reach every array."""
        return self.scheme == "quads" and self.strategy == "balanced"

    @property
    def middle(self) -> tuple[float, float]:
        """Middle of the window [m]."""
        west, south, east, north = self.rect
        return (west + east) / 2, (south + north) / 2

    def order(self, rects: FloatArray, malus: FloatArray | None = None) -> IntArray:
        """Order of rectangles: those in the window from its root on, then the nearest outside."""
        west, south, east, north = self.rect
        x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
        out = np.hypot(np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0))
        if len(self.lanes) and self.strategy != "density":
            # beside the window's lanes or their extension: any other array needs a road of its own
            far = np.full(len(rects), np.inf)
            for x0, y0, x1, _ in self.lanes:
                a, b, lane = (0, 2, x0) if x0 == x1 else (1, 3, y0)
                far = np.minimum(far, np.maximum(np.maximum(lane - rects[:, b], rects[:, a] - lane), 0.0))
            out = out + np.where(far > BESIDE_M, ANOTHER_LANE_M, 0.0)
        if malus is not None:
            out = out + malus
        return np.lexsort((np.hypot(x - self.root[0], y - self.root[1]), np.round(out, 3)))
