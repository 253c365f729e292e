"""Sliders of limits: only those that mean something, and their values as overrides."""

from __future__ import annotations

import pytest

from pacifico.explorer.state.overrides import Overrides
from pacifico.explorer.tools.limits import LimitControls, limits_of
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.spec import make_spec

FIRST = Overrides()


@pytest.fixture
def calls():
    return []


@pytest.fixture
def controls(calls):
    return LimitControls(make_spec(), {"continuous_update": False}, lambda: calls.append(1))


def shown(controls):
    return [slider.description for slider in controls.widget.children]


@pytest.mark.parametrize(
    ("profile", "labels"),
    [
        ("solar_farm", ["Slope limit, °", "GCR", "DC/AC"]),
        ("bess", ["Slope limit, °", "Storage, MWh"]),
        ("gas_bess", ["Slope limit, °", "Storage, MWh"]),
        ("hybrid", ["Slope limit, °", "GCR", "DC/AC", "Storage, MWh"]),
        ("wind_hybrid", ["Slope limit, °", "GCR", "DC/AC", "Storage, MWh"]),
    ],
)
def test_a_profile_shows_what_means_something_for_it(controls, profile, labels):
    controls.show(Design(profile=profile, target_capacity_kw=50_000.0))
    assert shown(controls) == labels


def test_storage_energy_needs_a_target(controls):
    controls.show(Design(profile="bess"))
    assert shown(controls) == ["Slope limit, °"]


def test_rows_of_the_mounting_and_wind_alone():
    fixed = make_spec({"solar": {"mounting": "fixed"}})
    assert "fixed_gcr" in {limit.rule for limit in limits_of("solar_farm", fixed)}
    only_wind = make_spec({"wind_hybrid": {"wind_share": 1.0}})
    assert [limit.rule for limit in limits_of("wind_hybrid", only_wind)] == ["slope_limit_deg"]


def test_a_slider_becomes_an_override_and_its_start_none(controls, calls):
    controls.show(Design())
    slope, cover, _ = controls.widget.children
    cover.value = 0.42
    slope.value = 12.0
    assert controls.overrides(FIRST).rules == (("solar", "tracker_gcr", 0.42), ("solar_array", "slope_limit_deg", 12.0))
    cover.value, slope.value = 0.35, 10.0
    assert controls.overrides(FIRST) == FIRST
    assert len(calls) == 4


def test_storage_energy_follows_the_target_until_it_is_chosen(controls, calls):
    controls.show(Design(profile="bess", target_capacity_kw=50_000.0))
    assert controls.storage_mwh.value == pytest.approx(200.0)
    assert calls == []
    assert controls.overrides(FIRST) == FIRST
    controls.storage_mwh.value = 120.04
    assert calls == [1]
    assert controls.overrides(FIRST).storage_mwh == 120.0
    controls.show(Design(profile="bess", target_capacity_kw=60_000.0))
    assert controls.overrides(FIRST).storage_mwh == 120.0


def test_overrides_come_back_without_a_call_and_others_stay(controls, calls):
    made = Overrides(storage_mwh=80.0).with_rule("solar", "dc_ac_ratio", 1.2).with_edge("north", 5.0)
    made = made.with_rule("inverter_skid", "slope_limit_deg", 6.0)  # no slider
    controls.set(made)
    assert controls.overrides(made) == made
    assert calls == []
    controls.set(FIRST)
    assert controls.overrides(FIRST) == FIRST
