"""Energy against pvlib's own ModelChain, horizons and losses."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.weather import ALTITUDE, LAT, LON
from pyproj import CRS

from pacifico.analysis.energy import SolarPart, annual_energy, solar_part
from pacifico.analysis.weather import clear_sky
from pacifico.errors import InputError
from pacifico.grid import Grid
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


def test_horizons_are_in_directions_from_true_north():
    """A wall due true east of a place in the east of its zone."""
    from pacifico.crs import LONLAT, transformer

    crs = CRS.from_epsg(32615)
    to_grid = transformer(LONLAT, crs)
    x, y = to_grid.transform(-90.1, 60.0)
    east = np.subtract(to_grid.transform(-90.1 + 0.02, 60.0), (x, y))
    grid = Grid(crs, x - 3000, y + 3000, 20.0, 20.0, 300, 300)
    gx, gy = np.meshgrid(grid.x_centres() - x, grid.y_centres() - y)
    spot = east / np.hypot(*east) * 1000
    dem = grid.data_array(100 + 150 * (np.hypot(gx - spot[0], gy - spot[1]) < 60), name="elevation")
    found = solar_part(
        np.array([x]), np.array([y]), np.ones(1), np.ones(1), crs=crs, altitude_m=0.0, spec=SPEC, dem=dem
    )
    assert found.horizon_deg is not None
    row = found.horizon_deg[0]
    assert np.argmax(row) == 18  # 90 degrees from true north
    assert row[17] == pytest.approx(row[19], abs=1.5)
    assert (found.lat, found.lon) == (pytest.approx(60.0), pytest.approx(-90.1))


def test_without_arrays_there_is_no_energy():
    nothing = np.empty(0)
    with pytest.raises(InputError, match="no solar array"):
        solar_part(nothing, nothing, nothing, nothing, crs=CRS.from_epsg(32615), altitude_m=0.0, spec=SPEC)
