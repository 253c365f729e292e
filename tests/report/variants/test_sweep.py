"""Sweeps of ground coverage and DC/AC ratio."""

import numpy as np
import pytest

from pacifico.errors import InputError
from pacifico.report.variants.sweep import knee_of, sweep_design, swept_spec

pytest.importorskip("pvlib")
# pvlib 0.16 still asks pandas for what pandas 3 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def dem(make):
    return make.dem(make.ground(lambda x, y: 100 + 0.8 * np.sin(x / 31.0) * np.cos(y / 17.0)))


@pytest.fixture(scope="module")
def sweep(make, dem):
    return sweep_design(make.site(), dem, "gcr", [0.3, 0.4, 0.5])


def test_points_are_layouts_of_their_own_coverage(sweep):
    assert [p.value for p in sweep.points] == [0.3, 0.4, 0.5]
    assert [plan.spec.number("solar", "tracker_gcr") for plan in sweep.plans.values()] == [0.3, 0.4, 0.5]
    capacity = [p.capacity_dc_kw for p in sweep.points]
    assert capacity == sorted(capacity)
    assert capacity[0] < capacity[-1]
    for point, plan in zip(sweep.points, sweep.plans.values(), strict=True):
        assert point.capacity_kw == plan.metrics["total_capacity_kw"]
        assert point.earthwork_m3 >= point.grading_m3 > 0
        assert point.usd_per_mwh_year == pytest.approx(point.cost_usd / point.annual_mwh)


def test_denser_rows_yield_less_for_each_kilowatt(sweep):
    specific = [p.annual_mwh / p.capacity_dc_kw for p in sweep.points]
    assert specific == sorted(specific, reverse=True)


@pytest.mark.parametrize(
    ("cost", "energy", "knee"),
    [
        ([1.0, 2.0, 3.0], [10.0, 18.0, 20.0], 1),
        ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 3.0, 5.0, 5.5, 6.0], 2),
        ([1.0, 2.0, 3.0], [10.0, 15.0, 20.0], None),
        ([1.0, 2.0, 3.0], [10.0, 11.0, 20.0], None),
        ([1.0, 2.0], [10.0, 18.0], None),
        ([3.0, 2.0, 1.0], [20.0, 18.0, 10.0], 1),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], None),
    ],
)
def test_the_knee_is_farthest_above_the_line_from_cheapest_to_dearest(cost, energy, knee):
    assert knee_of(cost, energy) == knee


def test_a_value_replaces_that_of_the_mounting():
    fixed = {"solar": {"mounting": "fixed", "module_efficiency": 0.2}}
    assert swept_spec(fixed, "gcr", 0.5)["solar"] == {**fixed["solar"], "fixed_gcr": 0.5}
    assert swept_spec(None, "dc_ac", 1.2) == {"solar": {"dc_ac_ratio": 1.2}}


@pytest.mark.parametrize(
    ("swept", "values", "words"),
    [
        ("gcr", [0.3, 0.9], "tracker_gcr = 0.9; it must lie between"),
        ("gcr", [], "a sweep of 0 values"),
        ("gcr", [0.3] * 26, "give 1 to 25"),
        ("tilt", [10.0], "can't be swept"),
    ],
)
def test_a_sweep_that_can_not_be_is_refused_before_any_layout(make, dem, swept, values, words):
    with pytest.raises(InputError, match=words):
        sweep_design(make.site(), dem, swept, values)


def test_a_plant_without_arrays_has_nothing_to_sweep(make, dem):
    with pytest.raises(InputError, match="no solar array"):
        sweep_design(make.site(), dem, "dc_ac", [1.2], profile="bess", target_capacity_kw=5000)
