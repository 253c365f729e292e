"""`pacifico terrain`: rasters, contours and figures of the ground of a site."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, print_json, print_notes
from pacifico.errors import InputError
from pacifico.output_files import writable_folder
from pacifico.stages import part_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

SUMMARY = "summary.json"
"""File by which a terrain folder is known."""


def add_terrain_command(commands: Any) -> None:
    """Add `terrain` to the commands of a parser."""
    terrain = commands.add_parser("terrain", help="slope, aspect, hillshade as COG; contours; summary.json")
    options.add_ground(terrain)
    options.add_exclusions(terrain)
    terrain.add_argument(
        "--contour-interval-m", type=options.number, metavar="N", help="height between contours (by relief)"
    )
    terrain.add_argument("--out", type=options.path, metavar="DIR", help="folder to write (optional with --json)")
    terrain.add_argument("--json", action="store_true", help="print the summary as JSON")
    terrain.set_defaults(run=run_terrain)


def run_terrain(arguments: argparse.Namespace) -> int:
    """Write the terrain folder of a site and print its figures."""
    from pacifico.grid import warnings_of
    from pacifico.layout.criteria.spec import make_spec
    from pacifico.terrain.products import write_terrain
    from pacifico.vocabulary import ASSET_KINDS

    options.require_out(arguments)
    if arguments.out is not None:
        writable_folder(arguments.out)
        _require_own_folder(arguments.out)
    spec = make_spec()
    with StageLine(quiet=arguments.json) as line, tempfile.TemporaryDirectory(prefix="pacifico-") as scratch:
        site = options.site_of(arguments, part_of(line.on_stage, 0, 15))
        dem = options.dem_of(arguments, site, part_of(line.on_stage, 15, 40))
        summary = write_terrain(
            site,
            dem,
            arguments.out or scratch,
            slope_limits_deg={kind: spec.number(kind, "slope_limit_deg") for kind in ASSET_KINDS},
            setback_m=spec.number("site", "setback_m") if arguments.setback_m is None else arguments.setback_m,
            contour_interval_m=arguments.contour_interval_m,
            on_stage=part_of(line.on_stage, 40, 100),
        )
    warnings = [*site.warnings, *warnings_of(dem)]
    if arguments.json:
        print_json({"out": str(arguments.out) if arguments.out else None, "summary": summary, "warnings": warnings})
        return 0
    slope = summary["slope_deg"]
    print(
        f"{site.area_ha:,.1f} ha; slope: median {slope['p50']:.1f} deg, 90th percentile {slope['p90']:.1f} deg; "
        f"written: {arguments.out}"
    )
    print_notes(warnings)
    return 0


def _require_own_folder(out: Path) -> None:
    """Refuse a folder with content that `pacifico terrain` did not write."""
    if not out.is_dir() or (out / SUMMARY).is_file() or not any(out.iterdir()):
        return
    raise InputError(f"{out} is not empty and holds no terrain that pacifico wrote; name another folder with --out")
