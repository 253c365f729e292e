"""Strips that lead out of places enclosed by arrays, and along roads to turbines."""

import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely import LineString, Point, box

from pacifico import generate_layout
from pacifico.grid import Grid
from pacifico.layout.access.connect import ServedLayout
from pacifico.layout.access.road_reserves import STRIP_WIDTH_M, approach_strips, enclosed_items, exit_strips
from pacifico.layout.model.assets import Item, Unplaced
from pacifico.layout.model.roads import Network, Road
from pacifico.layout.model.unreached import UnreachedCause
from pacifico.site.model import Site

UTM = CRS.from_epsg(32615)


def item(kind, west, south, wide, high):
    return Item(kind, (west, south, west + wide, south + high), 5.0)


BATTERY, OTHER = item("battery", 0, 0, 30, 20), item("battery", 0, 90, 30, 20)
ARRAY = item("solar_array", -100, 40, 230, 40)


def served(*items, cause=UnreachedCause.NO_ROUTE):
    line = LineString([(-200, 200, 0), (200, 200, 0)])
    road = Road("R001", "spine", line, 6.1, line.length, 0.0, 0.0)
    unplaced = (Unplaced("battery", 1, "no road", cause),)
    return ServedLayout(items, items, (None,) * len(items), Network((road,), Point(-200, 200), {}), unplaced)


def test_block_behind_arrays_is_enclosed():
    assert enclosed_items([BATTERY, ARRAY], served(ARRAY)) == [BATTERY]


@pytest.mark.parametrize("others", [(), (OTHER,)])
def test_nothing_is_enclosed_without_arrays(others):
    assert enclosed_items([BATTERY, *others], served(*others)) == []


def test_block_too_steep_to_reach_is_not_enclosed():
    assert enclosed_items([BATTERY, ARRAY], served(ARRAY, cause=UnreachedCause.TOO_STEEP)) == []


def test_strip_leads_to_the_road_past_fixed_items():
    squares = exit_strips([BATTERY], served(ARRAY, OTHER), [BATTERY, ARRAY, OTHER])
    way = shapely.union_all(shapely.box(*squares.T))
    assert way.intersects(box(*ARRAY.rect))
    assert way.distance(LineString([(-200, 200), (200, 200)])) == 0
    assert not way.intersects(box(*BATTERY.rect))
    assert not way.intersects(box(*OTHER.rect))
    assert way.bounds[2] - way.bounds[0] == pytest.approx(STRIP_WIDTH_M)


@pytest.mark.parametrize("target", [15_000, 31_234])
def test_storage_among_arrays_is_reached(target):
    n = 160
    grid = Grid(UTM, 500_000.0, 4_601_600.0, 10.0, 10.0, n, n)
    y, x = np.mgrid[:n, :n] * 10.0
    z = 8 * np.sin(x / 230) * np.sin(y / 190)
    dem = grid.data_array(z, name="elevation", source_resolution_m=10.0, nodata_share=0.0, warnings=())
    site = Site("made", UTM, box(500_150.0, 4_600_150.0, 501_450.0, 4_601_450.0))
    plan = generate_layout(site, dem, profile="hybrid", target_capacity_kw=target)
    assert plan.unplaced == ()
    assert plan.metrics["storage_kwh"] == pytest.approx(4 * 1250 * (target / 2 // 1250))


def test_ground_along_roads_to_turbines_is_kept_free():
    turbine = item("wind_turbine", -50, 150, 50, 30)
    squares = approach_strips(served(turbine))
    way = shapely.union_all(shapely.box(*squares.T))
    assert way.distance(box(*turbine.rect)) > 0
    line = LineString([(-200, 200), (200, 200)])
    assert line.difference(way).length < 60, "except where it runs beside the turbine"


def test_bends_among_arrays_suit_blade_transport():
    n = 190
    grid = Grid(UTM, 500_000.0, 4_601_900.0, 10.0, 10.0, n, n)
    y, x = np.mgrid[:n, :n] * 10.0
    z = 6 * np.sin(x / 310) * np.sin(y / 270)
    dem = grid.data_array(z, name="elevation", source_resolution_m=10.0, nodata_share=0.0, warnings=())
    site = Site("made", UTM, box(500_150.0, 4_600_150.0, 501_750.0, 4_601_750.0))
    plan = generate_layout(
        site, dem, profile="wind_hybrid", target_capacity_kw=40_000, spec={"water": {"channel_min_ha": 0}}
    )
    assert plan.metrics["assets_by_type"]["wind_turbine"] >= 3
    tight = [int(w.rsplit(":", 1)[1]) for w in plan.warnings if "tighter than an inner radius of 46 m" in w]
    assert sum(tight) <= 2
    assert not [w for w in plan.warnings if w.startswith("bends tighter than an inner radius of 12 m")]
