"""`pacifico jobs ...`: the client on the command line. Imports are late, so that --help is quick."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pacifico.cli.job_options import add_design, request_of, rows_of
from pacifico.errors import InputError, PacificoError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pacifico.cli.job_options import Gatherer, Reader
    from pacifico.jobs.client import JobClient
    from pacifico.jobs.request import JobRequest

STATUSES = ("queued", "processing", "completed", "failed", "cancelled")

_TIMED_OUT = 124
_BAR = 24


def add_jobs_commands(subparsers: Any, *, reader: Reader | None = None, gatherer: Gatherer | None = None) -> None:
    """Add `jobs` with its commands to a parser's commands.

    Parameters
    ----------
    subparsers
        What `ArgumentParser.add_subparsers` gave. Each command sets `run`, which takes the parsed arguments and returns the
        exit status; PacificoError is the caller's to show.
    reader
        Reads a boundary file as GeoJSON, so that a bad one is refused before it is submitted.
    gatherer
        Makes one file of exclusions from files and addresses.
    """
    jobs = subparsers.add_parser("jobs", help="submit, follow and fetch layouts that are made as jobs")
    commands = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True)

    submit = commands.add_parser("submit", help="one job: queued with PACIFICO_QUEUE_URL set, else run on this machine")
    submit.add_argument("boundary", type=Path, metavar="BOUNDARY", help="KML, KMZ, GeoJSON, shapefile")
    add_design(submit)
    submit.add_argument("--layout-id", metavar="UUID", help="the same id twice is one job")
    _submission(submit)
    submit.set_defaults(run=lambda a: _submit(a, reader, gatherer))

    many = commands.add_parser("submit-many", help="a job for each boundary file of a folder, or each row of a CSV")
    many.add_argument("source", type=Path, metavar="DIR|CSV", help="CSV: column 'boundary', and options by their names")
    add_design(many)
    _submission(many)
    many.set_defaults(run=lambda a: _submit_many(a, reader, gatherer))

    for name, words, act in (
        ("status", "where jobs stand", _status),
        ("wait", "wait until jobs have ended: 1 where one failed or was cancelled, 124 for the time limit", _wait),
        ("cancel", "end jobs that nobody wants any more", _cancel),
        ("redrive", "put failed jobs into the queue again", _redrive),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("layout_id", nargs="+", metavar="LAYOUT_ID")
        if name == "wait":
            command.add_argument("--timeout", type=float, metavar="S", help="give up after so many seconds")
        _common(command)
        command.set_defaults(run=act)

    listing = commands.add_parser("list", help="layouts of one owner, newest first")
    listing.add_argument("--status", choices=STATUSES)
    listing.add_argument("--since", type=_moment, metavar="T", help="ISO 8601, such as 2026-11-23 or 2026-11-23T08:00Z")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (100; 0: all)")
    _common(listing)
    listing.set_defaults(run=_list)

    fetch = commands.add_parser("fetch", help="download a report folder")
    fetch.add_argument("layout_id", metavar="LAYOUT_ID")
    fetch.add_argument("--out", type=Path, required=True, metavar="DIR")
    _common(fetch)
    fetch.set_defaults(run=_fetch)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pacifico jobs ...` alone: `python -m pacifico.cli.jobs jobs ...`."""
    parser = argparse.ArgumentParser(prog="pacifico")
    add_jobs_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except PacificoError as error:
        print("pacifico:", " ".join(str(error).split()), file=sys.stderr)
        return error.exit_code
    return status


def _submission(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--background", action="store_true", help="without a queue: run behind this command")
    parser.add_argument("--wait", action="store_true", help="until it has ended")
    _common(parser)


def _common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", metavar="O", help="whose jobs (PACIFICO_OWNER, else the login name)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _client(arguments: argparse.Namespace) -> JobClient:
    from pacifico.jobs.client import JobClient

    return JobClient(owner=arguments.owner)


def _submit(arguments: argparse.Namespace, reader: Reader | None, gatherer: Gatherer | None) -> int:
    client = _client(arguments)
    request = request_of(client, vars(arguments), reader, gatherer)
    response = client.submit(request, background=arguments.background)
    if arguments.wait and response["status"] in ("queued", "processing"):
        bodies = client.wait([request.layout_id], on_status=_progress(1, quiet=arguments.json))
        body = bodies[request.layout_id]
        response = {**response, "status": body["status"], "message": body["error_message"] or _ended(client, body)}
    _print(arguments, response, f"{response['layout_id']}  {response['status']}  {response['message']}")
    return _verdict(client, response)


def _submit_many(arguments: argparse.Namespace, reader: Reader | None, gatherer: Gatherer | None) -> int:
    client = _client(arguments)
    rows = rows_of(arguments)
    requests: list[JobRequest] = []
    responses: list[dict[str, Any]] = []
    worst = 0
    for row in rows:
        try:
            requests.append(request_of(client, row, reader, gatherer))
        except InputError as error:
            responses.append({"layout_id": None, "status": "rejected", "message": f"{row['boundary']}: {error}"})
            worst = 2
    responses += client.submit_many(requests, background=arguments.background)
    waiting = [r["layout_id"] for r in responses if r["status"] in ("queued", "processing")]
    if arguments.wait and waiting:
        bodies = client.wait(waiting, on_status=_progress(len(waiting), quiet=arguments.json))
        responses = [
            {**r, "status": body["status"], "message": body["error_message"] or _ended(client, body)}
            if (body := bodies.get(r["layout_id"]))
            else r
            for r in responses
        ]
    if arguments.json:
        _json(responses)
    else:
        for response in responses:
            _line(f"{response['layout_id'] or '-':36}  {response['status']:10}  {response['message']}")
    codes = {"unsent": 3, "rejected": 2, "failed": 1, "cancelled": 1}
    short = any(r["status"] == "completed" and client.shortfall(r["layout_id"]) for r in responses)
    return max([worst, int(short), *(codes.get(r["status"], 0) for r in responses)])


def _status(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    bodies = [client.status(layout_id) for layout_id in arguments.layout_id]
    _print_bodies(arguments, bodies)
    return 0


def _wait(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    ids = list(dict.fromkeys(arguments.layout_id))
    try:
        found = client.wait(ids, timeout_s=arguments.timeout, on_status=_progress(len(ids), quiet=arguments.json))
    except TimeoutError as error:
        print(f"pacifico: {error}", file=sys.stderr)
        return _TIMED_OUT
    bodies = list(found.values())
    _print_bodies(arguments, bodies)
    return 0 if all(body["status"] == "completed" for body in bodies) else 1


def _cancel(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    _print_bodies(arguments, [client.cancel(layout_id) for layout_id in arguments.layout_id])
    return 0


def _redrive(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    responses = [client.redrive(layout_id) for layout_id in arguments.layout_id]
    if arguments.json:
        _json(responses if len(responses) > 1 else responses[0])
    else:
        for response in responses:
            _line(f"{response['layout_id']}  {response['status']:10}  {response['message']}")
    return max(_verdict(client, response) for response in responses)


def _list(arguments: argparse.Namespace) -> int:
    rows = _client(arguments).list(status=arguments.status, since=arguments.since, limit=arguments.limit or None)
    if arguments.json:
        _json(rows)
    else:
        for row in rows:
            more = f"  {row['progress_pct']:3} % {row['stage']}" if "stage" in row else ""
            _line(f"{row['layout_id']}  {row['status']:10}  {row['created_at']}{more}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    out = _client(arguments).fetch(arguments.layout_id, arguments.out)
    _print(arguments, {"layout_id": arguments.layout_id, "out": str(out)}, f"written: {out}")
    return 0


def _moment(text: str) -> datetime:
    from datetime import UTC, datetime

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give it as 2026-11-23 or 2026-11-23T08:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ended(client: JobClient, body: dict[str, Any]) -> str:
    """Say what a job came to that ended without an error."""
    return client.shortfall(body["layout_id"]) or f"Layout is {body['status']}"


def _verdict(client: JobClient, response: dict[str, Any]) -> int:
    """Exit status of one submission: whether all that was asked for stands, else whose fault a failure was."""
    if response["status"] == "cancelled":
        return 1
    if response["status"] == "completed":
        return 1 if client.shortfall(response["layout_id"]) else 0
    if response["status"] != "failed":
        return 0
    kind = client.status(response["layout_id"])["error_kind"]
    return 3 if kind in ("service", "lost") else 2 if kind == "request" else 1


def _progress(count: int, *, quiet: bool) -> Callable[[dict[str, Any]], None] | None:
    """Draw a live bar on stderr, in a terminal alone."""
    if quiet or not sys.stderr.isatty():
        return None
    shown: dict[str, dict[str, Any]] = {}

    def draw(body: dict[str, Any]) -> None:
        shown[body["layout_id"]] = body
        ended = sum(b["status"] in ("completed", "failed", "cancelled") for b in shown.values())
        share = sum(
            100 if b["status"] != "processing" and b["status"] != "queued" else b["progress_pct"]
            for b in shown.values()
        )
        share //= count
        full = share * _BAR // 100
        words = body["stage"].replace("_", " ") if count == 1 else f"{ended} of {count} ended"
        note = ", stalled" if body["stalled"] else ""
        sys.stderr.write(f"\r[{'#' * full}{'.' * (_BAR - full)}] {share:3} %  {words}{note}\033[K")
        sys.stderr.write("\n" if ended == count else "")
        sys.stderr.flush()

    return draw


def _print_bodies(arguments: argparse.Namespace, bodies: list[dict[str, Any]]) -> None:
    if arguments.json:
        _json(bodies if len(bodies) > 1 else bodies[0])
        return
    for body in bodies:
        stalled = " (stalled)" if body["stalled"] else ""
        words = body["error_message"] or body["stage_message"] or body["stage"]
        _line(f"{body['layout_id']}  {body['status']:10}{stalled}  {body['progress_pct']:3} %  {words}")


def _print(arguments: argparse.Namespace, body: Any, text: str) -> None:
    if arguments.json:
        _json(body)
    else:
        _line(text)


def _json(body: Any) -> None:
    _line(json.dumps(body, indent=1, ensure_ascii=False))


def _line(text: str) -> None:
    print(text)


if __name__ == "__main__":
    sys.exit(main())


def boundary_as_geojson(path: Path, layer: str | None) -> bytes:
    """Boundary as jobs keep it beside the original; a bad file is refused here, before it is submitted."""
    from pacifico.site.boundary import read_site
    from pacifico.site.written import site_geojson

    return site_geojson(read_site(path, layer=layer))


def exclusions_as_geojson(
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
