"""`pacifico export`: a stored layout in another format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import one_line, print_bytes, print_json, say
from pacifico.errors import InputError
from pacifico.export import FORMATS, ending_of, export
from pacifico.output_files import writable_file, writable_folder

if TYPE_CHECKING:
    import argparse


def add_export_command(commands: Any) -> None:
    """Add `export` to the commands of a parser."""
    parser = commands.add_parser(
        "export", help="a stored layout for Google Earth, spreadsheets, CAD or GIS, or as a drawn sheet"
    )
    parser.add_argument("layout", type=options.path, metavar="LAYOUT", help="layout.geojson")
    purposes = ", ".join(f"{name} for {known.purpose}" for name, known in FORMATS.items())
    parser.add_argument("--format", choices=tuple(FORMATS), required=True, help=purposes)
    parser.add_argument(
        "--dem",
        type=options.source,
        metavar="DEM",
        help=f"ground for contours (pdf, dxf), the surface of landxml, or stations; {options.DEM_HELP}",
    )
    parser.add_argument(
        "--stations-m", type=float, metavar="N", help="csv: also write stations.csv, road stations every N metres"
    )
    parser.add_argument(
        "--piles",
        type=options.path,
        metavar="FILE.csv",
        help="kmz, dxf, gpkg: also the rows and piles of a piles.csv of the layout",
    )
    parser.add_argument(
        "--out",
        type=options.path,
        required=True,
        metavar="PATH",
        help="file to write, - for standard output; csv: a file or a folder",
    )
    parser.add_argument("--json", action="store_true", help="print the written paths as JSON")
    parser.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write a layout in another format and print the written paths."""
    from pacifico.layout.files.stored import read_layout

    _check(arguments)
    layout = read_layout(arguments.layout)
    ground = None
    if arguments.dem:
        from pacifico.report.sheet import contour_ground

        ground = contour_ground(layout, arguments.dem)
    given: dict[str, Any] = {"ground": ground, "stations_m": arguments.stations_m}
    if arguments.piles is not None:
        from pacifico.export.piles import read_piles

        given["piles"] = read_piles(arguments.piles)
    out = arguments.out
    if arguments.format == "csv" and not out.suffix and not out.is_dir():
        out = out.with_suffix(".csv")
    if options.is_stdout(out):
        with tempfile.TemporaryDirectory(prefix="pacifico-") as scratch:
            (made,) = export(layout, arguments.format, Path(scratch) / f"layout.{arguments.format}", **given)
            print_bytes(made.read_bytes())
        return 0
    written = export(layout, arguments.format, out, **given)
    if arguments.json:
        print_json({"written": [str(path) for path in written]})
    else:
        say("\n".join(f"written: {one_line(path)}" for path in written))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that don't belong together, and outputs that can't be written."""
    fmt, out = arguments.format, arguments.out
    known, stationed = FORMATS[fmt], arguments.stations_m is not None
    if stationed and "stations_m" not in known.options:
        takers = " or ".join(name for name, f in FORMATS.items() if "stations_m" in f.options)
        raise InputError(f"--stations-m goes with --format {takers}; {fmt} has none: leave it out")
    if arguments.piles is not None and "piles" not in known.options:
        takers = " or ".join(name for name, f in FORMATS.items() if "piles" in f.options)
        raise InputError(f"--piles goes with --format {takers}; {fmt} has none: leave it out")
    if arguments.dem and ("ground" not in known.options or ("stations_m" in known.options and not stationed)):
        raise InputError(f"--dem gives contours to pdf and dxf and a surface to landxml; {fmt} has none: leave it out")
    if known.to_folder and (options.is_stdout(out) or (out.exists() and not out.is_file() and not out.is_dir())):
        raise InputError(f"{fmt} has several tables, {out} takes one stream; give --out a folder or a file name")
    if options.is_stdout(out):
        if arguments.json:
            raise InputError("--out - and --json both write to standard output: leave one of them out")
        return
    ending = out.suffix.lower().lstrip(".")
    if ending in {ending_of(f) for f in FORMATS} and ending != ending_of(fmt):
        named = out.with_suffix(f".{ending_of(fmt)}").name
        raise InputError(f"--format {fmt} does not fit the name {out.name}; name it {named}")
    if known.to_folder and out.is_dir():
        writable_folder(out)
    else:
        writable_file(out)
