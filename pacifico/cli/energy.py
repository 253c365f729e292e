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

    from pacifico.analysis.energy import Energy, SolarPart
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
    energy.add_argument("--spec", type=options.path, metavar="FILE.toml", help="spec that the layout was made with")
    energy.add_argument("--json", action="store_true", help="print the result as JSON")
    energy.set_defaults(run=run_energy)


def run_energy(arguments: argparse.Namespace) -> int:
    """Compute and print the annual energy of a layout."""
    from pacifico.analysis.energy import annual_energy
    from pacifico.analysis.weather import clear_sky, read_weather
    from pacifico.layout.criteria.spec import make_spec, read_spec
    from pacifico.layout.files.stored import StoredLayout, read_layout

    parts = StoredLayout.of(read_layout(arguments.layout))
    spec = make_spec(read_spec(arguments.spec) if arguments.spec else None)
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

    from pacifico.analysis.energy import solar_part
    from pacifico.site.model import Site
    from pacifico.terrain.dem import open_dem

    arrays = [p for p in parts.of_kind("asset") if p["asset_type"] == "solar_array"]
    dem = None
    if arguments.dem and arrays:
        boundary: Any = shapely.union_all([p.geometry for p in parts.of_kind("boundary")])
        dem = open_dem(
            Site(parts.name, parts.crs, boundary), arguments.dem, resolution_m=HORIZON_CELL_M, units=arguments.dem_units,
            halo_m=HALO_M, settings=options.source_settings(),
        )  # fmt: skip
    middles = shapely.get_coordinates([shapely.centroid(p.geometry) for p in arrays])
    return solar_part(
        middles[:, 0], middles[:, 1],
        np.array([p["capacity_dc_kw"] for p in arrays], dtype=np.float64),
        np.array([p["capacity_kw"] for p in arrays], dtype=np.float64),
        crs=parts.crs, altitude_m=float(np.mean([p["elevation_m"] for p in arrays])) if arrays else 0.0, spec=spec, dem=dem,
    )  # fmt: skip


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
        notes.append("no DEM was given: the horizon is taken as flat")
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
        f"{found.horizon_loss_share:.1%}"
    )
    say(f"weather: {found.weather}")
    for month, mwh in zip(MONTHS, found.monthly_mwh, strict=True):
        print(f"{month} {mwh:12,.1f} MWh")
