"""Lattice in the direction of the rows on which ground is graded.

Heights of graded ground are those of natural ground plus a correction. The correction is known at the nodes of the lattice and
bilinear between them. A node's volume is its correction times the area of a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shapely.geometry.base import BaseGeometry

    from pacifico.array_types import BoolArray, FloatArray, IntArray
    from pacifico.layout.racking.rows import RowFrame, Rows

CELL_M = 5.0
"""Distance between nodes [m]: about a grader's blade with its overlap, below the pitch of rows and the spacing of piles."""
MARGIN_M = 60.0
"""Ground around the arrays that may be graded [m]; side slopes without daylight end there."""


@dataclass(frozen=True)
class GradingLattice:
    """Nodes along and across rows; node (i, k) has the number ``i * columns + k``."""

    frame: RowFrame
    along0: float
    """Place of the first node along [m]."""
    across0: float
    lines: int
    """Nodes along."""
    columns: int
    """Nodes across."""
    cell_m: float = CELL_M

    @property
    def cell_area_m2(self) -> float:
        """Area of a cell [m²]."""
        return self.cell_m**2

    def places(self, nodes: IntArray) -> tuple[FloatArray, FloatArray]:
        """Along and across of nodes [m]."""
        i, k = np.divmod(nodes, self.columns)
        return self.along0 + i * self.cell_m, self.across0 + k * self.cell_m

    def map_places(self, nodes: IntArray) -> tuple[FloatArray, FloatArray]:
        """Easting and northing of nodes [m]."""
        return self.frame.to_map(*self.places(nodes))

    def weights(self, along: FloatArray, across: FloatArray) -> tuple[IntArray, FloatArray]:
        """Nodes around points and their bilinear weights, both of shape (n, 4)."""
        i, k = (along - self.along0) / self.cell_m, (across - self.across0) / self.cell_m
        i0 = np.clip(np.floor(i), 0, self.lines - 2).astype(np.int64)
        k0 = np.clip(np.floor(k), 0, self.columns - 2).astype(np.int64)
        f, h = np.clip(i - i0, 0.0, 1.0), np.clip(k - k0, 0.0, 1.0)
        first = i0 * self.columns + k0
        nodes = first[:, None] + np.array([0, 1, self.columns, self.columns + 1])
        return nodes, np.stack([(1 - f) * (1 - h), (1 - f) * h, f * (1 - h), f * h], axis=1)

    def around(self, nodes: IntArray) -> IntArray:
        """Nodes and all their neighbours."""
        i, k = np.divmod(nodes, self.columns)
        inner = nodes[(i > 0) & (i < self.lines - 1) & (k > 0) & (k < self.columns - 1)]
        found = np.zeros(self.lines * self.columns, dtype=bool)
        found[nodes] = True
        for step in (i * self.columns + k for i in (-1, 0, 1) for k in (-1, 0, 1)):
            found[inner + step] = True
        return np.flatnonzero(found)

    def edges(self, nodes: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
        """Pairs of neighbours with at least one of the nodes, and whether each pair lies along the rows."""
        pairs = []
        for step, is_along in ((self.columns, True), (1, False)):
            i, k = np.divmod(nodes, self.columns)
            after = nodes[(i < self.lines - 1) if is_along else (k < self.columns - 1)]
            before = nodes[(i > 0) if is_along else (k > 0)] - step
            pairs.append(np.union1d(after, before))
        a = np.concatenate(pairs)
        along = np.repeat([True, False], [len(p) for p in pairs])
        return a, a + np.where(along, self.columns, 1), along


def make_lattice(rows: Rows, cell_m: float = CELL_M) -> GradingLattice:
    """Lattice over all rows and a margin around them, with the same middle."""
    low, high = rows.array_bounds[:, :2].min(axis=0), rows.array_bounds[:, 2:].max(axis=0)
    margin = math.ceil(MARGIN_M / cell_m)
    count = np.ceil((high - low) / cell_m - 1e-9).astype(int) + 2 * margin
    along0, across0 = ((low + high - count * cell_m) / 2).tolist()
    return GradingLattice(rows.frame, along0, across0, int(count[0]) + 1, int(count[1]) + 1, cell_m)


def under_arrays(lattice: GradingLattice, rows: Rows) -> BoolArray:
    """Whether each node lies under an array."""
    under = np.zeros((lattice.lines, lattice.columns), dtype=bool)
    origin = np.array([lattice.along0, lattice.across0])
    first = np.ceil((rows.array_bounds[:, :2] - origin) / lattice.cell_m - 1e-9).astype(int)
    last = np.floor((rows.array_bounds[:, 2:] - origin) / lattice.cell_m + 1e-9).astype(int)
    for (i0, k0), (i1, k1) in zip(first.tolist(), last.tolist(), strict=True):
        under[i0 : i1 + 1, k0 : k1 + 1] = True
    return under.ravel()


class KeepOff:
    """Ground that must not be graded.

    Parameters
    ----------
    allowed : Polygon or MultiPolygon
        Ground outside of which nothing is graded.
    blocked : sequence of geometry
        Areas inside it that are kept.
    """

    def __init__(self, allowed: BaseGeometry, blocked: Sequence[BaseGeometry]) -> None:
        self._ground = shapely.difference(allowed, shapely.union_all(list(blocked)))
        shapely.prepare(self._ground)
        points, ring = shapely.get_coordinates(
            shapely.get_rings(shapely.get_parts(self._ground)).tolist(), return_index=True
        )
        same = ring[1:] == ring[:-1]
        self._edges = shapely.STRtree(shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[same]))

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance of points from ground that must not be graded; 0 on it [m]."""
        far = np.zeros(len(x))
        inside = np.flatnonzero(shapely.contains_xy(self._ground, x, y))
        if len(inside):
            (at, _), found = self._edges.query_nearest(
                shapely.points(x[inside], y[inside]), return_distance=True, all_matches=False
            )
            far[inside[at]] = found
        return far


def free_depth(lattice: GradingLattice, nodes: IntArray, keep_off: KeepOff, side_slope: float) -> FloatArray:
    """Greatest correction at nodes, so that side slopes end before ground that is kept [m].

    It is 0 where a node's cell touches such ground.

    Parameters
    ----------
    lattice : GradingLattice
        Lattice of the nodes.
    nodes : ndarray of int
        Nodes.
    keep_off : KeepOff
        Ground that must not be graded.
    side_slope : float
        Horizontal run of a side slope for one metre of height [-]; 0: walls.
    """
    far = keep_off.distance(*lattice.map_places(nodes))
    depth = np.full(len(nodes), np.inf) if side_slope == 0 else far / side_slope
    return np.where(far < lattice.cell_m / 2, 0.0, depth)
