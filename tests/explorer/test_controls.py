"""Controls show a design and give it back."""

from __future__ import annotations

import pytest

from pacifico.explorer.controls import DesignControls
from pacifico.explorer.state.overrides import Overrides
from pacifico.layout.criteria.design import Design

DESIGNS = [
    Design("bess", "density", 50_000.0, 12.0, 8.0, None, None),
    Design("solar_farm", "balanced", None, 250.0, 20.0, (1.0, 2.0), (3.0, 4.0)),
    Design("hybrid", "clustered", 12_345.0, 0.0, 2.0),
]


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_comes_back_and_is_no_change_of_the_user(design):
    calls = []
    controls = DesignControls(Design(), lambda: calls.append(1))
    controls.set(design)
    assert controls.design(of=design) == design
    assert calls == []
    assert controls.capacity_mw.disabled == (design.target_capacity_kw is None)


def test_a_change_of_the_user_is_passed_on():
    calls = []
    controls = DesignControls(Design(target_capacity_kw=20_000.0), lambda: calls.append(1))
    controls.capacity_mw.value = 30.0
    assert calls == [1]
    assert controls.design(of=Design()).target_capacity_kw == 30_000.0


def test_limits_belong_to_the_controls_and_follow_the_profile():
    calls = []
    controls = DesignControls(Design(target_capacity_kw=20_000.0), lambda: calls.append(1))
    assert controls.limits.widget in controls.all
    controls.profile.value = "bess"
    assert [s.description for s in controls.limits.widget.children] == ["Slope limit, °", "Storage, MWh"]
    controls.limits.storage_mwh.value = 50.0
    assert calls == [1, 1]
    changed = Overrides().with_rule("solar", "dc_ac_ratio", 1.5)
    controls.set(Design(setback_m=10.0, max_road_grade_pct=10.0), changed)
    assert controls.limits.overrides(Overrides()) == changed
    assert calls == [1, 1]
