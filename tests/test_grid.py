"""The grid, and the check that every DataArray of heights passes."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
import xarray as xr
from pyproj import CRS

import pacifico
from pacifico.errors import CRSMismatchError, DEMError, InputError
from pacifico.grid import Grid, Ground, elevations, warnings_of
from pacifico.site.model import Site
from pacifico.terrain.horizon import horizon_deg
from pacifico.terrain.products import write_terrain
from pacifico.terrain.surface import slope

UTM15 = CRS.from_epsg(32615)
GRID = Grid(UTM15, 500_000.0, 4_600_800.0, 10.0, 10.0, 80, 80)


def heights():
    x, y = np.meshgrid(GRID.x_centres() - GRID.x0, GRID.y_centres() - GRID.y0)
    return 300 + 0.02 * x + 0.01 * y


def dem_of(z=None, **attrs):
    return GRID.data_array(heights() if z is None else z, name="elevation", **attrs)


@pytest.fixture
def site():
    return Site("s", UTM15, shapely.box(500_100, 4_600_100, 500_700, 4_600_700))


def patched(value):
    z = heights()
    z[30:34, 40:44] = value
    return z


def test_clean_heights_are_not_copied():
    dem = dem_of()
    assert elevations(dem) is dem.values or np.shares_memory(elevations(dem), dem.values)
    assert Ground.of(dem).grid == GRID
    single = dem_of(heights().astype("float32"))
    assert elevations(single).dtype == np.float32
    assert elevations(dem_of(heights().astype("int16"))).dtype == np.float64


@pytest.mark.parametrize("key", ["_FillValue", "missing_value", "nodata"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16"])
def test_a_declared_nodata_value_is_nodata(key, dtype):
    dem = dem_of(patched(-9999).astype(dtype), **{key: -9999})
    assert int(np.isnan(elevations(dem)).sum()) == 16
    assert float(dem.values.min()) == -9999  # the input is unchanged


@pytest.mark.parametrize(
    ("units", "factor"), [("ft", 0.3048), ("feet", 0.3048), ("US survey foot", 1200 / 3937), ("cm", 0.01)]
)
def test_units_are_those_of_the_attribute(units, factor):
    np.testing.assert_allclose(Ground.of(dem_of(heights() / factor, units=units)).z, heights())


@pytest.mark.parametrize("value", [np.inf, -np.inf, -9999.0, 3.4e38, -32768.0])
def test_values_that_are_no_heights_are_refused(value):
    with pytest.raises(DEMError, match=r"16 cells of the DEM hold .* mask them with dem\.where") as caught:
        Ground.of(dem_of(patched(value)))
    assert "\n" not in str(caught.value)


def test_ground_at_sea_level_is_no_void():
    low = heights() - heights().min()
    low[low < 3.0] = 0.0
    assert np.isfinite(elevations(dem_of(low))).all()
    one = patched(300.0)
    one[0, 0] = 0.0
    assert np.isfinite(elevations(dem_of(one))).all()


def bad_dems():
    no_crs = dem_of().drop_vars("spatial_ref")
    broken = dem_of()
    broken.spatial_ref.attrs["crs_wkt"] = "nonsense"
    return {
        "no CRS": (no_crs, "has no CRS"),
        "broken CRS": (broken, "can't be read"),
        "infinite": (dem_of(patched(np.inf)), "mask them"),
        "filler": (dem_of(patched(-9999.0)), "mask them"),
        "unit": (dem_of(units="fathom"), "fathom"),
        "band": (dem_of().expand_dims("band"), "dimensions"),
        "transposed": (dem_of().T, "dimensions"),
        "text": (dem_of(heights().astype(str)), "real numbers"),
        "no coordinates": (dem_of().drop_vars("x"), "no coordinates"),
        "southern first": (dem_of().isel(y=slice(None, None, -1)), "north-up"),
        "uneven": (dem_of().assign_coords(x=dem_of().x + 7.0 * (np.arange(80) > 40)), "evenly spaced"),
        "NaN in x": (dem_of().assign_coords(x=np.where(np.arange(80) == 3, np.nan, dem_of().x)), "evenly spaced"),
        "packed": (dem_of(scale_factor=0.1), "packed"),
        "undeclared void": (dem_of(patched(-999.0)), "16 cells of the DEM hold exactly -999 m"),
        "zeros": (dem_of(patched(0.0)), "exactly 0 m"),
        "dataset": (dem_of().to_dataset(), "choose the variable with the heights.* elevation"),
        "array": (heights(), "is a ndarray"),
        "nothing": (None, "is a NoneType"),
    }


@pytest.mark.parametrize("name", bad_dems())
@pytest.mark.parametrize("entry", ["layout", "slope", "horizon", "terrain"])
def test_every_way_in_refuses_in_one_line(name, entry, site, tmp_path):
    dem, match = bad_dems()[name]
    calls = {
        "layout": lambda: pacifico.generate_layout(site, dem, target_capacity_kw=500),
        "slope": lambda: slope(dem),
        "horizon": lambda: horizon_deg(dem, [500_300.0], [4_600_300.0], azimuths_deg=[0.0]),
        "terrain": lambda: write_terrain(site, dem, tmp_path, slope_limits_deg={"a": 5.0}),
    }
    start = time.monotonic()
    with pytest.raises(InputError, match=match) as caught:
        calls[entry]()
    assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 30


def test_a_layout_in_feet_is_that_in_metres(site):
    metres = pacifico.generate_layout(site, dem_of(units="m"), target_capacity_kw=1_000)
    feet = pacifico.generate_layout(site, dem_of(heights() / 0.3048, units="ft"), target_capacity_kw=1_000)
    for key in ("total_capacity_kw", "road_length_m", "cut_volume_m3"):
        assert feet.metrics[key] == pytest.approx(metres.metrics[key], rel=0.01)


def test_a_geographic_grid_is_refused():
    grid = Grid(CRS.from_epsg(4326), -93.0, 42.0, 1e-4, 1e-4, 5, 5)
    with pytest.raises(CRSMismatchError, match="degrees"):
        Grid.of(grid.data_array(np.zeros((5, 5)), name="z"))


def test_warnings_are_lines_of_text():
    assert warnings_of(dem_of()) == ()
    assert warnings_of(dem_of(warnings="")) == ()
    assert warnings_of(dem_of(warnings="one\ntwo")) == ("one", "two")
    assert warnings_of(dem_of(warnings=("one", "two"))) == ("one", "two")


def test_finer_heights_are_used_while_they_fit_the_dem():
    dem = dem_of(source_resolution_m=20.0)
    finer = Grid(UTM15, GRID.x0, GRID.y0, 10 / 3, 10 / 3, 240, 240)
    z = np.repeat(np.repeat(heights(), 3, axis=0), 3, axis=1)
    dem.encoding["between_cells"] = Ground(finer, z)
    assert Ground.finest_of(dem).grid == finer
    assert Ground.finest_of(dem).unsure_m == pytest.approx((20 - 10 / 3) / 2)
    changed = dem.copy(data=dem.values + 1.0)
    assert Ground.finest_of(changed).grid == GRID


def test_heights_at_points():
    ground = Ground(GRID, heights())
    x, y = np.array([500_123.0, 500_001.0, 499_990.0]), np.array([4_600_456.0, 4_600_400.0, 4_600_400.0])
    got = ground.at(x, y)
    assert got[0] == pytest.approx(300 + 0.02 * 123 + 0.01 * (456 - 800), abs=1e-9)
    assert got[1] == pytest.approx(300 + 0.02 * 5 + 0.01 * -400)
    assert np.isnan(got[2])
    assert ground.complete
    assert isinstance(dem_of(), xr.DataArray)
