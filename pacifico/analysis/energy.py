"""Annual energy of a plan's solar part: PVWatts with the layout's own rows, ratings and horizon, through pvlib.

Storage, gas and wind are left out: what they deliver is decided by dispatch, load and a wind resource, none of which a layout
knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pyproj import Proj

from pacifico.analysis.weather import NEEDS
from pacifico.crs import LONLAT, transformer
from pacifico.errors import InputError
from pacifico.terrain.horizon import horizon_deg

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr
    from pyproj import CRS

    from pacifico.analysis.weather import Weather
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

    Light = Callable[[float, float], tuple[pd.Series, pd.Series]]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
AZIMUTH_STEP_DEG = 5.0
"""Between directions in which a horizon is asked for."""


@dataclass(frozen=True)
class SolarPart:
    """What energy is computed for."""

    lat: float
    lon: float
    altitude_m: float
    dc_kw: FloatArray
    """Of each array, shape (n,)."""
    ac_kw: FloatArray
    mounting: Literal["tracker", "fixed"]
    gcr: float
    """Collector width over row pitch."""
    horizon_deg: FloatArray | None = None
    """Of each array in directions 0, 5, ... 355 from true north, shape (n, 72); None: flat."""


@dataclass(frozen=True)
class Energy:
    """A year's energy at the inverters' output."""

    monthly_mwh: tuple[float, ...]
    """January to December."""
    annual_mwh: float
    dc_kw: float
    ac_kw: float
    specific_yield_kwh_per_kwdc: float
    capacity_factor: float
    """Of the AC rating [-]."""
    clipped_share: float
    """Of what the inverters could have delivered without their limit [-]."""
    horizon_loss_share: float
    """Of the energy under a flat horizon [-]; 0 without a DEM."""
    clear_sky: bool
    """True: an upper bound."""
    weather: str
    warnings: tuple[str, ...]


def annual_energy(part: SolarPart, weather: Weather, spec: Spec) -> Energy:
    """Energy of a typical year.

    The chain is PVWatts': Perez sky, physical incidence losses, SAPM cell temperature, linear temperature coefficient, one
    factor of losses, inverter with part-load efficiency that clips at its rating. Trackers turn about north-south axes and
    backtrack. Beam is lost to arrays whose horizon hides the sun; the sky's diffuse light is reduced to the part of the sky
    that each sees.

    Parameters
    ----------
    part : SolarPart
    weather : Weather
    spec : Spec
        Section ``energy``.

    Raises
    ------
    InputError
        Without pvlib, or without any solar array.

    References
    ----------
    Dobos (2014), "PVWatts Version 5 Manual", https://doi.org/10.2172/1158421
    Anderson et al. (2023), "pvlib python: 2023 project update", https://doi.org/10.21105/joss.05994
    """
    try:
        from pvlib import inverter, pvsystem  # noqa: PLC0415 (an extra, 1 s)
    except ImportError:
        raise InputError(NEEDS) from None
    dc, ac = float(part.dc_kw.sum()), float(part.ac_kw.sum())
    if not (dc > 0 and ac > 0):
        raise InputError("the layout has no solar array: there is no solar energy to compute")
    hidden, sky_seen, light = _light(part, weather, spec)
    eta = spec.number("energy", "inverter_efficiency_pct") / 100
    gamma = spec.number("energy", "temperature_coefficient_pct") / 100
    kept = 1 - spec.number("energy", "losses_pct") / 100

    def dc_power(beam: float, sky: float) -> FloatArray:
        effective, cell = light(beam, sky)
        power = pvsystem.pvwatts_dc(effective, cell, dc, gamma) * kept
        return np.nan_to_num(np.asarray(power, dtype=np.float64))

    def ac_power(power: FloatArray, rating_kw: float) -> FloatArray:
        # pvlib names inverters by the DC power at which they reach their rating
        out = inverter.pvwatts(power, rating_kw / eta, eta_inv_nom=eta)
        return np.maximum(np.nan_to_num(np.asarray(out, dtype=np.float64)), 0.0)

    sunny, shaded = dc_power(1.0, sky_seen), dc_power(0.0, sky_seen)
    # each array has its share of the rating: those in sun clip though others are in the hill's shade
    hourly = (1 - hidden) * ac_power(sunny, ac) + hidden * ac_power(shaded, ac)
    flat = hourly if part.horizon_deg is None else ac_power(dc_power(1.0, 1.0), ac)
    # efficiency as with the rating, without its limit
    zeta = np.divide(sunny, ac / eta)
    unclipped = np.where(zeta > 1, sunny * eta, ac_power(sunny, ac))
    free = float(((1 - hidden) * unclipped + hidden * ac_power(shaded, ac)).sum())
    annual = float(hourly.sum())
    index: Any = weather.hours.index
    month = index.month.to_numpy()
    return Energy(
        tuple(round(float(hourly[month == m].sum()) / 1e3, 3) for m in range(1, 13)),
        round(annual / 1e3, 3),
        round(dc, 3),
        round(ac, 3),
        round(annual / dc, 1),
        round(annual / ac / 8760, 4),
        round(1 - annual / free, 4) if free else 0.0,
        round(1 - annual / float(flat.sum()), 4) if flat.sum() else 0.0,
        weather.clear_sky,
        weather.source,
        weather.warnings,
    )


def _light(part: SolarPart, weather: Weather, spec: Spec) -> tuple[FloatArray, float, Light]:
    """Share of DC power that the horizon hides the sun from in each hour, share of sky seen, and the light on the collectors."""
    import pandas as pd  # noqa: PLC0415
    from pvlib import atmosphere, iam, irradiance, solarposition, temperature, tracking  # noqa: PLC0415

    hours = weather.hours
    sun = solarposition.get_solarposition(
        hours.index, part.lat, part.lon, altitude=part.altitude_m, temperature=hours["temp_air"]
    )
    if part.mounting == "tracker":
        turned = tracking.singleaxis(
            sun["apparent_zenith"], sun["azimuth"], axis_tilt=0, axis_azimuth=180 if part.lat >= 0 else 0,
            max_angle=spec.number("energy", "tracker_max_deg"), backtrack=True, gcr=part.gcr,
        )  # fmt: skip
        tilt, facing = turned["surface_tilt"].fillna(0.0), turned["surface_azimuth"].fillna(0.0)
    else:
        tilt = pd.Series(spec.number("energy", "fixed_tilt_deg"), index=hours.index)
        facing = pd.Series(180.0 if part.lat >= 0 else 0.0, index=hours.index)
    poa = irradiance.get_total_irradiance(
        tilt, facing, sun["apparent_zenith"], sun["azimuth"], hours["dni"], hours["ghi"], hours["dhi"],
        dni_extra=irradiance.get_extra_radiation(hours.index),
        airmass=atmosphere.get_relative_airmass(sun["apparent_zenith"]),
        albedo=spec.number("energy", "albedo"), model="perez",
    ).fillna(0.0)  # fmt: skip
    through = iam.physical(irradiance.aoi(tilt, facing, sun["apparent_zenith"], sun["azimuth"]))
    parameters = temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"]["open_rack_glass_polymer"]

    def light(beam: float, sky: float) -> tuple[pd.Series, pd.Series]:
        direct = poa["poa_direct"] * beam
        diffuse = poa["poa_sky_diffuse"] * sky + poa["poa_ground_diffuse"]
        cell = temperature.sapm_cell(direct + diffuse, hours["temp_air"], hours["wind_speed"], **parameters)
        return direct * through + diffuse, cell

    if part.horizon_deg is None:
        return np.zeros(len(hours)), 1.0, light
    return _hidden(part, sun["apparent_elevation"].to_numpy(), sun["azimuth"].to_numpy()), _sky_seen(part), light


def _hidden(part: SolarPart, elevation: FloatArray, azimuth: FloatArray) -> FloatArray:
    """Share of the DC rating whose horizon is above the sun, hour by hour."""
    assert part.horizon_deg is not None  # noqa: S101 (the caller looked)
    n = part.horizon_deg.shape[1]
    place = (azimuth % 360) / AZIMUTH_STEP_DEG
    low = np.floor(place).astype(np.int64) % n
    part_way = place - np.floor(place)
    weight = part.dc_kw / part.dc_kw.sum()
    out = np.zeros(elevation.size)
    up = np.flatnonzero(elevation > -1.0)
    for start in range(0, up.size, 512):
        t = up[start : start + 512]
        skyline = part.horizon_deg[:, low[t]] * (1 - part_way[t]) + part.horizon_deg[:, (low[t] + 1) % n] * part_way[t]
        out[t] = weight @ ((skyline > elevation[t]) & (skyline > 0))
    return out


def _sky_seen(part: SolarPart) -> float:
    """Share of an even sky that a level collector sees over the horizon, by DC rating [-]."""
    assert part.horizon_deg is not None  # noqa: S101 (the caller looked)
    each = (np.cos(np.radians(part.horizon_deg)) ** 2).mean(axis=1)
    return float(each @ part.dc_kw / part.dc_kw.sum())


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
    """Solar part of a layout from its arrays.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Middles of the arrays [m].
    dc_kw, ac_kw : ndarray, shape (n,)
        Their ratings.
    crs : CRS
        Working CRS.
    altitude_m : float
        Of the site.
    spec : Spec
        Mounting and ground coverage.
    dem : DataArray, optional
        Ground that the horizon is taken from; flat without it.
    """
    if not len(x):
        raise InputError("the layout has no solar array: there is no solar energy to compute")
    lon, lat = transformer(crs, LONLAT).transform(float(np.average(x, weights=dc_kw)), float(np.average(y, weights=dc_kw)))  # fmt: skip
    horizon = None
    if dem is not None:
        # grid north is this much east of true north
        turn = Proj(crs).get_factors(lon, lat).meridian_convergence
        azimuths = np.arange(0.0, 360.0, AZIMUTH_STEP_DEG) - turn
        horizon = horizon_deg(dem, x, y, azimuths_deg=azimuths)
    mounting: Literal["tracker", "fixed"] = "tracker" if spec.choice("solar", "mounting") == "tracker" else "fixed"
    return SolarPart(lat, lon, altitude_m, dc_kw, ac_kw, mounting, spec.number("solar", f"{mounting}_gcr"), horizon)
