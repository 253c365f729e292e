"""Energy against pvlib's own ModelChain, and weather files of every kind, good and hostile."""

import datetime as dt
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pyproj import CRS

from pacifico.analysis import weather as weather_
from pacifico.analysis.energy import SolarPart, annual_energy, solar_part
from pacifico.analysis.weather import clear_sky, read_weather
from pacifico.errors import InputError
from pacifico.grid import Grid
from pacifico.layout.criteria.spec import make_spec

pvlib = pytest.importorskip("pvlib")
# pvlib 0.16 still asks pandas for what pandas 3 has renamed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")

LAT, LON, ALTITUDE = 41.9, -93.6, 300.0
RULES = make_spec()


def year():
    """Synthetic typical year: clear-sky sun behind clouds that come and go, seasons of temperature; hours end at the index."""
    sky = clear_sky(LAT, LON, ALTITUDE).hours
    n = np.arange(8760)
    clouds = 0.55 + 0.45 * np.sin(n / 37.0) ** 2
    dni = np.round(sky["dni"].to_numpy() * np.maximum(2 * clouds - 1, 0.0))
    ghi = np.round(sky["ghi"].to_numpy() * clouds)
    dhi = np.round(np.clip(ghi - 0.7 * dni * ghi / np.maximum(ghi.max(), 1), 0, 500))
    air = np.round(10 - 14 * np.cos(2 * np.pi * n / 8760) + 5 * np.sin(2 * np.pi * n / 24), 1)
    return pd.DataFrame({"ghi": ghi, "dni": dni, "dhi": dhi, "temp_air": air, "wind_speed": 3.0})


YEARS = (2003, 2000, 1999, 2011, 2005, 2001, 1998, 2007, 2004, 2002, 2010, 2009)
"""Of the months: a typical year is put together; February of a leap year without its 29th."""


def epw(data, lat=LAT, lon=LON, tz=-6, skip=0):
    lines = [f"LOCATION,Somewhere,IA,USA,TMY,725460,{lat},{lon},{tz},{ALTITUDE}", *["X"] * 7]
    stamp = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
    for row in data.itertuples():
        cells = [
            YEARS[stamp.month - 1], stamp.month, stamp.day, stamp.hour + 1, 60, "?", row.temp_air, 5.0, 60, 98000, 0, 0, 300,
            row.ghi, row.dni, row.dhi, 0, 0, 0, 0, 180, row.wind_speed, 5, 5, 20, 7777, 9, 999999999, 10, 0.1, 0, 88, 0.2, 0, 0,
        ]  # fmt: skip
        lines.append(",".join(map(str, cells)))
        stamp += dt.timedelta(hours=1)
    return "\n".join(lines[: len(lines) - skip]) + "\n"


def tmy3(data):
    names = [
        "Date (MM/DD/YYYY)",
        "Time (HH:MM)",
        "GHI (W/m^2)",
        "DNI (W/m^2)",
        "DHI (W/m^2)",
        "Dry-bulb (C)",
        "Wspd (m/s)",
    ]
    lines = [f'725460,"SOMEWHERE",IA,-6.0,{LAT},{LON},{ALTITUDE:.0f}', ",".join(names)]
    stamp = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
    for row in data.itertuples():
        day = f"{stamp.month:02d}/{stamp.day:02d}/{YEARS[stamp.month - 1]}"
        lines.append(f"{day},{stamp.hour + 1:02d}:00,{row.ghi},{row.dni},{row.dhi},{row.temp_air},{row.wind_speed}")
        stamp += dt.timedelta(hours=1)
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def data():
    return year()


@pytest.fixture(scope="module")
def typical(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("weather") / "somewhere.epw"
    path.write_text(epw(data))
    return read_weather(path, lat=LAT, lon=LON)


def part(mounting="tracker", gcr=0.35, horizon=None, n=1, lat=LAT):
    return SolarPart(lat, LON, ALTITUDE, np.full(n, 1300.0 / n), np.full(n, 1000.0 / n), mounting, gcr, horizon)


def test_a_file_is_read_as_it_was_written(typical, data):
    for column in weather_.COLUMNS:
        np.testing.assert_allclose(typical.hours[column], data[column])
    assert str(typical.hours.index[0]) == "1990-01-01 00:30:00-06:00"
    assert not typical.clear_sky
    assert typical.warnings == ()


def test_both_formats_say_the_same(typical, data, tmp_path):
    (tmp_path / "s.csv").write_text(tmy3(data))
    other = read_weather(tmp_path / "s.csv", lat=LAT, lon=LON)
    pd.testing.assert_frame_equal(other.hours, typical.hours, check_dtype=False, check_freq=False)


@pytest.mark.parametrize("mounting", ["tracker", "fixed"])
def test_energy_is_that_of_pvlibs_model_chain(typical, mounting):
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
    chain.run_model(typical.hours)
    ac = np.nan_to_num(chain.results.ac.to_numpy())
    found = annual_energy(part(mounting), typical, RULES)
    assert found.annual_mwh == pytest.approx(ac.sum() / 1e3, rel=2e-4)
    month = typical.hours.index.month
    np.testing.assert_allclose(found.monthly_mwh, [ac[month == m].sum() / 1e3 for m in range(1, 13)], rtol=1e-3)
    assert found.clipped_share > 0
    assert found.horizon_loss_share == 0


def test_figures_agree_with_each_other(typical):
    found = annual_energy(part(), typical, RULES)
    assert sum(found.monthly_mwh) == pytest.approx(found.annual_mwh, abs=0.01)
    assert found.specific_yield_kwh_per_kwdc == pytest.approx(found.annual_mwh / 1.3, abs=0.1)
    assert found.capacity_factor == pytest.approx(found.annual_mwh / 8760, abs=1e-4)
    assert found == annual_energy(part(n=7), typical, RULES)


def test_trackers_yield_more_than_fixed_rows_and_sparse_rows_more_than_dense(typical):
    tracker, fixed = (annual_energy(part(m), typical, RULES).annual_mwh for m in ("tracker", "fixed"))
    assert tracker > 1.05 * fixed
    assert annual_energy(part(gcr=0.6), typical, RULES).annual_mwh < tracker


def test_losses_count_once(typical):
    small = replace(part(), ac_kw=np.array([10_000.0]))  # no clipping
    full, half = (
        annual_energy(
            small, typical, make_spec({"energy": {"losses_pct": p, "inverter_efficiency_pct": 96}})
        ).annual_mwh
        for p in (0.0, 50.0)
    )
    # less than half: the inverter works at lower part load
    assert 0.44 * full < half < 0.5 * full


def test_a_horizon_takes_beam_and_sky(typical):
    flat = annual_energy(part(), typical, RULES)
    none = annual_energy(part(horizon=np.zeros((1, 72))), typical, RULES)
    assert none == flat
    hills = annual_energy(part(horizon=np.full((1, 72), 20.0)), typical, RULES)
    assert 0.05 < hills.horizon_loss_share < 0.4
    east = np.zeros((1, 72))
    east[0, 6:30] = 20.0
    assert 0 < annual_energy(part(horizon=east), typical, RULES).horizon_loss_share < hills.horizon_loss_share
    half = annual_energy(part(n=2, horizon=np.vstack([np.zeros(72), np.full(72, 20.0)])), typical, RULES)
    assert half.annual_mwh == pytest.approx((flat.annual_mwh + hills.annual_mwh) / 2, rel=0.01)


def test_a_clear_sky_is_an_upper_bound_and_says_so(typical):
    sky = clear_sky(LAT, LON, ALTITUDE)
    found = annual_energy(part(), sky, RULES)
    assert found.clear_sky
    assert "upper bound" in found.warnings[0]
    assert found.annual_mwh > annual_energy(part(), typical, RULES).annual_mwh


def test_south_of_the_equator_the_year_is_turned_round():
    north, south = (annual_energy(part("fixed", lat=lat), clear_sky(lat, LON, 0.0), RULES) for lat in (40.0, -40.0))
    assert np.argmax(south.monthly_mwh) in (0, 1, 10, 11)
    assert south.annual_mwh == pytest.approx(north.annual_mwh, rel=0.1)


def test_directions_are_turned_from_true_to_grid_north():
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
        np.array([x]), np.array([y]), np.ones(1), np.ones(1), crs=crs, altitude_m=0.0, spec=RULES, dem=dem
    )
    assert found.horizon_deg is not None
    row = found.horizon_deg[0]
    assert np.argmax(row) == 18  # 90 degrees from true north
    assert row[17] == pytest.approx(row[19], abs=1.5)
    assert (found.lat, found.lon) == (pytest.approx(60.0), pytest.approx(-90.1))


def test_without_arrays_there_is_no_energy():
    nothing = np.empty(0)
    with pytest.raises(InputError, match="no solar array"):
        solar_part(nothing, nothing, nothing, nothing, crs=CRS.from_epsg(32615), altitude_m=0.0, spec=RULES)


def swapped(text, line, column, value):
    lines = text.split("\n")
    cells = lines[line].split(",")
    cells[column] = value
    lines[line] = ",".join(cells)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda _: "", "neither EPW"),
        (lambda _: "\x00\x01\x02", "neither EPW"),
        (lambda t: t.replace("LOCATION", "PLACE", 1), "neither EPW"),
        (lambda t: t.split("\n", 1)[0], "0 hours outside leap days"),
        (lambda t: swapped(t, 0, 6, "north"), "can't be read as EPW"),
        (lambda t: swapped(t, 0, 6, "141.9"), "nowhere on earth"),
        (lambda t: swapped(t, 0, 8, "77"), "can't be read as EPW"),
        (lambda t: swapped(t, 0, 8, "17"), "nowhere on earth"),
        (lambda t: swapped(t, 0, 8, "nan"), "can't be read as EPW"),
        (lambda t: swapped(t, 0, 6, "-41.9"), "the other hemisphere"),
        (lambda t: swapped(t, 0, 7, "93.6"), "of longitude away"),
        (lambda t: swapped(t, 0, 8, "6"), "falls where the sun is down"),
        (lambda t: "\n".join(t.split("\n")[:5000]), "not the 8760 of a year"),
        (lambda t: "\n".join([*t.split("\n")[:-2], t.split("\n")[100], ""]), "twice or not at all"),
        (lambda t: swapped(t, 4000, 1, "13"), "can't be read as EPW"),
        (lambda t: swapped(t, 4000, 13, "<b>"), None),
    ],
)  # fmt: skip
def test_bad_files_are_refused_in_a_line(data, tmp_path, spoil, said):
    path = tmp_path / "bad.epw"
    path.write_text(spoil(epw(data)))
    if said is None:
        assert "1 missing values were interpolated" in read_weather(path, lat=LAT, lon=LON).warnings[0]
        return
    with pytest.raises(InputError, match=said) as error:
        read_weather(path, lat=LAT, lon=LON)
    assert "\n" not in str(error.value)
    assert "bad.epw" in str(error.value)


def test_missing_values_are_filled_only_where_they_are_few(data, tmp_path):
    path = tmp_path / "holes.epw"
    few = data.copy()
    few.loc[4000:4010, "ghi"] = 9999
    path.write_text(epw(few))
    found = read_weather(path, lat=LAT, lon=LON)
    assert found.warnings == ("weather file holes.epw: 11 missing values were interpolated",)
    assert found.hours["ghi"].max() < 1600
    few.loc[4000:4060, "dni"] = 9999
    path.write_text(epw(few))
    with pytest.raises(InputError, match="dni is missing or outside 0 to 1500 in 61 hours, more than 48"):
        read_weather(path, lat=LAT, lon=LON)
    path.write_text(epw(data.assign(ghi=0.0)))
    with pytest.raises(InputError, match="no sunshine at all"):
        read_weather(path, lat=LAT, lon=LON)


def test_a_far_station_is_told_of(data, tmp_path):
    path = tmp_path / "far.epw"
    path.write_text(epw(data))
    (said,) = read_weather(path, lat=LAT + 1.0, lon=LON).warnings
    assert "111 km from the site: more than 50 km" in said


def test_a_missing_or_huge_file_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="can't be read"):
        read_weather(tmp_path / "none.epw", lat=LAT, lon=LON)
    monkeypatch.setattr(weather_, "MOST_BYTES", 10)
    (tmp_path / "huge.epw").write_text("LOCATION," + "x" * 50)
    with pytest.raises(InputError, match="a year of hours has less"):
        read_weather(tmp_path / "huge.epw", lat=LAT, lon=LON)


def test_without_pvlib_the_remedy_is_named(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "pvlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[energy\]'"):
        clear_sky(LAT, LON, 0.0)
