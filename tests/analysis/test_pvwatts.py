"""PVWatts: light on level rows, modules and inverters."""

import numpy as np
import pytest
from fixtures.weather import ALTITUDE, LAT, LON

from pacifico.analysis.pvwatts import light_on_level_rows, pvwatts_chain
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
