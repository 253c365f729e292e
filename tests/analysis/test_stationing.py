"""Stations along roads: positions, heights, grades and refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from pyproj import CRS
from shapely import LineString

from pacifico.analysis.stationing import stations, stations_along
from pacifico.errors import InputError
from pacifico.grid import Grid, Ground

WEST, SOUTH = 500_000.0, 4_600_000.0
GRID = Grid(CRS.from_epsg(32615), WEST - 100, SOUTH + 400, 10.0, 10.0, 50, 50)
X, Y = np.meshgrid(GRID.x_centres(), GRID.y_centres())
PLANE = Ground(GRID, 0.02 * (X - WEST) - 0.01 * (Y - SOUTH))


def line(*xyz):
    return LineString(np.array(xyz) + np.array([WEST, SOUTH, 0.0]))


def test_stations_are_regular_whatever_the_vertices():
    """60 m east at 5 %, then 43 m north, level: 103 m in all."""
    road = line((0, 0, 1), (20, 0, 2), (60, 0, 4), (60, 43, 4))
    found = stations_along([("R001", road)], every_m=25.0, ground=PLANE)
    assert [s.label for s in found] == ["0+000", "0+025", "0+050", "0+075", "0+100", "0+103"]
    assert_allclose([s.x - WEST for s in found], [0, 25, 50, 60, 60, 60])
    assert_allclose([s.y - SOUTH for s in found], [0, 0, 0, 15, 40, 43], atol=1e-6)
    assert_allclose([s.design_m for s in found], [1, 2.25, 3.5, 4, 4, 4])
    assert_allclose([s.grade_pct for s in found], [5, 5, 5, 0, 0, 0], atol=1e-9)
    assert_allclose([s.fill_m for s in found], [1, 1.75, 2.5, 2.95, 3.2, 3.23], atol=1e-6)


def test_an_end_at_a_station_is_listed_once_and_labels_count_kilometres():
    found = stations_along([("a", line((0, 0, 0), (50, 0, 0))), ("b", line((0, 0, 0), (0, 1234.5, 0)))], every_m=50.0)
    assert [s.label for s in found if s.road_id == "a"] == ["0+000", "0+050"]
    assert [s.label for s in found if s.road_id == "b"][-2:] == ["1+200", "1+234.50"]
    assert {s.ground_m for s in found} == {None}
    assert found[0].fill_m is None


def test_stations_off_the_ground_have_no_height():
    found = stations_along([("a", line((0, 0, 0), (900, 0, 0)))], every_m=300.0, ground=PLANE)
    assert [s.ground_m is None for s in found] == [False, False, True, True]


@pytest.mark.parametrize("every", [0.0, -5.0, float("nan")])
def test_stations_too_near_are_refused(every):
    with pytest.raises(InputError, match="too near to each other"):
        stations_along([("a", line((0, 0, 0), (10, 0, 0)))], every_m=every)


def test_a_line_without_heights_is_refused():
    with pytest.raises(InputError, match="no design heights"):
        stations_along([("a", LineString([(0, 0), (10, 0)]))])


def test_roads_of_a_plan_begin_and_end_at_stations(make):
    from pacifico.layout.generate import generate_layout

    plan = generate_layout(make.site(400.0, 400.0), make.dem(make.ground(make.level)), target_capacity_kw=2000)
    found = stations(plan)
    assert {s.road_id for s in found} == {r.road_id for r in plan.road_list}
    for road in plan.road_list:
        own = [s for s in found if s.road_id == road.road_id]
        assert own[-1].station_m == pytest.approx(road.length_m)
        assert_allclose([own[0].x, own[0].y, own[0].design_m], road.line.coords[0])
        assert_allclose(np.diff([s.station_m for s in own])[:-1], 25.0)
