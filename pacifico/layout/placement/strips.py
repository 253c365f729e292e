"""Strip patterns, and the slots of assets in strips."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.placement._packing_kernels import StripShape

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray

SOUTH, NORTH, WEST, EAST = 0, 1, 2, 3
"""Side of a slot on which its lane lies."""


@dataclass(frozen=True)
class StripPattern:
    """Dimensions of strips and aisles [m]."""

    pitch_x: float
    """Unit with the gap to the next [m]."""
    gap_x: float
    """Gap between units [m]."""
    height: float
    """Height of a strip [m]."""
    pair_gap: float
    """Gap between strips without an aisle [m]."""
    aisle: float
    """Width of aisles and cross aisles [m]."""
    cross_every: float
    """Units between cross aisles."""
    most_units: int = 1
    """Most units that join into one asset."""
    least_units: int = 1
    """Fewest units in one asset."""
    strips: int = 2
    """Most strips between two aisles."""
    reach: float = 0.0
    """Distance at which cross aisles serve assets [m]; 0 where aisles serve them."""

    @property
    def width(self) -> float:
        """Width of a unit [m]."""
        return self.pitch_x - self.gap_x

    @property
    def period(self) -> float:
        """Distance from one cross aisle to the next [m]."""
        return self.cross_every * self.pitch_x - self.gap_x + self.aisle

    def shape(self, margin_m: float) -> StripShape:
        """Dimensions for the kernels, with a margin around each unit [m]."""
        step = max(self.pitch_x / 16, 1.0)
        return StripShape(self.height, self.width, self.pitch_x, margin_m, step, self.period, self.aisle)


@dataclass(frozen=True)
class Slots:
    """Places for assets in strips, one per row of each array."""

    rects: FloatArray
    """West, south, east, north, shape (n, 4) [m]."""
    units: IntArray
    """Units that join into the asset."""
    strip: IntArray
    """Number of the strip, from the south."""
    lane: IntArray
    """Number of the aisle that serves it, from the south, or of the cross aisle, from the west."""
    side: IntArray
    """Side on which that lies: SOUTH, NORTH, WEST or EAST."""
    depth: IntArray
    """Number of slots between it and its lane."""

    def take(self, which: IntArray) -> Slots:
        """Some of the slots, in the order of their indices."""
        return Slots(
            self.rects[which],
            self.units[which],
            self.strip[which],
            self.lane[which],
            self.side[which],
            self.depth[which],
        )

    def resized(self, rects: FloatArray, units: IntArray) -> Slots:
        """Slots with other rectangles and units, without those that have no unit."""
        return replace(self, rects=rects, units=units).take(np.flatnonzero(units > 0))


def lanes_of(starts: IntArray, most: int) -> tuple[IntArray, IntArray, IntArray]:
    """Aisle of each strip, its side, and the strips between.

    That is the nearer aisle, or the only one beside strips at the edge of the site.

    Parameters
    ----------
    starts : (n,) int
        1 where an aisle lies south of a strip.
    most : int
        Most strips between two aisles.
    """
    module = np.cumsum(starts) - 1
    lane, side, depth = (np.zeros(starts.size, np.int64) for _ in range(3))
    last = module[-1] if module.size else -1
    for k in range(last + 1):
        members = np.flatnonzero(module == k)
        n = members.size
        southern = (n + 1) // 2
        if n <= (most + 1) // 2:
            southern = 0 if k == 0 and last > 0 else n
        rank = np.arange(n)
        lane[members] = k + (rank >= southern)
        side[members] = np.where(rank >= southern, NORTH, SOUTH)
        depth[members] = np.where(rank >= southern, n - 1 - rank, rank)
    return lane, side, depth
