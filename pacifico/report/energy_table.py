"""Yearly energy of solar arrays, as a table and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pacifico.report.tables import Table

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.analysis.energy import Energy
    from pacifico.layout.model.plan import Plan

NOT_ASKED = "not asked for: give a weather file (EPW or TMY3) with --weather, or --energy for a clear sky"
_BACKTRACKING = {"standard": "standard, as on level ground", "terrain": "terrain-aware, row by row"}
NO_ARRAYS = "no solar array stands: there is no solar energy to compute"


def solar_year(plan: Plan, dem: xr.DataArray, *, energy: bool = False, weather: str | None = None) -> Energy | None:
    """Energy of a plan's solar arrays in a typical year.

    Parameters
    ----------
    plan : Plan
        Plan with its arrays.
    dem : DataArray
        Ground that was read; its horizon shades the arrays.
    energy : bool
        Compute without a weather file too: for a clear sky, which is an upper bound.
    weather : str, optional
        EPW or TMY3 file.

    Returns
    -------
    Energy or None
        None if it was not asked for, or the plan has no solar array.

    Raises
    ------
    InputError
        pvlib is missing, or the weather file can't be used.
    """
    arrays = [a for a in plan.asset_list if a.item.kind == "solar_array"]
    if not arrays or not (energy or weather):
        return None
    from pacifico.analysis.energy import annual_energy  # noqa: PLC0415 (pandas: 1 s)
    from pacifico.analysis.solar_part import plant_rows, solar_part  # noqa: PLC0415
    from pacifico.analysis.weather import clear_sky, read_weather  # noqa: PLC0415

    centres = np.array([a.item.centre for a in arrays])
    part = solar_part(
        centres[:, 0], centres[:, 1],
        np.array([a.item.capacity_dc_kw for a in arrays]), np.array([a.item.capacity_kw for a in arrays]),
        crs=plan.crs, altitude_m=float(np.mean([a.elevation_m for a in arrays])), spec=plan.spec, dem=dem,
        rows=plant_rows(arrays, plan.spec, dem, design=plan.racking),
    )  # fmt: skip
    year = (
        read_weather(weather, lat=part.lat, lon=part.lon) if weather else clear_sky(part.lat, part.lon, part.altitude_m)
    )
    return annual_energy(part, year, plan.spec)


def energy_table(year: Energy | None, plan: Plan) -> Table:
    """Yearly figures, months and assumptions."""
    if year is None:
        has_arrays = any(a.item.kind == "solar_array" for a in plan.asset_list)
        return Table(("", "", ""), (), words=1, empty=NOT_ASKED if has_arrays else NO_ARRAYS)
    bound = " (upper bound: clear sky)" if year.clear_sky else ""
    rows = [
        (f"Energy of a year{bound}", _n(year.annual_mwh), "MWh"),
        ("Specific yield", _n(year.specific_yield_kwh_per_kwdc), "kWh/kWdc"),
        ("Capacity factor, of AC", f"{100 * year.capacity_factor:.1f}", "%"),
        ("Clipped by inverters", f"{100 * year.clipped_share:.1f}", "%"),
        ("Lost to the horizon", f"{100 * year.horizon_loss_share:.1f}", "%"),
        ("Lost to shade of rows on rows", f"{100 * year.row_shade_loss_share:.2f}", "%"),
        *([] if year.backtracking == "none" else [("Backtracking", _BACKTRACKING[year.backtracking], "")]),
        *((month, _n(mwh), "MWh") for month, mwh in months(year)),
        ("Weather", year.weather, ""),
        *(("Note", note, "") for note in (*year.warnings, *_left_out(plan))),
    ]
    return Table(("", "", ""), tuple(rows))


def months(year: Energy) -> list[tuple[str, float]]:
    """Energy of each month [MWh]."""
    from pacifico.analysis.energy import MONTHS  # noqa: PLC0415 (pandas: 1 s)

    return list(zip(MONTHS, year.monthly_mwh, strict=True))


def write_energy(year: Energy | None, path: str | Path) -> Path | None:
    """Write months and year as CSV [MWh]; nothing without a year."""
    if year is None:
        return None
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("month", "energy_mwh"))
    rows.writerows((month, f"{mwh:.3f}") for month, mwh in (*months(year), ("year", year.annual_mwh)))
    out = Path(path)
    out.write_text(text.getvalue(), encoding="utf-8", newline="")
    return out


def _left_out(plan: Plan) -> list[str]:
    """Notes on what the energy does not cover."""
    kinds = {a.item.kind.replace("_", " ") for a in plan.asset_list}
    others = sorted(kinds & {"battery", "generator", "gas turbine", "wind turbine"})
    ground = "the horizon is that of the ground that was read: the site and a margin"
    return [ground, *([f"energy of others is left out: {', '.join(others)}"] if others else [])]


def _n(value: float) -> str:
    """Whole number with thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")
