"""Annual energy of solar arrays by PVWatts, through pvlib.

Storage, gas and wind are left out: their energy depends on dispatch, load and wind resource, which a layout doesn't
know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pacifico.analysis.pvwatts import light_on_level_rows, pvwatts_chain
from pacifico.analysis.shading.row_shade import SunHours, row_light, row_rules
from pacifico.analysis.weather import require_pvlib
from pacifico.errors import InputError

if TYPE_CHECKING:
    from pacifico.analysis.pvwatts import Chain
    from pacifico.analysis.shading.row_shade import RowLight
    from pacifico.analysis.solar_part import PlantRows, SolarPart
    from pacifico.analysis.weather import Weather
    from pacifico.array_types import FloatArray
    from pacifico.layout.criteria.spec import Spec

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOURS = 8760
"""Hours of a typical year."""


@dataclass(frozen=True)
class ArrayYield:
    """Year of one array."""

    array_id: str
    row_shade_loss_share: float
    """Energy lost to the rows around, relative to its own without their shade [-]."""
    relative_yield: float
    """DC energy, relative to level rows without shade [-]; the horizon is left out."""


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
    row_shade_loss_share: float
    """Energy lost to shade of rows on rows, relative to the energy without it [-]; 0 without a DEM."""
    backtracking: str
    """How trackers turn: standard or terrain; none for fixed rows."""
    clear_sky: bool
    """True: the energy is an upper bound."""
    weather: str
    """Source of the weather."""
    warnings: tuple[str, ...]
    arrays: tuple[ArrayYield, ...] = ()
    """Year of each array; empty without a DEM."""


def annual_energy(part: SolarPart, weather: Weather, spec: Spec) -> Energy:
    """Energy of a typical year.

    The model chain is that of PVWatts: Perez sky, physical incidence angle losses, SAPM cell temperature, linear
    temperature coefficient, one loss factor, and an inverter with part-load efficiency that clips at its rating.
    Trackers turn about north-south axes and backtrack. An array has no beam while its horizon hides the sun, and
    diffuse light only from the part of the sky above its horizon. Rows on their ground face the sun as they slope and
    take beam from each other, see `pacifico.analysis.shading`; a tracker's beam counts at the angle of its own rotation.

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
    sky = light_on_level_rows(part, weather, spec)
    chain = pvwatts_chain(sky, dc, ac, spec)
    light = None if part.rows is None else _row_light(part, part.rows, chain, spec)
    beam, diffuse = (1.0, 1.0) if light is None else (light.beam, light.sky)
    hourly, unclipped = _hourly(chain, beam, diffuse)
    flat = hourly if part.horizon_deg is None else chain.ac_power(chain.dc_power(beam, diffuse))
    unshaded = hourly if light is None else _hourly(chain, light.beam_unshaded, diffuse)[0]
    annual = float(hourly.sum())
    index: Any = weather.hours.index
    month = index.month.to_numpy()
    return Energy(
        tuple(round(float(hourly[month == m].sum()) / 1e3, 3) for m in range(1, 13)),
        round(annual / 1e3, 3),
        round(dc, 3),
        round(ac, 3),
        round(annual / dc, 1),
        round(annual / ac / HOURS, 4),
        _loss(annual, unclipped),
        _loss(annual, flat),
        _loss(annual, unshaded),
        spec.choice("energy", "backtracking") if part.mounting == "tracker" else "none",
        weather.clear_sky,
        weather.source,
        weather.warnings,
        () if light is None else _array_yields(light),
    )


def _loss(annual: float, without: FloatArray) -> float:
    """Loss relative to the hourly energy without it [-]."""
    whole = float(without.sum())
    return round(1 - annual / whole, 4) + 0.0 if whole else 0.0


def _hourly(chain: Chain, beam: FloatArray | float, diffuse: FloatArray | float) -> tuple[FloatArray, FloatArray]:
    """AC power in each hour, with the inverters' limit and without [kW].

    Parameters
    ----------
    chain : Chain
        Modules and inverters, with what the horizon takes.
    beam, diffuse : ndarray or float
        Beam and diffuse light on the rows, relative to level ones [-].
    """
    sky = chain.sky
    sunny, shaded = chain.dc_power(beam, sky.visible * diffuse), chain.dc_power(0.0, sky.visible * diffuse)
    # each array has its share of the rating: sunny ones clip even while others are in shade
    in_shade = sky.shaded * chain.ac_power(shaded)
    clipped: FloatArray = (1 - sky.shaded) * chain.ac_power(sunny) + in_shade
    unclipped: FloatArray = (1 - sky.shaded) * chain.unclipped(sunny) + in_shade
    return clipped, unclipped


def _array_yields(light: RowLight) -> tuple[ArrayYield, ...]:
    """Year of each array, rounded."""
    return tuple(
        ArrayYield(name, round(shade, 5) + 0.0, round(relative, 5))
        for name, shade, relative in sorted(
            zip(light.array_id, light.shade_loss.tolist(), light.relative_yield.tolist(), strict=True)
        )
    )


def _row_light(part: SolarPart, rows: PlantRows, chain: Chain, spec: Spec) -> RowLight:
    """Light on the rows of a plant.

    Parameters
    ----------
    part : SolarPart
        Arrays and their place.
    rows : PlantRows
        Their rows in space.
    chain : Chain
        Modules and inverters, with the light on level rows.
    spec : Spec
        Section ``energy``.
    """
    sky = chain.sky
    dark = chain.dc_power(0.0, 0.0)
    diffuse = chain.dc_power(0.0, sky.visible)
    # hours in the horizon's shade have no beam to lose
    beam = (chain.dc_power(1.0, sky.visible) - diffuse) * (1 - sky.shaded)
    sun = SunHours(
        sky.sun["apparent_zenith"].to_numpy(),
        sky.sun["azimuth"].to_numpy() - part.convergence_deg,
        np.cos(np.radians(sky.incidence_deg.to_numpy())),
        (1 + np.cos(np.radians(sky.tilt_deg.to_numpy()))) / 2,
        beam,
        diffuse - dark,
    )
    return row_light(rows.fields, rows.dc_kw, sun, row_rules(spec, part.lat))
