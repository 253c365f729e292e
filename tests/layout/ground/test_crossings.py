"""Crossing lines: where roads may cross water, roads, lines and gaps."""

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Polygon

from pacifico.layout.criteria.crossings import CrossingCriteria
from pacifico.layout.ground.crossings import GAP_NAME, barriers_of, find_crossings
from pacifico.site.model import Zone

CLEARANCE_M = 3.3


def found(site, criteria=CrossingCriteria()):  # noqa: B008 (frozen)
    closed = [z.with_buffer for z in site.exclusions if not z.drivable]
    allowed = site.boundary.difference(shapely.union_all(closed)) if closed else site.boundary
    return find_crossings(allowed, barriers_of(site), criteria, CLEARANCE_M)


def test_a_creek_is_crossed_straight_from_bank_to_bank(make):
    creek = Zone(make.at(-50, 290, 650, 310), "creek", "water")
    lines = found(make.site(exclusions=(creek,))).lines
    assert len(lines.start) > 50
    assert lines.length_m == pytest.approx(20.0, abs=0.2)
    assert np.abs(lines.direction[:, 0]).max() < 1e-6
    assert set(lines.barrier.tolist()) == {0}


def test_lanes_side_by_side_do_not_overlap(make):
    creek = Zone(make.at(-50, 290, 650, 310), "creek", "water")
    crossings = found(make.site(exclusions=(creek,)))
    strips = crossings.clear_of([]).strips(crossings.half_width_m, 1.0)
    tree = shapely.STRtree(strips)
    pairs = tree.query(strips, predicate="overlaps")
    assert not pairs.size
    assert len(strips) > 20


def test_obstacles_at_the_bank_leave_no_crossing(make):
    creek = Zone(make.at(-50, 290, 650, 310), "creek", "water")
    crossings = found(make.site(exclusions=(creek,)))
    free = crossings.clear_of([make.at(0, 315, 400, 400)])
    assert len(free.start)
    assert free.start[:, 0].min() > make.west + 400


@pytest.mark.parametrize("zone_type", ["hard", "buffered", "wetland", "habitat", "substation"])
def test_other_zones_are_not_crossed_unless_the_file_says_so(make, zone_type):
    zone = Zone(make.at(-50, 290, 650, 310), "x", zone_type)
    assert barriers_of(make.site(exclusions=(zone,))) == ()
    told = Zone(zone.geometry, "x", zone_type, crossable=True)
    assert len(found(make.site(exclusions=(told,))).lines.start)


def test_water_that_may_not_be_crossed_stays_closed(make):
    creek = Zone(make.at(-50, 290, 650, 310), "creek", "water", crossable=False)
    assert barriers_of(make.site(exclusions=(creek,))) == ()


def test_no_crossing_is_longer_than_the_limit(make):
    lake = Zone(make.at(-50, 220, 650, 380), "canal", "water")
    assert not len(found(make.site(exclusions=(lake,))).lines.start)
    narrow = Zone(make.at(-50, 290, 650, 310), "creek", "water")
    assert not len(found(make.site(exclusions=(narrow,)), CrossingCriteria(max_length_m=0.0)).lines.start)


def test_banks_at_an_angle_are_crossed_within_the_skew(make):
    wedge = Polygon([(-50, 300), (650, 0), (650, 300)])
    zone = Zone(shapely.transform(wedge, lambda xy: xy + np.array([make.west, make.south])), "stream", "water")
    lines = found(make.site(exclusions=(zone,))).lines
    strict = found(make.site(exclusions=(zone,)), CrossingCriteria(max_skew_deg=10.0)).lines
    assert len(lines.start)
    assert not len(strict.start)


def test_a_zone_in_the_way_that_may_not_be_crossed_stops_a_line(make):
    creek = Zone(make.at(-50, 290, 650, 310), "creek", "water")
    nest = Zone(make.at(0, 280, 300, 300), "nest", "hard")
    lines = found(make.site(exclusions=(creek, nest))).lines
    assert lines.start[:, 0].min() > make.west + 300


def test_parts_of_a_site_are_joined_across_the_gap(make):
    boundary = MultiPolygon([make.at(0, 0, 270, 600), make.at(330, 0, 600, 600)])
    site = make.site(boundary=boundary)
    (gap,) = barriers_of(site)
    assert (gap.name, gap.zone_type) == (GAP_NAME, "gap")
    assert found(site).lines.length_m == pytest.approx(60.0, abs=0.2)


def test_parts_far_apart_have_no_gap(make):
    boundary = MultiPolygon([make.at(0, 0, 200, 600), make.at(400, 0, 600, 600)])
    assert barriers_of(make.site(boundary=boundary)) == ()


def test_an_existing_road_stops_no_road(make):
    road = Zone(make.at(-50, 290, 650, 300), "County road", "road", drivable=True)
    site = make.site(exclusions=(road,))
    assert [b.drivable for b in barriers_of(site)] == [True]
    assert not len(found(site).lines.start)
