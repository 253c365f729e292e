"""Feeders: sources strung on cables like beads, each string within a cable's rating, ending at a substation.

Strings are joined where that saves most cable (Clarke & Wright's savings, open routes). Neighbours are found by one
multi-source search through the trenches a round: where the ground that is nearest to one string's end meets that of
another's, the two have a link (Mehlhorn's construction).

References
----------
Clarke & Wright (1964), "Scheduling of vehicles from a central depot", https://doi.org/10.1287/opre.12.4.568
Mehlhorn (1988), "A faster approximation algorithm for the Steiner problem in graphs",
https://doi.org/10.1016/0020-0190(88)90066-X
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.array_types import FloatArray, IntArray
    from pacifico.layout.electrical.trenches import Trenches


MOST_ROUNDS = 12
LEEWAY = 1.05
"""Substations may take this much more than their share of the load, so that whole feeders fit."""
LEAST_SAVING_M = 1e-6


@dataclass(frozen=True)
class Hop:
    """One cable: from a source to the next one or to the substation, along nodes of the trenches."""

    source: int
    target: int
    """Source it leads to; -1: the substation."""
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Feeder:
    """A string of sources, the nearest to its substation first."""

    substation: int
    hops: tuple[Hop, ...]


@dataclass(eq=False)
class _String:
    """Sources in a row, while strings grow."""

    members: list[int]
    links: list[list[int]]
    """Nodes between each member and the next."""
    load: float
    home: int


def make_feeders(
    trenches: Trenches,
    sources: IntArray,
    load_mva: FloatArray,
    substations: IntArray,
    rating_mva: FloatArray,
    *,
    feeder_mva: float,
) -> tuple[list[Feeder], list[int]]:
    """Strings of sources within a feeder's rating.

    Parameters
    ----------
    trenches : Trenches
        Where cables may run.
    sources, substations : ndarray of int
        Their nodes, each its own.
    load_mva : ndarray
        Of each source, at most `feeder_mva` [MVA].
    rating_mva : ndarray
        Of each substation: shares of the load are in proportion.
    feeder_mva : float
        Rating of one feeder [MVA].

    Returns
    -------
    list of Feeder
        By substation, then by the first source.
    list of int
        Sources that no trench joins to any substation.
    """
    found = [trenches.ways(substations[[k]]) for k in range(len(substations))]
    distance = np.array([ways.far[sources] for ways in found]).reshape(len(substations), len(sources))
    home = _assigned(distance, load_mva, rating_mva)
    lost = [i for i in range(len(sources)) if home[i] < 0]
    home_m = np.where(home >= 0, distance[home, np.arange(len(sources))], np.inf)
    strings = [_String([i], [], float(load_mva[i]), int(home[i])) for i in range(len(sources)) if home[i] >= 0]
    _join(trenches, sources, strings, home_m, feeder_mva)
    feeders = []
    for string in strings:
        ordered, links = string.members, string.links
        if home_m[ordered[-1]] < home_m[ordered[0]]:
            ordered, links = ordered[::-1], [part[::-1] for part in links[::-1]]
        hops = [Hop(ordered[0], -1, tuple(found[string.home].back(int(sources[ordered[0]]))))]
        hops += [
            Hop(far, near, tuple(part[::-1])) for near, far, part in zip(ordered[:-1], ordered[1:], links, strict=True)
        ]
        feeders.append(Feeder(string.home, tuple(hops)))
    return sorted(feeders, key=lambda f: (f.substation, f.hops[0].source)), lost


def _assigned(distance: FloatArray, load: FloatArray, rating: FloatArray) -> IntArray:
    """Substation of each source: the nearest with room, nearest pairs first; -1 where none is joined."""
    home = np.full(distance.shape[1], -1, dtype=np.int64)
    reached = np.isfinite(distance)
    room = LEEWAY * load[reached.any(axis=0)].sum() * rating / max(rating.sum(), 1e-9)
    k, i = np.nonzero(reached)
    for n in np.lexsort((k, i, distance[k, i])):
        if home[i[n]] < 0 and load[i[n]] <= room[k[n]]:
            home[i[n]] = k[n]
            room[k[n]] -= load[i[n]]
    for n in np.flatnonzero((home < 0) & reached.any(axis=0)):  # no room anywhere: the one with most left
        home[n] = np.argmax(np.where(reached[:, n], room, -np.inf))
        room[home[n]] -= load[n]
    return home


def _join(trenches: Trenches, sources: IntArray, strings: list[_String], home_m: FloatArray, most: float) -> None:
    """Join strings while that saves cable; `strings` is changed in place."""
    for _ in range(MOST_ROUNDS):
        smallest = min((s.load for s in strings), default=0.0)
        open_ends = sorted({m for s in strings if s.load + smallest <= most for m in (s.members[0], s.members[-1])})
        if len(open_ends) < 2:
            return
        links = _links(trenches, sources, open_ends)
        if not _joined(strings, links, home_m, most):
            return


def _links(trenches: Trenches, sources: IntArray, ends: Sequence[int]) -> list[tuple[float, int, int, list[int]]]:
    """Shortest links between ends whose nearest ground meets: length, both ends, nodes."""
    nodes = sources[list(ends)]
    ways = trenches.ways(nodes)
    far, root = ways.far, ways.root
    end_of = dict(zip(nodes.tolist(), ends, strict=True))
    u, v = trenches.a, trenches.b
    meets = (root[u] != root[v]) & (root[u] >= 0) & (root[v] >= 0)
    u, v, w = u[meets], v[meets], trenches.cost[meets]
    total = far[u] + w + far[v]
    swap = root[u] > root[v]
    u, v = np.where(swap, v, u), np.where(swap, u, v)
    order = np.lexsort((v, u, total, root[v], root[u]))
    u, v, total = u[order], v[order], total[order]
    first = np.ones(len(u), bool)
    first[1:] = (root[u[1:]] != root[u[:-1]]) | (root[v[1:]] != root[v[:-1]])
    out = []
    for a, b, length in zip(u[first].tolist(), v[first].tolist(), total[first].tolist(), strict=True):
        way = ways.back(a)[::-1] + ways.back(b)
        out.append((length, end_of[int(root[a])], end_of[int(root[b])], way))
    return out


def _joined(
    strings: list[_String], links: list[tuple[float, int, int, list[int]]], home_m: FloatArray, most: float
) -> bool:
    """Join along links, the greatest saving first; whether any was."""
    of = {m: s for s in strings for m in (s.members[0], s.members[-1])}

    def saving(n: int) -> float:
        length, i, j, _ = links[n]
        a, b = of.get(i), of.get(j)
        if a is None or b is None or a is b or a.home != b.home or a.load + b.load > most + 1e-9:
            return -1.0
        left = min(home_m[_other(a, i)], home_m[_other(b, j)])
        return float(_home(a, home_m) + _home(b, home_m) - length - left)

    heap = [(-s, n) for n in range(len(links)) if (s := saving(n)) > LEAST_SAVING_M]
    heapq.heapify(heap)
    some = False
    while heap:
        said, n = heapq.heappop(heap)
        now = saving(n)
        if now <= LEAST_SAVING_M:
            continue
        if now < -said - LEAST_SAVING_M:
            heapq.heappush(heap, (-now, n))
            continue
        _, i, j, way = links[n]
        a, b = of[i], of[j]
        one, one_links = (a.members, a.links) if a.members[-1] == i else (a.members[::-1], _turned(a.links))
        two, two_links = (b.members, b.links) if b.members[0] == j else (b.members[::-1], _turned(b.links))
        for m in (a.members[0], a.members[-1], b.members[0], b.members[-1]):
            of.pop(m, None)
        a.members, a.links, a.load = [*one, *two], [*one_links, way, *two_links], a.load + b.load
        strings.remove(b)
        of[a.members[0]] = of[a.members[-1]] = a
        some = True
    return some


def _home(string: _String, home_m: FloatArray) -> float:
    return float(min(home_m[string.members[0]], home_m[string.members[-1]]))


def _other(string: _String, end: int) -> int:
    return string.members[-1] if string.members[0] == end else string.members[0]


def _turned(links: list[list[int]]) -> list[list[int]]:
    return [part[::-1] for part in links[::-1]]
