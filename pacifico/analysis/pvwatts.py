"""Power of solar arrays after PVWatts, through pvlib: light on level rows, modules and inverters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from pacifico.analysis.solar_part import SolarPart
    from pacifico.analysis.weather import Weather
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

HOURS_AT_ONCE = 512
"""Hours whose horizons are compared with the sun at once: a bound on memory."""


@dataclass(frozen=True)
class Sky:
    """Light on the collectors, and what the horizon takes of it."""

    hours: pd.DataFrame
    """Weather, one row an hour."""
    sun: pd.DataFrame
    """Position of the sun [°]."""
    tilt_deg: pd.Series
    """Tilt of the collectors on level ground [°]."""
    incidence_deg: pd.Series
    """Angle between the sun and these collectors [°]."""
    poa: pd.DataFrame
    """Irradiance on the collectors under a flat horizon [W/m²]."""
    transmission: pd.Series
    """Beam that passes the modules' glass [-]."""
    shaded: FloatArray
    """Share of the DC rating whose horizon hides the sun, shape (hours,)."""
    visible: float
    """Share of the sky's diffuse light that the arrays see [-]."""

    def on_cells(self, beam: FloatArray | float, diffuse: FloatArray | float) -> tuple[pd.Series, pd.Series]:
        """Effective irradiance [W/m²] and cell temperature [°C] at given shares."""
        from pvlib import temperature  # noqa: PLC0415 (an extra, 1 s)

        parameters = temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
        direct = self.poa["poa_direct"] * beam
        indirect = self.poa["poa_sky_diffuse"] * diffuse + self.poa["poa_ground_diffuse"]
        cell = temperature.sapm_cell(direct + indirect, self.hours["temp_air"], self.hours["wind_speed"], **parameters)
        return direct * self.transmission + indirect, cell


@dataclass(frozen=True)
class Chain:
    """Modules and inverters after PVWatts."""

    sky: Sky
    dc_kw: float
    ac_kw: float
    efficiency: float
    """Efficiency of the inverters [-]."""
    temperature_coefficient: float
    """Change of power with cell temperature [1/K]."""
    after_losses: float
    """Share of DC power left after losses [-]."""

    def dc_power(self, beam: FloatArray | float, diffuse: FloatArray | float) -> FloatArray:
        """DC power in each hour at given shares of light [kW]."""
        from pvlib import pvsystem  # noqa: PLC0415 (an extra, 1 s)

        effective, cell = self.sky.on_cells(beam, diffuse)
        power = pvsystem.pvwatts_dc(effective, cell, self.dc_kw, self.temperature_coefficient) * self.after_losses
        return np.nan_to_num(np.asarray(power, dtype=np.float64))

    def ac_power(self, dc_power: FloatArray) -> FloatArray:
        """AC power in each hour, clipped at the rating [kW]."""
        from pvlib import inverter  # noqa: PLC0415 (as above)

        # pvlib rates inverters by the DC power at which they reach their AC rating
        power = inverter.pvwatts(dc_power, self.ac_kw / self.efficiency, eta_inv_nom=self.efficiency)
        return np.maximum(np.nan_to_num(np.asarray(power, dtype=np.float64)), 0.0)

    def unclipped(self, dc_power: FloatArray) -> FloatArray:
        """AC power in each hour without the inverters' limit [kW]."""
        load = np.divide(dc_power, self.ac_kw / self.efficiency)
        return np.where(load > 1, dc_power * self.efficiency, self.ac_power(dc_power))


def pvwatts_chain(sky: Sky, dc_kw: float, ac_kw: float, spec: Spec) -> Chain:
    """Chain of a plant with the losses of a spec.

    Parameters
    ----------
    sky : Sky
        Light on the collectors.
    dc_kw, ac_kw : float
        Ratings of the plant [kW].
    spec : Spec
        Section ``energy``.
    """
    return Chain(
        sky,
        dc_kw,
        ac_kw,
        spec.number("energy", "inverter_efficiency_pct") / 100,
        spec.number("energy", "temperature_coefficient_pct") / 100,
        1 - spec.number("energy", "losses_pct") / 100,
    )


def light_on_level_rows(part: SolarPart, weather: Weather, spec: Spec) -> Sky:
    """Light on the collectors in each hour, and shares taken by horizons."""
    from pvlib import atmosphere, iam, irradiance, solarposition  # noqa: PLC0415 (an extra, 1 s)

    hours = weather.hours
    sun = solarposition.get_solarposition(
        hours.index, part.lat, part.lon, altitude=part.altitude_m, temperature=hours["temp_air"]
    )
    tilt, azimuth = _orientation(part, sun, spec)
    poa = irradiance.get_total_irradiance(
        tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], hours["dni"], hours["ghi"], hours["dhi"],
        dni_extra=irradiance.get_extra_radiation(hours.index),
        airmass=atmosphere.get_relative_airmass(sun["apparent_zenith"]),
        albedo=spec.number("energy", "albedo"), model="perez",
    ).fillna(0.0)  # fmt: skip
    incidence = irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"])
    light = (hours, sun, tilt, incidence, poa, iam.physical(incidence))
    if part.horizon_deg is None:
        return Sky(*light, np.zeros(len(hours)), 1.0)
    elevation, direction = sun["apparent_elevation"].to_numpy(), sun["azimuth"].to_numpy()
    shaded = _shaded(part.horizon_deg, part.dc_kw, elevation, direction)
    return Sky(*light, shaded, _visible_sky(part.horizon_deg, part.dc_kw))


def _orientation(part: SolarPart, sun: pd.DataFrame, spec: Spec) -> tuple[pd.Series, pd.Series]:
    """Tilt and azimuth of the collectors in each hour [°]."""
    import pandas as pd  # noqa: PLC0415 (1 s)
    from pvlib import tracking  # noqa: PLC0415 (an extra)

    row_azimuth_deg = spec.number("solar", "row_azimuth_deg")
    if part.mounting == "fixed":
        tilt = pd.Series(spec.number("energy", "fixed_tilt_deg"), index=sun.index)
        return tilt, pd.Series(facing_deg(row_azimuth_deg, part.lat), index=sun.index)
    to_equator = 180.0 if part.lat >= 0 else 0.0
    tracker = tracking.singleaxis(
        sun["apparent_zenith"], sun["azimuth"], axis_tilt=0, axis_azimuth=to_equator + row_azimuth_deg,
        max_angle=spec.number("energy", "tracker_max_deg"), backtrack=True, gcr=part.gcr,
    )  # fmt: skip
    return tracker["surface_tilt"].fillna(0.0), tracker["surface_azimuth"].fillna(0.0)


def facing_deg(row_azimuth_deg: float, lat: float) -> float:
    """Direction that fixed tables face: across their rows, towards the equator [°].

    Tables that run north to south face east in the northern hemisphere and west in the southern.

    >>> facing_deg(20.0, 45.0), facing_deg(20.0, -45.0)
    (200.0, 20.0)
    """
    along = (90.0 + row_azimuth_deg) % 180.0
    return along + 90.0 if lat >= 0 else (along - 90.0) % 360.0


def _shaded(horizon: FloatArray, dc_kw: FloatArray, elevation: FloatArray, azimuth: FloatArray) -> FloatArray:
    """Share of the DC rating in the horizon's shade, by hour.

    Parameters
    ----------
    horizon : ndarray, shape (n, directions)
        Horizon of each array [°].
    dc_kw : ndarray, shape (n,)
        DC rating of each array [kW].
    elevation, azimuth : ndarray, shape (hours,)
        Position of the sun [°].
    """
    n = horizon.shape[1]
    direction = (azimuth % 360) / (360.0 / n)
    low = np.floor(direction).astype(np.int64) % n
    fraction = direction - np.floor(direction)
    weight = dc_kw / dc_kw.sum()
    out = np.zeros(elevation.size)
    day = np.flatnonzero(elevation > -1.0)
    for start in range(0, day.size, HOURS_AT_ONCE):
        t = day[start : start + HOURS_AT_ONCE]
        skyline = horizon[:, low[t]] * (1 - fraction[t]) + horizon[:, (low[t] + 1) % n] * fraction[t]
        out[t] = weight @ ((skyline > elevation[t]) & (skyline > 0))
    return out


def _visible_sky(horizon: FloatArray, dc_kw: FloatArray) -> float:
    """Share of an even sky above the horizon, weighted by DC rating."""
    visible = (np.cos(np.radians(horizon)) ** 2).mean(axis=1)
    return float(visible @ dc_kw / dc_kw.sum())
