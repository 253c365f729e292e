"""Units that need each road and cable: exact cases on small networks."""

import numpy as np
from shapely import LineString, Point, box

from pacifico.layout.economics.needs import cable_needs, road_needs, unit_bits
from pacifico.layout.economics.units import PlantUnit
from pacifico.layout.model.assets import Asset, Item
from pacifico.layout.model.cables import Cable
from pacifico.layout.model.roads import make_road


def road(name, *xy):
    return make_road(name, "secondary", np.array([(x, y, 0.0) for x, y in xy], dtype=float), 6.0)


def asset(name, x, y, service):
    item = Item("inverter_skid", (x - 1, y - 1, x + 1, y + 1), 5.0)
    return Asset(name, item, box(x - 1, y - 1, x + 1, y + 1), 0.0, 0.0, 0.0, 1.0, "", service)


TRUNK, WEST, EAST = (
    road("R001", (0, 0), (0, 50), (0, 100)),
    road("R002", (0, 100), (-90, 100)),
    road("R003", (0, 100), (90, 100)),
)
ARM = road("R004", (90, 100), (90, 118))
ROADS, ENTRY = (TRUNK, WEST, EAST, ARM), [Point(0, 0)]


def test_a_road_is_needed_by_all_units_beyond_it():
    assets = [asset("a", -80, 105, "R002"), asset("b", 80, 105, "R003")]
    assert road_needs(ROADS, ENTRY, assets, [1, 2]) == {"R001": 3, "R002": 1, "R003": 2, "R004": 2}


def test_a_turnaround_stays_with_the_road_that_it_ends():
    assets = [asset("a", -80, 105, "R002")]
    assert road_needs(ROADS, ENTRY, assets, [1]) == {"R001": 1, "R002": 1, "R003": 1, "R004": 1}


def test_the_shorter_way_round_a_loop_is_needed():
    loop = (
        road("R001", (0, 0), (0, 100)),
        road("R002", (0, 100), (100, 100)),
        road("R003", (0, 0), (300, 0), (100, 100)),
    )
    assets = [asset("a", 100, 105, "R002")]
    found = road_needs(loop, ENTRY, assets, [1])
    assert found["R001"] == found["R002"] == 1
    assert found["R003"] == 1  # a second way stays as long as what it joins


def test_roads_that_meet_end_to_end_are_needed_alike():
    chain = (TRUNK, road("R002", (0, 100), (0, 160)), road("R003", (0, 160), (0, 220)))
    assets = [asset("a", 5, 90, "R001"), asset("b", 5, 150, "R002"), asset("c", 5, 200, "R003")]
    assert set(road_needs(chain, ENTRY, assets, [1, 2, 4]).values()) == {7}


def test_assets_in_no_unit_are_needed_by_all():
    units = (PlantUnit("B001", (1,), 100.0), PlantUnit("B002", (2,), 100.0))
    assert unit_bits(units, 3) == [3, 1, 2]


def test_a_cable_is_needed_by_all_that_feed_it():
    def cable(name, a, b):
        return Cable(name, a, b, 34.5, LineString([(0, 0), (1, 0)]), True, 1.0)

    cables = [cable("F01-01", "a", "station"), cable("F01-02", "b", "a"), cable("F02-01", "c", "station")]
    needs = {"a": 1, "b": 2, "c": 4, "station": 7}
    assert cable_needs(cables, needs) == {"F01-01": 3, "F01-02": 2, "F02-01": 4}
