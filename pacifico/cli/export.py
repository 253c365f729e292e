"""."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.cli import options as args_
from pacifico.errors import InputError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


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
