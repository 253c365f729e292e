"""Roads as a tree: parents, costs, branches and the nodes that serve rectangles."""

import numpy as np
import pytest
from fixtures.placement import layout_of

from pacifico.layout.search.road_tree import NO_NODE, rect_distance, road_tree

FORK = [(0, 100), (60, 100)], [(60, 100), (60, 160)], [(60, 100), (120, 100)]


@pytest.fixture(scope="module")
def context(make):
    return make.context(make.site(300, 300), make.ground(lambda x, y: 100.0 + 0.05 * y, 300, 300))


def node_at(tree, make, x, y):
    return int(np.argmin(np.hypot(*(tree.at - (make.west + x, make.south + y)).T)))


def test_lengths_add_up_from_the_entry(make, context):
    tree = road_tree(context, layout_of([], *FORK), "length")
    root, fork, north = (node_at(tree, make, *p) for p in ((0, 100), (60, 100), (60, 160)))
    assert tree.parents[root] == NO_NODE
    assert tree.depth_m[[root, fork, north]] == pytest.approx([0.0, 60.0, 120.0])
    assert tree.costs.sum() == pytest.approx(180.0)
    assert tree.cost_per_m == pytest.approx(1.0)
    assert np.diff(tree.depth_m[tree.order]).max() <= 0


def test_earthwork_is_charged_where_the_ground_is_off_the_road(make, context):
    """The road lies at 100 m; the ground rises by 5 % to the north."""
    tree = road_tree(context, layout_of([], *FORK), "earthwork")
    low, high = node_at(tree, make, 54, 100), node_at(tree, make, 60, 154)
    assert tree.costs[high] > tree.costs[low] > 0


def test_a_branch_is_all_that_lies_beyond_a_node(make, context):
    tree = road_tree(context, layout_of([], *FORK), "length")
    beyond = tree.beyond(node_at(tree, make, 60, 106))
    assert set(tree.at[beyond, 0]) == {make.west + 60}
    assert tree.at[beyond, 1].min() == pytest.approx(make.south + 106)
    assert tree.beyond(node_at(tree, make, 0, 100)).all()


def test_the_first_node_within_reach_serves(make, context):
    tree = road_tree(context, layout_of([], *FORK), "length")
    rect = np.array([[make.west + 100, make.south + 110, make.west + 130, make.south + 140]])
    (node,) = tree.serving_nodes(rect, 20.0)
    assert tree.at[node] == pytest.approx((make.west + 84, make.south + 100))
    (nearest,) = tree.serving_nodes(rect, 1.0)
    assert tree.at[nearest, 1] == make.south + 100
    assert tree.at[nearest, 0] >= make.west + 100


def test_without_roads_there_is_no_tree(context):
    assert road_tree(context, layout_of([]), "length") is None


def test_distances_of_rectangles_from_points():
    rects = np.array([[0.0, 0, 10, 10]])
    points = np.array([[5.0, 5], [20, 5], [13, 14]])
    assert rect_distance(rects, points).tolist() == [[0.0, 10.0, 5.0]]
