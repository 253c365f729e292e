"""`pacifico terrain`: the ground of a site, as rasters, vectors and figures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.cli import options as args_

if TYPE_CHECKING:
    import argparse


def add_terrain_command(commands: Any) -> None:
    """Add `terrain` to a parser's commands."""
    terrain = commands.add_parser("terrain", help="slope, aspect, hillshade as COG; contours; summary.json")
    args_.add_ground(terrain)
    args_.add_exclusions(terrain)
    terrain.add_argument(
        "--contour-interval-m", type=args_.number, metavar="N", help="height between contours (by relief)"
    )
    terrain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    terrain.set_defaults(run=_terrain)


def _terrain(arguments: argparse.Namespace) -> int:
    from pacifico.layout.criteria.asset_types import ASSET_KINDS
    from pacifico.layout.criteria.spec import make_spec
    from pacifico.terrain.products import write_terrain

    args_.writable_folder(arguments.out)
    site = args_.site_of(arguments)
    spec = make_spec()
    dem = args_.dem_of(arguments, site)
    summary = write_terrain(
        site,
        dem,
        arguments.out,
        slope_limits_deg={kind: spec.number(kind, "slope_limit_deg") for kind in ASSET_KINDS},
        setback_m=spec.number("site", "setback_m") if arguments.setback_m is None else arguments.setback_m,
        contour_interval_m=arguments.contour_interval_m,
    )
    slope = summary["slope_deg"]
    print(
        f"{site.area_ha:,.1f} ha, slope {slope['p50']:.1f} deg in the middle and {slope['p90']:.1f} deg at the 90th percentile; "
        f"written: {arguments.out}"
    )
    for warning in dem.attrs.get("warnings", ()):
        print(f"note: {warning}", file=sys.stderr)
    return 0
