"""Energy against pvlib's own ModelChain, horizons and losses."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.shade import array, field
from fixtures.weather import ALTITUDE, LAT, LON

from pacifico.analysis.energy import annual_energy
from pacifico.analysis.solar_part import PlantRows, SolarPart
from pacifico.analysis.weather import clear_sky
from pacifico.errors import InputError
from pacifico.layout.criteria.spec import make_spec

pvlib = pytest.importorskip("pvlib")
# pvlib 0.16 still uses a name that pandas 3 has changed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")

SPEC = make_spec()


def part(mounting="tracker", gcr=0.35, horizon=None, n=1, lat=LAT):
    return SolarPart(lat, LON, ALTITUDE, np.full(n, 1300.0 / n), np.full(n, 1000.0 / n), mounting, gcr, horizon)


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_energy_is_that_of_pvlibs_model_chain(typical_year, mounting):
    from pvlib.location import Location
    from pvlib.modelchain import ModelChain
    from pvlib.pvsystem import Array, FixedMount, PVSystem, SingleAxisTrackerMount

    mount = (
        SingleAxisTrackerMount(axis_tilt=0, axis_azimuth=180, max_angle=60, backtrack=True, gcr=0.35)
        if mounting == "tracker"
        else FixedMount(25, 180)
    )
    array = Array(
        mount, module_parameters={"pdc0": 1300.0, "gamma_pdc": -0.0035}, module_type="glass_polymer", albedo=0.2,
        temperature_model_parameters=pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"],
    )  # fmt: skip
    system = PVSystem(
        [array], inverter_parameters={"pdc0": 1000.0 / 0.96, "eta_inv_nom": 0.96},
        losses_parameters={"soiling": 14.08, "shading": 0, "snow": 0, "mismatch": 0, "wiring": 0, "connections": 0, "lid": 0, "nameplate_rating": 0, "age": 0, "availability": 0},
    )  # fmt: skip
    chain = ModelChain.with_pvwatts(system, Location(LAT, LON, altitude=ALTITUDE))
    chain.run_model(typical_year.hours)
    ac = np.nan_to_num(chain.results.ac.to_numpy())
    found = annual_energy(part(mounting), typical_year, SPEC)
    assert found.annual_mwh == pytest.approx(ac.sum() / 1e3, rel=2e-4)
    month = typical_year.hours.index.month
    np.testing.assert_allclose(found.monthly_mwh, [ac[month == m].sum() / 1e3 for m in range(1, 13)], rtol=1e-3)
    assert found.clipped_share > 0
    assert found.horizon_loss_share == 0


def test_figures_agree_with_each_other(typical_year):
    found = annual_energy(part(), typical_year, SPEC)
    assert sum(found.monthly_mwh) == pytest.approx(found.annual_mwh, abs=0.01)
    assert found.specific_yield_kwh_per_kwdc == pytest.approx(found.annual_mwh / 1.3, abs=0.1)
    assert found.capacity_factor == pytest.approx(found.annual_mwh / 8760, abs=1e-4)
    assert found == annual_energy(part(n=7), typical_year, SPEC)


def test_trackers_yield_more_than_fixed_rows_and_sparse_rows_more_than_dense(typical_year):
    tracker, fixed = (annual_energy(part(m), typical_year, SPEC).annual_mwh for m in ("tracker", "fixed"))
    assert tracker > 1.05 * fixed
    assert annual_energy(part(gcr=0.6), typical_year, SPEC).annual_mwh < tracker


def test_losses_count_once(typical_year):
    small = replace(part(), ac_kw=np.array([10_000.0]))  # no clipping
    full, half = (
        annual_energy(
            small, typical_year, make_spec({"energy": {"losses_pct": p, "inverter_efficiency_pct": 96}})
        ).annual_mwh
        for p in (0.0, 50.0)
    )
    # less than half: the inverter works at lower part load
    assert 0.44 * full < half < 0.5 * full


def test_a_horizon_reduces_beam_and_diffuse_light(typical_year):
    flat = annual_energy(part(), typical_year, SPEC)
    none = annual_energy(part(horizon=np.zeros((1, 72))), typical_year, SPEC)
    assert none == flat
    hills = annual_energy(part(horizon=np.full((1, 72), 20.0)), typical_year, SPEC)
    assert 0.05 < hills.horizon_loss_share < 0.4
    east = np.zeros((1, 72))
    east[0, 6:30] = 20.0
    assert 0 < annual_energy(part(horizon=east), typical_year, SPEC).horizon_loss_share < hills.horizon_loss_share
    half = annual_energy(part(n=2, horizon=np.vstack([np.zeros(72), np.full(72, 20.0)])), typical_year, SPEC)
    assert half.annual_mwh == pytest.approx((flat.annual_mwh + hills.annual_mwh) / 2, rel=0.01)


def test_a_clear_sky_gives_an_upper_bound_with_a_warning(typical_year):
    sky = clear_sky(LAT, LON, ALTITUDE)
    found = annual_energy(part(), sky, SPEC)
    assert found.clear_sky
    assert "upper bound" in found.warnings[0]
    assert found.annual_mwh > annual_energy(part(), typical_year, SPEC).annual_mwh


def test_south_of_the_equator_summer_is_in_january():
    north, south = (annual_energy(part("fixed", lat=lat), clear_sky(lat, LON, 0.0), SPEC) for lat in (40.0, -40.0))
    assert np.argmax(south.monthly_mwh) in (0, 1, 10, 11)
    assert south.annual_mwh == pytest.approx(north.annual_mwh, rel=0.1)


def on(height, azimuth=0.0, n=4):
    """Part with rows on ground that is a function of place."""
    rows = field(
        height,
        *(array((k * 4 * 2.4 / 0.35, 0.0), rows=4, pitch=2.4 / 0.35, azimuth=azimuth, name=f"a{k}") for k in range(n)),
    )
    return replace(part(n=n), rows=PlantRows((rows,), dict.fromkeys([f"a{k}" for k in range(n)], 1300.0 / n)))


def test_trackers_on_level_ground_lose_nothing_to_each_other(typical_year):
    level = annual_energy(on(lambda x, y: 0 * x), typical_year, SPEC)
    bare = annual_energy(part(), typical_year, SPEC)
    assert level.annual_mwh == pytest.approx(bare.annual_mwh, rel=1e-6)
    assert level.row_shade_loss_share == bare.row_shade_loss_share == 0.0
    assert [a.array_id for a in level.arrays] == ["a0", "a1", "a2", "a3"]
    assert all(a.row_shade_loss_share < 1e-5 for a in level.arrays)


def test_rolling_ground_costs_energy_and_terrain_backtracking_wins_most_back(typical_year):
    hills = on(lambda x, y: 2.0 * np.sin(x / 20.0))
    standard = annual_energy(hills, typical_year, SPEC)
    terrain = annual_energy(hills, typical_year, make_spec({"energy": {"backtracking": "terrain"}}))
    level = annual_energy(part(), typical_year, SPEC).annual_mwh
    assert (standard.backtracking, terrain.backtracking) == ("standard", "terrain")
    assert standard.annual_mwh < terrain.annual_mwh < 1.01 * level
    assert 0.01 < standard.row_shade_loss_share < 0.2
    assert terrain.row_shade_loss_share < 0.3 * standard.row_shade_loss_share
    worst = max(standard.arrays, key=lambda a: a.row_shade_loss_share)
    assert worst.relative_yield < 1.0


def test_rows_that_slope_south_yield_more_than_rows_that_slope_north(typical_year):
    south, north = (annual_energy(on(lambda x, y, s=s: s * y), typical_year, SPEC).annual_mwh for s in (0.08, -0.08))
    assert north < annual_energy(part(), typical_year, SPEC).annual_mwh < south


def test_fixed_rows_shade_each_other_on_level_ground_too(typical_year):
    rows = field(lambda x, y: 0 * x, array(rows=8, pitch=4.8 / 0.45, collector=4.8, azimuth=90.0, name="a"))
    fixed = make_spec({"solar": {"mounting": "fixed"}})
    found = annual_energy(replace(part("fixed", 0.45), rows=PlantRows((rows,), {"a": 1300.0})), typical_year, fixed)
    assert found.backtracking == "none"
    assert 0.001 < found.row_shade_loss_share < 0.05


def test_without_arrays_there_is_no_energy(typical_year):
    with pytest.raises(InputError, match="no solar array"):
        annual_energy(replace(part(), dc_kw=np.zeros(1)), typical_year, SPEC)
