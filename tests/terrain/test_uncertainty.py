from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pyproj import CRS

from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.terrain.sources import ErrorModel
from pacifico.terrain.surface import slope_deg
from pacifico.terrain.uncertainty import (
    buildable_area_ha,
    dem_error,
    error_field,
    gentle_draws,
    quantiles,
)

UTM15 = CRS.from_epsg(32615)


def grid_of(ny=200, nx=240, dx=10.0, dy=10.0):
    return Grid(UTM15, 446_000.0, 4_650_000.0, dx, dy, ny, nx)


def many_fields(grid, count, **options):
    return np.array([error_field(grid, seed=seed, **options) for seed in range(count)])


def test_field_has_the_standard_deviation_asked_for_at_every_cell():
    fields = many_fields(grid_of(12, 14, 8.0, 5.0), 3000, rmse_m=2.0, correlation_m=60.0)
    assert_allclose(fields.mean(axis=0), 0.0, atol=0.15)
    assert_allclose(fields.std(axis=0), 2.0, rtol=0.06)


@pytest.mark.parametrize("axis", [0, 1])
def test_field_is_correlated_as_its_equation_says(axis):
    dx, dy, length = 8.0, 5.0, 60.0
    fields = many_fields(grid_of(40, 40, dx, dy), 500, rmse_m=1.0, correlation_m=length)
    for lag in (1, 4, 8, 16):
        a = fields.take(range(40 - lag), axis=axis + 1)
        b = fields.take(range(lag, 40), axis=axis + 1)
        want = math.exp(-((lag * (dy, dx)[axis] / length) ** 2))
        assert (a * b).mean() == pytest.approx(want, abs=0.06)


def test_same_seed_same_bytes():
    grid = grid_of()
    one = error_field(grid, rmse_m=0.8, correlation_m=100, seed=7)
    assert one.tobytes() == error_field(grid, rmse_m=0.8, correlation_m=100, seed=7).tobytes()
    assert one.tobytes() != error_field(grid, rmse_m=0.8, correlation_m=100, seed=8).tobytes()


def test_bad_models_are_refused():
    with pytest.raises(InputError, match="RMSE is -1 m"):
        error_field(grid_of(), rmse_m=-1, correlation_m=10, seed=0)
    with pytest.raises(InputError, match="correlation length is 0 m"):
        error_field(grid_of(), rmse_m=1, correlation_m=0, seed=0)
    with pytest.raises(InputError, match="at least 10"):
        quantiles(grid_of(9, 9).data_array(np.zeros((9, 9)), name="z"), np.sum, realizations=3)


def rolling(grid):
    x, y = np.meshgrid(grid.x_centres() - grid.x0, grid.y_centres() - grid.y0)
    return 300 + 12 * np.sin(x / 170) * np.cos(y / 210) + 0.01 * x


def test_areas_without_error_are_those_of_the_slope():
    grid = grid_of()
    z = rolling(grid)
    z[50:60, 70:90] = np.nan
    usable = np.zeros(grid.shape, dtype=bool)
    usable[20:150, 30:200] = True
    limits = {"solar_array": 5.0, "battery": 3.0, "substation": 1.5}
    areas = buildable_area_ha(z, grid, usable, limits, error=ErrorModel(0.0, 100.0, "none"), realizations=10)
    steep = slope_deg(z, grid.dx, grid.dy)
    for name, limit in limits.items():
        want = (usable & (steep <= limit)).sum() * 0.01
        assert areas[name].nominal == pytest.approx(want)
        assert areas[name].p10 == areas[name].p50 == areas[name].p90 == areas[name].nominal
    assert areas["solar_array"].nominal > areas["battery"].nominal > areas["substation"].nominal > 0


def test_intervals_widen_with_the_error_and_agree_with_the_plain_way():
    grid = grid_of()
    z = rolling(grid)
    usable = np.ones(grid.shape, dtype=bool)
    widths = []
    for rmse in (0.2, 0.8, 2.0):
        error = ErrorModel(rmse, 100.0, "test")
        fast = buildable_area_ha(z, grid, usable, {"battery": 3.0}, error=error, seed=3)["battery"]
        dem = grid.data_array(z, name="elevation", units="m")
        plain = quantiles(
            dem, lambda heights: float((slope_deg(heights, 10, 10) <= 3.0).sum()) * 0.01, error=error, seed=3
        )
        assert_allclose([fast.p10, fast.p50, fast.p90, fast.nominal], [plain.p10, plain.p50, plain.p90, plain.nominal])
        assert fast.p10 < fast.p50 < fast.p90
        widths.append(fast.p90 - fast.p10)
    assert widths[0] < widths[1] < widths[2]


def test_no_usable_ground():
    grid = grid_of(9, 9)
    none = np.zeros(grid.shape, dtype=bool)
    areas = buildable_area_ha(np.zeros(grid.shape), grid, none, {"a": 3.0}, error=ErrorModel(1, 100, "test"))
    assert areas["a"].p90 == 0


def test_error_by_source():
    def dem(**attrs):
        return grid_of(3, 3).data_array(np.zeros((3, 3)), name="z", **attrs)

    assert dem_error(dem(source="3dep")).rmse_m == 0.8
    assert dem_error(dem(source="glo30")).rmse_m == 2.0
    assert dem_error(dem(source="x.tif", source_resolution_m=1.0)).rmse_m == 0.15
    assert dem_error(dem(source="x.tif", source_resolution_m=83.0)).correlation_m == pytest.approx(581)


@settings(max_examples=20, deadline=None)
@example(seed=323, limit=0.5)
@given(seed=st.integers(0, 2**31), limit=st.floats(0.5, 20))
def test_a_larger_limit_never_loses_area(seed, limit):
    grid = grid_of(30, 30)
    z = np.random.default_rng(seed).normal(size=grid.shape)
    usable = np.ones(grid.shape, dtype=bool)
    areas = buildable_area_ha(
        z, grid, usable, {"b": limit * 1.5, "a": limit}, error=ErrorModel(0.5, 50, "test"), realizations=10, seed=seed
    )
    assert areas["a"].nominal <= areas["b"].nominal
    assert areas["a"].p10 <= areas["b"].p10
    assert areas["a"].p90 <= areas["b"].p90
    for area in areas.values():
        assert area.p10 <= area.nominal <= area.p90


@pytest.mark.parametrize("window", [(0, 40, 0, 50), (3, 9, 4, 31), (39, 40, 0, 1), (10, 40, 20, 50)])
def test_a_window_of_an_error_field_is_that_part_of_it_to_the_byte(window):
    grid = grid_of(40, 50, 5.0, 8.0)
    whole = error_field(grid, rmse_m=1.5, correlation_m=60.0, seed=4)
    r0, r1, c0, c1 = window
    part = error_field(grid, rmse_m=1.5, correlation_m=60.0, seed=4, window=window)
    np.testing.assert_array_equal(part, whole[r0:r1, c0:c1])


@given(st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_counts_from_before_are_those_of_counting_all_again(seed, reaching_the_edge):
    """Blocks of cells closed and opened; heights with nodata; the window kept by a frame of usable cells, or not."""
    rng = np.random.default_rng(seed)
    grid = grid_of(26, 31, 10.0, 7.0)
    z = rng.normal(0, 0.4, grid.shape).cumsum(axis=1)
    z[rng.random(grid.shape) < 0.03] = np.nan
    masks = []
    for _ in range(3):
        usable = np.ones(grid.shape, dtype=bool)
        for _ in range(int(rng.integers(0, 4))):
            r, c = rng.integers(0, 26), rng.integers(0, 31)
            usable[r : r + int(rng.integers(1, 9)), c : c + int(rng.integers(1, 9))] = False
        if not reaching_the_edge:
            usable[:2] = usable[-2:] = usable[:, :2] = usable[:, -2:] = False
        masks.append(usable)
    options = {"error": ErrorModel(0.8, 40.0, "test"), "realizations": 10, "seed": 2}
    known = None
    for usable in masks:
        known = gentle_draws(z, grid, usable, (2.0, 9.0), before=known, **options)
        fresh = gentle_draws(z, grid, usable, (2.0, 9.0), **options)
        np.testing.assert_array_equal(known.drawn, fresh.drawn)
        np.testing.assert_array_equal(known.nominal, fresh.nominal)
        assert known.areas_ha(grid) == list(
            buildable_area_ha(z, grid, usable, {"a": 2.0, "b": 9.0}, **options).values()
        )


@pytest.mark.parametrize(
    ("cell_m", "rmse_m"),
    [
        (1, 0.15),
        (3, 0.15),
        (3.01, 0.8),
        (10, 0.8),
        (15, 0.8),
        (15.01, 2.0),
        (30, 2.0),
        (45, 2.0),
        (45.01, 5.0),
        (90, 5.0),
    ],
)
def test_error_of_an_unknown_raster_goes_by_its_cells(cell_m, rmse_m):
    dem = grid_of(4, 4).data_array(
        np.zeros((4, 4)), name="elevation", units="m", source="x.tif", source_resolution_m=cell_m
    )
    found = dem_error(dem)
    assert found.rmse_m == rmse_m
    assert found.correlation_m == max(30.0, 7 * cell_m)


def smoothed(white, n, cell_m, length_m, axis):
    """White noise along an axis, smoothed to cells: weights and reach as `_fields` and the constants say."""
    at = (np.arange(n) + 0.5) * cell_m / (length_m / 3)  # in lattice cells, three to a correlation length
    place = np.arange(white.shape[axis]) - 6.0  # the first lattice points lie two lengths before the grid
    weights = np.exp(-2 * ((place - at[:, None]) / 3) ** 2)
    first = np.floor(at)[:, None]
    weights[(place < first - 6) | (place > first + 6)] = 0
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return np.tensordot(weights, white, axes=(1, axis))


@pytest.mark.parametrize(("ny", "nx"), [(6, 9), (23, 3)])
def test_a_field_is_the_white_noise_of_its_seed_smoothed_by_a_gaussian_of_half_the_length(ny, nx):
    dx, dy, length = 8.0, 5.0, 60.0
    found = error_field(grid_of(ny, nx, dx, dy), rmse_m=2.5, correlation_m=length, seed=11)
    rows = math.floor((ny - 0.5) * dy / 20) + 13
    columns = math.floor((nx - 0.5) * dx / 20) + 13
    white = np.random.default_rng(11).standard_normal((rows, columns))
    expected = 2.5 * smoothed(smoothed(white, ny, dy, length, 0), nx, dx, length, 1).T
    assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_level_ground_has_no_error_and_unknown_cells_count_as_10_m():
    def error_of(**attrs):
        return dem_error(grid_of(3, 3).data_array(np.zeros((3, 3)), name="z", **attrs))

    assert error_of(source="level ground").rmse_m == 0
    assert (error_of(source="x.tif").rmse_m, error_of().correlation_m) == (0.8, 70)


def test_there_are_40_error_fields_of_seed_0_by_default():
    grid = grid_of(9, 9)
    dem = grid.data_array(np.zeros(grid.shape), name="z")
    asked = []

    def statistic(heights):
        asked.append(heights.copy())
        return float(heights[4, 4] + 100)

    error = ErrorModel(1.0, 50.0, "test")
    found = quantiles(dem, statistic, error=error)
    assert len(asked) == 41
    assert found == quantiles(dem, statistic, error=error, realizations=40, seed=0)
    assert found != quantiles(dem, statistic, error=error, realizations=40, seed=1)
    z = rolling(grid_of(30, 30))
    usable, limits = np.ones(z.shape, dtype=bool), {"a": 3.0}
    areas = buildable_area_ha(z, grid_of(30, 30), usable, limits, error=error)
    assert areas == buildable_area_ha(z, grid_of(30, 30), usable, limits, error=error, realizations=40, seed=0)
    draws = gentle_draws(z, grid_of(30, 30), usable, (3.0,), error=error)
    assert draws.drawn.shape == (40, 1)
    assert draws.areas_ha(grid_of(30, 30)) == [areas["a"]]


def test_an_area_is_at_most_all_of_the_usable_ground():
    grid = grid_of(20, 30, 10.0, 8.0)
    usable = np.zeros(grid.shape, dtype=bool)
    usable[3:17, 5:21] = True
    areas = buildable_area_ha(
        np.zeros(grid.shape), grid, usable, {"a": 2.0}, error=ErrorModel(0.3, 30.0, "test"), seed=5
    )["a"]
    assert areas.p10 < areas.nominal
    assert areas.nominal == areas.p90 == pytest.approx(14 * 16 * 80 / 1e4)


def test_without_usable_ground_the_window_is_empty_and_nothing_is_counted():
    grid = grid_of(9, 9)
    none = np.zeros(grid.shape, dtype=bool)
    draws = gentle_draws(np.zeros(grid.shape), grid, none, (2.0, 5.0), error=ErrorModel(1, 100, "test"))
    assert draws.window == (0, 0, 0, 0)
    assert draws.nominal.tolist() == [0, 0]
    assert draws.drawn.shape == (40, 2)
    assert not draws.drawn.any()


def test_errors_are_drawn_for_the_usable_ground_and_one_cell_around():
    grid, error = grid_of(20, 30), ErrorModel(0.5, 40.0, "test")
    z = rolling(grid)
    usable = np.zeros(grid.shape, dtype=bool)
    usable[4:9, 11:17] = True
    assert gentle_draws(z, grid, usable, (3.0,), error=error).window == (3, 10, 10, 18)
    usable[0, 0] = usable[-1, -1] = True
    assert gentle_draws(z, grid, usable, (3.0,), error=error).window == (0, 20, 0, 30)


def test_only_changed_cells_are_counted_where_the_window_stays():
    grid, error = grid_of(24, 30, 10.0, 7.0), ErrorModel(0.5, 40.0, "test")
    z = rolling(grid)
    usable = np.zeros(grid.shape, dtype=bool)
    usable[6:20, 8:25] = True
    known = gentle_draws(z, grid, usable, (2.0, 4.0), error=error)
    fewer = usable.copy()
    fewer[9:12, 12:20] = False
    fresh = gentle_draws(z, grid, fewer, (2.0, 4.0), error=error)
    raised = replace(known, nominal=known.nominal + 7, drawn=known.drawn + 3)
    assert (
        gentle_draws(z, grid, fewer, (2.0, 4.0), error=error, before=raised).nominal.tolist()
        == (fresh.nominal + 7).tolist()
    )
    assert (gentle_draws(z, grid, fewer, (2.0, 4.0), error=error, before=raised).drawn == fresh.drawn + 3).all()
    # another window or another number of fields: all are counted
    larger = usable.copy()
    larger[3, 3] = True
    again = gentle_draws(z, grid, larger, (2.0, 4.0), error=error, before=raised)
    assert (again.drawn == gentle_draws(z, grid, larger, (2.0, 4.0), error=error).drawn).all()
    few = gentle_draws(z, grid, fewer, (2.0, 4.0), error=error, realizations=12, before=raised)
    assert (few.drawn == gentle_draws(z, grid, fewer, (2.0, 4.0), error=error, realizations=12).drawn).all()


def test_ground_in_two_threads_gives_the_counts_of_one(monkeypatch):
    grid, error = grid_of(40, 50), ErrorModel(0.5, 40.0, "test")
    z, usable = rolling(grid), np.ones(grid.shape, dtype=bool)
    one = gentle_draws(z, grid, usable, (2.0, 4.0), error=error)
    monkeypatch.setattr("pacifico.terrain.uncertainty.THREADS_FROM_CELLS", 0)
    two = gentle_draws(z, grid, usable, (2.0, 4.0), error=error)
    assert (one.drawn == two.drawn).all()


def test_a_model_of_an_error_of_zero_or_a_short_length_is_valid():
    assert not error_field(grid_of(3, 3), rmse_m=0.0, correlation_m=0.5, seed=1).any()
    with pytest.raises(InputError, match="9 realizations are too few"):
        quantiles(grid_of(9, 9).data_array(np.zeros((9, 9)), name="z"), np.sum, realizations=9)
    quantiles(grid_of(9, 9).data_array(np.zeros((9, 9)), name="z"), np.ptp, realizations=10)
