"""`pacifico layout`: boundary and terrain in, layout.geojson out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, headline, one_line, print_bytes, print_json, print_notes, say
from pacifico.errors import InputError
from pacifico.layout.files.geojson import text
from pacifico.output_files import writable_file
from pacifico.stages import part_of

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from pacifico.layout.model.plan import Plan


def add_layout_command(commands: Any) -> None:
    """Add `layout` to the commands of a parser."""
    layout = commands.add_parser("layout", help="boundary and terrain in, layout.geojson out")
    options.add_design(layout)
    layout.add_argument(
        "--out", type=options.path, metavar="FILE", help="GeoJSON to write; - is standard output (optional with --json)"
    )
    layout.add_argument(
        "--cut-fill", type=options.path, metavar="FILE.tif", help="GeoTIFF of cut (negative) and fill [m] to write"
    )
    layout.add_argument(
        "--piles",
        type=options.path,
        metavar="FILE.csv",
        help="CSV of the piles under arrays to write, with their reveals",
    )
    layout.add_argument("--json", action="store_true", help="print metrics, warnings and unplaced assets as JSON")
    layout.set_defaults(run=run_layout)


def run_layout(arguments: argparse.Namespace) -> int:
    """Lay out the site and write what was asked for."""
    from pacifico.compiling import compile_kernels
    from pacifico.layout.add_racking import add_racking
    from pacifico.layout.generate import generate_layout

    check_outputs(arguments)
    for file in (arguments.cut_fill, arguments.piles):
        if file is not None:
            writable_file(file)
    design = options.design_of(arguments)
    with StageLine(quiet=arguments.json) as line:
        site = options.site_of(arguments, part_of(line.on_stage, 0, 10))
        dem = options.dem_of(arguments, site, part_of(line.on_stage, 10, 25))
        compile_kernels(on_progress=line.on_compile)
        plan = add_racking(generate_layout(site, dem, on_stage=part_of(line.on_stage, 25, 100), **design), dem)
    write_plan(plan, arguments.out)
    if arguments.cut_fill is not None:
        plan.write_cut_fill(dem, arguments.cut_fill)
    if arguments.piles is not None:
        plan.write_piles(arguments.piles)
    print_plan(plan, arguments)
    return exit_status(plan)


def check_outputs(arguments: argparse.Namespace) -> None:
    """Refuse outputs that are missing, exclude each other or can't be written."""
    if arguments.out is None and not arguments.json:
        raise InputError("no output given: add --out FILE (- is standard output), or --json for the figures alone")
    if options.is_stdout(arguments.out):
        if arguments.json:
            raise InputError("--out - and --json both write to standard output: leave one of them out")
    elif arguments.out is not None:
        writable_file(arguments.out)


def write_plan(plan: Plan, out: Path | None) -> None:
    """Write layout.geojson to a file, or to standard output for `-`."""
    if options.is_stdout(out):
        print_bytes(text(plan.to_geojson()).encode())
    elif out is not None:
        plan.write(out)


def exit_status(plan: Plan) -> int:
    """1 where less was placed than a target asked for; 0 otherwise."""
    return 1 if plan.target_capacity_kw is not None and plan.shortfall else 0


def print_plan(plan: Plan, arguments: argparse.Namespace) -> None:
    """Print a plan's headline and notes, or its figures as JSON."""
    out = None if arguments.out is None else str(arguments.out)
    if arguments.json:
        unplaced = [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in plan.unplaced]
        answers = [answer.to_json() for answer in plan.headline]
        print_json(
            {
                "out": out,
                "headline": answers,
                "metrics": plan.metrics,
                "warnings": list(plan.warnings),
                "unplaced": unplaced,
            }
        )
        return
    if not options.is_stdout(arguments.out):
        print(headline(plan.headline, plan.metrics))
        say(f"written: {one_line(out)}")
    print_notes(plan.warnings)
