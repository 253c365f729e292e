"""`pacifico layout`: boundary and terrain in, layout.geojson out."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import compile_line, headline, print_json, print_notes
from pacifico.errors import InputError

if TYPE_CHECKING:
    import argparse

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
    layout.add_argument("--json", action="store_true", help="print metrics, warnings and unplaced assets as JSON")
    layout.set_defaults(run=run_layout)


def run_layout(arguments: argparse.Namespace) -> int:
    """Lay out the site and write what was asked for."""
    from pacifico.compiling import compile_kernels
    from pacifico.layout.generate import generate_layout

    _check_outputs(arguments)
    design = options.design_of(arguments)
    site = options.site_of(arguments)
    dem = options.dem_of(arguments, site)
    compile_kernels(on_progress=compile_line())
    plan = generate_layout(site, dem, **design)
    if options.is_stdout(arguments.out):
        _write_to_stdout(plan)
    elif arguments.out is not None:
        plan.write(arguments.out)
    if arguments.cut_fill is not None:
        plan.write_cut_fill(dem, arguments.cut_fill)
    _report(plan, arguments)
    short = arguments.capacity_kw is not None and plan.shortfall
    return 1 if short else 0


def _check_outputs(arguments: argparse.Namespace) -> None:
    if arguments.out is None and not arguments.json:
        raise InputError("no output given: add --out FILE (- is standard output), or --json for the figures alone")
    if options.is_stdout(arguments.out):
        if arguments.json:
            raise InputError("--out - and --json both write to standard output: leave one of them out")
    elif arguments.out is not None:
        options.writable_file(arguments.out)
    if arguments.cut_fill is not None:
        options.writable_file(arguments.cut_fill)


def _write_to_stdout(plan: Plan) -> None:
    with tempfile.TemporaryDirectory(prefix="pacifico-") as folder:
        written = plan.write(Path(folder) / "layout.geojson")
        sys.stdout.write(written.read_text(encoding="utf-8"))


def _report(plan: Plan, arguments: argparse.Namespace) -> None:
    out = None if arguments.out is None else str(arguments.out)
    if arguments.json:
        unplaced = [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in plan.unplaced]
        answers = [answer.to_json() for answer in plan.headline]
        print_json(
            {
                "out": out,
                "headline": answers,
                "metrics": dict(plan.metrics),
                "warnings": list(plan.warnings),
                "unplaced": unplaced,
            }
        )
        return
    if not options.is_stdout(arguments.out):
        print(headline(plan.headline, plan.metrics))
        print(f"written: {out}")
    print_notes(plan.warnings)
