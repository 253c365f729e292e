"""Capacities that each profile asks for, by hand."""

import pytest

from pacifico.errors import InputError
from pacifico.layout.criteria.capacities import Capacities, requested_capacities
from pacifico.layout.criteria.spec import make_spec

SPEC = make_spec()


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("solar_farm", Capacities(solar_kw=20_000.0)),
        ("bess", Capacities(storage_kw=20_000.0)),
        ("hybrid", Capacities(solar_kw=20_000.0, storage_kw=10_000.0)),
        ("wind_hybrid", Capacities(solar_kw=10_000.0, wind_kw=10_000.0, storage_kw=5_000.0)),
        ("gas_bess", Capacities(gas_kw=20_000.0, storage_kw=5_000.0, control_center=True)),
    ],
)
def test_a_target_of_20_mw(profile, expected):
    assert requested_capacities(profile, 20_000.0, SPEC) == expected


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("solar_farm", Capacities(solar_kw=None)),
        ("bess", Capacities(storage_kw=None)),
        ("hybrid", Capacities(solar_kw=None, storage_kw=None)),
        ("wind_hybrid", Capacities(solar_kw=None, wind_kw=None, storage_kw=None)),
    ],
)
def test_without_a_target_as_much_as_the_ground_carries(profile, expected):
    assert requested_capacities(profile, None, SPEC) == expected


def test_a_power_plant_needs_a_target():
    with pytest.raises(InputError, match="give target_capacity_kw"):
        requested_capacities("gas_bess", None, SPEC)


@pytest.mark.parametrize(
    ("share", "target", "wind_kw", "solar_kw"),
    [
        (0.5, 18_000.0, 5_000.0, 13_000.0),  # one turbine of 5 MW in 9 MW
        (0.1, 40_000.0, 4_000.0, 40_000.0),  # less than a turbine: all is solar, and the shortfall is recorded
        (1.0, 12_000.0, 10_000.0, 0.0),  # wind alone
    ],
)
def test_whole_turbines_and_solar_arrays_for_the_rest(share, target, wind_kw, solar_kw):
    found = requested_capacities("wind_hybrid", target, make_spec({"wind_hybrid": {"wind_share": share}}))
    assert (found.wind_kw, found.solar_kw) == (wind_kw, solar_kw)
    assert found.storage_kw == 0.25 * target
