"""The shared network of least cost over free ground, and its lines pulled tight and rounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.routing import _search_kernels, _tree_kernels
from pacifico.layout.routing.routing_grid import MOVES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pacifico.array_types import FlagArray, FloatArray, IntArray
    from pacifico.layout.routing.routing_grid import RoutingGrid, Shapes


@dataclass(frozen=True)
class Reach:
    """Which terminals a road through each position serves (CSR by position)."""

    row: IntArray
    item: IntArray
    far: FloatArray

    @classmethod
    def of(cls, road_grid: RoutingGrid, shapes: Shapes, reach: FloatArray) -> Reach:
        """Terminals within their reach of each road position."""
        if reach.size == 0:
            return cls.none(road_grid)
        return cls(
            *_search_kernels.reach_table(
                road_grid.px, road_grid.py, road_grid.clear, road_grid.nx, road_grid.x0 - road_grid.cell / 2,
                road_grid.y0 - road_grid.cell / 2, road_grid.cell, shapes.coords, shapes.start, reach,
            )
        )  # fmt: skip

    def kept(self, keep: NDArray[np.bool_], count: int) -> Reach:
        """Only the entries in `keep`; of a terminal that would lose all of them, all."""
        some = np.zeros(count, bool)
        some[self.item[keep]] = True
        keep = keep | ~some[self.item]
        node = np.repeat(np.arange(self.row.size - 1), np.diff(self.row))[keep]
        row = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=self.row.size - 1))]).astype(np.int64)
        return Reach(row, self.item[keep], self.far[keep])

    def to(self, some: IntArray) -> Reach:
        """Of some terminals alone, numbered in their order."""
        number = np.full(int(max(self.item.max(initial=-1), some.max(initial=-1))) + 1, -1)
        number[some] = np.arange(some.size)
        keep = number[self.item] >= 0
        node = np.repeat(np.arange(self.row.size - 1), np.diff(self.row))[keep]
        row = np.concatenate([[0], np.cumsum(np.bincount(node, minlength=self.row.size - 1))]).astype(np.int64)
        return Reach(row, number[self.item[keep]], self.far[keep])

    def by_terminal(self, count: int) -> list[IntArray]:
        """Road positions that serve each of `count` terminals, in ascending order."""
        nodes = np.repeat(np.arange(self.row.size - 1), np.diff(self.row))
        order = np.argsort(self.item, kind="stable")
        return np.split(nodes[order], np.searchsorted(self.item[order], np.arange(1, count)))

    @classmethod
    def none(cls, road_grid: RoutingGrid) -> Reach:
        """No terminal anywhere."""
        return cls(np.zeros(road_grid.px.size + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True)
class Growth:
    """Result of one search."""

    parent: IntArray
    member: FlagArray
    server: IntArray
    dist: FloatArray
    hit: int


def search(
    road_grid: RoutingGrid,
    seeds: IntArray,
    *,
    reach: Reach,
    priority: IntArray,
    max_grade: float,
    tax: FloatArray | None = None,
    stop_at: FlagArray | None = None,
) -> Growth:
    """Grow a network from the seeds to all terminals, or, without terminals, search until `stop_at` is met.

    `tax` multiplies the cost of single positions: where an earlier round found no profile.

    References
    ----------
    Takahashi & Matsuyama (1980), "An approximate solution for the Steiner problem in graphs", Math. Japonica 24.
    """
    cost_factor = road_grid.cost_factor.ravel() if tax is None else road_grid.cost_factor.ravel() * tax
    f, b = road_grid.clearance_index, road_grid.nodata_mask
    stop = np.zeros(0, np.uint8) if stop_at is None else stop_at
    return Growth(
        *_search_kernels.grow(
            road_grid.px, road_grid.py, road_grid.clear, road_grid.heights, cost_factor, road_grid.nx, MOVES, f.edges, f.frame, f.start,
            f.items, b.flags, b.frame, b.any, f.radius, max_grade, seeds, reach.row, reach.item, reach.far, priority, stop,
            *road_grid.steps(max_grade),
        )
    )  # fmt: skip


def parts(road_grid: RoutingGrid) -> IntArray:
    """Label the connected part of each road position, whatever the grade; -1 where no road fits."""
    f = road_grid.clearance_index
    return np.asarray(
        _search_kernels.components(
            road_grid.px,
            road_grid.py,
            road_grid.clear,
            road_grid.nx,
            MOVES,
            f.edges,
            f.frame,
            f.start,
            f.items,
            f.radius,
        )
    )


@dataclass(frozen=True)
class Chain:
    """A stretch of road between two places where the network forks, ends or begins; it leads away from the entry."""

    nodes: IntArray
    """Road positions from start to end; the first is shared with the chain before it."""
    up: int
    """Index of the chain that it continues, -1 at the entry."""


def uncrossed(road_grid: RoutingGrid, growth: Growth) -> tuple[IntArray, int]:
    """Parents of a growth's nodes with crossing moves joined, and how many crossings remain."""
    f = road_grid.clearance_index
    parent = growth.parent.copy()
    left = _tree_kernels.uncross(
        road_grid.px, road_grid.py, road_grid.nx, parent, growth.member, f.edges, f.frame, f.start, f.items, f.radius
    )
    return parent, int(left)


def chains_of(parent: IntArray, root: int, servers: IntArray) -> list[Chain]:
    """Chains of the tree that leads from `root` to all `servers`, parents first, in an order that is always the same."""
    nodes, start, ups = _tree_kernels.tree_chains(parent, root, np.ascontiguousarray(servers))
    return [Chain(nodes[a:b], up) for a, b, up in zip(start, start[1:], ups.tolist(), strict=False)]
