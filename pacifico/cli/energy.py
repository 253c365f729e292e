"""`pacifico energy`: annual energy of the solar part of a stored layout."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import one_line, say

if TYPE_CHECKING:
    import argparse

    import xarray as xr

    from pacifico.analysis.energy import Energy
    from pacifico.analysis.solar_part import PlantRows, SolarPart
    from pacifico.layout.criteria.spec import Spec
    from pacifico.layout.files.stored import StoredLayout

HALO_M = 5000.0
"""Width of the ground around the site that can form its horizon [m]."""
HORIZON_CELL_M = 30.0
"""Cell of that ground [m]; a finer cell hardly changes the horizon."""
DENSITY_RANGE = (0.85, 1.4)
"""Range of array power density over the density that the spec gives; outside it the layout used another spec."""


def add_energy_command(commands: Any) -> None:
    """Add `energy` to the commands of a parser."""
    energy = commands.add_parser(
        "energy", help="annual energy of a layout's solar part, from a weather file or a clear sky"
    )
    energy.add_argument("layout", type=options.path, metavar="LAYOUT", help="layout.geojson")
    energy.add_argument(
        "--dem",
        type=options.source,
        metavar="DEM",
        help=f"ground for the horizon (flat without it); {options.DEM_HELP}",
    )
    energy.add_argument("--dem-units", choices=("m", "ft"), help="of the heights, where the file does not say")
    energy.add_argument("--weather", type=options.path, metavar="FILE", help="typical year, EPW or TMY3 (without it: a clear sky)")  # fmt: skip
    energy.add_argument("--spec", type=options.path, metavar="FILE.toml", help="spec to use (that of the layout)")
    options.add_backtracking(energy)
    energy.add_argument("--json", action="store_true", help="print the result as JSON")
    energy.set_defaults(run=run_energy)


def run_energy(arguments: argparse.Namespace) -> int:
    """Compute and print the annual energy of a layout."""
    from pacifico.analysis.energy import annual_energy
    from pacifico.analysis.weather import clear_sky, read_weather
    from pacifico.layout.criteria.spec import make_spec, read_spec
    from pacifico.layout.files.stored import StoredLayout, read_layout

    parts = StoredLayout.of(read_layout(arguments.layout))
    overrides = read_spec(arguments.spec) if arguments.spec else parts.about.get("spec", {})
    spec = make_spec(options.with_backtracking(overrides, arguments.backtracking))
    part = _part(parts, spec, arguments)
    weather = (
        read_weather(arguments.weather, lat=part.lat, lon=part.lon)
        if arguments.weather
        else clear_sky(part.lat, part.lon, part.altitude_m)
    )
    found = annual_energy(part, weather, spec)
    notes = [*found.warnings, *_notes(parts, part, spec)]
    if arguments.json:
        print(json.dumps({**dataclasses.asdict(found), "warnings": notes}, indent=1))
        return 0
    _say(found)
    for note in notes:
        print(f"note: {one_line(note)}", file=sys.stderr)
    return 0


def _part(parts: StoredLayout, spec: Spec, arguments: argparse.Namespace) -> SolarPart:
    """Solar arrays of a layout, with the horizon where a DEM is given."""
    import numpy as np
    import shapely

    from pacifico.analysis.solar_part import solar_part

    arrays = [p for p in parts.of_kind("asset") if p["asset_type"] == "solar_array"]
    given = bool(arguments.dem and arrays)
    middles = shapely.get_coordinates([shapely.centroid(p.geometry) for p in arrays])
    return solar_part(
        middles[:, 0], middles[:, 1],
        np.array([p["capacity_dc_kw"] for p in arrays], dtype=np.float64),
        np.array([p["capacity_kw"] for p in arrays], dtype=np.float64),
        crs=parts.crs, altitude_m=float(np.mean([p["elevation_m"] for p in arrays])) if arrays else 0.0, spec=spec,
        dem=_ground(parts, arguments, HORIZON_CELL_M, HALO_M) if given else None,
        rows=_rows(parts, spec, arguments) if given else None,
    )  # fmt: skip


def _ground(parts: StoredLayout, arguments: argparse.Namespace, cell_m: float, halo_m: float) -> xr.DataArray:
    """Ground of a layout and around it.

    Parameters
    ----------
    parts : StoredLayout
        Layout.
    arguments : Namespace
        DEM and its units.
    cell_m : float
        Cell [m].
    halo_m : float
        Width of the ground around the site [m].
    """
    import shapely

    from pacifico.site.model import Site
    from pacifico.terrain.dem import open_dem

    boundary: Any = shapely.union_all([p.geometry for p in parts.of_kind("boundary")])
    return open_dem(
        Site(parts.name, parts.crs, boundary), arguments.dem, resolution_m=cell_m, units=arguments.dem_units,
        halo_m=halo_m, settings=options.source_settings(),
    )  # fmt: skip


def _rows(parts: StoredLayout, spec: Spec, arguments: argparse.Namespace) -> PlantRows:
    """Rows of a layout in space, on ground of the layout's own cell."""
    from pacifico.analysis.solar_part import plant_rows
    from pacifico.layout.editing.reopen import stored_asset

    arrays = [stored_asset(p, spec) for p in parts.of_kind("asset") if p["asset_type"] == "solar_array"]
    return plant_rows(arrays, spec, _ground(parts, arguments, float(parts.about["dem"]["resolution_m"]), 0.0))


def _notes(parts: StoredLayout, part: SolarPart, spec: Spec) -> list[str]:
    """Notes on what the figures leave out or assume."""
    assets = parts.of_kind("asset")
    ground = sum(p.geometry.area for p in assets if p["asset_type"] == "solar_array")
    density = part.dc_kw.sum() / (ground * part.gcr * spec.number("solar", "module_efficiency"))
    notes = []
    if not DENSITY_RANGE[0] <= density <= DENSITY_RANGE[1]:
        notes.append(
            f"the arrays hold {density:.2f} times the power of {part.mounting} rows at ground coverage {part.gcr:g}: "
            "give the --spec that the layout was made with"
        )
    if part.horizon_deg is None:
        notes.append("no DEM was given: the horizon is taken as flat, and rows as level without shade on each other")
    else:
        notes.append(f"the horizon is that of the DEM, at most {HALO_M / 1000:g} km around the site")
    others = sorted({p["asset_type"].replace("_", " ") for p in assets} & {"battery", "generator", "gas turbine", "wind turbine"})  # fmt: skip
    if others:
        notes.append(f"energy of others is left out: {', '.join(others)}")
    return notes


def _say(found: Energy) -> None:
    from pacifico.analysis.energy import MONTHS

    bound = ", an upper bound: clear sky all year" if found.clear_sky else ""
    print(
        f"{found.annual_mwh:,.0f} MWh a year{bound}; {found.specific_yield_kwh_per_kwdc:,.0f} kWh/kWdc, capacity factor "
        f"{found.capacity_factor:.1%} of {found.ac_kw:,.0f} kW AC; clipped {found.clipped_share:.1%}, lost to the horizon "
        f"{found.horizon_loss_share:.1%}, to shade of rows on rows {found.row_shade_loss_share:.2%}"
    )
    say(f"weather: {found.weather}")
    for month, mwh in zip(MONTHS, found.monthly_mwh, strict=True):
        print(f"{month} {mwh:12,.1f} MWh")
