"""Weather of a typical year, from a file or for clear sky."""

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
"""Year given to all hours: not a leap year. Typical years consist of months from several years."""
COLUMNS = ("ghi", "dni", "dhi", "temp_air", "wind_speed")
LIMITS = {"ghi": (0, 1600), "dni": (0, 1500), "dhi": (0, 1200), "temp_air": (-70, 60), "wind_speed": (0, 60)}
"""Physical limits [W/m², °C, m/s]; a value outside them is missing or wrong."""
MAX_BYTES = 30_000_000
"""Largest weather file [bytes]: a year of hours takes about 2 MB."""
MAX_MISSING_H = 48
"""Values of one column that may be missing and are interpolated [h]: two days."""
FAR_KM = 50.0
"""Distance from which a station gets a warning [km]."""
FOREIGN_KM = 500.0
FOREIGN_DEG = 15.0
"""A station farther away than both, and so in another time zone, is refused [km, ° of longitude]."""
TROPICS_DEG = 1.0
"""Latitudes up to this belong to both hemispheres [°]."""
NIGHT_SHARE = 0.02
"""Share of a year's sunshine that may fall at night; with more, the file's clock is wrong [-]."""
NIGHT_DEG = -math.degrees(0.1)
"""Elevation of the sun below which it is night [°]: about civil twilight."""
CLEAR_SKY_C, CLEAR_SKY_WIND = 20.0, 1.0
"""Air temperature [°C] and wind speed [m/s] assumed with a clear sky."""
NEEDS = "energy needs pvlib, which is not installed; pip install 'pacifico[energy]'"


@dataclass(frozen=True)
class Weather:
    """Weather of the 8760 hours of a year."""

    hours: pd.DataFrame
    """Columns ghi, dni, dhi [W/m²], temp_air [°C], wind_speed [m/s]; indexed by the middle of each hour, with time zone."""
    source: str
    """Name of the file, or clear sky."""
    clear_sky: bool
    """True: no clouds, so energy is an upper bound."""
    warnings: tuple[str, ...] = ()


def require_pvlib() -> None:
    """Refuse to go on without pvlib.

    Raises
    ------
    InputError
        pvlib is not installed.
    """
    if importlib.util.find_spec("pvlib") is None:
        raise InputError(NEEDS)


def clear_sky(lat: float, lon: float, altitude_m: float) -> Weather:
    """Year without clouds: Ineichen's model with the monthly Linke turbidity of pvlib.

    Parameters
    ----------
    lat, lon : float
        Position of the site [°].
    altitude_m : float
        Altitude of the site [m].

    Raises
    ------
    InputError
        pvlib is not installed.

    References
    ----------
    Ineichen & Perez (2002), https://doi.org/10.1016/S0038-092X(02)00045-2
    """
    import pandas as pd  # noqa: PLC0415 (1 s, only for energy)

    require_pvlib()
    from pvlib.location import Location  # noqa: PLC0415 (an extra)

    times = _middles(round(lon / 15.0) * 3600)
    sky = Location(lat, lon, "UTC", altitude_m).get_clearsky(times, model="ineichen")
    hours = pd.DataFrame({**{c: sky[c].fillna(0.0) for c in ("ghi", "dni", "dhi")}, "temp_air": CLEAR_SKY_C, "wind_speed": CLEAR_SKY_WIND}, index=times)  # fmt: skip
    return Weather(hours, "clear sky", True, ("no weather file is given: a sky without clouds is assumed, so the energy is an upper bound",))  # fmt: skip


def read_weather(path: str | Path, *, lat: float, lon: float) -> Weather:
    """Read a typical year from a file.

    Parameters
    ----------
    path : str or Path
        EPW (EnergyPlus) or TMY3 (NREL) file, hourly.
    lat, lon : float
        Position of the site [°]: the station must be near it.

    Raises
    ------
    InputError
        pvlib is not installed. Or the file can't be read, is neither EPW nor TMY3, hasn't 8760 hours, lacks more than
        48 values, has its clock wrong, or is from the other hemisphere or more than 15° of longitude away.
    """
    name = Path(path).name
    text = _text(Path(path), name)
    require_pvlib()
    from pvlib.iotools import read_epw, read_tmy3  # noqa: PLC0415 (an extra)

    head = text[:4000].splitlines()
    epw = text.startswith("LOCATION,")
    if not epw and not (len(head) > 1 and "Date (MM/DD/YYYY)" in head[1]):
        raise InputError(f"weather file {name} is neither EPW (its first line would begin with LOCATION) nor TMY3; give one of these")  # fmt: skip
    try:
        data, about = read_epw(io.StringIO(text)) if epw else read_tmy3(io.StringIO(text), coerce_year=YEAR)
        at = float(about["latitude"]), float(about["longitude"])
        offset_s = round(float(about["TZ"]) * 3600)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, AttributeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"weather file {name} can't be read as {'EPW' if epw else 'TMY3'} ({reason}); give the file as it was published") from None  # fmt: skip
    if not (-90 <= at[0] <= 90 and -180 <= at[1] <= 180 and abs(offset_s) <= 14 * 3600):
        raise InputError(f"weather file {name}: its station is at {at[0]:g}, {at[1]:g} in time zone {offset_s / 3600:g}, which is nowhere on earth; give the file as it was published")  # fmt: skip
    warnings = _check_distance(name, at, (lat, lon))
    hours = _hours(name, data, offset_s, ends_at_index=not epw)
    hours, missing = _interpolate_missing(name, hours)
    _check_clock(name, hours, at)
    if missing:
        warnings.append(f"weather file {name}: {missing} missing values were interpolated")
    return Weather(hours, name, False, tuple(warnings))


def _text(path: Path, name: str) -> str:
    """Text of a weather file."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"weather file {name} has {path.stat().st_size / 1e6:.0f} MB; a year of hours has less than {MAX_BYTES / 1e6:.0f}; give an hourly typical year")  # fmt: skip
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"weather file {path} can't be read ({error.strerror}); check the path and its permissions") from None  # fmt: skip


def _check_distance(name: str, station: tuple[float, float], site: tuple[float, float]) -> list[str]:
    """Refuse a station in another region, and warn of a far one."""
    km = abs(Geod(ellps="WGS84").inv(station[1], station[0], site[1], site[0])[2]) / 1e3
    hemisphere = station[0] * site[0] < 0 and min(abs(station[0]), abs(site[0])) > TROPICS_DEG
    away = abs((station[1] - site[1] + 180) % 360 - 180)
    if hemisphere or (away > FOREIGN_DEG and km > FOREIGN_KM):
        reason = "the other hemisphere" if hemisphere else f"{away:.0f} deg of longitude away"
        raise InputError(
            f"weather file {name} is of {station[0]:.2f}, {station[1]:.2f}, the site at {site[0]:.2f}, {site[1]:.2f}: {reason}; "
            "give the weather of a station near the site"
        )
    if km > FAR_KM:
        return [f"the weather station of {name} is {km:.0f} km from the site: more than {FAR_KM:.0f} km"]
    return []


def _hours(name: str, data: pd.DataFrame, offset_s: int, *, ends_at_index: bool) -> pd.DataFrame:
    """Year in calendar order, indexed by the middles of hours.

    Parameters
    ----------
    name : str
        Name of the file, for messages.
    data : DataFrame
        Rows of the file.
    offset_s : int
        Time zone of the station, east of UTC [s].
    ends_at_index : bool
        Whether the index is the end of an hour, not its start.
    """
    import pandas as pd  # noqa: PLC0415

    absent = [c for c in COLUMNS if c not in data]
    if absent:
        raise InputError(f"weather file {name} has no column of {', '.join(absent)}; give the file as it was published")
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


def _interpolate_missing(name: str, hours: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Interpolate a few missing values and count them; refuse many."""
    missing = hours.isna()
    for column, (low, high) in LIMITS.items():
        missing[column] |= (hours[column] < low) | (hours[column] > high)
    counts = missing.sum()
    if (counts > MAX_MISSING_H).any():
        column = str(counts.idxmax())
        low, high = LIMITS[column]
        raise InputError(
            f"weather file {name}: {column} is missing or outside {low} to {high} in {int(counts[column])} hours, more than {MAX_MISSING_H}; "
            "give another file"
        )
    total = int(counts.sum())
    return (hours.mask(missing).interpolate(limit_direction="both") if total else hours), total


def _check_clock(name: str, hours: pd.DataFrame, at: tuple[float, float]) -> None:
    """Refuse sunshine at night: then the file's clock is wrong."""
    from pvlib.solarposition import get_solarposition  # noqa: PLC0415

    total = float(hours["ghi"].sum())
    if total <= 0:
        raise InputError(f"weather file {name} has no sunshine at all; give another file")
    below = get_solarposition(hours.index, *at)["elevation"].to_numpy() < NIGHT_DEG
    share = float(hours["ghi"].to_numpy()[below].sum()) / total
    if share > NIGHT_SHARE:
        raise InputError(
            f"weather file {name}: {share:.0%} of its sunshine falls where the sun is down at {at[0]:.2f}, {at[1]:.2f}; "
            "its time zone or position is wrong; give the file as it was published"
        )
