"""Overrides become the spec of a design."""

from __future__ import annotations

import pytest

from pacifico.errors import InputError
from pacifico.explorer.state.overrides import Overrides, storage_hours, storage_power_kw
from pacifico.layout.criteria.capacities import requested_capacities
from pacifico.layout.criteria.design import Design
from pacifico.layout.criteria.spec import make_spec


def test_nothing_changed_keeps_the_spec_of_the_start():
    start = {"road": {"width_m": 7.0}}
    assert Overrides().spec(Design(spec=start)) is start
    assert Overrides().spec(Design()) is None


def test_rules_replace_those_of_the_start_and_can_be_dropped():
    changed = Overrides().with_rule("solar", "tracker_gcr", 0.4).with_rule("battery", "slope_limit_deg", 3.0)
    made = changed.spec(Design(spec={"solar": {"tracker_gcr": 0.3, "aisle_m": 14.0}}))
    assert made == {"solar": {"tracker_gcr": 0.4, "aisle_m": 14.0}, "battery": {"slope_limit_deg": 3.0}}
    assert changed.rule("solar", "tracker_gcr") == 0.4
    back = changed.with_rule("solar", "tracker_gcr", None).with_rule("battery", "slope_limit_deg", None)
    assert back == Overrides()


def test_the_order_of_changes_makes_no_difference():
    one = Overrides().with_edge("north", 30.0).with_edge(3, 5.0).with_edge("County road", 40.0)
    other = Overrides().with_edge("County road", 40.0).with_edge(3, 5.0).with_edge("north", 30.0)
    assert one == other
    assert hash(one) == hash(other)
    assert [edge for edge, _ in one.edge_setbacks] == ["north", "County road", 3]  # the closest choice holds


def test_setbacks_of_edges_follow_those_of_the_start():
    start = {"site": {"setbacks": [{"edges": "south", "setback_m": 9.0}]}}
    made = Overrides(edge_setbacks=(("north", 30.0),)).spec(Design(spec=start))
    assert [s.setback_m for s in make_spec(made).setbacks] == [9.0, 30.0]


@pytest.mark.parametrize("profile", ["bess", "hybrid", "gas_bess", "wind_hybrid"])
def test_storage_energy_is_reached_at_the_power_of_the_target(profile):
    design = Design(profile=profile, target_capacity_kw=100_000.0)
    spec = make_spec(Overrides(storage_mwh=60.0).spec(design))
    power_kw = requested_capacities(profile, 100_000.0, spec).storage_kw
    assert power_kw * storage_hours(spec) == pytest.approx(60_000.0, rel=1e-6)
    assert storage_power_kw(design, spec) == power_kw
    assert spec.number("battery", "storage_kwh") == make_spec().number("battery", "storage_kwh")


def test_storage_energy_waits_for_a_target_and_for_storage():
    assert Overrides(storage_mwh=60.0).spec(Design(profile="bess")) == {}
    assert Overrides(storage_mwh=60.0).spec(Design(target_capacity_kw=1000.0)) == {}


def test_a_duration_out_of_range_is_refused_with_the_range():
    with pytest.raises(InputError, match=r"last 0\.02 h; give 20\.0 to 10,000\.0 MWh"):
        Overrides(storage_mwh=1.0).spec(Design(profile="bess", target_capacity_kw=50_000.0))
