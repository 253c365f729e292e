"""Reasons for missing capacity: the true one, in one line."""

import numpy as np
import pytest

from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout
from pacifico.layout.model.assets import Unplaced
from pacifico.layout.placement.draft import Draft
from pacifico.layout.shortfall import (
    GroundShares,
    Land,
    explaining,
    reasons_in_words,
    why_less,
    why_no_asset,
    why_no_ground,
)

SPEC = make_spec({"site": {"setback_m": 30.0}})


def test_a_setback_wider_than_the_site_is_the_reason(make):
    field = make.field(make.site(50, 50), make.ground(make.level), setback_m=30.0)
    assert "the setback of 30 m leave nothing" in why_no_ground(field, 10.0, SPEC)


def test_a_dem_without_data_is_the_reason(make):
    ground = make.ground(make.level)
    ground.z[:] = np.nan
    assert "the DEM has no data inside the site" in why_no_ground(make.field(make.site(), ground), 10.0, SPEC)


def test_steep_ground_is_the_reason(make):
    field = make.field(make.site(), make.ground(lambda x, y: 0.5 * x))
    assert "the gentlest cell has a slope of 26.6 deg, the limit is 10 deg" in why_no_ground(field, 10.0, SPEC)


def test_without_any_asset_the_reason_is_that_of_the_draft_or_of_the_roads():
    battery = Unplaced("battery", 2, "no ground is left")
    draft = Draft((), (battery, battery, Unplaced("substation", 1, "no place")))
    assert why_no_asset(draft, 5000.0, 100.0, "") == (
        "no buildable ground: not one asset can be placed for a target of 5,000 kW (battery: no ground is left)"
    )
    assert why_no_asset(Draft((), ()), None, 100.0, "no road can start").endswith("can be placed (no road can start)")
    assert why_no_asset(Draft((), ()), None, 100.0, "").endswith("(no place is free)")
    # what roads can't reach is the first reason; the last draft keeps off that ground
    assert why_no_asset(draft, 5000.0, 100.0, "too steep").endswith("target of 5,000 kW (too steep)")


def test_a_target_below_one_unit_says_nothing_about_ground():
    text = why_no_asset(Draft((), (Unplaced("battery", 1, "no ground"),)), 100.0, 5000.0, "")
    assert text == "the 100 kW asked for are less than one unit of 5,000 kW; ask for that or more"


@pytest.mark.parametrize(("placed_kw", "target_kw"), [(950.0, None), (950.0, 1000.0), (1000.0, 1000.0)])
def test_less_than_the_smallest_unit_is_not_missing(placed_kw, target_kw):
    assert why_less(placed_kw, target_kw, 100.0, ()) == ""


def test_missing_capacity_is_stated_with_its_reason():
    assert why_less(900.0, 1000.0, 100.0, ()).startswith("900 kW of the 1,000 kW asked for are placed: ")
    lost = [Unplaced("battery", 2, "no road")]
    assert why_less(900.0, 1000.0, 100.0, lost).endswith("(2 x battery: no road)")
    assert why_less(1000.0, 1000.0, 100.0, lost) == "not everything is placed (2 x battery: no road)"


LAND = Land(GroundShares(0.72, 0.0, 0.03, 10.0, 75.0), "solar_farm", SPEC)
NO_SKID = Unplaced("solar_array", 18, "no ground within 5 deg for its inverter skid")


def test_steep_ground_is_the_reason_where_unplaced_assets_are_few():
    assert why_less(3_400.0, 50_000.0, 100.0, [NO_SKID], LAND) == (
        "3,400 kW of the 50,000 kW asked for are placed: 72% of the site is too steep (over 10 deg), "
        "75.0 ha of buildable ground carry no more"
    )


def test_unplaced_assets_are_the_reason_where_they_hold_half_of_what_is_missing():
    assert explaining([NO_SKID], 18_000.0, SPEC, "solar_farm") == [NO_SKID]
    assert explaining([NO_SKID], 18_001.0, SPEC, "solar_farm") == []
    assert why_less(40_000.0, 50_000.0, 100.0, [NO_SKID], LAND).endswith(f"({reasons_in_words([NO_SKID])})")


def test_assets_with_the_same_reason_are_one_clause():
    steep = "too steep: every way to it is far beyond the grade limit of 10 %"
    unplaced = [
        Unplaced("solar_array", 15, steep),
        Unplaced("substation", 1, "no place is free"),
        Unplaced("inverter_skid", 2, steep),
        Unplaced("solar_array", 3, steep),
    ]
    assert (
        reasons_in_words(unplaced) == f"18 x solar_array, 2 x inverter_skid: {steep}; 1 x substation: no place is free"
    )


def test_reasons_that_differ_in_cost_alone_show_its_range():
    def reason(cost, limit="1,600"):
        return f"left out: {cost} USD/kW of road, cable and earthwork, over the limit of {limit} USD/kW; raise it"

    unplaced = [Unplaced("solar_array", 4, reason(cost)) for cost in ("9,000", "1,720", "10,500")]
    assert reasons_in_words(unplaced) == f"12 x solar_array: {reason('1,720 to 10,500')}"
    assert reasons_in_words([*unplaced[:1], unplaced[0]]) == f"8 x solar_array: {reason('9,000')}"
    other = Unplaced("solar_array", 1, reason("1,800", "1,700"))
    assert reasons_in_words([unplaced[0], other]).count(";") == 3  # another limit is another reason


def test_a_missing_substation_is_always_named():
    station = Unplaced("substation", 1, "no place")
    assert explaining([NO_SKID, station], 50_000.0, SPEC, "solar_farm") == [station]


def test_shares_of_a_site_add_up(make):
    ground = make.ground(lambda x, y: np.where(x < 450, 0.5 * x, 225.0))
    ground.z[:, -20:] = np.nan
    site = make.site()
    shares = GroundShares.of(site, make.field(site, ground, setback_m=20.0), 10.0, 1.0)
    assert 0.5 < shares.steep < 0.8
    assert shares.unknown > 0.1
    assert shares.reserved == pytest.approx(1 - 560**2 / 600**2, abs=0.01)
    assert str(shares).startswith(f"{shares.steep:.0%} of the site is too steep (over 10 deg), ")


def test_a_steep_site_names_its_slope_and_no_units(make):
    ground = make.ground(lambda x, y: np.where(x > 440, 0.0, 0.3 * (440 - x)))
    plan = generate_layout(make.site(), make.dem(ground), target_capacity_kw=50_000)
    assert "of the site is too steep (over 10 deg)" in plan.shortfall
    assert " x " not in plan.shortfall
    assert plan.shortfall in plan.warnings
