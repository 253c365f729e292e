"""Run `pacifico export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pacifico.cli import options as args_
from pacifico.errors import InputError
from pacifico.export import FORMATS, export

if TYPE_CHECKING:
    import argparse


def _export(arguments: argparse.Namespace) -> int:
    from pacifico.layout.files.stored import read_layout

    known = FORMATS[arguments.format]
    stationed = arguments.stations_m is not None
    if stationed and "stations_m" not in known.options:
        takers = " or ".join(name for name, f in FORMATS.items() if "stations_m" in f.options)
        raise InputError(f"--stations-m goes with --format {takers}; {arguments.format} has none: leave it out")
    if arguments.dem and ("ground" not in known.options or ("stations_m" in known.options and not stationed)):
        raise InputError(f"--dem draws contours on the pdf sheet; {arguments.format} has none: leave it out")
    if known.to_folder and arguments.out.is_dir():
        args_.writable_folder(arguments.out)
    else:
        args_.writable_file(arguments.out)
    layout = read_layout(arguments.layout)
    ground = None
    if arguments.dem:
        from pacifico.report.sheet import contour_ground

        ground = contour_ground(layout, arguments.dem)
    written = export(layout, arguments.format, arguments.out, ground=ground, stations_m=arguments.stations_m)
    print("\n".join(f"written: {path}" for path in written))
    return 0
