"""Feeders: strings of sources within a cable's rating, to a substation.

Strings are merged where that saves most cable (Clarke & Wright's savings, open routes). Neighbours are found by one
multi-source search through the trenches per round: where the ground nearest to the end of one string meets the ground
nearest to another's, the two have a link (Mehlhorn's construction).

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
    from pacifico.layout.electrical.trenches import TrenchGraph


MAX_ROUNDS = 12
"""Rounds of merging: each halves the number of strings at best, so real sites need fewer."""
LOAD_MARGIN = 1.05
"""Load that a substation may take, over its share: leaves room for whole feeders [-]."""
MIN_SAVING_M = 1e-6
"""Savings up to this are rounding [m]."""


@dataclass(frozen=True)
class Hop:
    """Cable from a source to the next one, or to the substation."""

    source: int
    target: int
    """Source at its other end; -1: the substation."""
    nodes: tuple[int, ...]
    """Nodes of the trenches along it."""


@dataclass(frozen=True)
class Feeder:
    """String of sources, the nearest to its substation first."""

    substation: int
    hops: tuple[Hop, ...]


@dataclass(eq=False)
class _String:
    """String of sources that is still merged with others."""

    members: list[int]
    links: list[list[int]]
    """Nodes between each member and the next."""
    load: float
    """Load of its members [MVA]."""
    substation: int

    @property
    def ends(self) -> tuple[int, int]:
        """First and last member."""
        return self.members[0], self.members[-1]

    def other_end(self, end: int) -> int:
        """Last member seen from the first, or the reverse."""
        return self.members[-1] if self.members[0] == end else self.members[0]

    def from_end(self, end: int) -> tuple[list[int], list[list[int]]]:
        """Members and links, starting at one of the ends."""
        if self.members[0] == end:
            return self.members, self.links
        return self.members[::-1], [link[::-1] for link in self.links[::-1]]


@dataclass(frozen=True)
class _Link:
    """Shortest link between the ends of two strings."""

    length: float
    """Cost of its trenches [m]."""
    one: int
    other: int
    """Sources at its ends."""
    nodes: list[int]
    """Nodes of the trenches from one to the other."""


def make_feeders(
    trenches: TrenchGraph,
    sources: IntArray,
    load_mva: FloatArray,
    substations: IntArray,
    rating_mva: FloatArray,
    *,
    feeder_mva: float,
) -> tuple[list[Feeder], list[int]]:
    """String sources on feeders within a rating.

    Parameters
    ----------
    trenches : TrenchGraph
        Legal trenches.
    sources, substations : ndarray of int
        Node of each source and substation.
    load_mva : ndarray
        Load of each source, at most `feeder_mva` [MVA].
    rating_mva : ndarray
        Rating of each substation; it takes load in proportion [MVA].
    feeder_mva : float
        Rating of one feeder [MVA].

    Returns
    -------
    list of Feeder
        By substation, then by their first source.
    list of int
        Sources that no trench connects to any substation.
    """
    paths = [trenches.shortest_paths(substations[[k]]) for k in range(len(substations))]
    distance = np.array([p.cost[sources] for p in paths]).reshape(len(substations), len(sources))
    substation = _assign_substations(distance, load_mva, rating_mva)
    unconnected = [i for i in range(len(sources)) if substation[i] < 0]
    home_m = np.where(substation >= 0, distance[substation, np.arange(len(sources))], np.inf)
    strings = [
        _String([i], [], float(load_mva[i]), int(substation[i])) for i in range(len(sources)) if substation[i] >= 0
    ]
    strings = _merge_strings(trenches, sources, strings, home_m, feeder_mva)
    feeders = []
    for string in strings:
        first, last = string.ends
        members, links = string.from_end(last if home_m[last] < home_m[first] else first)
        hops = [Hop(members[0], -1, tuple(paths[string.substation].nodes_from(int(sources[members[0]]))))]
        hops += [
            Hop(far, near, tuple(link[::-1])) for near, far, link in zip(members[:-1], members[1:], links, strict=True)
        ]
        feeders.append(Feeder(string.substation, tuple(hops)))
    return sorted(feeders, key=lambda f: (f.substation, f.hops[0].source)), unconnected


def _assign_substations(distance: FloatArray, load: FloatArray, rating: FloatArray) -> IntArray:
    """Nearest substation with capacity left, for each source; -1: none."""
    assigned = np.full(distance.shape[1], -1, dtype=np.int64)
    reached = np.isfinite(distance)
    capacity = LOAD_MARGIN * load[reached.any(axis=0)].sum() * rating / max(rating.sum(), 1e-9)
    k, i = np.nonzero(reached)
    for n in np.lexsort((k, i, distance[k, i])):
        if assigned[i[n]] < 0 and load[i[n]] <= capacity[k[n]]:
            assigned[i[n]] = k[n]
            capacity[k[n]] -= load[i[n]]
    # no substation has capacity left: take the one with most
    for n in np.flatnonzero((assigned < 0) & reached.any(axis=0)):
        assigned[n] = np.argmax(np.where(reached[:, n], capacity, -np.inf))
        capacity[assigned[n]] -= load[n]
    return assigned


def _merge_strings(
    trenches: TrenchGraph, sources: IntArray, strings: list[_String], home_m: FloatArray, rating_mva: float
) -> list[_String]:
    """Merge strings as long as that saves cable.

    Parameters
    ----------
    trenches : TrenchGraph
        Legal trenches.
    sources : ndarray of int
        Node of each source.
    strings : list of _String
        One for each source at first.
    home_m : ndarray
        Distance of each source to its substation [m].
    rating_mva : float
        Rating of one feeder [MVA].
    """
    for _ in range(MAX_ROUNDS):
        smallest = min((s.load for s in strings), default=0.0)
        open_ends = sorted({end for s in strings if s.load + smallest <= rating_mva for end in s.ends})
        if len(open_ends) < 2:
            return strings
        merged = _merge_along(_links(trenches, sources, open_ends), strings, home_m, rating_mva)
        if len(merged) == len(strings):
            return strings
        strings = merged
    return strings


def _links(trenches: TrenchGraph, sources: IntArray, ends: Sequence[int]) -> list[_Link]:
    """Shortest links between ends whose nearest ground meets."""
    nodes = sources[list(ends)]
    paths = trenches.shortest_paths(nodes)
    cost, seed = paths.cost, paths.seed
    end_of = dict(zip(nodes.tolist(), ends, strict=True))
    u, v = trenches.a, trenches.b
    meets = (seed[u] != seed[v]) & (seed[u] >= 0) & (seed[v] >= 0)
    u, v, w = u[meets], v[meets], trenches.cost[meets]
    total = cost[u] + w + cost[v]
    swap = seed[u] > seed[v]
    u, v = np.where(swap, v, u), np.where(swap, u, v)
    # of all edges between the ground of two ends, keep the cheapest
    order = np.lexsort((v, u, total, seed[v], seed[u]))
    u, v, total = u[order], v[order], total[order]
    first = np.ones(len(u), bool)
    first[1:] = (seed[u[1:]] != seed[u[:-1]]) | (seed[v[1:]] != seed[v[:-1]])
    return [
        _Link(length, end_of[int(seed[a])], end_of[int(seed[b])], paths.nodes_from(a)[::-1] + paths.nodes_from(b))
        for a, b, length in zip(u[first].tolist(), v[first].tolist(), total[first].tolist(), strict=True)
    ]


def _merge_along(links: list[_Link], strings: list[_String], home_m: FloatArray, rating_mva: float) -> list[_String]:
    """Merge strings along links, the largest saving first.

    Parameters
    ----------
    links : list of _Link
        Links between ends of strings.
    strings : list of _String
        Strings before.
    home_m : ndarray
        Distance of each source to its substation [m].
    rating_mva : float
        Rating of one feeder [MVA].
    """
    merged = list(strings)
    string_at = {end: s for s in merged for end in s.ends}

    def saving(n: int) -> float:
        """Cable saved by link n [m]; -1 where it can't be used."""
        link = links[n]
        a, b = string_at.get(link.one), string_at.get(link.other)
        if a is None or b is None or a is b or a.substation != b.substation or a.load + b.load > rating_mva + 1e-9:
            return -1.0
        after = min(home_m[a.other_end(link.one)], home_m[b.other_end(link.other)])
        return _home_m(a, home_m) + _home_m(b, home_m) - link.length - float(after)

    queue = [(-s, n) for n in range(len(links)) if (s := saving(n)) > MIN_SAVING_M]
    heapq.heapify(queue)
    while queue:
        queued, n = heapq.heappop(queue)
        now = saving(n)
        if now <= MIN_SAVING_M:
            continue
        # savings fall as strings are merged: queue it again with its present saving
        if now < -queued - MIN_SAVING_M:
            heapq.heappush(queue, (-now, n))
            continue
        link = links[n]
        a, b = string_at[link.one], string_at[link.other]
        before, before_links = a.from_end(a.other_end(link.one))
        after, after_links = b.from_end(link.other)
        joined = _String([*before, *after], [*before_links, link.nodes, *after_links], a.load + b.load, a.substation)
        for end in (*a.ends, *b.ends):
            string_at.pop(end, None)
        merged[merged.index(a)] = joined
        merged.remove(b)
        string_at.update(dict.fromkeys(joined.ends, joined))
    return merged


def _home_m(string: _String, home_m: FloatArray) -> float:
    """Distance of a string's nearer end to its substation [m]."""
    first, last = string.ends
    return float(min(home_m[first], home_m[last]))
