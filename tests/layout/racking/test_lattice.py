"""Lattice of grading: places, weights, edges, and ground that is kept."""

import numpy as np
import pytest
from fixtures.racking import STRAIGHT, array
from numpy.testing import assert_allclose
from shapely import box

from pacifico.layout.racking.lattice import MARGIN_M, KeepOff, free_depth, make_lattice, under_arrays
from pacifico.layout.racking.rows import make_rows


@pytest.fixture
def lattice():
    return make_lattice(make_rows([array((30.0, 40.0))], STRAIGHT))


def test_the_first_node_lies_a_margin_off_the_corner(lattice):
    # the array is 15 m wide and 60 m long
    assert (lattice.across0, lattice.along0) == (30 - 7.5 - MARGIN_M, 40 - 30 - MARGIN_M)
    assert (lattice.lines, lattice.columns) == (12 + 1 + 24, 3 + 1 + 24)


def test_weights_are_bilinear(lattice):
    along, across = np.array([13.0, 44.0]), np.array([24.5, 31.0])
    nodes, weights = lattice.weights(along, across)
    assert_allclose(weights.sum(axis=1), 1.0)
    s, n = lattice.places(nodes.ravel())
    assert_allclose((s.reshape(2, 4) * weights).sum(axis=1), along)
    assert_allclose((n.reshape(2, 4) * weights).sum(axis=1), across)


def test_edges_join_each_pair_of_neighbours_once(lattice):
    nodes = np.array([5 * lattice.columns + 5, 5 * lattice.columns + 6])
    a, b, along = lattice.edges(nodes)
    assert len(set(zip(a.tolist(), b.tolist(), strict=True))) == len(a) == 7
    assert set((b - a).tolist()) == {1, lattice.columns}
    assert along.sum() == 4


def test_around_adds_all_eight_neighbours(lattice):
    node = 5 * lattice.columns + 5
    assert len(lattice.around(np.array([node]))) == 9


def test_nodes_under_arrays_include_their_edges():
    rows = make_rows([array((30.0, 40.0))], STRAIGHT)
    assert under_arrays(make_lattice(rows), rows).sum() == 13 * 4


def test_distance_from_ground_that_is_kept():
    keep_off = KeepOff(box(0, 0, 100, 100), [box(50, 0, 60, 100)])
    x, y = np.array([10.0, 55.0, 45.0, 120.0, 70.0]), np.array([50.0, 50.0, 50.0, 50.0, 97.0])
    assert_allclose(keep_off.distance(x, y), [10, 0, 5, 0, 3])


def test_side_slopes_end_before_ground_that_is_kept(lattice):
    nodes = lattice.columns * np.array([4, 20]) + 14
    x, y = lattice.map_places(nodes)
    keep_off = KeepOff(box(x[0] - 6, y[0] - 1000, x[0] + 1000, y[0] + 1000), [])
    assert_allclose(free_depth(lattice, nodes, keep_off, 2.0), 3.0)
    assert np.isinf(free_depth(lattice, nodes, keep_off, 0.0)).all()
    touching = KeepOff(box(x[0] - 2, y[0] - 1000, x[0] + 1000, y[0] + 1000), [])
    assert_allclose(free_depth(lattice, nodes, touching, 2.0), 0.0)
