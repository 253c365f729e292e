"""The command line: parse, call, say, and exit with the status that the outcome deserves.

0 done; 1 done, but the layout can't meet what was asked; 2 bad input; 3 an outside service failed.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico import __version__
from pacifico.cli import options as args_
from pacifico.errors import InputError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pacifico.layout.generate import Plan

DEMO_KW = 60_000.0
"""Target of the demo: most of what the sample site carries."""
FAILED = {"request": 2, "service": 3}
"""Exit status of a failed run by whose fault it was; what was lost, or ran out of time or memory, counts as a service."""


class _Parser(argparse.ArgumentParser):
    """Wrong usage is bad input: one line, status 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    if argv is None:
        # what the imports made lives as long as the command: looking through it for garbage would cost 0.3 s
        gc.set_threshold(200_000, 50, 50)
    arguments = _parser().parse_args(argv)
    # an error is one line: what the modules log is for those who configure logging
    logging.getLogger("pacifico").addHandler(logging.NullHandler())
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
    except PacificoError as error:
        print(f"pacifico: {_one_line(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("pacifico: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader (head, less) has gone: nothing more to say, and no traceback at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        print(
            f"pacifico: {error.strerror or error}{where}; check the path, its permissions and free space",
            file=sys.stderr,
        )
        return 2
    return status


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="pacifico", description="Early-stage layouts of energy sites on real terrain.")
    parser.add_argument("--version", action="version", version=f"pacifico {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = commands.add_parser("demo", help="the main job on the sample terrain that ships; needs no network")
    demo.add_argument(
        "--out", type=Path, default=Path("demo-report"), metavar="DIR", help="report folder (demo-report)"
    )
    demo.set_defaults(run=_demo)

    layout = commands.add_parser("layout", help="boundary and terrain in, layout.geojson out")
    args_.add_design(layout)
    layout.add_argument("--out", type=Path, required=True, metavar="FILE", help="GeoJSON to write")
    layout.add_argument(
        "--cut-fill", type=Path, metavar="FILE.tif", help="GeoTIFF of cut (negative) and fill [m] to write"
    )
    layout.add_argument("--json", action="store_true", help="print metrics, warnings and what is unplaced as JSON")
    layout.set_defaults(run=_layout)

    report = commands.add_parser("report", help="execute the report notebook and write a report folder")
    args_.add_design(report)
    report.add_argument("--rules", metavar="PACK", help="rule pack to hold the layout against: a name, or a TOML file")
    report.add_argument(
        "--energy", action="store_true", help="tell a year of the solar part too: a clear sky, an upper bound"
    )
    report.add_argument("--weather", type=Path, metavar="FILE", help="typical year for it, EPW or TMY3")
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="report folder to write")
    report.set_defaults(run=_report)

    from pacifico.cli.terrain import add_terrain_command

    add_terrain_command(commands)

    export = commands.add_parser(
        "export", help="a stored layout for Google Earth, spreadsheets, CAD or GIS, or as a sheet"
    )
    export.add_argument("layout", type=Path, metavar="LAYOUT", help="layout.geojson")
    export.add_argument("--format", choices=("kmz", "csv", "dxf", "gpkg", "pdf"), required=True)
    export.add_argument(
        "--dem", metavar="DEM", help=f"pdf: ground to draw contours of; stations: ground to tell; {args_.DEM_HELP}"
    )
    export.add_argument(
        "--stations-m", type=float, metavar="N", help="csv: stations of the roads every N metres too, in stations.csv"
    )
    export.add_argument("--out", type=Path, required=True, metavar="PATH", help="file to write; csv: or a folder")
    export.set_defaults(run=_export)

    reproduce = commands.add_parser("reproduce", help="run a report again from its manifest and compare")
    reproduce.add_argument("report", type=Path, metavar="REPORT", help="report folder")
    reproduce.set_defaults(run=_reproduce)

    compare = commands.add_parser("compare", help="two report folders: parameters, metrics, geometry")
    compare.add_argument("a", type=Path, metavar="A")
    compare.add_argument("b", type=Path, metavar="B")
    compare.set_defaults(run=_compare)

    from pacifico.cli.energy import add_energy_command
    from pacifico.cli.jobs import add_jobs_commands
    from pacifico.cli.rules import add_rules_command
    from pacifico.cli.variants import add_variants_command

    add_variants_command(commands)
    add_energy_command(commands)
    add_rules_command(commands)
    add_jobs_commands(commands, reader=_boundary_as_geojson, gatherer=_exclusions_as_geojson)
    return parser


def _boundary_as_geojson(path: Path, layer: str | None) -> bytes:
    """Boundary as jobs keep it beside the original; a bad file is refused here, before it is submitted."""
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    return site_geojson(read_site(path, layer=layer))


def _exclusions_as_geojson(
    boundary: Path, layer: str | None, sources: list[str], buffer_m: float | None
) -> tuple[bytes | None, tuple[str, ...]]:
    """Exclusions as jobs keep them: one file of all, fetched and read here, and what is to be said of them."""
    import tempfile

    from pacifico.site.boundary import read_site
    from pacifico.site.exclusions import load_exclusions
    from pacifico.site.gather import gather_exclusions

    site = read_site(boundary, layer=layer)
    with tempfile.TemporaryDirectory(prefix="pacifico-exclusions-") as folder:
        gathered = gather_exclusions(sources, site, Path(folder), buffer_m=buffer_m)
        if gathered.path is None:
            return None, gathered.warnings
        load_exclusions(gathered.path, site)
        return gathered.path.read_bytes(), gathered.warnings


def _layout(arguments: argparse.Namespace) -> int:
    from pacifico.layout.generate import generate_layout

    args_.writable_file(arguments.out)
    if arguments.cut_fill is not None:
        args_.writable_file(arguments.cut_fill)
    design = args_.design_of(arguments)
    site = args_.site_of(arguments)
    dem = args_.dem_of(arguments, site)
    plan = generate_layout(site, dem, **design)
    plan.write(arguments.out)
    if arguments.cut_fill is not None:
        plan.write_cut_fill(dem, arguments.cut_fill)
    _say(plan, arguments)
    return 1 if plan.shortfall else 0


def _say(plan: Plan, arguments: argparse.Namespace) -> None:
    if arguments.json:
        unplaced = [{"asset_type": u.kind, "count": u.count, "reason": u.reason} for u in plan.unplaced]
        said = {
            "out": str(arguments.out),
            "metrics": dict(plan.metrics),
            "warnings": list(plan.warnings),
            "unplaced": unplaced,
        }
        print(json.dumps(said, indent=1))
    else:
        print(_headline(plan.metrics))
        print(f"written: {arguments.out}")
        for warning in plan.warnings:
            print(f"note: {warning}", file=sys.stderr)


def _demo(arguments: argparse.Namespace) -> int:
    return _make_report(arguments.out, "sample", "sample", target_capacity_kw=DEMO_KW)


def _report(arguments: argparse.Namespace) -> int:
    return _make_report(
        arguments.out,
        arguments.boundary,
        args_.dem_source(arguments),
        terrain=not arguments.no_terrain,
        resolution_m=arguments.resolution_m,
        dem_units=arguments.dem_units,
        layer=arguments.layer,
        rules=arguments.rules,
        energy=arguments.energy,
        weather=arguments.weather,
        **args_.exclusions_of(arguments),
        **args_.design_of(arguments),
    )


def _make_report(out: Path, boundary: str | Path, dem: str | None, **design: Any) -> int:
    """Run the notebook, say the headline and where the report is; a failed run has a report too."""
    from pacifico.report.make import make_report

    args_.writable_folder(out, replaced=True)
    outcome = make_report(boundary, dem, out, settings=args_.source_settings(), on_stage=_progress(), **design)
    if outcome.status != "completed":
        print(f"pacifico: {_one_line_of(outcome.error_message)}; the report up to there is in {out}", file=sys.stderr)
        return FAILED.get(outcome.error_kind or "", 3)
    layout = json.loads((out / "layout.geojson").read_text(encoding="utf-8"))["pacifico"]
    shortfall = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["shortfall"]
    print(_headline(layout["metrics"]))
    print(f"report: {(out / 'report.html').resolve()}")
    for warning in layout["warnings"]:
        print(f"note: {warning}", file=sys.stderr)
    return 1 if shortfall else 0


def _one_line_of(message: str | None) -> str:
    return " ".join((message or "the run was lost").split())


def _progress() -> Callable[[str, int, str], None] | None:
    """Stages on one line of a terminal; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return None

    def say(stage: str, percent: int, message: str) -> None:
        del stage
        end = "\r" if percent < 100 else "\n"
        print(f"\r\033[K{percent:3d} % {message}", end=end, file=sys.stderr, flush=True)

    return say


def _export(arguments: argparse.Namespace) -> int:
    from pacifico.export import export
    from pacifico.layout.files.stored import read_layout

    stationed = arguments.stations_m is not None
    if stationed and arguments.format != "csv":
        raise InputError(f"--stations-m goes with --format csv; {arguments.format} has none: leave it out")
    if arguments.dem and arguments.format != "pdf" and not stationed:
        raise InputError(f"--dem draws contours on the pdf sheet; {arguments.format} has none: leave it out")
    if arguments.format == "csv" and arguments.out.is_dir():
        args_.writable_folder(arguments.out)
    else:
        args_.writable_file(arguments.out)
    layout = read_layout(arguments.layout)
    if arguments.format == "pdf":
        from pacifico.report.sheet import contour_ground, write_sheet

        ground = contour_ground(layout, arguments.dem) if arguments.dem else None
        written: tuple[Path, ...] = (write_sheet(layout, ground, arguments.out),)
    else:
        written = export(layout, arguments.format, arguments.out)
        if stationed:
            from pacifico.export.stations import write_stations
            from pacifico.grid import Ground
            from pacifico.report.sheet import contour_ground

            known = Ground.of(contour_ground(layout, arguments.dem)) if arguments.dem else None
            beside = written[-1].with_name(written[-1].name.replace("cables", "stations"))
            written = (*written, write_stations(layout, beside, every_m=arguments.stations_m, ground=known))
    print("\n".join(f"written: {path}" for path in written))
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    from pacifico.run.reproduce import reproduce

    again = reproduce(arguments.report, on_stage=_progress())
    print(again)
    return 0 if again.verdict in ("identical", "equivalent") else 1


def _compare(arguments: argparse.Namespace) -> int:
    from pacifico.report.compare import compare

    print(compare(arguments.a, arguments.b))
    return 0


def _headline(metrics: Any) -> str:
    storage = f", {metrics['storage_kwh'] / 1000:,.0f} MWh storage" if metrics["storage_kwh"] else ""
    return (
        f"{metrics['total_capacity_kw'] / 1000:,.1f} MW AC{storage} in {metrics['asset_count']:,} assets on "
        f"{metrics['buildable_area_ha']:,.1f} of {metrics['site_area_ha']:,.1f} ha buildable; "
        f"{metrics['road_length_m'] / 1000:,.2f} km of road up to {metrics['max_road_grade_pct']:.1f} %; "
        f"cut {metrics['cut_volume_m3']:,.0f} m3, fill {metrics['fill_volume_m3']:,.0f} m3"
    )
