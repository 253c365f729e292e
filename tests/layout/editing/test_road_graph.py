"""A road graph of five roads made by hand: what is needed, cut off and within reach."""

import numpy as np
import pytest
import shapely

from pacifico.layout.earthwork.pads import graded_pads
from pacifico.layout.editing.road_graph import (
    NoRoad,
    RoadGraph,
    RoadTarget,
    find_server,
    is_clear,
    pad_step,
    roads_under,
    turnarounds_of,
    unneeded_roads,
)
from pacifico.layout.model.roads import RoadCriteria, make_road

CRITERIA = RoadCriteria(width_m=6.0, max_grade=0.1, clearance_m=0.5)


def road(number, *points, z=100.0):
    return make_road(f"R{number:03d}", "spine", np.array([(x, y, z) for x, y in points]), 6.0)


@pytest.fixture
def graph():
    """Spine east from the entry (1, 2), a branch north (3) with a turnaround (4), and a spur south (5)."""
    roads = (
        road(1, (0, 0), (100, 0)),
        road(2, (100, 0), (200, 0)),
        road(3, (100, 0), (100, 80)),
        road(4, (100, 80), (118, 80)),
        road(5, (200, 0), (200, -50)),
    )
    return RoadGraph(roads, (0.0, 0.0))


def asset(x, y, **more):
    return RoadTarget("battery-0001", shapely.box(x, y, x + 10, y + 10), 15.0, **more)


def test_roads_meet_at_shared_vertices(graph):
    assert graph.roads_at[100.0, 0.0] == [0, 1, 2]
    assert graph.neighbours == [{1, 2}, {0, 2, 4}, {0, 1, 3}, {2}, {1}]
    assert graph.next_number(["R009"]) == 10


def test_roads_beyond_a_removed_one_are_cut_off(graph):
    assert graph.cut_off(()) == set()
    assert graph.cut_off({1}) == {4}
    assert graph.cut_off({0}) == {1, 2, 3, 4}


def test_a_road_is_needed_if_it_serves_or_leads_to_a_server(graph):
    served = {"R005": 2}
    assert [graph.needed(k, served) for k in range(5)] == [True, True, False, False, True]
    assert turnarounds_of(graph, {"R003": 1, "R005": 1}) == {"R004"}


def test_a_turnaround_is_removed_with_its_road(graph):
    assert unneeded_roads(graph, {"R005": 1}, ["R003"]) == {"R003", "R004"}
    assert unneeded_roads(graph, {"R003": 1, "R005": 1}, ["R003"]) == set()


def test_roads_that_lead_only_to_an_unneeded_one_are_removed(graph):
    assert unneeded_roads(graph, {"R003": 1}, ["R005"]) == {"R002", "R005"}


def test_the_nearest_road_within_reach_serves(graph):
    assert find_server(graph, asset(190, -60), CRITERIA) == "R005"
    assert find_server(graph, asset(105, 5), CRITERIA, first="R002") == "R002"
    assert find_server(graph, asset(105, 5), CRITERIA, last=["R001", "R002"]) == "R003"
    found = find_server(graph, asset(300, 0), CRITERIA)
    assert found == NoRoad("the nearest road, R002, is 100 m away, the reach is 15 m")


def test_a_road_far_above_a_pad_does_not_serve(graph, make):
    pad = shapely.box(make.west, make.south, make.west + 10, make.south + 10)
    ground = make.ground(make.level)
    (plane,) = graded_pads(ground, [pad], np.array([[102.0, 0.0, 0.0]]))
    target = RoadTarget("battery-0001", pad, 15.0, pad, plane)
    near = make_road(
        "R001",
        "spine",
        np.array([(make.west, make.south - 5.0, 100.0), (make.west + 10, make.south - 5.0, 100.0)]),
        6.0,
    )
    assert pad_step(near, target) == pytest.approx((2.0, 5.0))
    found = find_server(RoadGraph((near,), (make.west, make.south - 5.0)), target, CRITERIA)
    assert isinstance(found, NoRoad)
    assert "is 2.0 m above or below it, the grade limit of 10 % allows 0.5 m" in found.reason


def test_clearance_is_kept_from_strips(graph):
    assert roads_under(graph, shapely.box(20, 3.4, 30, 10), CRITERIA) == ["R001"]
    assert roads_under(graph, shapely.box(20, 3.6, 30, 10), CRITERIA) == []
    allowed = shapely.box(-10, -100, 300, 100)
    assert is_clear(graph.roads[0], [shapely.box(20, 3.6, 30, 10)], allowed, CRITERIA)
    assert not is_clear(graph.roads[0], [shapely.box(20, 3.4, 30, 10)], allowed, CRITERIA)
    assert not is_clear(graph.roads[0], [], shapely.box(-10, -2, 300, 100), CRITERIA)


def test_roads_of_every_entry_are_joined_and_needed(graph):
    other = road(6, (300, 0), (300, 50))
    lonely = RoadGraph((*graph.roads, other), (0.0, 0.0))
    assert lonely.cut_off(()) == {5}
    both = RoadGraph((*graph.roads, other), (0.0, 0.0), ((300.0, 0.0),))
    assert both.cut_off(()) == set()
    assert both.needed(5, {})
    assert both.without(["R001"]).entries == both.entries
