"""Branches: the stretches between junctions of a searched road tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pacifico.layout.alignment import lines
from pacifico.layout.routing import routing_grid, tree_search
from pacifico.layout.routing.problem import TOLERANCE_M
from pacifico.polyline import length

if TYPE_CHECKING:
    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.routing.problem import RoutingProblem
    from pacifico.layout.routing.site_entry import SiteEntry


STUB_M = 30.0
"""Longest dead end through which its road may be led instead [m]."""
HAIRPIN = -0.5
"""Cosine of the sharpest bend that this may make."""


@dataclass(frozen=True)
class Branch:
    """Stretch between two junctions, as the search found it."""

    xy: FloatArray
    """Road positions along it [m]."""
    parent: int
    """Index of the branch upstream, always a lower one; -1 at the entry."""
    bound: tuple[tuple[int, int], ...]
    """Terminals that it serves as (point, terminal), by point."""


@dataclass(frozen=True)
class Branches:
    """Branches of a tree from the entry to all terminals."""

    searched: list[Branch]
    """Branches as searched."""
    passing: list[Branch]
    """Branches to draw: short dead ends may have become part of the road that passes them."""

    @classmethod
    def of(cls, problem: RoutingProblem, site_entry: SiteEntry, parent: IntArray, server: IntArray) -> Branches:
        """Branches of a searched tree.

        Parameters
        ----------
        problem : RoutingProblem
            Routing grid and terminals.
        site_entry : SiteEntry
            Where the tree starts.
        parent : (n,) int
            Position before each road position.
        server : (t,) int
            Position that serves each terminal; -1 for one that is left out.
        """
        searched = _searched_branches(problem.road_grid, site_entry, parent, server)
        return cls(searched, _without_stubs(problem, searched))


def pull_branch(problem: RoutingProblem, branch: Branch) -> FloatArray:
    """Shortened line of a branch; it serves the same terminals."""
    at = np.array([k for k, _ in branch.bound], dtype=np.int64)
    bound = np.array([t for _, t in branch.bound], dtype=np.int64)
    key = branch.xy.tobytes() + b"|" + at.tobytes() + bound.tobytes()
    if key not in problem.pulled:
        problem.pulled[key] = lines.pull(
            problem.road_grid,
            np.ascontiguousarray(branch.xy),
            bound_at=at,
            bound=bound,
            shapes=problem.shapes,
            reach=problem.reach_m,
            max_grade=problem.criteria.max_grade,
        )
    return problem.pulled[key]


def _searched_branches(
    road_grid: routing_grid.RoutingGrid, site_entry: SiteEntry, parent: IntArray, server: IntArray
) -> list[Branch]:
    """Branches of a searched tree, from the entry on.

    Parameters
    ----------
    road_grid : RoutingGrid
        Road positions.
    site_entry : SiteEntry
        Where the tree starts.
    parent : (n,) int
        Position before each road position.
    server : (t,) int
        Position that serves each terminal; -1 for one that is left out.
    """
    served = np.flatnonzero(server >= 0)
    if served.size == 0:
        return []
    chains = tree_search.chains_of(parent, site_entry.node, server[served])
    start = np.array([road_grid.px[site_entry.node], road_grid.py[site_entry.node]])
    lead = [site_entry.point] if float(np.hypot(*(start - site_entry.point))) > TOLERANCE_M else []
    paths: list[FloatArray] = []
    parents: list[int] = []
    path_of, point_of = np.full(parent.size, -1), np.zeros(parent.size, np.int64)
    if sum(c.parent < 0 for c in chains) != 1 and (lead or not chains):
        # a separate branch from the entry to the first junction
        paths.append(np.array([*lead, start] if lead else [start, *_legal_neighbour(road_grid, site_entry.node)]))
        if len(paths[0]) < 2:
            return []
        parents.append(-1)
        path_of[site_entry.node], point_of[site_entry.node] = 0, len(lead)
        lead = []
    shift = len(paths)
    for c, chain in enumerate(chains):
        points = np.column_stack([road_grid.px[chain.nodes], road_grid.py[chain.nodes]])
        before = lead if chain.parent < 0 else []
        new = slice(int(path_of[chain.nodes[0]] >= 0), None)
        path_of[chain.nodes[new]] = c + shift
        point_of[chain.nodes[new]] = np.arange(len(points))[new] + len(before)
        paths.append(np.vstack([*before, points]))
        parents.append(chain.parent + shift if chain.parent >= 0 or shift else -1)
    bound: list[list[tuple[int, int]]] = [[] for _ in paths]
    for t, c, k in zip(
        served.tolist(), path_of[server[served]].tolist(), point_of[server[served]].tolist(), strict=True
    ):
        bound[c].append((k, t))
    return [Branch(p, up, tuple(sorted(b))) for p, up, b in zip(paths, parents, bound, strict=True)]


def _legal_neighbour(road_grid: routing_grid.RoutingGrid, node: int) -> list[FloatArray]:
    """First neighbour that a road can reach, if any.

    A network whose entry alone serves everything still needs a road.
    """
    here = np.array([road_grid.px[node], road_grid.py[node]])
    for dj, di in routing_grid.MOVES.tolist():
        j, i = node // road_grid.nx + dj, node % road_grid.nx + di
        if 0 <= i < road_grid.nx and 0 <= j < road_grid.ny and road_grid.clear[j * road_grid.nx + i] > 0:
            there = np.array([road_grid.px[j * road_grid.nx + i], road_grid.py[j * road_grid.nx + i]])
            if road_grid.clearance_index.clear(here, there) and not road_grid.nodata_mask.crossed(here, there):
                return [there]
    return []


def _without_stubs(problem: RoutingProblem, branches: list[Branch]) -> list[Branch]:
    """Branches without short dead ends, where that shortens the network.

    The road beside a dead end is led through it, out and back, and pulled tight: it stays near the terminals there.
    """
    left: dict[int, Branch] = dict(enumerate(branches))
    children: dict[int, list[int]] = {c: [] for c in left}
    for c, branch in left.items():
        if branch.parent >= 0:
            children[branch.parent].append(c)
    for c in range(len(branches)):
        stub = left.get(c)
        if stub is None or stub.parent < 0 or children[c] or len(children[stub.parent]) != 2:
            continue
        if length(stub.xy) > STUB_M:
            continue
        following = next(k for k in children[stub.parent] if k != c)
        parts = (left[stub.parent], stub, left[following])
        joined = _led_through(*parts)
        line = pull_branch(problem, joined)
        if _sharpest(line) >= HAIRPIN and length(line) <= sum(length(pull_branch(problem, p)) for p in parts):
            left[stub.parent] = joined
            children[stub.parent] = children[following]
            for k in children[following]:
                left[k] = Branch(left[k].xy, stub.parent, left[k].bound)
            del left[c], left[following]
    number = {k: n for n, k in enumerate(left)}
    return [Branch(b.xy, number.get(b.parent, -1), b.bound) for b in left.values()]


def _led_through(before: Branch, stub: Branch, after: Branch) -> Branch:
    """Branch that runs through a dead end and back."""
    there = len(before.xy) - 1
    back = there + 2 * (len(stub.xy) - 1)
    return Branch(
        np.vstack([before.xy, stub.xy[1:], stub.xy[-2::-1], after.xy[1:]]),
        before.parent,
        (*before.bound, *((k + there, t) for k, t in stub.bound), *((k + back, t) for k, t in after.bound)),
    )


def _sharpest(xy: FloatArray) -> float:
    """Cosine of the sharpest bend of a line; 1 where it is straight."""
    d = np.diff(xy, axis=0)
    d /= np.hypot(d[:, 0], d[:, 1])[:, None]
    return float((d[1:] * d[:-1]).sum(axis=1).min(initial=1.0))
