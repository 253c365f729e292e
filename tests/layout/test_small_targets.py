"""Targets of few units: each profile and strategy places what fits, or says what one unit needs."""

import pytest

from pacifico.errors import NoBuildableGroundError
from pacifico.layout.generate import generate_layout
from pacifico.vocabulary import PROFILES, STRATEGIES

SITES = {"level": (260.0, 200.0), "rolling": (300.0, 240.0)}
TARGETS_KW = (100, 150, 2_500, 3_000, 5_000)


@pytest.fixture(scope="module")
def places(make):
    """Small site and DEM by the name of its relief."""
    return {name: (make.site(*size), make.dem(make.ground(getattr(make, name), *size))) for name, size in SITES.items()}


def check(place, profile, strategy, target):
    """Lay out a small site; the plan holds the target, or the refusal says why."""
    site, dem = place
    try:
        plan = generate_layout(site, dem, profile=profile, strategy=strategy, target_capacity_kw=target)
    except NoBuildableGroundError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "ask for that or more" in refused or "no free ground" in refused
        return
    storage_kw = sum(a.item.storage_kw for a in plan.asset_list)
    placed_kw = storage_kw if profile == "bess" else plan.metrics["total_capacity_kw"]
    assert 0 < placed_kw <= target + 0.5


@pytest.mark.parametrize("relief", SITES)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("profile", PROFILES)
def test_less_than_one_unit_is_refused(places, profile, strategy, relief):
    check(places[relief], profile, strategy, 100)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_one_generator_without_its_battery_is_placed(places, strategy):
    check(places["level"], "gas_bess", strategy, 3_000)


@pytest.mark.slow
@pytest.mark.parametrize("relief", SITES)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("profile", PROFILES)
def test_a_small_target_is_met_or_refused(places, profile, strategy, relief):
    for target in TARGETS_KW:
        check(places[relief], profile, strategy, target)
