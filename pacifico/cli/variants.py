"""`pacifico variants`: compare the strategies on one site."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, one_line, say
from pacifico.cli.sweep import add_sweep, is_sweep, run_sweep
from pacifico.errors import InputError, OutsideServiceError
from pacifico.output_files import writable_folder
from pacifico.stages import part_of
from pacifico.vocabulary import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pacifico.report.variants.result import Variants


def add_variants_command(commands: Any) -> None:
    """Add `variants` to the commands of a parser."""
    variants = commands.add_parser("variants", help="compare all strategies: table, Pareto front, maps, layouts")
    options.add_design(variants, strategy=False)
    variants.add_argument(
        "--strategies", type=_strategies, default=STRATEGIES, metavar="A,B", help="which to compare (all of them)"
    )
    # every other command has --strategy: say what to write instead of "unknown option"
    variants.add_argument("--strategy", type=_refused, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    variants.add_argument(
        "--reports", action="store_true", help="write a full report of each strategy, not its layout alone"
    )
    variants.add_argument(
        "--processes", type=_count, metavar="N", help="most processes at a time (the number of cores)"
    )
    add_sweep(variants)
    variants.add_argument("--json", action="store_true", help="print the comparison as JSON")
    variants.add_argument("--out", type=options.path, metavar="DIR", help="folder to write (optional with --json)")
    variants.set_defaults(run=run_variants)


def _strategies(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [n for n in names if n not in STRATEGIES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is unknown; choose from {','.join(STRATEGIES)}")
    return names


def _refused(text: str) -> str:
    raise argparse.ArgumentTypeError(
        f"variants compares strategies: leave {text!r} out for all of them, or name some with --strategies {text},..."
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes; give 1 to 64")
    return int(text)


def run_variants(arguments: argparse.Namespace) -> int:
    """Lay out the site by each strategy, write the folder and print the comparison."""
    from pacifico.compiling import compile_kernels
    from pacifico.report.variants import folder
    from pacifico.report.variants.generate import generate_variants

    options.require_out(arguments)
    sweep = is_sweep(arguments)
    if arguments.out is not None:
        writable_folder(arguments.out, replaced=True)
        folder.check(arguments.out)
    elif arguments.reports:
        raise InputError("--reports writes a folder: add --out, or leave --reports out")
    design = options.design_of(arguments)
    options.dem_source(arguments)
    if sweep:
        return run_sweep(arguments, design)
    with StageLine(quiet=arguments.json) as line:
        site = options.site_of(arguments, part_of(line.on_stage, 0, 10))
        dem = options.dem_of(arguments, site, part_of(line.on_stage, 10, 25))
        compile_kernels(on_progress=line.on_compile)  # once, rather than in the process of each strategy
        found = generate_variants(
            site,
            dem,
            strategies=arguments.strategies,
            processes=arguments.processes,
            on_stage=part_of(line.on_stage, 25, 100),
            **design,
        )
    if arguments.reports:
        _write_with_reports(found, arguments, design)
    elif arguments.out is not None:
        found.write(arguments.out)
    _print(found, arguments)
    return 3 if any(f.lost for f in found.failures) else 1 if found.short else 0


def _write_with_reports(found: Variants, arguments: argparse.Namespace, design: dict[str, Any]) -> None:
    """Write the folder with one report per strategy; each notebook makes its layout again."""
    from pacifico.report.make import make_report
    from pacifico.report.variants import folder

    staged = folder.stage(arguments.out)
    try:
        for strategy, plan in found.plans.items():
            outcome = make_report(
                arguments.boundary,
                options.dem_source(arguments),
                staged / strategy,
                terrain=not arguments.no_terrain,
                resolution_m=arguments.resolution_m,
                dem_units=arguments.dem_units,
                layer=arguments.layer,
                roads=arguments.roads,
                **options.exclusions_of(arguments),
                strategy=plan.strategy,
                settings=options.source_settings(),
                **design,
            )
            if outcome.status != "completed":
                message = " ".join((outcome.error_message or "the run was lost").split())
                raise OutsideServiceError(
                    f"the report of {strategy} failed: {message}; leave --reports out for layouts alone"
                )
        folder.fill(found, staged, reports=tuple(found.plans))
        folder.place(staged, arguments.out)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _print(found: Variants, arguments: argparse.Namespace) -> None:
    from pacifico.report.variants import folder

    if arguments.json:
        print(json.dumps({"out": str(arguments.out) if arguments.out else None, **folder.summary(found)}, indent=1))
        return
    say(_table(found))
    for best in found.best:
        measure = folder.label(best.measure)
        message = f"{best.strategy} by {best.margin_pct:.1f} %" if best.strategy else f"none: {best.note}"
        print(f"best {measure}: {message}")
    print(f"not dominated: {', '.join(found.front)}")
    say(folder.comparison_lines(found))
    say(f"written: {one_line(arguments.out / folder.PAGE)}")
    for failure in found.failures:
        say(f"note: {failure.strategy}: {failure.message}", file=sys.stderr)
    for name, line in folder.notes(found):
        say(f"note: {name + ': ' if name else ''}{line}", file=sys.stderr)


def _table(found: Variants) -> str:
    from pacifico.report.variants import folder
    from pacifico.report.variants.measure import MEASURES

    wanted = [m for m in MEASURES if m.key in _SHOWN and any(m.key in row for row in found.rows.values())]
    lines: list[Sequence[str]] = [["", *(f"{_SHOWN[m.key]} [{m.unit}]" for m in wanted)]]
    lines += [[name, *(folder.shown(row.get(m.key), m) for m in wanted)] for name, row in found.rows.items()]
    widths = [max(len(line[k]) for line in lines) for k in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(line, widths, strict=True)))
        for line in lines
    )


_SHOWN = {
    "placed_kw": "placed",
    "kw_per_ha": "density",
    "road_length_m": "road",
    "cut_volume_m3": "cut",
    "fill_volume_m3": "fill",
    "cable_length_m": "cable",
    "cost_usd": "cost",
}
