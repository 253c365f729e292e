"""`pacifico jobs gc`: delete what no job needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pacifico.cli.job_output import print_json, print_line
from pacifico.errors import InputError

if TYPE_CHECKING:
    import argparse

    from pacifico.jobs.client import JobClient

DEFAULT_DAYS = 7.0
"""Least age of what is deleted [d]."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument(
        "--older-than", type=float, default=DEFAULT_DAYS, metavar="DAYS", help=f"least age in days ({DEFAULT_DAYS:g})"
    )
    parser.add_argument("--delete", action="store_true", help="delete; without it only say what would be deleted")


def collect_garbage(client: JobClient, arguments: argparse.Namespace) -> int:
    """List an owner's leftovers, and delete them with --delete."""
    if not 0 <= arguments.older_than <= 36_500:
        raise InputError(f"--older-than is {arguments.older_than:g}; give 0 to 36500 days")
    found = client.collect_garbage(older_than_days=arguments.older_than, delete=arguments.delete)
    count, size = sum(len(f.keys) for f in found), sum(f.bytes for f in found)
    if arguments.json:
        rows: list[dict[str, Any]] = [
            {"kind": f.kind, "name": f.name, "reason": f.reason, "objects": len(f.keys), "bytes": f.bytes}
            for f in found
        ]
        print_json({"deleted": arguments.delete, "objects": count, "bytes": size, "leftovers": rows})
        return 0
    for f in found:
        print_line(f"{f.kind:8}  {f.name}  {len(f.keys)} objects, {f.bytes / 1e6:.1f} MB: {f.reason}")
    done = "deleted" if arguments.delete else "would be deleted; add --delete to do so"
    print_line(
        f"{count} objects with {size / 1e6:.1f} MB of {client.owner!r} {done}" if found else "nothing is left over"
    )
    return 0
