"""Search for the road tree of least cost over a routing grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.routing import _search_kernels, _tree_kernels
from pacifico.layout.routing._search_kernels import ReachArrays
from pacifico.layout.routing.routing_grid import MOVES

if TYPE_CHECKING:
    from pacifico.array_types import BoolArray, FlagArray, FloatArray, IntArray
    from pacifico.layout.routing.routing_grid import RoutingGrid, Shapes


@dataclass(frozen=True)
class Reach:
    """Sparse table (CSR) of the terminals that each position serves."""

    row: IntArray
    """Where the entries of each position begin."""
    item: IntArray
    """Terminal of each entry."""
    far: FloatArray
    """Distance from the position to the terminal [m]."""

    @classmethod
    def of(cls, road_grid: RoutingGrid, shapes: Shapes, reach: FloatArray) -> Reach:
        """Table of the terminals within reach of each road position."""
        if reach.size == 0:
            return cls.none(road_grid)
        return cls(
            *_search_kernels.reach_table(
                road_grid.positions,
                road_grid.x0 - road_grid.cell / 2,
                road_grid.y0 - road_grid.cell / 2,
                road_grid.cell,
                shapes.within(reach),
            )
        )

    @classmethod
    def none(cls, road_grid: RoutingGrid) -> Reach:
        """Table without any terminal."""
        return cls(np.zeros(road_grid.px.size + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))

    @property
    def arrays(self) -> ReachArrays:
        """Arrays for the kernels."""
        return ReachArrays(self.row, self.item, self.far)

    @property
    def node(self) -> IntArray:
        """Road position of each entry."""
        return np.repeat(np.arange(self.row.size - 1), np.diff(self.row))

    def kept(self, keep: BoolArray, count: int) -> Reach:
        """Table with some of the entries.

        A terminal that would lose all its entries keeps them.

        Parameters
        ----------
        keep : (k,) bool
            Entries that stay.
        count : int
            Number of terminals.
        """
        some = np.zeros(count, bool)
        some[self.item[keep]] = True
        keep = keep | ~some[self.item]
        return self._selected(keep, self.item[keep])

    def among(self, nodes: BoolArray) -> Reach:
        """Table of some road positions alone."""
        keep = nodes[self.node]
        return self._selected(keep, self.item[keep])

    def to(self, some: IntArray) -> Reach:
        """Table of some terminals alone, numbered in their order."""
        number = np.full(int(max(self.item.max(initial=-1), some.max(initial=-1))) + 1, -1)
        number[some] = np.arange(some.size)
        keep = number[self.item] >= 0
        return self._selected(keep, number[self.item[keep]])

    def _selected(self, keep: BoolArray, item: IntArray) -> Reach:
        """Table with some of the entries, under the terminal numbers given."""
        count = self.row.size - 1
        row = np.concatenate([[0], np.cumsum(np.bincount(self.node[keep], minlength=count))]).astype(np.int64)
        return Reach(row, item, self.far[keep])

    def by_terminal(self, count: int) -> list[IntArray]:
        """Road positions that serve each of `count` terminals, in ascending order."""
        node, order = self.node, np.argsort(self.item, kind="stable")
        return np.split(node[order], np.searchsorted(self.item[order], np.arange(1, count)))


@dataclass(frozen=True)
class Growth:
    """Result of one search."""

    parent: IntArray
    """Position from which each position was reached; -1 at seeds and where none was."""
    member: FlagArray
    """Positions that are part of the tree."""
    server: IntArray
    """Position that serves each terminal; -1 where none does."""
    dist: FloatArray
    """Cost from the seeds; infinite where the search did not get to."""
    hit: int
    """Position of `stop_at` that was reached; -1 without one."""


def search(
    road_grid: RoutingGrid,
    seeds: IntArray,
    *,
    reach: Reach,
    priority: IntArray,
    max_grade: float,
    penalty: FloatArray | None = None,
    stop_at: FlagArray | None = None,
) -> Growth:
    """Tree of least cost that grows from the seeds to all terminals.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions and the cost of moves between them.
    seeds : (n,) int
        Positions at which the tree starts.
    reach : Reach
        Terminals that each position serves; without terminals the search runs until `stop_at` is met.
    priority : (t,) int
        Rank of each terminal; low ranks are connected first.
    max_grade : float
        Grade limit, rise over run; steeper moves cost more.
    penalty : (m,) float, optional
        Cost multiplier of each position, raised where an earlier search found no legal alignment.
    stop_at : (m,) uint8, optional
        Flags of positions at which the search stops.

    References
    ----------
    Takahashi & Matsuyama (1980), "An approximate solution for the Steiner problem in graphs", Math. Japonica 24.
    """
    cost_factor = road_grid.cost_factor.ravel() if penalty is None else road_grid.cost_factor.ravel() * penalty
    stop = np.zeros(0, np.uint8) if stop_at is None else stop_at
    return Growth(
        *_search_kernels.grow(
            road_grid.positions,
            cost_factor,
            MOVES,
            road_grid.clearance_index.arrays,
            road_grid.nodata_mask.arrays,
            max_grade,
            seeds,
            reach.arrays,
            priority,
            stop,
            road_grid.steps(max_grade),
        )
    )


def parts(road_grid: RoutingGrid) -> IntArray:
    """Label of the connected part of each road position.

    -1 where no road fits. Grades don't count: steep ground connects too.
    """
    return np.asarray(_tree_kernels.components(road_grid.positions, MOVES, road_grid.clearance_index.arrays))


@dataclass(frozen=True)
class Chain:
    """Stretch between two nodes where the tree starts, forks or ends."""

    nodes: IntArray
    """Road positions from start to end; the first one is shared with the chain upstream."""
    parent: int
    """Index of the chain upstream; -1 at the entry."""


def uncrossed(road_grid: RoutingGrid, growth: Growth) -> tuple[IntArray, int]:
    """Parents of a tree without crossings, and the number left.

    Crossing moves are joined.
    """
    parent = growth.parent.copy()
    left = _tree_kernels.uncross(road_grid.positions, parent, growth.member, road_grid.clearance_index.arrays)
    return parent, int(left)


def chains_of(parent: IntArray, root: int, servers: IntArray) -> list[Chain]:
    """Chains of the tree from `root` to all `servers`, upstream first.

    Their order is deterministic.
    """
    nodes, start, parents = _tree_kernels.tree_chains(parent, root, np.ascontiguousarray(servers))
    return [Chain(nodes[a:b], p) for a, b, p in zip(start, start[1:], parents.tolist(), strict=False)]
