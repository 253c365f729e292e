"""Limits and prices of crossings."""

import pytest

from pacifico.layout.criteria.crossings import (
    channel_crossing_type,
    crossing_criteria,
    road_crossing_cost,
    road_crossing_type,
    upgrade_item,
    upgrade_share,
)
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.criteria.water import WaterCriteria

SPEC = make_spec()


def test_the_catalog_holds_the_limits():
    criteria = crossing_criteria(SPEC)
    assert (criteria.max_length_m, criteria.max_skew_deg) == (150.0, 30.0)
    assert crossing_criteria(make_spec({"crossing": {"max_length_m": 0}})).max_length_m == 0


@pytest.mark.parametrize(
    ("zone_type", "length_m", "expected"),
    [("water", 20, "culvert"), ("water", 90, "bridge"), ("road", 20, "upgrade"), ("gap", 60, "upgrade")],
)
def test_type_follows_from_what_is_crossed(zone_type, length_m, expected):
    assert road_crossing_type(zone_type, length_m, crossing_criteria(SPEC)) == expected


def test_water_costs_by_the_metre_and_a_gap_once():
    assert road_crossing_cost(SPEC, "water", 40.0) == pytest.approx(40 * SPEC.number("costs", "culvert"))
    assert road_crossing_cost(SPEC, "gap", 40.0) == SPEC.number("costs", "crossing_gap")


@pytest.mark.parametrize(
    ("zone_type", "item"), [("road", "crossing_upgrade"), ("railway", "crossing_railway"), ("line", "crossing_line")]
)
def test_an_upgrade_is_priced_by_what_it_crosses(zone_type, item):
    assert upgrade_item(zone_type) == item
    assert road_crossing_cost(SPEC, zone_type, 20.0) == SPEC.number("costs", item)


def test_a_main_road_has_no_ford():
    criteria = WaterCriteria()
    assert channel_crossing_type(10.0, 0.0, is_main=False, criteria=criteria) == "ford"
    assert channel_crossing_type(10.0, 0.0, is_main=True, criteria=criteria) == "culvert"


def test_an_upgrade_costs_its_price_over_that_of_a_new_road():
    assert upgrade_share(SPEC) == pytest.approx(70.0 / (6.1 * 25.6))
    assert upgrade_share(make_spec({"costs": {"road_upgrade": 1000.0}})) == 1.0
    assert upgrade_share(make_spec({"costs": {"road_upgrade": 0.0}})) == 0.1
    assert upgrade_share(make_spec({"costs": {"road_surface": 0.0, "clearing": 0.0}})) == 1.0
