"""`pacifico stac` and `pacifico jobs stac`: a STAC catalog and a page of cards beside stored reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.cli import options
from pacifico.cli.printing import one_line, print_json, say
from pacifico.errors import InputError
from pacifico.output_files import writable_folder

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from pacifico.jobs.client import JobClient

DEFAULT_LIMIT = 100
"""Number of the newest layouts that `pacifico jobs stac` fetches."""


def add_stac_command(commands: Any) -> None:
    """Add `stac` to the commands of a parser."""
    stac = commands.add_parser("stac", help="a STAC catalog and a page of cards for a folder of report folders")
    stac.add_argument("folder", type=options.path, metavar="DIR", help="folder that holds report folders")
    add_title(stac)
    stac.add_argument("--json", action="store_true", help="print the written paths as JSON")
    stac.set_defaults(run=lambda arguments: _write(arguments.folder, arguments, {}))


def add_title(parser: argparse.ArgumentParser) -> None:
    """Add the option for the catalog's title."""
    parser.add_argument("--title", default="Site layouts", metavar="T", help="title of catalog and page (Site layouts)")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `jobs stac`."""
    parser.add_argument("--out", type=options.path, required=True, metavar="DIR", help="folder for reports and catalog")
    parser.add_argument(
        "--limit", type=int, default=DEFAULT_LIMIT, metavar="N", help=f"newest layouts ({DEFAULT_LIMIT}; 0: all)"
    )
    add_title(parser)


def catalog_of_jobs(client: JobClient, arguments: argparse.Namespace) -> int:
    """Fetch completed layouts of an owner that the folder lacks, and write its catalog."""
    out: Path = arguments.out
    if arguments.limit < 0:
        raise InputError(f"--limit is {arguments.limit}; give 0 for all, or a number of layouts")
    writable_folder(out)
    rows = client.list(status="completed", limit=arguments.limit or None)
    if not rows:
        raise InputError(f"{client.owner} has no completed layouts; submit some with `pacifico jobs submit`")
    missing = [row["layout_id"] for row in rows if not (out / row["layout_id"]).exists()]
    for layout_id in missing:
        client.fetch(layout_id, out / layout_id)
    return _write(out, arguments, {"fetched": missing})


def _write(folder: Path, arguments: argparse.Namespace, about: dict[str, Any]) -> int:
    """Write a folder's catalog and print its paths."""
    from pacifico.report.catalog.stac import write_catalog

    written = write_catalog(folder, title=arguments.title)
    if arguments.json:
        print_json({**about, "written": [str(path) for path in written]})
    else:
        say("\n".join(f"written: {one_line(path)}" for path in written[-2:]))
    return 0
