"""Layouts on sites with existing roads: used, drawn, billed and read back."""

from dataclasses import replace

import pytest
import shapely
from shapely import LineString

from pacifico.layout.economics.civil_costs import CIVIL_ITEMS, civil_works
from pacifico.layout.editing.reopen import read_plan
from pacifico.layout.files.geojson import schema
from pacifico.layout.generate import generate_layout
from pacifico.site.model import Zone


@pytest.fixture(scope="module")
def case(make):
    """Long site whose only flat ground lies at the far end of a track of 800 m from its western edge."""
    track = Zone(
        LineString([(make.west - 100, make.south + 150), (make.west + 800, make.south + 150)]).buffer(
            5.0, cap_style="flat"
        ),
        "Ranch track",
        "road",
        drivable=True,
        existing=True,
    )
    pond = Zone(make.at(0, 200, 800, 400), "wetland")
    site = make.site(1200, 400, exclusions=(pond,))
    dem = make.dem(make.ground(make.level, 1200, 400))
    return site, dem, track


@pytest.fixture(scope="module")
def plan(case):
    site, dem, track = case
    return generate_layout(site, dem, roads=[track], target_capacity_kw=4000)


def test_the_entry_lies_on_the_existing_road(case, plan):
    _, _, track = case
    assert track.geometry.distance(plan.entry) < 3.0


def test_stretches_on_the_road_are_upgrades_of_at_most_a_crossings_length(case, plan):
    _, _, track = case
    used = [c for c in plan.crossing_list if c.existing]
    on = shapely.union_all([r.line for r in plan.road_list]).intersection(track.geometry.buffer(6.1 / 2))
    assert sum(c.length_m for c in used) == pytest.approx(on.length, abs=1.0)
    assert sum(c.length_m for c in used) > 100
    assert max(c.length_m for c in used) <= 150
    assert {c.crossing_type for c in used} == {"upgrade"}


def test_they_are_billed_by_the_metre_and_not_as_new_surface(plan):
    lines = {n.item: n for n in plan.bill_of_quantities().lines}
    used = sum(c.length_m for c in plan.crossing_list if c.existing)
    assert lines["road_upgrade"].quantity == pytest.approx(used)
    assert lines["road_surface"].quantity == pytest.approx(6.1 * (plan.metrics["road_length_m"] - used), rel=1e-3)
    assert "crossing_upgrade" not in lines
    total = sum(n.cost for n in lines.values() if n.item in CIVIL_ITEMS)
    assert civil_works(plan).usd == pytest.approx(total, rel=1e-9)


def test_no_asset_stands_on_the_road(case, plan):
    _, _, track = case
    assert min(a.footprint.distance(track.geometry) for a in plan.asset_list) >= 0.0
    assert not any(a.footprint.intersection(track.geometry).area > 1e-6 for a in plan.asset_list)


def test_the_layout_keeps_the_road_when_it_is_read_back(case, plan, tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(plan.to_geojson(), schema())
    _, dem, _ = case
    again = read_plan(plan.write(tmp_path / "layout.geojson"), dem=dem)
    assert [z.existing for z in again.site.exclusions] == [z.existing for z in plan.site.exclusions]
    assert [c.existing for c in again.crossing_list] == [c.existing for c in plan.crossing_list]
    assert again.bill_of_quantities().total == pytest.approx(plan.bill_of_quantities().total, rel=1e-4)


def test_a_dear_upgrade_is_not_preferred_to_a_new_road(case, plan):
    site, dem, track = case
    dear = generate_layout(site, dem, roads=[track], target_capacity_kw=4000, spec={"costs": {"road_upgrade": 5000.0}})
    used = [sum(c.length_m for c in p.crossing_list if c.existing) for p in (plan, dear)]
    assert used[1] <= used[0]


def test_the_road_counts_as_part_of_the_site_too(case, plan):
    site, dem, track = case
    own = replace(site, exclusions=(*site.exclusions, track))
    assert generate_layout(own, dem, target_capacity_kw=4000).to_geojson() == plan.to_geojson()
