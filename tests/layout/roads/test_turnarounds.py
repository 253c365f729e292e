"""Turnarounds at dead ends: stubs, hammerheads, extensions and links."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, WEST, at
from fixtures.roads import CRITERIA, SQUARE, assert_network_holds, network, square_ground, terminal
from numpy.testing import assert_allclose
from shapely import Point

from pacifico.layout.model.roads import Terminal
from pacifico.layout.roads.turnarounds import turnarounds
from pacifico.layout.routing import routing_grid


def test_long_dead_end_gets_a_side_stub():
    """The shortest turnaround is one arm to the side, between its own length and 45 m before the end."""
    goal = terminal(0, 500, 500)
    ground = square_ground(lambda x, y: 0.03 * x)
    site = SQUARE
    net = network(ground, site, [goal], entry=Point(WEST + 1, SOUTH + 500))
    assert_network_holds(net, ground, site, [goal], [goal.footprint])
    way, end, arm = net.roads
    assert arm.road_class == "spur"
    assert arm.length_m == pytest.approx(18.3)
    assert arm.line.coords[0] == way.line.coords[-1] == end.line.coords[0]
    assert 18.3 - 1e-6 <= end.length_m <= 45
    assert net.served == {0: end.road_id}
    assert net.warnings == ()


def between_walls(gap_at, *, gap=16.0, end=400):
    """Walls of an aisle of 12 m with a gap across it at `gap_at`, and a terminal at its end."""
    spans = [(0, gap_at - gap / 2), (gap_at + gap / 2, 1000)]
    walls = [at(x0, y0, x1, y1) for x0, x1 in spans for y0, y1 in ((0, 494), (506, 1000))]
    return walls, Terminal(0, at(end, 470, end + 5, 480), 30.0, 0)


def test_stub_uses_a_gap_before_the_dead_end():
    walls, goal = between_walls(365)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], obstacles=walls, entry=Point(WEST + 1, SOUTH + 500))
    assert_network_holds(net, square_ground(lambda x, y: 0.0), SQUARE, [goal], walls)
    assert net.warnings == ()
    arm = net.roads[-1].line
    assert abs(arm.coords[0][0] - WEST - 365) < 5
    assert abs(arm.coords[-1][0] - arm.coords[0][0]) < 5


def test_dead_end_is_extended_to_where_a_turnaround_fits():
    walls, goal = between_walls(480)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], obstacles=walls, entry=Point(WEST + 1, SOUTH + 500))
    assert_network_holds(net, square_ground(lambda x, y: 0.0), SQUARE, [goal], walls)
    assert net.warnings == ()
    assert 470 < max(r.line.bounds[2] for r in net.roads) - WEST < 505
    assert net.length_m < 480 + 5 + 2 * 18.3


def test_dead_end_is_linked_to_the_road_ahead():
    """An aisle of 12 m meets another one: the link ends at the height of the road there."""
    walls = [at(0, 0, 454, 494), at(0, 506, 454, 1000), at(466, 0, 1000, 1000)]
    ground = square_ground(lambda x, y: 0.02 * y + 0.01 * x)
    lat = routing_grid.make_routing_grid(ground, SQUARE, walls, (), half_width_m=3.05, clearance_m=0.25, cell=4.0)
    xy = np.array([WEST, SOUTH])
    west = np.column_stack([np.arange(0, 401, 10.0), np.full(41, 500.0)]) + xy
    across = np.column_stack([np.full(41, 460.0), np.arange(300, 701, 10.0)]) + xy
    roads = [np.column_stack([p, ground.at(p[:, 0], p[:, 1]) + lift]) for p, lift in ((west, 0.0), (across, 1.0))]
    made, without = turnarounds(lat, ground, roads, [0], criteria=CRITERIA)
    assert without == 0
    (link,) = made
    assert_allclose(link[0], roads[0][-1])
    assert any((link[-1] == v).all() for v in roads[1])
    rise = np.abs(np.diff(link[:, 2])) / np.hypot(*np.diff(link[:, :2], axis=0).T)
    assert rise.max() <= CRITERIA.max_grade


def test_dead_end_without_room_for_a_turnaround_is_counted():
    walls = [at(0, 0, 1000, 494), at(0, 506, 1000, 1000), at(800, 400, 1000, 600)]
    goal = Terminal(0, walls[2], 14.0, 0)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], obstacles=walls)
    assert len(net.roads) == 1
    assert net.warnings == ("dead ends over 45 m without room for a turnaround: 1",)


def test_short_dead_end_gets_no_turnaround():
    goal = terminal(0, 45, 500)
    net = network(square_ground(lambda x, y: 0.0), SQUARE, [goal], entry=Point(WEST + 1, SOUTH + 500))
    assert len(net.roads) == 1
