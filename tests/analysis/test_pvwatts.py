"""PVWatts: light on level rows, modules and inverters."""

import numpy as np
import pytest
from fixtures.weather import ALTITUDE, LAT, LON

from pacifico.analysis.pvwatts import facing_deg, light_on_level_rows, pvwatts_chain
from pacifico.analysis.solar_part import SolarPart
from pacifico.layout.criteria.spec import make_spec

pytest.importorskip("pvlib")
# pvlib 0.16 still uses a name that pandas 3 has changed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def chain(typical_year):
    part = SolarPart(LAT, LON, ALTITUDE, np.array([1300.0]), np.array([1000.0]), "tracker", 0.35)
    return pvwatts_chain(light_on_level_rows(part, typical_year, make_spec()), 1300.0, 1000.0, make_spec())


def test_light_adds_up(chain):
    whole = chain.dc_power(1.0, 1.0)
    assert (whole >= chain.dc_power(0.5, 1.0) - 1e-9).all()
    assert (chain.dc_power(0.0, 1.0) >= chain.dc_power(0.0, 0.0)).all()
    hourly = chain.dc_power(np.ones(len(whole)), np.ones(len(whole)))
    np.testing.assert_array_equal(hourly, whole)


def test_inverters_clip_at_their_rating(chain):
    assert chain.ac_power(np.array([0.0, 5000.0])).tolist() == [0.0, pytest.approx(1000.0)]
    assert chain.unclipped(np.array([5000.0]))[0] == pytest.approx(4800.0)


@pytest.mark.parametrize(
    ("azimuth", "north", "south"), [(0.0, 180, 0), (20.0, 200, 20), (-35.0, 145, 325), (90.0, 90, 270)]
)
def test_fixed_tables_face_the_equator_across_their_rows(azimuth, north, south):
    assert facing_deg(azimuth, 45.0) == north
    assert facing_deg(azimuth, -45.0) == south


@pytest.mark.parametrize(("mounting", "azimuth"), [("tracker", 20.0), ("tracker", 90.0), ("fixed", -35.0)])
def test_light_is_that_of_pvlib_on_the_turned_rows(typical_year, mounting, azimuth):
    from pvlib import irradiance, tracking

    part = SolarPart(LAT, LON, ALTITUDE, np.array([1300.0]), np.array([1000.0]), mounting, 0.35)
    spec = make_spec({"solar": {"row_azimuth_deg": azimuth}})
    sky = light_on_level_rows(part, typical_year, spec)
    tilt, facing = spec.number("energy", "fixed_tilt_deg"), 180.0 + azimuth
    if mounting == "tracker":
        turned = tracking.singleaxis(
            sky.sun["apparent_zenith"], sky.sun["azimuth"], axis_azimuth=azimuth, backtrack=True, gcr=0.35,
            max_angle=spec.number("energy", "tracker_max_deg"),
        )  # fmt: skip
        tilt, facing = turned["surface_tilt"].fillna(0.0), turned["surface_azimuth"].fillna(0.0)
    expected = irradiance.aoi(tilt, facing, sky.sun["apparent_zenith"], sky.sun["azimuth"])
    day = sky.sun["apparent_elevation"] > 1.0
    np.testing.assert_allclose(sky.incidence_deg[day], expected[day], atol=1e-5)
