"""Commands of `pacifico jobs`: submit, follow and fetch layouts.

With --json, commands that take ids print one JSON object for each id, one a line; an id that failed has an `error` with a
stable `code`. `list` and `submit-many` print one list.
"""

from __future__ import annotations

import argparse
import functools
import sys
from typing import TYPE_CHECKING, Any

from pacifico.cli import job_cleanup
from pacifico.cli.job_options import add_design, request_of, rows_of
from pacifico.cli.job_output import error_body, print_json, print_json_line, print_line, progress_bar, status_line
from pacifico.cli.options import path as option_path
from pacifico.cli.printing import StageLine
from pacifico.cli.viewing import catalog
from pacifico.errors import InputError, OutsideServiceError, PacificoError
from pacifico.escaping import for_terminal
from pacifico.output_files import writable_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pacifico.cli.job_options import Combiner, Reader
    from pacifico.jobs.client import JobClient
    from pacifico.jobs.request import JobRequest

    Command = Callable[[argparse.Namespace], int]

STATUSES = ("queued", "processing", "completed", "failed", "cancelled")

_TIMED_OUT = 124
_NAMED_ROWS = 500
"""Rows of a list that show the site's name, which takes two reads each."""


def add_jobs_commands(subparsers: Any, *, reader: Reader | None = None, combiner: Combiner | None = None) -> None:
    """Add `jobs` with its commands to a parser's commands.

    Parameters
    ----------
    subparsers
        What `ArgumentParser.add_subparsers` returned. Each command sets `run`, which takes the parsed arguments and returns
        the exit status.
    reader : callable, optional
        Reads a boundary file as GeoJSON, so that a bad one is refused before it is submitted.
    combiner : callable, optional
        Makes one file of exclusions from files and addresses.
    """
    jobs = subparsers.add_parser("jobs", help="submit, follow and fetch layouts that are made as jobs")
    commands = jobs.add_subparsers(title="commands", metavar="COMMAND", required=True)

    submit = commands.add_parser("submit", help="one job: queued with PACIFICO_QUEUE_URL set, else run on this machine")
    submit.add_argument("boundary", type=option_path, metavar="BOUNDARY", help="KML, KMZ, GeoJSON, shapefile")
    add_design(submit)
    submit.add_argument("--layout-id", metavar="UUID", help="the same id twice is one job")
    _submission(submit, lambda a: _submit(a, reader, combiner))

    many = commands.add_parser("submit-many", help="a job for each boundary file of a folder, or each row of a CSV")
    many.add_argument(
        "source", type=option_path, metavar="DIR|CSV", help="CSV: column 'boundary', and options by their names"
    )
    add_design(many)
    _submission(many, lambda a: _submit_many(a, reader, combiner))

    for name, words, act in (
        ("status", "status of jobs", _status),
        (
            "wait",
            "wait for jobs to end; exit status 1: short or cancelled, 2: the request's fault, 3: a service's, 124: time",
            _wait,
        ),
        ("cancel", "cancel jobs that have not ended", _cancel),
        ("redrive", "put failed jobs, or queued ones whose message was lost, into the queue again", _redrive),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("layout_id", nargs="+", metavar="LAYOUT_ID")
        if name == "wait":
            command.add_argument("--timeout", type=float, metavar="S", help="give up after so many seconds")
        if name == "redrive":
            command.add_argument("--force", action="store_true", help="also jobs that failed by their own request")
        _common(command, act)

    listing = commands.add_parser("list", help="layouts of one owner, newest first")
    listing.add_argument("--status", choices=STATUSES)
    listing.add_argument("--since", type=_moment, metavar="T", help="ISO 8601, such as 2026-11-23 or 2026-11-23T08:00Z")
    listing.add_argument("--limit", type=int, default=100, metavar="N", help="at most so many (100; 0: all)")
    _common(listing, _list)

    cleanup = commands.add_parser(
        "gc", help="delete files of replaced attempts, and sites and uploads no request names"
    )
    job_cleanup.add_options(cleanup)
    _common(cleanup, lambda a: job_cleanup.collect_garbage(_client(a), a))

    _add_fetch(commands)


def _add_fetch(commands: Any) -> None:
    fetch = commands.add_parser("fetch", help="download a report folder")
    fetch.add_argument("layout_id", metavar="LAYOUT_ID")
    fetch.add_argument("--out", type=option_path, required=True, metavar="DIR")
    _common(fetch, _fetch)

    stac = commands.add_parser("stac", help="fetch completed layouts, with a STAC catalog and a page of cards")
    catalog.add_job_options(stac)
    _common(stac, lambda a: catalog.catalog_of_jobs(_client(a), a))


def main(argv: Sequence[str] | None = None) -> int:
    """Run `pacifico jobs ...` alone: `python -m pacifico.cli.jobs jobs ...`."""
    parser = argparse.ArgumentParser(prog="pacifico")
    add_jobs_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except PacificoError as error:
        print("pacifico:", for_terminal(error), file=sys.stderr)
        return error.exit_code
    return status


def _submission(parser: argparse.ArgumentParser, act: Command) -> None:
    parser.add_argument(
        "--idempotency-key", metavar="KEY", help="repeating a submission with the same key submits nothing twice"
    )
    parser.add_argument("--background", action="store_true", help="without a queue: run behind this command")
    parser.add_argument("--wait", action="store_true", help="until it has ended")
    _common(parser, act)


def _common(parser: argparse.ArgumentParser, act: Command) -> None:
    parser.add_argument("--owner", metavar="O", help="whose jobs (PACIFICO_OWNER, else the login name)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=functools.partial(_run, act))


def _run(act: Command, arguments: argparse.Namespace) -> int:
    """Run a command; with --json an error is JSON too."""
    try:
        return act(arguments)
    except PacificoError as error:
        if not arguments.json:
            raise
        print_json_line({"error": error_body(error)})
        return error.exit_code


def _client(arguments: argparse.Namespace) -> JobClient:
    from pacifico.jobs.client import JobClient

    return JobClient(owner=arguments.owner)


def _submit(arguments: argparse.Namespace, reader: Reader | None, combiner: Combiner | None) -> int:
    client = _client(arguments)
    options = vars(arguments)
    if options["layout_id"] is not None and options["idempotency_key"] is not None:
        raise InputError("--layout-id and --idempotency-key both name the job; leave one of them out")
    if options["idempotency_key"] is not None:
        options = {**options, "layout_id": client.layout_id_of(options["idempotency_key"])}
    request = request_of(client, options, reader, combiner)
    with StageLine(quiet=arguments.json, watch=functools.partial(_progress_of, client, request.layout_id)):
        response = client.submit(request, background=arguments.background)
    if arguments.wait and response["status"] in ("queued", "processing"):
        bodies = client.wait([request.layout_id], on_status=progress_bar(1, quiet=arguments.json))
        body = bodies[request.layout_id]
        response = {**response, "status": body["status"], "message": body["error_message"] or _ended(client, body)}
    if arguments.json:
        print_json(response)
    else:
        print_line(f"{response['layout_id']}  {response['status']}  {response['message']}")
    return _exit_status(client, response)


def _submit_many(arguments: argparse.Namespace, reader: Reader | None, combiner: Combiner | None) -> int:
    client = _client(arguments)
    if arguments.idempotency_key is not None:
        client.layout_id_of(arguments.idempotency_key)  # refuses a key that is none, before anything is uploaded
    requests: list[JobRequest] = []
    responses: list[dict[str, Any]] = []
    for row in rows_of(arguments):
        try:
            requests.append(request_of(client, row, reader, combiner))
        except InputError as error:
            responses.append({"layout_id": None, "status": "rejected", "message": f"{row['boundary']}: {error}"})
        except OutsideServiceError as error:
            message = f"{row['boundary']}: not stored: {error}; submit it again"
            responses.append({"layout_id": None, "status": "unsent", "message": message})
    if arguments.idempotency_key is not None:
        requests = _keyed(client, requests, arguments.idempotency_key)
    with StageLine(quiet=arguments.json, watch=lambda: (0, f"submitting {len(requests)} jobs")):
        responses += client.submit_many(requests, background=arguments.background)
    waiting = [r["layout_id"] for r in responses if r["status"] in ("queued", "processing")]
    if arguments.wait and waiting:
        bodies = client.wait(waiting, on_status=progress_bar(len(waiting), quiet=arguments.json))
        responses = [
            {**r, "status": body["status"], "message": body["error_message"] or _ended(client, body)}
            if (body := bodies.get(r["layout_id"]))
            else r
            for r in responses
        ]
    if arguments.json:
        print_json(responses)
    else:
        for response in responses:
            print_line(f"{response['layout_id'] or '-':36}  {response['status']:10}  {response['message']}")
    codes = {"unsent": 3, "rejected": 2}
    return max(codes.get(r["status"]) or _exit_status(client, r) for r in responses)


def _progress_of(client: JobClient, layout_id: str) -> tuple[int, str] | None:
    """Percentage and stage of a job that runs here; None before it is stored."""
    try:
        body = client.status(layout_id)
    except PacificoError:
        return None
    return body["progress_pct"], body["stage_message"] or body["stage"].replace("_", " ")


def _keyed(client: JobClient, requests: list[JobRequest], key: str) -> list[JobRequest]:
    """Derive layout_ids from a key and each request's content.

    Equal rows stay different jobs: their number among equals counts too.
    """
    import hashlib

    seen: dict[str, int] = {}
    keyed = []
    for request in requests:
        content = hashlib.sha256(request.model_copy(update={"layout_id": ""}).to_bytes()).hexdigest()
        seen[content] = seen.get(content, 0) + 1
        layout_id = client.layout_id_of(f"{key}/{content}/{seen[content]}")
        keyed.append(request.model_copy(update={"layout_id": layout_id}))
    return keyed


def _for_each(
    arguments: argparse.Namespace, act: Callable[[str], dict[str, Any]], line: Callable[[dict[str, Any]], str]
) -> tuple[list[dict[str, Any]], int]:
    """Call a function with each id and print its results.

    Parameters
    ----------
    arguments : Namespace
        Parsed arguments, with `layout_id` and `json`.
    act : callable
        Takes an id and returns its body.
    line : callable
        Text of a body.

    Returns
    -------
    tuple
        The bodies, and the highest exit status of the errors.
    """
    bodies, worst = [], 0
    for layout_id in dict.fromkeys(arguments.layout_id):
        try:
            body = act(layout_id)
        except PacificoError as error:
            worst = max(worst, error.exit_code)
            _print_error(arguments, layout_id, error)
            continue
        bodies.append(body)
        if arguments.json:
            print_json_line(body)
        else:
            print_line(line(body))
    return bodies, worst


def _print_error(arguments: argparse.Namespace, layout_id: str, error: PacificoError) -> None:
    """Print why an id failed."""
    if arguments.json:
        print_json_line({"layout_id": layout_id, "error": error_body(error)})
    else:
        print(f"pacifico: {for_terminal(error)}", file=sys.stderr)


def _readable(client: JobClient, arguments: argparse.Namespace) -> tuple[list[str], int]:
    """Ids whose status can be read; prints the others' errors."""
    found, worst = [], 0
    for layout_id in dict.fromkeys(arguments.layout_id):
        try:
            client.status(layout_id)
        except PacificoError as error:
            worst = max(worst, error.exit_code)
            _print_error(arguments, layout_id, error)
        else:
            found.append(layout_id)
    return found, worst


def _status(arguments: argparse.Namespace) -> int:
    return _for_each(arguments, _client(arguments).status, status_line)[1]


def _wait(arguments: argparse.Namespace) -> int:
    from pacifico.jobs.error_codes import TIME_LIMIT
    from pacifico.jobs.reading.waiting import WaitTimeoutError

    client = _client(arguments)
    ids, worst = _readable(client, arguments)
    try:
        found = client.wait(ids, timeout_s=arguments.timeout, on_status=progress_bar(len(ids), quiet=arguments.json))
    except WaitTimeoutError as error:
        for body in error.bodies.values():
            if arguments.json:
                print_json_line(body)
        if arguments.json:
            print_json_line({"error": {"code": TIME_LIMIT, "message": str(error), "exit_status": _TIMED_OUT}})
        else:
            print(f"pacifico: {for_terminal(error)}", file=sys.stderr)
        return _TIMED_OUT
    for body in found.values():
        if arguments.json:
            print_json_line(body)
        else:
            print_line(status_line(body))
    return max([worst, *(_exit_status(client, body) for body in found.values())])


def _cancel(arguments: argparse.Namespace) -> int:
    return _for_each(arguments, _client(arguments).cancel, status_line)[1]


def _redrive(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    responses, worst = _for_each(
        arguments,
        lambda layout_id: client.redrive(layout_id, force=arguments.force),
        lambda r: f"{r['layout_id']}  {r['status']:10}  {r['message']}",
    )
    return max([worst, *(_exit_status(client, response) for response in responses)])


def _list(arguments: argparse.Namespace) -> int:
    client = _client(arguments)
    rows = client.list(status=arguments.status, since=arguments.since, limit=arguments.limit or None)
    names = client.site_names([row["layout_id"] for row in rows[:_NAMED_ROWS]])
    rows = [{**row, "site": names.get(row["layout_id"])} for row in rows]
    if arguments.json:
        print_json(rows)
    else:
        for row in rows:
            progress = f"  {row['progress_pct']:3} % {row['stage']}" if "stage" in row else ""
            site = f"  {row['site']}" if row["site"] else ""
            print_line(f"{row['layout_id']}  {row['status']:10}  {row['created_at']}{progress}{site}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    writable_folder(arguments.out)
    out = _client(arguments).fetch(arguments.layout_id, arguments.out)
    if arguments.json:
        print_json({"layout_id": arguments.layout_id, "out": str(out)})
    else:
        print_line(f"written: {out}")
    return 0


def _moment(text: str) -> datetime:
    from datetime import UTC, datetime

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-23 or 2026-11-23T08:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _ended(client: JobClient, body: dict[str, Any]) -> str:
    """Message of a job that ended without an error."""
    return client.shortfall(body["layout_id"]) or f"Layout is {body['status']}"


def _exit_status(client: JobClient, body: dict[str, Any]) -> int:
    """Exit status of one job.

    0 as requested or running, 1 short or cancelled, 2 its request's fault, 3 a service's.
    """
    if body["status"] == "cancelled":
        return 1
    if body["status"] == "completed":
        return 1 if client.shortfall(body["layout_id"]) else 0
    if body["status"] != "failed":
        return 0
    kind = body["error_kind"] if "error_kind" in body else client.status(body["layout_id"])["error_kind"]
    return 3 if kind in ("service", "lost") else 2


if __name__ == "__main__":
    sys.exit(main())
