"""`pacifico demo`, `report`, `reproduce` and `compare`: report folders."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from pacifico.cli import options
from pacifico.cli.printing import StageLine, headline, one_line, print_json, print_notes, say
from pacifico.output_files import writable_folder

DEMO_KW = 60_000.0
"""Target of the demo [kW]: about what the sample site carries."""

EXIT_OF_ERROR = {"request": 2, "service": 3}
"""Exit status of a failed run by its error kind; a lost run, or one out of time or memory, counts as a service."""


def add_report_commands(commands: Any) -> None:
    """Add the commands of report folders to a parser."""
    demo = commands.add_parser("demo", help="the main job on the sample terrain that ships; needs no network")
    demo.add_argument(
        "--out", type=options.path, default=Path("demo-report"), metavar="DIR", help="report folder (demo-report)"
    )
    demo.set_defaults(run=run_demo)

    report = commands.add_parser("report", help="execute the report notebook and write a report folder")
    options.add_design(report)
    report.add_argument(
        "--rules",
        type=options.source,
        metavar="PACK",
        help="rule pack to check the layout against: a name or a TOML file",
    )
    report.add_argument(
        "--energy", action="store_true", help="add the year's energy of the solar part: clear sky, an upper bound"
    )
    report.add_argument(
        "--levers",
        action=argparse.BooleanOptionalAction,
        help="solve what each limit costs, a layout each (where a small plant misses its target)",
    )
    report.add_argument("--weather", type=options.path, metavar="FILE", help="typical year for it, EPW or TMY3")
    report.add_argument("--out", type=options.path, required=True, metavar="DIR", help="report folder to write")
    report.set_defaults(run=run_report)

    reproduce = commands.add_parser("reproduce", help="run a report again from its manifest and compare")
    reproduce.add_argument("report", type=options.path, metavar="REPORT", help="report folder")
    reproduce.add_argument(
        "--allow-network",
        action="store_true",
        help="let the report read sources on the network; without it a terminal is asked, and anything else refused",
    )
    reproduce.set_defaults(run=run_reproduce)

    compare = commands.add_parser("compare", help="compare two report folders: parameters, metrics, geometry")
    compare.add_argument("a", type=options.path, metavar="A")
    compare.add_argument("b", type=options.path, metavar="B")
    compare.set_defaults(run=run_compare)
    for command in (demo, report, reproduce, compare):
        command.add_argument("--json", action="store_true", help="print the result as JSON")


def run_demo(arguments: argparse.Namespace) -> int:
    """Make the report of the sample site."""
    return _make_report(arguments, "sample", "sample", target_capacity_kw=DEMO_KW)


def run_report(arguments: argparse.Namespace) -> int:
    """Make the report of a site."""
    return _make_report(
        arguments,
        arguments.boundary,
        options.dem_source(arguments),
        terrain=not arguments.no_terrain,
        resolution_m=arguments.resolution_m,
        dem_units=arguments.dem_units,
        layer=arguments.layer,
        rules=arguments.rules,
        energy=arguments.energy,
        levers=arguments.levers,
        weather=arguments.weather,
        roads=arguments.roads,
        **options.exclusions_of(arguments),
        **options.design_of(arguments),
    )


def _make_report(arguments: argparse.Namespace, boundary: str | Path, dem: str | None, **design: Any) -> int:
    """Run the notebook and print the headline; a failed run leaves a report too.

    Parameters
    ----------
    arguments : Namespace
        `out` and `json` of the command.
    boundary : str or Path
        Boundary file, or ``sample``.
    dem : str, optional
        DEM source; None for level ground.
    **design
        Keywords of `make_report`.
    """
    from pacifico.analysis.headline import stored_headline
    from pacifico.report.make import make_report

    out: Path = arguments.out
    writable_folder(out, replaced=True)
    with StageLine(quiet=arguments.json) as line:
        outcome = make_report(
            boundary,
            dem,
            out,
            settings=options.source_settings(),
            on_stage=line.on_stage,
            on_compile=line.on_compile,
            **design,
        )
    if outcome.status != "completed":
        message = one_line(outcome.error_message or "the run was lost")
        say(f"pacifico: {message}; the report up to that cell is in {one_line(out)}", file=sys.stderr)
        return EXIT_OF_ERROR.get(outcome.error_kind or "", 3)
    layout = json.loads((out / "layout.geojson").read_text(encoding="utf-8"))["pacifico"]
    shortfall = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["shortfall"]
    page = str((out / "report.html").resolve())
    if arguments.json:
        print_json({"out": str(out), "report": page, "metrics": layout["metrics"], "warnings": layout["warnings"]})
    else:
        print(headline(stored_headline(layout), layout["metrics"]))
        say(f"report: {one_line(page)}")
        print_notes(layout["warnings"])
    return 1 if shortfall and design.get("target_capacity_kw") is not None else 0


def run_reproduce(arguments: argparse.Namespace) -> int:
    """Run a report again; 1 where the result differs."""
    from pacifico.run.reproduce import reproduce

    allowed = arguments.allow_network or ask_for_network
    with StageLine(quiet=arguments.json) as line:
        again = reproduce(arguments.report, allow_network=allowed, on_stage=line.on_stage)
    if arguments.json:
        print_json({"verdict": again.verdict, "text": str(again)})
    else:
        say(again)
    return 0 if again.verdict in ("identical", "equivalent") else 1


def ask_for_network(sources: list[str]) -> bool:
    """Ask at a terminal whether a report may use the network; elsewhere no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    from pacifico.run.redact import redact

    named = one_line(redact(", ".join(source[:120] for source in sources)))
    print(f"The report reads {named} over the network. Allow it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def run_compare(arguments: argparse.Namespace) -> int:
    """Compare two reports; 1 where they differ."""
    from pacifico.report.compare import compare

    found = compare(arguments.a, arguments.b)
    if arguments.json:
        print_json({"identical": found.identical, "text": str(found)})
    else:
        say(found)
    return 0 if found.identical else 1
