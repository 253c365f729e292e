"""Horizontal curves: shift the lines of a road tree until bends and junctions fit the radius.

::

      aisle |  |                    pulled tight round the corner of a block, a road has no room to turn; on the far
      ______|  |______              side of both aisles it has: a right angle with an inner radius of 12 m fits into
      ______a__b______              aisles from 10 m. `a` is where pulling leaves the corner, `b` where it is put.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _smoothing_kernels, _turn_kernels
from pacifico.layout.alignment._bend_kernels import sharp_bends

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.routing.problem import RoutingProblem


ROUNDS = 4
"""Most passes over all vertices."""


ABOUT_M = 70.0
"""Distance beyond the legs and the radius that smoothing reads near a vertex [m]."""


def _disk(step: float, most: float) -> FloatArray:
    """Offsets on a square grid within a distance, nearest first [m]."""
    k = np.arange(-int(most / step), int(most / step) + 1) * step
    x, y = (a.ravel() for a in np.meshgrid(k, k))
    far = np.hypot(x, y)
    order = np.lexsort((x, y, far))
    return np.ascontiguousarray(np.column_stack([x, y])[order][far[order] <= most])


COARSE, FINE, SWING = _disk(2.5, 15.0), _disk(0.6, 1.8), _disk(1.0, 8.0)


@dataclass(frozen=True)
class FrozenAreas:
    """Places near which lines are not smoothed."""

    xy: FloatArray
    near_m: FloatArray
    """Radius of each place [m]."""

    def covers(self, xy: FloatArray) -> NDArray[np.bool_]:
        """Which points lie near one of the places, shape (n,)."""
        if not len(self.xy):
            return np.zeros(len(xy), bool)
        off = xy[:, None, :] - self.xy[None, :, :]
        return np.asarray((np.hypot(off[..., 0], off[..., 1]) <= self.near_m).any(axis=1))

    def wider(self, xy: FloatArray, near_m: float) -> FrozenAreas:
        """Areas with further places; a place near an earlier one doubles its radius."""
        off = xy[:, None, :] - self.xy[None, :, :]
        inside = np.hypot(off[..., 0], off[..., 1]) <= self.near_m
        near = list(np.where(inside.any(axis=0), 2.0 * self.near_m, self.near_m))
        fresh: list[FloatArray] = []
        for spot in xy[~inside.any(axis=1)]:
            known = np.array([*self.xy, *fresh]).reshape(-1, 2) - spot
            if (np.hypot(known[:, 0], known[:, 1]) > near_m / 2).all():
                fresh.append(spot)
                near.append(near_m)
        return FrozenAreas(np.array([*self.xy, *fresh]).reshape(-1, 2), np.array(near, dtype=np.float64))


ALL = FrozenAreas(np.zeros((1, 2)), np.array([np.inf]))
NOTHING = FrozenAreas(np.zeros((0, 2)), np.zeros(0))


@dataclass(frozen=True)
class Tree:
    """Lines of a road tree as one set of vertices, as kernels read it."""

    xy: FloatArray
    up: IntArray
    first: IntArray
    after: IntArray
    strand: IntArray
    """Line of the leg that leads to each vertex."""
    own_start: IntArray
    """First vertex of each line; the root belongs to none."""

    @classmethod
    def of(cls, lines: Sequence[FloatArray], ups: Sequence[int]) -> Tree:
        """Tree of lines, each starting at the end of its parent (`ups`, lower; -1: at the root)."""
        counts = [len(line) - 1 for line in lines]
        own_start = (1 + np.cumsum([0, *counts])).astype(np.int64)
        xy = np.concatenate([lines[0][:1], *(line[1:] for line in lines)])
        up = np.arange(-1, len(xy) - 1, dtype=np.int64)
        for c, u in enumerate(ups):
            up[own_start[c]] = own_start[u + 1] - 1 if u >= 0 else 0
        first, after = np.full(len(xy), -1, np.int64), np.full(len(xy), -1, np.int64)
        for v in range(len(xy) - 1, 0, -1):
            after[v], first[up[v]] = first[up[v]], v
        return cls(xy, up, first, after, np.repeat(np.arange(-1, len(lines)), [1, *counts]), own_start)

    def copy(self) -> Tree:
        """Independent copy."""
        return Tree(
            self.xy.copy(), self.up.copy(), self.first.copy(), self.after.copy(), self.strand, self.own_start
        )  # fmt: skip

    def lines(self, which: Sequence[int] | None = None) -> list[FloatArray]:
        """Current lines, or some of them."""
        out = []
        for c in range(len(self.own_start) - 1) if which is None else which:
            v = int(self.own_start[c + 1]) - 1
            path = [v]
            while self.strand[v] == c:
                v = int(self.up[v])
                path.append(v)
            out.append(np.ascontiguousarray(self.xy[path[::-1]]))
        return out


def smooth(
    problem: RoutingProblem,
    lines: Sequence[FloatArray],
    ups: Sequence[int],
    bound: Sequence[Sequence[int]],
    sizes: FloatArray,
    *,
    fixed: Collection[int],
    keep: FrozenAreas,
) -> list[FloatArray]:
    """Lines with vertices shifted, joined or dropped so that their turns fit the radius.

    Parameters
    ----------
    problem : Case
        Free ground, terminals and rules.
    lines : sequence of (k, 2) float
        Lines of the tree, corners not yet rounded.
    ups : sequence of int
        Index of the line that each continues; -1 at the entry.
    bound : sequence of sequences of int
        Terminals that each line serves, and goes on serving.
    sizes : (n,) float
        Radius of the centreline in bends of each line [m].
    fixed : collection of int
        Lines that stay as they are.
    keep : Keep
        Places about which vertices stay as they are.

    Returns
    -------
    list of (k, 2) float
        One for each line; what meets goes on meeting, and every leg keeps clear of the fence.
    """
    if keep is ALL or not lines:
        return list(lines)
    tree = Tree.of(lines, ups)
    frozen = np.zeros(len(tree.xy), np.uint8)
    for c in fixed:
        frozen[tree.up[tree.own_start[c]]] = 1
        frozen[tree.own_start[c] : tree.own_start[c + 1]] = 1
    frozen[keep.covers(tree.xy)] = 1
    unbent(problem, tree, frozen, *bound_of(bound), sizes)
    return tree.lines()


def bound_of(bound: Sequence[Sequence[int]]) -> tuple[IntArray, IntArray]:
    """Terminals of all lines in sequence, and where each line's begin."""
    who = np.array([t for own in bound for t in own], dtype=np.int64)
    return who, np.cumsum([0, *(len(own) for own in bound)]).astype(np.int64)


def unbent(
    problem: RoutingProblem,
    tree: Tree,
    frozen: NDArray[np.uint8],
    who: IntArray,
    who_start: IntArray,
    sizes: FloatArray,
) -> None:
    """Smooth a tree in place for the radii of its lines, apart from `frozen` vertices."""
    lat = problem.road_grid
    f, b = lat.clearance_index, lat.nodata_mask
    _smoothing_kernels.unbend(
        tree.xy, tree.up, tree.first, tree.after, tree.strand, frozen, tree.own_start, who,
        who_start, COARSE, FINE, problem.shapes.coords, problem.shapes.start, problem.reach_m, lat.z, lat.cost_factor, lat.x0, lat.y0,
        lat.cell, f.edges, f.frame, f.start, f.items, b.flags, b.frame, b.any, f.radius, problem.criteria.max_grade,
        sizes, ROUNDS, problem.eased.known, problem.eased.found, *problem.shortenable.changed(ABOUT_M + float(sizes.max())),
    )  # fmt: skip


def tight_turns(
    problem: RoutingProblem, lines: Sequence[FloatArray], ups: Sequence[int], sizes: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Turns at junctions that no vehicle path of the arm's radius fits.

    Returns
    -------
    (n, 2) float
        Where they are.
    (n,) int
        Lines that they lead into.
    """
    return tight_turns_of(problem, Tree.of(lines, ups), sizes) if lines else (np.zeros((0, 2)), np.zeros(0, np.int64))


def tight_turns_of(
    problem: RoutingProblem, tree: Tree, sizes: FloatArray, *, about: tuple[FloatArray, float] | None = None
) -> tuple[FloatArray, IntArray]:
    """`tight_turns` of a tree; with `about`, only those near a place [m]."""
    f = problem.road_grid.clearance_index
    out, into = [], []
    last = np.unique(tree.own_start[1:] - 1)
    if about is not None:
        last = last[np.hypot(*(tree.xy[last] - about[0]).T) < about[1]]
    ends = last.tolist()
    for v in ends:
        w = int(tree.first[v])
        while w >= 0:
            u = int(tree.up[v])
            (ax, ay), (bx, by), (cx, cy) = tree.xy[u], tree.xy[v], tree.xy[w]
            size = float(sizes[tree.strand[w]])
            if u >= 0 and not (
                _turn_kernels.turn_fault(tree.xy, u, v, w, size, f.edges, f.frame, f.start, f.items, f.radius) <= 0
                or _turn_kernels.swings_wide(
                    ax, ay, bx, by, cx, cy, size, SWING, f.edges, f.frame, f.start, f.items, f.radius
                )
            ):
                out.append(tree.xy[v])
                into.append(int(tree.strand[w]))
            w = int(tree.after[w])
    return np.array(out).reshape(-1, 2), np.array(into, dtype=np.int64)


def tight_bends(lines: Sequence[FloatArray], sizes: FloatArray) -> tuple[FloatArray, IntArray]:
    """Bends along lines tighter than the radius of each; consecutive turns within it are one bend.

    Between any two vertices where a line turns the same way, it may turn by no more than an arc of that length does; of
    the angles at those two the half belongs to what lies outside. A slight kink is no bend.

    Parameters
    ----------
    lines : sequence of (k, 2) float
        As drawn, arcs as chords.
    sizes : (n,) float
        Radius of the centreline of each [m].

    Returns
    -------
    (m, 2) float
        Vertices, the first of each bend.
    (m,) int
        Lines that they are part of.
    """
    if not len(lines):
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    xy = np.concatenate(lines)
    start = np.cumsum([0, *(len(line) for line in lines)]).astype(np.int64)
    vertex, of_line = sharp_bends(xy, start, sizes)
    return xy[vertex], of_line
