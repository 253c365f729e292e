"""Nodes and through roads of a network. Between nodes grades are constant.

::

    vertices    .  .  . .  .  .  .   .
    nodes       o     o    o     o   o     at ends, at pads, and about every 5 m
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from pacifico.layout.alignment.vertical import FINEST_STATION_M, sure_run
from pacifico.polyline import cumulative_length

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pacifico.array_types import BoolArray, FloatArray, IntArray

CURVE_WITHIN_M = 10.0
"""Length within which a change of grade must fit a vertical curve [m]."""
STRAIGHT_ON = 0.7
"""Least cosine of the angle between two roads that continue each other across a junction [-]: 45°."""
DIRECTION_M = 6.0
"""Distance along a road over which its direction at a junction is measured [m]."""
SAME_PLACE_M = 1.5e-3
"""Ends of roads this near to each other are one junction [m]."""


@dataclass(frozen=True)
class RoadNodes:
    """Vertices of all roads, and the nodes between which grades are constant."""

    xyz: FloatArray
    """Vertices road by road, with the heights given [m]."""
    first: IntArray
    """First vertex of each road, and the end of the last."""
    run_m: FloatArray
    """Distance that the grade limit counts on, from the start of each road [m]."""
    chainage_m: FloatArray
    """Distance from the start of each road [m]."""
    node: IntArray
    """Node of each vertex; -1 between two nodes."""
    before: IntArray
    """Last vertex at or before each one that is a node."""
    after: IntArray
    """First vertex at or after each one that is a node."""
    count: int
    """Number of nodes."""

    @property
    def given(self) -> FloatArray:
        """Heights given, at nodes [m]."""
        out = np.zeros(self.count)
        own = self.node >= 0
        out[self.node[own]] = self.xyz[own, 2]
        return out

    @property
    def share(self) -> FloatArray:
        """Share of the way of each vertex between the nodes before and after it [-]."""
        span = self.run_m[self.after] - self.run_m[self.before]
        share: FloatArray = (self.run_m - self.run_m[self.before]) / np.where(span > 0, span, 1.0)
        return share

    def heights(self, z: FloatArray) -> FloatArray:
        """Heights of all vertices [m]."""
        start, end = z[self.node[self.before]], z[self.node[self.after]]
        out: FloatArray = start + self.share * (end - start)
        return out

    def nodes_of(self, road: int) -> IntArray:
        """Vertices of a road that are nodes."""
        a, b = self.first[road], self.first[road + 1]
        out: IntArray = a + np.flatnonzero(self.node[a:b] >= 0)
        return out


@dataclass(frozen=True)
class ThroughRoad:
    """Roads that continue each other."""

    nodes: IntArray
    at_m: FloatArray
    """Distance of each node along them [m]."""

    def windows(self) -> tuple[IntArray, IntArray]:
        """Pairs of pieces between nodes that are less than 10 m apart."""
        start, end = self.at_m[:-1], self.at_m[1:]
        last = np.searchsorted(start, end + CURVE_WITHIN_M - SAME_PLACE_M)
        count = np.maximum(last - np.arange(start.size) - 1, 0)
        one = np.repeat(np.arange(start.size), count)
        other = one + 1 + np.arange(one.size) - np.repeat(np.cumsum(count) - count, count)
        return one, other

    def grades(self, z: FloatArray) -> FloatArray:
        """Grade of each piece between nodes [-]."""
        out: FloatArray = np.diff(z[self.nodes]) / np.diff(self.at_m)
        return out


def make_nodes(lines: Sequence[FloatArray], max_grade: float, pinned: Collection[tuple[float, float]]) -> RoadNodes:
    """Vertices and nodes of all roads.

    Nodes at far ends come first. The places in `pinned` are nodes.
    """
    xyz = np.concatenate(lines)
    first = np.concatenate([[0], np.cumsum([len(line) for line in lines])])
    chainage = [cumulative_length(line) for line in lines]
    run = [np.concatenate([[0.0], np.cumsum(sure_run(np.diff(s), max_grade))]) for s in chainage]
    own = np.concatenate([_node_vertices(line, s, pinned) for line, s in zip(lines, chainage, strict=True)])
    same = np.arange(len(xyz))
    ends = np.unique(np.concatenate([first[:-1], first[1:] - 1]))
    one, other = shapely.STRtree(shapely.points(xyz[ends, :2])).query(
        shapely.points(xyz[ends, :2]), "dwithin", SAME_PLACE_M
    )
    np.minimum.at(same, ends[one], ends[other])
    kept, number = np.unique(same[own], return_inverse=True)
    node = np.full(len(xyz), -1)
    node[own] = len(kept) - 1 - number
    at = np.flatnonzero(own)
    index = np.arange(len(xyz))
    return RoadNodes(
        xyz,
        first,
        np.concatenate(run),
        np.concatenate(chainage),
        node,
        at[np.searchsorted(at, index, side="right") - 1],
        at[np.searchsorted(at, index)],
        len(kept),
    )


def _node_vertices(line: FloatArray, chainage_m: FloatArray, pinned: Collection[tuple[float, float]]) -> BoolArray:
    """Vertices of a road at which its grade may change.

    These are its ends, the pads, and as few between as leave no gap over 5 m.
    """
    out = np.array([(x, y) in pinned for x, y in line[:, :2].tolist()])
    out[[0, -1]] = True
    last = 0
    for k in range(1, len(line) - 1):
        if out[k] or chainage_m[k + 1] - chainage_m[last] > FINEST_STATION_M + SAME_PLACE_M:
            out[k] = True
            last = k
    return out


def make_through_roads(lines: Sequence[FloatArray], network: RoadNodes) -> list[ThroughRoad]:
    """Through roads, each road in one."""
    onward = _continuations(lines, network)
    seen: set[int] = set()
    out = []
    starts = [(c, e) for c in range(len(lines)) for e in (0, 1) if (c, e) not in onward]
    # roads that are left form rings
    for start in [*starts, *((c, 0) for c in range(len(lines)))]:
        if start[0] in seen:
            continue
        nodes: list[int] = []
        at_m: list[float] = []
        here = 0.0
        place: tuple[int, int] | None = start
        while place is not None and place[0] not in seen:
            road, end = place
            seen.add(road)
            at = network.nodes_of(road)
            along = network.chainage_m[at]
            if end == 1:
                at, along = at[::-1], along[-1] - along[::-1]
            skip = 1 if nodes else 0
            nodes += network.node[at[skip:]].tolist()
            at_m += (here + along[skip:]).tolist()
            here += float(along[-1])
            place = onward.get((road, 1 - end))
        out.append(ThroughRoad(np.array(nodes), np.array(at_m)))
    return out


def _continuations(lines: Sequence[FloatArray], network: RoadNodes) -> dict[tuple[int, int], tuple[int, int]]:
    """Road end that continues each road end straight on.

    An end is a road and 0 for its start or 1 for its end.
    """
    legs: dict[int, list[tuple[tuple[int, int], FloatArray]]] = {}
    for c, line in enumerate(lines):
        for e, outward in ((0, line), (1, line[::-1])):
            k = min(int(np.searchsorted(cumulative_length(outward), DIRECTION_M)), len(line) - 1)
            step = outward[k, :2] - outward[0, :2]
            vertex = network.first[c] if e == 0 else network.first[c + 1] - 1
            legs.setdefault(int(network.node[vertex]), []).append(((c, e), step / max(float(np.hypot(*step)), 1e-9)))
    out = {}
    for place in legs.values():
        pairs = sorted(
            (float(a @ b), one, other)
            for (one, a), (other, b) in itertools.combinations(place, 2)
            if one[0] != other[0]
        )
        for cosine, one, other in pairs:
            if one not in out and other not in out and (len(place) == 2 or cosine <= -STRAIGHT_ON):
                out[one], out[other] = other, one
    return out
