"""Surroundings of assets: the ground that counts as used by a plant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.layout.model.assets import Item

SURROUNDINGS_M = 25.0
"""Distance around assets that counts as used by the plant [m]; density is measured on it."""


def surroundings_ha(items: Sequence[Item]) -> float:
    """Area of the union of all surroundings [ha]."""
    boxes = shapely.box(*np.array([i.rect for i in items]).reshape(-1, 4).T)
    return float(shapely.union_all(shapely.buffer(boxes, SURROUNDINGS_M)).area) / 1e4
