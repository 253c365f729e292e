"""Weather files of both formats: read exactly, and refused with the cause."""

import sys

import numpy as np
import pandas as pd
import pytest
from fixtures.weather import LAT, LON, epw, tmy3

from pacifico.analysis import weather
from pacifico.analysis.weather import clear_sky, read_weather
from pacifico.errors import InputError

pytest.importorskip("pvlib")
# pvlib 0.16 still uses a name that pandas 3 has changed
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear is deprecated:DeprecationWarning")


def test_a_file_is_read_as_written(typical_year, weather_data):
    for column in weather.COLUMNS:
        np.testing.assert_allclose(typical_year.hours[column], weather_data[column])
    assert str(typical_year.hours.index[0]) == "1990-01-01 00:30:00-06:00"
    assert not typical_year.clear_sky
    assert typical_year.warnings == ()


def test_both_formats_give_the_same_weather(typical_year, weather_data, tmp_path):
    (tmp_path / "s.csv").write_text(tmy3(weather_data))
    other = read_weather(tmp_path / "s.csv", lat=LAT, lon=LON)
    pd.testing.assert_frame_equal(other.hours, typical_year.hours, check_dtype=False, check_freq=False)


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
def test_faulty_files_are_refused_in_one_line(weather_data, tmp_path, spoil, said):
    path = tmp_path / "faulty.epw"
    path.write_text(spoil(epw(weather_data)))
    if said is None:
        assert "1 missing values were interpolated" in read_weather(path, lat=LAT, lon=LON).warnings[0]
        return
    with pytest.raises(InputError, match=said) as error:
        read_weather(path, lat=LAT, lon=LON)
    assert "\n" not in str(error.value)
    assert "faulty.epw" in str(error.value)


def test_few_missing_values_are_interpolated_and_many_refused(weather_data, tmp_path):
    path = tmp_path / "holes.epw"
    few = weather_data.copy()
    few.loc[4000:4010, "ghi"] = 9999
    path.write_text(epw(few))
    found = read_weather(path, lat=LAT, lon=LON)
    assert found.warnings == ("weather file holes.epw: 11 missing values were interpolated",)
    assert found.hours["ghi"].max() < 1600
    few.loc[4000:4060, "dni"] = 9999
    path.write_text(epw(few))
    with pytest.raises(InputError, match="dni is missing or outside 0 to 1500 in 61 hours, more than 48"):
        read_weather(path, lat=LAT, lon=LON)
    path.write_text(epw(weather_data.assign(ghi=0.0)))
    with pytest.raises(InputError, match="no sunshine at all"):
        read_weather(path, lat=LAT, lon=LON)


def test_a_far_station_gets_a_warning(weather_data, tmp_path):
    path = tmp_path / "far.epw"
    path.write_text(epw(weather_data))
    (said,) = read_weather(path, lat=LAT + 1.0, lon=LON).warnings
    assert "111 km from the site: more than 50 km" in said


def test_a_missing_or_huge_file_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="can't be read"):
        read_weather(tmp_path / "none.epw", lat=LAT, lon=LON)
    monkeypatch.setattr(weather, "MAX_BYTES", 10)
    (tmp_path / "huge.epw").write_text("LOCATION," + "x" * 50)
    with pytest.raises(InputError, match="a year of hours has less"):
        read_weather(tmp_path / "huge.epw", lat=LAT, lon=LON)


def test_without_pvlib_the_remedy_is_named(monkeypatch):
    for name in [n for n in sys.modules if n.split(".")[0] == "pvlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "pvlib", None)
    with pytest.raises(InputError, match=r"pip install 'pacifico\[energy\]'"):
        clear_sky(LAT, LON, 0.0)
