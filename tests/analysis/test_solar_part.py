"""Solar part of a layout: place, horizons and rows."""

import numpy as np
import pytest
from pyproj import CRS

from pacifico.analysis.solar_part import plant_rows, solar_part
from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.layout.criteria.spec import make_spec
from pacifico.layout.generate import generate_layout

SPEC = make_spec()


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


def test_rows_carry_the_rating_of_their_arrays(make):
    dem = make.dem(make.ground(lambda x, y: 100 + 0 * x))
    plan = generate_layout(make.site(), dem, target_capacity_kw=2000)
    rows = plant_rows(plan.asset_list, plan.spec, dem)
    assert sum(rows.dc_kw.values()) == pytest.approx(plan.metrics["total_capacity_dc_kw"], abs=1.0)
    assert set(rows.dc_kw) == {name for f in rows.fields for name in f.array_id}
