"""Smoothing: shift the corners of a road tree until bends and junctions have room for their radius.

::

      aisle |  |                    `a` is the corner of a line pulled tight round a block: a road has no room to turn
      ______|  |______              there. `b` is the corner after smoothing, on the far side of both aisles: a right
      ______a__b______              angle with an inner radius of 12 m fits into aisles from 10 m.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import _smoothing_kernels, _turn_kernels
from pacifico.layout.alignment._line_kernels import sharp_bends
from pacifico.layout.alignment._smoothing_kernels import MemoArrays, Offsets
from pacifico.layout.alignment._state_hash_kernels import ChangedEdges, TerminalArrays
from pacifico.layout.alignment._turn_kernels import TreeArrays

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pacifico.array_types import BoolArray, FlagArray, FloatArray, IntArray
    from pacifico.layout.routing.problem import RoutingProblem


ROUNDS = 4
"""Most passes over all vertices."""
READ_WITHIN_M = 70.0
"""Distance that smoothing reads beyond the legs near a vertex and the radius of its bends [m]."""


def _disk(step: float, radius_m: float) -> FloatArray:
    """Offsets on a square grid within a radius, nearest first [m]."""
    k = np.arange(-int(radius_m / step), int(radius_m / step) + 1) * step
    x, y = (a.ravel() for a in np.meshgrid(k, k))
    distance = np.hypot(x, y)
    order = np.lexsort((x, y, distance))
    return np.ascontiguousarray(np.column_stack([x, y])[order][distance[order] <= radius_m])


SHIFTS = Offsets(_disk(2.5, 15.0), _disk(0.6, 1.8))
"""Shifts of a vertex that are tried, coarse and then fine."""
SWINGS = _disk(1.0, 8.0)
"""Shifts of a corner that are tried for a vehicle that swings out at a junction [m]."""


@dataclass(frozen=True)
class FrozenAreas:
    """Discs inside which lines are not smoothed."""

    xy: FloatArray
    """Centre of each disc, shape (n, 2) [m]."""
    radius_m: FloatArray
    """Radius of each disc [m]."""

    def covers(self, xy: FloatArray) -> BoolArray:
        """Which points lie inside one of the discs."""
        if not len(self.xy):
            return np.zeros(len(xy), bool)
        off = xy[:, None, :] - self.xy[None, :, :]
        return np.asarray((np.hypot(off[..., 0], off[..., 1]) <= self.radius_m).any(axis=1))

    def wider(self, xy: FloatArray, radius_m: float) -> FrozenAreas:
        """Areas with more discs.

        A place that an earlier disc covers already doubles that disc's radius instead: freezing it did not help.
        """
        off = xy[:, None, :] - self.xy[None, :, :]
        inside = np.hypot(off[..., 0], off[..., 1]) <= self.radius_m
        radii = list(np.where(inside.any(axis=0), 2.0 * self.radius_m, self.radius_m))
        fresh: list[FloatArray] = []
        for place in xy[~inside.any(axis=1)]:
            away = np.array([*self.xy, *fresh]).reshape(-1, 2) - place
            if (np.hypot(away[:, 0], away[:, 1]) > radius_m / 2).all():
                fresh.append(place)
                radii.append(radius_m)
        return FrozenAreas(np.array([*self.xy, *fresh]).reshape(-1, 2), np.array(radii, dtype=np.float64))


EVERYWHERE = FrozenAreas(np.zeros((1, 2)), np.array([np.inf]))
"""Nothing is smoothed."""
NOWHERE = FrozenAreas(np.zeros((0, 2)), np.zeros(0))
"""Everything may be smoothed."""


@dataclass(frozen=True)
class Tree:
    """Lines of a road tree as one set of vertices, which smoothing changes in place."""

    arrays: TreeArrays

    @classmethod
    def of(cls, lines: Sequence[FloatArray], parents: Sequence[int], radii: FloatArray) -> Tree:
        """Tree of lines that start where their parent ends.

        Parameters
        ----------
        lines : sequence of (k, 2) float
            Corners of each line [m].
        parents : sequence of int
            Index of the line that each continues, always a lower one; -1 at the root.
        radii : (n,) float
            Centreline radius that each line needs [m].
        """
        counts = [len(line) - 1 for line in lines]
        line_start = (1 + np.cumsum([0, *counts])).astype(np.int64)
        xy = np.concatenate([lines[0][:1], *(line[1:] for line in lines)])
        parent = np.arange(-1, len(xy) - 1, dtype=np.int64)
        for c, up in enumerate(parents):
            parent[line_start[c]] = line_start[up + 1] - 1 if up >= 0 else 0
        first_child, next_sibling = np.full(len(xy), -1, np.int64), np.full(len(xy), -1, np.int64)
        for v in range(len(xy) - 1, 0, -1):
            next_sibling[v], first_child[parent[v]] = first_child[parent[v]], v
        line_of = np.repeat(np.arange(-1, len(lines)), [1, *counts])
        return cls(TreeArrays(xy, parent, first_child, next_sibling, line_of, line_start, radii))

    @property
    def xy(self) -> FloatArray:
        """Coordinates of the vertices [m]."""
        return self.arrays.xy

    def copy(self) -> Tree:
        """Tree that can be changed without this one."""
        a = self.arrays
        return Tree(
            a._replace(
                xy=a.xy.copy(),
                parent=a.parent.copy(),
                first_child=a.first_child.copy(),
                next_sibling=a.next_sibling.copy(),
            )
        )

    def lines(self, which: Sequence[int] | None = None) -> list[FloatArray]:
        """Lines as they are now, or some of them."""
        out = []
        for c in range(len(self.arrays.line_start) - 1) if which is None else which:
            v = int(self.arrays.line_start[c + 1]) - 1
            path = [v]
            while self.arrays.line[v] == c:
                v = int(self.arrays.parent[v])
                path.append(v)
            out.append(np.ascontiguousarray(self.xy[path[::-1]]))
        return out


def smooth(
    problem: RoutingProblem,
    lines: Sequence[FloatArray],
    parents: Sequence[int],
    bound: Sequence[Sequence[int]],
    radii: FloatArray,
    *,
    fixed: Collection[int],
    frozen: FrozenAreas,
) -> list[FloatArray]:
    """Lines smoothed until their turns have room.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads, terminals and criteria.
    lines : sequence of (k, 2) float
        Corners of the lines of a tree [m].
    parents : sequence of int
        Index of the line that each continues; -1 at the entry.
    bound : sequence of sequences of int
        Terminals that each line serves, before and after.
    radii : (n,) float
        Centreline radius that each line needs [m].
    fixed : collection of int
        Lines that stay as they are.
    frozen : FrozenAreas
        Places where corners stay.

    Returns
    -------
    list of (k, 2) float
        One for each line [m]. Lines that met still meet, and every leg is legal.
    """
    if frozen is EVERYWHERE or not lines:
        return list(lines)
    tree = Tree.of(lines, parents, radii)
    fixed_vertices = np.zeros(len(tree.xy), np.uint8)
    start = tree.arrays.line_start
    for c in fixed:
        fixed_vertices[tree.arrays.parent[start[c]]] = 1
        fixed_vertices[start[c] : start[c + 1]] = 1
    fixed_vertices[frozen.covers(tree.xy)] = 1
    smooth_tree(problem, tree, fixed_vertices, bound_terminals(bound))
    return tree.lines()


def bound_terminals(bound: Sequence[Sequence[int]]) -> TerminalArrays:
    """Terminals that each line serves, as arrays."""
    item = np.array([t for own in bound for t in own], dtype=np.int64)
    return TerminalArrays(item, np.cumsum([0, *(len(own) for own in bound)]).astype(np.int64))


def smooth_tree(problem: RoutingProblem, tree: Tree, fixed: FlagArray, terminals: TerminalArrays) -> None:
    """Smooth a tree in place.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads, terminals and criteria.
    tree : Tree
        Lines with the radius that each needs.
    fixed : (n,) uint8
        1 for vertices that stay.
    terminals : TerminalArrays
        Terminals that each line serves, before and after.
    """
    memo = problem.smoothing_memo
    read_m = READ_WITHIN_M + float(tree.arrays.radii.max())
    _smoothing_kernels.smooth_vertices(
        tree.arrays,
        fixed,
        terminals,
        problem.shapes.within(problem.reach_m),
        SHIFTS,
        problem.road_grid.arrays,
        problem.criteria.max_grade,
        ROUNDS,
        MemoArrays(memo.known, memo.found),
        ChangedEdges(*problem.shortenable.changed(read_m)),
    )


def tight_turns(
    problem: RoutingProblem, lines: Sequence[FloatArray], parents: Sequence[int], radii: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Turns at junctions into lines whose radius doesn't fit.

    Parameters
    ----------
    problem : RoutingProblem
        Clearance of roads.
    lines : sequence of (k, 2) float
        Corners of the lines of a tree [m].
    parents : sequence of int
        Index of the line that each continues; -1 at the entry.
    radii : (n,) float
        Centreline radius that each line needs [m].

    Returns
    -------
    (n, 2) float
        Place of each turn [m].
    (n,) int
        Line that it leads into.
    """
    if not lines:
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    return tight_turns_in(problem, Tree.of(lines, parents, radii))


def tight_turns_in(
    problem: RoutingProblem, tree: Tree, *, about: tuple[FloatArray, float] | None = None
) -> tuple[FloatArray, IntArray]:
    """`tight_turns` of a tree; `about` limits them to a place and a radius [m]."""
    clearance = problem.road_grid.clearance_index.arrays
    arrays, xy = tree.arrays, tree.xy
    places, into = [], []
    line_ends = np.unique(arrays.line_start[1:] - 1)
    if about is not None:
        line_ends = line_ends[np.hypot(*(xy[line_ends] - about[0]).T) < about[1]]
    for v in line_ends.tolist():
        u, w = int(arrays.parent[v]), int(arrays.first_child[v])
        while w >= 0:
            radius = float(arrays.radii[arrays.line[w]])
            if u >= 0 and not (
                _turn_kernels.turn_deficit(xy, u, v, w, radius, clearance) <= 0
                or _turn_kernels.swing_fits(xy, u, v, w, radius, SWINGS, clearance)
            ):
                places.append(xy[v])
                into.append(int(arrays.line[w]))
            w = int(arrays.next_sibling[w])
    return np.array(places).reshape(-1, 2), np.array(into, dtype=np.int64)


def tight_bends(lines: Sequence[FloatArray], radii: FloatArray) -> tuple[FloatArray, IntArray]:
    """Bends tighter than the radius of their line.

    Between two vertices where a line turns the same way, it may turn no more than an arc of that length. Turns within
    a radius of each other are one bend; a slight kink is none.

    Parameters
    ----------
    lines : sequence of (k, 2) float
        Lines with arcs as chords [m].
    radii : (n,) float
        Centreline radius that each line needs [m].

    Returns
    -------
    (m, 2) float
        First vertex of each bend [m].
    (m,) int
        Line of each bend.
    """
    if not len(lines):
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    xy = np.concatenate(lines)
    start = np.cumsum([0, *(len(line) for line in lines)]).astype(np.int64)
    vertex, of_line = sharp_bends(xy, start, radii)
    return xy[vertex], of_line
