"""`pacifico export`: a stored layout in another format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import print_json
from pacifico.errors import InputError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

FORMATS = ("kmz", "csv", "dxf", "gpkg", "pdf")


def add_export_command(commands: Any) -> None:
    """Add `export` to the commands of a parser."""
    export = commands.add_parser(
        "export", help="a stored layout for Google Earth, spreadsheets, CAD or GIS, or as a drawn sheet"
    )
    export.add_argument("layout", type=options.path, metavar="LAYOUT", help="layout.geojson")
    export.add_argument("--format", choices=FORMATS, required=True)
    export.add_argument(
        "--dem", metavar="DEM", help=f"ground for the contours of a pdf, or for stations; {options.DEM_HELP}"
    )
    export.add_argument(
        "--stations-m", type=float, metavar="N", help="csv: also write stations.csv, road stations every N metres"
    )
    export.add_argument(
        "--out", type=options.path, required=True, metavar="PATH", help="file to write; csv: a file or a folder"
    )
    export.add_argument("--json", action="store_true", help="print the written paths as JSON")
    export.set_defaults(run=run_export)


def run_export(arguments: argparse.Namespace) -> int:
    """Write a layout in another format and print the written paths."""
    from pacifico.layout.files.stored import read_layout

    _check(arguments)
    layout = read_layout(arguments.layout)
    written = _write(layout, arguments)
    if arguments.json:
        print_json({"written": [str(path) for path in written]})
    else:
        print("\n".join(f"written: {path}" for path in written))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that don't belong together, and outputs that can't be written."""
    fmt, out = arguments.format, arguments.out
    if arguments.stations_m is not None and fmt != "csv":
        raise InputError(f"--stations-m goes with --format csv; {fmt} has no stations: leave it out")
    if arguments.dem and fmt != "pdf" and arguments.stations_m is None:
        raise InputError(f"--dem draws contours on the pdf sheet; {fmt} has none: leave it out")
    ending = out.suffix.lower().lstrip(".")
    if ending in FORMATS and ending != fmt:
        raise InputError(f"--format {fmt} does not fit the name {out.name}; name it {out.with_suffix('.' + fmt).name}")
    if fmt == "csv" and out.is_dir():
        options.writable_folder(out)
    else:
        options.writable_file(out)


def _write(layout: Any, arguments: argparse.Namespace) -> tuple[Path, ...]:
    """Write the files of a format, for csv with road stations where asked for."""
    from pacifico.export import export

    out = arguments.out
    if arguments.format == "pdf":
        from pacifico.report.sheet import contour_ground, write_sheet

        ground = contour_ground(layout, arguments.dem) if arguments.dem else None
        return (write_sheet(layout, ground, out),)
    if arguments.format == "csv" and not out.suffix and not out.is_dir():
        out = out.with_suffix(".csv")
    written = export(layout, arguments.format, out)
    if arguments.stations_m is None:
        return written
    from pacifico.export.stations import write_stations
    from pacifico.grid import Ground
    from pacifico.report.sheet import contour_ground

    heights = Ground.of(contour_ground(layout, arguments.dem)) if arguments.dem else None
    beside = written[-1].with_name(written[-1].name.replace("cables", "stations"))
    return (*written, write_stations(layout, beside, every_m=arguments.stations_m, ground=heights))
