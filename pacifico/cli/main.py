"""The command line: parse, call, say, and exit with the status that the outcome deserves.

0 done; 1 done, but the layout can't meet what was asked; 2 bad input; 3 an outside service failed.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pacifico._version import __version__
from pacifico.cli import options as args_
from pacifico.cli.export import _export
from pacifico.cli.jobs import _boundary_as_geojson, _exclusions_as_geojson
from pacifico.cli.layout import _layout
from pacifico.cli.printing import _one_line
from pacifico.cli.report import _compare, _demo, _report, _reproduce
from pacifico.errors import PacificoError
from pacifico.export import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    purposes = ", ".join(f"{name} for {known.purpose}" for name, known in FORMATS.items())
    export.add_argument("--format", choices=tuple(FORMATS), required=True, help=purposes)
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
