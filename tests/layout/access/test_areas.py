"""Areas of a site with roads of their own."""

import pytest
from shapely import MultiPolygon, Point

from pacifico.layout.access.areas import access_areas, road_lanes
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.model.assets import Item
from pacifico.layout.model.roads import RoadCriteria
from pacifico.site.model import Zone

SPEC, CRITERIA = make_spec(), RoadCriteria()
CLEARANCE_M = CRITERIA.width_m / 2 + CRITERIA.clearance_m


def areas_of(make, site, entries=()):
    field = make.field(site, make.ground(make.level))
    lanes = road_lanes(field, SPEC, CRITERIA, [])
    return access_areas(field, [Point(make.west + x, make.south + y) for x, y in entries], lanes, CLEARANCE_M)


def creek(make, **more):
    return Zone(make.at(-50, 290, 650, 310), "creek", "water", **more)


def test_an_open_site_is_one_area(make):
    (area,) = areas_of(make, make.site(), [(1, 300), (599, 300)]).areas
    assert len(area.entries) == 2
    assert not len(area.lanes.cost_factor)


def test_a_creek_is_joined_by_lanes_at_the_price_of_a_culvert(make):
    (area,) = areas_of(make, make.site(exclusions=(creek(make),)), [(1, 100)]).areas
    assert len(area.lanes.cost_factor) > 20
    culvert = SPEC.number("costs", "culvert") / (CRITERIA.width_m * SPEC.number("costs", "road_surface"))
    assert area.lanes.cost_factor == pytest.approx(1 + culvert, rel=0.02)


def test_regions_with_an_entry_each_need_no_crossing(make):
    found = areas_of(make, make.site(exclusions=(creek(make),)), [(1, 100), (1, 500)])
    assert [len(a.entries) for a in found.areas] == [1, 1]
    assert not any(len(a.lanes.cost_factor) for a in found.areas)
    south, north = (Item("battery", make.at(100, y, 120, y + 10).bounds, 5.0) for y in (100, 500))
    assert found.of_items([south, north, south]).tolist() == [0, 1, 0]


def test_without_a_crossing_each_region_has_an_entry_of_its_own(make):
    site = make.site(exclusions=(creek(make, crossable=False),))
    assert [a.entries for a in areas_of(make, site).areas] == [(), ()]


def test_a_region_that_nothing_joins_to_the_requested_entry_stays_alone(make):
    site = make.site(exclusions=(creek(make, crossable=False),))
    assert len(areas_of(make, site, [(1, 100)]).areas) == 1


def test_parcels_with_a_gap_are_joined(make):
    site = make.site(boundary=MultiPolygon([make.at(0, 0, 270, 600), make.at(330, 0, 600, 600)]))
    (area,) = areas_of(make, site).areas
    assert len(area.lanes.cost_factor)
