"""Requests: choices and ranges, the entry, the main asset and the smallest unit."""

import pytest
from shapely import Point

from pacifico import crs
from pacifico.errors import InputError
from pacifico.layout.criteria.request import (
    MAIN_ASSET,
    main_slope_limit,
    requested_entry,
    requested_spec,
    smallest_unit_kw,
)
from pacifico.layout.criteria.spec import make_spec
from pacifico.site.model import Anchor
from pacifico.vocabulary import PROFILES

SPEC = make_spec()


def spec_of(profile="solar_farm", strategy="balanced", target=None, setback=None, grade=None, spec=None):
    return requested_spec(profile, strategy, target, setback, grade, spec)


def test_arguments_override_the_spec():
    spec = spec_of(setback=25.0, grade=6.0, spec={"site": {"setback_m": 5.0, "array_reach_m": 70.0}})
    assert spec.number("site", "setback_m") == 25.0
    assert spec.number("site", "array_reach_m") == 70.0
    assert spec.number("road", "max_grade_pct") == 6.0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"profile": "coal"}, r"profile 'coal' is unknown; choose from solar_farm, gas_bess"),
        ({"strategy": "best"}, r"strategy 'best' is unknown; choose from balanced, density"),
        ({"target": 99.0}, r"target capacity 99 kW is out of range; give 100 to 5,000,000 kW"),
        ({"target": float("nan")}, r"out of range"),
        ({"setback": -1.0}, r"site\.setback_m = -1\.0; it must lie between"),
        ({"grade": 50.0}, r"road\.max_grade_pct = 50\.0; it must lie between"),
        ({"spec": {"solar": 3}}, r"is not a section"),
        ({"setback": 5.0, "spec": {"sloar": {}}}, r"unknown section \[sloar\]"),
    ],
)
def test_invalid_requests_are_refused_in_one_line(request_, message):
    with pytest.raises(InputError, match=message) as caught:
        spec_of(**request_)
    assert "\n" not in str(caught.value)


def test_the_main_asset_limits_the_slope():
    assert set(MAIN_ASSET) == set(PROFILES)
    assert [main_slope_limit(p, SPEC) for p in ("solar_farm", "bess", "gas_bess", "wind_hybrid")] == [10, 4, 5, 10]


@pytest.mark.parametrize(
    ("profile", "overrides", "unit_kw"),
    [
        ("solar_farm", {}, 25.9938462),
        ("bess", {}, 1250.0),
        ("gas_bess", {}, 2500.0),
        ("wind_hybrid", {}, 25.9938462),
        ("wind_hybrid", {"wind_hybrid": {"wind_share": 1.0}}, 5000.0),
    ],
)
def test_the_smallest_unit_by_hand(profile, overrides, unit_kw):
    assert smallest_unit_kw(profile, make_spec(overrides)) == pytest.approx(unit_kw)


def test_without_a_request_the_entry_is_that_of_the_file(make):
    gate = Point(make.west, make.south + 100)
    assert requested_entry(make.site(), None) is None
    assert requested_entry(make.site(anchors=(Anchor(gate, "gate", is_entry=True),)), None) == gate


def test_a_requested_entry_is_projected(make):
    lon, lat = crs.transformer(make.crs, crs.LONLAT).transform(make.west + 50, make.south + 60)
    entry = requested_entry(make.site(), (lon, lat))
    assert (entry.x, entry.y) == pytest.approx((make.west + 50, make.south + 60), abs=1e-3)


@pytest.mark.parametrize("entry", [(200.0, 0.0), (0.0, 91.0), (float("nan"), 0.0)])
def test_an_entry_that_is_no_place_is_refused(make, entry):
    with pytest.raises(InputError, match="is not a longitude and latitude"):
        requested_entry(make.site(), entry)
