"""Annual energy of solar arrays by PVWatts, through pvlib.

Storage, gas and wind are left out: their energy depends on dispatch, load and wind resource, which a layout doesn't
know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pyproj import Proj

from pacifico.analysis.weather import require_pvlib
from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.terrain.horizon import horizon_deg

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from pyproj import CRS

    from pacifico.analysis.weather import Weather
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
AZIMUTH_STEP_DEG = 5.0
"""Angle between directions of a horizon [°]."""
HOURS = 8760
"""Hours of a typical year."""
HOURS_AT_ONCE = 512
"""Hours whose horizons are compared with the sun at once: a bound on memory."""


@dataclass(frozen=True)
class SolarPart:
    """Solar arrays of a layout, as far as energy depends on them."""

    lat: float
    lon: float
    """Position of the plant [°]."""
    altitude_m: float
    dc_kw: FloatArray
    """DC rating of each array, shape (n,) [kW]."""
    ac_kw: FloatArray
    """AC rating of each array, shape (n,) [kW]."""
    mounting: Literal["tracker", "fixed"]
    gcr: float
    """Ground coverage ratio: collector width over row pitch [-]."""
    horizon_deg: FloatArray | None = None
    """Horizon of each array in directions 0, 5, ... 355 from true north, shape (n, 72) [°]; None: flat."""


@dataclass(frozen=True)
class Energy:
    """Energy of a year at the inverters' output."""

    monthly_mwh: tuple[float, ...]
    """January to December [MWh]."""
    annual_mwh: float
    dc_kw: float
    ac_kw: float
    specific_yield_kwh_per_kwdc: float
    capacity_factor: float
    """Mean power relative to the AC rating [-]."""
    clipped_share: float
    """Energy lost at the inverters' limit, relative to the energy without it [-]."""
    horizon_loss_share: float
    """Energy lost to the horizon, relative to a flat one [-]; 0 without a DEM."""
    clear_sky: bool
    """True: the energy is an upper bound."""
    weather: str
    """Source of the weather."""
    warnings: tuple[str, ...]


def annual_energy(part: SolarPart, weather: Weather, spec: Spec) -> Energy:
    """Energy of a typical year.

    The model chain is that of PVWatts: Perez sky, physical incidence angle losses, SAPM cell temperature, linear
    temperature coefficient, one loss factor, and an inverter with part-load efficiency that clips at its rating.
    Trackers turn about north-south axes and backtrack. An array has no beam while its horizon hides the sun, and
    diffuse light only from the part of the sky above its horizon.

    Parameters
    ----------
    part : SolarPart
        Arrays with their horizons.
    weather : Weather
        Hours of a typical year.
    spec : Spec
        Section ``energy``.

    Raises
    ------
    InputError
        pvlib is not installed, or the layout has no solar array.

    References
    ----------
    Dobos (2014), "PVWatts Version 5 Manual", https://doi.org/10.2172/1158421
    Anderson et al. (2023), "pvlib python: 2023 project update", https://doi.org/10.21105/joss.05994
    """
    require_pvlib()
    dc, ac = float(part.dc_kw.sum()), float(part.ac_kw.sum())
    if not (dc > 0 and ac > 0):
        raise InputError("the layout has no solar array: there is no solar energy to compute")
    sky = _sky(part, weather, spec)
    chain = _chain(sky, dc, ac, spec)
    sunny, shaded = chain.dc_power(1.0, sky.visible), chain.dc_power(0.0, sky.visible)
    # each array has its share of the rating: sunny ones clip even while others are in shade
    hourly = (1 - sky.shaded) * chain.ac_power(sunny) + sky.shaded * chain.ac_power(shaded)
    flat = hourly if part.horizon_deg is None else chain.ac_power(chain.dc_power(1.0, 1.0))
    unclipped = (1 - sky.shaded) * chain.unclipped(sunny) + sky.shaded * chain.ac_power(shaded)
    annual, without_limit = float(hourly.sum()), float(unclipped.sum())
    index: Any = weather.hours.index
    month = index.month.to_numpy()
    return Energy(
        tuple(round(float(hourly[month == m].sum()) / 1e3, 3) for m in range(1, 13)),
        round(annual / 1e3, 3),
        round(dc, 3),
        round(ac, 3),
        round(annual / dc, 1),
        round(annual / ac / HOURS, 4),
        round(1 - annual / without_limit, 4) if without_limit else 0.0,
        round(1 - annual / float(flat.sum()), 4) if flat.sum() else 0.0,
        weather.clear_sky,
        weather.source,
        weather.warnings,
    )


@dataclass(frozen=True)
class _Sky:
    """Light on the collectors, and what the horizon takes of it."""

    hours: pd.DataFrame
    """Weather, one row an hour."""
    poa: pd.DataFrame
    """Irradiance on the collectors under a flat horizon [W/m²]."""
    transmission: pd.Series
    """Beam that passes the modules' glass [-]."""
    shaded: FloatArray
    """Share of the DC rating whose horizon hides the sun, shape (hours,)."""
    visible: float
    """Share of the sky's diffuse light that the arrays see [-]."""

    def on_cells(self, beam: float, diffuse: float) -> tuple[pd.Series, pd.Series]:
        """Effective irradiance [W/m²] and cell temperature [°C] at given shares."""
        from pvlib import temperature  # noqa: PLC0415 (an extra, 1 s)

        parameters = temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]
        direct = self.poa["poa_direct"] * beam
        indirect = self.poa["poa_sky_diffuse"] * diffuse + self.poa["poa_ground_diffuse"]
        cell = temperature.sapm_cell(direct + indirect, self.hours["temp_air"], self.hours["wind_speed"], **parameters)
        return direct * self.transmission + indirect, cell


@dataclass(frozen=True)
class _Chain:
    """Modules and inverters after PVWatts."""

    sky: _Sky
    dc_kw: float
    ac_kw: float
    efficiency: float
    """Efficiency of the inverters [-]."""
    temperature_coefficient: float
    """Change of power with cell temperature [1/K]."""
    after_losses: float
    """Share of DC power left after losses [-]."""

    def dc_power(self, beam: float, diffuse: float) -> FloatArray:
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


def _chain(sky: _Sky, dc_kw: float, ac_kw: float, spec: Spec) -> _Chain:
    """Chain of a plant with the losses of a spec.

    Parameters
    ----------
    sky : _Sky
        Light on the collectors.
    dc_kw, ac_kw : float
        Ratings of the plant [kW].
    spec : Spec
        Section ``energy``.
    """
    return _Chain(
        sky,
        dc_kw,
        ac_kw,
        spec.number("energy", "inverter_efficiency_pct") / 100,
        spec.number("energy", "temperature_coefficient_pct") / 100,
        1 - spec.number("energy", "losses_pct") / 100,
    )


def _sky(part: SolarPart, weather: Weather, spec: Spec) -> _Sky:
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
    transmission = iam.physical(irradiance.aoi(tilt, azimuth, sun["apparent_zenith"], sun["azimuth"]))
    if part.horizon_deg is None:
        return _Sky(hours, poa, transmission, np.zeros(len(hours)), 1.0)
    elevation, direction = sun["apparent_elevation"].to_numpy(), sun["azimuth"].to_numpy()
    shaded = _shaded(part.horizon_deg, part.dc_kw, elevation, direction)
    return _Sky(hours, poa, transmission, shaded, _visible_sky(part.horizon_deg, part.dc_kw))


def _orientation(part: SolarPart, sun: pd.DataFrame, spec: Spec) -> tuple[pd.Series, pd.Series]:
    """Tilt and azimuth of the collectors in each hour [°]."""
    import pandas as pd  # noqa: PLC0415 (1 s)
    from pvlib import tracking  # noqa: PLC0415 (an extra)

    to_equator = 180.0 if part.lat >= 0 else 0.0
    if part.mounting == "fixed":
        tilt = pd.Series(spec.number("energy", "fixed_tilt_deg"), index=sun.index)
        return tilt, pd.Series(to_equator, index=sun.index)
    tracker = tracking.singleaxis(
        sun["apparent_zenith"], sun["azimuth"], axis_tilt=0, axis_azimuth=to_equator,
        max_angle=spec.number("energy", "tracker_max_deg"), backtrack=True, gcr=part.gcr,
    )  # fmt: skip
    return tracker["surface_tilt"].fillna(0.0), tracker["surface_azimuth"].fillna(0.0)


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
    direction = (azimuth % 360) / AZIMUTH_STEP_DEG
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


def solar_part(
    x: FloatArray,
    y: FloatArray,
    dc_kw: FloatArray,
    ac_kw: FloatArray,
    *,
    crs: CRS,
    altitude_m: float,
    spec: Spec,
    dem: xr.DataArray | None = None,
) -> SolarPart:
    """Solar part of a layout, with horizons from its DEM.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Centres of the arrays in the working CRS [m].
    dc_kw, ac_kw : ndarray, shape (n,)
        Ratings of the arrays [kW].
    crs : CRS
        Working CRS.
    altitude_m : float
        Altitude of the site [m].
    spec : Spec
        Section ``solar``: mounting and ground coverage.
    dem : DataArray, optional
        Ground for the horizons; without it they are flat.

    Raises
    ------
    InputError
        There is no array.
    """
    if not len(x):
        raise InputError("the layout has no solar array: there is no solar energy to compute")
    lon, lat = transformer(crs, LONLAT).transform(float(np.average(x, weights=dc_kw)), float(np.average(y, weights=dc_kw)))  # fmt: skip
    horizon = None
    if dem is not None:
        # angle from true north to grid north, eastwards
        convergence = Proj(crs).get_factors(lon, lat).meridian_convergence
        azimuths = np.arange(0.0, 360.0, AZIMUTH_STEP_DEG) - convergence
        horizon = horizon_deg(dem, x, y, azimuths_deg=azimuths)
    mounting: Literal["tracker", "fixed"] = "tracker" if spec.choice("solar", "mounting") == "tracker" else "fixed"
    return SolarPart(lat, lon, altitude_m, dc_kw, ac_kw, mounting, spec.number("solar", f"{mounting}_gcr"), horizon)
