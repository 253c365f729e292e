"""Covered area on a raster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.ground.rects import expand_rects
from pacifico.layout.placement.surroundings import SURROUNDINGS_M

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray


CELL_M = 5.0
"""Cell size: a fifth of the surroundings' width [m]."""


class Coverage:
    """How many surroundings cover each cell.

    Parameters
    ----------
    rects : (n, 4) float
        All rectangles that will be counted: west, south, east, north [m].
    """

    def __init__(self, rects: FloatArray) -> None:
        self._low = rects[:, :2].min(axis=0) - SURROUNDINGS_M - CELL_M
        high = rects[:, 2:].max(axis=0) + SURROUNDINGS_M + CELL_M
        self._times = np.zeros(np.ceil((high - self._low) / CELL_M).astype(np.int64) + 2, dtype=np.int32)

    def spans(self, rects: FloatArray) -> IntArray:
        """First and last columns and rows of surroundings, shape (n, 4)."""
        cells = (expand_rects(rects, SURROUNDINGS_M) - np.tile(self._low, 2)) / CELL_M
        out: IntArray = np.round(cells).astype(np.int64)
        return out

    def add(self, rect: tuple[float, float, float, float] | FloatArray, by: int = 1) -> None:
        """Count the surroundings of a rectangle; -1 removes them."""
        west, south, east, north = self.spans(np.array([rect]))[0]
        self._times[west:east, south:north] += by

    def cells(self) -> int:
        """Number of covered cells."""
        return int((self._times > 0).sum())

    def covered_alone(self, spans: IntArray) -> IntArray:
        """Cells of each span that no other rectangle covers."""
        return self._count(spans, 1)

    def added(self, spans: IntArray) -> IntArray:
        """Cells of each span that nothing covers yet."""
        return self._count(spans, 0)

    def _count(self, spans: IntArray, times: int) -> IntArray:
        """Cells of each span that are covered so many times."""
        sums = np.zeros((self._times.shape[0] + 1, self._times.shape[1] + 1), dtype=np.int64)
        np.cumsum(np.cumsum(self._times == times, axis=0), axis=1, out=sums[1:, 1:])
        west, south, east, north = spans.T
        out: IntArray = sums[east, north] - sums[west, north] - sums[east, south] + sums[west, south]
        return out
