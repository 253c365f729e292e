"""Feeders: every source once, within the rating, with less cable than home runs."""

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pacifico.layout.electrical.feeders import make_feeders
from pacifico.layout.electrical.trenches import TrenchGraph


def graph_of(xy):
    """Complete graph of straight trenches between points."""
    n = len(xy)
    a, b = np.triu_indices(n, 1)
    length = np.hypot(*(xy[a] - xy[b]).T)
    return TrenchGraph(xy, a, b, length, length, np.zeros(len(a), bool), np.arange(n), xy)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(1, 10)), min_size=1, max_size=14, unique_by=lambda p: p[:2]),
    st.integers(1, 2),
)  # fmt: skip
def test_feeders_hold_every_source_once_within_their_rating_with_less_cable_than_home_runs(points, stations):
    xy = np.array([p[:2] for p in points] + [(500.0, 10.0 + 400 * k) for k in range(stations)], dtype=float)
    load = np.array([float(p[2]) for p in points])
    n = len(points)
    graph = graph_of(xy)
    found, unconnected = make_feeders(
        graph, np.arange(n), load, np.arange(n, n + stations), np.full(stations, 50.0), feeder_mva=10.0
    )
    assert not unconnected
    assert sorted(h.source for f in found for h in f.hops) == list(range(n))
    for f in found:
        assert sum(load[h.source] for h in f.hops) <= 10.0
        assert f.hops[0].target == -1
        assert [h.target for h in f.hops[1:]] == [h.source for h in f.hops[:-1]]
        for h in f.hops:
            end = n + f.substation if h.target < 0 else h.target
            assert (h.nodes[0], h.nodes[-1]) == (h.source, end)
    cable = sum(graph.length[graph.edges_of(h.nodes)].sum() for f in found for h in f.hops)
    home = sum(math.dist(xy[h.source], xy[n + f.substation]) for f in found for h in f.hops)
    assert cable <= home + 1e-6


def test_sources_beyond_a_substations_share_go_to_the_next():
    xy = np.array([(x, 0.0) for x in (10, 20, 30, 40)] + [(0.0, 0.0), (200.0, 0.0)])
    found, _ = make_feeders(
        graph_of(xy), np.arange(4), np.full(4, 5.0), np.array([4, 5]), np.array([50.0, 50.0]), feeder_mva=5.0
    )
    assert Counter(f.substation for f in found) == {0: 2, 1: 2}
    assert {h.source for f in found if f.substation == 0 for h in f.hops} == {0, 1}


def test_sources_on_a_line_form_one_string_from_the_nearest_to_the_farthest():
    xy = np.array([(30.0, 0.0), (10.0, 0.0), (20.0, 0.0), (0.0, 0.0)])
    (feeder,), unconnected = make_feeders(
        graph_of(xy), np.arange(3), np.ones(3), np.array([3]), np.array([10.0]), feeder_mva=10.0
    )
    assert not unconnected
    assert [(h.source, h.target) for h in feeder.hops] == [(1, -1), (2, 1), (0, 2)]
    assert [h.nodes for h in feeder.hops] == [(1, 3), (2, 1), (0, 2)]


def test_a_source_without_a_trench_is_unconnected():
    xy = np.array([(10.0, 0.0), (20.0, 0.0), (0.0, 0.0)])
    length = np.array([10.0])
    graph = TrenchGraph(xy, np.array([0]), np.array([2]), length, length, np.zeros(1, bool), np.arange(3), xy)
    found, unconnected = make_feeders(graph, np.arange(2), np.ones(2), np.array([2]), np.array([10.0]), feeder_mva=10.0)
    assert unconnected == [1]
    assert [h.source for f in found for h in f.hops] == [0]
