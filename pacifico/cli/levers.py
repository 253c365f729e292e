"""`pacifico levers`: the land of a site part by part, and what each limit costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, headline, one_line, print_json, say
from pacifico.output_files import writable_file
from pacifico.stages import part_of

if TYPE_CHECKING:
    import argparse

    from pacifico.layout.model.land_use import LandUse
    from pacifico.layout.model.levers import Levers
    from pacifico.layout.model.plan import Plan


def add_levers_command(commands: Any) -> None:
    """Add `levers` to the commands of a parser."""
    levers = commands.add_parser(
        "levers", help="why not more: the land of a site part by part, and what each limit costs"
    )
    options.add_design(levers)
    levers.add_argument("--out", type=options.path, metavar="FILE", help="GeoJSON of the land by reason, to write")
    levers.add_argument("--json", action="store_true", help="print land and levers as JSON")
    levers.set_defaults(run=run_levers)


def run_levers(arguments: argparse.Namespace) -> int:
    """Lay out the site, then once for each limit; print land and levers."""
    from pacifico.compiling import compile_kernels
    from pacifico.layout.add_racking import add_racking
    from pacifico.layout.generate import generate_layout

    if arguments.out is not None:
        writable_file(arguments.out)
    design = options.design_of(arguments)
    with StageLine(quiet=arguments.json) as line:
        site = options.site_of(arguments, part_of(line.on_stage, 0, 5))
        dem = options.dem_of(arguments, site, part_of(line.on_stage, 5, 10))
        compile_kernels(on_progress=line.on_compile)
        plan = add_racking(generate_layout(site, dem, on_stage=part_of(line.on_stage, 10, 20), **design), dem)
        found = plan.levers(dem, entry=arguments.entry, on_stage=part_of(line.on_stage, 20, 100))
    land = plan.land_use(dem)
    if arguments.out is not None:
        land.write(arguments.out)
    _print(plan, land, found, arguments)
    return 0


def _print(plan: Plan, land: LandUse, found: Levers, arguments: argparse.Namespace) -> None:
    """Print land and levers as text or as JSON.

    Parameters
    ----------
    plan : Plan
        Plan with its headline.
    land : LandUse
        Its land.
    found : Levers
        Its levers.
    arguments : Namespace
        Whether to print JSON, and the file written.
    """
    if arguments.json:
        rows = [{"key": p.key, "label": p.label, "hectares": p.hectares} for p in land.parts]
        print_json(
            {
                "out": None if arguments.out is None else str(arguments.out),
                "headline": [answer.to_json() for answer in plan.headline],
                "site_ha": land.site_ha,
                "land": rows,
                "levers": found.to_json(),
            }
        )
        return
    print(headline(plan.headline, plan.metrics))
    say(f"\n{'Site':<40}{land.site_ha:>10,.1f} ha")
    for part in land.parts:
        say(f"{part.label[:39]:<40}{part.hectares:>10,.1f} ha {part.hectares / land.site_ha:>7.1%}")
    say("\nLevers:")
    for lever in found.items:
        say(f"  {lever.text.replace('°', ' deg')}")
    if arguments.out is not None:
        say(f"written: {one_line(arguments.out)}")
