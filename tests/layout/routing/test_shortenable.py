"""Shortenable obstacles: units removed, and the clearance that this leaves."""

import numpy as np
import pytest
from fixtures.ground import SOUTH, UTM, WEST, at
from shapely import LineString, box

from pacifico.grid import Grid, Ground
from pacifico.layout.model.roads import Terminal
from pacifico.layout.routing.routing_grid import make_routing_grid
from pacifico.layout.routing.shortenable import ShortenableObstacles

UNIT_M = 20.0


def obstacles():
    """An array of 4 units at x 100 to 180, a block of a yard, and a wall that can't be shortened."""
    ground = Ground(Grid(UTM, WEST - 50, SOUTH + 250, 10.0, 10.0, 30, 40), np.zeros((30, 40)))
    terminals = [
        Terminal(7, at(100, 80, 180, 120), 60.0, units=4, unit_m=UNIT_M),
        Terminal(8, at(220, 80, 240, 120), 60.0, units=1),
        Terminal(9, at(20, 80, 40, 120), 60.0),
    ]
    shapes = [t.footprint for t in terminals]
    grid = make_routing_grid(ground, at(0, 0, 300, 200), shapes, [], half_width_m=3.0, clearance_m=0.25, cell=4.0)
    return ShortenableObstacles.of(terminals, shapes, grid)


def clear(shortenable, x, y):
    place = np.array([WEST + x, SOUTH + y])
    return shortenable.road_grid().clearance_index.clear(place, place)


def line(*xy):
    return LineString(np.add(xy, (WEST, SOUTH)))


def test_only_terminals_with_units_can_be_shortened():
    all_of = obstacles()
    assert all_of.table.terminal.tolist() == [0, 1]
    assert all_of.removed_units == 0
    assert all_of.removed_terminals == set()


def test_units_are_removed_at_both_ends():
    shorter = obstacles().shorten(0, 1, 0).shorten(0, 0, 2)
    west, _, east, _ = shorter.rects()[0]
    assert (west - WEST, east - WEST) == pytest.approx((120, 140))
    assert shorter.units_left.tolist() == [1, 1]
    assert shorter.removed_by_terminal() == {0: (1, 2)}


def test_a_block_is_removed_as_one():
    shorter = obstacles().shorten(1, 0, 1)
    assert np.isnan(shorter.rects()[1]).all()
    assert shorter.removed_terminals == {1}


def test_removed_units_make_room_in_the_clearance_index():
    full = obstacles()
    shorter = full.shorten(0, 1, 0)
    assert not clear(full, 101, 100)
    assert clear(shorter, 101, 100)
    assert not clear(shorter, 118, 100), "within the clearance of the new end"
    assert not clear(shorter, 150, 81), "within the clearance of what is left"
    assert full.removed_units == 0


def test_grid_without_obstacles_keeps_walls():
    grid = obstacles().road_grid_without()
    places = [np.array([WEST + x, SOUTH + 81.0]) for x in (150, 230, 30)]
    assert [grid.clearance_index.clear(p, p) for p in places] == [True, True, False]


def test_hash_tells_how_obstacles_are_shortened():
    full = obstacles()
    assert len(full.changed(5.0)[0]) == 0
    rects, version = full.shorten(0, 1, 0).changed(5.0)
    assert rects - (WEST, SOUTH, WEST, SOUTH) == pytest.approx(np.array([[95, 75, 185, 125]]))
    assert version != full.shorten(0, 0, 1).changed(5.0)[1]
    assert version == full.shorten(0, 1, 0).changed(5.0)[1]


def test_fewest_units_are_removed_to_clear_a_line():
    strip = line((170, 0), (170, 200))
    shorter = obstacles().shortened_for(strip, 3.25, strip)
    assert shorter.removed_by_terminal() == {0: (0, 1)}
    assert box(*shorter.rects()[0]).distance(strip) >= 3.25


def test_all_units_are_removed_where_the_rest_is_out_of_reach():
    strip, road = line((100, 100), (180, 100)), line((0, 0), (1, 0))
    shorter = obstacles().shortened_for(strip, 3.25, road)
    assert shorter.removed_terminals == {0}
