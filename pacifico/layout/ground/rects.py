"""Upright rectangles as arrays: rows of west, south, east, north [m]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FloatArray


def touching(rects: FloatArray, others: FloatArray) -> BoolArray:
    """Whether each rectangle overlaps any of the others, shape (n,)."""
    hit = np.zeros(len(rects), dtype=bool)
    if not len(rects):
        return hit
    # only others near the rectangles are compared
    low, high = rects[:, :2].min(axis=0), rects[:, 2:].max(axis=0)
    others = others[(others[:, :2] < high).all(axis=1) & (others[:, 2:] > low).all(axis=1)]
    for west, south, east, north in others:
        hit |= (rects[:, 0] < east) & (rects[:, 2] > west) & (rects[:, 1] < north) & (rects[:, 3] > south)
    return hit


def expand_rects(rects: FloatArray, by: float) -> FloatArray:
    """Expand rectangles by a margin on every side [m]."""
    out: FloatArray = rects + np.array([-by, -by, by, by])
    return out


NO_RECTS = np.empty((0, 4))
"""No rectangles at all."""
