"""Limits and prices of crossings."""

import pytest

from pacifico.layout.criteria.crossings import crossing_criteria, road_crossing_cost, road_crossing_type
from pacifico.layout.criteria.spec import make_spec

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
    assert road_crossing_cost(SPEC, "gap", 40.0) == SPEC.number("costs", "crossing_upgrade")
