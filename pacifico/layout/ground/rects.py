"""."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray


def touching(rects: FloatArray, others: FloatArray) -> BoolArray:
    """Which rectangles overlap any of the others, shape (n,)."""
    hit = np.zeros(len(rects), dtype=bool)
    if not len(rects):
        return hit
    low, high = rects[:, :2].min(axis=0), rects[:, 2:].max(axis=0)
    others = others[(others[:, :2] < high).all(axis=1) & (others[:, 2:] > low).all(axis=1)]
    for west, south, east, north in others:
        hit |= (rects[:, 0] < east) & (rects[:, 2] > west) & (rects[:, 1] < north) & (rects[:, 3] > south)
    return hit


def expand_rects(rects: FloatArray, by: float) -> FloatArray:
    """Rectangles grown on every side."""
    out: FloatArray = rects + np.array([-by, -by, by, by])
    return out


NO_RECTS = np.empty((0, 4))
