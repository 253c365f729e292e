"""`pacifico edit`: change a stored layout by hand and write it anew."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from pacifico.cli import options
from pacifico.cli.layout import check_outputs, exit_status, print_plan, write_plan
from pacifico.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from pacifico.layout.editing.editor import Editor
    from pacifico.layout.files.stored import StoredLayout
    from pacifico.layout.model.plan import Plan

ROUNDED_M = 0.005
"""Change of a boundary that finds the cells of a DEM again: coordinates in a file are rounded to about 1 mm [m]."""


class Step(NamedTuple):
    """One edit of the command line."""

    verb: str
    subject: str
    """Identifier of an asset, asset type, or zone."""
    values: tuple[float, ...] = ()


def add_edit_command(commands: Any) -> None:
    """Add `edit` to the commands of a parser."""
    parser = commands.add_parser("edit", help="move, rotate, remove or add assets and zones of a stored layout")
    parser.add_argument("layout", type=options.path, metavar="LAYOUT", help="layout.geojson")
    parser.add_argument(
        "--dem", type=options.source, metavar="DEM", help=f"the DEM that the layout was made on; {options.DEM_HELP}"
    )
    parser.add_argument("--dem-units", choices=("m", "ft"), help="unit of the heights, as given for the layout")
    parser.add_argument("--no-terrain", action="store_true", help="the layout was made on level ground: then no --dem")
    steps = parser.add_argument_group("edits, applied in their order")
    for option, metavar, text in (
        ("--move", "ID=LON,LAT", "move an asset's centre"),
        ("--rotate", "ID=DEG", "rotate an asset, anticlockwise from its length due east"),
        ("--remove", "ID", "remove an asset and the roads that only it needs"),
        ("--remove-block", "ID", "remove an inverter skid with its arrays"),
        ("--add", "TYPE=LON,LAT[,DEG]", "add an asset in the catalog's size"),
        ("--add-zone", "FILE|URL", "add exclusion zones; roads on them are led around"),
        ("--clear-zone", "FILE|URL", "the same; assets on the zones are removed"),
        ("--remove-zone", "NAME", "remove an exclusion zone"),
    ):
        steps.add_argument(
            option, dest="steps", action="append", type=partial(_step, option[2:]), metavar=metavar, help=text
        )
    parser.add_argument(
        "--out", type=options.path, metavar="FILE", help="GeoJSON to write; - is standard output (optional with --json)"
    )
    parser.add_argument("--json", action="store_true", help="print metrics, warnings and unplaced assets as JSON")
    parser.set_defaults(run=run_edit)


def _step(verb: str, text: str) -> Step:
    """Edit of one option."""
    subject, _, given = text.rpartition("=")
    if verb not in ("move", "rotate", "add"):
        return Step(verb, text)
    wanted = {"move": (2,), "rotate": (1,), "add": (2, 3)}[verb]
    form = {"move": "ID=LON,LAT", "rotate": "ID=DEG", "add": "TYPE=LON,LAT or TYPE=LON,LAT,DEG"}[verb]
    try:
        values = tuple(float(part) for part in given.split(","))
    except ValueError:
        values = ()
    if not subject or len(values) not in wanted:
        raise argparse.ArgumentTypeError(f"{text!r} is not {form}; places are in degrees, such as -93.68,41.95")
    return Step(verb, subject, values)


def run_edit(arguments: argparse.Namespace) -> int:
    """Apply the edits and write what was asked for."""
    from pacifico.layout.add_racking import add_racking
    from pacifico.layout.editing.editor import Editor
    from pacifico.layout.editing.reopen import plan_of
    from pacifico.layout.files.stored import StoredLayout

    check_outputs(arguments)
    if not arguments.steps:
        raise InputError("no edit given: add --move, --rotate, --remove, --add or another; see pacifico edit --help")
    stored = StoredLayout.read(arguments.layout)
    dem = _dem_of(stored, arguments)
    editor = Editor(plan_of(stored, dem), dem)
    for step in arguments.steps:
        _apply(editor, step)
    plan: Plan = add_racking(editor.plan, dem)
    write_plan(plan, arguments.out)
    print_plan(plan, arguments)
    return exit_status(plan)


def _dem_of(stored: StoredLayout, arguments: argparse.Namespace) -> xr.DataArray:
    """DEM in the window that the layout was made on.

    The window depends on whether a resolution was asked for, which the file doesn't say, and ends at a cell: a boundary
    rounded to 1 mm may just miss one. The hash tells which one it was.
    """
    from dataclasses import replace

    from pacifico.layout.editing.reopen import site_of

    about, site = stored.about["dem"], site_of(stored)
    first = None
    for by in (0.0, ROUNDED_M, -ROUNDED_M):
        near = replace(site, boundary=site.boundary.buffer(by, join_style="mitre")) if by else site
        for resolution in (None, about["resolution_m"]):
            arguments.resolution_m = resolution
            dem = options.dem_of(arguments, near)
            if (
                dem.attrs["sha256"] == about["sha256"]
                and round(float(dem.attrs["resolution_m"]), 3) == about["resolution_m"]
            ):
                return dem
            first = dem if first is None else first
    assert first is not None  # noqa: S101 (the loop runs)
    return first


def _apply(editor: Editor, step: Step) -> None:
    """Apply one edit.

    Raises
    ------
    EditRefused
        It breaks a limit of the layout; nothing is written.
    """
    from pacifico.vocabulary import AssetKind

    match step.verb:
        case "move":
            editor.move(step.subject, to_lonlat=(step.values[0], step.values[1]))
        case "rotate":
            editor.rotate(step.subject, to_deg=step.values[0])
        case "remove" | "remove-block":
            editor.remove(step.subject, with_block=step.verb == "remove-block")
        case "add":
            kind: Any = step.subject
            if kind not in get_args(AssetKind):
                raise InputError(f"asset type {kind!r} is unknown; choose from {', '.join(get_args(AssetKind))}")
            lon, lat, *rotation = step.values
            editor.add(kind, at_lonlat=(lon, lat), rotation_deg=rotation[0] if rotation else None)
        case "remove-zone":
            editor.remove_zone(step.subject)
        case _:
            _add_zones(editor, step)


def _add_zones(editor: Editor, step: Step) -> None:
    """Add the exclusion zones of a file or service."""
    from pacifico.site.combine import with_combined

    site = editor.plan.site
    found = with_combined(site, [step.subject]).exclusions[len(site.exclusions) :]
    if not found:
        raise InputError(f"{step.subject} has no exclusion near the site; check the file, or leave it out")
    for zone in found:
        editor.add_zone(zone, assets="remove" if step.verb == "clear-zone" else "refuse")
