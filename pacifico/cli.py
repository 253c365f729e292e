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
from pacifico.errors import InputError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pacifico.layout.plan import Plan
    from pacifico.site.model import Site
    from pacifico.terrain.remote import SourceSettings

PROFILES = ("solar_farm", "gas_bess", "wind_hybrid", "hybrid", "bess")
STRATEGIES = ("balanced", "density", "low_earthwork", "clustered")
DEMO_KW = 60_000.0
"""Target of the demo: most of what the sample site carries."""
FAILED = {"request": 2, "service": 3}
"""Exit status of a failed run by whose fault it was; what was lost, or ran out of time or memory, counts as a service."""
DEM_HELP = "path or URL of any raster GDAL reads, or 3dep, 3dep-30, glo30, sample"


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
    _add_design(layout)
    layout.add_argument("--out", type=Path, required=True, metavar="FILE", help="GeoJSON to write")
    layout.add_argument("--json", action="store_true", help="print metrics, warnings and what is unplaced as JSON")
    layout.set_defaults(run=_layout)

    report = commands.add_parser("report", help="execute the report notebook and write a report folder")
    _add_design(report)
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="report folder to write")
    report.set_defaults(run=_report)

    terrain = commands.add_parser("terrain", help="slope, aspect, hillshade as COG; contours; summary.json")
    _add_ground(terrain)
    terrain.add_argument("--contour-interval-m", type=_number, metavar="N", help="height between contours (by relief)")
    terrain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    terrain.set_defaults(run=_terrain)

    export = commands.add_parser(
        "export", help="a stored layout for Google Earth, spreadsheets, CAD or GIS, or as a sheet"
    )
    export.add_argument("layout", type=Path, metavar="LAYOUT", help="layout.geojson")
    export.add_argument("--format", choices=("kmz", "csv", "dxf", "gpkg", "pdf"), required=True)
    export.add_argument("--dem", metavar="DEM", help=f"pdf: ground to draw contours of; {DEM_HELP}")
    export.add_argument("--out", type=Path, required=True, metavar="PATH", help="file to write; csv: or a folder")
    export.set_defaults(run=_export)

    reproduce = commands.add_parser("reproduce", help="run a report again from its manifest and compare")
    reproduce.add_argument("report", type=Path, metavar="REPORT", help="report folder")
    reproduce.set_defaults(run=_reproduce)

    compare = commands.add_parser("compare", help="two report folders: parameters, metrics, geometry")
    compare.add_argument("a", type=Path, metavar="A")
    compare.add_argument("b", type=Path, metavar="B")
    compare.set_defaults(run=_compare)

    from pacifico.jobs.commands import add_jobs_commands

    add_jobs_commands(commands, reader=_boundary_as_geojson)
    return parser


def _boundary_as_geojson(path: Path) -> bytes:
    """Boundary as jobs keep it beside the original; a bad file is refused here, before it is submitted."""
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    return site_geojson(read_site(path))


def _add_ground(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "boundary", type=Path, metavar="BOUNDARY", help="KML, KMZ, GeoJSON, GeoPackage or zipped shapefile"
    )
    parser.add_argument("--dem", metavar="DEM", help=DEM_HELP)
    parser.add_argument("--dem-units", choices=("m", "ft"), help="of the heights, where the file does not say")
    parser.add_argument(
        "--resolution-m", type=_number, metavar="N", help="cell (the DEM's own, held between 1 and 30 m)"
    )
    parser.add_argument("--layer", metavar="NAME", help="layer of the boundary file, where it has several")


def _add_design(parser: argparse.ArgumentParser) -> None:
    _add_ground(parser)
    design = parser.add_argument_group("design")
    design.add_argument("--profile", choices=PROFILES, default="solar_farm", help="what to build (solar_farm)")
    design.add_argument("--strategy", choices=STRATEGIES, default="balanced", help="what to win at (balanced)")
    design.add_argument(
        "--capacity-kw", type=_number, metavar="N", help="target, AC (bess: storage power); without it: all that fits"
    )
    design.add_argument("--entry", type=_lonlat, metavar="LON,LAT", help="site entry (the file's, else the cheapest)")
    design.add_argument(
        "--exclusions", type=Path, metavar="FILE", help="ground that must stay free, in any boundary format"
    )
    design.add_argument("--setback-m", type=_number, metavar="N", help="of assets from the boundary (10)")
    design.add_argument("--max-road-grade-pct", type=_number, metavar="N", help="steepest road (10)")
    design.add_argument("--no-terrain", action="store_true", help="level ground: then no --dem")
    design.add_argument("--spec", type=Path, metavar="FILE.toml", help="rules of the catalog to override")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is out of range; give a number of 0 or more")
    return value


def _lonlat(text: str) -> tuple[float, float]:
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not LON,LAT; give degrees, such as -93.68,41.95") from None
    return lon, lat


def _design(arguments: argparse.Namespace) -> dict[str, Any]:
    """Design options as keywords of `generate_layout`, exclusions apart."""
    from pacifico.layout.spec import read_spec

    return {
        "profile": arguments.profile,
        "strategy": arguments.strategy,
        "target_capacity_kw": arguments.capacity_kw,
        "setback_m": arguments.setback_m,
        "max_road_grade_pct": arguments.max_road_grade_pct,
        "entry": arguments.entry,
        "spec": read_spec(arguments.spec) if arguments.spec else None,
    }


def _dem_source(arguments: argparse.Namespace) -> str | None:
    """DEM asked for; None for level ground."""
    level = bool(getattr(arguments, "no_terrain", False))
    if level and arguments.dem:
        raise InputError("--no-terrain means level ground: leave --dem out, or leave --no-terrain out")
    if not level and not arguments.dem:
        raise InputError(
            "no elevation model given: add --dem with a file, 3dep, glo30 or sample, or --no-terrain for level ground"
        )
    return None if level else str(arguments.dem)


def _site(arguments: argparse.Namespace) -> Site:
    from pacifico.site.boundary import read_site

    return read_site(arguments.boundary, layer=arguments.layer)


def _dem(arguments: argparse.Namespace, site: Site) -> Any:
    from pacifico.terrain import dem as dem_

    source = _dem_source(arguments)
    if source is None:
        return dem_.level_ground(site, resolution_m=arguments.resolution_m or 10.0)
    return dem_.open_dem(
        site, source, resolution_m=arguments.resolution_m, units=arguments.dem_units, settings=_source_settings()
    )


def _source_settings() -> SourceSettings:
    from pacifico.terrain.remote import SourceSettings

    return SourceSettings.from_environment(os.environ)


def _layout(arguments: argparse.Namespace) -> int:
    from pacifico.layout.plan import generate_layout

    _writable(arguments.out)
    design = _design(arguments)
    site = _site(arguments)
    if arguments.exclusions:
        from pacifico.site.exclusions import load_exclusions, with_exclusions

        site = with_exclusions(site, load_exclusions(arguments.exclusions, site))
    plan = generate_layout(site, _dem(arguments, site), **design)
    plan.write(arguments.out)
    _say(plan, arguments)
    return 1 if plan.shortfall else 0


def _writable(out: Path) -> None:
    """Refuse a target that can't be written before the work, not after it."""
    if out.is_dir():
        raise InputError(f"{out} is a folder; give a file name for --out, such as {out / 'layout.geojson'}")
    if not out.parent.is_dir():
        raise InputError(f"the folder {out.parent} does not exist; create it first, or give another --out")


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
        _dem_source(arguments),
        terrain=not arguments.no_terrain,
        resolution_m=arguments.resolution_m,
        dem_units=arguments.dem_units,
        layer=arguments.layer,
        exclusions=arguments.exclusions,
        **_design(arguments),
    )


def _make_report(out: Path, boundary: str | Path, dem: str | None, **design: Any) -> int:
    """Run the notebook, say the headline and where the report is; a failed run has a report too."""
    from pacifico.report.make import make_report

    outcome = make_report(boundary, dem, out, settings=_source_settings(), on_stage=_progress(), **design)
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


def _terrain(arguments: argparse.Namespace) -> int:
    from pacifico.layout.spec import SLOPE_LIMITED, make_spec
    from pacifico.terrain.products import write_terrain

    site = _site(arguments)
    limits = {kind: make_spec().number(kind, "slope_limit_deg") for kind in SLOPE_LIMITED}
    dem = _dem(arguments, site)
    summary = write_terrain(
        site, dem, arguments.out, slope_limits_deg=limits, contour_interval_m=arguments.contour_interval_m
    )
    slope = summary["slope_deg"]
    print(
        f"{site.area_ha:,.1f} ha, slope {slope['p50']:.1f} deg in the middle and {slope['p90']:.1f} deg at the 90th percentile; "
        f"written: {arguments.out}"
    )
    for warning in dem.attrs.get("warnings", ()):
        print(f"note: {warning}", file=sys.stderr)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from pacifico.export import export
    from pacifico.export.layout_file import read_layout

    if arguments.dem and arguments.format != "pdf":
        raise InputError(f"--dem draws contours on the pdf sheet; {arguments.format} has none: leave it out")
    layout = read_layout(arguments.layout)
    if arguments.format == "pdf":
        from pacifico.report.sheet import contour_ground, write_sheet

        ground = contour_ground(layout, arguments.dem) if arguments.dem else None
        written: tuple[Path, ...] = (write_sheet(layout, ground, arguments.out),)
    else:
        written = export(layout, arguments.format, arguments.out)
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
