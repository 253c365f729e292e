"""Nodes and through roads of small networks."""

import itertools

import numpy as np
from numpy.testing import assert_allclose

from pacifico.layout.grade_lines.through_roads import make_nodes, make_through_roads


def road(*corners, step=5.0):
    """Road with a vertex every `step` metres, and heights 1, 2, 3..."""
    points = [np.array(corners[0], float)]
    for a, b in itertools.pairwise(corners):
        n = max(round(np.hypot(b[0] - a[0], b[1] - a[1]) / step), 1)
        points += [np.add(a, np.subtract(b, a) * k / n) for k in range(1, n + 1)]
    return np.column_stack([points, np.arange(1.0, len(points) + 1)])


def test_every_vertex_5_m_apart_is_a_node():
    nodes = make_nodes([road((0, 0), (50, 0))], 0.1, ())
    assert nodes.count == 11
    assert_allclose(nodes.heights(nodes.given), nodes.xyz[:, 2])


def test_dense_vertices_lie_on_straight_pieces_of_at_most_5_m():
    nodes = make_nodes([road((0, 0), (50, 0), step=1.0)], 0.1, ())
    assert nodes.count == 11
    own = nodes.node >= 0
    assert np.diff(nodes.chainage_m[own]).max() <= 5.001
    assert_allclose(nodes.heights(nodes.given), nodes.xyz[:, 2])


def test_pads_are_nodes():
    nodes = make_nodes([road((0, 0), (50, 0), step=1.0)], 0.1, {(7.0, 0.0)})
    assert nodes.node[7] >= 0


def test_ends_in_one_place_are_one_node_and_far_ends_come_first():
    lines = [road((0, 0), (20, 0)), road((20, 0), (40, 0)), road((20.001, 0), (20, 30))]
    nodes = make_nodes(lines, 0.1, ())
    assert nodes.node[4] == nodes.node[5] == nodes.node[10]
    assert nodes.node[0] == nodes.count - 1
    assert nodes.node[-1] == 0


def test_roads_continue_straight_on_across_a_junction():
    lines = [road((0, 0), (20, 0)), road((20, 0), (20, 30)), road((20, 0), (40, 5))]
    through = make_through_roads(lines, make_nodes(lines, 0.1, ()))
    assert sorted(round(float(c.at_m[-1])) for c in through) == [30, 41]


def test_two_roads_continue_each_other_round_any_corner():
    lines = [road((0, 0), (20, 0)), road((20, 30), (20, 0))]
    (through,) = make_through_roads(lines, make_nodes(lines, 0.1, ()))
    assert through.at_m[-1] == 50.0
    assert len(through.nodes) == 11


def test_roads_at_a_t_junction_stay_apart():
    lines = [road((0, 0), (20, 0)), road((20, 0), (20, 30)), road((20, 0), (20, -30))]
    through = make_through_roads(lines, make_nodes(lines, 0.1, ()))
    assert sorted(float(c.at_m[-1]) for c in through) == [20.0, 60.0]


def test_a_ring_is_one_through_road():
    lines = [road((0, 0), (50, 0), (50, 50)), road((50, 50), (0, 50), (0, 0))]
    (through,) = make_through_roads(lines, make_nodes(lines, 0.1, ()))
    assert through.at_m[-1] == 200.0


def test_windows_pair_pieces_with_less_than_10_m_between():
    lines = [road((0, 0), (30, 0))]
    (through,) = make_through_roads(lines, make_nodes(lines, 0.1, ()))
    one, other = through.windows()
    assert list(zip(one.tolist(), other.tolist(), strict=True)) == [
        (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (3, 5), (4, 5),
    ]  # fmt: skip
    assert_allclose(through.grades(np.arange(7.0)), -0.2 if through.nodes[0] > through.nodes[-1] else 0.2)
