"""Weather of a typical year: read from an EPW or TMY3 file and held to what is physical, or a clear sky where there is none."""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pyproj import Geod

from pacifico.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

YEAR = 1990
"""Of all hours: not a leap year. Typical years are made of months from several."""
COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
LIMITS = {"ghi": (0, 1600), "dni": (0, 1500), "dhi": (0, 1200), "temp_air": (-70, 60), "wind_speed": (0, 60)}
"""What is physical [W/m², °C, m/s]; outside of it a value is missing or wrong."""
MOST_BYTES = 30_000_000
MOST_MISSING_H = 48
FAR_KM = 50.0
"""Weather from farther away is told of."""
NIGHT_SHARE = 0.02
"""Most of a year's sunshine that may fall in hours without sun: more, and the file's clock is wrong."""
CLEAR_SKY_C, CLEAR_SKY_WIND = 20.0, 1.0
"""Air temperature [°C] and wind [m/s] assumed with a clear sky."""
NEEDS = "energy needs pvlib, which is not installed; pip install 'pacifico[energy]'"


@dataclass(frozen=True)
class Weather:
    """8760 hours of a year."""

    hours: pd.DataFrame
    """ghi, dni, dhi [W/m²], temp_air [°C], wind_speed [m/s]; indexed by the middle of each hour, with its time zone."""
    source: str
    clear_sky: bool
    """True: no clouds at all, so that energy is an upper bound."""
    warnings: tuple[str, ...] = ()


def require_pvlib() -> None:
    """Say that pvlib is missing before anything is computed.

    Raises
    ------
    InputError
        It is not installed.
    """
    if importlib.util.find_spec("pvlib") is None:
        raise InputError(NEEDS)


def clear_sky(lat: float, lon: float, altitude_m: float) -> Weather:
    """Year of cloudless sky: Ineichen's model with the monthly Linke turbidity that pvlib ships.

    References
    ----------
    Ineichen & Perez (2002), https://doi.org/10.1016/S0038-092X(02)00045-2
    """
    import pandas as pd  # noqa: PLC0415 (as pvlib: 1 s, only where energy is asked for)

    try:
        from pvlib.location import Location  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InputError(NEEDS) from None
    times = _middles(round(lon / 15.0) * 3600)
    sky = Location(lat, lon, "UTC", altitude_m).get_clearsky(times, model="ineichen")
    hours = pd.DataFrame({**{c: sky[c].fillna(0.0) for c in ("ghi", "dni", "dhi")}, "temp_air": CLEAR_SKY_C, "wind_speed": CLEAR_SKY_WIND}, index=times)  # fmt: skip
    return Weather(hours, "clear sky", True, ("no weather file was given: a sky without clouds is assumed, so the energy is an upper bound",))  # fmt: skip


def read_weather(path: str | Path, *, lat: float, lon: float) -> Weather:
    """Typical year from a file.

    Parameters
    ----------
    path : str or Path
        EPW (EnergyPlus) or TMY3 (NREL) file, hourly.
    lat, lon : float
        Of the site [°]: the sun's path is that of the site, the weather the station's.

    Raises
    ------
    InputError
        It can't be read, is neither, has not 8760 hours, lacks more than 48 values, holds what is not physical, has its clock
        wrong, or is of the other hemisphere or more than 15° of longitude away.
    """
    name = Path(path).name
    text = _text(Path(path), name)
    try:
        from pvlib.iotools import read_epw, read_tmy3  # noqa: PLC0415 (an extra)
    except ImportError:
        raise InputError(NEEDS) from None
    head = text[:4000].splitlines()
    epw = text.startswith("LOCATION,")
    if not epw and not (len(head) > 1 and "Date (MM/DD/YYYY)" in head[1]):
        raise InputError(f"weather file {name} is neither EPW (its first line would begin with LOCATION) nor TMY3; give one of these")  # fmt: skip
    try:
        data, about = read_epw(io.StringIO(text)) if epw else read_tmy3(io.StringIO(text), coerce_year=YEAR)
        at = float(about["latitude"]), float(about["longitude"])
        offset_s = round(float(about["TZ"]) * 3600)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError) as error:
        said = " ".join(str(error).split())[:120]
        raise InputError(f"weather file {name} can't be read as {'EPW' if epw else 'TMY3'} ({said}); give the file as it was published") from None  # fmt: skip
    if not (-90 <= at[0] <= 90 and -180 <= at[1] <= 180 and abs(offset_s) <= 14 * 3600):
        raise InputError(f"weather file {name}: its station is at {at[0]:g}, {at[1]:g} in time zone {offset_s / 3600:g}, which is nowhere on earth")  # fmt: skip
    warnings = _far(name, at, (lat, lon))
    hours = _hours(name, data, offset_s, ends_at_index=not epw)
    hours, missing = _held(name, hours)
    _clock(name, hours, at)
    if missing:
        warnings.append(f"weather file {name}: {missing} missing values were interpolated")
    return Weather(hours, name, False, tuple(warnings))


def _text(path: Path, name: str) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"weather file {name} has {path.stat().st_size / 1e6:.0f} MB; a year of hours has less than {MOST_BYTES / 1e6:.0f}")  # fmt: skip
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"weather file {path} can't be read ({error.strerror}); check the path and its permissions") from None  # fmt: skip


def _far(name: str, station: tuple[float, float], site: tuple[float, float]) -> list[str]:
    """Refuse the weather of another part of the world; tell of a station that is far."""
    km = abs(Geod(ellps="WGS84").inv(station[1], station[0], site[1], site[0])[2]) / 1e3
    hemisphere = station[0] * site[0] < 0 and min(abs(station[0]), abs(site[0])) > 1.0
    away = abs((station[1] - site[1] + 180) % 360 - 180)
    if hemisphere or (away > 15 and km > 500):
        why = "the other hemisphere" if hemisphere else f"{away:.0f} deg of longitude away"
        raise InputError(
            f"weather file {name} is of {station[0]:.2f}, {station[1]:.2f}, the site at {site[0]:.2f}, {site[1]:.2f}: {why}; "
            "give the weather of a station near the site"
        )
    if km > FAR_KM:
        return [f"the weather station of {name} is {km:.0f} km from the site: more than {FAR_KM:.0f} km"]
    return []


def _hours(name: str, data: pd.DataFrame, offset_s: int, *, ends_at_index: bool) -> pd.DataFrame:
    """Year in calendar order, indexed by the middles of hours; the 29th of February left out."""
    import pandas as pd  # noqa: PLC0415

    lacking = [c for c in COLUMNS if c not in data]
    if lacking:
        raise InputError(
            f"weather file {name} has no column of {', '.join(lacking)}; give the file as it was published"
        )
    index: Any = data.index
    begins = index - pd.Timedelta(hours=1) if ends_at_index else index
    data = data.set_axis(begins)
    data = data[~((begins.month == 2) & (begins.day == 29))]
    if len(data) != 8760:
        raise InputError(f"weather file {name} has {len(data)} hours outside leap days, not the 8760 of a year; give an hourly typical year")  # fmt: skip
    at: Any = data.index
    order = (at.day_of_year - (at.is_leap_year & (at.month > 2))) * 24 + at.hour
    if len(set(order)) != 8760:
        raise InputError(f"weather file {name} has hours twice or not at all; give an hourly typical year")
    data = data.iloc[np.argsort(np.asarray(order), kind="stable")]
    numbers: pd.DataFrame = data[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
    return numbers.set_axis(_middles(offset_s))


def _middles(offset_s: int) -> pd.DatetimeIndex:
    """Middles of the hours of a year in a time zone."""
    import pandas as pd  # noqa: PLC0415

    zone = dt.timezone(dt.timedelta(seconds=offset_s))
    return pd.date_range(pd.Timestamp(YEAR, 1, 1, 0, 30, tz=zone), periods=8760, freq="h")


def _held(name: str, hours: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Values within physical limits; few that are not are interpolated, more refused."""
    bad = hours.isna()
    for column, (low, high) in LIMITS.items():
        bad[column] |= (hours[column] < low) | (hours[column] > high)
    worst = bad.sum()
    if (worst > MOST_MISSING_H).any():
        column = str(worst.idxmax())
        low, high = LIMITS[column]
        raise InputError(
            f"weather file {name}: {column} is missing or outside {low} to {high} in {int(worst[column])} hours, more than {MOST_MISSING_H}; "
            "give another file"
        )
    missing = int(worst.sum())
    return (hours.mask(bad).interpolate(limit_direction="both") if missing else hours), missing


def _clock(name: str, hours: pd.DataFrame, at: tuple[float, float]) -> None:
    """Refuse sunshine at night: the file's time zone or the order of its hours is wrong."""
    from pvlib.solarposition import get_solarposition  # noqa: PLC0415

    total = float(hours["ghi"].sum())
    if total <= 0:
        raise InputError(f"weather file {name} has no sunshine at all; give another file")
    below = get_solarposition(hours.index, *at)["elevation"].to_numpy() < -math.degrees(0.1)
    share = float(hours["ghi"].to_numpy()[below].sum()) / total
    if share > NIGHT_SHARE:
        raise InputError(
            f"weather file {name}: {share:.0%} of its sunshine falls where the sun is down at {at[0]:.2f}, {at[1]:.2f}; "
            "its time zone or position is wrong"
        )
