"""."""

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
    """Union of the assets' surroundings [ha]."""
    boxes = shapely.box(*np.array([i.rect for i in items]).T)
    return float(shapely.union_all(shapely.buffer(boxes, SURROUNDINGS_M)).area) / 1e4


SURROUNDINGS_M = 25.0
"""Around assets, that count as used by a plant."""

BESIDE_M, ANOTHER_LANE_M = 80.0, 300.0
"""An array further from the middle of a lane is not beside it; road that another lane takes to be reached [m]."""


@dataclass(frozen=True)
class SeedArea:
    """Where to build first: a window of a lattice of some scheme, filled from its root."""

    scheme: str
    """Of the lattice of arrays; none for a yard."""
    rect: tuple[float, float, float, float]
    root: tuple[float, float]
    metres_per_degree: float = 0.0
    """How far away a place may be to be a degree less steep."""
    lanes: FloatArray = dataclass_field(default_factory=lambda: np.empty((0, 4)), compare=False)
    """Roads that its lanes make in the window: x0, y0, x1, y1 each."""
    strategy: Strategy = "balanced"
    siting: tuple[float, float] = (1.0, 1.0)
    """How many times its price road and earthwork count for where a substation stands."""
    level: float = 0.0
    """Metres that a skid stands further from its arrays' middle to save a cubic metre."""
    whole: bool = False
    """Whether all of the site is wanted."""

    @property
    def yard(self) -> bool:
        """Whether no arrays are built there."""
        return not self.scheme

    @property
    def sure(self) -> bool:
        """Whether aisles run both ways and the window is filled as it comes: a road finds its way to every array."""
        return self.scheme == "quads" and self.strategy == "balanced"

    @property
    def middle(self) -> tuple[float, float]:
        """Of the window."""
        west, south, east, north = self.rect
        return (west + east) / 2, (south + north) / 2

    def order(self, rects: FloatArray, malus: FloatArray | None = None) -> IntArray:
        """Order of rectangles: those in the window from its root on, then those outside, the nearest first."""
        west, south, east, north = self.rect
        x, y = (rects[:, 0] + rects[:, 2]) / 2, (rects[:, 1] + rects[:, 3]) / 2
        out = np.hypot(np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0))
        if len(self.lanes) and self.strategy != "density":
            # beside the window's own lanes, as these go on; any other would want a road of its own
            far = np.full(len(rects), np.inf)
            for x0, y0, x1, _ in self.lanes:
                a, b, lane = (0, 2, x0) if x0 == x1 else (1, 3, y0)
                far = np.minimum(far, np.maximum(np.maximum(lane - rects[:, b], rects[:, a] - lane), 0.0))
            out = out + np.where(far > BESIDE_M, ANOTHER_LANE_M, 0.0)
        if malus is not None:
            out = out + malus
        return np.lexsort((np.hypot(x - self.root[0], y - self.root[1]), np.round(out, 3)))
