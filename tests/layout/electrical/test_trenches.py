"""Trench graphs: legal edges only, exact lengths and costs."""

import numpy as np
import pytest
import shapely
from shapely import LineString

from pacifico.layout.electrical.trenches import CLEARANCE_M, STUB_M, ShortestPaths, TrenchGraph, trench_graph
from pacifico.site.model import Zone


def rects(make, *corners):
    """Squares of 10 m from their south-west corners, in metres from the site's."""
    west, south = make.west, make.south
    return np.array([[west + x, south + y, west + x + 10, south + y + 10] for x, y in corners])


def lines_of(graph):
    return shapely.linestrings(graph.xy[np.column_stack([graph.a, graph.b])])


def graph_between(make, *, roads=(), zones=(), **more):
    assets = rects(make, (100, 200), (400, 200))
    field = make.field(make.site(600, 400, exclusions=zones), make.ground(make.level, 600, 400))
    return trench_graph(field, assets, assets, roads, **more), assets


def test_terminals_are_one_stub_away_from_their_footprints(make):
    road = LineString([(make.west + 50, make.south + 100), (make.west + 500, make.south + 100)])
    graph, assets = graph_between(make, roads=[road])
    terminals = shapely.points(graph.xy[graph.terminal])
    assert shapely.distance(terminals, shapely.box(*assets.T)) == pytest.approx(STUB_M)
    assert shapely.distance(shapely.points(graph.stub_start), shapely.box(*assets.T)) == pytest.approx(0.0)


def test_every_edge_keeps_clear_of_footprints_and_zones(make):
    pond = Zone(make.at(220, 100, 260, 300), name="pond")
    graph, assets = graph_between(make, zones=(pond,))
    own = lines_of(graph)[~graph.on_road]
    assert own.size > 10
    assert (shapely.distance(own, pond.geometry) >= CLEARANCE_M - 1e-9).all()
    for footprint in shapely.box(*assets.T):
        assert (shapely.distance(own, footprint) >= CLEARANCE_M - 1e-9).all()


def test_each_edge_is_listed_once_with_its_length(make):
    graph, _ = graph_between(make)
    assert (graph.a < graph.b).all()
    assert len({*zip(graph.a.tolist(), graph.b.tolist(), strict=True)}) == len(graph.a)
    assert graph.length == pytest.approx(shapely.length(lines_of(graph)))


def test_only_trenches_away_from_roads_cost_the_factor(make):
    road = LineString([(make.west + 50 + 10 * k, make.south + 100) for k in range(40)])
    graph, _ = graph_between(make, roads=[road], own_trench_factor=1.5)
    assert graph.length[graph.on_road].sum() == pytest.approx(390.0)
    assert graph.cost[graph.on_road] == pytest.approx(graph.length[graph.on_road])
    assert graph.cost[~graph.on_road] == pytest.approx(1.5 * graph.length[~graph.on_road])


def test_edges_through_a_cost_zone_cost_its_multiplier(make):
    wood = Zone(make.at(250, 0, 260, 400), name="wood", zone_type="cost", cost_multiplier=3.0)
    graph, _ = graph_between(make, cost_zones=[wood])
    crosses = shapely.intersects(lines_of(graph), wood.geometry)
    assert 0 < crosses.sum() < crosses.size
    assert (graph.cost / graph.length) == pytest.approx(np.where(crosses, 3.0, 1.0))


def chain():
    """Three nodes in a row and one apart."""
    xy = np.array([(0.0, 0.0), (3.0, 0.0), (3.0, 4.0), (99.0, 99.0)])
    length = np.array([3.0, 4.0])
    return TrenchGraph(xy, np.array([0, 1]), np.array([1, 2]), length, length, np.zeros(2, bool), np.arange(4), xy)


def test_shortest_paths_of_a_chain():
    paths = chain().shortest_paths(np.array([0]))
    assert isinstance(paths, ShortestPaths)
    assert paths.cost.tolist() == [0.0, 3.0, 7.0, np.inf]
    assert paths.parent.tolist() == [-1, 0, 1, -1]
    assert paths.seed.tolist() == [0, 0, 0, -1]
    assert paths.nodes_from(2) == [2, 1, 0]


def test_edges_along_a_path():
    assert chain().edges_of([2, 1, 0]).tolist() == [1, 0]
