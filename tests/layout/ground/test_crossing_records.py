"""Crossings of finished roads and cables."""

import numpy as np
import pytest
from shapely import LineString, box

from pacifico.layout.criteria.crossings import CrossingCriteria
from pacifico.layout.ground.crossing_records import crossings_of
from pacifico.layout.ground.crossings import Barrier
from pacifico.layout.model.cables import Cable
from pacifico.layout.model.roads import make_road

CREEK = Barrier("creek", "water", box(0, 40, 200, 60))
ROAD = Barrier("County road", "road", box(0, 70, 200, 80), drivable=True)
CRITERIA = CrossingCriteria()


def road(*xy):
    return make_road("R001", "spine", np.array([(x, y, 10.0) for x, y in xy], dtype=float), 6.1)


def cable(name, *xy):
    return Cable(name, "a", "b", 34.5, LineString(xy), in_road_trench=False, load_mva=1.0)


def test_a_road_over_a_creek_is_a_culvert_of_its_length():
    (one,) = crossings_of([road((50, 0), (50, 100))], [], [CREEK], CRITERIA)
    assert (one.crossing_type, one.of_id, one.over, one.zone_type) == ("culvert", "R001", "creek", "water")
    assert one.length_m == pytest.approx(20.0)
    assert not one.line.has_z


def test_wide_water_takes_a_bridge():
    wide = Barrier("river", "water", box(0, 0, 200, 90))
    (one,) = crossings_of([road((50, -10), (50, 100))], [], [wide], CRITERIA)
    assert one.crossing_type == "bridge"


def test_a_cable_beside_no_road_is_bored_and_shares_the_bore():
    cables = [cable("F01-01", (20, 0), (20, 100)), cable("F02-01", (20.2, 0), (20.2, 100))]
    (one,) = crossings_of([], cables, [CREEK], CRITERIA)
    assert (one.crossing_type, one.of_id) == ("bore", "F01-01")


def test_a_cable_in_a_road_has_no_crossing_of_its_own():
    found = crossings_of([road((50, 0), (50, 100))], [cable("F01-01", (50, 0), (50, 100))], [CREEK], CRITERIA)
    assert [c.of_id for c in found] == ["R001"]


def test_a_site_road_along_an_existing_road_is_no_crossing():
    along = road((-10, 75), (210, 75))
    assert crossings_of([along], [], [ROAD], CRITERIA) == ()
    (one,) = crossings_of([road((50, 65), (50, 100))], [], [ROAD], CRITERIA)
    assert one.crossing_type == "upgrade"


def test_crossings_are_numbered_through():
    found = crossings_of([road((50, 0), (50, 100))], [], [CREEK, ROAD], CRITERIA)
    assert [c.crossing_id for c in found] == ["X001", "X002"]


TRACK = Barrier("track", "road", box(0, 70, 400, 80), drivable=True, existing=True)


def test_a_road_along_an_existing_road_is_an_upgrade_in_pieces_of_a_crossings_length():
    found = crossings_of([road((0, 75), (400, 75))], [], [TRACK], CRITERIA)
    assert [c.crossing_type for c in found] == ["upgrade"] * 3
    assert all(c.existing and c.length_m == pytest.approx(400 / 3) for c in found)
    assert [c.crossing_id for c in found] == ["X001", "X002", "X003"]


def test_a_road_at_the_verge_of_an_existing_road_upgrades_it():
    (one,) = crossings_of([road((0, 82), (100, 82))], [], [TRACK], CRITERIA)
    assert one.length_m == pytest.approx(100.0)


def test_existing_roads_that_overlap_are_upgraded_once():
    twice = Barrier("track 2", "road", box(0, 72, 400, 82), drivable=True, existing=True)
    found = crossings_of([road((0, 75), (100, 75))], [], [TRACK, twice], CRITERIA)
    assert sum(c.length_m for c in found) == pytest.approx(100.0)


def test_a_cable_across_an_existing_road_is_bored():
    (one,) = crossings_of([], [cable("F01-01", (50, 0), (50, 100))], [TRACK], CRITERIA)
    assert (one.crossing_type, one.existing) == ("bore", False)
