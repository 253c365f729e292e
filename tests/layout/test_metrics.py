"""Metrics: sums by hand, intervals that hold the value, and true hectares."""

from itertools import chain

import numpy as np
import pytest
import shapely
from fixtures.earthwork import SHAPES, here, line, rough
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from shapely import LineString

from pacifico.layout.earthwork.corridors import corridors
from pacifico.layout.earthwork.criteria import EarthworkCriteria
from pacifico.layout.earthwork.pads import balanced_pad, balanced_pads
from pacifico.layout.earthwork.uncertainty import earthwork_interval, volumes_under_errors
from pacifico.layout.metrics import (
    REALIZATIONS,
    BuildableGround,
    buildable_draws,
    buildable_ground,
    dem_facts,
    earthwork_totals,
    tally,
    works_spread,
)
from pacifico.layout.model.assets import Asset, Item, Pad, outline
from pacifico.layout.model.earthwork import CorridorVolumes, PadPlane
from pacifico.layout.model.roads import make_road
from pacifico.terrain.uncertainty import ErrorModel, error_field, gentle_draws

BUILDABLE = BuildableGround(20.0, (18.0, 22.0))


def asset(kind, **ratings):
    item = Item(kind, (0.0, 0.0, 30.0, 20.0), 4.0, **ratings)
    return Asset(kind, item, outline(item), 1.0, 0.0, 100.0, 1.0, "", "R001")


def test_metrics_are_sums_over_the_features(make):
    assets = [asset("battery", storage_kw=5000.0, storage_kwh=20_000.0), asset("generator", capacity_kw=2500.0)]
    pad = Pad("P0001", ("battery",), PadPlane(shapely.box(0, 0, 30, 20), 100.0, 0.0, 0.0, 10.0, 20.0, 1.0, 2.0))
    road = make_road("R001", "spine", np.array([(0.0, 0.0, 100.0), (100.0, 0.0, 104.0)]), 6.1)
    spread = np.full(1 + REALIZATIONS, 95.0)
    found = tally(
        make.site(600, 600), assets, [pad], [road], [CorridorVolumes(30.0, 40.0, 3.0, 4.0, 1.0)], unreached=2,
        spread_m3=spread, buildable=BUILDABLE,
    )  # fmt: skip
    assert (found["total_capacity_kw"], found["storage_kw"], found["storage_kwh"]) == (2500.0, 5000.0, 20_000.0)
    assert found["assets_by_type"] == {"battery": 1, "generator": 1}
    assert (found["cut_volume_m3"], found["fill_volume_m3"], found["net_earthwork_m3"]) == (44.0, 66.0, -22.0)
    assert (found["pad_cut_m3"], found["road_cut_m3"], found["batter_cut_m3"]) == (10.0, 30.0, 4.0)
    assert (found["pad_fill_m3"], found["road_fill_m3"], found["batter_fill_m3"]) == (20.0, 40.0, 6.0)
    assert (found["road_length_m"], found["max_road_grade_pct"]) == (100.0, 4.0)
    assert found["served_share"] == 0.5
    assert found["buildable_area_p10_p90_ha"] == [18.0, 22.0]
    # errors that change nothing leave the nominal volume
    assert found["earthwork_p10_p90_m3"] == [110.0, 110.0]
    assert found["earthwork_p50_m3"] == 110.0


def test_the_interval_of_earthwork_is_about_the_total_with_side_slopes():
    """Errors that all add 10 m³: the interval reaches as far below the total as above it."""
    spread = np.array([95.0, *[105.0] * REALIZATIONS])
    found = earthwork_totals([], [CorridorVolumes(30.0, 40.0, 3.0, 4.0, 1.0)], spread)
    assert found["earthwork_p10_p90_m3"] == [67.0, 87.0]
    assert found["earthwork_p50_m3"] == 77.0


@pytest.mark.parametrize("volume", [0.0, 0.05, 0.1 + 0.2, 165.14 + 150.43])
def test_rounding_never_moves_the_total_out_of_its_interval(volume):
    road = CorridorVolumes(volume / 3, volume / 3, volume / 6, volume / 6, 1.0)
    found = earthwork_totals([], [road], np.full(1 + REALIZATIONS, 1.0))
    low, high = found["earthwork_p10_p90_m3"]
    assert low <= found["cut_volume_m3"] + found["fill_volume_m3"] <= high


def test_an_empty_layout_has_metrics_too(make):
    empty = tally(make.site(), [], [], [], [], unreached=1, spread_m3=np.zeros(1 + REALIZATIONS), buildable=BUILDABLE)
    assert (empty["asset_count"], empty["served_share"], empty["max_road_grade_pct"]) == (0, 0.0, 0.0)


def test_buildable_ground_of_a_level_site_is_the_site(make):
    site, ground = make.site(600, 600), make.ground(make.level)
    field, dem = make.field(site, ground), make.dem(ground)
    found = buildable_ground(site, field, dem, 10.0)
    assert found.hectares == pytest.approx(site.area_ha, rel=1e-6)
    assert found.p10_p90_ha == (found.hectares, found.hectares)
    assert buildable_ground(site, field, dem, 10.0, draws=buildable_draws(field, dem, 10.0)) == found


def test_the_spread_begins_with_the_volumes_of_the_dem_itself(make):
    ground = make.ground(make.rolling)
    dem, criteria = make.dem(ground), EarthworkCriteria(side_slope=0.0, search_rounds=4)
    pads = [balanced_pad(ground, make.at(x, 200, x + 40, 230), criteria=criteria) for x in (100, 300)]
    x, y = make.west, make.south
    z = ground.at(np.array([x + 100.0, x + 300.0]), np.array([y + 100.0, y + 100.0]))
    line = LineString([(x + 100, y + 100, z[0]), (x + 300, y + 100, z[1])])
    road = make_road("R001", "spine", np.array(line.coords), 6.1)
    spread = works_spread(dem, pads, [road], criteria)
    assert spread.shape == (1 + REALIZATIONS, 3)
    assert spread[0, :2] == pytest.approx([p.cut_m3 + p.fill_m3 for p in pads], rel=0.02)
    assert (spread > 0).all()
    assert works_spread(dem, pads, [road], criteria) == pytest.approx(spread)


def test_without_works_there_is_no_spread(make):
    ground = make.ground(make.level)
    assert works_spread(make.dem(ground), [], [], EarthworkCriteria()).shape == (1 + REALIZATIONS, 0)


GROUNDS = {
    "level": lambda x, y: 100.0 + 0 * x,
    "plane": lambda x, y: 100.0 + 0.05 * x - 0.02 * y,
    "rolling": lambda x, y: 100.0 + 0.015 * x + 9.0 * np.sin(x / 55.0) * np.cos(y / 75.0),
    "terraces": lambda x, y: 100.0 + 4.0 * np.floor(x / 90.0),
}


@pytest.mark.parametrize("name", GROUNDS)
def test_intervals_hold_their_value_and_widen_with_the_error(make, name):
    """Pads and a road on several grounds, under errors of a fine, a usual and a poor elevation model."""
    ground, site = make.ground(GROUNDS[name]), make.site(600, 600)
    field, criteria = make.field(site, ground), EarthworkCriteria()
    pads = [balanced_pad(ground, make.at(x, 200, x + 60, 240), criteria=criteria) for x in (60, 330)]
    xy = np.array([(make.west + x, make.south + 100.0) for x in (60.0, 200.0, 400.0)])
    road = make_road("R001", "spine", np.column_stack([xy, ground.at(*xy.T) + 0.5]), 6.1)
    volumes = corridors(ground, [road.line], [6.1], criteria=criteria)
    highs, lows, gentle = [], [], []
    for rmse in (0.15, 0.8, 2.0):
        error = ErrorModel(rmse, 70.0, "test")
        fields = (error_field(ground.grid, rmse_m=rmse, correlation_m=70.0, seed=seed) for seed in range(REALIZATIONS))
        drawn = volumes_under_errors(
            ground, pads, [road.line], [6.1], errors=chain([np.zeros(ground.grid.shape)], fields), criteria=criteria
        )
        found = earthwork_totals(pads, volumes, np.array(list(drawn)).sum(axis=1))
        low, high = found["earthwork_p10_p90_m3"]
        assert low <= found["cut_volume_m3"] + found["fill_volume_m3"] <= high
        draws = gentle_draws(ground.z, ground.grid, field.inside, (4.0,), error=error)
        area = buildable_ground(site, field, make.dem(ground), 4.0, draws=draws)
        assert area.p10_p90_ha[0] <= area.hectares <= area.p10_p90_ha[1] <= site.area_ha * 1.001
        highs.append(high)
        lows.append(low)
        gentle.append(area.p10_p90_ha[0])
    assert highs[0] < highs[1] < highs[2]
    assert lows[0] >= lows[1] >= lows[2]
    assert gentle[0] >= gentle[1] >= gentle[2]


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), relief=st.floats(0.0, 12.0), rmse=st.floats(0.0, 3.0))
def test_intervals_hold_their_value_on_any_ground(seed, relief, rmse):
    ground = rough(5.0, seed=seed % 1000, n=60, relief=relief + 1e-3)
    pads = balanced_pads(ground, [here(SHAPES["rectangle"])])
    road = line((-60, -60, 201.0), (-10, -45, 199.5), (60, -50, 200.7))
    rng = np.random.default_rng(seed)
    noise = (gaussian_filter(rng.standard_normal(ground.grid.shape), 3.0) * 10 * rmse for _ in range(6))
    found = earthwork_interval(ground, pads, [road], [6.1], errors=noise)
    assert 0 <= found.p10 <= found.p50 <= found.p90


def test_facts_of_a_dem_are_those_of_its_attributes(make):
    dem = make.dem(make.ground(make.level), sha256="abc", nodata_share=0.12345678, source_resolution_m=83.12345)
    assert dem_facts(dem) == {
        "source": "memory", "sha256": "abc", "resolution_m": 10.0, "source_resolution_m": 83.123, "units": "metres",
        "nodata_share": 0.123457,
    }  # fmt: skip
