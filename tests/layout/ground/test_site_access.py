"""Where a plant is reached from, and the road that it takes."""

import pytest
from shapely import Point

from pacifico.layout.criteria.crossings import upgrade_share
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.ground.site_access import site_access
from pacifico.site.model import Zone

SPEC = make_spec()


def field_of(make, *roads):
    zones = tuple(Zone(make.at(*r), "track", "road", drivable=True, existing=True) for r in roads)
    return make.field(make.site(exclusions=zones), make.ground(make.level))


def point(make, x, y):
    return Point(make.west + x, make.south + y)


def test_without_roads_the_edge_leads_to_the_plant(make):
    access = site_access(field_of(make), SPEC)
    assert access.distance([point(make, 100, 300), point(make, 590, 300)]).tolist() == pytest.approx([100.0, 10.0])
    assert access.nearest_point(point(make, 100, 300)) == (make.west + 100, make.south + 300)


def test_an_entry_leads_to_the_plant(make):
    access = site_access(field_of(make), SPEC, (make.west, make.south))
    assert access.distance([point(make, 300, 400)]).tolist() == pytest.approx([500.0])


def test_an_existing_road_costs_its_upgrade_from_where_it_meets_the_edge(make):
    """The road ends 300 m inside: there a plant 40 m beside it takes 300 m of upgrade and 35 m of new road."""
    access = site_access(field_of(make, (-50, 295, 300, 305)), SPEC)
    (found,) = access.distance([point(make, 300, 340)])
    assert found == pytest.approx(35.0 + upgrade_share(SPEC) * 300.0, abs=20.0)
    (edge,) = access.distance([point(make, 5, 590)])
    assert edge > 280.0


def test_a_road_beside_the_site_leads_to_it(make):
    access = site_access(field_of(make, (-30, -100, -20, 700)), SPEC)
    (found,) = access.distance([point(make, 100, 300)])
    assert found == pytest.approx(120.0, abs=1.0)


def test_a_track_that_leads_nowhere_is_no_access(make):
    inside = site_access(field_of(make, (200, 295, 400, 305)), SPEC)
    assert inside.distance([point(make, 100, 300)]).tolist() == pytest.approx([100.0])


def test_an_entry_on_an_existing_road_uses_it(make):
    access = site_access(field_of(make, (-50, 295, 300, 305)), SPEC, (make.west, make.south + 300))
    (found,) = access.distance([point(make, 300, 300)])
    assert found < 0.75 * 300.0
